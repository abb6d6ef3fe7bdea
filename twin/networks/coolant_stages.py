"""Coolant, stages: plants of groups in series with a header between each two, as pumps manifolded before chillers.

With its loads such a loop is a ring of groups. In each the branches stand in parallel between two headers, and all
groups pass the same flow. Loops of one pair of headers know nothing of this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, on_host, stacked_with_spare, worth_doing
from twin.physics.hydraulic import branch_flow
from twin.physics.thermal import TINY

TOLERANCE = 1e-12
"""Difference of flow between the groups of a ring at which it counts as solved, of the flow that moves in it."""
FLOW, INLET, OUTER_SUPPLY, OUTER_RETURN, CONSTANT, OWN_SUPPLY, OWN_RETURN = range(7)
"""What flows into a header: coolant, and heat by its coefficient on: the temperature at the branch's inlet, the
outer loop's headers, nothing, the loop's own headers (through exchangers with inner loops)."""
AFFINE = slice(OUTER_SUPPLY, CONSTANT + 1)
"""Coefficients of a header's temperature: on the outer loop's supply, on its return, and the constant."""
STILL = 1e-12
"""Flow [m3/s] that a ring may move and still count as standing."""
ROUND_OFF = 4 * 2.0**-52
"""A step that is no more than this of the rises is lost in their last digits."""
MOST_STEPS = 80
MOST_LOOKS = 24


@dataclass
class Plain:
    """The loops of one pair of headers beside rings, renumbered: as much of a network as their solve wants."""

    branches: Array
    loops: Array
    sign: Array
    loop_of: Array
    in_loop: Neighbours


@dataclass
class Rings:
    """The loops with stages; their groups are the stages of each in turn, then its loads.

    branches: their columns; group_of: the group of each of those; in_group: those of each group; in_ring: the groups
    of each ring; ring_of: the ring of each group; upper, lower: columns of the pressures between which a group lifts,
    past the last for the return header; start: that at the inlet of every branch of the network. Of each ring: stages:
    the branches of each; headers: columns of the headers between them; loops: its loop; groups: columns of its groups.
    """

    plain: Plain
    branches: Array
    group_of: Array
    in_group: Neighbours
    in_ring: Neighbours
    ring_of: Array
    upper: Array
    lower: Array
    start: Array
    stages: list[list[list[int]]]
    headers: list[list[int]]
    loops: list[int]
    groups: list[slice]


def between(stages: list[list[list[int]]], loops: list[int], loop_count: int) -> list[list[int]]:
    """Columns of the headers between the stages of each ring; they stand behind those of the loops."""
    found, at = [], loop_count
    for stage in stages:
        found.append(list(range(at, at + len(stage) - 1)))
        at += len(stage) - 1
    return found


def compile_rings(
    loop_of: list[int], sign: list[float], stages: dict[int, list[list[int]]], loop_count: int, xp: ModuleType
) -> Rings | None:
    """Index tables of the loops with stages; None where none has any.

    Args:
        loop_of, sign: of every branch.
        stages: the branches of each stage of each such loop.
    """
    if not stages:
        return None
    loops, index = list(stages), lambda numbers: xp.asarray(np.array(numbers, dtype=np.int64))
    headers = between(list(stages.values()), loops, loop_count)
    nobody = loop_count + sum(map(len, headers))
    branches: list[int] = []
    group_of: list[int] = []
    in_group: list[list[int]] = []
    in_ring: list[list[int]] = []
    upper: list[int] = []
    lower: list[int] = []
    start = [nobody if way > 0 else loop for loop, way in zip(loop_of, sign, strict=True)]
    for loop, mids in zip(loops, headers, strict=True):
        loads = [b for b, at in enumerate(loop_of) if at == loop and sign[b] < 0]
        nodes = [nobody, *mids, loop]
        in_ring.append(list(range(len(in_group), len(in_group) + len(nodes))))
        for k, group in enumerate([*stages[loop], loads]):
            in_group.append(list(range(len(branches), len(branches) + len(group))))
            branches += group
            group_of += [len(in_group) - 1] * len(group)
            lower.append(nodes[k])
            upper.append(nodes[(k + 1) % len(nodes)])
            for b in group:
                start[b] = nodes[k]
    others = [b for b in range(len(loop_of)) if b not in set(branches)]
    kept = [loop for loop in range(loop_count) if loop not in stages]
    members = [[k for k, b in enumerate(others) if loop_of[b] == loop] for loop in kept]
    plain = Plain(
        index(others), index(kept), xp.asarray(np.array([[sign[b] for b in others]])),
        index([kept.index(loop_of[b]) for b in others]), neighbours(members, xp, spare=len(others)),
    )  # fmt: skip
    ring_of = [ring for ring, groups in enumerate(in_ring) for _ in groups]
    return Rings(
        plain, index(branches), index(group_of), neighbours(in_group, xp, spare=len(branches)),
        neighbours(in_ring, xp, spare=len(in_group)), index(ring_of), index(upper), index(lower), index(start),
        list(stages.values()), headers, loops, [slice(row[0], row[-1] + 1) for row in in_ring],
    )  # fmt: skip


def with_return(pressure: Array) -> Array:
    """Pressures over the return headers, with a column of zero for the return header itself."""
    return stacked_with_spare(pressure)[0]


def lifts(rings: Rings | None, sign: Array, loop_of: Array, pressure: Array) -> Array:
    """Pressure of supply over return, or of the header behind over that before a stage, at each branch [Pa]."""
    lift = pressure.take(loop_of, axis=1)
    if rings is not None:
        over = with_return(pressure)
        rise = over.take(rings.upper, axis=1) - over.take(rings.lower, axis=1)
        lift[:, rings.branches] = rise.take(rings.group_of, axis=1) * sign[:, rings.branches]
    return lift


def solve_rings(rings: Rings, head: Array, laminar: Array, turbulent: Array, stiff: Array, was: Array) -> Any:
    """Pressures and flows of the rings.

    All groups of a ring pass the same flow Q, and their rises r sum to nothing. Newton finds both at once,

        r' = r + (q(r) - Q)/g,   Q = sum(q/g)/sum(1/g),   g = -dq/dr

    which goes downhill on the convex content of the ring, and a step ends where that rises again.

    Args:
        head, laminar, turbulent, stiff: of every branch of the network, as `Resistances` has them.
        was: pressures over the return headers at the last tick [Pa], (member, column), the first guess.

    Returns:
        Pressures (member, column) and flows of the rings' branches (member, branch of a ring), as well as what
        difference remains between the flows of their groups, of what moves (member, ring).
    """
    xp = library_of(was)
    laws = tuple(each.take(rings.branches, axis=1) for each in (head, laminar, turbulent, stiff))
    heads = gather_sum(stacked_with_spare(abs(laws[0]))[0], rings.in_group)
    bound = gather_sum(stacked_with_spare(heads)[0], rings.in_ring)
    over = with_return(was)
    rise = over.take(rings.upper, axis=1) - over.take(rings.lower, axis=1)
    most = 1.0 + bound.take(rings.ring_of, axis=1)
    rise = _closed(rings, xp.minimum(xp.maximum(rise, -most), most))
    flow, passed, slope, moved = _passed(rings, laws, rise)
    for _ in range(MOST_STEPS):
        through = gather_sum(stacked_with_spare(passed / slope, 1.0 / slope), rings.in_ring)
        amiss = passed - (through[0] / through[1]).take(rings.ring_of, axis=1)
        sums = stacked_with_spare(moved, abs(amiss), abs(amiss / slope), abs(rise))
        most, off, way, tall = gather_sum(sums, rings.in_ring)
        solved = (off <= xp.maximum(TOLERANCE * most, STILL)) | (way <= ROUND_OFF * tall)
        if on_host(xp) and not worth_doing(~solved):
            break
        step = xp.where(solved.take(rings.ring_of, axis=1), 0.0, amiss / slope)
        rise, flow, passed, slope, moved = _step(rings, laws, rise, amiss, passed - amiss, step)
    flow = _alike(rings, flow)
    pressure = was.copy()
    for groups, mids, loop in zip(rings.groups, rings.headers, rings.loops, strict=True):
        total: Any = 0.0
        for k, column in enumerate([*mids, loop]):
            total = total + rise[:, groups.start + k]
            pressure[:, column] = total
    return pressure, flow, off / xp.maximum(most, 1e-30)


def _passed(rings: Rings, laws: tuple[Array, ...], rise: Array) -> tuple[Array, Array, Array, Array]:
    """Flow of every branch in the direction of the ring; net flow, slope and gross flow of every group."""
    head, laminar, turbulent, stiff = laws
    driving = head - rise.take(rings.group_of, axis=1)
    stiff = library_of(rise).where(driving < 0, stiff, 1.0)
    flow, slope = branch_flow(driving, laminar * stiff, turbulent * (stiff * stiff))
    return flow, *gather_sum(stacked_with_spare(flow, slope, abs(flow)), rings.in_group)


def _step(
    rings: Rings, laws: tuple[Array, ...], rise: Array, amiss: Array, through: Array, step: Array
) -> tuple[Array, ...]:
    """As far along a step as the content falls; along it the content's slope rises, so that its zero is bracketed."""
    xp = library_of(rise)
    downhill = _along(rings, amiss, step)
    share, low, high = xp.ones(downhill.shape), xp.zeros(downhill.shape), xp.ones(downhill.shape)
    for _ in range(MOST_LOOKS):
        new = _closed(rings, rise + step * share.take(rings.ring_of, axis=1))
        found = _passed(rings, laws, new)
        up = _along(rings, found[1] - through, step)
        beyond = up < -0.5 * downhill
        if not worth_doing(beyond):
            break
        high = xp.where(beyond, share, high)
        low = xp.where(beyond, low, share)
        share = xp.where(beyond, 0.5 * (low + high), share)
    return new, *found


