"""Controllers: PI laws that foresee what their own output will do, so that no tick is too long for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing

Real = Any
LEAP, MISSED = 0.005, 0.01
"""A move of the output in one tick, and by how much it then misses its law [1]: beyond both no tangent is trusted."""
HALVINGS, CHORDS = 6, 4
"""Bisections of the output's range that are made then, and steps along the chord after them."""


class Law(NamedTuple):
    """gain: output per unit of error [1/unit]; reset_time [s]; least, most: limits of the output [1]."""

    gain: Real
    reset_time: Real
    least: Real = 0.0
    most: Real = 1.0


class Asked(NamedTuple):
    """output: what the controller asks for next [1]; integral: its integral part [1]."""

    output: Real
    integral: Real


def pi(
    law: Law, output: Real, integral: Real, error_at: Callable[[Real], Real], step: float, reach: Real, dt: Real
) -> Asked:
    """What a PI controller asks for, backward Euler in the error that its answer will leave.

        y = clip(I + Kp (1 + dt/Ti) e(y)),   I' = y - Kp e(y),   e falls with y

    For long ticks this tends to the ideal controller, e(y) = 0, and cannot cycle. Near the present output the
    tangent is followed, taken over a step short enough to be one: a valve that works nearly shut bends within 2 %,
    and a secant over that much overcorrects at every tick. Where the output may leap, the range is halved before
    the chord is. The integral part stays within the output's limits: no wind-up.

    Args:
        output, integral: now [1].
        error_at: the error at the end of the next tick at an output, as the machine foresees it [unit].
        step: difference of outputs by which the tangent is taken [1].
        reach: how far the output can move in a tick [1].
    """
    xp = library_of(output)
    strength = law.gain * (1.0 + dt / law.reset_time)
    error = error_at(output)
    slope = xp.minimum((error_at(output + step) - error) / step, 0.0)
    asked = (integral + strength * (error - slope * output)) / (1.0 - strength * slope)
    asked = xp.minimum(xp.maximum(asked, law.least), law.most)
    left = error + slope * (asked - output)
    far = xp.minimum(abs(asked - output), reach) > LEAP
    if worth_doing(far):
        far = far & (strength * abs(error_at(asked) - left) > MISSED)
    if worth_doing(far):
        found, found_left = _halved(law, integral, error_at, strength, output)
        asked, left = xp.where(far, found, asked), xp.where(far, found_left, left)
    integral = xp.minimum(xp.maximum(asked - law.gain * left, law.least), law.most)
    return Asked(asked, integral)


def _halved(
    law: Law, integral: Real, error_at: Callable[[Real], Real], strength: Real, output: Real
) -> tuple[Real, Real]:
    """The output that meets its own law, and the error it leaves; by bisection, then by the chord."""
    xp = library_of(output)
    low, high = 0.0 * output + law.least, 0.0 * output + law.most
    e_low, e_high = error_at(low), error_at(high)
    for step in range(HALVINGS + CHORDS):
        middle = 0.5 * (low + high) if step < HALVINGS else _chord(integral, strength, low, high, e_low, e_high)
        e = error_at(middle)
        more = integral + strength * e > middle
        low, e_low = xp.where(more, middle, low), xp.where(more, e, e_low)
        high, e_high = xp.where(more, high, middle), xp.where(more, e_high, e)
    asked = _chord(integral, strength, low, high, e_low, e_high)
    apart = high - low
    return asked, e_low + (e_high - e_low) * (asked - low) / xp.where(apart > 0, apart, 1.0)


def _chord(integral: Real, strength: Real, low: Real, high: Real, e_low: Real, e_high: Real) -> Real:
    """Where the output meets its law along the chord between two outputs, within them."""
    xp = library_of(low)
    apart = high - low
    fall = (e_high - e_low) / xp.where(apart > 0, apart, 1.0)
    asked = (integral + strength * (e_low - fall * low)) / (1.0 - strength * xp.minimum(fall, 0.0))
    return xp.minimum(xp.maximum(asked, low), high)
