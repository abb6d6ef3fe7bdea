"""CDU: the coolant distribution unit, where the racks' loop hands its heat to facility water."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Branch, Ports, Real, Stream, flag, mode, quantity, replace, table
from twin.driven import Driven
from twin.physics import control, hydraulic, thermal
from twin.physics.drive import Hold, Run, restart, steady, whole
from twin.physics.electric import apparent
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched

VALVE_SHARE = 0.5
"""Share of the facility side's nominal loss that falls over the open valve (its authority). Estimate."""
SLOWEST = 0.05
"""Below this share of full speed a pump counts as stopped."""
STEADY = 1e-5
"""A valve that would move by less [1] stands, in a tick that is gone through again."""
LOST_SPEED = 0.1
"""Below this share of full speed the pumps count as lost."""


class Pumps(NamedTuple):
    """The two pumps and the valve over a tick.

    hold: their panel; *_run: how far each is up; duty, standby: their courses; mean_speed: of the faster; valve: mean
    opening; stands: where the valve and its integral stand at the end, once that was found in a long tick.
    """

    hold: Hold | None
    duty_run: Run
    standby_run: Run
    duty: hydraulic.Turn
    standby: hydraulic.Turn
    mean_speed: Real
    valve: Real
    stands: control.Asked | None

    @property
    def driven(self) -> Real:
        """Share of the tick in which one is driven [1]."""
        return self.duty_run.readiness + self.standby_run.readiness

    def began(self, duty_delay: Real, standby_delay: Real) -> Real:
        """When the first of them was driven, where one is [s from the tick's start]."""
        first = self.duty_run.moment_of(duty_delay)
        return library_of(first).where(self.duty_run.readiness > 0, first, self.standby_run.moment_of(standby_delay))

    def moment_lost(self, lost: Real, half_time: Real, full_time: Real) -> Real:
        """When the faster pump came down to, or up over, the least speed [s from the tick's start]."""
        duty, standby = self.duty, self.standby
        xp = library_of(duty.end)
        leads = xp.where(lost, duty.start >= standby.start, duty.end >= standby.end)
        moments = (pump.moment_of(LOST_SPEED, half_time, full_time) for pump in (duty, standby))
        return xp.where(leads, *moments)


