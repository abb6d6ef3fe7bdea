"""Bus: a board that joins feeds and serves what hangs on it."""

from __future__ import annotations

from typing import Any

from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, replace, table
from twin.physics.supply import latched, moment_of_change, shared, switched


@table
class Bus(Equipment):
    """A lossless board: any live feed keeps it alive, and all that live share its load.

    They share in proportion to what they can bear, alike where their ratings are; a source that forces
    its power in bears that, and the others the rest. Circulating currents between feeds and bar impedance
    are left out.
    """

    kind = "bus"
    disturbs = ("power", "flow")
    feeds = (1, 16)
    serves = True
    weighs = True

    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line; 0 takes that of its feed", default=0.0, at_least=0, at_most=1e6
    )

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is isolated", default=1.0, at_least=0, at_most=1)
        short_circuit: Real = quantity("1", "1: all phases are shorted at its terminals", default=0.0, failure=True)
        fault_power: Real = quantity(
            "VA", "power of that at nominal voltage; 0 is bolted", default=0.0, at_least=0, at_most=1e12
        )

    @table
    class State:
        dead: Real = flag("is dead", "is alive again", because="none of its feeds lives", via="power")

    @table
    class Outputs:
        power: Real = quantity("W", "power passed on", default=0.0)
        voltage: Real = quantity("1", "voltage of the board, of nominal", default=1.0)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        return Supply(*switched(shared(port.feed_voltage, port.feed_gap, dt, port.feed_weight), u.in_service, dt))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        is_dead = port.voltage == 0
        dead, dead_at = latched(is_dead, s.dead, s.dead_at, lambda: port.now + moment_of_change(is_dead, port.gap, dt))
        return replace(s, dead=dead, dead_at=dead_at), self.Outputs(power=port.power, voltage=abs(port.voltage))
