"""Models that several racks hold together: closed form with lost leaves, whole replicas alone, and others as before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.test_serving import GPUS, SAID, World, books, plant_of
from tests.networks.test_weights import GB, STORE
from tests.networks.work_bench import Bench, racks
from twin.declare import replace
from twin.networks.fabric import compile_fabric, ports_left, shares
from twin.plant import Plant, Unit
from twin.plant_fabric.generators import fat_tree
from twin.plant_work import dangling_work

LINKS = {"nvlink_rate": 7.2e12, "port_rate": 8e11, "nvlink_trays": 9.0}
WRITES = 1 / SAID["decode_rate"]
SENDS = 1.2 * WRITES * 8e11
"""Half of it leaves a replica of two racks, and takes 0.6 of a token's time at full bandwidth [bit]."""
TELLS = {"expert_exchange": SENDS, "fabric_latency": 0.0, "patience": 1e9, "prefill_rate": 100.0}
"""Reads so slowly that what it sends for it takes little of its time."""


def world_of(pools, services, members=1, replicas=2.0, **ratings):
    plant = plant_of(pools, services)
    for unit in plant.of_kind("rack"):
        unit.parameters |= LINKS | ratings
    for pool in plant.of_kind("pool"):
        pool.parameters["replica_racks"] = replicas if pool.name.startswith("d") else 1.0
    return World(plant, members)


def apart(**ratings):
    return {"api": (["p"], ["d"], TELLS | ratings)}


def put(world, name, **by_rack):
    said = getattr(world.inputs["rack"], name).copy()
    for rack, value in by_rack.items():
        said[:, world.tables["rack"].names.index(f"rack-{rack[1:]}")] = value
    world.inputs["rack"] = replace(world.inputs["rack"], **{name: said})


def written(world, ticks=2):
    """Answers that GPUs of pool d write a second, of what all of one rack write at full rate, with more asked."""
    world.ask("api", 3000.0, 1.0, 1000.0)
    for _ in range(ticks):
        world.tick()
    return world.of("api", "answer_rate") / (GPUS * SAID["decode_rate"])


@pytest.mark.parametrize("overlap", [0.0, 0.7])
@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_lost_leaves_slow_a_step_by_what_the_closed_form_says(lost, overlap):
    """Two replicas under four leaves: k lost leave b = (4 - k)/4, c = 0.6/b, t = t_c + max(c - phi t_c, 0)."""
    plant = plant_of({"d": 4, "p": 4}, apart(overlap=overlap))
    plant.units["d"].parameters["replica_racks"] = 2.0
    names = [f"rack-{k}" for k in range(8)]
    for unit in plant.of_kind("rack"):
        unit.parameters["nvlink_rate"] = LINKS["nvlink_rate"]
    leaves, spines = [f"leaf-{k}" for k in range(1, 9)], [f"spine-{k}" for k in range(1, 5)]
    for name in leaves + spines:
        plant.add(Unit(name, "switch", {"rated_power": 4500.0, "ports": 144.0}))
    plant.add_fabric(fat_tree(names, leaves, spines))
    assert list(dangling_work(plant)) == []
    net, world = compile_fabric(plant.fabrics["compute"]), World(plant)
    alive = np.ones(len(net.names))
    alive[[net.nodes[leaf] for leaf in leaves[:lost]]] = 0.0
    put(world, "bandwidth_share", **{f"r{k}": share for k, share in enumerate(shares(net, ports_left(net, alive)))})
    computes = 1.0 if overlap >= 0.6 else 0.4
    waits = max(0.6 * 4 / (4 - lost) - overlap * computes, 0.0)
    assert written(world) == pytest.approx(4 / (computes + waits), rel=1e-5)
    share = waits / (computes + waits)
    assert world.of("api", "network_share") == pytest.approx(share, abs=1e-9)
    assert world.of("api", "token_time") == pytest.approx(64 / 500 * (computes + waits), rel=1e-4)
    assert world.of("api", "slow") == float(waits - (0.6 if overlap == 0.0 else 0.0) > 0.05)
    assert world.of("d", "gpus") == 4 * GPUS


