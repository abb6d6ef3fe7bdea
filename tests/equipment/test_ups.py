"""UPS: losses by hand, the battery's end at any tick, walk-in, recharge, bypass; the ledger closes."""

import numpy as np
import pytest

from twin.declare import MODES
from twin.equipment.ups import UPS


def unit(**more):
    return UPS(**{"rated_power": 2e6, "battery_energy": 6e8, "recharge_power": 2e5, **more})


def fed(dt, live=True):
    return [(1.0, 0.0) if live else (0.0, dt)]


def test_one_machine_in_plain_numbers():
    """0.008 + 0.008/2 + 0.009/4 = 1.425 % of 2 MW at half load."""
    u = unit()
    assert u.loss(1e6) == pytest.approx(28500, rel=1e-14)
    assert u.efficiency(1e6) == pytest.approx(1 / 1.0285, rel=1e-14)
    assert u.autonomy(1e6) == pytest.approx(6e8 / 1.0285e6, rel=1e-14)
    assert [round(100 * u.efficiency(2e6 * x), 1) for x in (0.25, 0.5, 0.75, 1.0)] == [95.9, 97.2, 97.5, 97.6]


def test_on_its_feed_it_takes_load_and_loss(bench):
    b = bench(unit())
    answer = b.tick(1.0, fed(1), load=1e6 + 3e5j)
    assert answer.power == pytest.approx(1.0285e6, rel=1e-12), "at unity power factor"
    assert answer.warm == pytest.approx(28500, rel=1e-12)
    assert (answer.voltage, answer.gap) == (1, 0)
    assert b.gives("state_of_charge") == 1.0


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_the_battery_runs_empty_at_the_same_moment_at_any_tick(bench, dt):
    b = bench(unit(battery_energy=2.5e7))
    b.tick(dt, fed(dt), load=1e6)
    start, need = b.now, 1.0285e6
    served = 0.0
    while not b.is_("depleted"):
        served += b.tick(dt, fed(dt, live=False), load=1e6).load * dt
    assert b.is_("on_battery_at") == pytest.approx(start)
    assert b.is_("depleted_at") == pytest.approx(start + 2.5e7 / need, abs=1e-9)
    assert served == pytest.approx(1e6 * 2.5e7 / need, rel=1e-9)
    assert b.is_("energy") == pytest.approx(0, abs=1e-5)
    for _ in range(3):
        answer = b.tick(dt, fed(dt, live=False), load=1e6)
        assert (answer.voltage, answer.gap, answer.power, answer.warm) == (0, dt, 0, 0)
    assert b.worst < 1e-12


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_an_outage_that_starts_and_ends_within_ticks(bench, dt):
    """Dead from 2.4 s to 7.3 s: the battery bears 4.9 s of it, then half of the 10 s of walk-in."""
    b = bench(unit())
    dies, back, need = 2.4, 7.3, 1.0285e6
    while b.now < 30 - 1e-9:
        t = round(b.now / dt) * dt
        if t + dt <= dies + 1e-9 or t >= back - 1e-9:
            feed = (1.0, 0.0)
        elif t < dies - 1e-9:
            feed = (0.0, t + dt - dies)
        elif t + dt > back + 1e-9:
            feed = (1.0, back - t)
        else:
            feed = (0.0, dt)
        assert b.tick(dt, [feed], load=1e6).voltage == 1
    # charging from 17.3 s at 200 kW and 95 %
    expected = 6e8 - need * (4.9 + 5.0) + 0.95 * 2e5 * (30 - 17.3)
    assert b.is_("energy") == pytest.approx(expected, rel=1e-12)
    assert b.is_("on_battery") == 0
    assert b.is_("on_battery_at") == pytest.approx(back + 10.0, abs=1e-9), "when the walk-in is done"
    assert b.worst < 1e-10


def test_an_interruption_within_a_tick_is_told(bench):
    b = bench(unit())
    for _ in range(3):
        b.tick(1.0, fed(1.0), load=1e6)
    b.tick(1.0, [(1.0, 0.1)], load=1e6)
    assert (b.is_("on_battery"), b.is_("on_battery_at")) == (1, 3.0)
    for _ in range(11):
        b.tick(1.0, fed(1.0), load=1e6)
    assert (b.is_("on_battery"), b.is_("on_battery_at")) == (0, pytest.approx(13.1))


