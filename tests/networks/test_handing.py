"""KV caches that go over the fabric from those who read to those who write: by hand, and exactly conserved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.test_serving import GPUS, World, books, plant_of
from twin.declare import replace
from twin.networks.fabric import compile_fabric, ports_left, shares
from twin.networks.handing import Ways
from twin.plant import Unit
from twin.plant_fabric.generators import fat_tree
from twin.plant_work import dangling_work

PORT, CACHE = 8e6, 8e3
"""Of a GPU [bit/s], and of a token [bit]: 1,000 tokens a second, just what a GPU of these reads."""
APART = (["p"], ["d"], {"patience": 1e9, "kv_cache": CACHE})


def world_of(pools, services, port=PORT, members=1):
    plant = plant_of(pools, services)
    for unit in plant.of_kind("rack"):
        unit.parameters["port_rate"] = port
    return World(plant, members)


def put_shares(world, **by_rack):
    """What is left of the bandwidth of some racks, by place: r0=0.5."""
    said = world.inputs["rack"].bandwidth_share.copy()
    for rack, share in by_rack.items():
        said[:, world.tables["rack"].names.index(f"rack-{rack[1:]}")] = share
    world.inputs["rack"] = replace(world.inputs["rack"], bandwidth_share=said)


def run(world, ticks, dt=1.0):
    for _ in range(ticks):
        ports = world.tick(dt)
    return ports


def test_half_the_bandwidth_reads_half_the_prompts_and_the_rest_waits():
    """Two racks read 144 prompts of 1,000 tokens a second; with half of their ports 72, of 100 that come."""
    world = world_of({"p": 2, "d": 2}, {"api": APART})
    world.ask("api", 100.0)
    run(world, 10)
    assert world.of("api", "prompt_queue") == pytest.approx(0.0, abs=1.0)
    assert world.of("api", "held_up") == 0.0
    assert world.of("api", "handover_rate") == pytest.approx(100e3 * CACHE)
    put_shares(world, r0=0.5, r1=0.5)
    ports = run(world, 10)
    assert world.of("api", "prompt_queue") == pytest.approx(10 * 28e3, rel=1e-6)
    assert (world.of("api", "held_up"), world.of("api", "held_up_at")) == (1.0, 10.0)
    assert world.of("p", "full") == 1.0
    assert world.of("p", "busy") == pytest.approx(0.5, rel=1e-6), "half of its time it waits for its ports"
    assert ports["rack"].work.prefill[0, 0] == pytest.approx(0.5, rel=1e-6)
    wait, sending = 280 / 72, 1000 * CACHE / (PORT / 2)
    assert world.of("api", "handover_time") == pytest.approx(sending)
    assert world.of("api", "first_token_time") == pytest.approx(wait + sending + 0.2, rel=1e-5)
    put_shares(world, r0=1.0, r1=1.0)
    run(world, 10)
    assert world.of("api", "prompt_queue") == 0.0
    assert world.of("api", "held_up") == 0.0


def test_bandwidth_to_spare_costs_its_time_and_nothing_else():
    """With ports four times as fast a quarter of them is enough; one less and it is not."""
    world = world_of({"p": 1, "d": 1}, {"api": APART}, 4 * PORT)
    world.ask("api", 72.0, 1000.0, 250.0)
    put_shares(world, r0=0.25)
    run(world, 5)
    assert world.of("api", "queued") == pytest.approx(0.0, abs=1.0)
    assert world.of("api", "first_token_time") == pytest.approx(0.2 + 1.0)
    put_shares(world, r0=0.125)
    run(world, 5)
    assert world.of("api", "prompt_queue") == pytest.approx(5 * 36e3, rel=1e-6)


def test_a_rack_with_less_bandwidth_cannot_send_what_others_have_to_spare():
    """Ports of 1.25 times what is read: 3 racks in all read 3 x 72, with a quarter left of one 2 + 0.3125 of it."""
    world = world_of({"p": 3, "d": 3}, {"api": APART}, 1.25 * PORT)
    world.ask("api", 300.0, 1000.0, 100.0)
    world.tick()
    assert world.of("api", "prompt_rate") == pytest.approx(3 * 72e3, rel=1e-5)
    put_shares(world, r1=0.25)
    world.tick()
    assert world.of("api", "prompt_rate") == pytest.approx(2.3125 * 72e3, rel=1e-5)


def test_those_who_write_take_in_no_more_than_their_ports_can():
    """One rack writes; with half its ports it takes in the KV caches of 36 prompts a second, of 50."""
    world = world_of({"p": 2, "d": 1}, {"api": APART})
    world.ask("api", 50.0, 1000.0, 100.0)
    put_shares(world, r2=0.5)
    run(world, 10)
    assert world.of("api", "prompt_queue") == pytest.approx(10 * 14e3, rel=1e-6)
    assert world.of("api", "held_up") == 1.0
    assert world.of("p", "busy") == pytest.approx(36 / 144, rel=1e-6)
    assert world.of("api", "handover_time") == pytest.approx(2.0), "the slower end counts"


def test_who_is_first_sends_first_and_the_same_ports_are_used_once():
    first, last = {**APART[2], "priority": 1.0}, {**APART[2], "priority": 2.0}
    world = world_of({"p": 3, "d": 1}, {"last": (["p"], ["d"], last), "first": (["p"], ["d"], first)})
    for name in ("first", "last"):
        world.ask(name, 50.0, 1000.0, 10.0)
    world.tick()
    assert world.of("first", "prompt_rate") == 50e3
    assert world.of("last", "prompt_rate") == pytest.approx(22e3, rel=1e-5)
    alike = world_of({"p": 3, "d": 1}, {"a": (["p"], ["d"], first), "b": (["p"], ["d"], first)})
    alike.ask("a", 80.0, 1000.0, 10.0)
    alike.ask("b", 40.0, 1000.0, 10.0)
    alike.tick()
    assert alike.of("a", "prompt_rate") == pytest.approx(48e3, rel=1e-5)
    assert alike.of("b", "prompt_rate") == pytest.approx(24e3, rel=1e-5)


def test_two_pools_that_write_take_in_together_and_two_that_read_share_them():
    world = world_of({"p": 2, "q": 2, "d": 1, "e": 1}, {"a": (["p", "q"], ["d", "e"], APART[2])})
    world.ask("a", 200.0, 1000.0, 10.0)
    world.tick()
    assert world.of("a", "prompt_rate") == pytest.approx(144e3, rel=1e-5), "two racks' ports take in, four could read"
    assert world.of("a", "handover_rate") == pytest.approx(144e3 * CACHE, rel=1e-5)


def test_what_is_answered_where_it_was_read_goes_nowhere():
    assert world_of({"m": 1}, {"a": (["m"], ["m"], APART[2])}).net.handing is None
    assert world_of({"p": 1, "d": 1}, {"a": (["p"], ["d"], {})}).net.handing is None
    world = world_of({"p": 1, "m": 1, "d": 1}, {"a": (["p", "m"], ["m", "d"], APART[2])})
    world.ask("a", 90.0, 1000.0, 10.0)
    put_shares(world, r0=0.5)
    world.tick()
    assert world.of("a", "prompt_rate") == pytest.approx(90e3, rel=1e-5), "36 go over, the rest is read on the spot"
    assert world.of("a", "handover_rate") == pytest.approx(36e3 * CACHE, rel=1e-5)
    assert world.of("a", "handover_time") == pytest.approx(36 / 90 * 2.0, rel=1e-5)


def test_a_rack_that_is_cut_off_serves_nobody_where_caches_go_over():
    world = world_of({"p": 2, "d": 1}, {"a": APART})
    world.ask("a", 200.0, 1000.0, 10.0)
    put_shares(world, r1=0.0)
    world.tick()
    assert world.of("p", "gpus") == GPUS
    assert world.of("a", "prompt_rate") == pytest.approx(72e3, rel=1e-5)
    put_shares(world, r0=0.0)
    world.tick()
    assert world.of("a", "prompt_rate") == 0.0
    assert np.isfinite(world.of("a", "first_token_time"))


def test_several_ports_side_by_side_shorten_it():
    world = world_of({"p": 1, "d": 1}, {"a": (["p"], ["d"], APART[2] | {"kv_ports": 8.0})})
    world.ask("a", 1.0)
    world.tick()
    assert world.of("a", "handover_time") == pytest.approx(1 / 8)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_leaves_of_the_fabric_hold_readers_up_by_what_the_closed_form_says(lost):
    """Four racks read under four leaves, four write under others: with k lost each sends (4 - k)/4 of its rate."""
    plant = plant_of({"p": 4, "d": 4}, {"api": (["p"], ["d"], {**APART[2], "kv_cache": 8e8})})
    names = [f"rack-{k}" for k in range(8)]
    leaves, spines = [f"leaf-{k}" for k in range(1, 9)], [f"spine-{k}" for k in range(1, 5)]
    for name in leaves + spines:
        plant.add(Unit(name, "switch", {"rated_power": 4500.0, "ports": 144.0}))
    plant.add_fabric(fat_tree(names, leaves, spines))
    net, world = compile_fabric(plant.fabrics["compute"]), World(plant)
    alive = np.ones(len(net.names))
    alive[[net.nodes[leaf] for leaf in leaves[:lost]]] = 0.0
    found = shares(net, ports_left(net, alive))
    put_shares(world, **{f"r{k}": share for k, share in enumerate(found)})
    world.ask("api", 300.0, 1000.0, 100.0)
    world.tick()
    assert world.of("api", "prompt_rate") == pytest.approx(4 * 72e3 * (4 - lost) / 4, rel=1e-5)
    assert world.of("api", "handover_time") == pytest.approx(1000 * 8e8 / (8e11 * (4 - lost) / 4))


def test_a_cache_stays_where_all_answers_are_written():
    """Of [d, p] d writes first, and all: what p reads goes there; of [p, d] nothing does."""
    for order, sent in ((["d", "p"], 50e3 * CACHE), (["p", "d"], 0.0)):
        world = world_of({"p": 1, "d": 1}, {"a": (["p"], order, APART[2])})
        world.ask("a", 50.0, 1000.0, 10.0)
        world.tick()
        assert world.of("a", "prompt_rate") == 50e3
        assert world.of("a", "handover_rate") == pytest.approx(sent)


def test_each_pool_that_writes_gets_the_caches_of_its_own_answers():
    """60 answers of 1,000 tokens a second: d writes 36,000 at most, the second pool the rest; so do their caches go."""
    said = {**APART[2]}
    world = world_of({"p": 4, "d": 1}, {"a": (["p"], ["d", "p"], said)})
    world.ask("a", 60.0, 1000.0, 1000.0)
    run(world, 3)
    written = [world.of(pool, "answer_rate") for pool in "dp"]
    assert written == pytest.approx([36e3, 24e3], rel=1e-4)
    assert world.of("a", "handover_rate") == pytest.approx(0.6 * 60e3 * CACHE, rel=1e-4), "what p writes stays there"
    assert world.of("a", "handover_time") == pytest.approx(0.6, rel=1e-4)
    world = world_of({"p": 4, "d": 1, "e": 1}, {"a": (["p"], ["d", "e"], said)})
    world.ask("a", 60.0, 1000.0, 1000.0)
    put_shares(world, r5=0.5)
    run(world, 3)
    assert [world.of(pool, "answer_rate") for pool in "de"] == pytest.approx([36e3, 24e3], rel=1e-4)
    assert world.of("a", "handover_rate") == pytest.approx(60e3 * CACHE, rel=1e-4)
    assert world.of("a", "handover_time") == pytest.approx(0.6 * 1.0 + 0.4 * 2.0, rel=1e-4)


def test_the_second_pool_takes_in_what_it_writes_and_no_more_while_the_first_has_room():
    """e has a tenth of its ports, enough for what little it writes: nobody is held up, as d is not full."""
    world = world_of({"p": 2, "d": 2, "e": 1}, {"a": (["p"], ["d", "e"], APART[2])})
    put_shares(world, r4=1e-3)
    world.ask("a", 100.0, 1000.0, 500.0)
    run(world, 3)
    assert (world.of("e", "answer_rate"), world.of("a", "held_up")) == (0.0, 0.0)
    assert world.of("a", "handover_time") == pytest.approx(1.0, rel=1e-6)
    assert world.of("a", "prompt_queue") == pytest.approx(0.0, abs=1.0)


parts = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(parts, st.lists(st.floats(0.0, 1e9), min_size=3, max_size=3), st.floats(0.0, 2e9))
def test_every_cache_stays_or_goes_somewhere_and_ports_take_in_just_what_goes(said, ports, bits):
    """Of the first pool of the three that write, which reads too, a share stays; what finds no room is told."""
    world = world_of({"m": 1, "d": 1, "e": 1}, {"a": (["m"], ["m", "d", "e"], APART[2])})
    whole = sum(said)
    shares = [np.array([[each / whole if whole > 1e-6 else float(k == 0)]]) for k, each in enumerate(said)]
    ways = Ways(world.net.handing, world.net.slots, world.net.inside, 1.0)
    ways._deal(shares)
    crosses, to = ways.crosses[0][0, 0], [float(each[0, 0]) for each in ways.to[0]]
    assert crosses + shares[0][0, 0] == pytest.approx(1.0, abs=1e-8)
    assert to[0] == 0.0
    assert sum(to) == pytest.approx(float(crosses > 0), abs=1e-6)
    left = np.array([[*ports, 0.0]])
    over, after = ways._through(0, np.array([[bits]]) * (crosses > 0), left)
    assert (after >= 0).all()
    assert after[0, 0] == left[0, 0], "it sends nothing to itself"
    assert (left - after).sum() + over[0, 0] == pytest.approx(bits * (crosses > 0), rel=1e-9, abs=1e-6)
    if crosses > 0:
        assert over[0, 0] == pytest.approx(max(bits - left[0, 1:].sum(), 0.0), rel=1e-9, abs=1e-3)


def test_readers_that_are_all_cut_off_are_held_up_and_their_time_is_a_day():
    world = world_of({"p": 2, "d": 1}, {"a": APART})
    world.ask("a", 50.0, 1000.0, 10.0)
    put_shares(world, r0=0.0, r1=0.0, r2=0.0)
    run(world, 2)
    assert (world.of("a", "held_up"), world.of("a", "handover_rate")) == (1.0, 0.0)
    assert world.of("a", "handover_time") == 86400.0
    put_shares(world, r0=1.0, r1=1.0, r2=1.0)
    run(world, 60)
    assert (world.of("a", "held_up"), world.of("a", "handover_time")) == (0.0, 1.0)


def test_where_nobody_is_left_to_answer_it_is_not_the_fabric_that_holds_up():
    """Of two writers one halves what is taken in, and is the ports' affair; without any the pool has no racks."""
    world = world_of({"p": 2, "d": 2}, {"a": APART})
    world.ask("a", 100.0)
    whole = world.inputs["rack"]
    for there, held, empty, read in (((1, 0), 1, 0, 72e3), ((0, 0), 0, 1, 0), ((1, 1), 0, 0, 144e3)):
        world.inputs["rack"] = replace(whole, in_service=np.array([[1.0, 1.0, *map(float, there), 1.0]]))
        run(world, 5)
        assert (world.of("a", "held_up"), world.of("d", "without_racks"), world.of("p", "without_racks")) == (
            held,
            empty,
            0.0,
        )
        assert world.of("a", "prompt_rate") == pytest.approx(read, rel=1e-5)
    assert world.of("d", "without_racks_at") == 10.0


