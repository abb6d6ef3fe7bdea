"""Supply: shares, gaps and timers, counted by hand."""

import numpy as np
import pytest

from twin.physics.supply import (
    dead_since,
    good_since,
    lasting,
    latched,
    moment_of_change,
    preferred,
    shared,
    switched,
    through,
    usable,
)

LIVE, DEAD = (1.0 + 0j, 0.0), (0j, 1.0)


def offers(*feeds):
    return [np.array([[v]]) for v, _ in feeds], [np.array([[g]]) for _, g in feeds]


def plain(offer):
    voltage, gap, split = offer
    return complex(voltage[0, 0]), float(gap[0, 0]), [float(np.ravel(x)[0]) for x in split]


@pytest.mark.parametrize("law", [shared, preferred])
@pytest.mark.parametrize(
    ("feeds", "voltage", "gap", "split"),
    [
        ([LIVE], 1, 0.0, [1.0]),
        ([DEAD], 0, 1.0, [0.0]),
        ([LIVE, DEAD], 1, 0.0, [1.0, 0.0]),
        ([DEAD, LIVE], 1, 0.0, [0.0, 1.0]),
        ([DEAD, DEAD], 0, 1.0, [0.0, 0.0]),
        ([DEAD, (0.97 + 0j, 0.25)], 0.97, 0.25, [0.0, 1.0]),
    ],
)
def test_one_live_feed_serves(law, feeds, voltage, gap, split):
    assert plain(law(*offers(*feeds), 1.0)) == (voltage, gap, split)


def test_live_feeds_share_by_the_seconds_they_lived():
    voltage, gap, split = plain(shared(*offers(LIVE, (0.99 + 0j, 0.5)), 1.0))
    assert (voltage, gap) == (1, 0.0)
    assert split == pytest.approx([2 / 3, 1 / 3], rel=1e-15)


def test_weights_tilt_the_shares():
    voltage, gap = offers(LIVE, LIVE, DEAD)
    _, _, split = plain(shared(voltage, gap, 1.0, weight=[3.0, 1.0, 5.0]))
    assert split == pytest.approx([0.75, 0.25, 0.0], rel=1e-15)


def test_the_second_feed_bears_only_what_the_first_does_not():
    voltage, gap, split = plain(preferred(*offers((0j, 0.4), LIVE), 1.0))
    assert (voltage, gap) == (1, 0.0)
    assert split == pytest.approx([0.6, 0.4], rel=1e-15)


def test_sixteen_feeds_sum_to_one():
    feeds = [(1 + 0j, 0.01 * k) for k in range(16)]
    assert sum(plain(shared(*offers(*feeds), 1.0))[2]) == pytest.approx(1.0, rel=1e-14)


def test_a_switch_kills_the_offer_behind_it():
    v, g = offers(LIVE, LIVE)
    off = np.zeros((1, 1))
    assert plain(switched(shared(v, g, 1.0), off, 1.0)) == (0, 1.0, [0.0, 0.0])
    assert plain(through(v[0], g[0], off, 1.0)) == (0, 1.0, [0.0])
    assert plain(through(v[0], g[0], off + 1, 1.0)) == (1, 0.0, [1.0])


@pytest.mark.parametrize(
    ("voltage", "gap", "good", "bad_for"),
    [(1.0, 0.0, True, 0.0), (0.9, 0.2, True, 0.2), (0.6, 0.0, False, 1.0), (0.0, 0.3, False, 0.3)],
)
def test_a_sag_counts_as_dead(voltage, gap, good, bad_for):
    answer = usable(np.array([[voltage + 0j]]), np.array([[gap]]), 0.85, 1.0)
    assert (answer[0].item(), answer[1].item()) == (good, bad_for)


def clock(start, *ticks):
    for good, gap in ticks:
        start = lasting(np.array([start]), np.array([good]), np.array([gap]), 1.0)[0]
    return float(start)


def test_the_clock_of_a_feed_counts_from_the_moment_it_changed():
    assert clock(7.0, (False, 0.25)) == -0.25
    assert clock(7.0, (False, 0.25), (False, 1.0)) == -1.25
    assert clock(-1.25, (True, 0.4)) == 0.6
    assert clock(-1.25, (True, 0.4), (True, 0.0)) == 1.6
    assert clock(7.0, (True, 0.1)) == 0.9, "an interruption within a tick starts the count anew"


def test_moments_count_from_the_start_of_the_tick():
    one = np.ones(1)
    assert dead_since(7.0 * one, 0.25 * one, 1.0) == 0.75
    assert dead_since(-1.25 * one, 1.0 * one, 1.0) == -1.25
    assert good_since(-1.25 * one, 0.4 * one) == 0.4
    assert good_since(1.6 * one, 0.0 * one) == -1.6
    assert moment_of_change(np.array([True]), 0.25 * one, 1.0) == 0.75
    assert moment_of_change(np.array([False]), 0.25 * one, 1.0) == 0.25


def test_a_flag_keeps_the_moment_of_its_last_change():
    flag, at = latched(np.array([True, True, False, False]), np.array([0.0, 1, 1, 0]), np.full(4, 3.0), np.full(4, 9.0))
    assert flag.tolist() == [1, 1, 0, 0]
    assert at.tolist() == [9, 3, 9, 3]
