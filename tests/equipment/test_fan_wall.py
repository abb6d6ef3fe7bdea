"""Fan wall: its coil by hand, its own heat, restart, modes, the second law."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench, outage

from tests.small_plants import FAN_WALL
from twin.declare import MODES
from twin.equipment.fan_wall import FanWall

WATER, AIR = 4.17e6, 1.19e3
FLOW = FAN_WALL["nominal_flow"]
NONE = pytest.approx(0.0, abs=1e-290)


def unit(**more):
    return FanWall(**{**FAN_WALL, **more})


def blowing(ticks=700, dt=1.0, inlet=291.15, room=308.15, flow=FLOW, shape=(1, 1), wall=None, **inputs):
    b = WetBench(wall or unit(), shape, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet}, room=room)
    return b, answer


def coil(flow=FLOW, speed=1.0):
    """Textbook eps C_min at nominal air."""
    x = (flow / FLOW) ** 0.8
    y = speed**0.8
    UA, C_air, C = 15e3 * 2 * x * y / (x + y), 20 * AIR * speed, flow * WATER
    small, large = min(C_air, C), max(C_air, C)
    gone = math.exp(-UA / small * (1 - small / large))
    return small * (1 - gone) / (1 - small / large * gone)


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_its_coil_takes_heat_by_the_textbook(shape):
    """17 K between room and water; water leaves warmer by what the air gave; fans warm the air they move."""
    b, answer = blowing(shape=shape)
    heat = coil() * 17.0
    assert b.gives("heat") == pytest.approx(heat, rel=1e-12)
    assert answer.outlet["coolant"] == pytest.approx(291.15 + heat / (FLOW * WATER), abs=1e-9)
    assert (answer.power, answer.warm) == (5e3, 5e3)
    assert b.worst < 1e-11


def test_one_machine_in_plain_numbers():
    assert unit().nominal_power() == 5e3


@pytest.mark.parametrize("dt", [1.0, 0.5, 5.0])
def test_after_a_loss_of_supply_it_waits_and_ramps(dt):
    b, _ = blowing(dt=dt)
    answer = b.tick(dt, {"coolant": FLOW}, {"coolant": 291.15}, room=308.15, gap=dt, alive=False)
    assert (b.gives("heat"), answer.power, b.is_("stopped")) == (NONE, 0, 1)
    back, heats = b.now, []
    while b.now - back < 35.0 - 1e-9:
        b.tick(dt, {"coolant": FLOW}, {"coolant": 291.15}, room=308.15)
        heats.append(b.gives("heat"))
    waited = round(10.0 / dt)
    assert heats[:waited] == [NONE] * waited
    assert heats == sorted(heats)
    assert heats[-1] == pytest.approx(coil() * 17.0, rel=1e-12)
    assert b.is_("stopped") == 0
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_an_outage_within_ticks_is_told_at_its_moments(dt):
    b, _ = blowing(5, dt)
    begun, stopped_at = b.now, None
    for _ in outage(b, dt, 2.4, 4.7, 60.0, flow={"coolant": FLOW}, inlet={"coolant": 291.15}, room=308.15):
        stopped_at = b.is_("stopped_at") - begun if b.is_("stopped") else stopped_at
    assert stopped_at == pytest.approx(2.4, abs=1e-9)
    assert b.is_("stopped_at") - begun == pytest.approx(4.7 + 10.0, abs=1e-6)


def test_half_the_air_costs_an_eighth_of_the_power():
    """Ten seconds into its ramp of 20 s the fans turn at half speed: power by the cube, heat by the textbook."""
    b, _ = blowing(5)
    b.put(run_clock=20.0 - 0.05)
    answer = b.tick(0.1, {"coolant": FLOW}, {"coolant": 291.15}, room=308.15)
    assert answer.power == pytest.approx(5e3 / 8, rel=1e-9)
    assert b.gives("heat") == pytest.approx(coil(speed=0.5) * 17.0, rel=1e-9)


@pytest.mark.parametrize(("mode", "blows"), [("auto", 1), ("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(mode, blows):
    b, answer = blowing(mode=MODES[mode])
    assert (b.gives("heat") > 1.0, answer.power > 0) == (bool(blows), bool(blows))
    assert b.is_("stopped") == 1 - blows


def test_out_of_service_it_takes_nothing():
    b, answer = blowing(in_service=0.0)
    assert (b.gives("heat"), answer.power) == (NONE, 0)


def test_without_water_its_fans_turn_in_vain():
    b, answer = blowing(flow=0.0)
    assert b.gives("heat") == pytest.approx(0.0, abs=1e-9)
    assert answer.warm == 5e3


@settings(max_examples=60, deadline=None)
@given(st.floats(280.0, 320.0), st.floats(280.0, 330.0), st.floats(0.0, 1.5), st.sampled_from([0.1, 1.0, 60.0]))
def test_heat_flows_from_the_warmer_to_the_colder(inlet, room, flow, dt):
    state = {"inlet_temperature": inlet, "water_temperature": inlet}
    b = WetBench(unit(), state=state)
    answer = b.tick(dt, {"coolant": flow * FLOW}, {"coolant": inlet}, room=room)
    assert b.gives("heat") * (room - inlet) >= 0
    assert min(room, inlet) - 1e-9 <= answer.outlet["coolant"] <= max(room, inlet) + 1e-9
    assert b.worst < 1e-11


@settings(max_examples=40, deadline=None)
@given(st.floats(0.0, 1.2), st.floats(0.0, 1.2))
def test_less_water_never_takes_more_heat(one_flow, other_flow):
    heats = [blowing(3, flow=x * FLOW)[0].gives("heat") for x in sorted((one_flow, other_flow))]
    assert heats[0] <= heats[1] * (1 + 1e-12) + 1e-9
