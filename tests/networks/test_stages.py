"""Stages: pumps on a header of their own before chillers, against scipy, one dense system, and what the trade knows."""

from __future__ import annotations

import numpy as np
import pytest
from random_loops import coolant_of, random_states
from scipy.optimize import brentq

from tests.small_plants import VESSEL, add, staged
from twin import model as compiled
from twin.declare import MODES, replace
from twin.networks.coolant import solve_flow
from twin.plant import Plant
from twin.simulation import settle
from twin.step import step


@pytest.fixture(scope="module")
def net():
    return coolant_of(staged())


def guessed(net, count, seed):
    r, _ = random_states(net, count, seed)
    random = np.random.default_rng(seed)
    shape = (count, net.header_count)
    return r, random.choice([-1.0, 1.0], shape) * 10.0 ** random.uniform(-3, 9, shape)


def spread(net, flow):
    """Largest difference of flow between groups of a ring, of what moves."""
    worst = np.zeros(len(flow))
    for groups in net.rings.groups:
        here = flow[:, net.rings.branches]
        passed = [here[:, net.rings.group_of == g].sum(axis=1) for g in range(groups.start, groups.stop)]
        moved = sum(abs(here[:, net.rings.group_of == g]).sum(axis=1) for g in range(groups.start, groups.stop))
        worst = np.maximum(worst, np.ptp(passed, axis=0) / np.maximum(moved, 1e-12))
    return worst


THOROUGH = [pytest.param(10_000, seed, marks=pytest.mark.slow) for seed in range(10, 20)]
"""A hundred thousand states: pytest -n0 -m slow tests/networks/test_stages.py"""


@pytest.mark.parametrize(("count", "seed"), [(500, 1), (500, 2), *THOROUGH])
def test_every_state_is_solved_from_any_guess(net, count, seed):
    """All pumps off, all valves shut, pumps that run backward, guesses from 1 mPa to 1 GPa; the same from each."""
    r, guess = guessed(net, count, seed)
    pressure, flow, _ = solve_flow(net, r, guess)
    assert np.isfinite(flow).all()
    assert np.isfinite(pressure).all()
    assert spread(net, flow).max() <= 1e-9
    _, same, _ = solve_flow(net, r, np.roll(guess, 1, axis=0))
    scale = abs(flow).max(axis=1, keepdims=True)
    assert (abs(same - flow) <= 1e-9 * scale + 1e-8).all(), "to the last digits of a pressure of a megapascal"


def passes(rise, head, a, b, stiff):
    """A branch's flow along the ring, written apart from the product's."""
    dp = head - rise
    if dp < 0:
        a, b = a * stiff, b * stiff**2
    return np.sign(dp) * (np.sqrt(a * a + 4 * b * abs(dp)) - a) / (2 * b) if b * abs(dp) > 1e-12 * a * a else dp / a


def test_flows_are_those_of_brackets_in_brackets(net):
    """The condenser's ring by brentq: for each pressure of its supply that of its pumps' header."""
    r, guess = guessed(net, 60, 5)
    _, flow, _ = solve_flow(net, r, guess)
    groups = net.rings.groups[1]
    rows = [net.rings.branches[net.rings.group_of == g] for g in range(groups.start, groups.stop)]
    for member in range(60):
        laws = [[tuple(getattr(r, n)[member, k] for n in ("head", "laminar", "turbulent", "stiff")) for k in row]
                for row in rows]  # fmt: skip
        top = sum(law[0] for group in laws for law in group) + 1.0

        def through(group, rise, laws=laws):
            return sum(passes(rise, *law) for law in laws[group])

        def middle(p, through=through, top=top):
            return brentq(lambda m: through(0, m) - through(1, p - m), -2 * top, 3 * top, xtol=1e-13, rtol=1e-15)

        p = brentq(lambda p: through(0, middle(p)) - through(2, -p), -top, 2 * top, xtol=1e-13, rtol=1e-15)
        found = [passes(rise, *law) for rise, group in zip((middle(p), p - middle(p), -p), laws) for law in group]
        here = flow[member, np.concatenate(rows)]
        np.testing.assert_allclose(here, found, atol=1e-8 * abs(here).max() + 2e-9, rtol=1e-7)


def of(model, now, name, quantity):
    key, row = model.seats[name]
    table = now.rows[key] if hasattr(now.rows[key], quantity) else now.outputs[key]
    return float(getattr(table, quantity)[0, row])


