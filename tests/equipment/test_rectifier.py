"""Rectifier: its curve, its batteries against the clock, its walk-in, its overload, and its books."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.equipment.rectifier import Rectifier

UNIT = {"rated_power": 1e6, "efficiency_at_10": 0.95, "efficiency_at_20": 0.97, "efficiency_at_50": 0.98,
        "efficiency_at_100": 0.98}  # fmt: skip
BATTERY = {"battery_energy": 60e6, "battery_power": 0.8e6, "recharge_power": 100e3}
GOOD = [(1, 0.0)]


def lose(dt):
    return [(0, dt)]


@pytest.mark.parametrize(("x", "eta"), [(0.1, 0.95), (0.2, 0.97), (0.5, 0.98), (1.0, 0.98)])
def test_its_curve_goes_through_its_points(x, eta):
    assert Rectifier(**UNIT).efficiency(x * 1e6) == pytest.approx(eta, rel=1e-13)


def test_a_steady_tick_by_hand(bench):
    """Half a megawatt at 98 %, power factor 0.99 at the AC side, 625 A at 800 V on the other."""
    b = bench(Rectifier(**UNIT))
    answer = b.tick(1.0, GOOD, load=0.5e6)
    assert answer.power.real == pytest.approx(0.5e6 / 0.98, rel=1e-12)
    assert answer.power.real / abs(answer.power) == pytest.approx(0.99, rel=1e-12)
    assert (b.gives("current"), b.gives("load_fraction")) == (625.0, 0.5)
    assert answer.voltage == 1.0
    assert b.worst < 1e-12


def test_a_sagging_feed_is_held_up_to_its_nominal_voltage_until_it_is_refused(bench):
    b = bench(Rectifier(**UNIT))
    assert b.tick(0.01, [(0.86, 0.0)], load=0.5e6).voltage == 1.0
    assert b.tick(0.01, [(0.84, 0.0)], load=0.5e6).voltage == 0.0


@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_the_battery_lasts_as_long_as_its_energy(bench, dt):
    """60 MJ bear 500 kW and losses of 10.2 kW for 117.6 s; then the bus is dead, and the moment is told."""
    b = bench(Rectifier(**UNIT, **BATTERY))
    b.tick(dt, GOOD, load=0.5e6)
    t0 = b.now
    while not b.is_("dead"):
        b.tick(dt, lose(dt), load=0.5e6)
    assert b.is_("on_battery_at") == pytest.approx(t0, abs=1e-9)
    assert b.is_("dead_at") - t0 == pytest.approx(60e6 * 0.98 / 0.5e6, rel=1e-6)
    assert b.worst < 1e-11


def test_a_battery_too_weak_for_its_load_drops_it(bench):
    b = bench(Rectifier(**UNIT, **BATTERY))
    b.tick(1.0, GOOD, load=0.9e6)
    assert b.tick(1.0, lose(1.0), load=0.9e6).voltage == 0.0
    assert b.is_("dead") == 1


def test_it_walks_in_with_the_battery_bearing_the_rest_then_recharges(bench):
    """A ramp of 2 s: the feed bears a quarter of the need in its first second on average, three in the next."""
    b = bench(Rectifier(**UNIT, **BATTERY))
    b.tick(1.0, GOOD, load=0.5e6)
    b.tick(1.0, lose(1.0), load=0.5e6)
    need = 0.5e6 / 0.98
    seen = [b.tick(1.0, GOOD if k else [(1, 1e-12)], load=0.5e6).power.real for k in range(3)]
    assert seen == pytest.approx([0.25 * need, 0.75 * need, need + 100e3], rel=1e-6)
    for _ in range(30):
        b.tick(1.0, GOOD, load=0.5e6)
    assert b.gives("state_of_charge") == pytest.approx(1.0, abs=1e-12)
    assert b.is_("on_battery") == 0


def test_without_a_battery_the_bus_is_dead_until_the_ramp_is_done(bench):
    b = bench(Rectifier(**UNIT))
    b.tick(1.0, GOOD, load=0.5e6)
    assert b.tick(1.0, [(0, 0.5)], load=0.5e6).gap == 0.5
    assert b.is_("dead_at") == 1.5
    answer = b.tick(1.0, [(1, 0.25)], load=0.5e6)
    assert (answer.voltage, answer.gap) == (0, 1.0)
    b.tick(1.0, GOOD, load=0.5e6)
    answer = b.tick(1.0, GOOD, load=0.5e6)
    assert (answer.voltage, answer.gap) == (1, pytest.approx(0.25))
    assert b.is_("dead_at") == pytest.approx(4.25)
    assert b.worst < 1e-12


def test_a_transfer_of_milliseconds_calls_for_no_walk_in(bench):
    b = bench(Rectifier(**UNIT))
    answer = b.tick(1.0, [(1, 0.004)], load=0.5e6)
    assert (answer.voltage, answer.gap) == (1, 0.004)


@pytest.mark.parametrize(("load", "seconds"), [(1.19e6, 5.0), (1.49e6, 0.15), (1.6e6, 0.001)])
@pytest.mark.parametrize("dt", [0.01, 0.5])
def test_overloads_trip_after_their_time_and_stay_tripped(bench, load, seconds, dt):
    b = bench(Rectifier(**UNIT))
    for _ in range(round(6 / dt)):
        b.tick(dt, GOOD, load=load)
        if b.is_("tripped"):
            break
    assert b.is_("tripped_at") == pytest.approx(seconds, abs=1e-6)
    answer = b.tick(dt, GOOD, load=load)
    assert (answer.voltage, answer.power) == (0, 0)
    b.set(reset=1.0)
    b.tick(dt, GOOD, load=0.5e6)
    assert b.is_("tripped") == 0


@pytest.mark.parametrize(("input_", "value"), [("converter_failed", 1.0), ("mode", 0.0), ("in_service", 0.0)])
def test_it_stands_still_when_told_or_broken(bench, input_, value):
    b = bench(Rectifier(**UNIT), **{input_: value})
    answer = b.tick(1.0, GOOD, load=0.5e6)
    assert (answer.voltage, answer.power, b.is_("dead")) == (0, 0, 1)


def test_a_broken_converter_leaves_the_battery_to_bear_the_bus(bench):
    b = bench(Rectifier(**UNIT, **BATTERY))
    b.tick(1.0, GOOD, load=0.5e6)
    b.set(converter_failed=1.0)
    answer = b.tick(1.0, GOOD, load=0.5e6)
    assert (answer.voltage, answer.power, b.is_("on_battery")) == (1, 0, 1)
    b.set(battery_failed=1.0)
    assert b.tick(1.0, GOOD, load=0.5e6).voltage == 0


def test_ratings_at_odds_are_told():
    assert Rectifier(**UNIT).faults(1) == []
    (odd,) = Rectifier(**UNIT, overload_peak=1.1).faults(1)
    assert "overload_peak" in odd
    (bare,) = Rectifier(**UNIT, battery_energy=1e6).faults(1)
    assert "recharge_power is wanted" in bare


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from([0.001, 0.02, 0.3, 1.0, 20.0]), st.sampled_from([1e3, 0.5e6, 0.9e6, 1.1e6, 1.7e6]),
            st.floats(0, 1),
            st.booleans(), st.booleans(), st.booleans(), st.booleans(),
        ), min_size=1, max_size=25,
    ),
)  # fmt: skip
def test_books_close_whatever_happens(bench, battery, course):
    b = bench(Rectifier(**UNIT, **(BATTERY if battery else {})))
    for dt, load, gap, alive, failed, weak, reset in course:
        b.set(converter_failed=float(failed), battery_failed=float(weak), reset=float(reset))
        b.tick(dt, [(float(alive), gap * dt if alive else dt)], load=load)
        assert all(np.isfinite(np.ravel(value)).all() for value in vars(b.state).values())
        assert b.is_("energy") <= 60e6 * (1 + 1e-9)
    assert b.worst < 1e-4, "a millisecond of 60 MJ is written down to some microwatts"
