"""Valves: characteristics by hand, Kv by its definition, authority and installed flow in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics import valve
from twin.physics.hydraulic import branch_flow


def test_equal_steps_of_opening_give_equal_percentages_of_flow():
    """R = 50: from 30 % to 40 % and from 70 % to 80 % the flow grows by the same 47.9 %."""
    share = lambda x: float(valve.equal_percentage(np.float64(x), 50.0, 1e-4))  # noqa: E731
    assert share(1.0) == 1.0
    assert share(0.4) / share(0.3) == pytest.approx(50**0.1, rel=1e-12)
    assert share(0.8) / share(0.7) == pytest.approx(50**0.1, rel=1e-12)
    assert share(0.0) == pytest.approx(1e-4, rel=1e-12)
    assert share(0.05) == pytest.approx(50**-0.95, rel=1e-12)


def test_kv_is_the_flow_of_water_at_one_bar():
    a, b = valve.loss(100 / 3600, 1.0, 1.0)
    q, _ = branch_flow(1e5, a, b)
    assert q == pytest.approx(100 / 3600, rel=1e-12)
    a, b = valve.loss(100 / 3600, 0.5, 1.05)
    q, _ = branch_flow(0.2e5, a, b)
    assert q == pytest.approx(50 / 3600 * (0.2 / 1.05) ** 0.5, rel=2e-5), "q = Kv sqrt(dp/G)"


@given(st.floats(0.05, 1.0), st.floats(0.05, 0.99))
def test_authority_is_found_again_at_any_opening(x, N):
    """A valve of authority N in a circuit: dp_open = N dp, the rest (1 - N) dp at the open flow."""
    share = float(valve.equal_percentage(np.float64(x), 50.0, 1e-4))
    q = 1.0 / np.sqrt(1.0 - N + N / share**2)
    over_valve = N * q * q / share**2
    assert valve.authority(over_valve, share, 1.0) == pytest.approx(N, rel=1e-9)


def test_without_flow_or_pressure_the_authority_is_one():
    assert valve.authority(np.zeros(1), 0.5, np.zeros(1))[0] == 1.0
    assert valve.authority(np.full(1, 1e5), 1e-4, np.full(1, 1e5))[0] == pytest.approx(1.0), "shut: all falls over it"


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([10.0, 50.0, 200.0]))
def test_a_wider_valve_never_passes_less(x, y, R):
    low, high = np.float64(min(x, y)), np.float64(max(x, y))
    assert valve.equal_percentage(low, R, 1e-4) <= valve.equal_percentage(high, R, 1e-4)
    assert valve.linear(low, 1e-4) <= valve.linear(high, 1e-4)
