"""Chiller: an air-cooled vapour-compression machine that trims its branch to a leaving temperature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import Driven
from twin.physics import hydraulic
from twin.physics.electric import apparent
from twin.physics.machine import biquadratic, carnot_cop, quadratic
from twin.physics.supply import latched, share_alive


@dataclass(slots=True)
class Plan:
    """What the machine foresees: what it can take [W], whether it holds its setpoint or gives all, its power [W].

    Where it does neither it idles.
    """

    capacity: Real
    holds: Real
    full: Real
    power: Real


@table
class Chiller(Driven):
    """Capacity and power from EIR curves inside their limits, else from a share of Carnot's COP.

    It holds the leaving setpoint until its capacity is reached, then gives all it has. After a loss
    of supply or a stop it waits `restart_delay` and loads over `ramp_time`. Condenser entering
    temperature is the dry bulb (an air-cooled machine) plus `condenser_offset`. Surge, hot-gas
    bypass and oil return are left out, and so is, outside the curves, capacity gained with warmer water.
    Below `least_load` the compressor cycles at that load's COP. A stopped machine lets its branch's water
    pass uncooled until it is `isolated`; nothing does that by itself.
    """

    kind = "chiller"
    disturbs = ("heat",)
    feeds = (1, 2)
    streams = ("coolant",)

    cooling_capacity: Real = quantity("W", "heat taken at the rating point", above=0, at_most=1e8)
    rated_cop: Real = quantity("1", "coefficient of performance at the rating point", above=0, at_most=30)
    carnot_effectiveness: Real = quantity("1", "share of Carnot's COP outside the curves", above=0, below=1)
    evaporator_approach: Real = quantity("K", "leaving water above evaporating temperature", default=2.0, at_least=0)
    condenser_approach: Real = quantity("K", "condensing above condenser entering temperature", above=0, at_most=60)
    condenser_offset: Real = quantity("K", "condenser entering above dry bulb", default=0.0, at_most=30)
    least_lift: Real = quantity("K", "smallest lift the compressor keeps", default=15.0, above=0)
    rating_ambient: Real = quantity("K", "dry bulb of the rating point", default=308.15, above=250, below=350)
    capacity_slope: Real = quantity("1/K", "capacity lost per kelvin of dry bulb above rating", default=0.01)
    has_curves: Real = quantity("1", "1 where the EIR curves below are given", default=0.0, at_least=0, at_most=1)
    capacity_c0: Real = quantity("1", "CapFT constant", default=1.0)
    capacity_c1: Real = quantity("1/K", "CapFT by leaving temperature", default=0.0)
    capacity_c2: Real = quantity("1/K^2", "CapFT by leaving temperature squared", default=0.0)
    capacity_c3: Real = quantity("1/K", "CapFT by condenser temperature", default=0.0)
    capacity_c4: Real = quantity("1/K^2", "CapFT by condenser temperature squared", default=0.0)
    capacity_c5: Real = quantity("1/K^2", "CapFT by both", default=0.0)
    input_c0: Real = quantity("1", "EIRFT constant", default=1.0)
    input_c1: Real = quantity("1/K", "EIRFT by leaving temperature", default=0.0)
    input_c2: Real = quantity("1/K^2", "EIRFT by leaving temperature squared", default=0.0)
    input_c3: Real = quantity("1/K", "EIRFT by condenser temperature", default=0.0)
    input_c4: Real = quantity("1/K^2", "EIRFT by condenser temperature squared", default=0.0)
    input_c5: Real = quantity("1/K^2", "EIRFT by both", default=0.0)
    part_load_c0: Real = quantity("1", "EIRFPLR constant", default=0.0)
    part_load_c1: Real = quantity("1", "EIRFPLR by part load", default=1.0)
    part_load_c2: Real = quantity("1", "EIRFPLR by part load squared", default=0.0)
    least_leaving: Real = quantity("K", "lowest leaving temperature of the curves", default=277.15, above=200)
    most_leaving: Real = quantity("K", "highest leaving temperature of the curves", default=283.15, above=200)
    least_condenser: Real = quantity("K", "lowest condenser temperature of the curves", default=288.15, above=200)
    most_condenser: Real = quantity("K", "highest condenser temperature of the curves", default=325.15, above=200)
    least_load: Real = quantity("1", "smallest steady part load", default=0.15, at_least=0, below=1)
    standing_power: Real = quantity("W", "controls and heaters while energised", default=2000.0, at_least=0)
    nominal_flow: Real = quantity("m^3/s", "water through the evaporator", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the evaporator at nominal flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in the evaporator", default=0.5, above=0)
    restart_delay: Real = quantity("s", "time from supply to first cooling", default=300.0, at_least=0)
    ramp_time: Real = quantity("s", "time from first to full cooling", default=180.0, at_least=0)
    power_factor: Real = quantity("1", "power factor of the drive", default=0.95, above=0, at_most=1)

    @table
    class Inputs(Driven.Inputs):
        leaving_setpoint: Real = quantity("K", "leaving temperature wanted", default=291.15, above=250, below=350)
        isolated: Real = quantity("1", "1: its branch's valves are shut", default=0.0, at_least=0, at_most=1)

    @table
    class State(Driven.State):
        leaving_temperature: Real = quantity("K", "water leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=298.15)
        stopped: Real = flag(
            "stops", "is at full readiness again", because="it lost its supply or was stopped", via="power"
        )
        limited: Real = flag(
            "is at the limit of its capacity", "holds its setpoint again", because="more heat arrives than it can take"
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat taken from the water", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)

    def nominal_power(self) -> Real:
        return self.cooling_capacity / self.rated_cop

    def rating(self, T_leaving: Real, T_condenser: Real) -> tuple[Real, Real, Real]:
        """Capacity [W], COP at full load [1], whether the curves hold; at leaving and condenser temperatures [K]."""
        xp = library_of(T_leaving + T_condenser)
        x, y = T_leaving - 273.15, T_condenser - 273.15
        inside = (self.has_curves > 0) & (T_leaving >= self.least_leaving) & (T_leaving <= self.most_leaving)
        inside = inside & (T_condenser >= self.least_condenser) & (T_condenser <= self.most_condenser)
        by_curve = biquadratic(tuple(getattr(self, f"capacity_c{i}") for i in range(6)), x, y)
        input_ratio = biquadratic(tuple(getattr(self, f"input_c{i}") for i in range(6)), x, y)
        by_slope = xp.maximum(
            1.0 - self.capacity_slope * (T_condenser - self.condenser_offset - self.rating_ambient), 0.1
        )
        carnot = carnot_cop(
            self.carnot_effectiveness,
            T_leaving - self.evaporator_approach,
            T_condenser + self.condenser_approach,
            self.least_lift,
        )
        capacity = self.cooling_capacity * xp.where(inside, by_curve, xp.minimum(by_slope, 1.1))
        return capacity, xp.where(inside, self.rated_cop / input_ratio, carnot), inside

    def power(self, heat: Real, T_leaving: Real, T_condenser: Real) -> Real:
        """Compressor power [W] to take `heat` [W]; EIR P = Q_ref CapFT/COP_ref EIRFT EIRFPLR(PLR) inside the curves.

        Source: EnergyPlus Engineering Reference, Chiller:Electric:EIR; Carnot form as Modelica Buildings.
        """
        capacity, cop, inside = self.rating(T_leaving, T_condenser)
        return self._power(heat, capacity, cop, inside)

    def _power(self, heat: Real, capacity: Real, cop: Real, inside: Real) -> Real:
        xp = library_of(heat)
        ratio = xp.maximum(heat, 0.0) / capacity
        if not worth_doing(inside):
            return capacity / cop * ratio
        steady = xp.maximum(ratio, self.least_load)
        part = quadratic((self.part_load_c0, self.part_load_c1, self.part_load_c2), steady)
        cycling = xp.minimum(ratio / xp.maximum(self.least_load, 1e-9), 1.0)
        return capacity / cop * xp.where(inside, part * cycling, ratio)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, u.isolated)
        return answer

    def _branch(self, isolated: Real) -> Branch:
        """A machine that stops lets water pass uncooled, until somebody isolates it."""
        a, b = hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1)
        shut = hydraulic.valve_resistance(1.0 - isolated)
        return Branch(0.0, a * shut, b * shut)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        full, cop, inside = self.once(self.rating, u.leaving_setpoint, self.once(self._condenser, port.dry_bulb))
        capacity = full * port.drive.readiness
        asked = port.capacity_rate["coolant"] * (s.inlet_temperature - u.leaving_setpoint)
        xp = library_of(asked)
        taken = xp.minimum(xp.maximum(asked, 0.0), capacity)
        standing = self.once(self._standing, u.in_service) * share_alive(port.gap, dt)
        power = self._power(taken, full, cop, inside) + standing
        return Plan(capacity, *_regime(asked, capacity), power)

    def _condenser(self, dry_bulb: Real) -> Real:
        """Temperature at which air enters the condenser [K]."""
        return dry_bulb + self.condenser_offset

    def _standing(self, in_service: Real) -> Real:
        return self.standing_power * in_service

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan = port.plan
        asked = port.capacity_rate["coolant"] * (port.inlet["coolant"] - u.leaving_setpoint)
        holds, full = _regime(asked, plan.capacity)
        changed = (holds != plan.holds) | (full != plan.full)
        plan.holds, plan.full = holds, full
        return changed

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.plan.power * self._apparent

    @cached_property
    def _apparent(self) -> Real:
        return apparent(self.power_factor)

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        plan, C_flow = port.plan, port.capacity_rate[stream]
        xp = library_of(C_flow)
        left = u.leaving_setpoint * plan.holds
        if worth_doing(plan.full):
            left = left - xp.where(plan.full, plan.capacity / xp.maximum(C_flow, 1e-9), 0.0)
        answer = port.mixing(stream, self.volume, dt).answer(s.leaving_temperature)
        return Stream(answer.constant + answer.slope * left, answer.slope * (1.0 - plan.holds))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        C_flow, plan = port.capacity_rate["coolant"], port.plan
        inlet = port.inlet["coolant"]
        heat = C_flow * (inlet - u.leaving_setpoint) * plan.holds
        if worth_doing(plan.full):
            heat = library_of(heat).where(plan.full, plan.capacity, heat)
        T = s.leaving_temperature + dt * (C_flow * (inlet - port.outlet["coolant"]) - heat) / self._volume_capacity(
            port
        )
        ready = self.once(self._is_ready, port.drive.run.clock)
        if port.drive.hold is not None:
            ready = ready & (port.gap == 0)
        limited, limited_at = latched(plan.full & ready, s.limited, s.limited_at, port.now)
        after = replace(
            s,
            leaving_temperature=T,
            inlet_temperature=inlet,
            limited=limited,
            limited_at=limited_at,
            **self.remembered(s, u, port, self._time_to_full),
        )
        return after, self.Outputs(heat=heat, power=port.power, flow=port.flow["coolant"])

    @cached_property
    def _time_to_full(self) -> Real:
        """Seconds from supply to full cooling."""
        return self.restart_delay + self.ramp_time

    def _is_ready(self, clock: Real) -> Real:
        return clock >= self._time_to_full

    def _volume_capacity(self, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"]

    def stored(self, s: Any, port: Ports) -> Real:
        return self._volume_capacity(port) * s.leaving_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat + port.power


def _regime(asked: Real, capacity: Real) -> tuple[Real, Real]:
    """Whether it holds its setpoint, and whether its capacity cannot hold it; neither where nothing is asked."""
    works = asked > 0.0
    full = works & (asked > capacity)
    return works & (full == 0), full
