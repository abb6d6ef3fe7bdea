"""What a batch of cases keeps in memory instead of a trace: some columns, all events, and each member's own story."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from twin.arrays import to_host
from twin.declare import quantities
from twin.model import Model, State
from twin.networks.tables import AllRows
from twin.recording import columns, recorded_units
from twin.report.story import Fault, Story, said_of
from twin.report.told import Told
from twin.trace import Column, Event, Series

if TYPE_CHECKING:
    from twin.plant import Plant
    from twin.trace import Trace

Key = tuple[str, str]
"""Kind and quantity."""
ALWAYS: frozenset[Key] = frozenset(
    ("site", name) for name in ("it_power", "energy_residual", "work_energy", "energy_cost")
)
"""Columns that every case is judged by."""


class Wanted(KeyError):
    """A column was asked for that the batch did not keep; it is run again with it."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


class Keeper:
    """Takes what a recorder would take, and keeps it; numbers have the digits that a trace would give them."""

    def __init__(self, model: Model, keys: frozenset[Key]) -> None:
        every = columns(model)
        self.columns = [column for column in every if (column.kind, column.name) in keys]
        self.known: dict[str, dict[str, Column]] = {}
        for column in every:
            self.known.setdefault(column.kind, {})[column.name] = column
        self.units = recorded_units(model)
        self.times: list[np.ndarray] = []
        self.rows: dict[Key, list[np.ndarray]] = {(c.kind, c.name): [] for c in self.columns}
        self.events: list[Event] = []

    def append(self, times: np.ndarray, blocks: dict[Key, Any], events: list[Event]) -> None:
        """Add rows, as `Recorder.append` does."""
        self.times.append(times)
        for column in self.columns:
            block = to_host(blocks[column.kind, column.name]).astype(column.dtype)
            shape = (len(times), *block.shape[1:])
            self.rows[column.kind, column.name].append(
                block if len(block) == len(times) else np.broadcast_to(block, shape)
            )
        self.events += events

    @cached_property
    def time(self) -> np.ndarray:
        return np.concatenate(self.times)

    @cached_property
    def values(self) -> dict[Key, np.ndarray]:
        """Each kept column, (time, member, unit)."""
        return {key: np.concatenate(blocks) for key, blocks in self.rows.items()}

    @cached_property
    def events_of(self) -> dict[int, list[Event]]:
        """Events by member, each as a run of that member alone has them."""
        found: dict[int, list[Event]] = {}
        for each in sorted(self.events, key=lambda event: (event.time, event.member)):
            found.setdefault(each.member, []).append(Event(each.time, 0, each.unit, each.flag, each.value))
        return found


@dataclass
class Begun:
    """How a batch begins, the same for all its members: flags that stand, and Inputs, by unit."""

    flags: dict[Key, list[str]]
    inputs: dict[str, dict[str, np.ndarray]]
    seats: dict[str, tuple[str, int]]

    @staticmethod
    def of(model: Model, state: State, asked: AllRows) -> Begun:
        """Read the first member."""
        flags: dict[Key, list[str]] = {}
        for t in model.tables:
            for name in [name for name, said in quantities(t.machine.State).items() if said.flag is not None]:
                up = to_host(getattr(state.rows[t.key], name))[0]
                flags.setdefault((t.kind, name), []).extend(t.names[row] for row in np.flatnonzero(up >= 0.5))
        inputs = {key: {name: to_host(values)[0] for name, values in vars(row).items()} for key, row in asked.items()}
        return Begun(flags, inputs, model.seats)


class MemberTrace:
    """One member of a batch, as a trace that holds it alone."""

    path = Path("a member of a sweep")
    scenario_text = ""
    summary: dict[str, Any] = {"finished": True}
    provenance: dict[str, Any] = {}

    def __init__(self, keeper: Keeper, member: int, plant: Plant) -> None:
        self._keeper, self._member, self.plant = keeper, member, plant
        self.time, self.members, self.kinds = keeper.time, 1, list(keeper.units)
        self.events = keeper.events_of.get(member, [])

    def units(self, kind: str) -> list[str]:
        return self._keeper.units[kind]

    def columns(self, kind: str) -> dict[str, Column]:
        return self._keeper.known[kind]

    def __getitem__(self, name: str) -> Series:
        kind, _, quantity = name.rpartition(".")
        found = self._keeper.values.get((kind, quantity))
        if found is None:
            raise Wanted((kind, quantity))
        column = self._keeper.known[kind][quantity]
        own = found[:, self._member : self._member + 1]
        return Series(name, own, column.unit, column.doc, self.time, self.units(kind))


class MemberStory(Story):
    """The story of one case: its seconds count from its own failures, whatever else the scenario does."""

    def __init__(self, trace: MemberTrace, told: Told, begun: Begun, fault: Fault) -> None:
        super().__init__(cast("Trace", trace))
        self._begun, self._fault = begun, fault
        self.__dict__["told"] = told

    @cached_property
    def faults(self) -> list[Fault | None]:
        """The case's own failure."""
        return [self._fault]

    def _standing_at_start(self, kind: str, flag: str) -> list[tuple[str, int]]:
        up = self._begun.flags.get((kind, flag), [])
        if not up:
            return []
        raised = {e.unit for e in self.events if e.flag == flag and e.time <= self.start and e.value >= 0.5}
        return [(unit, 0) for unit in up if unit not in raised]

    def setting(self, kind: str, unit: str, name: str, member: int, time: float) -> float | None:
        """What an Input was at a moment: as events tell, else as it was at the start."""
        before = [value for when, value in self._settings.get((unit, name, member), []) if when <= time]
        if before:
            return before[-1]
        key, row = self._begun.seats.get(unit, ("", 0))
        values = self._begun.inputs.get(key, {}).get(name)
        if values is not None:
            return float(values[row])
        said = said_of(kind, "Inputs").get(name)
        return None if said is None else said.default
