"""Coolant, flow: branches between header pairs, one unknown pressure per loop, safeguarded Newton.

How warm everything arrives is solved in `coolant_heat`, on the flows found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import (
    Array,
    Neighbours,
    gather_sum,
    library_of,
    neighbours,
    nothing,
    on_host,
    same_bits,
    stacked_with_spare,
    to_host,
    worth_doing,
)
from twin.networks.coolant_stages import Rings, compile_rings, lifts, solve_rings
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.fluids import HEAT_CAPACITY
from twin.physics.hydraulic import CHECK_LEAK, branch_flow
from twin.physics.thermal import TINY
from twin.plant import Plant

TOLERANCE = 1e-12
"""Flow imbalance of a loop at which it counts as solved, of the flow that moves in it."""
CLOSE = 1.01 * TOLERANCE**0.5
"""Imbalance above which no step along the tangents is within the tolerance: it leaves the square or more."""
STILL = 1e-12
"""Flow [m3/s] that a loop may move and still count as standing."""
MOST_STEPS = 60
STEPS_ON_DEVICE = 60


@dataclass
class Streams:
    """Columns of one stream of one table in arrays over all streams."""

    table: Table
    name: str
    first: int

    def __post_init__(self) -> None:
        self.columns = slice(self.first, self.first + self.table.size)


@dataclass
class CoolantNetwork:
    """Streams, branches (series of streams) and loops (branches in parallel), as index tables.

    `sign` is +1 for branches of the plant (return -> supply) and -1 for loads. `elements` lists each
    branch's streams in order; a column past the last stream stands for none. `held` is the heat
    capacity of the coolant in each stream [J/K], `downhill` is -sign by
    stream, `loop_of_stream` its loop; `idle` is True where streams other than tanks stand in no branch.
    `up_of` and `down_of` are the columns of the headers before and behind each branch, those of its loop unless it
    stands in a stage.
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
    held: Array
    in_branch: Array
    storage: list[int]
    tanks: Array
    through_tank: Neighbours
    partner: dict[int, int]
    downhill: Array
    loop_of_stream: Array
    idle: bool
    up_of: Array
    down_of: Array
    rings: Rings | None = None

    @property
    def header_count(self) -> int:
        """Columns of pressures and of pairs of headers: one for each loop, one for each header between stages."""
        return len(self.loops) + (sum(map(len, self.rings.headers)) if self.rings else 0)


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
    lists: list[list[int]] = []
    sign: list[float] = []
    loop_of: list[int] = []
    storage: list[int] = []
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
    held = heat_capacity.copy()
    for group in streams:
        held[group.columns] *= np.ravel(to_host(group.table.machine.holds(group.name)))
    members: list[list[int]] = [[] for _ in plant.loops]
    for branch_number, number in enumerate(loop_of):
        members[number].append(branch_number)
    rings, up_of, down_of, at_supply = _staged(plant, loop_of, sign, members, xp)
    way_of, number_of = np.array([*sign, 1.0]), np.array([*loop_of, 0], dtype=np.int64)
    tanks = [tank for tank in storage if tank < count]
    return CoolantNetwork(
        streams, count, list(plant.loops), len(lists), xp.asarray(np.array([sign])),
        xp.asarray(np.array(loop_of, dtype=np.int64)), neighbours(lists, xp, spare=count), lists, xp.asarray(branch_of),
        neighbours(members, xp, spare=len(lists)), xp.asarray(heat_capacity[None]),
        xp.asarray(held[None]), xp.asarray(in_branch[None] * 1.0), storage,
        xp.asarray(np.array(tanks, dtype=np.int64)),
        neighbours([row for row, tank in zip(at_supply, storage) if tank < count], xp, spare=len(lists)),
        partner, xp.asarray(-way_of[None, branch_of]), xp.asarray(number_of[branch_of]),
        not in_branch[sorted(set(range(count)) - set(tanks))].all(),
        xp.asarray(np.array(up_of, dtype=np.int64)), xp.asarray(np.array(down_of, dtype=np.int64)), rings,
    )  # fmt: skip


def _staged(
    plant: Plant, loop_of: list[int], sign: list[float], members: list[list[int]], xp: ModuleType
) -> tuple[Rings | None, list[int], list[int], list[list[int]]]:
    """The rings, the headers before and behind every branch, and the branches at the supply of each loop."""
    staged: dict[int, list[list[int]]] = {}
    for number, loop in enumerate(plant.loops.values()):
        if len(loop.stages) > 1:
            rows = iter(members[number])
            staged[number] = [list(islice(rows, size)) for _, size in loop.stages]
    rings = compile_rings(loop_of, sign, staged, len(plant.loops), xp)
    up_of, down_of, at_supply = list(loop_of), list(loop_of), [list(row) for row in members]
    for number, mids in zip(staged, rings.headers if rings else (), strict=True):
        for k, stage in enumerate(staged[number]):
            for b in stage:
                up_of[b], down_of[b] = [number, *mids][k], [*mids, number][k]
        before = {b for stage in staged[number][:-1] for b in stage}
        at_supply[number] = [b for b in members[number] if b not in before]
    return rings, up_of, down_of, at_supply


