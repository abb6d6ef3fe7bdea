"""Tie: a coupler between two boards, or a segment of a ring; it may throw over by itself."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, flag, mode, quantity, replace, table
from twin.physics.electric import conductor_current, overheated
from twin.physics.supply import dead_since, good_since, lasting, latched, usable

LOCKS = 0.005
"""Seconds in which a lockout relay operates once the current has ceased; makers state 5 to 15 ms."""
Ends = tuple[Real, Real]
"""What there is at the first and at the second board."""


class Fed(NamedTuple):
    """The board that a tie would throw over, or has thrown.

    second: whether that is its second board; hangs: whether it is fed through the tie; good, gap: whether what
    feeds it is good at the end of the tick, and the seconds of it that it was not [s].
    """

    second: Real
    hangs: Real
    good: Real
    gap: Real


class Lockout(NamedTuple):
    """What the lockout of a tie says in a tick: at its start and end, since when [s], and that no throw may begin.

    faults: by end, whether that board has had a fault since its supply was last good.
    """

    before: Real
    after: Real
    at: Real
    blocks: Real
    faults: tuple[Real, Real]


class Coupling(NamedTuple):
    """What a tie does in a tick; moments count from its start [s].

    closed_before, closed_after: its contacts at both ends of the tick; moves_at: when they move. bars_before,
    bars_after: by end, where that board's own feeds are kept open; bars_at, frees_at: when that begins and ends.
    """

    closed_before: Real
    closed_after: Real
    moves_at: Real
    bars_before: tuple[Real, Real]
    bars_after: tuple[Real, Real]
    bars_at: Real
    frees_at: Real
    heading: Real
    side: Real
    leaves: Real
    open_for: Real
    good: tuple[Real, Real]
    gap: tuple[Real, Real]
    locked: Lockout


@table
class Tie(Equipment):
    """A switch between two boards, with a series impedance where it is a ring segment.

    It stands as `closed` asks. With `auto_throw` it stays open until the own feeds of one board have been dead
    for `sense_delay` while the other's live; then it opens that board's main and closes `transfer_time`
    later. The main stays interlocked until it has been live for `retransfer_delay` (or the other dies);
    then tie and main change places, again with `transfer_time` between. With both mains dead it does nothing.
    Its `lockout` (ANSI 86) keeps it from throwing onto a fault: where a board died while more than `rated_power`
    flowed through it into a short circuit, or its main opened on current, it stays open until `reset`, and so it does
    where the current still flows when it would act. What strikes a dead board no relay sees.
    Which way power flows follows from the switches; a closed loop ends the run. Closed transition and
    the voltage across open contacts are left out.
    """

    kind = "tie"
    disturbs = ("power", "flow")
    feeds = (0, 0)
    joins = 2

    rated_power: Real = quantity("VA", "apparent power that it carries for ever", above=0, at_most=1e9)
    series_resistance: Real = quantity("ohm", "resistance of a phase", default=0.0, at_least=0, at_most=100)
    series_reactance: Real = quantity("ohm", "reactance of a phase", default=0.0, at_least=0, at_most=100)
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line; 0 takes that of its boards", default=0.0, at_least=0, at_most=1e6
    )
    auto_throw: Real = quantity("1", "1 throws over by itself, 0 stands as asked", default=0.0, at_least=0, at_most=1)
    sense_delay: Real = quantity(
        "s", "time that a main must be dead before it acts", default=0.5, at_least=0, at_most=600
    )
    transfer_time: Real = quantity(
        "s", "time without contact in a transfer, from one breaker to the other", default=0.15, above=0, at_most=60
    )
    retransfer_delay: Real = quantity(
        "s", "time that the main must be live again", default=300.0, at_least=0, at_most=1e5
    )
    lockout: Real = quantity(
        "1", "1 is locked out by a fault of its boards, 0 throws onto it", default=1.0, at_least=0, at_most=1
    )
    lowest_voltage: Real = quantity("1", "voltage taken for dead, of nominal", default=0.85, above=0, below=1)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=1800.0, above=0, at_most=1e6)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is racked out", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        closed: Real = quantity("1", "1 asks it to close, 0 to open", default=0.0, at_least=0, at_most=1)
        stuck: Real = quantity("1", "1: its contacts do not move", default=0.0, failure=True)
        reset: Real = quantity("1", "raised to 1, clears a latched lockout", default=0.0, at_least=0, at_most=1)

    @table
    class State:
        position: Real = quantity("1", "1 closed, 0 open", default=0.0)
        one_clock: Real = quantity("s", "time that its first board's main is live (positive) or dead", default=1e6)
        two_clock: Real = quantity("s", "time that its second board's main is live (positive) or dead", default=1e6)
        open_for: Real = quantity("s", "time until its contacts close, or those of the main", default=0.0)
        side: Real = quantity("1", "which board it threw over: 0 the first, 1 the second", default=0.0)
        one_fault: Real = quantity("1", "1: its first board has had a fault since it was last fed well", default=0.0)
        two_fault: Real = quantity("1", "1: its second board has had a fault since it was last fed well", default=0.0)
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        heating: Real = quantity("1", "heating, 1 at rated current for ever", default=0.0)
        flows_back: Real = quantity("1", "1: power flows from the second board to the first", default=0.0)
        drop_in_phase: Real = quantity("1", "voltage lost in phase with the board that gives", default=0.0)
        drop_in_quadrature: Real = quantity("1", "voltage lost at right angles to that", default=0.0)
        thrown: Real = flag(
            "throws a board over to the other main",
            "throws it back",
            because="its main was dead for {sense_delay} and the other live",
            via="power",
        )
        locked_out: Real = flag(
            "is locked out",
            "is released from its lockout",
            because=(
                "a fault stands on one of its boards",
                "tripped*: a main of its boards opened on a fault or an overload",
            ),
            via="power",
        )
        overloaded: Real = flag(
            "is overheated by overload", "has cooled to its rating",
            because="it carried more than {rated_power} for too long",
            via="load",
        )  # fmt: skip

    @table
    class Outputs:
        power: Real = quantity("W", "power that flows into it", default=0.0)
        loss: Real = quantity("W", "heat of its conductors", default=0.0)
        load_fraction: Real = quantity("1", "current over rated current", default=0.0)

    @cached_property
    def _series(self) -> Real:
        xp = library_of(self.nominal_voltage)
        return (self.series_resistance + 1j * self.series_reactance) / xp.maximum(self.nominal_voltage**2, 1.0)

    def series(self, s: Any, u: Any) -> Real:
        return self._series

    @cached_property
    def _may_lock(self) -> bool:
        return worth_doing(self.auto_throw * self.lockout > 0)

    def couple(
        self, s: Any, u: Any, port: Ports, dt: Real, currents: Ends | None = None, opened: Ends | None = None,
        ready: Ends | None = None,
    ) -> Coupling:  # fmt: skip
        """What the contacts do in this tick, from what the boards' own feeds offer.

        Args:
            currents: into short circuits through each board [VA]; None without any.
            opened: whether each board's main has opened on current; None where none has.
            ready: whether each board is in service; None where all are. An isolated one is not thrown over.
        """
        xp = library_of(s.position)
        (good_1, gap_1), (good_2, gap_2) = (
            usable(port.feed_voltage[end], port.feed_gap[end], self.lowest_voltage, dt) for end in (0, 1)
        )
        on = u.in_service * ((u.mode == MODES["auto"]) | (u.mode == MODES["hand"]))
        throws = on * (u.mode == MODES["auto"]) * self.auto_throw
        thrown = s.thrown * on
        second = xp.where(thrown + s.open_for > 0, s.side, good_2 == 0) > 0
        bad_clock, bad_gap = xp.where(second, s.two_clock, s.one_clock), xp.where(second, gap_2, gap_1)
        own_good = xp.where(second, good_2, good_1)
        well_clock, well_gap = xp.where(second, s.one_clock, s.two_clock), xp.where(second, gap_1, gap_2)
        other_good = xp.where(second, good_1, good_2)
        sensed = dead_since(bad_clock, bad_gap, dt) + self.sense_delay
        throw_at = xp.maximum(sensed, good_since(well_clock, well_gap))
        back = good_since(bad_clock, bad_gap)
        forced = xp.maximum(dead_since(well_clock, well_gap, dt) + self.sense_delay, back)
        back_at = xp.where(other_good, back + self.retransfer_delay, forced)
        leaves = xp.maximum(xp.where(thrown > 0, back_at, throw_at), 0.0)
        stands = 1.0 if ready is None else xp.maximum(thrown, ready[0] * ready[1])
        wants = xp.where(thrown > 0, own_good, (own_good == 0) & other_good) * stands
        would = throws * (1.0 - u.stuck) * (s.open_for == 0) * wants * (leaves < dt) > 0
        hangs = (thrown > 0) & (s.open_for == 0)
        fed = Fed(second, hangs, xp.where(hangs, other_good, own_good), xp.where(hangs, well_gap, bad_gap))
        lock = self._lockout(s, u, fed, (good_1, good_2), currents, opened, throws, would, leaves, dt)
        moves = would & (lock.blocks == 0)
        closes = xp.where(moves, leaves + self.transfer_time, s.open_for)
        heading = xp.where(moves, 1.0 - thrown, thrown)
        by_hand = on * u.closed * (throws == 0)
        stays = u.stuck * u.in_service
        shut = closes < dt
        before = xp.where(stays > 0, s.position, xp.maximum(by_hand, hangs * (1.0 - lock.before)))
        after = xp.where(stays > 0, s.position, xp.maximum(by_hand, heading * shut * (1.0 - lock.after)))
        barred_before = xp.maximum(thrown, s.open_for > 0) * throws
        barred_after = xp.maximum(heading, shut == 0) * throws
        return Coupling(
            before, after, xp.where(lock.after > lock.before, lock.at, xp.where(heading > 0, closes, leaves)),
            (barred_before * ~second, barred_before * second), (barred_after * ~second, barred_after * second),
            leaves, closes, heading, second * 1.0, leaves, xp.maximum(closes - dt, 0.0),
            (good_1, good_2), (gap_1, gap_2), lock,
        )  # fmt: skip

    def _lockout(
        self, s: Any, u: Any, fed: Fed, good: Ends, currents: Ends | None, opened: Ends | None,
        throws: Real, would: Real, leaves: Real, dt: Real,
    ) -> Lockout:  # fmt: skip
        """Whether a fault of its boards bars it from throwing."""
        said = s.one_fault, s.two_fault
        if not self._may_lock or (currents is opened and not worth_doing(said[0] + said[1] + s.locked_out)):
            return Lockout(s.locked_out, s.locked_out, 0.0, 0.0, said)
        xp = library_of(s.position)
        keeps = 1.0 - (u.reset > s.reset_seen)
        flows = [0.0 * leaves if currents is None else (end > self.rated_power) * 1.0 for end in currents or said]
        latched_now = [0.0 * leaves if opened is None else end * 1.0 for end in opened or said]
        faults = []
        for end, here in enumerate((~fed.second, fed.second)):
            now = xp.maximum(flows[end], latched_now[end])
            well = xp.where(here & fed.hangs, fed.good, good[end])
            faults.append(xp.where(well, now, xp.maximum(now, said[end] * keeps)))
        fault, flow, latch = (xp.where(fed.second, two, one) for one, two in (faults, flows, latched_now))
        bars = throws * self.lockout * fault
        quiet = (fed.gap >= dt) & (flow == 0)
        locks = bars * (((fed.good == 0) & (quiet | would)) | (fed.hangs & (latch > 0))) > 0
        before = s.locked_out * keeps
        after = xp.maximum(before, locks)
        at = xp.where(would & ~quiet, leaves, xp.minimum(LOCKS, dt))
        return Lockout(before, after, at, xp.maximum(bars, after), (faults[0], faults[1]))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        move, current, drop, back = port.plan
        modulus, _ = conductor_current(current, port.fault_current, 1.0, 1.0)
        fraction = modulus / self.rated_power
        heating, overloaded, overloaded_at = overheated(
            s.heating, fraction * fraction, self.thermal_time_constant, s.overloaded, s.overloaded_at, port.now, dt
        )
        locked_out, locked_out_at = latched(
            move.locked.after, s.locked_out, s.locked_out_at, lambda: port.now + move.locked.at
        )
        thrown, thrown_at = latched(move.heading, s.thrown, s.thrown_at, lambda: port.now + move.leaves)
        after = replace(
            s,
            position=move.closed_after * 1.0,
            one_clock=lasting(s.one_clock, move.good[0], move.gap[0], dt),
            two_clock=lasting(s.two_clock, move.good[1], move.gap[1], dt),
            open_for=move.open_for,
            side=move.side,
            heating=heating,
            flows_back=back,
            drop_in_phase=drop.real.copy(),
            drop_in_quadrature=drop.imag.copy(),
            one_fault=move.locked.faults[0],
            two_fault=move.locked.faults[1],
            reset_seen=u.reset,
            locked_out=locked_out,
            locked_out_at=locked_out_at,
            thrown=thrown,
            thrown_at=thrown_at,
            overloaded=overloaded,
            overloaded_at=overloaded_at,
        )
        return after, self.Outputs(power=port.power, loss=port.power - port.load, load_fraction=fraction)

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power - port.load
