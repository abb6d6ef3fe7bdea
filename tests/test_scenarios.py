"""The shipped plants and drills: they read without a doubt, and the redundancy they claim is there."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from twin.assets import assets_folder, drills_folder, scenarios_folder
from twin.declare import replace
from twin.model import Model, State, compile, inputs
from twin.networks.tables import AllRows
from twin.physics.fluids import HEAT_CAPACITY
from twin.plant import Plant
from twin.plant_loads import nominal_loads
from twin.report import Findings
from twin.scenario import read, read_plant
from twin.scenario.library import AREAS, markdown, shipped_drills
from twin.scenario.reader import check
from twin.simulation import settle
from twin.trace import open_trace

SCENARIOS = sorted(drills_folder().glob("*.yaml"))
PLANTS = sorted((scenarios_folder() / "plants").glob("*.yaml"))
HOT = 44 + 273.15
LPM = 1 / 60e3
MEANT_TO_FAIL = {
    "black-building": {"no rack.unpowered"},
    "cooling-trip-power-transient": {"no rack.shut_down"},
    "feed-loss-edp": {"no rack.unpowered"},
    "fire-panel-row": {"no rack.unpowered"},
    "generator-fuel-runs-out": {"no generator runs out of fuel", "no rack.shut_down"},
    "biased-sensor-stuck-valve": {"max(cdu.supply_temperature) < 45 degC"},
    "air-cooling-lost": {"no air_rack.throttled"},
    "air-cooling-on-ups": set(),
    "bus-fault-lockout": set(),
    "cdu-leak": {"no rack.shut_down"},
    "cdu-pump-standby-stuck": {"no rack.throttled"},
    "chiller-trip": set(),
    "cdu-lost-tokens": set(),
    "training-rack-lost": set(),
    "chiller-trip-staged": set(),
    "decoupler-reverses": set(),
    "economiser-by-weather": set(),
    "feeder-fault": set(),
    "feeder-fault-cascade": {"no breaker.tripped"},
    "feed-loss-brake": {"no rack.unpowered"},
    "generators-share-a-fuel": {"no rack.shut_down"},
    "llama-3-like-failures": set(),
    "jobs-in-a-queue": set(),
    "grid-request": set(),
    "nerc-recorded-rms": set(),
    "one-crew-two-faults": set(),
    "standby-by-hand": set(),
    "stuck-tank-sensor": {"max(pod-air.temperature) < 30 degC"},
    "utility-loss-sequence": set(),
    "nerc-sags-counting": set(),
    "nerc-sags-counting-no-start": {"no rack.unpowered"},
    "nerc-sags-ride-through": set(),
    "pdu-fault": set(),
    "pod-power-returns": {"no tank-1.exhausted"},
    "racks-return-in-turn": {"no rack.unpowered"},
    "sag-pumps-on-ups": {"no tank-1.exhausted"},
    "sag-stops-cooling": {"no tank-1.exhausted"},
    "pod-technology-pumps-lost": {"no rack.shut_down"},
    "main-tie-main": set(),
    "warm-water-by-valves": set(),
    "control-panel-lost": {"no tank-1.exhausted"},
    "condenser-water-lost": {"no tank-1.exhausted"},
    "technology-flow-lost-25c": {"no rack.shut_down"},
    "technology-flow-lost-45c": {"no rack.shut_down"},
    "facility-water-lost": {"no rack.throttled", "no rack.shut_down"},
    "facility-water-lost-headers": {"no rack.throttled"},
    "switches-overheat": {"no switch.overheated"},
    "tank-mixed": {"no tank-1.exhausted"},
    "tank-stratified": set(),
    "pump-manifold": set(),
    "storage-black-start": set(),
    "storage-controller-lost": {"no train.starved"},
    "storage-bridges-utility-loss": set(),
    "ups-loss-in-maintenance": {"no rack.unpowered"},
    "steady-415vac": set(),
    "steady-800vdc": set(),
    "full-pool-by-tier": {"final(free.dropped_answers) < 1 token"},
    "experts-over-racks": {"no standard.late"},
    "leaf-lost-in-serving": {"no free.late"},
    "leaf-loses-power": {"min(rack.bandwidth_share) >= 100 %"},
    "leak-with-isolation": {"no cdu.low_suction", "no rack.shut_down"},
    "load-shedding": {"no rack.unpowered"},
    "utility-loss": set(),
    "weights-loaded-again": set(),
    "utility-loss-800vdc": set(),
}
"""Drill -> criteria that its own description calls meant to fail."""


@cache
def plant(name: str) -> Plant:
    return read_plant(scenarios_folder() / "plants" / f"{name}.yaml")


@pytest.mark.parametrize("path", SCENARIOS + PLANTS, ids=lambda path: path.stem)
def test_every_shipped_file_is_read_without_fault_or_warning(path: Path) -> None:
    assert check(path) == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_drill_says_what_it_teaches_and_what_to_look_at(path: Path) -> None:
    drill = read(path)
    assert len(drill.description) > 300
    assert "What it teaches" in drill.description
    assert "Look at" in drill.description
    assert drill.criteria
    failing = MEANT_TO_FAIL[path.stem]
    assert all(f'"{text}" is meant to fail' in " ".join(drill.description.split()) for text in failing)
    assert failing <= {criterion.text for criterion in drill.criteria}


def test_the_page_of_drills_is_made_from_them() -> None:
    """`twin drills --markdown > docs/drills.md` makes it anew."""
    page = (Path(__file__).parent.parent / "docs" / "drills.md").read_text(encoding="utf-8")
    assert page == markdown()


def test_every_drill_is_about_something_and_tells_how_it_ends() -> None:
    found = {each.name: each for each in shipped_drills()}
    assert set(found) == set(MEANT_TO_FAIL)
    assert {name: set(each.fails) for name, each in found.items()} == MEANT_TO_FAIL
    for each in found.values():
        assert each.areas, each.name
        assert len(each.teaches) > 60, each.name
    assert {area for each in found.values() for area in each.areas} == set(AREAS)


@pytest.mark.parametrize("path", PLANTS, ids=lambda path: path.stem)
def test_every_plant_has_neither_faults_nor_warnings(path: Path) -> None:
    assert plant(path.stem).faults() == []


def test_the_plants_are_what_the_project_promises() -> None:
    assert len(plant("pod").of_kind("rack")) == 8
    racks = plant("hall").of_kind("rack")
    assert len(racks) == 64
    assert {unit.like for unit in racks} == {"gb300-nvl72"}
    assert rated(plant("hall"), "rack") == pytest.approx(8.64e6)
    assert rated(plant("campus"), "rack") == pytest.approx(1.0e9, rel=0.01)
    lines = (scenarios_folder() / "plants" / "campus.yaml").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150


def test_the_design_days_are_there() -> None:
    assert {path.stem for path in (assets_folder() / "weather").glob("*.yaml")} >= {"phoenix-summer"}


def rated(here: Plant, kind: str) -> float:
    return sum(unit.parameters["rated_power"] for unit in here.of_kind(kind))


@pytest.mark.parametrize(("name", "loop"), [("hall", "technology-a"), ("hall", "technology-b"), ("pod", "technology")])
def test_cdus_are_n_plus_1_by_heat_and_by_flow(name: str, loop: str) -> None:
    here = plant(name)
    racks = [here.units[branch[0].unit].parameters for branch in here.loops[loop].loads]
    cdus = [here.units[branch[0].unit].parameters for branch in here.loops[loop].plant]
    heat = sum(rack["rated_power"] * (1 - rack["air_fraction"]) for rack in racks)
    flow = sum(rack["nominal_flow"] for rack in racks)
    assert racks[0]["nominal_flow"] == pytest.approx(119 * LPM)
    needed = max(math.ceil(heat / cdus[0]["heat_capacity_rating"]), math.ceil(flow / cdus[0]["nominal_flow"]))
    assert len(cdus) == needed + 1


@pytest.mark.parametrize("name", ["hall", "pod"])
def test_generators_carry_everything_with_one_missing(name: str) -> None:
    """Nominal loads, the losses on the way (6 %) and the batteries' recharge."""
    here = plant(name)
    boards = [unit.name for unit in here.of_kind("bus") if unit.name.startswith("board")]
    load = nominal_loads(here)
    asked = 1.06 * sum(load[board] for board in boards) + sum(
        unit.parameters["recharge_power"] for unit in here.of_kind("ups")
    )
    sets = here.of_kind("generator")
    assert asked < rated(here, "generator") - sets[0].parameters["rated_power"]
    order = [unit.parameters["closing_order"] for unit in sets]
    assert len(set(order)) == len(order)


