"""Plant documents to a Plant: units, ranges, pairing, loops, signals, places."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twin.plant import Plant
from twin.scenario import BadInput, read_plant

Save = Callable[..., str]


@pytest.fixture
def plant(save: Save, small: str) -> Plant:
    text = small[small.index("  units:") : small.index("run:")]
    return read_plant(save("\n".join(line[2:] for line in text.splitlines())))


def test_units_stand_in_the_order_written(plant: Plant) -> None:
    assert list(plant.units)[:5] == ["site", "utility-a", "generator-1", "generator-2", "generator-bus"]
    assert [unit.name for unit in plant.of_kind("rack")] == ["rack-01", "rack-02"]


def test_values_are_si_and_nothing_is_filled_in(plant: Plant) -> None:
    assert plant.units["pdu-1"].parameters == {"rated_power": 400e3}
    rack = plant.units["rack-01"].parameters
    assert rack["nominal_flow"] == 119 / 60000
    assert rack["throttle_temperature"] == 361.15
    assert "power_factor" not in rack
    assert plant.units["rack-01"].machine().rated_power == 135e3


def test_a_range_of_the_same_length_is_paired(plant: Plant) -> None:
    assert plant.feeds["generator-bus"] == ["generator-1", "generator-2"]
    assert plant.feeds["ats-a"] == ["utility-a", "generator-bus"]
    assert plant.feeds["rack-02"] == ["pdu-1", "pdu-2"]
    assert [plant.feeds[f"pump-{n}"] for n in (1, 2)] == [["pdu-1"], ["pdu-2"]]


def test_places_step_along(plant: Plant) -> None:
    assert plant.units["rack-01"].at == (1.0, 2.0, 0.0)
    assert plant.units["rack-02"].at == (1.6, 2.0, 0.0)
    assert plant.units["pdu-1"].at is None


def test_loops_zip_series_into_parallel_branches(plant: Plant) -> None:
    loop = plant.loops["room"]
    assert (loop.fluid, loop.storage) == ("pg25", "tank-1")
    said = [[str(element) for element in branch] for branch in loop.plant]
    assert said == [["pump-1.coolant", "dry-1.coolant"], ["pump-2.coolant", "dry-2.coolant"]]
    assert [str(branch[0]) for branch in loop.loads] == [
        "rack-01.coolant",
        "rack-02.coolant",
        "fan-wall-1.coolant",
    ]


def test_signals_reach_all_of_a_range(plant: Plant) -> None:
    lines = [(line.source, line.output, line.target, line.input, line.delay) for line in plant.signals]
    assert lines == [("ats-a", "start_request", f"generator-{n}", "start", 0.0) for n in (1, 2)]


def test_every_unit_knows_its_line(plant: Plant) -> None:
    assert str(plant.units["rack-02"].where) == "try.yaml:8: units.rack-01..02"


def test_rows_of_a_layout(save: Save) -> None:
    name = save(
        "units:\n"
        "  utility-1..5:\n"
        "    kind: utility\n"
        "    rated_power: 1 MW\n"
        "    at: {start: [0 m, 0 m, 0 m], step: [600 mm, 0 m, 0 m], row_of: 2, row_step: [0 m, 2.4 m, 0 m]}\n"
    )
    places = [unit.at for unit in read_plant(name).of_kind("utility")]
    assert places == [(0, 0, 0), (0.6, 0, 0), (0, 2.4, 0), (0.6, 2.4, 0), (0, 4.8, 0)]


def test_a_fault_of_a_range_is_told_once(faults: Callable[..., list[str]]) -> None:
    told = faults("units:\n  pdu-1..500: {kind: pdu, rated_power: 1 MWh}\n")
    assert len(told) == 2
    assert told[1].endswith("pdu-1 has no feeds; a pdu wants 1 to 2 (and 499 more like it)")
    assert told[0].endswith('"1 MWh" is an energy; a power is wanted, e.g. "1 kW"')


def test_what_only_follows_is_not_told(faults: Callable[..., list[str]], head: str) -> None:
    lost = head.replace("kind: pdu", "kind: pud") + "events:\n  - {at: 60 s, fail: pdu-2}\n"
    assert len(faults(lost)) == 1


def test_a_scenario_is_no_plant_by_itself_but_holds_one(save: Save, head: str) -> None:
    assert "pdu-1" in read_plant(save(head)).units
    with pytest.raises(BadInput):
        read_plant(save("units: {pdu-1: {kind: pdu}}\n"))
