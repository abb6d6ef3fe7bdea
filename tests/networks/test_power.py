"""Power: voltages against a power flow written by hand, sums that are exact, dual feeds, islands without life."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import CDU, CHILLER, PUMP, RACK, add, branch, pod
from twin import model as compiled
from twin.declare import replace
from twin.networks.tables import electrical_depths
from twin.plant import Loop, Plant
from twin.simulation import settle
from twin.step import step

MAIN = {"rated_power": 2.5e6, "impedance": 0.08, "no_load_loss": 4e3, "load_loss": 20e3}
SMALL = {"rated_power": 0.6e6, "impedance": 0.0575, "no_load_loss": 1e3, "load_loss": 6e3}


def radial() -> Plant:
    """Utility, a main transformer, two smaller ones behind it; racks on both, the cooling plant on one."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "tx", "transformer", ("utility",), **MAIN)
    add(plant, "board", "bus", ("tx",))
    for side in "ab":
        add(plant, f"tx-{side}", "transformer", ("board",), **SMALL)
        add(plant, f"board-{side}", "bus", (f"tx-{side}",))
    for i in range(1, 5):
        ratings = {**RACK, "air_fraction": 0.0, "leakage": 0.0}
        add(plant, f"rack-{i}", "rack", ("board-a" if i < 4 else "board-b",), **ratings)
    add(plant, "cdu", "cdu", ("board-b",), **CDU)
    add(plant, "pump", "pump", ("board-b",), **PUMP)
    add(plant, "chiller", "chiller", ("board-b",), **CHILLER)
    plant.add_loop(Loop("facility", "water", [branch("pump", "chiller")], [branch("cdu.facility")]))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 5)]))
    return plant


def power_flow(V0, loads):
    """A complex fixed point over the same tree, in watts and per unit of nominal voltage."""

    def through(rating, S, V_in, V):
        """Receiving voltage and sending power of a transformer that delivers S from V_in, V being the last guess."""
        R = rating["load_loss"] / rating["rated_power"]
        Z = R + 1j * np.sqrt(rating["impedance"] ** 2 - R * R)
        current = np.conj(S / rating["rated_power"] / V)
        sent = S + Z * abs(current) ** 2 * rating["rated_power"] + rating["no_load_loss"] * abs(V_in) ** 2
        return V_in - Z * current, sent

    V, V_a, V_b = (np.complex128(1.0) for _ in range(3))
    for _ in range(400):
        new_a, S_a = through(SMALL, loads["a"], V, V_a)
        new_b, S_b = through(SMALL, loads["b"], V, V_b)
        new, S = through(MAIN, S_a + S_b, V0, V)
        V, V_a, V_b = new, new_a, new_b
    return V, V_a, V_b, S


def row(state, model, unit, output):
    key, column = model.seats[unit]
    return float(getattr(state.outputs[key], output)[0, column])


@pytest.mark.parametrize("V0", [1.0, 1.04, 0.93])
def test_a_radial_network_converges_on_the_ac_power_flow(V0):
    model = compiled.compile(radial())
    asked = compiled.inputs(model)
    asked["utility"] = replace(asked["utility"], voltage=asked["utility"].voltage * V0)
    now = settle(model, asked)
    for tick in range(40):
        now = step(model, now, asked, float(tick), 1.0)
    lag = {"rack": 0.99, "cdu": 0.95, "pump": 0.95, "chiller": 0.95}
    loads = {"a": 0j, "b": 0j}
    for unit in ("rack-1", "rack-2", "rack-3", "rack-4", "cdu", "pump", "chiller"):
        factor = lag[model.seats[unit][0].partition(":")[0]]
        loads["a" if unit in ("rack-1", "rack-2", "rack-3") else "b"] += row(now, model, unit, "power") * (
            1 + 1j * np.sqrt(1 / factor**2 - 1)
        )
    V, V_a, V_b, S = power_flow(V0, loads)
    column = {name: t.first + i for t in model.tables for i, name in enumerate(t.names)}
    for name, expected in (("board", V), ("board-a", V_a), ("board-b", V_b), ("rack-1", V_a), ("tx-b", V_b)):
        assert now.voltage[0, column[name]] == pytest.approx(expected, abs=1e-9), name
    assert row(now, model, "utility", "power") == pytest.approx(S.real, rel=1e-9)
    assert row(now, model, "utility", "reactive") == pytest.approx(S.imag, rel=1e-9)
    assert 0.9 * V0 < abs(V_a) < V0


