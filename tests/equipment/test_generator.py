"""Generator: start, closing, block loading, overload and fuel, in seconds and at any tick."""

import math

import pytest

from twin.declare import MODES
from twin.equipment.generator import Generator

TICKS = pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
FULL = 212.9 * 3.785411784e-3 / 3600  # 212.9 gal/h


def unit(**more):
    said = {"rated_power": 3e6, "fuel_tank": 40.0, "full_load_fuel": FULL, "idle_fuel": FULL / 12, **more}
    return Generator(**said)


def run(b, dt, until, *, load=0.0, asked_at=0.0, served=0.0):
    """Tick on with a request raised at `asked_at`; energy delivered and seconds alive."""
    energy = alive = 0.0
    while b.now < until - 1e-9:
        now = round(b.now / dt) * dt
        answer = b.tick(dt, load=load, start=max(now - asked_at, 0.0), served=served)
        energy, alive = energy + answer.load.real * dt, alive + dt - answer.gap
    return energy, alive


def test_fuel_by_hand():
    g = unit()
    assert g.fuel_flow(3e6) == pytest.approx(FULL, rel=1e-15)
    assert g.fuel_flow(1.5e6) == pytest.approx(FULL * (0.5 + 0.5 / 12), rel=1e-15)
    assert g.endurance(3e6) / 3600 == pytest.approx(40.0 / (212.9 * 3.785411784e-3), rel=1e-12)
    assert g.cranking_time() == 75.0


@TICKS
def test_it_starts_and_closes_on_a_dead_bus_in_its_turn(bench, dt):
    """Asked at 2.35 s, ready 10.2 s later; the second in order closes 1.5 s after that."""
    b = bench(unit(closing_order=1.0, arbitration_interval=1.5), start_delay=10.2)
    _, alive = run(b, dt, 20, asked_at=2.35)
    assert b.is_("running_at") == pytest.approx(2.35, abs=1e-9)
    assert b.is_("ready_at") == pytest.approx(12.55, abs=1e-9)
    assert b.is_("closed_at") == pytest.approx(14.05, abs=1e-9)
    assert alive == pytest.approx(20 - 14.05, abs=1e-9)


@TICKS
def test_it_parallels_on_a_live_bus(bench, dt):
    b = bench(unit(closing_order=7.0), start_delay=10.2)
    run(b, dt, 20, asked_at=2.35, served=1.0)
    assert b.is_("closed_at") == pytest.approx(12.55 + 5.0, abs=1e-9)


def test_order_follows_ticks_where_those_are_longer_than_the_interval(bench):
    b = bench(unit(closing_order=2.0, arbitration_interval=0.1), start_delay=10)
    run(b, 1.0, 20, asked_at=0.0)
    assert b.is_("closed_at") == pytest.approx(12.0, abs=1e-9)


@TICKS
def test_a_set_that_does_not_fire_gives_up(bench, dt):
    b = bench(unit(), fails_to_start=1)
    _, alive = run(b, dt, 80, asked_at=1.25)
    assert alive == 0
    assert b.is_("failed_to_start_at") == pytest.approx(76.25, abs=1e-8)
    assert (b.is_("running"), b.is_("ready")) == (0, 0)
    b.set(fails_to_start=0)
    run(b, dt, 82, asked_at=1.25)
    assert b.is_("running") == 0, "it stays locked out"
    b.set(mode=MODES["off"])
    run(b, dt, 83, asked_at=1.25)
    assert b.is_("failed_to_start") == 0, "until its switch is turned to off"


def test_let_go_it_cools_down_and_stops(bench):
    b = bench(unit(cooldown=30.0))
    run(b, 1.0, 20, load=1e6)
    assert b.is_("closed") == 1
    run(b, 1.0, 60, asked_at=99)
    assert (b.is_("closed"), b.is_("closed_at")) == (0, 20.0)
    assert (b.is_("running"), b.is_("running_at")) == (0, 50.0)


