"""Uninterruptible: the tick of a UPS, from what its feed gives to what its load gets, and what it says of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.physics import battery, sags
from twin.physics.conversion import (
    Path,
    Window,
    accepted,
    broken_by,
    outside,
    overload_time,
    overload_used,
    with_bypass,
)
from twin.physics.electric import bridged, walk_in
from twin.physics.supply import TINY, latched, preferred, share_alive

Real = Any
LEAST_NEED = 1e-3
"""Power [W] that stands for none where time left is energy over power."""


class Feed(NamedTuple):
    """What the input gives in a tick; times in seconds of it.

    good: at the end, gap: not usable; eco: whether eco mode may stay; sag: one begins, at `sag_at` from the start of
    the tick; locked: to the battery, locks: in this tick; span: its length.
    """

    good: Real
    gap: Real
    eco: Real
    sag: Real
    sag_at: Real
    in_window: Real
    locked: Real
    locks: Real
    span: Real


class Output(NamedTuple):
    """What the output does in a tick, and through which way; times in seconds of the tick."""

    converting: Real
    bypassed: Real
    eco: Real
    feed: Feed
    fed: Real
    battery: Real
    lasts: Real
    trips: Real
    trips_after: Real
    path: Path
    gap: Real
    transfer_left: Real
    bypass: tuple[Real, Real, list[Real]]


class Drive(NamedTuple):
    """The tick of rectifier and charger, once it is known who is energised.

    output: None where all rest on their feed; alive: share of the tick with output; converts, passes: share of it
    through the inverter and past it; by_eco: share in eco mode.
    """

    output: Output | None
    alive: Real
    converts: Real
    passes: Real
    by_eco: Real
    walked: Real
    at_full: Real
    from_feed: Real
    charge: Real


def is_calm(
    window: Window, voltage: Real, gap: Real, frequency: Real, load: Real, rating: Real, on_generator: Real
) -> bool:
    """Whether no feed was dead or outside the window, none is a generator and nothing is overloaded."""
    return not (
        worth_doing(gap)
        or worth_doing((voltage == 0) | outside(window, voltage, frequency))
        or worth_doing(load > rating)
        or worth_doing(on_generator)
    )


def feed_of(unit: Any, s: Any, u: Any, port: Any, dt: Real) -> Feed:
    """What it makes of its input: refused outside the window, while locked, and through a broken rectifier."""
    xp = library_of(s.energy)
    voltage, frequency = port.feed_voltage[0], frequency_of(port, 0)
    good, gap = accepted(unit.input_window, voltage, port.feed_gap[0], frequency, dt)
    calm, eco_gap = accepted(unit.eco_range, voltage, port.feed_gap[0], frequency, dt)
    on_generator = port.signal["on_generator"] > 0
    sag = u.in_service * s.in_window * (gap > 0) * (on_generator == 0)
    sag_at = xp.where(good, 0.0, dt - gap)
    history = (s.last_sag, s.second_sag, s.third_sag, s.fourth_sag)
    was_locked = s.locked * (u.reset <= s.reset_seen)
    full = sags.counts_full(history, port.now + sag_at, unit.sag_count, unit.sag_window)
    locks = sag * u.sag_logic * full * (was_locked == 0)
    locked = xp.maximum(was_locked, locks)
    refused = xp.maximum(was_locked * (on_generator == 0), u.rectifier_failed)
    gap = xp.where((refused > 0) | ((locks > 0) & good), dt, gap)
    holds = (refused + locks) == 0
    return Feed(good & holds, gap, calm & (eco_gap == 0) & holds, sag, sag_at, good, locked, locks, dt)


def output_of(unit: Any, s: Any, u: Any, port: Any, dt: Real) -> Output:
    """What the output does: the battery's end and that of the overload curve are foreseen from the last tick."""
    xp = library_of(s.energy)
    converting, bypassed, _, rating = unit.ways(s, u)
    feed = feed_of(unit, s, u, port, dt)
    eco = s.on_eco * converting * u.eco * feed.eco
    _, held_back = unit.once(unit.cells, u.battery_age, u.battery_temperature)
    strong = s.need <= unit.battery_power_limit * unit.rated_power
    cells = (1.0 - u.battery_failed) * (1.0 - s.depleted) * strong
    usable = xp.maximum(s.energy - held_back, 0.0) * cells
    lasts = battery.lasts(usable, s.need, unit.rated_power, unit.discharge_loss, LEAST_NEED)
    gap = xp.maximum(feed.gap - lasts, 0.0)
    x = s.carried_load / xp.maximum(rating, 1.0)
    time = overload_time(x, unit.overload_time_125, unit.overload_time_150, unit.overload_time_peak)
    trips_after = (1.0 - s.overload_used) * time
    trips = converting * (1.0 - eco) * (trips_after < dt)
    gap = xp.maximum(gap, (dt - trips_after) * trips)
    bypass = bypass_of(u, port, dt)
    offered = (feed.locked == 0) & (bypass[0] != 0) & (outside(unit.input_window, bypass[0], None) == 0)
    path = with_bypass((feed.good | (gap == 0)) & (trips == 0), gap, offered, bypass[1])
    leaves = s.on_eco * converting * (feed.eco == 0)
    broken, left = broken_by(leaves, feed.sag_at * (feed.gap > 0), s.transfer_left, unit.eco_transfer_time, dt)
    gap = xp.minimum(path.gap + broken * converting, dt)
    return Output(
        converting, bypassed, eco, feed, dt - feed.gap, cells, lasts, trips, trips_after, path, gap, left, bypass
    )


