"""A year: hours as worlds in their steady state, their sums, modes of cooling, water, and what is said of bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.scenario.test_epw import made
from tests.small_plants import add, pod, wet_chain
from twin import model as compiled
from twin.declare import replace
from twin.plant import Plant
from twin.scenario import BadInput
from twin.simulation import settle
from twin.studies import year as room
from twin.studies.year import FREE, MECHANICAL, year
from twin.studies.year.picture import picture
from twin.studies.year.tables import whole


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every day from 11 to 34 degC, one kelvin an hour."""
    file = tmp_path_factory.mktemp("sky") / "made.epw"
    file.write_text("\n".join(made()), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def found(sky: Path) -> room.YearFound:
    return year(pod(), sky)


def test_an_hour_is_the_steady_state_of_its_weather(found: room.YearFound) -> None:
    """World by world against one member settled by itself."""
    model = compiled.compile(pod())
    for hour in (0, 9, 23):
        asked = compiled.inputs(model)
        dry = asked["site"].dry_bulb * 0 + found.dry_bulb[hour]
        asked["site"] = replace(asked["site"], dry_bulb=dry)
        asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0 + 0.85)
        site = settle(model, asked).outputs["site"]
        assert found.power[hour] == pytest.approx(float(site.power[0, 0]), rel=1e-9)
        assert found.it_power[hour] == pytest.approx(float(site.it_power[0, 0]), rel=1e-9)


def test_equal_weather_shares_a_world(found: room.YearFound) -> None:
    assert (len(found.power), found.worlds, found.unsteady) == (8760, 24, 0)
    np.testing.assert_array_equal(found.power[:24], found.power[24:48])


def test_sums_and_shares(found: room.YearFound) -> None:
    assert found.pue == pytest.approx(found.power[:24].sum() / found.it_power[:24].sum())
    assert 1.0 < found.cooling_pue < found.pue
    assert found.wue == 0
    assert {"chiller", "dry_cooler", "pump", "cdu", "fan_wall"} == set(found.by_kind)
    said = found.to_json()
    assert said["energy"] == pytest.approx(365 * 3600 * float(found.power[:24].sum()))
    assert said["hours"] == 8760


def test_the_warmer_the_more_the_chillers_work(found: room.YearFound) -> None:
    share = found.by_kind["chiller"][:24] / found.it_power[:24]
    assert share[-1] > share[0]
    assert sum(found.hours_by_mode().values()) == 8760
    assert found.mode[23] != FREE
    assert found.mode[0] != MECHANICAL
    assert 0 < found.free_share < 1


def test_towers_take_water(sky: Path) -> None:
    """About 1.8 L a kWh of heat: 1/h_fg, a tenth of it sensible, a third more for blow-down."""
    wet = year(wet_chain(), sky, utilisation=1.0)
    assert wet.wue * 1e3 * 3.6e6 == pytest.approx(1.8, rel=0.15)
    assert wet.hours_by_mode() == {}
    assert wet.worlds <= 24
    assert wet.pue < 1.15


def test_hours_come_together_by_both_bulbs_where_water_evaporates(sky: Path) -> None:
    weather = room.read_weather(sky)
    dry, place = room.worlds(weather, wet=False)
    both, _ = room.worlds(weather, wet=True)
    np.testing.assert_allclose(dry[place, 0], weather.dry_bulb, atol=0.051)
    assert len(both) == len(dry) == 24


def test_it_is_told_and_drawn(found: room.YearFound, tmp_path: Path) -> None:
    from rich.console import Console

    console = Console(width=140, record=True, file=(tmp_path / "out.txt").open("w"))
    console.print(whole(found))
    text = console.export_text()
    assert f"PUE {found.pue:.4f}" in text
    assert "Jan" in text
    assert "Dec" in text
    assert "Each hour is a steady state of its own" in text
    assert picture(found, tmp_path / "year.png").stat().st_size > 20_000


def test_bad_input_is_told(sky: Path, tmp_path: Path) -> None:
    bare = Plant()
    add(bare, "utility", "utility", rated_power=1e6)
    with pytest.raises(BadInput, match="plant has no racks, so there is no PUE; a plant with racks is wanted"):
        year(bare, sky)
    with pytest.raises(BadInput, match=r"gone.epw\" is not there; an EPW weather file is wanted"):
        year(pod(), tmp_path / "gone.epw")
    (tmp_path / "odd.epw").write_text("nothing", encoding="utf-8")
    with pytest.raises(BadInput, match=r'odd.epw:1: an EPW file begins with "LOCATION,"; this one does not'):
        year(pod(), tmp_path / "odd.epw")
