"""Valve, check valve and strainer: flow by hand, the stroke at any tick, what is stuck, and what clogs."""

from __future__ import annotations

import numpy as np
import pytest
from wet_bench import WetBench

from tests.small_plants import STRAINER, VALVE
from twin.equipment.check_valve import CheckValve
from twin.equipment.strainer import Strainer
from twin.equipment.valve import Valve

KV = VALVE["flow_coefficient"]


def unit(**more):
    return Valve(**{**VALVE, **more})


def test_one_machine_in_plain_numbers():
    """Kv 250 m3/h, half open at R = 50: 250/sqrt(50) = 35.4 m3/h at 1 bar."""
    b = WetBench(unit(), None, opening=0.5)
    answer = b.tick(1.0, pressure={"coolant": 1e5})
    assert answer.flow["coolant"] * 3600 == pytest.approx(250 / 50**0.5, rel=1e-5)
    assert b.gives("pressure_lost") == pytest.approx(1e5, rel=1e-12)
    assert b.gives("authority") == pytest.approx(1.0, abs=1e-12)


def test_its_flow_goes_either_way_alike():
    b = WetBench(unit(), opening=0.7)
    there = b.tick(1.0, pressure={"coolant": 3e4}).flow["coolant"]
    assert b.tick(1.0, pressure={"coolant": -3e4}).flow["coolant"] == -there


@pytest.mark.parametrize("dt", [0.1, 1.0, 7.5, 60.0])
def test_its_stroke_takes_its_time_at_any_tick(dt):
    """30 s from open to shut: after 15 s at 50 %; in a tick longer than its stroke it is at its mean."""
    b = WetBench(unit(characteristic=1.0, leakage_share=1e-6), opening=1.0)
    b.set(opening=0.0)
    opened, ticks = 0.0, round(60 / dt)
    for k in range(ticks):
        answer = b.tick(dt, pressure={"coolant": 1e5})
        opened += answer.flow["coolant"] / KV * dt
        if (k + 1) * dt == pytest.approx(15.0):
            assert b.is_("opening_now") == pytest.approx(0.5, abs=1e-12)
    assert b.is_("opening_now") == 0.0
    assert opened == pytest.approx(15.0, rel=1e-4), "thirty seconds at half on average"
    assert (b.is_("shut"), b.is_("shut_at")) == (1.0, pytest.approx(0.99 * 30.0, abs=1e-9))


def test_a_stuck_valve_stays():
    b = WetBench(unit(), opening=1.0)
    b.set(opening=0.0)
    for _ in range(10):
        b.tick(1.0, {"coolant": 0.01})
    b.set(valve_stuck=1.0)
    for _ in range(30):
        b.tick(1.0, {"coolant": 0.01})
    assert b.is_("opening_now") == pytest.approx(2 / 3, abs=1e-12)


def test_what_enters_leaves_as_warm():
    b = WetBench(unit())
    answer = b.tick(1.0, {"coolant": -0.01}, {"coolant": 311.0})
    assert answer.outlet["coolant"] == 311.0
    assert b.worst == 0.0


def test_a_check_valve_bars_one_way_until_it_fails():
    b = WetBench(CheckValve(**VALVE))
    assert b.tick(1.0, pressure={"coolant": 1e5}).flow["coolant"] == pytest.approx(KV, rel=1e-5)
    assert b.tick(1.0, pressure={"coolant": -1e5}).flow["coolant"] == 0.0
    b.set(check_valve_failed=1.0)
    assert b.tick(1.0, pressure={"coolant": -1e5}).flow["coolant"] == pytest.approx(-KV, rel=1e-5)


def test_a_strainer_clogs_with_what_passes():
    """Open share e^-(rate volume/nominal flow): after 10^5 s at 10^-5 1/s it is 1/e, and the loss e^2 as large."""
    b = WetBench(Strainer(**{**STRAINER, "clogging_rate": 1e-5}))
    assert b.tick(1.0, {"coolant": 0.036}).port is not None
    clean = b.gives("pressure_lost")
    assert clean == pytest.approx(10e3, rel=1e-12)
    for _ in range(10_000):
        b.tick(10.0, {"coolant": 0.036})
    assert b.gives("pressure_lost") == pytest.approx(np.e**2 * clean, rel=2e-3)
    assert b.is_("clogged") == 1.0
    b.set(cleaned=1.0)
    for _ in range(2):
        b.tick(10.0, {"coolant": 0.036})
    assert (b.gives("pressure_lost"), b.is_("clogged")) == (pytest.approx(clean, rel=1e-12), 0.0)


def test_half_a_blocked_screen_loses_four_times_as_much():
    b = WetBench(Strainer(**{**STRAINER, "clogging_rate": 0.0}), blocked=0.5)
    b.tick(1.0, {"coolant": 0.036})
    assert b.gives("pressure_lost") == pytest.approx(40e3, rel=1e-12)
    b.set(blocked=1.0)
    assert 0 < b.tick(1.0, pressure={"coolant": 1e5}).flow["coolant"] < 2e-4, "the least leak"