def bypass_of(u: Any, port: Any, dt: Real) -> tuple[Real, Real, list[Real]]:
    """What the static switch offers: the last feed first."""
    voltage, gap, split = preferred(port.feed_voltage[::-1], port.feed_gap[::-1], dt)
    works = 1.0 - u.bypass_failed
    return voltage * works, library_of(gap).where(works > 0, gap, dt), [share * works for share in split[::-1]]


def offer_of(output: Output, port: Any) -> tuple[Real, Real, list[Real], Real]:
    """Voltage [pu] and seconds without [s] at the output, the share of each feed, and the frequency [of nominal]."""
    where, path = library_of(output.gap).where, output.path
    by_order, in_eco = output.bypassed > 0, output.eco > 0
    voltage, gap, split = output.bypass
    own = where(in_eco, port.feed_voltage[0], where(path.rescued, voltage, path.alive * 1.0))
    own = own * output.converting * (output.transfer_left == 0)
    total = library_of(output.gap).maximum(output.fed + path.passed, TINY)
    helped = path.passed > 0
    by_feed = output.converting * where(helped, output.fed / total, output.feed.gap < output.feed.span)
    by_bypass = output.converting * where(helped, path.passed / total, 0.0) + output.bypassed
    shares = [share * by_bypass for share in split]
    shares[0] = shares[0] + by_feed
    through = frequency_of(port, 0)
    frequency = 1.0 if through is None else where(by_order | in_eco | path.rescued, through, 1.0)
    gap = where(by_order, gap, where(output.converting > 0, output.gap, output.feed.span))
    return where(by_order, voltage, own), gap, shares, frequency


def drive_of(unit: Any, s: Any, u: Any, port: Any, output: Output, room: Real, dt: Real) -> Drive:
    """Rectifier and charger, once it is known who is energised.

    Args:
        room: power that would fill the battery within the tick [W].
    """
    xp = library_of(output.gap)
    feed = output.feed
    done = xp.where(feed.good & (feed.gap > 0), 0.0, s.walked)
    end, at_full, from_feed = walk_in(done, output.fed, unit.walk_in_time)
    told = port.signal["on_generator"] > 0
    allowed = (1.0 - u.inhibit_recharge) * xp.where(told, unit.generator_recharge, 1.0)
    charge = xp.maximum(xp.minimum(unit.recharge_power * allowed * (at_full / dt), room), 0.0)
    charge = charge * output.converting * (1.0 - u.battery_failed) * (1.0 - u.charger_failed)
    alive = share_alive(port.gap, dt)
    passed = output.converting * output.path.passed / dt
    converts = xp.maximum(alive * output.converting - passed, 0.0) * (1.0 - output.eco)
    return Drive(
        output, alive, converts, alive - converts, alive * output.eco, end * feed.good, at_full, from_feed, charge
    )


