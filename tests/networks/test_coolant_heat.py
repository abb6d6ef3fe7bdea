"""Coolant, heat: every temperature against one dense linear system, and what goes in comes out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from random_loops import two_loops

from tests.small_plants import CDU, CHILLER, PIPE, PUMP, RACK, VALVE, add, branch, chain, pod, staged
from twin.networks.coolant import CoolantNetwork, compile_coolant
from twin.networks.coolant_heat import compile_heat, solve_heat
from twin.networks.coolant_leaks import Drains
from twin.networks.coolant_stages import _alike as alike
from twin.networks.tables import compile_tables
from twin.plant import Loop, Plant


def one_loop() -> Plant:
    """Pumps with chillers in series, racks as loads: no exchanger."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=1e8)
    add(plant, "board", "bus", ("utility",))
    for i in range(3):
        add(plant, f"pump-{i}", "pump", ("board",), **PUMP)
        add(plant, f"chiller-{i}", "chiller", ("board",), **CHILLER)
        add(plant, f"rack-{i}", "rack", ("board",), **{**RACK, "air_fraction": 0.0})
    trains = [branch(f"pump-{i}", f"chiller-{i}") for i in range(2)] + [branch("pump-2"), branch("chiller-2")]
    plant.add_loop(Loop("only", "water", trains, [branch(f"rack-{i}") for i in range(3)]))
    return plant


def three_deep() -> Plant:
    """Racks to technology to facility to condenser water, each through exchangers; tanks in the outer two."""
    plant = two_loops(pumps=0)
    for i in range(2):
        add(plant, f"plates-{i}", "cdu", ("board",), **CDU)
        add(plant, f"tower-{i}", "pump", ("board",), **PUMP)
    add(plant, "cold", "tank", volume=8, useful_temperature=305)
    add(plant, "warm", "tank", volume=8, useful_temperature=305)
    plant.loops["facility"].plant = [branch(f"plates-{i}.technology") for i in range(2)]
    plant.loops["facility"].storage = "cold"
    outer = [branch(f"plates-{i}.facility") for i in range(2)]
    plant.add_loop(Loop("condenser", "water", [branch(f"tower-{i}") for i in range(2)], outer, "warm"))
    return plant


def in_series() -> Plant:
    """Exchangers between valves, pipes and pumps of their branches, and a bypass between the headers."""
    plant = three_deep()
    for i in range(2):
        for name in ("before", "after", "racks"):
            add(plant, f"{name}-{i}", "pipe", **PIPE)
        add(plant, f"booster-{i}", "pump", ("board",), **PUMP)
    add(plant, "bypass", "valve", **VALVE)
    plant.loops["facility"].loads = [
        branch("before-0", "cdu-0.facility", "after-0"), branch("cdu-1.facility", "booster-1"), branch("bypass"),
    ]  # fmt: skip
    plant.loops["technology"].plant = [
        branch("booster-0", "before-1", "cdu-0.technology"), branch("after-1", "cdu-1.technology", "racks-1"),
    ]  # fmt: skip
    plant.loops["facility"].plant[0].insert(0, *branch("racks-0"))
    return plant


PLANTS = {
    "in series": in_series, "one loop": one_loop, "two loops": two_loops, "with a tank": chain, "a pod": pod,
    "three deep": three_deep, "stages": staged,
}  # fmt: skip


