"""Hydraulic branch of a rack: its plates and manifolds, quick disconnects, and the valve that balances it."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, quantity, table
from twin.equipment.parts.rack_at_work import RackAtWork
from twin.physics import hydraulic

LEAST_VALVE = 0.05
"""Least opening of a rack's valve in flow control. Estimate."""
VALVE_STROKE = 60.0
"""Time of that valve from shut to open [s]. Estimate."""


@table
class RackBranch(RackAtWork):
    """A fixed resistance with a balancing valve before it: set by hand, or giving the flow that its inlet asks for."""

    nominal_flow: Real = quantity("m^3/s", "coolant flow of the rating point", above=0, at_most=0.1)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the rack at nominal flow", above=0, at_most=1e6)
    laminar_share: Real = quantity("1", "share of that loss in proportion to flow", default=0.107, above=0, at_most=1)
    rating_inlet: Real = quantity("K", "coolant entering at the rating point", default=313.15, above=250, below=350)
    wanted_return: Real = quantity(
        "K", "coolant leaving that its flow control aims at, at full work", default=328.15, above=250, below=370
    )

    @table
    class Inputs(RackAtWork.Inputs):
        isolated: Real = quantity("1", "1: its quick disconnects are shut", default=0.0, failure=True)
        balancing_valve: Real = quantity(
            "1", "opening of its balancing valve: flow at the same pressure, of that with it open", default=1.0,
            at_least=0.05, at_most=1,
        )  # fmt: skip
        flow_control: Real = quantity(
            "1", "1: the valve gives the flow that its inlet temperature asks for", default=0.0, at_least=0, at_most=1
        )

    @table
    class State(RackAtWork.State):
        flow_valve: Real = quantity("1", "opening of its balancing valve", default=1.0)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, u.isolated)
        if not self.once(_throttles, s.flow_valve):
            return answer
        factor = hydraulic.valve_resistance(s.flow_valve)
        return Branch(answer.head, answer.laminar * factor, answer.turbulent * factor)

    def flow_demand(self, inlet: Real) -> Real:
        """Flow [m3/s] that full work wants of coolant entering at a temperature [K], to leave as warm as wanted.

            q = q_n (T_return - T_n)/(T_return - T_inlet)

        Source: closed form of Lenovo Press LP2357, Table 27 (a return of 55 degC), within 1 %.
        """
        rise = library_of(inlet).maximum(self.wanted_return - inlet, 1.0)
        return self.nominal_flow * (self.wanted_return - self.rating_inlet) / rise

    def _next_valve(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Opening of the balancing valve for the next tick [1]: as set, or what gives the flow asked for."""
        if not worth_doing(u.flow_control):
            return self.once(_copied, u.balancing_valve)
        flow = port.flow["coolant"]
        xp = library_of(flow)
        wanted = s.flow_valve * self.flow_demand(port.inlet["coolant"]) / xp.maximum(abs(flow), 1e-9)
        reach = dt / VALVE_STROKE
        moved = xp.minimum(xp.maximum(wanted, s.flow_valve - reach), s.flow_valve + reach)
        return xp.where(u.flow_control > 0, xp.minimum(xp.maximum(moved, LEAST_VALVE), 1.0), u.balancing_valve)

    def _branch(self, isolated: Real) -> Branch:
        a, b = hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, self.laminar_share)
        factor = hydraulic.valve_resistance(1.0 - isolated)
        return Branch(0.0, a * factor, b * factor)


def _throttles(opening: Real) -> bool:
    """Whether any valve is not open."""
    return worth_doing(opening != 1.0)


def _copied(opening: Real) -> Real:
    return opening + 0.0
