"""Inverters of storage: set-points that ramp and lag, limits of apparent power, droop, and losses split both ways."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.physics.supply import TINY

Real = Any


class Followed(NamedTuple):
    """A ramped and lagged set-point after a tick: what is given, what is commanded, and the mean given in the tick."""

    given: Real
    command: Real
    mean: Real


def follow(given: Real, command: Real, target: Real, rate: Real, time_constant: Real, dt: Real) -> Followed:
    """Follow a set-point by a command that moves at a limited rate, behind which a first-order element lags.

        |dc/dt| <= rate,    tau dy/dt = c - y

    Exact for any dt: while c = c0 + r t,  y = c + (y0 - c0 + r tau) e^(-t/tau) - r tau; then c stands.

    Args:
        given, command: y and c at the start of the tick [W].
        target: where the command goes [W].
        rate: of the command [W/s].
        time_constant: of the lag [s].
        dt: length of the tick [s].

    Source: closed form of a first-order lag on a ramp (textbook).
    """
    xp = library_of(given)
    wanted = target - command
    ramping = xp.minimum(abs(wanted) / rate, dt)
    slope = xp.sign(wanted) * rate
    there = command + slope * ramping
    there = xp.where(ramping < dt, target, there)
    decay = xp.exp(-ramping / time_constant)
    offset = given - command + slope * time_constant
    reached = there - slope * time_constant + offset * decay
    area = (command - slope * time_constant) * ramping + 0.5 * slope * ramping * ramping
    area = area + offset * time_constant * (1.0 - decay)
    rest = dt - ramping
    decay = xp.exp(-rest / time_constant)
    end = there + (reached - there) * decay
    area = area + there * rest + (reached - there) * time_constant * (1.0 - decay)
    return Followed(end, there, area / dt)


def within_apparent(active: Real, reactive: Real, largest: Real) -> tuple[Real, Real]:
    """Active and reactive power within an apparent one; active power goes first.

    |P| <= S,   |Q| <= sqrt(S^2 - P^2)
    """
    xp = library_of(active)
    P = xp.minimum(xp.maximum(active, -largest), largest)
    room = xp.sqrt(xp.maximum(largest * largest - P * P, 0.0))
    return P, xp.minimum(xp.maximum(reactive, -room), room)


def drawn_from_store(power: Real, auxiliary: Real, discharge_efficiency: Real, charge_efficiency: Real) -> Real:
    """Power out of the store [W] for some at the terminals; negative where it is charged.

    P_store = (P + P_aux)/eta_d  when discharging,   (P + P_aux) eta_c  when charging
    """
    through = power + auxiliary
    return library_of(through).where(through > 0, through / discharge_efficiency, through * charge_efficiency)


def storable(
    above_lowest: Real, below_highest: Real, auxiliary: Real, efficiencies: tuple[Real, Real], dt: Real
) -> tuple[Real, Real]:
    """Least and largest mean power at the terminals that the store can bear in a tick [W].

    Args:
        above_lowest, below_highest: energy down to the lowest and up to the highest charge [J].
        efficiencies: of discharge and of charge [1].
    """
    xp = library_of(above_lowest)
    discharge, charge = efficiencies
    largest = xp.maximum(above_lowest, 0.0) * discharge / dt - auxiliary
    least = -xp.maximum(below_highest, 0.0) / (charge * dt) - auxiliary
    return least, largest


def drooped(nominal: Real, share: Real, droop: Real) -> Real:
    """Voltage or frequency of a source by its load, of nominal [1].

    x = x0 - droop P/P_rated
    """
    return nominal - droop * share


def limited_voltage(voltage: Real, apparent: Real, largest: Real) -> Real:
    """Voltage that a source of limited current can hold [pu].

        V = V0 min(1, S_max/S)

    Args:
        apparent, largest: power asked at nominal voltage, and what the current limit bears there [VA].
    """
    xp = library_of(apparent)
    return voltage * xp.minimum(largest / xp.maximum(apparent, TINY), 1.0)
