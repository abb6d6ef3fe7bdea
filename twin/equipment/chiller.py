"""Chiller: an air-cooled vapour-compression machine that trims its branch to a leaving temperature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.driven import STOPS, without_panel
from twin.equipment.parts.compressor import NO_LIFT, Compressor
from twin.physics import hydraulic
from twin.physics.electric import apparent
from twin.physics.supply import latched, share_alive

SURGE_BAND = 2.0
"""Kelvin of lift that it must fall before a machine that surged may run again; an estimate."""


@dataclass(slots=True)
class Plan:
    """What the machine foresees for a tick.

    The leaving temperature it goes for [K], what it can take there [W], whether it holds that or gives all it has,
    its power and the part of its controls in that [W]; what it can take at `reference` [K], and how that rises with
    the water leaving [W/K].
    Where it neither holds nor gives all it idles.
    """

    target: Real
    capacity: Real
    holds: Real
    full: Real
    power: Real
    standing: Real
    reference: Real
    there: Real
    slope: Real


@table
class Chiller(Compressor):
    """Capacity and power from EIR curves inside their limits; beyond them Carnot's form, from the curves' edge on.

    It holds the leaving setpoint until its capacity is reached, then gives all it has, more of it to warmer
    water. After a loss of supply or a stop it waits `restart_delay` and loads over `ramp_time`. Condenser
    entering temperature is the dry bulb (an air-cooled machine) plus `condenser_offset`. Below its least steady load
    the compressor cycles at that load's COP, or runs on with a `hot_gas_bypass`; both as means over the tick. Above
    `most_lift` it surges and stops. Oil return and losses of starting are left out. Without a valve of its own
    (`isolation_stroke`) a stopped machine lets its branch's water pass uncooled until it is `isolated`.
    """

    kind = "chiller"
    cools_by = "compressor"
    disturbs = ("heat",)
    feeds = (1, 2)
    streams: ClassVar[tuple[str, ...]] = ("coolant",)
    signals = ("standby", "uncontrolled")
    chilled: ClassVar[str] = "coolant"
    """The stream that it cools."""

    isolation_stroke: Real = quantity(
        "s", "time in which its own valve shuts its branch when it stops; 0: it has none", default=0.0, at_least=0
    )
    standing_power: Real = quantity("W", "controls and heaters while energised", default=2000.0, at_least=0)
    nominal_flow: Real = quantity("m^3/s", "water through the evaporator", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the evaporator at nominal flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in the evaporator", default=0.5, above=0)
    restart_delay: Real = quantity("s", "time from supply to first cooling", default=300.0, at_least=0)
    ramp_time: Real = quantity("s", "time from first to full cooling", default=180.0, at_least=0)
    power_factor: Real = quantity("1", "power factor of the drive", default=0.95, above=0, at_most=1)

    @table
    class Inputs(Compressor.Inputs):
        leaving_setpoint: Real = quantity("K", "leaving temperature wanted", default=291.15, above=250, below=350)
        isolated: Real = quantity("1", "1: its branch's valves are shut", default=0.0, at_least=0, at_most=1)
        condenser_fouled: Real = quantity("1", "1: its condenser is fouled", default=0.0, at_most=1, failure=True)

    @table
    class State(Compressor.State):
        leaving_temperature: Real = quantity("K", "water leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=298.15)
        uncontrolled: Real = without_panel()
        stopped: Real = flag(
            "stops",
            "is at full readiness again",
            because=(*STOPS, "surging: it surged", "cut_out: it cut out"),
            via="power",
        )
        isolation_valve: Real = quantity("1", "opening of its own valve", default=1.0)
        unable_for: Real = quantity("s", "time that it could not run if it were called", default=0.0)
        limited: Real = flag(
            "is at the limit of its capacity",
            "holds its setpoint again",
            because="more heat arrives than it can take",
            via="coolant",
        )
        surging: Real = flag(
            "surges and stops",
            "can run again",
            because="its lift is more than its compressor reaches: its condenser is too warm",
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat taken from the water", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)
        limited_for: Real = quantity("s", "time that it has been at the limit of its capacity", default=0.0)
        lost_for: Real = quantity("s", "time that it cannot run if it is called", default=0.0)

    def runs(self, s: Any, u: Any, hold: Any) -> Real:
        return self.once(_unless, super().runs(s, u, hold), s.surging)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        valve = port.drive.valve
        answer: Branch = self.once(self._branch, u.isolated, s.isolation_valve if valve is None else valve[1])
        return answer

    def _branch(self, isolated: Real, opening: Real) -> Branch:
        """A machine that stops lets water pass uncooled, until somebody isolates it or its own valve is shut."""
        a, b = hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1)
        shut = hydraulic.valve_resistance((1.0 - isolated) * opening)
        return Branch(0.0, a * shut, b * shut)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        drive = super().actuate(s, u, port, dt)
        if not self._has_valve or (drive.at_full and self.once(_is_open, s.isolation_valve)):
            return drive
        wanted = (drive.run.clock > 0) * 1.0
        moved, integral = hydraulic.ramp(s.isolation_valve, wanted, dt - port.gap, self._stroke)
        return drive._replace(valve=(moved, (integral + s.isolation_valve * port.gap) / dt))

    @cached_property
    def _has_valve(self) -> bool:
        return worth_doing(self.isolation_stroke)

    @cached_property
    def _stroke(self) -> Real:
        """Of its valve [s]; where it has none, one that never shuts within a run."""
        return library_of(self.isolation_stroke).where(self.isolation_stroke > 0, self.isolation_stroke, 1e18)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        target = self.once(self.target, self.wanted(u.leaving_setpoint, port))
        T_c = self.condenser_inlet(s, port)
        full, cop, _ = self.once(self.rating, target, T_c, u.condenser_fouled)
        lift = self.once(self.lift, target, T_c, u.condenser_fouled)
        ready = self.able_share(s, port, full, cop, dt)
        asked = port.capacity_rate[self.chilled] * (s.inlet_temperature - target)
        xp = library_of(asked)
        capacity, reference, there = full * ready, target, full * ready
        slope = self.once(self.slope, target, T_c, u.condenser_fouled) * ready
        holds, at_limit = _regime(asked, capacity)
        taken = xp.minimum(xp.maximum(asked, 0.0), capacity)
        if worth_doing(at_limit):
            warmer = self._warmer(s, port, target, ready, full, T_c, u.condenser_fouled)
            reference = xp.where(at_limit, warmer, target)
            at, cop, _ = self.rating(reference, T_c, u.condenser_fouled)
            there = at * ready
            slope = xp.where(at_limit, self.slope(reference, T_c, u.condenser_fouled) * ready, slope)
            lift, full, taken = self.lift(reference, T_c, u.condenser_fouled), at, xp.where(at_limit, there, taken)
        standing = self.once(self._standing, u.in_service) * share_alive(port.gap, dt)
        power = self.compressor_power(taken, full, cop, lift) + standing
        return Plan(target, capacity, holds, at_limit, power, standing, reference, there, slope)

    def _warmer(self, s: Any, port: Ports, target: Real, ready: Real, full: Real, T_c: Real, fouled: Real) -> Real:
        """What leaves a machine that gives all it has, from the inlet of the last tick [K]; see `leaves`."""
        C_flow, q = port.capacity_rate[self.chilled], self.slope(target, T_c, fouled)
        xp = library_of(C_flow)
        T = (C_flow * s.inlet_temperature - ready * (full - q * target)) / xp.maximum(C_flow + ready * q, 1e-9)
        return xp.maximum(T, target)

    def able_share(self, s: Any, port: Ports, full: Real, cop: Real, dt: Real) -> Real:
        """Share of its capacity that it can give in this tick [1]."""
        return port.drive.readiness

    def condenser_inlet(self, s: Any, port: Ports) -> Real:
        """Temperature of what enters the condenser [K]."""
        return self.once(self._condenser, port.dry_bulb)

    def _condenser(self, dry_bulb: Real) -> Real:
        return dry_bulb + self.condenser_offset

    def _standing(self, in_service: Real) -> Real:
        return self.standing_power * in_service

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan = port.plan
        asked = port.capacity_rate[self.chilled] * (port.inlet[self.chilled] - plan.target)
        holds, full = _regime(asked, plan.capacity)
        holds = holds | (plan.full & (asked <= 0.0))  # giving all it has overcools: it holds
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
        answer = port.mixing(self.chilled, self.volume, dt).answer(s.leaving_temperature)
        left, follows = self.leaves(port)
        return Stream(answer.constant + answer.slope * left, answer.slope * follows)

    def leaves(self, port: Ports) -> tuple[Real, Real]:
        """What leaves the evaporator, left + follows T_in [K].

        Holding, the setpoint. Giving all it has, the T that takes what the machine can at T:

            C (T_in - T) = Q_ref + q (T - T_ref)
        """
        plan, C_flow = port.plan, port.capacity_rate[self.chilled]
        left, follows = plan.target * plan.holds, 1.0 - plan.holds
        if not worth_doing(plan.full):
            return left, follows
        xp = library_of(C_flow)
        both = xp.maximum(C_flow + plan.slope, 1e-9)
        at_limit = (plan.slope * plan.reference - plan.there) / both
        return left + xp.where(plan.full, at_limit, 0.0), xp.where(plan.full, C_flow / both, follows)

    def taken(self, port: Ports) -> Real:
        """Heat taken from the water [W], mean over the tick."""
        left, follows = self.leaves(port)
        inlet = port.inlet[self.chilled]
        return port.capacity_rate[self.chilled] * (inlet * (1.0 - follows) - left)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        heat = self.taken(port)
        after = self.on(s, u, port, heat, dt)
        limited_for = (port.now + dt - after.limited_at) * after.limited
        out = self.Outputs(
            heat=heat,
            power=port.power,
            flow=port.flow[self.chilled],
            limited_for=limited_for,
            lost_for=after.unable_for,
        )
        return after, out

    def on(self, s: Any, u: Any, port: Ports, heat: Real, dt: Real) -> Any:
        """The State of evaporator and machine one tick on, with so much heat taken [W]."""
        C_flow, plan, inlet = port.capacity_rate[self.chilled], port.plan, port.inlet[self.chilled]
        gained = C_flow * (inlet - port.outlet[self.chilled]) - heat
        ready = self.once(self._is_ready, port.drive.run.clock)
        if port.drive.hold is not None:
            ready = ready & (port.gap == 0)
        limited, limited_at = latched(plan.full & ready, s.limited, s.limited_at, port.now)
        after = {
            "leaving_temperature": s.leaving_temperature + dt * gained / self._volume_capacity(port),
            "inlet_temperature": inlet,
            "limited": limited,
            "limited_at": limited_at,
        }
        if self._can_surge:
            lift = self.lift(plan.target, self.condenser_inlet(s, port), u.condenser_fouled)
            over = lift > self.most_lift - SURGE_BAND * s.surging
            over = over & ((port.drive.run.clock > 0) | (s.surging > 0))
            after["surging"], after["surging_at"] = latched(over, s.surging, s.surging_at, port.now)
        if port.drive.valve is not None:
            after["isolation_valve"] = port.drive.valve[0]
        if not (port.drive.at_full and self.once(_is_none, s.unable_for)):
            unable = (self.runs(s, u, port.drive.hold) <= 0) | (port.gap >= dt)
            after["unable_for"] = (s.unable_for + dt) * unable
        return replace(s, **after, **self.remembered(s, u, port, self._time_to_full))

    @cached_property
    def _can_surge(self) -> bool:
        return worth_doing(self.most_lift < NO_LIFT)

    @cached_property
    def _time_to_full(self) -> Real:
        """Seconds from supply to full cooling."""
        return self.restart_delay + self.ramp_time

    def _is_ready(self, clock: Real) -> Real:
        return clock >= self._time_to_full

    def _volume_capacity(self, port: Ports) -> Real:
        return self.volume * port.heat_capacity[self.chilled]

    def stored(self, s: Any, port: Ports) -> Real:
        return self._volume_capacity(port) * s.leaving_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat + port.power


def _unless(runs: Real, surging: Real) -> Real:
    return runs * (1.0 - surging)


def _is_open(valve: Real) -> bool:
    return not worth_doing(valve < 1.0)


def _is_none(seconds: Real) -> bool:
    return not worth_doing(seconds)


def _regime(asked: Real, capacity: Real) -> tuple[Real, Real]:
    """Whether it holds its setpoint, and whether its capacity cannot hold it; neither where nothing is asked."""
    works = asked > 0.0
    full = works & (asked > capacity)
    return works & (full == 0), full
