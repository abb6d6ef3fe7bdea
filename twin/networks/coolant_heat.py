"""Coolant, heat: how warm everything arrives, solved whole in one implicit step on this tick's flows.

Every stream answers T_out = alpha + beta T_in + gamma T_partner. Branches chain their streams, exchangers
eliminate the inner loop into the outer one, each header pair closes by a 2x2, and temperatures are
substituted back. What a header passes on is what it received, to round-off, at any flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, stacked
from twin.networks.coolant import CoolantNetwork
from twin.networks.tables import AllPorts, AllRows
from twin.physics.thermal import TINY


@dataclass
class Level:
    """Loops that are solved together: branches of theirs, inner exchangers first.

    `inner`: branches that exchange with a loop solved before; `outer`: branches that exchange with a
    loop solved after. Each row pairs a branch with the partner's branch.
    """

    loops: Array
    branches: Neighbours
    tank: Array
    outer_loop: Array
    inner: tuple[Array, Array]
    outer: tuple[Array, Array]


@dataclass
class HeatNetwork:
    """Order of elimination, and the branches with more than one element."""

    levels: list[Level]
    first: Array
    chains: Array
    chain_elements: list[Array]
    partner: Array
    stream_branch: Array


def loop_partners(net: CoolantNetwork) -> dict[int, int]:
    """For each loop that is inner to another, that other loop: the one where its exchangers are loads."""
    outer: dict[int, int] = {}
    loop_of, sign, branch_of = _host(net.loop_of), _host(net.sign)[0], _host(net.branch_of)
    for stream, other in net.partner.items():
        branch, other_branch = int(branch_of[stream]), int(branch_of[other])
        if sign[branch] > 0 and sign[other_branch] < 0:
            outer[int(loop_of[branch])] = int(loop_of[other_branch])
    return outer


def _host(x: Array) -> np.ndarray:
    return x.get() if hasattr(x, "get") else x


def compile_heat(net: CoolantNetwork, xp: ModuleType) -> HeatNetwork:
    """Order the loops from the racks outwards and list who exchanges with whom."""
    outer = loop_partners(net)
    rank = dict.fromkeys(range(len(net.loops)), 0)
    for _ in rank:
        for inside, outside in outer.items():
            rank[outside] = max(rank[outside], rank[inside] + 1)
    levels = [
        _level(net, [loop for loop in rank if rank[loop] == level], outer, xp)
        for level in range(max(rank.values(), default=-1) + 1)
    ]
    longest = max((len(row) for row in net.element_lists), default=1)
    chains = [b for b, row in enumerate(net.element_lists) if len(row) > 1]
    padded = [[net.element_lists[b][k] if k < len(net.element_lists[b]) else net.stream_count for b in chains] for k in range(longest)]
    partner = np.array([net.partner.get(s, net.stream_count) for s in range(net.stream_count)], dtype=np.int64)
    return HeatNetwork(
        levels,
        xp.asarray(np.array([row[0] for row in net.element_lists], dtype=np.int64)),
        xp.asarray(np.array(chains, dtype=np.int64)),
        [xp.asarray(np.array(row, dtype=np.int64)) for row in padded],
        xp.asarray(partner),
        net.branch_of,
    )


def _level(net: CoolantNetwork, loops: list[int], outer: dict[int, int], xp: ModuleType) -> Level:
    loop_of, sign, branch_of = _host(net.loop_of), _host(net.sign)[0], _host(net.branch_of)
    mine = set(loops)
    inner, outward = [], []
    for branch, row in enumerate(net.element_lists):
        if int(loop_of[branch]) not in mine or row[0] not in net.partner:
            continue
        other = int(branch_of[net.partner[row[0]]])
        (inner if sign[branch] < 0 else outward).append((branch, other))
    as_pair = lambda rows: tuple(xp.asarray(np.array([r[k] for r in rows], dtype=np.int64)) for k in (0, 1))  # noqa: E731
    members = [[b for b in range(net.branch_count) if loop_of[b] == loop] for loop in loops]
    return Level(
        xp.asarray(np.array(loops, dtype=np.int64)),
        neighbours(members, xp),
        xp.asarray(np.array([net.storage[loop] for loop in loops], dtype=np.int64)),
        xp.asarray(np.array([outer.get(loop, loop) for loop in loops], dtype=np.int64)),
        as_pair(inner),
        as_pair(outward),
    )


def answers(net: CoolantNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, members: int, xp: ModuleType, dt: Array) -> Array:
    """alpha, beta, gamma of every stream, (3, member, stream + 1); the last column passes through."""
    said = xp.zeros((3, members, net.stream_count + 1))
    said[1, :, net.stream_count] = 1.0
    for streams in net.streams:
        t = streams.table
        answer = t.machine.stream(state[t.key], inputs[t.key], ports[t.key], streams.name, dt)
        said[0, :, streams.columns] = answer.alpha
        said[1, :, streams.columns] = answer.beta
        said[2, :, streams.columns] = answer.gamma
    return said


def _chain(heat: HeatNetwork, said: Array, flow: Array) -> Array:
    """alpha, beta, gamma of every branch, in the direction of its flow, (3, member, branch)."""
    xp = library_of(said)
    branch = said.take(heat.first, axis=2)
    if len(heat.chains):
        ways = []
        for order in (heat.chain_elements, list(reversed(heat.chain_elements))):
            total = said.take(order[0], axis=2)
            for column in order[1:]:
                element = said.take(column, axis=2)
                alpha, beta, gamma = element[0] + element[1] * total[0], element[1] * total[1], element[1] * total[2] + element[2]
                total = stacked(alpha, beta, gamma)
            ways.append(total)
        branch[:, :, heat.chains] = xp.where(flow.take(heat.chains, axis=1) >= 0, *ways)
    return branch


def solve_heat(net: CoolantNetwork, heat: HeatNetwork, said: Array, flow: Array, was: Array) -> tuple[Array, Array]:
    """Temperatures of every stream at its inlet and outlet, means over the tick.

    Args:
        said: answers of the streams, (3, member, stream + 1).
        flow: of every branch [m3/s], (member, branch).
        was: temperatures of the supply and return headers at the last tick [K], (2, member, loop), kept
            by a header through which nothing moves.

    Returns:
        Headers [K] (2, member, loop), and inlet and outlet of every stream [K] (2, member, stream).
    """
    xp = library_of(flow)
    branch = _chain(heat, said, flow)
    forward = flow >= 0
    size = abs(flow)
    into_supply = xp.where(forward == (net.sign > 0), size, 0.0)
    weights = stacked(into_supply, size - into_supply)[:, None]
    headers = xp.zeros((2, 3) + was.shape[1:])  # (supply, return) = constant + by outer supply + by outer return
    sums = []
    for level in heat.levels:
        sums.append(_sums(net, level, branch, forward, weights, headers))
        headers[:, :, :, level.loops] = _two_by_two(level, sums[-1], said, was)
    now, mixed = _substitute(heat, headers, sums, was)
    inlet, outlet = _walk(net, heat, said, now, mixed, flow, forward)
    return now, stacked(inlet, outlet)


def _sums(
    net: CoolantNetwork, level: Level, branch: Array, forward: Array, weights: Array, headers: Array
) -> Array:
    """What flows into supply and return of each loop: flow, and heat by constant, T_in, own and outer headers.

    Shape (2, 7, member, loop): rows are flow, constant, then coefficients on the branch's inlet header, on
    the loop's own supply and return (through exchangers with inner loops), on the outer supply and return.
    """
    xp = library_of(branch)
    zero = xp.zeros_like(branch[0])
    alpha, own, beyond = branch[0], [zero, zero], [zero, zero]
    if len(level.inner[0]):
        here, there = level.inner
        # what enters the partner: the return header of the inner loop, the supply header where it runs backwards
        loop, gamma = net.loop_of.take(there), branch[2].take(here, axis=1)
        partner = xp.where(forward.take(there, axis=1), headers[1].take(loop, axis=2), headers[0].take(loop, axis=2))
        alpha, own = alpha.copy(), [zero.copy(), zero.copy()]
        alpha[:, here] += gamma * partner[0]
        own[0][:, here], own[1][:, here] = gamma * partner[1], gamma * partner[2]
    if len(level.outer[0]):
        here, there = level.outer
        gamma, ahead = branch[2].take(here, axis=1), forward.take(there, axis=1)
        beyond = [zero.copy(), zero.copy()]
        beyond[0][:, here], beyond[1][:, here] = xp.where(ahead, gamma, 0.0), xp.where(ahead, 0.0, gamma)
    terms = stacked(xp.ones_like(alpha), alpha, branch[1], *own, *beyond)
    return gather_sum(weights * terms, level.branches)


def _two_by_two(level: Level, sums: Array, said: Array, was: Array) -> Array:
    """Solve supply and return of each loop; what leaves a header carries the heat that entered it."""
    xp = library_of(sums)
    to_supply, to_return = sums[0], sums[1]
    out_of_supply, out_of_return = to_return[0], to_supply[0]
    tank = said.take(level.tank, axis=2)
    still = (out_of_supply <= TINY) | (out_of_return <= TINY)
    keep = tank[1]
    a = xp.where(still, 1.0, out_of_supply - keep * to_supply[3])
    b = xp.where(still, 0.0, -keep * (to_supply[2] + to_supply[4]))
    c = xp.where(still, 0.0, -(to_return[2] + to_return[3]))
    d = xp.where(still, 1.0, out_of_return - to_return[4])
    before = was.take(level.loops, axis=2)
    right_supply = [
        xp.where(still, before[0], out_of_supply * tank[0] + keep * to_supply[1]),
        xp.where(still, 0.0, keep * to_supply[5]),
        xp.where(still, 0.0, keep * to_supply[6]),
    ]
    right_return = [xp.where(still, before[1] if k == 1 else 0.0, to_return[k]) for k in (1, 5, 6)]
    determinant = a * d - b * c
    supply = [(d * s - b * r) / determinant for s, r in zip(right_supply, right_return, strict=True)]
    back = [(a * r - c * s) / determinant for s, r in zip(right_supply, right_return, strict=True)]
    return stacked(stacked(*supply), stacked(*back))


def _substitute(heat: HeatNetwork, headers: Array, sums: list[Array], was: Array) -> tuple[Array, list[Array]]:
    """Header temperatures [K] (2, member, loop) from the outermost loop inwards, and what its plant delivers to each."""
    xp = library_of(headers)
    now, mixed = xp.zeros_like(was), []
    for level, total in zip(reversed(heat.levels), reversed(sums), strict=True):
        outside = now.take(level.outer_loop, axis=2)
        said = headers.take(level.loops, axis=3)
        supply, back = here = said[:, 0] + said[:, 1] * outside[0] + said[:, 2] * outside[1]
        now[:, :, level.loops] = here
        _, constant, by_inlet, by_supply, by_return, by_outer_supply, by_outer_return = into = total[0]
        heat_in = constant + by_supply * supply + (by_inlet + by_return) * back
        heat_in = heat_in + by_outer_supply * outside[0] + by_outer_return * outside[1]
        mixed.append(xp.where(into[0] <= TINY, supply, heat_in / xp.maximum(total[1][0], TINY)))
    return now, mixed[::-1]


def _walk(
    net: CoolantNetwork, heat: HeatNetwork, said: Array, now: Array, mixed: list[Array], flow: Array, forward: Array
) -> tuple[Array, Array]:
    """Inlet and outlet of every stream [K], following each branch in the direction of its flow."""
    xp = library_of(now)
    at = now.take(net.loop_of, axis=2)
    enters = xp.where(forward == (net.sign > 0), at[1], at[0])
    inlet = xp.zeros(said.shape[1:])
    inlet[:, : net.stream_count] = enters.take(heat.stream_branch, axis=1)
    if len(heat.chains):
        start, ahead = enters.take(heat.chains, axis=1), forward.take(heat.chains, axis=1)
        for order, goes in ((heat.chain_elements, ahead), (list(reversed(heat.chain_elements)), ~ahead)):
            T = start
            for column in order:
                inlet[:, column] = xp.where(goes, T, inlet.take(column, axis=1))
                element = said.take(column, axis=2)
                T = element[0] + element[1] * T
    for level, delivered in zip(heat.levels, mixed, strict=True):
        inlet[:, level.tank] = delivered  # what a tank receives is the mix that its loop's plant delivers
    answer = said[:, :, : net.stream_count]
    partner = inlet.take(heat.partner, axis=1)
    entering = inlet[:, : net.stream_count]
    return entering, answer[0] + answer[1] * entering + answer[2] * partner
