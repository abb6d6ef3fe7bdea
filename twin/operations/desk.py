"""The desk: alarms come in, crews are called, procedures and repairs are carried out, as processes of the calendar."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.arrays import to_host
from twin.networks.tables import AllRows
from twin.operations.watch import Gauge, Told, Watch
from twin.scenario.changes import Change
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
    PRIORITIES,
    REACTS,
    STOP,
    STOPS,
    Crew,
    Operations,
    Procedure,
    Repair,
    Step,
)

LOOK = 1.0
"""Time between two looks of somebody who waits for something [s]. Estimate."""
FAILS = ("fail", "draw", "fault", "failure")
"""Verbs of Changes after which something is broken; what somebody sets stands as it was meant."""
SITE = "site"
Process = Generator[Any, Any, None]
Asking = Generator[Any, Any, bool]


@dataclass(frozen=True)
class Job:
    """One occasion of a procedure or a repair: in which member, about which unit, and the how-manieth."""

    name: str
    who: str
    people: int
    rank: int
    steps: tuple[Step, ...]
    member: int
    unit: str
    occasion: int


class Desk:
    """All alarms and people of a run. Members share nothing: each has its own crews and its own alarms.

    Everybody reads what sensors show and writes Inputs, as Changes; the times that people take are drawn for each
    occasion, keyed by seed, member, name and occasion, so that nothing that happens elsewhere changes them.

    Args:
        run: the simulation, for its `state`, `inputs` and `apply`.
        begin: starts a process of the calendar.
        wait: makes an event so many seconds ahead [s], of a rank among those of the same moment.
        staff: makes a resource of so many people, whose requests are met by priority.
        now: the moment of the run [s].
        note: takes moment, member, unit, what and value of an event.
    """

    def __init__(
        self,
        run: Any,
        begin: Callable[[Process], Any],
        wait: Callable[[float, int], Any],
        staff: Callable[[int], Any],
        now: Callable[[], float],
        note: Callable[[float, int, str, str, float], None],
    ) -> None:
        self.run, self.begin, self.wait, self.staff, self.now, self.note = run, begin, wait, staff, now, note
        said: Operations = run.scenario.operations
        self.said, self.seed = said, run.settings.seed
        self.worlds = run.scenario.worlds or tuple(range(run.members))
        self.watches = [Watch(alarm, run.model, *self._now(), run.instruments) for alarm in said.alarms.values()]
        self.raised = {name: np.zeros(run.members, dtype=bool) for name in said.alarms}
        self.calls = {name: np.zeros(run.members, dtype=int) for name in said.alarms}
        self.people: dict[tuple[str, int], tuple[Any, Any]] = {}
        self.gauges: dict[Condition, Gauge] = {}
        self.going: set[tuple[str, int]] = set()
        self.occasions: dict[tuple[str, int, str], int] = {}
        self.starts: dict[str, list[Procedure]] = {name: [] for name in said.alarms}
        for procedure in said.procedures.values():
            for alarm in procedure.on:
                self.starts[alarm].append(procedure)
        self.mends: dict[tuple[str, str], list[Repair]] = {}
        for repair in said.repairs.values():
            for pair in repair.of:
                self.mends.setdefault(pair, []).append(repair)
        self.open: set[tuple[str, int, str, str]] = set()
        self.wrote: list[Change] = []
        self.writing = False

    def open_up(self) -> None:
        """Start what waits for its time: the polls of alarms, and procedures of a moment."""
        for watch in self.watches:
            watch.doubt_from_the_start(self._now())
            self.begin(self._polls(watch))
        for procedure in self.said.procedures.values():
            if procedure.at is not None:
                self.begin(self._at_its_time(procedure))

    def _now(self) -> tuple[AllRows, AllRows, AllRows]:
        """State, Inputs and Outputs as they are."""
        return self.run.state.rows, self.run.inputs, self.run.state.outputs

    def tick(self, start: float, end: float) -> None:
        """A tick was run: the devices look."""
        now = self._now()
        for watch in self.watches:
            watch.tick(start, end, *now)

    def heard(self, change: Change) -> None:
        """An Input was written: whoever mends it is told, where it is broken by that and nobody at the desk did it.

        An alarm that reads a sensor of which something was written is doubted from there on.
        """
        for watch in self.watches:
            if watch.alarm.watch.reads(change.unit, change.input):
                watch.doubt(change.member, self._now())
        repairs = self.mends.get((change.unit, change.input), ())
        if not repairs or self.writing or change.verb not in FAILS or _well(change.input, change.value):
            return
        for member in range(self.run.members) if change.member is None else (change.member,):
            for repair in repairs:
                key = (repair.name, member, change.unit, change.input)
                if key not in self.open:
                    self.open.add(key)
                    self.begin(self._repair(repair, member, change.unit, change.input))

    def _polls(self, watch: Watch) -> Process:
        rank = PRIORITIES.index(watch.alarm.priority)
        while True:
            yield self.wait(watch.alarm.polling, rank)
            found = watch.poll(self.now())
            for told in found:
                self._alarmed(watch, told)
            if watch.sound is not None:
                self._compare(watch, watch.sound, found)

    def _alarmed(self, watch: Watch, told: Told) -> None:
        name = watch.alarm.name
        self.note(self.now(), told.member, told.unit, f"{ALARM if told.raised else CLEAR}{name}", told.since)
        self.raised[name][told.member] = told.raised
        if told.raised:
            self.calls[name][told.member] += 1
            for procedure in self.starts[name]:
                self._start(procedure, told.member, told.unit)

    def _compare(self, watch: Watch, sound: Watch, found: list[Told]) -> None:
        """Note where an alarm and what it would be by sound sensors begin to differ."""
        by_sound = sound.poll(self.now())
        for member in sorted({each.member for each in (*found, *by_sound)}):
            missed = bool(sound.standing[member])
            if missed == bool(watch.standing[member]):
                continue
            told = [each for each in (by_sound if missed else found) if each.member == member and each.raised]
            what = f"{MISSED if missed else FALSE}{watch.alarm.name}"
            unit = (sound if missed else watch).unit_of[member]
            self.note(self.now(), member, unit, what, told[0].since if told else self.now())

    def _at_its_time(self, procedure: Procedure) -> Process:
        yield self.wait(procedure.at or 0.0, len(PRIORITIES))
        for member in range(self.run.members):
            self._start(procedure, member, SITE)

    def _start(self, procedure: Procedure, member: int, unit: str) -> None:
        """Start a procedure, but where it is for another member or already under way."""
        if (procedure.name, member) in self.going or procedure.member not in (None, self.worlds[member]):
            return
        self.going.add((procedure.name, member))
        self.begin(self._procedure(procedure, member, unit))

    def _procedure(self, procedure: Procedure, member: int, unit: str) -> Process:
        """Carry it out, and again where its alarm came anew meanwhile and stands."""
        while True:
            before = [int(self.calls[name][member]) for name in procedure.on]
            yield from self._carry_out(self._job(procedure, procedure.steps, member, unit))
            anew = [
                name
                for name, count in zip(procedure.on, before, strict=True)
                if self.calls[name][member] > count and self.raised[name][member]
            ]
            if not anew:
                break
        self.going.discard((procedure.name, member))

    def _repair(self, repair: Repair, member: int, unit: str, name: str) -> Process:
        well = 1.0 if name == "in_service" else 0.0
        mend = Step("restore", unit if name == "in_service" else f"{unit}.{name}", rows=((unit, name, well),))
        job = self._job(repair, (Step("work", "", repair.time), mend), member, unit)
        if (notice := self._draw(repair.notice, job, "notice")) > 0:
            yield self.wait(notice, job.rank)
        yield from self._carry_out(job)
        self.open.discard((repair.name, member, unit, name))

    def _job(self, of: Procedure | Repair, steps: tuple[Step, ...], member: int, unit: str) -> Job:
        key = (of.name, member, unit)
        self.occasions[key] = self.occasions.get(key, 0) + 1
        rank = PRIORITIES.index(of.priority)
        return Job(of.name, of.who, of.people, rank, steps, member, unit, self.occasions[key])

    def _carry_out(self, job: Job) -> Process:
        """Wait for people, and let them react, go there and go through the steps."""
        crew = self.said.crews[job.who]
        self._does(job, CALLED)
        gate, people = self._crew(crew, job.member)
        turns = [gate.request(priority=job.rank)] if job.people > 1 else []
        for turn in turns:  # so that two who want several do not wait for each other's
            yield turn
        taken = [people.request(priority=job.rank) for _ in range(job.people)]
        for one in taken:
            yield one
        for turn in turns:
            gate.release(turn)
        if (off := crew.off_duty(self.now())) > 0:
            yield self.wait(off, job.rank)
        yield from self._takes(job, crew.reaction, "reaction", REACTS)
        if crew.travel != Duration():
            yield from self._takes(job, crew.travel, "travel", ARRIVES)
        for number, step in enumerate(job.steps, 1):
            goes_on = yield from self._step(job, number, step)
            if not goes_on:
                self._does(job, STOPS)
                break
        else:
            self._does(job, ENDS)
        for one in taken:
            people.release(one)

    def _crew(self, crew: Crew, member: int) -> tuple[Any, Any]:
        """A crew of one member: who may gather several people next, and the people."""
        key = (crew.name, member)
        if key not in self.people:
            self.people[key] = self.staff(1), self.staff(crew.people)
        return self.people[key]

    def _takes(self, job: Job, time: Duration, what: str, done: str) -> Process:
        if (seconds := self._draw(time, job, what)) > 0:
            yield self.wait(seconds, job.rank)
        self._does(job, done)

    def _draw(self, time: Duration, job: Job, what: str) -> float:
        return time.draw(self.seed, self.worlds[job.member], job.name, f"{what} of {job.unit} {job.occasion}")

    def _step(self, job: Job, number: int, step: Step) -> Asking:
        """One step; whether the next one follows."""
        if step.verb in ("check", "wait for"):
            holds = yield from self._look(job, step)
            self._does(job, f"{number}" if holds else f"{number}-")
            if not holds and step.otherwise not in (STOP, GO_ON):
                self._start(self.said.procedures[step.otherwise], job.member, job.unit)
            return holds or step.otherwise == GO_ON
        yield from self._takes(job, step.takes, f"step {number}", f"{number}")
        if step.verb == "call":
            self._start(self.said.procedures[step.text], job.member, job.unit)
        if step.rows:
            self._write(job, step)
        return True

    def _look(self, job: Job, step: Step) -> Asking:
        """Look once, or until it is so; whether it is."""
        assert step.condition is not None
        until = self.now() + step.most
        while not self.sees(step.condition, job.member):
            left = until - self.now()
            if left <= 1e-9:
                return False
            yield self.wait(min(LOOK, left), job.rank)
        return True

    def sees(self, condition: Condition, member: int) -> bool:
        """Whether a condition holds, as sensors show it."""
        if condition.alarm:
            return bool(self.raised[condition.alarm][member]) == condition.highest
        if condition not in self.gauges:
            self.gauges[condition] = Gauge(condition, self.run.model, self.run.instruments)
        gauge = self.gauges[condition]
        return bool(to_host(gauge.holds(gauge.read(*self._now())))[member].any())

    def _write(self, job: Job, step: Step) -> None:
        """Write what a step asks for, as Changes of this moment."""
        now = self.now()
        until = None if step.over is None else now + step.over
        changes = [Change(now, unit, name, value, until, job.member, step.verb) for unit, name, value in step.rows]
        self.wrote += changes
        self.writing = True
        self.run.apply(changes)
        self.writing = False

    def _does(self, job: Job, what: str) -> None:
        self.note(self.now(), job.member, job.unit, f"{DOES}{job.name}:{what}", float(job.occasion))


def _well(name: str, value: float) -> bool:
    """Whether a value of an Input is that of a sound unit."""
    return value >= 0.5 if name == "in_service" else value == 0.0
