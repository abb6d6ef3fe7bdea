"""Upstream: who stands upstream of a unit, by medium and by the feed that switches stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Plant

NUMBER = re.compile(r"_([0-9]+)$")
"""The end of the name of an Output or flag of which a unit has several."""
NONE: frozenset[str] = frozenset()


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
    numbers: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(speaker, listener) -> which of its several Outputs the listener hears."""

    def __post_init__(self) -> None:
        kinds = {unit.name: KINDS[unit.kind] for unit in self.plant.units.values() if unit.kind in KINDS}
        self.beside = frozenset(name for name, kind in kinds.items() if kind.source and kind.stores_power)
        self.coolers = frozenset(name for name, kind in kinds.items() if kind.cools_air)
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
