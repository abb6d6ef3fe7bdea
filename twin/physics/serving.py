"""Serving of tokens: a queue that people leave, the time a token takes, and how tokens are counted."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of

Real = Any
GRAIN = 1024.0
"""Tokens are counted in grains of 1/GRAIN: a power of two, so that sums of them are exact up to 8.8e12 tokens."""


class Queued(NamedTuple):
    """What became of a queue in a tick [tokens], and the seconds of it with nobody waiting [s]."""

    served: Real
    dropped: Real
    left: Real
    idle: Real


def grains(tokens: Real) -> Real:
    """Tokens as they are counted: the nearest whole number of grains."""
    return library_of(tokens).rint(tokens * GRAIN) / GRAIN


def grains_below(tokens: Real) -> Real:
    """As `grains`, never more than there are."""
    return library_of(tokens).floor(tokens * GRAIN) / GRAIN


def grains_above(tokens: Real) -> Real:
    """As `grains`, never fewer than there are but for a thousandth of a grain."""
    return library_of(tokens).ceil(tokens * GRAIN - 1e-3) / GRAIN


def queue(Q: Real, arrivals: Real, capacity: Real, patience: Real, dt: Real) -> Queued:
    """A fluid queue over a tick in which arrivals and capacity are steady and those who wait lose patience.

        dQ/dt = lambda - mu - Q/theta   while Q > 0;   served = lambda where Q = 0 and mu >= lambda

    Exact for any tick; a queue that empties within it serves what arrives from then on.

    Args:
        Q: tokens that wait [tokens].
        arrivals: tokens that come in the tick [tokens].
        capacity: tokens that could be served in the tick [tokens].
        patience: mean time after which one who waits leaves [s].
        dt: length of the tick [s].

    Source: fluid limit of the Erlang-A queue, Garnett, Mandelbaum and Reiman, Designing a Call Center with
    Impatient Customers (2002).
    """
    xp = library_of(arrivals)
    theta = 1.0 / patience
    surplus = (capacity - arrivals) / dt
    stay = -xp.expm1(-theta * dt) * patience
    end = Q * xp.exp(-theta * dt) - surplus * stay
    empties = (end <= 0.0) & (surplus >= 0.0)
    safe = xp.maximum(surplus, 1e-300)
    emptied_at = xp.minimum(patience * xp.log1p(theta * Q / safe), dt)
    emptied_at = xp.where(Q > 0.0, emptied_at, 0.0)
    left = xp.where(empties, 0.0, xp.maximum(end, 0.0))
    lost = xp.where(empties, Q - surplus * emptied_at, Q - end - surplus * dt)
    lost = xp.minimum(xp.maximum(lost, 0.0), Q + arrivals - left)
    return Queued(Q + arrivals - left - lost, lost, left, xp.where(empties, dt - emptied_at, 0.0))


def counted(of: Queued, whole: Real) -> Queued:
    """The same in grains that add up to `whole`, the tokens that waited and came, exactly; no grain too many served."""
    xp = library_of(whole)
    left = xp.minimum(grains_above(of.left), whole)
    dropped = xp.minimum(grains(of.dropped), whole - left)
    return Queued(whole - left - dropped, dropped, left, of.idle)


def token_time(busy: Real, least: Real, batch: Real, rate: Real) -> Real:
    """Time between two tokens of one answer [s] when a GPU decodes a share `busy` of its full rate.

        t(B) = t_0 + k B,   X = B/t   =>   t = t_0/(1 - k X),   k = (B_n/X_n - t_0)/B_n

    B answers go through a step together, and a step takes longer the more there are; at full rate X_n the batch is B_n.

    Args:
        busy: share of the full rate, 0..1.
        least: time of a step with one answer [s].
        batch: answers on a GPU at full rate.
        rate: full rate of a GPU [tokens/s].

    Source: step time linear in batch, e.g. Patel et al., Splitwise, ISCA 2024 (arXiv:2311.18677).
    """
    xp = library_of(busy)
    full = xp.maximum(batch / rate, least)
    return least / (1.0 - (1.0 - least / full) * xp.minimum(busy, 1.0))


def most_busy(limit: Real, least: Real, batch: Real, rate: Real, reads: Real = 0.0) -> Real:
    """Share of its full rate at which a GPU may decode so that a token takes no longer than `limit` [1].

        t_0 (1 + c u)/(1 - k u) = L   =>   u = (L/t_0 - 1)/(c + k L/t_0),   1/(B_n X_0/X_n) <= u <= 1

    `token_time` solved for its first argument, on a GPU that also reads, for c u of the time that it writes. One
    answer at a time is the least; where even that takes too long the promise is lost, and the batch is full.

    Args:
        limit: time between two tokens at full clock [s].
        least, batch, rate: as `token_time` takes them.
        reads: time for prompts over that for their answers at full rate, c [1].
    """
    xp = library_of(limit)
    full = xp.maximum(batch / rate, least)
    times, slope = limit / least, 1.0 - least / full
    found = (times - 1.0) / xp.maximum(reads + slope * times, 1e-12)
    one = xp.minimum(full / (batch * least), 1.0)
    return xp.where(times > 1.0, xp.minimum(xp.maximum(found, one), 1.0), 1.0)
