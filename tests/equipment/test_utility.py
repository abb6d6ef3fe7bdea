"""Utility: it holds the voltage asked, and says when it is lost."""

import numpy as np
import pytest

from twin.equipment.utility import Utility


def test_it_counts_power_and_energy(bench):
    b = bench(Utility(rated_power=12e6))
    for _ in range(10):
        b.tick(0.5, load=6e6 + 1e6j)
    assert b.gives("power") == 6e6
    assert b.gives("reactive") == 1e6
    assert b.gives("load_fraction") == 0.5
    assert b.is_("imported_energy") == pytest.approx(3e7, rel=1e-15)


def test_out_of_service_is_dead_and_timed(bench):
    b = bench(Utility(rated_power=12e6))
    b.tick(1.0)
    b.set(in_service=0)
    answer = b.tick(1.0)
    assert (answer.voltage, answer.gap) == (0, 1.0)
    assert (b.is_("lost"), b.is_("lost_at")) == (1, 1.0)
    b.set(in_service=1, voltage=0.7)
    assert b.tick(1.0).voltage == 0.7
    assert (b.is_("lost"), b.is_("lost_at")) == (0, 2.0)


def test_one_machine_in_plain_numbers():
    u = Utility.Inputs(voltage=0.9)
    assert np.isclose(Utility(rated_power=1e6).live(None, u, None, 1.0).voltage, 0.9)
