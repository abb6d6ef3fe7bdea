"""Busway: currents by hand on three phases and on direct current, losses, heating, and a joint that burns open."""

import pytest

from twin.equipment.busway import Busway
from twin.equipment.pdu import PDU

UNIT = {"ampacity": 1200, "nominal_voltage": 415, "load_loss": 6e3, "thermal_time_constant": 60}


def test_current_and_loss_by_hand(bench):
    """600 kVA at 415 V are 834.7 A; 48 % of the square of its rating."""
    b = bench(Busway(**UNIT))
    answer = b.tick(1.0, [(1, 0.0)], load=600e3 * (0.8 + 0.6j))
    amperes = 600e3 / (3**0.5 * 415)
    assert b.gives("current") == pytest.approx(amperes, rel=1e-12)
    assert b.gives("load_fraction") == pytest.approx(amperes / 1200, rel=1e-12)
    assert answer.power.real == pytest.approx(480e3 + 6e3 * (amperes / 1200) ** 2, rel=1e-12)
    assert b.worst < 1e-12
    b.tick(1.0, [(0.9, 0.0)], load=600e3)
    assert b.gives("current") == pytest.approx(amperes / 0.9, rel=1e-12), "constant power at less voltage"


def test_direct_current_by_hand(bench):
    b = bench(Busway(**{**UNIT, "nominal_voltage": 800, "direct_current": 1}))
    b.tick(1.0, [(1, 0.0)], load=600e3)
    assert b.gives("current") == pytest.approx(750.0, rel=1e-12)
    p = bench(PDU(rated_power=1e6, nominal_voltage=415.0))
    p.tick(1.0, [(1, 0.0)], load=600e3)
    assert p.gives("current") == pytest.approx(600e3 / (3**0.5 * 415), rel=1e-12)


def test_beyond_its_ampacity_it_says_so_at_once_and_overheats_later(bench):
    b = bench(Busway(**UNIT))
    b.tick(1.0, [(1, 0.0)], load=1.0e6)
    assert (b.is_("over_ampacity"), b.is_("overloaded")) == (1, 0)
    for _ in range(300):
        b.tick(1.0, [(1, 0.0)], load=1.0e6)
    assert b.is_("overloaded") == 1
    for _ in range(300):
        b.tick(1.0, [(1, 0.0)], load=0.3e6)
    assert (b.is_("over_ampacity"), b.is_("overloaded")) == (0, 0)


def test_a_burnt_joint_kills_it(bench):
    b = bench(Busway(**UNIT), joint_burnt=1.0)
    answer = b.tick(1.0, [(1, 0.0)], load=0.5e6)
    assert (answer.voltage, answer.power, b.is_("dead")) == (0, 0, 1)
