"""Rack: its heat by hand, its limits at any tick, its supply to the millisecond, and the second law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from wet_bench import WetBench, one

from tests.small_plants import RACK
from twin.declare import MODES
from twin.equipment.rack import Rack

PG25 = 3.99e6
FLOW = RACK["nominal_flow"]


def unit(**more):
    return Rack(**{**RACK, **more})


def working(ticks=400, dt=1.0, flow=FLOW, inlet=313.15, shape=(1, 1), rack=None, **inputs):
    b = WetBench(rack or unit(), shape, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet})
    return b, answer


def test_one_machine_in_plain_numbers():
    """85 % of the way from 30 to 135 kW is 119.25 kW, 72 % of it in the GPUs; the plates' NTU is 0.978."""
    rack = unit()
    gpus, other = rack.asked_power(0.85)
    assert gpus == pytest.approx(0.72 * 119250.0, rel=1e-14)
    assert gpus + other == pytest.approx(119250.0, rel=1e-14)
    C = FLOW * PG25
    K, share = rack.conductance(C, FLOW)
    assert share == pytest.approx(1 - math.exp(-(72 / 0.0093) / C), rel=1e-14)
    assert pytest.approx(C * share, rel=1e-14) == K
    half, _ = rack.conductance(C / 2, FLOW / 2)
    assert half == pytest.approx(C / 2 * (1 - math.exp(-(72 / 0.0093) * 0.5**0.6 / (C / 2))), rel=1e-14)


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_steady_work_by_hand(shape):
    """Leakage by its fixed point; liquid heat over C is the rise; die above plate by P/G."""
    b, answer = working(shape=shape, utilisation=0.85)
    rack, C = b.unit, FLOW * PG25
    gpus, other = rack.asked_power(0.85)
    to_air = 119250.0 * 0.10  # 10 % of the rack's heat
    K, _ = rack.conductance(C, FLOW)
    P = gpus
    for _ in range(50):
        die = 313.15 + (P + other - to_air) / K + P * 0.010 / 72
        P = 21.6e3 + (gpus - 21.6e3) * (1 + 0.003 * (die - 343.15))
    assert b.is_("die_temperature") == pytest.approx(die, abs=1e-9)
    assert b.gives("gpu_power") == pytest.approx(P, rel=1e-12)
    assert answer.power == pytest.approx(P + other, rel=1e-12)
    assert answer.warm == pytest.approx(to_air, rel=1e-12)
    assert answer.outlet["coolant"] == pytest.approx(313.15 + (P + other - to_air) / C, abs=1e-9)
    assert b.gives("clock") == pytest.approx(1.0, rel=1e-12)
    assert b.worst < 1e-12


def test_reactive_power_follows_the_power_factor():
    b, _ = working(3)
    answer = b.tick(1.0, {"coolant": FLOW}, {"coolant": 313.15})
    apparent = abs(complex(one(answer.port.power), one(answer.port.reactive)))
    assert answer.power / apparent == pytest.approx(0.99, rel=1e-12)


@pytest.mark.parametrize(("mode", "works"), [("auto", True), ("hand", True), ("off", False), ("locked_out", False)])
def test_modes(mode, works):
    b, answer = working(20, mode=MODES[mode])
    assert (answer.power > 100e3) is works
    if not works:
        assert (answer.power, answer.warm, b.gives("gpu_power"), b.gives("clock")) == (0, 0, 0, 0)


def test_out_of_service_it_takes_nothing():
    assert working(3, in_service=0.0)[1].power == 0


def test_the_power_limit_caps_all_but_never_below_idle():
    """Half of 135 kW: what is no GPU keeps its 37.8 kW, the GPUs get the rest; none asked leaves idle GPUs."""
    rack = unit(leakage=0.0)
    _, answer = working(5, rack=rack, utilisation=1.0, power_limit=0.5)
    assert answer.power == pytest.approx(67.5e3, rel=1e-12)
    _, answer = working(5, rack=rack, utilisation=1.0, power_limit=0.0)
    assert answer.power == pytest.approx(0.28 * 135e3 + 0.72 * 30e3, rel=1e-12)
    _, answer = working(5, rack=rack, utilisation=0.2, power_limit=0.9)
    assert answer.power == pytest.approx(51e3, rel=1e-12), "a cap above what is asked changes nothing"


