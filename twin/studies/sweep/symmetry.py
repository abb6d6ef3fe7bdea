"""Symmetry: which units of a plant are equal in equal surroundings, each equality proven by a map of the whole plant.

Units, loops and branches are nodes, with all that is said of them as their colour; feeds, zones, pipes, signals, pools
and links are labelled edges. Colours are refined by their neighbours until none splits; two units of one colour are
alike only where a map of the plant onto itself is then found that takes one to the other, and every edge and every
colour has been seen to stay. What refinement cannot map counts as different: fewer cases are folded, never wrong ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import permutations
from typing import Any

from twin.declare import quantities
from twin.plant import Plant, Unit
from twin.report.words import natural

Map = dict[int, int]
"""Node -> node, of those that move."""
DEPTH = 24
"""Times that a choice is made between nodes alike before a map is given up."""


class Symmetry:
    """The symmetries of a plant whose units carry marks: what else is said of them by name."""

    def __init__(self, plant: Plant, marks: dict[str, Hashable] | None = None) -> None:
        self.names: list[str] = []
        self.near: list[list[tuple[Hashable, int]]] = []
        self._known: dict[Hashable, int] = {}
        self._number: dict[str, int] = {}
        keys: list[Hashable] = []

        def node(name: str, key: Hashable) -> int:
            self._number[name] = len(self.names)
            self.names.append(name)
            self.near.append([])
            keys.append(key)
            return self._number[name]

        for unit in plant.units.values():
            node(unit.name, ("unit", _said(plant, unit), (marks or {}).get(unit.name)))
        for one, other, label in _edges(plant, node, self._number):
            self._join(one, other, label)
        colours = [self._colour(key) for key in keys]
        self.base = self._refined(colours, set(range(len(colours))))
        self._orbits: dict[tuple[int, ...], _Orbits] = {}

    def _join(self, one: int, other: int, label: Hashable) -> None:
        """An edge; its ends see it from either side. Labels are numbered, so that they sort."""
        self.near[one].append((self._colour(("to", label)), other))
        self.near[other].append((self._colour(("from", label)), one))

    def _colour(self, said: Hashable) -> int:
        """The number of a colour; what is said alike has one number, wherever it is said."""
        return self._known.setdefault(said, len(self._known))

    def _refined(self, colours: list[int], changed: set[int]) -> list[int]:
        """Split colours by what their nodes are near to, until none splits; only what is near a change is looked at."""
        counts = Counter(colours)
        while changed:
            touched = {near for node in changed for _, near in self.near[node]}
            signs: dict[int, dict[int, tuple[Any, ...]]] = {}
            for node in touched:
                sign = tuple(sorted((label, colours[near]) for label, near in self.near[node] if near in changed))
                signs.setdefault(colours[node], {})[node] = sign
            changed, new = set(), list(colours)
            for colour, of_node in signs.items():
                if len(of_node) == counts[colour] and len(set(of_node.values())) == 1:
                    continue
                for node, sign in of_node.items():
                    new[node] = self._colour((colour, sign))
                    counts[colour] -= 1
                    counts[new[node]] += 1
                    changed.add(node)
            colours = new
        return colours

    def _marked(self, colours: list[int], node: int) -> list[int]:
        """Colours once one node is told apart from all others."""
        marked = list(colours)
        marked[node] = self._colour((colours[node], "this one"))
        return self._refined(marked, {node})

    def map_of(self, colours: list[int], one: int, other: int) -> Map | None:
        """A map of the plant onto itself that keeps colours and takes one node to another; None where none is found."""
        left, right = self._marked(colours, one), self._marked(colours, other)
        for _ in range(DEPTH):
            cells, targets = _cells(left), _cells(right)
            if {c: len(nodes) for c, nodes in cells.items()} != {c: len(nodes) for c, nodes in targets.items()}:
                return None
            made: Map = {}
            for colour, nodes in cells.items():
                moved = [each for each in nodes if right[each] != colour]
                into = [each for each in targets[colour] if left[each] != colour]
                made |= dict(zip(moved, into, strict=True))
            if self.proven(made):
                return made
            open_cells = [c for c, nodes in cells.items() if len(nodes) > 1 and set(nodes) != set(targets[c])]
            if not open_cells:
                return None
            colour = min(open_cells, key=lambda c: len(cells[c]))
            left = self._marked(left, cells[colour][0])
            right = self._marked(right, targets[colour][0])
        return None

    def proven(self, made: Map) -> bool:
        """Whether a map keeps every colour and every edge of the plant, seen one by one."""
        if sorted(made) != sorted(made.values()):
            return False
        touched = set(made) | {near for node in made for _, near in self.near[node]}
        for node in touched:
            goes = made.get(node, node)
            if self.base[node] != self.base[goes]:
                return False
            mapped = sorted((label, made.get(near, near)) for label, near in self.near[node])
            if mapped != sorted(self.near[goes]):
                return False
        return True

    def orbits(self, fixed: tuple[int, ...] = ()) -> _Orbits:
        """Nodes that maps which leave some nodes where they are take to each other."""
        if fixed not in self._orbits:
            parent = self.orbits(fixed[:-1]) if fixed else None
            self._orbits[fixed] = _Orbits(self, fixed, parent)
        return self._orbits[fixed]

    def first_of(self, unit: str) -> str:
        """The unit that stands for all that are equal to one."""
        return self.names[self.orbits().first[self._number[unit]]]

    def standing_for(self, led: str, others: Iterable[tuple[str, Hashable]]) -> tuple[Any, ...]:
        """What some units, each with something said of it, have in common with all that are equal to them together.

        Args:
            led: a unit with a part of its own (in maintenance), "" where there is none.
            others: units that play the same part, in whatever order, and what is said of each.
        """
        found = []
        listed = [(self._number[unit], said) for unit, said in others]
        for order in permutations(listed):
            nodes = ([self._number[led]] if led else []) + [node for node, _ in order]
            found.append((tuple(self._standing(nodes)), tuple(repr(said) for _, said in order)))
        return min(found)

    def _standing(self, nodes: list[int]) -> list[int]:
        fixed: tuple[int, ...] = ()
        for place in range(len(nodes)):
            orbits = self.orbits(fixed)
            moves = orbits.to_first(nodes[place])
            nodes = [moves.get(each, each) for each in nodes]
            fixed = (*fixed, nodes[place])
        return nodes


class _Orbits:
    """Classes of nodes under the maps that fix some, and the map that takes each node to the first of its class."""

    def __init__(self, whole: Symmetry, fixed: tuple[int, ...], parent: _Orbits | None) -> None:
        self.colours: list[int] = whole.base if parent is None else whole._marked(parent.colours, fixed[-1])
        self.maps: list[Map] = [] if parent is None else [m for m in parent.maps if fixed[-1] not in m]
        self.first = list(range(len(whole.names)))
        for made in self.maps:
            self._unite(made)
        for nodes in _cells(self.colours).values():
            nodes = sorted(nodes, key=lambda each: natural(whole.names[each]))
            leaders = [nodes[0]]
            for node in nodes[1:]:
                if any(self._root(node) == self._root(leader) for leader in leaders):
                    continue
                found = (whole.map_of(self.colours, leader, node) for leader in leaders)
                moves = next((each for each in found if each is not None), None)
                if moves is None:
                    leaders.append(node)
                else:
                    self.maps.append(moves)
                    self._unite(moves)
        self._settle(whole)

    def _root(self, node: int) -> int:
        while self.first[node] != node:
            self.first[node] = self.first[self.first[node]]
            node = self.first[node]
        return node

    def _unite(self, made: Map) -> None:
        for node, goes in made.items():
            one, other = self._root(node), self._root(goes)
            if one != other:
                self.first[max(one, other)] = min(one, other)

    def _settle(self, whole: Symmetry) -> None:
        """Name the first of each class, and how each node is reached from it."""
        classes: dict[int, list[int]] = {}
        for node in range(len(self.first)):
            classes.setdefault(self._root(node), []).append(node)
        self.reached: dict[int, tuple[int, Map]] = {}
        both = [*self.maps, *({goes: node for node, goes in made.items()} for made in self.maps)]
        for nodes in classes.values():
            leader = min(nodes, key=lambda each: natural(whole.names[each]))
            for node in nodes:
                self.first[node] = leader
            waiting = [leader] if len(nodes) > 1 else []
            while waiting:
                node = waiting.pop()
                for made in both:
                    goes = made.get(node, node)
                    if goes != leader and goes not in self.reached:
                        back = {there: here for here, there in made.items()}
                        self.reached[goes] = (node, back)
                        waiting.append(goes)

    def to_first(self, node: int) -> Map:
        """A map that takes a node to the first of its class."""
        whole: Map = {}
        while node in self.reached:
            came_from, back = self.reached[node]
            whole = {here: back.get(there, there) for here, there in whole.items()} | {
                here: there for here, there in back.items() if here not in whole
            }
            node = came_from
        return whole


def _cells(colours: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        found.setdefault(colour, []).append(node)
    return found


def _said(plant: Plant, unit: Unit) -> Hashable:
    """What makes a unit what it is.

    Units for which something is drawn by their name, and those of a mesh of ties, where equal ways are told apart by
    their order, are like no other.
    """
    said = (unit.kind, tuple(sorted(unit.parameters.items())), tuple(sorted(unit.settings.items())))
    parts = [each.each for each in quantities(type(unit.machine()).State).values() if each.each]
    drawn = any(float(unit.machine().parts(each)) > 0 for each in parts)
    alone = drawn or unit.name in plant.joins or unit.name in plant.joined
    return (*said, unit.name) if alone else said


def _edges(plant: Plant, node: Any, number: dict[str, int]) -> Iterable[tuple[int, int, Hashable]]:
    """Everything that runs between units, and the loops, branches and fabrics that stand between them."""
    for consumer, sources in plant.feeds.items():
        for slot, source in enumerate(sources):
            yield number[source], number[consumer], ("feeds", slot)
    for tie, boards in plant.joins.items():
        for end, board in enumerate(boards):
            yield number[board], number[tie], ("joins", end)
    for unit in plant.units.values():
        if unit.zone is not None:
            yield number[unit.name], number[unit.zone], ("stands in",)
    for line in plant.signals:
        yield number[line.source], number[line.target], ("tells", line.output, line.input, line.delay)
    for pool, racks in plant.pools.items():
        for rack in racks:
            yield number[rack], number[pool], ("works for",)
    for job, racks in plant.scheduled.items():
        for rack in racks:
            yield number[rack], number[job], ("may work for",)
    for job, systems in plant.stores.items():
        for place, system in enumerate(systems):
            yield number[system], number[job], ("stores for", place)
    for service, phases in plant.served.items():
        for phase, pools in phases.items():
            for place, pool in enumerate(pools):
                yield number[pool], number[service], ("serves", phase, place)
    yield from _pipes(plant, node, number)
    yield from _links(plant, node, number)


def _pipes(plant: Plant, node: Any, number: dict[str, int]) -> Iterable[tuple[int, int, Hashable]]:
    for loop in plant.loops.values():
        here = node(f"loop {loop.name}", ("loop", loop.fluid))
        for stored, label in ((loop.storage, "stores for"), (loop.pressurisation, "presses")):
            if stored:
                yield number[stored], here, (label,)
        sides = [("stage", stage, branches) for stage, branches in enumerate(loop.groups())]
        for side, stage, branches in [*sides, ("loads", 0, loop.loads)]:
            for place, branch in enumerate(branches):
                made = node(f"branch {loop.name} {side} {stage} {place}", ("branch", side, stage))
                yield made, here, ("branch of",)
                for position, element in enumerate(branch):
                    yield number[element.unit], made, ("in", position, element.stream)


def _links(plant: Plant, node: Any, number: dict[str, int]) -> Iterable[tuple[int, int, Hashable]]:
    for fabric in plant.fabrics.values():
        here = node(
            f"fabric {fabric.name}", ("fabric", fabric.rate, fabric.detection, fabric.senders, fabric.generator)
        )
        for rack in fabric.racks:
            yield number[rack], here, ("rack of",)
        for switch, tier in fabric.switches.items():
            yield number[switch], here, ("switch of", tier)
        for link in fabric.links:
            yield number[link.lower], number[link.upper], ("linked to", link.ports, link.rail)
