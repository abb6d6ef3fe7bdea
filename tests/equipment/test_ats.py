"""ATS: its sequence in seconds, the same at any tick."""

import pytest

from twin.declare import MODES
from twin.equipment.ats import ATS


def unit(**more):
    said = {"sense_delay": 3.0, "transfer_delay": 1.0, "transfer_time": 0.1, "retransfer_delay": 5.0, **more}
    return ATS(**said)


def feed(now, dt, *spans):
    """(voltage, gap) of a feed that is live in the given spans of time."""
    now = round(now / dt) * dt
    overlap = sum(max(min(now + dt, end) - max(now, start), 0.0) for start, end in spans)
    alive_at_end = any(start < now + dt - 1e-9 and end >= now + dt - 1e-9 for start, end in spans)
    gap = dt - overlap
    return (1.0 if alive_at_end else 0.0), (0.0 if gap < 1e-9 else dt if overlap < 1e-9 else gap)


def run(b, dt, until, normal, alternate, load=1e6):
    """Tick on; returns the seconds that the load was served by each feed."""
    served = [0.0, 0.0]
    while b.now < until - 1e-9:
        answer = b.tick(dt, [feed(b.now, dt, *normal), feed(b.now, dt, *alternate)], load=load)
        for k in (0, 1):
            served[k] += answer.power.real / load * answer.split[k] * dt
    return served


def test_outage_by_hand():
    assert unit().outage(12.0) == pytest.approx(13.1)
    assert unit().outage(0.0) == pytest.approx(3.1)


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_the_whole_sequence_at_any_tick(bench, dt):
    """Normal dies at 2.4 s and is back at 20.7 s; the generators come at 14.25 s."""
    b = bench(unit())
    normal, alternate = [(0, 2.4), (20.7, 99)], [(14.25, 99)]
    served = run(b, dt, 7, normal, alternate)
    assert b.is_("asking_at") == pytest.approx(5.4, abs=1e-9)
    assert b.gives("start_request") == pytest.approx(1.6, abs=1e-9)
    more = run(b, dt, 17, normal, alternate)
    assert b.is_("on_alternate_at") == pytest.approx(15.25, abs=1e-9)
    last = run(b, dt, 40, normal, alternate)
    assert b.is_("on_alternate") == 0
    assert b.is_("on_alternate_at") == pytest.approx(25.7, abs=1e-9)
    assert (b.is_("asking"), b.gives("start_request")) == (0, 0)
    assert b.is_("asking_at") == pytest.approx(25.7, abs=1e-9)
    by_normal, by_alternate = (sum(x) for x in zip(served, more, last))
    assert by_normal == pytest.approx(2.4 + 40 - 25.8, abs=1e-8)
    assert by_alternate == pytest.approx(25.7 - 15.35, abs=1e-8)
    assert b.worst == 0


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_alternate_already_live_waits_for_the_sense_delay(bench, dt):
    b = bench(unit(transfer_time=0.25))
    served = run(b, dt, 10, [(0, 2.4)], [(0, 99)])
    assert b.is_("on_alternate_at") == pytest.approx(5.4, abs=1e-9)
    assert sum(served) == pytest.approx(10 - 3.25, abs=1e-8)


def test_a_transfer_longer_than_a_tick_stays_open_meanwhile(bench):
    b = bench(unit(transfer_time=0.55))
    served = run(b, 0.1, 10, [(0, 2.4)], [(0, 99)])
    assert sum(served) == pytest.approx(10 - 3.55, abs=1e-8)


def test_a_short_interruption_calls_nobody(bench):
    b = bench(unit())
    run(b, 1.0, 10, [(0, 2.4), (4.9, 99)], [(0, 99)])
    assert (b.is_("asking"), b.is_("on_alternate")) == (0, 0)


def test_a_dead_alternate_sends_it_back_after_the_sense_delay(bench):
    b = bench(unit(retransfer_delay=300))
    run(b, 1.0, 30, [(0, 2.4), (11.0, 99)], [(0, 20.5)])
    assert b.is_("on_alternate") == 0
    assert b.is_("on_alternate_at") == pytest.approx(23.5, abs=1e-9)