def test_loss_of_flow_meets_the_limits_in_their_order_at_the_same_moments_at_any_tick():
    """No flow, so no inlet to foresee: the course is exact, and the tick shows in no moment."""
    found = []
    for dt in (1.0, 0.25, 0.05):
        b, _ = working(utilisation=1.0)
        b.now = 0.0
        for _ in range(round(50 / dt)):
            b.tick(dt)
            if b.is_("shut_down"):
                break
        found.append([b.is_(f"{name}_at") for name in ("throttled", "slowed", "shut_down")])
        assert b.worst < 1e-11
    assert found[0] == sorted(found[0])
    assert len(set(found[0])) == 3
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-5)


def test_a_shutdown_latches_until_it_is_reset():
    b, _ = working(utilisation=1.0)
    while not b.is_("shut_down"):
        b.tick(1.0)
    answer = b.tick(1.0)
    assert (answer.power, b.gives("gpu_power")) == (0, 0)
    for _ in range(120):
        answer = b.tick(1.0, {"coolant": FLOW}, {"coolant": 303.15})
    assert b.is_("die_temperature") == pytest.approx(303.15, abs=0.2)
    assert (answer.power, b.is_("shut_down")) == (0, 1)
    b.set(reset=1.0)
    answer = b.tick(1.0, {"coolant": FLOW}, {"coolant": 303.15})
    assert answer.power > 100e3
    assert b.is_("shut_down") == 0


def test_in_slowdown_the_gpus_run_at_half_clock_until_they_have_cooled():
    """At its rating below the knee of the voltage, half the clock takes half the power beyond idle."""
    rack = unit(leakage=0.0)
    b, _ = working(utilisation=1.0, rack=rack)
    b.put(slowed=1.0, throttled=1.0, die_temperature=362.0, plate_temperature=361.0)
    b.tick(0.01, {"coolant": FLOW}, {"coolant": 313.15})
    idle, full = 0.72 * 30e3, 0.72 * 135e3
    assert b.gives("gpu_power") == pytest.approx(idle + 0.5 * (full - idle), rel=1e-12)
    assert b.gives("clock") == pytest.approx(0.5, rel=1e-12)
    for _ in range(100):
        b.tick(1.0, {"coolant": FLOW}, {"coolant": 313.15})
    assert (b.is_("slowed"), b.is_("throttled"), b.gives("clock")) == (0, 0, pytest.approx(1.0))


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_hold_up_bridges_what_it_can_and_recharges(dt):
    """20 ms at 135 kW are 2,700 J: enough for 22.6 ms at 119.25 kW."""
    b, answer = working(100, dt, rack=unit(leakage=0.0))
    full, power = 0.02 * 135e3, answer.power
    b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, gap=0.018)
    assert b.is_("unpowered") == 0
    assert b.is_("hold_up_energy") == pytest.approx(full - 0.018 * power, rel=1e-9)
    for _ in range(3):
        answer = b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15})
    assert b.is_("hold_up_energy") == pytest.approx(full, rel=1e-12)
    assert b.worst < 1e-12


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.025])
def test_a_gap_longer_than_its_hold_up_ends_its_work_at_that_moment(dt):
    """Supply dies in the middle of a tick; work ends when the capacitors are empty, not at the tick's edge."""
    b, answer = working(100, dt, rack=unit(leakage=0.0))
    dies = b.now + 0.5 * dt
    b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, gap=0.5 * dt, alive=False)
    while not b.is_("unpowered"):
        b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, gap=dt, alive=False)
    lasts = 0.02 * 135e3 / answer.power
    assert b.is_("unpowered_at") == pytest.approx(dies + lasts, rel=1e-9)
    assert b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, gap=dt, alive=False).power == 0
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_work_returns_after_the_restart_time_of_unbroken_supply(dt):
    rack = unit(restart_time=7.3)
    b, _ = working(5, dt, rack=rack)
    for _ in range(round(2 / dt)):
        b.tick(dt, gap=dt, alive=False)
    back = b.now + 0.4 * dt
    b.tick(dt, gap=0.4 * dt)
    while b.is_("unpowered"):
        answer = b.tick(dt)
    assert b.is_("unpowered_at") == pytest.approx(back + 7.3, abs=1e-9)
    assert b.now - dt < back + 7.3 <= b.now + 1e-9
    assert answer.power < 0.2 * 135e3, "no work before that moment"
    assert b.tick(dt).power > 100e3


