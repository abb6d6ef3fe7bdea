"""Breaker: its relay and trip-unit elements in closed form, and what latches after them."""

import numpy as np
import pytest

from twin.equipment.breaker import CURVES, Breaker
from twin.physics.electric import NEVER

FED = [(1, 0.0)]
TRIPS = ("tripped", "tripped_short_time", "tripped_instantaneous", "tripped_undervoltage", "load_shed")


def relay(curve="very_inverse", **more):
    return Breaker(rated_power=1e6, curve=CURVES[curve], overload_limit=1.2, **more)


def unit(**more):
    """A low-voltage trip unit with all four elements."""
    said = {"long_time_delay": 8.0, "short_time_pickup": 4.0, "short_time_delay": 0.3, "instantaneous_pickup": 12.0,
            "instantaneous_delay": 0.02, "opening_time": 0.05}  # fmt: skip
    return Breaker(rated_power=1e6, curve=CURVES["long_time"], overload_limit=1.1, **(said | more))


def flags(b):
    return [name for name in TRIPS if b.is_(name) == 1]


def ticked_until_open(b, dt, load, most=100_000):
    for _ in range(most):
        served = b.tick(dt, FED, load=load)
        if served.voltage == 0:
            return served
    raise AssertionError("it stays closed")


@pytest.mark.parametrize("dt", [0.05, 0.01, 0.001])
@pytest.mark.parametrize(("curve", "expected"), [("standard_inverse", 0.4280), ("very_inverse", 0.3375),
                                                ("extremely_inverse", 1 / 3)])  # fmt: skip
def test_an_inverse_relay_at_five_times_its_pickup(bench, dt, curve, expected):
    """TMS 0.1 at 5 Is (IEC 60255), then 60 ms until the contacts are open; the same at any tick."""
    b = bench(relay(curve, time_multiplier=0.1, opening_time=0.06))
    served = ticked_until_open(b, dt, 6e6)
    assert flags(b) == ["tripped"]
    assert b.is_("tripped_at") == pytest.approx(expected + 0.06, abs=1e-4)
    assert b.now - dt + (dt - served.gap) == pytest.approx(b.is_("tripped_at"), abs=1e-9), "dead from that moment on"
    assert b.unit.clearing_time(6e6) == pytest.approx(b.is_("tripped_at"), abs=1e-9)


@pytest.mark.parametrize(("load", "name", "expected"), [
    (3e6, "tripped", 8 * 36 / 9 + 0.05),
    (6e6, "tripped_short_time", 0.35),
    (15e6, "tripped_instantaneous", 0.07),
])  # fmt: skip
def test_each_element_of_a_trip_unit_acts_in_its_range(bench, load, name, expected):
    for dt in (0.05, 0.004):
        b = bench(unit())
        ticked_until_open(b, dt, load)
        assert flags(b) == [name]
        assert b.is_(f"{name}_at") == pytest.approx(expected, abs=1e-9)
        assert b.unit.clearing_time(load) == pytest.approx(expected, abs=1e-12)


def test_without_its_opening_time_an_element_is_a_tick_late_at_most(bench):
    """What begins in a tick is seen in it; contacts without a delay of their own then open with the next."""
    b = bench(unit(opening_time=0.0, instantaneous_delay=0.0))
    ticked_until_open(b, 0.002, 15e6)
    assert b.is_("tripped_instantaneous_at") == pytest.approx(0.002)


def test_the_slope_of_short_time(bench):
    b = bench(unit(short_time_slope=1.0))
    ticked_until_open(b, 0.01, 6e6)
    assert b.is_("tripped_short_time_at") == pytest.approx(0.3 * (10 / 6) ** 2 + 0.05, abs=1e-9)


def test_a_disc_adds_up_what_it_meets_and_forgets_at_once_by_default(bench):
    """Half its way at 5 Is, then below pickup: numerical relays begin anew; a disc of 10 s turns back slowly."""
    half = 0.3375 / 2
    for reset_time, left in ((0.0, 1.0), (10.0, 0.5 + 0.1 * (1 - 0.25))):
        b = bench(relay(time_multiplier=0.1, disc_reset_time=reset_time))
        b.tick(half, FED, load=6e6)
        assert b.is_("overload_travel") == pytest.approx(0.5, abs=1e-3)
        for _ in range(10):
            b.tick(0.1, FED, load=0.6e6)
        began = b.now
        ticked_until_open(b, 0.005, 6e6)
        assert b.is_("tripped_at") - began == pytest.approx(left * 0.3375, abs=1e-3)


def test_below_its_pickup_it_carries_for_ever(bench):
    b = bench(unit())
    for _ in range(200):
        b.tick(10.0, FED, load=1.09e6)
    assert flags(b) == []
    assert b.unit.clearing_time(1.09e6) == NEVER


def test_a_fault_cleared_below_resets_it(bench):
    """A breaker below opens after 0.2 s: the short-time element of this one, at 0.3 s, has begun and forgets."""
    b = bench(unit())
    for _ in range(20):
        b.tick(0.01, FED, load=6e6)
    assert b.is_("short_time_travel") == pytest.approx(2 / 3)
    b.tick(0.01, FED, load=0.5e6)
    assert b.is_("short_time_travel") == 0
    assert flags(b) == []


def test_once_an_element_has_operated_the_contacts_open_even_if_the_current_is_gone(bench):
    b = bench(unit())
    b.tick(0.03, FED, load=15e6)
    assert (b.is_("operated_by"), b.is_("operated_for")) == (3.0, pytest.approx(0.01))
    ticked_until_open(b, 0.01, 0.2e6)
    assert b.is_("tripped_instantaneous_at") == pytest.approx(0.07)
    assert b.is_("operated_by") == 0