def test_empty_on_return_the_feed_takes_all_at_once(bench):
    b = bench(unit(), initial_charge=0)
    b.tick(1.0, fed(1.0, live=False), load=1e6)
    assert b.is_("depleted") == 1
    answer = b.tick(1.0, [(1.0, 0.25)], load=1e6)
    assert (answer.voltage, answer.gap) == (1, 0.25)
    assert answer.power == pytest.approx(0.75 * (1e6 + b.unit.loss(1e6)), rel=1e-12)
    assert (b.is_("depleted"), b.is_("depleted_at")) == (0, 1.25)
    assert (b.is_("on_battery"), b.is_("on_battery_at")) == (0, 1.25)
    b.tick(1.0, fed(1.0), load=1e6)
    assert b.is_("on_battery") == 0


def test_recharge_ends_at_full(bench):
    b = bench(unit(battery_energy=1e6), initial_charge=0.5)
    for _ in range(20):
        b.tick(1.0, fed(1.0))
    assert b.is_("energy") == pytest.approx(1e6, rel=1e-12)
    assert b.gives("power") == pytest.approx(16e3, rel=1e-9), "and leaves the standing loss"
    assert b.worst < 1e-12


def test_a_sag_sends_it_to_battery(bench):
    b = bench(unit())
    answer = b.tick(1.0, [(0.7, 0.0)], load=1e6)
    assert (answer.voltage, answer.power, answer.split) == (1, 0, [0])
    assert b.is_("on_battery") == 1


@pytest.mark.parametrize("cause", [{"inverter_failed": 1}, {"mode": MODES["bypass"]}])
def test_bypass_hands_the_second_feed_through(bench, cause):
    b = bench(unit(), **cause)
    answer = b.tick(1.0, [(1.0, 0.0), (0.98, 0.0)], load=1e6 + 2e5j)
    assert (answer.voltage, answer.power, answer.split) == (0.98, 1e6 + 2e5j, [0, 1])
    assert b.is_("on_bypass") == 1
    answer = b.tick(1.0, [(1.0, 0.0), (0.0, 1.0)], load=1e6)
    assert (answer.voltage, answer.split) == (1, [1, 0])
    answer = b.tick(1.0, [(0.0, 1.0), (0.0, 1.0)], load=1e6)
    assert (answer.voltage, answer.gap, answer.load) == (0, 1.0, 0), "no battery behind a bypass"
    assert b.tick(1.0, [(1.0, 0.0)], load=1e6).split == [1], "a single feed serves the bypass too"
    assert b.worst < 1e-12


def test_without_a_battery_it_falls_with_its_feed(bench):
    b = bench(unit(), battery_failed=1)
    b.tick(1.0, fed(1.0), load=1e6)
    answer = b.tick(1.0, [(0.0, 0.3)], load=1e6)
    assert (answer.voltage, answer.gap) == (0, 0.3)
    assert b.is_("depleted_at") == pytest.approx(1.7)
    assert b.is_("energy") == pytest.approx(6e8, rel=1e-12)
    assert b.worst < 1e-12


def test_switched_off_it_takes_and_gives_nothing(bench):
    b = bench(unit(), mode=MODES["off"])
    answer = b.tick(1.0, fed(1.0), load=1e6)
    assert (answer.voltage, answer.gap, answer.power, answer.warm) == (0, 1.0, 0, 0)


def test_it_says_when_it_is_overloaded(bench):
    b = bench(unit())
    b.tick(1.0, fed(1.0), load=2.2e6)
    assert b.is_("overloaded") == 1
    assert b.gives("load_fraction") == pytest.approx(1.1)


def test_the_ledger_closes_on_a_random_feed(bench):
    random = np.random.default_rng(7)
    b = bench(unit(battery_energy=5e6))
    for _ in range(2000):
        gap = random.choice([0.0, 0.3, 1.0])
        voltage = 0.0 if gap == 1.0 else random.choice([1.0, 0.5, 0.0 if gap else 1.0])
        b.set(inverter_failed=random.random() < 0.05, battery_failed=random.random() < 0.05)
        answer = b.tick(1.0, [(voltage, gap), (1.0, 0.0)], load=random.uniform(0, 2e6))
        assert answer.power.real >= -1e-6
        assert 0 <= answer.gap <= 1.0
    assert b.worst < 1e-10
    assert b.is_("energy") > -2.1e6
