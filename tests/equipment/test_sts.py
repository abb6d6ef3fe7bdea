"""STS: four milliseconds at any tick, hold-back on a short circuit, retransfer; and racks that notice only the slow."""

import numpy as np
import pytest

from tests.small_plants import add, chain
from twin import model as compiled
from twin.declare import MODES, replace
from twin.equipment.sts import STS
from twin.step import step

GOOD, DEAD = (1.0, 0.0), (0.0, 1.0)


def unit(**more):
    return STS(**{"rated_power": 2e6, **more})


def scaled(feed, dt):
    return (feed[0], feed[1] * dt)


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.002, 0.001])
def test_a_transfer_takes_four_milliseconds_at_any_tick(bench, dt):
    b = bench(unit())
    b.tick(dt, [GOOD, GOOD], load=1e6)
    without = sum(b.tick(dt, [scaled(DEAD, dt), GOOD], load=1e6).gap for _ in range(8))
    assert without == pytest.approx(0.004, abs=1e-12)
    assert (b.is_("on_alternate"), b.is_("on_alternate_at")) == (1, pytest.approx(dt))
    assert b.worst < 1e-12


def test_a_feed_that_dies_within_the_tick(bench):
    """It lived for 0.7 s, the other one for the last 0.296 s."""
    b = bench(unit())
    answer = b.tick(1.0, [(0.0, 0.3), GOOD], load=1e6)
    assert (answer.voltage, answer.gap) == (1, pytest.approx(0.004))
    assert answer.split == pytest.approx([0.7 / 0.996, 0.296 / 0.996])
    assert b.is_("on_alternate_at") == pytest.approx(0.7)


@pytest.mark.parametrize("feed", [(0.85, 0.0), (1.12, 0.0), (0.5, 0.0)])
def test_a_sag_or_swell_sends_it_over(bench, feed):
    b = bench(unit())
    answer = b.tick(1.0, [feed, GOOD], load=1e6)
    assert (answer.voltage, answer.gap, b.is_("on_alternate")) == (1, pytest.approx(0.004), 1)


def test_a_frequency_off_nominal_sends_it_over(bench):
    b = bench(unit())
    b.tick(1.0, [GOOD, GOOD], load=1e6, frequency=[0.93, 1.0])
    assert b.is_("on_alternate") == 1


def test_it_stays_where_the_other_feed_is_no_better_and_passes_on_what_comes(bench):
    b = bench(unit())
    answer = b.tick(1.0, [(0.6, 0.0), DEAD], load=1e6)
    assert (answer.voltage, answer.gap, answer.split, b.is_("on_alternate")) == (0.6, 0, [1, 0], 0)


def test_it_goes_back_when_its_preferred_feed_has_been_good_for_long_enough(bench):
    b = bench(unit(retransfer_delay=5.0))
    for feeds in [[GOOD, GOOD], [DEAD, GOOD], [(1.0, 0.4), GOOD]]:
        b.tick(1.0, feeds, load=1e6)
    without = [b.tick(1.0, [GOOD, GOOD], load=1e6).gap for _ in range(6)]
    assert b.is_("on_alternate") == 0
    assert b.is_("on_alternate_at") == pytest.approx(2.4 + 5.0)
    assert sum(without) == pytest.approx(0.004)


def test_told_to_prefer_the_alternate_it_goes_there_and_comes_back_to_it(bench):
    b = bench(unit(retransfer_delay=2.0), prefers_alternate=1)
    for _ in range(2):
        b.tick(1.0, [GOOD, GOOD], load=1e6)
    assert b.is_("on_alternate") == 1
    b.tick(1.0, [GOOD, DEAD], load=1e6)
    assert b.is_("on_alternate") == 0
    for _ in range(4):
        b.tick(1.0, [GOOD, GOOD], load=1e6)
    assert b.is_("on_alternate") == 1


