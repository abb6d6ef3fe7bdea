"""What a trace says, read once for the whole report: its first fault, its flags' spans, its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from twin.declare import Flag, Quantity, quantities
from twin.equipment import KINDS
from twin.report.known import INPUT, LATENT, SHORTED
from twin.report.operations import Log, is_deed
from twin.report.sensing import Sensing, asked_of_sensor
from twin.report.told import Told, read_told
from twin.report.words import lasting, say, words
from twin.scenario.sensors import WRONG, is_reading
from twin.trace.layout import CAUSE, TOLD, WAITS

if TYPE_CHECKING:
    from twin.plant import Plant
    from twin.trace import Event, Trace

KEEP = 300_000_000
"""Bytes of columns held in memory while a report is made."""
ORDER = {kind: place for place, kind in enumerate(KINDS)}
"""Kinds in the order that people read them: from the grid to the room."""
PHASE_WORDS = {
    1.0: "waits for racks (scheduler)",
    2.0: "gets its racks (scheduler)",
    3.0: "is asked to save and give its racks back (scheduler)",
    4.0: "has finished (scheduler)",
}
"""What a scheduler does with a job, by its phase."""
WEATHER = ("dry_bulb", "wet_bulb")


@cache
def flags_of(kind: str) -> dict[str, Flag]:
    """The flags that a kind declares, by name."""
    if kind not in KINDS:
        return {}
    return {name: said.flag for name, said in quantities(KINDS[kind].State).items() if said.flag is not None}


@cache
def said_of(kind: str, part: str) -> dict[str, Quantity]:
    """The quantities of a kind: `part` is parameters, Inputs, State or Outputs."""
    if kind not in KINDS:
        return {}
    return quantities(KINDS[kind] if part == "parameters" else getattr(KINDS[kind], part))


@dataclass(frozen=True)
class Span:
    """A time during which a flag stood; `end` is None where it still stands at the end of the run."""

    unit: str
    member: int
    start: float
    end: float | None

    def until(self, last: float) -> float:
        return last if self.end is None else self.end


@dataclass(frozen=True)
class Fault:
    """The first thing that goes wrong in a member's run: an Input that the scenario changed."""

    time: float
    unit: str
    input: str
    what: str
    is_failure: bool


def asked(kind: str, name: str, value: float, over: float | None = None) -> tuple[str, int]:
    """What an input change means, in words, and its sense: 1 takes away, -1 gives back, 0 neither.

    Args:
        kind: kind of the unit.
        name: the Input.
        value: what it becomes, in SI.
        over: seconds that it takes, where it is a ramp.
    """
    if is_reading(name):
        return asked_of_sensor(kind, name, value, _within(over) if over is not None else "")
    said = said_of(kind, "Inputs").get(name)
    if name == "in_service":
        return ("is put back in service (restore)", -1) if value >= 0.5 else ("is taken out of service (fail)", 1)
    if name == "reset" and value >= 0.5:
        return "is told to reset (set)", -1
    if name == "isolated":
        return ("is shut off by hand (set)", 1) if value >= 0.5 else ("is opened by hand (set)", -1)
    if name == "short_circuit":
        return ("is short-circuited (fault)", 1) if value >= 0.5 else ("has its short circuit cleared (restore)", -1)
    if said is not None and said.failure:
        told = re.sub(r"^1(:| when it| when|,)?\s+", "", said.doc)
        told = re.sub(r"^share of (its \w+s) that ", r"\1 ", told)
        if value not in (0.0, 1.0):
            share = say(value, said.unit, share=0 < value <= 1)
            return f"gets {words(name)} {share} (set)", 1 if value > 0 else -1
        return (f"fails: {told} (fail)", 1) if value >= 0.5 else (f"is mended: {told} (restore)", -1)
    if (kind, name) == ("job", "phase"):
        return PHASE_WORDS.get(value, "is gone"), 0
    if said is not None and said.choices:
        word = next((word for word, code in said.choices.items() if code == value), f"{value:g}")
        if name == "mode":
            return f"is switched to {words(word)} (set)", 1 if value != said.default else -1
        return f"gets {words(name)} {words(word)} (set)", 0
    to = say(value, said.unit if said is not None else "1", share=0 < value <= 1)
    if name == "power_request":
        return f"is asked to go to {to} of its power{_within(over)} (grid)", -1 if value >= 1 else 0
    if (kind, name) == ("utility", "voltage") and over is None:
        to = say(value, "1", share=True)
        if 0.9 <= value <= 1.1:
            return f"has {to} of its voltage", -1
        return f"{'sags' if value < 1 else 'swells'} to {to} of its voltage", 1
    if name == "bandwidth_share" and over is None:
        return _bandwidth(value)
    shuts = int((kind, name) == ("valve", "opening") and value <= 0)
    if over is not None:
        return f"moves to {words(name)} {to}{_within(over)} (ramp)", shuts
    return f"gets {words(name)} {to} (set)", shuts


