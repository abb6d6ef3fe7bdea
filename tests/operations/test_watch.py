"""One alarm in its device: the moment it is raised, by hand and against a second implementation."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pretend_cupy import library
from tests.small_plants import pod
from twin import model as compiled
from twin.arrays import open_device
from twin.declare import replace
from twin.equipment import KINDS
from twin.operations import Watch
from twin.operations.watch import shown
from twin.scenario.conditions import Condition
from twin.scenario.operations import Alarm

MODEL = compiled.compile(pod(2))
ASKED = compiled.inputs(MODEL)
START = compiled.state(MODEL, ASKED)
LIMIT = 0.5


def alarm(delay: float = 0.0, deadband: float = 0.0, polling: float = 5.0, text: str = "pdu.heating > 0.5") -> Alarm:
    kind, _, name = text.split()[0].partition(".")
    units = tuple(name for name, unit in MODEL.plant.units.items() if unit.kind == kind)
    operator, limit = (text.split()[1], float(text.split()[2])) if " " in text else (">", 0.5)
    return Alarm("high", Condition(text, kind, units, name, operator, limit), delay, deadband, "high", polling, "site")


def key() -> str:
    return next(t.key for t in MODEL.tables if t.kind == "pdu")


def rows(values: float | list[float]):
    shape = START.rows[key()].heating.shape
    return START.rows | {key(): replace(START.rows[key()], heating=np.zeros(shape) + values)}


def played(watch: Watch, signal: list[float], tick: float = 1.0) -> list[tuple[float, bool, float]]:
    """What each poll tells, (moment, raised, since), of a reading that goes steadily from value to value."""
    found = []
    end, polling = 0.0, watch.alarm.polling
    due = polling
    for value in signal[1:]:
        watch.tick(end, end + tick, rows(value), ASKED, START.outputs)
        end += tick
        while due <= end + 1e-9:
            found += [(due, each.raised, each.since) for each in watch.poll(due)]
            due += polling
    return found


def watching(said: Alarm, first: float = 0.0) -> Watch:
    return Watch(said, MODEL, rows(first), ASKED, START.outputs)


def test_the_limit_is_crossed_within_a_tick_and_the_poll_comes_after():
    # 0.3 at 10 s, 0.7 at 11 s: beyond 0.5 at 10.5 s, active 3 s later, seen at 15; below 0.5 at 20.5, seen at 25
    signal = [0.3] * 11 + [0.7] * 10 + [0.3] * 10
    assert played(watching(alarm(delay=3.0)), signal) == [
        (15.0, True, pytest.approx(10.5)),
        (25.0, False, pytest.approx(20.5)),
    ]


def test_the_deadband_keeps_it_standing():
    # falls from 0.7 to 0.45 and only later to 0.35: with a deadband of 0.1 it clears below 0.4, at 30.5 s
    signal = [0.3] * 11 + [0.7] * 10 + [0.45] * 10 + [0.35] * 10
    told = played(watching(alarm(deadband=0.1)), signal)
    assert told == [(15.0, True, pytest.approx(10.5)), (35.0, False, pytest.approx(30.5))]


def test_what_falls_is_watched_the_other_way_round():
    signal = [0.7] * 11 + [0.3] * 10 + [0.55] * 10 + [0.65] * 10
    told = played(watching(alarm(deadband=0.1, text="pdu.heating < 0.5"), 0.7), signal)
    assert told == [(15.0, True, pytest.approx(10.5)), (35.0, False, pytest.approx(30.5))]


def test_what_stands_at_the_start_is_raised_by_the_first_poll_after_the_delay():
    assert played(watching(alarm(delay=7.0), 0.9), [0.9] * 20) == [(10.0, True, 0.0)]


def test_the_unit_that_was_first_is_named_and_each_has_its_own_delay():
    watch = watching(alarm(delay=3.0))
    ticks = [[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]]
    for number, values in enumerate(ticks):
        watch.tick(float(number), number + 1.0, rows(values), ASKED, START.outputs)
    (told,) = watch.poll(6.0)  # two seconds each would not do together
    assert told.unit == "pdu-1"
    assert told.since == pytest.approx(2.5)


def oracle(signal: list[float], delay: float, polling: float) -> float | None:
    """The poll at which it is first raised, by walking along the broken line."""
    since = 0.0 if signal[0] > LIMIT else None
    for number in range(len(signal) - 1):
        a, b = signal[number], signal[number + 1]
        cross = number + (LIMIT - a) / (b - a) if (a > LIMIT) != (b > LIMIT) else None
        if since is not None:
            over = cross if cross is not None else number + 1
            if over - since >= delay - 1e-9:
                poll = np.ceil((since + delay) / polling - 1e-9) * polling
                return float(max(poll, np.ceil(number / polling - 1e-9) * polling if number else polling, polling))
        if cross is not None:
            since = cross if b > LIMIT else None
    return None


@settings(max_examples=150, deadline=None)
@given(
    signal=st.lists(
        st.floats(0.0, 1.0).map(lambda v: round(v, 2)).filter(lambda v: v != LIMIT), min_size=2, max_size=25
    ),
    delay=st.sampled_from([0.0, 0.7, 2.0, 5.0]),
    polling=st.sampled_from([1.0, 3.0]),
)
def test_an_alarm_is_raised_if_and_only_if_its_condition_held_for_its_delay(signal, delay, polling):
    signal = [*signal, *[signal[-1]] * 4]
    told = played(watching(alarm(delay, polling=polling), signal[0]), signal)
    raised = [when for when, up, _ in told if up]
    wanted = oracle(signal, delay, polling)
    last = (len(signal) - 1) // polling * polling
    if wanted is None or wanted > last:
        assert raised == []
    else:
        assert raised[:1] == [wanted]


def test_a_biased_and_a_frozen_sensor_hide_what_is_so():
    t = next(t for t in MODEL.tables if t.kind == "cdu")
    s = replace(START.rows[t.key], supply_temperature=np.full((1, t.size), 320.0))
    s = replace(s, measured_temperature=np.full((1, t.size), 312.0), leaking=np.ones((1, t.size)))
    seen = START.rows | {t.key: s}
    assert (shown(t, "supply_temperature", seen, ASKED, START.outputs) == 312.0).all()
    assert (shown(t, "leaking", seen, ASKED, START.outputs) == 1.0).all()
    blind = ASKED | {t.key: replace(ASKED[t.key], sensor_failed=np.ones((1, t.size)))}
    assert (shown(t, "leaking", seen, blind, START.outputs) == 0.0).all()
    assert (shown(t, "supply_setpoint", seen, ASKED, START.outputs) == ASKED[t.key].supply_setpoint).all()


@pytest.mark.parametrize("text", ["pdu.heating > 0.5", "pdu.dead", "pdu.load_fraction > 0.5"])
def test_an_alarm_on_a_device_tells_what_it_tells_on_the_cpu(monkeypatch, text):
    monkeypatch.setitem(sys.modules, "cupy", library())
    device = compiled.compile(pod(2), open_device("gpu"))
    told = []
    for model in (MODEL, device):
        xp, asked = model.xp, compiled.inputs(model)
        start = compiled.state(model, asked)

        def seen(value, xp=xp, start=start):
            row, out = start.rows[key()], start.outputs[key()]
            on = xp.zeros(row.heating.shape) + value
            row = replace(row, heating=on, dead=1.0 * (on > 0.5), dead_at=10.0 + 0.0 * on)
            return start.rows | {key(): row}, start.outputs | {key(): replace(out, load_fraction=on)}

        watch = Watch(alarm(2.0, text=text), model, *((first := seen(0.2))[0], asked, first[1]))
        for tick in range(30):
            rows, outputs = seen(0.2 if tick < 10 or tick >= 20 else 0.9)
            watch.tick(float(tick), tick + 1.0, rows, asked, outputs)
        told.append([watch.poll(moment) for moment in (5.0, 15.0, 30.0)])
    assert told[0] == told[1]
    assert [len(each) for each in told[0]] == [0, 1, 1]


def test_the_docs_name_every_reading_whose_sensor_can_be_wrong() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.split("| reading | what the sensor does to it |")[1].split("\n\n")[0]
    named = {each for line in table.splitlines()[2:] for each in re.findall(r"`(\w+\.\w+)`", line.split("|")[1])}
    assert named == {f"{kind}.{name}" for kind, made in KINDS.items() for name in getattr(made, "sensed", {})}
