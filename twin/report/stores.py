"""Stores: what a rung of the ladder says of one, and what of a trace it is read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from twin.report.moments import EARLY, MINUTE, last_row_before, since
from twin.report.story import Span, Story
from twin.report.words import clock, lasting

STILL = 0.1
"""A rack whose flow fell below this share of what it was [1] stood without flow."""
MOVED = 0.01
"""Up to this share of a reserve [1] it lies in what a controller lets go up and down."""
LONGEST = 1e8
"""Foreseen times beyond this [s] are none: nothing draws on the store."""
DRAWN = 1e-3
"""Up to this share of its reserve [1] a store was not drawn on."""
LEAST = 1.0
"""Loads below this [W] draw on nothing."""


@dataclass(frozen=True)
class Rung:
    """One store: what it holds, the load on it, and the seconds to its limit as foreseen and as they came.

    Every word and number is of one unit, the one that binds: of `units` the first at its limit; where none came there
    the one that used most of its reserve; where nothing was drawn on the one that would last least. `foreseen`: were
    its supply cut at the fault and nothing done. `began`: when it was itself cut off or drawn on [s of the run];
    `came`: its limit, in seconds from then on, None where it did not reach it. `used`: the share of its reserve that
    it used, 1 at the limit. A battery may carry more after the fault than before it (the other cord's load):
    `burdened` is its time at that load.
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
    began: float | None
    came: float | None
    used: float | None
    worst: str
    burdened: float | None = None
    """Seconds that what it held at the fault lasts at the greatest load after it, where that is less [s]."""
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
        return self.load if self.burdened is None else f"{self.load}; {self.burden} after"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def came_at(self) -> float | None:
        """The moment of its limit [s of the run]."""
        return None if self.came is None or self.began is None else self.began + self.came

    def outcome(self) -> str:
        """What came of it, in words; moments to the millisecond, as in the timeline."""
        since = "" if self.began is None else f", drawn on from {clock(round(self.began, 3))}"
        if self.came is not None and self.came_at is not None:
            return f"{self.unit}{since}: at its limit {lasting(self.came)} later, at {clock(round(self.came_at, 3))}"
        return f"{self.unit}{since}: {self.worst}" if self.worst else "not drawn on"


@dataclass
class Course:
    """What came of each unit of a store: what a rung says of the one that binds.

    used: the share of its reserve that each used [1]; broken: when any was at its limit, the first one first; began:
    when a unit was drawn on, before a moment or before it had used most [s]; said: how near it came, in words; drawn:
    the share of a reserve [1] up to which nothing was drawn on.
    """

    used: np.ndarray | None = None
    broken: Sequence[Span] = ()
    began: Callable[[int, float | None], float | None] = lambda place, moment: None
    said: Callable[[int], str] = lambda place: ""
    drawn: float = DRAWN


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
        course: Course,
    ) -> Iterator[Rung]:
        """A rung of these units, if there are any; `told` says what each holds, its load and its limit."""
        if not units:
            return
        known = np.where(np.isfinite(times) & (times < LONGEST), times, np.inf)
        used = np.zeros(len(units)) if course.used is None else np.nan_to_num(course.used, nan=0.0)
        came = course.broken[0] if course.broken else None
        drawn = came is not None or float(used.max()) > course.drawn
        place = units.index(came.unit) if came else int(np.argmax(used)) if drawn else int(np.argmin(known))
        began = course.began(place, came.start if came else None) if drawn else None
        began = self.zero if began is None and came is not None else began
        share = None if course.used is None and not came else 1.0 if came else float(used[place]) if drawn else 0.0
        yield Rung(
            asset, units, *told[place], *law,
            foreseen=float(known[place]) if np.isfinite(known[place]) else None, unit=units[place], began=began,
            came=None if came is None or began is None else max(0.0, came.start - began),
            used=share, worst=course.said(place) if drawn and came is None else "",
        )  # fmt: skip

    def row_at(self, moment: float) -> int:
        """The row of what `after` gives that shows a moment [s]."""
        return max(last_row_before(self.story, moment) - self.row, 0)

    def since_it_moved(self, share: np.ndarray, moment: float | None, still: float = MOVED) -> float | None:
        """When a share of a reserve (time,) began to be used, as `after` counts rows: the last row in which it was not.

        Args:
            moment: the use that led to what was so then is meant; else that to the most used.
            still: up to this much of it is none.
        """
        last = int(np.nanargmax(share)) if moment is None else min(self.row_at(moment), len(share) - 1)
        unused = np.flatnonzero(share[: last + 1] <= still)
        return float(self.story.time[self.row + (int(unused[-1]) if unused.size else 0)])
