"""Power shelves: converters in parallel with a published efficiency curve, their hold-up, overload and power brake."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.physics.electric import NEVER

Real = Any
POINTS = (0.1, 0.2, 0.5, 1.0)
"""Loads over rating at which efficiencies are published."""
MOST_LOAD = 1.6
"""Load over rating up to which a curve must make sense: pulses of a PSU with pulse load management (OCP ORv3 HPR)."""


def loss_curve(efficiency: Sequence[Real]) -> tuple[Real, ...]:
    """The loss of a converter as a cubic of its load, exactly through the published efficiencies.

        loss/rating = x (1/eta - 1),   c0 + c1 x + c2 x^2 + c3 x^3 through x = 0.1, 0.2, 0.5, 1

    Args:
        efficiency: power out over power in at each of `POINTS` [1].

    Returns:
        c0, c1, c2, c3, of rating, by Newton's divided differences.
    """
    column = [x * (1.0 / eta - 1.0) for x, eta in zip(POINTS, efficiency, strict=True)]
    heads = []
    for order in range(len(POINTS)):
        heads.append(column[0])
        column = [
            (right - left) / (POINTS[k + order + 1] - POINTS[k]) for k, (left, right) in enumerate(pairwise(column))
        ]
    curve: list[Real] = [heads[3], 0.0, 0.0, 0.0]
    for x, head in zip(POINTS[2::-1], heads[2::-1]):  # Horner's way: curve * (load - x) + head
        curve = [head - x * curve[0], *(low - x * high for low, high in pairwise(curve))]
    return tuple(curve)


def loss_at(x: Real, curve: tuple[Real, ...]) -> Real:
    """Loss of a converter over its rating, at a load over its rating [1]."""
    c0, c1, c2, c3 = curve
    return c0 + x * (c1 + x * (c2 + x * c3))


def curve_fault(efficiency: Sequence[float]) -> str | None:
    """What is wrong with four published efficiencies taken together, or None: their cubic must not make power."""
    curve = loss_curve(efficiency)
    for k in range(161):
        x = MOST_LOAD * k / 160
        if not loss_at(x, curve) > 0:
            return f"its curve through 10, 20, 50 and 100 % of load makes power at {x:.0%} of load"
    return None


class Sides(NamedTuple):
    """Power shelves that work, by the feed they hang on: their rating [W], and the share that each feed bears.

    `weight` is None where the feeds bear alike; `bare`: 1 where a feed has no shelf left.
    """

    rating: list[Real]
    weight: list[Real] | None
    bare: list[Real]
    whole: bool


def sides(count: Real, second_share: Real, rating: Real, failed: Sequence[Real]) -> Sides:
    """Which power shelves work.

    Args:
        count: of power shelves, 0 where there are none to speak of: one lossless supply without limit [1].
        second_share: share of them on the second feed [1].
        rating: of each [W].
        failed: how many have failed, by feed [1].
    """
    xp = library_of(failed[0])
    built = (count * (1.0 - second_share), count * second_share)
    left = [xp.maximum(n - lost, 0.0) for n, lost in zip(built, failed)]
    without = count == 0
    limitless = NEVER * without
    bare = [((n <= 0) & ~without) * 1.0 for n in left]
    alike = not worth_doing(left[0] != left[1])
    weight = None if alike else [n + without for n in left]
    return Sides([n * rating + limitless for n in left], weight, bare, not any(map(worth_doing, bare)))


class Carried(NamedTuple):
    """How the shelves carry a tick that asks for more than they can, or could.

    clock: seconds of the overload so far [s]; over, braked, tripped: 0/1 at its end; over_after, braked_after:
    their moments [s into the tick]; least: rating of what lives in the overload [W]; brake: share of the tick
    under the brake [1]; lasts: seconds until it trips [s].
    """

    clock: Real
    over: Real
    braked: Real
    tripped: Real
    over_after: Real
    braked_after: Real
    least: Real
    brake: Real
    lasts: Real


class Asking(NamedTuple):
    """What the trays ask of their shelves in a tick [W].

    steady: without, peak: with a short peak that lasts `peak_time` [s] of the tick; braked: the least that a
    brake leaves.
    """

    steady: Real
    peak: Real
    peak_time: Real
    braked: Real


class Stamina(NamedTuple):
    """How long shelves bear an overload [s], and the load over their rating that trips them at once [1].

    brake_time: from overload to clocks cut [s], NEVER where the brake does not act.
    """

    brake_time: Real
    overload_time: Real
    overload_limit: Real


def carry(asking: Asking, rating: list[Real], gaps: list[Real], dead: list[Real], limits: Stamina,
          clock: Real, dt: Real) -> Carried:  # fmt: skip
    """Who carries what in a tick, when clocks are cut and when the shelves trip.

    Args:
        rating: of the working shelves by feed [W].
        gaps: seconds of the tick that each feed was dead [s]; those of two feeds overlap.
        dead: whether each feed is dead at the end of the tick.
        clock: seconds that an overload has lasted at the start, 0 without one [s].

    While both feeds live their shelves carry together, while one is dead those of the other. An overload
    that outlasts `overload_time`, or is more than `overload_limit`, trips, unless the brake has acted by then
    and leaves no more than the rating.
    """
    xp = library_of(asking.steady)
    every = one = rating[0]
    short = long = gaps[0]
    gone = dead[0]
    if len(gaps) > 1:
        first = gaps[0] <= gaps[1]
        short, long = xp.minimum(*gaps), xp.maximum(*gaps)
        one, gone = xp.where(first, *rating), xp.where(first, dead[1], dead[0])
        every = rating[0] + rating[1]
    over_all, over_one = asking.peak > every, (asking.peak > one) & (long > short)
    least = xp.where(over_one, one, every)
    span = over_all * (dt - long) + over_one * (long - short)
    lasting = over_all | (over_one & gone)
    brief = asking.steady <= least
    span = xp.where(brief, xp.minimum(span, asking.peak_time), span)
    over = (span > 0) & lasting & (~brief | (asking.peak_time >= dt))
    dies = over_one & ~over_all & gone & ~brief
    onset = xp.where(clock > 0, -clock, xp.where(dies, dt - long, 0.0))
    end = xp.where(over, dt, xp.maximum(onset, 0.0) + span)
    brakes = onset + limits.brake_time
    under = xp.minimum(xp.maximum(end - xp.maximum(brakes, 0.0), 0.0), span)
    deadline = onset + xp.where(asking.peak > limits.overload_limit * least, 0.0, limits.overload_time)
    acts = (brakes <= deadline) | ((clock > 0) & (brakes <= 0.0))
    trips = (span > 0) & (deadline < end) & ~(acts & (asking.braked <= least))
    return Carried(
        clock=xp.where(over, end - onset, 0.0),
        over=over * 1.0,
        braked=(over & (under > 0)) * 1.0,
        tripped=trips * 1.0,
        over_after=xp.where(over, xp.maximum(onset, 0.0), end),
        braked_after=xp.where(over, xp.maximum(brakes, 0.0), end),
        least=least,
        brake=under / dt,
        lasts=xp.where(trips, xp.maximum(deadline, 0.0), dt),
    )


class Supplied(NamedTuple):
    """Where a tick's energy comes from: seconds on the feeds and on the capacitors, and whether these run out."""

    fed: Real
    bridged: Real
    lost: Real


