"""Work shared among services: by hand, by priority, and exactly conserved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_plants import RACK
from twin.declare import Ports, replace
from twin.model import _rows
from twin.networks import serving
from twin.networks.tables import compile_tables
from twin.plant import Plant, Unit

GPUS = float(RACK["gpu_count"])
SAID = {"prefill_rate": 1000.0, "decode_rate": 500.0, "batch": 64.0, "least_token_time": 0.01}


def plant_of(pools, services):
    """Racks in pools, {pool: count}, and services, {name: (pools to read, pools to write, ratings)}."""
    plant, number = Plant(), 0
    for pool, count in pools.items():
        racks = [f"rack-{number + k}" for k in range(count)]
        number += count
        plant.add(Unit(pool, "pool"))
        for rack in racks:
            plant.add(Unit(rack, "rack", dict(RACK)))
        plant.gather(pool, racks)
    plant.add(Unit("other", "rack", dict(RACK)))
    for name, (reads, writes, ratings) in services.items():
        plant.add(Unit(name, "service", SAID | ratings))
        plant.serve(name, reads, writes)
    return plant


class World:
    """The services of a plant alone, tick by tick; `able` may take racks away."""

    def __init__(self, plant, members=1):
        self.tables = {t.key: t for t in compile_tables(plant, np)}
        self.net = serving.compile_serving(plant, list(self.tables.values()), np)
        self.inputs, self.state, self.outputs = (
            {k: _rows(getattr(t.machine, part), members, t.size, np, {}) for k, t in self.tables.items()}
            for part in ("Inputs", "State", "Outputs")
        )
        self.now = 0.0

    def ask(self, name, rate, prompt=1000.0, answer=250.0):
        column = self.tables["service"].names.index(name)
        said = self.inputs["service"]
        for key, value in (("request_rate", rate), ("prompt_length", prompt), ("answer_length", answer)):
            array = getattr(said, key).copy()
            array[:, column] = value
            said = replace(said, **{key: array})
        self.inputs["service"] = said

    def racks(self, **state):
        self.state["rack"] = replace(
            self.state["rack"], **{k: v + 0.0 * self.state["rack"].shut_down for k, v in state.items()}
        )

    def tick(self, dt=1.0):
        ports = {key: Ports(now=self.now) for key in self.tables}
        serving.solve(self.net, ports, self.state, self.inputs, self.outputs, dt)
        drawn = np.zeros((self.state["service"].late.shape[0], self.net.unit_count + 1))
        serving.tell_power(self.net, ports, drawn)
        for key in ("service", "pool"):
            t = self.tables[key]
            self.state[key], self.outputs[key] = t.machine.advance(self.state[key], self.inputs[key], ports[key], dt)
        self.now += dt
        return ports

    def of(self, name, quantity):
        kind = next(k for k, t in self.tables.items() if name in t.names)
        rows = self.outputs if hasattr(self.outputs[kind], quantity) else self.state
        return float(getattr(rows[kind], quantity)[0, self.tables[kind].names.index(name)])


def one(**ratings):
    return World(plant_of({"chat": 2}, {"api": (["chat"], ["chat"], ratings)}))


def test_half_a_load_by_hand():
    """50 requests/s of 1000 + 250 tokens: 50 s of a GPU for prompts, 25 s for answers, of 2 x 72."""
    world = one()
    world.ask("api", 50.0)
    ports = world.tick()
    assert world.of("chat", "busy") == pytest.approx(75.0 / (2 * GPUS), abs=1e-9)
    assert world.of("chat", "busy_prefill") == pytest.approx(50.0 / (2 * GPUS), abs=1e-9)
    assert world.of("api", "answer_rate") == 12500.0
    assert world.of("api", "queued") == 0.0
    duty = ports["rack"].work
    np.testing.assert_allclose(duty.prefill[0, :2] + duty.decode[0, :2], 75.0 / (2 * GPUS))
    assert np.isnan(duty.prefill[0, 2]), "a rack in no pool follows its own Input"


def test_too_much_is_served_at_capacity_and_the_rest_waits():
    """Capacity in whole requests: 144 GPUs / 1.5 s = 96 a second; of 150 the rest waits, none with much patience."""
    world = one(patience=1e9)
    world.ask("api", 150.0)
    for _ in range(10):
        world.tick()
    assert world.of("api", "served_answers") == pytest.approx(960 * 250.0, rel=1e-6)
    assert world.of("api", "prompt_queue") == pytest.approx(540 * 1000.0, rel=1e-5)
    assert world.of("api", "waiting") == 1.0
    assert world.of("chat", "full") == 1.0
    assert world.of("api", "first_token_time") == pytest.approx(540 / 96 + 0.2, rel=1e-3)
    world.ask("api", 0.0)
    for _ in range(6):
        world.tick()
    assert world.of("api", "queued") == 0.0
    assert world.of("api", "waiting") == 0.0
    assert world.of("api", "waiting_at") == pytest.approx(10 + 540 / 96, abs=1e-3)


def test_who_is_first_is_served_and_the_last_waits():
    pools, both = {"chat": 1}, ["chat"]
    plant = plant_of(
        pools, {n: (both, both, {"priority": p, "patience": 1e9}) for n, p in (("b", 2), ("a", 1), ("c", 3))}
    )
    world = World(plant)
    for name, rate in (("a", 30.0), ("b", 15.0), ("c", 10.0)):
        world.ask(name, rate)
    world.tick()
    assert world.of("a", "answer_rate") == 7500.0
    assert world.of("b", "answer_rate") == 3750.0
    assert world.of("c", "answer_rate") == pytest.approx((48 - 45) * 250, rel=1e-4)


def test_those_of_one_priority_share_by_what_they_need():
    both = ["chat"]
    world = World(plant_of({"chat": 1}, {"a": (both, both, {}), "b": (both, both, {})}))
    world.ask("a", 60.0)
    world.ask("b", 30.0)
    world.tick()
    assert world.of("a", "answer_rate") == pytest.approx(32 * 250, rel=1e-4)
    assert world.of("b", "answer_rate") == pytest.approx(16 * 250, rel=1e-4)


def test_what_the_first_pool_lacks_the_next_one_does():
    used = ["chat", "spare"]
    world = World(plant_of({"chat": 1, "spare": 1}, {"a": (used, used, {})}))
    world.ask("a", 60.0)
    world.tick()
    assert world.of("chat", "busy") == pytest.approx(1.0, abs=1e-5)
    assert world.of("spare", "busy") == pytest.approx(12 * 1.5 / GPUS, rel=1e-3)
    assert world.of("a", "queued") == pytest.approx(0.0, abs=0.1)


def test_reading_and_writing_apart():
    """Two racks read, one writes: prompts at most 144/s, answers at most 144/s; here answers are the neck."""
    world = World(plant_of({"p": 2, "d": 1}, {"a": (["p"], ["d"], {"patience": 1e9})}))
    world.ask("a", 144.0, 1000.0, 500.0)
    for _ in range(5):
        world.tick()
    assert world.of("p", "busy_prefill") == pytest.approx(1.0, abs=1e-9)
    assert world.of("a", "served_answers") == pytest.approx(5 * GPUS * 500, rel=1e-6)
    assert world.of("a", "answer_queue") == pytest.approx(5 * GPUS * 500, rel=1e-6)


def test_slow_racks_serve_less_and_dead_ones_nothing():
    world = one(patience=1e9)
    world.ask("api", 150.0)
    out = world.outputs["rack"]
    world.outputs["rack"] = replace(out, prefill_speed=out.prefill_speed * 0.5, decode_speed=out.decode_speed * 0.5)
    world.tick()
    assert world.of("api", "answer_rate") == pytest.approx(48 * 250, rel=1e-4)
    assert world.of("chat", "decode_speed") == 0.5
    world.racks(shut_down=1.0)
    world.tick()
    assert world.of("api", "answer_rate") == 0.0
    assert world.of("chat", "gpus") == 0.0
    assert world.of("api", "late") == 1.0


def test_lost_switch_trays_slow_what_a_service_exposes_to_them():
    """Two racks, one without three of nine trays: 1/b is 1 and 1.5, a token of which 40 % wait takes 10 % longer."""
    plant = plant_of({"chat": 2}, {"api": (["chat"], ["chat"], {"patience": 1e9, "exposed_communication": 0.4}),
                                   "near": (["chat"], ["chat"], {"patience": 1e9, "priority": 2.0})})  # fmt: skip
    for name in ("rack-0", "rack-1"):
        plant.units[name].parameters["nvlink_trays"] = 9.0
    world = World(plant)
    rack = world.tables["rack"].names.index("rack-1")
    lost = np.where(np.arange(3) == rack, 3.0, 0.0)[None, :]
    world.inputs["rack"] = replace(world.inputs["rack"], trays_lost=lost)
    world.ask("api", 150.0)
    world.tick()
    assert world.of("api", "answer_rate") == pytest.approx(96 * 250 / 1.1, rel=1e-4)
    world.ask("api", 0.0)
    world.ask("near", 10.0)
    for _ in range(5):
        world.tick()
    assert world.of("near", "first_token_time") == pytest.approx(0.2)
    assert world.of("api", "first_token_time") == pytest.approx(0.22)
    world.inputs["rack"] = replace(world.inputs["rack"], trays_lost=lost * 3.0)
    world.tick()
    assert world.of("chat", "gpus") == GPUS, "a rack without a tray serves nobody"


@pytest.mark.parametrize("dt", [1.0, 3600.0])
def test_readers_that_stand_still_leave_numbers(dt):
    world = World(plant_of({"p": 1, "d": 1}, {"a": (["p"], ["d"], {"patience": 1e9}), "b": (["p"], ["d"], {})}))
    world.ask("a", 1e5)
    world.outputs["rack"] = replace(world.outputs["rack"], prefill_speed=0.0 * world.outputs["rack"].clock)
    for _ in range(5):
        world.tick(dt)
    for rows in (world.state["service"], world.outputs["service"], world.outputs["pool"]):
        assert all(np.isfinite(value).all() for value in vars(rows).values())
    assert world.of("a", "served_prompts") == 0.0


@pytest.mark.parametrize("dt", [0.1, 1.0, 10.0])
def test_answers_that_are_behind_share_what_is_written_at_any_tick(dt):
    """144 requests/s of 500 tokens, 72 of them written: after 100 s 7,200 answers share 36,000 tokens/s."""
    world = World(plant_of({"p": 2, "d": 1}, {"a": (["p"], ["d"], {"patience": 1e9})}))
    world.ask("a", 144.0, 1000.0, 500.0)
    for _ in range(round(100 / dt)):
        world.tick(dt)
    assert world.of("a", "token_time") == pytest.approx(100 * 72 / 36_000, rel=1e-3)


def test_the_first_token_waits_for_readers_and_not_for_writers():
    world = World(plant_of({"p": 1, "d": 1}, {"a": (["p"], ["d"], {})}))
    world.ask("a", 10.0)
    half = np.where(np.arange(3) == world.tables["rack"].names.index("rack-0"), 0.5, 1.0)[None, :]
    world.outputs["rack"] = replace(world.outputs["rack"], prefill_speed=half, decode_speed=half)
    world.tick()
    assert world.of("a", "first_token_time") == pytest.approx(0.4)


def test_money_and_promises():
    world = one(price=2.0, prompt_price=0.5)
    world.ask("api", 40.0)
    for _ in range(100):
        world.tick()
    assert world.of("api", "revenue") == pytest.approx(4000 * (250 * 2.0 + 1000 * 0.5) / 1e6)
    assert world.of("api", "requests_in_time") == world.of("api", "requests") == pytest.approx(4000)


def test_a_shut_door_drops_what_comes():
    world = one()
    world.ask("api", 40.0)
    world.inputs["service"] = replace(world.inputs["service"], admission=0.0 * world.inputs["service"].admission)
    world.tick()
    assert world.of("api", "dropped_answers") == 10000.0
    assert world.of("api", "served_answers") == 0.0


@pytest.mark.parametrize("dt", [0.1, 10.0, 50.0])
def test_an_outage_costs_the_same_at_any_tick(dt):
    """100 s without racks, then 400 s with them: who gave up in the dark follows a closed form."""

    def cost(dt):
        world = one(patience=40.0)
        world.ask("api", 60.0)
        world.racks(shut_down=1.0)
        for _ in range(round(100 / dt)):
            world.tick(dt)
        in_the_dark = world.of("api", "dropped_prompts")
        world.racks(shut_down=0.0)
        for _ in range(round(400 / dt)):
            world.tick(dt)
        return in_the_dark, world.of("api", "dropped_prompts"), world.of("api", "served_answers")

    rate, theta = 60_000.0, 40.0
    by_hand = rate * (100 - theta * (1 - np.exp(-100 / theta)))
    dark, dropped, served = cost(dt)
    assert dark == pytest.approx(by_hand, rel=1e-6)
    assert (dropped, served) == pytest.approx(cost(1.0)[1:], rel=2e-3)


rates = st.lists(st.floats(0, 300) | st.just(0.0), min_size=3, max_size=3)
storms = st.lists(st.tuples(rates, st.sampled_from([0.0, 1.0]), st.sampled_from([1e-3, 1.0, 7.3, 300.0])), max_size=12)


def books(world):
    s = world.state["service"]
    yield s.offered_prompts, s.served_prompts + s.dropped_prompts + s.prompt_queue
    yield s.offered_answers, s.served_answers + s.dropped_answers + s.unanswered + s.answer_queue


@settings(max_examples=60, deadline=None)
@given(storms)
def test_tokens_are_conserved_exactly(storm):
    apart, both = (["p"], ["d", "m"]), (["m", "p"], ["m"])
    services = {"a": (*apart, {"patience": 20.0}), "b": (*both, {"priority": 2}), "c": (*both, {"patience": 1e9})}
    world = World(plant_of({"p": 1, "d": 1, "m": 1}, services), members=2)
    for rates, shut, dt in storm:
        for name, rate in zip("abc", rates, strict=True):
            world.ask(name, rate, 777.7, 123.4)
        world.racks(shut_down=np.array([[shut], [0.0]]))
        world.tick(dt)
        for offered, told in books(world):
            np.testing.assert_array_equal(offered, told)
        pool = world.outputs["pool"]
        assert (pool.busy <= 1.0 + 1e-6).all()
        for name in ("prompt_queue", "answer_queue", "unanswered"):
            assert (getattr(world.state["service"], name) >= 0).all()


def test_members_go_alone_as_together():
    services = {"a": (["m"], ["m"], {}), "b": (["m"], ["m"], {"priority": 2})}
    together = World(plant_of({"m": 1}, services), members=3)
    alone = [World(plant_of({"m": 1}, services)) for _ in range(3)]
    rates = np.array([[20.0], [55.0], [200.0]])
    for _ in range(5):
        for world, rate in [(together, rates), *zip(alone, rates, strict=True)]:
            said = world.inputs["service"]
            world.inputs["service"] = replace(said, request_rate=rate + 0.0 * said.request_rate)
            world.tick()
    for member, world in enumerate(alone):
        for name, value in vars(together.state["service"]).items():
            np.testing.assert_array_equal(value[member], getattr(world.state["service"], name)[0])


def test_what_cannot_be_served_is_said():
    plant = plant_of({"chat": 1}, {"api": (["chat"], [], {})})
    plant.add(Unit("empty", "pool"))
    plant.gather("other", ["rack-0"])
    plant.add(Unit("twin", "pool"))
    plant.gather("twin", ["rack-0", "rack-9", "api"])
    plant.add(Unit("lost", "service", dict(SAID)))
    plant.serve("lost", ["chta", "rack-0"], ["chat", "chat"])
    plant.serve("chat", ["chat"], ["chat"])
    assert [fault.text for fault in work_faults(plant)] == [
        "other names racks, but a rack is no pool and no job; leave racks out",
        "twin names rack-0 and chat too; a rack stands in one pool or job, once",
        "twin names rack-9, which is not a unit; did you mean rack-0?",
        "twin names api, but a service does no work; racks are wanted",
        "empty has no racks; racks: rack-01..04 is wanted",
        "lost uses chta, which is not a unit; a pool is wanted; did you mean chat?",
        "lost uses rack-0, which is a rack; a pool is wanted",
        "lost names chat twice; once is wanted",
        "chat names pools, but a pool is no service; leave pools out",
        'api has no pool to write its answers; "pools: NAME", or "decode: NAME", is wanted',
    ]


def work_faults(plant):
    from twin.plant_work import dangling_work

    return list(dangling_work(plant))
