"""One tick of the coupled plant, as a table of contents."""

from __future__ import annotations

from typing import Any

from twin.arrays import worth_doing
from twin.ledger import balance
from twin.model import Model, State, ports
from twin.networks import air, coolant, coolant_heat, coolant_leaks, coolant_pressure, mesh, power, signal, struck, work
from twin.networks.tables import AllPorts, AllRows

LONG = 5.0
"""Ticks longer than this [s] are gone through again until those who regulate stand where they would end. Estimate."""
PASSES = 6
"""Most times that such a tick is gone through, the first included. Estimate."""


def step(model: Model, state: State, inputs: AllRows, now: Any, dt: Any) -> State:
    """The state at the end of a tick, with its Outputs in `outputs`; a pure function of the arguments.

    Args:
        state: the world as it was, arrays (member, n).
        inputs: what is asked during this tick, arrays (member, n).
        now, dt: run time at the start of the tick, and its length [s].
    """
    xp, members, length = model.xp, state.voltage.shape[0], float(dt)
    dt = xp.asarray(dt)
    rows, weather = state.rows, inputs["site"]
    port = ports(model, now, weather.dry_bulb, weather.wet_bulb)
    signal.solve(model.signals, port, state.outputs, members, xp)
    work.solve(model.work, port, rows, inputs, state.outputs, dt)
    was = state.voltage, state.frequency
    grid, shares, short = struck.energise(model.power, port, rows, inputs, was, dt)
    work.take_turns(model.work, port, rows, inputs, dt)
    for t in model.having["actuate"]:
        port[t.key].drive = t.machine.actuate(rows[t.key], inputs[t.key], port[t.key], dt)
    passes = PASSES if length > LONG else 1
    for left in reversed(range(passes)):
        pressure, flow, told, rate, drains = _flow(model, state, inputs, port, members, dt)
        for t in model.having["plan"]:
            port[t.key].plan = t.machine.plan(rows[t.key], inputs[t.key], port[t.key], dt)
        drawn = power.load(model.power, port, rows, inputs, shares, members, xp, dt, short)
        coolant_heat.mix(model.coolant, port, rate, dt)
        warmth = xp.zeros(grid[0].shape)
        air.solve(model.air, port, rows, inputs, warmth, xp, dt)
        headers, ends = _heat(model, state, inputs, port, flow, drains, members, dt)
        if left == 0 or not _asked(model, "regulate", state, inputs, port, dt):
            break
    work.tell_power(model.work, port, drawn[0])
    after, outputs = {}, {}
    for t in model.tables:
        after[t.key], outputs[t.key] = t.machine.advance(rows[t.key], inputs[t.key], port[t.key], dt)
    new = State(after, outputs, grid[0], pressure, headers, state.stored, frequency=grid[1], flows=told)
    new.loops = mesh.closed_loops(model.power.meshes, port)
    lost = coolant_leaks.drained(model.vessels, drains, warmth.shape[1], model.coolant, ends[0])
    balance(model, state, new, inputs, port, drawn, warmth, rate * (ends[0] - ends[1]), dt, short and short.burnt, lost)
    work.charge(model.work, port, inputs, rows, after, new.outputs["site"], drawn[0], dt)
    return new


def _flow(model: Model, state: State, inputs: AllRows, port: AllPorts, members: int, dt: Any) -> Any:
    """What flows where, and what leaks."""
    net = model.coolant
    answer = coolant.resistances(net, port, state.rows, inputs, members, model.xp)
    pressure, flow, _ = coolant.solve_flow(net, answer, state.pressure)
    rate, told = coolant.tell_flows(net, port, pressure, flow, state.flows)
    coolant_pressure.tell_pressures(model.vessels, net, port, state.rows, answer, pressure, flow)
    return pressure, flow, told, *coolant_leaks.tell_leaks(model.vessels, net, port, state.rows, inputs, flow, rate, dt)


def _heat(
    model: Model, state: State, inputs: AllRows, port: AllPorts, flow: Any, drains: Any, members: int, dt: Any
) -> Any:
    """How warm everything arrives; once more where a machine finds that it must answer otherwise."""
    net = model.coolant
    for last in (False, True):
        said = coolant_heat.answers(net, port, state.rows, inputs, members, model.xp, dt)
        headers, ends = coolant_heat.solve_heat(net, model.heat, said, flow, state.headers, drains)
        for streams in net.streams:
            p = port[streams.table.key]
            p.inlet[streams.name], p.outlet[streams.name] = ends[0][:, streams.columns], ends[1][:, streams.columns]
        if last or not _asked(model, "revise", state, inputs, port, dt):
            break
    coolant_pressure.tell_vessels(model.vessels, port, state.rows, ends[1])
    return headers, ends


def _asked(model: Model, law: str, state: State, inputs: AllRows, port: AllPorts, dt: Any) -> bool:
    """Whether a machine answers otherwise now; each of them is asked."""
    answers = [
        worth_doing(getattr(t.machine, law)(state.rows[t.key], inputs[t.key], port[t.key], dt))
        for t in model.having[law]
    ]
    return any(answers)
