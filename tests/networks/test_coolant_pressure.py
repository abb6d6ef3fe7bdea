"""Static pressure in a plant: along branches, as coolant warms, as it leaks, and what pumps and joints do then."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.small_plants import CHILLER, JOINT, PUMP, VESSEL, add, branch, pressurised
from twin import model as compiled
from twin.declare import MODES, replace
from twin.networks import coolant, coolant_pressure
from twin.physics.fluids import properties
from twin.physics.static_pressure import AIR, cushion
from twin.plant import Loop, Plant
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import settle, simulate
from twin.step import step
from twin.trace import open_trace


def ring(joint: dict[str, float] | None = None, **vessel: float) -> Plant:
    """A pump, a joint and a valve in a ring of chilled water, with a vessel: nothing but hydraulics."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "pump", "pump", ("utility",), **{**PUMP, "suction_limit": 1.3e5})
    add(plant, "chiller", "chiller", ("utility",), **CHILLER)
    add(plant, "strainer", "strainer", nominal_flow=0.036, nominal_pressure_drop=20e3)
    add(plant, "joint", "quick_disconnect", **{**JOINT, "flow_coefficient": 200 / 3600, **(joint or {})})
    add(plant, "valve", "valve", flow_coefficient=100 / 3600)
    add(plant, "beside", "valve", flow_coefficient=50 / 3600)
    add(plant, "vessel", "expansion_vessel", **{**VESSEL, "makeup_flow": 0.0, **vessel})
    loads = [branch("joint", "valve"), branch("beside")]
    plant.add_loop(Loop("ring", "water", [branch("strainer", "pump", "chiller")], loads, pressurisation="vessel"))
    return plant


def run(folder, plant, changes, duration, tick=1.0):
    scenario = Scenario("ring", "", plant, RunSettings(duration, tick), changes=changes, text="ring")
    simulate(scenario, trace=folder / "ring.h5", device="cpu")
    return open_trace(folder / "ring.h5")


def leaves(trace, name):
    return trace[name].values[:, 0, 0]


def standing(mode: float = 1.0) -> Plant:
    """`ring` with a second train whose pump stands, and two check valves in series that bar a short cut."""
    plant = ring()
    add(plant, "strainer-2", "strainer", nominal_flow=0.036, nominal_pressure_drop=20e3)
    add(plant, "pump-2", "pump", ("utility",), **PUMP)
    add(plant, "chiller-2", "chiller", ("utility",), **CHILLER)
    for name in ("check", "check-2"):
        add(plant, name, "check_valve", flow_coefficient=50 / 3600)
    for name in ("short", "short-2"):
        add(plant, name, "valve", flow_coefficient=50 / 3600)
    plant.units["pump-2"].settings["mode"] = mode
    trains = [branch("strainer-2", "pump-2", "chiller-2"), branch("short", "check", "check-2", "short-2")]
    plant.loops["ring"].plant += trains
    return plant


def told(plant, failed=()):
    """A plant's compiled model, its branch laws, lifts and flows, the vessels' pressure by loop, and every inlet's."""
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    for name in failed:
        key, row = model.seats[name]
        asked[key].check_valve_failed[:, row] = 1.0
    now = settle(model, asked)
    ports = compiled.ports(model)
    for t in model.tables:
        ports[t.key].gap, ports[t.key].voltage = np.zeros((1, t.size)), np.ones((1, t.size))
        ports[t.key].signal = {name: np.zeros((1, t.size)) for name in t.machine.signals}
        if "actuate" in t.laws:
            ports[t.key].drive = t.machine.actuate(now.rows[t.key], asked[t.key], ports[t.key], 1.0)
    net = model.coolant
    r = coolant.resistances(net, ports, now.rows, asked, 1, np)
    lift, flow, _ = coolant.solve_flow(net, r, now.pressure)
    coolant.tell_flows(net, ports, lift, flow, {})
    coolant_pressure.tell_pressures(model.vessels, net, ports, now.rows, r, lift, flow)
    inlet = np.zeros(net.stream_count)
    for streams in net.streams:
        inlet[streams.columns] = ports[streams.table.key].pressure[f"{streams.name} inlet"][0]
    return model, r, lift, flow, now.rows["expansion_vessel"].static_pressure[0], inlet


