"""Ride-through: what is left without technology flow, and without facility water, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from tests.small_plants import CDU, RACK, chain
from twin import model as compiled
from twin.assets import scenarios_folder
from twin.declare import replace
from twin.scenario import read_plant
from twin.simulation import settle
from twin.step import step

PG25, WATER = 3.99e6, 4.17e6
N = RACK["gpu_count"]


def every(asked, kind, **values):
    """Inputs with some of a kind's set for all of its units."""
    changed = {name: getattr(asked[kind], name) * 0.0 + value for name, value in values.items()}
    return asked | {kind: replace(asked[kind], **changed)}


@pytest.fixture(scope="module")
def pod():
    return compiled.compile(read_plant(scenarios_folder() / "plants" / "pod.yaml"))


@pytest.mark.parametrize("tick", [1.0, 0.25])
def test_without_technology_flow_racks_throttle_within_4_to_22_s_by_supply_temperature(pod, tick):
    """All CDU pumps lost at full work: later the colder the supply; shut down within a minute."""
    found = []
    for supply in (25.0, 35.0, 45.0):
        asked = every(every(compiled.inputs(pod), "rack", utilisation=1.0), "cdu", supply_setpoint=273.15 + supply)
        s = settle(pod, asked)
        lost = every(asked, "cdu", duty_pump_failed=1.0, standby_pump_failed=1.0)
        for k in range(round(30 / tick)):
            s = step(pod, s, lost, k * tick, tick)
        row = s.rows["rack"]
        assert row.shut_down.all()
        assert row.shut_down_at.max() < 60.0
        found.append(float(row.throttled_at.min()))
    assert 4.0 <= found[2] < found[1] < found[0] <= 22.0
    assert found == pytest.approx([16.5, 12.6, 7.9], abs=0.3)


def test_a_rack_whose_couplings_shut_warms_as_two_masses_without_cooling():
    """Dies and plates as x' = A x + b with no way out, by the matrix exponential; to 0.02 K after each second."""
    plant = chain()
    for i in range(1, 5):
        plant.units[f"rack-{i}"].parameters["leakage"] = 0.0
    model = compiled.compile(plant)
    asked = every(compiled.inputs(model), "rack", utilisation=0.8)
    s = settle(model, asked)
    die, plate = s.rows["rack"].die_temperature[0, 0], s.rows["rack"].plate_temperature[0, 0]
    total = RACK["idle_power"] + 0.8 * (RACK["rated_power"] - RACK["idle_power"])
    C_die, C_plate, G = N * 150.0, N * 450.0, N / 0.010
    P_die, P_plate = 0.72 * total, 0.28 * total
    A = np.array([[-G / C_die, G / C_die, P_die / C_die], [G / C_plate, -G / C_plate, P_plate / C_plate], [0, 0, 0]])
    isolated = every(asked, "rack", isolated=1.0)
    for k in range(6):
        s = step(model, s, isolated, float(k), 1.0)
        expected = expm(A * (k + 1.0)) @ np.array([die, plate, 1.0])
        assert s.rows["rack"].die_temperature[0, 0] == pytest.approx(expected[0], abs=0.02)


@pytest.mark.parametrize("tick", [1.0, 10.0])
@pytest.mark.parametrize(("litres", "seconds"), [(0.4, 16.0), (1.0, 40.0), (5.0, 200.0)])
def test_without_facility_water_coolant_gains_ten_kelvin_in_seconds_to_minutes_by_volume(litres, seconds, tick):
    """10 K in V rho cp 10 K/P: 16, 40, 200 s at 0.4, 1 and 5 L/kW; racks' coolant and metal add theirs."""
    plant = chain()
    power = 4 * RACK["rated_power"]
    volume = litres * 1e-6 * power
    plant.units["cdu"].parameters |= {"technology_volume": volume, "facility_volume": 0.05}
    for i in range(1, 5):
        plant.units[f"rack-{i}"].parameters |= {"leakage": 0.0, "coolant_volume": 0.005}
    model = compiled.compile(plant)
    asked = every(every(compiled.inputs(model), "rack", utilisation=1.0), "cdu", supply_setpoint=298.15)
    s = settle(model, asked)
    asked = every(asked, "pump", in_service=0.0)
    supply = []
    for k in range(round(2.0 * seconds / tick) + 15):
        s = step(model, s, asked, k * tick, tick)
        supply.append(s.rows["cdu"].supply_temperature[0, 0])
        if s.rows["rack"].throttled.any():
            break
    C = (volume + 4 * 0.005) * PG25 + 4 * N * (150 + 450)
    expected = (power + s.outputs["cdu"].power[0, 0]) / C
    assert 10.0 / expected == pytest.approx(seconds, rel=0.3), "coolant alone, as the rule of thumb has it"
    rising = [k for k, T in enumerate(supply[:-1]) if T > 298.15 + 3.0]
    assert len(rising) >= 2
    slope = (supply[rising[-1]] - supply[rising[0]]) / ((rising[-1] - rising[0]) * tick)
    assert slope == pytest.approx(expected, rel=0.03)


def test_halving_the_tick_moves_the_throttling_without_flow_by_less_than_a_tick(pod):
    asked = every(compiled.inputs(pod), "rack", utilisation=1.0)
    start = settle(pod, asked)
    lost = every(asked, "cdu", duty_pump_failed=1.0, standby_pump_failed=1.0)
    moments = {}
    for tick in (2.0, 1.0, 0.5):
        s = start
        for k in range(round(20 / tick)):
            s = step(pod, s, lost, k * tick, tick)
        row = s.rows["rack"]
        moments[tick] = [float(at.min()) for at in (row.throttled_at, row.slowed_at, row.shut_down_at)]
    for tick in (2.0, 1.0):
        assert moments[tick] == pytest.approx(moments[tick / 2], abs=tick)


def test_the_chain_of_the_tests_is_one_of_published_size():
    assert CDU["technology_volume"] / (4 * RACK["rated_power"]) == pytest.approx(1.85e-6, rel=0.01)
