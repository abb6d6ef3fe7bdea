"""Valves and strainers: what they pass by their opening, and what of a circuit's pressure falls over them."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of

Real = Any
BAR = 1e5
"""Pressure at which a flow coefficient Kv is measured [Pa]."""
LAMINAR_SHARE = 1e-6
"""Share of the loss at Kv that goes in proportion to flow, so that the slope stays finite at no flow."""
CUT = 0.05
"""Opening below which an equal-percentage valve closes in a straight line. Estimate."""


def equal_percentage(opening: Real, rangeability: Real, leakage: Real) -> Real:
    """Inherent characteristic of an equal-percentage valve [1].

        Kv/Kvs = R^(x - 1),   x >= 0.05;   below, straight down to the leakage of the shut valve

    Args:
        opening: x, 0 shut to 1 open.
        rangeability: R, of the largest over the smallest flow that it controls.
        leakage: flow of the shut valve, of that open.

    Source: IEC 60534-1; the straight end as Modelica Buildings has it (Fluid.Actuators, equal percentage).
    """
    xp = library_of(opening)
    curve = rangeability ** (xp.maximum(opening, CUT) - 1.0)
    return xp.where(opening >= CUT, curve, leakage + (curve - leakage) * opening / CUT)


def linear(opening: Real, leakage: Real) -> Real:
    """Inherent characteristic of a linear valve [1]: Kv/Kvs = x, and the leakage when shut."""
    return leakage + (1.0 - leakage) * opening


def loss(flow_coefficient: Real, share: Real, relative_density: Real) -> tuple[Real, Real]:
    """(laminar, turbulent) of a valve by its flow coefficient.

        q = Kv sqrt(dp/(1 bar) 1000/rho)

    Args:
        flow_coefficient: Kv of the open valve, water at 1 bar [m3/s].
        share: of that at its opening, > 0 [1].
        relative_density: rho of the coolant over 1000 kg/m3 [1].

    Source: IEC 60534-2-1, without choking.
    """
    Kv = flow_coefficient * share
    full = BAR * relative_density / (Kv * Kv)
    return LAMINAR_SHARE * full * Kv, (1.0 - LAMINAR_SHARE) * full


def authority(loss_now: Real, share: Real, across: Real) -> Real:
    """Share of a circuit's pressure that falls over its valve when it is open [1].

        N = dp_open/(dp_open + dp_rest),   dp_open = loss_now share^2

    at the circuit's flow now: both parts go with flow squared, so N does not hang on it.

    Args:
        loss_now: pressure lost in the valve [Pa].
        share: of its flow coefficient at its opening [1].
        across: pressure lost in the whole circuit, the valve included [Pa].
    """
    xp = library_of(loss_now)
    lost, whole = abs(loss_now), abs(across)
    opened = lost * share * share
    rest = xp.maximum(whole - lost, 0.0)
    total = opened + rest
    return xp.where(total > 1e-9, opened / xp.maximum(total, 1e-9), 1.0)
