"""Leaks in a plant: what they take out of joints, pipes and CDUs, what flows on, and the heat that goes with it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks.test_coolant_pressure import leaves, ring, run
from tests.small_plants import PIPE, add, branch, pressurised
from twin import model as compiled
from twin.declare import replace
from twin.physics.static_pressure import AIR
from twin.scenario import Change
from twin.simulation import settle
from twin.step import step

AREA, C_D = 2e-4, 0.6


def leaking(unit="joint-4", ticks=5, tick=1.0, asked_of=(), **vessel):
    """`pressurised` with one hole open for some ticks: model, world before the last, and after it."""
    plant = pressurised(makeup_temperature=283.15, **vessel)
    plant.units[unit].parameters["leak_area"] = AREA
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    now = settle(model, asked)
    for name, quantity, value in ((unit, "leak", 1.0), *asked_of):
        key, row = model.seats[name]
        changed = getattr(asked[key], quantity).copy()
        changed[:, row] = value
        asked[key] = replace(asked[key], **{quantity: changed})
    was, time = now, 0.0
    for _ in range(ticks):
        was, time = now, time + tick
        now = step(model, now, asked, time - tick, tick)
        assert now.outputs["site"].energy_residual.max() < 1e-11
    return model, was, now


def of(model, now, name, quantity):
    key, row = model.seats[name]
    table = now.rows[key] if hasattr(now.rows[key], quantity) else now.outputs[key]
    return float(getattr(table, quantity)[0, row])


def test_what_leaks_is_missing_behind_the_hole():
    """A leak of a rack's joint: the joint's own flow is what the rack gets, less than its neighbours by the leak."""
    model, _, now = leaking()
    q = of(model, now, "joint-4", "leak_flow")
    assert q > 1e-4
    assert of(model, now, "rack-4", "flow") == pytest.approx(of(model, now, "joint-4", "flow"), rel=1e-12)
    assert of(model, now, "rack-3", "flow") - of(model, now, "rack-4", "flow") == pytest.approx(q, rel=1e-3)
    assert of(model, now, "vessel-technology", "leak_flow") == pytest.approx(q, rel=1e-12)


def test_make_up_feeds_the_header_as_warm_as_it_is():
    """Rather than the vessel's 20 degC, as soon as it gives all that leaks; coolant comes back colder for it."""
    low = {"fill_pressure": 2.25e5, "makeup_start": 5.5e5, "makeup_stop": 5.8e5, "makeup_flow": 1e-2}
    model, was, now = leaking(ticks=8, **low)
    assert of(model, was, "vessel-technology", "feed_temperature") == pytest.approx(283.15, abs=1e-9)
    model, _, warm = leaking(ticks=8, makeup_flow=0.0)
    assert of(model, warm, "vessel-technology", "feed_temperature") == pytest.approx(293.15, abs=1e-9)
    colder = of(model, warm, "cdu", "return_temperature") - of(model, now, "cdu", "return_temperature")
    assert 0.1 < colder < 10


def test_the_books_have_the_heat_that_leaves():
    """Rejected in its first second: what the site rejects otherwise, and rho cp q (T - T_fill)."""
    alone = {"makeup_flow": 0.0, "makeup_start": 0.0, "makeup_stop": 0.0}
    model, was, now = leaking(ticks=1, **alone)
    T, q = of(model, was, "cdu", "supply_temperature"), of(model, now, "joint-4", "leak_flow")
    _, _, tight = leaking(ticks=1, asked_of=[("joint-4", "leak", 0.0)], **alone)
    more = float((now.outputs["site"].heat_rejected - tight.outputs["site"].heat_rejected)[0, 0])
    assert more == pytest.approx(q * model.heat_capacity["cdu"]["technology"][0, 0] * (T - 293.15), rel=0.02)
    assert more > 20e3


