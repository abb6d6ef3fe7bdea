"""Power smoothing: ramps and floor against integrals by hand, and a store that closes its books."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.smoothing import Knobs, ramped, sinking, stored, worked

KNOBS = Knobs(70e3, 100e3, 50e3, 2.0)
power = st.floats(0, 2e5)


def quadrature(f, dt, n=20001):
    t = np.linspace(0.0, dt, n)
    y = f(t)
    return float(((y[1:] + y[:-1]) / 2).mean())


@given(power, power, st.floats(1e3, 1e6), st.floats(1e3, 1e6), st.floats(1e-3, 10))
def test_a_ramp_then_hold(start, target, up, down, dt):
    end, mean = ramped(start, target, up, down, dt)
    level = lambda t: np.clip(target, start - down * t, start + up * t)  # noqa: E731
    assert end == pytest.approx(float(level(dt)), rel=1e-9, abs=1e-6)
    assert mean == pytest.approx(quadrature(level, dt), rel=1e-4, abs=5.0)


@given(st.floats(0, 1e5), st.floats(1e3, 1e6), st.floats(-5, 5), st.floats(1e-3, 10))
def test_a_sinking_floor(floor, rate, since, dt):
    end, mean = sinking(floor, rate, since, dt)
    level = lambda t: np.maximum(floor - rate * np.maximum(since + t, 0.0), 0.0)  # noqa: E731
    assert end == pytest.approx(float(level(dt)), rel=1e-9, abs=1e-6)
    assert mean == pytest.approx(quadrature(level, dt), rel=1e-4, abs=5.0)


def test_work_that_ends_leaves_the_floor_which_sinks_after_its_time():
    """From 97 kW to idle at 20 kW: floor of 70 kW for 2 s, then 50 kW/s down, so 20 kW after 3 s."""
    level, idle, seen = 97e3, 0.0, []
    for _ in range(8):
        level, mean, idle = worked(level, idle, 20e3, KNOBS, 0.5)
        seen.append((level, mean))
    assert [x for x, _ in seen] == [70e3] * 4 + [45e3, 20e3, 20e3, 20e3]
    assert [x for _, x in seen[3:6]] == [70e3, 57.5e3, 32.5e3]


def test_work_that_begins_rises_from_the_floor_with_its_ramp():
    level, mean, idle = worked(20e3, 10.0, 97e3, KNOBS, 0.1)
    assert (level, mean, idle) == (80e3, 75e3, 0.0)
    assert worked(97e3, 0.0, 97e3, KNOBS, 0.1)[:2] == (97e3, 97e3)
    assert worked(97e3, 0.0, 80e3, KNOBS, 0.1)[:2] == (80e3, 80e3), "above the floor work is followed at once"


@given(st.lists(st.tuples(power, st.floats(1e-3, 2.0)), min_size=1, max_size=40))
def test_the_store_stays_within_itself_and_its_feed_keeps_its_ramps_while_it_can(course):
    feed, energy, capacity = course[0][0], 2340.0, 4680.0
    for load, dt in course:
        end, gained = stored(load, feed, energy, capacity, KNOBS, dt)
        asked = ramped(feed, load + (2340.0 - energy) * (1 - np.exp(-dt)) / dt, KNOBS.ramp_up, KNOBS.ramp_down, dt)
        if 1e-3 < energy + (asked[1] - load) * dt < capacity - 1e-3:
            assert (end - feed) / dt <= KNOBS.ramp_up * (1 + 1e-6) + 1e-3
            assert (feed - end) / dt <= KNOBS.ramp_down * (1 + 1e-6) + 1e-3
            assert gained == pytest.approx((asked[1] - load) * dt, abs=1e-6)
        energy, feed = energy + gained, end
        assert -1e-6 <= energy <= capacity + 1e-6


def test_a_step_by_hand():
    """From 100 to 130 kW at 100 kW/s: 0.3 s of ramp, the store gives 30 kW * 0.3 s / 2 = 4.5 kJ."""
    knobs = Knobs(0.0, 100e3, 100e3, 0.0)
    end, gained = stored(130e3, 100e3, 10e3, 20e3, knobs, 0.5)
    assert (end, gained) == (130e3, pytest.approx(-4.5e3, rel=1e-12))
    end, gained = stored(130e3, 100e3, 2340.0, 4680.0, knobs, 0.5)
    assert (end, gained) == (130e3, -2340.0), "a store that runs empty lets the feed bear the rest"
