"""UPS, in depth: eco mode, input window, overload and bypass, modules, ageing, the counter of sags."""

import numpy as np
import pytest

from twin.declare import MODES
from twin.equipment.ups import UPS

GOOD, DEAD = (1.0, 0.0), (0.0, 1.0)


def unit(**more):
    return UPS(**{"rated_power": 2e6, "battery_energy": 6e8, "recharge_power": 2e5, **more})


def run(b, seconds, feeds=(GOOD,), load=1e6, dt=1.0, **more):
    for _ in range(round(seconds / dt)):
        answer = b.tick(dt, [(v, dt if v == 0 else 0.0) for v, _ in feeds], load=load, **more)
    return answer


# Efficiency


def test_eco_mode_lies_within_what_sheets_say():
    """Galaxy VX in eConversion: 98.5 to 99.3 %."""
    found = [unit().efficiency(2e6 * x, eco=True) for x in (0.25, 0.5, 0.75, 1.0)]
    assert [round(100 * each, 1) for each in found] == [98.6, 99.0, 99.2, 99.2]


def test_more_modules_at_work_for_the_same_load_lose_more_at_rest():
    """4 + 1 modules of 500 kW: 2.5 MW of modules for 2 MW of rating."""
    u = unit(modules=5.0, redundant_modules=1.0)
    assert u.loss(1e6) == pytest.approx(2.5e6 * (0.008 + 0.008 * 0.4 + 0.009 * 0.16))


# Modules


def test_a_redundant_module_may_fail_and_the_next_takes_rating_with_it(bench):
    b = bench(unit(modules=5.0, redundant_modules=1.0), modules_failed=1)
    run(b, 2, load=1.8e6)
    assert (b.gives("load_fraction"), b.is_("overloaded")) == (pytest.approx(0.9), 0)
    b.set(modules_failed=2)
    run(b, 1, load=1.8e6)
    assert (b.gives("load_fraction"), b.is_("overloaded")) == (pytest.approx(1.2), 1)
    b.set(modules_failed=5)
    answer = run(b, 1, load=1.8e6)
    assert (b.is_("on_bypass"), answer.voltage, answer.power.real) == (1, 1, 1.8e6)
    assert b.worst < 1e-12


# Overload


@pytest.mark.parametrize(("load", "seconds"), [(2.5e6, 600.0), (3.0e6, 60.0)])
@pytest.mark.parametrize("dt", [1.0, 0.7])
def test_it_bears_overload_as_long_as_its_sheet_says(bench, load, seconds, dt):
    b = bench(unit(battery_energy=1e10))
    run(b, seconds + 2 * dt, load=load, dt=dt)
    assert b.is_("overload_tripped") == 1
    assert b.is_("overload_tripped_at") == pytest.approx(seconds, abs=1e-6)
    assert b.is_("on_bypass_at") == pytest.approx(seconds, abs=1e-6)
    assert b.is_("on_bypass") == 1
    assert unit().overload_time(load) == pytest.approx(seconds)
    assert b.worst < 1e-10


def test_it_takes_its_load_back_when_it_has_rested(bench):
    b = bench(unit())
    run(b, 62, load=3e6)
    assert b.is_("on_bypass") == 1
    run(b, 100, load=3e6)
    assert b.is_("on_bypass") == 1, "not while the load is too much"
    run(b, 450, load=1e6)
    assert b.is_("overload_tripped") == 1
    run(b, 60, load=1e6)
    assert (b.is_("overload_tripped"), b.is_("on_bypass")) == (0, 0)


def test_without_a_bypass_an_overload_drops_the_load_at_its_moment(bench):
    b = bench(unit(overload_time_150=60.4), bypass_failed=1)
    for _ in range(60):
        b.tick(1.0, [GOOD], load=3e6)
    answer = b.tick(1.0, [GOOD], load=3e6)
    assert (answer.voltage, answer.gap) == (0, pytest.approx(0.6))
    assert run(b, 1, load=3e6).voltage == 0
    assert b.worst < 1e-10


def test_overload_on_battery_ends_on_a_dead_bypass(bench):
    b = bench(unit(battery_energy=1e10))
    run(b, 1, load=3e6)
    answer = run(b, 61, [DEAD], load=3e6)
    assert (answer.voltage, b.is_("overload_tripped")) == (0, 1)


