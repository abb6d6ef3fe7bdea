"""Stages: racks that start, drain or wait say so, in pictures and diagrams, and are not called without power."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twin.diagram import moment_of, power
from twin.diagram.cooling import cooling
from twin.diagram.ink import DEAD, LOST, WAITING, Words
from twin.diagram.panels import runs
from twin.trace import open_trace
from twin.view import colours
from twin.view.colours import LOST as WRONG
from twin.view.colours import RUNNING
from twin.view.reading import ON_LOAD, Condition, key_figures, read_moment
from twin.view.stages import idle_with_others, stage_of, standing_with

RETURN = [
    (90.0, {"without power": 8}, colours.LOST),
    (125.0, {"in soft start": 1, "waiting for its turn": 7}, colours.WAITING),
    (300.0, {"booting": 7, "waiting for its turn": 1}, colours.WAITING),
    (700.0, {"checking its fabric": 5, "booting": 3}, colours.WAITING),
]


@pytest.mark.parametrize(("at", "said", "state"), RETURN)
def test_racks_on_their_way_back_say_where_they_are(drilled, at: float, said: dict[str, int], state: int) -> None:
    with open_trace(drilled("racks-return-in-turn")[0]) as trace:
        reading = read_moment(trace, at)
        how = reading.conditions()
        racks = [how[name] for name in trace.units("rack")]
        assert {word: [each.word for each in racks].count(word) for word in said} == said
        assert {each.state for each in racks} == {state}
        assert dict(key_figures(reading, how))["racks at work"] == "0 of 8"


def test_diagrams_draw_them_apart_with_a_sign_and_a_key(drilled) -> None:
    with open_trace(drilled("racks-return-in-turn")[0]) as trace:
        moment = moment_of(trace, 700.0)
        assert {moment.tone(rack) for rack in trace.units("rack")} == {WAITING}
        assert not runs(moment, "rack-01")
        for sheet, wanted in ((power(moment), "5 checking its"), (cooling(moment), "checking its fabric")):
            words = [mark for mark in sheet.marks if isinstance(mark, Words)]
            assert "starting, draining, waiting" in [mark.text for mark in words]
            assert WAITING in [mark.tone for mark in words if mark.text.startswith(wanted)]
        assert [mark.text for mark in cooling(moment).marks if isinstance(mark, Words)].count("booting") == 1
        assert {moment_of(trace, 90.0).tone(rack) for rack in trace.units("rack")} == {DEAD}


def test_racks_of_a_job_that_stands_wait_and_the_lost_one_is_lost(drilled) -> None:
    with open_trace(drilled("training-rack-lost")[0]) as trace:
        moment = moment_of(trace, 950.0)
        assert (moment.tone("rack-03"), moment.word("rack-03")) == (LOST, "out of service")
        assert (moment.tone("rack-01"), moment.word("rack-01")) == (WAITING, "its job has stopped")
        assert moment_of(trace, 1300.0).word("rack-01") == "its job restarts"
        assert moment_of(trace, 800.0).word("rack-01") == ""


def test_racks_of_a_pool_without_weights_say_so(drilled) -> None:
    with open_trace(drilled("weights-loaded-again")[0]) as trace:
        assert moment_of(trace, 200.0).word("rack-01") == "its pool has crashed"
        assert moment_of(trace, 600.0).word("rack-01") == "its pool reads weights"
        assert moment_of(trace, 600.0).word("rack-08") == ""


def test_the_words_of_every_stage_and_of_jobs_that_a_scheduler_has_placed() -> None:
    rows = {
        "off": ({"stage": 0.0, "unpowered": 1.0, "restart_clock": 0.0}, False, ""),
        "turn": ({"stage": 0.0, "unpowered": 1.0, "restart_clock": 0.0}, True, "waiting for its turn"),
        "drains": ({"stage": 5.0}, True, "draining"),
        "drained": ({"stage": 5.0, "drained": 1.0}, True, "drained"),
        "ready": ({"stage": 4.0}, True, ""),
    }
    for row, fed, said in rows.values():
        assert stage_of("rack", lambda _, name, row=row: row.get(name), fed) == said
    plant = SimpleNamespace(pools={}, scheduled={"one": ["r1", "r2"], "two": ["r1", "r2"]}, units={})
    now = {("r1", "job_number"): 2.0, ("r2", "job_number"): 0.0, ("two", "restarting"): 1.0, ("one", "stopped"): 1.0}
    assert list(idle_with_others(plant, lambda *key: now.get(key))) == [("r1", "its job restarts")]


def test_who_stands_because_its_replica_is_not_whole() -> None:
    """Of three replicas of two racks one has lost a rack, and one is cut off; others serve by single racks."""
    racks = [f"r{k}" for k in range(1, 7)]
    pools = {"d": {"replica_racks": 2.0}, "p": {}}
    units = {name: SimpleNamespace(kind="pool", parameters=said) for name, said in pools.items()}
    plant = SimpleNamespace(pools={"d": racks, "p": ["s1", "s2"]}, units=units)
    now = {("r5", "bandwidth_share"): 0.0, ("r3", "bandwidth_share"): 0.5, ("s1", "bandwidth_share"): 0.0}
    found = list(standing_with(plant, lambda *key: now.get(key), lambda rack: rack not in ("r2", "s2")))
    assert found == [(rack, "its replica is not whole") for rack in ("r1", "r2", "r5", "r6")]


def test_a_store_before_a_dead_board_gives_nothing_yet(drilled) -> None:
    """The site is dark from 2:00; the store takes its board five seconds after it has looked at it, and starts it."""
    with open_trace(drilled("storage-black-start")[0]) as trace:
        dark = moment_of(trace, 125.0)
        assert (dark.is_live("bess-1"), dark.tone("bess-1"), dark.word("bess-1")) == (False, DEAD, "gives nothing yet")
        formed = next(event.time for event in trace.events if event.flag == "black_started")
        assert moment_of(trace, formed + 5.0).is_live("bess-1")
        assert moment_of(trace, 60.0).is_live("bess-1")


def test_a_chiller_on_its_way_back_is_not_called_stopped(drilled) -> None:
    """All nine trip at 5:00 and are reset at 6:30: no cooling for two minutes, then more of it until 11:30."""
    with open_trace(drilled("chiller-trip")[0]) as trace:
        said = {at: moment_of(trace, at).word("chiller-1") for at in (330.0, 420.0, 636.0, 720.0)}
        assert said == {330.0: "out of service", 420.0: "restarting", 636.0: "ramping up", 720.0: ""}
        assert [runs(moment_of(trace, at), "chiller-1") for at in (420.0, 636.0)] == [False, True]


def test_a_bus_of_standby_machines_is_dead_as_before_once_they_are_let_go(drilled) -> None:
    """Neither set fires at 1:00: their bus is dead and wanted. Before, while they stand by, nobody wants it."""
    with open_trace(drilled("black-building")[0]) as trace:
        assert moment_of(trace, 600.0).conditions["generator-bus"].word == "dead"
        assert "generator-bus" not in moment_of(trace, 30.0).conditions
        reading = moment_of(trace, 30.0).reading
        failed = Condition(WRONG, "failed to start")
        for word, waits in (("up to speed", True), (ON_LOAD, False)):
            said = {"generator-1": failed, "generator-2": Condition(RUNNING, word)}
            assert reading._waits("generator-bus", said) is waits
