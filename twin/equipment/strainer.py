"""Strainer: a screen in a branch that keeps dirt, and clogs."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, flag, quantity, replace, table
from twin.equipment.parts.fitting import Fitting
from twin.physics import hydraulic
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched

MOST = 1.0 - 1e-3
"""Share of a screen that is blocked at most: a little always passes."""


@table
class Strainer(Fitting):
    """A screen whose loss goes with the square of the velocity through what is open of it.

    Dirt blocks it in proportion to the coolant that passed; `blocked` blocks a share at once, and `cleaned` clears it.
    Dirt that comes loose, and flow that washes it out backward, are left out.
    """

    kind = "strainer"

    nominal_flow: Real = quantity("m^3/s", "flow of the rating point", above=0, at_most=10)
    nominal_pressure_drop: Real = quantity("Pa", "lost in the clean screen at nominal flow", above=0, at_most=1e6)
    clogging_rate: Real = quantity(
        "1/s", "share of the screen that dirt blocks in a second of nominal flow", default=0.0, at_least=0, at_most=1
    )
    alarm_drop: Real = quantity("Pa", "loss above which it wants cleaning", default=50e3, above=0, at_most=1e7)

    @table
    class Inputs:
        blocked: Real = quantity("1", "share of the screen that is blocked besides the dirt", default=0.0, failure=True)
        cleaned: Real = quantity("1", "1: it is cleaned, and stays clean", default=0.0, at_least=0, at_most=1)

    @table
    class State:
        dirt: Real = quantity("1", "share of the screen that dirt blocks", default=0.0)
        drop_seen: Real = quantity("Pa", "pressure lost in the last tick", default=0.0)
        clogged: Real = flag("is clogged", "passes freely again", because="it loses more than {alarm_drop}")

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, s.dirt, u.blocked)
        return answer

    def _branch(self, dirt: Real, blocked: Real) -> Branch:
        xp = library_of(dirt)
        opened = 1.0 - xp.minimum(1.0 - (1.0 - dirt) * (1.0 - xp.minimum(blocked, 1.0)), MOST)
        a, b = hydraulic.resistance(self.nominal_pressure_drop, self.nominal_flow, 0.01)
        return Branch(0.0, a / (opened * opened), b / (opened * opened))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        flow = port.flow["coolant"]
        out = self.passed(self.once(self._branch, s.dirt, u.blocked), flow)
        after, drop = s, abs(out.pressure_lost)
        if worth_doing(self.clogging_rate) or worth_doing(s.dirt):
            grown = s.dirt + dt * self.clogging_rate * abs(flow) / self.nominal_flow * (1.0 - s.dirt)
            after = replace(after, dirt=library_of(grown).minimum(grown, 1.0) * (1.0 - u.cleaned))
        moment = lambda: moment_of_crossing(s.drop_seen, drop, self.alarm_drop, port.now, dt)  # noqa: E731
        clogged, at = latched(drop > self.alarm_drop, s.clogged, s.clogged_at, moment)
        after = replace(after, drop_seen=drop, clogged=clogged, clogged_at=at)
        return after, out
