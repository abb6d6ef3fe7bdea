"""Jobs on shared storage: checkpoints, reads and restarts by hand at any tick; nobody gets more than there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.work_bench import Bench, racks
from twin.arrays import neighbours
from twin.equipment.job import PHASES
from twin.physics.storing import Standing, Users, Wants, course, fair
from twin.plant import Plant, Unit

GB = 8e9
STORE = {"read_bandwidth": 40 * GB, "write_bandwidth": 20 * GB, "idle_power": 4e3, "rated_power": 6e3, "controllers": 4}
JOB = {"step_time": 4.0, "exposed_communication": 0.0, "checkpoint_interval": 600.0, "checkpoint_time": 0.0,
       "resume_time": 300.0, "checkpoint_size": 800 * GB}  # fmt: skip


class World(Bench):
    """Some jobs, each on a rack of its own, and one storage system."""

    def __init__(self, *jobs):
        plant = Plant()
        plant.add(Unit("store", "storage_system", dict(STORE)))
        for k, (rack, said) in enumerate(zip(racks(plant, len(jobs)), jobs, strict=True)):
            plant.add(Unit(f"job-{k}", "job", JOB | said))
            plant.gather(f"job-{k}", [rack])
            if said.get("checkpoint_size", 1.0) > 0:
                plant.store(f"job-{k}", ["store"])
        super().__init__(plant)


@pytest.mark.parametrize("dt", [2.0, 8.0, 80.0, 320.0])
def test_a_checkpoint_takes_its_size_over_the_bandwidth(dt):
    """800 GB at 20 GB/s are 40 s: in 1,920 s three cycles of 600 + 40 s, 1,800 s of work."""
    world = World({})
    world.run(1920, dt)
    assert world.of("steps") == pytest.approx(450)
    assert world.of("saving_time") == pytest.approx(120)
    assert world.written == pytest.approx(2400 * GB)
    assert world.of("unsaved") == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("dt", [2.0, 10.0, 330.0])
def test_two_that_save_at_once_share_and_one_alone_has_all(dt):
    """Job 1 starts 20 s behind: 20 s alone, then both at 10 GB/s; 400 GB left of job 0 take 40 s, then job 1 has all.

    Job 0 saves from 600 to 660 s; job 1, begun at 620, has 400 GB at 660 and ends at 680.
    """
    world = World({}, {})
    world.put("state", "job", "since_checkpoint", 20.0, 0)
    world.run(660, dt)
    assert world.of("saving_time", 0) == pytest.approx(60)
    assert world.of("saving_time", 1) == pytest.approx(60)
    assert world.written == pytest.approx(1600 * GB)
    assert world.of("steps", 0) == pytest.approx((580 + 20) / 4)


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0])
def test_who_is_asked_to_save_saves_at_once_and_stands(dt):
    """180 s of work, then 800 GB at 20 GB/s; from then on it stands, and writes no second checkpoint."""
    world = World({})
    world.run(180, dt)
    world.put("inputs", "job", "phase", PHASES["saving"])
    world.run(120, dt)
    assert world.of("steps") == pytest.approx(45)
    assert (world.of("unsaved"), world.of("saving")) == (0.0, 0.0)
    assert world.written == pytest.approx(800 * GB)
    assert world.of("saving_time") == pytest.approx(120), "the time in which it stands too"
    assert world.of("waiting_time") == 0.0


def test_half_the_racks_write_half_as_fast():
    world = World({"checkpoint_time": 100.0})
    world.put("inputs", "job", "rack_share", 0.5)
    world.run(800, 1.0)
    assert world.of("saving_time") == pytest.approx(200)
    assert world.of("steps") == pytest.approx(75)


def test_who_begins_anew_has_nothing_to_read_before_its_first_checkpoint():
    world = World({"from_checkpoint": 0.0})
    for _ in range(2):
        world.put("inputs", "job", "hold", 1.0)
        world.run(10, 1.0)
        assert world.of("loading") == 0.0
        world.put("inputs", "job", "hold", 0.0)
        world.run(500, 1.0)
    assert world.of("restarting_time") == pytest.approx(600)
    world.run(700, 1.0)
    world.put("inputs", "job", "hold", 1.0)
    world.run(10, 1.0)
    assert world.of("loading") == 800 * GB


def test_it_saves_no_faster_than_its_racks_write():
    world = World({"checkpoint_time": 100.0})
    world.run(700, 1.0)
    assert world.of("saving_time") == pytest.approx(100)
    world = World({"checkpoint_time": 25.0})
    world.run(640, 1.0)
    assert world.of("saving_time") == pytest.approx(40)


@pytest.mark.parametrize("dt", [1.0, 60.0])
def test_steps_wait_for_the_data_that_they_read(dt):
    """240 GB a step at 40 GB/s are 6 s where computing takes 4: two thirds of the pace."""
    world = World({"step_data": 240 * GB, "checkpoint_interval": 1e6})
    world.run(600, dt)
    assert world.of("steps") == pytest.approx(100)
    assert world.of("waiting_time") == pytest.approx(200)
    assert world.of("pace") == pytest.approx(2 / 3)
    assert world.of("starved") == 1.0
    assert world.read == pytest.approx(100 * 240 * GB)
    fed = World({"step_data": 100 * GB, "checkpoint_interval": 1e6})
    fed.run(600, dt)
    assert (fed.of("steps"), fed.of("starved"), fed.of("waiting_time")) == (pytest.approx(150), 0.0, 0.0)


@pytest.mark.parametrize("dt", [3.0, 30.0, 660.0])
def test_a_restart_reads_the_checkpoint_back(dt):
    """A rack is gone for 660 s; then 300 s of restart, 800 GB at 40 GB/s in 20 s, and work."""
    world = World({})
    world.run(660, dt)
    world.put("state", "rack", "shut_down", 1.0, 0)
    world.run(660, dt)
    assert world.of("lost_steps") == pytest.approx(5), "20 s since its checkpoint"
    world.put("state", "rack", "shut_down", 0.0, 0)
    world.run(660, dt)
    assert world.of("restarting_time") == pytest.approx(320)
    assert world.of("steps") == pytest.approx(150 + (660 - 320) / 4)
    assert world.read == pytest.approx(800 * GB)


def test_a_job_that_is_lost_while_it_saves_falls_back_to_the_checkpoint_before():
    world = World({})
    world.run(620, 1.0)
    assert world.of("saving") == pytest.approx(400 * GB)
    world.put("state", "rack", "unpowered", 1.0, 0)
    world.run(5, 1.0)
    assert (world.of("steps"), world.of("lost_steps"), world.of("saving")) == (0.0, pytest.approx(150), 0.0)


@pytest.mark.parametrize("dt", [0.5, 10.0, 40.0])
def test_a_controller_lost_in_a_checkpoint_makes_it_longer(dt):
    """10 s at 20 GB/s, then 600 GB at 15: another 40 s."""
    world = World({"checkpoint_interval": 590.0})
    world.run(600, dt)
    world.put("inputs", "storage_system", "controllers_failed", 1.0)
    world.run(40, dt)
    assert world.of("starved") == 1.0, "who saves more slowly than whole storage would have it waits for it"
    world.run(40, dt)
    assert world.of("saving_time") == pytest.approx(50)
    assert world.of("steps") == pytest.approx((590 + 40) / 4)
    assert world.of("waiting_time") == pytest.approx(40 / 4), "a quarter of what was left of it"
    assert world.of("starved") == 0.0


def test_two_that_share_whole_storage_wait_for_nobody_but_each_other():
    world = World({}, {})
    world.run(680, 1.0)
    assert world.of("saving_time", 1) == pytest.approx(80)
    assert world.of("waiting_time") == 0.0


@pytest.mark.parametrize("part", [0.2, 0.3, 0.7])
def test_what_is_left_of_a_tick_after_a_checkpoint_is_no_pace(part):
    """600 s of work and 40 s of saving in ticks of 1/5, 3/10, 7/10 s: no tick without work has a pace of its own."""
    world = World({})
    for _ in range(int(700 / part)):
        world.run(part, part)
        assert world.of("pace") == pytest.approx(1.0)
        assert world.of("slow") == 0.0


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("state", "stopped", 1.0), ("inputs", "filled", 1.0), ("inputs", "controllers_failed", 4.0)],
)
def test_a_storage_that_is_down_or_full_stalls_a_checkpoint_and_loses_none(part, name, value):
    world = World({})
    world.run(610, 1.0)
    world.put(part, "storage_system", name, value)
    world.run(200, 1.0)
    assert world.of("saving") == pytest.approx(600 * GB)
    assert (world.of("starved"), world.of("waiting_time")) == (1.0, pytest.approx(200))
    world.put(part, "storage_system", name, 0.0)
    world.run(50, 1.0)
    assert (world.of("saving"), world.of("starved")) == (0.0, 0.0)
    assert world.of("steps") == pytest.approx((600 + 20) / 4)


def test_a_job_without_storage_beside_one_with_it_is_what_it_was():
    both = World({}, {"checkpoint_size": 0.0, "checkpoint_time": 60.0})
    both.run(1498, 7.0)
    assert both.of("saving_time", 1) == pytest.approx(120)
    assert both.of("loading", 1) == both.of("saving", 1) == 0.0


def random_case(seed, jobs, stores):
    rng = np.random.default_rng(seed)
    of = rng.integers(0, stores + 1, jobs)
    inside = [[k for k in range(jobs) if of[k] == n] for n in range(stores)]
    users = Users(of, neighbours(inside, np, jobs), max(map(len, inside)))
    return rng, of, users


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), jobs=st.integers(1, 7), stores=st.integers(1, 3))
def test_shares_are_fair_and_no_more_than_there_is(seed, jobs, stores):
    rng, of, users = random_case(seed, jobs, stores)
    wanted = rng.choice([0.0, 1.0, 5.0, 1e30], (2, jobs)) * (of < stores)
    room = rng.uniform(0, 10, (2, stores))
    got = fair(wanted, room, users)
    assert (got <= wanted).all()
    for n in range(stores):
        mine = of == n
        total = got[:, mine].sum(axis=1)
        whole = np.minimum(room[:, n], wanted[:, mine].sum(axis=1))
        assert total == pytest.approx(whole, rel=1e-12, abs=1e-12), "all of it, or all that is wanted"
        for member in range(2):
            lacks = mine & (got[member] < wanted[member])
            if lacks.any():
                assert got[member, lacks].min() >= got[member, mine].max() - 1e-9, "who lacks has no less than another"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), jobs=st.integers(1, 5), dt=st.sampled_from([0.1, 1.0, 30.0, 600.0]))
def test_no_bit_is_lost_between_jobs_and_storage(seed, jobs, dt):
    """What was read is what steps and restarts took; what was written is what checkpoints lack less; time adds up."""
    rng, of, users = random_case(seed, jobs, 2)
    stored = (of < 2)[None, :]
    pick = lambda *values: rng.choice(values, (1, jobs)) * 1.0  # noqa: E731
    size, reads = pick(1.0, 50.0, 400.0), pick(0.0, 1.0, 30.0)
    wants = Wants(pick(0, 1, 1), pick(0.1, 1.0), reads, size, pick(1.0, 1e30), pick(5.0, 100.0),
                  pick(0, 0, 1))  # fmt: skip
    now = Standing(rng.uniform(0, 5, (1, jobs)), pick(0.0, 3.0, 50.0), pick(0.0, 20.0), pick(0.0, 0.5) * size,
                   pick(0.0, 2.0))  # fmt: skip
    room = rng.choice([0.0, 2.0, 40.0], (2, 1, 2))
    after, went = course(now, wants, (room[0], room[1]), (room[0] * 2, room[1] + 1), users, dt, stored)
    runs = stored & (wants.runs > 0)
    assert went.read == pytest.approx(np.where(runs, went.steps * reads + now.loading - after.loading, 0.0), abs=1e-6)
    done = (went.written + after.saving - now.saving) / size  # whole checkpoints
    assert np.where(runs, done, 0.0) == pytest.approx(np.round(np.where(runs, done, 0.0)), abs=1e-6)
    for moved, side in ((went.read, room[0]), (went.written, room[1])):
        for n in range(2):
            assert moved[0, of == n].sum() <= side[0, n] * dt * (1 + 1e-9) + 1e-9
    assert (went.worked + went.saved + went.restarted <= dt * (1 + 1e-9)).all()
    assert (went.steps >= 0).all()
    lost = went.starved + went.delayed
    assert (lost >= -1e-9).all()
    assert (lost <= went.waited * (1 + 1e-9) + 1e-9).all()
    assert (after.since <= wants.interval + 1e-9).all()


def test_all_of_a_tick_is_booked_however_often_jobs_save_in_it():
    """After so many changes of phase as are followed the rest of the tick is waited."""
    jobs = 60
    users = Users(np.zeros(jobs, int), neighbours([list(range(jobs))], np, jobs), jobs)
    none = np.zeros((1, jobs))
    since = np.linspace(0.0, 9.0, jobs)[None]
    wants = Wants(none + 1, none + 1, none, none + 1e9, none + 1e30, none + 10.0, none)
    room = (np.array([[1e12]]), np.array([[1e12]]))
    _, went = course(Standing(since, none, none, none, none), wants, room, room, users, 60.0, none < 1)
    assert went.waited.max() > 0
    assert went.worked + went.saved + went.restarted + went.waited == pytest.approx(none + 60.0)


def test_members_do_not_see_each_other():
    """One member has many events in its tick, another none: each as if alone, to the bit."""
    users = Users(np.zeros(2, dtype=np.int64), neighbours([[0, 1]], np, 2), 2)
    stored = np.ones((1, 2), dtype=bool)
    one = np.ones((2, 2))
    wants = Wants(
        one,
        one,
        one * 0.3,
        np.array([[1.0, 2.0], [1e6, 1e6]]),
        one * 1e30,
        np.array([[3.0, 5.0], [1e6, 1e6]]),
        0.0 * one,
    )
    now = Standing(*(one * x for x in (0.1, 0.0, 0.0, 0.0, 0.0)))
    room = one[:, :1] * 0.7, one[:, :1] * 0.9
    full = room[0], room[1] * np.array([[1.0], [2.0]])
    after, went = course(now, wants, room, full, users, 60.0, stored)
    for member in (0, 1):
        part = lambda x, k=member: x[k : k + 1]  # noqa: E731
        rooms = (tuple(map(part, each)) for each in (room, full))
        alone = course(Standing(*map(part, now)), Wants(*map(part, wants)), *rooms, users, 60.0, stored)
        for whole, own in ((after, alone[0]), (went, alone[1])):
            for a, b in zip(whole, own, strict=True):
                np.testing.assert_array_equal(a[member : member + 1], b)
