"""Alike: nodes of a layered network that cannot be told apart count as one, and the largest flow among such ones."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from twin.arrays import Array

GOLDEN, ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
FREE = 1 << 62
"""Capacity of what limits nothing: a switch that turns a route from up to down."""


def incidences(lower: Array, upper: Array, nodes: int) -> tuple[Array, Array, Array]:
    """Each link from either end, ordered by node: which link, the node at its far end, and where each node begins."""
    near = np.concatenate([lower, upper])
    order = np.argsort(near, kind="stable")
    far = np.concatenate([upper, lower])[order]
    begins = np.searchsorted(near[order], np.arange(nodes))
    return order % max(len(lower), 1), far, begins


@dataclass
class Alike:
    """Nodes by colour: those of one colour have the same capacity to the nodes of any other.

    links: (lower colour, upper colour) -> capacity of all links between them; turns: colours of switches.
    """

    colour: Array
    lower: Array
    upper: Array
    tier: Array
    sources: tuple[int, ...] = ()
    sinks: tuple[int, ...] = ()

    def marked(self, sources: tuple[int, ...], sinks: tuple[int, ...]) -> Alike:
        """The same, with who sends and who receives."""
        return Alike(self.colour, self.lower, self.upper, self.tier, sources, sinks)


def alike(
    start: Array, lower: Array, upper: Array, capacity: Array, tier: Array,
    order: tuple[Array, Array, Array],
) -> Alike:  # fmt: skip
    """Colour nodes so that those of one colour have the same capacity to the nodes of any other.

    Colour refinement (the first-order Weisfeiler-Leman test): a node's new colour is its own and the sum over its
    links of hashes of the far colour and of the capacity, multiplied, until no colour splits. The result is an
    equitable partition, and a largest flow spread evenly over nodes alike and links in proportion to capacity is a
    largest flow of the network itself, so the flow among colours is exact.

    Args:
        start: what tells nodes apart to begin with, (node,).
        lower, upper: node at either end of each link.
        capacity: of each link; links without any count for nothing.
        tier: of each node; a node's links up and down differ by the tier of their far end.
        order: as `incidences` says it.

    Source: the quotient of an equitable partition; Grohe, Kersting, Mladenov and Selman, "Dimension Reduction via
    Colour Refinement" (ESA 2014), for linear programs, of which max-flow is one.
    """
    link, far, begins = order
    weight = np.where(capacity > 0, _mixed(capacity.astype(np.uint64)), np.uint64(0))[link]
    colour = np.unique(start * np.uint64(64) + tier.astype(np.uint64), return_inverse=True)[1].ravel()
    count = int(colour.max()) + 1 if len(colour) else 0
    empty = np.diff(np.append(begins, len(link))) == 0
    while count:
        seen = _mixed(colour.astype(np.uint64))[far] * weight
        sums = np.add.reduceat(np.append(seen, np.uint64(0)), begins)
        sums[empty] = 0
        colour = np.unique(_mixed(colour.astype(np.uint64)) ^ _mixed(sums), return_inverse=True)[1].ravel()
        before, count = count, int(colour.max()) + 1
        if count == before:
            break
    return Alike(colour, lower, upper, tier)


def _mixed(x: Array) -> Array:
    """A 64-bit hash, each bit of which hangs on all bits of its argument (the finaliser of splitmix64)."""
    x = (x + GOLDEN) * ODD
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def flow(nodes: Alike, capacity: Array) -> int:
    """Largest flow from the sources to the sinks over routes that go up and then down, in units of capacity.

    Args:
        nodes: the network by colour, in which sources and sinks are told from all others.
        capacity: of each link and direction, whole numbers.
    """
    colours = int(nodes.colour.max()) + 1
    pairs = nodes.colour[nodes.lower] * colours + nodes.colour[nodes.upper]
    if colours * colours <= 4 * len(pairs):
        between = np.bincount(pairs, capacity, colours * colours)
        found = np.flatnonzero(between)
        between = between[found]
    else:
        found, places = np.unique(pairs, return_inverse=True)
        between = np.bincount(places.ravel(), capacity)
    tier = np.zeros(colours, dtype=np.int64)
    tier[nodes.colour] = nodes.tier
    sends, takes = ({int(nodes.colour[rack]) for rack in each} for each in (nodes.sources, nodes.sinks))
    source, sink = 2 * colours, 2 * colours + 1
    room: list[dict[int, int]] = [{} for _ in range(sink + 1)]
    for pair, size in zip(found.tolist(), between.tolist(), strict=True):
        low, high = divmod(pair, colours)
        if size > 0:
            _pipe(room, low, high, int(size))
            _pipe(room, colours + high, colours + low, int(size))
    for colour in range(colours):
        if tier[colour] > 0:
            _pipe(room, colour, colours + colour, FREE)
    for colour in sends:
        _pipe(room, source, colour, FREE)
    for colour in takes:
        _pipe(room, colours + colour, sink, FREE)
    return _largest(room, source, sink)


def _pipe(room: list[dict[int, int]], a: int, b: int, size: int) -> None:
    room[a][b] = room[a].get(b, 0) + size
    room[b].setdefault(a, 0)


def _largest(room: list[dict[int, int]], source: int, sink: int) -> int:
    """Largest flow by shortest augmenting paths (Edmonds and Karp 1972); `room` is what is left of each arc."""
    total = 0
    while True:
        came = {source: source}
        queue = deque([source])
        while queue and sink not in came:
            node = queue.popleft()
            for far, left in room[node].items():
                if left > 0 and far not in came:
                    came[far] = node
                    queue.append(far)
        if sink not in came:
            return total
        path, node = [], sink
        while node != source:
            path.append((came[node], node))
            node = came[node]
        size = min(room[a][b] for a, b in path)
        for a, b in path:
            room[a][b] -= size
            room[b][a] += size
        total += size
