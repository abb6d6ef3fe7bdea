"""The queue of tokens against an independent solver, and the counting of tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from twin.physics.serving import GRAIN, Queued, counted, grains, grains_above, grains_below, queue, token_time

amounts = st.floats(0, 1e6) | st.just(0.0)
rates = st.floats(0, 1e5) | st.just(0.0)
patiences = st.floats(0.1, 1e9)
ticks = st.floats(1e-3, 3600.0)


def after(Q, arrivals, capacity, patience, dt):
    """The law on single numbers; rates in tokens/s."""
    return Queued(*(float(x) for x in queue(*(np.array(x) for x in (Q, arrivals * dt, capacity * dt, patience)), dt)))


def test_without_anybody_who_leaves_a_queue_is_a_bucket():
    grows = after(10.0, 100.0, 40.0, 1e9, 2.0)
    assert grows.left == pytest.approx(130.0, rel=1e-7)
    assert (grows.served, grows.idle) == (pytest.approx(80.0, rel=1e-7), 0.0)
    falls = after(100.0, 10.0, 60.0, 1e9, 4.0)
    assert (falls.left, falls.served, falls.idle) == (0.0, pytest.approx(140.0), pytest.approx(2.0))


def test_nobody_served_leaves_a_queue_that_gives_up_exponentially():
    told = after(1000.0, 0.0, 0.0, 60.0, 60.0)
    assert told.left == pytest.approx(1000.0 / np.e)
    assert told.dropped == pytest.approx(1000.0 * (1 - 1 / np.e))
    assert told.served == 0.0


@pytest.mark.parametrize(
    ("Q", "arrivals", "capacity", "patience"),
    [(5e3, 900.0, 300.0, 30.0), (5e3, 100.0, 700.0, 20.0), (0.0, 500.0, 200.0, 5.0), (2e4, 0.0, 100.0, 400.0)],
)
def test_it_is_what_a_solver_finds(Q, arrivals, capacity, patience):
    """dQ/dt = lambda - mu - Q/theta until nobody waits; given up is the integral of Q/theta."""

    def rates_of(_, y):
        return [arrivals - capacity - y[0] / patience, y[0] / patience]

    def empty(_, y):
        return y[0]

    empty.terminal, empty.direction = True, -1
    found = solve_ivp(rates_of, (0, 40.0), [Q, 0.0], events=empty, rtol=1e-11, atol=1e-9)
    told = after(Q, arrivals, capacity, patience, 40.0)
    assert told.dropped == pytest.approx(found.y[1, -1], rel=1e-7, abs=1e-6)
    assert told.left == pytest.approx(max(found.y[0, -1], 0.0), rel=1e-7, abs=1e-4)
    assert told.idle == pytest.approx(40.0 - found.t[-1], abs=1e-7)


@given(amounts, rates, rates, patiences, ticks)
def test_two_halves_of_a_tick_are_the_tick(Q, arrivals, capacity, patience, dt):
    whole = after(Q, arrivals, capacity, patience, dt)
    first = after(Q, arrivals, capacity, patience, dt / 2)
    second = after(first.left, arrivals, capacity, patience, dt / 2)
    size = Q + (arrivals + capacity) * dt + 1.0
    assert abs(second.left - whole.left) < 1e-9 * size
    assert abs(first.dropped + second.dropped - whole.dropped) < 1e-9 * size


@given(amounts, rates, rates, patiences, ticks)
def test_nothing_is_negative_or_served_beyond_capacity(Q, arrivals, capacity, patience, dt):
    told = after(Q, arrivals, capacity, patience, dt)
    size = Q + (arrivals + capacity) * dt + 1.0
    assert min(told.left, told.dropped, told.served, told.idle) >= -1e-12 * size
    assert told.served <= capacity * dt + 1e-9 * size
    assert told.idle <= dt


@given(amounts, rates, rates, patiences, ticks)
def test_counted_in_grains_it_adds_up_exactly(Q, arrivals, capacity, patience, dt):
    Q, came = grains(np.array(Q)), grains(np.array(arrivals * dt))
    told = counted(queue(Q, came, np.array(capacity * dt), np.array(patience), dt), Q + came)
    assert told.served + told.dropped + told.left == Q + came
    assert all(float(x * GRAIN).is_integer() and x >= 0 for x in (told.served, told.dropped, told.left))


def test_grains_are_the_nearest_or_the_ones_below():
    assert grains(np.array(1.0 + 0.6 / GRAIN)) == 1.0 + 1.0 / GRAIN
    assert grains_below(np.array(1.0 + 0.6 / GRAIN)) == 1.0
    assert grains_above(np.array(1.0 + 0.1 / GRAIN)) == 1.0 + 1.0 / GRAIN


def test_a_token_takes_longer_in_company():
    """One answer alone: t_0; at full rate: batch over rate; half-way by hand: t_0/(1 - (1 - t_0 X/B)/2)."""
    told = token_time(np.array([0.0, 0.5, 1.0, 3.0]), 0.01, 64.0, 2000.0)
    np.testing.assert_allclose(told, [0.01, 0.01 / (1 - 0.6875 / 2), 0.032, 0.032])
