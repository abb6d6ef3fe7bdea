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
