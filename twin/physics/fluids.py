"""Fluids: what a cubic metre of a coolant, or of air, holds in heat; coolants by temperature, from tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from twin.arrays import library_of
from twin.assets import assets_folder

Real = Any

HEAT_CAPACITY = {"water": 4.17e6, "pg25": 3.99e6, "pg55": 3.62e6, "eg25": 3.94e6}
"""rho cp [J/(m3 K)] that a loop reckons with, whatever its temperature: water near 30 degC, mixtures near 40 degC.

Within 2 % of `properties` from 15 to 65 degC. PG25 from rho 1,023 kg/m3 and cp 3.90 kJ/(kg K); the others are rounded
from the tables.
"""
ROOM_AIR = 1.19e3
"""rho cp of air near 25 degC [J/(m3 K)]; textbook."""
OUTDOOR_AIR = 1.15e3
"""rho cp of outdoor air near 35 degC [J/(m3 K)]; textbook."""
COLDEST = 273.15
STEP = 5.0
"""The tables begin at COLDEST [K] and go up in steps of STEP [K]."""


class Properties(NamedTuple):
    """Of a coolant: density [kg/m3], specific_heat [J/(kg K)], viscosity [Pa s], conductivity [W/(m K)]."""

    density: Real
    specific_heat: Real
    viscosity: Real
    conductivity: Real

    @property
    def heat_capacity(self) -> Real:
        """Heat capacity of a volume, rho cp [J/(m3 K)]."""
        return self.density * self.specific_heat


@lru_cache
def _table(fluid: str) -> Any:
    """Values and slopes per step at the table's temperatures, (2, temperature, property)."""
    file = assets_folder() / "fluids" / f"{fluid}.csv"
    rows = np.loadtxt(file, delimiter=",", comments="#", skiprows=2)
    values = np.column_stack([rows[:, 1], rows[:, 2], np.log(rows[:, 3]), rows[:, 4]])
    return np.stack([values, np.gradient(values, axis=0, edge_order=2)])


def properties(fluid: str, T: Real) -> Properties:
    """Of a coolant at T [K]; a cubic through the table's points, smooth in its slope.

    Between 0 and 100 degC; outside, as at the nearer end. Viscosity is interpolated in its logarithm.

    Args:
        fluid: water, pg25, pg55 or eg25.
        T: temperature [K], a number or an array.

    Source: CoolProp (IAPWS-95; Melinder 2010 for mixtures by mass), as tables under assets/fluids.
    """
    xp = library_of(T)
    value, slope = xp.asarray(_table(fluid))
    last = value.shape[0] - 1
    place = xp.minimum(xp.maximum((xp.asarray(T) - COLDEST) / STEP, 0.0), float(last))
    k = xp.minimum(place.astype(int), last - 1)
    x = (place - k)[..., None]
    low, high = xp.take(value, k, axis=0), xp.take(value, k + 1, axis=0)
    rise = xp.take(slope, k, axis=0) * (1 - x) ** 2 * x - xp.take(slope, k + 1, axis=0) * x * x * (1 - x)
    found = low * (1 + 2 * x) * (1 - x) ** 2 + high * x * x * (3 - 2 * x) + rise
    return Properties(found[..., 0], found[..., 1], xp.exp(found[..., 2]), found[..., 3])
