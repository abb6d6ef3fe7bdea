"""Load: whatever else hangs on a board - lighting, offices, a test bench - as constant power."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.declare import Equipment, Ports, Real, quantity, table
from twin.physics.electric import apparent
from twin.physics.supply import share_alive


@table
class Load(Equipment):
    """Constant power at a constant power factor while it is fed; all of it becomes heat where it stands.

    How a real load follows voltage and frequency is left out.
    """

    kind = "load"
    feeds = (1, 2)

    rated_power: Real = quantity("W", "power at full demand", above=0, at_most=1e10)
    power_factor: Real = quantity("1", "power factor, lagging", default=0.95, above=0, at_most=1)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is isolated", default=1.0, at_least=0, at_most=1)
        demand: Real = quantity("1", "power asked for, of rating", default=1.0, at_least=0, at_most=2)

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feeds", default=0.0)
        reactive: Real = quantity("var", "reactive power taken from its feeds", default=0.0)

    @cached_property
    def rated_draw(self) -> Real:
        """Complex power at full demand [VA]."""
        return self.rated_power * apparent(self.power_factor)

    def _asks(self, in_service: Real, demand: Real) -> Real:
        return self.rated_draw * (in_service * demand)

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        asks = self.once(self._asks, u.in_service, u.demand)
        alive = share_alive(port.gap, dt)
        return asks if type(alive) is float else asks * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        return s, self.Outputs(power=port.power, reactive=port.reactive)
