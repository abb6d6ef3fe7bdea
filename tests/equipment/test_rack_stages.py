"""Rack stages: in their order and to their moments, power before work, turns, ramps, draining; and its books."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import RACK
from twin.equipment.rack import Rack

FLOW = RACK["nominal_flow"]
TIMES = {"restart_time": 100.0, "soft_start_time": 10.0, "check_time": 30.0, "boot_power": 20e3, "check_power": 60e3,
         "leakage": 0.0}  # fmt: skip


def unit(**more):
    return Rack(**{**RACK, **TIMES, **more})


def run(b, dt=1.0, **about):
    return b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, **about)


def dark(b, dt=1.0, seconds=3.0):
    for _ in range(round(seconds / dt)):
        run(b, dt, gap=dt, alive=False)
    return b


@pytest.mark.parametrize("dt", [1.0, 0.25, 3.0])
def test_stages_follow_each_other_at_their_moments_with_their_power(dt):
    b = WetBench(unit())
    run(b, dt)
    dark(b, dt, 6.0)
    assert (b.gives("stage"), b.gives("ready")) == (0, 0)
    back, energy, seen = b.now, 0.0, []
    while b.is_("unpowered"):
        energy += dt * run(b, dt).power
        seen.append(b.gives("stage"))
    assert list(dict.fromkeys(seen)) == [1.0, 2.0, 3.0, 4.0]
    assert b.is_("soft_starting_at") == pytest.approx(back + 10.0), "it fell then"
    assert b.is_("booting_at") == pytest.approx(back + 70.0)
    assert b.is_("checking_at") == pytest.approx(back + 100.0)
    assert b.is_("unpowered_at") == pytest.approx(back + 100.0)
    past = b.now - back - 100.0
    refill = 0.02 * 135e3
    assert energy == pytest.approx(0.1e6 + 60 * 20e3 + 30 * 60e3 + past * 60e3 + refill, rel=1e-9)
    assert (b.gives("ready"), b.gives("training_speed")) == (1, 0), "no work in that tick"
    run(b, dt)
    run(b, dt)
    assert b.gives("power") == pytest.approx(119250.0, rel=1e-12)
    assert b.worst < 1e-11


def test_a_rack_waits_for_its_turn():
    b = dark(WetBench(unit(), turn_delay=25.0))
    for _ in range(25):
        assert run(b).power == 0.0, "its capacitors too wait for it"
        assert b.gives("stage") == 0
    for _ in range(99):
        run(b)
    assert b.gives("ready") == 0
    run(b)
    assert b.gives("ready") == 1


def test_a_rack_that_waits_for_others_takes_nothing_and_then_its_inrush_first():
    """Held for 5 s: nothing; then 2,700 J of its capacitors at a fifth of rated power at most, and its soft start."""
    b = dark(WetBench(unit(inrush_share=0.2)))
    for _ in range(5):
        assert run(b, held=1.0).power == 0.0
        assert b.gives("stage") == 0
    rising = 0.5 * 20e3 / 10.0
    assert run(b, 0.05).power == pytest.approx(0.2 * 135e3 + rising * 0.05, rel=1e-9)
    assert run(b, 0.05).power == pytest.approx(0.2 * 135e3 + rising * 0.15, rel=1e-9)
    assert run(b, 0.05).power == pytest.approx(rising * 0.25, rel=1e-9)
    assert b.is_("soft_starting") == 1


@pytest.mark.parametrize("cuts", [1, 20])
def test_capacitors_fill_from_the_turn_on_at_any_tick(cuts):
    """2,700 J at 2.7 kW at most, from 0.4 s into the second or 25.4 s into its supply on, beside a soft start."""
    held, told = dark(WetBench(unit(inrush_share=0.02))), dark(WetBench(unit(inrush_share=0.02), turn_delay=25.4))
    for _ in range(25):
        run(told)
    dt, waits, taken = 1.0 / cuts, 0.4, [0.0, 0.0]
    for _ in range(cuts):
        taken[0] += dt * run(held, dt, held=min(waits, dt)).power
        taken[1] += dt * run(told, dt).power
        waits = max(waits - dt, 0.0)
    assert taken == pytest.approx([0.6 * 2700 + 0.5 * 2e3 * 0.6**2] * 2, rel=1e-6)


def test_a_loss_of_supply_in_boot_begins_it_anew():
    b = dark(WetBench(unit()))
    for _ in range(60):
        run(b)
    assert b.gives("stage") == 2
    dark(b, seconds=1.0)
    assert (b.gives("stage"), b.is_("booting")) == (0, 0)
    for _ in range(99):
        run(b)
    assert b.gives("ready") == 0
    run(b)
    assert b.gives("ready") == 1


def test_work_comes_back_in_a_ramp():
    """Over 20 s from idle to 85 %: the mean of tick k is (k - 1/2)/20 of the work."""
    b = dark(WetBench(unit(ramp_time=20.0)))
    while b.is_("unpowered"):
        run(b)
    for k in range(1, 21):
        run(b)
        work = 0.85 * (k - 0.5) / 20
        assert b.gives("power") == pytest.approx(30e3 + work * 105e3, rel=1e-9)
    run(b)
    assert b.gives("power") == pytest.approx(119250.0, rel=1e-12)
    assert b.worst < 1e-11


def test_draining_takes_its_work_off_and_says_when_it_is_done():
    b = WetBench(unit(drain_time=40.0))
    run(b)
    b.set(drain=1.0)
    t0 = b.now
    for k in range(1, 41):
        run(b)
        assert b.gives("power") == pytest.approx(30e3 + 0.85 * (1 - (k - 0.5) / 40) * 105e3, rel=1e-9)
        assert (b.gives("stage"), b.gives("ready")) == (5, 0)
    assert b.is_("drained") == 1
    assert b.is_("drained_at") == pytest.approx(t0 + 40.0, abs=1e-6)
    b.set(drain=0.0)
    run(b)
    run(b)
    assert (b.is_("drained"), b.gives("stage"), b.gives("ready")) == (0, 4, 1)
    assert b.gives("power") == pytest.approx(119250.0, rel=1e-9)


def test_a_switch_turned_off_and_a_shutdown_are_off():
    b = WetBench(unit())
    run(b)
    assert (b.gives("stage"), b.gives("ready")) == (4, 1)
    b.set(in_service=0.0)
    run(b)
    assert (b.gives("stage"), b.gives("ready")) == (0, 0)
    b.set(in_service=1.0)
    b.put(shut_down=1.0)
    run(b)
    assert (b.gives("stage"), b.gives("ready")) == (0, 0)


def test_stages_longer_than_the_restart_are_a_fault():
    text = "its soft start and fabric check take 130 s, its whole restart 100 s; a longer restart_time is wanted"
    assert text in unit(soft_start_time=100.0).faults(2)
    assert unit().faults(2) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.05, 1.0, 20.0, 60.0]), st.floats(0, 1), st.booleans(), st.booleans(),
                          st.floats(0, 40)), min_size=1, max_size=25))  # fmt: skip
def test_books_close_whatever_happens_to_its_start(course):
    b = WetBench(unit(shelf_count=8, leakage=0.003, ramp_time=7.0, drain_time=9.0))
    for dt, gap, alive, drain, turn in course:
        b.set(drain=float(drain), turn_delay=turn)
        run(b, dt, gap=gap * dt if alive else dt, alive=alive)
        assert 0.0 <= b.is_("load_share") <= 1.0
        assert b.gives("ready") in (0.0, 1.0)
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [1.0, 0.5, 4.0])
@pytest.mark.parametrize("how", ["mode", "in_service"])
def test_a_rack_that_is_switched_on_again_boots_where_it_says_so(how, dt):
    """Off for 20 s, then 100 s of start with its power; without `boots_when_on` it is at once at work."""
    for boots in (1.0, 0.0):
        b = WetBench(unit(boots_when_on=boots))
        run(b, dt)
        b.set(**{how: 0.0})
        for _ in range(round(20 / dt)):
            assert run(b, dt).power == 0.0
        assert (b.is_("cold"), b.gives("stage")) == (boots, 0.0)
        b.set(**{how: 1.0})
        on, energy, seen = b.now, 0.0, []
        while not b.gives("ready"):
            energy += dt * run(b, dt).power
            seen.append(b.gives("stage"))
        if not boots:
            assert b.now - on == dt
            continue
        assert list(dict.fromkeys(seen)) == [1.0, 2.0, 3.0, 4.0]
        assert b.is_("cold_at") == pytest.approx(on + 100.0)
        assert b.is_("checking_at") == pytest.approx(on + 100.0)
        assert energy == pytest.approx(0.1e6 + 60 * 20e3 + 30 * 60e3 + (b.now - on - 100.0) * 60e3, rel=1e-9)
        run(b, dt)
        run(b, dt)
        assert b.gives("power") == pytest.approx(119250.0, rel=1e-12)
        assert b.worst < 1e-11


def test_a_rack_that_is_reset_after_a_shutdown_boots_where_it_says_so():
    b = WetBench(unit(boots_when_on=1.0, standby_power=2e3))
    for _ in range(120):
        answer = b.tick(1.0, {"coolant": 0.0}, {"coolant": 313.15})
    assert (b.is_("shut_down"), b.is_("cold")) == (1.0, 1.0)
    assert answer.power == pytest.approx(2e3), "on standby, and no clock runs before it is reset"
    for _ in range(300):
        run(b)
    assert (b.gives("stage"), b.is_("restart_clock")) == (0.0, 0.0)
    b.set(reset=1.0)
    for second in range(1, 101):
        run(b)
        assert (b.gives("ready"), b.gives("training_speed")) == (float(second >= 100), 0.0)
    run(b)
    run(b)
    assert b.gives("training_speed") > 0


def test_supply_lost_while_it_boots_begins_it_anew():
    b = WetBench(unit(boots_when_on=1.0))
    b.set(mode=0.0)
    run(b)
    b.set(mode=1.0)
    for _ in range(50):
        run(b)
    dark(b, 1.0, 5.0)
    for _ in range(99):
        run(b)
    assert b.gives("ready") == 0.0
    run(b)
    run(b)
    assert b.gives("ready") == 1.0