def test_a_replica_goes_at_the_pace_of_its_slowest_rack_and_others_at_theirs():
    """Of three replicas one has half of the ports of a rack, one a rack at half its clock, one an eighteenth of NVLink.

    Less clock computes longer, and sends as fast as before; so little NVLink is a longer way than the ports.
    """
    world = world_of({"d": 6, "p": 1}, apart())
    assert written(world) == pytest.approx(6.0, rel=1e-5)
    put(world, "bandwidth_share", r1=0.5)
    assert written(world) == pytest.approx(4 + 2 / (0.4 + 1.2), rel=1e-5)
    world.outputs["rack"] = replace(world.outputs["rack"], decode_speed=np.array([[1.0, 1, 1, 0.5, 1, 1, 1, 1]]))
    assert written(world) == pytest.approx(2 + 2 / 1.6 + 2 / (0.8 + 0.6), rel=1e-5), (
        "what is sent goes as fast as before"
    )
    put(world, "trays_lost", r4=8.5)
    near = 71 / 144 * SENDS / (7.2e12 / 18) / WRITES
    assert near > 0.6
    assert written(world) == pytest.approx(2 / (0.4 + near) + 2 / 1.6 + 2 / 1.4, rel=1e-5), (
        "then NVLink is the longer way"
    )


