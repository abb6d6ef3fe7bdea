"""Quick disconnect: the joint at which a rack, or any other part of a branch, leaks and is isolated."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Branch, Ports, Real, flag, quantity, replace, table
from twin.equipment.parts.fitting import Fitting, lost
from twin.physics import hydraulic, static_pressure, valve
from twin.physics.supply import latched

SAME = 1e-9
"""Seconds by which two durations may differ and be the same; sums of ticks are not exact."""


@table
class QuickDisconnect(Fitting):
    """A pair of couplings with valves of their own, before a rack in its branch; a leak elsewhere stands here too.

    What leaks follows from the hole and the pressure there, where the loop has a vessel. A leak sensor shuts the
    couplings after `isolation_delay`, and `isolated` shuts them by hand; what stays behind them no longer leaks. The
    leak is not taken out of the flow that goes on through the branch, which is left out with the time that the
    couplings take to shut.
    """

    kind = "quick_disconnect"

    flow_coefficient: Real = quantity("m^3/s", "Kv: water that passes the open valve at 1 bar", above=0, at_most=10)
    relative_density: Real = quantity("1", "of the coolant, over 1000 kg/m3", default=1.0, above=0.5, below=2)
    leak_area: Real = quantity("m^2", "hole of a full leak", default=2e-5, above=0, at_most=0.1)
    discharge_coefficient: Real = quantity("1", "C_d of that hole", default=0.6, above=0, at_most=1)
    isolation_delay: Real = quantity(
        "s", "time from a leak to its couplings' shutting; 0: nothing shuts them", default=0.0, at_least=0
    )

    @table
    class Inputs:
        leak: Real = quantity("1", "share of its hole that leaks", default=0.0, failure=True)
        isolated: Real = quantity("1", "1: its quick disconnects are shut", default=0.0, failure=True)
        sensor_failed: Real = quantity("1", "1: its leak sensor sees nothing", default=0.0, failure=True)
        reset: Real = quantity("1", "1 clears a latched isolation", default=0.0, at_least=0, at_most=1)

    @table
    class State:
        leak_flow: Real = quantity("m^3/s", "coolant that leaves the loop", default=0.0)
        leak_clock: Real = quantity("s", "time that its sensor has seen a leak", default=0.0)
        leaking: Real = flag("leaks", "no longer leaks", because="its joint has come open")
        cut_off: Real = flag("is isolated", "is connected again", because="its leak sensor shut it, or somebody did")

    @table
    class Outputs:
        flow: Real = quantity("m^3/s", "flow in the drawn direction", default=0.0)
        pressure_lost: Real = quantity("Pa", "lost in it, in the drawn direction", default=0.0)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, s.cut_off, u.isolated)
        return answer

    def _branch(self, shut: Real, isolated: Real) -> Branch:
        a, b = valve.loss(self.flow_coefficient, 1.0, self.relative_density)
        factor = hydraulic.valve_resistance(1.0 - library_of(shut).maximum(shut, isolated))
        return Branch(0.0, a * factor, b * factor)

    def leaks(self, s: Any, u: Any, port: Ports) -> Real:
        """Coolant that leaves the loop here [m3/s], by the pressure of this tick; 0 where the loop has no vessel."""
        opened = u.leak * (1.0 - u.isolated) * (1.0 - s.cut_off)
        pressure = port.pressure.get("coolant inlet")
        if pressure is None or not worth_doing(opened):
            return 0.0 * opened
        area, rho = opened * self.leak_area, 1000.0 * self.relative_density
        q = static_pressure.orifice_flow(area, self.discharge_coefficient, pressure, rho)
        return library_of(q).where(q > 0, q, 0.0)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        flow = port.flow["coolant"]
        out = self.Outputs(flow=flow, pressure_lost=lost(self.once(self._branch, s.cut_off, u.isolated), flow))
        if not worth_doing(u.leak + s.leaking + u.isolated + s.cut_off):
            return s, out
        xp = library_of(flow)
        opened = u.leak * (1.0 - u.isolated) * (1.0 - s.cut_off) > 0
        leaking, leaking_at = latched(opened, s.leaking, s.leaking_at, port.now)
        clock = xp.where(opened & (u.sensor_failed == 0), s.leak_clock + dt, 0.0)
        by_sensor = (self.isolation_delay > 0) & (clock >= self.isolation_delay - SAME)
        shuts = xp.maximum(xp.maximum(s.cut_off * (u.reset == 0) * (self.isolation_delay > 0), by_sensor), u.isolated)
        moment = lambda: port.now + xp.where(by_sensor, dt - (clock - self.isolation_delay), 0.0)  # noqa: E731
        shut, shut_at = latched(shuts, s.cut_off, s.cut_off_at, moment)
        after = replace(
            s, leak_flow=self.leaks(s, u, port), leak_clock=clock, leaking=leaking, leaking_at=leaking_at,
            cut_off=shut, cut_off_at=shut_at,
        )  # fmt: skip
        return after, out