def ups_of(here: Plant, unit: str) -> str:
    """The UPS before a PDU, through its main breaker if it has one."""
    (feed,) = here.feeds[unit]
    return ups_of(here, feed) if here.units[feed].kind == "breaker" else feed


@pytest.mark.parametrize("name", ["hall", "pod"])
def test_any_ups_may_be_lost(name: str) -> None:
    """With one gone, its racks and CDUs lean on their other cord alone, and no UPS or board is overloaded."""
    here = plant(name)
    consumers = [*here.of_kind("rack"), *here.of_kind("cdu")]
    for lost in here.of_kind("ups"):
        load = dict.fromkeys(here.units, 0.0)
        for unit in consumers:
            cords = [pdu for pdu in here.feeds[unit.name] if ups_of(here, pdu) != lost.name]
            assert cords, f"{unit.name} has no supply without {lost.name}"
            for pdu in cords:
                share = unit.machine().nominal_power() / len(cords)
                load[pdu] += share
                load[ups_of(here, pdu)] += 1.01 * share
        for unit in [*here.of_kind("ups"), *here.of_kind("pdu")]:
            assert load[unit.name] <= unit.parameters["rated_power"], (unit.name, lost.name)


def test_racks_are_shared_among_all_pairs_of_ups() -> None:
    here = plant("hall")
    pairs = [tuple(sorted(here.feeds[pdu][0] for pdu in here.feeds[rack.name])) for rack in here.of_kind("rack")]
    counts = {pair: pairs.count(pair) for pair in combinations([ups.name for ups in here.of_kind("ups")], 2)}
    assert sum(counts.values()) == 64
    assert set(counts.values()) <= {6, 7, 8}


