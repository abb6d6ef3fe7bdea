"""Bands: what a number is over the members, and how surely that is known."""

from __future__ import annotations

from typing import Any

import numpy as np

PERCENTILES = (5, 50, 95)
Z = 1.959963984540054
"""Of a standard normal number 95 % lie within this on both sides of 0."""
SMALL_T = {1: 12.7062, 2: 4.30265, 3: 3.18245, 4: 2.77645, 5: 2.57058}
"""The same of Student's t with few degrees of freedom; beyond them a series is good to 1e-4."""
FEW = 10
"""Members from which their own spread tells how sure a count is; below it, interruptions are taken as independent."""


def band(values: np.ndarray, most: float = float("inf")) -> dict[str, Any]:
    """Mean over the members with its 95 % interval (Student's t), percentiles, and the values.

    Low and high are None for a single member, and lie within 0 and `most`.
    """
    known = np.asarray(values, dtype=float)
    low, high = interval(known)
    if low is not None and high is not None:
        low, high = max(low, 0.0), min(high, most)
    spread = np.percentile(known, PERCENTILES)
    percentiles = {f"p{p}": float(value) for p, value in zip(PERCENTILES, spread, strict=True)}
    return {"mean": float(known.mean()), "low": low, "high": high} | percentiles | {"values": known.tolist()}


def interval(values: np.ndarray) -> tuple[float | None, float | None]:
    """The 95 % interval of a mean; nothing for fewer than two values."""
    if len(values) < 2:
        return None, None
    mean = float(values.mean())
    reach = student(len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean - reach, mean + reach


def student(freedom: int) -> float:
    """Half the width of the middle 95 % of Student's t.

        t = z + (z^3 + z)/(4 n) + (5 z^5 + 16 z^3 + 3 z)/(96 n^2) + (3 z^7 + 19 z^5 + 17 z^3 - 15 z)/(384 n^3)

    Args:
        freedom: degrees of freedom n.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    if freedom in SMALL_T:
        return SMALL_T[freedom]
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + (Z**3 + Z) / (4 * freedom) + second / freedom**2 + third / freedom**3


def poisson(events: float) -> tuple[float, float]:
    """The 95 % interval of the mean of which so many events were one draw.

        low = k (1 - 1/(9 k) - z/(3 k^1/2))^3,   high = m (1 - 1/(9 m) + z/(3 m^1/2))^3,   m = k + 1

    Args:
        events: k, above 0.

    Good to 1 % from five events on; its lower limit errs low below that.

    Source: Byar's approximation of the exact limits, Breslow and Day, Statistical Methods in Cancer Research II.
    """
    more = events + 1.0
    low = events * max(1 - 1 / (9 * events) - Z / (3 * events**0.5), 0.0) ** 3
    return low, more * (1 - 1 / (9 * more) + Z / (3 * more**0.5)) ** 3


def per_event(seconds: float, counts: np.ndarray) -> dict[str, float] | None:
    """Mean time between events [s] over all members together, with its 95 % interval; None without any event.

        N T / sum(n)

    The interval is that of the mean count: from its spread over the members, or where they are few, that of a Poisson
    count.
    """
    total, members = float(counts.sum()), len(counts)
    if total <= 0:
        return None
    if members >= FEW:
        low, high = interval(np.asarray(counts, dtype=float))
        fewest, most = members * max(low or 0.0, 0.0), members * (high or 0.0)
    else:
        fewest, most = poisson(total)
    whole = seconds * members
    return {"value": whole / total, "low": whole / most, "high": whole / max(fewest, 1e-9), "events": total}