def test_a_trip_latches_until_reset_and_trips_again_on_the_same_fault(bench):
    b = bench(unit())
    ticked_until_open(b, 0.01, 15e6)
    for _ in range(10):
        assert b.tick(0.01, FED).voltage == 0
    b.set(reset=1)
    assert b.tick(0.01, FED, load=0.2e6).voltage == 1
    assert flags(b) == []
    began = b.now
    ticked_until_open(b, 0.01, 15e6)
    assert b.is_("tripped_instantaneous_at") - began == pytest.approx(0.07)


def test_stuck_contacts_carry_on_and_open_when_freed(bench):
    b = bench(unit(), fails_to_open=1)
    for _ in range(30):
        b.tick(0.01, FED, load=15e6)
    assert b.is_("failed_to_open") == 1
    assert b.is_("failed_to_open_at") == pytest.approx(0.07)
    assert flags(b) == []
    b.set(fails_to_open=0)
    assert b.tick(0.01, FED, load=15e6).voltage == 0
    assert flags(b) == ["tripped_instantaneous"]


def test_blind_protection_sees_nothing(bench):
    b = bench(unit(undervoltage_limit=0.5), protection_failed=1)
    for _ in range(50):
        b.tick(0.01, FED, load=15e6)
    b.tick(1.0, [(0.2, 0.0)])
    assert flags(b) == []
    b.set(protection_failed=0)
    ticked_until_open(b, 0.01, 15e6)
    assert b.is_("tripped_instantaneous_at") == pytest.approx(0.5 + 1.0 + 0.07)


@pytest.mark.parametrize("dt", [0.1, 0.02])
def test_the_undervoltage_release(bench, dt):
    """A sag to 40 % from 1 s on, 0.5 s until the release acts, 50 ms until the contacts are open."""
    b = bench(unit(undervoltage_limit=0.5, undervoltage_delay=0.5))
    while b.now < 1.0 - 1e-9:
        b.tick(dt, FED, load=0.5e6)
    while not flags(b):
        b.tick(dt, [(0.4, 0.0)], load=0.5e6)
    assert flags(b) == ["tripped_undervoltage"]
    assert b.is_("tripped_undervoltage_at") == pytest.approx(1.55)
    assert b.tick(dt, FED).voltage == 0, "and it stays open when the voltage is back"
    b.set(reset=1)
    assert b.tick(dt, FED).voltage == 1


def test_a_short_sag_does_not_release_it(bench):
    b = bench(unit(undervoltage_limit=0.5, undervoltage_delay=0.5))
    for _ in range(3):
        for voltage in (0.4, 1.0):
            b.tick(0.4, [(voltage, 0.0)], load=0.5e6)
    b.tick(1.0, [(1.0, 0.45)], load=0.5e6)
    assert flags(b) == []


def test_without_a_release_a_dead_feed_moves_nothing(bench):
    b = bench(unit())
    b.tick(100.0, [(0.0, 100.0)])
    assert flags(b) == []
    assert b.tick(1.0, FED).voltage == 1


def test_shedding_opens_it_until_reset(bench):
    b = bench(unit())
    b.tick(0.1, FED, load=0.5e6, shed=0.0)
    served = b.tick(0.1, FED, load=0.5e6, shed=0.02)
    assert (served.voltage, served.gap) == (0, pytest.approx(0.07)), "raised 20 ms ago, opens 30 ms from now"
    assert (flags(b), b.is_("load_shed_at")) == (["load_shed"], pytest.approx(0.13))
    for _ in range(100):
        b.tick(0.1, FED, shed=0.0)
    assert flags(b) == ["load_shed"]
    b.set(reset=1)
    assert b.tick(0.1, FED, shed=0.0).voltage == 1
    assert flags(b) == []


@pytest.mark.parametrize("dt", [1.0, 0.3])
def test_shedding_that_ends_closes_it_again_after_its_delay(bench, dt):
    b = bench(unit(shed_return_delay=10.0))
    for _ in range(3):
        b.tick(dt, FED, load=0.5e6, shed=1.0)
    quiet = b.now
    while flags(b):
        served = b.tick(dt, FED, load=0.5e6, shed=0.0)
    assert b.is_("load_shed_at") - quiet == pytest.approx(10.0)
    assert b.now - quiet - (dt - served.gap) == pytest.approx(10.0), "and feeds from that moment on"
    assert b.tick(dt, FED, load=0.5e6, shed=0.0).gap == 0


def test_many_breakers_at_once_are_as_each_alone(bench):
    """Different curves side by side in one table: columns do not meet."""
    loads = [3e6, 6e6, 15e6, 6e6]
    kinds = (("thermal", 0), ("standard_inverse", 0), ("long_time", 12), ("very_inverse", 4))
    rows = [{"curve": CURVES[name], "instantaneous_pickup": pickup} for name, pickup in kinds]
    said = {"rated_power": 1e6, "opening_time": 0.04, "instantaneous_delay": 0.01}
    together = bench(Breaker(**said, **{key: np.array([[row[key] for row in rows]]) for key in rows[0]}), count=4)
    alone = [bench(Breaker(**said, **row)) for row in rows]
    for _ in range(300):
        together.tick(0.01, FED, load=loads)
        for each, load in zip(alone, loads, strict=True):
            each.tick(0.01, FED, load=load)
    for name in ("position", "overload_travel", "heating", *(f"{each}_at" for each in TRIPS)):
        found = np.ravel(getattr(together.state, name))
        assert list(found) == [each.is_(name) for each in alone], name
