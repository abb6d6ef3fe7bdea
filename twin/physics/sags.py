"""Sags: the counter that locks a UPS to its battery, and where a sag lies on the ITIC curve."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of

Real = Any
NEVER_YET = -1e6
"""Moment [s] of a sag that has not been."""
ITIC = ((0.02, 0.0), (0.5, 0.7), (10.0, 0.8), (float("inf"), 0.9))
"""For so long [s] equipment bears this residual voltage [1]; below it may stop.

Source: ITI (CBEMA) curve application note, 2000, of 120 V single-phase equipment; its lower boundary.
"""
ITIC_SWELLS = ((1e-3, 2.0), (3e-3, 1.4), (0.5, 1.2), (float("inf"), 1.1))
"""For so long [s] equipment bears this voltage [1]; above it may be damaged. Source: as ITIC."""


def counts_full(history: tuple[Real, ...], moment: Real, count: Real, window: Real) -> Real:
    """Whether a sag that begins now is the last of `count` within a window.

    Args:
        history: moments of the sags before it, the latest first [s].
        moment: when it begins [s].
        count: sags that are too many, at most one more than the history holds [1].
        window: time within which they are [s].
    """
    xp = library_of(moment)
    first = moment
    for back, before in enumerate(history, 2):
        first = xp.where(count >= back, before, first)
    return moment - first <= window


def remembered(history: tuple[Real, ...], begins: Real, moment: Real) -> list[Real]:
    """The history with a sag put before it, where one begins."""
    xp = library_of(moment)
    return [xp.where(begins, new, old) for new, old in zip((moment, *history), history)]


def itic_limits(seconds: float) -> tuple[float, float]:
    """Least and greatest voltage [of nominal] that equipment bears for some seconds, by the ITIC curve."""
    low = next(limit for longest, limit in ITIC if seconds <= longest)
    high = next(limit for longest, limit in ITIC_SWELLS if seconds <= longest)
    return low, high


def itic_region(voltage: float, seconds: float) -> str:
    """Where an event lies on the ITIC curve.

    Args:
        voltage: residual or swollen voltage, of nominal [1].
        seconds: how long it lasts [s].

    Returns:
        "no interruption", "no damage" (below the curve: equipment may stop) or "prohibited" (above it: equipment
        may be damaged).
    """
    low, high = itic_limits(seconds)
    if voltage > high:
        return "prohibited"
    return "no interruption" if voltage >= low else "no damage"
