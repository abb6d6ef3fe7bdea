"""Causes: which earlier change led to a change, found through the plant's graph by medium."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.plant import Plant

if TYPE_CHECKING:
    from twin.trace import Event

INPUT = "input:"
"""How the name of an Input begins in the events of a trace."""
SHORTED = f"{INPUT}short_circuit"
SAME_MOMENT = 1e-6
"""Moments closer than this [s] are one: they were interpolated within the same tick."""
THROWN = "thrown"
"""Flag of a switch that feeds a board otherwise: what came of its rise is not why it falls."""
CALLS = tuple(f"calls_{k}" for k in range(1, 9))
"""Flags of a sequencer, one for each machine that it calls and releases."""
ANSWERS = ("asking", "running", "ready", "closed", "on_alternate", "standby_running", THROWN, *CALLS)
"""Flags of units that step in: their rise gives and their fall takes away, as with no other flag."""
ONLY_SAID = ("asking", "running", "ready")
"""Flags with which nobody's feed or coolant changes yet."""
NUMBER = re.compile(r"_([0-9]+)$")
"""The end of the name of an Output or flag of which a unit has several."""
ALIKE = 4
"""Letters that an Input and the flag it raises begin with alike (leak, leaking)."""
TOLD = ("asking", "on_alternate")
"""Flags of switches that act by themselves or because another unit tells them to."""
LOCKS, NEAR = "locked_out", 3
"""Flag of a switch that a fault bars, and within how many steps of it stands what had to open for that."""
FRESH = 60.0
"""For so long [s] after a unit has stepped back, what it fed may suffer from it (pumps coast down)."""
FABRIC = "fabric"
"""Medium of what a fabric writes: an Input, yet a consequence."""
LOSS, GAIN, SETTING = 1, -1, 0
"""The sense of a change: it takes away, it gives (back), or it is merely set."""


@dataclass
class Row:
    """An event on its way into the timeline: its words, the medium its cause arrives by, and its sense."""

    event: Event
    what: str
    why: str
    via: str
    sense: int
    deed: Event | None = None
    """What operations did, as the trace has it."""

    @property
    def is_input(self) -> bool:
        return self.event.flag.startswith(INPUT)

    @property
    def is_answer(self) -> bool:
        return self.event.flag in ANSWERS