@pytest.mark.parametrize("cut", ["fabric", "nvlink"])
def test_who_is_cut_off_keeps_its_weights_and_who_loses_power_does_not(cut):
    plant = plant_of({"p": 2, "d": 1}, {"a": APART})
    plant.units["p"].parameters["weights"] = 8e11
    plant.units["rack-0"].parameters |= {"port_rate": PORT, "nvlink_trays": 9.0}
    world = World(plant)
    whole = world.inputs["rack"]
    run(world, 2)
    if cut == "fabric":
        put_shares(world, r0=0.0)
    else:
        world.inputs["rack"] = replace(whole, trays_lost=np.array([[9.0, 0.0, 0.0, 0.0]]))
    run(world, 3)
    assert (world.of("p", "gpus"), world.of("p", "gpus_lacking")) == (GPUS, 0.0)
    world.inputs["rack"] = whole
    run(world, 1)
    assert (world.of("p", "gpus"), world.of("p", "gpus_lacking")) == (2 * GPUS, 0.0)
    world.racks(shut_down=np.array([[1.0, 0.0, 0.0, 0.0]]))
    run(world, 1)
    world.racks(shut_down=np.zeros((1, 4)))
    run(world, 1)
    assert (world.of("p", "gpus"), world.of("p", "gpus_lacking")) == (GPUS, GPUS)


