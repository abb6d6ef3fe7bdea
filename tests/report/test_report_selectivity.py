"""Selectivity: who opened out of turn, in runs in which it is known."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tests.small_plants import add
from twin.plant import Plant
from twin.report import Findings
from twin.report.page import page
from twin.report.tables import whole
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import simulate
from twin.trace import open_trace

FEEDER = {"curve": 4, "instantaneous_pickup": 8, "instantaneous_delay": 0.01, "opening_time": 0.03}


def told(path, events=(), main=None, members=1, seconds=0.6, tick=0.005, load=0.3e6):
    """The findings of a run of grid, transformer, main breaker, board and two feeders."""
    plant = Plant()
    add(plant, "grid", "utility", rated_power=20e6, short_circuit_power=250e6)
    add(plant, "tx", "transformer", ("grid",), rated_power=2e6, impedance=0.06, no_load_loss=0, load_loss=16e3)
    said = {"curve": 4, "short_time_pickup": 4, "short_time_delay": 0.3, "opening_time": 0.05} | (main or {})
    add(plant, "main", "breaker", ("tx",), rated_power=2e6, **said)
    add(plant, "board", "bus", ("main",))
    for i in (1, 2):
        add(plant, f"feeder-{i}", "breaker", ("board",), rated_power=1e6, **FEEDER)
        add(plant, f"pdu-{i}", "pdu", (f"feeder-{i}",), rated_power=1e6)
        add(plant, f"load-{i}", "load", (f"pdu-{i}",), rated_power=load)
    changes = [Change(*event) for event in events]
    scenario = Scenario("selective", "", plant, RunSettings(seconds, tick, members=members), changes=changes, text="x")
    simulate(scenario, trace=path / "run.h5", device="cpu")
    return Findings(open_trace(path / "run.h5"))


SHORTED = (0.1, "pdu-1", "short_circuit", 1.0)


def test_the_lowest_breaker_opens_and_nothing_is_told(tmp_path):
    findings = told(tmp_path, [SHORTED])
    assert findings.selectivity == []
    assert findings.summary()["selectivity"] == []
    assert "out of turn" not in page(findings)


def test_a_stuck_breaker_is_backed_up(tmp_path):
    (turn,) = told(tmp_path, [(0.0, "feeder-1", "fails_to_open", 1.0), SHORTED]).selectivity
    assert (turn.unit, turn.instead_of, turn.backup) == ("main", "feeder-1", True)
    assert turn.text == (
        "main opened at 0.450 s in place of feeder-1 below it, whose contacts are stuck: backup protection"
    )


def test_blind_protection_is_backed_up(tmp_path):
    (turn,) = told(tmp_path, [(0.0, "feeder-1", "protection_failed", 1.0), SHORTED]).selectivity
    assert turn.backup
    assert "whose protection sees nothing" in turn.text


def test_a_main_that_is_set_too_fast_is_named(tmp_path):
    """It opens after 25 ms, before the feeder's 40."""
    fast = {"instantaneous_pickup": 6, "instantaneous_delay": 0.005, "opening_time": 0.02}
    findings = told(tmp_path, [SHORTED], main=fast)
    (turn,) = findings.selectivity
    assert turn.text == (
        "main opened at 0.125 s before feeder-1 below it, which carried the same short circuit: not selective"
    )
    shown = StringIO()
    Console(file=shown, width=160).print(whole(findings, 160))
    assert "Breakers that opened out of turn" in shown.getvalue()
    assert turn.text in page(findings)
    assert findings.summary()["selectivity"][0]["unit"] == "main"


def test_an_overload_that_the_upper_breaker_ends_first_is_named(tmp_path):
    """Both feeders carry 1.3 of their rating; the main, set to trip at 1.05 of 2 MVA in a second, opens first."""
    main = {"curve": 4, "overload_limit": 1.05, "long_time_delay": 0.5, "short_time_pickup": 0}
    doubled = [(1.0, f"load-{i}", "demand", 2.0) for i in (1, 2)]
    turns = told(tmp_path, doubled, main=main, seconds=30, tick=0.1, load=1.3e6 * 0.95 / 2).selectivity
    assert [(turn.unit, turn.instead_of) for turn in turns] == [("main", "feeder-2")]
    assert "an overload of its own" in turns[0].text


def test_members_are_judged_one_by_one(tmp_path):
    findings = told(tmp_path, [SHORTED, (0.0, "feeder-1", "fails_to_open", 1.0, None, 1)], members=2)
    assert [turn.member for turn in findings.selectivity] == [1]


def test_a_trip_before_the_short_circuit_is_not_out_of_turn(tmp_path):
    findings = told(tmp_path, [(0.05, "feeder-1", "closed", 0.0), SHORTED])
    assert findings.selectivity == []


def test_what_a_short_circuit_does_is_put_down_to_it(tmp_path):
    entries = told(tmp_path, [SHORTED]).entries
    struck = next(i for i, entry in enumerate(entries) if "is short-circuited" in entry.what)
    for unit, what in (("board", "is dead"), ("feeder-1", "trips on its instantaneous element")):
        (line,) = [entry for entry in entries if (entry.unit, entry.what) == (unit, what)]
        assert line.cause == struck, unit
    assert pytest.approx(0.14) == next(e.time for e in entries if e.unit == "feeder-1")
