"""Fabrics: published counts, bisection, and what losses leave, against networkx's largest flow."""

from __future__ import annotations

import numpy as np
import pytest

from twin.networks import fabric as net_of
from twin.networks.fabric import PER_PORT, bisection, compile_fabric, group_share, pair_share, ports_left, shares
from twin.plant_fabric import Fabric
from twin.plant_fabric.generators import BadFabric, fat_tree, fat_tree_counts, superpod, superpod_counts
from twin.plant_fabric.graphs import largest_flow, of_links


def named(what: str, count: int) -> list[str]:
    return [f"{what}-{number}" for number in range(1, count + 1)]


def pod(units: int) -> Fabric:
    wanted = superpod_counts(8 * units)
    counts = {"rack": wanted.racks, "leaf": wanted.leaves, "spine": wanted.spines, "core": wanted.cores}
    return superpod(*(named(what, count) for what, count in counts.items()))


def tree(racks: int, **told: int) -> Fabric:
    wanted = fat_tree_counts(racks, **told)
    return fat_tree(named("rack", racks), named("leaf", wanted.leaves), named("spine", wanted.spines), **told)


def odd() -> Fabric:
    """A fabric that blocks, of one's own: six racks with one or two ports, three leaves, two spines of unlike width."""
    rows = [(f"r{i}", f"l{i // 2}", 1 + i % 2, 0) for i in range(6)]
    rows += [(f"l{i}", "s0", 2, 0) for i in range(3)] + [("s1", "l0", 1, 0), ("l1", "s1", 1, 0)]
    return of_links("odd", [f"r{i}" for i in range(6)], rows, 1e9)


# Counts


@pytest.mark.parametrize(("units", "switches", "cables"), [(1, (32, 24, 0), 2), (16, (512, 384, 144), 3)])
def test_a_superpod_has_the_published_switches(units, switches, cables):
    """NVIDIA's reference architecture: 32 + 24 a unit of 576 GPUs; 1,040 at 9,216 GPUs, every core port in use."""
    fabric = pod(units)
    assert tuple(len(fabric.tier(tier)) for tier in (1, 2, 3)) == switches
    assert fabric.cables() == [576 * units] * cables
    assert fabric.rails == 4
    used = fabric.ports_used()
    assert all(used[rack] == 72 for rack in fabric.racks)
    assert {used[leaf] for leaf in fabric.tier(1)} == {36}
    assert {used[core] for core in fabric.tier(3)} <= {64}


@pytest.mark.parametrize("units", [1, 2, 4, 8, 16])
def test_a_superpod_does_not_block(units):
    """Half of its racks reach the other half with all their ports: 288 of 576 at one unit, 4,608 at sixteen."""
    net = compile_fabric(pod(units))
    assert bisection(net, net.ports) == 288 * units
    odd_racks = range(1, net.racks, 2)
    assert bisection(net, net.ports, odd_racks) == 288 * units
    used = net.fabric.ports_used()
    assert max(used[switch] for switch in net.fabric.switches) <= 64