OFF = float(MODES["off"])


@pytest.mark.parametrize(
    ("plant", "failed"),
    [(pressurised(), ()), (standing(), ()), (standing(OFF), ()), (standing(OFF), ("pump-2", "check"))],
    ids=["forward", "two-trains", "one-stands", "valves-stay-open"],
)
def test_pressures_along_every_branch_lead_from_header_to_header(plant, failed):
    """Begin less losses plus heads; what bars backward flow takes what is left, so behind it the far header stands."""
    model, r, lift, flow, static, inlet = told(plant, failed)
    net = model.coolant
    head, a, b, check = r.by_stream[:, 0, : net.stream_count]
    for number, row in enumerate(net.element_lists):
        q, loop = flow[0, number], int(net.loop_of[number])
        headers = static[loop], static[loop] + lift[0, loop]
        begin, end = headers if net.sign[0, number] > 0 else headers[::-1]
        lost = (a[row] + b[row] * abs(q)) * q - head[row]
        bars = [k for k in range(len(row)) if q < 0 and check[row[k]] > 0]
        before, behind = (bars[0], bars[-1]) if bars else (len(row), -1)
        for k in range(len(row)):
            if k <= before:
                assert inlet[row[k]] == pytest.approx(begin - sum(lost[:k]), abs=1.0), "to round-off of the solve"
            if k > behind:
                assert inlet[row[k]] == pytest.approx(end + sum(lost[k:]), abs=1.0), "to round-off of the solve"
        if len(bars) == 2:
            assert inlet[row[bars[1]]] == pytest.approx(0.5 * (begin + end), rel=1e-3), "two alike share it"


def test_behind_a_shut_check_valve_stands_the_pressure_of_the_running_pump():
    """Over 1 bar between the headers: the standing pump's inlet at the one, its chiller's at the other."""
    model, _, lift, flow, static, inlet = told(standing(OFF))
    seat = {name: s.first + k for s in model.coolant.streams for k, name in enumerate(s.table.names)}
    assert lift[0, 0] > 1e5
    assert flow[0, 1] < 0
    assert inlet[seat["pump-2"]] == pytest.approx(static[0], abs=10)
    assert inlet[seat["chiller-2"]] == pytest.approx(static[0] + lift[0, 0], abs=10)


@pytest.mark.parametrize("filled", [{}, {"technology": 283.15}, {"facility": 283.15, "technology": 303.15}])
def test_coolant_that_warms_grows_by_its_density(filled):
    """From the temperature at which its own loop was filled, whatever the others were filled with."""
    plant = pressurised()
    for loop, T in filled.items():
        plant.units[f"vessel-{loop}"].parameters["fill_temperature"] = T
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = step(model, settle(model, asked), asked, 0.0, 1.0)
    vessel, rows = now.rows["expansion_vessel"], now.rows
    k = model.table("expansion_vessel").names.index("vessel-technology")
    held = [(1.0, rows["cdu"].supply_temperature[0, 0])]
    held += [(0.02, T) for T in rows["rack"].coolant_temperature[0]]
    grown = sum(
        V * (properties("pg25", filled.get("technology", 293.15)).density / properties("pg25", T).density - 1.0)
        for V, T in held
    )  # fmt: skip
    assert vessel.expansion[0, k] == pytest.approx(float(grown), rel=1e-4)
    assert grown > 0.003
    water = vessel.charge[0, k] + vessel.expansion[0, k]
    assert vessel.static_pressure[0, k] == pytest.approx(2e5 * 0.3 / (0.3 - water), rel=1e-12)


