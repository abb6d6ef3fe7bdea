"""Electric laws against closed forms and standards."""

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from twin.physics.electric import (
    NEVER,
    bridged,
    loss_by_load,
    relaxed,
    series_current,
    series_drop,
    series_impedance,
    time_to_pass,
    time_to_trip,
    walk_in,
)


def test_impedance_keeps_modulus_and_resistance():
    z = series_impedance(np.array([0.0575]), np.array([0.008]))
    assert abs(z) == pytest.approx(0.0575, rel=1e-15)
    assert z.imag / z.real == pytest.approx(7.1176, rel=1e-4)
    assert series_impedance(np.array([0.01]), np.array([0.02])).imag == 0


def test_repeated_drops_converge_on_the_two_bus_power_flow():
    """|V|^4 + (2(PR + QX) - 1)|V|^2 + (P^2 + Q^2)|Z|^2 = 0, the larger root."""
    Z, S = 0.008 + 0.0569j, np.array([0.9 + 0.4j])
    V = np.array([1 + 0j])
    for _ in range(20):
        V = 1.0 - series_drop(series_current(S, V), Z, np.array([1 + 0j]))
    a, b = 2 * (0.9 * 0.008 + 0.4 * 0.0569) - 1, abs(S[0]) ** 2 * abs(Z) ** 2
    assert abs(V[0]) == pytest.approx(math.sqrt((-a + math.sqrt(a * a - 4 * b)) / 2), rel=1e-12)


def test_a_dead_feed_and_an_impossible_load_stay_finite():
    assert series_drop(series_current(np.zeros(1), np.zeros(1)), 0.06, np.zeros(1)) == 0
    V = np.array([1 + 0j])
    for _ in range(50):
        V = 1.0 - series_drop(series_current(np.array([9.0 + 3j]), V), 0.008 + 0.0569j, np.array([1 + 0j]))
    assert 0.5 <= abs(V[0]) <= 1.5


def test_loss_is_a_polynomial_of_load():
    assert loss_by_load(0.5, 8.0, 8.0, 9.0) == pytest.approx(14.25, rel=1e-15)
    assert loss_by_load(0.0, 8.0, 8.0, 9.0) == 8.0


def test_overload_element_against_an_ode():
    tau, target = 600.0, 1.5**2
    answer = solve_ivp(lambda t, x: (target - x) / tau, (0, 250), [0.3], rtol=1e-12, atol=1e-14)
    exact = relaxed(np.array([0.3]), target, np.array([tau]), 250.0)
    assert exact[0] == pytest.approx(answer.y[0, -1], rel=1e-10)
    halves = relaxed(relaxed(np.array([0.3]), target, np.array([tau]), 125.0), target, np.array([tau]), 125.0)
    assert halves[0] == pytest.approx(exact[0], rel=1e-14)


def test_time_to_trip_is_that_of_the_standard():
    """IEC 60255-149, cold: t = tau ln(I^2/(I^2 - k^2)); at I = 2, k = 1.05 and tau = 600 s it is 193.51 s."""
    tau, k = np.array([600.0]), 1.05**2
    expected = 600.0 * math.log(4.0 / (4.0 - 1.1025))
    assert expected == pytest.approx(193.468, abs=0.001)
    assert time_to_trip(np.zeros(1), np.array([4.0]), k, tau)[0] == pytest.approx(expected, rel=1e-14)
    assert time_to_trip(np.zeros(1), np.array([1.0]), k, tau)[0] == NEVER
    assert time_to_trip(np.array([1.2]), np.array([1.0]), k, tau)[0] == 0.0


@pytest.mark.parametrize(("start", "target", "limit"), [(0.2, 2.0, 1.0), (1.5, 0.1, 1.0)])
def test_the_moment_of_passing_lies_on_the_curve(start, target, limit):
    tau = np.array([40.0])
    t = time_to_pass(np.array([start]), np.array([target]), limit, tau)
    assert relaxed(np.array([start]), target, tau, t)[0] == pytest.approx(limit, rel=1e-13)


@pytest.mark.parametrize(("done", "alive"), [(0.0, 1.0), (3.0, 4.0), (9.5, 1.0), (10.0, 1.0), (0.0, 25.0), (4.0, 0.0)])
def test_walk_in_against_quadrature(done, alive):
    end, at_full, share = walk_in(np.array([done]), np.array([alive]), 10.0)
    exact, _ = quad(lambda t: min((done + t) / 10.0, 1.0), 0, alive, points=[max(10.0 - done, 0.0)] if alive else None)
    assert share[0] == pytest.approx(exact, rel=1e-9, abs=1e-12)
    assert end[0] == min(done + alive, 10.0)
    assert at_full[0] == max(done + alive - 10.0, 0.0)


def test_a_battery_bears_what_the_feed_does_not():
    one = np.ones(1)
    assert bridged(100 * one, 1e6 * one, 0.0 * one, 0.0 * one, one, 1.0) == 100.0
    assert bridged(100 * one, 1e6 * one, 0.3 * one, one, one, 1.0) == pytest.approx(70.0)
    assert bridged(100 * one, 20.0 * one, 0.3 * one, one, one, 1.0) == 20.0
    assert bridged(100 * one, -5.0 * one, 0.3 * one, one, one, 1.0) == 0.0
    assert bridged(30 * one, 0.0 * one, 0.1 * one, 0.3 * one, 0.3 * one, 1.0) == 0.0
    assert bridged(100 * one, 0.0 * one, 0.1 * one, 0.4 * one, one, 1.0) == pytest.approx(60.0)
