"""Heat exchanger: plates between two loops, for water-side economisers and for heat that is used again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.arrays import library_of
from twin.declare import Branch, Ports, Real, Stream, quantity, replace, table
from twin.equipment.parts.outdoor_reset import OutdoorReset
from twin.physics import hydraulic, thermal


@dataclass(slots=True)
class Plan:
    """Heat per kelvin between the inlets [W/K]; whether its bypass holds the setpoint, or all passes the plates."""

    conductance: Real
    holds: Real
    full: Real


@table
class HeatExchanger(OutdoorReset):
    """Counterflow plates: `warm` in the plant of the loop that is cooled, `cold` among the loads of the one that takes.

    A bypass on the warm side keeps what leaves from falling below the setpoint, and no heat flows back from the cold
    side. UA goes with both flows to the 0.8; fouling adds a resistance. Heat lost to the room and the time of the
    bypass valve are left out.
    """

    kind = "heat_exchanger"
    disturbs = ("heat",)
    streams = ("warm", "cold")

    exchanger_conductance: Real = quantity("W/K", "UA of the clean plates at nominal flows", above=0, at_most=1e8)
    nominal_flow: Real = quantity("m^3/s", "flow on the warm side", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the warm side at nominal flow", above=0, at_most=1e6)
    cold_flow: Real = quantity("m^3/s", "flow on the cold side", above=0, at_most=10)
    cold_pressure_drop: Real = quantity("Pa", "lost in the cold side at its flow", above=0, at_most=1e6)
    volume: Real = quantity("m^3", "water in each side", default=0.2, above=0)
    fouling_loss: Real = quantity("1", "conductance lost with the plates fouled", default=0.3, at_least=0, at_most=0.9)

    @table
    class Inputs:
        leaving_setpoint: Real = quantity(
            "K", "leaving temperature wanted of the warm side", default=273.15, above=250, below=350
        )
        isolated: Real = quantity("1", "1: its branch's valves are shut", default=0.0, at_least=0, at_most=1)
        plates_fouled: Real = quantity("1", "1: its plates are fouled", default=0.0, at_most=1, failure=True)

    @table
    class State:
        leaving_temperature: Real = quantity("K", "warm side leaving", default=298.15)
        cold_temperature: Real = quantity("K", "cold side leaving", default=298.15)
        inlet_temperature: Real = quantity("K", "warm side entering, mean of the last tick", default=298.15)
        cold_inlet_temperature: Real = quantity("K", "cold side entering, mean of the last tick", default=298.15)

    @table
    class Outputs:
        heat: Real = quantity("W", "heat handed to the cold side", default=0.0)
        flow: Real = quantity("m^3/s", "flow on the warm side", default=0.0)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        warm, cold = self.once(self._branches, u.isolated)
        answer: Branch = warm if stream == "warm" else cold
        return answer

    def _branches(self, isolated: Real) -> tuple[Branch, Branch]:
        shut = hydraulic.valve_resistance(1.0 - isolated)
        sides = ((self.nominal_pressure_drop, self.nominal_flow), (self.cold_pressure_drop, self.cold_flow))
        resistances = [hydraulic.resistance(dp, q, 0.1) for dp, q in sides]
        warm, cold = (Branch(0.0, a * shut, b * shut) for a, b in resistances)
        return warm, cold

    def conductance(self, port: Ports, fouled: Real = 0.0) -> Real:
        """Heat per kelvin between the inlets [W/K]; see `thermal.exchanger_conductance`."""
        x_warm, x_cold = abs(port.flow["warm"]) / self.nominal_flow, abs(port.flow["cold"]) / self.cold_flow
        UA = thermal.film_conductance(self.exchanger_conductance, x_warm, x_cold) * (1.0 - self.fouling_loss * fouled)
        return thermal.exchanger_conductance(UA, port.capacity_rate["warm"], port.capacity_rate["cold"])

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        K = self.conductance(port, u.plates_fouled)
        T, T_cold = s.inlet_temperature, s.cold_inlet_temperature
        return Plan(K, *_regime(T, T_cold, self.wanted(u.leaving_setpoint, port), K, port.capacity_rate["warm"]))

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        plan, inlet = port.plan, port.inlet
        rate, setpoint = port.capacity_rate["warm"], self.wanted(u.leaving_setpoint, port)
        holds, full = _regime(inlet["warm"], inlet["cold"], setpoint, plan.conductance, rate)
        changed = (holds != plan.holds) | (full != plan.full)
        plan.holds, plan.full = holds, full
        return changed

    def holds(self, stream: str) -> Real:
        return self.volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        plan, C_warm = port.plan, port.capacity_rate["warm"]
        mixing = port.mixing(stream, self.volume, dt)
        passed, setpoint = plan.conductance * plan.full, self.wanted(u.leaving_setpoint, port)
        if stream == "warm":
            share = passed / library_of(C_warm).maximum(C_warm, thermal.TINY)
            answer = mixing.answer(s.leaving_temperature)
            left = setpoint * plan.holds
            return Stream(
                answer.constant + answer.slope * left,
                answer.slope * (1.0 - plan.holds - share),
                answer.slope * share,
            )
        answer = mixing.answer(s.cold_temperature, -C_warm * setpoint * plan.holds)
        given = mixing.warmth * (C_warm * plan.holds + passed)
        return Stream(answer.constant, answer.slope - mixing.warmth * passed, given)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        plan, rate, inlet, outlet = port.plan, port.capacity_rate, port.inlet, port.outlet
        held = rate["warm"] * (inlet["warm"] - self.wanted(u.leaving_setpoint, port)) * plan.holds
        heat = held + plan.conductance * plan.full * (inlet["warm"] - inlet["cold"])
        warm = rate["warm"] * (inlet["warm"] - outlet["warm"]) - heat
        cold = rate["cold"] * (inlet["cold"] - outlet["cold"]) + heat
        after = replace(
            s,
            leaving_temperature=s.leaving_temperature + dt * warm / self._held(port, "warm"),
            cold_temperature=s.cold_temperature + dt * cold / self._held(port, "cold"),
            inlet_temperature=inlet["warm"],
            cold_inlet_temperature=inlet["cold"],
        )
        return after, self.Outputs(heat=heat, flow=port.flow["warm"])

    def _held(self, port: Ports, stream: str) -> Real:
        return self.volume * port.heat_capacity[stream]

    def stored(self, s: Any, port: Ports) -> Real:
        return self._held(port, "warm") * s.leaving_temperature + self._held(port, "cold") * s.cold_temperature


def _regime(T: Real, T_cold: Real, setpoint: Real, K: Real, C_flow: Real) -> tuple[Real, Real]:
    """Whether the bypass holds the setpoint, and whether the plates cannot; neither where nothing is to be gained."""
    gains = (setpoint < T) & (T_cold < T)
    full = gains & (K * (T - T_cold) < C_flow * (T - setpoint))
    return gains & (full == 0), full
