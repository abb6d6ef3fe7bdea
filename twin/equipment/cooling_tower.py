"""Cooling tower: fill, fans and basin of an open tower that evaporates a part of its branch's water."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import STOPS, Driven, without_panel
from twin.equipment.parts.outdoor_reset import OutdoorReset
from twin.physics import hydraulic, tower
from twin.physics.drive import Hold
from twin.physics.fluids import HEAT_CAPACITY
from twin.physics.machine import moment_of_crossing
from twin.physics.moist_air import STANDARD_PRESSURE, humidity_ratio_of_wet_bulb
from twin.physics.supply import latched

CORRELATIONS = {"merkel": 1.0, "yorkcalc": 2.0}
TRIALS = 6
"""Of the fan speed that holds the setpoint; with the last tick's water they leave 1 % of the speed at most."""


@dataclass(slots=True)
class Plan:
    """What the tower foresees.

    The share of (inlet - wet bulb) it can take at most [1], whether it holds its setpoint or gives all it has;
    the speed of its fans and the air through its fill, of nominal [1]; the wet bulb of the air leaving [K].

    Where it does neither it idles.
    """

    most: Real
    holds: Real
    full: Real
    speed: Real
    air: Real
    T_air: Real


@table
class CoolingTower(OutdoorReset, Driven):
    """A counterflow tower whose fans slow down to the leaving setpoint; below it a bypass keeps the water warm.

    Merkel's law with Scheier's factors, or York's polynomial; its size follows from its nominal point. Standing
    fans leave `free_convection` of the air. Evaporation, drift and blow-down are made up for from the mains;
    without make-up the basin runs dry and the branch shuts. Heat of the make-up water, basin heaters, ice,
    plume and the height of the site are left out, and blow-down while the make-up is lost.
    """

    kind = "cooling_tower"
    cools_by = "weather"
    disturbs = ("heat",)
    feeds = (1, 2)
    streams = ("coolant",)
    signals = ("standby", "uncontrolled")

    nominal_flow: Real = quantity("m^3/s", "water flow over the fill", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in nozzles and lift at nominal flow", above=0, at_most=1e6)
    nominal_wet_bulb: Real = quantity("K", "wet bulb of the nominal point", default=298.71, above=250, below=320)
    nominal_range: Real = quantity("K", "water in less water out at the nominal point", above=0, at_most=40)
    nominal_approach: Real = quantity("K", "water out above the wet bulb at the nominal point", above=0, at_most=40)
    air_flow: Real = quantity("m^3/s", "air moved at full speed", above=0, at_most=1e4)
    fan_power: Real = quantity("W", "electric power of the fans at full speed", above=0, at_most=1e7)
    correlation: Real = quantity("1", "law of the fill", default=1.0, at_least=1, at_most=2, choices=CORRELATIONS)
    free_convection: Real = quantity("1", "air with fans standing, of nominal", default=0.1, at_least=0, at_most=0.5)
    fouling_loss: Real = quantity("1", "conductance lost with the fill fouled", default=0.3, at_least=0, at_most=0.9)
    drift: Real = quantity("1", "droplets carried off, of the water flow", default=5e-5, at_least=0, at_most=0.01)
    concentration: Real = quantity(
        "1", "cycles of concentration of the basin's water", default=4.0, above=1, at_most=20
    )
    basin_reserve: Real = quantity("m^3", "water between normal and lowest level", default=2.0, above=0, at_most=1e4)
    refill_time: Real = quantity("s", "time to fill the reserve again", default=900.0, above=0, at_most=1e5)
    volume: Real = quantity("m^3", "water in fill and basin", default=3.0, above=0, at_most=1e4)
    restart_delay: Real = quantity("s", "time from supply to the first turn", default=30.0, at_least=0)
    ramp_time: Real = quantity("s", "time to full speed", default=30.0, at_least=0)

    @table
    class Inputs(Driven.Inputs):
        leaving_setpoint: Real = quantity("K", "leaving temperature wanted", default=295.15, above=250, below=350)
        fan_failed: Real = quantity("1", "1: its fans stand", default=0.0, at_least=0, at_most=1, failure=True)
        fill_fouled: Real = quantity("1", "1: fill is fouled", default=0.0, at_least=0, at_most=1, failure=True)
        makeup_lost: Real = quantity("1", "1: mains are dry", default=0.0, at_least=0, at_most=1, failure=True)

    @table
    class State(Driven.State):
        leaving_temperature: Real = quantity("K", "water leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=298.15)
        reserve: Real = quantity("m^3", "water above the basin's lowest level", default=0.0)
        water_used: Real = quantity("m^3", "make-up water since the start", default=0.0)
        uncontrolled: Real = without_panel()
        stopped: Real = flag(
            "stops its fans",
            "moves air again",
            because=(*STOPS, "fan_failed: its fans failed"),
            via="power",
        )
        dry: Real = flag("runs dry", "has water again", because="its make-up water was lost", via="self")

    @table
    class Outputs:
        heat: Real = quantity("W", "heat given to the outdoor air", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)
        fan_speed: Real = quantity("1", "speed of the fans, of nominal", default=0.0)
        evaporated: Real = quantity("m^3/s", "water evaporated", default=0.0)
        makeup: Real = quantity("m^3/s", "water taken from the mains", default=0.0)

    def nominal_power(self) -> Real:
        return self.fan_power

    def rest(self, u: Any) -> dict[str, Real]:
        return {"reserve": self.basin_reserve + 0.0 * u.in_service}

    def faults(self, feeds: int) -> list[str]:
        found = super().faults(feeds)
        if float(self.conductance) > 0:
            return found
        return [
            *found,
            "its air cannot carry the heat of its nominal point; "
            "more air_flow, or a larger nominal_approach, is wanted",
        ]

    @cached_property
    def conductance(self) -> Real:
        """UA for dry air at the nominal point [W/K]; not a number where the air cannot carry the heat."""
        C_water = self.nominal_flow * HEAT_CAPACITY["water"]
        return tower.merkel_conductance(
            C_water, self.nominal_range, self.nominal_approach, self.nominal_wet_bulb, self._air_at_full_speed
        )

    @cached_property
    def _air_at_full_speed(self) -> Real:
        """[kg/s]."""
        return self.air_flow * tower.AIR_DENSITY

    @cached_property
    def _york_ratio(self) -> Real:
        """Liquid to gas at which York's polynomial meets the nominal point."""
        return tower.york_ratio(self.nominal_wet_bulb, self.nominal_range, self.nominal_approach)

    @cached_property
    def _is_york(self) -> Real:
        return self.correlation > 1.5

    def contact(
        self, air: Real, T_in: Real, T_wb: Real, flow: Real, C_flow: Real, clean: Real = 1.0, guess: Real = None
    ) -> tower.Contact:
        """How the water answers some air [of nominal]; `clean` is the conductance left by fouling [1]."""
        xp = library_of(air + T_in)
        water = abs(flow) / self.nominal_flow
        UA = clean * self.conductance * tower.scheier(air, water, self.nominal_wet_bulb - T_wb)
        found = tower.merkel(T_in, T_wb, self._air_at_full_speed * air, C_flow, UA, guess)
        if not worth_doing(self._is_york):
            return found
        ratio = self._york_ratio * water / xp.maximum(clean * air, 1e-3)
        share = xp.where(self._is_york, tower.york_share(T_in, T_wb, ratio), found.share)
        return tower.Contact(share, found.T_air)

    def runs(self, s: Any, u: Any, hold: Hold | None) -> Real:
        return self.once(_turns, super().runs(s, u, hold), u.fan_failed)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, s.dry)
        return answer

    def _branch(self, dry: Real) -> Branch:
        """A basin that has run dry lets nothing more to the pumps."""
        a, b = hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1)
        shut = hydraulic.valve_resistance(1.0 - dry)
        return Branch(0.0, a * shut, b * shut)

    def _weather(self, dry_bulb: Real, wet_bulb: Real) -> tuple[Real, Real]:
        """Wet bulb [K] and humidity ratio [kg/kg] of the air at each tower."""
        xp = library_of(dry_bulb + wet_bulb)
        T, T_wb = dry_bulb + 0.0 * self.fan_power, xp.minimum(wet_bulb, dry_bulb) + 0.0 * self.fan_power
        return T_wb, xp.maximum(humidity_ratio_of_wet_bulb(T, T_wb, STANDARD_PRESSURE), 0.0)

    def _clean(self, fouled: Real) -> Real:
        return 1.0 - self.fouling_loss * fouled

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        C_flow, flow = port.capacity_rate["coolant"], port.flow["coolant"]
        xp = library_of(C_flow)
        T_wb, _ = self.once(self._weather, port.dry_bulb, port.wet_bulb)
        clean, T_in = self.once(self._clean, u.fill_fouled), s.inlet_temperature
        ready = xp.maximum(port.drive.readiness, self.free_convection)
        best = self.contact(ready, T_in, T_wb, flow, C_flow, clean)
        setpoint = self.wanted(u.leaving_setpoint, port)
        holds, full = _regime(T_in, T_wb, setpoint, best.share)
        speed, air, T_air = port.drive.readiness * full, ready, best.T_air
        if worth_doing(holds):
            wanted = (T_in - setpoint) / xp.maximum(T_in - T_wb, 1e-6)
            wanted = xp.minimum(xp.maximum(wanted, 1e-6), 1.0)
            trial, there = self._air(wanted, ready, best, T_in, T_wb, flow, C_flow, clean)
            turns = trial > self.free_convection
            speed = xp.where(holds, trial * turns, speed)
            air, T_air = xp.where(holds, trial, air), xp.where(holds, there, T_air)
        return Plan(best.share, holds, full, speed, air, T_air)

    def _air(
        self,
        wanted: Real,
        ready: Real,
        best: tower.Contact,
        T_in: Real,
        T_wb: Real,
        flow: Real,
        C_flow: Real,
        clean: Real,
    ) -> tuple[Real, Real]:
        """Air [of nominal] through the fill that takes a wanted share, and its wet bulb leaving [K].

        Where free convection takes more, that part of it which does not pass the bypass.
        """
        xp = library_of(wanted)
        trial, T_air = ready * (wanted / xp.maximum(best.share, 1e-9)), best.T_air
        for _ in range(TRIALS):
            got = self.contact(trial, T_in, T_wb, flow, C_flow, clean, T_air)
            T_air = got.T_air
            trial = xp.minimum(xp.maximum(trial * (wanted / xp.maximum(got.share, 1e-9)) ** 1.2, 1e-3), ready)
        return trial, T_air

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan = port.plan
        T_wb, _ = self.once(self._weather, port.dry_bulb, port.wet_bulb)
        holds, full = _regime(port.inlet["coolant"], T_wb, self.wanted(u.leaving_setpoint, port), plan.most)
        changed = (holds != plan.holds) | (full != plan.full)
        plan.holds, plan.full = holds, full
        return changed

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return self.fan_power * tower.fan_power_share(port.plan.speed) * (1.0 + 0.0j)

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        plan, taken = port.plan, port.plan.most * port.plan.full
        T_wb, _ = self.once(self._weather, port.dry_bulb, port.wet_bulb)
        left = self.wanted(u.leaving_setpoint, port) * plan.holds + taken * T_wb
        follows = 1.0 - plan.holds - taken
        answer = port.mixing(stream, self.volume, dt).answer(s.leaving_temperature)
        return Stream(answer.constant + answer.slope * left, answer.slope * follows)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        C_flow, plan, inlet = port.capacity_rate["coolant"], port.plan, port.inlet["coolant"]
        T_wb, W = self.once(self._weather, port.dry_bulb, port.wet_bulb)
        setpoint = self.wanted(u.leaving_setpoint, port)
        heat = C_flow * ((inlet - setpoint) * plan.holds + plan.most * plan.full * (inlet - T_wb))
        C = self.volume * port.heat_capacity["coolant"]
        T = s.leaving_temperature + dt * (C_flow * (inlet - port.outlet["coolant"]) - heat) / C
        water = self._water(s, u, port, heat, T_wb, W, dt)
        empty = water.level <= 0.0
        dry, dry_at = latched(
            empty, s.dry, s.dry_at, lambda: moment_of_crossing(s.reserve, water.level, 0.0, port.now, dt)
        )
        after = replace(
            s,
            leaving_temperature=T,
            inlet_temperature=inlet + 0.0,
            reserve=library_of(water.level).maximum(water.level, 0.0),
            water_used=s.water_used + dt * water.makeup,
            dry=dry,
            dry_at=dry_at,
            **self.remembered(s, u, port, self.restart_delay),
        )
        out = self.Outputs(
            heat=heat,
            power=port.power,
            flow=port.flow["coolant"],
            fan_speed=plan.speed,
            evaporated=water.evaporated,
            makeup=water.makeup,
        )
        return after, out

    def _water(self, s: Any, u: Any, port: Ports, heat: Real, T_wb: Real, W: Real, dt: Real) -> Water:
        """The basin's water over a tick: E evaporates, D drifts off, B = E/(c - 1) - D is blown down, at least nothing.

        Source: balance of dissolved solids at c cycles of concentration; textbook.
        """
        xp, plan = library_of(heat), port.plan
        gone = tower.evaporation(T_wb, W, self._air_at_full_speed * plan.air, heat, plan.T_air)
        drift = self.drift * abs(port.flow["coolant"])
        supplied = 1.0 - u.makeup_lost
        blown = xp.maximum(gone / (self.concentration - 1.0) - drift, 0.0) * supplied
        used = gone + drift + blown
        short = xp.minimum(
            xp.maximum((self.basin_reserve - s.reserve) / dt, 0.0), self.basin_reserve / self.refill_time
        )
        makeup = supplied * (used + short)
        return Water(gone, makeup, s.reserve + dt * (makeup - used))

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.leaving_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat + port.power


class Water(NamedTuple):
    """Evaporated and made up over a tick [m3/s], and the reserve at its end [m3], below zero where it ran out."""

    evaporated: Real
    makeup: Real
    level: Real


def _turns(runs: Real, fan_failed: Real) -> Real:
    return runs * (1.0 - fan_failed)


def _regime(T_in: Real, T_wb: Real, setpoint: Real, most: Real) -> tuple[Real, Real]:
    """Whether it holds the setpoint, and whether full speed cannot; neither where there is nothing to gain."""
    gains = (T_in > setpoint) & (T_in > T_wb)
    holds = gains & (T_in - most * (T_in - T_wb) < setpoint)
    return holds, gains & (holds == 0)
