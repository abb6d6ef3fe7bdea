"""Storage system: controllers before flash, which feed jobs with data and take their checkpoints."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, quantity, replace, table
from twin.equipment.parts.appliance import Appliance, well
from twin.physics.storing import Moved
from twin.physics.supply import latched


@table
class StorageSystem(Appliance):
    """Controllers share the bandwidth alike; each that fails takes its part of it along, and its data is not lost.

    Power goes from idle to rated in proportion to the bandwidth used. Without supply it stops, and boots for
    `restart_delay`. A full one takes no checkpoint; a checkpoint replaces an older one of its job and fills nothing.
    Caches, rebuilds after a lost drive, latency and the network before it are left out.
    """

    kind = "storage_system"
    feeds = (1, 2)

    read_bandwidth: Real = quantity("bit/s", "data that all its controllers read", above=0, at_most=1e16)
    write_bandwidth: Real = quantity("bit/s", "data that all its controllers write", above=0, at_most=1e16)
    controllers: Real = quantity("1", "controllers that share the bandwidth", default=2.0, at_least=1, at_most=1e4)
    idle_power: Real = quantity("W", "power at no load", above=0, at_most=2e6)
    rated_power: Real = quantity("W", "power at full bandwidth", above=0, at_most=2e6)
    restart_delay: Real = quantity(
        "s",
        "time from supply to serving: self test, file system",
        default=600.0,
        at_least=0,
        at_most=36000,
    )

    @table
    class Inputs(Appliance.Inputs):
        controllers_failed: Real = quantity("1", "controllers lost", default=0.0, at_least=0, at_most=1e4, failure=True)
        filled: Real = quantity("1", "share of its capacity in use; at 100 % it takes no data", default=0.6, at_least=0,
                                at_most=1)  # fmt: skip

    @table
    class State(Appliance.State):
        chip_temperature: Real = quantity("K", "chips of its controllers", default=338.15)
        data_read: Real = quantity("bit", "data read since the start", default=0.0)
        data_written: Real = quantity("bit", "data written since the start", default=0.0)
        overheated: Real = flag(
            "cuts its power off", "has cooled and may start", because="its chips reached {shutdown_temperature}",
            via="air",
        )  # fmt: skip
        stopped: Real = flag("stops serving", "serves again", because="it had no supply, overheated or was stopped",
                             via="power")  # fmt: skip
        degraded: Real = flag("serves at less than its full bandwidth", "has all its controllers again",
                              because="a controller failed")  # fmt: skip
        full: Real = flag("is full", "has room again", because="all its capacity is in use")

    @table
    class Outputs:
        power: Real = quantity("W", "electric power", default=0.0)
        read_rate: Real = quantity("bit/s", "data read, mean over the tick", default=0.0)
        write_rate: Real = quantity("bit/s", "data written, mean over the tick", default=0.0)
        bandwidth_left: Real = quantity("1", "share of its bandwidth that it can give", default=1.0)

    def faults(self, feeds: int) -> list[str]:
        found = []
        if self.controllers % 1:
            found.append(f"it has {self.controllers:g} controllers; a whole number is wanted")
        if self.idle_power >= self.rated_power:
            found.append("idle_power is not below rated_power")
        return found

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        return self.drive(s, u, port, self.ramp_time, dt, self.once(well, u.in_service * 0.0, s.overheated))

    def _whole(self, controllers_failed: Real) -> Real:
        """Share of its controllers that are left [1]."""
        return library_of(controllers_failed).maximum(1.0 - controllers_failed / self.controllers, 0.0)

    def _gives(self, stopped: Real, controllers_failed: Real) -> Real:
        return (1.0 - stopped) * self._whole(controllers_failed)

    def _offers(self, left: Real, filled: Real) -> tuple[Real, Real]:
        return self.read_bandwidth * left, self.write_bandwidth * left * (filled < 1.0)

    def offers(self, s: Any, u: Any) -> tuple[Real, Real]:
        """Bandwidth that it has to read and to write [bit/s], as it stood."""
        left = self.once(self._gives, s.stopped, u.controllers_failed)
        found: tuple[Real, Real] = self.once(self._offers, left, u.filled)
        return found

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        used = 0.0
        if port.work is not None:
            moved = port.work.read / self.read_bandwidth + port.work.written / self.write_bandwidth
            used = library_of(moved).minimum(moved, 1.0)
        power = self.idle_power + (self.rated_power - self.idle_power) * used
        return power * self.live_share(s, u, port, dt) * (1.0 + 0.0j)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        after = self.remembered(s, u, port, self.restart_delay) | self.chips(s, port, dt)
        stopped = after.get("stopped", s.stopped)
        left = self.once(self._gives, stopped, u.controllers_failed)
        moved = port.work or Moved(0.0 * left, 0.0 * left)
        if worth_doing(u.controllers_failed + s.degraded):
            less = (u.controllers_failed > 0) * 1.0
            after["degraded"], after["degraded_at"] = latched(less, s.degraded, s.degraded_at, port.now)
        if worth_doing((u.filled >= 1.0) | (s.full > 0)):
            full = (u.filled >= 1.0) * 1.0
            after["full"], after["full_at"] = latched(full, s.full, s.full_at, port.now)
        after["data_read"], after["data_written"] = s.data_read + dt * moved.read, s.data_written + dt * moved.written
        out = self.Outputs(power=port.power, read_rate=moved.read, write_rate=moved.written, bandwidth_left=left)
        return replace(s, **after), out
