"""Leaking: a hole that opens in a unit, the sensor that sees it, and the valves that isolate the unit."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Ports, Real, flag, quantity, table
from twin.physics import static_pressure
from twin.physics.supply import latched

SAME = 1e-9
"""Seconds by which two durations may differ and be the same; sums of ticks are not exact."""


@table
class Leaking(Equipment):
    """A unit one stream of which can leak, where its loop has a vessel.

    What leaks follows from the hole and the pressure where the stream enters, and leaves at that temperature. A leak
    sensor shuts the unit's isolating valves after `isolation_delay`, and `isolated` shuts them by hand; what stays
    behind them no longer leaks. The time that valves take to shut is left out.
    """

    leaks_at: ClassVar[str] = "coolant"
    sensed: ClassVar = {"leaking": lambda s, u: s.leaking * (u.sensor_failed == 0)}
    sensors: ClassVar[dict[str, tuple[str, ...]]] = {"leaking": ("sensor_failed",)}

    leak_area: Real = quantity("m^2", "hole of a full leak", default=2e-5, above=0, at_most=0.1)
    discharge_coefficient: Real = quantity("1", "C_d of that hole", default=0.6, above=0, at_most=1)
    isolation_delay: Real = quantity(
        "s", "time from a leak to its isolating valves' shutting; 0: nothing shuts them", default=0.0, at_least=0
    )

    @table
    class Inputs:
        leak: Real = quantity("1", "share of its hole that leaks", default=0.0, failure=True)
        isolated: Real = quantity("1", "1: its isolating valves are shut", default=0.0, failure=True)
        sensor_failed: Real = quantity("1", "1: its leak sensor sees nothing", default=0.0, failure=True)
        reset: Real = quantity("1", "1 clears a latched isolation", default=0.0, at_least=0, at_most=1)

    @table
    class State:
        leak_flow: Real = quantity("m^3/s", "coolant that leaves the loop", default=0.0)
        leak_clock: Real = quantity("s", "time that its sensor has seen a leak", default=0.0)
        leaking: Real = flag("leaks", "no longer leaks", because="it has come open")
        cut_off: Real = flag(
            "is isolated", "is connected again", because=("its leak sensor shut it", "isolated: somebody shut it")
        )

    def leak_density(self) -> Real:
        """Of the coolant that leaks [kg/m3]."""
        return 1000.0

    def shut(self, s: Any, u: Any) -> Real:
        """1 where its isolating valves are shut."""
        return self.once(_either, s.cut_off, u.isolated)

    def leaks(self, s: Any, u: Any, port: Ports) -> Real:
        """Coolant that would leave the loop here [m3/s], by the pressure of this tick; 0 where no vessel tells one."""
        opened = self.once(_opened, u.leak, u.isolated, s.cut_off)
        pressure = port.pressure.get(f"{self.leaks_at} inlet")
        if pressure is None or not worth_doing(opened):
            return 0.0 * opened
        q = static_pressure.orifice_flow(
            opened * self.leak_area, self.discharge_coefficient, pressure, self.leak_density()
        )
        return library_of(q).where(q > 0, q, 0.0)

    def leaked(self, s: Any, u: Any, port: Ports, dt: Real) -> dict[str, Real]:
        """What it remembers of its leak after a tick; nothing where all is tight and open."""
        if not self.once(_any, u.leak, s.leaking, u.isolated, s.cut_off):
            return {}
        opened = self.once(_opened, u.leak, u.isolated, s.cut_off) > 0
        xp = library_of(opened)
        leaking, leaking_at = latched(opened, s.leaking, s.leaking_at, port.now)
        clock = xp.where(opened & (u.sensor_failed == 0), s.leak_clock + dt, 0.0)
        by_sensor = (self.isolation_delay > 0) & (clock >= self.isolation_delay - SAME)
        shuts = xp.maximum(xp.maximum(s.cut_off * (u.reset == 0) * (self.isolation_delay > 0), by_sensor), u.isolated)
        moment = lambda: port.now + xp.where(by_sensor, dt - (clock - self.isolation_delay), 0.0)  # noqa: E731
        shut, shut_at = latched(shuts, s.cut_off, s.cut_off_at, moment)
        flow = port.flow.get("leak", 0.0) + 0.0 * s.leak_flow
        return {
            "leak_flow": flow, "leak_clock": clock, "leaking": leaking, "leaking_at": leaking_at,
            "cut_off": shut, "cut_off_at": shut_at,
        }  # fmt: skip


def _either(cut_off: Real, isolated: Real) -> Real:
    return library_of(cut_off).maximum(cut_off, isolated)


def _opened(leak: Real, isolated: Real, cut_off: Real) -> Real:
    """Share of the hole through which coolant gets out [1]."""
    return leak * (1.0 - isolated) * (1.0 - cut_off)


def _any(leak: Real, leaking: Real, isolated: Real, cut_off: Real) -> bool:
    return worth_doing(leak + leaking + isolated + cut_off)
