"""Generating sets under load: speed and voltage through a tick, what they say of them, and the relays that trip them.

`g` holds the ratings and `s` the State of sets, as `equipment/generator.py` declares them; arrays are (member, n).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.physics import alternator, engine
from twin.physics.electric import NEVER
from twin.physics.shedding import age_while
from twin.physics.supply import latched

Real = Any
LEAST_LOAD = 0.01
"""Load, of rating, that a set which fails to take load does not survive."""
RELAYS = ("stalled", "overloaded", "too_slow", "too_fast", "reverse_power", "leading")
"""What trips a set and locks it out, each a flag of its State."""


class Burden(NamedTuple):
    """What a set bears in a tick: over rating, while connected [1]; moments and times count from its start [s].

    derating: what the air and the height leave of its power [1]; closed: connected at the end; begins: when
    it was connected; alive: seconds connected; seconds: for which it turns; is_ready: up to speed at the end;
    set_above: how far above nominal its governor with droop is set [1].
    """

    active: Real
    reactive: Real
    derating: Real
    closed: Real
    begins: Real
    alive: Real
    seconds: Real
    is_ready: Real
    set_above: Real
    now: Real
    dt: Real


class Turned(NamedTuple):
    """A tick of a set: State of engine and alternator at its end, its swing, and the lowest voltage [1]."""

    state: dict[str, Real]
    swing: engine.Swing
    dip: Real


def derating(g: Any, dry_bulb: Real) -> Real:
    """What is left of a set's power in air of some temperature [K] at its height [1].

        1 - a (T - T_0) - b (h - h_0), each where positive

    Source: ISO 3046-1 in its linear form.
    """
    xp = library_of(g.rated_power)
    hot = xp.maximum(dry_bulb - g.derating_temperature, 0.0) * g.derating_by_temperature
    high = xp.maximum(g.altitude - g.derating_altitude, 0.0) * g.derating_by_altitude
    return xp.maximum(1.0 - hot - high, 0.0)


def at_odds(g: Any, dynamics: engine.Engine) -> list[str]:
    """What is wrong among the ratings of one set, in words that follow its name."""
    found = []
    if not engine.is_stable(dynamics).all():
        text = f"integral_time of {g.integral_time:g} s against an engine_lag of {g.engine_lag:g} s makes its governor"
        found.append(f"{text} hunt for ever; a longer integral_time is wanted")
    inner = (g.quarter_load_fuel, g.half_load_fuel, g.three_quarter_load_fuel)
    points = [float(point) for point in engine.points_by_load(g.idle_fuel, inner, g.full_load_fuel)]
    if points != sorted(points):
        found.append("fuel at idle, 1/4, 1/2, 3/4 and full load is not in rising order; more load burns more")
    if g.underfrequency_limit >= 1.0 - g.frequency_dip_limit:
        found.append("underfrequency_limit lies within the dip that its class allows; a lower one is wanted")
    return found


def turned(g: Any, dynamics: engine.Engine, s: Any, speed: Real, b: Burden) -> Turned:
    """Speed and voltage one tick on. `speed` is that at its start, of nominal [1]."""
    xp = library_of(speed)
    was_ready, ready = s.ready * b.is_ready, b.is_ready * 1.0
    setting = xp.where(dynamics.reset == 0, dynamics.gain * b.set_above, s.fuel_setting)
    now = engine.Speed((speed - 1.0) * was_ready, s.engine_power * was_ready, setting * was_ready)
    seen = engine.swing(dynamics, now, b.active, g.engine_limit * b.derating, b.seconds)
    stepped = alternator.terminal_voltage(s.internal_voltage, b.active, b.reactive, g.transient_reactance)
    voltage = alternator.regulated(stepped, g.regulator_time, b.seconds, 1.0 - g.voltage_droop * b.reactive)
    behind = alternator.internal_voltage(voltage, b.active, b.reactive, g.transient_reactance)
    state = {
        "engine_speed": (1.0 + seen.end.deviation) * ready,
        "engine_power": seen.end.power * ready,
        "fuel_setting": seen.end.setting * ready,
        "internal_voltage": xp.where(b.is_ready, behind, 1.0),
        "terminal_voltage": xp.where(b.is_ready, voltage, 1.0),
    }
    return Turned(state, seen, xp.where(b.is_ready, xp.minimum(stepped, voltage), 1.0))


def flagged(name: str, s: Any, is_so: Real, moment: Real | Callable[[], Real]) -> dict[str, Real]:
    """A flag of State and its moment, one tick on."""
    value, at = latched(is_so, getattr(s, name), getattr(s, f"{name}_at"), moment)
    return {name: value, f"{name}_at": at}


def asks_to_shed(g: Any, s: Any, b: Burden, t: Turned) -> dict[str, Real]:
    """Whether, and for how long, a set has asked for load to be shed."""
    xp = library_of(b.active)
    needs = (b.active > g.shed_limit * b.derating) | (t.state["engine_speed"] < g.shed_frequency)
    seconds = age_while(needs * b.closed, s.shedding_for, b.alive)
    return {"shedding_for": seconds} | flagged(
        "shedding", s, seconds > 0, lambda: b.now + b.dt - xp.minimum(seconds, b.dt)
    )


def outside_class(g: Any, s: Any, b: Burden, t: Turned) -> dict[str, Real]:
    """What the set's class of ISO 8528-5 does not allow, said while it lasts; within a tick, for that tick."""

    def moment(is_so: Real, limit: Real, sense: float) -> Real:
        first = engine.beyond(t.swing, limit, sense, 0.0, 0.0 * b.seconds, b.seconds)[1]
        return b.now + library_of(first).where(is_so & (first < NEVER), b.begins + first, 0.0)

    dips = t.swing.lowest < -g.frequency_dip_limit
    rises = t.swing.highest > g.frequency_rise_limit
    sags = t.dip < 1.0 - g.voltage_dip_limit
    return (
        flagged("frequency_dips", s, dips, lambda: moment(dips, -g.frequency_dip_limit, -1.0))
        | flagged("frequency_rises", s, rises, lambda: moment(rises, g.frequency_rise_limit, 1.0))
        | flagged("voltage_dips", s, sags, lambda: b.now + b.begins * sags)
    )