def _bandwidth(share: float) -> tuple[str, int]:
    """What a fabric leaves a rack of its bandwidth, in words."""
    if share >= 1:
        return "has all its bandwidth to other racks again", -1
    left = f"has {say(share, '1', share=True)} of its bandwidth to other racks" if share > 0 else ""
    return left or "is cut off from other racks", 1


def _within(over: float | None) -> str:
    return f" within {lasting(over)}" if over else ""


class Story:
    """One trace, opened for reporting; everything here is read or computed once."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.time = np.asarray(trace.time, dtype=float)
        self.members = int(trace.members)
        self.kinds = sorted(trace.kinds, key=lambda kind: ORDER.get(kind, len(ORDER)))
        self._kept: dict[str, np.ndarray] = {}

    @property
    def start(self) -> float:
        return float(self.time[0]) if self.time.size else 0.0

    @property
    def end(self) -> float:
        return float(self.time[-1]) if self.time.size else 0.0

    @cached_property
    def plant(self) -> Plant:
        return self.trace.plant

    @cached_property
    def told(self) -> Told:
        """What the scenario said in words."""
        summary = self.trace.summary or {}
        return read_told(self.trace.scenario_text, self.plant, summary.get("criteria", ()))

    @cached_property
    def events(self) -> list[Event]:
        """What happened to units, in order; what operations did stands in `log`, causes in `causes`."""
        said = (CAUSE, TOLD, WAITS)
        told = (each for each in self.trace.events if not is_deed(each) and not each.flag.startswith(said))
        return sorted(told, key=lambda event: event.time)

    @cached_property
    def log(self) -> Log:
        """What operations did: alarms, crews, procedures, repairs."""
        deeds = sorted(filter(is_deed, self.trace.events), key=lambda event: event.time)
        told = self.told
        return Log(deeds, told.operations, Sensing(told.operations, self.setting, told.moves, self.events))

    @cached_property
    def events_of(self) -> list[list[Event]]:
        """The events of each member, in order of time."""
        found: list[list[Event]] = [[] for _ in range(self.members)]
        for event in self.events:
            found[event.member].append(event)
        return found

    @cached_property
    def causes(self) -> list[Event]:
        """Why chance made units fail: events whose flags tell causes, in order of time."""
        told = (event for event in self.trace.events if event.flag.startswith(CAUSE))
        return sorted(told, key=lambda event: event.time)

    @cached_property
    def chances(self) -> dict[tuple[str, int, float], str]:
        """(unit, member, moment) -> the cause that chance chose, or what a scheduler said."""
        found: dict[tuple[str, int, float], str] = {}
        for each in self.trace.events:
            if each.flag.startswith((CAUSE, TOLD)):
                key, words = (each.unit, each.member, each.time), each.flag.partition(":")[2]
                found[key] = f"{found[key]}, {words}" if key in found else words
        return found

    @cached_property
    def scheduler_said(self) -> dict[tuple[str, str, int, float], list[str]]:
        """(TOLD or WAITS, job, member, moment) -> what a scheduler said of a job, in order."""
        found: dict[tuple[str, str, int, float], list[str]] = {}
        for each in self.trace.events:
            how, _, words = each.flag.partition(":")
            if f"{how}:" in (TOLD, WAITS):
                found.setdefault((f"{how}:", each.unit, each.member, each.time), []).append(words)
        return found

    @cached_property
    def kind_of(self) -> dict[str, str]:
        """Unit -> kind, from the plant and, for what it does not know, from the trace."""
        known = {unit: kind for kind in self.kinds for unit in self.trace.units(kind)}
        return known | {unit.name: unit.kind for unit in self.plant.units.values()}

    @cached_property
    def loop_of(self) -> dict[str, str]:
        """Unit -> the coolant loop that it feeds, or else is fed from, without the name of its block."""
        found: dict[str, str] = {}
        for loop in self.plant.loops.values():
            for branch in loop.loads:
                for element in branch:
                    found.setdefault(element.unit, loop.name.rpartition("/")[2])
        for loop in self.plant.loops.values():
            for unit in [element.unit for branch in loop.plant for element in branch] + [loop.storage or ""]:
                found[unit] = loop.name.rpartition("/")[2]
        return found

    def has(self, kind: str, name: str) -> bool:
        return kind in self.kinds and name in self.trace.columns(kind)

    def values(self, kind: str, name: str) -> np.ndarray | None:
        """A recorded column (time, member, unit) as floats, or None where it was not recorded."""
        if not self.has(kind, name) or not self.time.size:
            return None
        key = f"{kind}.{name}"
        if key not in self._kept:
            values = np.asarray(self.trace[key].values)
            if values.nbytes > KEEP:
                return values
            while self._kept and values.nbytes + sum(each.nbytes for each in self._kept.values()) > KEEP:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = values
        return self._kept[key]

    def total(self, kind: str, name: str) -> np.ndarray | None:
        """A column summed over the units of a kind, (time, member) in float64; NaN counts as nothing."""
        values = self.values(kind, name)
        return None if values is None else np.nansum(values, axis=2, dtype=float)

    def setting(self, kind: str, unit: str, name: str, member: int, time: float) -> float | None:
        """What an Input was at a moment: as the events tell, else as recorded, else its default."""
        told = self._settings.get((unit, name, member), [])
        before = [value for when, value in told if when <= time]
        if before:
            return before[-1]
        values = self.values(kind, name)
        if values is not None and unit in self.trace.units(kind):
            row = min(int(np.searchsorted(self.time, time)), len(self.time) - 1)
            return float(values[row, member, self.trace.units(kind).index(unit)])
        said = said_of(kind, "Inputs").get(name)
        return None if said is None else said.default

    @cached_property
    def _settings(self) -> dict[tuple[str, str, int], list[tuple[float, float]]]:
        found: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
        for event in self.events:
            if event.flag.startswith(INPUT):
                key = (event.unit, event.flag.removeprefix(INPUT), event.member)
                found.setdefault(key, []).append((event.time, event.value))
        return found

    @cached_property
    def steps(self) -> np.ndarray:
        """Seconds that each recorded row speaks for: from the row before it to itself."""
        return np.diff(self.time, prepend=self.time[:1])

    @cached_property
    def weights(self) -> np.ndarray:
        """The same, and one for each row where the trace is too short to know."""
        return self.steps if self.steps.sum() > 0 else np.ones_like(self.steps)

    @cached_property
    def faults(self) -> list[Fault | None]:
        """The first fault of each member.

        A fault is an Input that takes away: a unit out of service, a declared failure, a mode that is not the normal
        one; a short circuit goes before all others. What only lies in wait (a brake that would not act, a wrong
        sensor) counts where nothing else goes wrong. What is already so at the start counts only where nothing
        follows; without any, the first other change that the scenario makes (not the weather) stands for it.
        """
        found: list[Fault | None] = [None] * self.members
        rank: list[tuple[float, ...]] = [(9,)] * self.members
        for event in self.events:
            order, fault = self._as_fault(event)
            if order < rank[event.member]:
                rank[event.member], found[event.member] = order, fault
        return found

    def _as_fault(self, event: Event) -> tuple[tuple[float, ...], Fault | None]:
        """How strong a claim an event has to be the first fault (the smallest is strongest, 9 is none)."""
        name = event.flag.removeprefix(INPUT)
        if not event.flag.startswith(INPUT) or name in (*WEATHER, "phase") or self.by_fabric(event):
            return (9,), None
        if name == "request_rate" and (event.unit, name, round(event.time, 3)) not in self.told.reasons:
            return (9,), None  # demand comes and goes
        what, sense = self.asked(event)
        later = event.time > self.start
        waits = LATENT.search(name) is not None or name.rpartition(".")[2] in WRONG
        order = {(1, True): 0.5 * waits, (1, False): 1}.get((sense, later), 2 if later else 3)
        if event.flag == SHORTED and sense == 1:
            order = -1
        fault = Fault(float(event.time), event.unit, name, what, sense == 1)
        return (order, event.time, name != "in_service"), fault

    def by_fabric(self, event: Event) -> bool:
        """Whether a fabric wrote an Input, as a consequence of what happened to it."""
        return event.flag == f"{INPUT}bandwidth_share" and event.unit in self.rails

    @cached_property
    def rails(self) -> dict[str, int]:
        """Racks and switches of fabrics -> the one rail that they carry; 0 where there are several, or none is told."""
        found: dict[str, int] = {}
        for fabric in self.plant.fabrics.values():
            found |= dict.fromkeys((*fabric.racks, *fabric.switches), 0) | fabric.rail_of
        return found

    def asked(self, event: Event) -> tuple[str, int]:
        """What an event on an Input means, in words, and its sense."""
        name = event.flag.removeprefix(INPUT)
        key = (event.unit, name, round(event.time, 3))
        over = self.told.moves.get(key) or self.log.moves.get(key)
        return asked(self.kind_of.get(event.unit, ""), name, event.value, over)

    @cached_property
    def spans(self) -> dict[tuple[str, str], list[Span]]:
        """For each (kind, flag), when it stood, in order of starting."""
        open_since: dict[tuple[str, str, int], float] = {}
        spans: dict[tuple[str, str], list[Span]] = {}
        for kind in self.kinds:
            for name in flags_of(kind):
                for unit, member in self._standing_at_start(kind, name):
                    open_since[unit, name, member] = self.start
        for event in self.events:
            if event.flag.startswith(INPUT):
                continue
            key = (event.unit, event.flag, event.member)
            if event.value >= 0.5:
                open_since.setdefault(key, float(event.time))
            elif key in open_since:
                self._close(spans, key, open_since.pop(key), float(event.time))
        for key, since in open_since.items():
            self._close(spans, key, since, None)
        for rows in spans.values():
            rows.sort(key=lambda span: span.start)
        return spans

    @cached_property
    def spans_of(self) -> list[dict[tuple[str, str], list[Span]]]:
        """The spans of each member."""
        found: list[dict[tuple[str, str], list[Span]]] = [{} for _ in range(self.members)]
        for key, spans in self.spans.items():
            for span in spans:
                found[span.member].setdefault(key, []).append(span)
        return found

    def _close(
        self,
        spans: dict[tuple[str, str], list[Span]],
        key: tuple[str, str, int],
        since: float,
        end: float | None,
    ) -> None:
        unit, flag, member = key
        spans.setdefault((self.kind_of.get(unit, ""), flag), []).append(Span(unit, member, since, end))

    def _standing_at_start(self, kind: str, flag: str) -> list[tuple[str, int]]:
        """Who has the flag up in the first recorded row and did not raise it at that very moment."""
        values = self.values(kind, flag)
        if values is None:
            return []
        raised = {(e.unit, e.member) for e in self.events if e.flag == flag and e.time <= self.start and e.value >= 0.5}
        units = self.trace.units(kind)
        rows, columns = np.nonzero(values[0] >= 0.5)
        each = [(units[column], int(row)) for row, column in zip(rows, columns, strict=True)]
        return [pair for pair in each if pair not in raised]

    def flagged(self, flag: str, member: int | None = None) -> list[Span]:
        """The spans of a flag in all kinds that declare it, of one member or of all."""
        listed = self.spans if member is None else self.spans_of[member]
        rows = [span for (_, name), spans in listed.items() if name == flag for span in spans]
        return sorted(rows, key=lambda span: span.start)
