"""Zone: a room warms by its air and what stands in it, and says when it is too hot."""

from __future__ import annotations

import pytest
from wet_bench import WetBench

from twin.equipment.zone import Zone


def unit(**more):
    return Zone(**{"volume": 1000.0, "mass_heat_capacity": 3.81e6, **more})


def test_one_room_in_plain_numbers():
    """1,000 m3 x 1.19 kJ/(m3 K) + 3.81 MJ/K = 5 MJ/K."""
    assert unit().heat_capacity() == pytest.approx(5e6, rel=1e-14)


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_a_megawatt_warms_it_by_a_kelvin_in_five_seconds(shape):
    b = WetBench(unit(), shape, state={"temperature": 298.15})
    b.tick(5.0, air_heat=1e6)
    assert b.is_("temperature") == pytest.approx(299.15, rel=1e-14)
    assert b.gives("heat") == 1e6
    assert b.worst < 1e-12


@pytest.mark.parametrize("dt", [1.0, 0.3, 7.0])
def test_it_is_too_hot_at_the_moment_it_passes_its_limit(dt):
    b = WetBench(unit(limit_temperature=300.0), state={"temperature": 298.0})
    while not b.is_("too_hot"):
        b.tick(dt, air_heat=2e5)
    assert b.is_("too_hot_at") == pytest.approx(50.0, abs=1e-9)
    while b.is_("too_hot"):
        b.tick(dt, air_heat=-2e5)
    ends = b.is_("too_hot_at")
    assert b.now - dt <= ends <= b.now


def test_a_room_in_balance_stays():
    b = WetBench(unit())
    b.tick(1e5, air_heat=0.0)
    assert b.is_("temperature") == 298.15