@table
class CDU(Driven):
    """A counterflow plate exchanger between two stirred volumes, with a duty and a standby pump.

    The pump curve is that of the unit at its ports. The faster pump carries the flow; the other's
    check valve is shut. The facility valve follows a PI law on the supply temperature, backward Euler
    in the temperature foreseen for the next tick. Fouling and sensor faults are left out.
    """

    kind = "cdu"
    disturbs = ("flow",)
    feeds = (1, 2)
    streams = ("technology", "facility")
    pumps = ("technology",)

    exchanger_conductance: Real = quantity("W/K", "UA of the clean plates at nominal flows", above=0, at_most=1e8)
    technology_volume: Real = quantity(
        "m^3", "coolant held on the racks' side, with its share of the headers", above=0, at_most=1e3
    )
    facility_volume: Real = quantity("m^3", "water held on the facility side", above=0, at_most=1e3)
    nominal_flow: Real = quantity("m^3/s", "technology flow at the duty point", above=0, at_most=10)
    nominal_head: Real = quantity("Pa", "external pressure at the duty point", above=0, at_most=5e6)
    shutoff_head: Real = quantity("Pa", "external pressure at no flow", above=0, at_most=1e7)
    pump_power: Real = quantity("W", "electric power at the duty point, with controls", above=0, at_most=1e6)
    facility_flow: Real = quantity("m^3/s", "facility flow with the valve open", above=0, at_most=10)
    facility_pressure_drop: Real = quantity("Pa", "lost on the facility side with the valve open", above=0, at_most=1e6)
    heat_capacity_rating: Real = quantity("W", "heat handed over at the rating point", above=0, at_most=1e8)
    coast_time: Real = quantity("s", "time to half speed without power", default=2.0, above=0)
    ramp_time: Real = quantity("s", "time from standstill to full speed", default=5.0, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first turn", default=10.0, at_least=0)
    standby_delay: Real = quantity(
        "s", "time from the duty pump's loss to the standby's first turn", default=3.0, at_least=0
    )
    gain: Real = quantity("1/K", "valve opening per kelvin too warm", default=0.05, above=0)
    reset_time: Real = quantity("s", "integral time of the controller", default=30.0, above=0)
    stroke_time: Real = quantity("s", "time of the valve from shut to open", default=30.0, above=0)
    power_factor: Real = quantity("1", "power factor of the drives", default=0.95, above=0, at_most=1)
    curve_share: Real = quantity(
        "1", "share of the fall of head from no flow to nominal that goes in proportion to flow",
        default=0.02, above=0, at_most=1,
    )  # fmt: skip

    @table
    class Inputs(Driven.Inputs):
        mode: Real = mode("auto follows the setpoint, hand holds hand_valve")
        supply_setpoint: Real = quantity(
            "K", "temperature of coolant wanted at the racks", default=313.15, above=250, below=350
        )
        pump_speed: Real = quantity("1", "speed asked of the running pump", default=1.0, at_least=0, at_most=1.2)
        hand_valve: Real = quantity("1", "valve opening in hand", default=1.0, at_least=0, at_most=1)
        duty_pump_failed: Real = quantity("1", "1: the duty pump is lost", default=0.0, failure=True)
        standby_pump_failed: Real = quantity(
            "1", "1: the standby pump is stuck and will not start", default=0.0, failure=True
        )
        valve_stuck: Real = quantity("1", "1: the facility valve stays where it is", default=0.0, failure=True)

    @table
    class State(Driven.State):
        supply_temperature: Real = quantity("K", "coolant going out to the racks", default=313.15)
        facility_temperature: Real = quantity("K", "facility water leaving", default=308.15)
        return_temperature: Real = quantity(
            "K", "coolant coming back from the racks, mean of the last tick", default=313.15
        )
        facility_inlet_temperature: Real = quantity(
            "K", "facility water entering, mean of the last tick", default=303.15
        )
        valve: Real = quantity("1", "opening of the facility valve", default=0.5)
        integral: Real = quantity("1", "integral part of the controller", default=0.5)
        duty_speed: Real = quantity("1", "speed of the duty pump", default=1.0)
        standby_speed: Real = quantity("1", "speed of the standby pump", default=0.0)
        run_clock: Real = quantity("s", "time the duty pump has been allowed to run", default=1e9)
        standby_clock: Real = quantity("s", "time the standby pump has been called", default=0.0)
        standby_running: Real = flag(
            "starts its standby pump", "stops its standby pump", because="its duty pump is lost"
        )
        pumps_lost: Real = flag(
            "loses its technology flow", "has technology flow again", because="no pump turns", via="power"
        )
        valve_open: Real = flag(
            "has its facility valve wide open",
            "throttles its facility valve again",
            because="its supply is warmer than wanted",
            via="coolant",
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat handed to the facility water", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "technology flow", default=0.0)
        facility_flow_now: Real = quantity("m^3/s", "facility flow", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {"supply_temperature": u.supply_setpoint, "return_temperature": u.supply_setpoint}

    def nominal_power(self) -> Real:
        return self.pump_power

    def pace(self) -> dict[str, tuple[float, str]]:
        return {"heat": (self.technology_volume / self.nominal_flow, "its technology coolant is exchanged once")}

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Pumps:
        hold = self.hold(s, u, port, dt)
        duty, standby = self.once(_called, self.runs(s, u, hold), u.duty_pump_failed, u.standby_pump_failed)
        if hold is None and self.once(self._stay, s.run_clock, duty, s.standby_clock, standby):
            duty_run, standby_run = steady(s.run_clock, duty, dt), steady(s.standby_clock, standby, dt)
        else:
            duty_run = restart(s.run_clock, duty, hold or whole(dt), self.restart_delay, 0.0, dt)
            standby_run = restart(s.standby_clock, standby, hold or whole(dt), self.standby_delay, 0.0, dt)
        one = self._turn(s.duty_speed, u, duty_run, dt)
        other = self._turn(s.standby_speed, u, standby_run, dt)
        mean = library_of(one.turned).maximum(one.turned, other.turned) / dt
        return Pumps(hold, duty_run, standby_run, one, other, mean, s.valve, None)

    def _stay(self, duty_clock: Real, duty: Real, standby_clock: Real, standby: Real) -> bool:
        """Whether all pumps that are called are up, and all others are not."""
        changes = (duty_clock != self.restart_delay * duty) | (standby_clock != self.standby_delay * standby)
        return not worth_doing(changes | (duty * (1.0 - duty) + standby * (1.0 - standby) != 0))

    def _turn(self, speed: Real, u: Any, run: Run, dt: Real) -> hydraulic.Turn:
        late = dt - run.until
        return hydraulic.turn(speed, u.pump_speed, run.readiness, late, self.coast_time, self.ramp_time, dt)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        if stream == "technology":
            speed = port.drive.mean_speed
            a, b = self.curve
            slope = a * library_of(speed).maximum(speed, hydraulic.LEAST_SPEED)
            return Branch(speed * speed * self.shutoff_head, slope, b, check=1.0)
        return Branch(0.0, *self.once(self._facility_resistance, port.drive.valve))

    def _facility_resistance(self, opening: Real) -> tuple[Real, Real]:
        plates, valve = 1.0 - VALVE_SHARE, VALVE_SHARE
        a, b = self._facility_loss
        factor = plates + valve * hydraulic.valve_resistance(opening)
        return a * factor, b * factor

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        power = hydraulic.pump_power(port.drive.mean_speed, port.flow["technology"], self.nominal_flow, self.pump_power)
        return port.drive.driven * power * self._apparent

    @cached_property
    def _apparent(self) -> Real:
        return apparent(self.power_factor)

    @cached_property
    def curve(self) -> tuple[Real, Real]:
        """How the pumps' head falls with flow [Pa s/m3], [Pa s2/m6]."""
        return hydraulic.resistance(self.shutoff_head - self.nominal_head, self.nominal_flow, self.curve_share)

    @cached_property
    def _facility_loss(self) -> tuple[Real, Real]:
        return hydraulic.resistance(self.facility_pressure_drop, self.facility_flow, 0.1)

    def conductance(self, technology_flow: Real, facility_flow: Real, C_technology: Real, C_facility: Real) -> Real:
        """Heat per kelvin between the inlets [W/K], at the flows [m3/s] and capacity rates [W/K] of both sides."""
        x_technology, x_facility = abs(technology_flow) / self.nominal_flow, abs(facility_flow) / self.facility_flow
        UA = thermal.film_conductance(self.exchanger_conductance, x_technology, x_facility)
        return thermal.exchanger_conductance(UA, C_technology, C_facility)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        flow, rate = port.flow, port.capacity_rate
        return self.conductance(flow["technology"], flow["facility"], rate["technology"], rate["facility"])

    def holds(self, stream: str) -> Real:
        return self.technology_volume if stream == "technology" else self.facility_volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        C_flow = port.capacity_rate[stream]
        share = port.plan / library_of(C_flow).maximum(C_flow, thermal.TINY)
        mixing = port.mixing(stream, self.holds(stream), dt)
        if stream == "technology":
            answer = mixing.answer(s.supply_temperature, port.power)
        else:
            answer = mixing.answer(s.facility_temperature)
        return Stream(answer.constant, answer.slope * (1.0 - share), answer.slope * share)

    def _heat(self, port: Ports) -> Real:
        """Heat handed to the facility water [W]."""
        return port.plan * (port.inlet["technology"] - port.inlet["facility"])

    def _supply(self, s: Any, port: Ports, heat: Real, dt: Real) -> Real:
        """Supply temperature at the end of the tick [K]."""
        rate, inlet, outlet = port.capacity_rate["technology"], port.inlet["technology"], port.outlet["technology"]
        gain = rate * (inlet - outlet) - heat + port.power
        return s.supply_temperature + dt * gain / (self.technology_volume * port.heat_capacity["technology"])

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        inlet, outlet, rate = port.inlet, port.outlet, port.capacity_rate
        heat = self._heat(port)
        supply = self._supply(s, port, heat, dt)
        give = rate["facility"] * (inlet["facility"] - outlet["facility"]) + heat
        facility = s.facility_temperature + dt * give / (self.facility_volume * port.heat_capacity["facility"])
        drive: Pumps = port.drive
        valve, integral = drive.stands or self.steer(s, u, port, supply, dt)
        times = (self.coast_time, self.ramp_time)
        running, running_at = latched(
            drive.standby.end > SLOWEST,
            s.standby_running,
            s.standby_running_at,
            lambda: port.now + drive.standby.moment_of(SLOWEST, *times),
        )
        is_lost = library_of(supply).maximum(drive.duty.end, drive.standby.end) < LOST_SPEED
        lost, lost_at = latched(
            is_lost, s.pumps_lost, s.pumps_lost_at, lambda: port.now + drive.moment_lost(is_lost, *times)
        )
        wide_open = 0.995 - 0.02 * s.valve_open
        wide, wide_at = latched(
            valve > wide_open,
            s.valve_open,
            s.valve_open_at,
            lambda: moment_of_crossing(s.valve, valve, wide_open, port.now, dt),
        )
        after = replace(
            s,
            supply_temperature=supply,
            facility_temperature=facility,
            return_temperature=inlet["technology"],
            facility_inlet_temperature=inlet["facility"],
            valve=valve,
            integral=integral,
            duty_speed=drive.duty.end,
            standby_speed=drive.standby.end,
            run_clock=drive.duty_run.clock,
            standby_clock=drive.standby_run.clock,
            standby_running=running,
            standby_running_at=running_at,
            pumps_lost=lost,
            pumps_lost_at=lost_at,
            valve_open=wide,
            valve_open_at=wide_at,
            **self.panel(
                s, u, port, drive.hold, drive.driven, lambda: drive.began(self.restart_delay, self.standby_delay)
            ),
        )
        out = self.Outputs(
            heat=heat, power=port.power, flow=port.flow["technology"], facility_flow_now=port.flow["facility"]
        )
        return after, out

    def steer(self, s: Any, u: Any, port: Ports, supply: Real, dt: Real) -> control.Asked:
        """Where the valve is to stand at the end of the tick, by the supply temperature foreseen for the next one."""
        foreseen = self._foreseen(port, supply, dt)

        def error_at(valve: Real) -> Real:
            return foreseen(self._share(port, valve)) - u.supply_setpoint

        return self._moved(s, u, port, error_at, dt)

    def regulate(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Move the valve by the supply temperature at the end of this tick, by what the last look at it found."""
        xp, drive = library_of(s.valve), port.drive
        foreseen = self._foreseen(port, s.supply_temperature, dt)
        missed = self._supply(s, port, self._heat(port), dt) - foreseen(self._share(port, drive.valve))

        def error_at(valve: Real) -> Real:
            return foreseen(self._share(port, self._mean(s.valve, valve, dt))) + missed - u.supply_setpoint

        stands = self._moved(s, u, port, error_at, dt)
        mean = self._mean(s.valve, stands.output, dt)
        moves = abs(mean - drive.valve) > STEADY
        port.drive = drive._replace(valve=xp.where(moves, mean, drive.valve), stands=stands)
        return moves

    def _mean(self, start: Real, end: Real, dt: Real) -> Real:
        """Mean opening over a tick in which the valve moves at its speed and then stands."""
        way = end - start
        return end - way * abs(way) * (0.5 * self.stroke_time / dt)

    def _moved(self, s: Any, u: Any, port: Ports, error_at: Callable[[Real], Real], dt: Real) -> control.Asked:
        """The valve and its integral part at the end of the tick: PI on an error, by hand, or where it was."""
        xp, reach = library_of(s.valve), dt / self.stroke_time
        law = control.Law(self.gain, self.reset_time)
        wanted, integral = control.pi(law, s.valve, s.integral, error_at, 0.02, reach, dt)
        by_hand = self.once(_by_hand, u.mode)
        if worth_doing(by_hand):
            wanted = xp.where(by_hand, u.hand_valve, wanted)
        moved = xp.minimum(xp.maximum(wanted, s.valve - reach), s.valve + reach)
        stays = self.once(_stays, u.valve_stuck, u.in_service)
        if port.drive.hold is not None:
            stays = stays | (port.drive.hold.out > 0)
        if not worth_doing(stays):
            return control.Asked(moved, integral)
        return control.Asked(xp.where(stays, s.valve, moved), xp.where(stays, s.integral, integral))

    def _foreseen(self, port: Ports, supply: Real, dt: Real) -> Callable[[Real], Real]:
        """Supply at the end of the next tick [K] by the share that the plates then take; return above supply as now.

            C dT/dt = C_flow ((1 - share) rise - share (T - T_facility)) + P

        The return follows the supply: in a long tick coolant goes round many times, and a CDU that took its return
        for given would open and shut its valve in turn.
        """
        C_flow, C = port.capacity_rate["technology"], self.technology_volume * port.heat_capacity["technology"]
        rise = port.inlet["technology"] - port.outlet["technology"]
        k, warmed, above = C_flow * dt / C, port.power * dt / C, supply - port.inlet["facility"]

        def supply_at(share: Real) -> Real:
            pull = k * ((1.0 - share) * rise - share * above) + warmed
            return supply + pull * thermal.mean_weight(share * k)

        return supply_at

    def _share(self, port: Ports, valve: Real) -> Real:
        """Share of the inlet difference by which the plates cool the coolant [1], with the valve at another opening.

        The pressure that the facility side loses now is taken to stay.
        """
        C_technology, flow, now = port.capacity_rate["technology"], port.flow["facility"], port.drive.valve
        K = port.plan
        if valve is not now:
            a, b = self.once(self._facility_resistance, now)
            flow, _ = hydraulic.branch_flow((a + b * abs(flow)) * flow, *self._facility_resistance(valve))
            C_facility = abs(flow) * port.heat_capacity["facility"]
            K = self.conductance(port.flow["technology"], flow, C_technology, C_facility)
        return K / library_of(K).maximum(C_technology, thermal.TINY)

    def stored(self, s: Any, port: Ports) -> Real:
        technology = self.technology_volume * port.heat_capacity["technology"] * s.supply_temperature
        return technology + self.facility_volume * port.heat_capacity["facility"] * s.facility_temperature


def _called(asked: Real, duty_failed: Real, standby_failed: Real) -> tuple[Real, Real]:
    """Which of the two pumps is to run: the duty pump while it is well, else the standby pump."""
    return asked * (1.0 - duty_failed), asked * duty_failed * (1.0 - standby_failed)


def _by_hand(mode: Real) -> Real:
    return mode == MODES["hand"]


def _stays(valve_stuck: Real, in_service: Real) -> Real:
    """Whether the valve's drive does not move it."""
    return (valve_stuck != 0) | (in_service <= 0)