# Eco mode


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.002, 0.001])
def test_eco_mode_loses_four_milliseconds_when_its_feed_dies(bench, dt):
    b = bench(unit(), eco=1)
    answer = run(b, max(3 * dt, 1.0), dt=dt, load=1e6 + 2e5j)
    assert b.is_("on_eco") == 1
    assert answer.power == pytest.approx(1e6 + unit().eco_loss(1e6) + 2e5j, rel=1e-12)
    without = 0.0
    for _ in range(8):
        without += b.tick(dt, [(0.0, dt)], load=1e6).gap
    assert without == pytest.approx(0.004, abs=1e-12)
    assert (b.is_("on_eco"), b.is_("on_battery")) == (0, 1)
    assert b.worst < 1e-9


def test_eco_mode_leaves_its_narrow_window_for_conversion_and_comes_back(bench):
    b = bench(unit(), eco=1)
    run(b, 2)
    answer = b.tick(1.0, [(0.88, 0.0)], load=1e6)
    assert (answer.voltage, answer.gap, b.is_("on_eco"), b.is_("on_battery")) == (1, 0.004, 0, 0)
    assert run(b, 1, [(0.88, 0.0)]).power == pytest.approx(1e6 + unit().loss(1e6))
    run(b, 2)
    assert b.is_("on_eco") == 1
    b.set(eco=0)
    assert b.tick(1.0, [GOOD], load=1e6).gap == 0, "a change that is wanted costs nothing"


def test_eco_mode_waits_for_the_walk_in(bench):
    b = bench(unit(), eco=1)
    run(b, 2)
    run(b, 5, [DEAD])
    run(b, 9)
    assert b.is_("on_eco") == 0
    run(b, 2)
    assert b.is_("on_eco") == 1
    assert b.worst < 1e-10


# Bypass


def test_on_its_bypass_it_drops_its_load_with_its_feed(bench):
    b = bench(unit(), mode=MODES["bypass"])
    assert run(b, 2).gap == 0
    assert b.is_("dropped") == 0
    b.tick(1.0, [(0.0, 0.4)], load=1e6)
    assert (b.is_("dropped"), b.is_("depleted"), b.is_("dropped_at")) == (1, 0, pytest.approx(2.6))
    run(b, 2, [DEAD])
    b.tick(1.0, [(1.0, 0.3)], load=1e6)
    assert (b.is_("dropped"), b.is_("dropped_at")) == (0, pytest.approx(5.3))
    b.set(bypass_failed=1)
    run(b, 1)
    assert (b.is_("dropped"), b.is_("on_bypass")) == (1, 0), "its static switch does not close"
    b.set(mode=MODES["auto"], bypass_failed=0)
    assert run(b, 2).gap == 0
    assert (b.is_("dropped"), b.is_("on_bypass")) == (0, 0)


# Input window


@pytest.mark.parametrize(
    ("feed", "frequency", "battery"),
    [((1.0, 0.0), 1.0, 0), ((0.86, 0.0), 1.0, 0), ((1.2, 0.0), 1.0, 1), ((1.0, 0.0), 0.88, 1), ((1.0, 0.0), 1.12, 1)],
)
def test_voltage_and_frequency_have_a_window(bench, feed, frequency, battery):
    b = bench(unit())
    answer = b.tick(1.0, [feed], load=1e6, frequency=[frequency])
    assert (b.is_("on_battery"), answer.voltage, answer.gap) == (battery, 1, 0)


def test_a_broken_rectifier_runs_the_battery_down_and_then_the_bypass_helps(bench):
    b = bench(unit(battery_energy=1.0285e7), rectifier_failed=1)
    run(b, 1)
    voltages = [b.tick(1.0, [GOOD], load=1e6) for _ in range(12)]
    assert {(each.voltage, each.gap) for each in voltages} == {(1, 0)}
    assert (b.is_("on_bypass"), b.is_("on_battery"), b.is_("depleted")) == (1, 0, 0)
    assert b.is_("on_bypass_at") == pytest.approx(10.0, abs=0.02)
    assert b.is_("energy") == pytest.approx(0, abs=1e3)
    assert b.worst < 1e-10


