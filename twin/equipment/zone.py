"""Zone: a room's air and the metal that warms and cools with it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from twin.declare import Equipment, Ports, Real, flag, quantity, replace, table
from twin.physics.fluids import ROOM_AIR
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched


@table
class Zone(Equipment):
    """One stirred volume of air with the mass that follows it closely (racks, floor, ceiling).

    Stratification, leakage and walls to the outdoors are left out.
    """

    kind = "zone"

    volume: Real = quantity("m^3", "air in the room", above=0, at_most=1e7)
    mass_heat_capacity: Real = quantity("J/K", "heat capacity of what warms with the air", at_least=0, at_most=1e12)
    limit_temperature: Real = quantity("K", "highest air temperature allowed", default=318.15, above=250, below=400)

    @table
    class State:
        temperature: Real = quantity("K", "room air", default=298.15)
        too_hot: Real = flag(
            "is too hot", "is within limits again", because="its air passed {limit_temperature}", via="air"
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat that the air takes up", default=0.0)

    def heat_capacity(self) -> Real:
        """Of the air and what follows it [J/K]."""
        return self._heat_capacity

    @cached_property
    def _heat_capacity(self) -> Real:
        return self.volume * ROOM_AIR + self.mass_heat_capacity

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        T = s.temperature + dt * port.air_heat / self.heat_capacity()
        moment = partial(moment_of_crossing, s.temperature, T, self.limit_temperature, port.now, dt)
        hot, at = latched(self.limit_temperature < T, s.too_hot, s.too_hot_at, moment)
        return replace(s, temperature=T, too_hot=hot, too_hot_at=at), self.Outputs(heat=port.air_heat)

    def stored(self, s: Any, port: Ports) -> Real:
        return self.heat_capacity() * s.temperature
