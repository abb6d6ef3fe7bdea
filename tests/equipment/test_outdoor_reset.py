"""Outdoor reset: setpoints that follow the weather between two limits, by hand and through a plant at rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.small_plants import CHILLER, DRY_COOLER, chain, wet_chain
from twin import model as compiled
from twin.declare import Ports, replace
from twin.equipment.chiller import Chiller
from twin.equipment.dry_cooler import DryCooler
from twin.simulation import settle

LINE = {"outdoor_from": 283.15, "outdoor_to": 293.15, "outdoor_setpoint": 301.15}


def at(dry, wet=273.15, asked=291.15, **line):
    return float(DryCooler(**DRY_COOLER, **(LINE | line)).wanted(asked, Ports(dry_bulb=dry, wet_bulb=wet)))


def test_the_setpoint_goes_in_a_straight_line_between_its_limits():
    line = {"outdoor_reset": 1.0}
    assert [at(T, **line) for T in (263.15, 283.15, 288.15, 290.15, 293.15, 313.15)] == pytest.approx(
        [291.15, 291.15, 296.15, 298.15, 301.15, 301.15]
    )
    assert at(288.15, asked=295.15, **line) == pytest.approx(298.15), "what a run asks for is the cold end"
    assert at(288.15, outdoor_setpoint=281.15, **line) == pytest.approx(286.15), "colder in the heat, too"


def test_it_follows_the_bulb_that_is_named_and_none_where_none_is():
    assert at(313.15, 288.15, outdoor_reset=2.0) == pytest.approx(296.15)
    assert at(313.15, 288.15) == 291.15


@given(st.floats(230, 330), st.floats(230, 330), st.floats(280, 310), st.floats(280, 310))
def test_it_stays_between_its_setpoints_and_moves_one_way(cold, hot, asked, other):
    cold, hot = sorted((cold, hot))
    line = {"outdoor_reset": 1.0, "outdoor_setpoint": other, "asked": asked}
    low, high = at(cold, **line), at(hot, **line)
    for found in (low, high):
        assert min(asked, other) - 1e-9 <= found <= max(asked, other) + 1e-9
    assert (high - low) * (other - asked) >= -1e-9


def test_what_is_missing_or_upside_down_is_said():
    def told(**line):
        return Chiller(**CHILLER, **line).faults(1)

    assert told(outdoor_reset=1.0, **LINE) == []
    assert told(outdoor_to=293.15) == ["its outdoor_to is given without outdoor_reset; dry_bulb or wet_bulb is wanted"]
    assert told(outdoor_reset=2.0, outdoor_from=283.15) == [
        "its setpoint follows the weather, but outdoor_to, outdoor_setpoint is not given; it is wanted"
    ]
    assert told(outdoor_reset=1.0, **(LINE | {"outdoor_to": 283.15})) == [
        "its outdoor_to is not above its outdoor_from; a warmer one is wanted"
    ]


@pytest.mark.parametrize(
    ("made", "name", "kind", "quantity", "asked", "reset"),
    [
        (chain, "chiller", "chiller", "leaving_temperature", 291.15, 295.15),
        (chain, "cdu", "cdu", "supply_temperature", 313.15, 308.15),
        (wet_chain, "tower-1", "cooling_tower", "leaving_temperature", 295.15, 301.15),
    ],
)
def test_a_plant_at_rest_holds_the_setpoint_of_its_weather(made, name, kind, quantity, asked, reset):
    """Three members in three weathers: below, amid and above; the wet bulb 8 K below the dry one."""
    plant = made()
    plant.units[name].parameters |= {**LINE, "outdoor_reset": 1.0, "outdoor_setpoint": reset}
    model = compiled.compile(plant)
    inputs = compiled.inputs(model, 3)
    dry = np.array([[278.15], [288.15], [298.15]])
    inputs["site"] = replace(inputs["site"], dry_bulb=dry, wet_bulb=dry - 8.0)
    rows = settle(model, inputs, 3).rows
    found = getattr(rows[kind], quantity)[:, 0]
    assert found == pytest.approx([asked, (asked + reset) / 2, reset], abs=0.05)
