"""Coolant, elements in series: how a branch passes on what enters it, and where in it its exchanger stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.arrays import Array, library_of, stacked, taken, to_host
from twin.networks.coolant import CoolantNetwork


@dataclass
class Way:
    """Which way each branch flows: ahead where True; `turned` says whether any flows backward.

    Said on the CPU alone; on a device it is always true, and both ways are worked out.
    """

    ahead: Array
    turned: bool


def series_of(net: CoolantNetwork, chains: list[list[int]], longest: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """`upstream` and `partner_branch` of a HeatNetwork, and whether any exchanger stands in series."""
    upstream = np.zeros((2, longest, len(chains)), dtype=bool)
    partner_branch = np.zeros((longest, len(chains)), dtype=np.int64)
    branch_of = to_host(net.branch_of)
    for chain, row in enumerate(chains):
        for position in [k for k, stream in enumerate(row) if stream in net.partner]:
            upstream[0, :position, chain], upstream[1, position + 1 :, chain] = True, True
            partner_branch[position, chain] = branch_of[net.partner[row[position]]]
    return upstream, partner_branch, bool(upstream.any())


def before_exchangers(heat: Any, links: Array, way: Way, like: Array) -> Array:
    """What a branch does to its coolant before its exchanger: T = before[0] + before[1] T_in, (2, member, branch)."""
    xp = library_of(links)
    before = xp.zeros((2, *like.shape))
    before[1] = 1.0
    positions = range(links.shape[2])
    ahead = _passed(links, heat.upstream[0], positions)
    if way.turned:
        back = _passed(links, heat.upstream[1], positions[::-1])
        ahead = xp.where(taken(way.ahead, heat.chains), ahead, back)
    before[..., heat.chains] = ahead
    return before


def _passed(links: Array, these: Array, order: range) -> Array:
    """Constant and slope of some of the elements in one order, (2, member, chain)."""
    xp = library_of(links)
    total = xp.zeros((2, links.shape[1], links.shape[3]))
    total[1] = 1.0
    for k in order:
        constant, slope = links[0][:, k] + links[1][:, k] * total[0], links[1][:, k] * total[1]
        total = xp.where(these[k], stacked(constant, slope), total)
    return total


def chained(lift: Array, beta: Array, order: range) -> Array:
    """alpha, beta, gamma of chained elements taken in one order, (3, member, chain).

    Args:
        lift: alpha, 0 and gamma of each element, (3, member, position, chain).
        beta: factor of each element on all that comes before it, (member, position, chain).
        order: the positions, upstream first.
    """
    total = lift[:, :, order[0]].copy()
    total[1] = beta[:, order[0]]
    for k in order[1:]:
        total = beta[:, k] * total + lift[:, :, k]
    return total


def along_chain(links: Array, start: Array, order: range) -> Array:
    """Inlets of chained elements [K] (member, position, chain), taken in one order."""
    inlet, T = library_of(links).zeros(links.shape[1:]), start
    for k in order:
        inlet[:, k] = T
        T = links[0][:, k] + links[1][:, k] * T
    return inlet
