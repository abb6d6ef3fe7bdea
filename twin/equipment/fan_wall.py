"""Fan wall: fans and a water coil that take the heat out of a room's air."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import STOPS, Driven, without_panel
from twin.physics import hydraulic, thermal
from twin.physics.fluids import HEAT_CAPACITY, ROOM_AIR


@table
class FanWall(Driven):
    """Fans at one speed over a counterflow coil; the fans' power warms the air they move.

    Without power the coil still passes water but takes no heat. Condensation is left out.
    """

    kind = "fan_wall"
    disturbs = ("heat",)
    feeds = (1, 2)
    signals = ("uncontrolled",)
    streams = ("coolant",)
    cools_air = True

    fan_power: Real = quantity("W", "electric power of the fans at nominal speed", above=0, at_most=1e6)
    air_flow: Real = quantity("m^3/s", "air moved at nominal speed", above=0, at_most=1e4)
    coil_conductance: Real = quantity("W/K", "UA of the coil at nominal flows", above=0, at_most=1e8)
    nominal_flow: Real = quantity("m^3/s", "water through the coil", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the coil and its valve at nominal flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in the coil", default=0.1, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first air", default=10.0, at_least=0)
    ramp_time: Real = quantity("s", "time to full air", default=20.0, at_least=0)

    @table
    class State(Driven.State):
        water_temperature: Real = quantity("K", "water leaving the coil", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=293.15)
        uncontrolled: Real = without_panel()
        stopped: Real = flag("stops", "moves air again", because=STOPS, via="power")

    @table
    class Outputs:
        heat: Real = quantity("W", "heat taken from the air", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)

    def nominal_power(self) -> Real:
        return self.fan_power

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        return self._branch

    @cached_property
    def _branch(self) -> Branch:
        return Branch(0.0, *hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1))

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return self.once(self._fans, port.drive.readiness)

    def _fans(self, ready: Real) -> Real:
        """Complex power at a readiness [VA]."""
        return self.fan_power * ready * ready * ready * (1.0 + 0.0j)

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power

    def coil(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Real, Real]:
        K = self.once(self.conductance, port.drive.readiness, port.flow["coolant"], port.capacity_rate["coolant"])
        return K, s.inlet_temperature

    def conductance(self, ready: Real, flow: Real, C_water: Real) -> Real:
        """Heat per kelvin between the inlets of air and water [W/K]."""
        UA = thermal.film_conductance(self.coil_conductance, ready, abs(flow) / self.nominal_flow)
        return thermal.exchanger_conductance(UA, self._air_capacity_rate * ready, C_water)

    def air_headroom(self, s: Any, out: Any, warmest: Real) -> Real:
        """Heat that it can take from air so warm, beside that of its fans, with the water that it has [W].

        Args:
            warmest: temperature of the room's air [K].
            out: Outputs of the last tick.
        """
        xp, flow = library_of(out.flow), abs(out.flow)
        K = self.conductance(1.0 + 0.0 * flow, flow, flow * HEAT_CAPACITY["water"])
        return xp.maximum(K * (warmest - s.inlet_temperature) - self.fan_power, 0.0)

    @cached_property
    def _air_capacity_rate(self) -> Real:
        """Of the air at nominal speed [W/K]."""
        return self.air_flow * ROOM_AIR

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        return Stream(*port.mixing(stream, self.volume, dt).answer(s.water_temperature, port.air_heat))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        gained = port.capacity_rate["coolant"] * (port.inlet["coolant"] - port.outlet["coolant"]) + port.air_heat
        T = s.water_temperature + dt * gained / (self.volume * port.heat_capacity["coolant"])
        after = replace(
            s,
            water_temperature=T,
            inlet_temperature=port.inlet["coolant"],
            **self.remembered(s, u, port, self.restart_delay),
        )
        return after, self.Outputs(heat=port.air_heat, power=port.power, flow=port.flow["coolant"])

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.water_temperature
