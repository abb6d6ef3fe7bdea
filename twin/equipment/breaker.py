"""Breaker: a switch in one feed that opens when asked, or by itself when its protection says so."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from twin.arrays import complex_of, library_of, worth_doing
from twin.declare import MODES, Ports, Real, Supply, flag, mode, quantity, replace, table
from twin.equipment.parts.trip_unit import CURVES, TripUnit
from twin.physics import protection
from twin.physics.electric import NEVER, current_size, relaxed, series_current, time_to_pass, time_to_trip
from twin.physics.supply import latched, lives, share_alive, usable, while_alive

LATCHES = ("tripped", "tripped_short_time", "tripped_instantaneous", "tripped_undervoltage", "load_shed")
"""What opened it, in the order of the codes in `operated_by`, from 1."""
RELEASE, SHED = 4.0, 5.0
PROMPT = 0.05
"""Seconds in which protection tells a short circuit from a load and opens, at its fastest."""


class Contacts(NamedTuple):
    """What the contacts do in a tick; moments count from its start [s].

    at_start, at_end: closed, 0/1; seconds: closed in the tick; moment: when they moved; by: code of what
    opened them, 0 for none; latches: as at the tick's end; disobeys: they are stuck though told to open.
    damaged: by a current that they could not break; cleared: a reset came; low_for, released: of the undervoltage
    release; None where all rest.
    """

    at_start: Real
    at_end: Real
    seconds: Real
    moment: Real = 0.0
    by: Real = None
    latches: tuple[Real, ...] = ()
    disobeys: Real = 0.0
    damaged: Real = 0.0
    cleared: Real = 0.0
    low_for: Real = 0.0
    released: Real = NEVER


@table
class Breaker(TripUnit):
    """A switch with the elements of a relay or a trip unit; a trip latches until `reset` is raised.

    The overload element follows `curve`: thermal heats by the square of current as a first-order law, the
    inverse curves of IEC 60255 and the long time of low-voltage trip units count as a disc turns. Short-time
    and instantaneous elements, an undervoltage release and shedding on a signal are there where their
    settings are not 0. Each is exact for a steady current at any tick; which tick an element passes its limit
    in is found with that tick's current, when its contacts then open is foreseen by `opening_time`. In hand it
    stays where it is; off or locked out it is open. Earth faults, arcs and losses of the contacts, and the
    limits of what they can interrupt, are left out.
    """

    kind = "breaker"
    disturbs = ("power", "flow")
    feeds = (1, 1)
    serves = True
    signals = ("shed",)
    conducts = True

    breaking_capacity: Real = quantity(
        "VA", "short circuit that it can break, at nominal voltage; 0 leaves it unchecked",
        default=0.0, at_least=0, at_most=1e12,
    )  # fmt: skip
    undervoltage_limit: Real = quantity(
        "1", "feed voltage below which its release opens it, of nominal; 0 none", default=0.0, at_least=0, below=1
    )
    undervoltage_delay: Real = quantity(
        "s", "time that the voltage must be too low", default=0.0, at_least=0, at_most=1e4
    )
    shed_return_delay: Real = quantity(
        "s", "time after the end of shedding until it closes again; 0: reset", default=0.0, at_least=0, at_most=1e5
    )

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is racked out", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        closed: Real = quantity("1", "1 asks it to close, 0 to open", default=1.0, at_least=0, at_most=1)
        reset: Real = quantity("1", "raised to 1, clears a latched trip", default=0.0, at_least=0, at_most=1)
        fails_to_open: Real = quantity("1", "1: its contacts stay closed", default=0.0, failure=True)
        protection_failed: Real = quantity("1", "1: its elements see no current", default=0.0, failure=True)

    @table
    class State:
        position: Real = quantity("1", "1 closed, 0 open", default=1.0)
        heating: Real = quantity("1", "heating of a thermal element, 1 at rated current for ever", default=0.0)
        squared_current: Real = quantity("1", "square of current over rating while fed", default=0.0)
        overload_travel: Real = quantity("1", "way of its overload curve to a trip", default=0.0)
        short_time_travel: Real = quantity("1", "way of its short-time element to a trip", default=0.0)
        instantaneous_travel: Real = quantity("1", "way of its instantaneous element to a trip", default=0.0)
        low_for: Real = quantity("s", "time that the voltage has been too low", default=0.0)
        operated_by: Real = quantity("1", "element that told it to open, 0 none", default=0.0)
        operated_for: Real = quantity("s", "time since an element told it to open", default=0.0)
        quiet_for: Real = quantity("s", "time since the shedding ended", default=0.0)
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        tripped: Real = flag(
            "trips",
            "is reset",
            because="it carried more than {overload_limit} of {rated_power} for too long",
            via="load",
        )
        tripped_short_time: Real = flag(
            "trips on its short-time element",
            "is reset",
            because="its current passed {short_time_pickup} of {rated_power} for {short_time_delay}",
            via="load",
        )
        tripped_instantaneous: Real = flag(
            "trips on its instantaneous element",
            "is reset",
            because="its current passed {instantaneous_pickup} of {rated_power}",
            via="load",
        )
        tripped_undervoltage: Real = flag(
            "trips on undervoltage",
            "is reset",
            because="its feed was below {undervoltage_limit} of nominal for {undervoltage_delay}",
            via="power",
        )
        load_shed: Real = flag("is shed", "is restored", because="the generators asked for less load", via="signal")
        failed_to_open: Real = flag("fails to open", "obeys again", because="its contacts are stuck")
        damaged: Real = flag(
            "fails to clear a short circuit and is damaged",
            "is replaced",
            because="it opened on more than its breaking capacity of {breaking_capacity}",
            via="load",
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power passed on", default=0.0)
        load_fraction: Real = quantity("1", "current over rated current", default=0.0)

    @cached_property
    def _has_release(self) -> bool:
        return worth_doing(self.undervoltage_limit > 0)

    @cached_property
    def _most_squared(self) -> Real:
        """Square of the current that it can break, over rating [1]."""
        can = library_of(self.rated_power).where(self.breaking_capacity > 0, self.breaking_capacity, NEVER)
        return (can / self.rated_power) ** 2

    def _foreseen(self, s: Any, u: Any) -> tuple[Real, Real]:
        """Seconds until an element operates if the current of the last tick stays, and its code."""
        xp = library_of(s.position)
        limit = self.overload_limit * self.overload_limit
        first = time_to_trip(s.heating, s.squared_current, limit, self.thermal_time_constant)
        by = xp.ones(first.shape)
        if not self._is_plain:
            waits = self._waits(xp.sqrt(s.squared_current))
            first = xp.where(self.curve > 0, protection.time_left(s.overload_travel, waits[0]), first)
            for code, travel, wait in ((2.0, s.short_time_travel, waits[1]), (3.0, s.instantaneous_travel, waits[2])):
                left = protection.time_left(travel, wait)
                by, first = xp.where(left <= first, code, by), xp.minimum(left, first)
        return xp.where(u.protection_failed > 0, NEVER, first), by

    def _rests(self, s: Any, u: Any, port: Ports) -> bool:
        """Whether all are closed, asked to be so, healthy and below their limits; said on the CPU alone."""
        return (
            self.once(
                _is_closed, s.position, s.operated_by, s.overload_travel, s.failed_to_open, s.damaged, s.tripped,
                s.tripped_short_time, s.tripped_instantaneous, s.tripped_undervoltage, s.load_shed,
            )
            and self.once(_shall_close, u.mode, u.in_service, u.closed, u.fails_to_open)
            and not worth_doing(port.signal.get("shed", 0.0))
            and self.once(self._is_below, s.heating, s.squared_current)
            and not (self._has_release and worth_doing(self._low(s, port, 1.0)[1]))
        )  # fmt: skip

    def _is_below(self, heating: Real, squared: Real) -> bool:
        """Whether no element moves; found for a tick and known to the next one."""
        above = squared > self._lowest_squared
        return not worth_doing((heating >= self._limit) | above if self._heats else above)

    def _latches(self, s: Any) -> list[Real]:
        return [getattr(s, name) for name in LATCHES]

    def _low(self, s: Any, port: Ports, dt: Real) -> tuple[Real, Real]:
        """Whether the feed's voltage suffices at the end of the tick, and the seconds it does not."""
        good, low = usable(port.feed_voltage[0], port.feed_gap[0], self.undervoltage_limit, dt)
        return good | (self.undervoltage_limit <= 0), low * (self.undervoltage_limit > 0)

    def _contacts(self, s: Any, u: Any, port: Ports, dt: Real) -> Contacts:
        if self._rests(s, u, port):
            return Contacts(s.position, s.position, dt)
        xp = library_of(s.position)
        told = port.signal.get("shed", 0.0) * u.in_service
        cleared = (u.reset > s.reset_seen) * 1.0
        waits = xp.maximum(self.shed_return_delay - s.quiet_for, 0.0)
        returns = s.load_shed * (1.0 - cleared) * (self.shed_return_delay > 0) * (told <= 0) * (waits < dt)
        held = [was * (1.0 - cleared) for was in self._latches(s)]
        held[-1] = held[-1] * (1.0 - returns)
        latch = held[0]
        for other in held[1:]:
            latch = xp.maximum(latch, other)
        in_hand = u.mode == MODES["hand"]
        asked = u.in_service * xp.where(in_hand, s.position, (u.mode == MODES["auto"]) * u.closed)
        wanted = asked * (1.0 - latch)
        told_not = u.fails_to_open * s.position * u.in_service
        welds = xp.maximum(s.damaged, s.squared_current > self._most_squared) * s.position * u.in_service
        stuck = xp.maximum(told_not, welds)
        at_start = xp.maximum(wanted, stuck)
        low_for, released = self._release(s, u, port, dt)
        after, by = self._opening(s, u, cleared, told, released)
        trips = (after < dt) * wanted * xp.maximum(s.position, returns)
        opens = trips * (1.0 - stuck)
        moment = xp.where(trips > 0, xp.maximum(after, returns * waits), returns * waits)
        seconds = at_start * xp.where(opens > 0, moment, dt)
        latches = tuple(xp.maximum(was, opens * (by == code)) for code, was in enumerate(held, 1))
        parts = xp.maximum(1.0 - wanted, trips)
        return Contacts(
            at_start, at_start - opens, xp.maximum(seconds - returns * waits, 0.0), moment, opens * by, latches,
            told_not * parts, xp.maximum(s.damaged * u.in_service, welds * parts * (1.0 - told_not)),
            cleared, low_for, released,
        )  # fmt: skip

    def _release(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Real, Real]:
        """Seconds without enough voltage at the end of the tick, and when the release operates in it."""
        if not self._has_release:
            return s.low_for, NEVER
        low_for, released = protection.undervoltage(s.low_for, *self._low(s, port, dt), self.undervoltage_delay, dt)
        return low_for, library_of(low_for).where(u.protection_failed > 0, NEVER, released)

    def _opening(self, s: Any, u: Any, cleared: Real, told: Real, released: Real) -> tuple[Real, Real]:
        """When its contacts open if nothing changes [s from the tick's start], and the code of what opens them."""
        xp = library_of(s.position)
        first, by = self._foreseen(s, u)
        by, first = xp.where(released < first, RELEASE, by), xp.minimum(released, first)
        shed = xp.where(told > 0, -told, NEVER)
        by, first = xp.where(shed < first, SHED, by), xp.minimum(shed, first)
        operated = (s.operated_by > 0) & (cleared == 0)
        by = xp.where(operated, s.operated_by, by)
        return xp.maximum(xp.where(operated, -s.operated_for, first) + self.opening_time, 0.0), by

    def pace(self) -> dict[str, tuple[float, str]]:
        return {"fault": (PROMPT, "its protection answers a short circuit")}

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        contacts = port.drive = self._contacts(s, u, port, dt)
        feed_gap = port.feed_gap[0]
        if contacts.by is None:
            return Supply(port.feed_voltage[0], feed_gap, [lives(feed_gap, dt)])
        gap = library_of(feed_gap).minimum(feed_gap + (dt - contacts.seconds), dt)
        return Supply(port.feed_voltage[0] * contacts.at_end, gap, [(gap < dt) * 1.0])

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        return load

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        return port.drive

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        contacts = port.drive
        current, alive = self._current(port, contacts, dt)
        squared, heating = current * current, s.heating
        changes = {"squared_current": squared, "reset_seen": u.reset}
        if self._heats:
            heats = squared * alive * self._thermal
            heating = changes["heating"] = relaxed(s.heating, heats, self.thermal_time_constant, dt)
        if contacts.by is not None or not self.once(self._is_below, heating, squared):
            changes |= self._elements(s, u, contacts, current, heating, alive * dt, port, dt)
        if contacts.by is not None:
            changes |= self._latch(s, contacts, port, dt)
        return replace(s, **changes), self.Outputs(power=port.power, load_fraction=current)

    def _current(self, port: Ports, contacts: Contacts, dt: Real) -> tuple[Real, Real]:
        """Current over its rating [1], and the share of the tick in which it flows [1]."""
        alive = share_alive(port.gap, dt)
        if type(port.fault_current) is float:
            load = library_of(port.load).hypot(port.load, port.load_reactive) / self.rated_power
            return current_size(while_alive(load, alive), port.voltage), alive
        load = while_alive(complex_of(port.load, port.load_reactive), alive)
        current = abs(series_current(load, port.voltage) + port.fault_current) / self.rated_power
        shorted = abs(port.fault_current) > 0  # a collapsed voltage feeds no load, yet the current flows
        return current, library_of(current).where(shorted, contacts.seconds / dt, alive)

    def _elements(
        self, s: Any, u: Any, contacts: Contacts, current: Real, heating: Real, seconds: Real, port: Ports, dt: Real
    ) -> dict[str, Real]:
        """How far each element has come with this tick's current, and which operated first."""
        xp = library_of(current)
        changes: dict[str, Real] = {}
        passes = time_to_pass(s.heating, current * current, self._limit, self.thermal_time_constant)
        first = xp.where(
            (self.curve == CURVES["thermal"]) & (heating >= self._limit), xp.minimum(passes, seconds), NEVER
        )
        by = xp.ones(current.shape)
        if not self._is_plain:
            multiple = current / self.overload_limit
            forgets = (protection.forgetting(multiple, self.disc_reset_time), 0.0, 0.0)
            names = ("overload_travel", "short_time_travel", "instantaneous_travel")
            for code, (name, wait) in enumerate(zip(names, self._waits(current)), 1):
                was = getattr(s, name)
                travel = protection.travelled(was, wait, seconds, forgets[code - 1])
                left = xp.where(travel >= 1.0, protection.time_left(was, wait), NEVER)
                by, first = xp.where(left < first, code, by), xp.minimum(left, first)
                changes[name] = travel * (1.0 - u.protection_failed)
        first = xp.where(u.protection_failed > 0, NEVER, first)
        by, first = xp.where(contacts.released < first, RELEASE, by), xp.minimum(contacts.released, first)
        told = port.signal.get("shed", 0.0) * u.in_service
        by, first = xp.where((told > 0) & (first > 0), SHED, by), xp.where(told > 0, xp.minimum(-told, first), first)
        before = s.operated_by * (1.0 - contacts.cleared)
        goes_on = (before > 0) | (first < NEVER)
        waits = goes_on * contacts.at_end
        changes["operated_by"] = xp.where(before > 0, before, by) * waits
        changes["operated_for"] = xp.where(waits > 0, xp.where(before > 0, s.operated_for + dt, dt - first), 0.0)
        return changes

    def _latch(self, s: Any, contacts: Contacts, port: Ports, dt: Real) -> dict[str, Real]:
        """Flags and clocks that only an open or disturbed breaker has."""
        moment = port.now + contacts.moment
        quiet_for = (s.quiet_for + dt) * contacts.latches[-1] * (port.signal.get("shed", 0.0) <= 0)
        changes: dict[str, Real] = {
            "position": contacts.at_end, "low_for": contacts.low_for, "quiet_for": quiet_for,
        }  # fmt: skip
        said = (*contacts.latches, contacts.disobeys, contacts.damaged)
        for name, value in zip((*LATCHES, "failed_to_open", "damaged"), said, strict=True):
            changes[name], changes[f"{name}_at"] = latched(value, getattr(s, name), getattr(s, f"{name}_at"), moment)
        return changes


def _is_closed(position: Real, operated_by: Real, travel: Real, failed_to_open: Real, *latches: Real) -> bool:
    """Whether all are closed and healthy, with nothing on its way to a trip."""
    ails = (position != 1) | (operated_by + travel + failed_to_open != 0)
    for latch in latches:
        ails = ails | (latch != 0)
    return not worth_doing(ails)


def _shall_close(mode: Real, in_service: Real, closed: Real, fails_to_open: Real) -> bool:
    """Whether all are asked to be closed and none is stuck."""
    return not worth_doing((mode != MODES["auto"]) | (in_service * closed != 1) | (fails_to_open != 0))
