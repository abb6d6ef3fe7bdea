"""CDU, control: pressure and group control, sensors that lie, dirt, dew, and what it does without its controller."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import CDU as RATINGS
from tests.small_plants import RACK, add, branch
from twin import model as compiled
from twin.declare import replace
from twin.equipment.cdu import CDU
from twin.plant import Loop, Plant, SignalLine
from twin.simulation import settle
from twin.step import step

HEADERS, WARM = {"technology": -244e3, "facility": 100e3}, {"technology": 328.0, "facility": 303.15}
PG25, WATER = 3.99e6, 4.17e6
CLOSED, OPEN, LAST, MINIMUM = 0.0, 1.0, 2.0, 3.0


def bench(ticks=300, dt=1.0, inputs=None, **ratings):
    b = WetBench(CDU(**{**RATINGS, **ratings}), **(inputs or {}))
    for _ in range(ticks):
        b.tick(dt, inlet=WARM, pressure=HEADERS)
    return b


def test_dirt_adds_its_resistance():
    """Fouling 1 at nominal flows halves UA; less, where the films are poorer than the dirt."""
    cdu, C = CDU(**RATINGS), (0.02 * PG25, 0.025 * WATER)
    halved = CDU(**{**RATINGS, "exchanger_conductance": 165e3})
    assert cdu.conductance(0.02, 0.025, *C, 1.0) == pytest.approx(halved.conductance(0.02, 0.025, *C), rel=1e-12)
    assert cdu.conductance(0.002, 0.0025, *C, 1.0) > 0.8 * cdu.conductance(0.002, 0.0025, *C)


FLOW, DIRT = st.floats(0.0, 0.04), st.floats(0.0, 5.0)


@given(FLOW, FLOW, DIRT, DIRT)
def test_clean_plates_are_never_worse(one, other, dirt, more):
    cdu = CDU(**RATINGS)
    K = [cdu.conductance(one, other, one * PG25, other * WATER, d) for d in (dirt, dirt + more)]
    assert K[1] <= K[0] * (1 + 1e-12)


@given(FLOW, FLOW, FLOW, DIRT)
def test_less_flow_on_either_side_never_carries_more(one, other, more, dirt):
    cdu = CDU(**RATINGS)
    few = cdu.conductance(one, other, one * PG25, other * WATER, dirt)
    many = cdu.conductance(one + more, other, (one + more) * PG25, other * WATER, dirt)
    assert few <= many * (1 + 1e-9) + 1e-12
    many = cdu.conductance(one, other + more, one * PG25, (other + more) * WATER, dirt)
    assert few <= many * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("bias", [-3.0, 2.0])
def test_a_sensor_that_reads_wrong_shifts_the_supply_by_as_much_the_other_way(bias):
    b = bench()
    b.set(sensor_bias=bias)
    for _ in range(900):
        b.tick(1.0, inlet=WARM, pressure=HEADERS)
    assert b.is_("supply_temperature") == pytest.approx(313.15 - bias, abs=0.02)
    assert b.is_("measured_temperature") == pytest.approx(313.15, abs=0.02)


def test_a_frozen_sensor_lets_the_supply_drift_until_the_valve_stands_at_its_end():
    """It froze half a kelvin too warm: the valve opens for good, and the racks get what the water gives."""
    b = bench()
    b.put(measured_temperature=313.65)
    b.set(sensor_frozen=1.0)
    for _ in range(1200):
        b.tick(1.0, inlet=WARM, pressure=HEADERS)
    assert (b.is_("valve"), b.is_("measured_temperature")) == (1.0, 313.65)
    assert b.is_("supply_temperature") < 311.0
    b.set(sensor_frozen=0.0)
    for _ in range(900):
        b.tick(1.0, inlet=WARM, pressure=HEADERS)
    assert b.is_("supply_temperature") == pytest.approx(313.15, abs=0.05)


def test_the_supply_stays_above_the_dew_point_of_the_room():
    """Room of 25 degC and 80 %: dew point 21.3 degC by the Magnus formula; a setpoint of 18 degC waits 2 K above."""
    b = bench(1, inputs={"supply_setpoint": 291.15, "room_humidity": 0.8})
    for _ in range(900):
        b.tick(1.0, inlet={"technology": 305.0, "facility": 285.15}, pressure=HEADERS)
    gamma = np.log(0.8) + 17.62 * 25 / (243.12 + 25)
    dew = 273.15 + 243.12 * gamma / (17.62 - gamma)
    assert b.is_("supply_temperature") == pytest.approx(dew + 2.0, abs=0.1)
    assert b.is_("guarded") == 1
    b.set(room_humidity=0.0)
    for _ in range(900):
        b.tick(1.0, inlet={"technology": 305.0, "facility": 285.15}, pressure=HEADERS)
    assert b.is_("supply_temperature") == pytest.approx(291.15, abs=0.05)
    assert b.is_("guarded") == 0


@pytest.mark.parametrize(
    ("valve", "drives", "opening", "speed"),
    [(OPEN, LAST, 1.0, 1.0), (CLOSED, LAST, 0.0, 1.0), (LAST, CLOSED, None, 0.0), (MINIMUM, MINIMUM, 0.1, 0.3)],
)
@pytest.mark.parametrize("how", ["controller_failed", "panel"])
def test_without_control_valve_and_drives_do_what_is_declared(valve, drives, opening, speed, how):
    b = bench(valve_without_control=valve, without_control=drives)
    stood = b.is_("valve")
    if how == "panel":
        ports = b.ports

        def told(*args, **more):
            was = ports(*args, **more)
            again = type(was)(**{name: getattr(was, name) for name in was.__slots__})
            again.signal = {"uncontrolled": np.ones((1, 1))}
            again.drive = b.unit.actuate(b.state, b.inputs, again, args[0])
            return again

        b.ports = told
    else:
        b.set(controller_failed=1.0)
    for _ in range(60):
        b.tick(1.0, inlet=WARM, pressure=HEADERS)
    assert b.is_("uncontrolled") == 1
    assert b.is_("valve") == pytest.approx(stood if opening is None else opening)
    assert b.is_("duty_speed") == pytest.approx(speed, abs=1e-9)


def group(cdus=3, racks=8, **inputs) -> Plant:
    """CDUs on shared headers, each with its own water, controlled by the pressure between the headers."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "board", "bus", ("utility",))
    add(plant, "panel", "control_panel", ("board",))
    for i in range(1, racks + 1):
        add(plant, f"rack-{i}", "rack", ("board",), **{**RACK, "air_fraction": 0.0, "nominal_pressure_drop": 150e3})
    for i in range(1, cdus + 1):
        add(plant, f"cdu-{i}", "cdu", ("board",), **{**RATINGS, "nominal_flow": 0.008})
        plant.units[f"cdu-{i}"].settings |= {"pressure_setpoint": 150e3, **inputs}
        plant.add_signal(SignalLine("panel", "down_time", f"cdu-{i}", "uncontrolled"))
    add(plant, "pump", "pump", ("board",), nominal_flow=0.06, nominal_head=200e3, shutoff_head=300e3, efficiency=0.7)
    add(plant, "tank", "tank", volume=200.0, useful_temperature=330)
    units = range(1, cdus + 1)
    plant.add_loop(Loop("facility", "water", [branch("pump")], [branch(f"cdu-{i}.facility") for i in units], "tank"))
    racks_in = [branch(f"rack-{i}") for i in range(1, racks + 1)]
    plant.add_loop(Loop("technology", "pg25", [branch(f"cdu-{i}.technology") for i in units], racks_in))
    return plant


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0])
def test_a_lost_cdu_s_share_is_taken_over_by_the_others_and_given_back_alike(dt):
    """N+1 on shared headers: the pressure is held within the droop, shares are alike, also after it is back."""
    model = compiled.compile(group())
    asked = compiled.inputs(model)
    s = settle(model, asked)
    start = float(s.pressure.max())
    flows = s.outputs["cdu"].flow[0]
    assert start == pytest.approx(150e3 * (1 - 0.1 * flows[0] / 0.008), rel=0.01)
    assert np.ptp(flows) < 1e-6 * flows[0]
    speeds = s.rows["cdu"].duty_speed[0, 1]
    lost = asked["cdu"].in_service.copy()
    lost[0, 0] = 0.0
    now = 0.0
    for _ in range(max(round(120 / dt), 6)):
        s = step(model, s, asked | {"cdu": replace(asked["cdu"], in_service=lost)}, now, dt)
        now += dt
    assert float(s.pressure.max()) == pytest.approx(start, rel=0.06)
    assert s.rows["cdu"].duty_speed[0, 1] > 1.03 * speeds
    assert s.outputs["cdu"].flow[0].sum() == pytest.approx(flows.sum(), rel=0.05)
    for _ in range(max(round(500 / dt), 50)):
        s = step(model, s, asked, now, dt)
        now += dt
    assert s.outputs["cdu"].flow[0] == pytest.approx(flows, rel=0.1)
    assert float(s.outputs["site"].energy_residual[0, 0]) < 1e-11


