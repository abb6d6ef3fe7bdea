"""Water-cooled chiller: a chiller whose condenser gives its heat and its work to a loop of condenser water."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of
from twin.declare import Branch, Ports, Real, Stream, flag, quantity, replace, table
from twin.equipment.chiller import Chiller
from twin.physics import hydraulic
from twin.physics.supply import latched

CUT_OUT_BAND = 10.0
"""Kelvin that the condenser's water must cool before a machine that was cut out may run again; an estimate."""


@table
class WaterCooledChiller(Chiller):
    """A chiller between two loops: `evaporator` in the plant of one, `condenser` among the loads of the other.

    Heat to the condenser is heat taken plus the compressor's power; that of its controls goes to the outdoors.
    Condenser entering temperature is that of its water, as it was in the last tick. Its limiter unloads it, and its
    cut-out stops it, before condenser water passes `highest_condenser`. Heat lost to the plant room is left out.
    """

    kind = "water_cooled_chiller"
    streams = ("evaporator", "condenser")
    chilled = "evaporator"

    condenser_flow: Real = quantity("m^3/s", "water through the condenser at its duty point", above=0, at_most=10)
    condenser_pressure_drop: Real = quantity("Pa", "lost in the condenser at its duty point", above=0, at_most=1e6)
    condenser_volume: Real = quantity("m^3", "water in the condenser", default=0.5, above=0)
    highest_condenser: Real = quantity(
        "K", "condenser water leaving at which it cuts out", default=323.15, above=280, below=380
    )

    @table
    class State(Chiller.State):
        condenser_temperature: Real = quantity("K", "condenser water leaving", default=303.15)
        condenser_inlet_temperature: Real = quantity(
            "K", "condenser water entering, mean of the last tick", default=298.15
        )
        cut_out: Real = flag(
            "cuts out on high condensing pressure", "can run again",
            because=("its condenser water is too warm", "pump.stopped: its condenser water stands"), via="coolant",
        )  # fmt: skip

    @table
    class Outputs(Chiller.Outputs):
        condenser_heat: Real = quantity("W", "heat given to the condenser water", default=0.0)

    def runs(self, s: Any, u: Any, hold: Any) -> Real:
        return super().runs(s, u, hold) * (1.0 - s.cut_out)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        if stream == self.chilled:
            return super().branch(s, u, port, stream)
        valve = port.drive.valve
        answer: Branch = self.once(self._far_branch, u.isolated, s.isolation_valve if valve is None else valve[1])
        return answer

    def _far_branch(self, isolated: Real, opening: Real) -> Branch:
        a, b = self._condenser_loss
        shut = hydraulic.valve_resistance((1.0 - isolated) * opening)
        return Branch(0.0, a * shut, b * shut)

    @cached_property
    def _condenser_loss(self) -> tuple[Real, Real]:
        return hydraulic.resistance(self.condenser_pressure_drop, self.condenser_flow, 0.1)

    def condenser_inlet(self, s: Any, port: Ports) -> Real:
        return s.condenser_inlet_temperature + self.condenser_offset

    def able_share(self, s: Any, port: Ports, full: Real, cop: Real, dt: Real) -> Real:
        """Readiness, less what its limiter takes off: the condenser's water can carry no more without a cut-out.

        (Q + P) <= C/dt (T_out - T) + C_flow (T_out - T_in)
        """
        xp, ready = library_of(full), port.drive.readiness
        held = self.condenser_volume * port.heat_capacity["condenser"] / dt
        room = held * xp.maximum(self.highest_condenser - s.condenser_temperature, 0.0)
        carried = port.capacity_rate["condenser"] * xp.maximum(
            self.highest_condenser - s.condenser_inlet_temperature, 0.0
        )
        return ready * xp.minimum((room + carried) / (full * (1.0 + 1.0 / cop)), 1.0)

    def holds(self, stream: str) -> Real:
        return self.volume if stream == self.chilled else self.condenser_volume

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        if stream == self.chilled:
            return super().stream(s, u, port, stream, dt)
        mixing = port.mixing(stream, self.condenser_volume, dt)
        left, follows = self.leaves(port)
        C_flow = port.capacity_rate[self.chilled]
        answer = mixing.answer(s.condenser_temperature, port.power - port.plan.standing - C_flow * left)
        return Stream(answer.constant, answer.slope, mixing.warmth * C_flow * (1.0 - follows))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        after, out = super().advance(s, u, port, dt)
        given = out.heat + port.power - port.plan.standing
        inlet, outlet = port.inlet["condenser"], port.outlet["condenser"]
        gained = port.capacity_rate["condenser"] * (inlet - outlet) + given
        T = s.condenser_temperature + dt * gained / (self.condenser_volume * port.heat_capacity["condenser"])
        hot = self.highest_condenser - 0.5 - CUT_OUT_BAND * s.cut_out < T
        hot = hot & ((port.drive.run.clock > 0) | (s.cut_out > 0))
        cut_out, at = latched(hot, s.cut_out, s.cut_out_at, port.now)
        more = {"condenser_temperature": T, "condenser_inlet_temperature": inlet, "cut_out": cut_out, "cut_out_at": at}
        return replace(after, **more), replace(out, condenser_heat=given)

    def stored(self, s: Any, port: Ports) -> Real:
        condenser = self.condenser_volume * port.heat_capacity["condenser"] * s.condenser_temperature
        return super().stored(s, port) + condenser

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return port.plan.standing + 0.0 * port.power
