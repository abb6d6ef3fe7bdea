"""Causes where several things happen at one moment: who called whom, which failure opened the leak, who reset what."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import chain, pressurised, water_cooled
from twin.plant import Plant
from twin.report.causes import Causes
from twin.report.extremes import of_alive
from twin.report.known import GAIN, INPUT, LOSS, SETTING, Row
from twin.report.story import asked
from twin.report.timeline import _telling
from twin.report.verdict import closest
from twin.scenario import read
from twin.trace import Event


def led(plant: Plant, *rows: tuple[float, str, str, float, str, int]) -> list[int | None]:
    """The row that led to each: (time, unit, flag, value, medium, sense)."""
    causes = Causes(plant)
    return [
        causes.of(index, Row(Event(time, 0, unit, flag, value), flag, "", via, sense))
        for index, (time, unit, flag, value, via, sense) in enumerate(rows)
    ]


def test_a_sequencer_calls_and_releases_for_one_reason_and_each_train_hears_its_own() -> None:
    found = led(
        water_cooled(),
        (10.0, "wc-1", f"{INPUT}in_service", 0.0, "", LOSS),
        (10.0, "wc-1", "stopped", 1.0, "power", LOSS),
        (11.0, "staging", "calls_2", 1.0, "signal", GAIN),
        (11.0, "staging", "calls_1", 0.0, "signal", LOSS),
        (13.0, "pump-2", "stopped", 0.0, "power", GAIN),
        (14.0, "pump-1", "stopped", 1.0, "power", LOSS),
    )
    assert found == [None, 0, 1, 1, 2, 3]


def test_the_failure_that_is_named_alike_opened_the_leak_and_the_leak_the_make_up() -> None:
    found = led(
        pressurised(),
        (5.0, "joint-1", f"{INPUT}leak", 1.0, "", LOSS),
        (5.0, "joint-1", f"{INPUT}sensor_failed", 1.0, "", LOSS),
        (5.0, "joint-1", "leaking", 1.0, "self", LOSS),
        (9.0, "vessel-technology", "making_up", 1.0, "coolant", LOSS),
    )
    assert found == [None, None, 0, 2]


def test_a_lockout_is_released_by_its_own_reset() -> None:
    told, sense = asked("tie", "reset", 1.0)
    assert (told, sense) == ("is told to reset (set)", GAIN)
    found = led(
        chain(),
        (1.0, "pump", "tripped", 1.0, "power", LOSS),
        (5.0, "board", "dead", 0.0, "power", GAIN),
        (9.0, "pump", f"{INPUT}reset", 1.0, "", sense),
        (9.1, "pump", "tripped", 0.0, "power", GAIN),
    )
    assert found[-1] == 2


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1.0, ("fails: share of its hole that leaks (fail)", LOSS)),
        (0.3, ("gets leak 30 % (set)", LOSS)),
        (0.0, ("is mended: share of its hole that leaks (restore)", GAIN)),
    ],
)
def test_a_part_of_a_failure_is_told_with_its_value(value: float, told: tuple[str, int]) -> None:
    assert asked("quick_disconnect", "leak", value) == told
    assert SETTING not in told


VALVES = """
title: A pod with valves
plant:
  title: A pod with valves
  variant_of: pod
  units:
    valve-1..4: {kind: valve, flow_coefficient: 120 m^3/h}
  coolant:
    facility:
      plant: [[pump-1..2, valve-1..2, chiller-1..2]]
      loads: [[valve-3..4, cdu-1..2.facility], fan-wall-1..2]
run: {duration: 1 s, tick: 1 s}
weather: {dry_bulb: 20 degC, relative_humidity: 50 %}
"""
OPENING, SERVICE = f"{INPUT}opening", f"{INPUT}in_service"


@pytest.fixture(scope="module")
def valves(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    path = tmp_path_factory.mktemp("valves") / "valves.yaml"
    path.write_text(VALVES)
    return read(path).plant


def wide(plant: Plant, *rows: tuple[float, str, str, float, str, int]) -> int | None:
    """The row that led to a CDU whose facility valve is wide open at 40 s, after its chillers were lost at 10."""
    chillers = [(10.0 + n, f"chiller-{n}", SERVICE, 0.0, "", LOSS) for n in (1, 2)]
    after = (40.0, "cdu-1", "valve_open", 1.0, "coolant", LOSS)
    return led(plant, *sorted([*rows, *chillers]), after)[-1]


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ([], 1),
        ([(20.0, "valve-1", "shut", 1.0, "self", LOSS)], 1),
        ([(20.0, "valve-1", "shut", 1.0, "self", LOSS), (20.0, "pump-2", "stopped", 1.0, "power", LOSS)], 3),
        ([(5.0, "valve-1", OPENING, 0.0, "", LOSS), (5.0, "valve-2", OPENING, 0.0, "", LOSS)], 0),
        ([(5.0, "valve-3", "shut", 1.0, "self", LOSS)], 0),
        ([(5.0, "valve-4", "shut", 1.0, "self", LOSS)], 2),
        ([(8.0, "pump-1", SERVICE, 0.0, "", LOSS), (8.0, "pump-2", SERVICE, 0.0, "", LOSS)], 0),
        ([(8.0, "pump-1", SERVICE, 0.0, "", LOSS), (9.0, "pump-1", SERVICE, 1.0, "", GAIN)], 3),
    ],
    ids=[
        "chillers alone", "one of two valves", "a valve and the other pump", "valves on their way", "its own valve",
        "its neighbour's valve", "pumps that coast", "a pump that is back",
    ],
)  # fmt: skip
def test_what_stands_in_the_way_of_water_goes_before_what_cools_it(
    valves: Plant, rows: list[tuple[float, str, str, float, str, int]], row: int
) -> None:
    assert wide(valves, *rows) == row


def test_a_pump_is_deadheaded_by_the_valve_beside_it(valves: Plant) -> None:
    found = led(
        valves,
        (5.0, "valve-1", "shut", 1.0, "self", LOSS),
        (6.0, "valve-2", OPENING, 0.5, "", SETTING),
        (9.0, "pump-1", "deadheaded", 1.0, "coolant", LOSS),
    )
    assert found == [None, None, 0]
    assert asked("valve", "opening", 0.0)[1] == LOSS
    assert asked("valve", "opening", 0.3)[1] == SETTING


def test_nothing_is_put_back_in_service_that_never_left_it() -> None:
    back = f"{INPUT}in_service"
    events = [
        Event(1.0, 0, "board-1", f"{INPUT}short_circuit", 1.0),
        Event(2.0, 0, "board-1", f"{INPUT}short_circuit", 0.0),
        Event(2.0, 0, "board-1", back, 1.0),
        Event(3.0, 0, "pump-1", back, 0.0),
        Event(4.0, 0, "pump-1", back, 1.0),
        Event(5.0, 0, "pump-1", back, 1.0),
    ]
    assert [event.time for event in _telling(events)] == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_bus_that_was_dead_at_the_start_is_no_lowest_voltage() -> None:
    values = np.array([[[1.0, 0.0]], [[0.9, 0.5]], [[1.0, 0.0]]])
    assert closest(of_alive(values), highest=False) == [(0.9, 1, 0)]
    assert closest(of_alive(values[:, :, 1:]), highest=False) == [None]