@pytest.mark.parametrize("vessel", [{}, {"relief_pressure": 2.65e5, "makeup_flow": 0.0}], ids=["", "relieved"])
def test_the_first_row_stands_as_its_coolant_says(vessel):
    """Settled, the loop is warm: pressure, charge and growth belong together, and nothing has been counted yet."""
    model = compiled.compile(pressurised(**vessel))
    asked = compiled.inputs(model)
    now = settle(model, asked)
    first, t = now.rows["expansion_vessel"], model.table("expansion_vessel").machine
    assert (first.expansion > 0.005).all()
    stands = cushion(first.charge + first.expansion, t.vessel_volume, t.precharge, t.slack_volume)
    np.testing.assert_allclose(first.static_pressure, stands, rtol=1e-12)
    assert not first.leaked.any()
    assert not first.makeup_used.any()
    after = step(model, now, asked, 0.0, 1.0).rows["expansion_vessel"]
    np.testing.assert_allclose(after.static_pressure, first.static_pressure, rtol=1e-6)
    assert after.leaked.max() < 1e-6, "what the relief valve let go while the loop warmed is gone"


@pytest.mark.parametrize("tick", [1.0, 5.0])
def test_a_leak_drains_the_vessel_as_its_differential_equation_says(tmp_path, tick):
    """dw/dt = -C_d A sqrt(2 (p(w) + lift - p_air)/rho), by scipy; the pressure within 1 %."""
    trace = run(tmp_path, ring(), [Change(10.0, "joint", "leak", 1.0)], 200.0, tick)
    lift = float(trace["pump.npsh_margin"].values[0, 0, 0])
    assert lift > 0
    model = compiled.compile(ring())
    lift = float(settle(model, compiled.inputs(model)).pressure[0, 0])

    def pressure(w):
        return 2e5 * 0.3 / (0.3 - w)

    found = solve_ivp(
        lambda t, w: -0.6 * 2e-5 * np.sqrt(2 * (pressure(w) + lift - AIR) / 1000.0),
        (0, 190.0), [0.3 * (1 - 2e5 / 2.6e5) + leaves(trace, "vessel.expansion")[0]], rtol=1e-9,
    )  # fmt: skip
    assert leaves(trace, "vessel.static_pressure")[-1] == pytest.approx(pressure(found.y[0, -1]), rel=0.01)
    total = leaves(trace, "vessel.charge") + leaves(trace, "vessel.leaked")
    np.testing.assert_allclose(total, total[0], rtol=1e-6, err_msg="what leaves the loop is missing from it")
    assert leaves(trace, "vessel.leaked")[-1] > 0.03


def test_without_make_up_the_charge_is_lost_and_the_pump_trips_on_its_suction(tmp_path):
    plant = ring({"leak_area": 2e-4})
    trace = run(tmp_path, plant, [Change(10.0, "joint", "leak", 1.0, verb="fail")], 300.0)
    told = [(event.unit, event.flag) for event in trace.events if event.value == 1 and ":" not in event.flag]
    order = ["joint.leaking", "vessel.vessel_empty", "pump.low_suction", "vessel.lost_charge", "pump.stopped"]
    found = [f"{unit}.{flag}" for unit, flag in told]
    assert set(order) <= set(found)
    assert found.index("joint.leaking") < found.index("vessel.vessel_empty") < found.index("pump.low_suction")
    at = {f"{event.unit}.{event.flag}": event.time for event in trace.events if event.value == 1}
    assert leaves(trace, "vessel.static_pressure")[-1] == pytest.approx(AIR, rel=1e-6)
    low = trace.time[np.argmax(leaves(trace, "vessel.static_pressure") < 1.4e5)]
    assert at["pump.low_suction"] - low < 12, "five seconds below its limit, and the strainer before it"
    assert leaves(trace, "pump.speed_now")[-1] == 0.0


def test_make_up_holds_the_pressure_against_a_small_leak_until_its_store_is_used(tmp_path):
    makeup = {"makeup_flow": 1e-3, "makeup_store": 0.05}
    trace = run(tmp_path, ring({"leak_area": 2e-5}, **makeup), [Change(10.0, "joint", "leak", 1.0)], 600.0)
    assert leaves(trace, "vessel.making_up").max() == 1
    assert leaves(trace, "vessel.makeup_used")[-1] == pytest.approx(0.05, abs=1e-6)
    books = leaves(trace, "vessel.charge") + leaves(trace, "vessel.leaked") - leaves(trace, "vessel.makeup_used")
    np.testing.assert_allclose(books, books[0], rtol=1e-5)
    early = (trace.time > 60) & (trace.time < 150)
    assert leaves(trace, "vessel.static_pressure")[early].min() > 2.1e5


