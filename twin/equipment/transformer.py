"""Transformer: two windings, with the voltage they drop and the heat they make."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import complex_of
from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, replace, table
from twin.physics.electric import overheated, series_current, series_drop, series_impedance
from twin.physics.supply import share_alive, through, while_alive


@table
class Transformer(Equipment):
    """A series impedance behind a core: losses by the square of current and by the square of voltage.

    The resistance follows from the load loss, R = load_loss/rated_power, so that voltage and heat agree; the
    voltage drop uses the current of the last tick and converges on the AC power flow. Inrush, taps,
    magnetising current and unbalance are left out.
    """

    kind = "transformer"
    disturbs = ("power", "flow")
    feeds = (1, 1)
    serves = True
    conducts = True

    rated_power: Real = quantity("VA", "apparent power that it carries for ever", above=0, at_most=2e9)
    impedance: Real = quantity("1", "short-circuit impedance, per unit of its rating", above=0, at_most=0.4)
    no_load_loss: Real = quantity("W", "core loss at nominal voltage", at_least=0, at_most=1e7)
    load_loss: Real = quantity("W", "winding loss at rated current", at_least=0, at_most=1e7)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=3600.0, above=0, at_most=1e6)

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
        heating: Real = quantity("1", "heating of the windings, 1 at rated current for ever", default=0.0)
        overloaded: Real = flag(
            "is overheated by overload",
            "has cooled to its rating",
            because="it carried more than {rated_power} for too long",
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feed", default=0.0)
        loss: Real = quantity("W", "heat of core and windings", default=0.0)
        load_fraction: Real = quantity("1", "current over rated current", default=0.0)
        voltage: Real = quantity("1", "voltage at its secondary side, of nominal", default=1.0)

    @cached_property
    def own_impedance(self) -> Real:
        """Complex series impedance [pu of its own rating]."""
        return series_impedance(self.impedance, self.load_loss / self.rated_power)

    @cached_property
    def series_power(self) -> Real:
        """Complex power lost in the series impedance at rated current [VA]."""
        return self.own_impedance * self.rated_power

    @cached_property
    def _series(self) -> Real:
        return self.own_impedance / self.rated_power

    def series(self, s: Any, u: Any) -> Real:
        return self._series

    def reactance_ratio(self) -> Real:
        """X/R [1]."""
        return self.own_impedance.imag / self.own_impedance.real

    def loss(self, load: Real) -> Real:
        """Heat at nominal voltage [W] for an apparent load [VA]."""
        return self.no_load_loss + self.load_loss * (abs(load) / self.rated_power) ** 2

    def efficiency(self, load: Real) -> Real:
        """Power out over power in at unity power factor [1], for a load [W]."""
        return load / (load + self.loss(load))

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        voltage, gap, split = through(port.feed_voltage[0], port.feed_gap[0], u.in_service, dt)
        return Supply(voltage * complex_of(1.0 - s.drop_in_phase, -s.drop_in_quadrature), gap, split)

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        port.plan = series_current(while_alive(load / self.rated_power, alive), port.voltage)
        current = abs(port.plan)
        core = abs(port.feed_voltage[0])
        return load + (self.series_power * (current * current) + self.no_load_loss * (core * core)) * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power - port.load

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        alive, current = share_alive(port.gap, dt), port.plan
        drop = series_drop(current, self.own_impedance, port.feed_voltage[0])
        fraction = abs(current)
        heating, overloaded, overloaded_at = overheated(
            s.heating, fraction * fraction * alive, self.thermal_time_constant,
            s.overloaded, s.overloaded_at, port.now, dt,
        )  # fmt: skip
        after = replace(
            s,
            drop_in_phase=drop.real.copy(),
            drop_in_quadrature=drop.imag.copy(),
            heating=heating,
            overloaded=overloaded,
            overloaded_at=overloaded_at,
        )
        return after, self.Outputs(
            power=port.power, loss=port.power - port.load, load_fraction=fraction, voltage=abs(port.voltage)
        )
