"""Heat: the exact laws against closed forms in many digits, textbook figures and the matrix exponential."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from twin.physics.thermal import (
    counterflow_effectiveness,
    exchanger_conductance,
    film_conductance,
    mean_lag,
    mean_weight,
    modes,
    response,
    stir,
)

getcontext().prec = 50
SIZES = [0.0, 1e-300, 1e-16, 1e-8, 3e-4, 0.0099, 0.01, 0.0101, 0.3, 1.0, 7.0, 40.0, 800.0, 1e6, 1e12]


def weight(k: float) -> float:
    """(1 - e^-k)/k in fifty digits."""
    x = Decimal(k)
    return 1.0 if k < 1e-40 else float((1 - (-x).exp()) / x)


def lag(k: float) -> float:
    """(k - 1 + e^-k)/k^2 in fifty digits, by its first terms where even those cancel."""
    x = Decimal(k)
    return float(Decimal(1) / 2 - x / 6 + x * x / 24) if k < 1e-15 else float((x - 1 + (-x).exp()) / (x * x))


@pytest.mark.parametrize("k", SIZES)
def test_the_two_weights_of_a_mean_are_exact(k):
    assert float(mean_weight(np.float64(k))) == pytest.approx(weight(k), rel=1e-14)
    assert float(mean_lag(np.float64(k))) == pytest.approx(lag(k), rel=2e-12)


def closed_form(T, T_in, C_flow, C, dt, Q):
    """Mean and end of a stirred volume, in fifty digits."""
    T, T_in, C_flow, C, dt, Q = map(Decimal, (T, T_in, C_flow, C, dt, Q))
    if C_flow == 0:
        return float(T + Q * dt / (2 * C)), float(T + Q * dt / C)
    k, rest = C_flow * dt / C, T_in + Q / C_flow
    gone = (-k).exp()
    return float(rest + (T - rest) * (1 - gone) / k), float(rest + (T - rest) * gone)


@pytest.mark.parametrize("Q", [0.0, 135e3])
@pytest.mark.parametrize("dt", [1e-6, 1e-3, 0.1, 1.0, 10.0, 300.0, 86400.0, 1e9])
@pytest.mark.parametrize("C_flow", [0.0, 1e-9, 40.0, 8e3, 8e6])
def test_a_stirred_volume_is_exact_at_any_tick_and_flow(C_flow, dt, Q):
    """Mean to 1e-12; the end follows from the books, so it loses the round-off of what passed through."""
    T, T_in, C = 313.15, 291.4, 8e4
    mean, end = closed_form(T, T_in, C_flow, C, dt, Q)
    answer = stir(np.array([[T]]), np.array([[C_flow]]), np.array([[C]]), dt, np.array([[Q]]))
    found = float((answer.constant + answer.slope * T_in)[0, 0])
    assert found == pytest.approx(mean, rel=1e-12)
    by_books = T + dt * (C_flow * (T_in - found) + Q) / C
    passed = 1.0 + C_flow * dt / C
    assert by_books == pytest.approx(end, rel=1e-12 * passed)


def test_a_volume_without_heat_needs_none_named():
    T, C_flow, C = np.array([[300.0]]), np.array([[5e3]]), np.array([[1e5]])
    none, zero = stir(T, C_flow, C, 7.0), stir(T, C_flow, C, 7.0, np.array([[0.0]]))
    assert none.constant == zero.constant
    assert none.slope == zero.slope


@given(st.floats(250, 400), st.floats(250, 400), st.floats(0, 1e7), st.floats(1, 1e9), st.floats(1e-3, 1e4))
def test_a_volume_stays_between_what_it_held_and_what_enters(T, T_in, C_flow, C, dt):
    answer = stir(np.float64(T), np.float64(C_flow), np.float64(C), dt)
    mean = float(answer.constant + answer.slope * T_in)
    assert min(T, T_in) - 1e-9 <= mean <= max(T, T_in) + 1e-9
    assert 0.0 <= float(answer.slope) <= 1.0


@pytest.mark.parametrize(
    ("NTU", "ratio", "effectiveness"),
    [(1, 0, 0.63212), (1, 0.5, 0.56473), (2, 0.5, 0.77460), (2, 1, 0.66667), (3, 0.75, 0.81712)],
)
def test_counterflow_effectiveness_is_that_of_the_textbook(NTU, ratio, effectiveness):
    assert float(counterflow_effectiveness(np.float64(NTU), np.float64(ratio))) == pytest.approx(
        effectiveness, abs=1e-5
    )


@pytest.mark.parametrize("ratio", [1.0, 1 - 1e-15, 1 - 1e-9, 1 - 1e-4, 0.999, 0.5, 1e-9, 0.0])
@pytest.mark.parametrize("NTU", [1e-9, 0.3, 1.0, 5.0, 60.0, 1e4])
def test_effectiveness_is_exact_where_streams_are_alike(NTU, ratio):
    n, c = Decimal(NTU), Decimal(ratio)
    gone = (-n * (1 - c)).exp()
    exact = float(n / (1 + n) if c == 1 else (1 - gone) / (1 - c * gone))
    found = counterflow_effectiveness(np.float64(NTU), np.float64(ratio))
    assert float(found) == pytest.approx(exact, rel=1e-12)


POSITIVE = st.floats(1.0, 1e7)


@given(st.floats(1.0, 1e8), POSITIVE, POSITIVE)
def test_an_exchanger_hands_over_no_more_than_the_weaker_stream_can_carry(UA, hot, cold):
    """Second law: 0 < K <= C_min and K <= UA, alike from both sides, so neither outlet passes an inlet."""
    K = float(exchanger_conductance(UA, np.float64(hot), np.float64(cold)))
    assert 0.0 < K <= min(hot, cold, UA) * (1 + 1e-12)
    assert float(exchanger_conductance(UA, np.float64(cold), np.float64(hot))) == K


@given(st.floats(1.0, 1e6), POSITIVE, POSITIVE, st.floats(1.0, 10.0))
def test_more_flow_or_surface_never_hands_over_less(UA, hot, cold, more):
    K = float(exchanger_conductance(UA, np.float64(hot), np.float64(cold)))
    assert float(exchanger_conductance(UA, np.float64(hot * more), np.float64(cold))) >= K * (1 - 1e-12)
    assert float(exchanger_conductance(UA * more, np.float64(hot), np.float64(cold))) >= K * (1 - 1e-12)


@pytest.mark.parametrize(("hot", "cold"), [(0.0, 0.0), (0.0, 1e5), (1e5, 0.0)])
def test_an_exchanger_without_flow_hands_over_nothing(hot, cold):
    assert float(exchanger_conductance(3e5, np.float64(hot), np.float64(cold))) <= 1e-290


def test_film_conductance_by_hand():
    """Two films of 2 UA in series: at half flow on one side, 2 UA x 0.5^0.8/(1 + 0.5^0.8)."""
    assert float(film_conductance(314e3, 1.0, np.float64(1.0))) == pytest.approx(314e3, rel=1e-14)
    half = 0.5**0.8
    expected = 1.0 / (1.0 / (2 * 314e3 * half) + 1.0 / (2 * 314e3))
    assert float(film_conductance(314e3, np.float64(0.5), 1.0)) == pytest.approx(expected, rel=1e-14)


def test_film_conductance_in_its_limits():
    one = np.float64(1.0)
    for x in (1e-3, 0.2, 0.7, 3.0):
        assert film_conductance(1.0, x * one, one) == film_conductance(1.0, one, x * one)
        assert float(film_conductance(1.0, x * one, x * one)) == pytest.approx(x**0.8, rel=1e-14)
        assert float(film_conductance(1.0, x * one, 1e9 * one)) == pytest.approx(2 * x**0.8, rel=1e-6)
    assert 0 < float(film_conductance(1.0, 0.0 * one, one)) < 1e-9


PAIRS = [
    (10800.0, 32400.0, 7200.0, 7700.0, 200.0),  # a rack: die, plate, G, K, growth of its power with temperature
    (10800.0, 32400.0, 7200.0, 0.0, 200.0),
    (10800.0, 32400.0, 7200.0, 0.0, 0.0),
    (10800.0, 32400.0, 7200.0, 7700.0, -9e3),  # throttled: power falls with temperature
    (50.0, 50000.0, 90.0, 1e-6, 0.0),
    (1.0, 1.0, 5.0, 3.0, 0.0),
]


def integrals(A, t):
    """Integral of e^{As} over 0..t and the integral of that, from one matrix exponential."""
    big = np.zeros((6, 6))
    big[:2, :2], big[:2, 2:4], big[2:4, 4:] = A, np.eye(2), np.eye(2)
    grown = expm(big * t)
    return grown[:2, 2:4], grown[:2, 4:]


@pytest.mark.parametrize("t", [1e-6, 1e-3, 0.02, 0.3, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_of_masses_answers_as_the_matrix_exponential(pair, t):
    C1, C2, G, K, p1 = pair
    a, b, c, d = (p1 - G) / C1, G / C1, G / C2, -(G + K) / C2
    determinant = (G * K - p1 * (G + K)) / (C1 * C2)
    A = np.array([[a, b], [c, d]])
    m = modes(*(np.float64(x) for x in (a, b, c, d)), np.float64(determinant))
    assert sorted([float(m.fast), float(m.slow)]) == pytest.approx(
        sorted(np.linalg.eigvals(A).real), rel=1e-9, abs=1e-12 * abs(A).max()
    )
    (f0, f1), (g0, g1) = response(m, np.float64(t))
    once, twice = integrals(A, t)
    np.testing.assert_allclose(f0 * np.eye(2) + f1 * A, once, rtol=1e-12, atol=1e-12 * t)
    np.testing.assert_allclose(g0 * np.eye(2) + g1 * A, twice, rtol=1e-12, atol=1e-12 * t * t)


@pytest.mark.parametrize("t", [1e-3, 1.0, 300.0, 86400.0])
def test_without_flow_a_pair_keeps_all_it_is_given(t):
    """K = 0 and steady power: C1 T1 + C2 T2 grows by exactly P t, and the masses end P/G C2/(C1 + C2) apart."""
    C1, C2, G, P = 10800.0, 32400.0, 7200.0, 97e3
    m = modes(*(np.float64(x) for x in (-G / C1, G / C1, G / C2, -G / C2)), np.float64(0.0))
    (f0, f1), _ = response(m, np.float64(t))
    rate1, rate2 = P / C1, 0.0
    rise1 = f0 * rate1 + f1 * (-G / C1 * rate1 + G / C1 * rate2)
    rise2 = f0 * rate2 + f1 * (G / C2 * rate1 - G / C2 * rate2)
    assert float(C1 * rise1 + C2 * rise2) == pytest.approx(P * t, rel=1e-12)
    if t > 100:
        assert float(rise1 - rise2) == pytest.approx(P / G * C2 / (C1 + C2), rel=1e-9)
