"""A year: hours as worlds in their steady state, their sums, modes of cooling, water, and what is said of bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.scenario.test_epw import made
from tests.small_plants import add, pod, water_cooled, wet_chain
from twin import model as compiled
from twin.assets import scenarios_folder
from twin.declare import MODES, replace
from twin.plant import Plant
from twin.scenario import BadInput, read, read_plant
from twin.scenario.climate import typical_year
from twin.scenario.epw import read_epw
from twin.scenario.faults import Faults
from twin.simulation import Simulation, settle
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


def test_ways_out_are_told_apart_and_heat_used_again_counts(sky: Path) -> None:
    """Chillers on condenser water give what they took to the tower; what the heat network took lowers the ERE."""
    found = year(water_cooled(), sky, utilisation=0.8)
    assert sum(found.hours_by_mode().values()) == 8760
    assert found.mode[0] != MECHANICAL
    assert found.mode[15] == found.mode[15 + 24]
    assert (found.reused[:24] > 0).any()
    assert found.ere == pytest.approx(found.pue - found.reused.sum() / found.it_power.sum())
    assert found.partial_pue()["water_cooled_chiller"] > 1.0
    assert found.to_json()["ere"] < found.to_json()["pue"]


@pytest.mark.parametrize(
    ("plant", "climate", "lowest", "highest"),
    [("esif-like", "golden", 1.03, 1.04), ("frontier-like", "oak-ridge", 1.03, 1.10)],
)
def test_warm_water_plants_reach_what_is_published_of_their_like(
    plant: str, climate: str, lowest: float, highest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NREL ESIF 1.034, ORNL Frontier 1.03 to 1.10; here coarser worlds, `twin year` does the year as it is."""
    monkeypatch.setattr(room, "STEP_WET", 6.0)
    found = year(plant, climate)
    assert lowest <= found.pue <= highest
    assert found.unsteady == 0
    assert 0.5 < found.wue * 1e3 * 3.6e6 < 2.0


def test_the_loop_of_frontier_by_its_energy() -> None:
    """Published: 1,500 gpm and 7.1 MW over 18.0 K (5 %); the plant's loop with its pumps turned to 94.6 L/s."""
    plant = read_plant(scenarios_folder() / "plants" / "frontier-like.yaml")
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0 + 0.97)
    asked["cdu"] = replace(
        asked["cdu"], mode=asked["cdu"].mode * 0 + MODES["hand"], hand_valve=asked["cdu"].mode * 0 + 0.42
    )
    state = settle(model, asked)
    flow = float(state.outputs["cdu"].facility_flow_now.sum())
    heat = float(state.outputs["cdu"].heat.sum())
    loop = list(plant.loops).index("facility")
    rise = float(state.headers[1, 0, loop] - state.headers[0, 0, loop])
    assert flow == pytest.approx(1500 * 0.0630902e-3, rel=0.05)
    assert heat == pytest.approx(7.1e6, rel=0.05)
    assert rise == pytest.approx(18.0, rel=0.05)


def test_the_same_hours_run_in_time(tmp_path: Path) -> None:
    """Six hours of a July day at ticks of 300 s against the same hours as worlds: energy of the site within 0.1 %."""
    (tmp_path / "golden.epw").write_text(typical_year("golden"), encoding="utf-8")
    (tmp_path / "in-time.yaml").write_text(
        """title: A July day in time
description: the hours of a year, one after the other
plant: esif-like
run: {duration: 6 h, tick: 300 s, record: 1 h}
weather: {epw: golden.epw, start: "07-15 08:00"}
workload: {utilisation: 85 %}
criteria: ["no rack.throttled"]
""",
        encoding="utf-8",
    )
    simulation = Simulation(read(tmp_path / "in-time.yaml"), device="cpu")
    simulation.run()
    energy = float(simulation.state.rows["site"].supplied_energy[0, 0])
    weather = room.read_weather(tmp_path / "golden.epw")
    first = 195 * 24 + 7  # the row of 8 o'clock on 15 July
    model = compiled.compile(read_plant(scenarios_folder() / "plants" / "esif-like.yaml"))
    asked = compiled.inputs(model, 7)
    hours = np.arange(first, first + 7)
    bulbs = np.column_stack([weather.dry_bulb[hours], weather.wet_bulb(hours)])
    asked["site"] = replace(asked["site"], dry_bulb=bulbs[:, :1], wet_bulb=bulbs[:, 1:])
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0 + 0.85)
    powers = settle(model, asked, 7).outputs["site"].power[:, 0]
    assert energy == pytest.approx(float(np.trapezoid(powers, dx=3600.0)), rel=1e-3)


def test_a_typical_year_has_the_means_of_its_normals() -> None:
    faults = Faults()
    sky = read_epw(typical_year("golden").encode(), "golden", faults)
    assert sky is not None, faults.errors
    assert len(sky.dry_bulb) == 8760
    assert sky.location == "Golden, CO, USA"
    july = sky.month == 7
    assert sky.dry_bulb[july].mean() - 273.15 == pytest.approx(23.3, abs=0.5)
    assert sky.dry_bulb[~july].mean() < sky.dry_bulb[july].mean()
    assert typical_year("golden") == typical_year("golden")
    assert typical_year("golden", seed=2) != typical_year("golden")
    wet = sky.wet_bulb(np.arange(8760))
    assert (wet <= sky.dry_bulb + 1e-9).all()


def test_bad_input_is_told(sky: Path, tmp_path: Path) -> None:
    bare = Plant()
    add(bare, "utility", "utility", rated_power=1e6)
    with pytest.raises(BadInput, match="plant has no racks, so there is no PUE; a plant with racks is wanted"):
        year(bare, sky)
    with pytest.raises(
        BadInput, match=r"gone.epw\" is not there; an EPW weather file is wanted, or one of golden, oak-ridge"
    ):
        year(pod(), tmp_path / "gone.epw")
    (tmp_path / "odd.epw").write_text("nothing", encoding="utf-8")
    with pytest.raises(BadInput, match=r'odd.epw:1: an EPW file begins with "LOCATION,"; this one does not'):
        year(pod(), tmp_path / "odd.epw")


def test_water_that_follows_the_weather_spares_the_chillers(sky: Path) -> None:
    """The shipped pod with reset, and the same at 18 degC all the year, from 11 to 34 degC outdoors."""
    plant = read_plant(scenarios_folder() / "plants" / "pod-outdoor-reset.yaml")
    follows = year(plant, sky)
    for unit in plant.units.values():
        if "outdoor_setpoint" in unit.parameters:
            unit.parameters["outdoor_setpoint"] = 291.15
    fixed = year(plant, sky)
    assert follows.pue < fixed.pue - 0.03
    assert follows.free_share > fixed.free_share + 0.2
    assert follows.hours_by_mode()[FREE] > fixed.hours_by_mode()[FREE]


def test_a_dry_plant_that_follows_the_wet_bulb_has_its_hours_apart_by_both(sky: Path) -> None:
    plant = pod()
    text = sky.read_text(encoding="utf-8").splitlines()
    moist = [",".join([*line.split(",")[:7], "10", *line.split(",")[8:]]) for line in text[-24:]]
    file = sky.with_name("two.epw")
    file.write_text("\n".join([*text[:-24], *moist]), encoding="utf-8")
    assert year(plant, file).worlds == 24
    line = {"outdoor_reset": 2.0, "outdoor_from": 278.15, "outdoor_to": 288.15, "outdoor_setpoint": 301.15}
    plant.units["ch-1"].parameters |= line
    found = year(plant, file)
    assert found.worlds == 48
    assert found.power[-12] != found.power[-36], "the same air, moister"
