"""GPU power, clock and speed: laws that undo each other, by hand and at published points, some of them held out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.physics import gpu_points as points
from twin.physics.gpu import Curve, clock_for, dynamic_share, switching, throughput, voltage

CURVES = st.builds(
    Curve, st.floats(0.0, 1.0), st.floats(0.3, 0.99), st.floats(0.05, 0.95), st.floats(1.0, 3.0)
)  # fmt: skip
HALF = Curve(0.2, 0.5, 0.5, 2.0)


def f(x: float) -> np.float64:
    return np.float64(x)


@given(CURVES, st.floats(0.001, 1.0))
def test_clock_and_power_undo_each_other(curve, of_boost):
    clock = of_boost * curve.boost
    assert float(clock_for(dynamic_share(f(clock), curve), curve)) == pytest.approx(clock, rel=1e-11)


@given(CURVES, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_faster_clock_never_takes_less_and_costs_at_least_in_proportion(curve, one, other):
    slow, fast = sorted((one * curve.boost, other * curve.boost))
    low, high = float(dynamic_share(f(slow), curve)), float(dynamic_share(f(fast), curve))
    assert low <= high * (1 + 1e-14)
    assert low * fast <= high * slow * (1 + 1e-12) + 1e-15, "watts a hertz never fall as clocks rise"
    assert float(clock_for(f(low), curve)) <= float(clock_for(f(high), curve)) * (1 + 1e-12)


def test_figures_by_hand():
    """Voltage 0.5 up to half the highest clock, 0.75 at three quarters: 0.75 (0.2 + 0.8 x 0.5625) = 0.4875."""
    assert float(voltage(f(0.25), HALF)) == 0.5
    assert float(voltage(f(0.75), HALF)) == 0.75
    assert float(switching(f(0.75), HALF)) == pytest.approx(0.4875, rel=1e-14)
    assert float(switching(f(0.5), HALF)) == pytest.approx(0.2, rel=1e-14)
    assert float(dynamic_share(f(1.5), HALF)) == pytest.approx(0.4875 / 0.2, rel=1e-14), "nominal is half the highest"
    assert float(dynamic_share(f(0.5), HALF)) == pytest.approx(0.5, rel=1e-14), "below the knee in proportion"
    assert float(dynamic_share(f(1.0), HALF)) == 1.0
    assert float(clock_for(f(0.4875 / 0.2), HALF)) == pytest.approx(1.5, rel=1e-13)


def test_no_power_allows_no_clock_and_more_than_all_no_more_than_the_highest():
    assert float(clock_for(f(0.0), HALF)) == 0.0
    assert float(clock_for(f(-0.3), HALF)) == 0.0
    assert float(clock_for(f(99.0), HALF)) == 2.0


def test_clocks_of_a_table_are_each_what_they_are_alone():
    shares = np.array([[0.0, 0.3, 1.0, 1.7, 3.0, 9.0]])
    together = clock_for(shares, HALF)
    assert [float(clock_for(f(each), HALF)) for each in shares[0]] == list(together[0])


def test_work_bound_by_memory_loses_nothing_down_to_its_knee():
    assert [float(throughput(f(x), 0.6)) for x in (1.0, 0.6, 0.3)] == [1.0, 1.0, 0.5]
    assert [float(throughput(f(x), 1.0)) for x in (1.0, 0.6, 0.3)] == [1.0, 0.6, 0.3]


# Published points


@pytest.mark.parametrize(("work", "point"), points.B200.items())
def test_the_published_power_of_a_b200_within_5_percent(work, point):
    """As the catalogue's GB200 has it: shares of the power beyond idle at clocks of nominal, rounded."""
    clock, watts = point
    own, share = {"BF16 GEMM": (1.0, 1.0), "FP8 GEMM": (1.023, 0.89), "decode": (1.389, 0.188)}[work]
    activity = share * (990.0 - points.IDLE) / float(dynamic_share(f(own), points.CURVE))
    power = points.IDLE + activity * float(dynamic_share(f(clock / 1150e6), points.CURVE))
    assert power == pytest.approx(watts, rel=0.005)
    allowed = float(clock_for(f((watts - points.IDLE) / activity), points.CURVE))
    assert allowed * 1150e6 == pytest.approx(clock, rel=0.005), "and the clock that this power allows"


def test_held_out_a_gemm_goes_with_its_clock():
    """From 1,072 to 1,222 MHz a BF16 GEMM gains as much as its clock, within 1 %."""
    (slow, less), (fast, more) = points.GEMM
    assert less / more == pytest.approx(float(throughput(f(slow / fast), 1.0)), rel=0.01)


def test_held_out_prefill_behind_a_cap():
    """Fitted at 250, 200 and 150 W; what 300 W cost is foretold within 2 % of what 350 W give."""
    card = points.fitted()
    for cap in points.FITTED:
        assert card.clock(cap) == pytest.approx(points.PREFILL[cap] / points.PREFILL[350.0], abs=1e-6)
    assert card.clock(300.0) == pytest.approx(points.PREFILL[300.0] / points.PREFILL[350.0], abs=0.02)


@pytest.mark.parametrize("cap", [300.0, 250.0, 200.0])
def test_held_out_decode_barely_loses_behind_a_cap(cap):
    """Its power follows from the point at 150 W; at 200 W and more it is foretold to lose nothing: 6 % at most."""
    card = points.decoding(points.fitted())
    assert points.decode_speed(card, 150.0) == pytest.approx(points.DECODE[150.0] / points.DECODE[350.0], rel=1e-9)
    assert points.decode_speed(card, cap) == pytest.approx(points.DECODE[cap] / points.DECODE[350.0], abs=0.06)
    prefill = points.fitted().clock(cap)
    assert points.decode_speed(card, cap) > prefill


@pytest.mark.parametrize("work", points.H100_LOSS)
def test_held_out_an_h100_from_700_to_600_w(work):
    """With the curve of the catalogue and the clock at 700 W, an estimate."""
    clock, least, most = points.H100_LOSS[work]
    curve = points.CURVE._replace(boost=points.H100_BOOST / clock)
    full, cap = points.H100_CAP
    loss = 1.0 - float(clock_for(f((cap - points.H100_IDLE) / (full - points.H100_IDLE)), curve))
    assert least <= loss <= most
