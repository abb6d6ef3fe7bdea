"""Drives: panels that drop out when their supply sags, and machines that come back after a lockout and a ramp."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing

Real = Any
SAME = 1e-9
"""Seconds by which two durations may differ and be the same; sums of ticks are not exact."""


class Hold(NamedTuple):
    """What the supply does to a panel in a tick; moments count from the tick's start [s].

    low_for: seconds that the supply has been low or dead without a break, at the end of the tick.
    since, until: between these the panel may drive its machine.
    drops: 1 where it is dropped out at any moment of the tick; out: 1 where it still is at the end.
    drops_after: when it dropped out, 0 if before the tick.
    """

    low_for: Real
    since: Real
    until: Real
    drops: Real
    out: Real
    drops_after: Real


def whole(dt: Real) -> Hold:
    """A tick in which every supply is good."""
    return Hold(0.0, 0.0, dt, 0.0, 0.0, 0.0)


def held(low_for: Real, voltage: Real, gap: Real, limit: Real, delay: Real, latches: Real, dt: Real) -> Hold:
    """How the contactor, drive or panel of a machine takes a supply that sags or dies.

    It drops out when the supply has been below its limit, or dead, for longer than its delay without a break;
    until then it drives on a low supply, and on a dead one its machine coasts. A supply that ends the tick low
    was so throughout; one that dies within it was good before, unless the tick began low.

    Args:
        low_for: seconds that the supply has been low or dead, at the start of the tick [s].
        voltage, gap: of the supply at the end of the tick, 0 when dead [pu], and seconds without any [s].
        limit: voltage below which the supply is low [pu]; 0: only a dead one is.
        delay: seconds of a low or dead supply that the panel rides through [s].
        latches: 1 where it stays out when the supply is good again.
    """
    xp = library_of(gap)
    modulus = abs(voltage)
    dead = modulus == 0
    good = (modulus >= limit) & (modulus > 0)
    dies = dead & (gap < dt) & ((low_for == 0) | (limit == 0))
    carried = xp.where(dies, 0.0, low_for)
    begins = xp.where(dies, dt - gap, 0.0)
    low = xp.where(good, gap, dt - begins)
    lasted = carried + low
    drops = (low > 0) & (lasted > delay + SAME)
    out = drops & ((good == 0) | (latches > 0))
    drops_after = begins + xp.maximum(delay - carried, 0.0)
    last = xp.where(dead, dt - gap, dt)
    until = xp.where(out, xp.minimum(last, drops_after), last)
    return Hold(xp.where(good, 0.0, lasted), xp.where(dead, 0.0, gap), until, drops * 1.0, out * 1.0, drops_after)


class Run(NamedTuple):
    """How far a machine is up in a tick.

    readiness: mean over the tick, 0..1; clock: at its end [s]; reached: what the clock would be without its
    stop at full readiness [s]; until: when its panel last drove it, stopped_after: when it stopped, if it
    did [s from the tick's start].
    """

    readiness: Real
    clock: Real
    reached: Real
    until: Real
    stopped_after: Real

    def moment_of(self, needed: Real) -> Real:
        """When its clock came to `needed`, or else when it stopped [s from the tick's start]."""
        xp = library_of(self.clock)
        came = self.until - xp.maximum(self.reached - needed, 0.0)
        return xp.where(self.clock >= needed, came, self.stopped_after)


def restart(clock: Real, runs: Real, hold: Hold, delay: Real, rise: Real, dt: Real) -> Run:
    """A machine that stops when its panel drops out, and comes back after a lockout and a ramp.

    Args:
        clock: seconds it has been allowed to run, at most delay + rise [s].
        runs: 1 where it is asked to run, 0 where it is held stopped.
        hold: how its panel takes the supply.
        delay: seconds from good supply to first output [s].
        rise: seconds from first to full output [s].
    """
    xp = library_of(clock)
    full = delay + rise
    ran = xp.maximum(hold.until - hold.since, 0.0) * runs
    if not worth_doing(ran + clock):
        return Run(ran, clock, clock, hold.until, 0.0)
    stays = 1.0 - hold.drops * (1.0 - hold.out)
    start = xp.minimum(clock, full) * (runs * stays)
    reached = start + ran
    end = xp.minimum(reached, full)
    at_full = xp.maximum(ran - (full - start), 0.0)
    rising = _ramp_integral(end - delay, rise) - _ramp_integral(start - delay, rise)
    stopped_after = hold.drops_after * (hold.drops * runs)
    return Run((rising + at_full) / dt, end * (1.0 - hold.out), reached, hold.until, stopped_after)


def steady(clock: Real, runs: Real, dt: Real) -> Run:
    """A tick in which a machine stays as it is: at full readiness, or stopped."""
    return Run(runs, clock, clock, dt, 0.0)


def _ramp_integral(since: Real, rise: Real) -> Real:
    """Integral of clip(since/rise, 0, 1) up to `since` <= rise [s]."""
    xp = library_of(since)
    up = xp.maximum(since, 0.0)
    return 0.5 * up * up / xp.maximum(rise, 1e-9)