def test_a_rack_that_needs_no_restart_stays_dark_without_supply():
    b, _ = working(5, 1.0, rack=unit(restart_time=0.0))
    dark = [(b.tick(1.0, gap=1.0, alive=False).power, b.is_("unpowered")) for _ in range(4)]
    assert [power for power, _ in dark[1:]] == [0, 0, 0]
    assert [flag for _, flag in dark] == [1, 1, 1, 1]
    b.tick(1.0, gap=0.4)
    assert (b.is_("unpowered"), b.tick(1.0).power > 100e3) == (0, True)


def test_isolated_it_lets_next_to_nothing_through():
    """A shut quick disconnect passes 1e-6 of the flow, and less where the loss is laminar."""
    open_, shut = (WetBench(unit(), isolated=x) for x in (0.0, 1.0))
    flow = [one(b.tick(1.0, pressure={"coolant": 60e3}).flow["coolant"]) for b in (open_, shut)]
    assert flow[0] == pytest.approx(FLOW, rel=1e-12)
    assert 0 < flow[1] < 2e-6 * flow[0]


def test_out_of_the_plates_heat_flows_one_way_only():
    """Coolant warmer than idle plates gives its heat to them."""
    b = WetBench(unit(), state={"plate_temperature": 300.0, "die_temperature": 300.0, "coolant_temperature": 300.0},
                 mode=MODES["off"])  # fmt: skip
    answer = b.tick(1.0, {"coolant": FLOW}, {"coolant": 320.0})
    assert 300.0 < b.is_("plate_temperature") < 320.0
    assert answer.outlet["coolant"] < 320.0


TEMPERATURE, LOAD = st.floats(285.0, 320.0), st.floats(0.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(TEMPERATURE, LOAD, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from([0.1, 1.0, 10.0]))
def test_less_flow_never_cools_better(inlet, load, one_flow, other_flow, dt):
    """While clocks are full: a rack that has been slowed or shut down by want of flow is soon the cooler one."""
    less, more = sorted((one_flow, other_flow))
    ends = []
    for share in (less, more):
        b, _ = working(40, 10.0, inlet=inlet, utilisation=load)
        for _ in range(3):
            b.tick(dt, {"coolant": share * FLOW}, {"coolant": inlet})
        ends.append((b.is_("die_temperature"), b.is_("plate_temperature")))
        assert b.worst < 1e-11
        assume(not b.is_("throttled") and not b.is_("slowed") and not b.is_("shut_down"))
    assert ends[0][0] >= ends[1][0] - 1e-9
    assert ends[0][1] >= ends[1][1] - 1e-9


@settings(max_examples=40, deadline=None)
@given(st.floats(280.0, 350.0), st.floats(280.0, 350.0), st.floats(280.0, 350.0), st.floats(0.01, 1.5))
def test_coolant_is_never_warmed_beyond_its_plates_nor_cooled_below_them(plate, coolant, inlet, flow):
    """Second law, power off: what leaves lies between what entered, the plates and what was in there."""
    state = {"die_temperature": plate, "plate_temperature": plate, "coolant_temperature": coolant,
             "inlet_temperature": inlet}  # fmt: skip
    b = WetBench(unit(), state=state, mode=MODES["off"])
    answer = b.tick(1.0, {"coolant": flow * FLOW}, {"coolant": inlet})
    low, high = min(plate, coolant, inlet), max(plate, coolant, inlet)
    for T in (answer.outlet["coolant"], b.is_("plate_temperature"), b.is_("die_temperature")):
        assert low - 1e-9 <= T <= high + 1e-9


def test_two_racks_in_a_table_are_two_racks():
    many = Rack(**{name: np.array([[value, value * 1.1]]) for name, value in RACK.items() if "temperature" not in name},
                **{name: value for name, value in RACK.items() if "temperature" in name})  # fmt: skip
    both, alone = WetBench(many, (1, 2)), WetBench(unit())
    for _ in range(30):
        both.tick(1.0, {"coolant": FLOW}, {"coolant": 313.15})
        alone.tick(1.0, {"coolant": FLOW}, {"coolant": 313.15})
    assert both.state.die_temperature[0, 0] == alone.state.die_temperature[0, 0]
    assert both.state.die_temperature[0, 1] != alone.state.die_temperature[0, 0]