def test_an_empty_battery_gives_way_to_a_second_feed_that_lives(bench):
    b = bench(unit(battery_energy=1.0285e7))
    run(b, 1, [GOOD, GOOD])
    answers = [b.tick(1.0, [DEAD, GOOD], load=1e6) for _ in range(12)]
    assert {(each.voltage, each.gap) for each in answers} == {(1, 0)}
    assert answers[-1].split == [0, 1]
    assert answers[-1].power == pytest.approx(1e6, rel=1e-3), "the bypass loses nothing"
    assert b.worst < 1e-10


# Battery


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_the_rate_of_discharge_shortens_it_as_the_closed_form_says(bench, dt):
    u = unit(battery_energy=2.5e7, discharge_loss=0.08)
    b = bench(u)
    run(b, 1, dt=dt)
    start = b.now
    while not b.is_("depleted"):
        b.tick(dt, [(0.0, dt)], load=1e6)
    need = 1.0285e6
    assert b.is_("depleted_at") - start == pytest.approx(2.5e7 / (need * (1 + 0.08 * need / 2e6)), abs=1e-6)
    assert u.autonomy(1e6) == pytest.approx(b.is_("depleted_at") - start, abs=1e-6)
    assert b.worst < 1e-10


def test_age_cold_and_cut_off_shorten_it(bench):
    u = unit(battery_energy=1e8, capacity_fade=0.2, battery_life=3.156e8, cutoff_charge=0.1, cold_loss=0.01)
    b = bench(u, battery_age=1.578e8, battery_temperature=288.15)
    assert b.is_("energy") == pytest.approx(0.9e8)
    run(b, 1)
    start = b.now
    while not b.is_("depleted"):
        b.tick(1.0, [DEAD], load=1e6)
    assert b.is_("depleted_at") - start == pytest.approx(0.9e8 * 0.8 / 1.0285e6, abs=1e-6)
    assert u.autonomy(1e6, 1.578e8, 288.15) == pytest.approx(0.9e8 * 0.8 / 1.0285e6)
    assert b.gives("state_of_charge") == pytest.approx(0.2)
    assert b.gives("autonomy") == 0.0


def test_a_battery_that_is_too_weak_for_the_load_drops_it(bench):
    b = bench(unit(battery_power_limit=0.5))
    run(b, 1, load=1.2e6)
    assert run(b, 1, [DEAD], load=1.2e6).voltage == 0
    c = bench(unit(battery_power_limit=0.5))
    run(c, 1, load=0.9e6)
    assert run(c, 1, [DEAD], load=0.9e6).voltage == 1


def test_it_warns_at_the_moment_its_charge_is_low(bench):
    b = bench(unit(battery_energy=1.0285e7, low_charge=0.25))
    run(b, 1)
    run(b, 8, [DEAD])
    assert (b.is_("battery_low"), b.is_("battery_low_at")) == (1, pytest.approx(8.5))


@pytest.mark.parametrize(
    ("inputs", "told", "charge"),
    [({}, 0, 2e5), ({"inhibit_recharge": 1}, 0, 0), ({"charger_failed": 1}, 0, 0), ({}, 5.0, 0.25 * 2e5)],
)
def test_recharge_can_be_forbidden_or_small_on_generators(bench, inputs, told, charge):
    b = bench(unit(generator_recharge=0.25), initial_charge=0.5, **inputs)
    answer = run(b, 1, on_generator=told)
    assert answer.power == pytest.approx(1e6 + unit().loss(1e6) + charge)


# Sags


def sag(b, residual=0.3, seconds=0.06, dt=0.002):
    run(b, seconds, [(residual, 0.0)], dt=dt)


def test_ride_through_bears_any_number_of_sags(bench):
    b = bench(unit())
    run(b, 1)
    for _ in range(8):
        sag(b)
        assert b.is_("on_battery") == 1
        run(b, 12)
        assert b.is_("on_battery") == 0
    assert b.is_("locked") == 0
    assert b.worst < 1e-9


