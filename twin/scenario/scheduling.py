"""The section `scheduler` and the jobs of `workload`: who wants how many racks, when, and how they are shared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from twin import units
from twin.declare import quantities
from twin.equipment import KINDS
from twin.equipment.job import PHASES
from twin.faults import a_kind
from twin.plant import Plant, Unit
from twin.plant_links import faults_of_talk
from twin.plant_work import faults_of_stores
from twin.scenario import values
from twin.scenario.belongs import cure
from twin.scenario.case import JobSpec, Scenario, SchedulerSpec, Window
from twin.scenario.changes import Change
from twin.scenario.document import Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.form import Form
from twin.scenario.forms import Length, Raw, Time, Whole, Words, entries, fill, items, said
from twin.scenario.names import NAME, BadName, Directory

WAYS = ("fabric", "cooling", "power", "first")
JOB = KINDS["job"]
NOT_SHARED = ("spares",)
"""Ratings of a job that has racks of its own."""
STEPS = said("1", "useful steps", above=0, at_most=1e12)
SECONDS = said("s", "time of work without pause", above=0, at_most=1e10)


class SchedulerForm(Form):
    """Who gives racks to the jobs of the workload."""

    stands = "scheduler"
    racks: Raw = Field(description="racks that it gives to jobs, ranges too")
    place: Raw = Field(default=None, description="what a placement looks at, in order: fabric, cooling, power, first")
    preempt: Annotated[str, Words(10)] | None = Field(
        default=None, description="whether jobs of lower priority save and give way: true if absent"
    )
    backfill: Annotated[str, Words(10)] | None = Field(
        default=None, description="whether later jobs go first that make nobody wait: false if absent"
    )
    period: Length | None = Field(default=None, description="time between two looks; 30 s, or a tick, if absent")
    maintenance: Raw = Field(default=None, description="list of windows: racks, at, for")


class WindowForm(Form):
    """Racks in maintenance."""

    racks: Raw = Field(description="racks, ranges too")
    at: Time = Field(description="when it begins")
    length: Length = Field(alias="for", description="how long it lasts")


class JobForm(Form):
    """What a job wants of a scheduler; the keys of a job's ratings stand beside these."""

    stands = "workload.jobs.NAME"
    racks: Annotated[int, Whole(1, 100_000)] = Field(description="how many racks")
    work: Raw = Field(description="useful steps, or how long they take without a pause")
    arrives: Time = Field(default=0.0, description="when it is submitted")
    priority: Annotated[float, said("1", "a priority", at_least=-1e6, at_most=1e6)] = Field(
        default=0.0, description="who goes first: the highest number; services count from 1 the other way"
    )
    shrink: Annotated[int, Whole(1, 100_000)] | None = Field(
        default=None, description="racks that it goes on with at least where some are lost and none are free"
    )
    storage: Annotated[str, Words(600)] | None = Field(
        default=None, description="storage system that feeds it and takes its checkpoints"
    )


@dataclass
class _Found:
    """A job as read: what it wants, its ratings, and its storage system, if it has one."""

    spec: JobSpec
    unit: Unit
    stores: list[str] | None


