"""Utility: the point where the grid feeds the site, and what the grid does there."""

from __future__ import annotations

from typing import Any

from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, replace, table
from twin.physics.supply import latched


@table
class Utility(Equipment):
    """A stiff feed: it holds the voltage that its Inputs ask for, whatever is drawn.

    Sags are steps of `voltage`. The grid's own impedance and faults shorter than a tick are left out.
    """

    kind = "utility"
    disturbs = ("power", "flow")
    source = True
    serves = True

    rated_power: Real = quantity("W", "power agreed with the grid", above=0, at_most=2e10)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 feeds, 0 is out of service", default=1.0, at_least=0, at_most=1)
        voltage: Real = quantity("1", "voltage, of nominal", default=1.0, at_least=0, at_most=1.5)
        frequency: Real = quantity("Hz", "frequency of the grid", default=60.0, at_least=40, at_most=70)

    @table
    class State:
        imported_energy: Real = quantity("J", "energy taken from the grid since the start", default=0.0)
        lost: Real = flag("is lost", "is back")

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from the grid", default=0.0)
        reactive: Real = quantity("var", "reactive power taken from the grid", default=0.0)
        load_fraction: Real = quantity("1", "power over rating", default=0.0)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        voltage, dead = self.once(_held, u.voltage, u.in_service)
        return Supply(voltage, dead * dt, [])

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        lost, lost_at = latched(port.voltage == 0, s.lost, s.lost_at, port.now)
        after = replace(s, imported_energy=s.imported_energy + port.load * dt, lost=lost, lost_at=lost_at)
        return after, self.Outputs(
            power=port.load, reactive=port.load_reactive, load_fraction=port.load / self.rated_power
        )


def _held(voltage: Real, in_service: Real) -> tuple[Real, Real]:
    """The voltage it holds, complex [pu], and 1 where that is none."""
    held = voltage * in_service
    return held + 0j, (held == 0) * 1.0
