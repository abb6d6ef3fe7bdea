"""Dry cooler: fans and finned coils that give a branch's heat to the outdoor air."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import STOPS, Driven, without_panel
from twin.equipment.parts.outdoor_reset import OutdoorReset
from twin.physics import hydraulic, thermal
from twin.physics.fluids import OUTDOOR_AIR

LEAST_FLOW = 1e-9
"""Heat-capacity rate [W/K] that stands for none where something divides by it."""


@dataclass(slots=True)
class Plan:
    """What the cooler foresees.

    The share of the inlet difference it can take at most [1], whether it holds its setpoint or gives all it
    has, the speed of its fans, of nominal [1], and their power [W].

    Where it does neither it idles.
    """

    most: Real
    holds: Real
    full: Real
    speed: Real
    power: Real


@table
class DryCooler(OutdoorReset, Driven):
    """A counterflow coil whose fans slow down to hold the leaving setpoint and stop when the air is too warm.

    Air-side conductance goes with speed^0.8, water-side with flow^0.85, fan power with speed^3
    (BAC Trillium data in Modelica Buildings). Coils in still air and wetting are left out.
    """

    kind = "dry_cooler"
    cools_by = "weather"
    disturbs = ("heat",)
    feeds = (1, 2)
    streams = ("coolant",)
    signals = ("standby", "uncontrolled")

    coil_conductance: Real = quantity("W/K", "UA at nominal flows", above=0, at_most=1e8)
    air_flow: Real = quantity("m^3/s", "air moved at full speed", above=0, at_most=1e4)
    fan_power: Real = quantity("W", "electric power of the fans at full speed", above=0, at_most=1e7)
    nominal_flow: Real = quantity("m^3/s", "water through the coils", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the coils at nominal flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in the coils", default=0.5, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first air", default=30.0, at_least=0)
    ramp_time: Real = quantity("s", "time to full air", default=30.0, at_least=0)

    @table
    class Inputs(Driven.Inputs):
        leaving_setpoint: Real = quantity("K", "leaving temperature wanted", default=291.15, above=250, below=350)

    @table
    class State(Driven.State):
        leaving_temperature: Real = quantity("K", "water leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=298.15)
        uncontrolled: Real = without_panel()
        stopped: Real = flag("stops", "moves air again", because=STOPS, via="power")

    @table
    class Outputs:
        heat: Real = quantity("W", "heat given to the outdoor air", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)

    def nominal_power(self) -> Real:
        return self.fan_power

    def share(self, speed: Real, C_flow: Real, flow: Real) -> Real:
        """Share of (T_in - T_air) by which the water is cooled at a fan speed [1]."""
        return self._conductance(speed, C_flow, self._water_film(flow)) / library_of(C_flow).maximum(C_flow, LEAST_FLOW)

    def _water_film(self, flow: Real) -> Real:
        """Resistance of the water side, of that at nominal flow [1]."""
        return thermal.film_resistance(abs(flow) / self.nominal_flow, 0.85)

    def _conductance(self, speed: Real, C_flow: Real, water: Real) -> Real:
        """Heat per kelvin between the inlets of water and air [W/K]."""
        turning = library_of(speed).maximum(speed, 1e-6)
        UA = self._twice_UA / (turning**-0.8 + water)
        return thermal.exchanger_conductance(UA, self._air_capacity_rate * turning, C_flow)

    @cached_property
    def _twice_UA(self) -> Real:
        return self.coil_conductance * 2.0

    @cached_property
    def _air_capacity_rate(self) -> Real:
        """Of the air at full speed [W/K]."""
        return self.air_flow * OUTDOOR_AIR

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        return self._branch

    @cached_property
    def _branch(self) -> Branch:
        return Branch(0.0, *hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1))

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        C_flow, ready = port.capacity_rate["coolant"], port.drive.readiness
        T_in, air, water = s.inlet_temperature, self.air(u, port), self._water_film(port.flow["coolant"])
        C_least = library_of(C_flow).maximum(C_flow, LEAST_FLOW)
        full_speed = self._conductance(ready, C_flow, water)
        most = full_speed / C_least
        if worth_doing(ready <= 0):
            most = most * (ready > 0)
        setpoint = self.wanted(u.leaving_setpoint, port)
        holds, full = _regime(T_in, air, setpoint, most)
        speed = ready * full
        if worth_doing(holds):
            xp = library_of(T_in)
            wanted = (T_in - setpoint) / xp.maximum(T_in - air, 1e-6)
            wanted = xp.minimum(xp.maximum(wanted, 1e-4), 1.0)
            speed = xp.where(holds, self._speed(wanted * C_least, full_speed, ready, C_flow, water), speed)
        return Plan(most, holds, full, speed, self.fan_power * speed * speed * speed)

    def air(self, u: Any, port: Ports) -> Real:
        """Temperature of the air that enters each coil [K]."""
        return self.once(self._air, port.dry_bulb)

    def _air(self, dry_bulb: Real) -> Real:
        """Temperature of the air that enters each coil [K]."""
        return dry_bulb + 0.0 * self.fan_power

    def _speed(self, wanted: Real, most: Real, ready: Real, C_flow: Real, water: Real) -> Real:
        """Fan speed [1] for a wanted conductance between the inlets [W/K], by three steps of a fixed iteration."""
        larger, smaller = library_of(wanted).maximum, library_of(wanted).minimum
        trial = ready * (wanted / larger(most, LEAST_FLOW))
        for _ in range(3):
            got = self._conductance(trial, C_flow, water)
            trial = smaller(trial * (wanted / larger(got, LEAST_FLOW)) ** 1.3, ready)
        return trial

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan = port.plan
        air, setpoint = self.air(u, port), self.wanted(u.leaving_setpoint, port)
        holds, full = _regime(port.inlet["coolant"], air, setpoint, plan.most)
        changed = (holds != plan.holds) | (full != plan.full)
        plan.holds, plan.full = holds, full
        return changed

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.plan.power * (1.0 + 0.0j)

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        plan, taken = port.plan, port.plan.most * port.plan.full
        left = self.wanted(u.leaving_setpoint, port) * plan.holds + taken * self.air(u, port)
        follows = 1.0 - plan.holds - taken
        answer = port.mixing(stream, self.volume, dt).answer(s.leaving_temperature)
        return Stream(answer.constant + answer.slope * left, answer.slope * follows)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        C_flow, plan = port.capacity_rate["coolant"], port.plan
        inlet, air = port.inlet["coolant"], self.air(u, port)
        setpoint = self.wanted(u.leaving_setpoint, port)
        heat = C_flow * ((inlet - setpoint) * plan.holds + plan.most * plan.full * (inlet - air))
        C = self.volume * port.heat_capacity["coolant"]
        T = s.leaving_temperature + dt * (C_flow * (inlet - port.outlet["coolant"]) - heat) / C
        after = replace(
            s,
            leaving_temperature=T,
            inlet_temperature=inlet,
            **self.remembered(s, u, port, self.restart_delay),
        )
        return after, self.Outputs(heat=heat, power=port.power, flow=port.flow["coolant"])

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.leaving_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat + port.power


def _regime(T_in: Real, air: Real, setpoint: Real, most: Real) -> tuple[Real, Real]:
    """Whether the fans hold the setpoint, and whether full speed cannot; neither where there is nothing to gain."""
    gains = (T_in > setpoint) & (T_in > air)
    holds = gains & (T_in - most * (T_in - air) < setpoint)
    return holds, gains & (holds == 0)
