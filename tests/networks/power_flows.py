"""Random radial networks, as the twin's plant and as pandapower's net, for the oracle tests."""

from __future__ import annotations

import warnings

import numpy as np

from tests.small_plants import add
from twin import model as compiled
from twin.plant import Plant
from twin.step import step


def settled(plant, ticks=60, asked=None, start=None):
    """A plant after some ticks of a second: its model, Inputs and state."""
    model = compiled.compile(plant)
    given = asked(compiled.inputs(model)) if asked else compiled.inputs(model)
    now = start or compiled.state(model, given)
    for tick in range(ticks):
        now = step(model, now, given, float(tick), 1.0)
    return model, given, now


def voltage(model, now, unit):
    """Complex voltage of a unit [pu]."""
    key, row = model.seats[unit]
    return now.voltage[0, model.table(key).first + row]


def gives(model, now, unit, quantity):
    key, row = model.seats[unit]
    return float(getattr(now.outputs[key], quantity)[0, row])


def solved(net):
    """pandapower's Newton-Raphson to 1e-9 MVA."""
    import pandapower as pp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = {"tolerance_mva": 1e-9, "max_iteration": 50, "trafo_model": "pi", "calculate_voltage_angles": True}
        pp.runpp(net, numba=False, **exact)
    return net


def case33():
    """The 33-bus network of Baran and Wu from pandapower's own library, and the twin's plant of it."""
    import pandapower.networks as networks

    net = networks.case33bw()
    lines = net.line[net.line.in_service]
    plant = Plant()
    level = float(net.bus.vn_kv.iloc[0]) * 1e3
    add(plant, "bus-1", "utility", rated_power=1e9, nominal_voltage=level)
    fed, waiting = {0}, list(lines.itertuples())
    while waiting:
        line = next(each for each in waiting if (each.from_bus in fed) != (each.to_bus in fed))
        waiting.remove(line)
        near, far = (line.from_bus, line.to_bus) if line.from_bus in fed else (line.to_bus, line.from_bus)
        fed.add(far)
        per = {"resistance": line.r_ohm_per_km / 1e3, "reactance": line.x_ohm_per_km / 1e3}
        add(plant, f"bus-{far + 1}", "cable", (f"bus-{near + 1}",), length=line.length_km * 1e3, ampacity=1e5, **per)
    for load in net.load.itertuples():
        factor = load.p_mw / np.hypot(load.p_mw, load.q_mvar)
        add(plant, f"load-{load.bus + 1}", "load", (f"bus-{load.bus + 1}",),
            rated_power=load.p_mw * 1e6, power_factor=factor)  # fmt: skip
    return plant, net


def random_radial(seed):
    """A random tree of cables and transformers with loads and capacitors, on both sides."""
    import pandapower as pp

    rng = np.random.default_rng(seed)
    plant, net = Plant(), pp.create_empty_network(f_hz=60.0)
    source = float(rng.uniform(0.98, 1.04))
    short, ratio = float(rng.uniform(5e7, 5e8)), float(rng.uniform(3, 20))
    grid = {"short_circuit_power": short, "reactance_ratio": ratio}
    add(plant, "n0", "utility", rated_power=1e8, nominal_voltage=13.8e3, **grid)
    behind = pp.create_bus(net, vn_kv=13.8)
    pp.create_ext_grid(net, behind, vm_pu=source)
    buses, kv = {"n0": pp.create_bus(net, vn_kv=13.8)}, {"n0": 13.8}
    z = 1 / short * (1 + 1j * ratio) / np.hypot(1, ratio)
    ohms = z * 13.8e3**2
    pp.create_line_from_parameters(net, behind, buses["n0"], 1.0, ohms.real, ohms.imag, 0.0, 100.0)
    taps = {}
    for index in range(1, int(rng.integers(3, 11))):
        name, parent = f"n{index}", f"n{int(rng.integers(index))}"
        if kv[parent] > 1 and rng.random() < 0.4:
            _transformer(rng, plant, net, buses, kv, taps, parent, name)
        else:
            _cable(rng, plant, net, buses, kv, parent, name)
        small = kv[name] < 1
        if rng.random() < 0.75 or index == 1:
            P, factor = float(rng.uniform(2e4, 1e5 if small else 4e5)), float(rng.uniform(0.8, 1.0))
            add(plant, f"load-{name}", "load", (name,), rated_power=P, power_factor=factor)
            pp.create_load(net, buses[name], P / 1e6, P / 1e6 * np.sqrt(1 / factor**2 - 1))
        if rng.random() < 0.3:
            Q = float(rng.uniform(1e4, 5e4 if small else 2e5))
            add(plant, f"bank-{name}", "capacitor", (name,), rated_reactive_power=Q)
            pp.create_shunt(net, buses[name], q_mvar=-Q / 1e6)
    return plant, net, buses, source, taps


def _cable(rng, plant, net, buses, kv, parent, name):
    import pandapower as pp

    kv[name] = kv[parent]
    buses[name] = pp.create_bus(net, vn_kv=kv[name])
    km = float(rng.uniform(0.2, 2.0)) if kv[name] > 1 else float(rng.uniform(0.01, 0.05))
    r, x, nf = float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.05, 0.2)), float(rng.choice([0.0, 250.0]))
    add(plant, name, "cable", (parent,), length=km * 1e3, resistance=r / 1e3, reactance=x / 1e3,
        capacitance=nf * 1e-12, ampacity=1e5)  # fmt: skip
    pp.create_line_from_parameters(net, buses[parent], buses[name], km, r, x, nf, 100.0)


def _transformer(rng, plant, net, buses, kv, taps, parent, name):
    """Its core hangs on the primary side in the twin; pandapower gets it as a shunt there."""
    import pandapower as pp

    kv[name] = 0.48
    buses[name] = pp.create_bus(net, vn_kv=0.48)
    rated, percent = float(rng.uniform(1e6, 3e6)), float(rng.uniform(4, 8))
    copper, core, idle = float(rng.uniform(5e3, 3e4)), float(rng.uniform(1e3, 5e3)), float(rng.uniform(0.005, 0.02))
    taps[name] = int(rng.integers(-2, 3))
    add(plant, name, "transformer", (parent,), rated_power=rated, impedance=percent / 100, load_loss=copper,
        no_load_loss=core, no_load_current=idle, secondary_voltage=480, tap_step=0.025)  # fmt: skip
    pp.create_transformer_from_parameters(
        net, buses[parent], buses[name], rated / 1e6, kv[parent], 0.48, copper / rated * 100, percent, 0.0, 0.0,
        tap_side="hv", tap_neutral=0, tap_pos=taps[name], tap_step_percent=2.5, tap_changer_type="Ratio",
    )  # fmt: skip
    magnetising = np.sqrt(max((idle * rated) ** 2 - core**2, 0.0))
    pp.create_shunt(net, buses[parent], q_mvar=magnetising / 1e6, p_mw=core / 1e6)
