"""Static pressure: a cushion of gas, coolant that expands, holes that leak, and what a pump wants at its suction."""

from __future__ import annotations

import math
from typing import Any

from twin.arrays import library_of
from twin.physics.moist_air import saturation_pressure

Real = Any
AIR = 101325.0
"""Pressure of the air around the plant [Pa]."""
LEAST_GAS = 0.02
"""Share of a vessel that stays gas, however much coolant comes: beyond it pressure no longer means a cushion."""


def cushion(water: Real, volume: Real, precharge: Real, slack: Real) -> Real:
    """Absolute pressure of a loop by the coolant in its vessel [Pa].

        p V_gas = p_0 V           while coolant stands in the vessel, gas as warm as it was
        p = p_air + (p_0 - p_air) (1 + water/slack)      when it is empty, down to the air's pressure

    Empty, the loop gives a little more from the stretch of its pipes and hoses; then air comes in at its highest point.

    Args:
        water: coolant in the vessel, negative where the loop itself lacks some [m3].
        volume: of the vessel [m3].
        precharge: absolute pressure of its gas when it holds no coolant [Pa].
        slack: coolant that the loop gives between precharge and the air's pressure [m3].

    Source: Boyle; as EN 12828 annex D sizes vessels.
    """
    xp = library_of(water)
    gas = xp.maximum(volume - xp.maximum(water, 0.0), LEAST_GAS * volume)
    full = precharge * volume / gas
    emptied = AIR + (precharge - AIR) * xp.maximum(1.0 + xp.minimum(water, 0.0) / slack, 0.0)
    return xp.where(water >= 0, full, emptied)


def held_at(pressure: Real, volume: Real, precharge: Real, slack: Real = 0.0) -> Real:
    """Coolant in a vessel at an absolute pressure [m3], negative below its precharge: `cushion` the other way round."""
    most = library_of(pressure).maximum
    lacking = slack * most((precharge - pressure) / (precharge - AIR), 0.0)
    return volume * (1.0 - precharge / most(pressure, precharge)) - lacking


def orifice_flow(area: Real, coefficient: Real, pressure: Real, rho: Real) -> Real:
    """Coolant that leaves through a hole [m3/s], none where the air presses as hard.

        q = C_d A sqrt(2 (p - p_air)/rho)

    Source: Torricelli; C_d about 0.6 for a sharp edge (textbook).
    """
    xp = library_of(pressure)
    return coefficient * area * xp.sqrt(2.0 / rho * xp.maximum(pressure - AIR, 0.0))


def suction_margin(suction: Real, T: Real, needed: Real) -> Real:
    """Pressure at a pump's suction above what keeps it from cavitating [Pa].

        margin = p - p_vapour(T) - rho g NPSH_r

    Args:
        suction: absolute pressure there [Pa].
        T: of the coolant [K]; the vapour pressure is water's, which glycol only lowers.
        needed: rho g NPSH_r at its flow [Pa].

    Source: ISO 17769-1 (NPSH); Hyland and Wexler for the vapour.
    """
    return suction - saturation_pressure(T) - needed


def disc(diameter: float) -> float:
    """Area of a round hole [m2]."""
    return math.pi / 4.0 * diameter * diameter
