"""Static pressure: Boyle by hand, holes by Torricelli, margins by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics import static_pressure as law
from twin.physics.moist_air import saturation_pressure


def p(water, volume=0.3, precharge=2e5, slack=0.005):
    return float(law.cushion(np.float64(water), volume, precharge, slack))


def test_a_third_of_coolant_raises_the_pressure_by_half():
    """300 L at 2 bar: with 100 L of coolant 200 L of gas at 3 bar."""
    assert p(0.1) == pytest.approx(3e5, rel=1e-12)
    assert law.held_at(3e5, 0.3, 2e5) == pytest.approx(0.1, rel=1e-12)


@given(st.floats(-0.005, 0.29))
def test_the_coolant_that_it_holds_at_a_pressure_is_what_makes_that_pressure(water):
    assert law.held_at(p(water), 0.3, 2e5, 0.005) == pytest.approx(water, abs=1e-15, rel=1e-12)


def test_empty_it_falls_to_the_airs_pressure_and_no_further():
    assert p(0.0) == pytest.approx(2e5)
    assert p(-0.0025) == pytest.approx(0.5 * (2e5 + law.AIR))
    assert p(-0.005) == pytest.approx(law.AIR)
    assert p(-1.0) == law.AIR


@given(st.floats(-0.02, 0.4), st.floats(-0.02, 0.4))
def test_more_coolant_is_never_less_pressure(one, other):
    assert p(min(one, other)) <= p(max(one, other))


def test_a_hole_of_five_millimetres_at_three_bar():
    """0.6 x 19.6 mm2 x sqrt(2 x 200 kPa/1000) = 0.235 L/s."""
    q = law.orifice_flow(law.disc(5e-3), 0.6, np.float64(law.AIR + 2e5), 1000.0)
    assert q == pytest.approx(0.6 * np.pi / 4 * 25e-6 * 20.0, rel=1e-12)
    assert law.orifice_flow(1e-4, 0.6, np.float64(0.5e5), 1000.0) == 0.0, "no air is sucked out"


def test_the_suction_margin_by_hand():
    """1.2 bar at 60 degC (19.95 kPa of vapour) and 30 kPa needed: 70 kPa are left."""
    assert saturation_pressure(np.float64(333.15)) == pytest.approx(19.95e3, rel=2e-3)
    assert law.suction_margin(np.float64(1.2e5), np.float64(333.15), 30e3) == pytest.approx(70.05e3, abs=50)
