"""How the heat leaves: by chillers alone, by them and without, or without; as the site tells it in every tick."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import chain, pod, staged, water_cooled
from twin import model as compiled
from twin.declare import replace
from twin.simulation import settle
from twin.studies import year as room


def told(plant, wet, dry, colder=()):
    """Site's Outputs and all others, at rest in weathers, one a member; `colder` sets Inputs of units."""
    model = compiled.compile(plant)
    asked = compiled.inputs(model, len(wet))
    site = asked["site"]
    asked["site"] = replace(site, wet_bulb=np.array(wet)[:, None] + 0.0, dry_bulb=np.array(dry)[:, None] + 0.0)
    for unit, quantity, value in colder:
        key, row = model.seats[unit]
        changed = getattr(asked[key], quantity).copy()
        changed[:, row] = value
        asked[key] = replace(asked[key], **{quantity: changed})
    return settle(model, asked, len(wet)).outputs


def test_cold_air_frees_the_chillers_and_warm_air_wants_them():
    """Plates before chillers: free, partial, mechanical with the wet bulb, by the share of heat that shows it."""
    colder = [(f"tower-{i}", "leaving_setpoint", 278.15) for i in (1, 2)]
    colder += [("economiser", "leaving_setpoint", 290.15), ("past", "opening", 0.0)]
    out = told(staged(), [275.15, 296.15], [277.15, 298.15], colder)
    site = out["site"]
    assert site.cooling_mode[:, 0].tolist() == [3.0, 2.0]
    free = out["heat_exchanger"].heat.sum(axis=1)
    chilled = out["chiller"].heat.sum(axis=1) + out["water_cooled_chiller"].heat.sum(axis=1)
    np.testing.assert_allclose(site.free_heat[:, 0], free, rtol=0.02, atol=2e3)
    np.testing.assert_allclose(site.chilled_heat[:, 0], chilled, rtol=1e-12)
    alone = told(staged(), [296.15], [298.15], [("economiser", "isolated", 1.0)])["site"]
    assert alone.cooling_mode[0, 0] == 1.0, "the towers take the condensers' heat, and that of their pumps"


def test_a_plant_with_one_way_has_no_mode():
    site = told(chain(), [290.0], [295.0])["site"]
    assert site.cooling_mode[0, 0] == 0.0
    assert site.chilled_heat[0, 0] > 1e5


@pytest.mark.parametrize("plant", [staged, water_cooled, pod])
def test_the_hours_of_a_year_have_the_mode_that_the_site_tells(plant):
    model = compiled.compile(plant())
    bulbs = np.column_stack([np.linspace(262, 308, 7), np.linspace(260, 298, 7)])
    out = settle(model, room.under(model, room.begun(model, [], 7), bulbs), 7).outputs
    found = room.told(model, out, 7)
    by_heat = room._modes(found["mechanical"], found["free"])
    words = {1.0: room.MECHANICAL, 2.0: room.PARTIAL, 3.0: room.FREE}
    assert [words[mode] for mode in out["site"].cooling_mode[:, 0]] == by_heat.tolist()
    assert len(set(by_heat)) > 1 or plant is not pod
