"""Fluids: the tables against CoolProp and handbook values, smooth interpolation, what loops reckon with; moist air."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

from twin.assets import assets_folder
from twin.physics import moist_air
from twin.physics.fluids import HEAT_CAPACITY, properties

every_fluid = pytest.mark.parametrize("fluid", list(HEAT_CAPACITY))
NAMES = {"water": "Water", "pg25": "INCOMP::MPG[0.25]", "pg55": "INCOMP::MPG[0.55]", "eg25": "INCOMP::MEG[0.25]"}


def test_water_at_handbook_points():
    """IAPWS: 20 degC 998.2 kg/m3, 4.184 kJ/(kg K), 1.002 mPa s, 0.598 W/(m K); 60 degC 983.2, 4.185, 0.466, 0.651."""
    cold, warm = properties("water", 293.15), properties("water", 333.15)
    assert cold == pytest.approx((998.2, 4184, 1.002e-3, 0.598), rel=2e-3)
    assert warm == pytest.approx((983.2, 4185, 0.466e-3, 0.651), rel=3e-3)


def test_pg25_against_published_ranges():
    """At 40 degC: cp near 3.92 kJ/(kg K), k 0.48 to 0.50, viscosity 1.39 to 1.58 mPa s by the makers' two editions."""
    found = properties("pg25", 313.15)
    assert found.specific_heat == pytest.approx(3.92e3, rel=0.02)
    assert 0.47 < found.conductivity < 0.51
    assert found.viscosity == pytest.approx(1.39e-3, rel=0.05)


@every_fluid
def test_between_the_table_s_points_it_is_coolprop(fluid):
    props = pytest.importorskip("CoolProp.CoolProp", reason="CoolProp is not installed").PropsSI
    T = np.linspace(274.0, 373.0, 200)
    found = properties(fluid, T)
    for code, mine, limit in zip("DCVL", found, (1e-5, 2e-4, 2e-3, 2e-4), strict=True):
        exact = [props(code, "T", each, "P", 3e5, NAMES[fluid]) for each in T]
        assert mine == pytest.approx(exact, rel=limit), code


@every_fluid
def test_the_tables_are_what_their_script_makes(fluid):
    coolprop = pytest.importorskip("CoolProp", reason="CoolProp is not installed")
    folder = assets_folder() / "fluids"
    text = (folder / f"{fluid}.csv").read_text(encoding="utf-8")
    if f"CoolProp {coolprop.__version__} " not in text:
        pytest.skip("the tables are of another version of CoolProp")
    assert runpy.run_path(str(folder / "make.py"))["made"](fluid) == text


@every_fluid
def test_values_and_slopes_have_no_steps(fluid):
    T = np.linspace(268.15, 378.15, 20001)
    for values in properties(fluid, T):
        inside = (T > 273.2) & (T < 373.1)
        slope = np.diff(values)[inside[1:]]
        assert np.abs(np.diff(slope)).max() < 2e-3 * np.abs(slope).max()
        assert np.all(np.isfinite(values))
        assert np.all(values > 0)


@every_fluid
def test_loops_reckon_with_one_heat_capacity_within_2_percent(fluid):
    T = np.linspace(288.15, 338.15, 51)
    assert properties(fluid, T).heat_capacity == pytest.approx(HEAT_CAPACITY[fluid], rel=0.02)


def test_scalars_and_arrays_agree():
    T = np.array([[280.0, 300.0], [320.0, 340.0]])
    found = properties("pg25", T)
    assert found.density.shape == (2, 2)
    assert properties("pg25", 320.0).density == found.density[1, 0]


@pytest.mark.parametrize(("t", "phi"), [(20.0, 0.5), (30.0, 0.4), (35.0, 0.2), (10.0, 0.9), (45.0, 0.1)])
def test_wet_bulbs_against_coolprop_s_humid_air(t, phi):
    """CoolProp's wet bulb of real moist air (ASHRAE RP-1485): within 0.05 K."""
    humid = pytest.importorskip("CoolProp.HumidAirProp", reason="CoolProp is not installed").HAPropsSI
    T = t + 273.15
    exact = humid("Twb", "T", T, "R", phi, "P", 101325.0)
    assert moist_air.wet_bulb_of_humidity(T, phi, 101325.0) == pytest.approx(exact, abs=0.05)
    exact = humid("W", "T", T, "R", phi, "P", 101325.0)
    W = moist_air.humidity_ratio(phi * moist_air.saturation_pressure(T), 101325.0)
    assert pytest.approx(exact, rel=6e-3) == W
