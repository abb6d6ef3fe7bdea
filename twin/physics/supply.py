"""Supply: which feed serves, for how many seconds of a tick none does, and timers exact within the tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twin.arrays import library_of, worth_doing

Real = Any
TINY = 1e-300
"""Stands for zero where something divides by it: 0/TINY is 0."""
BLINK = 1e-9
"""Share of a tick below which a supply did not live in it, but for round-off [1]."""
WHOLE = 1.0
"""The share of a feed that bears the whole draw throughout the tick; nothing needs to be multiplied by it."""

Offer = tuple[Real, Real, list[Real]]
"""Voltage at the end of the tick [pu], seconds of it without supply [s], share of the draw by feed [1].

A share is a plain number where it is the same for all units.
"""


def shared(
    feed_voltage: Sequence[Real], feed_gap: Sequence[Real], dt: Real, weight: Sequence[Real] | None = None
) -> Offer:
    """Any live feed serves; each bears a share in proportion to the seconds it lived.

    Args:
        feed_voltage: complex voltage of each feed at the end of the tick, 0 when dead [pu].
        feed_gap: seconds of the tick that each feed was dead [s].
        weight: how much more one feed bears than another; alike when not said [1].

    Returns:
        Voltage of the best feed, seconds without any (gaps are taken to overlap: they have one cause),
        and the shares, which sum to 1 where a feed lived and to 0 elsewhere.
    """
    if len(feed_gap) == 1:
        return feed_voltage[0], feed_gap[0], [lives(feed_gap[0], dt)]
    xp = library_of(feed_gap[0])
    if weight is None and not any(map(worth_doing, feed_gap)):
        share = float(dt / sum([dt] * len(feed_gap)))
        return best_voltage(feed_voltage), feed_gap[0], [share] * len(feed_gap)
    bears = [dt - gap for gap in feed_gap]
    if weight is not None:
        bears = [alive * more for alive, more in zip(bears, weight)]
    total = bears[0]
    for alive in bears[1:]:
        total = total + alive
    if not worth_doing(total):
        return feed_voltage[0], feed_gap[0], [0.0] * len(bears)
    gap = feed_gap[0]
    for other_gap in feed_gap[1:]:
        gap = xp.minimum(gap, other_gap)
    total = xp.maximum(total, TINY)
    return best_voltage(feed_voltage), gap, [alive / total for alive in bears]


def best_voltage(feed_voltage: Sequence[Real]) -> Real:
    """The highest voltage among some feeds, complex [pu]."""
    best = feed_voltage[0]
    for other in feed_voltage[1:]:
        higher = abs(other) > abs(best)
        if worth_doing(higher):
            best = library_of(best).where(higher, other, best)
    return best


def preferred(feed_voltage: Sequence[Real], feed_gap: Sequence[Real], dt: Real) -> Offer:
    """The first live feed in the order given serves; the others only in the seconds it did not.

    Arguments and answer are those of `shared`.
    """
    xp = library_of(feed_gap[0])
    voltage, gap = feed_voltage[0], feed_gap[0]
    bears = [dt - gap]
    for other_voltage, other_gap in zip(feed_voltage[1:], feed_gap[1:]):
        voltage = xp.where(voltage == 0, other_voltage, voltage)
        left = xp.minimum(gap, other_gap)
        bears.append(gap - left)
        gap = left
    total = xp.maximum(dt - gap, TINY)
    return voltage, gap, [alive / total for alive in bears]


def lives(gap: Real, dt: Real) -> Real:
    """The share of an only feed: the whole where it lived at all, nothing elsewhere [1]."""
    return (gap < dt) * 1.0 if worth_doing(gap) else WHOLE


def through(voltage: Real, gap: Real, on: Real, dt: Real) -> Offer:
    """One feed behind a switch: as it is where `on` is 1, dead throughout where it is 0."""
    if worth_doing(on != 1):
        voltage, gap = voltage * on, library_of(gap).where(on > 0, gap, dt)
    return voltage, gap, [lives(gap, dt)]


def switched(offer: Offer, on: Real, dt: Real) -> Offer:
    """An offer of several feeds behind a switch: as it is where `on` is 1, dead throughout where it is 0."""
    if not worth_doing(on != 1):
        return offer
    voltage, gap, split = offer
    return voltage * on, library_of(gap).where(on > 0, gap, dt), [share * on for share in split]


def share_alive(gap: Real, dt: Real) -> Real:
    """Share of the tick with supply [1]; the plain number 1.0 where no unit had a gap."""
    return 1.0 - gap / dt if worth_doing(gap) else 1.0


def while_alive(mean: Real, alive: Real) -> Real:
    """What a mean over the tick was while there was supply, 0 where there was none.

    Args:
        mean: mean over the tick, any unit.
        alive: share of the tick with supply, as `share_alive` says it [1].
    """
    if type(alive) is float:
        return mean
    lived = alive > BLINK
    return library_of(lived).where(lived, mean / library_of(lived).where(lived, alive, 1.0), 0.0)


def usable(voltage: Real, gap: Real, lowest: Real, dt: Real) -> tuple[Real, Real]:
    """A feed seen by equipment that refuses a sagging voltage.

    Args:
        voltage, gap: what the feed offers [pu], [s].
        lowest: voltage below which it counts as dead [pu].

    Returns:
        Whether it is good at the end of the tick, and the seconds it was not; a tick that ends in a sag
        counts as bad throughout.
    """
    xp = library_of(gap)
    modulus = abs(voltage)
    good = modulus >= lowest
    sags = (modulus > 0) > good
    return good, xp.where(sags, dt, gap) if worth_doing(sags) else gap


def lasting(clock: Real, good: Real, gap: Real, dt: Real) -> Real:
    """A feed's clock one tick on: seconds it has been good (positive) or dead (negative) without a break [s].

    Args:
        clock: the clock at the start of the tick [s].
        good: whether it is good at the end of the tick.
        gap: seconds of the tick that it was dead, at the start where `good`, at the end elsewhere [s].
    """
    xp = library_of(gap)
    since_dead = xp.minimum(clock, 0.0) - gap
    if not worth_doing(good):
        return since_dead
    since_good = xp.where(gap > 0, dt - gap, xp.maximum(clock, 0.0) + dt)
    return xp.where(good, since_good, since_dead)


def good_since(clock: Real, gap: Real) -> Real:
    """When a feed that is good at the end of the tick became so [s from the tick's start, <= 0 if before]."""
    xp = library_of(gap)
    return xp.where(gap > 0, gap, -xp.maximum(clock, 0.0))


def dead_since(clock: Real, gap: Real, dt: Real) -> Real:
    """When a feed that is dead at the end of the tick became so [s from the tick's start, <= 0 if before]."""
    return dt - gap + library_of(gap).minimum(clock, 0.0)


def moment_of_change(dead: Real, gap: Real, dt: Real) -> Real:
    """When a supply died (where `dead` at the end) or came back (elsewhere) [s from the tick's start]."""
    return library_of(gap).where(dead, dt - gap, gap)


def latched(flag: Real, was: Real, was_at: Real, moment: Real | Callable[[], Real]) -> tuple[Real, Real]:
    """A 0/1 flag and the moment of its last change.

    Args:
        flag: what is so now, 0/1 or a truth value.
        was, was_at: the flag and its moment before this tick [1], [s].
        moment: when it changed, if it did [s]; or a function that finds it, asked only after a change.
    """
    if flag is was or not (worth_doing(flag) or worth_doing(was)):
        return was, was_at
    changed = flag != was
    if not worth_doing(changed):
        return was, was_at
    return flag * 1.0, library_of(was).where(changed, moment() if callable(moment) else moment, was_at)
