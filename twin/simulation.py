"""The clock: a simpy calendar of changes and controllers, integer ticks run in blocks between its entries."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import math
import platform
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import simpy

from twin import __version__
from twin.arrays import open_device
from twin.controllers import CONTROLLERS
from twin.declare import replace
from twin.ledger import BrokenBalance, ClosedLoop, loop_of
from twin.members import widened
from twin.model import Model, State, compile, inputs
from twin.operations import Desk, Instruments
from twin.recording import Gatherer, Tick, columns, recorded_units
from twin.replay import Replay
from twin.routing import Routes
from twin.scenario import Change, ControllerSpec, RunSettings, Scenario
from twin.scenario.chance import DRAWN, drawn_rows
from twin.scenario.changes import Ramp
from twin.scenario.looping import blamed, said
from twin.scenario.sags import edges
from twin.scenario.sensors import is_reading
from twin.scheduler import Scheduler
from twin.settling import begin, settle
from twin.trace import Event, Recorder, because

__all__ = ["BrokenBalance", "ClosedLoop", "RunResult", "Simulation", "recorded", "settle", "simulate"]

QUANTUM = 1e-3
"""Length of the clock's unit [s]; ticks are whole numbers of it."""
CHANGES, CONTROL, STEP = 10, 20, 30
"""What comes first among entries of one moment."""
BLOCK = 64
"""Most ticks held before they are checked and written."""
HELD = 2e8
"""Most bytes that the ticks of a block hold; an estimate, at 40 quantities a unit."""
SWEEP = 200_000
"""Objects made and not yet freed before Python looks for cycles among them; at its usual 700 that is 4 % of a run."""


@dataclass(frozen=True)
class RunResult:
    """How a run went."""

    trace: Path
    simulated_seconds: float
    wall_seconds: float
    ticks: int
    members: int
    unit_count: int
    energy_residual: float
    device: str
    note: str = ""


