"""CDU: the published duty point, the change from duty to standby pump, the valve under PI, the second law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from wet_bench import WetBench, one, outage

from tests.small_plants import CDU as RATINGS
from twin.declare import MODES
from twin.equipment.cdu import CDU
from twin.physics.hydraulic import FRICTION
from twin.scenario.catalog import records

PG25, WATER = 3.99e6, 4.17e6
FLOW = 1200 / 60e3


def unit(**more):
    return CDU(**{**RATINGS, **more})


def counterflow(UA, hot, cold):
    """Textbook eps C_min, written apart from the product's."""
    small, large = min(hot, cold), max(hot, cold)
    gone = math.exp(-UA / small * (1 - small / large))
    return small * (1 - gone) / (1 - small / large * gone)


def heat_at_approach(cdu, approach):
    """Heat [W] when coolant leaves `approach` K above the entering facility water, at 1,200 L/min each."""
    C = FLOW * PG25
    K = cdu.conductance(FLOW, FLOW, C, FLOW * WATER)
    return K * approach / (1.0 - K / C)


def test_one_machine_in_plain_numbers():
    cdu = unit(facility_flow=FLOW)
    C_hot, C_cold = FLOW * PG25, FLOW * WATER
    assert cdu.conductance(FLOW, FLOW, C_hot, C_cold) == pytest.approx(counterflow(330e3, C_hot, C_cold), rel=1e-12)
    half = 0.5**0.8
    UA = 330e3 * 2 * half / (1 + half)
    expected = counterflow(UA, C_hot / 2, C_cold)
    assert cdu.conductance(FLOW / 2, FLOW, C_hot / 2, C_cold) == pytest.approx(expected, rel=1e-12)


def test_the_published_duty_point_is_met_by_one_fitted_conductance():
    """XDU1350: 1,368 kW at 4 K approach and 1,200 L/min (17.1 K along the plates), 244 kPa, 13.7 kW: within 5 %."""
    fitted = lambda UA: heat_at_approach(unit(exchanger_conductance=UA, facility_flow=FLOW), 4.0)  # noqa: E731
    UA = brentq(lambda UA: fitted(UA) - 1.368e6, 1e5, 1e6)
    assert pytest.approx(314e3, rel=0.01) == UA
    cdu = unit(exchanger_conductance=314e3, facility_flow=FLOW, shutoff_head=513e3)
    heat = heat_at_approach(cdu, 4.0)
    assert heat == pytest.approx(1.368e6, rel=0.05)
    assert heat / (FLOW * PG25) == pytest.approx(17.1, rel=0.05)
    b = WetBench(cdu)
    answer = b.tick(1.0, {"facility": FLOW}, pressure={"technology": -244e3})
    assert answer.flow["technology"] == pytest.approx(FLOW, rel=0.05)
    assert answer.power == pytest.approx(13.7e3, rel=0.05)


def test_the_catalogue_record_of_that_unit_keeps_its_figures():
    (record,) = (each for each in records() if each.name == "cdu-1300kw")
    cdu = CDU(**record.parameters)
    assert heat_at_approach(cdu, 4.0) == pytest.approx(1.368e6, rel=0.05)
    for litres in (300, 800, 1200, 1400):
        published = 1e3 * (476.46 + 0.0921 * litres - 2.34e-4 * litres**2)
        assert cdu.shutoff_head - one(curve(cdu)) * (litres / 60e3) ** 2 == pytest.approx(published, rel=0.08)


def curve(cdu):
    return (cdu.shutoff_head - cdu.nominal_head) / cdu.nominal_flow**2


ROOT = math.sqrt(FRICTION)
RATE = (math.atan(1 / ROOT) - math.atan(0.5 / ROOT)) / 2.0
"""How fast a coasting pump's angle falls [rad/s]: with friction f, n = sqrt(f) tan(angle); half is left after 2 s."""


def coasted(seconds):
    """Speed left of a pump that coasts from full speed."""
    return ROOT * math.tan(max(math.atan(1 / ROOT) - RATE * seconds, 0.0))


