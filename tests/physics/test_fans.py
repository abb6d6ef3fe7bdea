"""Fans by temperature: their lag in closed form, and no hunting at any tick."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.physics.fans import Control, next_speed

CONTROL = Control(323.15, 351.15, 0.3, 5.0)


def test_the_line_by_hand():
    """Least below 50 degC, full above 78 degC, half-way 65 %."""
    T = np.array([300.0, 323.15, 337.15, 351.15, 380.0])
    assert CONTROL.wanted(T) == pytest.approx([0.3, 0.3, 0.65, 1.0, 1.0], rel=1e-14)


@pytest.mark.parametrize("dt", [0.01, 0.5, 1.0])
def test_a_temperature_that_stays_is_followed_with_the_lag(dt):
    """From 0.3 towards 0.65 over 5 s; what does not depend on the fans damps nothing."""
    speed = np.array([[0.3]])
    for _ in range(round(10.0 / dt)):
        speed = next_speed(speed, np.array([[337.15]]), np.array([[0.0]]), CONTROL, dt)
    assert speed[0, 0] == pytest.approx(0.65 - 0.35 * math.exp(-2.0), rel=1e-10)


@settings(max_examples=50, deadline=None)
@given(
    rise=st.floats(1.0, 120.0),
    inlet=st.floats(280.0, 330.0),
    exponent=st.floats(0.0, 1.0),
    dt=st.sampled_from([1.0, 10.0, 60.0, 3600.0]),
    start=st.floats(0.3, 1.0),
)
def test_fans_come_to_where_speed_and_temperature_agree_and_do_not_hunt(rise, inlet, exponent, dt, start):
    """A die that follows at once, T = inlet + rise/s^n: the last steps go one way, or are round-off."""
    speed, seen = np.array([[start]]), []
    for _ in range(150):
        T = inlet + rise / speed**exponent
        speed = next_speed(speed, T, rise / speed**exponent, CONTROL, dt)
        seen.append(float(speed[0, 0]))
    assert float(CONTROL.wanted(inlet + rise / speed**exponent)[0, 0]) == pytest.approx(seen[-1], abs=2e-3)
    steps = np.diff(seen[-20:])
    assert (steps >= -1e-9).all() or (steps <= 1e-9).all()
