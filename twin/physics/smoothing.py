"""Power smoothing: a floor that is burnt, ramps that are kept, and a small store that gives and takes the rest."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of

Real = Any
RESTORE_TIME = 1.0
"""Time constant with which a store goes back to half charge [s]; an estimate."""


class Knobs(NamedTuple):
    """What is set: floor [W], ramps [W/s], time for which the floor stays after work has gone [s]."""

    floor: Real
    ramp_up: Real
    ramp_down: Real
    hysteresis: Real


def ramped(start: Real, target: Real, up: Real, down: Real, dt: Real) -> tuple[Real, Real]:
    """A level that goes to its target no faster than its ramps, then holds.

    Args:
        start, target: [W]; up, down: steepest rise and fall [W/s].

    Returns:
        The level at the end of the tick and its mean over the tick [W].
    """
    xp = library_of(target)
    way = target - start
    rate = xp.where(way > 0, up, -down)
    time = xp.minimum(way / rate, dt)
    end = xp.where(time < dt, target, start + rate * dt)
    return end, target + (start - target + 0.5 * rate * time) * time / dt


def sinking(floor: Real, rate: Real, since: Real, dt: Real) -> tuple[Real, Real]:
    """A floor that falls in a straight line to nothing once `since` is positive.

    Args:
        floor: [W]; rate: of its fall [W/s].
        since: seconds before the tick's start at which it begins to fall, negative where it does so later [s].

    Returns:
        The floor at the end of the tick and its mean [W].
    """
    xp = library_of(floor)

    def lost(t: Real) -> Real:
        """Integral of what has fallen, min(rate t, floor), from 0 to t."""
        t = xp.maximum(t, 0.0)
        falls = xp.minimum(t, floor / rate)
        return 0.5 * rate * falls * falls + floor * (t - falls)

    end = xp.maximum(floor - rate * xp.maximum(since + dt, 0.0), 0.0)
    return end, floor - (lost(since + dt) - lost(since)) / dt


def worked(level: Real, idle: Real, wanted: Real, knobs: Knobs, dt: Real) -> tuple[Real, Real, Real]:
    """Power of GPUs whose rise is limited and which burn what their work leaves of the floor.

    Work that falls is followed at once down to the floor, which stays for `hysteresis` and then falls with
    `ramp_down`; work that rises is followed with `ramp_up`, from the floor on.

    Args:
        level: power at the start [W]; idle: seconds for which work has asked less than the floor [s];
        wanted: power that work asks, mean over the tick [W].

    Returns:
        Power at the end and its mean over the tick [W], and `idle` at the end.
    """
    xp = library_of(wanted)
    low = wanted < knobs.floor
    floor, mean_floor = sinking(knobs.floor, knobs.ramp_down, xp.where(low, idle, 0.0) - knobs.hysteresis, dt)
    end, mean = ramped(
        xp.minimum(xp.maximum(level, xp.minimum(knobs.floor, wanted)), wanted), wanted, knobs.ramp_up, 1.0, dt
    )
    return xp.maximum(end, floor * low), xp.maximum(mean, mean_floor * low), (idle + dt) * low


def stored(power: Real, was: Real, energy: Real, capacity: Real, knobs: Knobs, dt: Real) -> tuple[Real, Real]:
    """A store between a load and a feed whose power keeps its ramps as long as the store can.

    The feed goes for the load and what brings the store back to half charge; where the store would pass
    full or empty the feed bears the load itself.

    Args:
        power: of the load, mean over the tick [W]; was: of the feed at the start [W].
        energy: in the store at the start [J]; capacity: of the store [J].

    Returns:
        Power of the feed at the end of the tick, and energy gained by the store in the tick [J].
    """
    xp = library_of(power)
    missing = 0.5 * capacity - energy
    target = power - missing * xp.expm1(-dt / RESTORE_TIME) / dt
    end, mean = ramped(was, target, knobs.ramp_up, knobs.ramp_down, dt)
    asked = (mean - power) * dt
    gained = xp.minimum(xp.maximum(asked, -energy), capacity - energy)
    return xp.where(gained == asked, end, power), gained