def went(changes, ticks=60, tick=1.0, plant=None):
    """`staged` some ticks after changes of Inputs, with the facility valve of its CDU open by hand."""
    model = compiled.compile(plant or staged())
    asked = compiled.inputs(model)
    asked["cdu"] = replace(asked["cdu"], mode=asked["cdu"].mode * 0.0 + MODES["hand"])
    now = settle(model, asked)
    for name, quantity, value in changes:
        key, row = model.seats[name]
        changed = getattr(asked[key], quantity).copy()
        changed[:, row] = value
        asked[key] = replace(asked[key], **{quantity: changed})
    for k in range(ticks):
        now = step(model, now, asked, k * tick, tick)
        assert now.outputs["site"].energy_residual.max() < 1e-11
    return model, now


def test_what_the_pumps_give_the_chillers_take():
    model, now = went([], 3)
    pumps = sum(of(model, now, f"pump-{i}", "flow") for i in (1, 2, 3))
    assert pumps > 0.02
    assert sum(of(model, now, f"valve-{i}", "flow") for i in (1, 2)) == pytest.approx(pumps, rel=1e-12)
    assert of(model, now, "cdu", "facility_flow_now") == pytest.approx(pumps, rel=1e-12)
    assert abs(of(model, now, "pump-3", "flow")) < 1e-4 * pumps, "its check valve holds"


def test_any_pump_serves_any_chiller():
    """Pump 2 alone, chiller 1 alone: all of it goes there."""
    off = [("pump-1", "mode", 0.0), ("pump-3", "mode", 0.0), ("valve-2", "opening", 0.0)]
    model, now = went(off, 60)
    assert of(model, now, "pump-2", "flow") > 0.01
    assert of(model, now, "valve-1", "flow") == pytest.approx(of(model, now, "pump-2", "flow"), rel=1e-3)
    assert of(model, now, "chiller-1", "heat") > 1e5


def test_one_pump_of_the_group_trips_and_the_standby_takes_its_place():
    """Seconds later the flow is what it was, in both chillers alike, and no chiller has lost its own pump."""
    model, before = went([], 3)
    _, after = went([("pump-1", "in_service", 0.0)], 60)
    for name in ("valve-1", "valve-2"):
        assert of(model, after, name, "flow") == pytest.approx(of(model, before, name, "flow"), rel=1e-3)
    assert of(model, after, "pump-3", "speed_now") == 1.0
    assert of(model, after, "pump-3", "flow") == pytest.approx(of(model, before, "pump-1", "flow"), rel=1e-3)
    assert abs(of(model, after, "pump-1", "flow")) < 1e-4 * of(model, after, "pump-3", "flow")


def test_a_plate_before_the_chillers_takes_what_it_can_of_their_load():
    """Free cooling in part: what the economiser gives to the towers the chillers need not."""
    cool = [("site", "wet_bulb", 283.15), ("site", "dry_bulb", 285.15)]
    cool += [(f"tower-{i}", "leaving_setpoint", 285.15) for i in (1, 2)] + [("cdu", "hand_valve", 0.3)]
    model, now = went(cool, 300, 10.0)
    _, without = went([*cool, ("economiser", "leaving_setpoint", 310.0)], 300, 10.0)
    saved, little = (of(model, w, "economiser", "heat") for w in (now, without))
    assert saved > 1e5 + little
    chilled = [sum(of(model, w, n, "heat") for n in ("chiller-1", "wc-1")) for w in (now, without)]
    assert chilled[0] + saved == pytest.approx(chilled[1] + little, rel=0.03), "the load is the racks' and the pumps'"
    assert chilled[0] > 0


def test_static_pressure_leads_from_header_to_header():
    """A vessel at the return: pumps suck from it, chillers begin where the pumps end."""
    plant = staged()
    plant.loops["facility"].pressurisation = "vessel"
    add(plant, "vessel", "expansion_vessel", **VESSEL)
    model, now = went([], 3, plant=plant)
    head = now.pressure[0, len(model.coolant.loops) :]
    assert head[0] > 1e5
    assert of(model, now, "pump-1", "npsh_margin") == pytest.approx(of(model, now, "pump-2", "npsh_margin"), abs=1.0)
    assert now.pressure[0, 0] < head[1] < head[0], "plates and chillers lose what the pumps have lifted"


def test_a_plant_with_stages_is_written_and_read_again():
    plant = staged()
    again = Plant.from_json(plant.to_json())
    assert again.loops["facility"].stages == plant.loops["facility"].stages
    assert set(again.graph.edges(keys=False)) == set(plant.graph.edges(keys=False))
    assert ("pump-3", "past") in plant.graph.edges(keys=False)
    assert ("past", "valve-2") in plant.graph.edges(keys=False)
