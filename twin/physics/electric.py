"""Electric machines: series impedance, losses by load, thermal overload, walk-in ramps, fuel by load."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.physics.supply import TINY, latched

Real = Any
NEVER = 1e30
"""Seconds that never pass; a number, so that no infinity enters an array."""


def apparent(power_factor: Real) -> Real:
    """Complex power drawn with one watt of real power at a (lagging) power factor [VA/W].

    S/P = 1 + j sqrt(1/pf^2 - 1)
    """
    return 1.0 + 1j * (1.0 / (power_factor * power_factor) - 1.0) ** 0.5


def series_impedance(impedance: Real, resistance: Real) -> Real:
    """Complex impedance of given modulus and resistance [pu].

        X = sqrt(|Z|^2 - R^2)

    A resistance above the modulus leaves no reactance.
    """
    xp = library_of(impedance)
    return resistance + 1j * xp.sqrt(xp.maximum(impedance * impedance - resistance * resistance, 0.0))


def thevenin(short_circuit_power: Real, reactance_ratio: Real) -> Real:
    """Complex impedance behind a grid's terminals [pu^2/VA]; 0 (stiff) where its short-circuit power is 0.

        |z| = 1/S_k,   X/R = reactance_ratio

    Source: IEC 60909-0, with the voltage factor taken as 1.
    """
    xp = library_of(short_circuit_power)
    modulus = xp.where(short_circuit_power > 0, 1.0 / xp.maximum(short_circuit_power, TINY), 0.0)
    return modulus * (1.0 + 1j * reactance_ratio) / (1.0 + reactance_ratio * reactance_ratio) ** 0.5


def series_current(load: Real, voltage: Real) -> Real:
    """Current into a load [pu], conj(S/V).

    Args:
        load: complex power while alive, over the rated power [1].
        voltage: complex voltage at the load [pu]; where it died in the tick, nominal is taken.
    """
    dead = voltage == 0
    if worth_doing(dead):
        voltage = library_of(voltage).where(dead, 1.0, voltage)
    return (load / voltage).conjugate()


def current_size(load: Real, voltage: Real) -> Real:
    """Size of the current into a load [pu], |S|/|V|, of real |S|; arguments otherwise as of `series_current`."""
    size = abs(voltage)
    dead = size == 0
    return load / (library_of(size).where(dead, 1.0, size) if worth_doing(dead) else size)


def line_current(current: Real, nominal_voltage: Real) -> Real:
    """Line current [A] of a current in VA at nominal voltage: I = |S|/(sqrt(3) V)."""
    return abs(current) / (3.0**0.5 * nominal_voltage)


class Level(NamedTuple):
    """A voltage level as `amperes` wants it: poles, 0 where none is known [1], and sqrt(3) times the voltage [V]."""

    poles: Real
    root: Real


def level(nominal_voltage: Real, direct_current: Real) -> Level:
    """The level of a voltage line to line, or between the poles [V]; direct_current: 1 there, 0 on three phases."""
    known = (nominal_voltage > 0) * 1.0
    return Level(known * (1.0 + direct_current * (3.0**0.5 - 1.0)), 3.0**0.5 * (nominal_voltage + (1.0 - known)))


def amperes(apparent: Real, voltage: Real, at: Level) -> Real:
    """Line current [A] of balanced phases, |S|/(sqrt(3) V), or on direct current P/V; 0 where no level is known.

    Args:
        apparent: apparent power while alive [VA]; voltage: modulus [pu], nominal is taken where it died.
        at: the voltage level.
    """
    dead = voltage == 0
    if worth_doing(dead):
        voltage = library_of(apparent).where(dead, 1.0, voltage)
    return at.poles * (apparent / voltage / at.root)


def conductor_current(current: Real, short: Real, unit: Real, alive: Real) -> tuple[Real, Real]:
    """Modulus of load and short-circuit current together, and the share of the tick for which it flows [1].

    Args:
        current: of the load while alive, complex.
        short: into short circuits, complex [VA]; the plain number 0.0 without any.
        unit: in which the load's current is told [VA].
        alive: share of the tick with supply; a collapsed voltage feeds no load, yet the current flows [1].
    """
    if type(short) is float:
        return abs(current), alive
    return abs(current + short / unit), library_of(short).where(abs(short) > 0, 1.0, alive)


def series_drop(current: Real, impedance: Real, voltage: Real) -> Real:
    """Part of the sending voltage lost along a series impedance [1].

        drop = Z I / V_sending,   V_receiving = V_sending (1 - drop)

    Repeated with I = conj(S/V_receiving) it converges on the AC power flow; at most half is lost, so
    that a load beyond the nose of the curve collapses the voltage without running away.
    """
    xp = library_of(current)
    dead = voltage == 0
    if worth_doing(dead):
        voltage = xp.where(dead, 1.0, voltage)
    drop = current * impedance / voltage
    modulus = abs(drop)
    return drop / xp.maximum(2.0 * modulus, 1.0) if worth_doing(modulus > 0.5) else drop


def loss_by_load(x: Real, standing: Real, linear: Real, square: Real) -> Real:
    """Loss of a converter as a polynomial of its load.

        loss = standing + linear x + square x^2,   in the unit of its coefficients

    Args:
        x: load over rating, while alive [1].
    """
    return standing + x * (linear + square * x)


def relaxed(value: Real, target: Real, time_constant: Real, seconds: Real) -> Real:
    """A first-order element after some seconds of a steady target.

        value' = target + (value - target) e^(-t/tau)

    Exact for any time. With target I^2 (current over rated) it is the heat of an overload element.

    Source: IEC 60255-149 (thermal electrical relays).
    """
    xp = library_of(time_constant)
    return target + (value - target) * xp.exp(-seconds / time_constant)


def time_to_pass(value: Real, target: Real, limit: Real, time_constant: Real) -> Real:
    """Seconds until a first-order element on its way to `target` passes `limit`.

        t = tau ln((target - value)/(target - limit))

    Zero where the limit lies behind it or is never met; ask only where it is passed.

    Source: IEC 60255-149.
    """
    xp = library_of(time_constant)
    short = target - limit
    ratio = (target - value) / xp.where(short == 0, 1.0, short)
    return time_constant * xp.log(xp.maximum(ratio, 1.0))


def time_to_trip(heat: Real, target: Real, limit: Real, time_constant: Real) -> Real:
    """Seconds until an overload element on its way to `target` trips at `limit` [s]; else NEVER."""
    xp = library_of(time_constant)
    waits = xp.where(target > limit, time_to_pass(heat, target, limit, time_constant), NEVER)
    return xp.where(heat >= limit, 0.0, waits)


def overheated(
    heating: Real, target: Real, time_constant: Real, was: Real, was_at: Real, now: Real, dt: Real
) -> tuple[Real, Real, Real]:
    """An overload element one tick on, which says when it passes rated heating.

    Args:
        heating: of the element, 1 at rated current for ever [1].
        target: square of the current over rated current, mean over the tick [1].
        was, was_at: whether it was beyond 1, and since when [1], [s].
        now: run time at the start of the tick [s].

    Returns:
        Heating, whether it is beyond 1, and the moment of the last change [s].
    """
    after = relaxed(heating, target, time_constant, dt)
    flag, at = latched(after >= 1.0, was, was_at, lambda: now + time_to_pass(heating, target, 1.0, time_constant))
    return after, flag, at


def walk_in(done: Real, alive: Real, ramp: Real) -> tuple[Real, Real, Real]:
    """A ramp from 0 to 1 that goes on while its feed lives.

        share(t) = min(t/ramp, 1)

    Args:
        done: seconds of the ramp done, 0..ramp [s].
        alive: seconds of this tick with the feed [s].
        ramp: length of the ramp [s].

    Returns:
        Seconds done at the end of the tick, seconds spent at full share, and the integral of the share
        over the tick [s].
    """
    xp = library_of(alive)
    at_full = xp.maximum(alive - (ramp - done), 0.0)
    end = xp.minimum(done + alive, ramp)
    return end, at_full, (end * end - done * done) / (2.0 * ramp) + at_full


def bridged(need: Real, energy: Real, from_feed: Real, fed: Real, alive: Real, dt: Real) -> Real:
    """Mean power that a battery gives in a tick to what its feed does not [W].

    Args:
        need: power needed, mean over the tick [W].
        energy: energy at hand at the start [J].
        from_feed: seconds' worth of the need that the feed is to bear [s].
        fed: seconds with the feed; in these it takes what an empty battery cannot [s].
        alive: seconds with output [s].
    """
    xp = library_of(need)
    served = xp.maximum(alive, TINY)
    wanted = need * xp.maximum(1.0 - from_feed / served, 0.0)
    least = need * xp.maximum(1.0 - fed / served, 0.0)
    return xp.maximum(xp.minimum(wanted, xp.maximum(energy, 0.0) / dt), least)
