"""Air rack: its heat by hand, its fans, what it does without them, and its limits at any tick."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import AIR_RACK
from twin.declare import MODES
from twin.equipment.air_rack import AirRack
from twin.physics.fluids import ROOM_AIR

GPUS, OTHER = 0.56 * 40e3, 0.44 * 40e3
FANS = 0.3 * OTHER


def unit(**more):
    return AirRack(**{**AIR_RACK, **more})


def working(ticks=600, dt=1.0, room=298.15, rack=None, shape=(1, 1), **inputs):
    b = WetBench(rack or unit(), shape, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, room=room)
    return b, answer


def test_one_machine_in_plain_numbers():
    """32 sinks of 0.03 K/W are 1,067 W/K; 2.5 m3/s carry 2,975 W/K: 2,975 (1 - e^-0.3585) = 896 W/K."""
    rack = unit()
    K, share = rack.conductance(1.0)
    C = 2.5 * ROOM_AIR
    assert pytest.approx(C * (1 - math.exp(-(32 / 0.03) / C)), rel=1e-14) == K
    assert share == pytest.approx(K / C, rel=1e-14)
    half, _ = rack.conductance(0.5)
    UA, C = 32 / 0.03 * (0.03 + 0.97 * 0.5**0.8), C * (0.03 + 0.97 * 0.5)
    assert half == pytest.approx(C * (1 - math.exp(-UA / C)), rel=1e-14)
    still, _ = rack.conductance(0.0)
    assert 0.02 * K < still < 0.04 * K


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_steady_work_by_hand(shape):
    """Die over sink by P/G, sink over the room by P/K, fans where their curve and the die agree."""
    b, answer = working(shape=shape, utilisation=0.85)
    rack, speed = b.unit, 0.8
    asked, _ = rack.asked_power(0.85)
    for _ in range(300):
        P = asked
        for _ in range(50):
            K, _ = rack.conductance(speed)
            die = 298.15 + P / K + P * 0.025 / 32
            P = 9e3 * 0.56 + (asked - 9e3 * 0.56) * (1 + 0.003 * (die - 343.15))
        speed += 0.1 * (0.3 + 0.7 * (die - 333.15) / 20.0 - speed)
    assert 0.3 < speed < 1.0, "on the slope of its fan curve"
    assert b.is_("fan_speed") == pytest.approx(speed, abs=1e-9)
    assert b.is_("die_temperature") == pytest.approx(die, abs=1e-7)
    _, other = rack.asked_power(0.85)
    assert b.gives("fans_power") == pytest.approx(FANS * speed**3, rel=1e-9)
    assert answer.power == pytest.approx(P + other * 0.7 + FANS * speed**3, rel=1e-9)
    assert answer.warm - answer.air_heat == pytest.approx(answer.power, rel=1e-9), "all of it warms the room"
    assert b.gives("air_leaving") == pytest.approx(298.15 + answer.power / (2.5 * speed * ROOM_AIR), abs=1e-6)
    assert b.worst < 1e-12


def test_full_work_with_fans_at_full_speed_takes_the_rated_power():
    b, answer = working(rack=unit(leakage=0.0), room=312.15, utilisation=1.0)
    assert b.is_("fan_speed") == pytest.approx(1.0)
    assert answer.power == pytest.approx(40e3, rel=1e-12)


def test_fans_of_an_idle_rack_turn_at_their_least():
    b, _ = working(utilisation=0.0)
    assert b.is_("fan_speed") == pytest.approx(0.3, abs=1e-12)
    assert b.gives("fans_power") == pytest.approx(FANS * 0.027, rel=1e-12)


@pytest.mark.parametrize("dt", [5.0, 60.0, 300.0, 3600.0])
def test_it_comes_to_the_same_rest_at_any_tick(dt):
    still, _ = working(ticks=2000, utilisation=0.9)
    b, _ = working(ticks=120 if dt < 10 else 60, dt=dt, utilisation=0.9)
    for name in ("die_temperature", "sink_temperature", "fan_speed"):
        assert b.is_(name) == pytest.approx(still.is_(name), rel=1e-6), name


def without_fans(dt):
    b, _ = working(utilisation=1.0, rack=unit(leakage=0.0))
    start = b.is_("die_temperature"), b.is_("sink_temperature"), b.now
    b.set(fans_failed=1.0)
    while not b.is_("throttled"):
        b.tick(dt, room=298.15)
    return b, start


def test_without_fans_die_and_sink_warm_as_two_masses():
    """22.4 kW into 32 kJ/K, less what rises by itself, in closed form by the exponential of a matrix."""
    from scipy.linalg import expm

    b, (die, sink, when) = without_fans(0.5)
    K, _ = b.unit.conductance(0.0)
    G, Cd, Cs = 32 / 0.025, 3200.0, 28800.0
    A = np.array([[-G / Cd, G / Cd, GPUS / Cd], [G / Cs, -(G + K) / Cs, K * 298.15 / Cs], [0, 0, 0]])
    seconds = b.is_("throttled_at") - when
    assert (expm(A * seconds) @ [die, sink, 1.0])[0] == pytest.approx(360.15, abs=1e-6)
    assert 10 < seconds < 60


def test_it_throttles_at_the_same_moment_at_any_tick():
    moments = [without_fans(dt)[0].is_("throttled_at") - 600.0 for dt in (0.1, 0.5, 2.0)]
    assert moments == pytest.approx([moments[0]] * 3, abs=1e-6)


def test_it_shuts_down_stays_so_and_is_reset():
    b, _ = working(utilisation=1.0, rack=unit(standby_power=400.0))
    b.set(fans_failed=1.0)
    for _ in range(1800):
        answer = b.tick(1.0, room=320.15)
    assert (b.is_("shut_down"), b.gives("ready"), b.gives("stage")) == (1.0, 0.0, 0.0)
    assert answer.power == pytest.approx(400.0)
    b.set(reset=1.0, fans_failed=0.0)
    b.tick(1.0, room=298.15)
    assert b.is_("shut_down") == 0.0


@pytest.mark.parametrize("stop", [{"mode": MODES["off"]}, {"in_service": 0.0}])
def test_off_it_takes_nothing_and_moves_no_air(stop):
    b, _ = working(dt=30.0, **stop)
    assert (b.gives("power"), b.gives("air_moved"), b.gives("fans_power")) == (0.0, 0.0, 0.0)
    assert b.is_("die_temperature") == pytest.approx(298.15, abs=0.2)


def test_half_of_its_fans_move_half_of_the_air_for_half_of_the_power():
    b, _ = working(utilisation=0.0, fans_failed=0.5)
    assert b.gives("air_moved") == pytest.approx(2.5 * 0.3 * 0.5)
    assert b.gives("fans_power") == pytest.approx(0.5 * FANS * 0.027)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), dt=st.sampled_from([0.01, 0.5, 1.0, 10.0, 300.0]), failed=st.floats(0.0, 1.0),
    load=st.floats(0.0, 1.0),
)  # fmt: skip
def test_its_books_close_and_heat_runs_downhill(seed, dt, failed, load):
    rng = np.random.default_rng(seed)
    b = WetBench(unit(), utilisation=load, fans_failed=failed)
    for _ in range(20):
        room = 290.0 + 30.0 * rng.random()
        b.tick(dt, room=room, gap=dt * float(rng.random() < 0.2), alive=True)
    assert b.worst < 1e-11
    for _ in range(300):
        b.tick(max(dt, 10.0), room=300.0)
    if not b.is_("shut_down"):
        assert b.is_("die_temperature") >= b.is_("sink_temperature") - 1e-9 >= 300.0 - 1e-6


@pytest.mark.parametrize(
    ("ratings", "says"),
    [
        ({"fan_from": 350.0, "fan_to": 340.0}, "fan_from < fan_to is wanted"),
        ({"fan_share": 0.0}, "fan_share, of the power of all that is no GPU, is wanted"),
    ],
)
def test_what_is_wrong_among_its_ratings(ratings, says):
    assert any(says in text for text in unit(**ratings).faults(2))
