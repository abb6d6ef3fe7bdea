"""The section `workload`: what racks are asked to do at the start, and what services are asked for in the run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from twin import units
from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault, Where, a_kind
from twin.scenario.case import RunSettings, Scenario
from twin.scenario.changes import Change, Targets, inputs_of
from twin.scenario.document import Documents, Map, Node, Text
from twin.scenario.faults import advice
from twin.scenario.forms import Demand, Diurnal, Workload, entries, fill
from twin.scenario.names import NAME
from twin.scenario.requests import LARGEST, read_requests
from twin.scenario.shelf import Shelf, inside
from twin.scenario.steps import steps

WORKERS = tuple(kind for kind in KINDS if "utilisation" in inputs_of(kind))
"""Kinds whose work can be asked for."""
DAY, STEP = 86400.0, 900.0
"""Seconds of a day, and between the points of a course of it."""
STEPS = "step"
"""Verb of a change of demand that a timeline tells."""
WAYS = ("requests", "tokens", "diurnal", "trace")
ANSWER: float = quantities(KINDS["service"].Inputs)["answer_length"].default  # type: ignore[assignment]
"""Mean tokens of an answer where nothing is said."""
USUAL = 10.0
"""Seconds over which a trace is averaged where nothing is said."""


def unasked(scenario: Scenario, where: Where) -> Iterator[Fault]:
    """A doubt for each service that nobody asks for anything in the whole run, nor may."""
    told = [(change.unit, change.input, change.value) for change in (*scenario.initial, *scenario.changes)]
    told += [row for each in scenario.operations.procedures.values() for step in each.steps for row in step.rows]
    asked = {unit for unit, name, value in told if name == "request_rate" and not value <= 0}
    for unit in scenario.plant.of_kind("service"):
        if unit.name not in asked and not unit.settings.get("request_rate", 0.0) > 0:
            key = f"demand: {{{unit.name}: {{requests: 10 request/s}}}}"
            text = f'{unit.name} is asked for nothing in this run; in the workload "{key}" is wanted'
            yield Fault(where, text, warning=True)


class WorkloadReader:
    """Lowers the section to initial values and to Changes of what services are asked."""

    def __init__(self, targets: Targets, documents: Documents, shelf: Shelf, run: RunSettings) -> None:
        self.targets, self.faults = targets, targets.faults
        self.documents, self.shelf, self.duration, self.tick = documents, shelf, run.duration, run.tick
        self.steps: list[tuple[float, str]] = []

    def lower(self, node: Node) -> tuple[list[Change], list[Change]]:
        """Initial Changes, and those of the run."""
        form = fill(Workload, node, self.faults)
        if form is None or not isinstance(node, Map):
            return [], []
        if not node and not node.partial:
            self.faults.add(node.where, "the workload says nothing; utilisation, demand or jobs is wanted")
        initial: list[Change] = []
        if isinstance(form.utilisation, float):
            of_kind = self.targets.directory.of_kind
            racks = [name for kind in WORKERS for name in of_kind.get(kind, ())]
            initial = [Change(0.0, name, "utilisation", form.utilisation, verb="workload") for name in racks]
        later: list[Change] = []
        if "demand" in node:
            asked: dict[str, str] = {}
            for key, body in (listed := entries(node["demand"], self.faults)).items():
                services = self._services(key, listed)
                for service in services:
                    if service in asked:
                        text = f"{service} is asked by {units.quoted(asked[service])} already; one demand is wanted"
                        self.faults.add(listed.where_of(key), text)
                    asked.setdefault(service, key)
                found = self._demand(services, body)
                initial += [change for change in found if change.time <= 0.0 and change.until is None]
                later += [change for change in found if change.time > 0.0 or change.until is not None]
        return initial, later

    def _services(self, key: str, listed: Map) -> list[str]:
        """The services of a target; none after a fault."""
        where, kind_of = listed.where_of(key), self.targets.directory.kind_of
        known = self.targets.directory.of_kind.get("service", [])
        if NAME.fullmatch(key) and key not in kind_of and key not in KINDS:
            if not self.targets.directory.excuses(key):
                self.faults.add(where, f"there is no service {units.quoted(key)}; {advice(key, known)}")
            return []
        found = self.targets.units(key, where)
        for kind in sorted({kind_of[unit] for unit in found} - {"service"}):
            there = f"the services are {', '.join(known)}" if known else "the plant has none"
            self.faults.add(where, f"{units.quoted(key)} is {a_kind(kind)}, of which no tokens are asked; {there}")
        return [unit for unit in found if kind_of[unit] == "service"]

    def _demand(self, services: list[str], node: Node) -> list[Change]:
        form = fill(Demand, node, self.faults)
        if form is None or not isinstance(node, Map):
            return []
        said = [key for key in WAYS if key in node]
        if len(said) != 1:
            found = f"{' and '.join(said)} stand together" if said else "none was found"
            self.faults.add(node.where, f"{found}; one of {', '.join(WAYS)} is wanted")
            return []
        for key in ("every", "at", "scale"):
            if key in node and said[0] != "trace":
                self.faults.add(node.where_of(key), f"{said[0]} has no use for {key}; leave it out")
        rows: list[tuple[float, str, float, float | None]] = []
        self.steps = []
        for name in ("prompt_length", "answer_length"):
            if name in node and said[0] == "trace":
                self.faults.add(node.where_of(name), "a trace brings its own; leave this out")
            elif isinstance(value := getattr(form, name), float):
                rows.append((0.0, name, value, None))
        if said[0] == "requests" and isinstance(form.requests, float):
            rows.append((0.0, "request_rate", form.requests, None))
        elif said[0] == "tokens" and isinstance(form.tokens, float):
            rows.append((0.0, "request_rate", self._by_tokens(form.tokens, form.answer_length, node), None))
        elif said[0] == "diurnal":
            rows += self._diurnal(node["diurnal"])
        elif said[0] == "trace" and form.complete:
            rows += self._trace(node, form)
        verbs = dict.fromkeys(self.steps, STEPS)
        return [
            Change(time, service, name, value, until, verb=verbs.get((time, name), "demand"), where=node.where)
            for service in services
            for time, name, value, until in rows
        ]

    def _by_tokens(self, tokens: float, length: float | None, node: Map) -> float:
        """Requests a second that bring so many tokens of answers a second."""
        each = ANSWER if length is None else length
        if tokens > 0 and not each > 0:
            self.faults.add(node["answer_length"].where, "answers of no tokens bring none; a longer one is wanted")
            return 0.0
        return tokens / each if tokens > 0 else 0.0

    def _diurnal(self, node: Node) -> list[tuple[float, str, float, float | None]]:
        """The course of a day in straight lines: mean (1 + swing cos(2 pi (t - peak)/day))."""
        form = fill(Diurnal, node, self.faults)
        if form is None or not form.complete:
            return []

        def rate(time: float) -> float:
            return form.mean * (1.0 + form.swing * math.cos(2.0 * math.pi * (form.start + time - form.peak) / DAY))

        rows: list[tuple[float, str, float, float | None]] = [(0.0, "request_rate", rate(0.0), None)]
        for k in range(math.ceil(self.duration / STEP)):
            rows.append((k * STEP, "request_rate", rate((k + 1) * STEP), (k + 1) * STEP))
        return rows

    def _every(self, node: Map, form: Any) -> float | None:
        """Interval of a trace [s], whole ticks, so that none of its tokens is lost; None after a fault."""
        if form.every is None:
            return math.ceil(USUAL / self.tick - 1e-9) * self.tick
        ticks = form.every / self.tick
        if round(ticks) < 1 or abs(ticks - round(ticks)) > 1e-6:
            text = f"{units.quoted(str(node['every']))} is no whole number of the run's ticks"
            self.faults.add(node["every"].where, f"{text} ({units.show(self.tick, 's')}); one is wanted")
            return None
        return float(form.every)

    def _trace(self, body: Map, form: Any) -> list[tuple[float, str, float, float | None]]:
        """Rates of each interval of a trace, and nothing after its end."""
        node, every = body["trace"], self._every(body, form)
        if not isinstance(node, Text) or every is None:
            return []
        path = inside(str(node), self.shelf)
        if path is None:
            self.faults.add(node.where, f"{units.quoted(node)} leaves the folder of this file; a file in it is wanted")
            return []
        name = self.shelf.called(str(node))
        raw = self.documents.bytes_of(path, name, node.where, LARGEST)
        found = read_requests(raw, name, self.faults) if raw is not None else None
        if found is None:
            return []
        rows: list[tuple[float, str, float, float | None]] = []
        within = found.until(self.duration - form.at + every)
        bins = within.binned(every)
        for k, (count, prompts, answers) in enumerate(bins):
            time = form.at + k * every
            if time > self.duration:
                break
            rows.append((time, "request_rate", form.scale * count / every, None))
            if count:
                rows.append((time, "prompt_length", prompts / count, None))
                rows.append((time, "answer_length", answers / count, None))
        self.steps = [(form.at + k * every, "request_rate") for k in steps(bins[:, 0].tolist(), every)]
        end = form.at + len(bins) * every
        if end < self.duration:
            self.steps.append((end, "request_rate"))
            rows.append((end, "request_rate", 0.0, None))
            text = f"the trace ends at {units.show(end, 's')} of the run; nothing is asked from there on"
            self.faults.add(node.where, text, warning=True)
        return rows
