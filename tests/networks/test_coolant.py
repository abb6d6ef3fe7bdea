"""Coolant, flow: the solver against scipy and against its own balance, over every state that a drill can reach."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from random_loops import coolant_of, random_states, two_loops
from scipy.optimize import brentq

from tests.small_plants import CHILLER, DRY_COOLER, PUMP, chain, pod
from twin import model as compiled
from twin.networks import coolant
from twin.networks.coolant import solve_flow
from twin.physics.hydraulic import CHECK_LEAK


def balance(net, flow):
    """What each loop's supply header receives less what it passes on, of what moves; (member, loop)."""
    upward = flow * net.sign
    columns = [np.flatnonzero(net.loop_of == loop) for loop in range(len(net.loops))]
    gained = np.stack([upward[:, here].sum(axis=1) for here in columns], axis=1)
    moved = np.stack([abs(upward[:, here]).sum(axis=1) for here in columns], axis=1)
    return abs(gained) / np.maximum(moved, 1e-300), moved


NAMES = ("head", "laminar", "turbulent", "stiff")


def some(r, rows):
    return dataclasses.replace(r, **{name: getattr(r, name)[rows] for name in NAMES})


@pytest.mark.parametrize("seed", [1, 2])
def test_every_state_is_solved_from_any_guess(seed):
    """1,000 states a seed: all pumps off, all valves shut, boosters among the loads, guesses from 1 mPa to 1 GPa."""
    net = coolant_of(two_loops())
    r, guess = random_states(net, 1000, seed)
    pressure, flow, _ = solve_flow(net, r, guess)
    assert np.isfinite(flow).all()
    assert np.isfinite(pressure).all()
    assert balance(net, flow)[0].max() <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_every_one_of_a_hundred_thousand_states_is_solved(seed):
    net = coolant_of(two_loops(pumps=5, cdus=4, racks=9))
    r, guess = random_states(net, 10_000, seed)
    _, flow, _ = solve_flow(net, r, guess)
    assert np.isfinite(flow).all()
    assert balance(net, flow)[0].max() <= 1e-9
    _, same, _ = solve_flow(net, r, np.roll(guess, 1, axis=0))
    scale = abs(flow).max(axis=1, keepdims=True)
    assert (abs(same - flow) <= 1e-9 * scale + 1e-11).all()


def passes(dp, a, b, stiff):
    """A branch's flow, written apart from the product's: the root of a q + b q|q| = dp."""
    if dp < 0:
        return -passes(-dp, a * stiff, b * stiff * stiff, 1.0)
    return dp / (a / 2 + np.sqrt(a * a / 4 + b * dp))


def by_brentq(net, r, member, loop):
    """Flows of one loop from scipy's root of its imbalance."""
    here = np.flatnonzero(net.loop_of == loop)
    rows = [(net.sign[0, k], *(getattr(r, name)[member, k] for name in NAMES)) for k in here]

    def flows(pressure):
        return np.array([passes(head - sign * pressure, a, b, stiff) for sign, head, a, b, stiff in rows])

    signs = np.array([row[0] for row in rows])
    top = 1.0 + max(abs(row[1]) for row in rows)
    root = brentq(lambda p: float((signs * flows(p)).sum()), -top, top, xtol=1e-13, rtol=8.9e-16, maxiter=500)
    return here, flows(root)


def test_flows_are_those_of_scipys_root():
    net = coolant_of(two_loops())
    r, guess = random_states(net, 150, 7)
    _, flow, _ = solve_flow(net, r, guess)
    for member in range(150):
        for loop in range(len(net.loops)):
            here, expected = by_brentq(net, r, member, loop)
            np.testing.assert_allclose(flow[member, here], expected, rtol=1e-9, atol=1e-9 * abs(expected).max() + 1e-11)


def test_without_pumps_nothing_moves_at_all():
    net = coolant_of(two_loops())
    r, guess = random_states(net, 200, 3)
    _, flow, _ = solve_flow(net, dataclasses.replace(r, head=np.zeros_like(r.head)), guess)
    assert not flow.any()


def test_the_answer_does_not_hang_on_the_guess():
    net = coolant_of(two_loops())
    r, guess = random_states(net, 400, 4)
    _, flow, _ = solve_flow(net, r, guess)
    scale = abs(flow).max(axis=1, keepdims=True)
    for factor in (0.0, -1.0, 1e-6, 1e6):
        _, other, _ = solve_flow(net, r, guess * factor)
        assert (abs(other - flow) <= 1e-9 * scale + 1e-11).all()


def test_a_member_alone_is_the_member_in_a_batch_bit_for_bit():
    """Solved members stand still while others go on."""
    net = coolant_of(two_loops())
    r, guess = random_states(net, 64, 5)
    pressure, flow, _ = solve_flow(net, r, guess)
    for member in range(0, 64, 5):
        alone = solve_flow(net, some(r, [member]), guess[[member]])
        np.testing.assert_array_equal(alone[0][0], pressure[member])
        np.testing.assert_array_equal(alone[1][0], flow[member])