def test_stuck_it_asks_and_stays(bench):
    b = bench(unit(), stuck=1)
    served = run(b, 1.0, 30, [(0, 2.4)], [(0, 99)])
    assert sum(served) == pytest.approx(2.4)
    assert (b.is_("asking"), b.is_("on_alternate")) == (1, 0)


def test_in_hand_it_stays_and_asks_for_nothing(bench):
    b = bench(unit(), mode=MODES["hand"])
    run(b, 1.0, 30, [(0, 2.4)], [(0, 99)])
    assert (b.is_("asking"), b.is_("on_alternate")) == (0, 0)


def test_bypass_and_off(bench):
    b = bench(unit())
    run(b, 1.0, 10, [(0, 2.4)], [(0, 99)])
    assert b.is_("on_alternate") == 1
    b.set(mode=MODES["bypass"])
    answer = b.tick(1.0, [(0.9, 0.0), (1.0, 0.0)], load=1e6)
    assert (answer.voltage, answer.gap, answer.split) == (0.9, 0, [1, 0])
    b.set(mode=MODES["off"])
    answer = b.tick(1.0, [(0.9, 0.0), (1.0, 0.0)], load=1e6)
    assert (answer.voltage, answer.gap, answer.split, answer.power) == (0, 1.0, [0, 0], 0)


def test_a_sag_counts_as_dead_and_is_passed_on_meanwhile(bench):
    b = bench(unit())
    for _ in range(2):
        answer = b.tick(1.0, [(0.7, 0.0), (1.0, 0.0)], load=1e6)
        assert (answer.voltage, answer.gap) == (0.7, 0.0)
    for _ in range(3):
        answer = b.tick(1.0, [(0.7, 0.0), (1.0, 0.0)], load=1e6)
    assert (answer.voltage, answer.split) == (1.0, [0, 1])
    assert b.is_("on_alternate_at") == pytest.approx(3.0)


def test_told_to_transfer_it_leaves_a_good_feed_and_stays_while_it_is_told(bench):
    """Told from 2 s on: generators called at once, live at 12 s, transferred at 13 s; let go, back 5 s later."""
    b = bench(unit())
    for _ in range(2):
        b.tick(1.0, [(1.0, 0.0), (0.0, 1.0)], load=1e6)
    for tick in range(28):
        alternate = (1.0, 0.0) if tick >= 10 else (0.0, 1.0)
        b.tick(1.0, [(1.0, 0.0), alternate], load=1e6, transfer=1.0 + tick)
    assert (b.is_("on_alternate"), b.is_("asking")) == (1, 1)
    assert b.is_("asking_at") == pytest.approx(2.0)
    assert b.is_("on_alternate_at") == pytest.approx(13.0)
    assert b.gives("alternate_time") == pytest.approx(30.0 - 13.1)
    b.tick(1.0, [(1.0, 0.0), (1.0, 0.0)], load=1e6)
    assert (b.is_("on_alternate"), b.gives("alternate_time")) == (0, 0), "normal has been live for long enough"
    assert b.is_("asking") == 0
    assert b.worst == 0


def test_told_to_transfer_it_does_not_leave_for_a_dead_feed(bench):
    b = bench(unit())
    for tick in range(10):
        answer = b.tick(1.0, [(1.0, 0.0), (0.0, 1.0)], load=1e6, transfer=1.0 + tick)
        assert (answer.voltage, answer.gap, answer.split) == (1, 0, [1, 0])
    assert (b.is_("on_alternate"), b.is_("asking")) == (0, 1)


def test_told_and_its_generators_gone_it_goes_back(bench):
    b = bench(unit())
    for tick in range(30):
        alternate = (1.0, 0.0) if tick < 15 else (0.0, 1.0)
        b.tick(1.0, [(1.0, 0.0), alternate], load=1e6, transfer=1.0 + tick)
    assert b.is_("on_alternate") == 0
    assert b.is_("on_alternate_at") == pytest.approx(18.0), "after the sense delay"
