"""Suction: what a pump's drive watches on its wet side: the pressure it sucks from, its flow, and which way it runs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, quantity, table
from twin.driven import Driven
from twin.physics.drive import Hold
from twin.physics.static_pressure import suction_margin
from twin.physics.supply import latched

TURNS = 0.2
"""Share of full speed above which a pump counts as turning."""
DEAD_FLOW = 0.02
"""Share of its nominal flow below which a pump that turns is deadheaded. Estimate."""
DEAD_AFTER = 30.0
"""Seconds for which it must be so; a pump that comes up against others is not [s]. Estimate."""
BACKWARD = 1e-3
"""Share of nominal flow that may run backward, as a check valve leaks, and still count as none."""
SAME = 1e-9


@table
class Suction(Driven):
    """A driven pump that trips on low suction pressure, and says when it cavitates, is deadheaded or run backward."""

    nominal_flow: Real = quantity("m^3/s", "flow at the duty point", above=0, at_most=10)
    npsh_required: Real = quantity(
        "Pa", "pressure above the vapour's that it needs at nominal flow, rho g NPSH",
        default=30e3, at_least=0, at_most=1e6,
    )  # fmt: skip
    suction_limit: Real = quantity(
        "Pa", "absolute pressure at its suction below which it trips; 0: none", default=0.0, at_least=0, at_most=1e6
    )
    suction_delay: Real = quantity("s", "time below that limit until it trips", default=5.0, at_least=0, at_most=600)

    @table
    class State(Driven.State):
        npsh_margin: Real = quantity(
            "Pa", "pressure at its suction above what keeps it from cavitating, 0 without a vessel", default=0.0
        )
        suction_clock: Real = quantity("s", "time that its suction pressure has been low", default=0.0)
        dead_clock: Real = quantity("s", "time that it has turned without flow", default=0.0)
        low_suction: Real = flag(
            "trips on low suction pressure", "is free to run again",
            because="its suction was below {suction_limit} for {suction_delay}", via="coolant",
        )  # fmt: skip
        cavitating: Real = flag(
            "cavitates", "no longer cavitates",
            because="the pressure at its suction does not cover its NPSH", via="coolant",
        )  # fmt: skip
        deadheaded: Real = flag(
            "is deadheaded", "passes coolant again", because="it turns and nothing flows", via="coolant"
        )
        reversed: Real = flag(
            "is run through backward", "is no longer run through backward", because="its check valve does not hold",
            via="coolant",
        )  # fmt: skip

    def runs(self, s: Any, u: Any, hold: Hold | None) -> Real:
        asked = super().runs(s, u, hold)
        return asked * (1.0 - s.low_suction) if worth_doing(s.low_suction) else asked

    def wet_side(self, s: Any, u: Any, port: Ports, stream: str, speed: Real, dt: Real) -> dict[str, Real]:
        """What it remembers of its wet side after a tick."""
        q, nominal = port.flow[stream], self.nominal_flow
        pressure = port.pressure.get(f"{stream} inlet")
        after: dict[str, Real] = {}
        if worth_doing(q < self._dead_flow) or self.once(_was_astray, s.dead_clock, s.deadheaded, s.reversed):
            after = self._flow_flags(s, port, q, nominal, speed > TURNS, dt)
        if pressure is None:
            return after
        return after | self._suction_flags(s, u, port, stream, q / nominal, speed > TURNS, dt)

    @cached_property
    def _dead_flow(self) -> Real:
        return DEAD_FLOW * self.nominal_flow

    def _flow_flags(self, s: Any, port: Ports, q: Real, nominal: Real, turns: Real, dt: Real) -> dict[str, Real]:
        clock = library_of(q).where(turns & (abs(q) < DEAD_FLOW * nominal), s.dead_clock + dt, 0.0)
        late = lambda: port.now + dt - library_of(q).maximum(clock - DEAD_AFTER, 0.0) * (clock > 0)  # noqa: E731
        dead, dead_at = latched(clock >= DEAD_AFTER - SAME, s.deadheaded, s.deadheaded_at, late)
        back, back_at = latched(q < -BACKWARD * nominal, s.reversed, s.reversed_at, port.now)
        return {
            "dead_clock": clock, "deadheaded": dead, "deadheaded_at": dead_at, "reversed": back, "reversed_at": back_at,
        }  # fmt: skip

    def _suction_flags(
        self, s: Any, u: Any, port: Ports, stream: str, x: Real, turns: Real, dt: Real
    ) -> dict[str, Real]:
        """Its margin of suction, cavitation and trip at a flow of x of nominal [1].

            NPSHR(x) = npsh_required (0.5 + 0.5 x^2)

        Estimate of how the suction needed rises with flow.
        """
        xp = library_of(x)
        pressure = port.pressure[f"{stream} inlet"]
        known = pressure == pressure
        needed = self.npsh_required * (0.5 + 0.5 * x * x)
        margin = xp.where(known, suction_margin(pressure, port.inlet[stream], needed), 0.0)
        cavitates, cavitates_at = latched(turns & (margin < 0), s.cavitating, s.cavitating_at, port.now)
        low = known & turns & (pressure < self.suction_limit)
        clock = xp.where(low, s.suction_clock + dt, 0.0)
        trips = low & (clock >= self.suction_delay - SAME)
        stays = s.low_suction * (u.reset <= s.reset_seen)
        late = lambda: port.now + xp.where(trips, dt - (clock - self.suction_delay), 0.0)  # noqa: E731
        tripped, tripped_at = latched(xp.maximum(stays, trips), s.low_suction, s.low_suction_at, late)
        return {
            "npsh_margin": margin, "suction_clock": clock, "cavitating": cavitates, "cavitating_at": cavitates_at,
            "low_suction": tripped, "low_suction_at": tripped_at,
        }  # fmt: skip


def _was_astray(clock: Real, deadheaded: Real, reversed: Real) -> bool:
    """Whether any has turned without flow or is run backward."""
    return worth_doing(clock + deadheaded + reversed)
