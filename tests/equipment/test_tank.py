"""Tank: a stirred volume by its closed form, two layers by displacement, and the moment it is exhausted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from wet_bench import WetBench

from tests.small_plants import CHILLER, PUMP, RACK, add, branch
from twin import model as compiled
from twin.declare import replace
from twin.equipment.tank import Tank
from twin.plant import Loop, Plant
from twin.simulation import settle
from twin.step import step

WATER = 4.17e6


def unit(**more):
    return Tank(**{"volume": 8.0, "useful_temperature": 298.15, **more})


@pytest.mark.parametrize("dt", [0.1, 1.0, 10.0, 300.0])
@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_it_warms_as_a_stirred_volume_does(dt, shape):
    """T = T_in + (T0 - T_in) e^(-q t/V), whatever the tick."""
    b = WetBench(unit(), shape, state={"temperature": 291.15})
    for _ in range(round(600 / dt)):
        b.tick(dt, {"coolant": 0.036}, {"coolant": 303.15})
    expected = 303.15 - 12.0 * math.exp(-0.036 * 600 / 8.0)
    assert b.is_("temperature") == pytest.approx(expected, rel=1e-12)
    assert b.worst < 1e-12


def test_a_tank_of_7_2_cubic_metres_takes_a_megawatt_for_five_minutes_over_ten_kelvin():
    """Energy, not outlet: V rho cp 10 K = 300 MJ (within 0.1 %)."""
    tank = unit(volume=7.2)
    b = WetBench(tank)
    port = b.ports(1.0)
    cold = tank.stored(b.state, port)
    b.put(temperature=b.is_("temperature") + 10.0)
    assert float((tank.stored(b.state, port) - cold)[0, 0]) == pytest.approx(3e8, rel=1.1e-3)


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_it_is_exhausted_at_the_moment_it_passes_its_limit(dt):
    """ln(12/5) V/q seconds; the straight line within a tick is good to (dt/tau)^2."""
    b = WetBench(unit(volume=0.8), state={"temperature": 291.15})
    while not b.is_("exhausted"):
        b.tick(dt, {"coolant": 0.036}, {"coolant": 303.15})
    tau = 0.8 / 0.036
    warm = b.is_("exhausted_at")
    assert warm == pytest.approx(tau * math.log(12.0 / 5.0), abs=0.2 * dt * dt / tau)
    while b.is_("exhausted"):
        b.tick(dt, {"coolant": 0.036}, {"coolant": 290.15})
    assert b.now - dt <= b.is_("exhausted_at") <= b.now
    assert b.is_("exhausted_at") > warm


def test_without_flow_it_keeps_its_cold():
    b = WetBench(unit(), state={"temperature": 285.0})
    b.tick(3600.0, {"coolant": 0.0}, {"coolant": 330.0})
    assert b.is_("temperature") == 285.0
    assert b.gives("heat") == 0.0


def five_minutes(share: float) -> Plant:
    """Racks of constant power, a pump, a small chiller, and a tank for 300 s of the flow that goes round."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "board", "bus", ("utility",))
    steady = {**RACK, "air_fraction": 0.0, "leakage": 0.0, "nominal_flow": 194 / 60e3, "nominal_pressure_drop": 240e3}
    for i in range(1, 5):
        add(plant, f"rack-{i}", "rack", ("board",), **steady)
    add(plant, "pump", "pump", ("board",), **{**PUMP, "nominal_flow": 0.013, "volume": 0.05})
    ratings = {**CHILLER, "nominal_flow": 0.013, "volume": 0.05}
    add(plant, "chiller", "chiller", ("board",), **ratings)
    tank = {"stratified": float(share > 0), "mixing_share": share}
    add(plant, "tank", "tank", volume=300 * FLOW, useful_temperature=296, **tank)
    racks = [branch(f"rack-{i}") for i in range(1, 5)]
    plant.add_loop(Loop("facility", "water", [branch("pump", "chiller")], racks, "tank"))
    return plant


FLOW = 0.01296
"""What goes round in `five_minutes` [m3/s]; a test holds it."""


def tripped(share, dt, seconds=600.0):
    """Supply temperature [K] at the end of each tick after the chiller's trip, load [W], flow [m3/s], start [K]."""
    model = compiled.compile(five_minutes(share))
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + 1.0)
    s = settle(model, asked)
    start = s.rows["tank"].temperature[0, 0]
    asked["chiller"] = replace(asked["chiller"], in_service=asked["chiller"].in_service * 0.0)
    found, worst = [], 0.0
    for k in range(round(seconds / dt)):
        s = step(model, s, asked, k * dt, dt)
        found.append(s.rows["tank"].temperature[0, 0])
        worst = max(worst, float(s.outputs["site"].energy_residual[0, 0]))
    assert worst < 1e-11
    load = s.outputs["rack"].power.sum() + s.outputs["pump"].power.sum()
    flow = 4 * s.outputs["rack"].flow[0, 0]
    return np.array(found), load, flow, start, s


