"""Dry cooler: fans and finned coils that give a branch's heat to the outdoor air."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Equipment, Ports, Real, Stream, flag, mode, quantity, replace, table
from twin.physics import hydraulic, thermal
from twin.physics.machine import moment_of_restart, restart
from twin.physics.supply import latched

AIR_DENSITY_CP = 1.15e3
"""rho cp of outdoor air near 35 degC [J/(m3 K)]; textbook."""
IDLE, HOLDS, FULL = 0.0, 1.0, 2.0


class Drive(NamedTuple):
    """How far the fans may turn in a tick (mean, of nominal) the restart clock, and whether it is asked to run."""

    readiness: Real
    clock: Real
    runs: Real


class Plan:
    """What the cooler foresees: share of the inlet difference it can take at most, and its regime."""

    __slots__ = ("most", "power", "regime")

    def __init__(self, most: Real, regime: Real, power: Real) -> None:
        self.most, self.regime, self.power = most, regime, power


@table
class DryCooler(Equipment):
    """A counterflow coil whose fans slow down to hold the leaving setpoint and stop when the air is too warm.

    Air-side conductance goes with speed^0.8, water-side with flow^0.85, fan power with speed^3
    (BAC Trillium data in Modelica Buildings). Coils in still air and wetting are left out.
    """

    kind = "dry_cooler"
    disturbs = ("heat",)
    feeds = (1, 2)
    streams = ("coolant",)

    coil_conductance: Real = quantity("W/K", "UA at nominal flows", above=0, at_most=1e8)
    air_flow: Real = quantity("m^3/s", "air moved at full speed", above=0, at_most=1e4)
    fan_power: Real = quantity("W", "electric power of the fans at full speed", above=0, at_most=1e7)
    nominal_flow: Real = quantity("m^3/s", "water through the coils", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the coils at nominal flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in the coils", default=0.5, above=0)
    restart_delay: Real = quantity("s", "time from supply to the first air", default=30.0, at_least=0)
    ramp_time: Real = quantity("s", "time to full air", default=30.0, at_least=0)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 runs, 0 is out of service", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        leaving_setpoint: Real = quantity("K", "leaving temperature wanted", default=291.15, above=250, below=350)

    @table
    class State:
        run_clock: Real = quantity("s", "time it has been allowed to run", default=1e9)
        leaving_temperature: Real = quantity("K", "water leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=298.15)
        stopped: Real = flag("stops", "moves air again", because="it lost its supply or was stopped", via="power")

    @table
    class Outputs:
        heat: Real = quantity("W", "heat given to the outdoor air", default=0.0)
        power: Real = quantity("W", "electric power", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)

    def nominal_power(self) -> Real:
        return self.fan_power

    def share(self, speed: Real, C_flow: Real, flow: Real) -> Real:
        """Share of (T_in - T_air) by which the water is cooled at a fan speed [1]."""
        xp = library_of(speed)
        air = xp.maximum(speed, 1e-6) ** 0.8
        water = xp.maximum(abs(flow) / self.nominal_flow, 1e-9) ** 0.85
        UA = self.coil_conductance * 2.0 * air * water / (air + water)
        K = thermal.exchanger_conductance(UA, self.air_flow * AIR_DENSITY_CP * xp.maximum(speed, 1e-6), C_flow)
        return K / xp.maximum(C_flow, 1e-9)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Drive:
        asked = u.in_service * ((u.mode == 1.0) | (u.mode == 2.0))
        clock, readiness = restart(s.run_clock, dt - port.gap, asked, self.restart_delay, self.ramp_time, dt)
        return Drive(readiness, clock, asked)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        a, b = hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1)
        return Branch(0.0, a, b)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        C_flow, flow = port.capacity_rate["coolant"], port.flow["coolant"]
        ready = port.drive.readiness
        most = self.share(ready, C_flow, flow) * (ready > 0)
        regime = self._regime(u, port, s.inlet_temperature, most)
        speed = self._speed(u, port, s.inlet_temperature, most, regime, ready)
        return Plan(most, regime, self.fan_power * speed * speed * speed)

    def _regime(self, u: Any, port: Ports, T_in: Real, most: Real) -> Real:
        """IDLE when there is nothing to gain, FULL where full speed cannot hold the setpoint, else HOLDS."""
        xp = library_of(T_in)
        idle = (T_in <= u.leaving_setpoint) | (T_in <= port.dry_bulb)
        holds = T_in - most * (T_in - port.dry_bulb) < u.leaving_setpoint
        return xp.where(idle, IDLE, xp.where(holds, HOLDS, FULL))

    def _speed(self, u: Any, port: Ports, T_in: Real, most: Real, regime: Real, ready: Real) -> Real:
        """Fan speed [1]: full, stopped, or what just holds the setpoint, by three steps of a fixed iteration."""
        xp = library_of(T_in)
        speed = xp.where(regime == FULL, ready, 0.0)
        if worth_doing(regime == HOLDS):
            above = xp.maximum(T_in - port.dry_bulb, 1e-6)
            wanted = xp.minimum(xp.maximum((T_in - u.leaving_setpoint) / above, 1e-4), 1.0)
            trial = ready * (wanted / xp.maximum(most, 1e-9))
            for _ in range(3):
                got = self.share(trial, port.capacity_rate["coolant"], port.flow["coolant"])
                trial = xp.minimum(trial * (wanted / xp.maximum(got, 1e-9)) ** 1.3, ready)
            speed = xp.where(regime == HOLDS, trial, speed)
        return speed

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        regime = self._regime(u, port, port.inlet["coolant"], port.plan.most)
        changed = regime != port.plan.regime
        port.plan.regime = regime
        return changed

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.plan.power * (1.0 + 0.0j)

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        regime, most = port.plan.regime, port.plan.most
        xp = library_of(regime)
        C_flow = port.capacity_rate[stream]
        left = xp.where(regime == HOLDS, u.leaving_setpoint, xp.where(regime == FULL, most * port.dry_bulb, 0.0))
        follows = xp.where(regime == HOLDS, 0.0, xp.where(regime == FULL, 1.0 - most, 1.0))
        C = self.volume * port.heat_capacity[stream]
        answer = thermal.stir(s.leaving_temperature, C_flow, C, dt)
        return Stream(answer.constant + answer.slope * left, answer.slope * follows)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        C_flow, regime, most = port.capacity_rate["coolant"], port.plan.regime, port.plan.most
        xp = library_of(regime)
        inlet = port.inlet["coolant"]
        held = inlet - u.leaving_setpoint
        heat = C_flow * xp.where(regime == HOLDS, held, xp.where(regime == FULL, most * (inlet - port.dry_bulb), 0.0))
        C = self.volume * port.heat_capacity["coolant"]
        T = s.leaving_temperature + dt * (C_flow * (inlet - port.outlet["coolant"]) - heat) / C
        drive = port.drive
        moment = partial(moment_of_restart, s.run_clock, dt - port.gap, drive.runs, self.restart_delay, port.now, dt)
        stopped, at = latched(drive.clock < self.restart_delay, s.stopped, s.stopped_at, moment)
        after = replace(
            s,
            run_clock=port.drive.clock,
            leaving_temperature=T,
            inlet_temperature=inlet,
            stopped=stopped,
            stopped_at=at,
        )
        return after, self.Outputs(heat=heat, power=port.power, flow=port.flow["coolant"])

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.leaving_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat + port.power
