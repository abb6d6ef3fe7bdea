"""CDU: the coolant distribution unit, where the racks' loop hands its heat to facility water."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Branch, Ports, Real, Stream, flag, mode, quantity, replace, table
from twin.driven import ACTIONS, LAST, MINIMUM, OPEN
from twin.equipment.parts.leaking import Leaking
from twin.equipment.parts.outdoor_reset import OutdoorReset
from twin.equipment.parts.pump_pair import STEADY, PumpPair, Pumps
from twin.physics import control, hydraulic, moist_air, thermal
from twin.physics.drive import Hold
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched

VALVE_SHARE = 0.5
"""Share of the facility side's nominal loss that falls over the open valve (its authority). Estimate."""


@table
class CDU(OutdoorReset, PumpPair, Leaking):
    """A counterflow plate exchanger between two stirred volumes, with a duty and a standby pump.

    The pump curve is that of the unit at its ports. The facility valve follows a PI law on the supply temperature as
    its sensor reads it, backward Euler in the temperature foreseen; its setpoint stays above the room's dew point
    where the humidity is known. Without its controller or panel, valve and drives do what is declared of them.
    It leaks on its technology side, where coolant comes back to it; isolated, it stands and its valves are shut on
    that side. Heat to the room is left out.
    """

    kind = "cdu"
    disturbs = ("flow",)
    feeds = (1, 2)
    streams = ("technology", "facility")
    pumps = ("technology",)
    signals = ("uncontrolled",)
    leaks_at = "technology"
    sensed: ClassVar = Leaking.sensed | {"supply_temperature": lambda s, u: s.measured_temperature}
    sensors: ClassVar[dict[str, tuple[str, ...]]] = Leaking.sensors | dict.fromkeys(
        ("supply_temperature", "measured_temperature"), ("sensor_bias", "sensor_frozen")
    )

    exchanger_conductance: Real = quantity("W/K", "UA of the clean plates at nominal flows", above=0, at_most=1e8)
    technology_volume: Real = quantity(
        "m^3", "coolant held on the racks' side, with its share of the headers", above=0, at_most=1e3
    )
    facility_volume: Real = quantity("m^3", "water held on the facility side", above=0, at_most=1e3)
    facility_flow: Real = quantity("m^3/s", "facility flow with the valve open", above=0, at_most=10)
    facility_pressure_drop: Real = quantity("Pa", "lost on the facility side with the valve open", above=0, at_most=1e6)
    heat_capacity_rating: Real = quantity("W", "heat handed over at the rating point", above=0, at_most=1e8)
    gain: Real = quantity("1/K", "valve opening per kelvin too warm", default=0.05, above=0)
    reset_time: Real = quantity("s", "integral time of the controller", default=30.0, above=0)
    stroke_time: Real = quantity("s", "time of the valve from shut to open", default=30.0, above=0)
    least_valve: Real = quantity("1", "opening of the valve that is its minimum", default=0.1, at_least=0, at_most=1)
    valve_without_control: Real = quantity(
        "1", "what the facility valve does while control is lost", default=LAST, choices=ACTIONS
    )
    dew_point_margin: Real = quantity(
        "K", "by how much the supply stays above the room's dew point", default=2.0, at_least=0, at_most=20
    )

    @table
    class Inputs(PumpPair.Inputs, Leaking.Inputs):
        mode: Real = mode("auto follows the setpoint, hand holds hand_valve")
        supply_setpoint: Real = quantity(
            "K", "temperature of coolant wanted at the racks", default=313.15, above=250, below=350
        )
        hand_valve: Real = quantity("1", "valve opening in hand", default=1.0, at_least=0, at_most=1)
        valve_stuck: Real = quantity("1", "1: the facility valve stays where it is", default=0.0, failure=True)
        fouling: Real = quantity(
            "1", "resistance that dirt adds to the plates, of that of the clean ones at nominal flows",
            default=0.0, at_least=0, at_most=100,
        )  # fmt: skip
        sensor_bias: Real = quantity(
            "K", "by how much its supply sensor reads too warm", default=0.0, at_least=-30, at_most=30
        )
        sensor_frozen: Real = quantity("1", "1: its supply sensor stays at its last reading", default=0.0, failure=True)
        room_humidity: Real = quantity(
            "1", "relative humidity of the room's air; 0: not known, no dew-point guard", default=0.0, at_least=0,
            at_most=1,
        )  # fmt: skip

    @table
    class State(PumpPair.State, Leaking.State):
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
        measured_temperature: Real = quantity("K", "supply temperature as its sensor reads it", default=313.15)
        guarded: Real = flag(
            "holds its supply above the room's dew point", "follows its setpoint again",
            because="its setpoint is nearer to the dew point than its margin", via="air",
        )  # fmt: skip
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

    def pace(self) -> dict[str, tuple[float, str]]:
        return {"heat": (self.technology_volume / self.nominal_flow, "its technology coolant is exchanged once")}

    def runs(self, s: Any, u: Any, hold: Hold | None) -> Real:
        asked, shut = super().runs(s, u, hold), self.shut(s, u)
        return asked * (1.0 - shut) if worth_doing(shut) else asked

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Pumps:
        return self.paired(s, u, port, dt)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        if stream == "technology":
            return self.pump_branch(port, self.shut(s, u))
        return Branch(0.0, *self.once(self._facility_resistance, port.drive.valve))

    def _facility_resistance(self, opening: Real) -> tuple[Real, Real]:
        plates, valve = 1.0 - VALVE_SHARE, VALVE_SHARE
        a, b = self._facility_loss
        factor = plates + valve * hydraulic.valve_resistance(opening)
        return a * factor, b * factor

    @cached_property
    def _facility_loss(self) -> tuple[Real, Real]:
        return hydraulic.resistance(self.facility_pressure_drop, self.facility_flow, 0.1)

    def conductance(
        self, technology_flow: Real, facility_flow: Real, C_technology: Real, C_facility: Real, fouling: Real = 0.0
    ) -> Real:
        """Heat per kelvin between the inlets [W/K], at the flows [m3/s] and capacity rates [W/K] of both sides.

            1/UA = 1/UA_clean(flows) + fouling/UA_clean(nominal)

        where fouling is told [1].
        """
        facility = thermal.film_resistance(abs(facility_flow) / self.facility_flow)
        UA = 2.0 * self.exchanger_conductance / (self.once(self._technology_film, technology_flow) + facility)
        if worth_doing(fouling):
            UA = UA / (1.0 + fouling * (UA / self.exchanger_conductance))
        return thermal.exchanger_conductance(UA, C_technology, C_facility)

    def _technology_film(self, flow: Real) -> Real:
        """Resistance of the technology side's film, of that at nominal flow [1]."""
        return thermal.film_resistance(abs(flow) / self.nominal_flow)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        flow, rate = port.flow, port.capacity_rate
        return self.conductance(flow["technology"], flow["facility"], rate["technology"], rate["facility"], u.fouling)

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
        valve, integral = port.drive.stands or self.steer(s, u, port, supply, dt)
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
            measured_temperature=self._reading(s, u, supply),
            valve_open=wide,
            valve_open_at=wide_at,
            **self._guard_flag(s, u, port),
            **self.after_pumps(s, u, port, dt),
            **self.leaked(s, u, port, dt),
        )
        out = self.Outputs(
            heat=heat, power=port.power, flow=port.flow["technology"], facility_flow_now=port.flow["facility"]
        )
        return after, out

    def steer(self, s: Any, u: Any, port: Ports, supply: Real, dt: Real) -> control.Asked:
        """Where the valve is to stand at the end of the tick, by the supply temperature foreseen for the next one."""
        foreseen = self._foreseen(port, supply, dt)

        def supply_at(valve: Real) -> Real:
            return foreseen(self._share(u, port, valve))

        return self._moved(s, u, port, supply_at, dt)

    def regulate(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Move the valve by the supply temperature at the end of this tick, by what the last look at it found."""
        xp, drive = library_of(s.valve), port.drive
        foreseen = self._foreseen(port, s.supply_temperature, dt)
        missed = self._supply(s, port, self._heat(port), dt) - foreseen(self._share(u, port, drive.valve))

        def supply_at(valve: Real) -> Real:
            return foreseen(self._share(u, port, self._mean(s.valve, valve, dt))) + missed

        stands = self._moved(s, u, port, supply_at, dt)
        mean = self._mean(s.valve, stands.output, dt)
        moves = abs(mean - drive.valve) > STEADY
        port.drive = drive._replace(valve=xp.where(moves, mean, drive.valve), stands=stands)
        spun = self.respun(s, u, port, dt)
        return moves if spun is None else moves | spun

    def _mean(self, start: Real, end: Real, dt: Real) -> Real:
        """Mean opening over a tick in which the valve moves at its speed and then stands."""
        way = end - start
        return end - way * abs(way) * (0.5 * self.stroke_time / dt)

    def _reading(self, s: Any, u: Any, supply: Real) -> Real:
        """The supply temperature as its sensor reads it [K]."""
        reading = supply + u.sensor_bias
        if worth_doing(u.sensor_frozen):
            reading = library_of(reading).where(u.sensor_frozen > 0, s.measured_temperature, reading)
        return reading

    def dew_guard(self, u: Any, port: Ports) -> Real | None:
        """Lowest supply temperature that the room's air allows [K]; None where no humidity is known."""
        if not worth_doing(u.room_humidity):
            return None
        dew = moist_air.dew_point(port.zone_temperature, library_of(u.room_humidity).maximum(u.room_humidity, 1e-3))
        return (dew + self.dew_point_margin) * (u.room_humidity > 0)

    def _guard_flag(self, s: Any, u: Any, port: Ports) -> dict[str, Real]:
        guard = self.dew_guard(u, port)
        above = s.guarded * 0.0 if guard is None else guard > self.wanted(u.supply_setpoint, port)
        guarded, at = latched(above, s.guarded, s.guarded_at, port.now)
        return {"guarded": guarded, "guarded_at": at}

    def _moved(self, s: Any, u: Any, port: Ports, supply_at: Callable[[Real], Real], dt: Real) -> control.Asked:
        """The valve and its integral part at the end of the tick: PI on what is read, by hand, or where it was."""
        xp, reach = library_of(s.valve), dt / self.stroke_time
        law, guard = control.Law(self.gain, self.reset_time), self.dew_guard(u, port)
        setpoint = self.wanted(u.supply_setpoint, port)
        if guard is not None:
            setpoint = xp.maximum(setpoint, guard)

        def error_at(valve: Real) -> Real:
            return self._reading(s, u, supply_at(valve)) - setpoint

        wanted, integral = control.pi(law, s.valve, s.integral, error_at, 0.002, reach, dt)
        by_hand = self.once(_by_hand, u.mode)
        if worth_doing(by_hand):
            wanted = xp.where(by_hand, u.hand_valve, wanted)
        lost, acts = port.drive.lost, self.valve_without_control
        if lost is not None:
            otherwise = xp.where(acts == MINIMUM, self.least_valve, xp.where(acts == LAST, s.valve, acts == OPEN))
            wanted, integral = xp.where(lost > 0, otherwise, wanted), xp.where(lost > 0, s.integral, integral)
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

    def _share(self, u: Any, port: Ports, valve: Real) -> Real:
        """Share of the inlet difference by which the plates cool the coolant [1], with the valve at another opening.

        The pressure that the facility side loses now is taken to stay.
        """
        C_technology, flow, now = port.capacity_rate["technology"], port.flow["facility"], port.drive.valve
        K = port.plan
        if valve is not now:
            a, b = self.once(self._facility_resistance, now)
            flow, _ = hydraulic.branch_flow((a + b * abs(flow)) * flow, *self._facility_resistance(valve))
            C_facility = abs(flow) * port.heat_capacity["facility"]
            K = self.conductance(port.flow["technology"], flow, C_technology, C_facility, u.fouling)
        return K / library_of(K).maximum(C_technology, thermal.TINY)

    def stored(self, s: Any, port: Ports) -> Real:
        technology = self.technology_volume * port.heat_capacity["technology"] * s.supply_temperature
        return technology + self.facility_volume * port.heat_capacity["facility"] * s.facility_temperature


def _by_hand(mode: Real) -> Real:
    return mode == MODES["hand"]


def _stays(valve_stuck: Real, in_service: Real) -> Real:
    """Whether the valve's drive does not move it."""
    return (valve_stuck != 0) | (in_service <= 0)
