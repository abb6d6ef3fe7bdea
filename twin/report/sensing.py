"""Sensing: what was wrong with the sensors that alarms and people read, and which alarms it misled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from twin.report.known import SAME_MOMENT
from twin.report.words import say, words
from twin.scenario.conditions import Condition
from twin.scenario.operations import ALARM, CLEAR, FALSE, MISSED, Operations
from twin.scenario.sensors import BIAS, FAILED, FROZEN, WRONG, fault_of, is_reading, own
from twin.scenario.values import is_difference

if TYPE_CHECKING:
    from twin.trace import Event

Setting = Callable[[str, str, str, int, float], float | None]
"""Kind, unit, Input, member and moment [s] -> what it was."""


def asked_of_sensor(kind: str, name: str, value: float, over: str) -> tuple[str, int]:
    """What an event on a sensor that only alarms and people read means, in words, and its sense.

    Args:
        kind: kind of the unit.
        name: quantity and fault: "die_temperature.sensor_bias".
        value: what it becomes.
        over: in what time, in words, where it is a ramp.
    """
    quantity, _, wrong = name.rpartition(".")
    its = f"its sensor of {words(quantity)}"
    if wrong == BIAS:
        told = f"{its} {biased(kind, quantity, value)}{over}"
        return f"{told} ({'ramp' if over else 'set'})", 1 if value else -1
    fails, mended = (
        ("stays at its last reading", "moves again") if wrong == FROZEN else ("gives no signal", "gives one again")
    )
    return (f"fails: {its} {fails} (fail)", 1) if value >= 0.5 else (f"is mended: {its} {mended} (restore)", -1)


def biased(kind: str, quantity: str, value: float) -> str:
    """What a sensor does that reads too high by so much."""
    if not value:
        return "reads right"
    said = fault_of(kind, quantity, BIAS)
    return f"reads {say(abs(value), said.unit, difference=is_difference(said))} too {'high' if value > 0 else 'low'}"


@dataclass(frozen=True)
class Misled:
    """One time that an alarm was not what it would have been by sound sensors; moments are seconds of the run.

    silent: it did not stand though it would have; else it stood though it would not. since: when its condition began
    to hold, by the sound sensors or by its own; noticed: the poll from which it differs; until: the poll at which the
    alarm was raised or cleared after all.
    """

    name: str
    member: int
    unit: str
    silent: bool
    since: float
    noticed: float
    until: float | None
    sensor: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Sensing:
    """What the sensors of a run did, from what was written of them.

    Args:
        said: alarms and people.
        setting: what an Input was.
        moves: (unit, Input, moment to the millisecond) -> seconds that its change takes, where it is a ramp.
        events: what was asked, in order.
    """

    def __init__(
        self,
        said: Operations,
        setting: Setting,
        moves: dict[tuple[str, str, float], float],
        events: Iterable[Event],
    ) -> None:
        self.said, self.setting, self.moves = said, setting, moves
        self.wrote: dict[tuple[int, str, str], list[Event]] = {}
        for event in events:
            how, _, name = event.flag.partition(":")
            if how == "input" and name.rpartition(".")[2] in WRONG:
                self.wrote.setdefault((event.member, event.unit, name), []).append(event)

    def of(self, watch: Condition, unit: str, member: int, time: float) -> str:
        """What was wrong at a moment with a sensor that a condition is read by; empty where it was sound."""
        mine = own(watch.kind).get(watch.quantity, ())
        names = {each.rpartition(".")[2]: each for each in mine or (f"{watch.quantity}.{w}" for w in WRONG)}
        found = {w: self._value(watch.kind, unit, name, member, time) for w, name in names.items()}
        if found.get(FAILED):
            return "gives no signal"
        if found.get(FROZEN):
            return "stays at its last reading"
        return biased(watch.kind, watch.quantity, found[BIAS]) if found.get(BIAS) else ""

    def _value(self, kind: str, unit: str, name: str, member: int, time: float) -> float:
        """What was written of a sensor, a ramp as far as it had come."""
        written = [event for event in self.wrote.get((member, unit, name), ()) if event.time <= time]
        if not written:
            return 0.0 if is_reading(name) else self.setting(kind, unit, name, member, time) or 0.0
        last = written[-1]
        over = self.moves.get((unit, name, round(last.time, 3)))
        before = self._value(kind, unit, name, member, last.time - 1e-3) if over else 0.0
        share = min((time - last.time) / over, 1.0) if over else 1.0
        return before + share * (last.value - before)

    def has_changed(self, watch: Condition, event: Event) -> bool:
        """Whether something was written of a sensor of a condition when it began, or ceased, to hold as it is seen.

        Args:
            watch: the condition of an alarm.
            event: that it was raised or cleared; its value is the moment at which the reading passed the limit [s].
        """
        written = (each for (member, unit, name), rows in self.wrote.items() for each in rows
                   if member == event.member and watch.reads(unit, name))  # fmt: skip
        return any(abs(each.time - event.value) < SAME_MOMENT for each in written)

    def anywhere(self, watch: Condition, member: int, time: float) -> str:
        """The first unit of a condition whose sensor is wrong at a moment, and how; empty where all are sound."""
        if not watch.alarm and (self.wrote or own(watch.kind).get(watch.quantity)):
            for unit in watch.units:
                if told := self.of(watch, unit, member, time):
                    return f"{unit}'s sensor {told}"
        return ""

    def misled(self, deeds: list[Event]) -> list[Misled]:
        """All times that an alarm was misled, from what operations did, by time."""
        found = []
        for place, event in enumerate(deeds):
            if not event.flag.startswith((MISSED, FALSE)):
                continue
            silent, name = event.flag.startswith(MISSED), event.flag.partition(":")[2]
            alarm = self.said.alarms.get(name)
            if alarm is None:
                continue
            ends = f"{ALARM if silent else CLEAR}{name}"
            later = (each for each in deeds[place + 1 :] if each.flag == ends and each.member == event.member)
            until = next((each.time for each in later), None)
            sensor = self.of(alarm.watch, event.unit, event.member, event.time)
            found.append(Misled(name, event.member, event.unit, silent, event.value, event.time, until, sensor))
        return found