def test_a_panel_that_loses_its_feed_takes_control_away_until_it_has_booted():
    """The board is dead for 5 s: panel and pumps with it; control is back 60 s after the supply, by its own clock."""
    model = compiled.compile(group(2, 4))
    asked = compiled.inputs(model)
    s = settle(model, asked)
    dead = asked | {"utility": replace(asked["utility"], in_service=asked["utility"].in_service * 0.0)}
    seen = []
    for k in range(90):
        s = step(model, s, dead if 10 <= k < 15 else asked, float(k), 1.0)
        seen.append((s.rows["control_panel"].stopped[0, 0], s.rows["cdu"].uncontrolled[0, 0]))
    assert [k for k, (lost, _) in enumerate(seen) if lost] == list(range(10, 74))
    assert [k for k, (_, lost) in enumerate(seen) if lost] == list(range(11, 75)), "told one tick later"
    assert s.rows["control_panel"].stopped_at[0, 0] == pytest.approx(15.0 + 60.0)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 1.0), st.floats(0.0, 0.5), st.sampled_from([1.0, 60.0]))
def test_a_higher_pressure_setpoint_never_moves_less(level, more, dt):
    flows = []
    for setpoint in (level, level + more):
        b = WetBench(CDU(**RATINGS), pressure_setpoint=setpoint * 244e3)
        for _ in range(40):
            b.tick(dt, inlet=WARM, pressure={"technology": -0.5 * 244e3, "facility": 100e3})
        flows.append(b.gives("flow"))
    assert flows[0] <= flows[1] + 1e-9
