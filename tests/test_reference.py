"""The coupled chain against an independent solution: scipy's stiff solver on the same volumes, in continuous time.

Once with the CDU's valve in hand and once with its controller on.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.small_plants import CDU, CHILLER, PUMP, RACK, chain
from twin import model as compiled
from twin.declare import replace
from twin.simulation import settle
from twin.step import step

WATER, PG25 = 4.17e6, 3.99e6
LOAD, SETPOINT = 0.7, 313.15
GAIN, RESET, STROKE = 0.05, 30.0, 30.0
"""Of the CDU's controller and valve, as the kind has them where a plant is silent."""
AT_ONCE = 0.05
"""Seconds in which the reference's valve is where it is asked to be, if its drive lets it."""


def prepared(tank_volume=8.0, by_hand=True):
    """The chain at its steady state, and what is asked of it from then on: the chiller is lost."""
    model = compiled.compile(chain(tank_volume))
    asked = compiled.inputs(model)
    if by_hand:
        asked["cdu"] = replace(asked["cdu"], mode=asked["cdu"].mode * 2.0, hand_valve=asked["cdu"].hand_valve * 0.5)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + LOAD)
    start = settle(model, asked)
    asked["chiller"] = replace(asked["chiller"], in_service=asked["chiller"].in_service * 0.0)
    return model, asked, start


def eps_ntu(UA, hot, cold):
    """Textbook counterflow effectiveness times C_min, written apart from the product's."""
    small, large = min(hot, cold), max(hot, cold)
    ntu, ratio = UA / small, small / large
    e = np.exp(-ntu * (1 - ratio))
    return small * (1 - e) / (1 - ratio * e)


def facility(valve):
    """Flow of the facility water [m3/s] and power of its pump [W] with the CDU's valve at an opening.

    One circuit: the pump's curve against chiller, plates and valve, each a q + b q^2; a linear valve has half of the
    open circuit's loss.
    """
    a, b, q_n = 0.0, 0.0, PUMP["nominal_flow"]
    for lost, q, linear, factor in (
        (PUMP["shutoff_head"] - PUMP["nominal_head"], q_n, 0.02, 1.0),
        (CHILLER["nominal_pressure_drop"], CHILLER["nominal_flow"], 0.1, 1.0),
        (CDU["facility_pressure_drop"], CDU["facility_flow"], 0.1, 0.5 + 0.5 / valve**2),
    ):
        a, b = a + factor * linear * lost / q, b + factor * (1 - linear) * lost / q**2
    q = (np.sqrt(a * a + 4 * b * PUMP["shutoff_head"]) - a) / (2 * b)
    return q, q_n * PUMP["nominal_head"] / PUMP["efficiency"] * (0.4 + 0.6 * q / q_n)


def slopes(start, tank_volume):
    """How fast die, plate, rack, technology, facility, pump, chiller and tank warm [K/s], by temperatures and valve."""
    out = start.outputs
    q_rack, q_cdu, P_cdu = (float(each[0, 0]) for each in (out["rack"].flow, out["cdu"].flow, out["cdu"].power))
    n = RACK["gpu_count"]
    C_die, C_plate = RACK["die_heat_capacity"] * n, RACK["plate_heat_capacity"] * n
    C_rack, C_tech = RACK["coolant_volume"] * PG25, CDU["technology_volume"] * PG25
    C_fac, C_pump, C_chiller, C_tank = (v * WATER for v in (0.3, 0.2, CHILLER["volume"], tank_volume))
    G = n / RACK["die_resistance"]
    W_rack, W_cdu = q_rack * PG25, q_cdu * PG25
    film = n / RACK["plate_resistance"] * (q_rack / RACK["nominal_flow"]) ** 0.6
    share = 1 - np.exp(-film / W_rack)
    hot = (q_cdu / CDU["nominal_flow"]) ** 0.8
    total = RACK["idle_power"] + LOAD * (RACK["rated_power"] - RACK["idle_power"])
    P_gpu, P_rest = total * RACK["gpu_power_share"], total * (1 - RACK["gpu_power_share"])
    P_idle = RACK["idle_power"] * RACK["gpu_power_share"]

    def slope(y, valve):
        die, plate, rack, tech, fac, pump, chiller, tank = y
        q_fac, P_pump = facility(valve)
        W_fac, cold = q_fac * WATER, (q_fac / CDU["facility_flow"]) ** 0.8
        K = eps_ntu(CDU["exchanger_conductance"] * 2 * hot * cold / (hot + cold), W_cdu, W_fac)
        power = P_idle + (P_gpu - P_idle) * (1 + 0.003 * (die - 343.15))
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

    return slope


