"""STS: the static transfer switch, which leaves a bad feed for a good one within a quarter of a cycle."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics.conversion import Window, accepted, outside
from twin.physics.electric import loss_by_load
from twin.physics.supply import WHOLE, good_since, lasting, latched, share_alive, while_alive
from twin.physics.transfer import Move, by_contacts


class Course(NamedTuple):
    """The tick of the switch: its contacts, its feeds as it sees them (good, seconds without), and what it holds back.

    first, second: of its normal and its alternate feed.
    """

    move: Move
    first: tuple[Real, Real]
    second: tuple[Real, Real]
    held: Real


@table
class STS(Equipment):
    """Thyristors between two feeds: break before make, `transfer_time` from the fault of one to the other.

    It prefers its first feed, or the alternate one where it is told so, and goes back to it when that has been good
    for `retransfer_delay`. While a short circuit flows through it, it does not transfer: it would take the fault to its
    other feed. With its switch in hand it stays where it is; in bypass the first feed goes straight through.
    The phase angle between its feeds is taken for small (a switch that waits for it, and the inrush of a transformer
    downstream that is met out of phase) and is left out.
    """

    kind = "sts"
    disturbs = ("power", "flow")
    feeds = (2, 2)
    serves = True
    prefers = True

    rated_power: Real = quantity("W", "power that it carries for ever", above=0, at_most=1e7)
    transfer_time: Real = quantity(
        "s", "time without contact in a transfer, with that to sense", default=0.004, above=0, at_most=60
    )
    retransfer_delay: Real = quantity(
        "s", "time that the preferred feed must be good again", default=5.0, at_least=0, at_most=1e5
    )
    lowest_voltage: Real = quantity("1", "feed voltage taken for dead, of nominal", default=0.9, above=0, below=1)
    highest_voltage: Real = quantity("1", "feed voltage refused above, of nominal", default=1.1, above=1, at_most=2)
    frequency_band: Real = quantity(
        "1", "feed frequency refused beyond, off nominal", default=0.05, above=0, at_most=0.5
    )
    inhibit_current: Real = quantity(
        "1", "current that it takes for a short circuit, of rating", default=3.0, above=1, at_most=100
    )
    standing_loss: Real = quantity("1", "loss without load, of rating", default=0.001, at_least=0, at_most=0.2)
    linear_loss: Real = quantity("1", "loss in proportion to load, of rating", default=0.003, at_least=0, at_most=0.2)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is open", default=1.0, at_least=0, at_most=1)
        mode: Real = mode("position of the selector switch", "off", "auto", "hand", "locked_out", "bypass")
        prefers_alternate: Real = quantity(
            "1", "1 prefers its alternate feed", default=0.0, choices={"normal": 0.0, "alternate": 1.0}
        )
        stuck: Real = quantity("1", "1: its contacts do not move", default=0.0, failure=True)

    @table
    class State:
        normal_clock: Real = quantity("s", "time that normal is live (positive) or dead (negative)", default=1e6)
        alternate_clock: Real = quantity("s", "time that alternate is live (positive) or dead (negative)", default=1e6)
        open_for: Real = quantity("s", "time until its contacts close", default=0.0)
        on_alternate: Real = flag(
            "transfers to its alternate feed",
            "transfers back to its normal feed",
            because=(
                "the feed it stood on left its window",
                "gain: the one it prefers was good for {retransfer_delay}",
            ),
            via="power",
        )
        held_back: Real = flag(
            "holds its transfer back",
            "may transfer again",
            because="more than {inhibit_current} of its rating flows through it into a short circuit",
            via="load",
        )
        overloaded: Real = flag(
            "is overloaded",
            "is within its rating again",
            because="it carries more than {rated_power}",
            via="load",
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feeds", default=0.0)
        loss: Real = quantity("W", "heat of its thyristors", default=0.0)
        load_fraction: Real = quantity("1", "apparent power over rating", default=0.0)

    @cached_property
    def input_window(self) -> Window:
        return Window(self.lowest_voltage, self.highest_voltage, self.frequency_band)

    def loss(self, load: Real) -> Real:
        """Heat [W] for an apparent load [VA]."""
        return self.rated_power * loss_by_load(abs(load) / self.rated_power, self.standing_loss, self.linear_loss, 0.0)

    def efficiency(self, load: Real) -> Real:
        """Power out over power in [1], for a load [W]."""
        return load / (load + self.loss(load))

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all stand on a good first feed that they prefer; said on the CPU alone."""
        return (
            self.once(_stays, u.mode, u.in_service, u.prefers_alternate, s.on_alternate, s.open_for, s.held_back)
            and not worth_doing(port.feed_gap[0])
            and not worth_doing(port.feed_voltage[0] == 0)
            and not worth_doing(self._refused(port, 0))
            and not worth_doing(port.fault_current)
        )

    def _refused(self, port: Ports, slot: int) -> Real:
        return outside(self.input_window, port.feed_voltage[slot], _frequency(port, slot))

    def _seen(self, port: Ports, slot: int, dt: Real) -> tuple[Real, Real]:
        return accepted(self.input_window, port.feed_voltage[slot], port.feed_gap[slot], _frequency(port, slot), dt)

    def _course(self, s: Any, u: Any, port: Ports, dt: Real) -> Course:
        xp = library_of(s.on_alternate)
        first, second = self._seen(port, 0, dt), self._seen(port, 1, dt)
        away = s.on_alternate > 0
        left_good, left_gap = xp.where(away, second[0], first[0]), xp.where(away, second[1], first[1])
        to_good, to_gap = xp.where(away, first[0], second[0]), xp.where(away, first[1], second[1])
        to_clock = xp.where(away, s.normal_clock, s.alternate_clock)
        bad = left_gap > 0
        falls_after = xp.where(left_good, 0.0, dt - left_gap)
        live = xp.maximum(good_since(to_clock, to_gap), 0.0)
        preferred = u.prefers_alternate == 1.0 - s.on_alternate
        back_after = xp.maximum(good_since(to_clock, to_gap) + self.retransfer_delay, 0.0)
        leaves = xp.where(bad, xp.maximum(falls_after, live), back_after)
        held = abs(port.fault_current) > self.inhibit_current * self.rated_power
        auto = u.in_service * (u.mode == MODES["auto"]) * (1.0 - u.stuck) * (s.open_for == 0)
        # a feed that is good again before its fellow is there is not left for it
        worth_it = (bad & ((left_good == 0) | (live < left_gap))) | preferred
        starts = auto * to_good * worth_it * (held == 0) * (leaves < dt)
        closes = xp.where(starts > 0, leaves + self.transfer_time, s.open_for)
        heading = xp.where(starts > 0, 1.0 - s.on_alternate, s.on_alternate)
        return Course(Move(starts, leaves, closes, heading), first, second, held)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        if self._rests(s, u, port):
            return Supply(port.feed_voltage[0], port.feed_gap[0], [WHOLE, 0.0])
        move = self._course(s, u, port, dt).move
        through = u.mode == MODES["bypass"]
        on = u.in_service * ((u.mode == MODES["auto"]) + (u.mode == MODES["hand"]) + through)
        stays = 1.0 - through
        moved = Move(move.starts * stays, move.leaves_after, move.closes_after * stays, move.heading * stays)
        return Supply(*by_contacts(moved, port.feed_voltage, port.feed_gap, on, dt))

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Course | None:
        return None if self._rests(s, u, port) else self._course(s, u, port, dt)

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        return load + self.loss(while_alive(load, alive)) * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power - port.load

    def pace(self) -> dict[str, tuple[float, str]]:
        return {}

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.on_alternate)
        apparent = library_of(port.load).hypot(port.load, port.load_reactive)
        fraction = while_alive(apparent, share_alive(port.gap, dt)) / self.rated_power
        overloaded, overloaded_at = latched(fraction > 1.0, s.overloaded, s.overloaded_at, port.now)
        outputs = self.Outputs(power=port.power, loss=port.power - port.load, load_fraction=fraction)
        after = replace(s, overloaded=overloaded, overloaded_at=overloaded_at)
        course: Course | None = port.drive
        if course is None:
            second = self._seen(port, 1, dt)
            clocks = xp.maximum(s.normal_clock, 0.0) + dt, lasting(s.alternate_clock, *second, dt)
            return replace(after, normal_clock=clocks[0], alternate_clock=clocks[1]), outputs
        move = course.move
        away, away_at = latched(move.heading, s.on_alternate, s.on_alternate_at, port.now + move.leaves_after)
        held, held_at = latched(course.held, s.held_back, s.held_back_at, port.now)
        return replace(
            after,
            normal_clock=lasting(s.normal_clock, *course.first, dt),
            alternate_clock=lasting(s.alternate_clock, *course.second, dt),
            open_for=xp.maximum(move.closes_after - dt, 0.0),
            on_alternate=away,
            on_alternate_at=away_at,
            held_back=held,
            held_back_at=held_at,
        ), outputs


def _stays(mode: Real, in_service: Real, prefers_alternate: Real, *moves: Real) -> bool:
    """Whether all are in service and left to themselves, on their normal feed with nothing under way."""
    astir = (mode != MODES["auto"]) | (in_service != 1) | (prefers_alternate != 0)
    return not worth_doing(astir | (sum(moves) != 0))


def _frequency(port: Ports, slot: int) -> Real:
    """Frequency of a feed, of nominal; None where the network does not say."""
    return None if port.feed_frequency is None else port.feed_frequency[slot]