def random_case(net: CoolantNetwork, members: int, seed: int):
    """Answers of the streams, balanced flows with reversals and stops, and headers as they were."""
    random = np.random.default_rng(seed)
    n = net.stream_count
    beta = random.random((members, n))
    has_partner = np.isin(np.arange(n), list(net.partner))
    gamma = np.where(has_partner, random.random((members, n)) * (1.0 - beta), 0.0)
    if net.rings is None:  # between two headers coolant can go round for ever, and is then as warm as one likes
        beta = np.where(random.random((members, n)) < 0.1, 1.0 - gamma, beta)
    alpha = (1.0 - beta - gamma) * random.uniform(280, 340, (members, n))
    said = np.zeros((3, members, n + 1))
    said[:, :, :n], said[1, :, n] = (alpha, beta, gamma), 1.0
    flow = random.random((members, net.branch_count)) * 0.04
    flow *= np.where(random.random(flow.shape) < 0.25, -1.0, 1.0) * (random.random(flow.shape) > 0.1)
    for loop in range(len(net.loops)):
        here = np.flatnonzero(net.loop_of == loop)
        upward = flow[:, here] * net.sign[:, here]
        into, out = np.maximum(upward, 0).sum(1), np.maximum(-upward, 0).sum(1)
        still = (into == 0) | (out == 0) | (random.random(members) < 0.1)
        scale = np.where(upward > 0, 1.0, (into / np.where(out > 0, out, 1.0))[:, None])
        flow[:, here] *= np.where(still[:, None], 0.0, scale)
    if net.rings is not None:
        there = net.rings.branches
        flow[:, there] = alike(net.rings, random.uniform(-0.01, 0.04, (members, len(there))))
    was = random.uniform(285, 325, (2, members, net.header_count))
    was[1, :, len(net.loops) :] = was[0, :, len(net.loops) :]
    return said, flow, was


def dense(net: CoolantNetwork, said, flow, was, share=0.0, feed=0.0):
    """Headers, inlets and outlets of one member from one linear system of all of them at once.

    Of each branch's flow a share has leaked when it arrives, and coolant of `feed` comes in its place.
    """
    share, feed = share + 0.0 * flow, feed + 0.0 * flow
    n, loops = net.stream_count, len(net.loops)
    mids = net.header_count - loops
    size = 2 * n + 3 * loops + mids  # inlets, outlets, supply, return, mix delivered, headers between stages
    A, b = np.eye(size), np.zeros(size)
    enters, leaves = (lambda s: s), (lambda s: n + s)
    supply, back, mix = (lambda k: 2 * n + k), (lambda k: 2 * n + loops + k), (lambda k: 2 * n + 2 * loops + k)
    between = lambda column: 2 * n + 2 * loops + column  # noqa: E731
    alpha, beta, gamma = said
    for s in range(n):
        A[leaves(s), enters(s)] -= beta[s]
        if s in net.partner:
            A[leaves(s), enters(net.partner[s])] -= gamma[s]
        b[leaves(s)] = alpha[s]
    received = {node: [] for node in (*(side(k) for k in range(loops) for side in (supply, back)),
                                      *(between(loops + k) for k in range(mids)))}  # fmt: skip
    for number, row in enumerate(net.element_lists):
        forward = flow[number] >= 0
        upward = (net.sign[0, number] > 0) == forward
        order = row if forward else row[::-1]
        low, high = (int(of[number]) for of in (net.up_of, net.down_of))
        low, high = back(low) if low < loops else between(low), supply(high) if high < loops else between(high)
        A[enters(order[0]), low if upward else high] -= 1.0
        for before, after in itertools.pairwise(order):
            A[enters(after), leaves(before)] -= 1.0
        received[high if upward else low].append((abs(flow[number]), leaves(order[-1]), number))
    for node, heard in [(node, heard) for node, heard in received.items() if node >= between(loops)]:
        total = sum(q for q, *_ in heard)
        b[node] = 0.0 if total > 0 else was[0, node - between(0)]
        for q, leaving, number in heard if total > 0 else ():
            A[node, leaving] -= q * (1.0 - share[number]) / total
            b[node] += q * share[number] * feed[number] / total
    for k in range(loops):
        for side, heard in ((mix, received[supply(k)]), (back, received[back(k)])):
            total = sum(q for q, *_ in heard)
            if total > 0:
                for q, leaving, number in heard:
                    A[side(k), leaving] -= q * (1.0 - share[number]) / total
                    b[side(k)] += q * share[number] * feed[number] / total
            elif side is back:
                b[back(k)] = was[1, k]
            else:
                A[mix(k), supply(k)] -= 1.0
        if sum(q for q, *_ in received[supply(k)]) == 0:
            b[supply(k)] = was[0, k]
        elif net.storage[k] < n:
            A[supply(k), leaves(net.storage[k])] -= 1.0
        else:
            A[supply(k), mix(k)] -= 1.0
        if net.storage[k] < n:
            A[enters(net.storage[k]), mix(k)] -= 1.0
    T = np.linalg.solve(A, b)
    headers = np.concatenate([T[2 * n : 2 * n + 2 * loops].reshape(2, loops), [T[between(loops) :]] * 2], axis=1)
    return headers, T[:n], T[n : 2 * n]


