"""ATS: the transfer switch that leaves a dead feed for a live one and calls the generators meanwhile."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics.shedding import drops, shed_latch
from twin.physics.supply import WHOLE, dead_since, good_since, lasting, latched, usable
from twin.physics.transfer import Move, by_contacts


class Transfer(NamedTuple):
    """What the switch does in a tick; moments count from its start [s]."""

    normal_good: Real
    normal_gap: Real
    alternate_good: Real
    alternate_gap: Real
    starts: Real
    leaves_after: Real
    closes_after: Real
    heading: Real


@table
class ATS(Equipment):
    """An open-transition switch between a normal and an alternate feed.

    When the normal feed has been dead for `sense_delay` it asks for the generators; when the alternate
    has then been live for `transfer_delay` it transfers, with `transfer_time` between the contacts. Normal
    back for `retransfer_delay` (or the alternate dead) sends it back. Told to `transfer`, it does so with normal alive
    and stays for as long as it is told. In hand it stays and asks for nothing;
    in bypass the normal feed goes straight through. Told to shed while on its alternate feed (the delay of
    the signal's line is its priority) it opens until normal is back or `reset` is raised. Closed transition
    and the phase angle between feeds are left out.
    """

    kind = "ats"
    disturbs = ("power", "flow")
    feeds = (2, 2)
    serves = True
    prefers = True
    signals = ("shed", "transfer")

    sense_delay: Real = quantity(
        "s", "time that a feed must be dead before it acts", default=3.0, at_least=0, at_most=600
    )
    transfer_delay: Real = quantity(
        "s", "time that the feed it goes to must be live", default=1.0, at_least=0, at_most=3600
    )
    transfer_time: Real = quantity("s", "time without contact in a transfer", default=0.1, above=0, at_most=60)
    retransfer_delay: Real = quantity(
        "s", "time that normal must be live again", default=300.0, at_least=0, at_most=1e5
    )
    lowest_voltage: Real = quantity("1", "feed voltage taken for dead, of nominal", default=0.85, above=0, below=1)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is open", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("position of the selector switch", "off", "auto", "hand", "locked_out", "bypass")
        stuck: Real = quantity("1", "1: its contacts do not move", default=0.0, failure=True)
        reset: Real = quantity("1", "raised to 1, clears a latched shedding", default=0.0, at_least=0, at_most=1)

    @table
    class State:
        normal_clock: Real = quantity("s", "time that normal is live (positive) or dead (negative)", default=1e6)
        alternate_clock: Real = quantity("s", "time that alternate is live (positive) or dead (negative)", default=-1e6)
        open_for: Real = quantity("s", "time until its contacts close", default=0.0)
        asked_for: Real = quantity("s", "time since it asked for the generators", default=0.0)
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        on_alternate: Real = flag(
            "transfers to its alternate feed",
            "transfers back to its normal feed",
            because="its alternate feed was live for {transfer_delay}",
            via="power",
        )
        asking: Real = flag(
            "asks for the generators",
            "lets the generators go",
            because=("its normal feed was dead for {sense_delay}", "told: it was told to transfer"),
            via="power",
        )
        load_shed: Real = flag("is shed", "is restored", because="the generators asked for less load", via="signal")

    @table
    class Outputs:
        power: Real = quantity("W", "power passed on", default=0.0)
        start_request: Real = quantity("s", "time since it asked for the generators, 0 if it does not", default=0.0)
        alternate_time: Real = quantity(
            "s", "time since it stands on its alternate feed, 0 if it does not", default=0.0
        )

    def outage(self, alternate_live: Real) -> Real:
        """Seconds its load is dead when normal dies and the alternate comes alive some seconds later [s]."""
        xp = library_of(alternate_live)
        return xp.maximum(self.sense_delay, alternate_live + self.transfer_delay) + self.transfer_time

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all stand on a good normal feed with nothing under way; said on the CPU alone."""
        return (
            self.once(_is_auto, u.mode, u.in_service)
            and self.once(_stands, s.on_alternate, s.open_for, s.asking)
            and bool(self.once(self._stays, port.feed_voltage[0], port.feed_gap[0], port.signal["transfer"]))
        )

    def _stays(self, voltage: Real, gap: Real, told: Real) -> bool:
        """Whether no normal feed was dead or low, and none is told to transfer."""
        return not (worth_doing(gap) or worth_doing(abs(voltage) < self.lowest_voltage) or worth_doing(told))

    def _transfer(self, s: Any, u: Any, port: Ports, dt: Real) -> Transfer:
        xp = library_of(s.on_alternate)
        normal = usable(port.feed_voltage[0], port.feed_gap[0], self.lowest_voltage, dt)
        alternate = usable(port.feed_voltage[1], port.feed_gap[1], self.lowest_voltage, dt)
        away = s.on_alternate > 0
        left_good, left_gap = xp.where(away, alternate[0], normal[0]), xp.where(away, alternate[1], normal[1])
        to_good, to_gap = xp.where(away, normal[0], alternate[0]), xp.where(away, normal[1], alternate[1])
        left_clock = xp.where(away, s.alternate_clock, s.normal_clock)
        to_clock = xp.where(away, s.normal_clock, s.alternate_clock)
        sensed = dead_since(left_clock, left_gap, dt) + self.sense_delay
        live = good_since(to_clock, to_gap)
        told = port.signal["transfer"] > 0
        called, kept = told & (away == 0), told & away & left_good
        forced = xp.maximum(xp.where(called & left_good, 0.0, sensed), live + self.transfer_delay)
        goes_back = left_good & (called == 0)
        leaves = xp.maximum(xp.where(goes_back, live + self.retransfer_delay, forced), 0.0)
        free = u.in_service * (u.mode == MODES["auto"]) * (1.0 - u.stuck) * (s.open_for == 0)
        starts = free * to_good * (away | (left_good == 0) | called) * (kept == 0) * (leaves < dt)
        moving = starts > 0
        closes = xp.where(moving, leaves + self.transfer_time, s.open_for)
        heading = xp.where(moving, 1.0 - s.on_alternate, s.on_alternate)
        return Transfer(*normal, *alternate, starts, leaves, closes, heading)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        """Fed by the contact it leaves until it opens, and by the one it heads for once that closes."""
        if self._rests(s, u, port):
            return Supply(port.feed_voltage[0], port.feed_gap[0], [WHOLE, 0.0])
        move = self._transfer(s, u, port, dt)
        through = u.mode == MODES["bypass"]
        stays = 1.0 - through
        heading = move.heading * stays
        moved = Move(move.starts * stays, move.leaves_after, move.closes_after * stays, heading)
        works = (u.mode == MODES["auto"]) + (u.mode == MODES["hand"]) + through
        on = u.in_service * works * (1.0 - self._drops(s, u, port, heading))
        return Supply(*by_contacts(moved, port.feed_voltage, port.feed_gap, on, dt))

    def _drops(self, s: Any, u: Any, port: Ports, heading: Real) -> Real:
        """1 where it stays open on its alternate feed; back on normal it is shed no more."""
        return drops(port.signal.get("shed", 0.0), s.load_shed, u.reset, s.reset_seen) * heading

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Transfer | None:
        return None if self._rests(s, u, port) else self._transfer(s, u, port, dt)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.on_alternate)
        move = port.drive
        if move is None:
            alternate = usable(port.feed_voltage[1], port.feed_gap[1], self.lowest_voltage, dt)
            after = replace(
                s,
                normal_clock=xp.maximum(s.normal_clock, 0.0) + dt,
                alternate_clock=lasting(s.alternate_clock, *alternate, dt),
                reset_seen=u.reset,
            )
            return after, self.Outputs(power=port.power, start_request=s.asked_for, alternate_time=s.open_for)
        away, away_at = latched(move.heading, s.on_alternate, s.on_alternate_at, port.now + move.leaves_after)
        after = replace(
            s,
            normal_clock=lasting(s.normal_clock, move.normal_good, move.normal_gap, dt),
            alternate_clock=lasting(s.alternate_clock, move.alternate_good, move.alternate_gap, dt),
            open_for=xp.maximum(move.closes_after - dt, 0.0),
            on_alternate=away,
            on_alternate_at=away_at,
            reset_seen=u.reset,
            **shed_latch(self._drops(s, u, port, move.heading), s.load_shed, s.load_shed_at, port.now),
            **self._request(s, u, move, port.signal["transfer"] > 0, port.now, dt),
        )
        stands = (away > 0) & (after.open_for == 0)
        since = xp.maximum(port.now + dt - away_at - self.transfer_time, 0.0) * stands
        return after, self.Outputs(power=port.power, start_request=after.asked_for, alternate_time=since)

    def _request(self, s: Any, u: Any, move: Transfer, told: Real, now: Real, dt: Real) -> dict[str, Real]:
        """The request stands from when normal has been dead for long enough, or told, until the load is back on it."""
        xp = library_of(s.on_alternate)
        sensed = xp.maximum(dead_since(s.normal_clock, move.normal_gap, dt) + self.sense_delay, 0.0)
        raised = xp.where(told, 0.0, sensed)
        dead = told | ((move.normal_good == 0) & (raised < dt))
        asks = u.in_service * (u.mode == MODES["auto"]) * xp.maximum(dead, move.heading)
        asked_for = xp.where(s.asking > 0, s.asked_for + dt, dt - xp.minimum(raised, dt)) * asks
        ends = xp.where(move.starts > 0, move.leaves_after, move.normal_gap * move.normal_good)
        asking, asking_at = latched(asks, s.asking, s.asking_at, now + xp.where(asks > 0, dt - asked_for, ends))
        return {"asked_for": asked_for, "asking": asking, "asking_at": asking_at}


def _is_auto(mode: Real, in_service: Real) -> bool:
    """Whether all are in service and left to themselves."""
    return not worth_doing((mode != MODES["auto"]) | (in_service != 1))


def _stands(on_alternate: Real, open_for: Real, asking: Real) -> bool:
    """Whether all stand on their normal feed and ask for nothing."""
    return not worth_doing(on_alternate + open_for + asking)
