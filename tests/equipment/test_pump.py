"""Pump: its curve and power by hand, coasting and restart at any tick, its heat, its modes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench, one, outage

from tests.small_plants import PUMP
from twin.declare import MODES
from twin.equipment.pump import Pump
from twin.physics import hydraulic

WATER = 4.17e6


def unit(**more):
    return Pump(**{**PUMP, **more})


def test_one_machine_in_plain_numbers():
    """300 kPa at 36 L/s and 70 %: 15.43 kW; shut-off takes 40 % of that; half speed adds a quarter of the head."""
    pump = unit()
    assert pump.nominal_power() == pytest.approx(0.036 * 300e3 / 0.7, rel=1e-14)
    assert pump.head(1.0, 0.036) == pytest.approx(300e3, rel=1e-12)
    assert pump.head(1.0, 0.0) == 400e3
    assert pump.head(0.5, 0.018) == pytest.approx(75e3, rel=1e-12)
    assert pump.shaft_power(1.0, 0.036) == pytest.approx(15428.571, rel=1e-7)
    assert pump.shaft_power(1.0, 0.0) == pytest.approx(0.4 * 15428.571, rel=1e-7)
    assert pump.shaft_power(0.5, 0.018) == pytest.approx(15428.571 / 8, rel=1e-7)


def running(dt=1.0, ticks=20, shape=(1, 1), pump=None, **inputs):
    b = WetBench(pump or unit(), shape, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, inlet={"coolant": 295.0}, pressure={"coolant": -300e3})
    return b, answer


def test_at_its_duty_point_it_passes_its_duty_flow():
    """The curve carries a slight laminar part for the solver, 2 % of the curve's fall."""
    b, answer = running()
    assert answer.flow["coolant"] == pytest.approx(0.036, rel=0.011)
    assert answer.power == pytest.approx(15428.57, rel=0.011)
    assert b.worst < 1e-12


def test_all_its_electricity_warms_the_coolant():
    _, answer = running(ticks=300)
    C = answer.flow["coolant"] * WATER
    assert answer.outlet["coolant"] - 295.0 == pytest.approx(answer.power / C, rel=1e-9)


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.025])
def test_without_supply_it_coasts_and_stops_at_the_same_moment_at_any_tick(dt):
    """A twentieth of full speed is left after (atan(1/r) - atan(0.05/r)) half times, r^2 the friction."""
    b, _ = running(dt, 5)
    dead = b.now
    for _ in range(round(40 / dt)):
        answer = b.tick(dt, {"coolant": 0.01}, gap=dt, alive=False)
        assert answer.power == 0
    assert b.is_("speed_now") == 0.0
    root = math.sqrt(hydraulic.FRICTION)
    half = math.atan(1 / root) - math.atan(0.5 / root)
    passed = 2.0 * (math.atan(1 / root) - math.atan(0.05 / root)) / half
    assert (b.is_("stopped"), b.is_("stopped_at")) == (1, pytest.approx(dead + passed, abs=1e-9))


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_it_restarts_by_itself_after_its_delay_and_ramp(dt):
    """From a standstill: 5 s of delay, 10 s of ramp; no power is taken before it turns."""
    b, _ = running(dt, 3)
    b.put(speed_now=0.0, run_clock=0.0, stopped=1.0)
    begun = b.now
    speeds = {}
    for _ in range(round(20 / dt)):
        answer = b.tick(dt, {"coolant": 0.02})
        speeds[round(b.now - begun, 6)] = b.is_("speed_now")
        if b.now - begun <= 5.0 + 1e-9:
            assert answer.power == 0
    assert speeds[5.0] == pytest.approx(0.0, abs=1e-12)
    assert speeds[10.0] == pytest.approx(0.5, abs=1e-9)
    assert speeds[15.0] == pytest.approx(1.0, abs=1e-9)
    assert (b.is_("stopped"), b.is_("stopped_at")) == (0, pytest.approx(begun + 5.5, abs=1e-9))


def test_an_outage_within_ticks_is_the_same_at_any_tick():
    """Dead from 2.4 s to 9.7 s: it coasts for 5 s more, then is driven up in 10 s: speed, turns and moments."""
    found = []
    root = math.sqrt(hydraulic.FRICTION)
    rate = (math.atan(1 / root) - math.atan(0.5 / root)) / 2.0
    left = root * math.tan(math.atan(1 / root) - rate * (9.7 + 5.0 - 2.4))
    for dt in (1.0, 0.1, 0.05):
        b, _ = running(dt, 5)
        begun, turned = b.now, 0.0
        for answer in outage(b, dt, 2.4, 9.7, 26.0, flow={"coolant": 0.02}):
            turned += one(answer.port.drive.mean_speed) * dt
            if b.now - begun == pytest.approx(14.0, abs=1e-6):
                at_rest = b.is_("speed_now"), b.is_("stopped_at") - begun
        found.append([*at_rest, b.is_("speed_now"), b.is_("stopped_at") - begun, turned])
    assert 0.0 < left < 0.05
    assert found[0][3] == pytest.approx(9.7 + 5.0 + (0.05 - left) * 10.0, abs=1e-9)
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-9)


