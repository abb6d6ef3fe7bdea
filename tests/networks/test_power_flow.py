"""AC power flow: the twin at rest equals pandapower, node balance closes, a step dies out geometrically."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.networks.power_flows import case33, gives, random_radial, settled, solved, voltage
from twin.declare import replace
from twin.step import step

pp = pytest.importorskip("pandapower")


@pytest.fixture(scope="module")
def baran_wu():
    plant, net = case33()
    solved(net)
    return plant, net, *settled(plant, 40)


def test_case33_has_the_voltages_of_pandapower_and_of_the_paper(baran_wu):
    _, net, model, _, now = baran_wu
    ours = np.array([voltage(model, now, f"bus-{bus + 1}") for bus in net.bus.index])
    theirs = net.res_bus.vm_pu.to_numpy() * np.exp(1j * np.deg2rad(net.res_bus.va_degree.to_numpy()))
    assert abs(ours - theirs).max() <= 1e-9
    assert abs(ours).argmin() == 17, "bus 18"
    assert abs(ours).min() == pytest.approx(0.91309, abs=5e-6)


def test_case33_loses_what_pandapower_loses(baran_wu):
    plant, net, model, _, now = baran_wu
    lost = sum(gives(model, now, unit.name, "loss") for unit in plant.of_kind("cable"))
    assert lost == pytest.approx(net.res_line.pl_mw.sum() * 1e6, rel=1e-9)
    assert lost == pytest.approx(202.677e3, abs=1.0)
    asked = sum(unit.parameters["rated_power"] for unit in plant.of_kind("load"))
    assert gives(model, now, "bus-1", "power") == pytest.approx(asked + lost, rel=1e-13)


def mismatch(model, now):
    """Largest power that a cable's ends and its current leave unbalanced, of 1 MVA: V_near conj(I) - S_taken."""
    worst = 0.0
    for table in (t for t in model.tables if t.kind == "cable"):
        z, rows = table.machine.series(None, None)[0], now.rows[table.key]
        for row, name in enumerate(table.names):
            near, far = voltage(model, now, model.plant.feeds[name][0]), voltage(model, now, name)
            current = (near - far) / z[row]
            taken = gives(model, now, name, "power")
            worst = max(worst, abs((near * np.conj(current)).real - taken) / 1e6)
        assert np.isfinite(rows.drop_in_phase).all()
    return worst


def test_power_balances_at_every_node_once_the_sweep_has_converged(baran_wu):
    _, _, model, _, now = baran_wu
    assert mismatch(model, now) <= 1e-9


def test_a_step_of_load_dies_out_geometrically(baran_wu):
    """All loads up by half within a tick: the imbalance falls by at least a factor of three in each, to round-off."""
    _, _, model, asked, now = baran_wu
    stepped = asked | {
        key: replace(row, demand=row.demand * 1.5) for key, row in asked.items() if key.partition(":")[0] == "load"
    }
    left = []
    for tick in range(24):
        now = step(model, now, stepped, float(tick), 1.0)
        left.append(mismatch(model, now))
    assert left[0] > 1e-2
    falling = [after / before for before, after in pairwise(left) if before > 1e-9]
    assert max(falling) < 1 / 3
    assert left[-1] <= 1e-9


def compare(seed):
    """One random network: voltages to 1e-6 pu and losses to 1e-6 (in fact far closer)."""
    plant, net, buses, source, taps = random_radial(seed)

    def asked(inputs):
        for key, row in inputs.items():
            if key.partition(":")[0] == "utility":
                inputs[key] = replace(row, voltage=row.voltage * source)
        return inputs

    for name, tap in taps.items():
        plant.units[name].settings["tap_position"] = float(tap)
    solved(net)
    model, _, now = settled(plant, 60, asked)
    for name, bus in buses.items():
        theirs = net.res_bus.vm_pu[bus] * np.exp(1j * np.deg2rad(net.res_bus.va_degree[bus]))
        assert abs(voltage(model, now, name) - theirs) <= 1e-6, (seed, name)
    lossy = plant.of_kind("cable") + plant.of_kind("transformer")
    lost = sum(gives(model, now, unit.name, "loss") for unit in lossy)
    cores = net.res_shunt.p_mw.sum()
    theirs = net.res_line.pl_mw.iloc[1:].sum() + net.res_trafo.pl_mw.sum() + cores
    assert lost == pytest.approx(theirs * 1e6, rel=1e-6), seed
    assert float(now.outputs["site"].energy_residual[0, 0]) <= 1e-11


@pytest.mark.parametrize("seed", range(12))
def test_radial_networks_equal_pandapower(seed):
    compare(seed)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=100, max_value=10**9))
def test_two_hundred_random_radial_networks_equal_pandapower(seed):
    compare(seed)