def given_by_battery(unit: Any, s: Any, u: Any, need: Real, drive: Drive, dt: Real) -> tuple[Real, Real]:
    """What the battery gives to the inverter, and what turns into heat in its cells, mean over the tick [W].

    Args:
        need: load and losses while converting, mean over the tick [W].
    """
    output = drive.output
    assert output is not None
    xp = library_of(need)
    served = drive.converts * dt
    power = need / xp.maximum(drive.converts, TINY)
    _, held_back = unit.once(unit.cells, u.battery_age, u.battery_temperature)
    energy = xp.maximum(s.energy - held_back, 0.0)
    if unit.resists:
        energy = energy / (1.0 + unit.discharge_loss * power / unit.rated_power)
    given = bridged(need, energy, drive.from_feed, output.fed, served, dt) * output.battery
    if not unit.resists:
        return given, 0.0
    alone = xp.maximum(served - output.fed, 0.0)
    start = xp.where(output.feed.good & (output.feed.gap > 0), 0.0, s.walked)
    end = xp.minimum(start + output.fed, unit.walk_in_time)
    squared = battery.squared_seconds(alone, start, end, unit.walk_in_time)
    share = given / xp.maximum(need * xp.maximum(1.0 - drive.from_feed / xp.maximum(served, TINY), 0.0), TINY)
    heat = battery.heat_of_discharge(power, squared * share * share, unit.rated_power, unit.discharge_loss)
    return given, heat / dt


def load_flags(
    unit: Any, s: Any, u: Any, load: Real, charge: Real, was: Real, drive: Drive, now: Real, dt: Real
) -> dict[str, Real]:
    """What follows from load and charge alone: warnings, and the inverter that gives up."""
    rating = unit.ways(s, u)[3]
    overloaded, overloaded_at = latched(load > rating, s.overloaded, s.overloaded_at, now)
    low, low_at = latched(
        charge < unit.low_charge, s.battery_low, s.battery_low_at,
        lambda: now + battery.moment_below(was, charge, unit.low_charge, dt),
    )  # fmt: skip
    found = {
        "overloaded": overloaded, "overloaded_at": overloaded_at, "battery_low": low, "battery_low_at": low_at,
    }  # fmt: skip
    if not (worth_doing(load > rating) or worth_doing(s.overload_used)):
        return found
    xp = library_of(load)
    x = load / xp.maximum(rating, 1.0)
    bears = xp.where((drive.converts > 0) | (x <= 1.0), x, 0.0)
    time = overload_time(bears, unit.overload_time_125, unit.overload_time_150, unit.overload_time_peak)
    used = xp.minimum(overload_used(s.overload_used, bears, time, unit.overload_recovery, dt), 1.0)
    waits = xp.where((load > rating) & (rating > 0), s.overload_tripped, s.overload_tripped * (used > 0))
    tripped, tripped_at = latched(
        xp.maximum(waits, (used >= 1.0) & (drive.converts > 0)),
        s.overload_tripped,
        s.overload_tripped_at,
        lambda: now + xp.where(s.overload_tripped > 0, dt, xp.minimum((1.0 - s.overload_used) * time, dt)),
    )
    return found | {"overload_used": used, "overload_tripped": tripped, "overload_tripped_at": tripped_at}


def back_after(s: Any, drive: Drive, dt: Real) -> Real:
    """When in the tick the feed bears everything again [s]."""
    assert drive.output is not None
    return library_of(s.depleted).where(s.depleted > 0, drive.output.feed.gap, dt - drive.at_full)