def relays(g: Any, s: Any, b: Burden, t: Turned, stalls: Real, overload_after: Real, held: Real) -> dict[str, Real]:
    """The relays one tick on: their timers, what has acted and when, and the trip itself.

    Args:
        stalls: whether the step of load was too large. overload_after: when overload trips it [s].
        held: 0 where the switch stands at off, which clears what is latched.
    """
    xp = library_of(b.active)
    slow_for, slow_after = _watched(t.swing, g.underfrequency_limit - 1.0, -1.0, g.underfrequency_delay, s.slow_for, b)
    fast_for, fast_after = _watched(t.swing, g.overfrequency_limit - 1.0, 1.0, g.overfrequency_delay, s.fast_for, b)
    reverse_for = age_while((b.active < -g.reverse_power_limit) * b.closed, s.reverse_for, b.alive)
    leading_for = age_while((b.reactive < -g.leading_limit) * b.closed, s.leading_for, b.alive)
    after = {
        "stalled": xp.where(stalls, b.begins, NEVER),
        "overloaded": overload_after,
        "too_slow": b.begins + slow_after,
        "too_fast": b.begins + fast_after,
        "reverse_power": _over(reverse_for, g.reverse_power_delay, b.dt),
        "leading": _over(leading_for, g.leading_delay, b.dt),
    }
    found = {"slow_for": slow_for, "fast_for": fast_for, "reverse_for": reverse_for, "leading_for": leading_for}
    first = NEVER
    for moment in after.values():
        first = xp.minimum(first, moment)
    if not worth_doing(first < NEVER / 2) and not worth_doing(s.tripped):
        return found  # no relay's flag stands without the trip
    trips = xp.maximum(s.tripped, first < NEVER / 2)
    for name, moment in after.items():
        acts = moment < NEVER / 2
        found |= flagged(name, s, xp.maximum(getattr(s, name), acts) * held, b.now + moment * acts)
    return found | flagged("tripped", s, trips * held, b.now + xp.where(first < NEVER / 2, first, 0.0))


def _watched(seen: engine.Swing, limit: Real, sense: float, delay: Real, age: Real, b: Burden) -> tuple[Real, Real]:
    """A relay on speed: time beyond its limit at the end of the tick [s], and when its delay is over [s], or NEVER."""
    xp = library_of(b.active)
    outermost = seen.highest if sense > 0 else seen.lowest
    if not worth_doing((outermost - limit) * sense > 0):
        return 0.0 * age, NEVER + 0.0 * age
    ready = b.is_ready * 1.0
    age, after = engine.beyond(seen, limit, sense, delay, age, b.seconds)
    return age * ready, xp.where(b.is_ready, after, NEVER)


def _over(age: Real, delay: Real, dt: Real) -> Real:
    """When in a tick a condition that has stood for `age` at its end had stood for a delay [s], or NEVER."""
    return library_of(age).where((age > 0) & (age >= delay), dt - (age - delay), NEVER)


def lockouts(s: Any, refused: dict[str, tuple[Real, Real]], held: Real, now: Real) -> dict[str, Real]:
    """What locks a set out until its switch is turned to off, beside its relays."""
    xp = library_of(held)
    found: dict[str, Real] = {}
    for name, (so, after) in refused.items():
        found |= flagged(name, s, xp.maximum(getattr(s, name), so) * held, now + after * (so > 0))
    return found


def stages(s: Any, course: Any, is_ready: Real, now: Real, dt: Real) -> dict[str, Real]:
    """How far a set has come in its course of a tick: cranking, up to speed, closed."""
    xp = library_of(is_ready)
    turns, closed = course.turned >= dt, course.closed
    return (
        flagged("running", s, turns, lambda: now + xp.where(turns, -course.run_before, course.turned))
        | flagged(
            "ready", s, is_ready,
            lambda: now + xp.where(is_ready, xp.maximum(course.ready_after, 0.0), course.turned),
        )
        | flagged("closed", s, closed, lambda: now + xp.where(closed > 0, course.closes_after, course.alive))
    )  # fmt: skip
