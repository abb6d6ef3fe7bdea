"""Loops that a scenario closes: told when it is read where that is sure, else by the run, with the event's line."""

from __future__ import annotations

import pytest

from twin.cli import main
from twin.ledger import ClosedLoop
from twin.scenario import Change, check, read
from twin.simulation import simulate

PLANT = """\
title: Two boards
plant:
  units:
    utility-a: {kind: utility, rated_power: 4 MW}
    utility-b: {kind: utility, rated_power: 4 MW}
    board-1: {kind: bus, feeds: utility-a}
    board-2: {kind: bus, feeds: utility-b}
    tie-12: {kind: tie, joins: [board-1, board-2], rated_power: 3 MVA}
    load-1..2: {kind: load, feeds: board-1..2, rated_power: 400 kW}
run: {duration: 60 s, tick: 100 ms}
weather: {dry_bulb: 35 degC, relative_humidity: 20 %}
events:
"""


def drill(tmp_path, *events, plant=PLANT, extra=""):
    path = tmp_path / "drill.yaml"
    path.write_text(plant.replace("events:\n", extra + "events:\n") + "".join(f"  - {{{event}}}\n" for event in events))
    return path


def test_switching_in_turn_closes_no_loop(tmp_path):
    path = drill(
        tmp_path, "at: 5 s, set: utility-a.in_service, to: 0", "at: 6 s, set: tie-12.closed, to: 1",
        "at: 30 s, set: tie-12.closed, to: 0", "at: 31 s, restore: utility-a",
    )  # fmt: skip
    assert check(path) == []


def test_after_a_failure_it_is_a_doubt_and_the_run_ends_like_bad_input(tmp_path, capsys, monkeypatch):
    """Protection might have opened something: the reader warns, the run decides and names the line."""
    path = drill(
        tmp_path, "at: 5 s, fail: utility-a", "at: 6 s, set: tie-12.closed, to: 1", "at: 30 s, restore: utility-a"
    )
    (doubt,) = check(path)
    assert doubt.warning
    assert doubt.where.line == 15
    assert "restore utility-a at 30 s" in doubt.text
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", "drill.yaml", "--quiet"])
    assert ended.value.code == 65
    said = [line for line in capsys.readouterr().err.splitlines() if "loop" in line and "warning" not in line]
    assert said == [
        "drill.yaml:15: events[3].restore: restore utility-a at 30 s: a loop is closed: board-1 - tie-12 - board-2; "
        "power there has two ways in tick 301 (30 s)"
    ]


def test_from_python_the_event_is_named_too(tmp_path):
    scenario = read(drill(tmp_path, "at: 5 s, fail: utility-a", "at: 6 s, set: tie-12.closed, to: 1"))
    scenario.changes.append(Change(20.0, "utility-a", "in_service", 1.0))
    with pytest.raises(ClosedLoop, match=r"^set utility-a at 20 s: a loop is closed: .* in tick 201 \(20 s\)$"):
        simulate(scenario, trace=tmp_path / "drill.h5", device="cpu")


def test_each_member_is_asked_by_itself(tmp_path):
    plant = PLANT.replace("tick: 100 ms", "tick: 100 ms, members: 3")
    path = drill(
        tmp_path, "at: 5 s, set: utility-a.in_service, to: 0, member: 0",
        "at: 6 s, set: tie-12.closed, to: 1, member: 0",
        "at: 6 s, set: tie-12.closed, to: 1, member: 2", plant=plant,
    )  # fmt: skip
    (fault,) = check(path)
    assert (fault.where.line, fault.warning) == (15, False)


def test_a_tie_in_hand_does_what_it_is_told(tmp_path):
    plant = PLANT.replace("rated_power: 3 MVA", "rated_power: 3 MVA, auto_throw: 1")
    events = ("at: 4 s, set: utility-a.in_service, to: 0", "at: 6 s, set: tie-12.closed, to: 1")
    assert [fault.where.line for fault in check(drill(tmp_path, *events, plant=plant))] == [14]
    assert check(drill(tmp_path, *events, plant=plant, extra="initial: {tie-12.mode: hand}\n")) == []