@dataclass
class Upstream:
    """Who stands upstream of a unit, nearest first, by medium; found once for each unit.

    `shut` are the ties through which boards may have been fed.
    """

    plant: Plant
    shut: frozenset[str] = frozenset()
    found: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)
    sources: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    numbers: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(speaker, listener) -> which of its several Outputs the listener hears."""

    def __post_init__(self) -> None:
        for source, target, data in self.plant.graph.edges(data=True):
            self.sources.setdefault(data["medium"], {}).setdefault(target, []).append(source)
            if data["medium"] == "power":
                self.sources.setdefault("load", {}).setdefault(source, []).append(target)
            if data["medium"] == "air":  # those in a room warm it, and it alone warms them
                self.sources.setdefault("room", {}).setdefault(source, []).append(target)
            if data["medium"] == "tie":
                self.sources.setdefault("power", {}).setdefault(target, []).append(source)
                if target in self.shut:
                    self.sources["power"].setdefault(source, []).append(target)
        for loop in self.plant.loops.values():
            if loop.pressurisation:
                inside = [element.unit for branch in loop.branches() for element in branch]
                self.sources.setdefault("coolant", {}).setdefault(loop.pressurisation, []).extend(inside)
        for line in self.plant.signals:
            if number := NUMBER.search(line.output):
                self.numbers.setdefault((line.source, line.target), set()).add(number[1])

    def speaks(self, flag: str, unit: str, to: str) -> bool:
        """Whether a flag of a unit may matter to another: one of several only to who hears that one."""
        number, heard = NUMBER.search(flag), self.numbers.get((unit, to))
        return heard is None or number is None or number[1] in heard

    def rings(self, unit: str, medium: str) -> list[list[str]]:
        """Units at distance 1, 2, ... upstream over one medium, or over any of them ("any")."""
        if medium == "air" and unit in self.sources.get("room", {}):
            medium = "room"
        key = (unit, medium)
        if key not in self.found:
            self.found[key] = list(self._walk(unit, medium))
        return self.found[key]

    def _next(self, unit: str, medium: str) -> Iterator[str]:
        media = ("power", "coolant", "signal", "work") if medium == "any" else (medium,)
        for name in media:
            yield from self.sources.get(name, {}).get(unit, ())

    def _walk(self, unit: str, medium: str) -> Iterator[list[str]]:
        seen, ring = {unit}, [unit]
        while ring:
            near = dict.fromkeys(source for one in ring for source in self._next(one, medium))
            ring = [source for source in near if source not in seen]
            seen.update(ring)
            if ring:
                yield ring


@dataclass(frozen=True)
class _Change:
    """The latest change of one flag or Input of a unit."""

    unit: str
    index: int
    time: float
    sense: int
    is_input: bool
    fades: bool
    only_said: bool


class Causes:
    """Finds for each row, taken in order, the earlier row that led to it.

    First comes what the unit itself did at that very moment. Then a loss is put down to what stands lost
    (a flag up, a unit taken out, a fault): the unit's own Inputs, or the nearest unit upstream over the
    flag's medium, whichever came later. A gain is put down to what was given back nearest upstream since
    the loss began. A unit that steps in or back answers whatever changed last nearest upstream.
    Where the medium knows nothing, settings, then other media, then the unit's own changes are asked; what
    nothing explains is put down to a short circuit that stands, for all of the site sees it.
    """

    def __init__(self, plant: Plant, shut: frozenset[str] = frozenset()) -> None:
        self.upstream = Upstream(plant, shut)
        self.latest: dict[tuple[int, str], dict[str, _Change]] = {}
        self.began: dict[tuple[int, str, str], tuple[int, int]] = {}
        self.answers: set[int] = set()
        self.shorted: dict[int, dict[str, int]] = {}
        self.led: dict[int, int | None] = {}

    def of(self, index: int, row: Row) -> int | None:
        """Index of the row that led to this one; rows are given in order, each once."""
        event, key = row.event, (row.event.member, row.event.unit, row.event.flag)
        cause = None
        if row.via == FABRIC:
            cause = self._routes(row)
        elif not row.is_input:
            cause = self._at_this_moment(row)
            if cause is None:
                find = self._answer if row.is_answer else self._loss if row.sense == LOSS else self._gain
                find = self._burden if row.via == "load" else find
                cause = find(row, *self.began.get(key, (-1, -1)))
            if cause is None and row.sense == LOSS:
                cause = max(self.shorted.get(event.member, {}).values(), default=None)
            if row.is_answer or row.sense == LOSS:
                self.began[key] = (index, index if cause is None else cause)
        elif event.flag == SHORTED:
            standing = self.shorted.setdefault(event.member, {})
            standing.pop(event.unit, None)
            standing |= {event.unit: index} if row.sense == LOSS else {}
        if row.is_answer:
            self.answers.add(index)
        fades = row.is_answer and row.sense == LOSS
        change = _Change(event.unit, index, event.time, row.sense, row.is_input, fades, event.flag in ONLY_SAID)
        self.latest.setdefault(key[:2], {})[event.flag] = change
        self.led[index] = cause
        return cause

    def behind(self, row: Row, flag: str) -> int | None:
        """What an alarm is put down to: its own flag, else what stands lost at its unit or nearest to it."""
        own = self._own(row, (LOSS,))
        named = [change for change in own if self.latest[row.event.member, row.event.unit].get(flag) is change]
        return _last(named or own or self._nearest(row, "any", (LOSS,)) or self._own(row, (GAIN, SETTING)))

    def mended(self, row: Row) -> int | None:
        """What the end of an alarm is put down to: what was given back last at its unit or nearest to it."""
        return _last(self._own(row, (GAIN, SETTING)) or self._nearest(row, "any", (GAIN, SETTING)))

    def _changes(self, row: Row, unit: str, senses: Iterable[int], since: int = -1) -> list[_Change]:
        """Latest changes of a unit of the wanted senses that can still matter at the row's moment."""
        return [
            change
            for flag, change in self.latest.get((row.event.member, unit), {}).items()
            if change.sense in senses
            and change.index > since
            and self.upstream.speaks(flag, unit, row.event.unit)
            and (since < 0 or row.event.flag != THROWN or self.led[change.index] != since)
            and not (change.fades and row.event.time - change.time > FRESH)
        ]

    def _at_this_moment(self, row: Row) -> int | None:
        known = self.latest.get((row.event.member, row.event.unit), {})
        now = {
            flag: change
            for flag, change in known.items()
            if row.event.time - change.time < SAME_MOMENT and not (flag in CALLS and row.event.flag in CALLS)
        }
        alike = [flag for flag in now if flag.startswith(INPUT + row.event.flag[:ALIKE])]
        return _last([now[flag] for flag in alike] or list(now.values()))

    def _nearest(self, row: Row, medium: str, senses: Iterable[int], since: int = -1) -> list[_Change]:
        """What changed last in the nearest ring where anything did; empty where nothing did."""
        for ring in self.upstream.rings(row.event.unit, medium):
            found = [change for unit in ring for change in self._changes(row, unit, senses, since)]
            heard = [change for change in found if medium == "signal" or not change.only_said]
            if heard:
                return heard
        return []

    def _own(self, row: Row, senses: Iterable[int], since: int = -1) -> list[_Change]:
        return self._changes(row, row.event.unit, senses, since)

    def _answer(self, row: Row, since: int, _: int) -> int | None:
        either = (LOSS, GAIN)
        if row.via == "self":
            return _last(self._own(row, either, since) or self._nearest(row, "signal", either, since))
        own = [change for change in self._own(row, (LOSS,), since) if not change.fades]
        told = self._nearest(row, "signal", either, since) if row.event.flag in TOLD else []
        return _last(own + self._nearest(row, row.via, either, since) + told)

    def _burden(self, row: Row, *_: int) -> int | None:
        """What changed last among those it feeds, or was lost of those that feed them with it: its load shifted."""
        recent = row.event.time - FRESH
        near = [change for change in self._nearest(row, "load", (LOSS, GAIN)) if change.time >= recent]
        beside = {
            unit
            for board in self.upstream.sources.get("load", {}).get(row.event.unit, ())
            for unit in self.upstream.sources["power"].get(board, ())
        }
        lost = [change for unit in beside - {row.event.unit} for change in self._changes(row, unit, (LOSS,))]
        steps = [change for change in lost if change.time >= recent and not change.only_said]
        return _last(near + steps + self._own(row, (LOSS,)))

    def _routes(self, row: Row) -> int | None:
        """What changed last among the switches above a rack, or was lost of its own ports."""
        above = [unit for ring in self.upstream.rings(row.event.unit, FABRIC) for unit in ring]
        near = [change for unit in above for change in self._changes(row, unit, (LOSS, GAIN))]
        own = self.latest.get((row.event.member, row.event.unit), {}).get(f"{INPUT}ports_lost")
        return _last(near + ([own] if own else []))

    def _loss(self, row: Row, *_: int) -> int | None:
        own = self._own(row, (LOSS,))
        if row.event.flag == LOCKS:
            before = [unit for ring in self.upstream.rings(row.event.unit, row.via)[:NEAR] for unit in ring]
            return _last([change for unit in before for change in self._changes(row, unit, (LOSS,))])
        if row.via == "self":
            return _last(own or self._own(row, (GAIN, SETTING)))
        if row.via != "power":
            own = [change for change in own if change.is_input]
        near = self._nearest(row, row.via, (LOSS,))
        return _last(
            own + near
            or self._nearest(row, row.via, (SETTING,))
            or self._nearest(row, "any", (LOSS,))
            or self._own(row, (LOSS, SETTING))
        )

    def _gain(self, row: Row, began: int, led: int) -> int | None:
        """`began` is the row of the loss that ends here, `led` the row that had led to it.

        A transfer breaks and makes: where nothing else is known, it ends the loss that it began.
        """
        if row.via == "self":
            return _last(self._own(row, (GAIN,), began))
        since = began if row.via in ("power", "signal") else led
        own = [change for change in self._own(row, (GAIN,), began) if change.is_input]
        near = self._nearest(row, row.via, (GAIN,), since)
        if row.via == "power" and not near:
            near = self._nearest(row, row.via, (SETTING,), since)  # a voltage that is set back
        near = near or self._nearest(row, "any", (GAIN,), since)
        if not own + near and led in self.answers:
            return led
        if row.via == "power" and near and not own:
            whole = {change.unit: change.index for change in sorted(near, key=lambda each: each.index)}
            return min(whole.values())  # the first feed that came back, once all of it had, is enough
        return _last(own + near or self._nearest(row, row.via, (GAIN,)))


def shut_ties(plant: Plant, events: Iterable[Event]) -> frozenset[str]:
    """Ties that stand closed in a plant, or are closed in a run."""
    rise = {event.unit for event in events if event.flag in (f"{INPUT}closed", THROWN) and event.value >= 0.5}
    return frozenset(tie for tie in plant.joins if tie in rise or plant.units[tie].settings.get("closed", 0.0) > 0)


def _last(changes: list[_Change]) -> int | None:
    """The row of the latest change."""
    return max((change.index for change in changes), default=None)
