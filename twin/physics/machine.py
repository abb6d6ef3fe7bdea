"""Machines of the cooling plant: Carnot's share, curves of capacity and input, moments of crossings."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing

Real = Any


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


def least_load(rated: Real, lift: Real, surge_lift: Real, slope: Real) -> Real:
    """Smallest part load at which a compressor runs steadily [1].

        PLR_least = PLR_rated + k (lift - lift_surge)   above lift_surge, 1 at most

    A centrifugal compressor surges at more flow as its lift grows; a straight line is an estimate.
    """
    xp = library_of(lift)
    return xp.minimum(rated + slope * xp.maximum(lift - surge_lift, 0.0), 1.0)


def part_load(ratio: Real, least: Real, curve: tuple[Real, Real, Real], bypasses: Real) -> Real:
    """Power of a compressor over that at full load [1], mean over the tick.

        EIRFPLR(max(PLR, PLR_least)),   times PLR/PLR_least where it cycles below its least load

    Args:
        ratio: part load [1]; at none the compressor stands.
        least: smallest steady part load [1].
        bypasses: 1 where hot gas is bypassed below the least load, 0 where the compressor cycles.

    Source: EnergyPlus Engineering Reference, Chiller:Electric:EIR (cycling ratio, false loading).
    """
    xp = library_of(ratio)
    ratio = xp.maximum(ratio, 0.0)
    cycles = xp.minimum(ratio / xp.maximum(least, 1e-9), 1.0)
    if worth_doing(bypasses):
        cycles = xp.where(bypasses > 0, (ratio > 0) * 1.0, cycles)
    return quadratic(curve, xp.maximum(ratio, least)) * cycles


def moment_of_crossing(before: Real, after: Real, limit: Real, now: Real, dt: Real) -> Real:
    """When a quantity that went from `before` to `after` in a tick passed `limit`, by straight line [s]."""
    xp = library_of(after)
    step = after - before
    share = (limit - before) / xp.where(step == 0.0, 1.0, step)
    return now + dt * xp.minimum(xp.maximum(share, 0.0), 1.0)
