"""Power: who is energised runs down from the sources, what is drawn runs up to them, both within the tick."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, columns_of, gather_sum, library_of, neighbours, nothing, worth_doing
from twin.declare import Equipment, Ports, Supply
from twin.networks import injection, mesh, sharing, short_circuit
from twin.networks.served import beside, served
from twin.networks.short_circuit import Short
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.physics.supply import WHOLE, shared
from twin.plant import Plant
from twin.plant_electrics import capacities

NOMINAL = 1.0
"""Frequency of nominal [1]; this plain number stands for an array of it, and nothing is worked out."""


@dataclass
class Board:
    """Where one table stands in the network: its feeds by slot, its edges, and the edges it serves.

    `weight` says what each feed can bear, where they differ, `reactive` what of reactive power, where that
    differs; `joins` where feeds meet; `beside` are the other feeds of the board that a store of power serves.
    """

    table: Table
    feeds: list[Array]
    edges: list[slice]
    serves: Neighbours | None
    served: Array | None
    weight: sharing.Weights
    reactive: sharing.Weights
    joins: bool
    beside: Array | None
    ties: mesh.Mesh | None = None


@dataclass
class Leaves:
    """Consumers with the same number of feeds that feed no one and have no law of their own for their supply.

    They are told of it, and their draw is passed on, all at once: tables with their columns here, feeds and
    edges by slot.
    """

    tables: list[tuple[Table, slice]]
    size: int
    columns: slice | Array
    feeds: list[Array]
    edges: list[slice]


@dataclass
class PowerNetwork:
    """The compiled network: boards in the order in which voltage runs down, and what hangs on them."""

    boards: list[Board]
    leaves: list[Leaves]
    unit_count: int
    edge_count: int
    """One more column past the last edge stands for none; nothing is drawn there."""

    def __post_init__(self) -> None:
        self.struck = [board for board in self.boards if short_circuit.can_be_struck(board.table)]
        self.meshes = [board.ties for board in self.boards if board.ties is not None]


def compile_power(plant: Plant, tables: list[Table], xp: ModuleType) -> PowerNetwork:
    """Index tables of the feeds. A slot without a feed points at a column past the last unit, which is dead."""
    column = unit_columns(tables)
    dead = len(column)
    electrical = [t for t in tables if t.machine.source or t.machine.feeds[1] > 0]
    electrical.sort(key=lambda t: (t.depth, t.first))
    order: list[tuple[str, int]] = []
    edges_of: dict[str, list[int]] = {name: [] for name in column}
    bears = capacities(plant)
    drafts = []
    for group in _groups(plant, electrical):
        names = [name for t in group for name in t.names]
        feeds, edges = [], []
        for slot in range(_slots(plant, names)):
            sources = [_feed(plant, name, slot) for name in names]
            feeds.append(xp.asarray(np.array([column[s] if s else dead for s in sources], dtype=np.int64)))
            for row, source in enumerate(sources):
                if source:
                    edges_of[source].append(len(order) + row)
            edges.append(slice(len(order), len(order) + len(names)))
            order += [(name, slot) for name in names]
        drafts.append((group, feeds, edges))
    boards, leaves = [], []
    for group, feeds, edges in drafts:
        if _is_leaf(group[0]):
            leaves.append(_leaves(group, feeds, edges, xp))
            continue
        (t,) = group
        # edges are added in an order by name, so that sums do not depend on the order of kinds
        serves = neighbours([sorted(edges_of[name], key=order.__getitem__) for name in t.names], xp, spare=len(order))
        bar = served(plant, t, column, dead, xp)
        joins = t.machine.serves and not t.machine.prefers and not t.machine.conducts and len(feeds) > 0
        shares = sharing.weights(plant, t, len(feeds), bears, xp) if t.machine.weighs else (None, None)
        others = beside(plant, t, column, dead, xp) if t.machine.stores_power else None
        fed = serves if t.machine.serves else None
        boards.append(Board(t, feeds, edges, fed, bar, *shares, joins, others))
    for t in (t for t in tables if t.machine.joins):
        last = [board for board in boards if board.table.depth == t.depth and board.table.machine.weighs][-1]
        last.ties = mesh.compile_mesh(plant, t, tables, column, edges_of, len(order), xp)
    return PowerNetwork(boards, leaves, len(column), len(order))


def _slots(plant: Plant, names: list[str]) -> int:
    """Most feeds of some units; at least one, which may be none, for those that could have one."""
    return max((len(plant.feeds.get(name, ())) or int(name in plant.joined) for name in names), default=0)


def _is_leaf(t: Table) -> bool:
    return not t.machine.serves and type(t.machine).live is Equipment.live


def _groups(plant: Plant, electrical: list[Table]) -> list[list[Table]]:
    """Tables that stand alone, then those of leaves with the same number of feeds together."""
    together: dict[int, list[Table]] = {}
    for t in electrical:
        if _is_leaf(t):
            together.setdefault(_slots(plant, t.names), []).append(t)
    return [[t] for t in electrical if not _is_leaf(t)] + list(together.values())


def _leaves(group: list[Table], feeds: list[Array], edges: list[slice], xp: ModuleType) -> Leaves:
    places, size = [], 0
    for t in group:
        places.append((t, slice(size, size + t.size)))
        size += t.size
    columns = columns_of([column for t in group for column in range(t.first, t.last)], xp)
    return Leaves(places, size, columns, feeds, edges)


def _feed(plant: Plant, unit: str, slot: int) -> str | None:
    feeds = plant.feeds.get(unit, ())
    return feeds[slot] if slot < len(feeds) else None


Shares = list[list[Any]]
"""For each group of leaves, the share of their draw that each feed bears."""


@dataclass
class Grid:
    """What the units offer each other while voltage runs down; arrays are (member, unit + 1).

    frequency: of nominal [1], NOMINAL while all are at it; injection: what a unit forces in [VA], nan where
    it does not, None where none does; push: what it gives beyond its share [W], None where none does.
    """

    voltage: Array
    gap: Array
    frequency: Any = NOMINAL
    injection: Any = None
    push: Any = None


def energise(
    net: PowerNetwork,
    ports: AllPorts,
    state: AllRows,
    inputs: AllRows,
    was: tuple[Array, Any],
    dt: Any,
    short: Short | None = None,
) -> tuple[tuple[Array, Any], Shares]:
    """Voltage, frequency and liveness down from the sources.

    Args:
        was: voltage of every unit at the end of the last tick [pu], complex (member, unit + 1), and their
            frequency [1], the same or a plain number.
        short: what short circuits leave of the voltages.

    Returns:
        Both now, and the shares of the leaves' feeds; `ports` get voltage, gap, frequency and the split of
        their feeds.
    """
    xp = library_of(was[0])
    grid = Grid(xp.zeros(was[0].shape, dtype=was[0].dtype), xp.zeros(was[0].shape) + dt)
    for board in net.boards:
        t, port = board.table, ports[board.table.key]
        _tell_feeds(board, port, grid, dt)
        if board.served is not None:
            port.served_voltage = abs(was[0].take(board.served, axis=1))
            if board.beside is not None and board.beside.shape[1]:
                port.served_otherwise = abs(was[0].take(board.beside, axis=1)).max(axis=-1)
            if type(was[1]) is not float:
                port.served_frequency = was[1].take(board.served, axis=1)
        offered = t.machine.live(state[t.key], inputs[t.key], port, dt)
        supply = offered if short is None else short.sagged(t, offered, dt)
        grid.voltage[:, t.columns] = supply.voltage
        if board.serves is not None:
            grid.gap[:, t.columns] = supply.gap
            if short is not None:
                short.cut(t, offered, supply, was[0], grid.gap, dt)
        port.voltage, port.gap, port.split = supply.voltage, supply.gap, supply.split
        if supply.frequency is not None or type(grid.frequency) is not float:
            _keep_frequency(grid, board, port, supply)
        _keep_forced(grid, board, supply)
        if board.ties is not None:
            mesh.orient(board.ties, ports, state, inputs, grid, dt, short)
            _tell_boards(net, board.ties, ports, grid)
    if type(grid.frequency) is not float or type(was[1]) is not float:
        _tell_sources(net, ports, grid.frequency)
    shares = []
    for group in net.leaves:
        feed_voltage = [grid.voltage.take(feed, axis=1) for feed in group.feeds]
        alive, dead, split = shared(feed_voltage, [grid.gap.take(feed, axis=1) for feed in group.feeds], dt)
        grid.voltage[:, group.columns] = alive
        shares.append(split)
        for t, here in group.tables:
            ports[t.key].voltage, ports[t.key].gap = alive[:, here], dead[:, here]
        if type(grid.frequency) is not float:
            pace = _mixed([grid.frequency.take(feed, axis=1) for feed in group.feeds], split) + 0.0 * dead
            for t, here in group.tables:
                ports[t.key].frequency = pace[:, here]
    return (grid.voltage, grid.frequency), shares


def _tell_sources(net: PowerNetwork, ports: AllPorts, pace: Any) -> None:
    """The frequency of the boards that sources serve, now that it is known who feeds them."""
    for board in net.boards:
        if board.served is not None:
            now = pace if type(pace) is float else pace.take(board.served, axis=1)
            ports[board.table.key].served_frequency = now


def _tell_boards(net: PowerNetwork, ties: mesh.Mesh, ports: AllPorts, grid: Grid) -> None:
    """What the boards of a mesh have, now that it is known who feeds them."""
    for t in (board.table for board in net.boards if board.table.depth == ties.table.depth):
        if t.machine.weighs:
            port = ports[t.key]
            port.voltage, port.gap = grid.voltage[:, t.columns], grid.gap[:, t.columns]
            if type(grid.frequency) is not float:
                port.frequency = grid.frequency[:, t.columns]


def _tell_feeds(board: Board, port: Ports, grid: Grid, dt: Any) -> None:
    """What the feeds of a table offer, by slot."""
    port.feed_voltage = [grid.voltage.take(feed, axis=1) for feed in board.feeds]
    port.feed_gap = [grid.gap.take(feed, axis=1) for feed in board.feeds]
    if type(grid.frequency) is not float:
        port.feed_frequency = [grid.frequency.take(feed, axis=1) for feed in board.feeds]
    port.feed_weight = board.weight
    if board.joins and grid.injection is not None:
        port.feed_injection = [grid.injection.take(feed, axis=1) for feed in board.feeds]
        injection.follow(port, dt)
    if board.joins and grid.push is not None:
        port.feed_push = [grid.push.take(feed, axis=1) for feed in board.feeds]


def _mixed(feeds: list[Any] | None, split: list[Any]) -> Any:
    """Frequency of what several feeds serve, by their shares: f = 1 + sum share (f_feed - 1)."""
    found: Any = NOMINAL
    for frequency, share in zip(feeds or (), split):
        if type(frequency) is not float and not nothing(share):
            found = found + share * (frequency - 1.0)
    return found


def _keep_frequency(grid: Grid, board: Board, port: Ports, supply: Supply) -> None:
    """Note a table's frequency for those it feeds; from the first that is not nominal, all are noted."""
    own = supply.frequency
    if own is None:
        own = _mixed(port.feed_frequency, supply.split)
    if type(grid.frequency) is float:
        if own is NOMINAL or not worth_doing(own != NOMINAL):
            return
        grid.frequency = library_of(grid.gap).ones(grid.gap.shape)
    grid.frequency[:, board.table.columns] = port.frequency = own


