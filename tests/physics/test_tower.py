"""Evaporative cooling: York's points, EnergyPlus' Merkel tower, one law against the other, the water."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from twin.physics import moist_air, tower

ZERO = 273.15
WATER = 4.18e3
NOMINAL = {"water": 1.0875, "air": 0.56054 * 1.2, "T_wb": 25.56 + ZERO, "heat": 25358.0, "fall": 5.5785}
"""EnergyPlus' example CoolingTower:VariableSpeed:Merkel of 20 kW: kg/s, kg/s, K, W, K."""


@pytest.mark.parametrize(("T_wb", "approach"), [(25.55, 3.839), (20.0, 5.051)])
def test_york_at_its_published_points(T_wb, approach):
    """V6: range 5.55 K at liquid to gas 1, within 0.1 %."""
    assert tower.york_approach(T_wb + ZERO, 5.55, 1.0) == pytest.approx(approach, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(-10, 26.7), st.floats(1.2, 22.0), st.floats(0.5, 3.0))
def test_the_share_gives_back_the_range_that_made_the_approach(t_wb, fall, ratio):
    T_wb = t_wb + ZERO
    approach = tower.york_approach(T_wb, fall, ratio)
    a, b, c = tower.york_coefficients(T_wb, ratio)
    least, most = (R + max(float(a + R * (b + c * R)), 1.1) for R in tower.YORK_RANGE)
    slope = 1.0 + b + 2.0 * c * fall
    if approach > 1.1 and slope > 0.05 and least < fall + approach < most:
        share = tower.york_share(T_wb + fall + approach, T_wb, ratio)
        assert share * (fall + approach) == pytest.approx(fall, rel=1e-9)


def test_the_liquid_to_gas_ratio_of_a_nominal_point():
    for approach in (2.5, 3.9, 6.0):
        ratio = tower.york_ratio(298.7, 5.55, approach)
        assert tower.york_approach(298.7, 5.55, ratio) == pytest.approx(approach, rel=1e-12)


def energyplus_tower():
    C = NOMINAL["water"] * WATER
    fall = NOMINAL["heat"] / C
    return tower.merkel_conductance(C, fall, 35.0 - 25.56 - fall, NOMINAL["T_wb"], NOMINAL["air"])


def test_merkel_gives_its_nominal_point():
    C = NOMINAL["water"] * WATER
    with_many_rounds = tower.merkel(35.0 + ZERO, NOMINAL["T_wb"], NOMINAL["air"], C, energyplus_tower())
    assert with_many_rounds.share * C * (35.0 - 25.56) == pytest.approx(NOMINAL["heat"], rel=2e-4)


@pytest.mark.parametrize(
    ("T_wb", "T_in", "speed", "heat", "fan"),
    [
        (18.2235, 33.6430, 0.393785, 16579.9, 17.0220),
        (18.2992, 33.5425, 0.387258, 16122.6, 16.3980),
        (18.5598, 33.4456, 0.384336, 15681.3, 16.1254),
    ],
)
def test_energyplus_tower_holding_30_degrees(T_wb, T_in, speed, heat, fan):
    """Three minutes of EnergyPlus 9.2's run in Modelica Buildings' MerkelEnergyPlus: heat 0.5 %, fan 0.2 %."""
    m_water = 1.08879398
    factor = tower.scheier(speed, m_water / NOMINAL["water"], NOMINAL["T_wb"] - T_wb - ZERO)
    found = tower.merkel(T_in + ZERO, T_wb + ZERO, NOMINAL["air"] * speed, m_water * WATER, energyplus_tower() * factor)
    assert found.share * m_water * WATER * (T_in - T_wb) == pytest.approx(heat, rel=5e-3)
    assert 213.00693 * tower.fan_power_share(speed) == pytest.approx(fan, rel=2e-3)


def test_the_fan_curve_of_energyplus():
    speeds = np.linspace(0.0, 1.0, 11)
    shares = [0, 0.02098, 0.02784, 0.04647, 0.08273, 0.14252, 0.23171, 0.35618, 0.52182, 0.73450, 1]
    assert tower.fan_power_share(speeds) == pytest.approx(shares, abs=7e-4)
    assert 213.27 * tower.fan_power_share(1.0) == pytest.approx(213.27)


def test_a_point_that_air_cannot_carry_has_no_conductance():
    assert np.isnan(tower.merkel_conductance(1e5, 10.0, 3.0, 298.15, 0.5))


