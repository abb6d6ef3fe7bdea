"""Pump curves: points that lie on a falling curve give it back, others the nearest one, or a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.equipment.pump import Pump
from twin.physics import pump_curve
from twin.physics.pump_curve import BadCurve, fit, power_ratings, ratings

XDU1350 = [(q / 60e3, 1e3 * (476.46 + 0.0921 * q - 2.34e-4 * q * q)) for q in range(0, 1201, 100)]
"""The published curve of a CDU: it has its top at 197 L/min."""


def test_points_on_a_falling_quadratic_give_it_back():
    points = [(q, 400e3 - 5e5 * q - 6e7 * q * q) for q in (0.0, 0.02, 0.04, 0.06)]
    found = fit(points)
    assert (found.head, found.linear, found.square) == pytest.approx((400e3, 5e5, 6e7), rel=1e-9)
    assert found.worst < 1e-12


def test_ratings_by_hand():
    """400 - 10 - 96 kPa at 40 L/s: the linear part is 20 of the 116 kPa that it falls."""
    points = [(q, 400e3 - 5e5 * q - 6e7 * q * q) for q in (0.0, 0.02, 0.04, 0.06)]
    assert ratings(points, 0.04) == pytest.approx(
        {"shutoff_head": 400e3, "nominal_head": 284e3, "curve_share": 20 / 116}, rel=1e-9
    )


def test_a_pump_made_of_its_points_goes_through_them_at_any_speed():
    points = [(0.0, 400e3), (0.02, 366e3), (0.04, 284e3), (0.06, 154e3)]
    pump = Pump(nominal_flow=0.04, efficiency=0.7, **ratings(points, 0.04))
    for q, head in points:
        assert pump.head(1.0, q) == pytest.approx(head, rel=1e-9)
        assert pump.head(0.6, 0.6 * q) == pytest.approx(0.36 * head, rel=1e-9), "affinity"


def test_the_published_curve_of_the_xdu1350_is_met_within_five_per_cent():
    """Up to its duty of 1,200 L/min; refitted as a curve that falls everywhere."""
    found = fit(XDU1350)
    assert 0.03 < found.worst < 0.05
    flow = np.linspace(0, 1400 / 60e3, 200)
    assert (np.diff(found.at(flow)) < 0).all()


def test_power_by_its_points():
    """4 + 4 x + 2 x^2 kW with x = q/40 L/s: 10 kW at the duty point, 40 % of it idle."""
    points = [(q, 4e3 + 4e3 * q / 0.04 + 2e3 * (q / 0.04) ** 2) for q in (0.0, 0.02, 0.04, 0.05)]
    said = power_ratings(points, 0.04, 200e3)
    assert said == pytest.approx({"efficiency": 0.8, "idle_share": 0.4, "power_bend": 0.2}, rel=1e-9)
    pump = Pump(nominal_flow=0.04, nominal_head=200e3, shutoff_head=300e3, **said)
    for q, power in points:
        assert pump.shaft_power(1.0, q) == pytest.approx(power, rel=1e-9)
    assert pump.shaft_power(0.5, 0.02) == pytest.approx(10e3 / 8, rel=1e-9), "affinity"


def test_two_points_of_power_are_a_straight_line():
    said = power_ratings([(0.0, 4e3), (0.05, 11.5e3)], 0.04, 200e3)
    assert said == pytest.approx({"efficiency": 0.8, "idle_share": 0.4, "power_bend": 0.0}, rel=1e-9)


@pytest.mark.parametrize(
    ("points", "word"),
    [
        ([(0.0, 3e5)], "at least two points"),
        ([(0.02, 3e5), (0.01, 2e5)], "at least two points"),
        ([(0.0, 3e5), (0.04, 3e5)], "is not below"),
        ([(0.0, 3e5), (0.04, 0.0)], "not above zero"),
        ([(0.0, 1e5), (0.01, 2e5), (0.04, 0.9e5)], "no falling curve"),
        ([(0.0, 3e5), (0.02, 2e5)], "before the nominal_flow"),
    ],
)
def test_points_that_no_pump_can_have_are_refused_in_words(points, word):
    with pytest.raises(BadCurve, match=word):
        ratings(points, 0.04)


def test_a_pump_does_not_give_more_than_it_takes():
    with pytest.raises(BadCurve, match="more power than that"):
        power_ratings([(0.0, 1e3), (0.05, 5e3)], 0.04, 200e3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.85, 0.999), min_size=2, max_size=8), st.floats(1e4, 1e6), st.floats(1e-4, 1.0))
def test_every_fit_falls_with_flow_from_the_first_point_on(ratios, head, step):
    points = [(k * step, head * float(np.prod(ratios[:k]))) for k in range(len(ratios) + 1)]
    try:
        found = fit(points)
    except BadCurve:
        return
    assert found.linear > 0
    assert found.square >= 0
    assert found.worst <= pump_curve.WORST_FIT + 1e-9
