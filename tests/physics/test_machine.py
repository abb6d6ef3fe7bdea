"""Machines: restart by its integral at any tick, published EIR points, Carnot, moments of crossings."""

from __future__ import annotations

import numpy as np
import pytest

from twin.physics.machine import (
    biquadratic,
    carnot_cop,
    moment_of_crossing,
    moment_of_restart,
    quadratic,
    restart,
)

CAPACITY = (1.092441e-01, -1.225892e-01, -2.802873e-03, 1.324138e-01, -4.714937e-03, 9.205744e-03)
INPUT = (6.396022e-01, -5.954060e-02, 5.884523e-04, 3.170651e-02, -5.088216e-04, 1.460759e-03)
PART_LOAD = (2.795792e-01, 7.872758e-02, 6.424321e-01)


def ramp_area(since, delay, rise):
    """Integral of clip((t - delay)/rise, 0, 1) from 0 to `since` [s]."""
    up = max(since - delay, 0.0)
    return up * up / (2 * rise) if up < rise else up - rise / 2


def live_through(ticks, alive, delay, rise, runs=1.0, clock=0.0):
    """Clock at the end and the integral of readiness [s]."""
    total = 0.0
    for dt, seconds in zip(ticks, alive, strict=True):
        clock, ready = restart(np.float64(clock), seconds, runs, delay, rise, dt)
        assert 0.0 <= float(ready) <= 1.0 + 1e-12
        total += float(ready) * dt
    return float(clock), total


@pytest.mark.parametrize(("delay", "rise"), [(300.0, 180.0), (10.0, 20.0), (5.0, 0.0), (0.0, 30.0), (0.0, 0.0)])
@pytest.mark.parametrize("pieces", [1, 2, 9, 200])
def test_readiness_has_the_same_integral_in_any_number_of_ticks(delay, rise, pieces):
    random = np.random.default_rng(pieces)
    for length in (0.5, 7.0, 25.0, 400.0, 2000.0):
        ticks = random.dirichlet(np.ones(pieces)) * length
        clock, total = live_through(ticks, ticks, delay, rise)
        assert total == pytest.approx(ramp_area(length, delay, rise), rel=1e-11, abs=1e-11)
        assert clock == pytest.approx(min(length, delay + rise), rel=1e-12)


@pytest.mark.parametrize("dt", [7.0, 1.0, 0.5])
def test_supply_that_returns_within_a_tick_counts_from_that_moment(dt):
    """Supply from 3.7 s on, delay 2 s, rise 4 s: 1.3^2/8 full seconds by 7 s, at any tick."""
    ticks = [dt] * round(7.0 / dt)
    alive = [dt if k * dt >= 3.7 else max((k + 1) * dt - 3.7, 0.0) for k in range(len(ticks))]
    clock, total = live_through(ticks, alive, 2.0, 4.0, clock=6.0)
    assert total == pytest.approx(1.3**2 / 8.0, rel=1e-12)
    assert clock == pytest.approx(3.3, rel=1e-12)


@pytest.mark.parametrize("dt", [7.0, 1.0, 0.5])
def test_supply_that_dies_within_a_tick_serves_until_that_moment(dt):
    """At work until 3.7 s, then nothing: 3.7 full seconds, a clock at zero, stopped at 3.7 s."""
    clock, total, stopped = np.float64(6.0), 0.0, None
    for k in range(round(7.0 / dt)):
        alive = min(max(3.7 - k * dt, 0.0), dt)
        volts = 1.0 if alive == dt else 0.0
        was, (clock, ready) = clock, restart(clock, alive, 1.0, 2.0, 4.0, dt, volts)
        total += float(ready) * dt
        if was > 0 and clock == 0:
            stopped = float(moment_of_restart(was, alive, 1.0, 6.0, k * dt, dt, volts))
    assert (float(clock), stopped) == (0.0, pytest.approx(3.7, abs=1e-12))
    assert total == pytest.approx(3.7, rel=1e-12)


