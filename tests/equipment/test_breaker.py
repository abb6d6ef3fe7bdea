"""Breaker: its trip curve in closed form, its latch, its stuck contacts."""

import math

import pytest

from twin.declare import MODES
from twin.equipment.breaker import Breaker

FED = [(1, 0.0)]


def unit(**more):
    return Breaker(rated_power=1e6, overload_limit=1.05, thermal_time_constant=600, **more)


def closed_form(load, before=0.0):
    return 600 * math.log((load**2 - before**2) / (load**2 - 1.05**2))


def test_trip_time_by_hand():
    assert unit().trip_time(2e6) == pytest.approx(closed_form(2.0), rel=1e-12)
    assert unit().trip_time(2e6, before=0.8e6) == pytest.approx(closed_form(2.0, 0.8), rel=1e-12)


@pytest.mark.parametrize("dt", [7.0, 1.0, 0.1])
def test_a_steady_overload_trips_at_the_same_moment_at_any_tick(bench, dt):
    b = bench(unit())
    served = 0.0
    while not b.is_("tripped"):
        served += b.tick(dt, FED, load=4e6).load * dt
    expected = closed_form(4.0)
    assert b.is_("tripped_at") == pytest.approx(expected, rel=1e-9)
    assert served == pytest.approx(4e6 * expected, rel=1e-9), "and stops delivering at that moment"
    assert b.tick(dt, FED, load=4e6).gap == dt


def test_a_trip_latches_until_reset_is_raised(bench):
    b = bench(unit())
    while not b.is_("tripped"):
        b.tick(1.0, FED, load=8e6)
    for _ in range(3600):
        b.tick(1.0, FED)
    assert b.is_("tripped") == 1
    b.set(reset=1)
    assert b.tick(1.0, FED, load=5e5).voltage == 1
    assert b.is_("tripped") == 0
    while not b.is_("tripped"):
        b.tick(1.0, FED, load=8e6)
    assert b.tick(1.0, FED).voltage == 0, "a reset left raised does not reclose"


def test_it_opens_closes_and_stays_by_mode(bench):
    b = bench(unit())
    assert b.tick(1.0, FED, load=1e6).voltage == 1
    b.set(closed=0)
    assert b.tick(1.0, FED, load=1e6).power == 0
    b.set(closed=1, mode=MODES["hand"])
    assert b.tick(1.0, FED).voltage == 0, "in hand it stays where it is"
    b.set(mode=MODES["auto"])
    assert b.tick(1.0, FED).voltage == 1
    b.set(mode=MODES["locked_out"])
    assert b.tick(1.0, FED).voltage == 0


def test_stuck_contacts(bench):
    b = bench(unit(), fails_to_open=1)
    b.tick(1.0, FED, load=5e5)
    b.set(closed=0)
    assert b.tick(1.0, FED, load=5e5).voltage == 1
    assert (b.is_("failed_to_open"), b.is_("failed_to_open_at")) == (1, 1.0)
    b.set(closed=1)
    while b.now < 400:
        b.tick(1.0, FED, load=2e6)
    assert b.is_("tripped") == 0
    assert b.is_("failed_to_open") == 1
    b.set(fails_to_open=0, closed=0)
    assert b.tick(1.0, FED).voltage == 0
