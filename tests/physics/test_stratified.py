"""Two layers in a tank: displacement by its closed form, sinking inflow against scipy, energy and the second law."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from twin.physics.stratified import Layers, arrived, displaced, either, rises, sunk


def through(now, inflow, passed, carried=0.1, sinking=0.5):
    """The layers after a tick, and the mean temperature of what left."""
    warm = rises(now, inflow)
    passage = either(warm, displaced(now, passed, carried), sunk(now, passed, sinking))
    return arrived(passage, inflow), passage.constant + passage.slope * inflow


@pytest.mark.parametrize("tick", [0.001, 1 / 300, 10 / 300, 0.45])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.15])
def test_a_cold_tank_delivers_all_but_its_mixing_share_cold(tick, share):
    """Until (1 - s) V/q what leaves is cold; then it is the warm layer, T_in less what was mixed up."""
    now, left, passed = Layers(1.0, 290.0, 290.0), [], 0.0
    while passed + tick <= 1.0 - share - 1e-12:
        now, out = through(now, 300.0, tick, share)
        passed += tick
        left.append(out)
    assert np.array(left) == pytest.approx(np.full(len(left), 290.0), rel=1e-14)
    assert now.cold == pytest.approx(1.0 - passed / (1.0 - share), abs=1e-12)
    now, out = through(now, 300.0, 0.9, share)
    assert now.cold == 0.0
    assert out > 290.0
    if share == 0.0:
        assert now.T_warm == pytest.approx(300.0, rel=1e-15)


def test_what_is_used_up_within_a_tick_is_so_at_its_moment():
    now = Layers(0.4, 290.0, 300.0)
    up = displaced(now, 1.0, 0.2)
    assert up.used_up
    assert up.after == pytest.approx(0.4 * 0.8)
    held = 0.6 * 300.0 + 0.4 * 0.8 * 0.25 * 290.0 + 0.4 * 0.8 * 300.0  # what rose in it: the inflow, and its share
    gone = 1.0 - np.exp(-(1.0 - 0.32))
    mean = 0.32 * 290.0 + gone * held + (0.68 - gone) * 300.0
    assert up.constant + up.slope * 300.0 == pytest.approx(mean, rel=1e-14)


@pytest.mark.parametrize("carried", [0.0, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("cold", [0.0, 0.3, 0.9])
def test_cold_inflow_sinks_as_scipy_says(cold, carried):
    """Balances of volume and heat of the cold layer, in continuous time, until nothing is left above."""
    f = carried / (1.0 - carried)
    until = 0.9 * min((1.0 - cold) / f if f else 1.0, 1.0)
    found = sunk(Layers(cold, 295.0, 303.0), until, carried)

    def rates(k, y):
        x, warmth = y
        T = warmth / x
        return [f, 291.0 + f * 303.0 - T]

    start = max(cold, 1e-9)
    mixed = (291.0 + f * 303.0) / (1.0 + f)
    solved = solve_ivp(rates, (0.0, until), [start, start * (295.0 if cold else mixed)],
                       method="LSODA", rtol=1e-11, atol=1e-13)  # fmt: skip
    if cold or f:
        x, warmth = solved.y[:, -1]
        assert found.cold == pytest.approx(x, abs=1e-8)
        assert found.below[0] + found.below[1] * 291.0 == pytest.approx(warmth / x, abs=1e-5)
    left = found.constant + found.slope * 291.0
    kept = found.cold * (found.below[0] + found.below[1] * 291.0) + (1.0 - found.cold) * 303.0
    assert cold * 295.0 + (1.0 - cold) * 303.0 + until * (291.0 - left) == pytest.approx(kept, rel=1e-14)


def test_a_tank_without_layers_is_one_stirred_volume():
    down = sunk(Layers(1.0, 290.0, 290.0), 0.7, 0.5)
    gone = 1.0 - np.exp(-0.7)
    assert down.constant + down.slope * 300.0 == pytest.approx(300.0 - 10.0 * gone / 0.7, rel=1e-14)
    assert down.below[0] + down.below[1] * 300.0 == pytest.approx(300.0 - 10.0 * (1.0 - gone), rel=1e-14)


SHARE, TEMPERATURE = st.floats(0.0, 1.0), st.floats(280.0, 330.0)
PASSED = st.one_of(st.just(0.0), st.floats(1e-12, 1e-3), st.floats(1e-3, 30.0))


@given(SHARE, TEMPERATURE, st.floats(0.0, 30.0), TEMPERATURE, PASSED, st.floats(0.0, 0.5), st.floats(0.0, 0.9))
def test_heat_is_kept_and_nothing_leaves_its_range(cold, T_cold, lift, inflow, passed, carried, sinking):
    """Second law: what is mixed lies between what it was mixed of, and no layer turns over."""
    now = Layers(cold, T_cold, T_cold + lift)
    after, left = through(now, inflow, passed, carried, sinking)
    held = [layers.cold * layers.T_cold + (1.0 - layers.cold) * layers.T_warm for layers in (now, after)]
    assert held[0] + passed * (inflow - left) == pytest.approx(held[1], rel=2e-14 * (1.0 + passed))
    low, high = min(T_cold, inflow) - 1e-9, max(T_cold + lift, inflow) + 1e-9
    assert low <= left <= high
    assert low <= after.T_cold <= after.T_warm + 1e-9 <= high + 1e-9
    assert 0.0 <= after.cold <= 1.0


@given(SHARE, TEMPERATURE, st.floats(1.0, 30.0), st.floats(0.0, 10.0), st.floats(0.001, 3.0), st.floats(0.0, 0.4))
def test_more_mixing_never_delivers_more_cold(cold, T_cold, lift, warmer, passed, carried):
    now = Layers(cold, T_cold, T_cold + lift)
    inflow = T_cold + lift + warmer
    left = [displaced(now, passed, s) for s in (carried, carried + 0.1)]
    assert left[0].constant + left[0].slope * inflow <= left[1].constant + left[1].slope * inflow + 1e-9


@given(SHARE, TEMPERATURE, st.floats(1.0, 30.0), st.floats(0.0, 10.0), st.floats(0.001, 3.0))
def test_two_layers_never_deliver_warmer_water_than_one(cold, T_cold, lift, warmer, passed):
    """With the same heat inside, a layered tank is never worse than the mixed one in what it gives off first."""
    now = Layers(cold, T_cold, T_cold + lift)
    mean = cold * T_cold + (1.0 - cold) * (T_cold + lift)
    inflow = T_cold + lift + warmer
    layered, mixed = displaced(now, passed, 0.0), sunk(Layers(1.0, mean, mean), passed, 0.0)
    assert layered.constant + layered.slope * inflow <= mixed.constant + mixed.slope * inflow + 1e-9
