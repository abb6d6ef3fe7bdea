"""Chiller, its limits: warm and cold leaving water, lift, surge, least load, its own valve, what it tells others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import CHILLER
from twin.declare import MODES
from twin.equipment import KINDS
from twin.equipment.chiller import Chiller
from twin.scenario.catalog import records

WATER = 4.17e6
FLOW = 0.036
C_FLOW = FLOW * WATER
CURVED = [each for each in records() if each.parameters.get("has_curves")]


def unit(**more):
    return Chiller(**{**CHILLER, **more})


def working(ticks=500, dt=1.0, inlet=297.15, flow=FLOW, air=308.15, machine=None, state=None, **inputs):
    b = WetBench(machine or unit(), state=state, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet}, weather=(air, 295.0))
    return b, answer


@pytest.mark.parametrize("dt", [1.0, 60.0, 300.0])
def test_at_its_limit_it_takes_more_from_warmer_water(dt):
    """Q = Q_r (1 + g (T - T_r)) and C (T_in - T) = Q, solved by hand: T = (C T_in - Q_r + q T_r)/(C + q), any tick."""
    machine = unit(leaving_gain=0.02, rating_leaving=291.15)
    b, answer = working(round(1800 / dt), dt, inlet=305.15, machine=machine)
    q = 0.02 * 1.5e6
    leaves = (C_FLOW * 305.15 - 1.5e6 + q * 291.15) / (C_FLOW + q)
    assert answer.outlet["coolant"] == pytest.approx(leaves, abs=1e-6)
    assert b.gives("heat") == pytest.approx(1.5e6 + q * (leaves - 291.15), rel=1e-9)
    assert b.worst < 1e-11


def test_a_setpoint_beyond_its_reach_is_held_at_the_warmest_it_can_make():
    _, answer = working(900, inlet=305.15, flow=FLOW / 3, machine=unit(highest_leaving=289.15), leaving_setpoint=295.15)
    assert answer.outlet["coolant"] == pytest.approx(289.15, abs=1e-6)


def test_evaporating_pressure_is_held_down_to_the_warmest_leaving_water():
    """Water of 320 K gives it no more than water that leaves at its warmest does."""
    machine = unit(leaving_gain=0.02, rating_leaving=281.15, highest_leaving=293.15)
    assert machine.rating(310.0, 308.15)[0] == machine.rating(293.15, 308.15)[0] == pytest.approx(1.5e6 * 1.24)
    b, _ = working(inlet=320.15, machine=machine)
    assert b.gives("heat") == pytest.approx(1.5e6 * 1.24, rel=1e-9)


def test_lift_beyond_its_compressor_stops_it_until_air_is_cooler_and_its_lockout_is_over():
    """Lift at 18 degC water: air + 12 - (18 - 2). 35 K are passed at 39 degC; it may run again below 33 K, at 37."""
    b, _ = working(machine=unit(most_lift=35.0), air=273.15 + 38.5)
    assert (b.gives("heat") > 0, b.is_("surging")) == (True, 0)

    def more(ticks, air):
        for _ in range(ticks):
            b.tick(1.0, {"coolant": FLOW}, {"coolant": 297.15}, weather=(273.15 + air, 295.0))

    more(3, 39.5)
    assert (b.gives("heat"), b.is_("surging"), b.is_("stopped")) == (0, 1, 1)
    assert b.gives("lost_for") == 2.0
    more(100, 37.5)
    assert (b.gives("heat"), b.is_("surging")) == (0, 1)
    more(299, 36.5)
    assert (b.gives("heat"), b.is_("surging")) == (0, 0)
    more(5, 36.5)
    assert b.gives("heat") > 0
    assert b.gives("lost_for") == 0
    assert b.worst < 1e-11


def test_a_fouled_condenser_costs_lift():
    """5 K more: at 18 degC and 35 degC air 0.5 x 289.15/36 instead of /31."""
    clean, fouled = (working(condenser_fouled=x)[1].power - 2000.0 for x in (0.0, 1.0))
    assert fouled / clean == pytest.approx(36 / 31, rel=1e-9)


def test_below_its_least_load_it_cycles_or_bypasses_hot_gas():
    """At a quarter of the least load of 20 %: cycling takes a quarter of that load's power, a bypass all of it."""
    heat, T, air = 0.05 * 1.5e6, 291.15, 308.15
    curve = {"least_load": 0.2, "part_load_c0": 0.1, "part_load_c1": 0.5, "part_load_c2": 0.4}
    at_least = unit(**curve).power(0.2 * 1.5e6, T, air)
    assert unit(**curve).power(heat, T, air) == pytest.approx(0.25 * at_least, rel=1e-12)
    bypass = unit(**curve, hot_gas_bypass=1.0)
    assert bypass.power(heat, T, air) == pytest.approx(at_least, rel=1e-12)
    assert bypass.power(0.0, T, air) == 0.0


