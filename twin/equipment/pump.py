"""Pump: a centrifugal pump with its drive and check valve, standing in a branch of a loop."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import STOPS, Drive, without_panel
from twin.equipment.parts.suction import Suction
from twin.physics import hydraulic
from twin.physics.electric import apparent
from twin.physics.supply import latched
from twin.units import YES_NO

SLOWEST = 0.05
"""Below this share of full speed a pump counts as stopped."""
LOST_SPEED = 0.2
"""Below this share of full speed a pump gives no flow that counts. Estimate."""
LOST_FLOW = 0.05
"""Below this share of its nominal flow a pump that turns gives none that counts (a flow switch). Estimate."""


class Shaft(NamedTuple):
    """The tick of a pump: its drive, and the course of its speed."""

    drive: Drive
    turn: hydraulic.Turn

    @property
    def mean_speed(self) -> Real:
        return self.turn.mean


@table
class Pump(Suction):
    """A centrifugal pump by the affinity laws; it coasts down without power and ramps up after a delay.

    With `on_call` it runs in auto only while a `call` stands: that of a lead pump's `lost_for`, after the signal's
    delay. It is released when the lead pump gives flow again. A scenario may give points of head and power (`curve`,
    `power_curve`) in place of ratings. All its electricity ends as heat in the coolant. In a loop with a vessel it
    trips on low suction pressure and says when it cavitates; the head that cavitation costs is left out.
    """

    kind = "pump"
    disturbs = ("flow",)
    feeds = (1, 2)
    streams = ("coolant",)
    pumps = ("coolant",)
    signals = ("standby", "call", "uncontrolled")

    nominal_flow: Real = quantity("m^3/s", "flow at the duty point", above=0, at_most=10)
    nominal_head: Real = quantity("Pa", "pressure added at the duty point", above=0, at_most=5e6)
    shutoff_head: Real = quantity("Pa", "pressure added at no flow", above=0, at_most=1e7)
    efficiency: Real = quantity("1", "hydraulic over electric power at the duty point", above=0, at_most=1)
    coast_time: Real = quantity("s", "time to half speed without power", default=2.0, above=0)
    ramp_time: Real = quantity("s", "time from standstill to full speed", default=10.0, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first turn", default=5.0, at_least=0)
    volume: Real = quantity("m^3", "coolant in the pump and its pipework", default=0.2, above=0)
    power_factor: Real = quantity("1", "power factor of the drive", default=0.95, above=0, at_most=1)
    curve_share: Real = quantity(
        "1", "share of the fall of head from no flow to nominal that goes in proportion to flow",
        default=0.02, above=0, at_most=1,
    )  # fmt: skip
    idle_share: Real = quantity("1", "power at no flow and full speed, of that at the duty point", default=0.4, above=0)
    power_bend: Real = quantity(
        "1", "part of the power at the duty point that goes with flow squared", default=0.0, at_least=-2, at_most=2
    )
    on_call: Real = quantity("1", "1 runs in auto only when called", default=0.0, choices=YES_NO)

    @table
    class Inputs(Suction.Inputs):
        speed: Real = quantity("1", "speed asked of the drive", default=1.0, at_least=0, at_most=1.2)
        fails_to_start: Real = quantity("1", "1: its motor does not start from a standstill", default=0.0, failure=True)
        check_valve_failed: Real = quantity("1", "1: its check valve stays open", default=0.0, failure=True)

    @table
    class State(Suction.State):
        speed_now: Real = quantity("1", "speed of the shaft", default=1.0)
        outlet_temperature: Real = quantity("K", "coolant leaving", default=298.15)
        uncontrolled: Real = without_panel()
        stopped: Real = flag("stops", "runs again", because=STOPS, via="power")
        called: Real = flag(
            "is called to run", "is released", because="a pump that it stands by for gives no flow", via="signal"
        )
        lost_clock: Real = quantity("s", "time that it gives no flow, at the end of the tick", default=0.0)

    @table
    class Outputs:
        flow: Real = quantity("m^3/s", "flow through the pump", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        lost_for: Real = quantity("s", "time that it was to run and gives no flow", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"speed_now": u.speed * (1.0 - self.on_call), "stopped": 1.0 * (self.on_call > 0)}

    def nominal_power(self) -> Real:
        return self.nominal_flow * self.nominal_head / self.efficiency

    def head(self, speed: Real, flow: Real) -> Real:
        """Pressure added [Pa] at a speed [1] and a flow [m3/s]."""
        a, b = self.curve()
        return speed * speed * self.shutoff_head - a * speed * flow - b * flow * abs(flow)

    def curve(self) -> tuple[Real, Real]:
        """How the head falls with flow at full speed [Pa s/m3], [Pa s2/m6].

        A part falls in proportion to n q, as affinity wants it, so that the slope stays finite at no flow.
        """
        return hydraulic.resistance(self.shutoff_head - self.nominal_head, self.nominal_flow, self.curve_share)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Shaft:
        drive = self.drive(s, u, port, 0.0, dt, self._may_turn(s, u, port))
        late = dt - drive.run.until
        turn = hydraulic.turn(s.speed_now, u.speed, drive.readiness, late, self.coast_time, self.ramp_time, dt)
        return Shaft(drive, turn)

    def _may_turn(self, s: Any, u: Any, port: Ports) -> Real | None:
        """0 where a pump waits to be called or its motor does not start, else 1; None where all may turn."""
        may = None
        if self._any_on_call:
            waits = self.once(self._waits, u.mode) * (port.signal["call"] <= 0)
            may = 1.0 - waits
        if worth_doing(u.fails_to_start):
            may = (1.0 if may is None else may) * (1.0 - u.fails_to_start * (s.speed_now < SLOWEST))
        return may

    @cached_property
    def _any_on_call(self) -> bool:
        return worth_doing(self.on_call)

    def _waits(self, mode: Real) -> Real:
        """1 where a pump stands by and turns only when called."""
        return (self.on_call > 0) & (mode == MODES["auto"])

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, port.drive.mean_speed, u.check_valve_failed)
        return answer

    def _branch(self, speed: Real, check_valve_failed: Real) -> Branch:
        a, b = self.curve()
        slope = a * library_of(speed).maximum(speed, hydraulic.LEAST_SPEED)
        return Branch(speed * speed * self.shutoff_head, slope, b, check=1.0 - check_valve_failed)

    def shaft_power(self, mean_speed: Real, flow: Real) -> Real:
        """Electric power [W] at a speed [1] and a flow [m3/s]."""
        return hydraulic.pump_power(self.once(self._affinity, mean_speed), flow, self.idle_share, self._bend)

    def _affinity(self, speed: Real) -> hydraulic.Affinity:
        return hydraulic.affinity(speed, self.nominal_flow, self.nominal_power())

    @cached_property
    def _bend(self) -> Real:
        return self.power_bend if worth_doing(self.power_bend) else 0.0

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
        drive, turn = port.drive
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
            **self._lost(s, u, port, dt),
            **self.wet_side(s, u, port, "coolant", turn.end, dt),
            **self.panel(s, u, port, drive.hold, drive.readiness, lambda: drive.run.moment_of(self.restart_delay)),
        )
        return after, self.Outputs(flow=port.flow["coolant"], power=port.power, lost_for=after.lost_clock)

    def _lost(self, s: Any, u: Any, port: Ports, dt: Real) -> dict[str, Real]:
        """For how long it has given no flow though it was to run, and whether it is called."""
        turn, flow = port.drive.turn, port.flow["coolant"]
        slow = turn.end < LOST_SPEED
        lost = slow | (flow < self._least_flow)
        if not (self._any_on_call or worth_doing(lost)):
            return {"lost_clock": lost * 0.0} if worth_doing(s.lost_clock) else {}
        xp = library_of(flow)
        changes = {}
        if self._any_on_call:
            waits, call = self.once(self._waits, u.mode), port.signal["call"]
            called, at = latched(waits & (call > 0), s.called, s.called_at, port.now)
            changes = {"called": called, "called_at": at}
            lost = lost & ((waits == 0) | (call > 0))
        lost = lost & (u.speed > 0) & (port.signal["standby"] <= 0)
        fell = slow & (turn.start >= LOST_SPEED)
        since = xp.where(fell, turn.moment_of(LOST_SPEED, self.coast_time, self.ramp_time), 0.0)
        return {**changes, "lost_clock": xp.where(lost, s.lost_clock + dt - since, 0.0)}

    @cached_property
    def _least_flow(self) -> Real:
        return LOST_FLOW * self.nominal_flow

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.outlet_temperature