def test_without_one_of_its_racks_a_replica_serves_nobody_and_the_rest_of_it_stands():
    world = world_of({"d": 4, "p": 1}, apart())
    world.racks(shut_down=np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]))
    assert written(world) == pytest.approx(2.0, rel=1e-5)
    assert (world.of("d", "gpus"), world.of("d", "gpus_standing"), world.of("d", "broken")) == (2 * GPUS, GPUS, 1.0)
    ports = world.tick()
    np.testing.assert_allclose(ports["rack"].work.decode[0, :4], [0, 0, 1, 1], atol=1e-5)
    world.racks(shut_down=np.zeros((1, 6)))
    put(world, "bandwidth_share", r3=0.0)
    assert written(world) == pytest.approx(2.0, rel=1e-5), "who is cut off stops its replica too"
    assert (world.of("d", "gpus_standing"), world.of("d", "broken_at")) == (GPUS, 0.0), "who is cut off could not work"
    world.racks(shut_down=np.array([[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]))
    world.tick()
    assert (world.of("d", "gpus_standing"), world.of("d", "broken")) == (0.0, 1.0), "worse is not told as good"
    world.racks(shut_down=np.zeros((1, 6)))
    put(world, "bandwidth_share", r3=1.0)
    assert written(world) == pytest.approx(4.0, rel=1e-5)
    assert world.of("d", "broken") == 0.0


def test_who_stands_because_others_have_less_work_on_them_draws_no_power_for_it():
    """A rack comes back with half of its work on it: of the other half of the GPUs do what the first do."""
    world = world_of({"d": 4, "p": 1}, apart())
    world.racks(load_share=np.array([[1.0, 0.5, 1.0, 1.0, 1.0, 1.0]]))
    assert written(world) == pytest.approx(3.0, rel=1e-5)
    ports = world.tick()
    np.testing.assert_allclose(ports["rack"].work.decode[0, :4], [0.5, 1, 1, 1], atol=1e-5)
    assert (world.of("d", "gpus_standing"), world.of("d", "broken")) == (GPUS / 2, 1.0)
    world.racks(load_share=np.array([[0.5, 0.5, 1.0, 1.0, 1.0, 1.0]]))
    ports = world.tick()
    np.testing.assert_allclose(ports["rack"].work.decode[0, :4], 1.0, atol=1e-5)
    assert (world.of("d", "gpus_standing"), world.of("d", "broken")) == (0.0, 1.0)


@pytest.mark.parametrize("whole", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("more", [0.04, 0.06])
def test_a_service_goes_slower_from_a_twentieth_more_time_for_a_token_on(whole, more):
    """Half of what is sent hides behind computing; 4 % more of a token's time is not told, 6 % are, at any share."""
    overlap = 0.5 if whole < 0.6 else 0.0
    sent = whole + overlap * (1 - whole)
    world = world_of({"d": 2, "p": 1}, apart(overlap=overlap, expert_exchange=sent / 0.6 * SENDS))
    assert written(world) == pytest.approx(2.0, rel=1e-5)
    assert (world.of("api", "network_share"), world.of("api", "slow")) == (pytest.approx(whole, abs=1e-9), 0.0)
    put(world, "bandwidth_share", r0=sent / (sent + more))
    assert written(world) == pytest.approx(2 / (1 + more), rel=1e-5)
    assert world.of("api", "slow") == float(more > 0.05)
    world.outputs["rack"] = replace(world.outputs["rack"], decode_speed=np.array([[0.5, 1, 1, 1]]))
    put(world, "bandwidth_share", r0=1.0)
    written(world)
    assert world.of("api", "slow") == 0.0, "a low clock is nothing of the network"


def test_racks_that_come_back_serve_when_their_whole_replica_has_its_weights():
    """Both racks of a replica read 100 GB for each GPU at 40 GB/s together: none serves for 360 s, then all."""
    plant = Plant()
    plant.add(Unit("store", "storage_system", dict(STORE)))
    names = racks(plant, 4)
    plant.add(Unit("pool", "pool", {"weights": 100 * GB, "replica_racks": 2.0}))
    plant.gather("pool", names)
    plant.store("pool", ["store"])
    bench = Bench(plant)
    bench.put("state", "rack", "shut_down", 1.0, 0)
    bench.put("state", "rack", "shut_down", 1.0, 1)
    bench.run(10, 1.0)
    bench.put("state", "rack", "shut_down", 0.0)
    bench.run(358, 1.0)
    assert bench.of("gpus", key="pool") == 2 * GPUS
    bench.run(4, 1.0)
    assert bench.of("gpus", key="pool") == 4 * GPUS


def test_domains_smaller_than_a_rack_feel_the_ports_also_within_it():
    """Four servers of eight in a rack of 32, alone: 24 of 32 parts go over ports."""
    size = 0.6 * WRITES * 8e11 * 32 / 24
    world = world_of({"d": 2, "p": 1}, apart(expert_exchange=size), replicas=1.0, gpu_count=32.0, nvlink_domain=8.0)
    assert written(world) == pytest.approx(2 * 32 / GPUS, rel=1e-5)
    put(world, "bandwidth_share", r0=0.5)
    assert written(world) == pytest.approx((1 + 1 / 1.6) * 32 / GPUS, rel=1e-5)
    put(world, "bandwidth_share", r0=0.0)
    assert written(world) == pytest.approx(32 / GPUS, rel=1e-5)


def test_readers_of_such_a_model_are_slowed_too_and_caches_leave_at_their_pace():
    """Reading waits 0.6 of its time as well; with half the ports of one rack it takes 1.6 times as long."""
    tells = TELLS | {"expert_exchange": 1.2 / 100.0 * 8e11, "decode_rate": 30.0}
    for cache in (0.0, 8e3):
        world = world_of({"d": 2, "e": 1}, {"api": (["d"], ["e"], tells | {"kv_cache": cache})})
        world.ask("api", 30.0, 1000.0, 1.0)
        world.tick()
        assert world.of("api", "prompt_rate") == pytest.approx(2 * GPUS * 100, rel=1e-5)
        put(world, "bandwidth_share", r0=0.5)
        world.tick()
        assert world.of("api", "prompt_rate") == pytest.approx(2 * GPUS * 100 / 1.6, rel=1e-5)
        assert world.of("api", "prompt_network_share") == pytest.approx(1.2 / 1.6)
        assert world.of("api", "first_token_time") > 0.2 * 1.6


def storm(world, rates, ports, shut, dt):
    for name, rate in zip("abc", rates, strict=True):
        world.ask(name, rate, 777.7, 123.4)
    members = world.inputs["rack"].bandwidth_share.shape[0]
    world.inputs["rack"] = replace(world.inputs["rack"], bandwidth_share=np.tile(ports, (members, 1)))
    world.racks(shut_down=np.tile(shut, (members, 1)))
    world.tick(dt)


def test_pools_and_services_that_say_nothing_of_it_are_as_before_to_the_bit():
    """Beside a pool that holds a model together, and in a world without any."""
    silent = {"a": (["p", "m"], ["m"], {"kv_cache": 8e3}), "b": (["m"], ["m"], {"exposed_communication": 0.3})}
    plain = world_of({"p": 1, "m": 2, "d": 2}, silent | {"c": (["d"], ["d"], {})}, replicas=1.0)
    beside = world_of({"p": 1, "m": 2, "d": 2}, silent | {"c": (["d"], ["d"], TELLS)})
    assert plain.net.spread is None
    rng = np.random.default_rng(3)
    for _ in range(12):
        said = (3 * [90.0] * rng.random(3), rng.choice([0.0, 0.4, 1.0], (1, 6)), rng.random((1, 6)) < 0.15, 1.3)
        trays = rng.choice([0.0, 9.0])
        for world in (plain, beside):
            put(world, "trays_lost", r0=trays)
            storm(world, *said)
        for rows, others in ((plain.state, beside.state), (plain.outputs, beside.outputs)):
            for kind in ("service", "pool"):
                for name, value in vars(rows[kind]).items():
                    other = getattr(others[kind], name)
                    np.testing.assert_array_equal(value[:, :2], other[:, :2], err_msg=name)


rates = st.lists(st.floats(0, 300) | st.just(0.0), min_size=3, max_size=3)
some = st.lists(st.sampled_from([0.0, 1e-3, 0.3, 1.0]), min_size=6, max_size=6)
down = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0]), min_size=6, max_size=6)
storms = st.lists(st.tuples(rates, some, down, st.sampled_from([1e-3, 1.0, 7.3, 300.0])), max_size=6)


