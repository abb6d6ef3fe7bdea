"""Tiers apart in one pool: whose promise in milliseconds holds when it is full, by closed form, exactly conserved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.test_serving import GPUS, SAID, World, books, plant_of
from twin.declare import replace
from twin.physics.serving import most_busy, token_time

LEAST, BATCH, RATE = SAID["least_token_time"], SAID["batch"], SAID["decode_rate"]
FULL = BATCH / RATE
"""A token takes 10 ms alone and 128 ms through a batch of 64 at 500 tokens a second."""


def tiers(pools=(["m"], ["m"]), by_tier=True, limit=0.04, members=1, **more):
    premium = {"priority": 1.0, "token_limit": limit, "patience": 1e9}
    free = {"priority": 2.0, "token_limit": 10.0, "patience": 30.0}
    names = dict.fromkeys(pools[0] + pools[1], 1)
    plant = plant_of(names, {"premium": (*pools, premium | more), "free": (*pools, free)})
    for name in names:
        plant.units[name].parameters["batching"] = float(by_tier)
    return World(plant, members)


def run(world, ticks=20, dt=1.0, **rates):
    for name, rate in rates.items():
        world.ask(name, rate)
    for _ in range(ticks):
        world.tick(dt)
    return world


@given(st.floats(0.011, 10.0), st.floats(0.0, 3.0))
def test_the_fullest_batch_that_keeps_a_promise_is_the_inverse_of_the_time_of_a_token(limit, reads):
    busy = float(most_busy(np.array(limit), LEAST, BATCH, RATE, reads))
    one = FULL / (BATCH * LEAST)
    assert one <= busy <= 1.0
    took = float(token_time(np.array(busy), LEAST, BATCH, RATE)) * (1.0 + reads * busy)
    if one < busy < 1.0:
        assert took == pytest.approx(limit, rel=1e-9)
    else:
        assert took <= limit if busy == 1.0 else took >= limit


def test_a_promise_that_cannot_be_kept_is_given_up():
    assert float(most_busy(np.array(0.009), LEAST, BATCH, RATE)) == 1.0


def heavy(world, ticks=20, **rates):
    """Long answers: writers are the neck."""
    for name, rate in rates.items():
        world.ask(name, rate, 100.0, 1000.0)
    for _ in range(ticks):
        world.tick()
    return world


def test_a_full_pool_of_writers_by_hand():
    """40 ms: 1/(1 - k u) = 4, u = 3/(4 k), k = 1 - 10/128; premium has 15,000/(500 u) of 72 GPUs, free has the rest."""
    pools = (["p"], ["d"])
    u = 3.0 / 4.0 / (1.0 - LEAST / FULL) * (1.0 - 1e-5)
    world = heavy(tiers(pools), premium=15.0, free=40.0)
    assert world.of("premium", "token_time") == pytest.approx(0.04, rel=1e-4)
    assert world.of("premium", "token_time") <= 0.04
    assert (world.of("premium", "late"), world.of("premium", "queued")) == (0.0, 0.0)
    assert world.of("free", "answer_rate") == pytest.approx((GPUS - 15_000 / (RATE * u)) * RATE, rel=1e-4)
    assert world.of("free", "token_time") == pytest.approx(FULL, rel=1e-6), "nothing holds its batches back"
    assert world.of("d", "busy") == pytest.approx(1.0, rel=1e-6)
    shared = heavy(tiers(pools, by_tier=False), premium=15.0, free=40.0)
    assert shared.of("premium", "token_time") == pytest.approx(FULL, rel=1e-6), "its answers go through full batches"
    assert shared.of("premium", "late") == 1.0
    assert shared.of("free", "answer_rate") == pytest.approx(21_000, rel=1e-4)


def test_a_pool_that_is_not_full_deals_what_nobody_needs():
    """Half of its time taken: batches are half as full as the promise allows."""
    pools = (["p"], ["d"])
    u = 3.0 / 4.0 / (1.0 - LEAST / FULL) * (1.0 - 1e-5)
    world = heavy(tiers(pools), premium=GPUS * RATE * u / 2 / 1000, free=0.0)
    assert world.of("d", "busy") == pytest.approx(0.5, rel=1e-6)
    half = float(token_time(np.array(u / 2), LEAST, BATCH, RATE))
    assert world.of("premium", "token_time") == pytest.approx(half, rel=1e-6)
    assert world.of("free", "token_time") == pytest.approx(LEAST)


def test_where_a_pool_also_reads_the_promise_holds_with_what_reading_takes():
    """1,000 tokens read, 250 written: 1 s and 0.5 s of a GPU, c = 2; (1 + 2 u)/(1 - k u) = 4 at 40 ms."""
    k = 1.0 - LEAST / FULL
    u = 3.0 / (2.0 + 4.0 * k) * (1.0 - 1e-5)
    world = run(tiers(), premium=20.0, free=60.0)
    assert world.of("premium", "token_time") == pytest.approx(0.04, rel=1e-3)
    assert world.of("premium", "token_time") <= 0.04
    assert world.of("premium", "late") == 0.0
    spent = 20 * (1.0 + 0.5 / u)
    assert world.of("free", "answer_rate") == pytest.approx((GPUS - spent) / 1.5 * 250, rel=1e-3)
    assert world.of("free", "dropped_answers") > 0.0
    shared = run(tiers(by_tier=False), premium=20.0, free=60.0)
    assert shared.of("premium", "token_time") > 0.3, "readers of others stand between the tokens of an answer"
    assert shared.of("premium", "late") == 1.0


def test_slow_gpus_leave_less_room_within_the_promise():
    """At 80 % of its clock a token may take 32 ms of full clock: u = (3.2 - 1)/(3.2 k)."""
    pools = (["p"], ["d"])
    world = tiers(pools)
    out = world.outputs["rack"]
    world.outputs["rack"] = replace(out, decode_speed=out.decode_speed * 0.8)
    heavy(world, premium=15.0, free=40.0)
    u = 2.2 / (3.2 * (1.0 - LEAST / FULL)) * (1.0 - 1e-5)
    assert world.of("premium", "token_time") == pytest.approx(0.04, rel=1e-4)
    assert world.of("free", "answer_rate") == pytest.approx((GPUS - 15_000 / (0.8 * RATE * u)) * 0.8 * RATE, rel=1e-4)


rates = st.lists(st.floats(0, 300) | st.just(0.0), min_size=2, max_size=2)
storms = st.lists(st.tuples(rates, st.sampled_from([0.0, 1.0]), st.sampled_from([1e-3, 1.0, 7.3, 300.0])), max_size=8)


@settings(max_examples=40, deadline=None)
@given(storms, st.sampled_from([(["m"], ["m"]), (["p", "m"], ["m", "d"])]), st.floats(0.005, 1.0))
def test_tokens_are_conserved_exactly_and_members_go_alone_as_together(storm, pools, limit):
    world, alone = tiers(pools, limit=limit, members=2), tiers(pools, limit=limit)
    for asked, shut, dt in storm:
        for name, rate in zip(("premium", "free"), asked, strict=True):
            world.ask(name, rate, 777.7, 123.4)
            alone.ask(name, rate, 777.7, 123.4)
        world.racks(shut_down=np.array([[0.0], [shut]]))
        alone.racks(shut_down=shut)
        for each in (world, alone):
            each.tick(dt)
        for offered, told in books(world):
            np.testing.assert_array_equal(offered, told)
        assert (world.outputs["pool"].busy <= 1.0 + 1e-6).all()
        for rows in (world.state["service"], world.outputs["service"], world.outputs["pool"]):
            assert all(np.isfinite(value).all() for value in vars(rows).values())
        for name, value in vars(world.state["service"]).items():
            np.testing.assert_array_equal(value[1], getattr(alone.state["service"], name)[0])
