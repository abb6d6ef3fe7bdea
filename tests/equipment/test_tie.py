"""Tie: its lockout keeps it from throwing onto a fault, and lets it throw where only the feed was lost."""

from __future__ import annotations

import dataclasses

import pytest

from tests.networks.test_short_circuit import GRID, TX, World
from tests.small_plants import add
from twin.assets import drills_folder
from twin.ledger import LIMIT
from twin.plant import Plant
from twin.report.story import Story
from twin.report.timeline import timeline
from twin.scenario import Change, read
from twin.simulation import simulate
from twin.trace import open_trace

MAIN = {"rated_power": 2e6, "curve": 4, "short_time_pickup": 4, "short_time_delay": 0.2, "opening_time": 0.05}
FEEDER = {"rated_power": 1e6, "instantaneous_pickup": 8, "instantaneous_delay": 0.01, "opening_time": 0.03}


def pair(load=0.3e6, main=MAIN, **tie):
    """Two boards, each behind a grid, a transformer and a main, with a tie that throws over."""
    plant = Plant()
    for side in "ab":
        add(plant, f"grid-{side}", "utility", **GRID)
        add(plant, f"tx-{side}", "transformer", (f"grid-{side}",), **TX)
        add(plant, f"main-{side}", "breaker", (f"tx-{side}",), **main)
        add(plant, f"board-{side}", "bus", (f"main-{side}",))
        add(plant, f"feeder-{side}", "breaker", (f"board-{side}",), **FEEDER)
        add(plant, f"pdu-{side}", "pdu", (f"feeder-{side}",), rated_power=1e6)
        add(plant, f"load-{side}", "load", (f"pdu-{side}",), rated_power=load, power_factor=1.0)
    said = {"auto_throw": 1, "sense_delay": 0.5, "transfer_time": 0.15, "retransfer_delay": 5.0}
    add(plant, "tie", "tie", rated_power=2e6, **said | tie)
    plant.join("tie", ["board-a", "board-b"])
    return plant


def run(world, seconds, dt=0.005):
    world.tick(dt, round(seconds / dt))
    assert world.worst <= LIMIT


def test_it_does_not_throw_onto_a_board_that_died_of_a_short_circuit():
    world = World(pair())
    world.set("board-a", short_circuit=1)
    run(world, 2.0)
    assert world.row("main-a", "tripped_short_time_at") == pytest.approx(0.25)
    assert (world.row("tie", "locked_out"), world.row("tie", "thrown")) == (1, 0)
    assert world.row("tie", "locked_out_at") == pytest.approx(0.255)
    assert world.row("main-b", "tripped_short_time") == 0
    assert abs(world.voltage("board-b")) > 0.99
    assert world.voltage("board-a") == 0


def test_without_the_lockout_the_second_main_trips_too():
    world = World(pair(lockout=0))
    world.set("board-a", short_circuit=1)
    run(world, 2.0)
    assert (world.row("tie", "locked_out"), world.row("tie", "thrown")) == (0, 1)
    assert world.row("main-b", "tripped_short_time_at") == pytest.approx(0.5 + 0.15 + 0.25, abs=0.011)
    assert world.voltage("board-b") == 0


def test_the_lockout_waits_for_its_reset_and_for_that_of_the_main():
    world = World(pair())
    world.set("board-a", short_circuit=1)
    run(world, 1.0)
    world.set("board-a", short_circuit=0)
    run(world, 1.0)
    assert world.row("tie", "locked_out") == 1, "mended, but nobody has said so"
    world.set("tie", reset=1)
    run(world, 0.1)
    assert world.row("tie", "locked_out") == 1, "its main still stands tripped"
    world.set("tie", reset=0)
    world.set("main-a", reset=1)
    run(world, 0.1)
    assert abs(world.voltage("board-a")) > 0.99
    world.set("tie", reset=1)
    run(world, 0.1)
    assert world.row("tie", "locked_out") == 0
    world.set("grid-a", in_service=0)
    run(world, 1.0)
    assert world.row("tie", "thrown") == 1, "and works again"
    assert abs(world.voltage("board-a")) > 0.99


def test_a_fault_that_a_feeder_clears_locks_nothing():
    world = World(pair())
    world.set("pdu-a", short_circuit=1)
    run(world, 0.5)
    assert world.row("feeder-a", "tripped_instantaneous") == 1
    assert (world.row("tie", "locked_out"), world.row("tie", "one_fault")) == (0, 0)
    world.set("grid-a", in_service=0)
    run(world, 1.0)
    assert world.row("tie", "thrown") == 1
    assert abs(world.voltage("board-a")) > 0.99


def test_a_fault_before_the_board_locks_nothing():
    """At the transformer's terminals no current flows through the board: the throw is what the tie is for."""
    world = World(pair())
    world.set("tx-a", short_circuit=1)
    run(world, 1.0)
    assert (world.row("tie", "locked_out"), world.row("tie", "thrown")) == (0, 1)
    assert abs(world.voltage("board-a")) > 0.99


