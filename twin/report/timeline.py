"""The timeline: every change of a run, with its time, unit, what happened, why, and what led to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from twin.declare import sentence
from twin.report.story import INPUT, Story, flags_of, said_of
from twin.report.words import pretty, say, words

if TYPE_CHECKING:
    from twin.trace import Event

SAME_MOMENT = 1e-6
"""Moments closer than this [s] are one: they were interpolated within the same tick."""


@dataclass(frozen=True)
class Entry:
    """One line of the timeline; `cause` is the index of the entry that led to this one."""

    time: float
    member: int
    unit: str
    what: str
    why: str
    cause: int | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class _Row:
    """An event on its way into the timeline; its sense: 1 takes away or rises, -1 gives back."""

    event: Event
    kind: str
    what: str
    why: str
    via: str
    sense: int

    @property
    def is_input(self) -> bool:
        return self.event.flag.startswith(INPUT)


@dataclass
class _Upstream:
    """Who stands upstream of a unit, nearest first, by medium; found once for each unit."""

    story: Story
    found: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)
    sources: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for source, target, data in self.story.plant.graph.edges(data=True):
            self.sources.setdefault(data["medium"], {}).setdefault(target, []).append(source)

    def rings(self, unit: str, medium: str) -> list[list[str]]:
        """Units at distance 1, 2, ... upstream over one medium, or over any of them ("any")."""
        key = (unit, medium)
        if key not in self.found:
            self.found[key] = list(self._walk(unit, medium))
        return self.found[key]

    def _next(self, unit: str, medium: str) -> list[str]:
        if medium != "any":
            return self.sources.get(medium, {}).get(unit, [])
        return [
            near
            for name in ("power", "coolant", "signal")
            for near in self.sources.get(name, {}).get(unit, [])
        ]

    def _walk(self, unit: str, medium: str) -> Iterator[list[str]]:
        seen, ring = {unit}, [unit]
        while ring:
            near = dict.fromkeys(source for one in ring for source in self._next(one, medium))
            ring = [source for source in near if source not in seen]
            seen.update(ring)
            if ring:
                yield ring


def timeline(story: Story) -> list[Entry]:
    """Every change of a declared flag and every change of an Input, in order, with its cause."""
    rows = _in_order(story, [_as_row(story, event) for event in story.events])
    search = _Causes(_Upstream(story))
    return [
        Entry(
            float(row.event.time), row.event.member, row.event.unit, row.what, row.why, search.of(index, row)
        )
        for index, row in enumerate(rows)
    ]


def _as_row(story: Story, event: Event) -> _Row:
    kind = story.kind_of.get(event.unit, "")
    if event.flag.startswith(INPUT):
        what, sense = story.asked(event)
        return _Row(
            event, kind, what, story.told.reasons.get((event.unit, round(event.time, 3)), ""), "", sense
        )
    flag = flags_of(kind).get(event.flag)
    rose = event.value >= 0.5
    if flag is None:
        return _Row(
            event, kind, f"{words(event.flag)} {'rises' if rose else 'falls'}", "", "self", 1 if rose else -1
        )
    what = flag.rises if rose else flag.falls or f"no longer {flag.rises}"
    why = because(story, event.unit, kind, flag.because, event.member, event.time) if rose else ""
    return _Row(event, kind, what, why, flag.via, 1 if rose else -1)


def because(story: Story, unit: str, kind: str, template: str, member: int, time: float) -> str:
    """A flag's reason with the unit's own ratings and settings filled in: "a die reached 88 °C"."""
    known = story.plant.units[unit].parameters if unit in story.plant.units else {}
    ratings, settings = said_of(kind, "parameters"), said_of(kind, "Inputs")

    def show(name: str) -> str:
        said = ratings.get(name) or settings.get(name)
        if said is None:
            return words(name)
        value = (
            known.get(name, said.default)
            if name in ratings
            else story.setting(kind, unit, name, member, time)
        )
        return words(name) if value is None else say(value, said.unit)

    return pretty(sentence(template, show))


def _in_order(story: Story, rows: list[_Row]) -> list[_Row]:
    """By time; within one moment what was asked comes first, then along the feeds from source to load."""
    depth = _feed_depth(story)
    speakers: dict[str, list[float]] = {}
    for line in story.plant.signals:
        speakers.setdefault(line.target, []).append(depth.get(line.source, 0))

    def place(row: _Row) -> float:
        """A listener comes after those it listens to, wherever the feeds put it."""
        told = speakers.get(row.event.unit) if row.via == "signal" else None
        return max(told) + 0.5 if told else depth.get(row.event.unit, 0)

    return sorted(rows, key=lambda row: (round(row.event.time / SAME_MOMENT), not row.is_input, place(row)))


def _feed_depth(story: Story) -> dict[str, int]:
    """How many connections of power lie between a unit and the nearest source."""
    consumers: dict[str, list[str]] = {}
    fed = set()
    for source, target, data in story.plant.graph.edges(data=True):
        if data["medium"] == "power":
            consumers.setdefault(source, []).append(target)
            fed.add(target)
    depth = {unit: 0 for unit in story.plant.units if unit not in fed}
    queue = deque(depth)
    while queue:
        unit = queue.popleft()
        for target in consumers.get(unit, []):
            if target not in depth:
                depth[target] = depth[unit] + 1
                queue.append(target)
    return depth


class _Causes:
    """Finds for each row, taken in order, the earlier row that led to it.

    A rise is put down to what stands at that moment (a flag up, a unit taken out, a fault): of the unit
    itself or of the nearest unit upstream over the flag's medium, whichever came later. Where that medium
    knows nothing, a setting changed upstream, then any medium, and last the unit's own earlier changes.
    A fall is put down to what was given back upstream since the rise began, or to what has stepped in.
    """

    def __init__(self, upstream: _Upstream) -> None:
        self.upstream = upstream
        self.latest: dict[tuple[int, str], dict[str, tuple[int, int]]] = {}
        self.began: dict[tuple[int, str, str], int] = {}

    def of(self, index: int, row: _Row) -> int | None:
        event = row.event
        cause = None
        if not row.is_input:
            cause = self._rise(row) if row.sense > 0 else self._fall(row)
            if row.sense > 0:
                self.began[event.member, event.unit, event.flag] = index if cause is None else cause
        self.latest.setdefault((event.member, event.unit), {})[event.flag] = (index, row.sense)
        return cause

    def _changes(
        self, member: int, unit: str, sense: int, inputs: bool | None = None, since: int = -1
    ) -> list[int]:
        """Latest changes of a unit in one sense, only Inputs or only flags where asked."""
        return [
            index
            for flag, (index, found) in self.latest.get((member, unit), {}).items()
            if found == sense and index > since and inputs in (None, flag.startswith(INPUT))
        ]

    def _nearest(self, row: _Row, medium: str, senses: tuple[int, ...], since: int = -1) -> int | None:
        member = row.event.member
        for ring in self.upstream.rings(row.event.unit, medium):
            found = [
                i
                for unit in ring
                for sense in senses
                for i in self._changes(member, unit, sense, since=since)
            ]
            if found:
                return max(found)
        return None

    def _rise(self, row: _Row) -> int | None:
        member, unit = row.event.member, row.event.unit
        known = self._changes(member, unit, 1, inputs=None if row.via == "self" else True)
        if row.via == "self":
            return max(known or self._changes(member, unit, 0), default=None)
        near = self._nearest(row, row.via, (1,))
        if near is not None:
            known.append(near)
        if known:
            return max(known)
        for medium, sense in ((row.via, 0), ("any", 1)):
            near = self._nearest(row, medium, (sense,))
            if near is not None:
                return near
        return max(self._changes(member, unit, 1) or self._changes(member, unit, 0), default=None)

    def _fall(self, row: _Row) -> int | None:
        member, unit = row.event.member, row.event.unit
        since = self.began.get((member, unit, row.event.flag), -1)
        known = self._changes(member, unit, -1, inputs=None if row.via == "self" else True, since=since)
        if row.via == "self":
            return max(known, default=None)
        stepping_in = (-1, 1) if row.via in ("power", "signal") else (-1,)
        near = self._nearest(row, row.via, stepping_in, since)
        if near is None:
            near = self._nearest(row, "any", (-1,), since)
        return max(known if near is None else [*known, near], default=None)
