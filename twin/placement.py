"""Placement: which free racks a job gets, by fabric, cooling and power; pure choices, always the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from twin.equipment import KINDS
from twin.plant import Plant

WAYS = ("fabric", "cooling", "power", "first")
"""What a placement may look at, in the order of the one who asks."""
CAPACITY = {"cooling": ("heat_capacity_rating",), "power": ("rated_power",)}
"""Ratings that say what stands behind a rack."""
AWAY = -math.inf
"""What a group can carry that is out of service; racks with another lay all they draw on that."""


@dataclass
class Site:
    """What stands behind racks: switches that they hang on, and groups of machines that carry their heat or power.

    `behind` is way -> rack -> names of groups, `carried` way -> group -> units that make it, `load` what a rack is
    rated at [W], `ratings` what a unit can carry [W]; `rooms` are the warmest air [K] allowed where coolers of a room's
    air stand, which carry what they can at the moment; `known` are gangs found before, for whoever asks.
    """

    leaves: dict[str, frozenset[str]] = field(default_factory=dict)
    behind: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    carried: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=dict)
    ratings: dict[str, float] = field(default_factory=dict)
    rooms: dict[str, float] = field(default_factory=dict)
    known: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def room(
        self, way: str, busy: list[str], alive: dict[str, bool], gives: dict[str, float] | None = None
    ) -> dict[str, float]:
        """What each group can still carry beside the racks at work [W]; AWAY where none of it is in service.

        Args:
            way: "cooling" or "power".
            busy: racks at work.
            alive: unit -> whether it is in service; those not named are.
            gives: unit -> what it can carry now [W]; of those not named, what they are rated at.
        """
        rated = self.ratings | (gives or {})
        left = {
            group: sum(rated[unit] * alive.get(unit, True) for unit in units) or AWAY
            for group, units in self.carried.get(way, {}).items()
        }
        for rack in busy:
            self.take(way, rack, left)
        return left

    def take(self, way: str, rack: str, left: dict[str, float]) -> None:
        """Lay a rack's load, in equal parts, on those of its groups that are in service."""
        groups = [group for group in self.behind.get(way, {}).get(rack, ()) if left[group] > AWAY]
        for group in groups:
            left[group] -= self.load[rack] / len(groups)

    def least(self, way: str, rack: str, left: dict[str, float]) -> float:
        """What the fullest of a rack's groups in service can still carry [W]; AWAY where it has groups and none is."""
        groups = self.behind[way].get(rack, ())
        some = [left[group] for group in groups if left[group] > AWAY]
        return min(some, default=AWAY if groups else math.inf)

    def crossed(self, racks: list[str]) -> int:
        """Leaf switches that a gang hangs on."""
        return len(frozenset().union(*(self.leaves.get(rack, frozenset()) for rack in racks)))


def survey(plant: Plant, racks: list[str]) -> Site:
    """What stands behind some racks of a plant."""
    site = Site()
    machines = {name: unit.machine() for name, unit in plant.units.items()}
    for fabric in plant.fabrics.values():
        for link in fabric.links:
            if link.lower in racks and fabric.switches.get(link.upper) == 1:
                site.leaves[link.lower] = site.leaves.get(link.lower, frozenset()) | {link.upper}
    site.load = {rack: float(machines[rack].rated_power) for rack in racks}
    for way, sources in (("power", _feeds(plant)), ("cooling", _loops(plant))):
        site.behind[way], site.carried[way] = {}, {}
        for group, (units, served) in sources.items():
            rated = {u: float(getattr(machines[u], name, 0.0)) for u in units for name in CAPACITY[way]}
            if not sum(rated.values()) > 0:
                continue
            site.ratings |= rated
            site.carried[way][group] = tuple(rated)
            for rack in served:
                if rack in site.load:
                    site.behind[way][rack] = (*site.behind[way].get(rack, ()), group)
    _airs(plant, machines, site)
    return site


def _airs(plant: Plant, machines: dict[str, Any], site: Site) -> None:
    """Rooms of racks that give all their heat to the air, and what cools it."""
    for rack in site.load:
        zone = plant.units[rack].zone
        if machines[rack].streams or zone is None:
            continue
        coolers = [unit.name for unit in plant.units.values() if unit.zone == zone and KINDS[unit.kind].cools_air]
        site.behind["cooling"][rack] = (f"air of {zone}",)
        site.carried["cooling"][f"air of {zone}"] = tuple(coolers)
        site.ratings |= dict.fromkeys(coolers, 0.0)
        site.rooms |= dict.fromkeys(coolers, float(machines[zone].limit_temperature))


