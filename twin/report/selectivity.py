"""Selectivity: breakers that opened although one below them should have, by what a run shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.report.known import SAME_MOMENT, SHORTED
from twin.report.story import Story, flags_of
from twin.report.ties import shut_ties
from twin.report.upstream import Upstream

OVERLOAD, ON_CURRENT = "tripped", ("tripped", "tripped_short_time", "tripped_instantaneous")
"""Flags with which protection opens on current; the first is that of a kind's overload element."""
STUCK, BLIND = "failed_to_open", "input:protection_failed"
MOST_OVERLOAD = "overload_limit"


@dataclass(frozen=True)
class Turn:
    """A breaker that opened out of turn, the one below it whose turn it was, and why that did not come first."""

    time: float
    member: int
    unit: str
    instead_of: str
    backup: bool
    text: str


class Selectivity:
    """What the events of one trace say about the order in which breakers opened."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.upstream = Upstream(story.plant, shut_ties(story.plant, story.events))
        self.guards = {name for name, kind in story.kind_of.items() if set(ON_CURRENT) <= set(flags_of(kind))}

    @cached_property
    def changes(self) -> dict[tuple[str, str, int], list[tuple[float, bool]]]:
        """Moments at which each flag and Input of a unit rose or fell, per member."""
        found: dict[tuple[str, str, int], list[tuple[float, bool]]] = {}
        for event in self.story.events:
            found.setdefault((event.unit, event.flag, event.member), []).append((event.time, event.value >= 0.5))
        return found

    @cached_property
    def turns(self) -> list[Turn]:
        """Every opening out of turn, in order of time."""
        if not self.guards:
            return []
        found = []
        for event in self.story.events:
            if event.unit in self.guards and event.flag in ON_CURRENT and event.value >= 0.5:
                below = list(self._below(event.unit, event.flag, event.time, event.member))
                if below:
                    found.append(self._turn(event.unit, event.time, event.member, *below[-1]))
        return found

    def above(self, unit: str) -> list[str]:
        """Breakers on a unit's feeds, nearest first."""
        return [name for ring in self.upstream.rings(unit, "power") for name in ring if name in self.guards]

    def _below(self, unit: str, flag: str, time: float, member: int) -> Iterator[tuple[str, bool]]:
        """Breakers below one that carried the same, the lowest last, and whether it was a short circuit."""
        struck = self._shorted(time, member)
        hit = {other for place in struck for other in self.above(place)}
        overloaded = flag == OVERLOAD and unit not in hit
        carried = [name for name in self.guards if unit in self.above(name)]
        for name in sorted(carried, key=lambda each: (len(self.above(each)), each)):
            opened = self._opened(name, time, member)
            if opened is not None and opened < time - SAME_MOMENT:
                continue
            if overloaded:
                if self._overloaded(name, time, member):
                    yield name, False
            elif unit in hit and name in hit and self._current(name, time, member) > 1.0:
                yield name, True

    def _turn(self, unit: str, time: float, member: int, below: str, shorted: bool) -> Turn:
        moment = f"{unit} opened at {time:.3f} s"
        if self._stands(below, STUCK, time, member):
            text = f"{moment} in place of {below} below it, whose contacts are stuck: backup protection"
            return Turn(time, member, unit, below, True, text)
        if self._stands(below, BLIND, time, member):
            text = f"{moment} in place of {below} below it, whose protection sees nothing: backup protection"
            return Turn(time, member, unit, below, True, text)
        same = "the same short circuit" if shorted else "an overload of its own"
        text = f"{moment} before {below} below it, which carried {same}: not selective"
        return Turn(time, member, unit, below, False, text)

    def _shorted(self, time: float, member: int) -> list[str]:
        units = {unit for unit, flag, one in self.changes if flag == SHORTED and one == member}
        return sorted(unit for unit in units if self._stands(unit, SHORTED, time, member))

    def _before(self, unit: str, flag: str, time: float, member: int) -> list[tuple[float, bool]]:
        return [each for each in self.changes.get((unit, flag, member), []) if each[0] <= time + SAME_MOMENT]

    def _stands(self, unit: str, flag: str, time: float, member: int) -> bool:
        """Whether a flag or an Input is raised at a moment."""
        before = self._before(unit, flag, time, member)
        return bool(before) and before[-1][1]

    def _opened(self, unit: str, time: float, member: int) -> float | None:
        """When a breaker that stands tripped opened; None where it does not."""
        moments = [self._before(unit, flag, time, member)[-1][0] for flag in ON_CURRENT
                   if self._stands(unit, flag, time, member)]  # fmt: skip
        return max(moments, default=None)

    def _current(self, unit: str, time: float, member: int) -> float:
        """Highest current over rating that was recorded in the last tenth of a second, or at the last record."""
        kind = self.story.kind_of[unit]
        values = self.story.values(kind, "load_fraction")
        if values is None:
            return float("inf")
        last = int(np.searchsorted(self.story.time, time + SAME_MOMENT, side="right")) - 1
        first = min(int(np.searchsorted(self.story.time, time - 0.1)), last)
        return float(np.nanmax(values[max(first, 0) : last + 1, member, self.story.trace.units(kind).index(unit)]))

    def _overloaded(self, unit: str, time: float, member: int) -> bool:
        said = self.story.plant.units[unit]
        limit = getattr(said.machine(), MOST_OVERLOAD, 1.0)
        return self._current(unit, time, member) > float(limit)
