"""Plates between two loops, the user of their heat, and pads: direction of heat, effectiveness, setpoints, water."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import ADIABATIC_COOLER, DRY_COOLER, HEAT_EXCHANGER, HEAT_SINK
from twin.equipment.adiabatic_cooler import AdiabaticCooler
from twin.equipment.dry_cooler import DryCooler
from twin.equipment.heat_exchanger import HeatExchanger
from twin.equipment.heat_sink import HeatSink
from twin.physics.thermal import counterflow_effectiveness

WATER = 4.17e6
temperatures = st.floats(280.0, 330.0)
shares = st.floats(0.02, 1.5)


def plates(warm=310.0, cold=295.0, x_warm=1.0, x_cold=1.0, dt=300.0, ticks=8, machine=None, **inputs):
    b = WetBench(HeatExchanger(**(machine or HEAT_EXCHANGER)), **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, {"warm": 0.036 * x_warm, "cold": 0.045 * x_cold}, {"warm": warm, "cold": cold})
    return b, answer


def test_plates_at_nominal_flows_by_hand():
    """NTU = 300/150.12 = 1.9984, c = 0.8: eps 0.6976; 15 K between inlets."""
    b, answer = plates()
    NTU, ratio = 300e3 / (0.036 * WATER), 0.8
    heat = counterflow_effectiveness(NTU, ratio) * 0.036 * WATER * 15.0
    assert b.gives("heat") == pytest.approx(heat, rel=1e-9)
    assert answer.outlet["warm"] == pytest.approx(310.0 - heat / (0.036 * WATER), abs=1e-6)
    assert answer.outlet["cold"] == pytest.approx(295.0 + heat / (0.045 * WATER), abs=1e-6)


def test_its_bypass_holds_the_setpoint():
    b, answer = plates(leaving_setpoint=305.0)
    assert answer.outlet["warm"] == pytest.approx(305.0, abs=1e-9)
    assert b.gives("heat") == pytest.approx(0.036 * WATER * 5.0, rel=1e-9)
    assert b.worst < 1e-11


def test_isolated_it_passes_nothing_and_hands_over_nothing():
    b = WetBench(HeatExchanger(**HEAT_EXCHANGER), isolated=1.0)
    answer = b.tick(1.0, pressure={"warm": 50e3, "cold": 50e3}, inlet={"warm": 310.0, "cold": 290.0})
    assert max(answer.flow.values()) < 1e-6
    assert b.gives("heat") < 300.0


@settings(max_examples=80, deadline=None)
@given(temperatures, temperatures, shares, shares, st.floats(275.0, 320.0), st.sampled_from([1.0, 30.0, 300.0]))
def test_heat_goes_from_warm_to_cold_and_never_past_the_other_side(warm, cold, x_warm, x_cold, setpoint, dt):
    filled = {"leaving_temperature": warm, "cold_temperature": cold}
    ticks = max(10, round(3600 / dt / 20))
    b, answer = plates(warm, cold, x_warm, x_cold, dt, ticks, leaving_setpoint=setpoint, state=filled)
    assert b.gives("heat") >= 0.0
    if warm <= cold:
        assert b.gives("heat") == 0.0
    if dt == 300.0 and warm > cold:
        assert answer.outlet["warm"] >= min(cold, warm) - 1e-6
        assert answer.outlet["cold"] <= max(cold, warm) + 1e-6
    assert b.worst < 1e-10


@settings(max_examples=40, deadline=None)
@given(st.floats(296.0, 330.0), shares, shares, st.floats(0.01, 1.0))
def test_clean_plates_are_never_worse_than_fouled_ones(warm, x_warm, x_cold, fouled):
    clean, dirty = (plates(warm, 295.0, x_warm, x_cold, plates_fouled=x)[0].gives("heat") for x in (0.0, fouled))
    assert dirty <= clean * (1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(st.floats(296.0, 330.0), shares, shares, st.floats(0.1, 1.0))
def test_less_flow_on_either_side_never_hands_over_more(warm, x_warm, x_cold, less):
    most = plates(warm, 295.0, x_warm, x_cold)[0].gives("heat")
    assert plates(warm, 295.0, x_warm * less, x_cold)[0].gives("heat") <= most * (1 + 1e-9)
    assert plates(warm, 295.0, x_warm, x_cold * less)[0].gives("heat") <= most * (1 + 1e-9)


def sink(inlet, dt=300.0, **inputs):
    b = WetBench(HeatSink(**HEAT_SINK), **inputs)
    for _ in range(8):
        answer = b.tick(dt, {"coolant": 0.01}, {"coolant": inlet})
    return b, answer


def test_a_heat_network_cools_to_its_return_or_takes_its_demand():
    b, answer = sink(311.15)
    assert answer.outlet["coolant"] == pytest.approx(308.15, abs=1e-9)
    assert b.gives("heat") == pytest.approx(0.01 * WATER * 3.0, rel=1e-9)
    b, answer = sink(320.15, heat_demand=0.5)
    assert b.gives("heat") == pytest.approx(1e5, rel=1e-9)
    assert b.worst < 1e-11


@settings(max_examples=40, deadline=None)
@given(temperatures, st.floats(280.0, 320.0), st.floats(0.0, 1.0))
def test_a_heat_network_takes_no_more_than_it_wants_and_nothing_from_colder_water(inlet, back, demand):
    b, answer = sink(inlet, leaving_setpoint=back, heat_demand=demand)
    assert 0.0 <= b.gives("heat") <= demand * 2e5 * (1 + 1e-12)
    assert answer.outlet["coolant"] >= min(inlet, back) - 1e-6


def wet(inlet=308.15, air=308.15, wet_bulb=293.15, cls=AdiabaticCooler, ratings=ADIABATIC_COOLER, **inputs):
    b = WetBench(cls(**ratings), **inputs)
    for _ in range(20):
        answer = b.tick(60.0, {"coolant": 0.036}, {"coolant": inlet}, weather=(air, wet_bulb))
    return b, answer


def test_wet_pads_bring_the_air_near_its_wet_bulb_and_evaporate_what_that_takes():
    """35 degC air, 20 degC wet bulb, 85 %: 22.25 degC; 110 m3/s cooled by 12.75 K take 0.69 kg/s of water."""
    b, _ = wet(inlet=320.15)
    assert b.gives("air_temperature") == pytest.approx(308.15 - 0.85 * 15.0, abs=1e-9)
    assert b.gives("evaporated") == pytest.approx(1.2 * 1006 * 110 * 12.75 / (2.454e6 * 998), rel=1e-9)
    assert b.gives("makeup") == pytest.approx(b.gives("evaporated") * 4 / 3, rel=1e-12)
    assert b.is_("water_used") == pytest.approx(20 * 60 * b.gives("makeup"), rel=0.1)


def test_dry_pads_are_a_dry_cooler():
    """Below its limit, and where its water is lost, it is the same machine, and uses no water."""
    dry = wet(320.15, 290.15, cls=DryCooler, ratings=DRY_COOLER)[1]
    cool, _ = wet(320.15, 290.15), None
    assert cool[1].outlet == dry.outlet
    assert cool[0].gives("makeup") == 0.0
    hot = wet(320.15, cls=DryCooler, ratings=DRY_COOLER)[1]
    lost = wet(320.15, water_lost=1.0)
    assert lost[1].outlet == hot.outlet
    assert lost[0].gives("makeup") == 0.0


@settings(max_examples=60, deadline=None)
@given(st.floats(285.0, 330.0), st.floats(265.0, 318.0), st.floats(0.0, 20.0), st.floats(280.0, 310.0))
def test_water_leaves_no_colder_than_the_wet_bulb_and_wet_pads_never_harm(inlet, air, depression, setpoint):
    b, answer = wet(inlet, air, air - depression, leaving_setpoint=setpoint)
    dry = wet(inlet, air, air - depression, DryCooler, DRY_COOLER, leaving_setpoint=setpoint)[1]
    assert answer.outlet["coolant"] >= min(inlet, air - depression) - 1e-6
    assert answer.outlet["coolant"] <= dry.outlet["coolant"] + 1e-6
    assert air - depression - 1e-9 <= b.gives("air_temperature") <= air
    assert b.worst < 1e-11
