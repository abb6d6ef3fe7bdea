"""Trip unit: the elements of a relay or of a breaker's trip unit, their settings and how long they wait."""

from __future__ import annotations

from functools import cached_property

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Real, quantity, table
from twin.physics import protection
from twin.physics.electric import NEVER, time_to_trip

CURVES = {"thermal": 0.0, **{name: code + 1.0 for code, name in enumerate(protection.CURVES)}, "long_time": 4.0}
"""Overload element -> its code."""


@table
class TripUnit(Equipment):
    """An overload element, thermal or by a curve, and short-time and instantaneous elements where they are set."""

    rated_power: Real = quantity("VA", "apparent power that it carries for ever", above=0, at_most=1e9)
    curve: Real = quantity("1", "its overload element", default=0.0, at_least=0, choices=CURVES)
    overload_limit: Real = quantity("1", "load that just trips it, of rating", default=1.1, above=0, at_most=10)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=600.0, above=0, at_most=1e6)
    time_multiplier: Real = quantity("1", "time multiplier of an inverse curve", default=0.1, above=0, at_most=10)
    long_time_delay: Real = quantity("s", "long-time delay, at six times its rating", default=8.0, above=0, at_most=600)
    disc_reset_time: Real = quantity(
        "s", "time in which a curve forgets a whole trip without current; 0: none", default=0.0, at_least=0, at_most=1e4
    )
    short_time_pickup: Real = quantity("1", "short-time pickup, of rating; 0 none", default=0.0, at_least=0, at_most=50)
    short_time_delay: Real = quantity("s", "short-time delay", default=0.3, at_least=0, at_most=60)
    short_time_slope: Real = quantity(
        "1", "delay by the square of current up to ten times rating", default=0.0, choices={"off": 0.0, "on": 1.0}
    )
    instantaneous_pickup: Real = quantity(
        "1", "instantaneous pickup, of rating; 0 none", default=0.0, at_least=0, at_most=100
    )
    instantaneous_delay: Real = quantity("s", "delay of the instantaneous element", default=0.0, at_least=0, at_most=10)
    opening_time: Real = quantity(
        "s", "time from an element's word to open contacts", default=0.0, at_least=0, at_most=10
    )

    def trip_time(self, load: Real, before: Real = 0.0) -> Real:
        """Seconds until an element trips it at an apparent load [VA] at nominal voltage.

        t = tau ln((I^2 - I0^2)/(I^2 - k^2)) for the thermal element, after a long time at another load.
        """
        xp = library_of(load)
        x = load / self.rated_power
        heating, target = (before / self.rated_power) ** 2, x**2
        thermal = time_to_trip(heating, target, self.overload_limit**2, self.thermal_time_constant)
        curve, *others = self._waits(x)
        first = xp.where(self.curve == CURVES["thermal"], thermal, curve)
        for wait in others:
            first = xp.minimum(first, wait)
        return first

    def clearing_time(self, load: Real) -> Real:
        """Seconds from rest until its contacts are open at an apparent load [VA]; NEVER where no element acts."""
        return library_of(load).minimum(self.trip_time(load) + self.opening_time, NEVER)

    @cached_property
    def _constants(self) -> tuple[Real, Real]:
        """K [s] and exponent [1] of the inverse curves, harmless ones elsewhere."""
        where = library_of(self.curve).where
        k, a = 1.0, 1.0
        for name, (one_k, one_a) in protection.CURVES.items():
            k, a = where(self.curve == CURVES[name], one_k, k), where(self.curve == CURVES[name], one_a, a)
        return k, a

    @cached_property
    def _is_plain(self) -> bool:
        """Whether none has any other element than the thermal one; said on the CPU alone."""
        return not worth_doing((self.curve > 0) | (self.short_time_pickup > 0) | (self.instantaneous_pickup > 0))

    @cached_property
    def _lowest_squared(self) -> Real:
        """Square of the current above which an element may move, over rating [1]."""
        xp = library_of(self.overload_limit)
        lowest = self.overload_limit + 0.0
        for pickup in (self.short_time_pickup, self.instantaneous_pickup):
            lowest = xp.where(pickup > 0, xp.minimum(lowest, pickup), lowest)
        return lowest * lowest

    def _waits(self, x: Real) -> tuple[Real, Real, Real]:
        """Times of the overload curve, the short-time and the instantaneous element [s], at a current over rating."""
        where = library_of(x).where
        inverse = protection.inverse_time(x / self.overload_limit, self.time_multiplier, *self._constants)
        slow = protection.long_time(x, self.overload_limit, self.long_time_delay)
        curve = where(self.curve == CURVES["long_time"], slow, where(self.curve > 0, inverse, NEVER))
        short = protection.short_time(x, self.short_time_pickup, self.short_time_delay, self.short_time_slope)
        return curve, short, protection.definite_time(x, self.instantaneous_pickup, self.instantaneous_delay)

    @cached_property
    def _limit(self) -> Real:
        """Heating at which the thermal element trips [1]."""
        return self.overload_limit * self.overload_limit

    @cached_property
    def _thermal(self) -> Real:
        """1 where the overload element is thermal."""
        return (self.curve == CURVES["thermal"]) * 1.0

    @cached_property
    def _heats(self) -> bool:
        """Whether any has a thermal element; said on the CPU alone."""
        return worth_doing(self._thermal)
