"""Conversion: the input window of a power converter, and how long it bears an overload."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing

Real = Any
REFERENCE_OVERLOADS = (1.25, 1.5)
"""Loads [of rating] at which sheets of large UPS give a time: 10 min and 60 s."""


class Window(NamedTuple):
    """What a converter takes as its input: voltage and frequency, of nominal [1]."""

    lowest: Real
    highest: Real
    band: Real


def outside(window: Window, voltage: Real, frequency: Real) -> Real:
    """Where a live feed lies outside the window; a dead one does not.

    Args:
        voltage: complex [pu].
        frequency: of nominal [1]; None where the network does not say, which is nominal.
    """
    modulus = abs(voltage)
    out = (modulus < window.lowest) | (modulus > window.highest)
    if frequency is not None:
        out = out | (abs(frequency - 1.0) > window.band)
    return out & (modulus > 0)


def accepted(window: Window, voltage: Real, gap: Real, frequency: Real, dt: Real) -> tuple[Real, Real]:
    """A feed as a converter sees it: what lies outside its window is dead.

    Args:
        voltage, gap: what the feed offers [pu], [s].
        frequency: of nominal [1], or None.

    Returns:
        Whether it is good at the end of the tick, and the seconds that it was not; a tick that ends outside the
        window counts as bad throughout.
    """
    refused = outside(window, voltage, frequency)
    good = (voltage != 0) & (refused == 0)
    return good, library_of(gap).where(refused, dt, gap) if worth_doing(refused) else gap


def overload_time(x: Real, long: Real, short: Real, least: Real) -> Real:
    """Seconds that a converter bears a load, on the inverse-time curve through two points of its sheet [s].

        t = t_125 ((x - 1)/0.25)^-p,   p = ln(t_125/t_150)/ln 2

    Above 150 % it is `least`; at or below its rating it bears the load for ever (1e30 s).

    Args:
        x: load over rating [1].
        long, short: seconds at 125 % and at 150 % [s].
        least: seconds above 150 % [s].
    """
    xp = library_of(x)
    low, high = REFERENCE_OVERLOADS
    p = xp.log(long / short) / xp.log((high - 1.0) / (low - 1.0))
    above = xp.maximum(x - 1.0, 1e-9)
    curve = xp.minimum(long * ((low - 1.0) / above) ** p, 1e30)
    return xp.where(x > high, least, xp.where(x > 1.0, curve, 1e30))


def overload_used(used: Real, x: Real, time: Real, recovery: Real, seconds: Real) -> Real:
    """Share of the overload time used up after some seconds at a steady load, 0 rested to 1 at its end.

        du/dt = 1/t(x) above its rating,   -1/recovery at or below

    Args:
        used: share used before [1].
        x: load over rating [1].
        time: what `overload_time` says of it [s].
        recovery: seconds from 1 back to 0 [s].
        seconds: how long [s].
    """
    xp = library_of(used)
    return xp.maximum(used + seconds * xp.where(x > 1.0, 1.0 / time, -1.0 / recovery), 0.0)


class Path(NamedTuple):
    """The output of a converter in a tick whose own way may end within it, with a bypass to fall back on.

    alive: whether there is output at the end of the tick; gap: seconds without [s]; passed: seconds borne by the
    bypass [s]; rescued: where the bypass bears it at the end.
    """

    alive: Real
    gap: Real
    passed: Real
    rescued: Real


def with_bypass(alive: Real, gap: Real, offered: Real, bypass_gap: Real) -> Path:
    """The converter's own output, helped out by the static switch in the seconds that it lacks.

    Args:
        alive: whether the converter has output at the end of the tick.
        gap: seconds that it has none [s].
        offered: 1 where the bypass may help and is good at the end of the tick.
        bypass_gap: seconds of the tick that the bypass is dead [s].
    """
    xp = library_of(gap)
    left = xp.where(offered > 0, xp.minimum(gap, bypass_gap), gap)
    rescued = (offered > 0) & (alive == 0)
    return Path((alive > 0) | rescued, left, gap - left, rescued)


def broken_by(leaves: Real, moment: Real, left: Real, time: Real, dt: Real) -> tuple[Real, Real]:
    """A transfer that leaves its load without supply for a while, in this tick and the next ones.

    Args:
        leaves: 1 where it begins in this tick.
        moment: when, from the start of the tick [s].
        left: of one that has begun before [s].
        time: how long it takes [s].

    Returns:
        Seconds without supply in this tick, and those that are left for later [s].
    """
    xp = library_of(moment)
    until = xp.where(leaves > 0, moment + time, left)
    begins = xp.where(leaves > 0, moment, 0.0)
    return xp.maximum(xp.minimum(until, dt) - begins, 0.0), xp.maximum(until - dt, 0.0)