def compiled_of(name):
    plant = PLANTS[name]()
    net = compile_coolant(plant, compile_tables(plant, np), np)
    return net, compile_heat(net, np)


@pytest.mark.parametrize("name", PLANTS)
def test_every_temperature_is_that_of_the_whole_linear_system(name):
    net, heat = compiled_of(name)
    said, flow, was = random_case(net, 60, 1)
    headers, ends = solve_heat(net, heat, said, flow, was)
    used = np.isin(np.arange(net.stream_count), np.concatenate([np.array(row) for row in net.element_lists]))
    used |= np.isin(np.arange(net.stream_count), net.storage)
    assert (flow < 0).any()
    assert (flow == 0).any()
    for member in range(60):
        now, inlet, outlet = dense(net, said[:, member], flow[member], was[:, member])
        np.testing.assert_allclose(headers[:, member], now, rtol=1e-11)
        np.testing.assert_allclose(ends[0, member, used], inlet[used], rtol=1e-11)
        np.testing.assert_allclose(ends[1, member, used], outlet[used], rtol=1e-11)


@pytest.mark.parametrize("name", PLANTS)
def test_what_leaks_is_missing_at_the_header_and_what_replaces_it_comes(name):
    net, heat = compiled_of(name)
    said, flow, was = random_case(net, 40, 6)
    random = np.random.default_rng(7)
    share = random.choice([0.0, 0.1, 0.5, 1.0], flow.shape)
    feed = random.uniform(275, 320, flow.shape)
    headers, ends = solve_heat(net, heat, said, flow, was, Drains(share, feed, None, None))
    used = sorted({s for row in net.element_lists for s in row})
    for member in range(40):
        now, inlet, outlet = dense(net, said[:, member], flow[member], was[:, member], share[member], feed[member])
        np.testing.assert_allclose(headers[:, member], now, rtol=1e-11)
        np.testing.assert_allclose(ends[0, member, used], inlet[used], rtol=1e-11)
        np.testing.assert_allclose(ends[1, member, used], outlet[used], rtol=1e-11)


@pytest.mark.parametrize("name", PLANTS)
def test_headers_pass_on_the_energy_that_they_receive(name):
    """Heat into each header less heat out of it, of what passes: 1e-12."""
    net, heat = compiled_of(name)
    said, flow, was = random_case(net, 200, 2)
    headers, ends = solve_heat(net, heat, said, flow, was)
    for k in range(net.header_count):
        for side in (0, 1):
            gained, passed, through = np.zeros(200), np.zeros(200), np.zeros(200)
            for number, row in enumerate(net.element_lists):
                upward, stage = flow[:, number] * net.sign[0, number], k >= len(net.loops)
                last = np.where(flow[:, number] >= 0, ends[1, :, row[-1]], ends[1, :, row[0]])
                rises, falls = net.down_of[number] == k, net.up_of[number] == k
                rises, falls = (rises, falls) if stage else (rises & (side == 0), falls & (side == 1))
                into = np.maximum(upward, 0) * rises + np.maximum(-upward, 0) * falls
                out = np.maximum(-upward, 0) * rises + np.maximum(upward, 0) * falls
                gained += into * last - out * headers[side, :, k]
                passed += (into + out) * headers[side, :, k]
                through += out
            if side == 0 and k < len(net.loops) and net.storage[k] < net.stream_count:
                stored = through * (ends[0, :, net.storage[k]] - ends[1, :, net.storage[k]])
                gained -= stored
            assert (abs(gained) <= 1e-12 * passed + 1e-18).all(), (k, side)


