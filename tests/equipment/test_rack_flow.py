"""Rack, flow and dies: the flow its inlet asks for by the published table, the hottest die, and what less flow does."""

from __future__ import annotations

from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import RACK
from twin.equipment.rack import Rack
from twin.scenario.catalog import records

PSI, LPM = 6894.757, 1 / 60e3
TABLE = {25: 59, 30: 71, 35: 89, 40: 119, 45: 177}
"""Lenovo Press LP2357, Table 27: inlet [degC] and flow [L/min] of a GB300 NVL72."""


def gb300(**more):
    (record,) = (each for each in records() if each.name == "gb300-nvl72")
    return Rack(**{**record.parameters, **more})


def unit(**more):
    return Rack(**{**RACK, **more})


@pytest.mark.parametrize(("inlet", "litres"), TABLE.items())
def test_the_flow_it_asks_for_is_that_of_the_table_within_1_percent(inlet, litres):
    assert gb300().flow_demand(273.15 + inlet) == pytest.approx(litres * LPM, rel=0.01)


@pytest.mark.parametrize(("litres", "psi"), [(59, 2.3), (177, 18.4)])
def test_its_pressure_drop_is_that_of_the_table_within_5_percent(litres, psi):
    b = WetBench(gb300(hold_up=0.0))
    answer = b.tick(1.0, pressure={"coolant": psi * PSI}, inlet={"coolant": 313.15})
    assert answer.flow["coolant"] == pytest.approx(litres * LPM, rel=0.05)


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
@pytest.mark.parametrize("inlet", [25, 35, 45])
def test_in_flow_control_its_valve_gives_that_flow_at_any_pressure_and_tick(inlet, dt):
    b = WetBench(gb300(hold_up=0.0), flow_control=1.0)
    for pressure in (200e3, 150e3):
        for _ in range(max(round(150 / dt), 8)):
            answer = b.tick(dt, pressure={"coolant": pressure}, inlet={"coolant": 273.15 + inlet})
        assert answer.flow["coolant"] == pytest.approx(TABLE[inlet] * LPM, rel=0.012)
    assert b.worst < 1e-11


def test_a_balancing_valve_passes_its_share_of_the_open_one():
    flows = []
    for opening in (1.0, 0.6):
        b = WetBench(unit(laminar_share=1e-6), balancing_valve=opening)
        for _ in range(3):
            answer = b.tick(1.0, pressure={"coolant": 60e3}, inlet={"coolant": 313.15})
        flows.append(answer.flow["coolant"])
    assert flows[1] == pytest.approx(0.6 * flows[0], rel=1e-3)


def running(rack, seconds=120.0, dt=1.0, flow=119 * LPM, inlet=313.15, **inputs):
    b = WetBench(rack, **{"utilisation": 1.0, **inputs})
    for _ in range(round(seconds / dt)):
        b.tick(dt, {"coolant": flow}, {"coolant": inlet})
    assert b.worst < 1e-11
    return b


@pytest.mark.parametrize("groups", [1, 18, 72])
def test_the_hottest_of_its_dies_stands_as_far_above_as_order_statistics_say(groups):
    b = running(unit(die_groups=groups, die_spread=0.1))
    rise = b.is_("die_temperature") - b.is_("plate_temperature")
    z = NormalDist().inv_cdf((groups - 0.375) / (groups + 0.25))
    assert b.gives("hottest_die_temperature") == pytest.approx(b.is_("die_temperature") + 0.1 * z * rise, abs=1e-9)
    assert z == pytest.approx({1: 0.0, 18: 1.82, 72: 2.38}[groups], abs=0.01)


def test_the_hottest_die_throttles_first_and_luck_moves_it():
    """Without flow: the finer the dies are told apart, and the poorer the luck, the sooner; one die has no luck."""
    moments = []
    for groups, luck in ((1, 0.0), (18, 0.0), (72, 0.0), (72, 1.0), (1, 3.0)):
        b = running(unit(die_groups=groups, die_spread=0.1), hottest_die_luck=luck)
        start = b.now
        for _ in range(120):
            b.tick(0.1, {"coolant": 0.0}, {"coolant": 313.15})
        moments.append(b.is_("throttled_at") - start)
        assert b.is_("throttled") == 1
    assert moments[0] > moments[1] > moments[2] > moments[3]
    assert moments[4] == moments[0]
    assert moments[0] - moments[2] < 3.0


