"""Upstream: who stands upstream of a unit, by medium and by the feed that switches stand on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Plant

NUMBER = re.compile(r"_([0-9]+)$")
"""The end of the name of an Output or flag of which a unit has several."""
NONE: frozenset[str] = frozenset()


class Said(Protocol):
    """A change that was told, and its sense: above 0 it takes away."""

    @property
    def sense(self) -> int: ...


S = TypeVar("S", bound=Said)


@dataclass
class Upstream:
    """Who stands upstream of a unit, nearest first, by medium; found once for each unit.

    `shut` are the ties through which boards may have been fed.
    """

    plant: Plant
    shut: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    """Stores that give power beside the feeds of their boards."""
    switches: frozenset[str] = frozenset()
    """Those with a normal and an alternate feed."""
    coolers: frozenset[str] = frozenset()
    """Those that take heat out of their room's air."""
    workers: frozenset[str] = frozenset()
    """Those whose power is the site's work: what mostly warms a room."""
    found: dict[tuple[str, str, frozenset[str]], list[list[str]]] = field(default_factory=dict)
    above: dict[str, frozenset[str]] = field(default_factory=dict)
    sources: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    takers: dict[str, list[str]] = field(default_factory=dict)
    """unit -> those that take its coolant."""
    coldness: frozenset[str] = frozenset()
    """Those that keep coolant cold and do not move it: what they lose is felt only where it flows."""
    tanks: frozenset[str] = frozenset()
    """Those that store what a loop has of cold."""
    movers: dict[tuple[str, str], list[list[list[str]]]] = field(default_factory=dict)
    """(unit, "loads" or "plant") -> for each group of branches of its loops, the pumps and valves in each."""
    branch: dict[str, list[list[str]]] = field(default_factory=dict)
    """unit -> the pumps and valves beside it in each of its own branches."""
    numbers: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(speaker, listener) -> which of its several Outputs the listener hears."""

    def __post_init__(self) -> None:
        kinds = {unit.name: KINDS[unit.kind] for unit in self.plant.units.values() if unit.kind in KINDS}
        self.beside = frozenset(name for name, kind in kinds.items() if kind.source and kind.stores_power)
        self.coolers = frozenset(name for name, kind in kinds.items() if kind.cools_air)
        self.coldness = frozenset(name for name, kind in kinds.items() if kind.disturbs == ("heat",))
        self.tanks = frozenset(loop.storage for loop in self.plant.loops.values() if loop.storage)
        self.workers = frozenset(name for name, kind in kinds.items() if kind.is_work)
        two = (name for name, kind in kinds.items() if "on_alternate" in quantities(kind.State))
        self.switches = frozenset(name for name in two if len(self.plant.feeds.get(name, ())) == 2)
        for source, target, data in self.plant.graph.edges(data=True):
            self.sources.setdefault(data["medium"], {}).setdefault(target, []).append(source)
            if data["medium"] == "coolant":
                self.takers.setdefault(source, []).append(target)
            if data["medium"] == "power":
                self.sources.setdefault("load", {}).setdefault(source, []).append(target)
            if data["medium"] == "air":  # those in a room warm it, and it alone warms them
                self.sources.setdefault("room", {}).setdefault(source, []).append(target)
            if data["medium"] == "tie":
                self.sources.setdefault("power", {}).setdefault(target, []).append(source)
                if target in self.shut:
                    self.sources["power"].setdefault(source, []).append(target)
        pumps = frozenset(name for name, kind in kinds.items() if kind.pumps and set(kind.pumps) == set(kind.streams))
        stops = pumps | {name for name, kind in kinds.items() if "shut" in quantities(kind.State)}
        for loop in self.plant.loops.values():
            groups = [[[each.unit for each in row if each.unit in stops] for row in rows] for rows in loop.groups()]
            groups = [rows for rows in groups if rows and all(rows)]  # one without any lets water by
            for row in loop.branches():
                beside = [each.unit for each in row if each.unit in stops]
                for each in row:
                    self.branch.setdefault(each.unit, []).append([unit for unit in beside if unit != each.unit])
            for side, branches in (("loads", loop.loads), ("plant", loop.plant)):
                for unit in dict.fromkeys(each.unit for branch in branches for each in branch):
                    self.movers.setdefault((unit, side), []).extend(groups)
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

    def standing(self, unit: str, lost: Iterable[str], said: Callable[[str], S | None]) -> list[S]:
        """How pumps came to stand or valves to be shut, so that no water flows between what keeps it cold and a unit.

        Empty where it flows: it stands where one of them stands in each branch of a group, or in the unit's own. A pump
        on call does until it is said to run. A tank that has warmed had water flow through it, whatever stands by now.

        Args:
            unit: who takes the coolant.
            lost: those of which something is lost; without one among them that keeps coolant cold nothing is said.
            said: what was last said of whether a pump stands or a valve is shut; None where nothing was.
        """
        cold = sorted(self.coldness.intersection(lost))
        if not cold or unit in self.tanks:
            return []
        sides = [(unit, "loads"), *((each, "plant") for each in cold)]
        return self._blocked(unit, [group for side in sides for group in self.movers.get(side, ())], said)

    def blocking(self, unit: str, said: Callable[[str], S | None]) -> list[S]:
        """How what stands in its loop came to stand, for one that finds no flow; see `standing`."""
        sides = [(unit, side) for side in ("loads", "plant")]
        return self._blocked(unit, [group for side in sides for group in self.movers.get(side, ())], said)

    def _blocked(self, unit: str, groups: list[list[list[str]]], said: Callable[[str], S | None]) -> list[S]:
        own = [[beside] for beside in self.branch.get(unit, ()) if beside]
        found: dict[str, S | None] = {}
        for group in own + [[[each for each in row if each != unit] for row in rows] for rows in groups]:
            last = [{mover: said(mover) for mover in branch} for branch in group]
            still = [{mover: one for mover, one in each.items() if self._rests(mover, one)} for each in last]
            found |= {mover: one for each in still for mover, one in each.items()} if all(still) else {}
        return [one for one in found.values() if one is not None]

    def _rests(self, mover: str, last: Said | None) -> bool:
        said = self.plant.units[mover].settings
        return said.get("on_call", 0.0) > 0 or said.get("opening", 1.0) <= 0 if last is None else last.sense > 0

    def rings(self, unit: str, medium: str, over: frozenset[str] = NONE) -> list[list[str]]:
        """Units at distance 1, 2, ... upstream over one medium, or over any of them ("any").

        A switch between two feeds passes on that on which it stands: its alternate one where it is among `over`.
        """
        if medium == "air" and unit in self.sources.get("room", {}):
            medium = "room"
        if medium not in ("power", "any"):
            over = NONE
        elif over:
            over &= self._switches_above(unit)
        key = (unit, medium, over)
        if key not in self.found:
            self.found[key] = list(self._walk(unit, medium, over))
        return self.found[key]

    def _switches_above(self, unit: str) -> frozenset[str]:
        if unit not in self.above:
            every = [each for ring in self._walk(unit, "power", None) for each in ring]
            self.above[unit] = frozenset(each for each in every if each in self.switches)
        return self.above[unit]

    def _next(self, unit: str, medium: str, over: frozenset[str] | None) -> Iterator[str]:
        media = ("power", "coolant", "signal", "work") if medium == "any" else (medium,)
        for name in media:
            if name == "power" and over is not None and unit in self.switches:
                feeds = self.plant.feeds[unit]
                yield feeds[1] if unit in over else feeds[0]
            else:
                yield from self.sources.get(name, {}).get(unit, ())

    def _walk(self, unit: str, medium: str, over: frozenset[str] | None) -> Iterator[list[str]]:
        seen, ring = {unit}, [unit]
        if medium == "power" and unit in self.beside:  # what stands by knows of its board's other feeds
            ring = [source for board in self.sources["load"].get(unit, ()) for source in self.sources["power"][board]]
            ring = [source for source in dict.fromkeys(ring) if source != unit]
            seen.update(ring)
            yield ring
        while ring:
            passes = None if ring == [unit] else over  # a switch itself sees both of its feeds
            near = dict.fromkeys(source for one in ring for source in self._next(one, medium, passes))
            ring = [source for source in near if source not in seen]
            seen.update(ring)
            if ring:
                yield ring
