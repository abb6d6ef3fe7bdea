"""The sections `alarms`, `crews`, `procedures` and `repairs`: documents in, Operations out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from twin import units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import a_kind
from twin.scenario import conditions, durations, operations, values
from twin.scenario.changes import Events, Targets, inputs_of
from twin.scenario.document import Broken, Map, Node, Seq, Text, describe
from twin.scenario.durations import Duration
from twin.scenario.faults import advice
from twin.scenario.form import FAILED, Form
from twin.scenario.forms import entries, fill, items
from twin.scenario.names import split
from twin.scenario.operations import (
    DAY,
    GO_ON,
    NAME,
    STOP,
    Alarm,
    Crew,
    Operations,
    Procedure,
    Repair,
    Step,
    StepForm,
)

SECTIONS = ("alarms", "crews", "procedures", "repairs")
CLOCK = re.compile(r"(?:[0-9]{2}-[0-9]{2} )?([0-9]{1,2}):([0-9]{2})")
F = TypeVar("F", bound=Form)


def names_of(root: Map) -> list[str]:
    """Names of alarms, procedures and repairs."""
    told = (root[section] for section in ("alarms", "procedures", "repairs") if section in root)
    return [name for node in told if isinstance(node, Map) for name in node]


class OperationsReader:
    """Reads all four sections; faults are gathered, and what could not be read is left out."""

    def __init__(self, targets: Targets, events: Events) -> None:
        self.targets, self.events, self.faults = targets, events, targets.faults
        self.directory = targets.directory
        self.found = Operations()
        self.named: dict[str, list[str]] = {}

    def lower(self, root: Map) -> Operations:
        """All that a scenario says of its operations."""
        for section in SECTIONS:
            node = root.get(section)
            self.named[section] = list(node) if isinstance(node, Map) else []
        start = _clock_at_start(root)
        for name, node, alarm in self._forms(root, "alarms", operations.AlarmForm):
            self._alarm(name, node, alarm)
        for name, node, crew in self._forms(root, "crews", operations.CrewForm):
            self._crew(name, node, crew, start)
        for name, node, procedure in self._forms(root, "procedures", operations.ProcedureForm):
            self._procedure(name, node, procedure)
        for name, node, repair in self._forms(root, "repairs", operations.RepairForm):
            self._repair(name, node, repair)
        self._started(root)
        return self.found

    def _forms(self, root: Map, section: str, form: type[F]) -> Iterator[tuple[str, Map, F]]:
        """Name, mapping and form of each entry of a section."""
        listed = entries(root[section], self.faults) if section in root else Map()
        for name, node in listed.items():
            if not NAME.fullmatch(name):
                text = "this is no name here; a letter and then letters, digits, - and _, 40 at most, are wanted"
                self.faults.add(listed.where_of(name), text)
            elif section == "repairs" and name in self.named["procedures"]:
                self.faults.add(listed.where_of(name), "a procedure has this name, too; another one is wanted")
            elif (filled := fill(form, node, self.faults)) is not None and isinstance(node, Map):
                yield name, node, filled

    def _alarm(self, name: str, node: Map, form: operations.AlarmForm) -> None:
        watch = conditions.read(node["watch"], self.directory, self.faults) if "watch" in node else None
        if watch is None:
            return
        said = _seen(watch.kind)[watch.quantity]
        deadband = 0.0
        if "deadband" in node:
            deadband = self._deadband(node["deadband"], said)
        if form.complete:
            rest = (form.delay, deadband, form.priority, form.polling, form.group, form.without_signal)
            self.found.alarms[name] = Alarm(name, watch, *rest)

    def _deadband(self, node: Node, said: Quantity) -> float:
        if said.flag is not None or said.name == "in_service":
            self.faults.add(node.where, f"{said.name} is up or not and has no deadband; leave it out")
            return 0.0
        return values.read(node, Quantity("deadband", said.unit, "a deadband", 0.0, at_least=0), self.faults) or 0.0

    def _crew(self, name: str, node: Map, form: operations.CrewForm, start: float) -> None:
        reaction, travel = (self._time(node, key, "") for key in ("reaction", "travel"))
        hours = None
        if "hours" in node:
            said = fill(operations.HoursForm, node["hours"], self.faults)
            if said is None or not said.complete:
                return
            begins = start if said.start is None else said.start
            hours = ((said.begin - begins) % DAY, (said.end - begins) % DAY)
            if said.begin == said.end:
                self.faults.add(node["hours"].where, "from and to are the same time of day; leave hours out for always")
        if form.complete and reaction is not None and travel is not None:
            self.found.crews[name] = Crew(name, form.people, reaction, travel, hours)

    def _time(self, node: Map, key: str, absent: str | None = None) -> Duration | None:
        """The time under a key; none at all, where it is absent and may be."""
        if key in node:
            return durations.read(node[key], self.faults)
        return Duration() if absent is not None else None

    def _procedure(self, name: str, node: Map, form: operations.ProcedureForm) -> None:
        on = self._alarms_named(node["on"]) if "on" in node else ()
        self._manned(node, "who", form.who, form.people)
        if isinstance(form.at, float) and form.at > self.events.duration:
            text = f"{units.quoted(str(node['at']))} lies after the end of the run"
            self.faults.add(node["at"].where, f"{text} ({units.show(self.events.duration, 's')})")
        if isinstance(form.member, int) and form.member >= self.events.members:
            self.faults.add(node["member"].where, f"there is no member {form.member} in this run")
        steps = [self._step(each) for each in items(node["steps"], self.faults)] if "steps" in node else []
        if "steps" in node and isinstance(node["steps"], Seq) and not steps:
            self.faults.add(node["steps"].where, "an empty list was found; steps are wanted, e.g. {walk: 3 min}")
        if not form.complete or on is None or any(step is None for step in steps):
            return
        ranks = [self.found.alarms[each].priority for each in on if each in self.found.alarms]
        priority = form.priority or min(ranks, key=operations.PRIORITIES.index, default="high")
        done = tuple(step for step in steps if step is not None)
        rest = (form.member, form.people, priority, done, form.why or "")
        self.found.procedures[name] = Procedure(name, form.who, on, form.at, *rest)

    def _alarms_named(self, node: Node) -> tuple[str, ...] | None:
        names = items(node, self.faults) if isinstance(node, Seq) else [node]
        found = []
        for each in names:
            if not isinstance(each, Text) or each.empty:
                if not isinstance(each, Broken):
                    self.faults.add(each.where, f"{describe(each)} was found; the name of an alarm is wanted")
                return None
            if str(each) not in self.named["alarms"]:
                near = advice(str(each), self.named["alarms"])
                self.faults.add(each.where, f"there is no alarm {units.quoted(each)}; {near}")
                return None
            found.append(str(each))
        return tuple(found)

    def _manned(self, node: Map, key: str, who: str, people: int) -> None:
        """See that a crew is there, and large enough."""
        if key not in node or who is FAILED:
            return
        if who not in self.named["crews"]:
            near = advice(who, self.named["crews"])
            self.faults.add(node[key].where, f"there is no crew {units.quoted(who)}; {near}")
        elif who in self.found.crews and isinstance(people, int) and people > self.found.crews[who].people:
            text = f"{people} people are asked of a crew of {self.found.crews[who].people}; at most that many are there"
            self.faults.add(node.where_of("people"), text)

    def _step(self, node: Node) -> Step | None:
        form = fill(StepForm, node, self.faults)
        if form is None or not isinstance(node, Map):
            return None
        said = [verb for verb in StepForm.VERBS if verb in node]
        if len(said) != 1:
            found = f"{' and '.join(said)} stand together" if said else "no verb was found"
            self.faults.add(node.where, f"{found}; one of {', '.join(StepForm.VERBS)} is wanted")
            return None
        verb = said[0]
        before = len(self.faults.errors)
        step = self._of_verb(verb, node, form)
        return step if len(self.faults.errors) == before and form.complete else None

    def _of_verb(self, verb: str, node: Map, form: StepForm) -> Step | None:
        self._keys(verb, node)
        text = str(node[verb]) if isinstance(node[verb], Text) else ""
        if verb in StepForm.TAKES:
            takes = durations.read(node[verb], self.faults)
            return None if takes is None else Step(verb, text, takes)
        if verb in StepForm.LOOKS:
            condition = conditions.read(node[verb], self.directory, self.faults, self.named["alarms"])
            otherwise = form.otherwise or STOP
            if otherwise not in (STOP, GO_ON) and otherwise not in self.named["procedures"]:
                near = advice(otherwise, [STOP, GO_ON, *self.named["procedures"]])
                self.faults.add(node["else"].where, f"{units.quoted(otherwise)} is no procedure; {near}")
            return Step(verb, text, condition=condition, most=form.most or 0.0, otherwise=otherwise)
        if verb == "call" and text not in self.named["procedures"]:
            near = advice(text, self.named["procedures"])
            self.faults.add(node[verb].where, f"there is no procedure {units.quoted(text)}; {near}")
        if verb in ("call", "say") or not text:
            return Step(verb, text)
        told = f"{text} to {node['to']}" if isinstance(node.get("to"), Text) else text
        return Step(verb, told, rows=tuple(self.events.rows(node, verb)), over=form.over)

    def _keys(self, verb: str, node: Map) -> None:
        """Which other keys a verb wants and which it has no use for."""
        wants = {"set": ("to",), "ramp": ("to", "over"), "wait for": ("at most",)}.get(verb, ())
        may = ("else",) if verb in StepForm.LOOKS else ()
        examples = {"to": "50 %", "over": "15 min", "at most": "5 min", "else": "stop"}
        for key, example in examples.items():
            if key in wants and key not in node:
                self.faults.add(node.where_of(key), f'{verb} wants to know "{key}", e.g. "{key}: {example}"')
            if key in node and key not in wants + may:
                self.faults.add(node.where_of(key), f'{verb} has no use for "{key}"; leave it out')

    def _repair(self, name: str, node: Map, form: operations.RepairForm) -> None:
        self._manned(node, "crew", form.who, form.people)
        of = self._mended(node["of"]) if "of" in node else frozenset()
        notice, time = self._time(node, "notice", ""), self._time(node, "time")
        if form.complete and of and notice is not None and time is not None:
            self.found.repairs[name] = Repair(name, form.who, of, notice, time, form.people, form.priority)

    def _mended(self, node: Node) -> frozenset[tuple[str, str]]:
        """Pairs of unit and Input that "pump" (as a whole) or "cdu.duty_pump_failed" means."""
        found: list[tuple[str, str]] = []
        for each in items(node, self.faults) if isinstance(node, Seq) else [node]:
            if not isinstance(each, Text):
                if not isinstance(each, Broken):
                    self.faults.add(each.where, f"{describe(each)} was found; a unit, or unit.fault, is wanted")
                continue
            target, flag = split(str(each))
            if flag:
                found += self._faults_of(each)
                continue
            for unit in self.targets.units(target, each.where):
                if "in_service" in inputs_of(self.directory.kind_of[unit]):
                    found.append((unit, "in_service"))
                else:
                    kind = self.directory.kind_of[unit]
                    self.faults.add(each.where, f"{a_kind(kind)} cannot fail as a whole; name one of its faults")
        return frozenset(found)

    def _faults_of(self, node: Text) -> Iterator[tuple[str, str]]:
        for unit, said in self.targets.inputs(str(node), node.where):
            if said.failure or said.name == "in_service":
                yield unit, said.name
            else:
                kind = self.directory.kind_of[unit]
                flags = [name for name, each in inputs_of(kind).items() if each.failure]
                cure = advice(said.name, ["in_service", *flags])
                self.faults.add(node.where, f"{said.name} of {a_kind(kind)} is not a failure to be mended; {cure}")

    def _started(self, root: Map) -> None:
        """See that something starts each procedure, and that none calls itself in the end."""
        found = self.found.procedures
        calls = {name: set(_calls(each.steps)) & set(found) for name, each in found.items()}
        called = {name for each in calls.values() for name in each}
        for name, each in found.items():
            node = root["procedures"]
            if not isinstance(node, Map):
                return
            if not each.on and each.at is None and name not in called:
                text = 'nothing starts this procedure; "on" (an alarm), "at" (a moment) or a call is wanted'
                self.faults.add(node.where_of(name), text)
            if name in _reached(name, calls):
                self.faults.add(node.where_of(name), "this procedure calls itself in the end; a call must lead on")


def _calls(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if step.verb == "call":
            yield step.text
        elif step.otherwise not in (STOP, GO_ON):
            yield step.otherwise


def _reached(name: str, calls: dict[str, set[str]]) -> set[str]:
    """All procedures that one calls, and those call."""
    reached: set[str] = set()
    waiting = set(calls[name])
    while waiting:
        one = waiting.pop()
        reached.add(one)
        waiting |= calls[one] - reached
    return reached


def _seen(kind: str) -> dict[str, Quantity]:
    made = KINDS[kind]
    return quantities(made.State) | quantities(made.Outputs) | quantities(made.Inputs)


def _clock_at_start(root: Map) -> float:
    """Time of day at the start of the run [s], where the weather knows it."""
    weather = root.get("weather")
    said = CLOCK.fullmatch(str(weather.get("start", ""))) if isinstance(weather, Map) else None
    return 0.0 if said is None else (int(said[1]) * 60 + int(said[2])) * 60.0
