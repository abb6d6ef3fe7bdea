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
    energy, _ = run(b, dt, 40, load=1.2 * 3e6)
    assert b.is_("tripped_at") == pytest.approx(14.5, abs=1e-8)
    assert energy == pytest.approx(4.5 * 3.6e6, rel=1e-9)


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