@settings(max_examples=25, deadline=None)
@given(storms)
def test_tokens_are_conserved_exactly_and_members_go_alone_as_together(said):
    services = {
        "a": (["p"], ["d"], TELLS | {"patience": 20.0, "kv_cache": 8e3}),
        "b": (["d", "p"], ["d", "p"], {"priority": 2.0, "exposed_communication": 0.1}),
        "c": (["d"], ["p", "d"], TELLS | {"overlap": 0.5, "expert_exchange": 0.3 * SENDS}),
    }
    world, alone = (world_of({"d": 4, "p": 1}, services, members=n) for n in (2, 1))
    for each in said:
        for one in (world, alone):
            storm(one, *each)
        for offered, told in books(world):
            np.testing.assert_array_equal(offered, told)
        assert (world.outputs["pool"].busy <= 1.0 + 1e-6).all()
        for kind in ("service", "pool"):
            for rows, other in ((world.state, alone.state), (world.outputs, alone.outputs)):
                for name, value in vars(rows[kind]).items():
                    assert np.isfinite(value).all(), name
                    np.testing.assert_array_equal(value[1], getattr(other[kind], name)[0])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4), st.integers(0, 3), st.floats(0.0, 1.0))
def test_less_bandwidth_never_writes_more(ports, rack, part):
    answers = []
    for factor in (1.0, part):
        world = world_of({"d": 4, "p": 1}, apart(overlap=0.4))
        lower = [share * (factor if place == rack else 1.0) for place, share in enumerate(ports)]
        put(world, "bandwidth_share", **{f"r{k}": share for k, share in enumerate(lower)})
        answers.append(written(world, 1))
    assert answers[1] <= answers[0] * (1 + 1e-9)


@pytest.mark.parametrize(
    ("replicas", "ratings", "links", "said"),
    [
        (2.0, {}, {}, []),
        (2.0, {"expert_parallel": 144.0}, {}, []),
        (3.0, {}, {}, ["d has 4 racks, and replicas of 3; racks for whole replicas are wanted"]),
        (1.5, {}, {}, ["d has replica_racks 1.5; a whole number is wanted"]),
        (2.0, {"expert_exchange": 0.0}, {},
         ["a tells fabric_latency, which does nothing without expert_exchange; tell its size, or leave fabric_latency "
          "out"]),
        (2.0, {"exposed_communication": 0.1}, {},
         ["a tells exposed_communication and expert_exchange: its communication is told or worked out; one of them "
          "is wanted"]),
        (2.0, {"expert_parallel": 145.0}, {},
         ["a: experts exchange among 145 GPUs, and a replica of d has 144; fewer are wanted"]),
        (2.0, {"expert_parallel": 24.0}, {}, []),
        (2.0, {"expert_parallel": 100.0}, {},
         ["a: experts exchange among 100 GPUs, and 72 have NVLink to each other; a part or a multiple of these is "
          "wanted"]),
        (2.0, {"exchanges": 1.5}, {}, ["a has exchanges 1.5; a whole number is wanted"]),
        (2.0, {}, {"port_rate": 0.0},
         ["a has its communication worked out, but rack-0 stands in no fabric; a fabric, or its port_rate, e.g. \"800 "
          "Gbit/s\", is wanted"]),
        (1.0, {}, {"port_rate": 0.0}, []),
        (2.0, {}, {"nvlink_rate": 0.0},
         ["a has its communication worked out, but rack-0 does not tell its NVLink; nvlink_rate, e.g. \"7200 Gbit/s\", "
          "is wanted"]),
        (2.0, {"expert_exchange": 2 * SENDS}, {},
         ["a exchanges for 2.4 ms where a GPU of d writes a token in 2 ms with all bandwidth; a lower decode_rate or "
          "less to exchange is wanted"]),
    ],
)  # fmt: skip
def test_models_that_cannot_be_held_together_are_told(replicas, ratings, links, said):
    plant = plant_of({"d": 4}, {"a": (["d"], ["d"], TELLS | ratings)})
    for unit in plant.of_kind("rack"):
        unit.parameters |= LINKS | links
    plant.units["d"].parameters["replica_racks"] = replicas
    assert [fault.text for fault in dangling_work(plant)] == said