def test_slow_nvlink_and_slow_ports_count_as_the_lesser_of_both():
    """A third of NVLink makes half of a token's time three times as long: 36 a second, what half the ports send."""
    plant = plant_of({"p": 1, "d": 1}, {"a": (["p"], ["d"], APART[2] | {"exposed_communication": 0.5})})
    for unit in plant.of_kind("rack"):
        unit.parameters |= {"port_rate": PORT, "nvlink_trays": 9.0}
    world = World(plant)
    world.ask("a", 100.0, 1000.0, 10.0)
    put_shares(world, r0=0.5)
    world.inputs["rack"] = replace(world.inputs["rack"], trays_lost=np.array([[6.0, 0.0, 0.0]]))
    world.tick()
    assert world.of("a", "prompt_rate") == pytest.approx(36e3, rel=1e-5)


@pytest.mark.parametrize(
    ("port", "ratings", "said"),
    [
        (PORT, {"kv_ports": 72.0}, []),
        (PORT, {"kv_ports": 73.0},
         ["a sends a KV cache over the ports of 73 GPUs, and d has 72; fewer kv_ports are wanted"]),
        (PORT, {"kv_ports": 1.5}, ["a has kv_ports 1.5; a whole number is wanted"]),
        (0.0, {},
         ["a has a kv_cache, but none of its racks stands in a fabric or tells its port_rate: sending it takes no "
          "time"]),
        (0.0, {"kv_cache": 0.0}, []),
    ],
)  # fmt: skip
def test_services_that_cannot_hand_over_as_they_say_are_told(port, ratings, said):
    plant = plant_of({"p": 2, "d": 1}, {"a": (["p"], ["d"], APART[2] | ratings)})
    for unit in plant.of_kind("rack"):
        unit.parameters["port_rate"] = port
    found = list(dangling_work(plant))
    assert [fault.text for fault in found] == said
    assert [fault.warning for fault in found] == [port == 0.0] * len(said)


