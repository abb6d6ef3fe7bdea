"""Inverters: set-points against the ordinary differential equation, limits and losses by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.physics import inverter


def by_small_steps(y, c, target, rate, tau, dt, count=200_000):
    """The same by Euler steps: slow, and simple enough to be believed."""
    h, area = dt / count, 0.0
    for _ in range(count):
        move = np.clip(target - c, -rate * h, rate * h)
        c, before = c + move, y
        y += (c - move / 2 - y) * h / tau
        area += 0.5 * (y + before) * h
    return y, c, area / dt


@pytest.mark.parametrize("dt", [0.05, 0.3, 2.0])
def test_a_ramped_and_lagged_set_point_is_that_of_its_equation(dt):
    found = inverter.follow(*map(np.float64, (0.2, 0.5, -1.0, 2.0, 0.1, dt)))
    assert found == pytest.approx(by_small_steps(0.2, 0.5, -1.0, 2.0, 0.1, dt), abs=2e-5)


def test_without_a_ramp_it_is_one_exponential():
    found = inverter.follow(*map(np.float64, (0.0, 1.0, 1.0, 1e9, 0.1, 0.1)))
    assert found.given == pytest.approx(1 - np.exp(-1), rel=1e-12)
    assert found.mean == pytest.approx(1 - (1 - np.exp(-1)), rel=1e-12)  # 1 - tau/dt (1 - e^(-dt/tau))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0.001, 3.0), min_size=1, max_size=6), st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2),
    st.floats(0.1, 100), st.floats(0.01, 1.0),
)  # fmt: skip
def test_ticks_can_be_cut_anywhere(ticks, y, c, target, rate, tau):
    whole = inverter.follow(*map(np.float64, (y, c, target, rate, tau, sum(ticks))))
    area = 0.0
    for tick in ticks:
        y, c, mean = inverter.follow(*map(np.float64, (y, c, target, rate, tau, tick)))
        area += mean * tick
    assert (float(y), float(c)) == pytest.approx((float(whole.given), float(whole.command)), abs=1e-9)
    assert float(area) == pytest.approx(float(whole.mean) * sum(ticks), abs=1e-8)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_active_power_goes_first(active, reactive):
    P, Q = inverter.within_apparent(np.float64(active), np.float64(reactive), 1.0)
    assert np.hypot(P, Q) <= 1 + 1e-12
    assert np.clip(active, -1, 1) == P
    if active * active + reactive * reactive <= 1:
        assert (active, reactive) == (P, Q)


def test_losses_are_split_both_ways():
    """2 MW and 10 kW out at 94 %; 1 MW in, of which 10 kW go to the auxiliaries and 94 % of the rest are stored."""
    out = inverter.drawn_from_store(np.float64(2e6), 1e4, 0.94, 0.94)
    taken = inverter.drawn_from_store(np.float64(-1e6), 1e4, 0.94, 0.94)
    assert (out, taken) == pytest.approx((2.01e6 / 0.94, -0.99e6 * 0.94))


def test_the_store_bears_what_it_holds():
    least, largest = inverter.storable(np.float64(9.4e5), np.float64(0.0), 1e3, (0.94, 0.94), 1.0)
    assert largest == pytest.approx(0.94 * 9.4e5 - 1e3)
    assert least == pytest.approx(-1e3), "a full one takes its auxiliaries and no more"
    assert inverter.drawn_from_store(largest, 1e3, 0.94, 0.94) == pytest.approx(9.4e5)


def test_beyond_its_current_a_source_sags():
    assert inverter.limited_voltage(1.0, np.float64(1.5), 1.2) == pytest.approx(0.8)
    assert inverter.limited_voltage(1.0, np.float64(1.1), 1.2) == 1.0
    assert inverter.drooped(1.0, 0.5, 0.02) == pytest.approx(0.99)
