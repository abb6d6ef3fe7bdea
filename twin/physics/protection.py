"""Protection: how long relays and trip units wait at a current, and how far each is on its way to a trip."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of
from twin.physics.electric import NEVER

Real = Any
CURVES = {"standard_inverse": (0.14, 0.02), "very_inverse": (13.5, 1.0), "extremely_inverse": (80.0, 2.0)}
"""Curve of IEC 60255-151 -> its k [s] and exponent a [1]."""
STEEPEST = 20.0
"""Multiple of the pickup beyond which an inverse curve runs flat [1] (IEC 60255-151: effective range to 20 Gs)."""
AT_LONG_TIME, AT_SHORT_TIME = 6.0, 10.0
"""Multiples of rated current at which the delays of low-voltage trip units are stated [1]."""
AT_ONCE = 1e-12
"""Seconds that stand for none where something divides by them."""


def inverse_time(multiple: Real, multiplier: Real, k: Real, a: Real) -> Real:
    """Time in which an inverse-time relay operates at a steady current [s]; NEVER up to its pickup.

        t = TMS k / ((I/Is)^a - 1)

    Beyond 20 times the pickup it stays what it is there.

    Args:
        multiple: current over pickup, I/Is [1].
        multiplier: time multiplier setting TMS [1].
        k, a: constants of the curve [s], [1].

    Source: IEC 60255-151:2009.
    """
    xp = library_of(multiple)
    above = multiple > 1.0
    M = xp.minimum(xp.where(above, multiple, 2.0), STEEPEST)
    return xp.where(above, multiplier * k / (M**a - 1.0), NEVER)


def long_time(current: Real, pickup: Real, delay: Real) -> Real:
    """Time in which the long-time element of a low-voltage trip unit operates [s]; NEVER up to its pickup.

        I^2 t = (6 Ir)^2 tr

    Args:
        current: over its setting, I/Ir [1].
        pickup: where it starts to count, between 1.05 and 1.2 [1].
        delay: tr, the time at six times the setting [s].

    Source: IEC 60947-2, annex F; makers state tr at 6 Ir.
    """
    xp = library_of(current)
    above = current > pickup
    x = xp.where(above, current, 1.0)
    return xp.where(above, delay * (AT_LONG_TIME / x) ** 2, NEVER)


def short_time(current: Real, pickup: Real, delay: Real, sloped: Real) -> Real:
    """Time in which the short-time element operates [s]; NEVER up to its pickup, or where that is 0 (none).

        t = tsd,   or with the I^2 t slope   t = tsd max((10 Ir/I)^2, 1)

    Args:
        current: over its setting, I/Ir [1].
        pickup: current above which it acts, Isd/Ir; 0 where there is none [1].
        delay: tsd [s].
        sloped: 1 where the slope is on, 0 where the time is definite.

    Source: IEC 60947-2; makers state tsd at 10 Ir.
    """
    xp = library_of(current)
    above = (current > pickup) & (pickup > 0)
    x = xp.where(above, current, 1.0)
    slope = xp.where(sloped > 0, xp.maximum((AT_SHORT_TIME / x) ** 2, 1.0), 1.0)
    return xp.where(above, delay * slope, NEVER)


def definite_time(current: Real, pickup: Real, delay: Real) -> Real:
    """Time in which a definite-time element operates [s]; NEVER up to its pickup, or where that is 0 (none)."""
    return library_of(current).where((current > pickup) & (pickup > 0), delay, NEVER)


def time_left(travel: Real, wait: Real) -> Real:
    """Seconds until an element operates if the current stays [s]; NEVER where it would not.

    t_left = (1 - travel) t(I)
    """
    return library_of(wait).where(wait < NEVER, (1.0 - travel) * wait, NEVER)


def travelled(travel: Real, wait: Real, seconds: Real, forgets: Real = 0.0) -> Real:
    """How far an element has come after some seconds of a steady current [1]; it operates at 1.

        d(travel)/dt = 1/t(I) above the pickup,   -forgets below

    This is the disc of an electromechanical relay, which numerical ones emulate: after currents of any course it
    operates when the integral of dt/t(I) reaches 1.

    Args:
        travel: before [1].
        wait: time in which it operates at this current, NEVER up to the pickup [s].
        seconds: length of the stretch [s].
        forgets: travel lost in a second below the pickup; 0 loses it all at once [1/s].

    Source: IEC 60255-151:2009, 4.3 and annex A.
    """
    xp = library_of(wait)
    above = wait < NEVER
    back = xp.where(forgets > 0, xp.maximum(travel - forgets * seconds, 0.0), 0.0)
    return xp.where(above, xp.minimum(travel + seconds / xp.maximum(wait, AT_ONCE), 1.0), back)


def forgetting(multiple: Real, reset_time: Real) -> Real:
    """Travel that a disc loses in a second below its pickup [1/s]; 0 where it resets at once.

        t_reset = tr / (1 - (I/Is)^2)

    Args:
        multiple: current over pickup [1].
        reset_time: tr, from a whole travel to none without current; 0 resets at once [s].

    Source: IEC 60255-151:2009, equation (2) with exponent 2.
    """
    xp = library_of(multiple)
    slow = reset_time > 0
    rate = xp.maximum(1.0 - multiple * multiple, AT_ONCE) / xp.where(slow, reset_time, 1.0)
    return xp.where(slow, rate, 0.0)


def undervoltage(low_for: Real, good: Real, low: Real, delay: Real, dt: Real) -> tuple[Real, Real]:
    """An undervoltage release through a tick.

    Args:
        low_for: seconds that the voltage has been too low without a break [s].
        good: whether it suffices at the end of the tick.
        low: seconds of the tick in which it did not: the first where `good`, the last elsewhere [s].
        delay: time that it waits [s].

    Returns:
        `low_for` at the end of the tick, and seconds from the tick's start until it operates, NEVER where
        it does not in this tick [s].
    """
    xp = library_of(low)
    begins = xp.where(good, 0.0, dt - low)
    waits = xp.maximum(delay - low_for, 0.0)
    operates = (low > 0) & (waits <= low) & (begins + waits < dt)
    return xp.where(good, 0.0, low_for + low), xp.where(operates, begins + waits, NEVER)