@dataclass
class Resistances:
    """What each branch answers: pressure added, resistances forward, and how much stiffer it is backward.

    `by_stream` holds head [Pa], laminar [Pa s/m3], turbulent [Pa s2/m6] and check [1] of each stream, as in `Branch`
    (4, member, stream + 1).
    """

    head: Array
    laminar: Array
    turbulent: Array
    stiff: Array
    by_stream: Array = None


def resistances(
    net: CoolantNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, members: int, xp: ModuleType
) -> Resistances:
    """Ask every stream for its branch law and add up along each branch."""
    said = xp.zeros((4, members, net.stream_count + 1))
    head, laminar, turbulent, check = said
    for streams in net.streams:
        t, here = streams.table, streams.columns
        if t.machine.storage:
            continue
        answer = t.machine.branch(state[t.key], inputs[t.key], ports[t.key], streams.name)
        laminar[:, here], turbulent[:, here] = answer.laminar, answer.turbulent
        if not nothing(answer.head):
            head[:, here] = answer.head
        if not nothing(answer.check):
            check[:, here] = answer.check
    head, laminar, turbulent, check = gather_sum(said, net.elements)
    return Resistances(head, laminar, turbulent, 1.0 + xp.minimum(check, 1.0) * (1.0 / CHECK_LEAK - 1.0), said)


def pass_flow(net: Any, r: Resistances, pressure: Array) -> tuple[Array, Array]:
    """Flow of every branch and its derivative, at a pressure of supply over return in each loop."""
    driving = r.head - net.sign * pressure.take(net.loop_of, axis=1)
    laminar, turbulent = r.laminar, r.turbulent
    backward = driving < 0
    if worth_doing(backward):
        stiff = library_of(pressure).where(backward, r.stiff, 1.0)
        laminar, turbulent = laminar * stiff, turbulent * (stiff * stiff)
    return branch_flow(driving, laminar, turbulent)


def solve_flow(net: CoolantNetwork, r: Resistances, was: Array) -> tuple[Array, Array, Array]:
    """Pressures and flows of every loop; arguments and what it returns as of `solve_pairs`, with stages besides."""
    if net.rings is None:
        return solve_pairs(net, r, was)
    laws, plain = (r.head, r.laminar, r.turbulent, r.stiff), net.rings.plain
    flow = library_of(was).zeros((len(was), net.branch_count))
    pressure, flow[:, net.rings.branches], error = solve_rings(net.rings, *laws, was)
    if len(plain.loops):
        part = Resistances(*[each.take(plain.branches, axis=1) for each in laws])
        pressure[:, plain.loops], flow[:, plain.branches], other = solve_pairs(
            plain, part, was.take(plain.loops, axis=1)
        )
        error = library_of(was).concatenate([error, other], axis=1)
    return pressure, flow, error


def solve_pairs(net: Any, r: Resistances, was: Array) -> tuple[Array, Array, Array]:
    """Pressure and flows of every loop of one pair of headers.

    The imbalance falls with pressure, so a bracket always holds. Newton, bisecting when it leaves the bracket or
    has not halved the imbalance. Solved members stand still, so leaving early changes no bit.

    Args:
        was: pressure at the last tick [Pa], (member, loop), the first guess.

    Returns:
        Pressure [Pa] (member, loop), branch flows [m3/s] (member, branch), imbalance of flow [1].
    """
    xp = library_of(was)
    pressure, bracket = was, None
    last: Array = np.inf
    steps = MOST_STEPS if on_host(xp) else STEPS_ON_DEVICE
    for step in range(steps):
        flow, slope = pass_flow(net, r, pressure)
        imbalance, moved, slopes = gather_sum(stacked_with_spare(flow * net.sign, abs(flow), slope), net.in_loop)
        error, fall = abs(imbalance), imbalance / slopes
        exact, near = error <= TOLERANCE * moved, moved < 0.0
        if worth_doing((error <= CLOSE * moved) > exact):
            shift, bent = _tangent(net, flow, slope, fall)
            near = bent <= TOLERANCE * moved
        solved = exact | near | (moved <= STILL)
        if step == steps - 1 or (on_host(xp) and not worth_doing(solved == 0)):
            break
        low, high = bracket or _bracket(net, r)
        low = xp.where(imbalance > 0, xp.maximum(low, pressure), low)
        high = xp.where(imbalance < 0, xp.minimum(high, pressure), high)
        bracket = low, high
        newton = pressure + fall
        poor = (newton <= low) | (newton >= high) | (error > 0.5 * last)
        pressure = xp.where(solved, pressure, xp.where(poor, 0.5 * (low + high), newton))
        last = xp.where(poor, np.inf, error)
    glides = near > exact
    if worth_doing(glides):
        pressure, error = xp.where(glides, pressure + fall, pressure), xp.where(glides, bent, error)
        flow = xp.where(glides.take(net.loop_of, axis=1), flow + shift, flow)
    poor = error > TOLERANCE * moved
    if worth_doing(poor):
        flow = _balanced(net, flow, poor)
    return pressure, flow, error / xp.maximum(moved, 1e-30)


