"""Water-cooled chiller: its heat and work to the condenser, a chiller with its tower by hand, cut-out, Carnot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import fsolve
from wet_bench import WetBench

from tests.small_plants import COOLING_TOWER, PUMP, RACK, WATER_COOLED_CHILLER, add, branch
from twin import model as compiled
from twin.declare import replace
from twin.equipment.water_cooled_chiller import WaterCooledChiller
from twin.physics import tower
from twin.plant import Loop, Plant
from twin.simulation import settle

WATER = 4.17e6
FLOWS = {"evaporator": 0.036, "condenser": 0.045}


def unit(**more):
    return WaterCooledChiller(**{**WATER_COOLED_CHILLER, **more})


def working(ticks=500, dt=1.0, warm=297.15, cold=299.26, flows=FLOWS, machine=None, **inputs):
    at = {"leaving_temperature": warm, "inlet_temperature": warm, "condenser_temperature": cold}
    b = WetBench(machine or unit(), state={**at, "condenser_inlet_temperature": cold}, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, flows, {"evaporator": warm, "condenser": cold})
    return b, answer


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
def test_condenser_water_takes_heat_and_work(dt):
    """0.9 MW by hand: lift 299.26 + 6 - (291.15 - 2) = 16.11 K, COP 0.5 x 289.15/16.11 = 8.974."""
    b, answer = working(round(3000 / dt), dt)
    heat = 0.036 * WATER * 6.0
    work = heat / (0.5 * 289.15 / 16.11)
    assert b.gives("heat") == pytest.approx(heat, rel=1e-9)
    assert b.gives("power") - 2000.0 == pytest.approx(work, rel=1e-9)
    assert b.gives("condenser_heat") == pytest.approx(heat + work, rel=1e-9)
    assert answer.outlet["condenser"] == pytest.approx(299.26 + (heat + work) / (0.045 * WATER), abs=1e-6)
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
def test_without_condenser_water_it_unloads_and_cuts_out_before_it_boils(dt):
    b, _ = working(round(1200 / dt), dt)
    for _ in range(round(1200 / dt)):
        b.tick(dt, {"evaporator": 0.036}, {"evaporator": 297.15, "condenser": 299.26})
    assert (b.is_("cut_out"), b.is_("stopped"), b.gives("heat")) == (1, 1, 0)
    assert 322.0 < b.is_("condenser_temperature") < 323.15 + 2.0
    assert b.gives("lost_for") > 0
    assert b.worst < 1e-11


def test_when_condenser_water_is_back_it_runs_again_after_its_lockout():
    b, _ = working(600)
    for _ in range(300):
        b.tick(1.0, {"evaporator": 0.036}, {"evaporator": 297.15, "condenser": 299.26})
    assert b.is_("cut_out") == 1
    for _ in range(290):
        b.tick(1.0, FLOWS, {"evaporator": 297.15, "condenser": 299.26})
    assert (b.is_("cut_out"), b.gives("heat")) == (0, 0)
    for _ in range(250):
        b.tick(1.0, FLOWS, {"evaporator": 297.15, "condenser": 299.26})
    assert b.gives("heat") > 0


def test_its_valve_shuts_both_sides():
    b, _ = working(10, in_service=0.0)
    for _ in range(40):
        answer = b.tick(1.0, pressure={"evaporator": 60e3, "condenser": 60e3})
    assert max(abs(q) for q in answer.flow.values()) < 1e-6


def tower_house():
    """Two racks' worth of a plant: a chiller on its tower, pumps in both loops, a dry load of known heat."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "board", "bus", ("utility",))
    for name in ("pump", "far"):
        add(plant, name, "pump", ("board",), **PUMP)
    for i in (1, 2, 3, 4):
        add(plant, f"rack-{i}", "rack", ("board",), **{**RACK, "air_fraction": 0.0})
    add(plant, "wc", "water_cooled_chiller", ("board",), **WATER_COOLED_CHILLER)
    add(plant, "tower", "cooling_tower", ("board",), **COOLING_TOWER)
    plant.units["tower"].settings["leaving_setpoint"] = 285.15
    plant.add_loop(
        Loop("chilled", "water", [branch("pump", "wc.evaporator")], [branch(f"rack-{i}") for i in range(1, 5)])
    )
    plant.add_loop(Loop("condenser", "water", [branch("far", "tower")], [branch("wc.condenser")]))
    return plant


def test_chiller_and_tower_find_the_balance_that_scipy_finds():
    """Heat of the racks and pump, work by Carnot's share at the tower's water, Merkel's tower at full fans."""
    model = compiled.compile(tower_house())
    asked = compiled.inputs(model)
    asked["site"] = replace(asked["site"], wet_bulb=np.array([[294.15]]), dry_bulb=np.array([[303.15]]))
    state = settle(model, asked)
    wc, cell, pumps = (state.outputs[k] for k in ("water_cooled_chiller", "cooling_tower", "pump"))
    heat = float(state.outputs["site"].it_power[0, 0] + pumps.power[0, 0])
    assert wc.heat[0, 0] == pytest.approx(heat, rel=1e-6)
    machine, C = model.table("cooling_tower").machine, float(cell.flow[0, 0]) * WATER
    UA = machine.conductance * tower.scheier(
        1.0, float(cell.flow[0, 0]) / machine.nominal_flow, machine.nominal_wet_bulb - 294.15
    )

    def balance(x):
        leaves, work = x
        COP = 0.5 * 289.15 / max(leaves + 6 - 289.15, 15.0)
        given = heat + heat / COP + float(pumps.power[0, 1])
        share = tower.merkel(leaves + given / C, 294.15, 1.2 * machine.air_flow, C, UA).share
        return [work - heat / COP, float(np.ravel(given - share * C * (leaves + given / C - 294.15))[0]) / 1e6]

    leaves, work = fsolve(balance, [300.0, 1e5])
    assert state.rows["cooling_tower"].leaving_temperature[0, 0] == pytest.approx(leaves, abs=0.02)
    assert wc.power[0, 0] - 2000.0 == pytest.approx(work, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(283.0, 320.0),
    st.floats(283.0, 318.0),
    st.floats(0.05, 1.5),
    st.floats(0.05, 1.5),
    st.sampled_from([1.0, 60.0]),
)
def test_heat_goes_up_only_for_work_beyond_carnots(warm, cold, x_warm, x_cold, dt):
    """Its power is at least a reversible machine's between leaving water and what enters its condenser."""
    flows = {"evaporator": 0.036 * x_warm, "condenser": 0.045 * x_cold}
    b, answer = working(max(4, round(600 / dt)), dt, warm, cold, flows)
    heat = b.gives("heat")
    assert heat >= 0
    assert answer.outlet["evaporator"] <= warm + 1e-6
    leaving = min(answer.outlet["evaporator"], warm)
    assert answer.power >= heat * max(cold - leaving, 0.0) / leaving * (1 - 1e-9)
    assert b.worst < 1e-11