def temperatures(s):
    """The eight of `slopes` [K]."""
    r = s.rows
    rack, cdu = r["rack"], r["cdu"]
    found = [
        *(rack.die_temperature, rack.plate_temperature, rack.coolant_temperature),
        *(cdu.supply_temperature, cdu.facility_temperature),
        *(r["pump"].outlet_temperature, r["chiller"].leaving_temperature, r["tank"].temperature),
    ]
    return [float(y[0, 0]) for y in found]


def reference(start, until):
    """Time [s] for the die to gain 10 K with the valve at 0.5, from scipy (BDF, tight tolerances)."""
    slope, y0 = slopes(start, 8.0), temperatures(start)

    def warm(t, y):
        return y[0] - y0[0] - 10.0

    warm.terminal = True
    solved = solve_ivp(lambda t, y: slope(y, 0.5), (0, until), y0, method="BDF", rtol=1e-9, atol=1e-9, events=warm)
    return float(solved.t_events[0][0])


def controlled_reference(start, tank_volume, until):
    """When the valve is wide open, the supply 5 K and the die 10 K too warm [s], with the controller on; from scipy.

    y = clip(I + Kp e),   dI/dt = Kp e/Ti within the limits, else I = y - Kp e;   |dv/dt| <= 1/stroke
    """
    slope = slopes(start, tank_volume)
    cdu = start.rows["cdu"]
    y0 = [*temperatures(start), float(cdu.valve[0, 0]), float(cdu.integral[0, 0])]

    def rates(t, y):
        valve, integral, error = y[8], y[9], y[3] - SETPOINT
        wanted = integral + GAIN * error
        asked = min(max(wanted, 0.0), 1.0)
        moves = min(max((asked - valve) / AT_ONCE, -1 / STROKE), 1 / STROKE)
        return [*slope(y[:8], valve), moves, GAIN * error / RESET - (wanted - asked) / AT_ONCE]

    def wide(t, y):
        return y[8] - 0.995

    def supply(t, y):
        return y[3] - SETPOINT - 5.0

    def warm(t, y):
        return y[0] - y0[0] - 10.0

    warm.terminal = True
    solved = solve_ivp(rates, (0, until), y0, method="BDF", rtol=1e-8, atol=1e-9, events=(wide, supply, warm))
    return [float(at[0]) for at in solved.t_events]


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


def controlled_times(model, asked, start, tick):
    """The three moments of `controlled_reference`, in the twin; interpolated in their ticks."""
    now, s, rows = 0.0, start, [(0.0, SETPOINT, float(start.rows["rack"].die_temperature[0, 0]))]
    while rows[-1][2] < rows[0][2] + 10.0:
        s = step(model, s, asked, now, tick)
        now += tick
        told = s.rows["cdu"].supply_temperature, s.rows["rack"].die_temperature
        rows.append((now, *(float(each[0, 0]) for each in told)))
    t, supply, die = np.array(rows).T
    k = int(np.argmax(supply > SETPOINT + 5.0))
    crossed = np.interp(SETPOINT + 5.0, supply[k - 1 : k + 1], t[k - 1 : k + 1])
    return [float(s.rows["cdu"].valve_open_at[0, 0]), float(crossed), float(np.interp(die[0] + 10.0, die[-2:], t[-2:]))]


@pytest.fixture(scope="module")
def case():
    return prepared()


@cache
def controlled_case():
    model, asked, start = prepared(tank_volume=3.0, by_hand=False)
    return model, asked, start, controlled_reference(start, 3.0, 3000)


def test_the_reference_finds_the_flow_and_the_power_that_the_network_finds():
    start = controlled_case()[2]
    valve = float(start.rows["cdu"].valve[0, 0])
    told = start.outputs["cdu"].facility_flow_now[0, 0], start.outputs["pump"].power[0, 0]
    assert facility(valve) == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize("tick", [1.0, 10.0])
def test_chiller_loss_rides_through_as_long_as_the_reference_says(case, tick):
    model, asked, start = case
    assert time_to_warm(model, asked, start, tick) == pytest.approx(reference(start, 3000), rel=0.01)


@pytest.mark.parametrize("tick", [1.0, 10.0])
def test_chiller_loss_with_the_controller_on_goes_as_the_reference_says(tick):
    """Valve wide open, supply 5 K and die 10 K too warm: each within 1 %."""
    model, asked, start, expected = controlled_case()
    assert expected[0] < expected[1] < expected[2], "the controller opens before anything warms"
    assert controlled_times(model, asked, start, tick) == pytest.approx(expected, rel=0.01)


def test_the_coupled_system_is_first_order_in_the_tick_over_four_halvings(case):
    model, asked, start = case
    expected = reference(start, 3000)
    errors = [abs(time_to_warm(model, asked, start, tick) - expected) for tick in (16.0, 8.0, 4.0, 2.0, 1.0)]
    orders = [np.log2(coarse / fine) for coarse, fine in itertools.pairwise(errors)]
    assert np.mean(orders) > 0.85, (errors, orders)
    assert all(order > 0.6 for order in orders), (errors, orders)
