"""Transformer against the closed form of the two-bus power flow and the IEC overload element."""

import math

import pytest

from twin.equipment.transformer import Transformer

UNIT = {"rated_power": 3e6, "impedance": 0.0575, "no_load_loss": 3.6e3, "load_loss": 24e3}


def test_losses_and_ratio_by_hand():
    t = Transformer(**UNIT)
    assert t.loss(1.5e6) == pytest.approx(3600 + 24000 / 4, rel=1e-15)
    assert t.efficiency(3e6) == pytest.approx(3e6 / 3.0276e6, rel=1e-15)
    assert t.own_impedance.real == pytest.approx(0.008, rel=1e-15)
    assert t.own_impedance.imag == pytest.approx(math.sqrt(0.0575**2 - 0.008**2), rel=1e-12)


def test_repeated_ticks_are_the_ac_power_flow(bench):
    t = Transformer(**UNIT)
    b = bench(t)
    P, Q, V_in = 0.9, 0.4, 1.02
    for _ in range(20):
        answer = b.tick(1.0, [(V_in, 0.0)], load=(P + 1j * Q) * 3e6)
    R, X = t.own_impedance.real, t.own_impedance.imag
    half = V_in**2 / 2 - (P * R + Q * X)
    V2 = half + math.sqrt(half**2 - (P * P + Q * Q) * (R * R + X * X))
    assert abs(answer.voltage) == pytest.approx(math.sqrt(V2), rel=1e-12)
    I2 = (P * P + Q * Q) / V2
    assert answer.warm == pytest.approx(24e3 * I2 + 3.6e3 * V_in**2, rel=1e-12)
    assert answer.power.imag == pytest.approx((Q + X * I2) * 3e6, rel=1e-12)
    # sending-end power is V_in conj(I): nothing is lost between voltage and heat
    current = ((P + 1j * Q) / answer.voltage).conjugate()
    assert answer.power - 3.6e3 * V_in**2 == pytest.approx(V_in * current.conjugate() * 3e6, rel=1e-12)
    assert b.worst < 1e-12


def test_dead_and_back_within_a_tick(bench):
    b = bench(Transformer(**UNIT))
    b.tick(1.0, [(1, 0.0)], load=2e6)
    assert b.tick(1.0, [(0, 0.25)], load=2e6).load == 1.5e6
    answer = b.tick(1.0, [(0, 1.0)], load=2e6)
    assert (answer.voltage, answer.gap, answer.power, answer.split) == (0, 1.0, 0, [0.0])
    assert b.tick(1.0, [(1, 0.5)]).power == pytest.approx(1800.0), "core loss for half the tick"
    b.set(in_service=0)
    assert b.tick(1.0, [(1, 0.0)]).power == 0
    assert b.worst < 1e-12


@pytest.mark.parametrize("dt", [60.0, 1.0])
def test_overload_shows_at_the_moment_of_the_closed_form(bench, dt):
    """I = 1.5: t = tau ln(2.25/1.25); at nominal voltage, so with no impedance to speak of."""
    b = bench(Transformer(rated_power=1e6, impedance=1e-9, no_load_loss=0, load_loss=0, thermal_time_constant=600))
    while not b.is_("overloaded"):
        b.tick(dt, [(1, 0.0)], load=1.5e6)
    assert b.is_("overloaded_at") == pytest.approx(600 * math.log(2.25 / 1.25), rel=1e-9)


def test_taps_change_the_ratio_and_can_be_moved(bench):
    """Two steps of 2.5 % up on the primary: V/1.05 at no load; two down: V/0.95."""
    b = bench(Transformer(**UNIT, tap_step=0.025))
    for position in (2, -2, 0):
        b.set(tap_position=position)
        answer = b.tick(1.0, [(1.02, 0.0)])
        assert answer.voltage == pytest.approx(1.02 / (1 + 0.025 * position), rel=1e-15)
        assert answer.power == pytest.approx(3.6e3 * 1.02**2, rel=1e-14), "the core stands on the primary side"


def test_a_loaded_transformer_with_taps_is_the_two_bus_power_flow(bench):
    t = Transformer(**UNIT)
    b = bench(t, tap_position=-3)
    for _ in range(25):
        answer = b.tick(1.0, [(0.97, 0.0)], load=2.4e6 + 1.2e6j)
    P, Q, R, X = 0.8, 0.4, t.own_impedance.real, t.own_impedance.imag
    half = (0.97 / 0.925) ** 2 / 2 - (P * R + Q * X)
    V2 = half + math.sqrt(half**2 - (P * P + Q * Q) * (R * R + X * X))
    assert abs(answer.voltage) == pytest.approx(math.sqrt(V2), rel=1e-12)
    assert b.worst < 1e-12


def test_no_load_current_magnetises(bench):
    """1 % of 3 MVA: 30 kVA, of which 3.6 kW are loss."""
    b = bench(Transformer(**UNIT, no_load_current=0.01))
    assert b.tick(1.0, [(1.0, 0.0)]).power == pytest.approx(3.6e3 + 1j * math.sqrt(30e3**2 - 3.6e3**2), rel=1e-12)


def test_resistance_follows_from_the_ratio_where_the_loss_is_not_said():
    t = Transformer(rated_power=3e6, impedance=0.0575, no_load_loss=0, load_loss=0, reactance_ratio=8)
    assert abs(t.own_impedance) == pytest.approx(0.0575, rel=1e-14)
    assert t.own_impedance.imag / t.own_impedance.real == pytest.approx(8, rel=1e-12)
    assert t.loss(3e6) == pytest.approx(0.0575 / math.sqrt(65) * 3e6, rel=1e-12)
    assert t.series(None, None) == pytest.approx(t.own_impedance / 3e6, rel=1e-15)