def test_surge_raises_the_least_load_with_lift():
    """31 K of lift, 6 K above where it begins, at 2 %/K: the least load is 27 % instead of 15 %."""
    machine = unit(surge_lift=25.0, surge_slope=0.02, hot_gas_bypass=1.0)
    assert machine.power(0.05 * 1.5e6, 291.15, 308.15) == pytest.approx(machine.power(0.27 * 1.5e6, 291.15, 308.15))
    assert machine.power(0.05 * 1.5e6, 291.15, 308.15) > machine.power(0.26 * 1.5e6, 291.15, 302.15)


@pytest.mark.parametrize("dt", [1.0, 0.5, 10.0])
def test_its_own_valve_shuts_when_it_stops_and_opens_when_it_is_called(dt):
    """A stroke of 40 s: 10 s after the stop three quarters open, after 40 s only the leak is left."""
    b = WetBench(unit(isolation_stroke=40.0, restart_delay=100.0))
    passes = []

    def tick(ticks):
        for _ in range(ticks):
            passes.append(b.tick(dt, inlet={"coolant": 297.15}, pressure={"coolant": 60e3}).flow["coolant"] / FLOW)

    tick(2)
    assert passes[-1] == pytest.approx(1.0, rel=1e-12)
    b.set(in_service=0.0)
    tick(round(10 / dt))
    assert b.is_("isolation_valve") == pytest.approx(0.75, abs=1e-12)
    tick(round(30 / dt) + 1)
    assert passes[-1] < 2e-6
    b.set(in_service=1.0)
    tick(round(40 / dt) + 1)
    assert passes[-1] == pytest.approx(1.0, rel=1e-12)
    assert b.gives("heat") == 0, "its lockout is not over; water is there before the compressor"
    assert b.worst < 1e-11


def test_without_supply_its_valve_stays_where_it_is():
    b = WetBench(unit(isolation_stroke=40.0))
    for _ in range(30):
        b.tick(1.0, {"coolant": 0.0}, gap=1.0, alive=False)
    assert b.is_("isolation_valve") == 1.0


def test_without_a_valve_of_its_own_the_branch_stays_open():
    b = WetBench(unit(), mode=MODES["off"])
    for _ in range(50):
        answer = b.tick(1.0, inlet={"coolant": 297.15}, pressure={"coolant": 60e3})
    assert answer.flow["coolant"] == pytest.approx(FLOW, rel=1e-12)


def test_it_says_how_long_it_has_been_at_its_limit_and_how_long_it_has_been_lost():
    b, _ = working(ticks=500, inlet=320.15)
    began = b.gives("limited_for")
    assert began > 0
    b.tick(1.0, {"coolant": FLOW}, {"coolant": 320.15}, weather=(308.15, 295.0))
    assert b.gives("limited_for") == began + 1.0
    b.set(in_service=0.0)
    for _ in range(3):
        b.tick(1.0, {"coolant": FLOW}, {"coolant": 320.15})
    assert (b.gives("lost_for"), b.gives("limited_for")) == (3.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(range(len(CURVED))), st.floats(275.0, 305.0), st.floats(280.0, 320.0), st.floats(0.01, 1.0))
def test_no_machine_of_the_catalogue_beats_carnot(index, leaving, condenser, load):
    """Between leaving water and what enters its condenser, with the catalogue's curves and beyond them."""
    record = CURVED[index]
    machine = KINDS[record.kind](**record.parameters)
    capacity, cop, _ = machine.rating(leaving, condenser)
    heat = load * capacity
    assert capacity > 0
    assert cop < leaving / max(condenser - leaving, 1e-9) or condenser <= leaving
    assert machine.power(heat, leaving, condenser) >= heat * max(condenser - leaving, 0.0) / leaving


@settings(max_examples=60, deadline=None)
@given(st.floats(280.0, 300.0), st.floats(290.0, 318.0), st.floats(0.1, 8.0))
def test_colder_water_and_warmer_condensers_never_help(leaving, condenser, step):
    machine = unit(leaving_gain=0.02)
    here = machine.rating(leaving, condenser)
    for worse in (machine.rating(leaving - step, condenser), machine.rating(leaving, condenser + step)):
        assert worse[0] <= here[0] * (1 + 1e-12)
        assert worse[1] <= here[1] * (1 + 1e-12)


@settings(max_examples=16, deadline=None)
@given(st.floats(285.0, 330.0), st.floats(270.0, 318.0), st.floats(0.05, 1.5), st.sampled_from([10.0, 60.0, 300.0]))
def test_more_heat_never_leaves_colder(inlet, air, flow, dt):
    """A kelvin more at the inlet leaves no colder water, at any tick, in any regime."""
    outlets = [
        working(max(3, round(900 / dt)), dt, inlet=T, flow=flow * FLOW, air=air, machine=unit(leaving_gain=0.02))[1]
        for T in (inlet, inlet + 1.0)
    ]
    assert outlets[0].outlet["coolant"] <= outlets[1].outlet["coolant"] + 1e-9