def _keep_forced(grid: Grid, board: Board, supply: Supply) -> None:
    """Note what a table forces in or pushes."""
    if supply.injection is not None or grid.injection is not None:
        grid.injection = _kept(grid, board, supply.injection, grid.injection, complex("nan"))
    if supply.push is not None or grid.push is not None:
        grid.push = _kept(grid, board, supply.push, grid.push, 0.0)


def _kept(grid: Grid, board: Board, said: Any, known: Any, none: Any) -> Any:
    """What units force in or push, with what a table says; it goes through units that conduct. None where none does."""
    if said is None and board.table.machine.conducts and known is not None:
        said = known.take(board.feeds[0], axis=1)
    if said is None:
        return known
    if known is None:
        known = library_of(grid.gap).full(grid.gap.shape, none)
    known[:, board.table.columns] = said
    return known


def load(
    net: PowerNetwork,
    ports: AllPorts,
    state: AllRows,
    inputs: AllRows,
    shares: Shares,
    members: int,
    xp: ModuleType,
    dt: Any,
    short: Short | None = None,
) -> tuple[Array, Array]:
    """Complex power up to the sources, every node's sum exact; `ports` get power drawn and load delivered.

    Returns:
        Power drawn and power delivered by every unit [W], (member, n + 1).
    """
    edges = xp.zeros((members, net.edge_count + 1), dtype=complex)
    taken, given = xp.zeros((2, members, net.unit_count + 1))
    for group, split in zip(net.leaves, shares, strict=True):
        drawn = xp.empty((members, group.size), dtype=complex)
        for t, here in group.tables:
            drawn[:, here] = t.machine.draw(state[t.key], inputs[t.key], ports[t.key], 0.0, dt)
        _pass_on(drawn, group.edges, split, edges)
        power, reactive = drawn.real.copy(), drawn.imag
        taken[:, group.columns] = power
        for t, here in group.tables:
            ports[t.key].power, ports[t.key].reactive = power[:, here], reactive[:, here]
    carried: Any = mesh.nothing_carried(taken) if net.meshes else None
    for board in reversed(net.boards):
        t, port = board.table, ports[board.table.key]
        here = t.columns
        if board.ties is not None:
            mesh.carry(board.ties, ports, state, inputs, edges, carried, dt, short)
        asked: Any = 0.0
        if board.serves is not None:
            asked = gather_sum(edges, board.serves)
            if short is not None:
                asked = asked + short.asked[:, here]
            if carried is not None:
                asked = asked + carried.given[:, here]
            given[:, here] = asked.real
            port.load, port.load_reactive = given[:, here], asked.imag.copy()
        if t.machine.source:
            continue
        drawn = t.machine.draw(state[t.key], inputs[t.key], port, asked, dt)
        if short is not None:
            drawn = drawn + short.carried(t, asked)
        own = drawn if carried is None else carried.own(t, drawn)
        if port.feed_injection is not None:
            _write(injection.parted(own, port, dt), board.edges, edges)
        elif port.feed_push is not None or board.reactive is not None:
            _write(sharing.parted(own, board.reactive, port, dt), board.edges, edges)
        else:
            _pass_on(own, board.edges, port.split, edges)
        taken[:, here] = drawn.real
        port.power, port.reactive = taken[:, here], drawn.imag
    for ties in net.meshes:
        here = ties.table.columns
        taken[:, here], given[:, here] = carried.taken[:, here].real, carried.given[:, here].real
    return (taken, given) if short is None else _with_faults(net, ports, short, taken, given)


def _with_faults(net: PowerNetwork, ports: AllPorts, short: Short, taken: Array, given: Array) -> tuple[Array, Array]:
    """What units draw and deliver with what short circuits take through them; sources are told their part."""
    for board in net.boards:
        if board.table.machine.source:
            ports[board.table.key].fault_power = short.delivered[:, board.table.columns]
    return taken + short.drawn, given + short.delivered


def _write(parts: list[Array], places: list[slice], edges: Array) -> None:
    """Write what is drawn through each feed, where each bears a part of its own."""
    for edge, part in zip(places, parts, strict=True):
        edges[:, edge] = part


def _pass_on(drawn: Array, places: list[slice], split: list[Any], edges: Array) -> None:
    """Write what is drawn through each feed."""
    for edge, share in zip(places, split, strict=True):
        if not nothing(share):
            edges[:, edge] = drawn if share is WHOLE else drawn * share
