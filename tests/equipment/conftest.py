"""A test bench: one unit by itself, ticked as the step would tick it."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from twin.declare import Ports


def _row(table, given, count):
    row = table()
    for field in fields(table):
        setattr(row, field.name, np.zeros((1, count)) + given.get(field.name, getattr(row, field.name)))
    return row


class Bench:
    """One unit (or a few alike) on the bench: its State, its Inputs, and the ledger of every tick.

    Values said for a few units are lists, one for each.
    """

    def __init__(self, unit, count=1, **inputs):
        self.unit = unit
        self.count = count
        self.inputs = _row(unit.Inputs, inputs, count)
        self.state = _row(unit.State, unit.rest(self.inputs), count)
        self.out = None
        self.now = 0.0
        self.worst = 0.0
        self.fault_current = 0.0

    def set(self, **inputs):
        for name, value in inputs.items():
            setattr(self.inputs, name, self._array(value))

    def _array(self, value):
        return np.zeros((1, self.count)) + value

    def tick(self, dt, feeds=(), load=0.0, *, served=0.0, frequency=None, **signal):
        """One tick; feeds are (voltage, gap), load is what is asked while the unit is alive."""
        unit, s, u = self.unit, self.state, self.inputs
        port = Ports(now=self.now)
        port.feed_voltage = [self._array(v) + 0j for v, _ in feeds]
        port.feed_gap = [self._array(g) for _, g in feeds]
        if frequency is not None:
            port.feed_frequency = [self._array(each) for each in frequency]
        port.served_voltage = self._array(served)
        port.fault_current = self._array(self.fault_current)
        port.signal = {name: self._array(signal.get(name, 0.0)) for name in unit.signals}
        supply = unit.live(s, u, port, dt)
        port.voltage, port.gap = supply.voltage, supply.gap
        port.drive = unit.actuate(s, u, port, dt)
        taken = self._array(load) * (1.0 - supply.gap / dt) + 0j
        port.load, port.load_reactive = taken.real, taken.imag
        power = taken if unit.source else unit.draw(s, u, port, taken, dt)
        port.power, port.reactive = np.real(power), np.imag(power)
        warm = unit.warm(s, u, port, dt)
        self.state, self.out = unit.advance(s, u, port, dt)
        gained = (unit.stored(self.state, port) - unit.stored(s, port)) / dt
        if unit.serves and not unit.source:
            throughput = np.maximum(abs(port.power) + abs(port.load), 1.0)
            residual = abs(port.power - port.load - warm - gained) / throughput
            self.worst = max(self.worst, float(residual.max()))
        self.now += dt
        pick = lambda x: np.ravel(x)[0]  # noqa: E731
        return SimpleNamespace(
            voltage=pick(supply.voltage), gap=pick(supply.gap), split=[pick(x) for x in supply.split],
            power=pick(power), load=pick(taken), warm=pick(warm + 0.0),
        )  # fmt: skip

    def is_(self, name):
        return float(np.ravel(getattr(self.state, name))[0])

    def gives(self, name):
        return float(np.ravel(getattr(self.out, name))[0])


@pytest.fixture
def bench():
    return Bench