def test_it_does_not_carry_a_short_circuit_to_its_other_feed(bench):
    b = bench(unit())
    b.tick(1.0, [GOOD, GOOD], load=1e6)
    b.fault_current = 7e6
    answer = b.tick(1.0, [(0.2, 0.0), GOOD], load=0.0)
    assert (answer.voltage, b.is_("on_alternate"), b.is_("held_back")) == (0.2, 0, 1)
    b.fault_current = 0.0
    b.tick(1.0, [(0.2, 0.0), GOOD], load=0.0)
    assert (b.is_("on_alternate"), b.is_("held_back")) == (1, 0)


@pytest.mark.parametrize("inputs", [{"stuck": 1}, {"mode": MODES["hand"]}])
def test_stuck_or_in_hand_it_stays(bench, inputs):
    b = bench(unit(), **inputs)
    answer = b.tick(1.0, [DEAD, GOOD], load=1e6)
    assert (answer.voltage, answer.gap, b.is_("on_alternate")) == (0, 1.0, 0)


def test_bypass_and_off(bench):
    b = bench(unit())
    b.tick(1.0, [DEAD, GOOD], load=1e6)
    b.set(mode=MODES["bypass"])
    assert b.tick(1.0, [(0.97, 0.0), GOOD], load=1e6).split == [1, 0]
    b.set(mode=MODES["off"])
    assert b.tick(1.0, [GOOD, GOOD], load=1e6).gap == 1.0


def test_its_losses_by_hand(bench):
    assert unit().loss(1e6) == pytest.approx(2e6 * (0.001 + 0.003 * 0.5))
    assert unit().efficiency(1e6) == pytest.approx(1 / 1.005)
    b = bench(unit())
    assert b.tick(1.0, [GOOD, GOOD], load=1e6).warm == pytest.approx(5e3)


def test_the_ledger_closes_on_random_feeds(bench):
    random = np.random.default_rng(5)
    b = bench(unit(retransfer_delay=3.0))
    for _ in range(2000):
        dt = float(random.choice([0.001, 0.1, 1.0]))
        feeds = [
            [(1.0, 0.0), (0.0, dt), (0.0, 0.4 * dt), (1.0, 0.4 * dt), (0.7, 0.0)][k] for k in random.integers(0, 5, 2)
        ]
        answer = b.tick(dt, feeds, load=random.uniform(0, 2e6))
        assert 0 <= answer.gap <= dt
        assert sum(answer.split) == pytest.approx(1.0) or answer.gap == pytest.approx(dt)
    assert b.worst < 1e-12


def racks_behind(kind, **ratings):
    """Racks, whose power supplies bridge 20 ms at rated power, behind a switch between two feeds."""
    plant = chain()
    for name in ("utility-a", "utility-b"):
        add(plant, name, "utility", rated_power=5e6)
    add(plant, "switch", kind, ("utility-a", "utility-b"), **ratings)
    for i in range(1, 5):
        plant.feed(f"rack-{i}", ["switch"])
    return plant


def unpowered_after(plant, tick):
    """Racks, at full work, that have lost power two seconds after their normal feed."""
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + 1.0)
    s = compiled.state(model, asked)
    lost = asked | {"utility": replace(asked["utility"], in_service=np.array([[1.0, 0.0, 1.0]]))}
    for count in range(round(4 / tick)):
        s = step(model, s, asked if count * tick < 1.999 else lost, count * tick, tick)
    return float(s.rows["rack"].unpowered.sum())


@pytest.mark.parametrize("tick", [1.0, 0.1])
def test_four_milliseconds_drop_no_rack_and_forty_do(tick):
    assert unpowered_after(racks_behind("sts", rated_power=2e6), tick) == 0
    assert unpowered_after(racks_behind("sts", rated_power=2e6, transfer_time=0.04), tick) == 4
    at_once = {"sense_delay": 0.0, "transfer_delay": 0.0}
    assert unpowered_after(racks_behind("ats", transfer_time=0.015, **at_once), tick) == 0
    assert unpowered_after(racks_behind("ats", transfer_time=0.04, **at_once), tick) == 4
