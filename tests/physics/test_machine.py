"""Machines: published EIR points, Carnot, moments of crossings."""

from __future__ import annotations

import numpy as np
import pytest

from twin.physics.machine import (
    biquadratic,
    carnot_cop,
    moment_of_crossing,
    quadratic,
)

CAPACITY = (1.092441e-01, -1.225892e-01, -2.802873e-03, 1.324138e-01, -4.714937e-03, 9.205744e-03)
INPUT = (6.396022e-01, -5.954060e-02, 5.884523e-04, 3.170651e-02, -5.088216e-04, 1.460759e-03)
PART_LOAD = (2.795792e-01, 7.872758e-02, 6.424321e-01)


def test_a_published_chiller_point_of_its_curves():
    """York YK 5465 kW at 6.67 degC leaving, 26.11 degC condenser entering, full load (EnergyPlus data set)."""
    x, y = np.float64(6.67), np.float64(26.11)
    capacity, input_ratio = float(biquadratic(CAPACITY, x, y)), float(biquadratic(INPUT, x, y))
    assert capacity == pytest.approx(1.0131, abs=5e-5)
    assert input_ratio == pytest.approx(1.0040, abs=5e-5)
    assert float(quadratic(PART_LOAD, np.float64(1.0))) == pytest.approx(1.0007, abs=5e-5)
    heat = 5465e3 * capacity
    power = heat / 6.94 * input_ratio * float(quadratic(PART_LOAD, np.float64(1.0)))
    assert heat == pytest.approx(5536.4e3, rel=1e-3)
    assert power == pytest.approx(801.6e3, rel=1e-3)
    assert heat / power == pytest.approx(6.907, rel=1e-3)


def test_a_biquadratic_is_the_sum_of_its_six_terms():
    c, x, y = (2.0, 3.0, 5.0, 7.0, 11.0, 13.0), 0.3, -1.7
    assert biquadratic(c, x, y) == pytest.approx(2 + 3 * x + 5 * x * x + 7 * y + 11 * y * y + 13 * x * y, rel=1e-14)
    assert quadratic(c, x) == pytest.approx(2 + 3 * x + 5 * x * x, rel=1e-14)


def test_carnot_by_hand_and_never_beyond_its_least_lift():
    assert float(carnot_cop(0.5, np.float64(289.15), 320.15, 8.0)) == pytest.approx(0.5 * 289.15 / 31.0, rel=1e-14)
    for condensing in (297.15, 290.0, 250.0):
        assert float(carnot_cop(0.5, np.float64(289.15), condensing, 8.0)) == pytest.approx(0.5 * 289.15 / 8.0)


def test_moments_of_crossings():
    assert float(moment_of_crossing(np.float64(290.0), np.float64(310.0), 305.0, 60.0, 10.0)) == pytest.approx(67.5)
    assert float(moment_of_crossing(np.float64(306.0), np.float64(306.0), 305.0, 60.0, 10.0)) in (60.0, 70.0)
