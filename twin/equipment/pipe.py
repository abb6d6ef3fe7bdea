"""Pipe: friction, delay, wall mass and loss to the air of a length of pipe in a branch."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, Stream, quantity, replace, table
from twin.equipment.parts.leaking import Leaking
from twin.physics import plug
from twin.physics.hydraulic import valve_resistance
from twin.physics.thermal import Mixing, mean_weight, mixing

CELLS = 16
TINY = 1e-9
NAMES = tuple(f"cell_{k:02d}" for k in range(1, CELLS + 1))


def _cell() -> Any:
    return quantity("K", "mean of one sixteenth of the pipe, in order of its drawn direction", default=298.15)


LEAST_WALL = 1e-3
"""Heat capacity of a wall [J/K] where none is given."""


class Plan(NamedTuple):
    """What a pipe foresees; temperatures count from the air's [K].

    cells: the profile from upstream to downstream; moved: how far it moves, of the pipe [1]; air: its temperature
    [K]; fading: loss over the tick, of the coolant's heat [1]; plug: what leaves the coolant; wall: how the wall
    takes it up; kept: share of it that the wall's own loss leaves [1].
    """

    cells: Real
    moved: Real
    air: Real
    fading: Real
    plug: plug.Moved
    wall: Mixing
    kept: Real


@table
class Pipe(Leaking):
    """Coolant that moves through as a plug, and a wall that it warms as it leaves.

    The profile is kept as sixteen straight pieces and moved by any share of the pipe, either way; a front comes out
    at its time and is smeared over a sixth of the delay. The wall is one stirred mass behind it, which agrees with
    measured steel pipes as well as one along the way. Friction is Darcy's, by Swamee and Jain, fitted at the last
    tick's flow. Heat goes to the outdoor air. Mixing along the pipe, viscosity by temperature and rooms are left out (a
    pipe indoors is best given no loss), and so is heat of friction: the pumps' electricity is heat already. It leaks
    at its inlet; its isolating valves shut both of its ends.
    """

    kind = "pipe"
    streams = ("coolant",)

    length: Real = quantity("m", "length of the pipe", above=0, at_most=1e5)
    diameter: Real = quantity("m", "inner diameter", above=0, at_most=5)
    roughness: Real = quantity("m", "of the inner wall", default=4.6e-5, at_least=0, at_most=0.01)
    fittings: Real = quantity("1", "sum of the loss coefficients of bends and valves", default=0.0, at_least=0)
    density: Real = quantity("kg/m^3", "of the coolant, for friction", default=995.6, above=0, at_most=2e3)
    viscosity: Real = quantity("Pa*s", "of the coolant, for friction", default=7.97e-4, above=0, at_most=1.0)
    wall_heat_capacity: Real = quantity("J/K", "of the whole wall", default=0.0, at_least=0, at_most=1e10)
    loss_conductance: Real = quantity(
        "W/K", "of the insulation, to the outdoor air", default=0.0, at_least=0, at_most=1e6
    )

    Inputs = Leaking.Inputs

    @table
    class State(Leaking.State):
        wall_temperature: Real = quantity("K", "wall, and coolant leaving", default=298.15)
        flow_seen: Real = quantity("m^3/s", "flow of the last tick, at which friction is fitted", default=0.0)
        cell_01: Real = _cell()
        cell_02: Real = _cell()
        cell_03: Real = _cell()
        cell_04: Real = _cell()
        cell_05: Real = _cell()
        cell_06: Real = _cell()
        cell_07: Real = _cell()
        cell_08: Real = _cell()
        cell_09: Real = _cell()
        cell_10: Real = _cell()
        cell_11: Real = _cell()
        cell_12: Real = _cell()
        cell_13: Real = _cell()
        cell_14: Real = _cell()
        cell_15: Real = _cell()
        cell_16: Real = _cell()

    @table
    class Outputs:
        flow: Real = quantity("m^3/s", "flow in the drawn direction", default=0.0)
        outlet_mean: Real = quantity("K", "coolant that left, mean of the tick", default=298.15)
        heat_lost: Real = quantity("W", "given to the outdoor air", default=0.0)

    @cached_property
    def volume(self) -> Real:
        """Coolant held [m3]."""
        return math.pi / 4.0 * self.diameter * self.diameter * self.length

    def holds(self, stream: str) -> Real:
        return self.volume

    def pressure_lost(self, q: Real) -> Real:
        """At a flow q > 0 [Pa]."""
        return plug.pipe_loss(
            q, self.length, self.diameter, self.roughness, self.fittings, self.density, self.viscosity
        )

    @cached_property
    def _least_flow(self) -> Real:
        """Flow at a Reynolds number of 100, below which friction is fitted as there [m3/s]."""
        return 100.0 * math.pi / 4.0 * self.diameter * self.viscosity / self.density

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        q = library_of(s.flow_seen).maximum(abs(s.flow_seen), self._least_flow)
        a, b = plug.tangent(self.pressure_lost, q)
        shut = self.shut(s, u)
        if worth_doing(shut):
            factor = valve_resistance(1.0 - shut)
            a, b = a * factor, b * factor
        return Branch(0.0, a, b)

    def leak_density(self) -> Real:
        return self.density

    def _coolant(self, port: Ports) -> Real:
        """Heat capacity of the coolant [J/K]."""
        return self.volume * port.heat_capacity["coolant"]

    @cached_property
    def _wall(self) -> Real:
        """Heat capacity of the wall [J/K]."""
        return self.wall_heat_capacity + LEAST_WALL

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Plan:
        flow, C_flow = port.flow["coolant"], port.capacity_rate["coolant"]
        xp = library_of(flow)
        air = port.dry_bulb + 0.0 * flow
        cells = xp.stack([getattr(s, name) + 0.0 * air for name in NAMES]) - air
        cells = xp.where(flow >= 0, cells, cells[::-1])
        C = self._coolant(port)
        by_heat = self.loss_conductance / (C + self._wall)
        moved, fading = C_flow * dt / C, by_heat * dt
        through = fading / xp.maximum(moved, TINY)
        fade = mean_weight(xp.minimum(fading, through))
        kept = C_flow / xp.maximum(C_flow + by_heat * self._wall, TINY)
        wall = mixing(C_flow + by_heat * self._wall, self._wall, dt)
        return Plan(cells, moved, air, fading, plug.leaving(cells, moved, fade, xp.exp(-through)), wall, kept)

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        plan = port.plan
        passed = plan.wall.slope * plan.kept
        alpha = plan.wall.keep * (s.wall_temperature - plan.air) + passed * plan.plug.constant
        beta = passed * plan.plug.slope
        return Stream(plan.air * (1.0 - beta) + alpha, beta)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        """Cells move, then fade with the time they were in the pipe; the loss is what the books leave."""
        plan, flow = port.plan, port.flow["coolant"]
        xp = library_of(flow)
        inlet, outlet = port.inlet["coolant"], port.outlet["coolant"]
        left = plan.plug.constant + plan.plug.slope * (inlet - plan.air)
        was = s.wall_temperature - plan.air
        wall = was + plan.wall.gone * (plan.kept * left - was) + plan.air
        cells = plug.shifted(plan.cells, inlet - plan.air, plan.moved)
        ages = xp.stack([(k + 0.5) / CELLS + 0.0 * flow for k in range(CELLS)]) / xp.maximum(plan.moved, TINY)
        cells = cells * xp.exp(-plan.fading * xp.minimum(ages, 1.0))
        cells = xp.where(flow >= 0, cells, cells[::-1]) + plan.air
        now = {name: cells[k] for k, name in enumerate(NAMES)}
        after = replace(s, flow_seen=flow + 0.0, wall_temperature=wall, **now, **self.leaked(s, u, port, dt))
        gained = (self.stored(after, port) - self.stored(s, port)) / dt
        lost = port.capacity_rate["coolant"] * (inlet - outlet) - gained
        return after, self.Outputs(flow=flow, outlet_mean=outlet, heat_lost=lost)

    def stored(self, s: Any, port: Ports) -> Real:
        total = s.cell_01
        for name in NAMES[1:]:
            total = total + getattr(s, name)
        return self._coolant(port) / CELLS * total + self._wall * s.wall_temperature

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        return out.heat_lost
