"""GPU power and clock: what a clock costs, and the clock that a power allows."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of

Real = Any


def power_share(clock: Real, exponent: Real) -> Real:
    """Share of dynamic power at a clock (both 1 at full): clock^exponent.

    An exponent of 2 to 2.4 follows from P ~ f V^2 with V nearly linear in f above its knee.
    """
    xp = library_of(clock)
    return xp.maximum(clock, 1e-9) ** exponent


def clock_for(share: Real, exponent: Real) -> Real:
    """Clock that a share of dynamic power allows, 0..1."""
    xp = library_of(share)
    return xp.minimum(xp.maximum(share, 0.0), 1.0) ** (1.0 / exponent)
