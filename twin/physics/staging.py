"""Staging: how many machines a load wants, and which of them run."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

from twin.arrays import library_of, worth_doing

Real = Any


def wants_more(load: Real, running: Real, capacity: Real, call_at: Real) -> Real:
    """Whether a load [W] passes a share of what the running machines can take."""
    return load > call_at * running * capacity


def wants_fewer(load: Real, running: Real, capacity: Real, release_at: Real) -> Real:
    """Whether a load [W] would stay below a share of what one machine fewer can take."""
    return load < release_at * (running - 1.0) * capacity


def chosen(called: list[Real], able: list[Real], rank: list[Real], wanted: Real) -> list[Real]:
    """Which machines are called, 1 or 0 each.

    Those that run go on. Too few: the next able ones in the order of their rank join. Too many: the last ones in that
    order leave. One that is not able does not count.

    Args:
        called, able: of each machine, 1 or 0.
        rank: its place in the order, 0 for the lead; all different.
        wanted: how many are to run [1].
    """
    xp = library_of(wanted)
    stays = [one * can for one, can in zip(called, able, strict=True)]
    free = [can * (1.0 - one) for one, can in zip(stays, able, strict=True)]
    lacking = wanted - reduce(add, stays)
    if not worth_doing(lacking):
        return stays
    found = []
    for k, place in enumerate(rank):
        before = reduce(add, [free[j] * (rank[j] < place) for j in range(len(rank)) if j != k], 0.0)
        behind = reduce(add, [stays[j] * (rank[j] > place) for j in range(len(rank)) if j != k], 0.0)
        joins = free[k] * (before < lacking)
        leaves = stays[k] * (behind < -lacking)
        found.append(xp.where(leaves > 0, 0.0, xp.where(joins > 0, 1.0, stays[k])))
    return found
