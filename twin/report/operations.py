"""What operations did: alarms raised and acknowledged, who was called and what they did, as a trace tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from twin.report.causes import Causes
from twin.report.known import SETTING, Row
from twin.report.raised import ALWAYS, Raised, first_outs
from twin.report.sensing import Misled, Sensing
from twin.report.words import MOMENT, lasting, pretty
from twin.scenario.conditions import Condition
from twin.scenario.durations import Duration
from twin.scenario.operations import (
    ALARM,
    ARRIVES,
    CALLED,
    CLEAR,
    DOES,
    ENDS,
    FALSE,
    GO_ON,
    MISSED,
    REACTS,
    STOP,
    STOPS,
    Alarm,
    Operations,
    Procedure,
    Repair,
    Step,
)

if TYPE_CHECKING:
    from twin.trace import Event

PEOPLE = "people"
"""Medium of what operations did."""
LAST = 1e6
STAGES = {CALLED: 0.0, REACTS: 1.0, ARRIVES: 2.0, STOPS: LAST, ENDS: LAST}
Key = tuple[str, int, str, float]
"""Procedure or repair, member, unit and occasion."""


def is_deed(event: Event) -> bool:
    """Whether an event tells what operations did."""
    return event.flag.startswith((ALARM, CLEAR, DOES, MISSED, FALSE))


class Log:
    """All that operations did in a run, read from its events; empty without any."""

    def __init__(self, deeds: Iterable[Event], said: Operations, sensors: Sensing) -> None:
        self.deeds, self.said, self.sensors = list(deeds), said, sensors
        self.stages = {event: self._stage(event) for event in self.deeds if event.flag.startswith(DOES)}
        self.moves: dict[tuple[str, str, float], float] = {}
        self.wrote: dict[tuple[int, str, str, float], tuple[Event, str]] = {}
        self.together: dict[tuple[int, float], list[Event]] = {}
        for event in self.stages:
            self._note(event)
            self.together.setdefault((event.member, event.time), []).append(event)
        self.rows_of: dict[Event, int] = {}
        self.last_of: dict[Key, int] = {}
        self.starting: dict[tuple[int, str], int] = {}
        self.broken: dict[tuple[int, str, str], int] = {}
        self.told: dict[tuple[int, str, str], list[tuple[float, float, int]]] = {}
        self.turned = {(e.member, e.time, e.flag) for e in self.deeds if e.flag.startswith((ALARM, CLEAR))}
        self.silent = {(e.member, e.time, e.flag) for e in self.deeds if e.flag.startswith(MISSED)}
        self.false = {(e.member, e.time, e.flag.partition(":")[2]) for e in self.deeds if e.flag.startswith(FALSE)}

    def _job(self, event: Event) -> tuple[Procedure | Repair | None, str]:
        """The procedure or repair that an event speaks of, and what of it."""
        name, _, what = event.flag.removeprefix(DOES).partition(":")
        return self.said.procedures.get(name) or self.said.repairs.get(name), what

    def _step(self, event: Event) -> Step | None:
        """The step that an event ends."""
        job, what = self._job(event)
        number = what.removesuffix("-")
        if not isinstance(job, Procedure) or not number.isdigit() or not 1 <= int(number) <= len(job.steps):
            return None
        return job.steps[int(number) - 1]

    def _stage(self, event: Event) -> float:
        """Where it stands among what one occasion does at one moment."""
        what = event.flag.rpartition(":")[2]
        return STAGES[what] if what in STAGES else 10.0 + int(what.removesuffix("-") or 0)

    def _note(self, event: Event) -> None:
        """Remember what Inputs an event wrote."""
        job, what = self._job(event)
        step, time = self._step(event), round(event.time, 3)
        who = "" if job is None else f"{job.who}, {job.name}"
        rows = step.rows if step is not None else ()
        if isinstance(job, Repair) and what == "2":
            rows = tuple((unit, name, 1.0) for unit, name in job.of if unit == event.unit)
        for unit, name, _ in rows:
            self.wrote[event.member, unit, name, time] = event, who
            if step is not None and step.over is not None:
                self.moves[unit, name, time] = step.over

    def rows(self) -> list[Row]:
        """Rows of the timeline."""
        told = (row for event in self.deeds for row in (self._row(event), self._sets_out(event)))
        return [row for row in told if row is not None]

    def _sets_out(self, event: Event) -> Row | None:
        """That people set out once something is done: to the machines, or on foot, if a walk is what comes next."""
        job, what = self._job(event) if event.flag.startswith(DOES) else (None, "")
        if job is None:
            return None
        began = self.times[self._key(event)]
        arrives = began.get(ARRIVES)
        crew = self.said.crews.get(job.who)
        if what == REACTS and crew is not None and crew.travel != Duration():
            way = "" if arrives is None else f", {lasting(arrives - event.time)} to go"
        elif (on_foot := self._walks_next(job, what)) is not None:
            end = began.get(str(on_foot))
            way = " on foot" if end is None else f" on foot, {lasting(end - event.time)} to go"
        else:
            return None
        return Row(replace(event, unit=job.who), f"set out{way}", f"{_sort(job)} {job.name}", PEOPLE, SETTING, event)

    def _walks_next(self, job: Procedure | Repair, what: str) -> int | None:
        """The number of the step that comes next, where that is a walk."""
        if not isinstance(job, Procedure) or not (what in (REACTS, ARRIVES) or what.isdigit()):
            return None
        number = int(what) + 1 if what.isdigit() else 1
        walks = number <= len(job.steps) and job.steps[number - 1].verb == "walk"
        return number if walks else None

    def _row(self, event: Event) -> Row | None:
        if not event.flag.startswith(DOES):
            return self._alarm_row(event)
        job, what = self._job(event)
        told = None if job is None else self._words(job, what, event)
        if job is None or told is None:
            return None
        return Row(replace(event, unit=job.who), told, f"{_sort(job)} {job.name}", PEOPLE, SETTING, event)

    def _alarm_row(self, event: Event) -> Row | None:
        name = event.flag.partition(":")[2]
        alarm = self.said.alarms.get(name)
        if alarm is None:
            return None
        if event.flag.startswith(CLEAR):
            return Row(event, f"clears alarm {name}", "", PEOPLE, SETTING, event)
        delay = f" for {lasting(alarm.delay)}" if alarm.delay else ""
        sensor = self.sensors.of(alarm.watch, event.unit, event.member, event.time)
        its, holds = f"its sensor {sensor}" if sensor else "by another sensor", f"{pretty(alarm.watch.text)}{delay}"
        if event.flag.startswith(MISSED):
            fell = (event.member, event.time, f"{CLEAR}{name}") in self.turned
            told = f"has alarm {name} ({alarm.priority}) {'fall' if fell else 'stay'} silent"
            return Row(event, told, f"{holds}, but {its}", PEOPLE, SETTING, event)
        raised = f"raises alarm {name} ({alarm.priority})"
        if event.flag.startswith(FALSE):
            if (event.member, event.time, f"{ALARM}{name}") in self.turned:
                return None  # the line of the alarm itself says so
            return Row(event, f"keeps alarm {name} standing", f"it is over, but {its}", PEOPLE, SETTING, event)
        seen = f"seen by a poll every {lasting(alarm.polling)}"
        if self._is_false(event, name):
            return Row(event, raised, f"it is not so, but {its}; {seen}", PEOPLE, SETTING, event)
        return Row(event, raised, f"{holds}; {seen}", PEOPLE, SETTING, event)

    def _words(self, job: Procedure | Repair, what: str, event: Event) -> str | None:
        """What people did, in words that follow their name; None for what says nothing new."""
        began = self.times.get(self._key(event), {})
        if what == CALLED:
            return f"called for {job.name}" + (f": {event.unit}" if event.unit != "site" else "")
        if what == REACTS:
            waited = event.time - began.get(CALLED, event.time)
            return f"attended to it {lasting(waited)} after the call" if waited > MOMENT else "attended to it at once"
        if what == ARRIVES:
            return f"arrived after {lasting(event.time - began.get(REACTS, event.time))} on the way"
        if what in (STOPS, ENDS):
            return f"broke off {job.name}" if what == STOPS else None
        if isinstance(job, Repair):
            since = began.get(ARRIVES, began.get(REACTS, event.time))
            return f"mended it in {lasting(event.time - since)}" if what == "2" else None
        step = self._step(event)
        return None if step is None else self._done(step, what, event)

    def _done(self, step: Step, what: str, event: Event) -> str:
        took = lasting(event.time - self._before(event))
        if step.verb in ("check", "wait for"):
            failed = what.endswith("-")
            follows = f"; {step.otherwise} follows" if failed and step.otherwise not in (STOP, GO_ON) else ""
            assert step.condition is not None
            if wrong := self.sensors.anywhere(step.condition, event.member, event.time):
                follows = f" ({wrong}){follows}"
            if step.verb == "check":
                return f"checked {pretty(step.text)}: {'no' if failed else 'yes'}{follows}"
            return f"waited {took} for {pretty(step.text)}{' in vain' if failed else ''}{follows}"
        done = {"walk": "walked", "decide": "decided in", "work": "worked for"}
        if step.verb in done:
            return f"{done[step.verb]} {took}"
        if step.verb == "say":
            return f'said "{step.text}"'
        wrote = {"set": "set", "ramp": "began to move", "fail": "took out", "restore": "mended", "call": "called for"}
        return f"{wrote[step.verb]} {step.text}"

    @staticmethod
    def _key(event: Event) -> Key:
        name = event.flag.removeprefix(DOES).partition(":")[0]
        return name, event.member, event.unit, event.value

    @cached_property
    def times(self) -> dict[Key, dict[str, float]]:
        """When each occasion came to what."""
        found: dict[Key, dict[str, float]] = {}
        for event in self.stages:
            found.setdefault(self._key(event), {})[event.flag.rpartition(":")[2]] = event.time
        return found

    def _before(self, event: Event) -> float:
        """When the same occasion had come to what stands before."""
        own = self.times[self._key(event)]
        stage = self._stage(event)
        before = [time for what, time in own.items() if self._stage(replace(event, flag=f"{DOES}x:{what}")) < stage]
        return max(before, default=event.time)

    def turn(self, event: Event) -> tuple[float, float]:
        """Where an event stands among all of its moment: before what is written (0), after what calls for it."""
        stage = self.stages.get(event, -1.0)
        if isinstance(self._job(event)[0], Repair) and stage <= STAGES[ARRIVES]:
            return 0.5, stage  # it may be called for by what is written
        if self._again(event):
            return -1.0, stage + LAST + 1
        if stage != STAGES[CALLED]:
            return -1.0, stage
        callers = [self.stages[step] for step in self._callers(event)]
        return -1.0, max(callers, default=stage - 0.5) + 0.5

    def _again(self, event: Event) -> bool:
        """Whether the occasion before ended at the very moment."""
        name, member, unit, occasion = self._key(event) if event in self.stages else ("", 0, "", 0.0)
        ends = ((event.member, event.time) in self.together) and occasion > 1
        before = (name, member, unit, occasion - 1)
        return ends and any(self._key(each) == before for each in self.together[event.member, event.time])

    def _callers(self, event: Event) -> list[Event]:
        """Steps of other procedures that call for this one at this moment."""
        job, _ = self._job(event)
        found = []
        for other in self.together.get((event.member, event.time), ()):
            step = self._step(other)
            if step is None or job is None:
                continue
            goes_over = other.flag.endswith("-") and step.otherwise == job.name
            found += [other] if goes_over or (step.verb == "call" and step.text == job.name) else []
        return found

    def cause(self, index: int, row: Row, causes: Causes) -> int | None:
        """Index of the row that led to one of operations; rows are given in order, each once."""
        event = row.deed
        assert event is not None
        self.rows_of[event] = index
        if not event.flag.startswith(DOES):
            name = event.flag.partition(":")[2]
            watch = self.said.alarms[name].watch
            if event.flag.startswith(ALARM):
                self.starting[event.member, name] = index
            if event.flag.startswith((MISSED, FALSE)) or self._is_seen_otherwise(event, name, watch):
                return self._misled_by(event, watch)
            if event.flag.startswith(CLEAR):
                return causes.mended(row)
            began = self._began(event, watch)
            return causes.behind(row, watch.quantity) if began is None else began
        key = self._key(event)
        led = self.last_of.get(key)
        if led is None:
            led = self._called_by(event)
        elif (seen := self._waited_for(event, row, causes)) is not None:
            led = max(led, seen)
        self.last_of[key] = index
        return led

    def tells(self, index: int, event: Event, name: str) -> None:
        """Remember the row of a flag, or of an Input, of a unit."""
        self.told.setdefault((event.member, event.unit, name), []).append((event.time, event.value, index))

    def _began(self, event: Event, watch: Condition) -> int | None:
        """The row of a flag or an Input with which an alarm's condition began; it may be over when it is seen."""
        rows = self.told.get((event.member, event.unit, watch.quantity), ())
        over = [i for time, value, i in rows if time <= event.value + MOMENT and (value > watch.limit) == watch.highest]
        return max(over, default=None)

    def _waited_for(self, event: Event, row: Row, causes: Causes) -> int | None:
        """The row of what changed last at a unit that people wait for until its condition holds."""
        step = self._step(event)
        if step is None or step.verb != "wait for" or event.flag.endswith("-") or step.condition is None:
            return None
        units = () if step.condition.alarm else step.condition.units
        return max((at for unit in units if (at := causes.changed(row.at(unit))) is not None), default=None)

    def _is_seen_otherwise(self, event: Event, name: str, watch: Condition) -> bool:
        """Whether an alarm was raised or cleared by what changed at its sensor, not by what the sensor looks at."""
        silent = (event.member, event.time, f"{MISSED}{name}") in self.silent
        misled = silent if event.flag.startswith(CLEAR) else self._is_false(event, name)
        return misled or self.sensors.has_changed(watch, event)

    def _is_false(self, event: Event, name: str) -> bool:
        return (event.member, event.time, name) in self.false

    def _misled_by(self, event: Event, watch: Condition) -> int | None:
        """The row of what was written last of the sensor that misled an alarm."""
        wrote = self.broken.items()
        known = (at for (member, unit, name), at in wrote if member == event.member and watch.reads(unit, name))
        mine = (
            at
            for (member, unit, name), at in wrote
            if (member, unit) == (event.member, event.unit) and watch.reads(unit, name)
        )
        return max(mine, default=max(known, default=None))

    def _called_by(self, event: Event) -> int | None:
        job, _ = self._job(event)
        callers = [self.rows_of[each] for each in self._callers(event) if each in self.rows_of]
        if isinstance(job, Procedure):
            alarms = [self.starting[event.member, name] for name in job.on if (event.member, name) in self.starting]
            return max(callers + alarms, default=None)
        broken = [self.broken.get((event.member, *pair)) for pair in (job.of if job else ()) if pair[0] == event.unit]
        return max((index for index in broken if index is not None), default=None)

    def led_to(self, index: int, event: Event, name: str) -> int | None:
        """Index of the row of who wrote an Input; None where it was the scenario."""
        self.broken[event.member, event.unit, name] = index
        wrote = self.wrote.get((event.member, event.unit, name, round(event.time, 3)))
        return None if wrote is None else self.rows_of.get(wrote[0])

    def why(self, event: Event, name: str) -> str:
        """Who wrote an Input; empty where it was the scenario."""
        wrote = self.wrote.get((event.member, event.unit, name, round(event.time, 3)))
        return "" if wrote is None else f"by {wrote[1]}"

    @cached_property
    def misled(self) -> list[Misled]:
        """All times that an alarm was not what it would have been by sound sensors."""
        return self.sensors.misled(self.deeds)

    @cached_property
    def alarms(self) -> list[Raised]:
        """All alarms as they were raised, in order."""
        by_member: dict[int, list[Event]] = {}
        for event in self.deeds:
            by_member.setdefault(event.member, []).append(event)
        found = [each for _, own in sorted(by_member.items()) for each in first_outs(list(self._of_member(own)))]
        return sorted(found, key=lambda each: (each.raised, each.member))

    def _of_member(self, events: Sequence[Event]) -> Iterator[Raised]:
        """The alarms of one member, from its events by time."""
        for place, event in enumerate(events):
            alarm = self.said.alarms.get(event.flag.removeprefix(ALARM)) if event.flag.startswith(ALARM) else None
            if alarm is not None:
                later = [each for each in events[place:] if each.flag.startswith((CLEAR, DOES))]
                clear = next((e.time for e in later if e.flag == f"{CLEAR}{alarm.name}" and e.time > event.time), None)
                seen, by = self._seen_by(alarm, later, ALWAYS if clear is None else clear)
                names = (alarm.name, alarm.priority, alarm.group, alarm.watch.text, event.member, event.unit)
                active = event.value + alarm.delay
                yield Raised(*names, event.value, active, event.time, seen, by, clear, first_out=False)

    def _seen_by(self, alarm: Alarm, later: Sequence[Event], until: float) -> tuple[float | None, str]:
        """When somebody attended to an alarm, called before it had cleared, and who."""
        for each in later:
            job, what = self._job(each) if each.flag.startswith(DOES) else (None, "")
            if not isinstance(job, Procedure) or alarm.name not in job.on or what != REACTS:
                continue
            if self.times[self._key(each)].get(CALLED, each.time) <= until:
                return each.time, job.who
        return None, ""


def _sort(job: Procedure | Repair) -> str:
    return "procedure" if isinstance(job, Procedure) else "repair"
