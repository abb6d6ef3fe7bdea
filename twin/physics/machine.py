"""Machines that stop and start: restart delay and ramp, vapour-compression chillers, fans."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing

Real = Any


def restart(
    clock: Real, alive: Real, runs: Real, delay: Real, rise: Real, dt: Real, voltage: Real = 1.0
) -> tuple[Real, Real]:
    """A machine that stops without power and comes back after a delay and a ramp.

    Args:
        clock: seconds it has been allowed to run, at most delay + rise [s].
        alive: seconds of this tick with supply [s].
        runs: 1 where it is asked to run, 0 where it is held stopped.
        delay: seconds from supply to first output [s].
        rise: seconds from first to full output [s].
        voltage: of its supply at the end of the tick; where it is 0 the living seconds came first, else last.

    Returns:
        The clock at the end of the tick, and the mean readiness 0..1 over the tick.
    """
    xp = library_of(clock)
    ran = alive * runs
    full = delay + rise
    breaks = ran < dt
    if not worth_doing((clock < full) | breaks):
        return xp.minimum(clock, full), runs  # ran / dt, which is 1
    if not worth_doing(ran + clock):
        return clock, ran
    dies = breaks & (voltage == 0)
    start = xp.minimum(clock, full) * xp.where(dies, runs, 1.0 - breaks)
    at_full = xp.maximum(ran - (full - start), 0.0)
    end = xp.minimum(start + ran, full)
    rising = _ramp_integral(end - delay, rise) - _ramp_integral(start - delay, rise)
    return end * (1.0 - dies), (rising + at_full) / dt


def moment_of_restart(
    clock: Real, alive: Real, runs: Real, full: Real, now: Real, dt: Real, voltage: Real = 1.0
) -> Real:
    """When a machine that `restart` describes became ready (its clock reached `full`), or else stopped [s].

    Supply that dies within a tick ends its living part, supply that returns begins it.
    """
    xp = library_of(clock)
    ran = alive * runs
    dies = (ran < dt) & (voltage == 0)
    start = xp.where(ran < dt, 0.0, clock)
    ready = now + dt - xp.maximum(start + ran - full, 0.0)
    return xp.where((start + ran >= full) & (dies == 0), ready, now + ran * dies)


def _ramp_integral(since: Real, rise: Real) -> Real:
    """Integral of clip(since/rise, 0, 1) up to `since` <= rise [s]."""
    xp = library_of(since)
    up = xp.maximum(since, 0.0)
    return 0.5 * up * up / xp.maximum(rise, 1e-9)


def carnot_cop(effectiveness: Real, T_evaporating: Real, T_condensing: Real, least_lift: Real) -> Real:
    """Coefficient of performance as a share of Carnot's.

        COP = eta T_e/(T_c - T_e),   with T_c - T_e >= least_lift

    Source: Modelica Buildings, Fluid.Chillers.Carnot_TEva.
    """
    xp = library_of(T_evaporating)
    return effectiveness * T_evaporating / xp.maximum(T_condensing - T_evaporating, least_lift)


def biquadratic(c: tuple[Real, ...], x: Real, y: Real) -> Real:
    """c0 + c1 x + c2 x^2 + c3 y + c4 y^2 + c5 x y: the DOE-2 curve of capacity and input ratio by temperature."""
    return c[0] + x * (c[1] + c[2] * x + c[5] * y) + y * (c[3] + c[4] * y)


def quadratic(c: tuple[Real, ...], x: Real) -> Real:
    """c0 + c1 x + c2 x^2."""
    return c[0] + x * (c[1] + c[2] * x)


def moment_of_crossing(before: Real, after: Real, limit: Real, now: Real, dt: Real) -> Real:
    """When a quantity that went from `before` to `after` in a tick passed `limit`, by straight line [s]."""
    xp = library_of(after)
    step = after - before
    share = (limit - before) / xp.where(step == 0.0, 1.0, step)
    return now + dt * xp.minimum(xp.maximum(share, 0.0), 1.0)
