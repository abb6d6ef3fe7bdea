"""Power shelves: the curve through its points, who carries what, and when the brake or the trip comes first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.electric import NEVER
from twin.physics.shelf import POINTS, Asking, Stamina, carry, curve_fault, loss_at, loss_curve, rating_alive, sides

PUBLISHED = (0.93, 0.96, 0.975, 0.965)


@pytest.mark.parametrize("efficiency", [PUBLISHED, (0.95, 0.97, 0.98, 0.98), (0.5, 0.7, 0.9, 1.0)])
def test_a_curve_goes_through_its_published_points_exactly(efficiency):
    curve = loss_curve(efficiency)
    for x, eta in zip(POINTS, efficiency):
        assert x / (x + loss_at(x, curve)) == pytest.approx(eta, rel=1e-13)


@given(st.tuples(*[st.floats(-2, 2)] * 4))
def test_a_loss_that_is_a_cubic_is_found_again(c):
    """Whatever the cubic, four of its points give it back."""
    loss = [c[0] + x * (c[1] + x * (c[2] + x * c[3])) for x in POINTS]
    efficiency = [1.0 / (1.0 + y / x) if abs(1.0 + y / x) > 1e-3 else None for x, y in zip(POINTS, loss)]
    if None not in efficiency:
        assert loss_curve(efficiency) == pytest.approx(c, abs=1e-7)


def test_a_curve_that_makes_power_is_refused():
    assert curve_fault(PUBLISHED) is None
    assert "makes power at" in (curve_fault((0.9, 0.965, 0.98, 0.98)) or "")
    assert "makes power at" in (curve_fault((1.0, 1.0, 1.0, 1.0)) or "")


def test_shelves_by_side():
    a = np.array([[8.0, 8.0, 8.0, 0.0]])
    none, lost = np.zeros((1, 4)), np.array([[0.0, 1.0, 5.0, 0.0]])
    side = sides(a, 0.5, 33e3, (none, none))
    assert side.weight is None
    assert side.whole
    side = sides(a, 0.5, 33e3, (lost, none))
    assert side.rating[0][0].tolist() == [132e3, 99e3, 0.0, NEVER]
    assert side.rating[1][0].tolist() == [132e3, 132e3, 132e3, NEVER]
    assert side.bare[0][0].tolist() == [0, 0, 1, 0]
    assert [w[0, 1] for w in side.weight] == [3.0, 4.0]


RATING = [np.array([[132e3]]), np.array([[132e3]])]


def tick(dt, gaps=(0.0, 0.0), dead=(False, False), steady=135e3, peak=None, time=0.0, braked=60e3, clock=0.0,
         brake=0.01, overload=1.0, trip=1.6):  # fmt: skip
    one = np.ones((1, 1))
    asking = Asking(steady * one, (steady if peak is None else peak) * one, time * one, braked * one)
    found = carry(asking, RATING, [g * one for g in gaps], [d * (one > 0) for d in dead],
                  Stamina(brake * one, overload * one, trip * one), clock * one, dt)  # fmt: skip
    return type(found)(*(float(np.ravel(x)[0]) for x in found))


def test_all_shelves_carry_what_half_of_them_cannot():
    assert tick(1.0)[:4] == (0.0, 0.0, 0.0, 0.0)
    found = tick(1.0, gaps=(0.0, 1.0), dead=(False, True))
    assert (found.over, found.braked, found.tripped, found.least) == (1, 1, 0, 132e3)
    assert found.brake == pytest.approx(0.99)
    assert (found.over_after, found.braked_after) == (0.0, 0.01)


def test_a_feed_that_dies_within_the_tick():
    """It dies 0.3 s before the end: overload from 0.7 s, brake from 0.71 s."""
    found = tick(1.0, gaps=(0.3, 0.0), dead=(True, False))
    assert found.clock == pytest.approx(0.3)
    assert (found.over_after, found.braked_after) == pytest.approx((0.7, 0.71))
    assert found.brake == pytest.approx(0.29)


def test_a_feed_that_comes_back_within_the_tick_ends_it():
    found = tick(1.0, gaps=(0.3, 0.0), clock=2.0)
    assert (found.over, found.clock, found.brake, found.over_after) == (0, 0, 0.3, 0.3)


def test_without_a_brake_the_shelves_trip_after_their_time_at_any_tick():
    for dt in (2.0, 0.3, 0.01):
        clock, now = 0.0, 0.0
        while True:
            found = tick(dt, gaps=(0.0, dt), dead=(False, True), brake=NEVER, clock=clock)
            if found.tripped:
                break
            clock, now = found.clock, now + dt
        assert now + found.lasts == pytest.approx(1.0, abs=1e-9)


def test_a_brake_slower_than_the_trip_comes_too_late_and_one_too_weak_is_no_help():
    late = tick(2.0, gaps=(0.0, 2.0), dead=(False, True), brake=1.5)
    weak = tick(2.0, gaps=(0.0, 2.0), dead=(False, True), braked=140e3)
    good = tick(2.0, gaps=(0.0, 2.0), dead=(False, True), brake=0.5)
    assert [x.tripped for x in (late, weak, good)] == [1, 1, 0]
    assert (late.lasts, weak.lasts, good.lasts) == (1.0, 1.0, 2.0)


def test_beyond_what_they_bear_they_trip_at_once():
    found = tick(1.0, gaps=(0.25, 0.0), dead=(True, False), steady=220e3)
    assert (found.tripped, found.lasts) == (1, 0.75)


def test_a_short_peak_passes_on_both_feeds_and_on_one():
    """50 ms of 155 kW: nothing on eight shelves, a brief overload on four."""
    assert tick(1.0, steady=120e3, peak=155e3, time=0.05).over == 0
    found = tick(1.0, gaps=(0.0, 1.0), dead=(False, True), steady=120e3, peak=155e3, time=0.05)
    assert (found.over, found.clock, found.tripped) == (0, 0, 0)
    assert found.brake == pytest.approx(0.04)
    held = tick(1.0, gaps=(0.0, 1.0), dead=(False, True), steady=120e3, peak=155e3, time=1.0, brake=NEVER)
    assert (held.over, held.tripped) == (1, 0)


def test_rating_that_lives():
    one = np.ones((1, 1))
    assert rating_alive([0.0 * one, 0.25 * one], [4.0 * one, 4.0 * one], 1.0)[0, 0] == 7.0
