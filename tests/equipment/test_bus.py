"""Bus: any live feed keeps it alive."""

import pytest

from twin.equipment.bus import Bus


def test_live_feeds_share_and_nothing_is_lost(bench):
    b = bench(Bus())
    answer = b.tick(1.0, [(1, 0.0), (0.98, 0.0), (0, 1.0)], load=3e6 + 1e6j)
    assert answer.power == 3e6 + 1e6j
    assert answer.warm == 0
    assert answer.split == pytest.approx([0.5, 0.5, 0.0], rel=1e-15)
    assert b.is_("dead") == 0
    assert b.gives("voltage") == pytest.approx(1.0)


def test_moments_of_death_and_return(bench):
    b = bench(Bus())
    b.tick(1.0, [(0, 1.0), (0, 0.3)], load=1e6)
    assert (b.is_("dead"), b.is_("dead_at")) == (1, pytest.approx(0.7))
    b.tick(1.0, [(0, 1.0), (0, 1.0)], load=1e6)
    assert b.is_("dead_at") == pytest.approx(0.7)
    b.tick(1.0, [(0, 1.0), (1, 0.2)], load=1e6)
    assert (b.is_("dead"), b.is_("dead_at")) == (0, pytest.approx(2.2))


def test_isolated_it_takes_nothing(bench):
    b = bench(Bus(), in_service=0)
    answer = b.tick(1.0, [(1, 0.0), (1, 0.0)], load=1e6)
    assert (answer.voltage, answer.gap, answer.power, answer.split) == (0, 1.0, 0, [0.0, 0.0])