rates = st.lists(st.floats(0, 300) | st.just(0.0), min_size=3, max_size=3)
left = st.lists(st.sampled_from([0.0, 1e-3, 0.3, 1.0]), min_size=3, max_size=3)
storms = st.lists(st.tuples(rates, left, st.sampled_from([1e-3, 1.0, 7.3, 300.0])), max_size=8)


@settings(max_examples=40, deadline=None)
@given(storms)
def test_tokens_are_conserved_exactly_and_members_go_alone_as_together(storm):
    services = {
        "a": (["p"], ["d", "m"], {"patience": 20.0, "kv_cache": CACHE}),
        "b": (["m", "p"], ["m"], {"priority": 2.0, "kv_cache": 3 * CACHE}),
        "c": (["p", "m"], ["d"], {"patience": 1e9}),
    }
    world, alone = (world_of({"p": 1, "d": 1, "m": 1}, services, members=n) for n in (2, 1))
    for asked, share, dt in storm:
        for name, rate in zip("abc", asked, strict=True):
            world.ask(name, rate, 777.7, 123.4)
            alone.ask(name, rate, 777.7, 123.4)
        put_shares(alone, **{f"r{k}": each for k, each in enumerate(share)})
        put_shares(world, **{f"r{k}": np.array([1.0, each]) for k, each in enumerate(share)})
        for each in (world, alone):
            each.tick(dt)
        for offered, told in books(world):
            np.testing.assert_array_equal(offered, told)
        pool, service = world.outputs["pool"], world.outputs["service"]
        assert (pool.busy <= 1.0 + 1e-6).all()
        assert (service.handover_rate >= 0).all()
        sides = service.handover_rate.sum(axis=1)
        assert (sides <= 2 * GPUS * PORT * (1 + 1e-9)).all(), "no more than the racks of two pools take in"
        for name in ("prompt_queue", "answer_queue", "unanswered"):
            assert (getattr(world.state["service"], name) >= 0).all()
        for kind in ("service", "pool"):
            for name, value in vars(world.state[kind]).items():
                np.testing.assert_array_equal(value[1], getattr(alone.state[kind], name)[0])
