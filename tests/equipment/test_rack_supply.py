"""Rack on power shelves: losses, a feed lost, brake or trip, peaks, smoothing, sags; and its books all along."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import RACK
from twin.equipment.rack import Rack

FLOW = RACK["nominal_flow"]
GOOD, DEAD = (1.0, 0.0), (0.0, None)
SHELVES = {"shelf_count": 8, "lowest_voltage": 0.85, "leakage": 0.0}


def rack(**more):
    return Rack(**{**RACK, **SHELVES, **more})


def warm(b, dt=1.0, ticks=200, **inputs):
    b.set(**inputs)
    for _ in range(ticks):
        answer = run(b, dt)
    return answer


def run(b, dt, a=GOOD, other=GOOD):
    feeds = [(v, dt if gap is None else gap) for v, gap in (a, other)]
    return b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, feeds=feeds)


def test_losses_by_hand_go_to_the_room():
    """135 kW over 264 kW is 51.1 %: the curve gives 97.5 %; 10 % of the trays' heat and all of this warm the room."""
    unit = rack()
    b = WetBench(unit)
    answer = warm(b, utilisation=1.0)
    loss = unit.shelf_loss(135e3)
    assert 135e3 / (135e3 + loss) == pytest.approx(0.97504, abs=1e-5)
    assert answer.power == pytest.approx(135e3 + loss, rel=1e-12)
    assert answer.warm == pytest.approx(13.5e3 + loss, rel=1e-12)
    assert b.gives("loss") == pytest.approx(loss, rel=1e-12)
    assert b.gives("load_fraction") == pytest.approx(135 / 264, rel=1e-12)
    assert unit.nominal_power() == pytest.approx(135e3 + loss, rel=1e-14)
    assert b.worst < 1e-12


def test_heat_of_shelves_in_the_liquid():
    answer = warm(WetBench(rack(shelf_air_share=0.0)), utilisation=1.0)
    assert answer.warm == pytest.approx(13.5e3, rel=1e-12)
    C = FLOW * 3.99e6
    assert answer.outlet["coolant"] - 313.15 == pytest.approx((answer.power - 13.5e3) / C, rel=1e-7)


@pytest.mark.parametrize("eta", [(10, 0.93), (20, 0.96), (50, 0.975), (100, 0.965)])
def test_the_curve_passes_the_published_points(eta):
    unit, load = rack(), 264e3 * eta[0] / 100
    assert load / (load + unit.shelf_loss(load)) == pytest.approx(eta[1], rel=1e-13)


def test_without_shelves_it_is_as_before():
    b = WetBench(rack(shelf_count=0, lowest_voltage=0.0))
    answer = warm(b, utilisation=1.0)
    assert (answer.power, b.gives("loss")) == (135e3, 0.0)
    assert run(b, 1.0, DEAD).power == 135e3


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.005])
def test_a_feed_lost_at_full_power_brings_the_brake(dt):
    """Four shelves carry 132 kW of the 135 asked: the brake cuts the clock within 10 ms, and lets go when both live."""
    b = WetBench(rack())
    warm(b, utilisation=1.0)
    t0 = b.now
    for _ in range(max(2, round(0.02 / dt))):
        answer = run(b, dt, DEAD)
    assert (b.is_("braked"), b.is_("overloaded"), b.is_("tripped"), b.is_("unpowered")) == (1, 1, 0, 0)
    assert b.is_("overloaded_at") == pytest.approx(t0, abs=1e-9)
    assert b.is_("braked_at") == pytest.approx(t0 + 0.01, abs=1e-9)
    assert b.gives("power") == pytest.approx(132e3, rel=1e-9)
    assert answer.power == pytest.approx(132e3 / 0.965, rel=1e-9), "four shelves at full load"
    assert b.gives("clock") < 1.0
    assert answer.port.split == pytest.approx([0.0, 1.0])
    run(b, dt)
    run(b, dt)
    assert (b.is_("braked"), b.is_("overloaded"), b.gives("clock")) == (0, 0, pytest.approx(1.0))
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [2.0, 0.1])
def test_a_brake_that_fails_lets_the_shelves_trip_and_the_rack_waits_for_its_reset(dt):
    b = WetBench(rack(restart_time=30.0))
    warm(b, utilisation=1.0, brake_failed=1.0)
    t0 = b.now
    while b.now < t0 + 2.0 - 1e-9:
        run(b, dt, DEAD)
    assert (b.is_("tripped"), b.is_("unpowered"), b.is_("braked")) == (1, 1, 0)
    assert b.is_("tripped_at") == pytest.approx(t0 + 1.0, abs=1e-6)
    assert b.is_("unpowered_at") == pytest.approx(t0 + 1.0, abs=1e-6)
    for _ in range(round(60 / dt)):
        answer = run(b, dt)
    assert b.is_("unpowered") == 1, "a trip stays"
    assert answer.power < 3e3
    b.set(reset=1.0)
    run(b, dt)
    b.set(reset=0.0)
    assert b.is_("tripped") == 0
    for _ in range(round(31 / dt)):
        answer = run(b, dt)
    assert (b.is_("unpowered"), answer.power > 130e3) == (0, True)
    assert b.worst < 1e-11


