"""Transformer: two windings, with the voltage they drop and the heat they make."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import worth_doing
from twin.declare import Ports, Real, Supply, flag, quantity, replace, table
from twin.equipment.parts.series_element import SeriesElement
from twin.physics.electric import conductor_current, series_current, series_drop, series_impedance
from twin.physics.supply import share_alive, through, while_alive


@table
class Transformer(SeriesElement):
    """A series impedance behind a core: losses by the square of current and by the square of voltage.

    The resistance follows from the load loss, R = load_loss/rated_power, so that voltage and heat agree (from
    X/R where the loss is not known); the voltage drop uses the current of the last tick and converges on the
    AC power flow. Taps stand on the primary side: one step up lowers the secondary voltage. Inrush, tap
    changers that act by themselves and unbalance are left out.
    """

    kind = "transformer"

    rated_power: Real = quantity("VA", "apparent power that it carries for ever", above=0, at_most=2e9)
    impedance: Real = quantity("1", "short-circuit impedance, per unit of its rating", above=0, at_most=0.4)
    no_load_loss: Real = quantity("W", "core loss at nominal voltage", at_least=0, at_most=1e7)
    load_loss: Real = quantity("W", "winding loss at rated current", at_least=0, at_most=1e7)
    no_load_current: Real = quantity(
        "1", "current at nominal voltage without load, of rated; what the core loss leaves of it magnetises",
        default=0.0, at_least=0, at_most=0.2,
    )  # fmt: skip
    reactance_ratio: Real = quantity(
        "1", "X/R, asked where load_loss is 0; 0 for no resistance", default=0.0, at_least=0, at_most=1000
    )
    primary_voltage: Real = quantity(
        "V", "nominal voltage of the primary winding; 0 takes that of its feed", default=0.0, at_least=0, at_most=1e6
    )
    secondary_voltage: Real = quantity(
        "V", "nominal voltage of the secondary winding; 0 takes that of its feed", default=0.0, at_least=0, at_most=1e6
    )
    tap_step: Real = quantity("1", "one step of its tap changer, of nominal", default=0.025, at_least=0, at_most=0.1)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=3600.0, above=0, at_most=1e6)

    @table
    class Inputs(SeriesElement.Inputs):
        tap_position: Real = quantity("1", "steps of the primary winding above nominal", default=0.0,
                                      at_least=-32, at_most=32)  # fmt: skip

    @table
    class State(SeriesElement.State):
        heating: Real = quantity("1", "heating of the windings, 1 at rated current for ever", default=0.0)
        overloaded: Real = flag(
            "is overheated by overload",
            "has cooled to its rating",
            because="it carried more than {rated_power} for too long",
            via="load",
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
        k = self.reactance_ratio
        by_ratio = (k > 0) * self.impedance / (1.0 + k * k) ** 0.5
        by_loss = self.load_loss / self.rated_power
        return series_impedance(self.impedance, by_loss + (by_loss == 0) * by_ratio)

    @cached_property
    def core_power(self) -> Real:
        """Complex power of the core at nominal voltage [VA]."""
        return series_impedance(self.no_load_current * self.rated_power, self.no_load_loss)

    @cached_property
    def series_power(self) -> Real:
        """Complex power lost in the series impedance at rated current [VA]."""
        return self.own_impedance * self.rated_power

    @cached_property
    def _series(self) -> Real:
        return self.own_impedance / self.rated_power

    def series(self, s: Any, u: Any) -> Real:
        return self._series

    def faults(self, feeds: int) -> list[str]:
        resistance = self.load_loss / self.rated_power
        if resistance <= self.impedance:
            return []
        text = f"a load_loss of {resistance:.3g} of rated_power is more than its impedance, {self.impedance:.3g}"
        return [f"{text}; a load_loss below impedance times rated_power is wanted"]

    def loss(self, load: Real) -> Real:
        """Heat at nominal voltage [W] for an apparent load [VA]."""
        return self.no_load_loss + self.series_power.real * (abs(load) / self.rated_power) ** 2

    def efficiency(self, load: Real) -> Real:
        """Power out over power in at unity power factor [1], for a load [W]."""
        return load / (load + self.loss(load))

    def _ratio(self, tap_position: Real) -> Real:
        """Turns of the primary over those of the secondary, of nominal; the plain number 1.0 where all are so."""
        return 1.0 + self.tap_step * tap_position if worth_doing(tap_position) else 1.0

    def _induced(self, u: Any, port: Ports) -> Real:
        """Voltage behind the turns ratio [pu]."""
        ratio = self.once(self._ratio, u.tap_position)
        return port.feed_voltage[0] if type(ratio) is float else port.feed_voltage[0] / ratio

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        voltage, gap, split = through(self._induced(u, port), port.feed_gap[0], u.in_service, dt)
        return Supply(self.dropped(s, voltage), gap, split)

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        port.plan = series_current(while_alive(load / self.rated_power, alive), port.voltage)
        current = abs(port.plan)
        core = abs(port.feed_voltage[0])
        return load + (self.series_power * (current * current) + self.core_power * (core * core)) * alive

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        alive, current = share_alive(port.gap, dt), port.plan
        drop = series_drop(current, self.own_impedance, self._induced(u, port))
        fraction, flows = conductor_current(current, port.fault_current, self.rated_power, alive)
        after = replace(s, **self.worn(s, drop, fraction * fraction * flows, self.thermal_time_constant, port, dt))
        return after, self.Outputs(
            power=port.power, loss=port.power - port.load, load_fraction=fraction, voltage=abs(port.voltage)
        )
