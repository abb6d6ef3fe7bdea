"""Cable: conductors between two places, with the voltage they drop, the heat they make and the charge they take."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import worth_doing
from twin.declare import Ports, Real, Supply, flag, quantity, replace, table
from twin.equipment.parts.series_element import SeriesElement
from twin.physics.electric import conductor_current, line_current, series_current, series_drop
from twin.physics.supply import latched, share_alive, through, while_alive


@table
class Cable(SeriesElement):
    """A line of constant impedance, its capacitance half at each end (a pi section).

    Skin effect, the resistance's rise with temperature, zero sequence and frequency's part in the reactance
    are left out.
    """

    kind = "cable"

    length: Real = quantity("m", "length of the run", above=0, at_most=1e6)
    resistance: Real = quantity("ohm/m", "resistance per length, of a phase", at_least=0, at_most=1)
    reactance: Real = quantity("ohm/m", "reactance per length, of a phase", default=0.0, at_least=0, at_most=1)
    capacitance: Real = quantity("F/m", "capacitance per length, of a phase", default=0.0, at_least=0, at_most=1e-6)
    ampacity: Real = quantity("A", "current that it carries for ever", above=0, at_most=1e6)
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line; 0 takes that of its feed", default=0.0, at_least=0, at_most=1e6
    )
    nominal_frequency: Real = quantity("Hz", "nominal frequency", default=60.0, above=0, at_most=400)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=1800.0, above=0, at_most=1e6)

    @table
    class Inputs(SeriesElement.Inputs):
        cut: Real = quantity("1", "1: it is cut through", default=0.0, failure=True)

    @table
    class State(SeriesElement.State):
        heating: Real = quantity("1", "heating of the conductors, 1 at rated current for ever", default=0.0)
        overloaded: Real = flag(
            "is overheated by overload",
            "has cooled to its rating",
            because="it carried more than {ampacity} for too long",
            via="load",
        )
        severed: Real = flag("is cut through", "is whole again", because="it was cut")

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feed", default=0.0)
        loss: Real = quantity("W", "heat of its conductors", default=0.0)
        current: Real = quantity("A", "line current", default=0.0)
        load_fraction: Real = quantity("1", "current over ampacity", default=0.0)
        voltage: Real = quantity("1", "voltage at its far end, of nominal", default=1.0)

    @cached_property
    def _series(self) -> Real:
        """Impedance of the whole run [pu^2/VA]."""
        ohms = (self.resistance + 1j * self.reactance) * self.length
        return ohms / (self.nominal_voltage * self.nominal_voltage)

    @cached_property
    def charging(self) -> Real:
        """Reactive power that half of its capacitance gives at nominal voltage [var]."""
        omega = 2.0 * 3.141592653589793 * self.nominal_frequency
        return 0.5 * omega * self.capacitance * self.length * self.nominal_voltage * self.nominal_voltage

    @cached_property
    def _charges(self) -> bool:
        return worth_doing(self.capacitance > 0)

    @cached_property
    def rated_apparent(self) -> Real:
        """Apparent power at its ampacity and nominal voltage [VA]."""
        return self.ampacity * (3.0**0.5 * self.nominal_voltage)

    def series(self, s: Any, u: Any) -> Real:
        return self._series

    def _whole(self, in_service: Real, cut: Real) -> Real:
        return in_service * (1.0 - cut)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        whole = self.once(self._whole, u.in_service, u.cut)
        voltage, gap, split = through(port.feed_voltage[0], port.feed_gap[0], whole, dt)
        return Supply(self.dropped(s, voltage), gap, split)

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        current = series_current(while_alive(load, alive), port.voltage)
        if not self._charges:
            port.plan = current
            modulus = abs(current)
            return load + self._series * (modulus * modulus) * alive
        port.plan = current = current + 1j * self.charging * port.voltage
        near, far, modulus = abs(port.feed_voltage[0]), abs(port.voltage), abs(current)
        charge = 1j * self.charging * (near * near + far * far)
        return load + (self._series * (modulus * modulus) - charge) * alive

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        alive, current = share_alive(port.gap, dt), port.plan
        drop = series_drop(current, self._series, port.feed_voltage[0])
        modulus, flows = conductor_current(current, port.fault_current, 1.0, alive)
        fraction = modulus / self.rated_apparent
        severed, severed_at = latched(u.cut, s.severed, s.severed_at, port.now)
        heats = fraction * fraction * flows
        worn = self.worn(s, drop, heats, self.thermal_time_constant, port, dt)
        after = replace(s, severed=severed, severed_at=severed_at, **worn)
        return after, self.Outputs(
            power=port.power,
            loss=port.power - port.load,
            current=line_current(modulus, self.nominal_voltage),
            load_fraction=fraction,
            voltage=abs(port.voltage),
        )
