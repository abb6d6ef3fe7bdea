"""Protection against the standard's figures, closed forms, and an integral done apart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from twin.physics.electric import NEVER
from twin.physics.protection import (
    CURVES,
    definite_time,
    forgetting,
    inverse_time,
    long_time,
    short_time,
    time_left,
    travelled,
    undervoltage,
)

MULTIPLES = (1.5, 2.0, 5.0, 10.0, 20.0)
PRINTED = {
    "standard_inverse": (17.194, 10.029, 4.280, 2.971, 2.267),
    "very_inverse": (27.0, 13.5, 3.375, 1.5, 0.711),
    "extremely_inverse": (64.0, 26.667, 3.333, 0.808, 0.201),
}
"""Seconds at TMS 1, to the last digit printed (IEC 60255-151)."""


@pytest.mark.parametrize("name", PRINTED)
def test_the_standards_curves_to_a_millisecond(name):
    k, a = CURVES[name]
    found = inverse_time(np.array(MULTIPLES), 1.0, k, a)
    assert found == pytest.approx(PRINTED[name], abs=6e-4)
    assert inverse_time(np.array([5.0]), 0.1, k, a)[0] == pytest.approx(0.1 * PRINTED[name][2], abs=1e-4)


def test_no_inverse_curve_acts_up_to_its_pickup_and_all_run_flat_beyond_twenty():
    for k, a in CURVES.values():
        assert (inverse_time(np.array([0.0, 0.5, 1.0]), 1.0, k, a) == NEVER).all()
        assert inverse_time(np.array([500.0]), 1.0, k, a) == inverse_time(np.array([20.0]), 1.0, k, a)


def test_the_elements_of_a_trip_unit_by_hand():
    x = np.array([1.0, 1.05, 3.0, 6.0, 12.0])
    assert long_time(x, 1.1, 8.0) == pytest.approx([NEVER, NEVER, 32.0, 8.0, 2.0])
    assert short_time(x, 4.0, 0.3, 0.0) == pytest.approx([NEVER, NEVER, NEVER, 0.3, 0.3])
    assert short_time(x, 4.0, 0.3, 1.0) == pytest.approx([NEVER, NEVER, NEVER, 0.3 * (10 / 6) ** 2, 0.3])
    assert definite_time(x, 8.0, 0.02) == pytest.approx([NEVER] * 4 + [0.02])
    assert (definite_time(x, 0.0, 0.02) == NEVER).all(), "a pickup of 0 is none"
    assert (short_time(x, 0.0, 0.02, 1.0) == NEVER).all()


@given(
    st.lists(st.tuples(st.floats(1.01, 30.0), st.floats(1e-3, 2.0)), min_size=1, max_size=12),
    st.sampled_from(list(CURVES)),
)
def test_the_disc_trips_when_its_integral_reaches_one(course, name):
    """Any course of currents: travel is the sum of seconds over t(I), worked out apart in plain floats."""
    k, a = CURVES[name]
    travel, total = np.zeros(1), 0.0
    for multiple, seconds in course:
        travel = travelled(travel, inverse_time(np.array([multiple]), 0.3, k, a), seconds)
        total += seconds * (min(multiple, 20.0) ** a - 1.0) / (0.3 * k)
        assert travel[0] == pytest.approx(min(total, 1.0), rel=1e-12)


def test_the_disc_under_a_rising_current_against_quadrature():
    """I/Is = 1.2 + 0.4 t: small ticks of a mean current come to the integral."""
    k, a = CURVES["very_inverse"]
    exact, _ = quad(lambda t: ((1.2 + 0.4 * t) ** a - 1.0) / k, 0.0, 5.0)
    travel = np.zeros(1)
    for tick in range(5000):
        travel = travelled(travel, inverse_time(np.array([1.2 + 0.4 * (tick + 0.5) * 1e-3]), 1.0, k, a), 1e-3)
    assert travel[0] == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("dt", [0.7, 0.05, 0.001])
def test_a_steady_current_operates_it_at_one_moment_at_any_tick(dt):
    wait = inverse_time(np.array([5.0]), 0.2, *CURVES["standard_inverse"])
    travel, now = np.zeros(1), 0.0
    while time_left(travel, wait)[0] >= dt:
        travel, now = travelled(travel, wait, dt), now + dt
    assert now + time_left(travel, wait)[0] == pytest.approx(wait[0], rel=1e-9)


def test_an_element_forgets_at_once_or_as_a_disc_turns_back():
    idle = np.array([NEVER])
    assert travelled(np.array([0.8]), idle, 0.001) == 0.0
    rate = forgetting(np.array([0.5]), np.array([10.0]))
    assert travelled(np.array([0.8]), idle, 4.0, rate)[0] == pytest.approx(0.8 - 4.0 * 0.75 / 10.0)
    assert travelled(np.array([0.8]), idle, 400.0, rate) == 0.0
    assert forgetting(np.array([0.5]), np.array([0.0])) == 0.0
    assert time_left(np.array([0.8]), idle) == NEVER


def test_an_element_without_delay_operates_at_once():
    assert travelled(np.zeros(1), np.array([0.0]), 1e-3) == 1.0
    assert time_left(np.zeros(1), np.array([0.0])) == 0.0


def test_the_undervoltage_release_counts_seconds_without_a_break():
    low_for, after = np.zeros(1), math.inf
    for tick in range(3):
        low_for, after = undervoltage(low_for, np.array([False]), np.array([0.1]), 0.25, 0.1)
        assert (after[0] < 1) == (tick == 2)
    assert after[0] == pytest.approx(0.05)
    assert undervoltage(low_for, np.array([True]), np.array([0.0]), 0.25, 0.1) == (0.0, NEVER)


def test_the_undervoltage_release_sees_a_gap_within_a_tick():
    began = np.zeros(1)
    assert undervoltage(began, np.array([True]), np.array([0.2]), 0.25, 1.0) == (0.0, NEVER), "too short"
    assert undervoltage(began, np.array([True]), np.array([0.3]), 0.25, 1.0) == (0.0, 0.25)
    low_for, after = undervoltage(began, np.array([False]), np.array([0.3]), 0.25, 1.0)
    assert (low_for[0], after[0]) == pytest.approx((0.3, 0.95)), "dead for the last 0.3 s"
    assert undervoltage(began, np.array([True]), np.array([0.0]), 0.0, 1.0) == (0.0, NEVER), "no dip, no trip"