def test_a_main_that_opened_on_overload_locks_it_out():
    """Relays that had been blind see 1.8 of rating; side b would have to carry both."""
    plant = pair(load=0.9e6, main={"rated_power": 5e5, "overload_limit": 1.5, "thermal_time_constant": 20.0})
    for side in "ab":
        plant.units[f"main-{side}"].settings["protection_failed"] = 1.0
    world = World(plant)
    assert abs(world.voltage("board-a")) > 0.9
    world.set("main-a", protection_failed=0)
    run(world, 3.0, dt=0.1)
    assert world.row("main-a", "tripped") == 1
    assert (world.row("tie", "locked_out"), world.row("tie", "thrown")) == (1, 0)
    assert abs(world.voltage("board-b")) > 0.9


def test_a_fault_that_nobody_clears_locks_it_when_it_would_throw():
    world = World(pair(main={"rated_power": 2e6, "curve": 4, "overload_limit": 9.0, "long_time_delay": 500}))
    world.set("board-a", short_circuit=1)
    run(world, 1.0)
    assert world.row("main-a", "tripped") == 0
    assert (world.row("tie", "locked_out"), world.row("tie", "thrown")) == (1, 0)
    assert world.row("tie", "locked_out_at") == pytest.approx(0.5, abs=0.006)


def test_thrown_over_it_opens_when_the_other_main_trips_and_does_not_throw_back_onto_the_fault():
    world = World(pair(retransfer_delay=300))
    world.set("grid-a", in_service=0)
    run(world, 1.0)
    world.set("grid-a", in_service=1)
    run(world, 0.1)
    world.set("board-a", short_circuit=1)
    run(world, 2.0)
    assert world.row("main-b", "tripped_short_time") == 1
    assert (world.row("tie", "locked_out"), world.row("tie", "position")) == (1, 0)
    assert world.voltage("board-a") == 0, "its own main stays interlocked"
    world.set("main-b", reset=1)
    run(world, 0.1)
    assert abs(world.voltage("board-b")) > 0.99


@pytest.mark.parametrize("dt", [0.5, 0.05, 0.01])
def test_the_lockout_holds_at_any_tick(dt):
    world = World(pair())
    world.set("board-a", short_circuit=1)
    run(world, 3.0, dt)
    assert (world.row("tie", "locked_out"), world.row("tie", "thrown")) == (1, 0)
    assert abs(world.voltage("board-b")) > 0.99


def test_members_lock_out_one_by_one():
    world = World(pair(), members=3)
    world.set("board-a", short_circuit=[1, 0, 0])
    world.set("grid-a", in_service=[1, 0, 1])
    run(world, 2.0)
    row = world.now.rows["tie"]
    assert row.locked_out[:, 0].tolist() == [1, 0, 0]
    assert row.thrown[:, 0].tolist() == [0, 1, 0]


@pytest.mark.parametrize(("lockout", "dark"), [(1.0, False), (0.0, True)])
def test_the_drill_shows_what_the_lockout_is_for(tmp_path, lockout, dark):
    drill = read(drills_folder() / "bus-fault-lockout.yaml")
    drill.plant.units["tie-12"].parameters["lockout"] = lockout
    drill = dataclasses.replace(drill, run=dataclasses.replace(drill.run, duration=14.0), changes=drill.changes[:2])
    simulate(drill, trace=tmp_path / "drill.h5", device="cpu")
    trace = open_trace(tmp_path / "drill.h5")
    rises = {(event.unit, event.flag): event.time for event in trace.events if event.value >= 0.5}
    assert (("main-2", "tripped_short_time") in rises) is dark
    assert (("tie-12", "locked_out") in rises) is not dark
    if not dark:
        assert rises["main-1", "tripped_short_time"] < rises["tie-12", "locked_out"]
        lines = timeline(Story(trace))
        (line,) = [each for each in lines if each.what == "is locked out"]
        assert lines[line.cause].unit == "main-1"


def test_seconds_count_from_the_short_circuit_though_something_had_failed_before(tmp_path):
    drill = read(drills_folder() / "bus-fault-lockout.yaml")
    before = Change(2.0, "tie-12", "stuck", 1.0, verb="fail")
    drill = dataclasses.replace(
        drill, run=dataclasses.replace(drill.run, duration=12.0), changes=[before, *drill.changes[:2]]
    )
    simulate(drill, trace=tmp_path / "drill.h5", device="cpu")
    (fault,) = Story(open_trace(tmp_path / "drill.h5")).faults
    assert (fault.unit, fault.time) == ("board-1", 10.0)


def test_a_throw_and_its_return_are_told_with_what_led_to_them(tmp_path):
    drill = read(drills_folder() / "main-tie-main.yaml")
    simulate(drill, trace=tmp_path / "drill.h5", device="cpu")
    lines = timeline(Story(open_trace(tmp_path / "drill.h5")))
    led = {(line.unit, line.what): lines[line.cause] for line in lines if line.cause is not None}
    assert led["tie-ab", "throws a board over to the other main"].what == "is dead"
    assert led["tie-ab", "throws it back"].unit == "transformer-a"
    back = [line for line in lines if line.unit == "board-a" and line.what == "is alive again"]
    assert [lines[line.cause].unit for line in back] == ["tie-ab", "tie-ab"]
