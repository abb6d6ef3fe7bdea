"""Die and plate through a tick, against scipy's ODE solver running the same power law with events."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from twin.physics.throttle import Course, Die, Limits, course

LIMITS = Limits(361.15, 364.15, 366.15, 358.15)
FULL, SLOW, OTHER, LEAK, AT = 97.2e3, 36e3, 24e3, 0.003, 343.15


def leaking(watts: float, leak: float = LEAK) -> tuple[float, float]:
    """A power at reference temperature as a straight line in die temperature."""
    return watts * (1.0 - leak * AT), watts * leak


RACK = Die(72 * 150.0, 72 * 450.0, 72 / 0.010, 0.0, 318.15, OTHER, *leaking(FULL), *leaking(SLOW))
FLOWING = replace(RACK, K=72 / 0.0093)
EVENTS = ("throttled", "slowed", "shut")


def power(T: float, flags: tuple[int, int, int]) -> float:
    """GPU power [W]; in the band a straight line between what full and slowed power are at its two ends."""
    throttled, slowed, shut = flags
    leak = lambda t: 1.0 + LEAK * (t - AT)  # noqa: E731
    if shut:
        return 0.0
    if slowed:
        return SLOW * leak(T)
    if throttled:
        share = (T - LIMITS.throttle) / (LIMITS.slowdown - LIMITS.throttle)
        return (1 - share) * FULL * leak(LIMITS.throttle) + share * SLOW * leak(LIMITS.slowdown)
    return FULL * leak(T)


def bounds(flags: tuple[int, int, int]) -> tuple[float, float]:
    """The limits below and above that end a regime."""
    throttled, slowed, shut = flags
    if shut:
        return -np.inf, np.inf
    if slowed:
        return LIMITS.release, LIMITS.shutdown
    return (LIMITS.throttle, LIMITS.slowdown) if throttled else (-np.inf, LIMITS.throttle)


def turned(flags: tuple[int, int, int], rises: bool) -> tuple[int, int, int]:
    throttled, slowed, _ = flags
    if not rises:
        return 0, 0, 0
    return (1, 1, 1) if slowed else ((1, 1, 0) if throttled else (1, 0, 0))


def reference(die: Die, T: float, plate: float, flags: tuple[int, int, int], dt: float, most: int = 3):
    """Ends, integrals of plate and GPU power, time before shutdown, and the events, by scipy."""
    now, y, events, ran = 0.0, [T, plate, 0.0, 0.0, 0.0], [], 0.0
    while now < dt:
        low, high = bounds(flags) if len(events) < most else (-np.inf, np.inf)
        if not low <= y[0] <= high:
            flags = turned(flags, y[0] > high)
            events.append((now, flags))
            continue

        def slope(t, y, flags=flags):
            P, passed = power(y[0], flags), die.G * (y[0] - y[1])
            to_coolant = die.K * (y[1] - die.T_in)
            other = 0.0 if flags[2] else die.P_plate
            return [(P - passed) / die.C_die, (other + passed - to_coolant) / die.C_plate, y[1], P, y[0]]

        def above(t, y, high=high):
            return y[0] - high if np.isfinite(high) else -1.0

        def below(t, y, low=low):
            return y[0] - low if np.isfinite(low) else 1.0

        above.terminal = below.terminal = True
        above.direction, below.direction = 1, -1
        solved = solve_ivp(
            slope, (now, dt), y, method="DOP853", rtol=1e-13, atol=1e-9, events=(above, below), max_step=2.0
        )
        ran += 0.0 if flags[2] else solved.t[-1] - now
        now, y = solved.t[-1], list(solved.y[:, -1])
        if solved.status == 1:
            rises = bool(len(solved.t_events[0]))
            y[0] = high if rises else low
            flags = turned(flags, rises)
            events.append((now, flags))
    return y, ran, flags, events


def run(die: Die, T: float, plate: float, flags: tuple[float, float, float], dt: float) -> Course:
    as_rows = {name: np.array([[getattr(die, name)]]) for name in Die.__slots__}
    rows = [np.array([[float(x)]]) for x in (T, plate, *flags)]
    return course(Die(**as_rows), LIMITS, rows[0], rows[1], (rows[2], rows[3], rows[4]), dt)


def value(x: object) -> float:
    return float(np.ravel(x)[0])


STARTS = {
    "cold, no flow, long": (RACK, 330.0, 320.0, (0, 0, 0), 30.0),
    "near the limit, no flow": (RACK, 360.0, 348.0, (0, 0, 0), 1.0),
    "near the limit, no flow, ten seconds": (RACK, 360.0, 348.0, (0, 0, 0), 10.0),
    "near the limit, no flow, a minute": (RACK, 360.0, 348.0, (0, 0, 0), 60.0),
    "in the band, no flow": (RACK, 362.0, 351.0, (1, 0, 0), 5.0),
    "slowed, no flow": (RACK, 364.6, 356.0, (1, 1, 0), 20.0),
    "slowed, flow returned: released": (FLOWING, 364.0, 352.0, (1, 1, 0), 8.0),
    "in the band, flow returned: full clock": (FLOWING, 362.5, 350.0, (1, 0, 0), 3.0),
    "shut down and cooling": (FLOWING, 366.15, 360.0, (1, 1, 1), 10.0),
    "shut down without flow": (RACK, 366.15, 360.0, (1, 1, 1), 300.0),
    "working": (FLOWING, 335.0, 330.0, (0, 0, 0), 1.0),
    "working, an hour": (FLOWING, 335.0, 330.0, (0, 0, 0), 3600.0),
    "warm inlet, throttling settles": (replace(FLOWING, T_in=334.0), 355.0, 345.0, (0, 0, 0), 60.0),
    "above all limits, unflagged": (RACK, 370.0, 369.0, (0, 0, 0), 1.0),
    "exactly at the limit": (RACK, 361.15, 352.0, (0, 0, 0), 2.0),
    "a trickle": (replace(RACK, K=3.0), 350.0, 338.0, (0, 0, 0), 15.0),
    "a millisecond": (RACK, 361.1499, 348.0, (0, 0, 0), 0.001),
    "slowed, falls below release, climbs again": (RACK, 360.08, 348.43, (1, 1, 0), 10.0),
    "throttled for a moment within a tick": (replace(FLOWING, T_in=313.5), 359.2, 351.4, (0, 0, 0), 10.0),
}


def same_as_scipys(die, T, plate, flags, dt):
    y, ran, ends, events = reference(die, T, plate, flags, dt)
    found = run(die, T, plate, flags, dt)
    assert value(found.T_die) == pytest.approx(y[0], abs=1e-6)
    assert value(found.T_plate) == pytest.approx(y[1], abs=1e-6)
    assert value(found.mean_plate) == pytest.approx(y[2] / dt, abs=1e-6)
    assert value(found.mean_die) == pytest.approx(y[4] / dt, abs=1e-6)
    assert value(found.power) == pytest.approx(y[3] / dt, rel=1e-7, abs=1e-6)
    assert value(found.ran) * dt == pytest.approx(ran, abs=1e-6)
    assert tuple(value(getattr(found, name)) for name in EVENTS) == ends
    last, before = {}, flags
    for moment, after in events:
        last |= {name: moment for name, old, new in zip(EVENTS, before, after) if old != new}
        before = after
    for name, moment in last.items():
        assert value(getattr(found, f"{name}_after")) == pytest.approx(moment, abs=1e-6), name


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_tick_is_the_same_as_scipys(start):
    same_as_scipys(*start)


@pytest.mark.parametrize("seed", range(30))
def test_a_tick_of_a_random_rack_is_the_same_as_scipys(seed):
    """Any masses, any trickle of coolant, loads up to half again the rating; the plate between coolant and die."""
    random = np.random.default_rng(seed)
    flags = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)][random.integers(4)]
    low, high = bounds(flags)
    T = random.uniform(max(low, 340.0), min(high, 370.0))
    plate = T - random.uniform(3.0, 12.0)
    die = replace(
        RACK,
        C_die=72 * random.uniform(80, 300),
        C_plate=72 * random.uniform(200, 900),
        K=float(random.choice([0.0, 200.0, 3e3, 8e3])),
        T_in=random.uniform(300.0, plate - 1.0),
    )
    same_as_scipys(die, T, plate, flags, float(random.choice([0.01, 1.0, 10.0, 60.0])))


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_the_books_of_a_tick_close(start):
    """Power in, less what the coolant took, is what the two masses gained."""
    die, T, plate, flags, dt = start
    found = run(die, T, plate, flags, dt)
    to_coolant = die.K * (value(found.mean_plate) - die.T_in)
    gained = die.C_die * (value(found.T_die) - T) + die.C_plate * (value(found.T_plate) - plate)
    put_in = value(found.power) + die.P_plate * value(found.ran)
    assert gained == pytest.approx(dt * (put_in - to_coolant), abs=1e-9 * (die.C_plate * 300.0 + dt * 1e5))


@pytest.mark.parametrize("pieces", [2, 3, 10])
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_splitting_a_tick_changes_nothing(start, pieces):
    die, T, plate, flags, dt = start
    events = reference(die, T, plate, flags, dt)[3]
    dt = min(dt, 0.999 * events[2][0]) if len(events) > 2 else dt  # a third limit ends the watch of one tick
    if dt == 0.0:
        return
    whole = run(die, T, plate, flags, dt)
    at, last = (T, plate), dict.fromkeys(EVENTS, 0.0)
    now, energy, plates, was = 0.0, 0.0, 0.0, tuple(float(f) for f in flags)
    cuts = np.random.default_rng(pieces).dirichlet(np.ones(pieces)) * dt
    for piece in cuts:
        part = run(die, *at, was, float(piece))
        for name, old in zip(EVENTS, was):
            if value(getattr(part, name)) != old:
                last[name] = now + value(getattr(part, f"{name}_after"))
        at, now = (value(part.T_die), value(part.T_plate)), now + float(piece)
        was = tuple(value(getattr(part, name)) for name in EVENTS)
        energy, plates = energy + value(part.power) * piece, plates + value(part.mean_plate) * piece
    assert at == pytest.approx((value(whole.T_die), value(whole.T_plate)), abs=1e-9)
    assert was == tuple(value(getattr(whole, name)) for name in EVENTS)
    assert energy == pytest.approx(value(whole.power) * dt, rel=1e-9, abs=1e-6)
    assert plates == pytest.approx(value(whole.mean_plate) * dt, rel=1e-10)
    for name, flag in zip(EVENTS, flags):
        if value(getattr(whole, name)) != flag:
            assert last[name] == pytest.approx(value(getattr(whole, f"{name}_after")), abs=1e-7)


@pytest.mark.parametrize("dt", [1.0, 5.0, 20.0, 60.0])
def test_limits_met_in_one_tick_take_effect_in_their_order(dt):
    found = run(RACK, 361.0, 352.0, (0, 0, 0), dt)
    times = [value(getattr(found, f"{name}_after")) for name in EVENTS if value(getattr(found, name))]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    if dt >= 20.0:
        assert len(times) == 3


def test_without_flow_at_1200_w_a_gpu_heats_by_about_two_kelvin_a_second():
    """1,200 W into 150 + 450 J/K, once die and plate climb together."""
    die = replace(RACK, full0=72 * 1200.0, full1=0.0, P_plate=0.0)
    start = run(die, 318.15, 318.15, (0, 0, 0), 8.0)
    after = run(die, value(start.T_die), value(start.T_plate), (0, 0, 0), 1.0)
    assert value(after.T_die) - value(start.T_die) == pytest.approx(2.0, rel=0.02)


def test_every_unit_of_a_table_runs_its_own_course():
    """Members and units side by side, each bit for bit what it is alone."""
    cases = [s for s in STARTS.values() if s[4] in (1.0, 10.0)]
    dt = 10.0
    as_rows = {name: np.array([[getattr(c[0], name) for c in cases]] * 2) for name in Die.__slots__}
    T, plate = (np.array([[c[k] for c in cases]] * 2, dtype=float) for k in (1, 2))
    flags = tuple(np.array([[float(c[3][k]) for c in cases]] * 2) for k in range(3))
    together = course(Die(**as_rows), LIMITS, T, plate, flags, dt)
    for column, case in enumerate(cases):
        alone = run(*case[:4], dt)
        for name in ("T_die", "T_plate", "mean_plate", "power", "ran", *EVENTS, *(f"{e}_after" for e in EVENTS)):
            both = getattr(together, name)[:, column]
            assert both[0] == both[1] == value(getattr(alone, name)), name


def test_how_the_ends_follow_the_inlet_is_their_derivative():
    """`follows_*` against a difference of two runs a kelvin apart, at fixed power (no leakage)."""
    steady = replace(FLOWING, full0=FULL, full1=0.0)
    one, two = (run(replace(steady, T_in=T_in), 330.0, 322.0, (0, 0, 0), 3.0) for T_in in (318.15, 319.15))
    for end, follows in (("T_die", "follows_die"), ("T_plate", "follows_plate"), ("mean_plate", "follows_mean_plate")):
        assert value(getattr(two, end)) - value(getattr(one, end)) == pytest.approx(
            value(getattr(one, follows)), rel=1e-10
        )


def test_reference_meets_every_regime():
    """The starts above between them rise through all limits and fall back through all."""
    met = set()
    for die, T, plate, flags, dt in STARTS.values():
        events = reference(die, T, plate, flags, dt)[3]
        met |= set(itertools.pairwise([flags, *(after for _, after in events)]))
    free, band, slow, shut = (0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)
    assert met >= {(free, band), (band, slow), (slow, shut), (slow, free), (band, free)}