@pytest.mark.parametrize("dt", [1.0, 10.0])
def test_a_mixed_tank_warms_from_second_zero_by_load_over_capacity(dt):
    """dT/dt = P/C with all that warms in C (the tank is 86 % of it), within 3 %."""
    T, load, flow, start, _ = tripped(0.0, dt)
    assert flow == pytest.approx(FLOW, rel=1e-3)
    others = 4 * 0.02 + 0.05 + 0.05
    metal = 4 * RACK["gpu_count"] * (RACK["die_heat_capacity"] + RACK["plate_heat_capacity"])
    C = (300 * FLOW + others) * WATER + metal
    late = round(60 / dt)
    slope = (T[-1] - T[late - 1]) / (600.0 - 60.0)
    assert slope == pytest.approx(load / C, rel=0.03)
    assert T[round(60 / dt) - 1] - start > 0.5 * 60 * slope, "it warms at once"
    assert load * 300 / (300 * FLOW * WATER) == pytest.approx(10.1, rel=0.01), "300 s of load at 10 K"


@pytest.mark.parametrize("dt", [1.0, 10.0])
@pytest.mark.parametrize("share", [0.05, 0.10, 0.15])
def test_a_stratified_tank_holds_all_but_its_mixing_share_of_300_s(share, dt):
    """Cold until (1 - s) V/q, which is 85 to 95 % of 300 s, within 3 %; then it is warm at once."""
    T, load, flow, start, s = tripped(share, dt)
    held = s.rows["tank"].exhausted_at[0, 0]
    assert held == pytest.approx((1 - share) * 300.0 * FLOW / flow, rel=0.03)
    assert 0.84 * 300 < held < 0.97 * 300
    before, after = T[round(held / dt) - 2], T[round(held / dt) + 1]
    assert before - start < 1.05, "no layer begins below a kelvin"
    assert after - before > 0.8 * load / (flow * WATER)


def test_ten_times_the_tick_moves_the_end_of_the_cold_layer_by_less_than_a_tick():
    ends = [tripped(0.1, dt, 300.0)[4].rows["tank"].exhausted_at[0, 0] for dt in (1.0, 10.0)]
    assert ends[0] == pytest.approx(ends[1], abs=2.0)


def test_a_stratified_tank_stands_still_fills_again_and_has_no_nan():
    """No flow, a trip, cold water back, warm water again: its books close and its layers lie in order."""
    b = WetBench(unit(stratified=1.0), state={"temperature": 291.0, "warm_temperature": 291.0})
    ticks = ((0.0, 330.0), (0.03, 303.0), (1e-9, 280.0), (0.03, 290.0), (0.0, 310.0), (0.3, 288.0), (9.0, 320.0))
    for flow, T in ticks:
        for dt in (0.001, 1.0, 60.0):
            b.tick(dt, {"coolant": flow}, {"coolant": T})
            assert np.isfinite([b.is_("temperature"), b.is_("warm_temperature"), b.is_("cold_share")]).all()
            assert b.is_("temperature") <= b.is_("warm_temperature") + 1e-9
    assert b.worst < 1e-11


def test_cold_water_after_the_trip_is_delivered_at_once_and_the_warm_layer_goes_slowly():
    b = WetBench(unit(stratified=1.0, volume=3.0), state={"temperature": 291.0, "warm_temperature": 291.0})
    for _ in range(120):
        b.tick(1.0, {"coolant": 0.03}, {"coolant": 303.0})
    assert b.is_("cold_share") == 0.0
    b.tick(1.0, {"coolant": 0.03}, {"coolant": 291.0})
    assert b.is_("temperature") == pytest.approx(0.7 * 291.0 + 0.3 * b.is_("warm_temperature"), abs=0.1)
    for _ in range(260):
        b.tick(1.0, {"coolant": 0.03}, {"coolant": 291.0})
    assert (b.is_("cold_share"), b.is_("exhausted")) == (1.0, 0.0)
    assert b.worst < 1e-11


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_layers_in_plain_numbers(shape):
    b = WetBench(unit(stratified=1.0), shape, state={"temperature": 291.0, "warm_temperature": 291.0})
    b.tick(10.0, {"coolant": 0.036}, {"coolant": 303.0})
    b.tick(10.0, {"coolant": 0.036}, {"coolant": 303.0})
    assert b.is_("cold_share") == pytest.approx(1.0 - 2 * 0.36 / 8.0 / 0.9, rel=1e-12)
