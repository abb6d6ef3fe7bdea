"""PDU: shares or prefers, and warms the room by its losses."""

import pytest

from twin.equipment.pdu import PDU

UNIT = {"rated_power": 2e6, "no_load_loss": 4e3, "load_loss": 16e3}


def test_loss_by_hand():
    p = PDU(**UNIT)
    assert p.loss(1e6) == 8e3
    assert p.efficiency(1e6) == pytest.approx(1e6 / 1.008e6, rel=1e-15)


@pytest.mark.parametrize(("static_transfer", "split"), [(0.0, [0.5, 0.5]), (1.0, [1.0, 0.0])])
def test_two_feeds(bench, static_transfer, split):
    b = bench(PDU(static_transfer=static_transfer, **UNIT))
    answer = b.tick(1.0, [(1, 0.0), (1, 0.0)], load=1e6 + 2e5j)
    assert answer.split == split
    assert answer.power == pytest.approx(1.004e6 + 16e3 * 0.26 + 2e5j, rel=1e-15)
    answer = b.tick(1.0, [(0, 1.0), (1, 0.0)], load=1e6)
    assert (answer.voltage, answer.gap, answer.split) == (1, 0.0, [0.0, 1.0])
    assert b.worst < 1e-12


def test_dead_without_feeds(bench):
    b = bench(PDU(**UNIT))
    answer = b.tick(1.0, [(0, 0.25), (0, 0.4)], load=1e6)
    assert answer.gap == 0.25
    assert (b.is_("dead"), b.is_("dead_at")) == (1, 0.75)
    assert b.tick(1.0, [(0, 1.0), (0, 1.0)], load=1e6).power == 0
    b.tick(1.0, [(0, 1.0), (1, 0.6)], load=1e6)
    assert (b.is_("dead"), b.is_("dead_at")) == (0, 2.6)


def test_overload_is_said(bench):
    b = bench(PDU(rated_power=1e6, thermal_time_constant=60))
    for _ in range(600):
        b.tick(1.0, [(1, 0.0)], load=1.2e6)
    assert b.is_("overloaded") == 1
    assert b.gives("load_fraction") == pytest.approx(1.2)
    for _ in range(600):
        b.tick(1.0, [(1, 0.0)], load=0.5e6)
    assert b.is_("overloaded") == 0