def test_a_warm_start_of_the_answer_stays_on_it():
    net = coolant_of(two_loops())
    r, guess = random_states(net, 300, 6)
    pressure, flow, _ = solve_flow(net, r, guess)
    again, _, _ = solve_flow(net, r, pressure)
    moves = balance(net, flow)[1] > 1e-6
    np.testing.assert_array_equal(again[moves], pressure[moves])


def test_an_idle_pump_beside_a_running_one_leaks_back_by_its_check_valve_only():
    """The running pump's pressure over an idle branch: backward it is 1e5 stiffer, squared where turbulent."""
    net = coolant_of(two_loops(pumps=2))
    a, b = np.full((1, net.branch_count), 1e3), np.full((1, net.branch_count), 1e8)
    head = np.zeros_like(a)
    head[0, 0] = 3e5
    stiff = np.where(np.arange(net.branch_count) < 2, 1.0 / CHECK_LEAK, 1.0)[None]
    pressure, flow, _ = solve_flow(net, coolant.Resistances(head, a, b, stiff), np.full((1, 2), 1e5))
    p = pressure[0, 0]
    expected = passes(-p, 1e3, 1e8, 1.0 / CHECK_LEAK)
    assert flow[0, 1] == pytest.approx(expected, rel=1e-9)
    assert 0 < -flow[0, 1] < 2e-5 * flow[0, 0]


def test_elements_in_series_add_up_and_one_check_valve_bars_the_branch():
    """A train of pump, dry cooler and chiller: heads, laminar and turbulent parts by hand."""
    model = compiled.compile(pod())
    asked = compiled.inputs(model)
    now = compiled.state(model, asked)
    ports = compiled.ports(model)
    for t in model.tables:
        ports[t.key].gap, ports[t.key].voltage = np.zeros((1, t.size)), np.ones((1, t.size))
        if t.machine.streams:
            ports[t.key].drive = t.machine.actuate(now.rows[t.key], asked[t.key], ports[t.key], 1.0)
    r = coolant.resistances(model.coolant, ports, now.rows, asked, 1, np)
    pump = model.table("pump").machine.branch(now.rows["pump"], asked["pump"], ports["pump"], "coolant")
    loss = DRY_COOLER["nominal_pressure_drop"], CHILLER["nominal_pressure_drop"]
    laminar = float(pump.laminar[0, 0]) + 0.1 * sum(loss) / PUMP["nominal_flow"]
    turbulent = float(pump.turbulent[0, 0]) + 0.9 * sum(loss) / PUMP["nominal_flow"] ** 2
    assert r.head[0, 0] == pytest.approx(PUMP["shutoff_head"], rel=1e-12)
    assert r.laminar[0, 0] == pytest.approx(laminar, rel=1e-12)
    assert r.turbulent[0, 0] == pytest.approx(turbulent, rel=1e-12)
    assert r.stiff[0, 0] == pytest.approx(1.0 / CHECK_LEAK, rel=1e-12)
    assert r.stiff[0, 2] == 1.0, "a load has no check valve"


def test_ports_hear_the_flow_of_their_own_branch_and_a_tank_what_leaves_its_supply():
    model = compiled.compile(chain())
    net, ports = model.coolant, compiled.ports(model)
    flow = np.arange(1.0, net.branch_count + 1.0)[None] * 1e-3
    pressure = np.array([[2e5, 1e5]])
    rate, told = coolant.tell_flows(net, ports, pressure, flow, {})
    facility, technology = list(model.plant.loops).index("facility"), list(model.plant.loops).index("technology")
    assert (facility, technology) == (0, 1)
    q_pump, q_cdu = flow[0, 0], flow[0, 1]
    assert ports["pump"].flow["coolant"][0, 0] == ports["chiller"].flow["coolant"][0, 0] == q_pump
    assert ports["cdu"].flow["facility"][0, 0] == q_cdu
    assert ports["tank"].flow["coolant"][0, 0] == q_cdu, "what leaves the supply header"
    assert ports["pump"].pressure["coolant"][0, 0] == -2e5, "a plant branch lifts"
    assert ports["cdu"].pressure["facility"][0, 0] == 2e5, "a load falls"
    assert ports["rack"].pressure["coolant"][0, 0] == 1e5
    assert ports["rack"].capacity_rate["coolant"][0, 2] == pytest.approx(flow[0, -2] * 3.99e6, rel=1e-14)
    assert ports["pump"].capacity_rate["coolant"][0, 0] == pytest.approx(q_pump * 4.17e6, rel=1e-14)
    assert rate.shape == (1, net.stream_count)

    again = compiled.ports(model)
    faster = flow * np.where(np.arange(net.branch_count) == 1, 1.5, 1.0)
    coolant.tell_flows(net, again, pressure, faster, told)
    stays = [ports[key].flow[name] is again[key].flow[name] for key, name in told]
    moves = [(ports[key].flow[name] != again[key].flow[name]).any() for key, name in told]
    assert stays == [not moved for moved in moves], "flows that stay are told as the same arrays"
    assert any(stays)
    assert any(moves)
