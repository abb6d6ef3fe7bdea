"""Pump: a centrifugal pump with its drive and check valve, standing in a branch of a loop."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import Drive, Driven
from twin.physics import hydraulic
from twin.physics.electric import apparent
from twin.physics.supply import latched

SLOWEST = 0.05
"""Below this share of full speed a pump counts as stopped."""


class Shaft(NamedTuple):
    """The tick of a pump: its drive, the course of its speed, and the mean of that."""

    drive: Drive
    turn: hydraulic.Turn
    mean_speed: Real


@table
class Pump(Driven):
    """A centrifugal pump by the affinity laws; it coasts down without power and ramps up after a delay.

    All its electricity ends as heat in the coolant. Suction pressure and cavitation are left out.
    """

    kind = "pump"
    disturbs = ("flow",)
    feeds = (1, 2)
    streams = ("coolant",)
    signals = ("standby",)
    pumps = ("coolant",)

    nominal_flow: Real = quantity("m^3/s", "flow at the duty point", above=0, at_most=10)
    nominal_head: Real = quantity("Pa", "pressure added at the duty point", above=0, at_most=5e6)
    shutoff_head: Real = quantity("Pa", "pressure added at no flow", above=0, at_most=1e7)
    efficiency: Real = quantity("1", "hydraulic over electric power at the duty point", above=0, at_most=1)
    coast_time: Real = quantity("s", "time to half speed without power", default=2.0, above=0)
    ramp_time: Real = quantity("s", "time from standstill to full speed", default=10.0, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first turn", default=5.0, at_least=0)
    volume: Real = quantity("m^3", "coolant in the pump and its pipework", default=0.2, above=0)
    power_factor: Real = quantity("1", "power factor of the drive", default=0.95, above=0, at_most=1)

    @table
    class Inputs(Driven.Inputs):
        speed: Real = quantity("1", "speed asked of the drive", default=1.0, at_least=0, at_most=1.2)

    @table
    class State(Driven.State):
        speed_now: Real = quantity("1", "speed of the shaft", default=1.0)
        outlet_temperature: Real = quantity("K", "coolant leaving", default=298.15)
        stopped: Real = flag("stops", "runs again", because="it has no supply or is switched off", via="power")

    @table
    class Outputs:
        flow: Real = quantity("m^3/s", "flow through the pump", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)

    def nominal_power(self) -> Real:
        return self.nominal_flow * self.nominal_head / self.efficiency

    def head(self, speed: Real, flow: Real) -> Real:
        """Pressure added [Pa] at a speed [1] and a flow [m3/s]."""
        a, b = self.curve()
        return speed * speed * self.shutoff_head - a * speed * flow - b * flow * abs(flow)

    def curve(self) -> tuple[Real, Real]:
        """How the head falls with flow at full speed [Pa s/m3], [Pa s2/m6].

        A small part falls in proportion to n q, as affinity wants it, so that the slope stays finite at no flow.
        """
        return hydraulic.resistance(self.shutoff_head - self.nominal_head, self.nominal_flow, 0.02)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Shaft:
        drive = self.drive(s, u, port, 0.0, dt)
        late = dt - drive.run.until
        turn = hydraulic.turn(s.speed_now, u.speed, drive.readiness, late, self.coast_time, self.ramp_time, dt)
        return Shaft(drive, turn, turn.turned / dt)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        speed = port.drive.mean_speed
        a, b = self._curve
        slope = a * library_of(speed).maximum(speed, hydraulic.LEAST_SPEED)
        return Branch(speed * speed * self.shutoff_head, slope, b, check=1.0)

    def shaft_power(self, mean_speed: Real, flow: Real) -> Real:
        """Electric power [W] at a speed [1] and a flow [m3/s]."""
        return hydraulic.pump_power(mean_speed, flow, self.nominal_flow, self._nominal_power)

    @cached_property
    def _curve(self) -> tuple[Real, Real]:
        return self.curve()

    @cached_property
    def _nominal_power(self) -> Real:
        return self.nominal_power()

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        shaft = port.drive
        return shaft.drive.readiness * self.shaft_power(shaft.mean_speed, port.flow["coolant"]) * self._apparent

    @cached_property
    def _apparent(self) -> Real:
        return apparent(self.power_factor)

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        return Stream(*port.mixing(stream, self.volume, dt).answer(s.outlet_temperature, port.power))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        gained = port.capacity_rate["coolant"] * (port.inlet["coolant"] - port.outlet["coolant"]) + port.power
        T = s.outlet_temperature + dt * gained / (self.volume * port.heat_capacity["coolant"])
        drive, turn, _ = port.drive
        stopped, stopped_at = latched(
            turn.end < SLOWEST,
            s.stopped,
            s.stopped_at,
            lambda: port.now + turn.moment_of(SLOWEST, self.coast_time, self.ramp_time),
        )
        after = replace(
            s,
            speed_now=turn.end,
            run_clock=drive.run.clock,
            outlet_temperature=T,
            stopped=stopped,
            stopped_at=stopped_at,
            **self.panel(s, u, port, drive.hold, drive.readiness, lambda: drive.run.moment_of(self.restart_delay)),
        )
        return after, self.Outputs(flow=port.flow["coolant"], power=port.power)

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.outlet_temperature
