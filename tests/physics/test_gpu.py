"""GPU power and clock: two laws that undo each other, with their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.gpu import clock_for, power_share

EXPONENT = st.floats(1.0, 3.0)


@given(st.floats(0.01, 1.0), EXPONENT)
def test_clock_and_power_undo_each_other(clock, exponent):
    assert float(clock_for(power_share(np.float64(clock), exponent), exponent)) == pytest.approx(clock, rel=1e-12)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), EXPONENT)
def test_a_faster_clock_never_takes_less(one, other, exponent):
    slow, fast = sorted((one, other))
    assert float(power_share(np.float64(slow), exponent)) <= float(power_share(np.float64(fast), exponent))
    assert float(clock_for(np.float64(slow), exponent)) <= float(clock_for(np.float64(fast), exponent))


def test_figures_by_hand():
    """Half the clock costs 0.5^2.2 = 21.8 % of dynamic power; a quarter of it allows 0.25^(1/2.2) = 53.3 % clock."""
    assert float(power_share(np.float64(0.5), 2.2)) == pytest.approx(0.217638, abs=1e-6)
    assert float(clock_for(np.float64(0.25), 2.2)) == pytest.approx(0.532521, abs=1e-6)
    assert float(power_share(np.float64(1.0), 2.2)) == 1.0


def test_no_clock_takes_next_to_nothing_and_no_power_allows_none():
    assert float(power_share(np.float64(0.0), 2.2)) < 1e-12
    assert float(clock_for(np.float64(0.0), 2.2)) == 0.0
    assert float(clock_for(np.float64(-0.3), 2.2)) == 0.0
    assert float(clock_for(np.float64(1.7), 2.2)) == 1.0, "more power than full buys no more clock"
