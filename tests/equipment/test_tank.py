"""Tank: a stirred volume by its closed form, and the moment it is exhausted."""

from __future__ import annotations

import math

import pytest
from wet_bench import WetBench

from twin.equipment.tank import Tank

WATER = 4.17e6


def unit(**more):
    return Tank(**{"volume": 8.0, "useful_temperature": 298.15, **more})


@pytest.mark.parametrize("dt", [0.1, 1.0, 10.0, 300.0])
@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_it_warms_as_a_stirred_volume_does(dt, shape):
    """T = T_in + (T0 - T_in) e^(-q t/V), whatever the tick."""
    b = WetBench(unit(), shape, state={"temperature": 291.15})
    for _ in range(round(600 / dt)):
        b.tick(dt, {"coolant": 0.036}, {"coolant": 303.15})
    expected = 303.15 - 12.0 * math.exp(-0.036 * 600 / 8.0)
    assert b.is_("temperature") == pytest.approx(expected, rel=1e-12)
    assert b.worst < 1e-12


def test_a_tank_of_7_2_cubic_metres_takes_a_megawatt_for_five_minutes_over_ten_kelvin():
    """Energy, not outlet: V rho cp 10 K = 300 MJ (within 0.1 %)."""
    tank = unit(volume=7.2)
    b = WetBench(tank)
    port = b.ports(1.0)
    cold = tank.stored(b.state, port)
    b.put(temperature=b.is_("temperature") + 10.0)
    assert float((tank.stored(b.state, port) - cold)[0, 0]) == pytest.approx(3e8, rel=1.1e-3)


@pytest.mark.parametrize("dt", [1.0, 0.1, 0.01])
def test_it_is_exhausted_at_the_moment_it_passes_its_limit(dt):
    """ln(12/5) V/q seconds; the straight line within a tick is good to (dt/tau)^2."""
    b = WetBench(unit(volume=0.8), state={"temperature": 291.15})
    while not b.is_("exhausted"):
        b.tick(dt, {"coolant": 0.036}, {"coolant": 303.15})
    tau = 0.8 / 0.036
    warm = b.is_("exhausted_at")
    assert warm == pytest.approx(tau * math.log(12.0 / 5.0), abs=0.2 * dt * dt / tau)
    while b.is_("exhausted"):
        b.tick(dt, {"coolant": 0.036}, {"coolant": 290.15})
    assert b.now - dt <= b.is_("exhausted_at") <= b.now
    assert b.is_("exhausted_at") > warm


def test_without_flow_it_keeps_its_cold():
    b = WetBench(unit(), state={"temperature": 285.0})
    b.tick(3600.0, {"coolant": 0.0}, {"coolant": 330.0})
    assert b.is_("temperature") == 285.0
    assert b.gives("heat") == 0.0
