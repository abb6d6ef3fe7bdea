"""Moist air against steam tables and the published checks of PsychroLib."""

from __future__ import annotations

import numpy as np
import pytest

from twin.physics import moist_air


@pytest.mark.parametrize(
    ("celsius", "pascal"),  # ASHRAE Handbook - Fundamentals (2017), chapter 1, table 3
    [(-20, 103.24), (-5, 401.74), (5, 872.6), (25, 3169.7), (50, 12351.3), (100, 101418.0)],
)
def test_saturation_pressure(celsius: float, pascal: float) -> None:
    assert moist_air.saturation_pressure(np.float64(celsius + 273.15)) == pytest.approx(pascal, rel=3e-4)


@pytest.mark.parametrize(
    ("T", "T_wb", "p", "W"),  # test_psychrolib_si.py, PsychroLib 2.4.0
    [(30, 25, 95461, 0.0192281274241096), (-1, -5, 95461, 0.00120399819933844)],
)
def test_wet_bulb_of_humidity_ratio(T: float, T_wb: float, p: float, W: float) -> None:
    found = moist_air.humidity_ratio_of_wet_bulb(T + 273.15, np.float64(T_wb + 273.15), p)
    assert found == pytest.approx(W, rel=3e-4)
    assert moist_air.wet_bulb(np.float64(T + 273.15), found, p) == pytest.approx(T_wb + 273.15, abs=1e-9)


def test_wet_bulb_of_relative_humidity() -> None:
    found = moist_air.wet_bulb_of_humidity(np.float64(280.15), 0.61, 100e3)  # PsychroLib 2.4.0
    assert found - 273.15 == pytest.approx(3.92667433781955, abs=1e-3)


def test_saturated_air_has_one_temperature() -> None:
    T = np.linspace(275, 318, 20)
    assert moist_air.wet_bulb_of_humidity(T, 1.0, 101325.0) == pytest.approx(T, abs=1e-9)
    assert moist_air.wet_bulb_of_dew_point(T, T, 101325.0) == pytest.approx(T, abs=1e-9)
    assert moist_air.wet_bulb_of_dew_point(T, T + 1, 101325.0) == pytest.approx(T, abs=1e-9)


def test_drier_air_has_a_lower_wet_bulb() -> None:
    wet = moist_air.wet_bulb_of_humidity(np.float64(308.15), np.linspace(0.01, 1, 50), 101325.0)
    assert np.all(np.diff(wet) > 0)


def test_pressure_at_height() -> None:
    assert moist_air.pressure_at(0.0) == 101325.0
    assert moist_air.pressure_at(1000.0) == pytest.approx(89874, rel=1e-3)  # the same, table 1