@pytest.mark.parametrize("dt", [10.0, 1.0, 0.3])
def test_it_is_ready_at_the_same_moment_at_any_tick(dt):
    """Supply from 1.3 s on, ready 6 s later."""
    clock, ready = np.float64(0.0), None
    for k in range(40):
        alive = min(max((k + 1) * dt - 1.3, 0.0), dt) if k * dt < 1.3 else dt
        was, (clock, _) = clock, restart(clock, alive, 1.0, 2.0, 4.0, dt)
        if was < 6.0 <= clock and ready is None:
            ready = float(moment_of_restart(was, alive, 1.0, 6.0, k * dt, dt))
    assert ready == pytest.approx(7.3, abs=1e-9)


@pytest.mark.parametrize("dt", [1e-3, 0.1, 0.3, 1.0, 300.0])
def test_a_machine_at_full_readiness_is_so_to_the_last_bit_at_any_tick(dt):
    clock, ready = restart(np.float64(480.0), dt, 1.0, 300.0, 180.0, dt)
    assert (float(clock), float(ready)) == (480.0, 1.0)
    _, waiting = restart(np.float64(100.1), dt if dt < 1 else 1.0, 1.0, 300.0, 180.0, dt if dt < 1 else 1.0)
    assert float(waiting) == 0.0


def test_a_stop_or_a_loss_of_supply_puts_the_clock_back_to_zero():
    full = 480.0
    for seconds, runs in ((0.0, 1.0), (1.0, 0.0)):
        clock, ready = restart(np.float64(1e9), seconds, runs, 300.0, 180.0, 1.0)
        assert (float(clock), float(ready)) == (0.0, 0.0)
    clock, ready = restart(np.float64(1e9), 1.0, 1.0, 300.0, 180.0, 1.0)
    assert (float(clock), float(ready)) == (full, 1.0), "a clock that ran for ever stands at delay + rise"


def test_a_published_chiller_point_of_its_curves():
    """York YK 5465 kW at 6.67 degC leaving, 26.11 degC condenser entering, full load (EnergyPlus data set)."""
    x, y = np.float64(6.67), np.float64(26.11)
    capacity, input_ratio = float(biquadratic(CAPACITY, x, y)), float(biquadratic(INPUT, x, y))
    assert capacity == pytest.approx(1.0131, abs=5e-5)
    assert input_ratio == pytest.approx(1.0040, abs=5e-5)
    assert float(quadratic(PART_LOAD, np.float64(1.0))) == pytest.approx(1.0007, abs=5e-5)
    heat = 5465e3 * capacity
    power = heat / 6.94 * input_ratio * float(quadratic(PART_LOAD, np.float64(1.0)))
    assert heat == pytest.approx(5536.4e3, rel=1e-3)
    assert power == pytest.approx(801.6e3, rel=1e-3)
    assert heat / power == pytest.approx(6.907, rel=1e-3)


def test_a_biquadratic_is_the_sum_of_its_six_terms():
    c, x, y = (2.0, 3.0, 5.0, 7.0, 11.0, 13.0), 0.3, -1.7
    assert biquadratic(c, x, y) == pytest.approx(2 + 3 * x + 5 * x * x + 7 * y + 11 * y * y + 13 * x * y, rel=1e-14)
    assert quadratic(c, x) == pytest.approx(2 + 3 * x + 5 * x * x, rel=1e-14)


def test_carnot_by_hand_and_never_beyond_its_least_lift():
    assert float(carnot_cop(0.5, np.float64(289.15), 320.15, 8.0)) == pytest.approx(0.5 * 289.15 / 31.0, rel=1e-14)
    for condensing in (297.15, 290.0, 250.0):
        assert float(carnot_cop(0.5, np.float64(289.15), condensing, 8.0)) == pytest.approx(0.5 * 289.15 / 8.0)


def test_moments_of_crossings():
    assert float(moment_of_crossing(np.float64(290.0), np.float64(310.0), 305.0, 60.0, 10.0)) == pytest.approx(67.5)
    assert float(moment_of_crossing(np.float64(306.0), np.float64(306.0), 305.0, 60.0, 10.0)) in (60.0, 70.0)
