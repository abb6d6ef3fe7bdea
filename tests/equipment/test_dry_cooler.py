"""Dry cooler: the published BAC point, fans that slow down to the setpoint, restart, modes, the second law."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from wet_bench import WetBench, outage

from tests.small_plants import DRY_COOLER
from twin.declare import MODES
from twin.equipment.dry_cooler import DryCooler
from twin.physics.fluids import OUTDOOR_AIR
from twin.scenario.catalog import records

WATER = 4.17e6
FLOW = 0.036


def unit(**more):
    return DryCooler(**{**DRY_COOLER, **more})


def cooling(ticks=450, dt=1.0, inlet=313.15, air=298.15, flow=FLOW, shape=(1, 1), cooler=None, **inputs):
    b = WetBench(cooler or unit(), shape, **inputs)
    for _ in range(ticks):
        answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet}, weather=(air, air - 5))
    return b, answer


def test_the_published_point_of_the_catalogues_cooler():
    """BAC Trillium: 2,931 kW from 46.11 to 40.55 degC at 35 degC air with 117.68 kW of fans, within 2 %."""
    (record,) = (each for each in records() if each.name == "dry-cooler-2900kw")
    cooler = DryCooler(**record.parameters)
    b, answer = cooling(ticks=300, inlet=273.15 + 46.11, air=308.15, flow=cooler.nominal_flow, cooler=cooler)
    assert b.gives("heat") == pytest.approx(2931e3, rel=0.02)
    assert answer.outlet["coolant"] == pytest.approx(273.15 + 40.55, abs=0.1)
    assert answer.power == pytest.approx(117.68e3, rel=0.02)


def textbook_share(cooler, speed, flow):
    """eps C_min/C of a counterflow coil with films air^0.8 and water^0.85, written apart from the product's."""
    air, water = speed**0.8, (flow / cooler.nominal_flow) ** 0.85
    UA = cooler.coil_conductance * 2 * air * water / (air + water)
    C, C_air = flow * WATER, cooler.air_flow * OUTDOOR_AIR * speed
    small, large = min(C, C_air), max(C, C_air)
    gone = math.exp(-UA / small * (1 - small / large))
    return small / C * (1 - gone) / (1 - small / large * gone)


@pytest.mark.parametrize(("speed", "flow"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.3), (0.2, 0.7)])
def test_one_machine_in_plain_numbers(speed, flow):
    cooler = unit()
    found = float(cooler.share(speed, flow * FLOW * WATER, flow * FLOW))
    assert found == pytest.approx(textbook_share(cooler, speed, flow * FLOW), rel=1e-12)
    assert cooler.nominal_power() == 60e3


@pytest.mark.parametrize("shape", [(1, 1), None], ids=["array", "plain floats"])
def test_at_full_speed_it_takes_its_share_of_the_difference(shape):
    b, answer = cooling(shape=shape, inlet=313.15, air=298.15)
    share = textbook_share(b.unit, 1.0, FLOW)
    assert answer.outlet["coolant"] == pytest.approx(313.15 - share * 15.0, abs=1e-9)
    assert b.gives("heat") == pytest.approx(FLOW * WATER * share * 15.0, rel=1e-12)
    assert answer.power == pytest.approx(60e3, rel=1e-12)
    assert b.worst < 1e-11


@pytest.mark.parametrize(("inlet", "air"), [(293.15, 273.15), (299.15, 285.15), (295.15, 288.15), (292.15, 250.0)])
def test_in_the_cold_its_fans_slow_down_to_hold_the_setpoint(inlet, air):
    """The speed that just holds it, by brentq on the textbook coil; fan power its cube, within 3 %."""
    b, answer = cooling(inlet=inlet, air=air)
    assert answer.outlet["coolant"] == pytest.approx(291.15, abs=1e-9)
    wanted = (inlet - 291.15) / (inlet - air)
    speed = brentq(lambda n: textbook_share(b.unit, n, FLOW) - wanted, 1e-4, 1.0)
    assert (answer.power / 60e3) ** (1 / 3) == pytest.approx(speed, rel=0.01)


