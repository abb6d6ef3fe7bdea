"""Transfer: a switch with two feeds and contacts that open before they close, exact within the tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.physics.supply import TINY, Offer

Real = Any


class Move(NamedTuple):
    """What the contacts do in a tick; moments count from its start [s].

    starts: 1 where they leave a feed; leaves_after: when; closes_after: when they close, 0 where they are;
    heading: 1 where the second feed is the one they stand on, or go to.
    """

    starts: Real
    leaves_after: Real
    closes_after: Real
    heading: Real


def by_contacts(move: Move, feed_voltage: Sequence[Real], feed_gap: Sequence[Real], on: Real, dt: Real) -> Offer:
    """Fed by the contact it leaves until that opens, and by the one it heads for once that closes.

    Args:
        feed_voltage, feed_gap: of both feeds [pu], [s].
        on: 1 where it conducts at all.
    """
    xp = library_of(move.heading)
    second = move.heading > 0
    voltage = xp.where(second, feed_voltage[1], feed_voltage[0])
    gap = xp.where(second, feed_gap[1], feed_gap[0])
    closes = xp.minimum(move.closes_after, dt)
    after = xp.where(voltage == 0, xp.maximum(dt - gap - closes, 0.0), dt - xp.maximum(gap, closes))
    left_gap = xp.where(second, feed_gap[0], feed_gap[1])
    before = xp.where(move.starts > 0, xp.minimum(move.leaves_after, dt - left_gap), 0.0)
    after, before = after * on, before * on
    alive = after + before
    total = xp.maximum(alive, TINY)
    shares = [xp.where(second, before, after) / total, xp.where(second, after, before) / total]
    return voltage * (on * (closes < dt)), xp.maximum(dt - alive, 0.0), shares
