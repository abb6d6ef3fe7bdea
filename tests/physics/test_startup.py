"""Starting IT equipment: stages by the clock, and their energy against a fine sum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.startup import STAGES, Start, drawn

START = Start(10.0, 20.0, 300.0, 60.0, 20e3, 60e3)


def f(x: float) -> np.float64:
    return np.float64(x)


def test_energy_by_hand():
    """Half of 20 s at 20 kW, 300 s at 20 kW, then 60 kW."""
    assert float(START.energy(f(10.0))) == 0.0
    assert float(START.energy(f(20.0))) == pytest.approx(0.5 * 20e3 * 10 * 10 / 20)
    assert float(START.energy(f(30.0))) == pytest.approx(0.2e6)
    assert float(START.energy(f(330.0))) == pytest.approx(0.2e6 + 6e6)
    assert float(START.energy(f(390.0))) == pytest.approx(0.2e6 + 6e6 + 3.6e6)


def test_stages_by_the_clock():
    seen = [float(START.stage(f(t))) for t in (0.0, 10.0, 10.1, 29.9, 30.0, 329.9, 330.0, 389.0)]
    off, soft, boot, check = (STAGES[name] for name in ("off", "soft_start", "boot", "check"))
    assert seen == [off, off, soft, soft, boot, boot, check, check]
    none = Start(0.0, 0.0, 600.0, 0.0, 0.0, 0.0)
    assert [float(none.stage(f(t))) for t in (0.0, 1.0, 599.0)] == [off, boot, boot]


TIME = st.floats(0.0, 500.0)


@given(TIME, TIME, TIME, TIME, TIME, st.floats(0, 1e5), st.floats(0, 1e5))
def test_the_mean_of_a_tick_does_not_depend_on_how_it_is_cut(a, b, c, soft, boot, low, high):
    start, (t0, t1, t2) = Start(7.0, soft, boot, 60.0, low, high), sorted((a, b, c))
    whole = float(drawn(start, f(t0), f(t2), 1.0))
    parts = float(drawn(start, f(t0), f(t1), 1.0)) + float(drawn(start, f(t1), f(t2), 1.0))
    assert parts == pytest.approx(whole, rel=1e-9, abs=1e-3)
    assert 0 <= whole <= max(low, high) * (t2 - t0) * (1 + 1e-9) + 1e-3