def _feeds(plant: Plant) -> dict[str, tuple[list[str], list[str]]]:
    found: dict[str, tuple[list[str], list[str]]] = {}
    for consumer, sources in plant.feeds.items():
        if KINDS[plant.units[consumer].kind].is_work:
            for source in sources:
                found.setdefault(source, ([source], []))[1].append(consumer)
    return found


def _loops(plant: Plant) -> dict[str, tuple[list[str], list[str]]]:
    return {
        name: (
            list(dict.fromkeys(element.unit for branch in loop.plant for element in branch)),
            list(dict.fromkeys(element.unit for branch in loop.loads for element in branch)),
        )
        for name, loop in plant.loops.items()
    }


def place(
    count: int, free: list[str], ways: tuple[str, ...], site: Site, room: dict[str, dict[str, float]]
) -> list[str]:
    """Racks for a gang, in their order; none where they are too few, or feeds or coolers could not carry them.

    Fabric: the fewest leaves, of those the group with the fewest racks left over. Cooling and power: rack by rack
    from where most can still be carried. What is named first goes first.

    Args:
        count: racks wanted.
        free: racks to choose from, in order.
        ways: what to look at, of WAYS.
        site: what stands behind the racks.
        room: way -> group -> what it can still carry [W].
    """
    if count > len(free):
        return []
    for chosen in _choices(count, free, ways, site, room):
        if all(_carried(chosen, way, site, room) for way in ways if way in room):
            return sorted(chosen, key=free.index)
    return []


def _carried(chosen: list[str], way: str, site: Site, room: dict[str, dict[str, float]]) -> bool:
    left = _after(chosen, way, site, room)
    return min((site.least(way, rack, left) for rack in chosen), default=0.0) >= -1e-6


def _after(chosen: list[str], way: str, site: Site, room: dict[str, dict[str, float]]) -> dict[str, float]:
    left = dict(room[way])
    for rack in chosen:
        site.take(way, rack, left)
    return left


def _choices(
    count: int, free: list[str], ways: tuple[str, ...], site: Site, room: dict[str, dict[str, float]]
) -> Iterator[list[str]]:
    """Gangs in the order of preference."""
    way, rest = (ways[0], ways[1:]) if ways else ("first", ())
    if way == "fabric" and site.leaves:
        yield from _by_leaf(count, free, rest, site, room)
    elif way in room:
        yield _by_room(count, free, ways, site, room)
    elif rest:
        yield from _choices(count, free, rest, site, room)
    else:
        yield free[:count]


def _by_leaf(
    count: int, free: list[str], rest: tuple[str, ...], site: Site, room: dict[str, dict[str, float]]
) -> Iterator[list[str]]:
    groups: dict[frozenset[str], list[str]] = {}
    for rack in free:
        groups.setdefault(site.leaves.get(rack, frozenset()), []).append(rack)
    sized = sorted(groups.values(), key=lambda group: (len(group), free.index(group[0])))
    for group in sized:
        if len(group) >= count:
            yield from _choices(count, group, rest, site, room)
    whole: list[str] = []
    for group in reversed(sized):  # the largest first, the last of them as tight as can be
        wanted = count - len(whole)
        tight = next((other for other in sized if len(other) >= wanted and not set(other) & set(whole)), None)
        if tight is not None:
            for last in _choices(wanted, tight, rest, site, room):
                yield whole + last
            return
        whole = whole + group


def _by_room(
    count: int, free: list[str], ways: tuple[str, ...], site: Site, room: dict[str, dict[str, float]]
) -> list[str]:
    """Rack by rack from where most is left, by the first way and in a tie by the next."""
    looked = [way for way in ways if way in room]
    left, chosen, waiting = {way: dict(room[way]) for way in looked}, [], list(free)
    for _ in range(count):

        def worth(rack: str) -> tuple[float, ...]:
            return tuple(-site.least(way, rack, left[way]) for way in looked)

        best = min(waiting, key=lambda rack: (worth(rack), free.index(rack)))
        waiting.remove(best)
        chosen.append(best)
        for way in looked:
            site.take(way, best, left[way])
    return chosen