@pytest.mark.parametrize(("inlet", "air"), [(290.0, 280.0), (300.0, 300.0), (300.0, 310.0)])
def test_with_nothing_to_gain_it_stands_still(inlet, air):
    b, answer = cooling(inlet=inlet, air=air)
    assert (b.gives("heat"), answer.power) == (0, 0)
    assert answer.outlet["coolant"] == pytest.approx(inlet, abs=1e-9)


@pytest.mark.parametrize("dt", [1.0, 0.5, 7.5])
def test_after_a_loss_of_supply_it_waits_and_ramps(dt):
    b, answer = cooling(dt=dt)
    b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15}, gap=dt, alive=False)
    assert (b.gives("heat"), b.is_("stopped")) == (0, 1)
    back = b.now
    while b.now - back < 30.0 - 1e-9:
        answer = b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15})
        assert (b.gives("heat"), answer.power) == (0, 0)
    heats = []
    while b.now - back < 75.0 - 1e-9:
        b.tick(dt, {"coolant": FLOW}, {"coolant": 313.15})
        heats.append(b.gives("heat"))
    assert heats == sorted(heats)
    assert heats[-1] == pytest.approx(FLOW * WATER * textbook_share(b.unit, 1.0, FLOW) * 15.0, rel=1e-12)
    assert b.is_("stopped") == 0


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_an_outage_within_ticks_is_told_at_its_moments(dt):
    b, _ = cooling(5, dt)
    begun, stopped_at = b.now, None
    for _ in outage(b, dt, 2.4, 4.7, 60.0, flow={"coolant": FLOW}, inlet={"coolant": 313.15}):
        stopped_at = b.is_("stopped_at") - begun if b.is_("stopped") else stopped_at
    assert stopped_at == pytest.approx(2.4, abs=1e-9)
    assert b.is_("stopped_at") - begun == pytest.approx(4.7 + 30.0, abs=1e-6)


def test_half_the_air_costs_an_eighth_of_the_power():
    """Half-way up its ramp, at full call: power by the cube of speed, heat by the textbook."""
    b, _ = cooling(5)
    b.put(run_clock=45.0 - 0.05)
    answer = b.tick(0.1, {"coolant": FLOW}, {"coolant": 313.15})
    assert answer.power == pytest.approx(60e3 / 8, rel=1e-9)
    assert b.gives("heat") == pytest.approx(FLOW * WATER * textbook_share(b.unit, 0.5, FLOW) * 15.0, rel=1e-9)


@pytest.mark.parametrize(("mode", "cools"), [("auto", 1), ("hand", 1), ("off", 0), ("locked_out", 0)])
def test_modes(mode, cools):
    b, answer = cooling(mode=MODES[mode])
    assert (b.gives("heat") > 0) is bool(cools)
    assert (answer.power > 0) is bool(cools)


def test_out_of_service_its_coils_take_nothing():
    b, answer = cooling(in_service=0.0)
    assert (b.gives("heat"), answer.power, b.is_("stopped")) == (0, 0, 1)


CASE = (st.floats(275.0, 335.0), st.floats(250.0, 325.0), st.floats(0.0, 1.5), st.floats(278.0, 320.0))


@settings(max_examples=80, deadline=None)
@given(*CASE, st.sampled_from([0.1, 1.0, 60.0]))
def test_heat_flows_to_colder_air_only(inlet, air, flow, setpoint, dt):
    state = {"inlet_temperature": inlet, "leaving_temperature": inlet}
    b = WetBench(unit(), state=state, leaving_setpoint=setpoint)
    answer = b.tick(dt, {"coolant": flow * FLOW}, {"coolant": inlet}, weather=(air, air))
    heat = b.gives("heat")
    assert heat >= 0
    if inlet <= air:
        assert heat == 0
    assert answer.outlet["coolant"] >= min(air, inlet) - 1e-9
    assert answer.power >= 0
    assert b.worst < 1e-11


@settings(max_examples=40, deadline=None)
@given(st.floats(305.0, 330.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_slower_fans_never_cool_better(inlet, one_speed, other_speed):
    cooler = unit()
    slow, fast = (float(cooler.share(n, FLOW * WATER, FLOW)) for n in sorted((one_speed, other_speed)))
    assert slow <= fast * (1 + 1e-12) <= 1 + 1e-9
