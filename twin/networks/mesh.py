"""Mesh: boards and the ties between them, oriented in each tick and member by where the switches stand."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, worth_doing
from twin.declare import quantities
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.electric import series_current, series_drop
from twin.physics.supply import TINY
from twin.plant import Plant
from twin.plant_electrics import rings

ON_CURRENT = ("tripped", "tripped_short_time", "tripped_instantaneous")
"""State with which a breaker says that it has opened on current."""
FAR = 1e6
"""Steps to a source that stand for no way there."""


@dataclass
class Mesh:
    """The boards and ties of one depth. Boards and ties count from 0 here; one more of each stands for none.

    columns: of the boards in arrays over units; ends: the two boards of each tie (2, T); tie, other: around each
    board (B, K); ahead: whether that neighbour is the tie's first end, from which power runs forward;
    rounds: ties on the longest path; serves: edges of what the boards feed; mains: tables of breakers, with those of
    each that are mains of the boards (B, M), one past the last for none; seats: key of the boards' table, and their
    rows there.
    """

    table: Table
    columns: Array
    ends: list[Array]
    tie: Array
    other: Array
    ahead: Array
    rounds: int
    serves: Neighbours
    mains: list[tuple[Table, Array]]
    seats: tuple[str, Array]


@dataclass
class Way:
    """One orientation of a tick; arrays (member, B).

    root: fed by its own feeds; slot: the neighbour that feeds it, K for none; since: from when [s from the
    tick's start]; seconds: for how long.
    """

    root: Array
    slot: Array
    since: Array
    seconds: Array


@dataclass
class Course:
    """A tick of the mesh: its orientations before and after what moved, and voltages of the boards [pu].

    bends: what the loads leave of the voltage along each tie, by board and neighbour (member, B, K) [1].
    """

    before: Way
    after: Way
    move: Any
    voltage: Array
    loops: Array
    bends: Array


@dataclass
class Carried:
    """Whether units bear on their own feeds [1], what they take from ties and give to them [VA], (member, unit + 1).

    Of a tie, what it takes and gives.
    """

    bears: Array
    taken: Array
    given: Array

    def own(self, t: Table, drawn: Array) -> Array:
        """What a table draws from its own feeds, of all that it draws [VA]."""
        return (drawn - self.taken[:, t.columns]) * self.bears[:, t.columns]


def nothing_carried(like: Array) -> Carried:
    """No power along ties yet; `like` is real, (member, unit + 1)."""
    xp = library_of(like)
    return Carried(xp.ones(like.shape), *xp.zeros((2, *like.shape), dtype=complex))


def compile_mesh(
    plant: Plant,
    t: Table,
    tables: list[Table],
    column: dict[str, int],
    edges: dict[str, list[int]],
    spare: int,
    xp: ModuleType,
) -> Mesh:
    """Index tables of the ties of one depth; `edges` are those that each board serves."""
    boards = sorted({board for tie in t.names for board in plant.joins[tie]})
    seat = {name: row for row, name in enumerate(boards)}
    rows: list[list[tuple[str, int, int, bool]]] = [[] for _ in boards]
    for index, name in enumerate(t.names):
        one, two = (seat[board] for board in plant.joins[name])
        rows[one].append((name, index, two, False))
        rows[two].append((name, index, one, True))
    width = max(map(len, rows))
    tie, other = np.full((len(boards), width), t.size), np.full((len(boards), width), len(boards))
    ahead = np.zeros((len(boards), width), dtype=bool)
    for row, around in enumerate(rows):
        for slot, (_, index, neighbour, first) in enumerate(sorted(around)):
            tie[row, slot], other[row, slot], ahead[row, slot] = index, neighbour, first
    ends = [xp.asarray(np.array([seat[plant.joins[name][end]] for name in t.names])) for end in (0, 1)]
    columns = xp.asarray(np.array([column[name] for name in boards]))
    rounds = max(len(part) for part in rings(plant) if part[0] in seat) - 1
    serves = neighbours([edges[name] for name in boards], xp, spare=spare)
    mains = _mains(plant, boards, tables, xp)
    home = next(each for each in tables if boards[0] in each.names)  # ties join boards of one depth: of one table
    seats = home.key, xp.asarray(np.array([home.names.index(name) for name in boards]))
    tables_of = xp.asarray(tie), xp.asarray(other), xp.asarray(ahead)
    return Mesh(t, columns, ends, *tables_of, rounds, serves, mains, seats)


def _mains(plant: Plant, boards: list[str], tables: list[Table], xp: ModuleType) -> list[tuple[Table, Array]]:
    """The breakers nearest before each board, with nothing but cables between, by table."""
    guards = [t for t in tables if set(ON_CURRENT) <= set(quantities(t.machine.State))]
    seats = {name: (t.key, row) for t in guards for row, name in enumerate(t.names)}
    wires = {
        name for t in tables if t.machine.conducts and not hasattr(t.machine, "secondary_voltage") for name in t.names
    }
    rows: dict[str, list[list[int]]] = {t.key: [[] for _ in boards] for t in guards}
    for place, board in enumerate(boards):
        waiting = list(plant.feeds.get(board, ()))
        while waiting:
            name = waiting.pop()
            if name in seats:
                rows[seats[name][0]][place].append(seats[name][1])
            elif name in wires:
                waiting += plant.feeds.get(name, ())
    return [(t, neighbours(rows[t.key], xp, spare=t.size).index) for t in guards if any(rows[t.key])]


def _opened(mesh: Mesh, state: AllRows) -> Array | None:
    """Whether the main of each board has opened on current (member, B); None where none has."""
    found = None
    for t, index in mesh.mains:
        s = state[t.key]
        latches = [getattr(s, name) for name in ON_CURRENT]
        if not t.machine.once(_any_latched, *latches):
            continue
        xp = library_of(latches[0])
        latch = xp.maximum(xp.maximum(latches[0], latches[1]), latches[2])
        opened = with_none(latch, 0.0).take(index, axis=1).max(axis=-1)
        found = opened if found is None else xp.maximum(found, opened)
    return found


def _any_latched(*latches: Array) -> bool:
    """Whether any latch is up; said on the CPU alone."""
    return any(map(worth_doing, latches))


def with_none(x: Array, value: Any) -> Array:
    """An array over boards or ties with one more column that stands for none."""
    out = library_of(x).full((x.shape[0], x.shape[1] + 1), value, dtype=x.dtype)
    out[:, :-1] = x
    return out


def at_slot(values: Array, slot: Array, none: Any) -> Array:
    """What stands at each board's slot in a table (member, B, K); `none` where there is no slot."""
    xp, width = library_of(slot), values.shape[-1]
    found = xp.take_along_axis(values, xp.minimum(slot, width - 1)[..., None], axis=-1)[..., 0]
    return xp.where(slot < width, found, none)


def _slots(mesh: Mesh, root: Array, closed: Array) -> Array:
    """The neighbour on the shortest way to a source, for each board that is none itself."""
    xp, width = library_of(root), mesh.tie.shape[1]
    step = xp.where(with_none(closed * 1.0, 0.0).take(mesh.tie, axis=1) > 0, 1.0, FAR)
    level = xp.where(root, 0.0, FAR)
    for _ in range(mesh.rounds):
        near = (with_none(level, FAR).take(mesh.other, axis=1) + step).min(axis=-1)
        level = xp.where(root, 0.0, xp.minimum(near, FAR))
    steps = with_none(level, FAR).take(mesh.other, axis=1) + step
    return xp.where(root | (level >= FAR), width, steps.argmin(axis=-1))


def run_down(mesh: Mesh, root: Array, slot: Array, own: Array, along: Array, combine: Any, none: Any) -> Array:
    """Run a quantity down from the roots; `along` (member, B, K) is what each tie on the way does to it."""
    xp = library_of(own)
    value, passed = xp.where(root, own, none), at_slot(along, slot, none)
    fed = slot < mesh.tie.shape[1]
    for _ in range(mesh.rounds):
        above = at_slot(with_none(value, none).take(mesh.other, axis=1), slot, none)
        value = xp.where(root, own, xp.where(fed, combine(above, passed), none))
    return value


def _bars(mesh: Mesh, ends: tuple[Array, Array], none: float = 0.0) -> Array:
    """Of each board, by neighbour, what the tie there says of it (member, B, K)."""
    xp = library_of(ends[0])
    first, second = (with_none(end * 1.0, none).take(mesh.tie, axis=1) for end in ends)
    return xp.where(mesh.ahead, second, first)


def _after(mesh: Mesh, move: Any, own: Array, dead: Array, dt: Any) -> Way:
    """Who feeds whom at the end of the tick, and since when."""
    xp = library_of(own)
    barred, was = _bars(mesh, move.bars_after), _bars(mesh, move.bars_before)
    frees = xp.where((was > 0) & (barred == 0), _bars(mesh, (move.frees_at, move.frees_at)), 0.0).max(axis=-1)
    root = (own != 0) & (barred.max(axis=-1) == 0)
    slot = _slots(mesh, root, move.closed_after)
    moved = xp.where((move.closed_after > 0) & (move.closed_before == 0), move.moves_at, 0.0)
    along = with_none(moved, dt).take(mesh.tie, axis=1)
    since = run_down(mesh, root, slot, xp.maximum(dead, frees), along, xp.maximum, dt)
    return Way(root, slot, since, xp.maximum(dt - since, 0.0))


def _before(mesh: Mesh, move: Any, own: Array, dead: Array, after: Way, dt: Any) -> Way:
    """Who fed whom at the start of the tick, and for how long, until what came after it."""
    xp = library_of(own)
    barred, then = _bars(mesh, move.bars_before), _bars(mesh, move.bars_after)
    bars = xp.where((then > 0) & (barred == 0), _bars(mesh, (move.bars_at, move.bars_at)), dt).min(axis=-1)
    root = xp.where(own != 0, dead == 0, dead < dt) & (barred.max(axis=-1) == 0)
    slot = _slots(mesh, root, move.closed_before)
    moved = xp.where((move.closed_after == 0) & (move.closed_before > 0), move.moves_at, dt + 0.0 * move.moves_at)
    along = with_none(moved, 0.0).take(mesh.tie, axis=1)
    lasts = xp.minimum(xp.where(own != 0, dt, dt - dead), bars)
    until = run_down(mesh, root, slot, lasts, along, xp.minimum, 0.0)
    return Way(root, slot, 0.0 * until, xp.minimum(until, after.since))


def hanging_on(mesh: Mesh, used: Array) -> Array:
    """Which neighbours of each board are fed through the tie between (member, B, K); `used` is the tie of each."""
    none = mesh.table.size
    return with_none(used, none).take(mesh.other, axis=1) == library_of(used).where(mesh.tie < none, mesh.tie, -1)


def closed_loops(meshes: list[Mesh], ports: AllPorts) -> list[tuple[list[str], Array]]:
    """The ties of each mesh, and which of them close a loop (member, T)."""
    return [(mesh.table.names, ports[mesh.table.key].drive.loops) for mesh in meshes]


def _loops(mesh: Mesh, after: Way, move: Any) -> Array:
    """Closed ties between live boards that no board is fed through: each closes a loop (member, T)."""
    xp, width = library_of(after.slot), mesh.tie.shape[1]
    live = after.root | (after.slot < width)
    ties = xp.broadcast_to(mesh.tie, (after.slot.shape[0], *mesh.tie.shape))
    used = at_slot(ties, after.slot, -1)
    index = xp.arange(mesh.table.size)
    bears = xp.zeros(move.closed_after.shape, dtype=bool)
    for end in mesh.ends:
        bears = bears | (used.take(end, axis=1) == index)
    both = live.take(mesh.ends[0], axis=1) & live.take(mesh.ends[1], axis=1)
    return (move.closed_after > 0) & both & ~bears


def orient(mesh: Mesh, ports: AllPorts, state: AllRows, inputs: AllRows, grid: Any, dt: Any, short: Any = None) -> None:
    """Who feeds whom before and after what moved in this tick; writes voltage, gap and frequency of the boards."""
    t, xp = mesh.table, library_of(grid.voltage)
    s, port = state[t.key], ports[t.key]
    own, dead = grid.voltage.take(mesh.columns, axis=1), grid.gap.take(mesh.columns, axis=1)
    port.feed_voltage = [own.take(end, axis=1) for end in mesh.ends]
    port.feed_gap = [dead.take(end, axis=1) for end in mesh.ends]
    tie: Any = t.machine
    opened, through = _opened(mesh, state), None if short is None else abs(short.current.take(mesh.columns, axis=1))
    told = [None if each is None else tuple(each.take(end, axis=1) for end in mesh.ends) for each in (through, opened)]
    key, rows = mesh.seats
    there = inputs[key].in_service
    ready = [there.take(rows.take(end), axis=1) for end in mesh.ends] if worth_doing(there != 1) else None
    move = tie.couple(s, inputs[t.key], port, dt, *told, ready)
    seen = move if ready is None else move._replace(
        closed_before=move.closed_before * ready[0] * ready[1], closed_after=move.closed_after * ready[0] * ready[1]
    )  # fmt: skip
    after = _after(mesh, seen, own, dead, dt)
    before = _before(mesh, seen, own, dead, after, dt)
    left = 1.0 - s.drop_in_phase - 1j * s.drop_in_quadrature
    forward, back = (with_none(xp.where(s.flows_back == way, left, 1.0), 1.0) for way in (0.0, 1.0))
    bends = xp.where(mesh.ahead, forward.take(mesh.tie, axis=1), back.take(mesh.tie, axis=1))
    voltage = run_down(mesh, after.root, after.slot, own, bends, xp.multiply, 0.0)
    gap = xp.maximum(dt - after.seconds - before.seconds, 0.0)
    if short is not None:
        dips = bends * with_none(short.along(mesh), 1.0).take(mesh.tie, axis=1)
        whole, voltage = voltage, run_down(mesh, after.root, after.slot, own, dips, xp.multiply, 0.0)
        gap = xp.where((whole != 0) & (voltage == 0), dt, gap)
    grid.voltage[:, mesh.columns], grid.gap[:, mesh.columns] = voltage, gap
    if type(grid.frequency) is not float:
        pace = grid.frequency.take(mesh.columns, axis=1)
        found = run_down(mesh, after.root, after.slot, pace, bends, lambda above, _: above, 1.0)
        grid.frequency[:, mesh.columns] = found
    port.drive = Course(before, after, move, voltage, _loops(mesh, after, seen), bends)


def _up(
    mesh: Mesh, way: Way, load: Array, voltage: Array, z: Array, lost: Array | None, dt: Any
) -> tuple[Array, Array, Array, Array]:
    """Loads up one orientation; `lost` is voltage that short circuits lose along each tie [pu], (member, T).

    Returns:
        Power into each board, power it gives to ties [VA], current of the tie that feeds it [VA] and the
        power that this takes, means over the tick; (member, B).
    """
    xp, none = library_of(load), mesh.table.size
    fed = way.slot < mesh.tie.shape[1]
    ties = xp.broadcast_to(mesh.tie, (load.shape[0], *mesh.tie.shape))
    used = at_slot(ties, way.slot, none)
    child = hanging_on(mesh, used)
    along, lived = xp.where(fed, z.take(used), 0.0), way.seconds / dt
    dip: Any = 0.0
    if lost is not None:
        dip = xp.where(voltage != 0, at_slot(with_none(lost, 0.0).take(mesh.tie, axis=1), way.slot, 0.0), 0.0)
    for _ in range(mesh.rounds):  # a tie bears what hangs on it for as long as that is fed this way
        lived = xp.maximum(lived, xp.where(child, with_none(lived, 0.0).take(mesh.other, axis=1), 0.0).max(axis=-1))
    given = 0.0 * load
    for _ in range(mesh.rounds + 1):
        into = load + given
        current = series_current(xp.where(fed, into / xp.maximum(lived, TINY), 0.0), voltage)
        modulus = abs(current)
        taken = into + along * (modulus * modulus) * lived
        through = xp.where(fed, taken if lost is None else taken + dip * current.conjugate() * lived, 0.0)
        terms = xp.where(child, with_none(through, 0.0).take(mesh.other, axis=1), 0.0)
        given = 0.0 * load
        for slot in range(terms.shape[-1]):
            given = given + terms[..., slot]
    return into, given, current, through


def _by_tie(mesh: Mesh, way: Way, values: Array, end: int) -> Array:
    """What boards say of the tie that feeds them, at one end of each tie (member, T); 0 where it does not."""
    xp = library_of(values)
    ties = xp.broadcast_to(mesh.tie, (values.shape[0], *mesh.tie.shape))
    used = at_slot(ties, way.slot, mesh.table.size).take(mesh.ends[end], axis=1)
    return xp.where(used == xp.arange(mesh.table.size), values.take(mesh.ends[end], axis=1), 0.0)


def carry(
    mesh: Mesh,
    ports: AllPorts,
    state: AllRows,
    inputs: AllRows,
    edges: Array,
    carried: Carried,
    dt: Any,
    short: Any = None,
) -> None:
    """Loads up the ties to the boards whose own feeds live; writes what boards and ties draw and deliver."""
    t, xp = mesh.table, library_of(edges)
    port = ports[t.key]
    course: Course = port.drive
    asked = gather_sum(edges, mesh.serves)
    seconds = xp.maximum(course.before.seconds + course.after.seconds, TINY)
    voltage = xp.where(course.voltage == 0, 1.0, course.voltage)
    impedance: Any = t.machine.series(state[t.key], inputs[t.key])
    z = with_none(impedance + 0j, 0.0)[0]
    lost = None if short is None else short.lost[:, t.columns]
    drawn, delivered = xp.zeros((2, edges.shape[0], t.size), dtype=complex)
    for way in (course.before, course.after):
        into, given, current, through = _up(mesh, way, asked * (way.seconds / seconds), voltage, z, lost, dt)
        carried.taken[:, mesh.columns] += xp.where(way.root, 0.0, into)
        carried.given[:, mesh.columns] += given
        flows = [_by_tie(mesh, way, current, end) for end in (0, 1)]
        drawn = drawn + _by_tie(mesh, way, through, 0) + _by_tie(mesh, way, through, 1)
        delivered = delivered + _by_tie(mesh, way, into, 0) + _by_tie(mesh, way, into, 1)
    carried.bears[:, mesh.columns] = (course.before.root & (course.before.seconds > 0)) | course.after.root
    carried.taken[:, t.columns], carried.given[:, t.columns] = drawn, delivered
    port.power, port.load = drawn.real.copy(), delivered.real.copy()
    flow, back = flows[0] + flows[1], abs(flows[0]) > 0
    feeding = xp.where(back, course.voltage.take(mesh.ends[1], axis=1), course.voltage.take(mesh.ends[0], axis=1))
    port.plan = course.move, flow, series_drop(flow, z[:-1], feeding), back * 1.0
