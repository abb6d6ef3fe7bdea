"""Power: who is energised runs down from the sources, what is drawn runs up to them, both within the tick."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, nothing
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.physics.supply import WHOLE
from twin.plant import Plant


@dataclass
class Board:
    """Where one table stands in the network: its feeds by slot, its edges, and the edges it serves."""

    table: Table
    feeds: list[Array]
    edges: list[slice]
    serves: Neighbours | None
    served: Array | None


@dataclass
class PowerNetwork:
    """The compiled network: boards in the order in which voltage runs down."""

    boards: list[Board]
    unit_count: int
    edge_count: int
    """One more column past the last edge stands for none; nothing is drawn there."""


def compile_power(plant: Plant, tables: list[Table], xp: ModuleType) -> PowerNetwork:
    """Index tables of the feeds. A slot without a feed points at a column past the last unit, which is dead."""
    column = unit_columns(tables)
    dead = len(column)
    electrical = [t for t in tables if t.machine.source or t.machine.feeds[1] > 0]
    electrical.sort(key=lambda t: (t.depth, t.first))
    edges_of: dict[str, list[int]] = {name: [] for name in column}
    drafts: list[tuple[Table, list[Array], int]] = []
    edge = 0
    for t in electrical:
        slots = max((len(plant.feeds.get(name, ())) for name in t.names), default=0)
        first_edge = edge
        feeds = []
        for slot in range(slots):
            sources = [_feed(plant, name, slot) for name in t.names]
            feeds.append(xp.asarray(np.array([column[s] if s else dead for s in sources], dtype=np.int64)))
            for row, source in enumerate(sources):
                if source:
                    edges_of[source].append(edge + row)
            edge += t.size
        drafts.append((t, feeds, first_edge))
    order = _canonical_edges(drafts)
    boards = []
    for t, feeds, first_edge in drafts:
        serves = neighbours([sorted(edges_of[name], key=order.__getitem__) for name in t.names], xp, spare=edge)
        edges = [slice(start, start + t.size) for start in range(first_edge, first_edge + t.size * len(feeds), t.size)]
        served = _served(plant, t, column, dead, xp)
        boards.append(Board(t, feeds, edges, serves if t.machine.serves else None, served))
    return PowerNetwork(boards, len(column), edge)


def _feed(plant: Plant, unit: str, slot: int) -> str | None:
    feeds = plant.feeds.get(unit, ())
    return feeds[slot] if slot < len(feeds) else None


def _canonical_edges(drafts: list[tuple[Table, list[Array], int]]) -> dict[int, tuple[str, int]]:
    """An order of edges by name, so that sums do not depend on the order of kinds."""
    names: dict[int, tuple[str, int]] = {}
    for t, feeds, first_edge in drafts:
        for slot in range(len(feeds)):
            for row, name in enumerate(t.names):
                names[first_edge + slot * t.size + row] = (name, slot)
    return names


def _served(plant: Plant, t: Table, column: dict[str, int], dead: int, xp: ModuleType) -> Array | None:
    """Column of the first unit fed by each source, whose voltage tells whether its board is alive."""
    if not t.machine.source:
        return None
    fed = {source: unit for unit, feeds in reversed(plant.feeds.items()) for source in feeds}
    return xp.asarray(np.array([column[fed[n]] if n in fed else dead for n in t.names], dtype=np.int64))


def energise(net: PowerNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, was: Array, dt: Any) -> Array:
    """Voltage and liveness down from the sources.

    Args:
        was: voltage of every unit at the end of the last tick [pu], complex (member, n + 1).

    Returns:
        Voltage now, same shape; `ports` get voltage, gap and the split of their feeds.
    """
    xp = library_of(was)
    voltage = xp.zeros_like(was)
    gap = xp.zeros(was.shape) + dt
    for board in net.boards:
        t, port = board.table, ports[board.table.key]
        port.feed_voltage = [voltage.take(feed, axis=1) for feed in board.feeds]
        port.feed_gap = [gap.take(feed, axis=1) for feed in board.feeds]
        if board.served is not None:
            port.served_voltage = abs(was.take(board.served, axis=1))
        supply = t.machine.live(state[t.key], inputs[t.key], port, dt)
        voltage[:, t.columns] = supply.voltage
        if board.serves is not None:
            gap[:, t.columns] = supply.gap
        port.voltage, port.gap, port.split = supply.voltage, supply.gap, supply.split
    return voltage


def load(
    net: PowerNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, members: int, xp: ModuleType, dt: Any
) -> tuple[Array, Array]:
    """Complex power up to the sources, every node's sum exact; `ports` get power drawn and load delivered.

    Returns:
        Power drawn and power delivered by every unit [W], (member, n + 1).
    """
    edges = xp.zeros((members, net.edge_count + 1), dtype=complex)
    taken, given = xp.zeros((2, members, net.unit_count + 1))
    for board in reversed(net.boards):
        t, port = board.table, ports[board.table.key]
        here = t.columns
        asked: Any = 0.0
        if board.serves is not None:
            asked = gather_sum(edges, board.serves)
            given[:, here] = asked.real
            port.load, port.load_reactive = given[:, here], asked.imag.copy()
        if t.machine.source:
            continue
        drawn = t.machine.draw(state[t.key], inputs[t.key], port, asked, dt)
        for edge, share in zip(board.edges, port.split, strict=True):
            if not nothing(share):
                edges[:, edge] = drawn if share is WHOLE else drawn * share
        taken[:, here] = drawn.real
        port.power, port.reactive = taken[:, here], drawn.imag
    return taken, given