def test_four_rounds_are_enough_up_to_25_kelvin():
    UA = energyplus_tower()
    for above in (1.0, 10.0, 25.0):
        for air in (0.1, 0.4, 1.0):
            said = (300.0 + above, 300.0, NOMINAL["air"] * air, NOMINAL["water"] * WATER, UA * air)
            few = tower.merkel(*said)
            many = few
            for _ in range(60):
                many = tower.merkel(*said, guess=many.T_air)
            assert few.share == pytest.approx(many.share, rel=2e-3)


def approach_of(share, T_wb, fall):
    """Approach of a steady tower that takes a range, by brentq."""
    T_in = brentq(lambda T: float(share(T)) * (T - T_wb) - fall, T_wb + 0.1, T_wb + 75.0)
    return T_in - fall - T_wb


@pytest.mark.parametrize("t_wb", [10.0, 15.0, 20.0, 25.55])
@pytest.mark.parametrize("air", [0.4, 0.6, 1.0])
def test_two_laws_sized_at_one_point_agree_off_it(t_wb, air):
    """Merkel with Scheier's factors and York's polynomial, both sized at (25.56, 5.55, 3.9): within 13 %."""
    C, T_wb = NOMINAL["water"] * WATER, t_wb + ZERO
    UA = tower.merkel_conductance(C, 5.55, 3.9, NOMINAL["T_wb"], NOMINAL["air"])
    ratio = tower.york_ratio(NOMINAL["T_wb"], 5.55, 3.9) / air
    factor = tower.scheier(air, 1.0, NOMINAL["T_wb"] - T_wb)
    for fall in (3.0, 5.55, 9.0):
        by_merkel = approach_of(lambda T: tower.merkel(T, T_wb, NOMINAL["air"] * air, C, UA * factor).share, T_wb, fall)
        by_york = approach_of(lambda T: tower.york_share(T, T_wb, ratio), T_wb, fall)
        assert by_merkel == pytest.approx(by_york, rel=0.13)


CASE = (st.floats(260, 305), st.floats(0.0, 45.0), st.floats(0.0, 1.0), st.floats(0.0, 2.0))


@settings(max_examples=100, deadline=None)
@given(*CASE)
def test_water_is_never_cooled_below_the_wet_bulb(T_wb, above, air, water):
    C = NOMINAL["water"] * WATER * water
    by_merkel = tower.merkel(T_wb + above, T_wb, NOMINAL["air"] * air, C, 2000.0 * tower.scheier(air, water, 0.0))
    assert 0.0 <= by_merkel.share <= 1.0 + 1e-12
    assert T_wb <= by_merkel.T_air <= T_wb + max(above, 1e-3) + 1e-9
    assert 0.0 <= tower.york_share(T_wb + above, T_wb, water / max(air, 1e-3)) <= 1.0


@settings(max_examples=60, deadline=None)
@given(st.floats(275, 300), st.floats(1.0, 25.0), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_more_air_never_cools_less(T_wb, above, one, other):
    slow, fast = sorted((one, other))
    C, UA = NOMINAL["water"] * WATER, energyplus_tower()
    shares = [
        tower.merkel(T_wb + above, T_wb, NOMINAL["air"] * air, C, UA * tower.scheier(air, 1.0, 0.0)).share
        for air in (slow, fast)
    ]
    assert shares[0] <= shares[1] * (1 + 2e-3)


def test_magnus_against_hyland_and_wexler():
    """The quick saturation curve of the tower against ASHRAE's, 0 to 60 degC."""
    T = np.linspace(273.15, 333.15, 61)
    by_ashrae = moist_air.humidity_ratio(moist_air.saturation_pressure(T), moist_air.STANDARD_PRESSURE)
    assert tower.saturated_humidity(T) == pytest.approx(by_ashrae, rel=5e-3)


def test_evaporation_carries_the_heat_that_air_does_not():
    """By hand: air of 35/25.56 degC takes 25.36 kW; what is not sensible leaves as vapour of h_g = 2501 + 1.86 t."""
    T_wb, Q, m = NOMINAL["T_wb"], NOMINAL["heat"], NOMINAL["air"]
    W_in = moist_air.humidity_ratio_of_wet_bulb(308.15, T_wb, 101325.0)
    found = tower.merkel(35.0 + ZERO, T_wb, m, NOMINAL["water"] * WATER, energyplus_tower())
    V = tower.evaporation(T_wb, W_in, m, Q, found.T_air)
    t_out = found.T_air - ZERO
    sensible = m * (1006.0 + 1860.0 * W_in) * (t_out - 35.0)
    assert (Q - sensible) / (V * 1e3) == pytest.approx(2501e3 + 1860.0 * t_out, rel=0.02)
    assert tower.evaporation(T_wb, W_in, m, 0.0, T_wb) == 0.0