def _tangent(net: Any, flow: Array, slope: Array, fall: Array) -> tuple[Array, Array]:
    """A Newton step without looking again: how flows shift along their tangents, and what imbalance that leaves.

    Along its tangent a branch's flow errs by b q' shift^2 < shift^2/(2 |q|), for a q + b q|q| = dp; twice that
    bounds the error of a branch that turns round or meets its check valve, too.

    Args:
        flow, slope: of every branch, and its derivative by pressure.
        fall: by how much the pressure of each loop is to rise [Pa].
    """
    shift = -net.sign * slope * fall.take(net.loop_of, axis=1)
    bent = shift * shift / library_of(flow).maximum(abs(flow), TINY)
    return shift, gather_sum(stacked_with_spare(bent)[0], net.in_loop)


def _balanced(net: Any, flow: Array, poor: Array) -> Array:
    """Flows with what imbalance remains scaled out of the larger side of a loop's headers.

    A pressure has sixteen digits: where all valves are shut the leaks hang on the last of them, and a header
    would mix what it never received.
    """
    xp = library_of(flow)
    upward = flow * net.sign
    into, out = gather_sum(stacked_with_spare(xp.maximum(upward, 0.0), xp.maximum(-upward, 0.0)), net.in_loop)
    least = xp.minimum(into, out)
    share_in, share_out = (xp.where(poor, least / xp.maximum(side, TINY), 1.0) for side in (into, out))
    return flow * xp.where(upward > 0, share_in.take(net.loop_of, axis=1), share_out.take(net.loop_of, axis=1))


def _bracket(net: Any, r: Resistances) -> tuple[Array, Array]:
    """Pressures [Pa] between which a loop's lies: the heads of its plant above, those of its loads below."""
    uphill = r.head * net.sign
    larger = library_of(uphill).maximum
    below, above = gather_sum(stacked_with_spare(larger(-uphill, 0.0), larger(uphill, 0.0)), net.in_loop)
    return -1.0 - below, above + 1.0


Told = dict[tuple[str, str], tuple[Array, Array]]
"""Flow [m3/s] and heat-capacity rate [W/K] that a table was told, by its key and stream."""


def tell_flows(net: CoolantNetwork, ports: AllPorts, pressure: Array, flow: Array, was: Told) -> tuple[Array, Told]:
    """Hand flows, header pressures and heat-capacity rates to the ports.

    Args:
        pressure: of supply over return of each loop [Pa], (member, loop); flow: of every branch [m3/s].
        was: what the tables were told in the last tick. Flows that stay, as most do while no valve and no pump
            moves, are told as the same arrays again, and what follows from them is known (`Equipment.once`).

    Returns:
        Heat-capacity rate of every stream [W/K], (member, stream), and what the tables were told.
    """
    by_stream = flow.take(net.branch_of, axis=1)
    if net.idle:
        by_stream = by_stream * net.in_branch
    if len(net.tanks):
        leaving = library_of(flow).maximum(-net.sign * flow, 0.0)
        by_stream[:, net.tanks] = gather_sum(stacked_with_spare(leaving), net.through_tank)[0]
    rate = abs(by_stream) * net.heat_capacity
    if net.rings is None:
        across = pressure.take(net.loop_of_stream, axis=1) * net.downhill
    else:
        across = lifts(net.rings, net.sign, net.loop_of, pressure).take(net.branch_of, axis=1) * net.downhill
    told: Told = {}
    for streams in net.streams:
        port, here, name = ports[streams.table.key], streams.columns, (streams.table.key, streams.name)
        known, now = was.get(name), by_stream[:, here]
        told[name] = known if known and same_bits(known[0], now) else (now, rate[:, here])
        port.flow[streams.name], port.capacity_rate[streams.name] = told[name]
        port.pressure[streams.name] = across[:, here]
    return rate, told
