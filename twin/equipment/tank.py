"""Tank: a buffer of cold coolant in a loop's supply header, mixed or of two layers."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Ports, Real, Stream, flag, quantity, replace, table
from twin.physics import stratified
from twin.physics.machine import moment_of_crossing
from twin.physics.stratified import Layers, Passage
from twin.physics.supply import latched
from twin.physics.thermal import TINY
from twin.units import YES_NO


@table
class Tank(Equipment):
    """A volume through which the whole supply of its loop runs: one stirred volume, or two layers.

    Mixed is the cautious case. In two layers warm inflow lies on the cold water, which leaves from below until it is
    used up; colder inflow sinks to it. Each carries a declared share of the other layer along. After the cold layer
    is gone the tank is one stirred volume until colder water comes. Walls, conduction between the layers and
    heat from the surroundings are left out.
    """

    kind = "tank"
    streams = ("coolant",)
    storage = True

    volume: Real = quantity("m^3", "coolant held", above=0, at_most=1e5)
    useful_temperature: Real = quantity("K", "above this the tank counts as exhausted", above=250, below=400)
    stratified: Real = quantity(
        "1", "1: two layers with a thermocline between them, 0: mixed", default=0.0, choices=YES_NO
    )
    mixing_share: Real = quantity(
        "1", "share of the cold layer that warm inflow mixes up before it is delivered, in two layers",
        default=0.10, at_least=0, at_most=0.5,
    )  # fmt: skip
    sinking_share: Real = quantity(
        "1", "share of warm water in what sinks to the cold layer, in two layers", default=0.3, at_least=0, at_most=0.9
    )

    @table
    class State:
        temperature: Real = quantity("K", "coolant in the tank; in two layers, in the cold one", default=298.15)
        warm_temperature: Real = quantity("K", "coolant in the warm layer", default=298.15)
        cold_share: Real = quantity("1", "share of the tank below the thermocline; 1 without layers", default=1.0)
        inlet_temperature: Real = quantity("K", "coolant entering, mean of the last tick", default=298.15)
        exhausted: Real = flag(
            "is exhausted",
            "is cold again",
            because="its coolant has warmed above {useful_temperature}",
            via="coolant",
        )

    @table
    class Outputs:
        heat: Real = quantity("W", "heat taken up (positive warms the tank)", default=0.0)

    def begins(self, s: Any) -> Any:
        """State as a run begins with it, whatever its temperature was said to be."""
        return replace(s, exhausted=(self.useful_temperature < s.temperature) * 1.0)

    def holds(self, stream: str) -> Real:
        return self.volume

    @cached_property
    def _layered(self) -> bool:
        """Whether any tank has two layers."""
        return worth_doing(self.stratified)

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Real, Passage] | None:
        return self._passage(s, port, s.inlet_temperature, dt) if self._layered else None

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real | None:
        if port.plan is None:
            return None
        was, _ = port.plan
        port.plan = self._passage(s, port, port.inlet["coolant"], dt)
        return port.plan[0] != was

    def _passage(self, s: Any, port: Ports, T_in: Real, dt: Real) -> tuple[Real, Passage]:
        """Whether inflow of T_in rises, and what the layers make of the tick."""
        now = Layers(s.cold_share, s.temperature, s.warm_temperature)
        passed = port.capacity_rate["coolant"] * dt / (self.volume * port.heat_capacity["coolant"])
        warm = stratified.rises(now, T_in) & (self.stratified > 0)
        up = stratified.displaced(now, passed, self.mixing_share)
        down = stratified.sunk(now, passed, self.sinking_share)
        return warm, stratified.either(warm, up, down)

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        mixed = port.mixing(stream, self.volume, dt).answer(s.temperature)
        if port.plan is None:
            return Stream(*mixed)
        passage, where = port.plan[1], library_of(mixed.slope).where
        layered = self.stratified > 0
        return Stream(where(layered, passage.constant, mixed.constant), where(layered, passage.slope, mixed.slope))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        inlet = port.inlet["coolant"]
        heat = port.capacity_rate["coolant"] * (inlet - port.outlet["coolant"])
        moment: Any
        T = warm = s.temperature + dt * heat / (self.volume * port.heat_capacity["coolant"])
        share = s.cold_share
        moment = partial(moment_of_crossing, s.temperature, T, self.useful_temperature, port.now, dt)
        if port.plan is not None:
            where, layered = library_of(T).where, self.stratified > 0
            now = stratified.arrived(port.plan[1], inlet)
            share, warm = where(layered, now.cold, share), where(layered, now.T_warm, T)
            T = where(layered, now.T_cold, T)
            moment = partial(self._used_up, s, port, T, dt)
        exhausted, at = latched(self.useful_temperature < T, s.exhausted, s.exhausted_at, moment)
        after = replace(
            s, temperature=T, warm_temperature=warm, cold_share=share, inlet_temperature=inlet, exhausted=exhausted,
            exhausted_at=at,
        )  # fmt: skip
        return after, self.Outputs(heat=heat)

    def _used_up(self, s: Any, port: Ports, T: Real, dt: Real) -> Real:
        """When what leaves passed the useful temperature: with the end of the cold layer, or by a straight line [s]."""
        passage: Passage = port.plan[1]
        rate = port.capacity_rate["coolant"] / (self.volume * port.heat_capacity["coolant"])
        xp = library_of(rate)
        straight = moment_of_crossing(s.temperature, T, self.useful_temperature, port.now, dt)
        emptied = (passage.used_up > 0) & (self.stratified > 0)
        return xp.where(emptied, port.now + passage.after / xp.maximum(rate, TINY), straight)

    def stored(self, s: Any, port: Ports) -> Real:
        T = s.temperature
        if self._layered:
            T = s.cold_share * T + (1.0 - s.cold_share) * s.warm_temperature
        return self.volume * port.heat_capacity["coolant"] * T