@pytest.mark.parametrize(("mode", "turns"), [("auto", 1), ("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(mode, turns):
    b, answer = running(1.0, 60, mode=MODES[mode])
    assert (answer.power > 10e3) is bool(turns)
    assert b.is_("stopped") == 1 - turns


def test_out_of_service_it_stops_and_its_check_valve_holds():
    b, answer = running(1.0, 60, in_service=0.0)
    assert (b.is_("stopped"), answer.power, answer.flow["coolant"]) == (1, 0, 0)


def test_its_drive_follows_the_speed_asked():
    b, _ = running(1.0, 30, speed=0.6)
    assert b.is_("speed_now") == pytest.approx(0.6, abs=1e-12)
    answer = b.tick(1.0, pressure={"coolant": -0.36 * 300e3})
    assert answer.flow["coolant"] == pytest.approx(0.6 * 0.036, rel=0.02), "affinity"
    assert one(answer.port.reactive) / answer.power == pytest.approx((1 / 0.95**2 - 1) ** 0.5, rel=1e-12)


def test_plain_floats_are_one_machine():
    one_machine, _ = running(ticks=7, shape=None)
    row, _ = running(ticks=7)
    assert one_machine.is_("outlet_temperature") == row.is_("outlet_temperature")


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0, 1.2), st.floats(-0.02, 0.05), st.floats(280.0, 320.0), st.sampled_from([0.01, 1.0, 100.0]))
def test_coolant_is_never_cooled_by_a_pump(speed, flow, inlet, dt):
    b = WetBench(unit(), state={"speed_now": speed, "outlet_temperature": inlet}, speed=speed)
    answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet})
    assert answer.power >= 0
    assert b.is_("outlet_temperature") >= inlet - 1e-9
    assert b.worst < 1e-11


def test_a_faster_pump_adds_more_head_at_every_flow():
    pump = unit()
    speeds = np.linspace(0.1, 1.2, 12)
    for flow in np.linspace(0.0, 0.05, 6):
        assert (np.diff(pump.head(speeds, flow)) > 0).all()
        assert (np.diff(pump.shaft_power(speeds, np.float64(flow))) >= 0).all()


# Lead and standby


def waiting(**more):
    b = WetBench(unit(on_call=1.0, restart_delay=0.5, ramp_time=4.0, **more))
    b.tick(1.0, {"coolant": 0.0})
    assert (b.is_("speed_now"), b.is_("stopped"), b.gives("lost_for")) == (0.0, 1.0, 0.0)
    return b


def test_a_standby_pump_waits_until_it_is_called():
    b = waiting()
    for _ in range(5):
        answer = b.tick(1.0, {"coolant": 0.036}, call=1.0)
    assert b.is_("speed_now") == 1.0, "0.5 s until it turns, 4 s to full speed"
    assert (b.is_("called"), b.is_("called_at"), answer.power > 1e4) == (1.0, 1.0, True)
    for _ in range(40):
        b.tick(1.0, {"coolant": 0.0})
    assert (b.is_("called"), b.is_("speed_now"), b.is_("stopped")) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("how", "turns"), [({}, 1.0), ({"fails_to_start": 1.0}, 0.0), ({"mode": MODES["off"]}, 0.0)])
def test_a_called_pump_turns_unless_it_cannot(how, turns):
    b = waiting()
    b.set(**how)
    for _ in range(10):
        b.tick(1.0, {"coolant": 0.0}, call=3.0)
    assert b.is_("speed_now") == turns


def test_in_hand_it_runs_without_a_call():
    b = waiting()
    b.set(mode=MODES["hand"])
    for _ in range(10):
        b.tick(1.0, {"coolant": 0.036})
    assert b.is_("speed_now") == 1.0


def test_a_motor_that_fails_to_start_goes_on_while_it_turns():
    b, _ = running(fails_to_start=1.0)
    assert b.is_("speed_now") == 1.0
    for _ in range(60):
        b.tick(1.0, {"coolant": 0.0}, gap=1.0, alive=False)
    for _ in range(60):
        b.tick(1.0, {"coolant": 0.0})
    assert b.is_("speed_now") == 0.0


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_it_says_for_how_long_it_gives_no_flow(dt):
    """Dead at 3 s: a fifth of full speed is left after 2 (atan(1/r) - atan(0.2/r))/(atan(1/r) - atan(0.5/r)) s."""
    b, _ = running(dt, round(3 / dt))
    assert b.gives("lost_for") == 0.0
    for _ in range(round(10 / dt)):
        b.tick(dt, {"coolant": 0.02}, gap=dt, alive=False)
    root = math.sqrt(hydraulic.FRICTION)
    half = math.atan(1 / root) - math.atan(0.5 / root)
    assert b.gives("lost_for") == pytest.approx(10 - 2 * (math.atan(1 / root) - math.atan(0.2 / root)) / half, abs=1e-9)


def test_a_pump_that_turns_against_a_shut_valve_is_lost_too():
    b, _ = running()
    for _ in range(7):
        b.tick(1.0, {"coolant": 0.0})
    assert b.gives("lost_for") == 7.0
    b.tick(1.0, {"coolant": 0.03})
    assert b.gives("lost_for") == 0.0


def test_with_its_check_valve_stuck_open_it_lets_coolant_back():
    b, _ = running(1.0, 60, in_service=0.0)
    assert b.tick(1.0, pressure={"coolant": -300e3}).flow["coolant"] == 0.0
    b.set(check_valve_failed=1.0)
    assert b.tick(1.0, pressure={"coolant": -300e3}).flow["coolant"] < -0.036
