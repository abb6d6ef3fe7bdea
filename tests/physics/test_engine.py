"""Engines: closed forms, a second integrator, and swings that no tick can hide."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.physics import engine as law
from twin.physics.engine import Speed, at_rest, engine, swing

REST = (0.0, 0.0, 0.0)


def table(*values):
    return [np.array([[float(value)]]) for value in values]


def turn(e, start, load, ceiling, seconds):
    now = Speed(*table(*start))
    return swing(e, now, *table(load, ceiling, seconds))


def numbers(speed):
    return tuple(float(x[0, 0]) for x in speed)


def integrated(e, d, start, load, ceiling, seconds, steps=1500):
    """The same equations by the classical Runge-Kutta rule; the end, the lowest and the highest speed."""

    def slope(f, p, z):
        valve = z - e.gain * f
        fuel = np.clip(valve, 0.0, ceiling)
        return (p - load - d * f) / e.inertia, (fuel - p) / e.lag, -e.reset * f * (fuel == valve)

    x, h = [np.array(part) for part in start], seconds / steps
    low, high = x[0], x[0]
    for _ in range(steps):
        one = slope(*x)
        two = slope(*(y + h / 2 * k for y, k in zip(x, one, strict=True)))
        three = slope(*(y + h / 2 * k for y, k in zip(x, two, strict=True)))
        four = slope(*(y + h * k for y, k in zip(x, three, strict=True)))
        x = [y + h / 6 * (a + 2 * b + 2 * c + k) for y, a, b, c, k in zip(x, one, two, three, four, strict=True)]
        low, high = np.minimum(low, x[0]), np.maximum(high, x[0])
    return x, low, high


def drawn(seed, count):
    """Sets of all sorts: damping of their loads, isochronous or with droop; and a load before and after."""
    rng = np.random.default_rng(seed)

    def each(low, high):
        return rng.uniform(low, high, (1, count))

    damping = each(0, 2) * (each(0, 1) > 0.5)
    droop = rng.choice([0.0, 0.0, 0.03, 0.05], (1, count))
    e = engine(each(0.3, 3), damping, each(0.05, 0.5), each(2, 40), each(0.6, 5), droop)
    before = each(0, 0.9)
    return e, damping, at_rest(e, before, before), each(0, 1.3), each(1.0, 1.2), each(0.01, 1.0)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_stable_set_moves_as_the_equations_say(seed):
    """200 sets, each from rest at one load to another, through fuel limits, in ticks of 10 ms to 1 s."""
    e, damping, start, load, ceiling, seconds = drawn(seed, 200)
    assert law.is_stable(e).all(), "an integral time above the lag cannot hunt"
    seen = swing(e, start, load, ceiling, seconds)
    end, low, high = integrated(e, damping, start, load, ceiling, seconds)
    turns = low > -1
    for found, told, most in zip(
        (*seen.end, seen.lowest, seen.highest), (*end, low, high), (2e-4, 2e-3, 5e-3, 2e-4, 2e-4), strict=True
    ):
        apart = abs(found - told)[turns]
        assert np.quantile(apart, 0.8) < 1e-5
        assert apart.max() < most, "a limit that is merely grazed between two moments may be overlooked"


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_many_small_ticks_end_where_one_large_tick_ends(seed):
    e, _, start, load, ceiling, _ = drawn(seed, 20)
    load, second = np.minimum(load, 1.0), np.ones((1, 20))
    once, at, low = swing(e, start, load, ceiling, second), start, []
    for _ in range(100):
        seen = swing(e, at, load, ceiling, 0.01 * second)
        at, low = seen.end, [*low, seen.lowest]
    for found, told in zip((*at, np.min(low, axis=0)), (*once.end, once.lowest), strict=True):
        assert abs(found - told).max() < (2e-4 if abs(told).max() < 0.3 else 5e-3), "a limit merely grazed"
        assert np.quantile(abs(found - told), 0.8) < 2e-6


def test_a_set_left_alone_comes_to_rest():
    """Whatever it met, 200 random sets are steady five minutes later, where loads stay below what they can give."""
    e, _, start, load, ceiling, _ = drawn(7, 200)
    load = np.minimum(load, 0.95)
    there = swing(e, swing(e, start, load, ceiling, 300.0 + 0 * load).end, load, ceiling, 300.0 + 0 * load)
    for found, told in zip(there.end, at_rest(e, there.end.setting, load), strict=True):
        np.testing.assert_allclose(found, told, atol=1e-6)


def test_at_overload_speed_falls_in_a_straight_line():
    """The engine gives all it has, 1.1; a load of 1.3 takes 0.2/2H of speed a second, for ever."""
    e = engine(1.0, 0.0, 0.2, 10.0, 1.5, 0.0)
    at = (-0.02, 1.1, 1.1)
    for seconds in (0.01, 0.5, 3.0):
        assert float(turn(e, at, 1.3, 1.1, seconds).end.deviation[0, 0]) == pytest.approx(
            -0.02 - 0.2 / 2.0 * seconds, abs=1e-14
        )
    assert float(turn(e, at, 1.3, 1.1, 60.0).end.deviation[0, 0]) == -1.0, "then it stands"


def test_a_set_without_governor_action_coasts_by_its_inertia():
    """The first instant after a step: df/dt = -dP/2H; a minute later it is back at nominal speed."""
    e = engine(0.8, 0.0, 0.3, 12.0, 1.0, 0.0)
    seen = turn(e, REST, 0.5, 1.2, 1e-4)
    assert float(seen.end.deviation[0, 0]) == pytest.approx(-0.5 / 1.6 * 1e-4, rel=1e-3)
    assert numbers(turn(e, REST, 0.5, 1.2, 60.0).end) == pytest.approx((0.0, 0.5, 0.5), abs=1e-9)


def test_droop_by_hand():
    """4 % from no load to full load: at 60 % load 2.4 % below, and less where loads fall with speed."""
    e = engine(1.0, 0.0, 0.2, 10.0, 1.5, 0.04)
    assert float(turn(e, REST, 0.6, 1.2, 60.0).end.deviation[0, 0]) == pytest.approx(-0.024, abs=1e-9)
    e = engine(1.0, 2.0, 0.2, 10.0, 1.5, 0.04)
    assert float(turn(e, REST, 0.6, 1.2, 60.0).end.deviation[0, 0]) == pytest.approx(-0.6 / 27, abs=1e-9)


def test_the_second_order_of_a_droop_governor_in_the_book():
    """Without integral f(t) = -P/K (1 - e^-at (cos wt + (a - K/2H)/w sin wt)), a = 1/2tau, w^2 = K/2H tau - a^2."""
    h, tau, k, load = 1.0, 0.2, 20.0, 0.3
    e = engine(h, 0.0, tau, 10.0, 1.5, 1 / k)
    a, w = 1 / (2 * tau), (k / (2 * h * tau) - 1 / (4 * tau**2)) ** 0.5
    for t in (0.05, 0.2, 0.7, 1.9):
        wave = np.cos(w * t) + (a - k / (2 * h)) / w * np.sin(w * t)
        expected = -load / k * (1 - np.exp(-a * t) * wave)
        assert float(turn(e, REST, load, 1.2, t).end.deviation[0, 0]) == pytest.approx(expected, abs=1e-12)


def test_double_roots_are_no_trouble():
    """Critically damped: K/2H tau = 1/4 tau^2; the roots are moved apart by less than anyone can see."""
    e = engine(1.0, 0.0, 0.2, 1.0, 1.0, 0.4)
    end, _, _ = integrated(e, 0.0, Speed(*table(*REST)), 0.5, 2.0, 1.0)
    assert numbers(turn(e, REST, 0.5, 2.0, 1.0).end) == pytest.approx(numbers(end), abs=1e-7)


def test_a_governor_that_hunts_is_told_from_one_that_does_not():
    assert law.is_stable(engine(1.0, 0.0, 0.2, 10.0, 0.21, 0.0)).all()
    assert not law.is_stable(engine(1.0, 0.0, 0.2, 10.0, 0.19, 0.0)).any()


def test_time_beyond_a_limit_and_the_moment_a_delay_is_over():
    e = engine(1.0, 0.0, 0.2, 10.0, 1.5, 0.0)
    seen = turn(e, (0.0, 1.1, 1.1), 1.3, 1.1, 3.0)  # straight down, 0.1 a second
    age, due = law.beyond(seen, -0.05, -1.0, 1.0, *table(0.0, 3.0))
    assert (age[0, 0], due[0, 0]) == pytest.approx((2.5, 1.5), abs=1e-6)
    age, due = law.beyond(seen, -0.05, -1.0, 4.0, *table(0.0, 3.0))
    assert age[0, 0] == pytest.approx(2.5, abs=1e-6)
    assert due[0, 0] >= law.NEVER
    standing = turn(e, (0.0, 0.0, 0.0), 0.0, 1.1, 1.0)
    age, due = law.beyond(standing, 0.1, -1.0, 1.5, *table(0.7, 1.0))
    assert (age[0, 0], due[0, 0]) == pytest.approx((1.7, 0.8))


def test_members_do_not_feel_each_other():
    e = engine(np.array([[1.0, 0.6]]), 0.0, np.array([[0.2, 0.3]]), 10.0, 1.5, np.array([[0.0, 0.04]]))
    load = np.array([[0.3, 0.9], [1.4, 0.0], [0.0, 0.5]])
    zero, ceiling = 0.0 * load, 1.1 + 0.0 * load
    all_of_them = swing(e, Speed(zero, zero, zero), load, ceiling, 1.0 + zero)
    for member in range(3):
        alone = [x[member : member + 1] for x in (zero, load, ceiling, 1.0 + zero)]
        one = swing(e, Speed(alone[0], alone[0], alone[0]), *alone[1:])
        for name in ("lowest", "highest"):
            assert getattr(one, name).tobytes() == getattr(all_of_them, name)[member : member + 1].tobytes()
        assert one.end.deviation.tobytes() == all_of_them.end.deviation[member : member + 1].tobytes()


def test_fuel_goes_through_its_published_points():
    points = law.points_by_load(10.0, (30.0, 0.0, 75.0), 100.0)
    assert [float(law.by_load(x, points)) for x in (0, 0.25, 0.5, 0.75, 1.0, 1.1)] == pytest.approx(
        [10, 30, 55, 75, 100, 110]
    )
    assert float(law.by_load(0.6, points)) == pytest.approx(55 + 0.4 * 20)


def test_frequency_response_is_that_of_a_simulated_swing():
    """A load that swings at 1.3 Hz in steps of 5 ms."""
    e, omega, at, dt = engine(1.0, 0.0, 0.2, 10.0, 1.5, 0.0), 2 * np.pi * 1.3, (0.0, 0.5, 0.5), 0.005
    seen, times = [], np.arange(dt, 16, dt)
    for t in times:
        turned = turn(e, at, 0.5 + 0.02 * np.sin(omega * (t - dt / 2)), 1.2, dt)
        at = numbers(turned.end)
        seen.append(at[0])
    late = times > 10
    wave = np.exp(-1j * omega * times[late])
    amplitude = 2j * np.mean(np.array(seen)[late] * wave) / 0.02
    settled = round(2 * np.pi / omega / dt)
    assert settled > 100, "many steps a period"
    assert abs(amplitude) == pytest.approx(abs(law.frequency_response(e, omega)[0, 0]), rel=0.02)
