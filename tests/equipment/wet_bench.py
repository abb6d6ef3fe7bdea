"""A test bench for units in the coolant and in the air: one unit by itself, ticked as the step would tick it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from twin.arrays import worth_doing
from twin.declare import Equipment, Ports, quantities
from twin.physics.fluids import HEAT_CAPACITY
from twin.physics.hydraulic import branch_flow

FLUID = {("rack", "coolant"): "pg25", ("cdu", "technology"): "pg25"}


class WetBench:
    """One unit (or a table of `shape`) on the bench; with `shape=None` all numbers are plain floats.

    `worst` is the largest residual of its energy books, of what it turned over in that tick.
    """

    def __init__(self, unit, shape=(1, 1), state=None, **inputs):
        self.unit, self.shape = unit, shape
        self.inputs = self._row(unit.Inputs, inputs)
        self.state = self._row(unit.State, {**unit.rest(self.inputs), **(state or {})})
        self.out, self.now, self.worst = None, 0.0, 0.0

    def _as(self, value):
        return float(value) if self.shape is None else np.zeros(self.shape) + value

    def _row(self, table, given):
        said = quantities(table)
        assert set(given) <= set(said), f"{table.__qualname__} has no {set(given) - set(said)}"
        return table(**{name: self._as(given.get(name, q.default)) for name, q in said.items()})

    def set(self, **inputs):
        for name, value in inputs.items():
            assert hasattr(self.inputs, name), name
            setattr(self.inputs, name, self._as(value))

    def put(self, **state):
        for name, value in state.items():
            assert hasattr(self.state, name), name
            setattr(self.state, name, self._as(value))

    def ports(self, dt, gap=0.0, alive=True, weather=(298.15, 291.15), feeds=None, held=0.0, **signals):
        """Fresh ports, with its feed: dead for `gap` seconds, at the tick's start where `alive` at its end.

        Or with several, each (voltage, gap). `signals` says for how long each has stood, `held` how long it waits [s].
        """
        unit, port = self.unit, Ports(now=self.now, held=held)
        port.dry_bulb, port.wet_bulb = (self._as(T) for T in weather)
        for stream in unit.streams:
            rate = HEAT_CAPACITY[FLUID.get((unit.kind, stream), "water")]
            port.heat_capacity[stream] = self._as(rate)
        port.signal = {name: self._as(signals.get(name, 0.0)) for name in unit.signals}
        if unit.feeds[1]:
            feeds = feeds or [(float(alive), gap)]
            port.feed_voltage = [self._as(voltage) + 0j for voltage, _ in feeds]
            port.feed_gap = [self._as(seconds) for _, seconds in feeds]
            supply = unit.live(self.state, self.inputs, port, dt)
            port.voltage, port.gap, port.split = supply.voltage, supply.gap, supply.split
        port.drive = unit.actuate(self.state, self.inputs, port, dt)
        return port

    def flows(self, port, flow, pressure):
        """Say what flows; a pressure across a stream (inlet less outlet) makes its branch law answer."""
        for stream in self.unit.streams:
            port.pressure[stream] = self._as(pressure.get(stream, 0.0))
            if stream in pressure:
                answer = self.unit.branch(self.state, self.inputs, port, stream)
                driving = answer.head + port.pressure[stream]
                barred = (driving < 0) & (np.zeros_like(driving) + answer.check > 0)
                q, _ = branch_flow(driving, answer.laminar, answer.turbulent)
                port.flow[stream] = q * (1.0 - barred)
            else:
                port.flow[stream] = self._as(flow.get(stream, 0.0))
            port.capacity_rate[stream] = abs(port.flow[stream]) * port.heat_capacity[stream]

    def tick(self, dt, flow=None, inlet=None, pressure=None, *, room=None, air_heat=None, **about):
        """One tick at steady flows [m3/s] or pressures [Pa], inlets [K] and room air [K]."""
        unit, s, u = self.unit, self.state, self.inputs
        port = self.ports(dt, **about)
        self.flows(port, flow or {}, pressure or {})
        port.plan = unit.plan(s, u, port, dt)
        if unit.feeds[1]:
            power = unit.draw(s, u, port, self._as(0.0) + 0j, dt)
            port.power, port.reactive = np.real(power), np.imag(power)
        warm = unit.warm(s, u, port, dt)
        if air_heat is not None:
            port.air_heat = self._as(air_heat)
        if type(unit).coil is not Equipment.coil:
            K, water = unit.coil(s, u, port, dt)
            port.air_heat = K * (room - water)
        entering = {stream: self._as((inlet or {}).get(stream, 298.15)) for stream in unit.streams}
        for last in (False, True):
            for k, stream in enumerate(unit.streams):
                answer = unit.stream(s, u, port, stream, dt)
                partner = entering[unit.streams[1 - k]] if len(unit.streams) == 2 else 0.0
                port.inlet[stream] = entering[stream]
                port.outlet[stream] = answer.alpha + answer.beta * entering[stream] + answer.gamma * partner
            changed = None if last else unit.revise(s, u, port, dt)
            if changed is None or not worth_doing(np.asarray(changed)):
                break
        self.state, self.out = unit.advance(s, u, port, dt)
        self._close_books(s, port, warm, dt)
        self.now += dt
        return SimpleNamespace(
            port=port, power=one(port.power), warm=one(warm), air_heat=one(port.air_heat),
            outlet={name: one(T) for name, T in port.outlet.items()},
            flow={name: one(q) for name, q in port.flow.items()},
        )  # fmt: skip

    def _close_books(self, was, port, warm, dt):
        unit = self.unit
        into = [port.capacity_rate[n] * (port.inlet[n] - port.outlet[n]) for n in unit.streams]
        coils = type(unit).coil is not Equipment.coil
        if unit.storage or unit.streams or coils or unit.kind == "zone":
            taken = port.air_heat if coils or unit.kind == "zone" else 0.0
            rejected = unit.rejected(was, self.inputs, port, self.out, dt)
            gained = (unit.stored(self.state, port) - unit.stored(was, port)) / dt
            residual = port.power + sum(into) + taken - warm - rejected - gained
            gross = abs(port.power) + sum(abs(x) for x in into) + abs(taken) + abs(gained) + 1.0
            held = abs(unit.stored(was, port)) * 2.0**-50 / dt
            self.worst = max(self.worst, float(np.max(np.maximum(abs(residual) - held, 0.0) / gross)))

    def is_(self, name):
        return one(getattr(self.state, name))

    def gives(self, name):
        return one(getattr(self.out, name))


def outage(b, dt, dies, back, until, **tick):
    """Tick through an outage that begins and ends within ticks; yields what each tick answered.

    Moments count from the start of the outage's clock, `b.now` at the call [s].
    """
    begun = b.now
    for k in range(round(until / dt)):
        t = k * dt
        dead = max(min(t + dt, back) - max(t, dies), 0.0)
        dead = 0.0 if dead < 1e-9 * dt else min(dead, dt)
        yield b.tick(dt, gap=dead, alive=not (dead and back >= t + dt - 1e-9 * dt), **tick)
    assert abs(b.now - begun - until) < 1e-6


def one(value):
    """The first number of an array, or the number itself."""
    return float(np.real(np.ravel(value)[0]))
