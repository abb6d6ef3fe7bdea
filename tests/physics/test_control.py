"""PI controllers that foresee: the ideal controller in long ticks, textbook PI in short ones, and no wind-up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from twin.physics.control import Law, pi

LAW = Law(gain=0.05, reset_time=30.0)


def room(T, opening, dt, tau=50.0):
    """End of a tick of a volume that goes to 60 - 40 opening with a time constant [K]."""
    return T + (60.0 - 40.0 * opening - T) * (1.0 - math.exp(-dt / tau))


def run(dt, seconds, T=60.0, law=LAW):
    opening, integral, found = 0.0, 0.0, []
    for _ in range(round(seconds / dt)):
        T = room(T, opening, dt)
        asked = pi(law, opening, integral, lambda y, T=T: room(T, y, dt) - 40.0, 0.02, 1.0, dt)
        opening, integral = float(asked.output), float(asked.integral)
        found.append(T)
    return np.array(found)


def test_in_short_ticks_it_is_the_textbook_controller():
    """T and opening of a continuous PI loop by scipy, after 20 and 100 s."""

    def rates(t, y):
        T, integral = y
        opening = integral + LAW.gain * (T - 40.0)
        return [(60.0 - 40.0 * opening - T) / 50.0, LAW.gain / LAW.reset_time * (T - 40.0)]

    start = [45.0, 0.1]
    solved = solve_ivp(rates, (0, 100), start, rtol=1e-9, atol=1e-9, t_eval=[20.0, 100.0])
    for dt, error in ((0.2, 0.15), (0.05, 0.04)):
        T, integral, opening = start[0], start[1], 0.1 + LAW.gain * 5.0
        for k in range(round(100 / dt)):
            T = room(T, opening, dt)
            asked = pi(LAW, opening, integral, lambda y, T=T, dt=dt: room(T, y, dt) - 40.0, 0.02, 1.0, dt)
            opening, integral = float(asked.output), float(asked.integral)
            if round((k + 1) * dt, 6) == 20.0:
                assert pytest.approx(solved.y[0, 0], abs=error) == T
        assert pytest.approx(solved.y[0, 1], abs=error) == T


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0, 3600.0])
def test_at_no_tick_does_it_cycle(dt):
    found = run(dt, max(1800.0, 20 * dt))
    assert found[-1] == pytest.approx(40.0, abs=1e-3)
    assert found.min() > 40.0 - 2.5
    assert np.ptp(found[-3:]) < 1e-3


def test_in_a_long_tick_it_is_the_ideal_controller():
    """The error left is the integral's own: (y - I)/(Kp (1 + dt/Ti))."""
    asked = pi(LAW, 0.0, 0.0, lambda y: 60.0 - 40.0 * y - 40.0, 0.02, 1.0, 3e5)
    assert asked.output == pytest.approx(0.5, abs=1e-3)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(1.0, 500.0), st.floats(1.0, 5.0), st.floats(-20.0, 20.0))
def test_the_answer_meets_its_own_law_however_bent_the_machine(output, integral, steep, power, shift):
    """y = clip(I + S e(y)) to the tolerance of the chord, for e that falls as a power of the opening."""
    error_at = lambda y: shift + steep * (np.clip(1.0 - y, 0.0, 1.0) ** power - 0.5)  # noqa: E731
    dt = 300.0
    asked = pi(LAW, np.float64(output), integral, error_at, 1e-3, 1.0, dt)
    strength = LAW.gain * (1.0 + dt / LAW.reset_time)
    wanted = min(max(integral + strength * float(error_at(asked.output)), 0.0), 1.0)
    assert float(asked.output) == pytest.approx(wanted, abs=0.05 + 0.02 * strength * steep * power / 40)
    assert 0.0 <= float(asked.integral) <= 1.0


def test_at_its_limit_it_does_not_wind_up():
    """An hour too warm at full opening, then too cold: it lets go in the next tick."""
    opening, integral = 1.0, 0.9
    for _ in range(360):
        opening, integral = pi(LAW, opening, integral, lambda y: 5.0, 0.02, 1.0, 10.0)
    assert (float(opening), float(integral)) == (1.0, pytest.approx(0.75))
    assert float(pi(LAW, opening, integral, lambda y: -5.0, 0.02, 1.0, 10.0).output) < 0.5
