"""Breaker: a switch in one feed that opens when asked, or by itself when overloaded."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Equipment, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.physics.electric import relaxed, series_current, time_to_trip
from twin.physics.supply import latched, share_alive, while_alive


class Contacts(NamedTuple):
    """What the contacts do in a tick: closed at its start and end, seconds closed, and what moved them."""

    at_start: Real
    at_end: Real
    seconds: Real
    trip_after: Real
    tripped: Real
    disobeys: Real


@table
class Breaker(Equipment):
    """A switch with a thermal overload element; a trip latches until `reset` is raised.

    The element heats by the square of current as an exact first-order law, so a steady overload trips at
    the same moment at any tick. In hand it stays where it is; off or locked out it is open. Magnetic
    and earth-fault trips and the contacts' own losses are left out.
    """

    kind = "breaker"
    disturbs = ("power", "flow")
    feeds = (1, 1)
    serves = True

    rated_power: Real = quantity("VA", "apparent power that it carries for ever", above=0, at_most=1e9)
    overload_limit: Real = quantity("1", "load that just trips it, of rating", default=1.1, above=0, at_most=10)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=600.0, above=0, at_most=1e6)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is racked out", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        closed: Real = quantity("1", "1 asks it to close, 0 to open", default=1.0, at_least=0, at_most=1)
        reset: Real = quantity("1", "raised to 1, clears a latched trip", default=0.0, at_least=0, at_most=1)
        fails_to_open: Real = quantity("1", "1: its contacts stay closed", default=0.0, failure=True)

    @table
    class State:
        position: Real = quantity("1", "1 closed, 0 open", default=1.0)
        heating: Real = quantity("1", "heating, 1 at rated current for ever", default=0.0)
        squared_current: Real = quantity("1", "square of current over rating while fed", default=0.0)
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        tripped: Real = flag(
            "trips", "is reset", because="it carried more than {overload_limit} of {rated_power} for too long"
        )
        failed_to_open: Real = flag("fails to open", "obeys again", because="its contacts are stuck")

    @table
    class Outputs:
        power: Real = quantity("W", "power passed on", default=0.0)
        load_fraction: Real = quantity("1", "current over rated current", default=0.0)

    def trip_time(self, load: Real, before: Real = 0.0) -> Real:
        """Seconds until it trips at an apparent load [VA] after a long time at another, at nominal voltage.

        t = tau ln((I^2 - I0^2)/(I^2 - k^2))
        """
        heating, target = (before / self.rated_power) ** 2, (load / self.rated_power) ** 2
        return time_to_trip(heating, target, self.overload_limit**2, self.thermal_time_constant)

    def _rests(self, s: Any, u: Any) -> bool:
        """Whether all are closed, asked to be so, healthy and below their limits; said on the CPU alone."""
        limit = self.overload_limit * self.overload_limit
        return (
            self.once(_is_closed, s.position, s.tripped, s.failed_to_open)
            and self.once(_shall_close, u.mode, u.in_service, u.closed, u.fails_to_open)
            and not worth_doing((s.heating >= limit) | (s.squared_current > limit))
        )

    def _contacts(self, s: Any, u: Any, dt: Real) -> Contacts:
        if self._rests(s, u):
            return Contacts(s.position, s.position, dt, 0.0, s.tripped, s.failed_to_open)
        xp = library_of(s.position)
        in_hand = u.mode == MODES["hand"]
        asked = u.in_service * xp.where(in_hand, s.position, (u.mode == MODES["auto"]) * u.closed)
        still_tripped = s.tripped * (u.reset <= s.reset_seen)
        wanted = asked * (1.0 - still_tripped)
        stuck = u.fails_to_open * s.position * u.in_service
        at_start = xp.maximum(wanted, stuck)
        limit = self.overload_limit * self.overload_limit
        after = time_to_trip(s.heating, s.squared_current, limit, self.thermal_time_constant)
        trips = (after < dt) * wanted * s.position
        opens = trips * (1.0 - stuck)
        seconds = at_start * xp.where(opens > 0, after, dt)
        tripped = xp.maximum(still_tripped, opens)
        disobeys = stuck * xp.maximum(1.0 - wanted, trips)
        return Contacts(at_start, at_start - opens, seconds, after * (trips > 0), tripped, disobeys)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        contacts = self._contacts(s, u, dt)
        feed_gap = port.feed_gap[0]
        gap = library_of(feed_gap).minimum(feed_gap + (dt - contacts.seconds), dt)
        return Supply(port.feed_voltage[0] * contacts.at_end, gap, [(gap < dt) * 1.0])

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Contacts:
        return self._contacts(s, u, dt)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        contacts = port.drive
        alive = share_alive(port.gap, dt)
        load = library_of(port.load).hypot(port.load, port.load_reactive) / self.rated_power
        current = abs(series_current(while_alive(load, alive), port.voltage))
        squared = current * current
        heating = relaxed(s.heating, squared * alive, self.thermal_time_constant, dt)
        moment = port.now + contacts.trip_after
        tripped, tripped_at = latched(contacts.tripped, s.tripped, s.tripped_at, moment)
        failed, failed_at = latched(contacts.disobeys, s.failed_to_open, s.failed_to_open_at, moment)
        after = replace(
            s,
            position=contacts.at_end,
            heating=heating,
            squared_current=squared,
            reset_seen=u.reset,
            tripped=tripped,
            tripped_at=tripped_at,
            failed_to_open=failed,
            failed_to_open_at=failed_at,
        )
        return after, self.Outputs(power=port.power, load_fraction=current)


def _is_closed(position: Real, tripped: Real, failed_to_open: Real) -> bool:
    """Whether all are closed and healthy."""
    return not worth_doing((position != 1) | (tripped + failed_to_open != 0))


def _shall_close(mode: Real, in_service: Real, closed: Real, fails_to_open: Real) -> bool:
    """Whether all are asked to be closed and none is stuck."""
    return not worth_doing((mode != MODES["auto"]) | (in_service * closed != 1) | (fails_to_open != 0))