def coasts_until(speed):
    """Seconds from full speed until `speed` is left."""
    return (math.atan(1 / ROOT) - math.atan(speed / ROOT)) / RATE


HEADERS = {"technology": -244e3, "facility": 100e3}
WARM = {"technology": 328.0, "facility": 303.15}


def pumping(dt=1.0, ticks=60, cdu=None, shape=(1, 1), **inputs):
    b = WetBench(cdu or unit(), shape, **inputs)
    for _ in range(ticks):
        b.tick(dt, inlet=WARM, pressure=HEADERS)
    return b


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.025])
def test_the_standby_pump_takes_over_after_its_delay_and_ramp(dt):
    """Duty fails; standby first turns after 3 s and is at full speed 5 s later; the flow never stops."""
    b = pumping(dt)
    b.set(duty_pump_failed=1.0)
    lost = b.now
    speeds, flows = {}, []
    for _ in range(round(12 / dt)):
        answer = b.tick(dt, inlet=WARM, pressure={"technology": -20e3, "facility": 100e3})
        speeds[round(b.now - lost, 6)] = b.is_("standby_speed")
        flows.append(answer.flow["technology"])
    for after, expected in ((3.0, 0.0), (4.0, 0.2), (6.0, 0.6), (8.0, 1.0), (12.0, 1.0)):
        assert speeds[after] == pytest.approx(expected, abs=1e-9)
    assert b.is_("duty_speed") == pytest.approx(coasted(12.0), abs=1e-9)
    assert (b.is_("standby_running"), b.is_("pumps_lost")) == (1, 0)
    assert b.is_("standby_running_at") == pytest.approx(lost + 3.0 + 0.05 * 5.0, abs=1e-9)
    assert min(flows) > 0.2 * FLOW


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.025])
def test_with_the_standby_stuck_flow_is_lost(dt):
    """Coasting from full speed with a half time of 2 s, a tenth is left after 9 s and nothing after 13 s."""
    b = pumping(dt, standby_pump_failed=1.0)
    b.set(duty_pump_failed=1.0)
    lost = b.now
    for _ in range(round(25 / dt)):
        b.tick(dt, inlet=WARM, pressure=HEADERS)
    assert (b.is_("pumps_lost"), b.is_("standby_running")) == (1, 0)
    assert coasts_until(0.5) == pytest.approx(2.0, rel=1e-12)
    assert coasts_until(0.1) == pytest.approx(9.28, abs=0.01)
    assert b.is_("pumps_lost_at") == pytest.approx(lost + coasts_until(0.1), abs=1e-9)
    assert b.is_("duty_speed") == 0.0
    answer = b.tick(dt, inlet=WARM, pressure=HEADERS)
    assert answer.flow["technology"] == 0, "the check valve holds against the header"
    assert answer.power == 0, "nothing drives what coasts"
    b.set(duty_pump_failed=0.0)
    for _ in range(round(20 / dt)):
        answer = b.tick(dt, inlet=WARM, pressure=HEADERS)
    assert b.is_("pumps_lost") == 0
    assert answer.flow["technology"] == pytest.approx(FLOW, rel=0.02)


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_pumps_restart_after_supply_returns(dt):
    """Four seconds dead: it coasts, and goes on coasting for 10 s of boot; then 5 s of ramp."""
    b = pumping(dt)
    for _ in range(round(4 / dt)):
        answer = b.tick(dt, inlet=WARM, pressure=HEADERS, gap=dt, alive=False)
        assert answer.power == 0
    assert b.is_("duty_speed") == pytest.approx(coasted(4.0), rel=1e-9)
    back = b.now
    for _ in range(round(10 / dt)):
        b.tick(dt, inlet=WARM, pressure=HEADERS)
    assert b.is_("duty_speed") == pytest.approx(coasted(14.0), abs=1e-9), "it coasts until its delay is over"
    assert b.is_("pumps_lost") == 1
    for _ in range(round(5 / dt)):
        b.tick(dt, inlet=WARM, pressure=HEADERS)
    assert b.is_("duty_speed") == pytest.approx(1.0, abs=1e-9)
    assert (b.is_("pumps_lost"), b.is_("pumps_lost_at")) == (0, pytest.approx(back + 10.0 + 0.1 * 5.0, abs=1e-6))


