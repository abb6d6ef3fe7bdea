"""Coolant, flow: branches between header pairs, one unknown pressure per loop, safeguarded Newton.

How warm everything arrives is solved in `coolant_heat`, on the flows found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, stacked
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.fluids import HEAT_CAPACITY
from twin.physics.hydraulic import CHECK_LEAK, branch_flow
from twin.plant import Plant

TOLERANCE = 1e-12
"""Flow imbalance of a loop at which it counts as solved, of the flow that moves in it."""
MOST_STEPS = 60
STEPS_ON_DEVICE = 24


@dataclass
class Streams:
    """Columns of one stream of one table in arrays over all streams."""

    table: Table
    name: str
    first: int

    @property
    def columns(self) -> slice:
        return slice(self.first, self.first + self.table.size)


@dataclass
class CoolantNetwork:
    """Streams, branches (series of streams) and loops (branches in parallel), as index tables.

    `sign` is +1 for branches of the plant (return -> supply) and -1 for loads. `elements` lists each
    branch's streams in order; a column past the last stream stands for none.
    """

    streams: list[Streams]
    stream_count: int
    loops: list[str]
    branch_count: int
    sign: Array
    loop_of: Array
    elements: Neighbours
    element_lists: list[list[int]]
    branch_of: Array
    in_loop: Neighbours
    heat_capacity: Array
    in_branch: Array
    storage: list[int]
    tanks: Array
    tank_loops: Array
    partner: dict[int, int]


def compile_coolant(plant: Plant, tables: list[Table], xp: ModuleType) -> CoolantNetwork:
    """Index tables of the loops; branches stand in the order of the loops, plant before loads."""
    streams: list[Streams] = []
    seat: dict[tuple[str, str], int] = {}
    partner: dict[int, int] = {}
    count = 0
    for t in tables:
        for name in t.machine.streams:
            streams.append(Streams(t, name, count))
            seat.update({(unit, name): count + row for row, unit in enumerate(t.names)})
            count += t.size
        if len(t.machine.streams) == 2:
            for unit in t.names:
                one, two = (seat[unit, name] for name in t.machine.streams)
                partner[one], partner[two] = two, one
    lists, sign, loop_of, storage = [], [], [], []
    heat_capacity, branch_of = np.full(count, HEAT_CAPACITY["water"]), np.zeros(count, dtype=np.int64)
    in_branch = np.zeros(count, dtype=bool)
    for number, loop in enumerate(plant.loops.values()):
        tank = seat[loop.storage, "coolant"] if loop.storage else count
        storage.append(tank)
        if loop.storage:
            heat_capacity[tank] = HEAT_CAPACITY[loop.fluid]
        for way, branches in ((1.0, loop.plant), (-1.0, loop.loads)):
            for branch in branches:
                row = [seat[element.unit, element.stream] for element in branch]
                heat_capacity[row], branch_of[row], in_branch[row] = HEAT_CAPACITY[loop.fluid], len(lists), True
                lists.append(row)
                sign.append(way)
                loop_of.append(number)
    members: list[list[int]] = [[] for _ in plant.loops]
    for branch_number, number in enumerate(loop_of):
        members[number].append(branch_number)
    return CoolantNetwork(
        streams, count, list(plant.loops), len(lists), xp.asarray(np.array([sign])),
        xp.asarray(np.array(loop_of, dtype=np.int64)), neighbours(lists, xp), lists, xp.asarray(branch_of),
        neighbours(members, xp), xp.asarray(heat_capacity[None]), xp.asarray(in_branch[None] * 1.0), storage,
        xp.asarray(np.array([tank for tank in storage if tank < count], dtype=np.int64)),
        xp.asarray(np.array([loop for loop, tank in enumerate(storage) if tank < count], dtype=np.int64)), partner,
    )  # fmt: skip


@dataclass
class Resistances:
    """What each branch answers: pressure added, and resistances forward and (with check valves) backward."""

    head: Array
    forward: tuple[Array, Array]
    backward: tuple[Array, Array]


def resistances(net: CoolantNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, members: int, xp: ModuleType) -> Resistances:
    """Ask every stream for its branch law and add up along each branch."""
    said = xp.zeros((4, members, net.stream_count))
    for streams in net.streams:
        t = streams.table
        if t.machine.storage:
            continue
        answer = t.machine.branch(state[t.key], inputs[t.key], ports[t.key], streams.name)
        said[0, :, streams.columns] = answer.head
        said[1, :, streams.columns] = answer.laminar
        said[2, :, streams.columns] = answer.turbulent
        said[3, :, streams.columns] = answer.check
    head, laminar, turbulent, check = gather_sum(said, net.elements)
    barred = xp.minimum(check, 1.0)
    stiff = 1.0 + barred * (1.0 / CHECK_LEAK - 1.0)
    return Resistances(head, (laminar, turbulent), (laminar * stiff, turbulent * stiff * stiff))


def pass_flow(net: CoolantNetwork, r: Resistances, pressure: Array) -> tuple[Array, Array]:
    """Flow of every branch and its derivative, at a pressure of supply over return in each loop."""
    xp = library_of(pressure)
    driving = r.head - net.sign * pressure.take(net.loop_of, axis=1)
    backward = driving < 0
    laminar = xp.where(backward, r.backward[0], r.forward[0])
    turbulent = xp.where(backward, r.backward[1], r.forward[1])
    return branch_flow(driving, laminar, turbulent)


def solve_flow(net: CoolantNetwork, r: Resistances, was: Array) -> tuple[Array, Array, Array]:
    """Pressure and flows of every loop.

    The imbalance falls with pressure, so a bracket always holds: the strongest pump of the plant
    above, the strongest pump among the loads below. Newton, bisecting when it leaves the bracket or
    has not halved the imbalance. Solved members stand still, so leaving early changes no bit.

    Args:
        was: pressure at the last tick [Pa], (member, loop), the first guess.

    Returns:
        Pressure [Pa] (member, loop), branch flows [m3/s] (member, branch), imbalance of flow [1].
    """
    xp = library_of(was)
    reach = gather_max(xp.maximum(r.head * net.sign, 0.0), net.in_loop)
    depth = gather_max(xp.maximum(-r.head * net.sign, 0.0), net.in_loop)
    low, high = -depth - 1.0, reach + 1.0
    pressure = xp.minimum(xp.maximum(was, low), high)
    last = xp.full(was.shape, np.inf)
    steps = MOST_STEPS if xp is np else STEPS_ON_DEVICE
    for step in range(steps):
        flow, slope = pass_flow(net, r, pressure)
        sums = gather_sum(stacked(flow * net.sign, xp.abs(flow), slope), net.in_loop)
        imbalance, moved, slopes = sums[0], sums[1], sums[2]
        error = xp.abs(imbalance)
        solved = error <= TOLERANCE * moved
        if step == steps - 1 or (xp is np and bool(solved.all())):
            break
        low, high = xp.where(imbalance > 0, pressure, low), xp.where(imbalance < 0, pressure, high)
        newton = pressure + imbalance / slopes
        poor = (newton <= low) | (newton >= high) | (error > 0.5 * last)
        pressure = xp.where(solved, pressure, xp.where(poor, 0.5 * (low + high), newton))
        last = xp.where(poor, np.inf, error)
    return pressure, flow, error / xp.maximum(moved, 1e-30)


def gather_max(x: Array, table: Neighbours) -> Array:
    """The greatest of each unit's neighbours, at least 0."""
    xp = library_of(x)
    if table.width == 0:
        return xp.zeros(x.shape[:-1] + (table.index.shape[0],))
    return xp.where(table.valid, x.take(table.index, axis=-1), 0.0).max(axis=-1)


def tell_flows(net: CoolantNetwork, ports: AllPorts, pressure: Array, flow: Array) -> Array:
    """Hand flows, header pressures and heat-capacity rates to the ports; returns flow by stream (member, stream)."""
    by_stream = flow.take(net.branch_of, axis=1) * net.in_branch
    through = gather_sum(library_of(flow).maximum(-net.sign * flow, 0.0), net.in_loop)
    by_stream[:, net.tanks] = through.take(net.tank_loops, axis=1)
    rate = abs(by_stream) * net.heat_capacity
    across = -(net.sign * pressure.take(net.loop_of, axis=1)).take(net.branch_of, axis=1)
    for streams in net.streams:
        port, here = ports[streams.table.key], streams.columns
        port.flow[streams.name] = by_stream[:, here]
        port.capacity_rate[streams.name] = rate[:, here]
        port.pressure[streams.name] = across[:, here]
    return rate
