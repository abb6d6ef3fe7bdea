"""Fabric: what losses leave of the bandwidth of racks and of groups of them; on the host, when something changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from twin.arrays import Array
from twin.networks.alike import Alike, alike, flow, incidences
from twin.plant_fabric import Fabric

PER_PORT = 1_000_000
"""Parts that a port is counted in: shares of ports stay whole numbers, and sums of them exact."""


@dataclass
class FabricNetwork:
    """A fabric in arrays; nodes are the racks, then the switches.

    lower, upper: node at either end of each link; ports: of each link, in `PER_PORT` parts; tier: of each node;
    domains: for each tier but the last, which nodes reach each other without going above it, as a number per node;
    whole: flows of groups with nothing lost, once they were asked for.
    """

    fabric: Fabric
    names: list[str]
    racks: int
    lower: Array
    upper: Array
    ports: Array
    tier: Array
    domains: list[Array]
    order: tuple[Array, Array, Array]
    whole: dict[frozenset[int], _Flows] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> dict[str, int]:
        """Node by name."""
        return {name: row for row, name in enumerate(self.names)}


def compile_fabric(fabric: Fabric) -> FabricNetwork:
    """Compile a fabric that has no faults."""
    names = [*fabric.racks, *fabric.switches]
    at = {name: row for row, name in enumerate(names)}
    lower = np.array([at[link.lower] for link in fabric.links], dtype=np.int64)
    upper = np.array([at[link.upper] for link in fabric.links], dtype=np.int64)
    ports = np.array([link.ports * PER_PORT for link in fabric.links], dtype=np.int64)
    tier = np.array([0] * len(fabric.racks) + list(fabric.switches.values()), dtype=np.int64)
    domains = [_joined(lower, upper, tier, level) for level in range(1, fabric.tiers)]
    order = incidences(lower, upper, len(names))
    return FabricNetwork(fabric, names, len(fabric.racks), lower, upper, ports, tier, domains, order)


def _joined(lower: Array, upper: Array, tier: Array, level: int) -> Array:
    """A number for each node, the same for those that links up to a tier join."""
    number = np.arange(len(tier))
    within = tier[upper] <= level
    low, high = lower[within], upper[within]
    while True:
        least = number.copy()
        np.minimum.at(least, low, number[high])
        np.minimum.at(least, high, number[low])
        least = least[least]
        if np.array_equal(least, number):
            return number
        number = least


def ports_left(net: FabricNetwork, alive: Array, cables: dict[tuple[str, str], float] | None = None) -> Array:
    """Ports of each link that are left, in `PER_PORT` parts: a link needs a port at both its ends.

    Args:
        net: the fabric.
        alive: share of its ports that each node has [1], (node,).
        cables: (lower end, upper end) -> ports lost between them.
    """
    left = np.rint(net.ports * (alive[net.lower] * alive[net.upper])).astype(np.int64)
    for (a, b), lost in (cables or {}).items():
        hit = np.flatnonzero((net.lower == net.nodes[a]) & (net.upper == net.nodes[b]))[:1]
        left[hit] = np.maximum(left[hit] - round(lost * PER_PORT), 0)
    return left


def links_alive(net: FabricNetwork, left: Array) -> Array:
    """Share of its links that each node has left [1], (node,)."""
    count = len(net.names)
    built = np.bincount(net.lower, net.ports, count) + np.bincount(net.upper, net.ports, count)
    lives = np.bincount(net.lower, left, count) + np.bincount(net.upper, left, count)
    return lives / np.maximum(built, 1)


def shares(net: FabricNetwork, left: Array, group: Iterable[int] | None = None) -> Array:
    """Share of its bandwidth that each rack of a group has left while all of the group send at once [1], (rack,).

        share = f(rack)/f_0(rack) * product over tiers of r(domain),
        r(domain) = f(domain)/min(sum over its racks of f(rack) r(domains below), f_0(domain))

    f is the largest flow to the rest of the group over routes that go up and then down, with what is left; f_0 that
    with nothing lost; a domain is the racks that reach each other below a tier (those of a leaf, of a scalable unit),
    and its f takes the other domains for whole, so that each answers for what it lost itself. So a rack that lost
    ports is slower by itself, and what a leaf, a spine or a core lost above many racks is shared by those that need
    it. Where nothing is lost the share is 1, also in a fabric that blocks. Racks outside the group have none (nan); a
    rack alone in its group sends nothing and has all.

    Args:
        net: the fabric.
        left: what is left of each link, as `ports_left` says it.
        group: racks (numbers) that talk with each other, as a job's do; all if None.
    """
    chosen = frozenset(range(net.racks)) if group is None else frozenset(group)
    found = np.full(net.racks, np.nan)
    found[sorted(chosen)] = 1.0
    if len(chosen) < 2:
        return found
    now, whole = _Flows(net, left, chosen), _whole(net, chosen)
    for rack in chosen:
        found[rack] = _over(now.own[rack], whole.own[rack])
    sends: dict[int, float] = dict(now.own)
    for tier in range(len(net.domains)):
        for domain in now.domains(tier):
            able = min(sum(sends[rack] for rack in domain), whole.of(domain, tier))
            if 1 < len(domain) < len(chosen) and (rest := _over(now.of(domain, tier), able)) < 1.0:
                for rack in domain:
                    found[rack] *= rest
                    sends[rack] *= rest
    return found


def group_share(net: FabricNetwork, left: Array, group: Iterable[int]) -> float:
    """Share of its bandwidth at which a group in lockstep goes: that of its slowest rack [1]."""
    return float(np.nanmin(shares(net, left, group)))


def pair_share(net: FabricNetwork, left: Array, one: int, other: int) -> float:
    """Share of the bandwidth between two racks that is left, the rest of the fabric idle [1]."""
    return _over(_between(net, left, (one,), (other,)), _between(net, net.ports, (one,), (other,)))


def bisection(net: FabricNetwork, left: Array, half: Iterable[int] | None = None) -> float:
    """What the racks of one half can send to those of the other at once [ports]; the first half if not told."""
    one = frozenset(range(net.racks // 2) if half is None else half)
    other = frozenset(range(net.racks)) - one
    return _between(net, left, tuple(sorted(one)), tuple(sorted(other))) / PER_PORT


def _over(part: float, whole: float) -> float:
    return min(part / whole, 1.0) if whole > 0 else 1.0


def _between(net: FabricNetwork, left: Array, sources: tuple[int, ...], sinks: tuple[int, ...]) -> int:
    """Largest flow between racks."""
    return flow(_marked(net, left, _colours(net, left), sources, sinks), left)


def _colours(net: FabricNetwork, left: Array) -> Alike:
    """Nodes that cannot be told apart by what is left around them, and by the size of their domains."""
    start = net.tier.astype(np.uint64)
    for number in net.domains:
        start[: net.racks] = start[: net.racks] * np.uint64(100_003) + _size(number[: net.racks])
    return alike(start, net.lower, net.upper, left, net.tier, net.order)


def _size(number: Array) -> Array:
    """How many have the same number, for each of them."""
    return np.bincount(number)[number].astype(np.uint64)


def _marked(net: FabricNetwork, left: Array, base: Alike, sources: tuple[int, ...], sinks: tuple[int, ...]) -> Alike:
    """Nodes alike once sources and sinks are told from the rest."""
    start = base.colour.astype(np.uint64) * np.uint64(4)
    start[list(sinks)] += np.uint64(1)
    start[list(sources)] += np.uint64(2)
    made = alike(start, net.lower, net.upper, left, net.tier, net.order)
    return made.marked(sources, sinks)


class _Flows:
    """Largest flows out of racks and domains of a group, each sort of them worked out once."""

    def __init__(self, net: FabricNetwork, left: Array, group: frozenset[int]) -> None:
        self.net, self.left, self.group = net, left, group
        everyone = tuple(sorted(group))
        self.base = _marked(net, left, _colours(net, left), (), everyone)
        self.sorts: dict[tuple[int, ...], int] = {}
        self.own = {rack: self._out((rack,)) for rack in everyone}

    def domains(self, tier: int) -> list[tuple[int, ...]]:
        """The group's racks by domain."""
        found: dict[int, list[int]] = {}
        for rack in sorted(self.group):
            found.setdefault(int(self.net.domains[tier][rack]), []).append(rack)
        return [tuple(racks) for racks in found.values()]

    def of(self, domain: tuple[int, ...], tier: int) -> int:
        """What the racks of a domain can send to the rest of the group, the other domains taken for whole."""
        if len(domain) == 1:
            return self.own[domain[0]]
        return self._out(domain, tier)

    def healed(self, rack: int, tier: int) -> Array:
        """What is left of each link where only the domain of a rack and what lies above its tier lost anything."""
        net, number = self.net, self.net.domains[tier]
        elsewhere = (number != number[rack]) & (net.tier <= tier + 1)
        return np.where(elsewhere[net.lower], net.ports, self.left)

    def _out(self, racks: tuple[int, ...], tier: int | None = None) -> int:
        """What racks can send to the rest of the group; racks that look alike send alike."""
        sort = tuple(sorted(int(self.base.colour[rack]) for rack in racks))
        if sort not in self.sorts:
            ports = self.left if tier is None else self.healed(racks[0], tier)
            rest = tuple(sorted(self.group.difference(racks)))
            self.sorts[sort] = flow(_marked(self.net, ports, self.base, racks, rest), ports) if rest else 0
        return self.sorts[sort]


def _whole(net: FabricNetwork, group: frozenset[int]) -> _Flows:
    """The flows of a group with nothing lost; kept with the network."""
    if group not in net.whole:
        net.whole[group] = _Flows(net, net.ports, group)
    return net.whole[group]