@pytest.mark.parametrize("name", PLANTS)
def test_mixing_never_leaves_the_range_of_what_is_mixed(name):
    """All sources between 280 and 340 K, headers before between 285 and 325 K: so is everything after."""
    net, heat = compiled_of(name)
    said, flow, was = random_case(net, 200, 3)
    headers, ends = solve_heat(net, heat, said, flow, was)
    assert headers.min() >= 280.0 - 1e-9
    assert headers.max() <= 340.0 + 1e-9
    in_use = sorted({s for row in net.element_lists for s in row})
    assert ends[:, :, in_use].min() >= 280.0 - 1e-9
    assert ends[:, :, in_use].max() <= 340.0 + 1e-9


@pytest.mark.parametrize("name", PLANTS)
def test_headers_without_flow_keep_their_temperature(name):
    net, heat = compiled_of(name)
    said, flow, was = random_case(net, 5, 4)
    headers, _ = solve_heat(net, heat, said, 0.0 * flow, was)
    np.testing.assert_array_equal(headers, was)


def test_a_branch_that_runs_backward_is_walked_from_its_other_end():
    """One train of two elements against the stream, by hand: return = 300 K is out of reach, supply feeds it."""
    net, heat = compiled_of("one loop")
    n = net.stream_count
    said = np.zeros((3, 1, n + 1))
    said[1] = 1.0
    first, second = net.element_lists[0]
    rack = net.element_lists[4][0]
    other = net.element_lists[2][0]
    said[0, 0, first], said[0, 0, second] = 1.0, 0.0  # + 1 K
    said[1, 0, second] = 0.5  # halves
    said[0, 0, other], said[1, 0, other] = 290.0, 0.0
    said[0, 0, rack] = 4.0
    flow = np.zeros((1, net.branch_count))
    flow[0, 2], flow[0, 0], flow[0, 4] = 3e-3, -1e-3, 2e-3
    headers, ends = solve_heat(net, heat, said, flow, np.full((2, 1, 1), 300.0))
    assert headers[0, 0, 0] == pytest.approx(290.0, rel=1e-14)
    assert ends[0, 0, second] == pytest.approx(290.0, rel=1e-14)
    assert ends[1, 0, second] == ends[0, 0, first] == pytest.approx(145.0, rel=1e-14)
    assert ends[1, 0, first] == pytest.approx(146.0, rel=1e-14)
    assert headers[1, 0, 0] == pytest.approx((1 * 146.0 + 2 * 294.0) / 3, rel=1e-14)


def test_members_do_not_touch_each_other():
    """A member in which nothing runs backward, alone and beside members in which much does."""
    net, heat = compiled_of("a pod")
    said, flow, was = random_case(net, 30, 5)
    flow[0] = abs(flow[0])
    loads = net.sign[0] < 0
    for loop in range(len(net.loops)):
        here = net.loop_of == loop
        flow[0, here & loads] *= flow[0, here & ~loads].sum() / max(flow[0, here & loads].sum(), 1e-9)
    together = solve_heat(net, heat, said, flow, was)
    for member in (0, 7, 29):
        one = slice(member, member + 1)
        alone = solve_heat(net, heat, said[:, one], flow[one], was[:, one])
        np.testing.assert_array_equal(alone[0][:, 0], together[0][:, member])
        np.testing.assert_array_equal(alone[1][:, 0], together[1][:, member])