@pytest.mark.parametrize("units", [1, 2])
def test_its_bisection_is_networkx_largest_flow(units):
    fabric = pod(units)
    half = fabric.racks[: len(fabric.racks) // 2]
    assert largest_flow(fabric, half, fabric.racks[len(half) :]) == 288 * units


@pytest.mark.slow
def test_the_bisection_of_sixteen_units_is_networkx_largest_flow():
    """pytest -n0 -m slow tests/networks/test_fabric.py; half a minute."""
    fabric = pod(16)
    assert largest_flow(fabric, fabric.racks[:64], fabric.racks[64:]) == 4608


def test_a_two_level_fat_tree_of_q3400_joins_10368_ports():
    wanted = fat_tree_counts(144, rails=4)
    assert (wanted.leaves, wanted.spines, wanted.racks * 72) == (144, 72, 10368)
    with pytest.raises(BadFabric, match="joins at most 144 leaves; 145 racks of 72 ports want 148"):
        fat_tree_counts(145, rails=4)
    hall = tree(64)
    assert (len(hall.tier(1)), len(hall.tier(2)), hall.cables()) == (64, 36, [4608, 4608])
    assert max(hall.ports_used().values()) == 144
    net = compile_fabric(hall)
    assert bisection(net, net.ports) == 2304


def test_wrong_counts_are_told():
    with pytest.raises(BadFabric, match="12 racks are no whole number of them"):
        superpod_counts(12)
    with pytest.raises(BadFabric, match="31 leaves are named; 8 racks want 32"):
        superpod(named("rack", 8), named("leaf", 31), named("spine", 24))


# Losses, by hand


def without(net: net_of.FabricNetwork, *names: str) -> np.ndarray:
    alive = np.ones(len(net.names))
    alive[[net.nodes[name] for name in names]] = 0.0
    return ports_left(net, alive)


def test_a_leaf_takes_a_rail_of_its_rack_and_a_quarter_of_its_jobs():
    net = compile_fabric(pod(1))
    left = without(net, "leaf-11")  # rail 2 of rack 3
    assert shares(net, left).tolist() == [1, 1, 0.75, 1, 1, 1, 1, 1]
    assert group_share(net, left, range(8)) == 0.75
    assert group_share(net, left, [0, 1, 4]) == 1.0
    assert pair_share(net, left, 2, 5) == 0.75


def test_a_spine_takes_a_sixth_of_its_rail_from_all_of_its_unit_and_from_no_other():
    net = compile_fabric(pod(2))
    assert shares(net, without(net, "spine-5")) == pytest.approx([1 - 1 / 24] * 8 + [1] * 8, abs=1e-12)


def test_a_core_takes_its_share_from_whoever_leaves_a_unit_and_from_nobody_within():
    net = compile_fabric(pod(16))
    left = without(net, "core-100")
    assert shares(net, left) == pytest.approx([1 - 1 / 144] * 128)
    assert group_share(net, left, range(8, 16)) == 1.0


def test_a_rail_lost_in_a_unit_leaves_three_quarters():
    net = compile_fabric(pod(1))
    assert shares(net, without(net, *named("leaf", 8))) == pytest.approx([0.75] * 8)


def test_racks_below_a_leaf_share_what_its_uplinks_lost():
    """Four racks of 18 ports share 72 uplinks; each of 36 spines has two of them in each of 16 leaves of a rail."""
    net = compile_fabric(tree(64))
    found = shares(net, without(net, *named("spine", 9)))
    assert found == pytest.approx([0.75] * 64)
    assert shares(net, without(net, "leaf-2")) == pytest.approx([0.75] * 4 + [1] * 60)
    assert group_share(net, without(net, *named("spine", 9)), range(4)) == 1.0, "a leaf's own racks need no spine"


def test_a_lost_cable_is_a_port_of_its_rack():
    net = compile_fabric(pod(1))
    left = ports_left(net, np.ones(len(net.names)), {("rack-1", "leaf-1"): 1})
    assert shares(net, left)[0] == pytest.approx(71 / 72)
    assert net_of.links_alive(net, left)[net.nodes["leaf-1"]] == pytest.approx(35 / 36)


def test_a_fabric_that_blocks_has_all_it_ever_had():
    net = compile_fabric(odd())
    assert shares(net, net.ports) == pytest.approx([1.0] * 6)


def test_a_group_cut_in_two_has_nothing():
    net = compile_fabric(pod(1))
    left = without(net, *(f"leaf-{rail * 8 + 1}" for rail in range(4)))
    assert shares(net, left).tolist() == [0, *[1] * 7]
    assert group_share(net, left, range(8)) == 0.0


def test_a_rack_alone_and_racks_outside():
    net = compile_fabric(pod(1))
    assert shares(net, without(net, "leaf-1"), [0])[0] == 1.0
    assert np.isnan(shares(net, net.ports, [0, 1])[2:]).all()


# Losses at random, against networkx


def lost_at_random(fabric: Fabric, rng: np.random.Generator) -> tuple[np.ndarray, dict[tuple[str, str], float]]:
    """A port, a cable, a part of a switch's ports, a leaf, a spine, a core or a rail; one to four of them."""
    alive = np.ones(len(fabric.racks) + len(fabric.switches))
    names = [*fabric.racks, *fabric.switches]
    cables: dict[tuple[str, str], float] = {}
    for _ in range(rng.integers(1, 5)):
        what = rng.integers(4)
        if what == 0:
            link = fabric.links[rng.integers(len(fabric.links))]
            cables[link.lower, link.upper] = float(rng.integers(1, link.ports + 1))
        elif what == 1:
            switches = list(fabric.switches)
            alive[names.index(switches[rng.integers(len(switches))])] = 0.0
        elif what == 2:
            alive[rng.integers(len(names))] = float(rng.choice([0.25, 0.5, 0.9]))
        else:
            rail, rack = rng.integers(1, fabric.rails + 1), fabric.racks[rng.integers(len(fabric.racks))]
            hit = [link.upper for link in fabric.links if link.lower == rack and link.rail == rail]
            alive[[names.index(name) for name in hit]] = 0.0
    return alive, cables


def compared(fabrics: list[Fabric], losses: int, seed: int) -> None:
    """Racks, pairs, groups and halves after random losses: the fast rule's flows are networkx's, to the last part."""
    rng = np.random.default_rng(seed)
    nets = [compile_fabric(fabric) for fabric in fabrics]
    for number in range(losses):
        fabric, net = fabrics[number % len(fabrics)], nets[number % len(fabrics)]
        left = ports_left(net, *lost_at_random(fabric, rng))
        ports = {link: int(now) for link, now in zip(fabric.links, left, strict=True)}
        order = rng.permutation(net.racks)
        size = int(rng.integers(2, net.racks + 1))
        one, pair, group = order[:1], order[1:2], order[:size]
        cut = int(rng.integers(1, size))
        for sources, sinks in ((one, pair), (one, order[1:]), (group[:cut], group[cut:])):
            racks = [[fabric.racks[int(rack)] for rack in each] for each in (sources, sinks)]
            fast = net_of._between(net, left, tuple(map(int, sources)), tuple(map(int, sinks)))
            assert fast == largest_flow(fabric, *racks, ports), (number, racks)
        flows = net_of._Flows(net, left, frozenset(map(int, group)))
        rack = int(group[rng.integers(size)])
        others = [fabric.racks[int(each)] for each in group if each != rack]
        assert flows.own[rack] == largest_flow(fabric, [fabric.racks[rack]], others, ports), number
        for tier in range(len(net.domains)):
            domain = flows.domains(tier)[-1]
            rest = [fabric.racks[each] for each in flows.group.difference(domain)]
            if rest and len(domain) > 1:
                healed = flows.healed(domain[0], tier)
                whole = {link: int(now) for link, now in zip(fabric.links, healed, strict=True)}
                wanted = largest_flow(fabric, [fabric.racks[each] for each in domain], rest, whole)
                assert flows.of(domain, tier) == wanted, (number, domain)


def test_the_fast_rule_is_networkx_largest_flow_after_random_losses():
    compared([odd(), tree(6, rails=2, ports=3, radix=12)], 24, seed=1)
    compared([pod(1)], 6, seed=2)


@pytest.mark.slow
def test_the_fast_rule_is_networkx_largest_flow_after_200_random_losses():
    """pytest -n0 -m slow tests/networks/test_fabric.py"""
    compared([pod(1), tree(64), pod(2), odd()], 200, seed=3)


def test_shares_lie_between_nothing_and_all_and_fall_with_every_loss():
    rng = np.random.default_rng(5)
    for fabric in (odd(), pod(1), tree(6, rails=2, ports=3, radix=12)):
        net = compile_fabric(fabric)
        for _ in range(10):
            alive, cables = lost_at_random(fabric, rng)
            found = shares(net, ports_left(net, alive, cables))
            assert ((found >= 0) & (found <= 1)).all()
            assert np.nanmin(found) <= 1.0
            worse = alive.copy()
            worse[net.racks + rng.integers(len(fabric.switches))] = 0.0
            slowest = np.nanmin(shares(net, ports_left(net, worse, cables)))
            assert slowest <= np.nanmin(found) + 1e-12


def test_links_without_any_ports_leave_no_flow():
    net = compile_fabric(pod(1))
    assert shares(net, net.ports * 0).tolist() == [0.0] * 8
    assert bisection(net, net.ports * 0) == 0.0
    assert PER_PORT > 1