def test_the_counter_locks_to_battery_until_it_is_reset_and_asks_for_generators(bench):
    b = bench(unit(), sag_logic=1)
    run(b, 1)
    for expected in (0, 0, 1):
        start = b.now
        sag(b)
        assert b.is_("locked") == expected
        run(b, 14)
    assert b.is_("locked_at") == pytest.approx(start)
    assert b.gives("start_request") == pytest.approx(b.now - start)
    assert (b.is_("on_battery"), run(b, 1).power) == (1, 0), "with a feed that has long been good"
    b.set(reset=1)
    assert run(b, 1).power.real > 0
    assert (b.is_("locked"), b.gives("start_request")) == (0, 0)
    sag(b)
    assert b.is_("locked") == 0, "and counts from the beginning"
    assert b.worst < 1e-9


def test_sags_that_are_far_apart_do_not_lock(bench):
    b = bench(unit(), sag_logic=1)
    for _ in range(6):
        sag(b)
        run(b, 31)
    assert b.is_("locked") == 0


def test_a_dip_within_a_tick_locks_at_once(bench):
    b = bench(unit(sag_count=1.0), sag_logic=1)
    run(b, 1)
    answer = b.tick(1.0, [(1.0, 0.06)], load=1e6)
    assert (answer.voltage, answer.gap, answer.power) == (1, 0, 0)
    assert (b.is_("locked"), b.is_("locked_at")) == (1, 1.0)


def test_locked_it_takes_generators_and_refuses_the_utility(bench):
    b = bench(unit(sag_count=1.0), sag_logic=1)
    run(b, 1)
    sag(b)
    run(b, 30)
    assert run(b, 1, on_generator=3.0).power.real > 0
    run(b, 12, on_generator=4.0)
    assert (b.is_("locked"), b.is_("on_battery")) == (1, 0)
    run(b, 1)
    assert b.is_("on_battery") == 1


def test_locked_the_load_is_lost_when_the_battery_is_empty_although_feed_and_bypass_live(bench):
    b = bench(unit(sag_count=1.0, battery_energy=2e7), sag_logic=1)
    run(b, 1, [GOOD, GOOD])
    sag(b)
    answer = run(b, 30, [GOOD, GOOD])
    assert (answer.voltage, answer.gap, b.is_("depleted")) == (0, 1.0, 1)
    assert b.is_("depleted_at") == pytest.approx(b.is_("locked_at") + 2e7 / 1.0285e6, abs=1e-3)


def test_the_ledger_closes_whatever_fails(bench):
    random = np.random.default_rng(11)
    b = bench(
        unit(
            battery_energy=5e7,
            discharge_loss=0.06,
            modules=4.0,
            redundant_modules=1.0,
            cutoff_charge=0.1,
        ),
        sag_logic=1,
    )
    failures = ("inverter_failed", "battery_failed", "rectifier_failed", "bypass_failed", "charger_failed")
    for _ in range(3000):
        dt = float(random.choice([0.001, 0.1, 1.0, 10.0]))
        for name in (*failures, "eco", "reset", "inhibit_recharge"):
            if random.random() < 0.05:
                b.set(**{name: float(random.random() < 0.3)})
        b.set(modules_failed=float(random.choice([0, 0, 0, 1, 2, 4])))
        b.set(mode=MODES[random.choice(["auto"] * 12 + ["off", "bypass", "locked_out"])])
        feeds = [random.choice([0, 1, 2], p=[0.15, 0.7, 0.15]) for _ in range(2)]
        told = [
            (0.0, dt) if f == 0 else (1.0, 0.0) if f == 1 else (random.choice([0.3, 0.88, 1.0]), 0.3 * dt)
            for f in feeds
        ]
        answer = b.tick(dt, told, load=random.uniform(0, 3.2e6), on_generator=float(random.random() < 0.2))
        assert answer.power.real >= -1.0
        assert -1e-12 <= answer.gap <= dt + 1e-12
        shares = sum(answer.split)
        assert shares == pytest.approx(1) or (shares == 0 and abs(answer.power) < 1e-6 * 2e6)
        assert np.isfinite([b.is_("energy"), b.is_("overload_used"), b.gives("autonomy")]).all()
    assert b.worst < 1e-9