def test_dies_alike_cost_nothing():
    """One group with any spread is the rack as it was, to the bit."""
    one, other = running(unit()), running(unit(die_spread=0.3), hottest_die_luck=2.0)
    assert one.is_("die_temperature") == other.is_("die_temperature") == other.gives("hottest_die_temperature")


def test_after_a_thermal_shutdown_it_draws_standby_power_into_the_room():
    b = running(unit(standby_power=2e3))
    for _ in range(60):
        answer = b.tick(1.0, {"coolant": 0.0}, {"coolant": 313.15})
    assert b.is_("shut_down") == 1
    assert b.gives("power") == pytest.approx(2e3)
    assert answer.warm == pytest.approx(2e3)
    assert b.worst < 1e-11


FLOW, INLET, LOAD = st.floats(0.0, 3e-3), st.floats(285.0, 325.0), st.floats(0.0, 1.0)
TICK = st.sampled_from([1.0, 10.0])


def half_a_minute(dt, flow, inlet, load):
    """A rack after half a minute, and what leaves it."""
    b = WetBench(unit(), utilisation=load)
    for _ in range(round(30 / dt)):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet})
    return b, answer


def ends(dt, *cases):
    """Die, plate and coolant after half a minute, for each (flow, inlet, utilisation)."""
    found = []
    for case in cases:
        b, answer = half_a_minute(dt, *case)
        found.append((b.is_("die_temperature"), b.is_("plate_temperature"), answer.outlet["coolant"]))
    return found


@settings(max_examples=25, deadline=None)
@given(FLOW, st.floats(0.0, 1e-3), st.floats(285.0, 310.0), LOAD, TICK)
def test_less_flow_is_never_cooler(flow, more, inlet, load, dt):
    """Coolant no warmer than the dies at the start: dies and plates are never cooler, until slowdown or shutdown."""
    few, many = (half_a_minute(dt, each, inlet, load)[0] for each in (flow, flow + more))
    if few.is_("slowed_at") == few.is_("shut_down_at") == 0:
        assert few.is_("die_temperature") >= many.is_("die_temperature") - 1e-6
        assert few.is_("plate_temperature") >= many.is_("plate_temperature") - 1e-6


@settings(max_examples=25, deadline=None)
@given(FLOW, INLET, st.floats(0.0, 10.0), LOAD, TICK)
def test_warmer_coolant_never_leaves_it_cooler_until_slowdown_or_shutdown(flow, inlet, warmer, load, dt):
    (cold, left_cold), (warm, left_warm) = (half_a_minute(dt, flow, T, load) for T in (inlet, inlet + warmer))
    if warm.is_("slowed_at") == warm.is_("shut_down_at") == 0:
        assert cold.is_("die_temperature") <= warm.is_("die_temperature") + 1e-6
        assert cold.is_("plate_temperature") <= warm.is_("plate_temperature") + 1e-6
        assert left_cold.outlet["coolant"] <= left_warm.outlet["coolant"] + 1e-6


@settings(max_examples=25, deadline=None)
@given(FLOW, INLET, LOAD, LOAD, TICK)
def test_more_work_never_leaves_it_cooler_before_limits_are_met(flow, inlet, one, other, dt):
    low, high = ends(dt, (flow + 5e-4, inlet, min(one, other)), (flow + 5e-4, inlet, max(one, other)))
    if high[0] < RACK["throttle_temperature"]:
        assert all(a <= b + 1e-6 for a, b in zip(low, high))


@settings(max_examples=25, deadline=None)
@given(FLOW, INLET, LOAD, TICK)
def test_heat_flows_from_die_to_plate_to_coolant(flow, inlet, load, dt):
    """After some minutes at work, with nothing but its own heat: each is warmer than the next."""
    b = running(unit(), 400.0, 10.0 * dt, flow + 5e-4, inlet, utilisation=load)
    plate = b.is_("plate_temperature")
    assert b.is_("die_temperature") >= plate - 1e-9
    assert plate >= b.is_("coolant_temperature") - 0.5
    assert b.is_("coolant_temperature") >= inlet - 1e-3