def test_asked_again_while_it_cools_down_it_is_ready_at_once(bench):
    b = bench(unit(cooldown=60.0))
    run(b, 1.0, 20)
    run(b, 1.0, 30, asked_at=99)
    run(b, 1.0, 32, asked_at=30.0)
    assert (b.is_("closed"), b.is_("closed_at")) == (1, 31.0), "a tick after the request, when it hears of it"


@pytest.mark.parametrize(("mode", "closed"), [("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(bench, mode, closed):
    b = bench(unit(), mode=MODES[mode])
    run(b, 1.0, 20, asked_at=99 if mode == "hand" else 0)
    assert b.is_("closed") == closed
    if mode == "hand":
        assert b.is_("closed_at") == 10.0


def test_in_hand_until_auto_without_a_request(bench):
    b = bench(unit(cooldown=5.0), mode=MODES["hand"])
    run(b, 1.0, 20, asked_at=99)
    b.set(mode=MODES["auto"])
    run(b, 1.0, 30, asked_at=99)
    assert (b.is_("closed"), b.is_("running_at")) == (0, 25.0)


def test_too_large_a_step_trips_it(bench):
    b = bench(unit())
    run(b, 1.0, 14, load=0.65 * 3e6)
    assert b.is_("tripped") == 0, "65 % at once is within its block step of 70 %"
    run(b, 1.0, 30, load=3e6)
    assert b.is_("tripped") == 0
    b = bench(unit())
    run(b, 1.0, 12, load=0.75 * 3e6)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (1, 10.0)
    assert b.is_("closed") == 0


def test_it_settles_on_a_load_by_its_recovery_time(bench):
    """A tick late: 3 s of it by 13.5 s."""
    b = bench(unit())
    run(b, 0.5, 13.5, load=1.5e6)
    assert b.is_("settled_load") == pytest.approx(1.5e6 * (1 - math.exp(-1)), rel=1e-12)


def test_paralleled_it_is_loaded_softly(bench):
    b = bench(unit())
    run(b, 1.0, 20, load=0.9 * 3e6, served=1.0)
    assert b.is_("tripped") == 0


@TICKS
def test_overload_trips_it_after_its_delay(bench, dt):
    b = bench(unit(overload_delay=4.5, block_step=2.0))
    run(b, dt, 20, load=0.9 * 3e6)
    energy, _ = run(b, dt, 40, load=1.15 * 3e6)
    assert (b.is_("tripped"), b.is_("overloaded"), b.is_("too_slow")) == (1, 1, 0)
    assert b.is_("tripped_at") == pytest.approx(24.5, abs=1e-8)
    assert energy == pytest.approx(4.5 * 3.45e6, rel=1e-9)


@TICKS
def test_it_runs_out_of_fuel_at_the_same_moment(bench, dt):
    """Idle for 10 s and then full load."""
    b = bench(unit(fuel_tank=10 * FULL / 12 + 7.35 * FULL, block_step=2.0))
    energy, _ = run(b, dt, 25, load=3e6)
    assert b.is_("out_of_fuel_at") == pytest.approx(17.35, abs=1e-8)
    assert energy == pytest.approx(7.35 * 3e6, rel=1e-9)
    assert b.is_("delivered_energy") == pytest.approx(energy, rel=1e-12)
    assert (b.is_("running"), b.is_("closed")) == (0, 0)
    assert b.is_("closed_at") == pytest.approx(17.35, abs=1e-8)


def test_out_of_service_it_stops(bench):
    b = bench(unit())
    run(b, 1.0, 20, load=1e6)
    b.set(in_service=0)
    run(b, 1.0, 21, load=1e6)
    assert (b.is_("closed"), b.is_("running"), b.is_("closed_at")) == (0, 0, 20.0)


# Speed, voltage and what they trip


def loaded(b, dt, steps, **more):
    """Tick on through (until, load) pairs; the lowest frequency and voltage seen [Hz], [1]."""
    low, sag = 60.0, 1.0
    for until, load in steps:
        while b.now < until - 1e-9:
            b.tick(dt, load=load, start=round(b.now / dt) * dt, **more)
            if b.is_("ready"):
                low, sag = min(low, b.gives("frequency_low")), min(sag, b.gives("voltage_low"))
    return low, sag


@TICKS
def test_a_tick_of_any_length_knows_the_dip(bench, dt):
    """60 % at once: 56.9 Hz and 99.3 %, whether looked at every 10 ms or every second."""
    low, sag = loaded(bench(unit()), dt, [(12, 0.0), (20, 0.6 * 3e6)])
    assert low == pytest.approx(56.8845, abs=2e-3)
    assert sag == pytest.approx(math.sqrt(0.5 + 0.5 * math.sqrt(1 - 4 * 0.04 * 0.36)), rel=1e-9)


def test_a_dip_beyond_its_class_is_said_and_dated(bench):
    for limit, said in ((0.03, 1), (0.07, 0)):
        b = bench(unit(frequency_dip_limit=limit, voltage_dip_limit=0.005))
        loaded(b, 1.0, [(12, 0.0), (13, 0.6 * 3e6)])
        assert b.is_("frequency_dips") == said
        assert (b.is_("voltage_dips"), b.is_("voltage_dips_at")) == (1, 12.0)
    moments = []
    for dt in (1.0, 0.01):
        b = bench(unit(frequency_dip_limit=0.03))
        loaded(b, dt, [(12, 0.0), (12.09, 0.6 * 3e6)] if dt < 1 else [(12, 0.0), (13, 0.6 * 3e6)])
        for _ in range(10 if dt < 1 else 0):
            b.tick(dt, load=0.6 * 3e6, start=b.now)
            moments += [b.is_("frequency_dips_at")] if b.is_("frequency_dips") else []
        moments += [b.is_("frequency_dips_at")] if dt == 1 else []
    assert moments[0] == pytest.approx(moments[1], abs=2e-3)
    loaded(b, 0.01, [(20, 0.6 * 3e6)])
    assert b.is_("frequency_dips") == 0


def test_droop_is_seen_at_its_terminals(bench):
    b = bench(unit(droop=0.04))
    loaded(b, 1.0, [(40, 0.5 * 3e6)])
    assert b.gives("frequency") == pytest.approx(60 * 0.98, abs=1e-4)
    assert bench(unit()).unit.block_step == 0.7


@TICKS
def test_beyond_what_its_engine_gives_it_slows_down_and_trips(bench, dt):
    """1.3 against 1.2: from 60 Hz in a straight line; a second below 54 Hz and it is off."""
    b = bench(unit(block_step=2.0, overload_delay=100.0, inertia=2.0))
    loaded(b, dt, [(20, 0.8 * 3e6), (40, 1.3 * 3e6)])
    assert (b.is_("too_slow"), b.is_("tripped"), b.is_("closed")) == (1, 1, 0)
    assert b.is_("tripped_at") == b.is_("too_slow_at")
    assert b.is_("too_slow_at") == pytest.approx(23.9583, abs=1e-3)


def test_left_by_its_load_it_speeds_up_and_trips(bench):
    b = bench(unit(block_step=2.0, inertia=0.4, governor_gain=3.0, frequency_rise_limit=0.05,
                   overfrequency_limit=1.06, overfrequency_delay=0.1))  # fmt: skip
    loaded(b, 0.05, [(14, 0.5 * 3e6), (20, 0.95 * 3e6), (21, 0.0)])
    assert (b.is_("frequency_rises_at") > 20, b.is_("too_fast"), b.is_("tripped")) == (True, 1, 1)
    assert 20.1 < b.is_("too_fast_at") < 20.4


@TICKS
@pytest.mark.parametrize(("load", "flag"), [(-0.2, "reverse_power"), (0.2 - 0.4j, "leading")])
def test_power_it_cannot_take_in_trips_it(bench, dt, load, flag):
    b = bench(unit(reverse_power_delay=2.5, leading_delay=2.5, overfrequency_delay=60.0))
    loaded(b, dt, [(16, load * 3e6)])
    assert (b.is_(flag), b.is_("tripped")) == (1, 1)
    assert b.is_(f"{flag}_at") == pytest.approx(12.5, abs=1e-6)


@TICKS
def test_a_set_that_fails_to_load_dies_when_it_is_loaded(bench, dt):
    b = bench(unit(), fails_to_load=1)
    loaded(b, dt, [(15, 0.0)])
    assert (b.is_("closed"), b.is_("ready_at")) == (1, pytest.approx(10.0))
    loaded(b, dt, [(16, 1e6)])
    assert (b.is_("failed_to_load"), b.is_("tripped")) == (1, 0)
    assert b.is_("failed_to_load_at") == pytest.approx(15.0, abs=1e-9)
    loaded(b, dt, [(18, 1e6)])
    assert (b.is_("closed"), b.is_("running")) == (0, 0)


def test_cranks_in_vain_delay_it_and_too_many_end_it(bench):
    b = bench(unit(crank_attempts=3.0), failed_cranks=2)
    run(b, 1.0, 75)
    assert (b.is_("ready"), b.is_("ready_at")) == (1, 70.0), "two cycles of 15 s and 15 s, and 10 s"
    b = bench(unit(crank_attempts=3.0), failed_cranks=3)
    run(b, 1.0, 80)
    assert (b.is_("failed_to_start"), b.is_("failed_to_start_at")) == (1, 75.0)


def test_hot_air_and_height_take_power(bench):
    g = unit(derating_by_temperature=0.01, altitude=1500, derating_by_altitude=1e-4, engine_limit=1.0)
    b = bench(g)
    run(b, 1.0, 1.0)
    assert b.gives("available_power") == pytest.approx(3e6 * 0.95)
    from twin.physics.genset import derating

    assert derating(g, 323.15) == pytest.approx(1 - 0.10 - 0.05)
    assert derating(unit(), 340.0) == 1.0


def test_a_tank_that_is_refilled_lasts(bench):
    tank = 10 * FULL / 12 + 7.35 * FULL
    b = bench(unit(fuel_tank=tank, block_step=2.0), refuel_flow=FULL)
    run(b, 1.0, 60, load=3e6)
    assert (b.is_("out_of_fuel"), b.is_("closed")) == (0, 1)
    assert b.is_("fuel") <= tank
    b = bench(unit(fuel_tank=1.0), initial_fuel=0.5, refuel_flow=0.01)
    run(b, 1.0, 30, asked_at=99)
    assert b.is_("fuel") == pytest.approx(0.5 + 0.3)
    run(b, 1.0, 80, asked_at=99)
    assert b.is_("fuel") == 1.0


def test_fuel_through_published_points():
    g = unit(three_quarter_load_fuel=0.7 * FULL, half_load_fuel=0.5 * FULL)
    assert g.fuel_flow(2.25e6) == pytest.approx(0.7 * FULL)
    assert g.fuel_flow(1.5e6) == pytest.approx(0.5 * FULL)
    assert g.fuel_flow(0.75e6) == pytest.approx(FULL * (1 / 12 + 0.25 * 11 / 12))


def test_overload_and_low_frequency_ask_for_load_to_be_shed(bench):
    b = bench(unit(block_step=2.0, overload_delay=99.0))
    loaded(b, 1.0, [(20, 0.9 * 3e6), (23, 1.1 * 3e6)])
    assert (b.is_("shedding"), b.is_("shedding_at"), b.gives("shed_request")) == (1, 20.0, 3.0)
    loaded(b, 1.0, [(24, 0.9 * 3e6)])
    assert (b.is_("shedding"), b.gives("shed_request")) == (0, 0)
