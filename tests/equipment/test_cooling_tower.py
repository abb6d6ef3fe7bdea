"""Cooling tower: its nominal point, fans that slow down to the setpoint, its water, failures, the second law."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench, outage

from tests.small_plants import COOLING_TOWER, wet_chain
from twin import model as compiled
from twin.declare import MODES, replace
from twin.equipment.cooling_tower import CORRELATIONS, CoolingTower
from twin.physics import tower
from twin.plant_checks import every_fault
from twin.scenario.catalog import records
from twin.simulation import settle
from twin.step import step

WATER = 4.17e6
FLOW = 0.036
NOMINAL_IN = 298.71 + 3.9 + 5.55
both = pytest.mark.parametrize("law", list(CORRELATIONS.values()), ids=list(CORRELATIONS))


def unit(**more):
    return CoolingTower(**{**COOLING_TOWER, **more})


def cooling(ticks=40, dt=120.0, inlet=NOMINAL_IN, wet=298.71, flow=FLOW, shape=(1, 1), made=None, **inputs):
    b = WetBench(made or unit(), shape, **{"leaving_setpoint": 280.0, **inputs})
    for _ in range(ticks):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet}, weather=(wet + 6, wet))
    return b, answer


@both
@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_its_nominal_point(law, shape):
    b, answer = cooling(made=unit(correlation=law), shape=shape)
    assert answer.outlet["coolant"] == pytest.approx(298.71 + 3.9, abs=0.01)
    assert b.gives("heat") == pytest.approx(FLOW * WATER * 5.55, rel=2e-3)
    assert answer.power == pytest.approx(8e3)
    assert b.worst < 1e-11


def test_the_catalogues_tower_at_95_85_78_fahrenheit():
    (record,) = (each for each in records() if each.name == "cooling-tower-2900kw")
    made = CoolingTower(**record.parameters)
    b, answer = cooling(inlet=308.15, wet=298.71, flow=0.126, made=made)
    assert answer.outlet["coolant"] == pytest.approx(273.15 + 29.44, abs=0.02)
    assert b.gives("heat") == pytest.approx(2918e3, rel=0.005)
    assert 4.0 / (b.gives("evaporated") + 5e-5 * 0.126) == pytest.approx(3600.0, rel=0.1)


@both
@pytest.mark.parametrize(("inlet", "wet", "flow"), [(297, 288, 1.0), (300, 288, 0.6), (304, 285, 0.3), (297, 293, 0.3)])
def test_in_the_cold_its_fans_slow_down_to_hold_the_setpoint(law, inlet, wet, flow):
    """At the speed it found, the law of the fill takes just the heat it took, within 1 %."""
    b, answer = cooling(inlet=inlet, wet=wet, flow=flow * FLOW, leaving_setpoint=295.15, made=unit(correlation=law))
    assert answer.outlet["coolant"] == pytest.approx(295.15, abs=1e-6)
    speed = b.gives("fan_speed")
    assert 0.1 < speed < 1.0
    share = b.unit.contact(speed, float(inlet), float(wet), flow * FLOW, flow * FLOW * WATER).share
    assert float(share) * (inlet - wet) == pytest.approx(inlet - 295.15, rel=0.01)
    assert answer.power == pytest.approx(8e3 * float(tower.fan_power_share(speed)), rel=1e-12)


def test_below_free_convection_its_fans_stand_and_the_bypass_holds_the_setpoint():
    b, answer = cooling(inlet=296.0, wet=270.0, leaving_setpoint=295.15)
    assert (b.gives("fan_speed"), answer.power) == (0.0, 0.0)
    assert answer.outlet["coolant"] == pytest.approx(295.15, abs=1e-6)
    assert b.gives("evaporated") > 0


def test_with_fans_standing_a_tenth_of_the_air_is_left():
    b, answer = cooling(fan_failed=1.0)
    free = b.unit.contact(0.1, NOMINAL_IN, 298.71, FLOW, FLOW * WATER).share
    assert answer.power == 0.0
    assert b.gives("heat") == pytest.approx(FLOW * WATER * float(free) * 9.45, rel=1e-6)
    assert 0.1 < b.gives("heat") / (FLOW * WATER * 5.55) < 0.3
    assert b.is_("stopped") == 1


def test_a_fouled_fill_cools_less():
    clean, fouled = cooling()[0], cooling(fill_fouled=1.0)[0]
    assert 0.75 < fouled.gives("heat") / clean.gives("heat") < 0.95


@pytest.mark.parametrize(("inlet", "wet"), [(290.0, 280.0), (300.0, 300.0), (300.0, 303.0)])
def test_with_nothing_to_gain_it_stands_still(inlet, wet):
    b, answer = cooling(inlet=inlet, wet=wet, leaving_setpoint=295.15)
    assert (b.gives("heat"), answer.power, b.gives("evaporated")) == (0, 0, 0)
    assert answer.outlet["coolant"] == pytest.approx(inlet, abs=1e-6)


# Water


def test_make_up_is_evaporation_drift_and_blow_down():
    """At 4 cycles a third of the evaporation is blown down, drift included."""
    b, _ = cooling()
    evaporated = b.gives("evaporated")
    assert 0.75 < evaporated * 1e3 * 2.43e6 / b.gives("heat") < 1.0
    assert b.gives("makeup") == pytest.approx(evaporated * 4 / 3, rel=1e-9)
    few = cooling(made=unit(concentration=20.0))[0]
    assert few.gives("makeup") == pytest.approx(evaporated * 20 / 19, rel=1e-9)
    assert b.is_("water_used") == pytest.approx(40 * 120 * b.gives("makeup"), rel=0.02)
    assert b.is_("reserve") == pytest.approx(2.0)


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0])
def test_without_make_up_the_basin_runs_dry_when_it_should(dt):
    b, _ = cooling()
    used = b.gives("evaporated") + 5e-5 * FLOW
    b.set(makeup_lost=1.0)
    begun, due = b.now, 2.0 / used
    while not b.is_("dry"):
        b.tick(dt, {"coolant": FLOW}, {"coolant": NOMINAL_IN}, weather=(304.71, 298.71))
        assert b.now - begun < 2 * due
    assert b.is_("dry_at") - begun == pytest.approx(due, abs=1e-3 * due)
    assert b.unit.branch(b.state, b.inputs, None, "coolant").laminar > 1e9
    b.set(makeup_lost=0.0)
    b.tick(dt, {"coolant": 0.0}, {"coolant": NOMINAL_IN})
    assert b.is_("dry") == 0
    for _ in range(int(900 / dt)):
        b.tick(dt, {"coolant": 0.0}, {"coolant": NOMINAL_IN})
    assert b.is_("reserve") == pytest.approx(2.0)


def test_a_tower_too_small_for_its_nominal_point_is_named():
    plant = wet_chain()
    plant.units["tower-1"].parameters["air_flow"] = 2.0
    (fault,) = (each for each in every_fault(plant) if not each.warning)
    assert str(fault).endswith(
        "tower-1: its air cannot carry the heat of its nominal point; more air_flow, "
        "or a larger nominal_approach, is wanted"
    )


# Supply


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_an_outage_within_ticks_is_told_at_its_moments(dt):
    b, _ = cooling(5, dt)
    begun, stopped_at = b.now, None
    for _ in outage(b, dt, 2.4, 4.7, 60.0, flow={"coolant": FLOW}, inlet={"coolant": 313.15}):
        stopped_at = b.is_("stopped_at") - begun if b.is_("stopped") else stopped_at
    assert stopped_at == pytest.approx(2.4, abs=1e-9)
    assert b.is_("stopped_at") - begun == pytest.approx(4.7 + 30.0, abs=1e-6)


@pytest.mark.parametrize(("mode", "turns"), [("auto", 1), ("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(mode, turns):
    b, answer = cooling(mode=MODES[mode])
    assert (answer.power > 0) is bool(turns)
    assert b.is_("stopped") == 1 - turns


# In a loop


def loop(dt, seconds, start_wet=285.15, wet=295.65):
    """Leaving water [K] and fan speed of a hall's towers after the wet bulb rose."""
    model = compiled.compile(wet_chain())
    asked = compiled.inputs(model)
    asked["site"] = replace(asked["site"], wet_bulb=asked["site"].wet_bulb * 0 + start_wet)
    s = settle(model, asked)
    asked["site"] = replace(asked["site"], wet_bulb=asked["site"].wet_bulb * 0 + wet)
    told = []
    for tick in range(round(seconds / dt)):
        s = step(model, s, asked, tick * dt, dt)
        told.append((s.rows["cooling_tower"].leaving_temperature[0].copy(), s.outputs["cooling_tower"].fan_speed[0]))
    T, speed = (np.array(list(each)) for each in zip(*told, strict=True))
    return T, speed, s


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
def test_a_loop_finds_its_new_balance_without_swinging(dt):
    """Wet bulb above the setpoint: fans at full speed, water climbs and stays; any tick ends within 2 mK of another.

    York's polynomial answers no approach below 1.1 K, so that the tower by York stays warmer.
    """
    T, speed, s = loop(dt, 3600.0)
    assert np.all(np.diff(T, axis=0) > -2e-3)
    assert np.all(speed[-1] == 1.0)
    assert T[-1] == pytest.approx([295.9677, 296.7318], abs=2e-3)
    assert float(s.outputs["site"].energy_residual.max()) < 1e-11


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
def test_a_setpoint_is_held_without_swinging(dt):
    T, speed, _ = loop(dt, 3600.0, wet=288.15)
    assert pytest.approx(295.15, abs=1e-3) == T
    assert np.ptp(speed[len(speed) // 2 :], axis=0).max() < 1e-3


CONDITIONS = (st.floats(275.0, 335.0), st.floats(255.0, 308.0), st.floats(0.0, 1.5), st.floats(278.0, 315.0))


@both
@settings(max_examples=60, deadline=None)
@given(*CONDITIONS, st.sampled_from([0.1, 1.0, 60.0, 300.0]))
def test_heat_flows_from_warm_water_to_wet_air_only(law, inlet, wet, flow, setpoint, dt):
    state = {"inlet_temperature": inlet, "leaving_temperature": inlet}
    b = WetBench(unit(correlation=law), state=state, leaving_setpoint=setpoint)
    answer = b.tick(dt, {"coolant": flow * FLOW}, {"coolant": inlet}, weather=(wet + 8, wet))
    assert b.gives("heat") >= 0
    if inlet <= wet:
        assert b.gives("heat") == 0
    assert answer.outlet["coolant"] >= min(wet, inlet) - 1e-9
    assert answer.power >= 0
    assert b.gives("evaporated") >= 0
    assert b.worst < 1e-11