def test_technology_pumps_are_on_ups_and_the_cooling_plant_is_not() -> None:
    here = plant("hall")
    for cdu in here.of_kind("cdu"):
        assert all(here.units[here.feeds[pdu][0]].kind == "ups" for pdu in here.feeds[cdu.name])
    for kind in ("pump", "dry_cooler", "chiller", "fan_wall"):
        assert all(here.feeds[unit.name] == ["board-mech-a", "board-mech-b"] for unit in here.of_kind(kind))


@cache
def hot_hall() -> tuple[Model, AllRows]:
    """The hall at full work in air of 44 degC."""
    model = compile(plant("hall"))
    asked = inputs(model)
    asked["site"] = replace(asked["site"], dry_bulb=asked["site"].dry_bulb * 0 + HOT)
    for t in model.tables:
        if t.kind == "rack":
            asked[t.key] = replace(asked[t.key], utilisation=asked[t.key].utilisation * 0 + 1.0)
    return model, asked


def settled_without(*names: str) -> tuple[Model, State]:
    model, asked = hot_hall()
    asked = dict(asked)
    for name in names:
        key, row = model.seats[name]
        service = asked[key].in_service.copy()
        service[:, row] = 0.0
        asked[key] = replace(asked[key], in_service=service)
    return model, settle(model, asked)


def column(model: Model, source: AllRows, kind: str, name: str) -> np.ndarray:
    """One quantity of all units of a kind."""
    return np.concatenate([getattr(source[t.key], name)[0] for t in model.tables if t.kind == kind])


def test_design_day_of_the_hall() -> None:
    """Full work at 44 degC: dies, valves, tank, PUE, UPS and transformers stand where they should."""
    model, now = settled_without()
    die = column(model, now.rows, "rack", "die_temperature") - 273.15
    assert 70 < die.min() <= die.max() < 85
    valves = column(model, now.rows, "cdu", "valve")
    assert 0.3 < valves.min() <= valves.max() < 0.8
    assert column(model, now.rows, "cdu", "supply_temperature") == pytest.approx(313.15, abs=0.02)
    assert column(model, now.rows, "tank", "temperature") - 273.15 == pytest.approx([32.0, 18.0], abs=0.05)
    assert 20 < column(model, now.rows, "zone", "temperature")[0] - 273.15 < 30
    assert column(model, now.outputs, "ups", "load_fraction").max() < 0.9
    assert column(model, now.outputs, "transformer", "load_fraction").max() < 0.9
    assert 1.1 < now.outputs["site"].pue[0, 0] < 1.3
    sets = plant("hall").of_kind("generator")
    recharge = sum(unit.parameters["recharge_power"] for unit in plant("hall").of_kind("ups"))
    assert now.outputs["site"].power[0, 0] + recharge < 3e6 * (len(sets) - 1)


@pytest.mark.parametrize(
    "lost",
    [
        ("cdu-1",),
        ("pump-1", "dry-1", "chiller-1"),
        ("chw-pump-1", "chw-chiller-1"),
        ("fan-wall-1",),
        ("ups-2",),
        ("board-mech-a",),
    ],
    ids=lambda names: names[0],
)
def test_the_hall_holds_its_temperatures_with_one_of_each_gone(lost: tuple[str, ...]) -> None:
    model, now = settled_without(*lost)
    running = np.array([name not in lost for t in model.tables if t.kind == "cdu" for name in t.names])
    assert column(model, now.rows, "cdu", "supply_temperature")[running].max() < 313.15 + 0.05
    assert column(model, now.outputs, "rack", "flow").min() > 0.99 * 119 * LPM
    assert column(model, now.rows, "tank", "exhausted").max() == 0
    assert column(model, now.rows, "zone", "temperature")[0] < 273.15 + 27
    for kind in ("ups", "pdu", "transformer"):
        assert column(model, now.outputs, kind, "load_fraction").max() < 1
    assert column(model, now.rows, "rack", "throttled").max() == 0


def test_the_tank_takes_five_minutes_of_what_the_chillers_take() -> None:
    model, now = settled_without()
    duty = sum(
        float(heat)
        for t in model.tables
        if t.kind == "chiller"
        for name, heat in zip(t.names, now.outputs[t.key].heat[0], strict=True)
        if name.startswith("chiller")
    )
    tank = plant("hall").units["tank-1"].parameters
    held = tank["volume"] * HEAT_CAPACITY["water"] * (tank["useful_temperature"] - 305.15)
    assert held / duty == pytest.approx(300, rel=0.1)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_drill_ends_as_its_description_says(path: Path, drilled: Callable[[str], tuple[Path, float]]) -> None:
    trace, residual = drilled(path.stem)
    assert residual < 1e-9
    with open_trace(trace) as opened:
        verdict = Findings(opened).verdict
    assert {judged.text for judged in verdict.failed} == MEANT_TO_FAIL[path.stem]
    assert all(judged.meant for judged in verdict.failed)
