"""Conversion: the input window, the overload curve through the points of its sheet, help by the bypass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.conversion import (
    Window,
    accepted,
    broken_by,
    outside,
    overload_time,
    overload_used,
    with_bypass,
)

WINDOW = Window(0.85, 1.15, 0.1)


def curve(x):
    return float(overload_time(np.array(x), 600.0, 60.0, 0.2))


def test_the_curve_passes_through_both_points_of_the_sheet():
    assert curve(1.25) == pytest.approx(600, rel=1e-12)
    assert curve(1.5) == pytest.approx(60, rel=1e-12)
    assert curve(1.0) == 1e30
    assert curve(1.51) == 0.2


@given(st.floats(1.001, 1.499), st.floats(1e-3, 5e-2))
def test_more_load_is_borne_for_less_long(x, more):
    assert curve(min(x + more, 1.5)) < curve(x)


def test_overload_is_added_up_and_forgotten():
    """300 s at 125 % use half; 300 s at rest forget half of the recovery."""
    used = overload_used(np.array(0.0), np.array(1.25), 600.0, 600.0, 300.0)
    assert float(used) == pytest.approx(0.5)
    assert float(overload_used(used, np.array(0.9), 1e30, 600.0, 150.0)) == pytest.approx(0.25)
    assert float(overload_used(used, np.array(0.9), 1e30, 600.0, 1e4)) == 0.0


@pytest.mark.parametrize(
    ("voltage", "frequency", "refused"),
    [(1.0, 1.0, 0), (0.84, 1.0, 1), (1.16, 1.0, 1), (0.86, None, 0), (1.0, 1.11, 1), (1.0, 0.89, 1), (0.0, 0.0, 0)],
)
def test_what_lies_outside_the_window(voltage, frequency, refused):
    assert outside(WINDOW, np.array([voltage + 0j]), frequency)[0] == refused
    good, gap = accepted(WINDOW, np.array([voltage + 0j]), np.array([0.0 if voltage else 1.0]), frequency, 1.0)
    assert (bool(good[0]), gap[0]) == (not refused and voltage > 0, float(refused or voltage == 0))


def test_the_bypass_helps_out_for_the_seconds_that_are_missing():
    path = with_bypass(np.array([0, 0, 1]), np.array([0.7, 0.7, 0.2]), np.array([1, 0, 1]), np.array([0.0, 0.0, 0.1]))
    assert path.alive.tolist() == [True, False, True]
    assert path.gap == pytest.approx([0.0, 0.7, 0.1])
    assert path.passed == pytest.approx([0.7, 0.0, 0.1])
    assert path.rescued.tolist() == [True, False, False]


@pytest.mark.parametrize("dt", [0.001, 0.002, 0.01, 1.0])
def test_a_transfer_lasts_as_long_at_any_tick(dt):
    left, without = np.array(0.0), 0.0
    for tick in range(max(round(0.02 / dt), 1)):
        gap, left = broken_by(np.array(tick == 0), np.array(0.4 * dt), left, 0.004, dt)
        without += float(gap)
    assert without == pytest.approx(0.004, abs=1e-12)
