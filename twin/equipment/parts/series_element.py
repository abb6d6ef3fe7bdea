"""Series element: what cables and transformers have alike, an impedance that drops voltage and heats."""

from __future__ import annotations

from typing import Any

from twin.arrays import complex_of
from twin.declare import Equipment, Ports, Real, quantity, table
from twin.physics.electric import overheated


@table
class SeriesElement(Equipment):
    """One feed behind an impedance; its conductors heat by the square of current as a first-order law.

    The drop uses the current of the last tick and converges on the AC power flow. A kind says its own
    `thermal_time_constant`, and in its State `heating` and `overloaded`.
    """

    disturbs = ("power", "flow")
    feeds = (1, 1)
    serves = True
    conducts = True

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is isolated", default=1.0, at_least=0, at_most=1)
        short_circuit: Real = quantity("1", "1: all phases are shorted at its terminals", default=0.0, failure=True)
        fault_power: Real = quantity(
            "VA", "power of that at nominal voltage; 0 is bolted", default=0.0, at_least=0, at_most=1e12
        )

    @table
    class State:
        drop_in_phase: Real = quantity("1", "voltage lost in phase with the feed, of the feed's", default=0.0)
        drop_in_quadrature: Real = quantity("1", "voltage lost at right angles, of the feed's", default=0.0)

    def dropped(self, s: Any, voltage: Real) -> Real:
        """Voltage behind the impedance [pu] for one before it."""
        return voltage * complex_of(1.0 - s.drop_in_phase, -s.drop_in_quadrature)

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power - port.load

    def worn(self, s: Any, drop: Real, heats: Real, tau: Real, port: Ports, dt: Real) -> dict[str, Real]:
        """State of drop and heating one tick on.

        Args:
            drop: voltage lost, of the feed's [1].
            heats: square of current over rating, mean over the tick [1].
            tau: time constant of the heating [s].
        """
        heating, overloaded, at = overheated(s.heating, heats, tau, s.overloaded, s.overloaded_at, port.now, dt)
        return {
            "drop_in_phase": drop.real.copy(), "drop_in_quadrature": drop.imag.copy(),
            "heating": heating, "overloaded": overloaded, "overloaded_at": at,
        }  # fmt: skip
