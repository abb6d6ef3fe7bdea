"""Chiller: published points of its curves, Carnot outside them, capacity, restart, modes, the second law."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench, one, outage

from tests.small_plants import CHILLER
from twin.declare import MODES
from twin.equipment.chiller import Chiller
from twin.scenario.catalog import records

WATER = 4.17e6
FLOW = 0.036
C_FLOW = FLOW * WATER


def unit(**more):
    return Chiller(**{**CHILLER, **more})


def york():
    (record,) = (each for each in records() if each.name == "york-yk-5465")
    return Chiller(**record.parameters)


def test_the_york_of_the_catalogue_gives_its_published_point():
    """6.67 degC leaving, 26.11 degC condenser entering, full load: 5,536.4 kW for 801.6 kW, COP 6.907 (0.1 %)."""
    leaving, condenser = 273.15 + 6.67, 273.15 + 26.11
    capacity, _, inside = york().rating(leaving, condenser)
    power = york().power(capacity, leaving, condenser)
    assert inside
    assert capacity == pytest.approx(5536.4e3, rel=1e-3)
    assert power == pytest.approx(801.6e3, rel=1e-3)
    assert capacity / power == pytest.approx(6.907, rel=1e-3)


def test_part_load_follows_its_curve_and_cycles_below_the_least_load():
    """EIRFPLR(0.5) = 0.2796 + 0.0394 + 0.1606 = 0.4796; at half the least load the machine runs half the time."""
    leaving, condenser = 273.15 + 6.67, 273.15 + 26.11
    machine = york()
    capacity, _, _ = machine.rating(leaving, condenser)
    full = machine.power(capacity, leaving, condenser)
    half = machine.power(0.5 * capacity, leaving, condenser)
    assert half / full == pytest.approx(0.479552 / 1.000739, rel=1e-4)
    least = machine.power(0.14 * capacity, leaving, condenser)
    assert machine.power(0.07 * capacity, leaving, condenser) == pytest.approx(0.5 * least, rel=1e-12)
    assert machine.power(0.0, leaving, condenser) == 0.0


BEYOND = [(4.43, 26.0), (8.90, 26.0), (18.0, 26.0), (6.67, 15.5), (6.67, 40.0)]
LIMITS = (4.44, 8.89), (15.56, 29.44)


@pytest.mark.parametrize(("leaving", "condenser"), BEYOND)
def test_its_curves_are_never_extrapolated(leaving, condenser):
    """Outside, COP goes with Carnot's from the curves' nearest edge on (approaches of 2 and 8 K, lift of 15 K)."""

    def carnot(leaving, condenser):
        evaporating, condensing = 273.15 + leaving - 2.0, 273.15 + condenser + 8.0
        return evaporating / max(condensing - evaporating, 15.0)

    capacity, cop, inside = york().rating(273.15 + leaving, 273.15 + condenser)
    edge = [min(max(t, low), high) for t, (low, high) in zip((leaving, condenser), LIMITS, strict=True)]
    there = york().rating(*(273.15 + t for t in edge))
    assert not inside
    assert there[2]
    assert cop / there[1] == pytest.approx(carnot(leaving, condenser) / carnot(*edge), rel=1e-9)
    assert 0.1 * 5464.9e3 <= capacity <= 1.3 * 5464.9e3


@pytest.mark.parametrize("condenser", [15.0, 22.0, 31.0, 38.0])
def test_nothing_jumps_where_the_curves_end(condenser):
    for edge in LIMITS[0]:
        near = [york().rating(273.15 + edge + step, 273.15 + condenser) for step in (-1e-6, 1e-6)]
        for one_side, other in zip(near[0][:2], near[1][:2], strict=True):
            assert one_side == pytest.approx(other, rel=1e-5)


def test_carnot_by_hand():
    """18 degC leaving at 35 degC air: 0.5 x 289.15/(320.15 - 289.15) = 4.664; ten kelvin hotter costs a tenth."""
    capacity, cop, _ = unit().rating(291.15, 308.15)
    assert cop == pytest.approx(0.5 * 289.15 / 31.0, rel=1e-12)
    assert capacity == pytest.approx(1.5e6, rel=1e-12)
    assert unit().rating(291.15, 318.15)[0] == pytest.approx(1.35e6, rel=1e-12)
    assert unit().rating(291.15, 250.0)[1] == pytest.approx(0.5 * 289.15 / 15.0, rel=1e-12), "it keeps its least lift"
    assert unit().nominal_power() == 300e3


def working(ticks=450, dt=1.0, inlet=297.15, flow=FLOW, shape=(1, 1), air=308.15, machine=None, **inputs):
    b = WetBench(machine or unit(), shape, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet}, weather=(air, 295.0))
    return b, answer


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_it_holds_its_setpoint_and_takes_just_the_heat_that_arrives(shape):
    b, answer = working(shape=shape)
    heat = C_FLOW * 6.0
    assert answer.outlet["coolant"] == pytest.approx(291.15, abs=1e-9)
    assert b.gives("heat") == pytest.approx(heat, rel=1e-12)
    assert answer.power == pytest.approx(heat / (0.5 * 289.15 / 31.0) + 2000.0, rel=1e-9)
    assert (b.is_("limited"), b.is_("stopped")) == (0, 0)
    assert b.worst < 1e-11


def test_beyond_its_capacity_water_leaves_warmer_and_it_says_so():
    b, answer = working(inlet=305.15, ticks=400)
    assert b.gives("heat") == pytest.approx(1.5e6, rel=1e-12)
    assert answer.outlet["coolant"] == pytest.approx(305.15 - 1.5e6 / C_FLOW, abs=1e-9)
    assert b.is_("limited") == 1
    b, _ = working(inlet=297.15, ticks=100)
    assert b.is_("limited") == 0


def test_water_below_the_setpoint_passes_through_unchilled():
    b, answer = working(inlet=288.15)
    assert answer.outlet["coolant"] == pytest.approx(288.15, abs=1e-9)
    assert (b.gives("heat"), answer.power) == (0.0, 2000.0)


@pytest.mark.parametrize("dt", [1.0, 10.0, 0.5])
def test_a_second_without_supply_costs_its_delay_and_its_ramp(dt):
    """300 s without cooling, then 180 s to full: heat by its integral, the same at any tick."""
    machine = unit(standing_power=0.0)
    b, _ = working(machine=machine, inlet=320.15)
    b.tick(dt, {"coolant": FLOW}, {"coolant": 320.15}, gap=dt, alive=False, weather=(308.15, 295.0))
    assert (b.gives("heat"), b.is_("stopped")) == (0, 1)
    back, taken, first = b.now, 0.0, None
    while b.now - back < 500.0 - 1e-9:
        b.tick(dt, {"coolant": FLOW}, {"coolant": 320.15}, weather=(308.15, 295.0))
        taken += b.gives("heat") * dt
        first = b.now - back if first is None and b.gives("heat") > 0 else first
    assert first == pytest.approx(300.0 + dt, abs=1e-9)
    assert taken == pytest.approx(1.5e6 * (180.0 / 2 + 20.0), rel=1e-9)
    assert b.is_("stopped") == 0
    assert b.worst < 1e-11


def test_an_outage_within_ticks_is_told_at_its_moments_at_any_tick():
    """Dead from 2.4 s to 3.7 s of the clock, full again 480 s later; at its limit heat has the same integral."""
    taken = []
    for dt in (1.0, 0.1):
        b, _ = working(40, dt, machine=unit(standing_power=0.0), inlet=320.15)
        begun, heat, stopped_at = b.now, 0.0, None
        given = {"flow": {"coolant": FLOW}, "inlet": {"coolant": 320.15}, "weather": (308.15, 295.0)}
        for _ in outage(b, dt, 2.4, 3.7, 500.0, **given):
            heat += b.gives("heat") * dt
            stopped_at = b.is_("stopped_at") - begun if b.is_("stopped") else stopped_at
        assert stopped_at == pytest.approx(2.4, abs=1e-9)
        assert b.is_("stopped_at") - begun == pytest.approx(3.7 + 480.0, abs=1e-6)
        taken.append(heat)
    assert taken[0] == pytest.approx(1.5e6 * (2.4 + 180.0 / 2 + (500 - 483.7)), rel=1e-9)
    assert taken[1] == pytest.approx(taken[0], rel=1e-9)


@pytest.mark.parametrize(("mode", "cools"), [("auto", 1), ("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(mode, cools):
    b, _ = working(mode=MODES[mode])
    assert (b.gives("heat") > 0) is bool(cools)
    assert b.is_("stopped") == 1 - cools


def test_out_of_service_it_neither_cools_nor_takes_power():
    b, answer = working(in_service=0.0)
    assert (b.gives("heat"), answer.power) == (0, 0)
    assert answer.outlet["coolant"] == pytest.approx(297.15, abs=1e-9)


def test_stopped_it_lets_water_pass_until_it_is_isolated():
    flows = []
    for isolated in (0.0, 1.0):
        b = WetBench(unit(), mode=MODES["off"], isolated=isolated)
        flows.append(b.tick(1.0, inlet={"coolant": 297.15}, pressure={"coolant": 60e3}).flow["coolant"])
    assert flows[0] == pytest.approx(FLOW, rel=1e-12)
    assert 0 < flows[1] < 2e-6 * FLOW


def test_locked_out_it_waits_its_whole_delay_again():
    b, _ = working(ticks=10)
    b.set(mode=MODES["locked_out"])
    b.tick(1.0, {"coolant": FLOW}, {"coolant": 297.15})
    b.set(mode=MODES["auto"])
    for _ in range(300):
        b.tick(1.0, {"coolant": FLOW}, {"coolant": 297.15})
        assert b.gives("heat") == 0
    b.tick(1.0, {"coolant": FLOW}, {"coolant": 297.15})
    assert b.gives("heat") > 0


@settings(max_examples=80, deadline=None)
@given(st.floats(275.0, 330.0), st.floats(260.0, 325.0), st.floats(0.0, 1.5), st.floats(278.0, 310.0))
def test_heat_goes_up_only_for_more_work_than_carnot_asks(inlet, air, flow, setpoint):
    """Water is never warmed by it, and its work is at least what a reversible machine between both would need."""
    b = WetBench(unit(), leaving_setpoint=setpoint, state={"inlet_temperature": inlet, "leaving_temperature": inlet})
    answer = b.tick(1.0, {"coolant": flow * FLOW}, {"coolant": inlet}, weather=(air, air))
    heat = b.gives("heat")
    assert heat >= 0
    assert answer.outlet["coolant"] <= inlet + 1e-9
    leaving = inlet - heat / max(flow * C_FLOW, 1e-9)
    least = heat * max(air - leaving, 0.0) / leaving
    assert answer.power >= least * (1 - 1e-9)
    assert b.worst < 1e-11


@settings(max_examples=40, deadline=None)
@given(st.floats(292.0, 320.0), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_at_its_limit_less_water_leaves_no_warmer_but_takes_no_more_heat(inlet, one_flow, other_flow):
    heats = []
    for flow in sorted((one_flow, other_flow)):
        b, _ = working(ticks=3, inlet=inlet, flow=flow * FLOW)
        heats.append(b.gives("heat"))
    assert heats[0] <= heats[1] * (1 + 1e-12)


def test_both_tenses_of_the_rating_agree():
    leaving, condenser = np.array([[279.82, 291.15]]), np.array([[299.26, 308.15]])
    capacity, cop, inside = york().rating(leaving, condenser)
    for k in range(2):
        alone = york().rating(float(leaving[0, k]), float(condenser[0, k]))
        assert [one(x) for x in alone] == [capacity[0, k], cop[0, k], inside[0, k]]
