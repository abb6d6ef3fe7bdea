"""Stores: what a rung of the ladder says of one, and what of a trace it is read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from twin.report.moments import EARLY, MINUTE, last_row_before, since
from twin.report.story import Span, Story
from twin.report.words import lasting

STILL = 0.1
"""A rack whose flow fell below this share of what it was [1] stood without flow."""
LONGEST = 1e8
"""Foreseen times beyond this [s] are none: nothing draws on the store."""
LEAST = 1.0
"""Loads below this [W] draw on nothing."""


@dataclass(frozen=True)
class Rung:
    """One store: what it holds, the load on it, and the seconds to its limit as foreseen and as they came.

    `foreseen` is of the unit that would be the first of its kind, were its supply cut at the fault and nothing done;
    `came` is None where none of them reached the limit. `used` is the most of the reserve that was used of any, 1 at
    the limit. `worst` says who came nearest, and how near. A battery may carry more after the fault than before it (the
    other cord's load): `burdened` is its time at that load.
    """

    asset: str
    units: list[str]
    holds: str
    load: str
    limit: str
    law: str
    source: str
    foreseen: float | None
    unit: str
    came: float | None
    came_unit: str
    used: float | None
    worst: str
    burdened: float | None = None
    """Seconds that what it held at the fault lasts at the greatest load after it, where that is less; and whose [s]."""
    burdened_unit: str = ""
    burden: str = ""
    """That load, in words."""

    @property
    def least(self) -> float | None:
        """The shorter of both times [s]."""
        return self.foreseen if self.burdened is None else self.burdened

    def seconds_said(self) -> str:
        """Both times, in words."""
        if self.foreseen is None and self.burdened is None:
            return "-"
        first = "-" if self.foreseen is None else lasting(self.foreseen)
        return first if self.burdened is None else f"{first}; {lasting(self.burdened)} as loaded after"

    def load_said(self) -> str:
        """Both loads, in words."""
        return self.load if self.burdened is None else f"{self.load}; {self.burden} after ({self.burdened_unit})"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def outcome(self) -> str:
        """What came of it, in words."""
        if self.came is not None:
            return f"at its limit after {lasting(self.came)}: {self.came_unit}"
        return self.worst or "not drawn on"


LOADS, AUTONOMY = ("need", "carried_load", "input_power", "gpu_power", "heat"), "autonomy"
"""What goes up and down with the iterations of training: one row of it is a moment."""


class Ladder:
    """One member's stores in the making."""

    def __init__(self, story: Story, member: int) -> None:
        self.story, self.member = story, member
        self.zero = since(story, member)
        self.row = last_row_before(story, self.zero)
        first = last_row_before(story, self.zero - MINUTE) + 1 if "job" in story.kinds else self.row
        self.rows = self.row + 1 - min(first, self.row)

    def now(self, kind: str, name: str) -> np.ndarray | None:
        """A quantity of each unit of a kind at the fault; a load is the mean of the minute before where jobs train."""
        found = self._series(kind, name, self.row + 1)
        return None if found is None else found[0]

    def after(self, kind: str, name: str) -> np.ndarray | None:
        """The same from the fault on, (time, unit)."""
        return self._series(kind, name, None)

    def _series(self, kind: str, name: str, end: int | None) -> np.ndarray | None:
        values = self.story.values(kind, name)
        if values is None:
            return None
        rows = self.rows if name in (*LOADS, AUTONOMY) else 1
        known = np.asarray(values[self.row + 1 - rows : end, self.member], dtype=float)
        if rows == 1:
            return known
        with np.errstate(divide="ignore"):
            known = 1.0 / known if name == AUTONOMY else known  # mean drain, not mean time
            means = sliding_window_view(known, rows, axis=0).mean(axis=-1)
            return np.asarray(1.0 / means if name == AUTONOMY else means)

    def of(self, unit: str, name: str) -> float | None:
        """A quantity of one unit at the fault."""
        kind = self.story.kind_of.get(unit, "")
        values = self.now(kind, name) if kind in self.story.kinds else None
        return None if values is None else float(values[self.story.trace.units(kind).index(unit)])

    def heat(self, units: Iterable[str], name: str = "heat") -> float:
        """A power of several units together at the fault [W]."""
        return sum(value for unit in units if (value := self.of(unit, name)) is not None and value == value)

    def standing(self, kind: str) -> list[str]:
        """The units of a kind through which at some time after the fault next to nothing flowed."""
        flow, start = self.after(kind, "flow"), self.now(kind, "flow")
        if flow is None or start is None:
            return []
        stood = np.any(flow < STILL * start, axis=0).tolist()
        return [unit for unit, is_still in zip(self.story.trace.units(kind), stood, strict=True) if is_still]

    def machines(self, units: Sequence[str]) -> list[Any]:
        """The machines of some units; none at all where an older trace does not state what they now are built by."""
        try:
            return [self.story.plant.units[unit].machine() for unit in units]
        except TypeError:
            return []

    def rises(self, flags: Sequence[str], units: Iterable[str]) -> list[Span]:
        """When any of some units raised any of some flags, from the fault on."""
        wanted = set(units)
        spans = [span for flag in flags for span in self.story.flagged(flag, self.member) if span.unit in wanted]
        return sorted((s for s in spans if s.start >= self.zero - EARLY), key=lambda span: span.start)

    def rung(
        self,
        asset: str,
        units: list[str],
        times: np.ndarray,
        told: Sequence[tuple[str, str, str]],
        law: tuple[str, str],
        broken: list[Span],
        used: float | None,
        worst: str,
    ) -> Iterator[Rung]:
        """A rung of these units, if there are any; `told` says what each holds, its load and its limit."""
        if not units:
            return
        known = np.where(np.isfinite(times) & (times < LONGEST), times, np.inf)
        place = int(np.argmin(known))
        foreseen = float(known[place]) if np.isfinite(known[place]) else None
        came = None if not broken else max(0.0, broken[0].start - self.zero)
        by = broken[0].unit if broken else ""
        yield Rung(asset, units, *told[place], *law, foreseen, units[place], came, by, used, worst)
