"""Alternators: the voltage that a step of load pulls down and the regulator brings back.

Balanced, in per unit of rating: a voltage E behind the transient reactance X stands still while the load steps,

    E^2 = (V + X Q/V)^2 + (X P/V)^2

and the regulator then brings the terminal voltage V back to nominal as a first-order element. Subtransients, the
ceiling of the exciter and volts-per-hertz limits are left out.

Source: Kundur, Power System Stability and Control (1994), ch. 3 and 5.
"""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of
from twin.physics.supply import TINY

Real = Any


def terminal_voltage(emf: Real, active: Real, reactive: Real, reactance: Real) -> Real:
    """Voltage at the terminals [pu] for a voltage behind the reactance; 0 where the load is beyond the nose.

    V^4 - (E^2 - 2 X Q) V^2 + X^2 (P^2 + Q^2) = 0, the upper root
    """
    xp = library_of(emf)
    middle = xp.maximum(emf * emf - 2.0 * reactance * reactive, 0.0)
    square = middle * middle - 4.0 * reactance * reactance * (active * active + reactive * reactive)
    return xp.sqrt(0.5 * (middle + xp.sqrt(xp.maximum(square, 0.0)))) * (square >= 0)


def internal_voltage(voltage: Real, active: Real, reactive: Real, reactance: Real) -> Real:
    """Voltage behind the reactance [pu] that holds a terminal voltage under a load."""
    xp = library_of(voltage)
    fall = reactance / xp.maximum(voltage, TINY) * (voltage > 0)
    return xp.hypot(voltage + fall * reactive, fall * active)


def regulated(voltage: Real, time_constant: Real, seconds: Real, wanted: Real = 1.0) -> Real:
    """Terminal voltage after some seconds of a steady load: V = V_w + (V_0 - V_w) e^(-t/tau).

    Args:
        wanted: what the regulator holds, nominal without droop [pu].
    """
    return wanted + (voltage - wanted) * library_of(voltage).exp(-seconds / time_constant)


def voltage_response(
    active: Real, reactive: Real, reactance: Real, time_constant: Real, power_angle: Real, omega: Real
) -> Real:
    """Voltage at the terminals per swing of active power, both relative, about a load at nominal voltage.

        V/P = -(X tan(phi) + X^2 (P + Q tan(phi)))/(1 - X^2 (P^2 + Q^2)) * j omega tau/(1 + j omega tau)

    Args:
        active, reactive: mean load over rating [1].
        power_angle: tan(phi), reactive swing per active swing [1].
        omega: angular frequency of the swing [rad/s].
    """
    square = reactance * reactance
    at_once = reactance * power_angle + square * (active + reactive * power_angle)
    held = 1.0 - square * (active * active + reactive * reactive)
    lag = 1j * omega * time_constant
    return -at_once / held * lag / (1.0 + lag)
