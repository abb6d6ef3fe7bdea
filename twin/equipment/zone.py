"""Zone: a room's air and the metal that warms and cools with it."""

from __future__ import annotations

import math
from functools import cached_property, partial
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Ports, Real, flag, quantity, replace, table
from twin.physics.fluids import ROOM_AIR
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched
from twin.physics.thermal import mean_weight


@table
class Zone(Equipment):
    """One stirred volume of air with the mass of the room (racks, floor, ceiling).

    The mass follows the air closely, or through `mass_conductance`: then a room that loses its cooling warms first as
    fast as its air alone, in the end as slowly as all its mass. Stratification, aisles, leakage and walls to the
    outdoors are left out.
    """

    kind = "zone"

    volume: Real = quantity("m^3", "air in the room", above=0, at_most=1e7)
    mass_heat_capacity: Real = quantity("J/K", "heat capacity of what warms with the air", at_least=0, at_most=1e12)
    mass_conductance: Real = quantity(
        "W/K", "between the air and that mass; 0: it follows the air closely", default=0.0, at_least=0, at_most=1e9
    )
    limit_temperature: Real = quantity("K", "highest air temperature allowed", default=318.15, above=250, below=400)

    @table
    class State:
        temperature: Real = quantity("K", "room air", default=298.15)
        mass_temperature: Real = quantity("K", "what warms with the air, where it follows slowly", default=298.15)
        too_hot: Real = flag(
            "is too hot", "is within limits again", because="its air passed {limit_temperature}", via="air"
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat that the air takes up", default=0.0)

    def heat_capacity(self) -> Real:
        """Of the air and all that follows it [J/K]."""
        return self.volume * ROOM_AIR + self.mass_heat_capacity

    def air_heat_capacity(self) -> Real:
        """Of the air and what follows it closely [J/K]."""
        return self._heat_capacity

    @cached_property
    def _heat_capacity(self) -> Real:
        return self.volume * ROOM_AIR + self.mass_heat_capacity * (self.mass_conductance <= 0)

    @cached_property
    def _follows_slowly(self) -> bool:
        """Whether the mass of any room is a body of its own."""
        return worth_doing(self.mass_conductance * self.mass_heat_capacity)

    def seconds_to(self, rise: float, heat: float) -> float:
        """How long one room takes to warm by some kelvin from rest without cooling [s]; plain numbers.

        rise = P t/(C + C_m) + P C_m^2/(G (C + C_m)^2) (1 - e^{-t/tau}),   tau = C C_m/(G (C + C_m))
        """
        C, mass, G = float(self._heat_capacity), float(self.mass_heat_capacity), float(self.mass_conductance)
        if rise <= 0 or not self._follows_slowly:
            return max(rise, 0.0) * C / heat
        whole, step = C + mass, heat * mass * mass / (G * (C + mass) ** 2)
        low, high = rise * C / heat, rise * whole / heat
        for _ in range(60):
            middle = 0.5 * (low + high)
            warm = heat * middle / whole - step * math.expm1(-middle * G * whole / (C * mass))
            low, high = (middle, high) if warm < rise else (low, middle)
        return high

    def metal(self, s: Any, dt: Real) -> tuple[Real, Real] | None:
        """Conductance [W/K] and temperature [K] of its mass as a coil, as the mean of a tick; None where all follows.

        C dT/dt = G (T_air - T),   mean heat taken = G (1 - e^{-k})/k (T_air - T),   k = G dt/C
        """
        if not self._follows_slowly:
            return None
        C = library_of(s.temperature).maximum(self.mass_heat_capacity, 1.0)
        G = self.mass_conductance * (self.mass_heat_capacity > 0)
        return G * mean_weight(G * dt / C), s.mass_temperature

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        into_mass = port.plan
        if into_mass is None:
            mass = T = s.temperature + dt * port.air_heat / self._heat_capacity
        else:
            T = s.temperature + dt * (port.air_heat - into_mass) / self._heat_capacity
            C = library_of(T).maximum(self.mass_heat_capacity, 1.0)
            mass = library_of(T).where(self.mass_conductance <= 0, T, s.mass_temperature + dt * into_mass / C)
        moment = partial(moment_of_crossing, s.temperature, T, self.limit_temperature, port.now, dt)
        hot, at = latched(self.limit_temperature < T, s.too_hot, s.too_hot_at, moment)
        after = replace(s, temperature=T, mass_temperature=mass, too_hot=hot, too_hot_at=at)
        return after, self.Outputs(heat=port.air_heat)

    def stored(self, s: Any, port: Ports) -> Real:
        held = self._heat_capacity * s.temperature
        if self._follows_slowly:
            held = held + self.mass_heat_capacity * (self.mass_conductance > 0) * s.mass_temperature
        return held
