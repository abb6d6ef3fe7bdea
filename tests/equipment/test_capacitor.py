"""Capacitor and load: what they take, by hand."""

import numpy as np
import pytest

from twin.declare import MODES, Ports
from twin.equipment.capacitor import Capacitor
from twin.equipment.load import Load


def asks(unit, voltage=1.0, gap=0.0, **inputs):
    """Complex power of one unit in floats, in a tick of a second."""
    row = unit.Inputs(**inputs)
    port = Ports(voltage=np.array([[voltage + 0j]]), gap=np.array([[gap]]))
    return np.ravel(unit.demand(None, row, port, 1.0))[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, -3e5j),
        ({"voltage": 0.9}, -0.81 * 3e5j),
        ({"gap": 0.25}, -0.75 * 3e5j),
        ({"closed": 0.5}, -1.5e5j),
        ({"closed": 0.0}, 0),
        ({"mode": MODES["off"]}, 0),
        ({"in_service": 0.0}, 0),
        ({"fuses_blown": 1.0}, 0),
    ],
)
def test_a_bank_gives_by_the_square_of_voltage(given, expected):
    assert asks(Capacitor(rated_reactive_power=3e5), **given) == pytest.approx(expected, rel=1e-15)


def test_a_load_takes_its_power_at_its_power_factor_whatever_the_voltage():
    load = Load(rated_power=80e3, power_factor=0.8)
    assert asks(load, voltage=0.9) == pytest.approx(80e3 + 60e3j, rel=1e-15)
    assert asks(load, demand=0.5, gap=0.5) == pytest.approx(20e3 + 15e3j, rel=1e-15)
    assert asks(load, in_service=0.0) == 0
