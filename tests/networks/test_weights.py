"""Weights that pools read from storage before they serve: by hand at any tick, shared fairly, each member alone."""

import numpy as np
import pytest

from tests.networks.work_bench import Bench, racks
from tests.small_plants import RACK
from twin.declare import replace
from twin.plant import Plant, Unit

GB = 8e9
GPUS = float(RACK["gpu_count"])
STORE = {"read_bandwidth": 40 * GB, "write_bandwidth": 20 * GB, "idle_power": 4e3, "rated_power": 6e3}
JOB = {"step_time": 4.0, "exposed_communication": 0.0, "checkpoint_interval": 600.0, "checkpoint_time": 0.0,
       "resume_time": 60.0, "checkpoint_size": 3600 * GB}  # fmt: skip


class World(Bench):
    """Pools of two racks each that load 100 GB a GPU, a job if wanted, and one storage system."""

    def __init__(self, pools=1, job=False, members=1, weights=100 * GB):
        plant = Plant()
        plant.add(Unit("store", "storage_system", dict(STORE)))
        names = racks(plant, 2 * pools + job)
        for k in range(pools):
            plant.add(Unit(f"pool-{k}", "pool", {"weights": weights}))
            plant.gather(f"pool-{k}", names[2 * k : 2 * k + 2])
            if weights:
                plant.store(f"pool-{k}", ["store"])
        if job:
            plant.add(Unit("job", "job", dict(JOB)))
            plant.gather("job", names[-1:])
            plant.store("job", ["store"])
        super().__init__(plant, members)

    def lose(self, *lost, seconds=60, dt=1.0):
        """Take racks away for a while."""
        for rack in lost:
            self.put("state", "rack", "shut_down", 1.0, rack)
        self.run(seconds, dt)
        for rack in lost:
            self.put("state", "rack", "shut_down", 0.0, rack)

    def of(self, name, place=0, key="pool"):
        return super().of(name, place, key)


@pytest.mark.parametrize("dt", [0.5, 6.0, 60.0])
def test_a_rack_that_comes_back_reads_its_weights_over_the_bandwidth(dt):
    """72 GPUs at 100 GB each are 7.2 TB: 180 s at 40 GB/s; half of them serve after 90 s."""
    world = World()
    world.run(60, dt)
    assert (world.of("gpus"), world.of("unloaded"), world.read) == (2 * GPUS, 0.0, 0.0), "at the start all have theirs"
    world.lose(0, dt=dt)
    assert (world.of("gpus"), world.of("gpus_lacking")) == (GPUS, 0.0)
    world.run(60, dt)
    assert world.of("gpus_lacking") == pytest.approx(GPUS * 2 / 3)
    assert world.of("unloaded") == 1.0
    world.run(120, dt)
    assert world.of("gpus_lacking") == 0.0
    assert (world.of("unloaded"), world.of("unloaded_at")) == (0.0, pytest.approx(120 + 180))
    assert world.read == pytest.approx(7200 * GB)
    world.run(dt, dt)
    assert world.of("gpus") == 2 * GPUS


def test_those_who_lack_weights_serve_nothing_and_their_racks_stand_idle():
    world = World()
    world.lose(0)
    world.run(91, 1.0)
    assert world.of("gpus") == pytest.approx(GPUS * 1.5)
    world.lose(0, 1, seconds=10)
    world.run(1, 1.0)
    assert world.of("gpus") == 0.0
    world.run(360, 1.0)
    assert world.of("gpus_lacking") == 0.0


@pytest.mark.parametrize("dt", [1.0, 30.0])
def test_two_pools_and_a_job_share_what_there_is(dt):
    """Two pools read 7.2 TB each and the job its 3.6 TB from 60 s on: at a third each the job is done at 330 s.

    13.3 GB/s: the pools have 800 + 3,600 GB then, 20 GB/s each from there on: the other 2,800 GB take 140 s.
    """
    world = World(pools=2, job=True)
    world.lose(0, 2, 4, seconds=60, dt=dt)
    world.run(60, dt)
    assert world.of("gpus_lacking", 0) == world.of("gpus_lacking", 1) == pytest.approx(GPUS * (1 - 1200 / 7200))
    world.run(270, dt)
    assert world.of("restarting_time", key="job") == pytest.approx(60 + 270)
    assert world.of("gpus_lacking", 1) == pytest.approx(GPUS * (1 - 4800 / 7200))
    world.run(120, dt)
    assert world.of("gpus_lacking", 0) == pytest.approx(0.0, abs=1e-9)


def test_a_crash_costs_all_their_weights_and_none_are_read_while_it_stands():
    world = World()
    world.run(5, 1.0)
    world.put("inputs", "pool", "crash", 1.0)
    world.run(30, 1.0)
    assert (world.of("gpus"), world.read, world.of("unloaded")) == (0.0, 0.0, 1.0)
    world.put("inputs", "pool", "crash", 0.0)
    world.run(361, 1.0)
    assert world.of("gpus") == 2 * GPUS
    assert world.read == pytest.approx(14400 * GB)


def test_a_storage_that_is_down_keeps_them_waiting():
    world = World()
    world.put("state", "storage_system", "stopped", 1.0)
    world.lose(0)
    world.run(600, 1.0)
    assert world.of("gpus") == GPUS
    world.put("state", "storage_system", "stopped", 0.0)
    world.run(181, 1.0)
    assert world.of("gpus") == 2 * GPUS


def test_a_pool_without_weights_serves_at_once_and_stands_only_while_it_is_crashed():
    world = World(weights=0.0)
    world.lose(0)
    world.run(1, 1.0)
    assert world.of("gpus") == 2 * GPUS
    world.put("inputs", "pool", "crash", 1.0)
    world.run(1, 1.0)
    assert world.of("gpus") == 0.0
    world.put("inputs", "pool", "crash", 0.0)
    world.run(1, 1.0)
    assert world.of("gpus") == 2 * GPUS


def test_members_go_alone_as_together():
    together = World(pools=2, job=True, members=2)
    lost = np.array([[1.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0]])
    alone = [World(pools=2, job=True) for _ in range(2)]
    for shut, seconds in ((lost, 37.0), (0.0 * lost, 129.5)):
        together.state["rack"] = replace(together.state["rack"], shut_down=shut)
        together.run(seconds, 3.7)
        for member, world in enumerate(alone):
            world.state["rack"] = replace(world.state["rack"], shut_down=shut[member : member + 1])
            world.run(seconds, 3.7)
    for key in ("pool", "job"):
        for name, value in vars(together.state[key]).items():
            for member, world in enumerate(alone):
                np.testing.assert_array_equal(value[member], getattr(world.state[key], name)[0], err_msg=name)
    assert together.state["pool"].gpus_lacking.max() > 0
