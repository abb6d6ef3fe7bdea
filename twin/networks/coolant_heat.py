"""Coolant, heat: how warm everything arrives, solved whole in one implicit step on this tick's flows.

Every stream answers T_out = alpha + beta T_in + gamma T_partner. Branches chain their streams, exchangers
eliminate the inner loop into the outer one, each header pair closes by a 2x2, and temperatures are
substituted back. What a header passes on is what it received, to round-off, at any flow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import (
    Array,
    Neighbours,
    columns_of,
    gather_sum,
    library_of,
    neighbours,
    nothing,
    stacked,
    taken,
    to_host,
    worth_doing,
)
from twin.networks.coolant import CoolantNetwork
from twin.networks.coolant_leaks import Drains
from twin.networks.coolant_series import Way, along_chain, before_exchangers, chained, series_of
from twin.networks.coolant_stages import (
    AFFINE,
    CONSTANT,
    FLOW,
    INLET,
    OUTER_RETURN,
    OUTER_SUPPLY,
    OWN_RETURN,
    OWN_SUPPLY,
    Ends,
    Staged,
    folded,
)
from twin.networks.tables import AllPorts, AllRows
from twin.physics.thermal import TINY, Mixing, mixing

Columns = slice | Array


@dataclass
class Level:
    """Loops that are solved together: branches of theirs, inner exchangers first.

    `branches` are those of a pair of headers; of a loop with stages its loads, and `staged` the rest.
    `inner`: branches that exchange with a loop solved before, their partners' branches and the headers before and
    behind those; `tank`: its stream where a loop has one, else the column that passes through.
    """

    loops: Columns
    branches: Neighbours
    tank: Array
    has_tank: bool
    outer_loop: Array
    has_outer: bool
    inner: tuple[Array, Array, Array, Array]
    staged: list[Staged]


@dataclass
class HeatNetwork:
    """Order of elimination, and the branches with more than one element.

    `chain_elements` (position, chain) lists their streams in order; `outer` pairs branches that exchange with a
    loop solved after their own with the partner's branch. Where exchangers stand in series with other elements,
    `upstream` (2, position, chain) says which elements come before a chain's exchanger, ahead and backward, and
    `partner_branch` (position, chain) the branch of each element's partner.
    """

    levels: list[Level]
    first: Array
    chains: Columns
    chain_elements: Array
    outer: tuple[Columns, Array]
    partner: Array
    stream_branch: Array
    to_supply: Array
    upstream: Array
    partner_branch: Array
    in_series: bool


def loop_partners(net: CoolantNetwork) -> dict[int, int]:
    """For each loop that is inner to another, that other loop: the one where its exchangers are loads."""
    outer: dict[int, int] = {}
    loop_of, sign, branch_of = to_host(net.loop_of), to_host(net.sign)[0], to_host(net.branch_of)
    for stream, other in net.partner.items():
        branch, other_branch = int(branch_of[stream]), int(branch_of[other])
        if sign[branch] > 0 and sign[other_branch] < 0:
            outer[int(loop_of[branch])] = int(loop_of[other_branch])
    return outer


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
    padded = [[*net.element_lists[b], *[net.stream_count] * (longest - len(net.element_lists[b]))] for b in chains]
    partner = np.array([net.partner.get(s, net.stream_count) for s in range(net.stream_count)], dtype=np.int64)
    upstream, partner_branch, in_series = series_of(net, padded, longest)
    return HeatNetwork(
        levels,
        xp.asarray(np.array([row[0] for row in net.element_lists], dtype=np.int64)),
        columns_of(chains, xp),
        xp.asarray(np.array(padded, dtype=np.int64).reshape(len(chains), longest).T.copy()),
        _pairs(net, range(net.branch_count), 1.0, xp),
        xp.asarray(partner),
        net.branch_of,
        net.sign > 0,
        xp.asarray(upstream),
        xp.asarray(partner_branch),
        in_series,
    )


def _pairs(net: CoolantNetwork, branches: Iterable[int], way: float, xp: ModuleType) -> tuple[Columns, Array]:
    """Those of some branches that exchange heat and run one way, and the branches of their partners."""
    sign, branch_of = to_host(net.sign)[0], to_host(net.branch_of)
    exchangers = [(b, s) for b in branches if sign[b] == way for s in net.element_lists[b] if s in net.partner]
    rows = [(b, int(branch_of[net.partner[s]])) for b, s in exchangers]
    return columns_of([b for b, _ in rows], xp), xp.asarray(np.array([other for _, other in rows], dtype=np.int64))


def _level(net: CoolantNetwork, loops: list[int], outer: dict[int, int], xp: ModuleType) -> Level:
    loop_of = to_host(net.loop_of)
    members = [[b for b in range(net.branch_count) if loop_of[b] == loop] for loop in loops]
    branches = [b for row in members for b in row]
    here, there = _pairs(net, branches, -1.0, xp)
    staged = _staged(net, loops, xp)
    for ring in staged:
        members[ring.place] = [b for b in members[ring.place] if net.sign[0, b] < 0]
    return Level(
        columns_of(loops, xp),
        neighbours(members, xp, spare=net.branch_count),
        xp.asarray(np.array([net.storage[loop] for loop in loops], dtype=np.int64)),
        any(net.storage[loop] < net.stream_count for loop in loops),
        xp.asarray(np.array([outer.get(loop, loop) for loop in loops], dtype=np.int64)),
        len(_pairs(net, branches, 1.0, xp)[1]) > 0,
        (here, there, net.up_of.take(there), net.down_of.take(there)),
        staged,
    )


def _staged(net: CoolantNetwork, loops: list[int], xp: ModuleType) -> list[Staged]:
    """Those of some loops that have stages."""
    if net.rings is None:
        return []
    return [
        Staged(loops.index(loop), loop, neighbours(stages, xp, spare=net.branch_count), headers)
        for loop, stages, headers in zip(net.rings.loops, net.rings.stages, net.rings.headers, strict=True)
        if loop in loops
    ]


def mix(net: CoolantNetwork, ports: AllPorts, rate: Array, dt: Array) -> None:
    """Tell the ports how the coolant in each stream mixes in this tick, found for all streams at once.

    Args:
        rate: heat-capacity rate of each stream [W/K], (member, stream).
    """
    found = mixing(rate, net.held, dt)
    for streams in net.streams:
        here = streams.columns
        ports[streams.table.key].mixings[streams.name] = Mixing(*[row[:, here] for row in found])


def answers(
    net: CoolantNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, members: int, xp: ModuleType, dt: Array
) -> Array:
    """alpha, beta, gamma of every stream, (3, member, stream + 1); the last column passes through."""
    said = xp.zeros((3, members, net.stream_count + 1))
    alpha, beta, gamma = said
    beta[:, net.stream_count] = 1.0
    for streams in net.streams:
        t, here = streams.table, streams.columns
        answer = t.machine.stream(state[t.key], inputs[t.key], ports[t.key], streams.name, dt)
        alpha[:, here], beta[:, here] = answer.alpha, answer.beta
        if not nothing(answer.gamma):
            gamma[:, here] = answer.gamma
    return said


def solve_heat(
    net: CoolantNetwork, heat: HeatNetwork, said: Array, flow: Array, was: Array, drains: Drains | None = None
) -> tuple[Array, Array]:
    """Temperatures of every stream at its inlet and outlet, means over the tick.

    Args:
        said: answers of the streams, (3, member, stream + 1).
        flow: of every branch [m3/s], (member, branch).
        was: temperatures of the supply and return headers at the last tick [K], (2, member, loop), kept
            by a header through which nothing moves.
        drains: what leaks take out of the branches; None where all is tight.

    Returns:
        Headers [K] (2, member, loop), and inlet and outlet of every stream [K] (2, member, stream).
    """
    xp = library_of(flow)
    ahead = flow >= 0
    way = Way(ahead, worth_doing(~ahead))
    links = said.take(heat.chain_elements, axis=2)  # (3, member, position, chain)
    branch = _branches(heat, said, links, way)
    if drains is not None:
        branch = branch * (1.0 - drains.share)
        branch[0] += drains.share * drains.feed
    alpha, beta, gamma = branch
    before = before_exchangers(heat, links, way, alpha) if heat.in_series else None
    terms = _terms(net, heat, alpha, beta, gamma, way, before)
    weights = xp.zeros((2, 1, *terms.shape[1:]))  # what flows into supply and into return
    upward = net.sign * flow
    weights[0, 0, :, :-1] = into = xp.maximum(upward, 0.0)
    weights[1, 0, :, :-1] = into - upward
    headers = xp.zeros((2, 3, *was.shape[1:]))  # (supply, return) by AFFINE
    sums: list[Array] = []
    ends: list[list[Ends]] = []
    for level in heat.levels:
        if len(level.inner[1]):
            _meet_inner(level, terms, gamma, headers, way, before)
        weighted = weights * terms
        sums.append(gather_sum(weighted, level.branches))
        ends.append([folded(ring, weighted, sums[-1], was[0]) for ring in level.staged])
        headers[..., level.loops] = _two_by_two(level, sums[-1], said, was)
        for ring, known in zip(level.staged, ends[-1], strict=True):
            of_supply, of_return = headers[..., ring.loop]
            for column, (a, b, rest) in zip(ring.headers, known, strict=True):
                headers[..., column] = a * of_supply + b * of_return + rest
    now, delivered = _substitute(heat, headers, sums, ends, was)
    return now, _walk(net, heat, said, links, now, delivered, way, before)


def _branches(heat: HeatNetwork, said: Array, links: Array, way: Way) -> Array:
    """alpha, beta, gamma of every branch, in the direction of its flow, (3, member, branch)."""
    branch = said.take(heat.first, axis=2)
    if links.shape[3]:
        lift = links.copy()
        lift[1] = 0.0
        positions = range(links.shape[2])
        total = chained(lift, links[1], positions)
        if way.turned:
            back = chained(lift, links[1], positions[::-1])
            total = library_of(said).where(taken(way.ahead, heat.chains), total, back)
        branch[..., heat.chains] = total
    return branch


def _terms(
    net: CoolantNetwork, heat: HeatNetwork, alpha: Array, beta: Array, gamma: Array, way: Way, before: Array | None
) -> Array:
    """Coefficients of the heat that each branch carries, (7, member, branch + 1), before it meets inner loops."""
    xp = library_of(alpha)
    here, there = heat.outer
    terms = xp.zeros((7, alpha.shape[0], net.branch_count + 1))
    terms[FLOW] = 1.0
    terms[CONSTANT, :, :-1], terms[INLET, :, :-1] = alpha, beta
    if len(there):
        gamma = taken(gamma, here)
        if before is not None:
            terms[CONSTANT][:, here] += gamma * before[0].take(there, axis=1)
            gamma = gamma * before[1].take(there, axis=1)
        if way.turned:
            ahead = way.ahead.take(there, axis=1)
            terms[OUTER_RETURN][:, here] = xp.where(ahead, 0.0, gamma)
            gamma = xp.where(ahead, gamma, 0.0)
        terms[OUTER_SUPPLY][:, here] = gamma
    return terms


def _meet_inner(level: Level, terms: Array, gamma: Array, headers: Array, way: Way, before: Array | None) -> None:
    """Put in place of an exchanger's partner what enters it.

    That is the return header of the inner loop, or the supply header where the partner runs backward.
    """
    here, there, before_it, behind_it = level.inner
    partner = headers[1].take(before_it, axis=2)
    if way.turned:
        ahead = way.ahead.take(there, axis=1)
        partner = library_of(terms).where(ahead, partner, headers[0].take(behind_it, axis=2))
    if before is not None:
        partner = partner * before[1].take(there, axis=1)
        partner[-1] += before[0].take(there, axis=1)
    by_own_supply, by_own_return, constant = taken(gamma, here) * partner
    terms[CONSTANT][:, here] += constant
    terms[OWN_SUPPLY][:, here], terms[OWN_RETURN][:, here] = by_own_supply, by_own_return


def _two_by_two(level: Level, sums: Array, said: Array, was: Array) -> Array:
    """Solve supply and return of each loop; what leaves a header carries the heat that entered it.

    Returns:
        Coefficients AFFINE of supply and return, (2, 3, member, loop).
    """
    xp = library_of(sums)
    to_supply, to_return = sums
    out_of_supply, out_of_return = to_return[FLOW], to_supply[FLOW]
    still, ebbing = out_of_supply <= TINY, out_of_return <= TINY
    if level.has_tank:
        tank = said.take(level.tank, axis=2)
        to_supply = tank[1] * to_supply
        to_supply[CONSTANT] += out_of_supply * tank[0]
    right = to_supply[AFFINE], to_return[AFFINE]
    a, b = out_of_supply - to_supply[OWN_SUPPLY], to_supply[INLET] + to_supply[OWN_RETURN]
    c, d = to_return[INLET] + to_return[OWN_SUPPLY], out_of_return - to_return[OWN_RETURN]
    if worth_doing(still | ebbing):
        a, b = xp.where(still, 1.0, a), xp.where(still, 0.0, b)
        c, d = xp.where(ebbing, 0.0, c), xp.where(ebbing, 1.0, d)
        kept = xp.zeros((2, *right[0].shape))
        kept[:, -1] = taken(was, level.loops)
        right = xp.where(still, kept[0], right[0]), xp.where(ebbing, kept[1], right[1])
    return stacked(d * right[0] + b * right[1], a * right[1] + c * right[0]) / (a * d - b * c)


def _substitute(
    heat: HeatNetwork, headers: Array, sums: list[Array], ends: list[list[Ends]], was: Array
) -> tuple[Array, list[Array]]:
    """Header temperatures [K] (2, member, loop) from the outermost loop inwards, and what plants deliver to tanks."""
    now, delivered = library_of(headers).zeros(was.shape), []
    for level, (to_supply, to_return), known in zip(reversed(heat.levels), reversed(sums), reversed(ends), strict=True):
        by_supply, by_return, constant = taken(headers, level.loops).swapaxes(0, 1)
        outside = now.take(level.outer_loop, axis=2) if level.has_outer else None
        here = constant if outside is None else constant + by_supply * outside[0] + by_return * outside[1]
        now[..., level.loops] = here
        for ring, each in zip(level.staged, known, strict=True):
            for column, (a, b, rest) in zip(ring.headers, each, strict=True):
                far = (
                    0.0
                    if outside is None
                    else rest[0] * outside[0][:, ring.place] + rest[1] * outside[1][:, ring.place]
                )
                now[..., column] = a * here[0][:, ring.place] + b * here[1][:, ring.place] + rest[2] + far
        if level.has_tank:
            delivered.append(_delivered(to_supply, to_return, here, outside))
    return now, delivered[::-1]


def _delivered(to_supply: Array, to_return: Array, here: Array, outside: Array | None) -> Array:
    """Temperature of the mix that a loop's plant delivers [K]; that of its supply where nothing flows."""
    xp = library_of(here)
    heat = to_supply[CONSTANT] + to_supply[OWN_SUPPLY] * here[0] + (to_supply[INLET] + to_supply[OWN_RETURN]) * here[1]
    if outside is not None:
        heat = heat + to_supply[OUTER_SUPPLY] * outside[0] + to_supply[OUTER_RETURN] * outside[1]
    mix, still = heat / xp.maximum(to_return[FLOW], TINY), to_return[FLOW] <= TINY
    return xp.where(still, here[0], mix) if worth_doing(still) else mix


