"""Heat sink: a heat network or other user of warm water outside the site, that takes heat at its own temperature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from twin.arrays import library_of
from twin.declare import Branch, Equipment, Ports, Real, Stream, quantity, replace, table
from twin.physics import hydraulic


@dataclass(slots=True)
class Plan:
    """Most heat that it takes [W]; whether it cools to its return temperature, or takes all it can."""

    most: Real
    holds: Real
    full: Real


@table
class HeatSink(Equipment):
    """Cools its branch to the return temperature of the network behind it, as far as its demand goes.

    What it takes is heat used again: it leaves the site, and counts in the energy reuse effectiveness of a year. The
    network's own pumps, losses and price are left out.
    """

    kind = "heat_sink"
    cools_by = "reuse"
    disturbs = ("heat",)
    streams = ("coolant",)

    rated_heat: Real = quantity("W", "heat that it takes at full demand", above=0, at_most=1e9)
    nominal_flow: Real = quantity("m^3/s", "water through it", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in it at nominal flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in its station", default=0.5, above=0)

    @table
    class Inputs:
        leaving_setpoint: Real = quantity(
            "K", "leaving temperature wanted: the network's return", default=308.15, above=250, below=350
        )
        heat_demand: Real = quantity("1", "heat wanted, of rated", default=1.0, at_least=0, at_most=1)

    @table
    class State:
        leaving_temperature: Real = quantity("K", "water leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "water entering, mean of the last tick", default=298.15)

    @table
    class Outputs:
        heat: Real = quantity("W", "heat used again", default=0.0)
        flow: Real = quantity("m^3/s", "water flow", default=0.0)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        return self._branch

    @cached_property
    def _branch(self) -> Branch:
        return Branch(0.0, *hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.1))

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        most = self.rated_heat * u.heat_demand
        return Plan(most, *_regime(port.capacity_rate["coolant"] * (s.inlet_temperature - u.leaving_setpoint), most))

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan = port.plan
        holds, full = _regime(port.capacity_rate["coolant"] * (port.inlet["coolant"] - u.leaving_setpoint), plan.most)
        changed = (holds != plan.holds) | (full != plan.full)
        plan.holds, plan.full = holds, full
        return changed

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        plan, C_flow = port.plan, port.capacity_rate["coolant"]
        taken = plan.most * plan.full / library_of(C_flow).maximum(C_flow, 1e-9)
        answer = port.mixing(stream, self.volume, dt).answer(s.leaving_temperature)
        left = u.leaving_setpoint * plan.holds - taken
        return Stream(answer.constant + answer.slope * left, answer.slope * (1.0 - plan.holds))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        plan, C_flow, inlet = port.plan, port.capacity_rate["coolant"], port.inlet["coolant"]
        heat = C_flow * (inlet - u.leaving_setpoint) * plan.holds + plan.most * plan.full
        C = self.volume * port.heat_capacity["coolant"]
        T = s.leaving_temperature + dt * (C_flow * (inlet - port.outlet["coolant"]) - heat) / C
        after = replace(s, leaving_temperature=T, inlet_temperature=inlet)
        return after, self.Outputs(heat=heat, flow=port.flow["coolant"])

    def stored(self, s: Any, port: Ports) -> Real:
        return self.volume * port.heat_capacity["coolant"] * s.leaving_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat


def _regime(asked: Real, most: Real) -> tuple[Real, Real]:
    """Whether it cools to its setpoint, and whether its demand is less; neither where nothing is to be taken."""
    works = asked > 0.0
    full = works & (asked > most)
    return works & (full == 0), full