def test_a_load_beyond_the_nose_of_the_curve_stays_finite():
    """Ten times the rating through 8 %: the voltage collapses, nothing runs away."""
    plant = radial()
    plant.units["tx"].parameters |= {"rated_power": 0.05e6, "load_loss": 0.4e3}
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = compiled.state(model, asked)
    for tick in range(200):
        now = step(model, now, asked, float(tick), 1.0)
        assert np.isfinite(now.voltage).all()
        assert float(now.outputs["site"].energy_residual[0, 0]) <= 1e-9


def test_what_a_board_delivers_is_what_its_consumers_take():
    """Single feeds: a bus passes on the sum of its consumers' power, to round-off."""
    plant = radial()
    model = compiled.compile(plant)
    now = settle(model, compiled.inputs(model))
    for board in ("board", "board-a", "board-b"):
        fed = [consumer for consumer, feeds in plant.feeds.items() if feeds == [board]]
        taken = sum(row(now, model, unit, "power") for unit in fed)
        assert len(fed) > 1
        assert row(now, model, board, "power") == pytest.approx(taken, rel=1e-14)


def dual():
    """Eight racks on two PDUs of a pod, in service as asked."""
    plant = pod()
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    return model, asked, settle(model, asked)


def ups_powers(model, now):
    return [row(now, model, f"pdu-{i}", "power") for i in (1, 2)]


def test_two_live_feeds_share_a_dual_corded_rack_alike():
    model, asked, now = dual()
    one, two = ups_powers(model, step(model, now, asked, 0.0, 1.0))
    assert one == pytest.approx(two, rel=1e-3), "each PDU also feeds one CDU"
    racks = sum(row(now, model, f"rack-{i:02d}", "power") for i in range(1, 9))
    assert one + two == pytest.approx(racks + sum(row(now, model, f"cdu-{i}", "power") for i in (1, 2)), rel=1e-3)


def test_a_dead_feed_leaves_the_whole_to_the_other():
    model, asked, now = dual()
    out = asked["pdu"].in_service.copy()
    out[0, 0] = 0.0
    asked["pdu"] = replace(asked["pdu"], in_service=out)
    now = step(model, now, asked, 0.0, 1.0)
    one, two = ups_powers(model, now)
    racks = sum(row(now, model, f"rack-{i:02d}", "power") for i in range(1, 9))
    assert one == 0.0
    assert two == pytest.approx(racks + row(now, model, "cdu-2", "power"), rel=1e-12)
    assert float(now.outputs["rack"].power.min()) > 100e3
    assert float(now.outputs["site"].energy_residual[0, 0]) <= 1e-9


def test_an_island_without_a_source_is_dead_and_nothing_worse():
    """All sources out: no power anywhere in the island, no number that is not one, and it lives again."""
    plant = radial()
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    alive = settle(model, asked)
    dark = asked | {"utility": replace(asked["utility"], in_service=asked["utility"].in_service * 0.0)}
    now = alive
    for tick in range(30):
        now = step(model, now, dark, float(tick), 1.0)
    assert not now.voltage.any()
    for t in model.tables:
        for name, values in {**vars(now.rows[t.key]), **vars(now.outputs[t.key])}.items():
            assert name == "pue" or np.isfinite(values).all(), (t.key, name)
    assert row(now, model, "utility", "power") == 0.0
    assert row(now, model, "rack-1", "power") == 0.0
    for tick in range(30, 700):
        now = step(model, now, asked, float(tick), 1.0)
    assert row(now, model, "rack-1", "power") > 100e3
    assert abs(now.voltage[0, model.table("bus:2").first]) > 0.9


def test_voltage_runs_down_in_the_order_of_the_feeds_however_they_are_written():
    plant = radial()
    depths = electrical_depths(plant)
    assert [depths[name] for name in ("utility", "tx", "board", "tx-a", "board-a", "rack-1")] == [0, 1, 2, 3, 4, 5]
    backwards = radial()
    backwards.units = dict(reversed(list(backwards.units.items())))
    assert electrical_depths(backwards) == depths


def test_feeds_that_run_in_a_circle_are_refused():
    plant = radial()
    plant.feed("tx", ["board-a"])
    with pytest.raises(ValueError, match=r"the feeds run in a circle: .* a unit cannot feed itself"):
        compiled.compile(plant)


def test_a_unit_with_fewer_feeds_than_its_neighbour_is_not_fed_by_chance():
    """One rack with one cord beside racks with two: its empty slot is dead."""
    plant = pod(4)
    plant.feeds["rack-02"] = ["pdu-1"]
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = settle(model, asked)
    out = asked["pdu"].in_service.copy()
    out[0, 0] = 0.0
    asked["pdu"] = replace(asked["pdu"], in_service=out)
    for tick in range(3):
        now = step(model, now, asked, float(tick), 1.0)
    power = now.outputs["rack"].power[0]
    assert power[1] == 0.0
    assert (power[[0, 2, 3]] > 100e3).all()