class SchedulerReader:
    """Lowers both sections; the jobs become units of the plant, which so far has none of those names."""

    def __init__(self, faults: Faults, plants: Any, scenario: Scenario) -> None:
        self.faults, self.plants, self.scenario = faults, plants, scenario
        self.plant: Plant = scenario.plant

    def lower(self, node: Node | None, jobs: Node | None, root: Map) -> tuple[SchedulerSpec | None, list[Change]]:
        """The scheduler, and what its jobs are before the run; None after a fault."""
        if node is None:
            text = 'jobs want a scheduler that gives them racks, e.g. "scheduler: {racks: rack-01..08}"'
            self.faults.add(root.where_of("workload"), text)
            return None, []
        form = fill(SchedulerForm, node, self.faults)
        if jobs is not None and not entries(jobs, self.faults) and isinstance(jobs, Map):
            text = "no job was found; at least one is wanted, e.g. {a: {racks: 8, work: 10 h, step_time: 4 s}}"
            self.faults.add(jobs.where, text)
        if form is None or not isinstance(node, Map):
            return None, []
        if jobs is None:
            text = "a scheduler without jobs was found; workload: {jobs: ...} is wanted"
            self.faults.add(root.where_of("scheduler"), text)
            return None, []
        racks = self._racks(node["racks"]) if "racks" in node else []
        if isinstance(node.get("racks"), Seq) and not node["racks"]:
            self.faults.add(node["racks"].where, "an empty list was found; racks are wanted, e.g. rack-01..08")
        taken = {rack: pool for pool, own in self.plant.pools.items() for rack in own}
        for rack in racks:
            if rack in taken:
                self.faults.add(node["racks"].where, f"{rack} stands in {taken[rack]} already; other racks are wanted")
                break
        listed = entries(jobs, self.faults)
        made = [self._job(name, body, listed, racks) for name, body in listed.items()]
        found = [each for each in made if each is not None]
        ways = self._ways(node)
        flags = {key: self._flag(node, key, usual) for key, usual in (("preempt", True), ("backfill", False))}
        windows = self._windows(node["maintenance"], set(racks)) if "maintenance" in node else ()
        if self.faults.errors or not racks or not found:
            return None, []
        for each in found:
            self.plant.add(each.unit)
            self.plant.schedule(each.spec.name, racks)
            if each.stores:
                self.plant.store(each.spec.name, each.stores)
        period = form.period or max(30.0, self.scenario.run.tick)
        spec = SchedulerSpec(tuple(racks), tuple(each.spec for each in found), ways, period=period,
                             maintenance=windows, **flags)  # fmt: skip
        asleep = [Change(0.0, each.spec.name, "phase", PHASES["absent"], verb="initial") for each in found]
        return spec, asleep

    def _racks(self, node: Node) -> list[str]:
        """Racks of a target or a list of them, each once; none after a fault."""
        directory = Directory((unit.name, unit.kind) for unit in self.plant.units.values())
        found: list[str] = []
        for item in node if isinstance(node, Seq) else [node]:
            if not isinstance(item, Text) or item.empty:
                self.faults.add(item.where, f"{describe(item)} was found; racks are wanted, e.g. rack-01..08")
                return []
            try:
                found += directory.find(str(item))
            except BadName as error:
                self.faults.add(item.where, str(error))
                return []
        for name in found:
            if not KINDS[self.plant.units[name].kind].is_work:
                kind = self.plant.units[name].kind
                self.faults.add(node.where, f"{name} is {a_kind(kind)}, which trains nothing; racks are wanted")
                return []
        return list(dict.fromkeys(found))

    def _job(self, name: str, body: Node, listed: Map, racks: list[str]) -> _Found | None:
        where, before = listed.where_of(name), len(self.faults.errors)
        if not NAME.fullmatch(name) or name in self.plant.units:
            text = "is a unit of the plant already" if name in self.plant.units else "is no name of a job"
            self.faults.add(where, f"{units.quoted(name)} {text}; another name is wanted")
        if not isinstance(body, Map):
            fill(JobForm, body, self.faults)
            return None
        own = {key: value for key, value in body.items() if key in JobForm.model_fields}
        form = fill(JobForm, _part(body, own), self.faults)
        ratings = self._ratings(body, set(own))
        if form is None:
            return None
        self._sizes(form, body, len(racks))
        steps = self._work(body["work"], ratings.get("step_time", 1.0)) if "work" in body else None
        if not form.complete or steps is None or len(self.faults.errors) > before:
            return None
        self._late(form.arrives, body, "arrives", f"{name} never arrives")
        unit = Unit(name, "job", {"from_checkpoint": 0.0} | ratings, where=where)
        stores = None if form.storage is None else [form.storage]
        wrong = [
            *faults_of_stores(self.plant, unit, stores),
            *faults_of_talk(self.plant, unit, racks, form.racks),
        ]
        self.faults.extend(wrong)
        if wrong:
            return None
        made: Any = unit.machine()
        step, saves, resumes = _times(made, self.plant.units[stores[0]].machine() if stores else None)
        spec = JobSpec(
            name, form.racks, form.arrives, form.priority, steps, form.shrink or 0,
            step * (1.0 + saves / made.checkpoint_interval), resumes, saves,
        )  # fmt: skip
        return _Found(spec, unit, stores)

    def _sizes(self, form: JobForm, body: Map, count: int) -> None:
        """How many racks it wants, and with how many it goes on."""
        if isinstance(form.racks, int) and 0 < count < form.racks:
            text = f"a job of {form.racks} racks is larger than the cluster of {count}; fewer are wanted"
            self.faults.add(body["racks"].where, text)
        if isinstance(form.shrink, int) and isinstance(form.racks, int) and form.shrink > form.racks:
            text = f"{form.shrink} racks are more than its {form.racks}; fewer are wanted"
            self.faults.add(body["shrink"].where, text)

    def _late(self, at: float, body: Map, key: str, so: str) -> None:
        """A doubt about what begins when the run is over."""
        end = self.scenario.run.duration
        if at >= end and key in body:
            said = f"{units.quoted(str(body[key]))} lies at or after the end of the run ({units.show(end, 's')})"
            self.faults.add(body[key].where, f"{said}: {so}", warning=True)

    def _ratings(self, body: Map, own: set[str]) -> dict[str, float]:
        """Ratings of the job, as far as they could be read."""
        known, found = quantities(JOB), {}
        for key, node in body.items():
            if key in own:
                continue
            if key not in known or key in NOT_SHARED:
                near = cure(key, node, [*JobForm.model_fields, *(each for each in known if each not in NOT_SHARED)])
                text = "this key is for jobs with racks of their own, under plant.units; leave it out"
                self.faults.add(body.where_of(key), text if key in known else f"this key is not known here; {near}")
                continue
            value = values.read(node, known[key], self.faults)
            if value is not None:
                found[key] = value
        if "step_time" not in body:
            self.faults.add(body.where_of("step_time"), f"the key is missing; {values.wanted(known['step_time'])}")
        return found

    def _work(self, node: Node, step: float) -> float | None:
        """Useful steps, as such or as the time they take."""
        if isinstance(node, Text):
            try:
                units.parse(str(node), "1")
            except units.BadValue:
                seconds = values.read(node, SECONDS, self.faults)
                return None if seconds is None else seconds / step
        return values.read(node, STEPS, self.faults)

    def _ways(self, node: Map) -> tuple[str, ...]:
        listed = node.get("place")
        if listed is None:
            return ("first",)
        found = []
        for item in listed if isinstance(listed, Seq) else [listed]:
            if not isinstance(item, Text) or str(item) not in WAYS:
                self.faults.add(item.where, f"{describe(item)} is no way to place; {advice(str(item), WAYS)}")
                continue
            found.append(str(item))
        return tuple(dict.fromkeys(found))

    def _flag(self, node: Map, key: str, usual: bool) -> bool:
        text = node.get(key)
        if text is None:
            return usual
        if not isinstance(text, Text) or str(text) not in ("true", "false"):
            self.faults.add(text.where, f"{describe(text)} was found; true or false is wanted")
        return str(text) == "true"

    def _windows(self, node: Node, racks: set[str]) -> tuple[Window, ...]:
        found = []
        for item in items(node, self.faults):
            form = fill(WindowForm, item, self.faults)
            if form is None or not form.complete or not isinstance(item, Map):
                continue
            names = self._racks(item["racks"])
            other = next((name for name in names if name not in racks), None)
            if other is not None:
                self.faults.add(item["racks"].where, f"{other} is none of the scheduler's racks; those are wanted")
            self._late(form.at, item, "at", "this maintenance never begins")
            found.append(Window(tuple(names), form.at, form.length))
        return tuple(found)


def _times(job: Any, store: Any) -> tuple[float, float, float]:
    """How long a step, a checkpoint and a restart of a job take that has its storage system to itself [s]."""
    if store is None:
        return job.step_time, job.checkpoint_time, job.resume_time
    return (
        max(job.step_time, job.step_data / store.read_bandwidth),
        max(job.checkpoint_time, job.checkpoint_size / store.write_bandwidth),
        job.resume_time + job.checkpoint_size / store.read_bandwidth,
    )


def _part(body: Map, own: dict[str, Any]) -> Map:
    """A mapping's own keys, where they stand."""
    part = Map(own)
    part.where, part.keys_at, part.partial, part.elsewhere = body.where, body.keys_at, body.partial, body.elsewhere
    return part
