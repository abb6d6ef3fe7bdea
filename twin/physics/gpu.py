"""GPU power and clock: what a clock costs, and the clock that a power allows."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from twin.arrays import library_of, to_host

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


def largest_deviate(count: Real) -> Real:
    """Expected largest of so many standard normal deviates [1]; 0 for one.

        z = Phi^-1((n - 3/8)/(n + 1/4))

    Source: Blom, Statistical Estimates and Transformed Beta-Variables (1958).
    """
    normal, host = NormalDist(), to_host(count)
    found = np.vectorize(lambda n: normal.inv_cdf((n - 0.375) / (n + 0.25)), otypes=[float])(host)
    return library_of(count).asarray(found) if np.ndim(host) else float(found)