def _walk(
    net: CoolantNetwork,
    heat: HeatNetwork,
    said: Array,
    links: Array,
    now: Array,
    delivered: list[Array],
    way: Way,
    before: Array | None,
) -> Array:
    """Inlet and outlet of every stream [K] (2, member, stream), following each branch in the direction of its flow."""
    xp = library_of(now)
    supply, back = now[0].take(net.down_of, axis=1), now[1].take(net.up_of, axis=1)
    enters = xp.where(way.ahead == heat.to_supply, back, supply)
    inlet = xp.zeros(said.shape[1:])
    inlet[:, : net.stream_count] = enters.take(heat.stream_branch, axis=1)
    if links.shape[3]:
        start, positions = taken(enters, heat.chains), range(links.shape[2])
        if before is not None:  # what an exchanger's partner pushes counts with its own lift
            push = links[2] * (before[0] + before[1] * enters).take(heat.partner_branch, axis=1)
            links = stacked(links[0] + push, links[1])
        along = along_chain(links, start, positions)
        if way.turned:
            along = xp.where(taken(way.ahead, heat.chains)[:, None], along, along_chain(links, start, positions[::-1]))
        inlet[:, heat.chain_elements] = along
    for level, mix in zip((level for level in heat.levels if level.has_tank), delivered, strict=True):
        inlet[:, level.tank] = mix  # what a tank receives is the mix that its loop's plant delivers
    partner = inlet.take(heat.partner, axis=1)
    alpha, beta, gamma = said[:, :, : net.stream_count]
    entering = inlet[:, : net.stream_count]
    return stacked(entering, alpha + beta * entering + gamma * partner)
