"""Controllers: PI laws that foresee what their own output will do, so that no tick is too long for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing

Real = Any
LEAP = 0.05
"""A move of the output in one tick [1] from which the tangent is no longer trusted."""
HALVINGS = 9
"""Bisections of the output's range that are made then, before the chord."""


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
    tangent is followed; where the output may leap, the range is halved until it is found. The integral part stays
    within the output's limits: no wind-up.

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
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        e = error_at(middle)
        more = integral + strength * e > middle
        low, e_low = xp.where(more, middle, low), xp.where(more, e, e_low)
        high, e_high = xp.where(more, high, middle), xp.where(more, e_high, e)
    fall = (e_high - e_low) / (high - low)
    asked = (integral + strength * (e_low - fall * low)) / (1.0 - strength * fall)
    asked = xp.minimum(xp.maximum(asked, low), high)
    return asked, e_low + fall * (asked - low)