def _closed(rings: Rings, rise: Array) -> Array:
    """Rises that sum to nothing around each ring to the last digit; its loads take what is amiss. Changed in place."""
    for groups in rings.groups:
        total: Any = 0.0
        for k in range(groups.start, groups.stop - 1):
            total = total - rise[:, k]
        rise[:, groups.stop - 1] = total
    return rise


def _along(rings: Rings, amiss: Array, step: Array) -> Array:
    """How fast the content falls along a step, by ring; negative where it rises."""
    return gather_sum(stacked_with_spare(amiss * step)[0], rings.in_ring)


def _alike(rings: Rings, flow: Array) -> Array:
    """Flows scaled so that all groups of a ring pass the same to the last digit: the least of what each does."""
    xp = library_of(flow)
    ahead, back = gather_sum(stacked_with_spare(xp.maximum(flow, 0.0), xp.maximum(-flow, 0.0)), rings.in_group)
    net = ahead - back
    through = xp.zeros((len(flow), len(rings.loops)))
    for ring, groups in enumerate(rings.groups):
        here = net[:, groups]
        through[:, ring] = xp.maximum(here.min(axis=1), 0.0) + xp.minimum(here.max(axis=1), 0.0)
    wanted = through.take(rings.ring_of, axis=1)
    less = xp.where(net > wanted, (wanted + back) / xp.maximum(ahead, TINY), 1.0)
    less_back = xp.where(net < wanted, (ahead - wanted) / xp.maximum(back, TINY), 1.0)
    return flow * xp.where(flow > 0, less.take(rings.group_of, axis=1), less_back.take(rings.group_of, axis=1))


