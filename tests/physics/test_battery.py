"""Battery: age, cold and discharge rate by hand, and against an integral in small steps."""

import numpy as np
import pytest

from twin.physics import battery


def test_age_and_cold_by_hand():
    """Half its life at 20 % fade leaves 90 %; 10 K below 25 degC at 0.8 %/K withholds 8 % of that."""
    full = battery.capacity(100.0, 5.0, 10.0, 0.2)
    assert full == pytest.approx(90.0)
    assert battery.held_back(full, 0.05, 288.15, 0.008) == pytest.approx(0.13 * 90)
    assert battery.held_back(full, 0.0, 308.15, 0.008) == 0.0, "no gift from warmth"
    assert battery.held_back(full, 0.5, 200.15, 0.008) == pytest.approx(90.0), "never more than all"
    assert battery.capacity(100.0, 1e9, 10.0, 0.2) == pytest.approx(1.0)


def test_the_rate_of_discharge_by_hand():
    """At rated power 5 % stay in the cells, at a tenth 0.5 %: E/(P (1 + r P/P_rated))."""
    assert battery.lasts(3e8, 1e6, 1e6, 0.05, 1.0) == pytest.approx(300 / 1.05)
    assert battery.lasts(3e8, 1e5, 1e6, 0.05, 1.0) == pytest.approx(3000 / 1.005)
    assert battery.lasts(3e8, 0.0, 1e6, 0.05, 1.0) == pytest.approx(3e8, rel=1e-6)


@pytest.mark.parametrize(("start", "span", "alone"), [(0.0, 1.0, 0.4), (3.0, 4.0, 0.0), (9.0, 5.0, 0.7)])
def test_the_squared_share_is_its_integral(start, span, alone):
    ramp, steps = 10.0, 200_000
    t = (np.arange(steps) + 0.5) * span / steps
    share = np.maximum(1.0 - (start + t) / ramp, 0.0)
    expected = alone + np.mean(share**2) * span
    end = min(start + span, ramp)
    assert battery.squared_seconds(alone, start, end, ramp) == pytest.approx(expected, rel=1e-9)


def test_the_moment_at_which_a_charge_is_passed():
    assert battery.moment_below(0.25, 0.15, 0.2, 4.0) == pytest.approx(2.0)
    assert battery.moment_below(0.2, 0.2, 0.2, 4.0) == 0.0
