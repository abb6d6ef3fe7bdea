"""A scenario as a whole: what comes out, what the caller may say, and all faults in one pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from twin import assets
from twin.scenario import BadInput, RunSettings, Zoom, check, read

Save = Callable[..., str]


def test_everything_that_is_said_comes_out(save: Save, small: str) -> None:
    scenario = read(save(small))
    assert scenario.title == "A small room, to try everything"
    assert scenario.description.startswith("Two racks")
    assert scenario.run == RunSettings(1800.0, 1.0, [Zoom(55.0, 20.0, 0.01)], 1, 3, 1.0)
    assert [(each.kind, each.period, each.gain) for each in scenario.controllers] == [("power_cap", 5.0, 0.5)]
    assert len(scenario.criteria) == 3
    assert scenario.path == "try.yaml"
    assert list(scenario.inputs) == ["try.yaml", "assets/weather/phoenix-summer.yaml"]
    assert [change.time for change in scenario.changes] == sorted(change.time for change in scenario.changes)
    assert scenario.warnings == []


def test_every_change_points_at_a_unit_and_an_input(save: Save, small: str) -> None:
    scenario = read(save(small))
    for change in scenario.initial + scenario.changes:
        unit = scenario.plant.units[change.unit]
        assert hasattr(unit.machine().Inputs(), change.input)


def test_the_caller_has_the_last_word_on_seed_and_members(save: Save, small: str) -> None:
    scenario = read(save(small), members=8, seed=99)
    assert (scenario.run.members, scenario.run.seed) == (8, 99)
    assert {change.member for change in scenario.changes if change.verb == "draw"} <= set(range(8))


def test_a_member_that_is_not_run_is_a_fault(save: Save, small: str) -> None:
    with pytest.raises(BadInput, match="there is no member 1; only 0 is wanted"):
        read(save(small), members=1)


def test_faults_come_sorted_by_line_and_all_at_once(save: Save, head: str) -> None:
    text = head.replace("30 min", "30").replace("1 MW", "1").replace("20 %", "20") + "evnets: []\n"
    with pytest.raises(BadInput) as told:
        read(save(text))
    assert [fault.where.line for fault in told.value.faults if fault.where] == [4, 6, 7, 8]
    assert check("try.yaml") == told.value.faults


def test_no_more_faults_than_people_can_read(faults: Callable[..., list[str]], head: str) -> None:
    began = time.process_time()
    told = faults(head + "events:\n" + "  - {at: 60 s, fail: nobody-at-all}\n" * 5000)
    assert len(told) == 502, "the first 501 and a sentence"
    assert time.process_time() - began < 10.0


def test_a_warning_is_no_fault(save: Save, head: str) -> None:
    text = head + "events:\n  - {at: 60 s, fail: pdu-1}\n  - {at: 60 s, restore: pdu-1}\n"
    assert [fault.warning for fault in check(save(text))] == [True]
    assert len(read("try.yaml").warnings) == 1


def test_a_scenario_of_a_room_is_read_quickly(save: Save, small: str) -> None:
    name = save(small)
    read(name)
    began = time.process_time()
    read(name)
    assert time.process_time() - began < 1.0


SHIPPED = sorted(assets.scenarios_folder().rglob("*.yaml")) if assets.scenarios_folder().is_dir() else []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_documents_have_no_fault(path: Path) -> None:
    assert [str(fault) for fault in check(path) if not fault.warning] == []


def test_a_plant_is_no_scenario(save: Save) -> None:
    with pytest.raises(BadInput) as told:
        read(save("units: {u: {kind: utility, rated_power: 1 MW}}\n", "hall.yaml"))
    sentence = 'hall.yaml:1: this is a plant by itself; a scenario is wanted, which names it, e.g. "plant: hall"'
    assert str(told.value) == sentence


def test_a_catalogue_record_can_be_checked(faults: Callable[..., list[str]]) -> None:
    record = "name: try\nkind: bus\ntitle: A board\nlicence: mine\nquantities: {rated_power: {value: 1 MW}}\n"
    text = 'try.yaml:5: quantities.rated_power: a bus has no such quantity; "nominal_voltage" is wanted'
    assert faults(record) == [text]


def test_a_file_of_another_sort_is_told_so(faults: Callable[..., list[str]]) -> None:
    assert faults("colour: blue\n")[-1].endswith(
        "this is neither; a scenario (plant, run, weather, ...) or a plant (units, coolant, ...) is wanted"
    )


def test_a_file_with_more_faults_than_are_gathered_says_that_reading_stopped(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text("units:\n" + "".join(f"  u{i}: {{kind: nothing-{i}}}\n" for i in range(700)), encoding="utf-8")
    told = [str(fault) for fault in check(file)]
    assert len(told) == 502
    assert told[-1] == "more than 500 faults were found, and reading stopped; mend the first ones and check again"


def test_a_job_or_a_maintenance_after_the_end_is_a_doubt(save: Save, small: str) -> None:
    jobs = "workload: {jobs: {late: {racks: 1, work: 10, step_time: 4 s, arrives: 10 h}}}\n"
    plan = "scheduler: {racks: rack-01, maintenance: [{racks: rack-01, at: 9 h, for: 1 h}]}\n"
    kept = [line for line in _sections(small) if not line.startswith(("workload:", "events:", "criteria:"))]
    path = save("".join(kept) + jobs + plan)
    told = [str(fault) for fault in check(path) if "end of the run" in str(fault)]
    end = "lies at or after the end of the run (30 min)"
    assert [line[line.index(chr(34)) :] for line in told] == [
        f'"10 h" {end}: late never arrives',
        f'"9 h" {end}: this maintenance never begins',
    ]


def _sections(text: str) -> list[str]:
    """A document's sections, each with all its lines."""
    found: list[str] = []
    for line in text.splitlines(keepends=True):
        if line[:1].strip() and not line.startswith("#"):
            found.append(line)
        elif found:
            found[-1] += line
    return found