class Simulation:
    """A plant, its Inputs and its State on one clock; `run` advances it through a scenario's calendar."""

    def __init__(
        self, scenario: Scenario, *, device: str = "auto", begun: tuple[Model, State] | None = None
    ) -> None:  # `begun`: the model, and the steady state of one member, where they are known
        self.scenario, self.settings = scenario, scenario.run
        self.desk: Desk | None = None
        self.model = compile(scenario.plant, open_device(device)) if begun is None else begun[0]
        self.members, self.replay = scenario.run.members, Replay(self.model)
        self.inputs = inputs(self.model, self.members)
        for change in scenario.initial:
            self.put(change, change.value)
        with _seldom_swept():
            begins = begun and widened(*begun, self.members)
            begins = begins or settle(self.model, self.inputs, self.members)
            self.state = begin(self.model, begins, scenario.start)
        if looped := loop_of(self.model, self.state):
            raise ClosedLoop(self._blamed(f"{looped} at the start", 0.0))
        self.environment = simpy.Environment(initial_time=0)
        self.ramps: list[Ramp] = []
        self.instruments = Instruments(self.model, self.members)
        self.ticks = self.reached = 0
        self.gatherer: Gatherer | None = None
        self.told: Callable[[float], None] = lambda seconds: None
        self.edges = sorted({_quanta(moment) for moment in edges(scenario.plant, scenario.initial + scenario.changes)})
        self.block = int(min(max(HELD / (320.0 * self.members * self.model.unit_count), 1), BLOCK))

    def put(self, change: Change, value: float) -> None:
        """Write an Input. The array is replaced, never written into: recorded ticks keep theirs."""
        if is_reading(change.input):
            now = self.state.rows, self.inputs, self.state.outputs
            self.instruments.put(change.unit, change.input, change.member, value, now)
            return
        key, row = self.model.seats[change.unit]
        array = getattr(self.inputs[key], change.input).copy()
        array[slice(None) if change.member is None else change.member, row] = value
        self.inputs[key] = replace(self.inputs[key], **{change.input: array})

    def value(self, change: Change) -> Any:
        """What an Input is now, per member."""
        if is_reading(change.input):
            return self.instruments.value(change.unit, change.input, change.member)
        key, row = self.model.seats[change.unit]
        array = getattr(self.inputs[key], change.input)
        return array[:, row].copy() if change.member is None else array[change.member, row].copy()

    def run(self, gatherer: Gatherer | None = None, told: Callable[[float], None] | None = None) -> None:
        """Run to the end of the scenario.

        Raises:
            BrokenBalance: energy was made or lost.
            ClosedLoop: switches closed a loop; the message names the event, the time and the loop.
        """
        self.gatherer, self.told = gatherer, told or self.told
        calendar = self.environment
        calendar.process(self._apply(_by_time(self.scenario.changes, self.settings.duration)))
        for spec in self.scenario.controllers:
            calendar.process(self._control(spec))
        if self.scenario.operations:
            staff = lambda people: simpy.PriorityResource(calendar, people)  # noqa: E731
            self.desk = Desk(self, calendar.process, self._later, staff, lambda: calendar.now * QUANTUM, self._told)
            self.desk.open_up()
        for fabric in self.scenario.plant.fabrics.values():
            calendar.process(Routes(self.model, fabric).watch(self, self._later, self._seen))
        if (queue := self.scenario.scheduler) is not None:
            calendar.process(Scheduler(self.model, queue, self.members).watch(self, self._later, self._found))
        calendar.process(self._clock())
        end = simpy.Event(calendar)
        self.finished = end
        try:
            with _seldom_swept():
                calendar.run(until=end)
            if gatherer is not None:
                gatherer.close()
        except ClosedLoop as loop:
            raise ClosedLoop(self._blamed(str(loop), loop.time, loop.member)) from None

    def _blamed(self, text: str, time: float, member: int = 0) -> str:
        """What closed a loop, before the words for it: the last event that switched ties or mains, and its line."""
        changes = self.scenario.initial + self.scenario.changes + (self.desk.wrote if self.desk is not None else [])
        change = blamed(self.scenario.plant, changes, time, member)
        if change is None:
            return text
        place = f"{change.where}: " if change.where else ""
        return f"{place}{'' if time - change.time < self.settings.tick else 'after '}{said(change)}: {text}"

    def _wait(self, delay: int, priority: int) -> simpy.Event:
        """A moment on the calendar, with its place among others of the same moment."""
        event = simpy.Event(self.environment)
        event._ok, event._value = True, None
        self.environment.schedule(event, priority, delay)
        return event

    def _apply(self, groups: list[tuple[int, list[Change]]]) -> Iterator[simpy.Event]:
        """All changes in turn: one entry of the calendar, however many wait."""
        for when, group in groups:
            yield self._wait(when - self.environment.now, CHANGES)
            self.apply(group)

    def apply(self, group: list[Change]) -> None:
        """Write the Changes of this moment, and tell of them."""
        for change in group:
            if self.ramps:
                self.ramps = [ramp for ramp in self.ramps if not ramp.is_of(change)]
            if change.until is not None and change.until > change.time:
                self.ramps.append(Ramp(change, self.value(change)))
            else:
                self.put(change, change.value)
            self._note(change)
            if self.desk is not None:
                self.desk.heard(change)

    def _note(self, change: Change) -> None:
        if self.gatherer is not None and change.verb not in ("weather", "demand", "detail"):
            for member in range(self.members) if change.member is None else (change.member,):
                self.gatherer.note(Event(change.time, member, change.unit, f"input:{change.input}", change.value))
                if change.member is not None and change.why and change.verb in DRAWN:
                    said = because(change.why)
                    self.gatherer.note(Event(change.time, member, change.unit, said, change.repair or 0.0))

    def _control(self, spec: ControllerSpec) -> Iterator[simpy.Event]:
        controller = CONTROLLERS[spec.kind](self.model, self.state, spec.gain, self.inputs)
        period = max(1, round(spec.period / QUANTUM))
        while True:
            yield self._wait(period, CONTROL)
            self.inputs |= controller.act(self.state, self.inputs, self.reached * QUANTUM)

    def _later(self, seconds: float, rank: int = 0) -> simpy.Event:
        return self._wait(max(round(seconds / QUANTUM), seconds > 0), CONTROL + rank)

    def _found(self, member: int, unit: str, name: str, value: float) -> None:
        flag = because(name, "") if ":" in name else f"input:{name}"
        self._told(self.environment.now * QUANTUM, member, unit, flag, value)

    def _seen(self, member: int, unit: str, name: str, value: float) -> None:
        """Tell of an Input that follows from the State, at the moment for which the State stands."""
        self._told(max(self.environment.now, self.reached) * QUANTUM, member, unit, f"input:{name}", value)

    def _told(self, *event: Any) -> None:
        if self.gatherer is not None:
            self.gatherer.note(Event(*event))

    def _clock(self) -> Iterator[simpy.Event]:
        calendar, end = self.environment, round(self.settings.duration / QUANTUM)
        now = 0
        while now < end:
            yield self._wait(now - calendar.now, STEP)
            nearest = calendar.peek()
            until = end if nearest == float("inf") else min(end, max(int(nearest), now + 1))
            now = self._block(now, until, end)
            self.told(now * QUANTUM)
        self.finished.succeed()

    def _block(self, now: int, until: int, end: int) -> int:
        """Ticks up to the next entry of the calendar, without going back to it."""
        while now < until:
            length = min(self.tick_at(now), end - now)
            self._follow_ramps(now * QUANTUM)
            self.state = self.replay.step(self.state, self.inputs, now * QUANTUM, length * QUANTUM)
            self.ticks += 1
            self.reached = now = now + length
            if self.desk is not None:
                self.desk.tick((now - length) * QUANTUM, now * QUANTUM)
            if self.gatherer is not None:
                kept = self._kept(now, length) or now == end
                start = (now - length) * QUANTUM
                self.gatherer.add(Tick(self.ticks, start, now * QUANTUM, self.state, dict(self.inputs), kept))
                if len(self.gatherer.ticks) >= self.block:
                    self.gatherer.tell()
                    self.told(now * QUANTUM)
        return now

    def tick_at(self, now: int) -> int:
        """Length of the tick that begins at a moment, in quanta.

        Ticks end where a zoom begins or ends, and where a feed of the site begins or ends a sag, a swell or an outage:
        what lasts for part of a tick is a tick of its own, and the next one ends where it would have ended.
        """
        regular, began, limit = round(self.settings.tick / QUANTUM), 0, math.inf
        for zoom in self.settings.zooms:
            first, last = round(zoom.at / QUANTUM), round((zoom.at + zoom.length) / QUANTUM)
            if now < first:
                limit = first
                break
            if now < last:
                regular, began, limit = round(zoom.tick / QUANTUM), first, last
                break
            began = last
        place = bisect_right(self.edges, now)
        if place < len(self.edges):
            limit = min(limit, self.edges[place])
        return int(min(regular - (now - began) % regular, limit - now))

    def _kept(self, now: int, length: int) -> bool:
        """Whether the tick that ends now is recorded: each one in a zoom, else one per recording period."""
        period = round((self.settings.record or self.settings.tick) / QUANTUM)
        return length < round(self.settings.tick / QUANTUM) or now % period < length

    def _follow_ramps(self, now: float) -> None:
        for ramp in self.ramps:
            self.put(ramp.change, ramp.at(now))
        self.ramps = [ramp for ramp in self.ramps if now < ramp.until]