def test_an_outage_within_ticks_is_the_same_at_any_tick():
    """Dead from 2.4 s to 12.7 s: flow lost 9.28 s after it died, back a tenth of the ramp after 10 s of boot."""
    for dt in (1.0, 0.1):
        b = pumping(dt, round(60 / dt))
        begun, lost_at = b.now, None
        for _ in outage(b, dt, 2.4, 12.7, 30.0, inlet=WARM, pressure=HEADERS):
            lost_at = b.is_("pumps_lost_at") if b.is_("pumps_lost") else lost_at
        assert lost_at == pytest.approx(begun + 2.4 + coasts_until(0.1), abs=1e-9)
        assert (b.is_("pumps_lost"), b.is_("duty_speed")) == (0, 1.0)
        assert b.is_("pumps_lost_at") == pytest.approx(begun + 12.7 + 10.0 + 0.5, abs=1e-9)


@pytest.mark.parametrize(("mode", "turns"), [("auto", 1), ("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(mode, turns):
    b = pumping(1.0, 60, mode=MODES[mode], hand_valve=0.4)
    assert (b.is_("duty_speed") == 1.0) == bool(turns)
    assert b.is_("pumps_lost") == 1 - turns
    if mode == "hand":
        assert b.is_("valve") == pytest.approx(0.4, abs=1e-12)


def test_out_of_service_its_pumps_stop_and_its_valve_stays():
    b = pumping(1.0, 60)
    valve = b.is_("valve")
    b.set(in_service=0.0, supply_setpoint=300.0)
    for _ in range(40):
        answer = b.tick(1.0, inlet=WARM, pressure=HEADERS)
    assert (b.is_("valve"), b.is_("pumps_lost"), answer.power) == (valve, 1, 0)


def test_a_stuck_or_unpowered_valve_stays_where_it_is():
    for trouble in ({"valve_stuck": 1.0}, {}):
        b = pumping(1.0, 200)
        valve = b.is_("valve")
        b.set(supply_setpoint=300.0, **trouble)
        gap = {} if trouble else {"gap": 1.0, "alive": False}
        for _ in range(30):
            b.tick(1.0, inlet=WARM, pressure=HEADERS, **gap)
        assert b.is_("valve") == valve


def test_the_valve_moves_no_faster_than_its_actuator():
    b = pumping(1.0, 5, mode=MODES["hand"], hand_valve=0.5)
    b.set(hand_valve=1.0)
    was = b.is_("valve")
    for _ in range(15):
        b.tick(1.0, inlet=WARM, pressure=HEADERS)
        assert b.is_("valve") == pytest.approx(min(was + 1.0 / 30.0, 1.0), abs=1e-12)
        was = b.is_("valve")


def at_rest(dt, cdu=None, seconds=1200.0, facility=303.15, back=328.0, **inputs):
    b = WetBench(cdu or unit(), **inputs)
    supply, valves = [], []
    for _ in range(max(round(seconds / dt), 60)):
        b.tick(dt, inlet={"technology": back, "facility": facility}, pressure=HEADERS)
        supply.append(b.is_("supply_temperature"))
        valves.append(b.is_("valve"))
    assert b.worst < 1e-11
    return b, np.array(supply), np.array(valves)


@pytest.mark.parametrize("dt", [0.1, 1.0, 10.0, 60.0, 300.0])
def test_the_controls_hold_the_setpoint_without_cycling_at_any_tick(dt):
    b, supply, valves = at_rest(dt, seconds=400.0 if dt < 1 else 1800.0)
    assert supply[-1] == pytest.approx(313.15, abs=0.01)
    assert np.ptp(valves[-10:]) < 1e-3
    turns = np.count_nonzero(np.diff(np.sign(np.diff(valves)[np.abs(np.diff(valves)) > 1e-4])))
    assert turns <= 6, "it swings in, it does not hunt"
    assert b.is_("valve_open") == 0


def test_the_valve_comes_to_rest_where_the_balance_says():
    """brentq on the textbook balance: heat over the plates leaves coolant at its setpoint less the pump's own heat."""
    b, _, valves = at_rest(1.0)
    cdu = b.unit
    q = one(b.tick(1.0, inlet=WARM, pressure=HEADERS).port.flow["technology"])
    C, power = q * PG25, b.gives("power")

    def excess(opening):
        a, turb = cdu._facility_resistance(np.float64(opening))
        flow = brentq(lambda x: a * x + turb * x * abs(x) - 100e3, 0.0, 1.0, xtol=1e-15)
        x, y = (q / 0.02) ** 0.8, (flow / 0.025) ** 0.8
        K = counterflow(330e3 * 2 * x * y / (x + y), C, flow * WATER)
        return 328.0 - K / C * (328.0 - 303.15) + power / C - 313.15

    assert valves[-1] == pytest.approx(brentq(excess, 0.01, 1.0), abs=1e-4)


def test_water_too_warm_opens_the_valve_wide_and_says_so():
    b, supply, valves = at_rest(1.0, facility=312.0)
    assert valves[-1] == 1.0
    assert supply[-1] > 313.15
    assert b.is_("valve_open") == 1


def test_after_a_long_time_wide_open_the_valve_lets_go_at_once():
    """No wind-up: the integral stands at its end; once water is cold again, the valve closes with its actuator."""
    b, _, _ = at_rest(1.0, facility=312.0, seconds=1500.0)
    for _ in range(60):
        b.tick(1.0, inlet={"technology": 316.0, "facility": 295.0}, pressure=HEADERS)
    assert b.is_("valve") < 0.7


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_plain_floats_are_one_machine(shape):
    b = pumping(2.0, 30, shape=shape)
    other = pumping(2.0, 30)
    assert b.is_("supply_temperature") == other.is_("supply_temperature")
    assert b.is_("valve") == other.is_("valve")


def test_the_pumps_heat_the_coolant():
    """All electricity ends in the coolant: without plates (no facility flow) coolant leaves warmer by P/C."""
    b = WetBench(unit(), state={"supply_temperature": 310.0})
    for _ in range(500):
        answer = b.tick(5.0, {"facility": 0.0}, {"technology": 310.0}, {"technology": -244e3})
    C = answer.flow["technology"] * PG25
    assert answer.outlet["technology"] - 310.0 == pytest.approx(answer.power / C, rel=1e-9)
    assert b.worst < 1e-11


TEMPERATURE, SHARE = st.floats(280.0, 340.0), st.floats(0.0, 1.3)


@settings(max_examples=60, deadline=None)
@given(TEMPERATURE, TEMPERATURE, SHARE, SHARE, st.sampled_from([0.1, 1.0, 60.0]))
def test_heat_flows_from_the_warmer_inlet_to_the_colder(hot, cold, technology, facility, dt):
    b = WetBench(unit(), mode=MODES["off"], state={"duty_speed": 0.0})
    flow = {"technology": technology * 0.02, "facility": facility * 0.025}
    b.tick(dt, flow, {"technology": hot, "facility": cold})
    heat = b.gives("heat")
    assert heat * (hot - cold) >= 0
    limit = min(flow["technology"] * PG25, flow["facility"] * WATER) * abs(hot - cold)
    assert abs(heat) <= limit * (1 + 1e-9) + 1e-290
    assert b.worst < 1e-11


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 12.0), st.floats(2.0, 30.0), SHARE, SHARE, st.sampled_from([1.0, 20.0]))
def test_less_facility_water_never_leaves_coolant_colder(colder, above, one_share, other_share, dt):
    """Facility water 0 to 12 K below the coolant's setpoint, return above it; a minute from the same start."""
    ends = []
    for share in sorted((one_share, other_share)):
        b = WetBench(unit(), state={"supply_temperature": 313.15})
        for _ in range(3):
            b.tick(dt, {"technology": 0.02, "facility": share * 0.025},
                   {"technology": 313.15 + above, "facility": 313.15 - colder})  # fmt: skip
        ends.append(b.is_("supply_temperature"))
    assert ends[0] >= ends[1] - 1e-9
