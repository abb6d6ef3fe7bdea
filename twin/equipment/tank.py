"""Tank: a buffer of cold coolant in a loop's supply header."""

from __future__ import annotations

from functools import partial
from typing import Any

from twin.declare import Equipment, Ports, Real, Stream, flag, quantity, replace, table
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched


@table
class Tank(Equipment):
    """A fully mixed volume through which the whole supply of its loop runs.

    Stratification, walls and heat from the surroundings are left out: mixed is the cautious case.
    """

    kind = "tank"
    streams = ("coolant",)
    storage = True

    volume: Real = quantity("m^3", "coolant held", above=0, at_most=1e5)
    useful_temperature: Real = quantity("K", "above this the tank counts as exhausted", above=250, below=400)

    @table
    class State:
        temperature: Real = quantity("K", "coolant in the tank", default=298.15)
        exhausted: Real = flag(
            "is exhausted",
            "is cold again",
            because="its coolant has warmed above {useful_temperature}",
            via="coolant",
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat taken up (positive warms the tank)", default=0.0)

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        return Stream(*port.mixing(stream, self.volume, dt).answer(s.temperature))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        heat = port.capacity_rate["coolant"] * (port.inlet["coolant"] - port.outlet["coolant"])
        T = s.temperature + dt * heat / (self.volume * port.heat_capacity["coolant"])
        moment = partial(moment_of_crossing, s.temperature, T, self.useful_temperature, port.now, dt)
        exhausted, at = latched(self.useful_temperature < T, s.exhausted, s.exhausted_at, moment)
        return replace(s, temperature=T, exhausted=exhausted, exhausted_at=at), self.Outputs(heat=heat)

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.temperature
