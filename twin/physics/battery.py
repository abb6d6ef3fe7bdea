"""Battery: what of its energy is left by age and cold, how long it lasts at a power, and what it loses within."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of

Real = Any
REFERENCE = 298.15
"""Temperature [K] at which a battery's energy is rated. Source: IEEE 485, IEC 62040-3 (25 degC)."""


def capacity(rated: Real, age: Real, life: Real, fade: Real) -> Real:
    """Energy that a full battery holds at its age [J].

        C = C_0 (1 - fade t/life)

    A straight line through the end of life, down to a hundredth.

    Args:
        rated: energy of the new one [J].
        age, life: seconds since it was new, and until it has lost `fade` [s].
        fade: share lost at the end of its life [1].
    """
    return rated * library_of(age).maximum(1.0 - fade * age / life, 0.01)


def held_back(full: Real, cutoff: Real, temperature: Real, coefficient: Real) -> Real:
    """Energy that cannot be taken out: below the cut-off, and what the cold withholds until it is warm again [J].

        E_0 = C min(cutoff + c max(T_ref - T, 0), 1)

    Args:
        full: energy of the full battery [J].
        cutoff: charge at which the inverter stops [1].
        temperature: of the cells [K].
        coefficient: share withheld for each kelvin below 25 degC [1/K].

    Source: form of IEEE 485, table 1; the coefficient is the battery's own.
    """
    xp = library_of(temperature)
    return full * xp.minimum(cutoff + coefficient * xp.maximum(REFERENCE - temperature, 0.0), 1.0)


def drain(power: Real, rated: Real, loss: Real) -> Real:
    """Power that leaves the cells to deliver some power at their terminals [W].

        P_cells = P (1 + r P/P_rated)

    The effect of the discharge rate: what the cells' resistance turns into heat goes with the square of power.

    Args:
        power: delivered [W].
        rated: power of the rating point [W].
        loss: share r of it lost in the cells at the rating point [1].
    """
    return power * (1.0 + loss * power / rated)


def lasts(energy: Real, power: Real, rated: Real, loss: Real, least: Real) -> Real:
    """Seconds that some energy bears a steady power [s].

    t = E/(P (1 + r P/P_rated))
    """
    power = library_of(power).maximum(power, least)
    return energy / drain(power, rated, loss)


def heat_of_discharge(power: Real, squared: Real, rated: Real, loss: Real) -> Real:
    """Energy that the cells' resistance turns into heat [J].

        Q = (r/P_rated) integral P^2 dt

    Args:
        power: delivered while nothing else bears the load [W].
        squared: integral of the square of the battery's share of it [s].
        rated, loss: as in `drain`.
    """
    return loss / rated * power * power * squared


def squared_seconds(alone: Real, start: Real, end: Real, ramp: Real) -> Real:
    """Integral of the square of a battery's share of the load: alone for a while, then as a rectifier walks in [s].

        integral (1 - t/ramp)^2 dt = ramp/3 ((1 - t_0/ramp)^3 - (1 - t_1/ramp)^3)

    Args:
        alone: seconds in which it bore everything [s].
        start, end: seconds of the ramp done at the beginning and the end of the tick [s].
        ramp: length of the ramp [s].
    """
    before, after = 1.0 - start / ramp, 1.0 - end / ramp
    return alone + ramp / 3.0 * (before * before * before - after * after * after)


def moment_below(before: Real, after: Real, limit: Real, dt: Real) -> Real:
    """When the charge passed a limit within a tick, by straight line [s from its start]."""
    xp = library_of(after)
    step = after - before
    return dt * xp.clip((limit - before) / xp.where(step == 0, 1.0, step), 0.0, 1.0)