def supply_flags(unit: Any, s: Any, u: Any, drive: Drive, output: Output, now: Real, dt: Real) -> dict[str, Real]:
    """Who bears the load: battery, bypass, or nobody."""
    xp = library_of(output.gap)
    feed, path = output.feed, output.path
    lost = feed.good == 0
    # part of the load is still on the battery until the walk-in is done, unless it was empty before
    bridges = (drive.walked < unit.walk_in_time) & (s.depleted == 0)
    bears = output.converting * (lost | (bridges & ((s.on_battery > 0) | (feed.gap > 0))))
    bears = bears * (path.rescued == 0)
    on_battery, on_battery_at = latched(
        bears,
        s.on_battery,
        s.on_battery_at,
        lambda: now + xp.where(bears > 0, output.fed * lost, back_after(s, drive, dt)),
    )
    drops = output.converting * (path.alive == 0) * (output.trips == 0)
    depleted, depleted_at = latched(
        xp.maximum(s.depleted * (path.rescued == 0), drops) * lost,
        s.depleted,
        s.depleted_at,
        lambda: now + xp.where(lost, output.fed + output.lasts, feed.gap),
    )
    bypassed = xp.maximum(output.bypassed * (1.0 - u.bypass_failed), output.converting * path.rescued)
    on_bypass, on_bypass_at = latched(
        bypassed, s.on_bypass, s.on_bypass_at,
        lambda: now + path.rescued * xp.where(output.trips > 0, output.trips_after, output.fed + output.lasts),
    )  # fmt: skip
    voltage, gap, _ = output.bypass
    dropped, dropped_at = latched(
        output.bypassed * (voltage == 0), s.dropped, s.dropped_at,
        lambda: now + xp.where(voltage == 0, xp.maximum(dt - gap, 0.0), xp.minimum(gap, dt) * output.bypassed),
    )  # fmt: skip
    return {
        "on_battery": on_battery, "on_battery_at": on_battery_at, "depleted": depleted, "depleted_at": depleted_at,
        "on_bypass": on_bypass, "on_bypass_at": on_bypass_at, "dropped": dropped, "dropped_at": dropped_at,
    }  # fmt: skip


def sag_flags(unit: Any, s: Any, u: Any, drive: Drive, output: Output, now: Real, dt: Real) -> dict[str, Real]:
    """Eco mode, the counter of sags and its lock."""
    xp = library_of(output.gap)
    feed = output.feed
    moment = now + feed.sag_at
    may = output.converting * u.eco * feed.eco * (drive.walked >= unit.walk_in_time) * (output.trips == 0)
    on_eco, on_eco_at = latched(may, s.on_eco, s.on_eco_at, lambda: now + xp.where(may > 0, dt, feed.sag_at))
    locked, locked_at = latched(feed.locked, s.locked, s.locked_at, lambda: now + feed.sag_at * feed.locks)
    unlocks = (s.locked > 0) & (locked == 0)
    names = ("last_sag", "second_sag", "third_sag", "fourth_sag")
    history = sags.remembered(tuple(getattr(s, name) for name in names), feed.sag > 0, moment)
    found = {name: xp.where(unlocks, sags.NEVER_YET, new) for name, new in zip(names, history)}
    age = xp.where(feed.locks > 0, dt - feed.sag_at, s.locked_for + dt)
    return found | {
        "on_eco": on_eco, "on_eco_at": on_eco_at, "locked": locked, "locked_at": locked_at,
        "locked_for": age * locked, "in_window": feed.in_window * 1.0, "reset_seen": u.reset,
        "transfer_left": output.transfer_left * output.converting,
    }  # fmt: skip


def frequency_of(port: Any, slot: int) -> Real:
    """Frequency of a feed, of nominal; None where the network does not say."""
    return None if port.feed_frequency is None else port.feed_frequency[slot]