def test_at_85_percent_a_feed_lost_is_carried():
    b = WetBench(rack())
    warm(b)
    answer = run(b, 1.0, DEAD)
    assert (b.is_("overloaded"), b.is_("braked"), b.gives("power")) == (0, 0, pytest.approx(119.25e3))
    assert answer.power == pytest.approx(119.25e3 + b.unit.shelf_loss(119.25e3, 132e3), rel=1e-12)


def test_shelves_lost_shift_the_load_to_the_other_feed():
    b = WetBench(rack())
    answer = warm(b, ticks=3, shelves_failed_a=2.0)
    assert answer.port.split == pytest.approx([2 / 6, 4 / 6])
    assert b.gives("load_fraction") == pytest.approx(119.25 / 198, rel=1e-12)
    answer = warm(b, ticks=3, shelves_failed_a=4.0)
    assert answer.port.split == pytest.approx([0, 1])
    answer = warm(b, ticks=1, utilisation=1.0)
    assert b.is_("braked") == 1
    warm(b, ticks=1, shelves_failed_b=4.0)
    assert b.is_("unpowered") == 1
    assert b.worst < 1e-11


def test_six_shelves_lost_leave_too_little_even_for_the_brake_to_help():
    """Two shelves carry 66 kW, idle GPUs and the rest take 59.4: the brake holds it; one carries 33: it trips."""
    b = WetBench(rack())
    warm(b, utilisation=1.0, shelves_failed_a=3.0)
    warm(b, ticks=5, shelves_failed_b=3.0)
    assert b.is_("tripped") == 1, "twice the rating of two shelves trips at once, before any brake"
    b = WetBench(rack(trip_load=5.0))
    warm(b, ticks=20, utilisation=1.0, shelves_failed_a=3.0, shelves_failed_b=3.0)
    assert (b.is_("tripped"), b.is_("braked"), b.gives("power")) == (0, 1, pytest.approx(66e3, rel=1e-9))
    warm(b, ticks=2, shelves_failed_b=4.0)
    assert b.is_("tripped") == 1


def test_sags_shorter_than_the_hold_up_do_not_drop_it():
    """0.8 of nominal is outside the window of 0.85: 18 ms are bridged, 30 ms are not; 0.9 draws constant power."""
    b = WetBench(rack())
    full = warm(b).power
    assert run(b, 0.018, (0.9, 0.0), (0.9, 0.0)).power == pytest.approx(full, rel=1e-12)
    sag = (0.8, 0.0), (0.8, 0.0)
    run(b, 0.018, *sag)
    assert (b.is_("unpowered"), b.is_("hold_up_energy")) == (0, pytest.approx(2700 - 0.018 * 119.25e3, rel=1e-9))
    warm(b, ticks=2)
    for _ in range(3):
        run(b, 0.010, *sag)
    assert b.is_("unpowered") == 1
    assert b.worst < 1e-11


def test_a_peak_lasts_its_time_and_meets_the_shelves():
    b = WetBench(rack(peak_duration=0.05))
    warm(b, utilisation=1.0)
    b.set(peak=155 / 135)
    seen = [run(b, 0.01) and b.gives("power") for _ in range(8)]
    assert seen == pytest.approx([155e3] * 5 + [135e3] * 3, rel=1e-9)
    assert b.is_("overloaded") == 0, "eight shelves carry 264 kW"
    b.set(peak=0.0)
    run(b, 0.01)
    b.set(peak=155 / 135)
    answer = run(b, 1.0)
    assert b.gives("power") == pytest.approx(135e3 + 20e3 * 0.05, rel=1e-9), "in a long tick its mean"
    assert answer.port.gap[0, 0] == 0


def square_wave(unit, smoothing, cycles=4, dt=0.005, period=2.0, trough=0.4, trough_share=0.15, peak=1.5):
    """Highest power at the input over a training profile: a peak of 30 ms opens each phase of work."""
    b = WetBench(unit)
    warm(b, utilisation=0.95, smoothing=smoothing, power_floor=0.9, ramp_up_rate=200e3, ramp_down_rate=200e3)
    most, books = 0.0, []
    low = (trough * 135 - 30) / 105
    for k in range(round(cycles * period / dt)):
        t = k * dt % period
        works = t < (1 - trough_share) * period
        b.set(utilisation=0.95 if works else low, peak=peak if works else 0.0)
        most = max(most, run(b, dt).power)
        books.append(b.is_("storage_energy"))
    assert b.worst < 1e-11
    return most, books


