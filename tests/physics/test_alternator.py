"""Alternators: a step of load against the phasor diagram, and the regulator's way back."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.physics.alternator import internal_voltage, regulated, terminal_voltage, voltage_response

LOAD = st.floats(-0.3, 1.0)


@given(LOAD, LOAD, st.floats(0.8, 1.1), st.floats(0.05, 0.4))
def test_terminal_and_internal_voltage_are_each_others_inverse(p, q, v, x):
    e = internal_voltage(v, p, q, x)
    phasor = v + 1j * x * (complex(p, q) / v).conjugate()
    assert e == pytest.approx(abs(phasor), rel=1e-12)
    if v > x * math.hypot(p, q) / v:  # on the upper branch
        assert terminal_voltage(e, p, q, x) == pytest.approx(v, rel=1e-9)


def test_a_block_of_load_by_hand():
    """60 % at power factor 0.8 behind X' = 0.2: Q = 0.45 takes 9 % and the active part 1 %."""
    v = terminal_voltage(1.0, 0.6, 0.45, 0.2)
    assert abs(v + 1j * 0.2 * complex(0.6, -0.45) / v) == pytest.approx(1.0, rel=1e-12)
    assert v == pytest.approx(0.8897, abs=1e-4)
    assert regulated(v, 0.4, 0.4) == pytest.approx(1 - (1 - v) / math.e)
    assert terminal_voltage(1.0, 4.0, 3.0, 0.2) == 0, "beyond the nose of the curve"


def test_small_swings_are_the_slope_of_the_large_ones():
    p, q, x, tau, tan = 0.6, 0.2, 0.25, 0.4, 0.33
    e, d = internal_voltage(1.0, p, q, x), 1e-6
    slope = (terminal_voltage(e, p + d, q + tan * d, x) - terminal_voltage(e, p - d, q - tan * d, x)) / (2 * d)
    fast = voltage_response(p, q, x, tau, tan, 1e9)
    assert fast == pytest.approx(slope, rel=1e-5)
    at_corner = voltage_response(p, q, x, tau, tan, 1 / tau)
    assert abs(at_corner) == pytest.approx(abs(slope) / math.sqrt(2), rel=1e-5)
    assert cmath.phase(at_corner / slope) == pytest.approx(math.pi / 4, abs=1e-9)


def test_it_is_the_same_for_tables():
    e = np.array([[1.0, 1.05]])
    assert terminal_voltage(e, 0.5, 0.1, 0.2).shape == (1, 2)