@dataclass
class Staged:
    """The stages of one ring in the heat of its level: its place in it, tables of its stages, its headers' columns."""

    place: int
    loop: int
    stages: Neighbours
    headers: list[int]


Ends = list[tuple[Array, Array, Array]]
"""Temperature of each header between stages: coefficients on the loop's supply, on its return, and AFFINE."""


def folded(ring: Staged, weighted: Array, sums: Array, was: Array) -> Ends:
    """Fold the headers between a ring's stages into the sums of its supply and return, from the return onward.

        out_k T_k = f_k T_(k-1) + b_k T_(k+1) + what branches bring besides

    Args:
        weighted: coefficients of the heat that branches bring ahead and backward, (2, 7, member, branch + 1).
        sums: of what flows into supply and into return by the loads, (2, 7, member, loop of the level); changed here.
        was: temperatures of all headers at the last tick [K], (member, column); one without flow keeps its own.
    """
    ahead, back = gather_sum(weighted, ring.stages)
    xp, count = library_of(sums), ring.stages.index.shape[0]
    like = ahead[INLET, :, 0]
    A, B, W = 0.0 * like, 1.0 + 0.0 * like, xp.zeros((3, *like.shape))
    known: Ends = []
    for k, column in enumerate(ring.headers):
        f, b = ahead[INLET, :, k], back[INLET, :, k + 1]
        out = ahead[FLOW, :, k + 1] + back[FLOW, :, k]
        still = out <= TINY
        D = xp.where(still, 1.0, xp.maximum(out - f * A, 1e-13 * out))
        A, B, W = b / D, f * B / D, (f * W + ahead[AFFINE, :, k] + back[AFFINE, :, k + 1]) / D
        A, B, W = xp.where(still, 0.0, A), xp.where(still, 0.0, B), xp.where(still, 0.0, W)
        W[-1] = xp.where(still, was[:, column], W[-1])
        known.append((A, B, W))
    supply, ret = sums[0, :, :, ring.place], sums[1, :, :, ring.place]
    last, first = ahead[INLET, :, count - 1], back[INLET, :, 0]
    supply[OWN_SUPPLY] += last * A
    supply[INLET] += last * B
    supply[AFFINE] += last * W + ahead[AFFINE, :, count - 1]
    ends: Ends = []
    a, b, w = 1.0 + 0.0 * like, 0.0 * like, xp.zeros((3, *like.shape))
    for A, B, W in reversed(known):
        a, b, w = A * a, A * b + B, A * w + W
        ends.insert(0, (a, b, w))
    ret[INLET] += first * a
    ret[OWN_RETURN] += first * b
    ret[AFFINE] += first * w + back[AFFINE, :, 0]
    from_return = supply[FLOW] + ahead[FLOW, :, 0]
    ret[FLOW] += back[FLOW, :, count - 1]
    supply[FLOW] = from_return
    return ends
