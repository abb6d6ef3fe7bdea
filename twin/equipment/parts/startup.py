"""Stages of a rack: off, soft start, boot, fabric check, ready and draining, each in its turn and with its power."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, quantity, table
from twin.equipment.parts.power_shelves import Fed, PowerShelves
from twin.physics import smoothing
from twin.physics.startup import INSTANT, STAGES, Start, drawn, has_begun
from twin.physics.supply import latched
from twin.units import YES_NO

STARTING = ("soft_starting", "booting", "checking")
"""Flags of the stages that take time, in their order."""
AT_ONCE = 1e9
"""Rate that stands for no ramp [1/s]."""


@table
class Startup(PowerShelves):
    """What a rack does from supply back to work, `restart_time` in all, and from work to nothing.

    A loss of supply in any stage begins it anew. With `boots_when_on` the same comes after it was switched off, or was
    reset after a thermal shutdown. It begins `turn_delay` after supply: set it, or draw it, so that racks do not start
    together; where they start in turn (`site.start_ramp`) it then waits for its own. Work is put on it over
    `ramp_time` and taken off over `drain_time`.
    """

    soft_start_time: Real = quantity(
        "s", "time in which power rises to that of boot", default=0.0, at_least=0, at_most=3600
    )
    check_time: Real = quantity("s", "time of its fabric check, the last part of the restart", default=0.0, at_least=0,
                                at_most=36000)  # fmt: skip
    boot_power: Real = quantity("W", "power in boot", default=0.0, at_least=0, at_most=2e6)
    check_power: Real = quantity("W", "power in the fabric check", default=0.0, at_least=0, at_most=2e6)
    ramp_time: Real = quantity("s", "time from ready to all the work asked", default=0.0, at_least=0, at_most=3600)
    boots_when_on: Real = quantity(
        "1", "switched on again, or reset after a thermal shutdown: 1 boots, 0 is at once at work", default=0.0,
        choices=YES_NO,
    )  # fmt: skip
    drain_time: Real = quantity("s", "time in which its work runs off when it drains", default=0.0, at_least=0,
                                at_most=36000)  # fmt: skip

    @table
    class Inputs(PowerShelves.Inputs):
        turn_delay: Real = quantity(
            "s", "time from supply back until it begins, or asks for its turn", default=0.0, at_least=0, at_most=36000
        )
        drain: Real = quantity("1", "1: it takes no new work, and what it has runs off", default=0.0, at_least=0,
                               at_most=1)  # fmt: skip

    @table
    class State(PowerShelves.State):
        load_share: Real = quantity("1", "share of the work asked that is on it", default=1.0)
        cold: Real = flag(
            "must boot before it works", "has booted and works", because="it was switched off or shut down"
        )
        soft_starting: Real = flag(
            "begins its soft start",
            "has started softly",
            because="it has supply again and it is its turn",
            via="power",
        )
        booting: Real = flag("boots", "has booted", because="its soft start is done")
        checking: Real = flag("checks its fabric", "has checked its fabric", because="it has booted")
        drained: Real = flag("is drained", "takes work again", because="no new work was given to it")

    @table
    class Outputs(PowerShelves.Outputs):
        stage: Real = quantity("1", "0 off, 1 soft start, 2 boot, 3 fabric check, 4 ready, 5 draining", default=4.0)
        ready: Real = quantity("1", "1 where it can take work", default=1.0)

    def faults(self, feeds: int) -> list[str]:
        found = PowerShelves.faults(self, feeds)
        stages = self.soft_start_time + self.check_time
        if stages > self.restart_time:
            text = f"its soft start and fabric check take {stages:g} s"
            found.append(f"{text}, its whole restart {self.restart_time:g} s; a longer restart_time is wanted")
        return found

    @cached_property
    def _boots(self) -> bool:
        """Whether any boots when it is switched on or reset."""
        return worth_doing(self.boots_when_on)

    def down(self, s: Any) -> Real:
        """1 where it does no work before it has started again."""
        return self.once(_either, s.unpowered, s.cold) if self._boots else s.unpowered

    @cached_property
    def _staged(self) -> bool:
        """Whether any draws power before it is ready."""
        return worth_doing(self.boot_power + self.check_power)

    @cached_property
    def _eased(self) -> bool:
        """Whether work comes or goes in ramps."""
        return worth_doing(self.ramp_time + self.drain_time)

    def _start(self, delay: Real) -> Start:
        boot = self.restart_time - self.soft_start_time - self.check_time
        return Start(delay, self.soft_start_time, boot, self.check_time, self.boot_power, self.check_power)

    def start_clock(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Seconds of unbroken supply since it went off, at the end of the tick; 0 where it did not, or waits [s]."""
        xp, alive = library_of(port.gap), dt - port.gap - port.held
        clock = xp.where(port.voltage == 0, 0.0, xp.where(port.gap > 0, alive, s.restart_clock + alive)) * self.down(s)
        clock = clock * (1.0 - s.tripped * (1.0 - u.reset))
        if self._boots:
            shut = getattr(s, "shut_down", 0.0) * (1.0 - u.reset)
            clock = clock * (1.0 - self.boots_when_on * (1.0 - self.asked(u) * (1.0 - shut)))
        return clock

    def awaits(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Real, Real]:
        """1 where it has supply again and would begin to start in this tick, and how far into its supply there [s]."""
        xp = library_of(s.restart_clock)
        stands = self.asked(u) * (1.0 - s.tripped * (1.0 - u.reset))
        stands = stands * (1.0 - getattr(s, "shut_down", 0.0) * (1.0 - u.reset))
        clock = xp.where(port.gap > 0, 0.0, s.restart_clock)
        wait = u.turn_delay - clock
        wait = xp.where(wait > INSTANT, wait, 0.0)
        asks = (port.voltage != 0) & ~has_begun(clock, u.turn_delay) & (wait < dt - port.gap)
        return asks * self.down(s) * stands, wait

    def fills(self, s: Any, u: Any, port: Ports, dt: Real) -> Real | None:
        """Seconds of the tick in which the capacitors may fill, where racks take turns: from its own one on."""
        if not worth_doing(port.held) and not worth_doing(u.turn_delay):
            return None
        xp, clock = library_of(port.gap), self.start_clock(s, u, port, dt)
        begun = xp.minimum(xp.maximum(clock - u.turn_delay, 0.0), dt)
        starts = (self.down(s) > 0) & (self.asked(u) > 0)
        return xp.where(starts, begun * has_begun(clock, u.turn_delay), xp.where(port.gap + port.held == 0, dt, 0.0))

    def starting(self, s: Any, u: Any, port: Ports, on: Real, dt: Real) -> Real:
        """Power that it draws before it is ready, mean over the tick [W]; `on`: in service and switched on [1]."""
        down = self.down(s)
        if not self._staged or not worth_doing(down):
            return 0.0
        clock = self.start_clock(s, u, port, dt)
        before = library_of(clock).where(port.gap > 0, 0.0, s.restart_clock)
        return drawn(self.once(self._start, u.turn_delay), before, clock, dt) * on * down

    def loaded(self, s: Any, u: Any, dt: Real) -> tuple[Real, Real | None]:
        """Share of its work that is on it, mean over the tick and at its end [1]; 1.0, None: all, as it was.

        It is put on and taken off in straight lines; nothing is on a rack without power.
        """
        waits = self.down(s)
        if not self.once(_eases, u.drain, s.load_share, waits):
            return 1.0, None
        target = self.once(_target, u.drain, waits)
        up, down = self.once(self._rates, u.drain)
        end, mean = smoothing.ramped(s.load_share, target, up, down, dt)
        end = end * (1.0 - waits)
        return mean * (1.0 - waits), end

    def _rates(self, like: Real) -> tuple[Real, Real]:
        xp = library_of(like)
        return tuple(
            xp.where(time > 0, 1.0 / xp.maximum(like * 0.0 + time, 1.0 / AT_ONCE), AT_ONCE)
            for time in (self.ramp_time, self.drain_time)
        )

    def _supply_flags(self, s: Any, u: Any, port: Ports, fed: Fed, dt: Real) -> dict[str, Real]:
        """Off when a gap outlasts the capacitors or the shelves trip; on after its turn and `restart_time`."""
        idle = self._boots and worth_doing((self.asked(u) <= 0) | (s.cold > 0) | (getattr(s, "shut_down", 0.0) > 0))
        if not idle and fed.carried is None and not (
            worth_doing(port.gap) or worth_doing(s.unpowered + s.restart_clock)
        ):  # fmt: skip
            return {}
        xp = library_of(port.gap)
        alive, supplied = dt - port.gap, fed.supplied
        trips: Real = 0.0 if fed.carried is None else fed.carried.tripped
        lost = supplied.lost & (s.unpowered == 0)
        clock, ready_at = self.start_clock(s, u, port, dt), self.restart_time + u.turn_delay
        back = (s.unpowered > 0) & (clock >= ready_at) & has_begun(clock, u.turn_delay)
        dead_from = port.now + xp.where(port.voltage == 0, alive, 0.0)
        moment = xp.where(lost, dead_from + supplied.bridged, port.now + dt - (clock - ready_at))
        if fed.carried is not None:
            moment = xp.where(trips > 0, port.now + fed.carried.lasts, moment)
        unpowered, at = latched(
            xp.where(lost, 1.0, xp.where(back, 0.0, s.unpowered)), s.unpowered, s.unpowered_at, moment
        )
        found = {"unpowered": unpowered, "unpowered_at": at, "restart_clock": clock}
        starts = unpowered
        if self._boots:
            begun = (clock >= ready_at) & has_begun(clock, u.turn_delay)
            found |= self._cold_flag(s, u, begun, clock - ready_at, port.now + dt)
            starts = _either(unpowered, found["cold"])
        return found | self._stage_flags(s, u, clock, starts, (dead_from, port.now + dt))

    def _cold_flag(self, s: Any, u: Any, done: Real, since: Real, end: Real) -> dict[str, Real]:
        """Whether it must boot first, one tick on: from the tick after it was switched off or shut down.

        Args:
            done: whether its restart is over, for `since` seconds; end: of the tick [s].
        """
        xp = library_of(since)
        stands = (self.asked(u) <= 0) | (getattr(s, "shut_down", 0.0) * (1.0 - u.reset) > 0)
        ready = done & ~stands
        cold = xp.where(stands, 1.0, xp.where(ready, 0.0, s.cold)) * self.boots_when_on
        moment = end - xp.where(ready, since, 0.0)
        cold, at = latched(cold, s.cold, s.cold_at, moment)
        return {"cold": cold, "cold_at": at}

    def _stage_flags(self, s: Any, u: Any, clock: Real, starts: Real, moments: tuple[Real, Real]) -> dict[str, Real]:
        """Stages that take time, as flags with their moments; `moments`: of a loss of supply, end of the tick [s]."""
        start: Start = self.once(self._start, u.turn_delay)
        xp, (lost, end), found = library_of(clock), moments, {}
        stage = start.stage(clock) * starts * self.asked(u)
        for name, code, begins, lasts in zip(STARTING, (1.0, 2.0, 3.0), start.begins, start[1:4]):
            now, ends = ((stage == code) & (lasts > 0)) * 1.0, begins + lasts
            moment = xp.where(clock >= ends, end - (clock - ends), xp.where(now > 0, end - (clock - begins), lost))
            found[name], found[f"{name}_at"] = latched(now, getattr(s, name), getattr(s, f"{name}_at"), moment)
        return found

    def after_work(self, s: Any, u: Any, share: Real | None, now: Real, dt: Real) -> dict[str, Real]:
        """State of the work on it one tick on."""
        if share is None:
            return {}
        gone = (share <= 0) & (u.drain > 0)
        moment = lambda: now + gone * library_of(share).minimum(s.load_share * self.drain_time, dt)  # noqa: E731
        drained, at = latched(gone * 1.0, s.drained, s.drained_at, moment)
        return {"load_share": share, "drained": drained, "drained_at": at}

    def stages(self, s: Any, u: Any, clock: Real, on: Real, shut: Real) -> dict[str, Real]:
        """Stage and readiness at the end of the tick, as Outputs."""
        return self.once(self._stages, u.turn_delay, u.drain, clock, self.down(s), on, shut)  # type: ignore[no-any-return]

    def _stages(self, delay: Real, drain: Real, clock: Real, unpowered: Real, on: Real, shut: Real) -> dict[str, Real]:
        xp = library_of(unpowered)
        works = xp.where(drain > 0, STAGES["draining"], STAGES["ready"])
        stage = xp.where(unpowered > 0, self._start(delay).stage(clock), works) * (on > 0) * (shut == 0)
        return {"stage": stage, "ready": (stage == STAGES["ready"]) * 1.0}


def _eases(drain: Real, share: Real, unpowered: Real) -> bool:
    """Whether work comes or goes, or anything stands without."""
    return worth_doing(drain) or worth_doing(share != 1.0) or worth_doing(unpowered)


def _either(unpowered: Real, cold: Real) -> Real:
    return library_of(cold).maximum(unpowered, cold)


def _target(drain: Real, unpowered: Real) -> Real:
    return (drain == 0) * (unpowered == 0) * 1.0
