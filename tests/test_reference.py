"""The coupled chain against an independent solution: scipy's stiff solver on the same volumes, in continuous time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.small_plants import CDU, CHILLER, RACK, chain
from twin import model as compiled
from twin.declare import replace
from twin.simulation import settle
from twin.step import step

WATER, PG25 = 4.17e6, 3.99e6


def prepared():
    """The chain at its steady state with the CDU's valve in hand, so that flows stay what they are."""
    model = compiled.compile(chain())
    asked = compiled.inputs(model)
    asked["cdu"] = replace(asked["cdu"], mode=asked["cdu"].mode * 2.0, hand_valve=asked["cdu"].hand_valve * 0.5)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + 0.7)
    start = settle(model, asked)
    asked["chiller"] = replace(asked["chiller"], in_service=asked["chiller"].in_service * 0.0)
    return model, asked, start


def eps_ntu(UA, hot, cold):
    """Textbook counterflow effectiveness times C_min, written apart from the product's."""
    small, large = min(hot, cold), max(hot, cold)
    ntu, ratio = UA / small, small / large
    e = np.exp(-ntu * (1 - ratio))
    return small * (1 - e) / (1 - ratio * e)


def rates(model, start, asked):
    """Flows [m3/s] and pump powers [W] of the steady state, read from its Outputs."""
    out = start.outputs
    q_rack, q_cdu = float(out["rack"].flow[0, 0]), float(out["cdu"].flow[0, 0])
    q_facility = float(out["cdu"].facility_flow_now[0, 0])
    return q_rack, q_cdu, q_facility, float(out["cdu"].power[0, 0]), float(out["pump"].power[0, 0])


def reference(model, asked, start, until):
    """Time [s] for the die to gain 10 K, from scipy (BDF, tight tolerances)."""
    q_rack, q_cdu, q_fac, P_cdu, P_pump = rates(model, start, asked)
    n = RACK["gpu_count"]
    C_die, C_plate = RACK["die_heat_capacity"] * n, RACK["plate_heat_capacity"] * n
    C_rack, C_tech = RACK["coolant_volume"] * PG25, CDU["technology_volume"] * PG25
    C_fac, C_pump, C_chiller, C_tank = 0.3 * WATER, 0.2 * WATER, CHILLER["volume"] * WATER, 8.0 * WATER
    G = n / RACK["die_resistance"]
    W_rack, W_cdu, W_fac = q_rack * PG25, q_cdu * PG25, q_fac * WATER
    film = n / RACK["plate_resistance"] * (q_rack / RACK["nominal_flow"]) ** 0.6
    share = 1 - np.exp(-film / W_rack)
    hot, cold = (q_cdu / CDU["nominal_flow"]) ** 0.8, (q_fac / CDU["facility_flow"]) ** 0.8
    K = eps_ntu(CDU["exchanger_conductance"] * 2 * hot * cold / (hot + cold), W_cdu, W_fac)
    total = RACK["idle_power"] + 0.7 * (RACK["rated_power"] - RACK["idle_power"])
    P_gpu, P_rest = total * RACK["gpu_power_share"], total * (1 - RACK["gpu_power_share"])

    def slope(t, y):
        die, plate, rack, tech, fac, pump, chiller, tank = y
        power = P_gpu * (1 + 0.003 * (die - 343.15))
        to_coolant = share * W_rack * (plate - tech)
        back = rack  # four equal racks mix to one temperature
        over = K * (back - tank)
        return [
            (power - G * (die - plate)) / C_die,
            (P_rest + G * (die - plate) - to_coolant) / C_plate,
            (W_rack * (tech - rack) + to_coolant) / C_rack,
            (W_cdu * (back - tech) - over + P_cdu) / C_tech,
            (W_fac * (tank - fac) + over) / C_fac,
            (W_fac * (fac - pump) + P_pump) / C_pump,
            W_fac * (pump - chiller) / C_chiller,
            W_fac * (chiller - tank) / C_tank,
        ]

    r = start.rows
    rack, cdu = r["rack"], r["cdu"]
    y0 = [
        *(rack.die_temperature, rack.plate_temperature, rack.coolant_temperature),
        *(cdu.supply_temperature, cdu.facility_temperature),
        *(r["pump"].outlet_temperature, r["chiller"].leaving_temperature, r["tank"].temperature),
    ]
    y0 = [float(y[0, 0]) for y in y0]

    def warm(t, y):
        return y[0] - y0[0] - 10.0

    warm.terminal = True
    solved = solve_ivp(slope, (0, until), y0, method="BDF", rtol=1e-9, atol=1e-9, events=warm)
    return float(solved.t_events[0][0]), solved


def time_to_warm(model, asked, start, tick):
    """Time for the die to gain 10 K in the twin, interpolated in the last tick."""
    now, s, before = 0.0, start, float(start.rows["rack"].die_temperature[0, 0])
    first = before
    while True:
        s = step(model, s, asked, now, tick)
        now += tick
        after = float(s.rows["rack"].die_temperature[0, 0])
        if after >= first + 10.0:
            return now - tick * (after - first - 10.0) / (after - before)
        before = after


@pytest.fixture(scope="module")
def case():
    return prepared()


@pytest.mark.parametrize("tick", [1.0, 10.0])
def test_chiller_loss_rides_through_as_long_as_the_reference_says(case, tick):
    model, asked, start = case
    expected, _ = reference(model, asked, start, 3000)
    assert time_to_warm(model, asked, start, tick) == pytest.approx(expected, rel=0.01)


def test_the_coupled_system_is_first_order_in_the_tick_over_four_halvings(case):
    model, asked, start = case
    expected, _ = reference(model, asked, start, 3000)
    errors = [abs(time_to_warm(model, asked, start, tick) - expected) for tick in (16.0, 8.0, 4.0, 2.0, 1.0)]
    orders = [np.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert np.mean(orders) > 0.85, (errors, orders)
    assert all(order > 0.6 for order in orders), (errors, orders)
