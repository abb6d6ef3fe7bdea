"""The device: a pod's drill on the GPU equals the CPU's; on a pretended device too, and nothing leaves it."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pytest

from tests.pretend_cupy import LeftTheDevice, library
from tests.small_plants import pod, tied, wet_chain
from twin import model as compiled
from twin.arrays import library_of, open_device, to_host, worth_doing
from twin.declare import quantities, replace
from twin.simulation import settle
from twin.step import step

MEMBERS = 3


def asked_of(model, tick):
    """Inputs of a drill in which something happens in every member: pumps, feeds, chillers, a UPS, a limit."""
    xp = model.xp
    asked = compiled.inputs(model, MEMBERS)

    def put(kind, name, row, value, member=None):
        array = to_host(getattr(asked[kind], name)).copy()
        array[slice(None) if member is None else member, row] = value
        asked[kind] = replace(asked[kind], **{name: xp.asarray(array)})

    put("rack", "utilisation", slice(None), 1.0)
    if tick >= 2:
        put("cdu", "duty_pump_failed", slice(None), 1.0)
        put("cdu", "standby_pump_failed", slice(None), 1.0, member=0)
    if tick >= 4:
        put("utility", "in_service", slice(None), 0.0, member=1)
        put("chiller", "mode", 0, 0.0, member=2)
    if tick >= 6:
        put("pump", "in_service", 1, 0.0)
        put("rack", "power_limit", 2, 0.6)
        put("generator", "fails_to_start", 1, 1.0)
    if tick >= 40:
        put("utility", "in_service", slice(None), 1.0)
    return asked


def moved(state, xp):
    """A State with all its arrays in another library."""
    made = copy.copy(state)
    for name, value in vars(state).items():
        if name == "flows":
            made.flows = {}  # told anew
        elif isinstance(value, dict):
            rows = {key: {n: xp.asarray(x) for n, x in vars(row).items()} for key, row in value.items()}
            setattr(made, name, {key: replace(row, **rows[key]) for key, row in value.items()})
        elif isinstance(value, np.ndarray):
            setattr(made, name, xp.asarray(value))
    return made


def drill(device, ticks, dt=1.0, start=None):
    """Every State and Output of every tick, on the host; from a settled state unless one is given."""
    model = compiled.compile(pod(4), device)
    now = settle(model, asked_of(model, 0), MEMBERS) if start is None else moved(start, model.xp)
    rows = []
    for tick in range(ticks):
        now = step(model, now, asked_of(model, tick), tick * dt, dt)
        tables = ((t.key, row) for t in model.tables for row in (now.rows[t.key], now.outputs[t.key]))
        rows.append({(key, name): to_host(x) for key, row in tables for name, x in vars(row).items()})
        rows[-1]["", "voltage"] = to_host(now.voltage)
    return model, rows


def flags(model):
    for t in model.tables:
        for name, said in quantities(t.machine.State).items():
            if said.flag is not None:
                yield t.key, name


TYPICAL = {
    "W": 1e6,
    "var": 1e6,
    "J": 1e9,
    "K": 300.0,
    "USD": 1e3,
    "s": 100.0,
    "1": 1.0,
    "m^3/s": 0.1,
    "m^3": 1.0,
    "Hz": 60.0,
    "A": 1e3,
    "V": 1e3,
    "VA": 1e6,
    "Pa": 1e5,
}
"""What is large for a pod: a small difference of two large powers is as good as the powers are."""


def agree(model, one, other, relative, where):
    """Flags alike; all else to a share of itself or of what is typical of its unit."""
    units = {(t.key, n): q.unit for t in model.tables for row in (t.machine.State, t.machine.Outputs)
             for n, q in quantities(row).items()}  # fmt: skip
    for key in flags(model):
        np.testing.assert_array_equal(other[key], one[key], err_msg=f"{key} in {where}")
    for key, values in one.items():
        least = relative * TYPICAL[units.get(key, "1")]
        np.testing.assert_allclose(other[key], values, rtol=relative, atol=least, err_msg=f"{key} in {where}")


@pytest.mark.gpu
def test_gpu_and_cpu_agree_to_1e_9_and_in_the_tick_of_every_event():
    model, on_cpu = drill(open_device("cpu"), 90)
    _, on_gpu = drill(open_device("gpu"), 90)
    changes = 0
    for tick, (one, other) in enumerate(zip(on_cpu, on_gpu, strict=True)):
        agree(model, one, other, 1e-9, f"tick {tick}")
        for key in flags(model):
            changes += tick > 0 and int((one[key] != on_cpu[tick - 1][key]).sum())
    assert changes > 20, "a drill in which much happens"


@pytest.mark.gpu
def test_auto_takes_a_gpu_that_works():
    assert open_device("auto").is_gpu


@pytest.fixture
def pretended(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", library())
    device = open_device("gpu")
    assert device.is_gpu
    assert device.name == "gpu (cupy, pretended)"
    return device


def test_a_tick_never_leaves_the_device_and_saves_no_work_that_counts(pretended):
    """On a device all work is done, on the CPU what rests is left out: the same either way, to the order of sums."""
    resting = compiled.compile(pod(4))
    start = settle(resting, asked_of(resting, 0), MEMBERS)
    model, on_cpu = drill(open_device("cpu"), 50, start=start)
    _, on_device = drill(pretended, 50, start=start)
    assert sum(int((on_cpu[-1][key] != on_cpu[0][key]).sum()) for key in flags(model)) > 10
    for tick, (one, other) in enumerate(zip(on_cpu, on_device, strict=True)):
        agree(model, one, other, 1e-11, f"tick {tick}")


def wet(device, start, ticks=12):
    """Towers and a pipe through falling wet bulbs, a fouled fill, dead fans and lost make-up."""
    model = compiled.compile(wet_chain(), device)
    now, rows = moved(start, model.xp), []
    for tick in range(ticks):
        asked, tower = compiled.inputs(model, 2), {}
        wet_bulb = np.array([[297.0 - tick], [285.0 + tick]])
        asked["site"] = replace(asked["site"], wet_bulb=model.xp.asarray(wet_bulb))
        for name, when in (("fill_fouled", 2), ("makeup_lost", 4), ("fan_failed", 8)):
            tower[name] = model.xp.asarray(np.full((2, 2), [1.0 * (tick >= when), 0.0]))
        asked["cooling_tower"] = replace(asked["cooling_tower"], **tower)
        now = step(model, now, asked, 10.0 * tick, 10.0)
        tables = ((t.key, row) for t in model.tables for row in (now.rows[t.key], now.outputs[t.key]))
        rows.append({(key, name): to_host(x) for key, row in tables for name, x in vars(row).items()})
    return model, rows


def test_towers_and_pipes_stay_on_the_device(pretended):
    resting = compiled.compile(wet_chain())
    start = settle(resting, compiled.inputs(resting, 2), 2)
    model, on_cpu = wet(open_device("cpu"), start)
    _, on_device = wet(pretended, start)
    assert on_cpu[-1]["cooling_tower", "stopped"].any()
    for tick, (one, other) in enumerate(zip(on_cpu, on_device, strict=True)):
        agree(model, one, other, 1e-11, f"tick {tick}")


def thrown(device, ticks=60):
    """A tie that throws over in one member and is locked out by a short circuit in the other; a ring that opens."""
    model = compiled.compile(tied(), device)
    xp = model.xp
    start = settle(compiled.compile(tied()), compiled.inputs(compiled.compile(tied()), 2), 2)
    now, rows = moved(start, xp), []
    for tick in range(ticks):
        asked = compiled.inputs(model, 2)

        def put(unit, name, values, asked=asked):
            key, row = model.seats[unit]
            array = to_host(getattr(asked[key], name)).copy()
            array[:, row] = values
            asked[key] = replace(asked[key], **{name: xp.asarray(array)})

        if tick >= 2:
            put("board-1", "short_circuit", [1.0, 0.0])
            put("main-1", "closed", [1.0, 0.0])
        if tick >= 30:
            put("ring-1", "closed", [0.0, 1.0])
        if tick >= 40:
            put("board-3", "short_circuit", [0.0, 1.0])
        now = step(model, now, asked, 0.02 * tick, 0.02)
        tables = ((t.key, row) for t in model.tables for row in (now.rows[t.key], now.outputs[t.key]))
        rows.append({(key, name): to_host(x) for key, row in tables for name, x in vars(row).items()})
    return model, rows


def test_ties_and_short_circuits_through_them_stay_on_the_device(pretended):
    model, on_cpu = thrown(open_device("cpu"))
    _, on_device = thrown(pretended)
    (tie,) = [key for key, name in on_cpu[-1] if name == "locked_out"]
    assert on_cpu[-1][tie, "locked_out"][0].any()
    assert on_cpu[-1][tie, "thrown"][1].any()
    for tick, (one, other) in enumerate(zip(on_cpu, on_device, strict=True)):
        agree(model, one, other, 1e-11, f"tick {tick}")


def test_the_pretended_device_refuses_what_a_gpu_would(pretended):
    xp = pretended.library
    x = xp.asarray(np.arange(3.0))
    assert library_of(x) is xp
    assert worth_doing(x > 9.0) is True, "asked of nobody: the answer would have to leave the device"
    for reads in (bool, float, lambda x: x.item(), lambda x: x.tolist()):
        with pytest.raises(LeftTheDevice):
            reads(x[0])
    for meets in (
        lambda: x + np.ones(3),
        lambda: np.where(x > 1, x, x),
        lambda: x[np.array([0])],
        lambda: x.take(np.array([0])),
        lambda: xp.maximum(x, np.ones(3)),
    ):
        with pytest.raises(LeftTheDevice):
            meets()
    assert to_host(xp.where(x > 1, x, 0.0)).tolist() == [0.0, 0.0, 2.0]