@pytest.mark.parametrize("period", [1.0, 2.0, 5.0])
def test_smoothing_takes_the_peak_off_the_grid(period):
    """V19: 65 J a GPU take 30 % (5 points) off the highest demand of a square wave with electrical peaks of 1.5 TDP."""
    unit = rack(storage_capacity=72 * 65.0, peak_duration=0.03)
    plain, _ = square_wave(unit, 0.0, period=period)
    smooth, stored = square_wave(unit, 1.0, period=period)
    assert plain == pytest.approx(1.5 * 135e3 + unit.shelf_loss(1.5 * 135e3), rel=1e-6)
    assert 1 - smooth / plain == pytest.approx(0.30, abs=0.05)
    assert 0 <= min(stored) < max(stored) <= 72 * 65.0


def test_a_store_that_fails_smooths_nothing():
    unit = rack(storage_capacity=72 * 65.0, peak_duration=0.03)
    b = WetBench(unit)
    warm(b, utilisation=0.5, smoothing=1.0, ramp_up_rate=1e9, storage_failed=1.0)
    b.set(peak=1.3)
    assert run(b, 0.005).power > 170e3
    assert b.is_("storage_energy") == 2340.0


def test_the_floor_is_burnt_for_its_time():
    """GPUs of 97.2 kW with a floor of half: work that ends leaves 48.6 kW, which then falls with its ramp to idle."""
    b = WetBench(rack())
    warm(b, utilisation=1.0, smoothing=1.0, power_floor=0.5, floor_hysteresis=3.0, ramp_down_rate=10e3)
    b.set(utilisation=0.0)
    seen = [run(b, 1.0) and b.gives("gpu_power") for _ in range(8)]
    assert seen[:3] == pytest.approx([48.6e3] * 3)
    assert seen[3:5] == pytest.approx([43.6e3, 33.6e3])
    assert seen[-1] == pytest.approx(21.6e3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(
    st.sampled_from([0.001, 0.02, 0.3, 1.0, 30.0]), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1),
    st.sampled_from([0.0, 1.0, 4.0]), st.sampled_from([0.0, 4.0]), st.sampled_from([0.0, 1.0, 1.5]),
    st.booleans(), st.booleans(), st.booleans(),
), min_size=1, max_size=30))  # fmt: skip
def test_books_close_whatever_happens_to_its_supply(course):
    b = WetBench(rack(storage_capacity=4680.0, leakage=0.003, restart_time=5.0))
    warm(b, ticks=5)
    for dt, work, gap_a, gap_b, lost_a, lost_b, peak, alive_a, alive_b, on in course:
        b.set(utilisation=work, shelves_failed_a=lost_a, shelves_failed_b=lost_b, peak=peak, smoothing=float(on),
              power_floor=0.8 * work, reset=float(alive_a), brake_failed=float(alive_b))  # fmt: skip
        run(b, dt, (float(alive_a), gap_a * dt if alive_a else dt), (float(alive_b), gap_b * dt if alive_b else dt))
        for name in vars(b.state):
            assert np.isfinite(b.is_(name)), name
        assert -1e-6 <= b.is_("storage_energy") <= 4680.0 + 1e-6
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [0.01, 0.05, 0.55, 2.2])
def test_after_an_electrical_peak_clocks_fall_for_half_a_second(dt):
    """A B200 gave up 30 % of its clock for 0.5 s after an EDP event (measured): mean clock by hand at any tick."""
    b = WetBench(rack(peak_duration=0.05, edp_clock_cut=0.3, leakage=0.0), utilisation=1.0)
    for _ in range(5):
        run(b, 1.0)
    b.set(peak=1.01)
    lost, powers = 0.0, []
    for _ in range(round(2.2 / dt)):
        run(b, dt)
        powers.append(b.gives("power"))
        lost += dt * (1.0 - b.gives("clock"))
    assert lost == pytest.approx(0.3 * 0.5, rel=1e-6)
    assert b.gives("clock") == pytest.approx(1.0 if dt < 1 else 1 - 0.3 * 0.5 / 2.2, rel=1e-6)
    if dt == 0.01:
        assert min(powers) == pytest.approx(135e3 - 0.3 * 0.72 * 105e3, rel=1e-9), "below the knee of its voltage"