def test_a_leak_sensor_isolates_its_joint_after_its_delay(tmp_path):
    plant = ring({"isolation_delay": 12.0, "leak_area": 2e-4})
    trace = run(tmp_path, plant, [Change(20.0, "joint", "leak", 1.0, verb="fail")], 60.0)
    at = {f"{event.unit}.{event.flag}": event.time for event in trace.events if event.value == 1}
    assert at["joint.cut_off"] == pytest.approx(32.0, abs=1e-6)
    late = trace.time > 34
    assert abs(leaves(trace, "joint.flow")[late]).max() < 1e-6
    assert np.ptp(leaves(trace, "vessel.leaked")[late]) == 0.0
    assert leaves(trace, "vessel.static_pressure")[-1] > 1.9e5
    assert leaves(trace, "pump.speed_now")[-1] == 1.0


def test_a_blind_sensor_isolates_nothing(tmp_path):
    plant = ring({"isolation_delay": 12.0})
    changes = [Change(5.0, "joint", "sensor_failed", 1.0), Change(10.0, "joint", "leak", 1.0)]
    trace = run(tmp_path, plant, changes, 60.0)
    assert leaves(trace, "joint.cut_off").max() == 0
    assert leaves(trace, "joint.leak_flow")[-1] > 1e-4


def test_a_low_charge_makes_the_pump_cavitate_before_it_trips():
    """The pump's margin falls with the static pressure, pascal by pascal."""
    model = compiled.compile(ring())
    asked = compiled.inputs(model)
    now = settle(model, asked)
    margin = float(now.rows["pump"].npsh_margin[0, 0])
    vessel = now.rows["expansion_vessel"]
    low = replace(vessel, static_pressure=vessel.static_pressure - margin - 1e3)
    now.rows["expansion_vessel"] = low
    after = step(model, now, asked, 0.0, 1.0)
    assert float(after.rows["pump"].npsh_margin[0, 0]) == pytest.approx(-1e3, abs=5)
    assert after.rows["pump"].cavitating[0, 0] == 1.0


def test_a_pump_against_shut_valves_is_deadheaded(tmp_path):
    changes = [Change(0.0, name, "opening", 0.0) for name in ("valve", "beside")]
    trace = run(tmp_path, ring(), changes, 120.0)
    at = {f"{event.unit}.{event.flag}": event.time for event in trace.events if event.value == 1}
    assert 30.0 + 15.0 < at["pump.deadheaded"] < 30.0 + 30.0, "half a minute after the valves have nearly shut"


def test_the_warm_layer_of_a_tank_grows_too():
    """Half of 10 m3 is warmed by 15 K: it grows as its mean temperature says, though what leaves stays cold."""
    plant = ring()
    add(plant, "tank", "tank", volume=10.0, useful_temperature=300.0, stratified=1.0)
    plant.loops["ring"].storage = "tank"
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = settle(model, asked)
    grown = []
    for cold, warm in ((1.0, 291.15), (0.5, 306.15)):
        tank = now.rows["tank"]
        layers = replace(tank, temperature=tank.temperature * 0 + 291.15, warm_temperature=tank.temperature * 0 + warm)
        now.rows["tank"] = replace(layers, cold_share=tank.cold_share * 0 + cold)
        now.stored = compiled.stored(model, now, compiled.ports(model))
        grown.append(step(model, now, asked, 0.0, 0.001).rows["expansion_vessel"].expansion[0, 0])
    cold, mean = (properties("water", np.array(T)).density for T in (291.15, 298.65))
    by_hand = 10.0 * float(cold / mean - 1.0)
    assert grown[1] - grown[0] == pytest.approx(by_hand, rel=0.01)


def test_a_vessel_too_small_for_the_growth_of_its_loop_is_told():
    assert not pressurised().faults()
    told = [fault for fault in pressurised(vessel_volume=0.01).faults() if fault.warning]
    assert {fault.text.split()[0] for fault in told} >= {"vessel-technology"}
    assert "its relief valve will lift, and a larger vessel is wanted" in told[0].text