def held_up(gap: Real, voltage: Real, energy: Real, power: Real, dt: Real) -> Supplied:
    """How far the capacitors of the power supplies bridge a gap.

    Args:
        gap: seconds of the tick without any feed [s]; voltage: at its end [pu].
        energy: in the capacitors [J]; power: asked of them [W].
    """
    xp = library_of(gap)
    bridged = xp.minimum(gap, xp.maximum(energy, 0.0) / xp.maximum(power, 1.0))
    lost = gap > bridged
    return Supplied(xp.where(lost & (voltage != 0), 0.0, dt - gap), bridged, lost)


def recharge(missing: Real, most: Real, gap: Real, dt: Real, fills: Real | None = None) -> Real:
    """Power that refills the capacitors, mean over the tick [W], only in ticks without a gap; missing [J], most [W].

    Args:
        fills: seconds of the tick in which they may fill, with a gap or without; None: all of it.
    """
    if not worth_doing(missing):
        return 0.0
    xp = library_of(gap)
    if fills is not None:
        return xp.where(fills < dt, xp.minimum(missing, most * fills) / dt, xp.minimum(missing / dt, most))
    return xp.where(gap == 0, xp.minimum(missing / dt, most), 0.0)


def rating_alive(gaps: list[Real], rating: list[Real], dt: Real) -> Real:
    """Rating of the shelves whose feed lives, mean over the tick [W]."""
    total: Real = 0.0
    for power, gap in zip(rating, gaps):
        total = total + (power * (1.0 - gap / dt) if worth_doing(gap) else power)
    return total
