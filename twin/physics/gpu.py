"""GPU power and clock: what a clock costs, the clock that a power allows, and the work that a clock does."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from twin.arrays import library_of, to_host, worth_doing

Real = Any
NEWTON_STEPS = 9
"""Steps that bring the clock of a power to round-off from any start (tested); a convex law passes no root."""


class Curve(NamedTuple):
    """How the power of a GPU follows its clock, from its nominal clock at 1.

    linear: share that goes with the clock alone at the highest one, the rest goes with f V^2 [1]; floor: least
    voltage, knee: clock at which it is reached, both of those at the highest clock [1]; boost: highest clock, of
    nominal [1].
    """

    linear: Real
    floor: Real
    knee: Real
    boost: Real


def voltage(x: Real, curve: Curve) -> Real:
    """Core voltage at a clock x, both of the highest: level below the knee, a straight line above it.

    V = max(V_min, 1 - (1 - V_min)(1 - x)/(1 - x_knee))
    """
    xp = library_of(x)
    return xp.maximum(curve.floor, 1.0 - (1.0 - curve.floor) / (1.0 - curve.knee) * (1.0 - x))


def switching(x: Real, curve: Curve) -> Real:
    """Power of a GPU at work beyond idle, at a clock x, both of the highest.

    a x + (1 - a) x V(x)^2
    """
    V = voltage(x, curve)
    return x * (curve.linear + (1.0 - curve.linear) * (V * V))


def dynamic_share(clock: Real, curve: Curve) -> Real:
    """Power beyond idle at a clock [1], both of those at nominal clock.

        P = P_idle + activity (a f + b f V(f)^2) leakage(T)

    This is the bracket; its activity is what a kind of work draws at nominal clock.

    Source: CMOS switching power, textbook; fitted to published points in `tests/physics/test_gpu_points.py`.
    """
    return switching(clock / curve.boost, curve) / switching(1.0 / curve.boost, curve)


def clock_for(share: Real, curve: Curve) -> Real:
    """Clock that a power beyond idle allows, both of those at nominal clock; 0 to `boost`.

    Below the knee of the voltage the law is a straight line and its inverse exact. Above, it is convex: Newton's
    steps from the highest clock fall to the root and never pass it.
    """
    xp = library_of(share)
    wanted = xp.maximum(share, 0.0) * switching(1.0 / curve.boost, curve)
    slope = curve.linear + (1.0 - curve.linear) * (curve.floor * curve.floor)
    x = wanted / slope
    above = x > curve.knee
    if worth_doing(above):
        x = xp.where(above, _above_knee(wanted, curve), x)
    return xp.minimum(x, 1.0) * curve.boost


def _above_knee(wanted: Real, curve: Curve) -> Real:
    """Clock of the highest whose `switching` is `wanted`, where that lies above the knee."""
    xp = library_of(wanted)
    rise = (1.0 - curve.floor) / (1.0 - curve.knee)
    rest = 1.0 - curve.linear
    x = wanted * 0.0 + 1.0
    for _ in range(NEWTON_STEPS):
        V = 1.0 - rise * (1.0 - x)
        fall = (x * (curve.linear + rest * V * V) - wanted) / (curve.linear + rest * V * (V + 2.0 * rise * x))
        x = xp.maximum(x - fall, curve.knee)
    return x


def throughput(clock: Real, knee: Real) -> Real:
    """Work done at a clock [1], both of those at the clock that this work runs at where nothing holds it back.

        min(1, x/x_knee)

    Work bound by computing has its knee at 1 and loses in proportion; work bound by memory loses nothing down to
    its knee.
    """
    return library_of(clock).minimum(clock / knee, 1.0)


def largest_deviate(count: Real) -> Real:
    """Expected largest of so many standard normal deviates [1]; 0 for one.

        z = Phi^-1((n - 3/8)/(n + 1/4))

    Source: Blom, Statistical Estimates and Transformed Beta-Variables (1958).
    """
    normal, host = NormalDist(), to_host(count)
    found = np.vectorize(lambda n: normal.inv_cdf((n - 0.375) / (n + 0.25)), otypes=[float])(host)
    return library_of(count).asarray(found) if np.ndim(host) else float(found)