@pytest.mark.parametrize("unit", ["cdu", "pipe", "joint-4"])
def test_every_hole_obeys_one_law(unit):
    """q = C_d A sqrt(2 (p - p_air)/rho): what the orifice's area and the static pressure bound."""
    model, was, now = leaking(unit, ticks=1)
    loop = "facility" if unit == "pipe" else "technology"
    rho = 995.6 if unit == "pipe" else 1000.0
    q = of(model, now, unit, "leak_flow")
    if unit == "cdu":
        p = of(model, was, f"vessel-{loop}", "static_pressure")
        assert q == pytest.approx(C_D * AREA * np.sqrt(2 * (p - AIR) / rho), rel=1e-9), "it sucks from the return"
    else:
        over = 0.5 * rho * (q / (C_D * AREA)) ** 2 + AIR
        assert over > of(model, was, f"vessel-{loop}", "static_pressure"), "behind the pumps"


def test_a_cdu_that_leaks_is_isolated_and_stands(tmp_path):
    """Its sensor shuts its technology side after 15 s: pumps stop, nothing flows, the loop keeps the rest."""
    plant = pressurised()
    plant.units["cdu"].parameters |= {"leak_area": AREA, "isolation_delay": 15.0}
    trace = run(tmp_path, plant, [Change(5.0, "cdu", "leak", 1.0, verb="fail")], 60.0)
    at = {f"{event.unit}.{event.flag}": event.time for event in trace.events if event.value == 1}
    assert at["cdu.leaking"] == pytest.approx(5.0)
    assert at["cdu.cut_off"] == pytest.approx(20.0, abs=1e-6)
    late = trace.time > 22
    assert abs(leaves(trace, "cdu.flow")[late]).max() < 1e-5
    assert leaves(trace, "cdu.duty_speed")[-1] < 0.1
    assert np.ptp(leaves(trace, "vessel-technology.leaked")[late]) == 0.0


def test_a_pipe_that_leaks_is_isolated_by_hand(tmp_path):
    plant = ring()
    add(plant, "pipe", "pipe", **{**PIPE, "leak_area": AREA})
    plant.loops["ring"].loads[0] = branch("joint", "pipe", "valve")
    changes = [Change(5.0, "pipe", "leak", 1.0), Change(20.0, "pipe", "isolated", 1.0)]
    trace = run(tmp_path, plant, changes, 40.0)
    assert leaves(trace, "pipe.leak_flow")[10] > 1e-3
    assert leaves(trace, "pipe.leak_flow")[-1] == 0.0
    assert abs(leaves(trace, "pipe.flow")[-1]) < 1e-6
    assert leaves(trace, "pipe.flow")[3] > 0.01


def test_a_leak_takes_no_more_than_the_loop_has_left():
    """Joint and vessel tell one story to the last litre, in ticks of half a minute too."""
    lost = []
    for ticks in (10, 60):
        model, _, now = leaking("joint-4", ticks, 30.0, makeup_flow=0.0, makeup_start=0.0, makeup_stop=0.0)
        lost.append(of(model, now, "vessel-technology", "leaked"))
    assert lost[1] == pytest.approx(lost[0], rel=0.02), "the loop is at the air's pressure"
    assert of(model, now, "vessel-technology", "lost_charge") == 1
    assert of(model, now, "joint-4", "leak_flow") < 2e-6
    assert of(model, now, "joint-4", "leak_flow") == pytest.approx(
        of(model, now, "vessel-technology", "leak_flow"), abs=1e-6
    )


def test_a_leak_larger_than_its_branchs_flow_leaves_a_finite_world():
    """Pumps off: the hole takes what stands, nothing flows behind it, and temperatures stay between what there is."""
    off = [("cdu", "mode", 0.0)]
    model, _, now = leaking(ticks=20, tick=10.0, asked_of=off)
    assert of(model, now, "rack-4", "flow") == pytest.approx(0.0, abs=1e-6)
    assert 283.0 < of(model, now, "cdu", "return_temperature") < 340.0