@contextlib.contextmanager
def _seldom_swept() -> Iterator[None]:
    """Seldom searches for cycles of dead objects: a tick makes a thousand objects and no cycle, and most live short."""
    usual = gc.get_threshold()
    gc.set_threshold(SWEEP, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _by_time(changes: list[Change], duration: float) -> list[tuple[int, list[Change]]]:
    """Changes grouped by moment in quanta, each group in the order written."""
    groups: dict[int, list[Change]] = {}
    for change in changes:
        if change.time <= duration:
            groups.setdefault(_quanta(change.time), []).append(change)
    return sorted(groups.items())


def _quanta(moment: float) -> int:
    """The first moment of the clock at or after a moment [s], in quanta."""
    return max(0, math.ceil(moment / QUANTUM - 1e-9))


def simulate(
    scenario: Scenario,
    *,
    trace: Path,
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> RunResult:
    """Run a scenario and write its trace.

    Args:
        scenario: what `twin.scenario.read` gave.
        trace: HDF5 file to write.
        device: "auto", "cpu" or "gpu".
        progress: called now and then with the simulated seconds so far.

    Raises:
        DeviceUnavailable: "gpu" was asked for and none works.
        BrokenBalance: energy was made or lost; the trace holds the ticks before.
        TraceWriteError: the trace cannot be written.
    """
    began = time.perf_counter()
    simulation = Simulation(scenario, device=device)
    worst = recorded(simulation, trace, progress)
    return RunResult(
        Path(trace),
        scenario.run.duration,
        time.perf_counter() - began,
        simulation.ticks,
        simulation.members,
        simulation.model.unit_count - 1,  # the site itself is no machine
        worst,
        simulation.model.device.name,
        simulation.model.device.note,
    )


def recorded(simulation: Simulation, trace: Path, progress: Callable[[float], None] | None = None) -> float:
    """Run to the end of the scenario and write the trace; the worst energy residual of any tick and of the run.

    Raises:
        BrokenBalance, ClosedLoop: as `Simulation.run`; the trace holds the ticks before.
        TraceWriteError: the trace cannot be written.
    """
    scenario = simulation.scenario
    recorder = _recorder(scenario, simulation, trace)
    finished = False
    try:
        gatherer = Gatherer(simulation.model, recorder, simulation.state, simulation.inputs)
        simulation.run(gatherer, progress)
        finished = True
    finally:
        summary = {"finished": finished, "criteria": [c.written() for c in scenario.criteria]}
        with contextlib.suppress(Exception) if not finished else contextlib.nullcontext():
            recorder.close(summary)
    return gatherer.worst


def _recorder(scenario: Scenario, simulation: Simulation, path: Path) -> Recorder:
    model, settings = simulation.model, scenario.run
    return Recorder(
        path,
        columns=columns(model),
        units=recorded_units(model),
        members=simulation.members,
        steps=round(settings.duration / (settings.record or settings.tick)) + 1,
        plant_json=scenario.plant.to_json(),
        scenario_text=scenario.text,
        provenance=_provenance(scenario, settings, model),
    )


def _provenance(scenario: Scenario, settings: RunSettings, model: Model) -> dict[str, str | float | int]:
    said: dict[str, str | float | int] = {
        "title": scenario.title,
        "twin_version": __version__,
        "python_version": platform.python_version(),
        **{f"{name}_version": version(name) for name in ("numpy", "h5py", "simpy", "networkx")},
        **({"cupy_version": model.xp.__version__} if model.device.is_gpu else {}),
        "device": model.device.name,
        "seed": settings.seed,
        "members": settings.members,
        "tick": settings.tick,
        "duration": settings.duration,
        "scenario_sha256": hashlib.sha256(scenario.text.encode()).hexdigest(),
    }
    for name, digest in scenario.inputs.items():
        said[f"sha256:{Path(name).name}"] = digest
    said["drawn_rows"] = drawn_rows(scenario.changes + scenario.initial)
    return said
