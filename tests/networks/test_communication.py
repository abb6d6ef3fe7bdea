"""Communication worked out: what a job sends in an iteration, by hand, and what lost leaves and NVLink cost it."""

import numpy as np
import pytest

from tests.networks.work_bench import Bench, racks
from tests.small_plants import RACK
from twin.networks.fabric import compile_fabric, ports_left, shares
from twin.physics.collective import Links
from twin.plant import Plant, Unit
from twin.plant_fabric.generators import fat_tree
from twin.plant_work import dangling_work

NVLINK, PORT = 7.2e12, 8e11
SAID = {"step_time": 4.0, "checkpoint_interval": 1e6, "checkpoint_time": 0.0, "gradient_size": 72 * 4e11,
        "model_parallel": 72.0, "fabric_latency": 0.0, "nvlink_latency": 0.0}  # fmt: skip
RING = 2 * 7 / 8 * 4e11 / PORT
"""Each GPU of a rack adds up its 72nd of the gradients round a ring of eight racks [s]: 0.875 s of 4."""


def plant_of(count=8, fabric=True, rack=None, **ratings):
    """A job on racks of 72 GPUs, each with a port of 800 Gbit/s in a fat tree of four rails."""
    plant = Plant()
    names = racks(plant, count, **({"nvlink_rate": NVLINK, "nvlink_trays": 9.0} | (rack or {})))
    plant.add(Unit("job", "job", SAID | ratings))
    plant.gather("job", names)
    if fabric:
        switches = [f"leaf-{k}" for k in range(1, 9)], [f"spine-{k}" for k in range(1, 5)]
        for name in switches[0] + switches[1]:
            plant.add(Unit(name, "switch", {"rated_power": 4500.0, "ports": 144.0}))
        plant.add_fabric(fat_tree(names, *switches))
    return plant


def lost_leaves(plant, count):
    """Shares of the racks when so many leaves of the first four racks are dead."""
    net = compile_fabric(plant.fabrics["compute"])
    alive = np.ones(len(net.names))
    alive[[net.nodes[f"leaf-{k}"] for k in range(1, count + 1)]] = 0.0
    return shares(net, ports_left(net, alive))


def paces(plant, members=1, **inputs):
    world = Bench(plant, members)
    for name, value in inputs.items():
        world.put("inputs", "rack", name, value)
    world.run(1, 1.0)
    return world


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_job_that_lost_leaves_slows_by_what_the_closed_form_says(lost):
    """Its ring takes 4/(4 - k) times as long with k of four rails lost: t = t_comp + t_ring 4/(4 - k)."""
    plant = plant_of()
    world = paces(plant, bandwidth_share=lost_leaves(plant, lost))
    longer = 4.0 - RING + RING * 4 / (4 - lost)
    assert world.of("pace") == pytest.approx(4.0 / longer, rel=1e-12)
    assert world.of("network_share") == pytest.approx(RING * 4 / (4 - lost) / longer, rel=1e-12)


def test_computing_hides_communication_until_it_no_longer_does():
    """A quarter of 4 s hides 0.875 s whole, and 1 s of the 1.1667 s with one rail lost."""
    plant = plant_of(overlap=0.25)
    assert paces(plant).of("pace") == pytest.approx(1.0, rel=1e-12)
    world = paces(plant, bandwidth_share=lost_leaves(plant, 1))
    assert world.of("pace") == pytest.approx(4.0 / (4.0 + RING * 4 / 3 - 1.0), rel=1e-12)
    slow = Bench(plant)
    slow.put("outputs", "rack", "training_speed", 0.8)
    slow.put("inputs", "rack", "bandwidth_share", lost_leaves(plant, 1))
    slow.run(1, 1.0)
    assert slow.of("pace") == pytest.approx(0.8, rel=1e-12), "slow GPUs hide all of it: 5 s, of which 1.25 s hide it"
    part = plant_of(overlap=0.1)
    computes = (4.0 - RING) / 0.9
    world = paces(part, bandwidth_share=lost_leaves(part, 1))
    assert world.of("pace") == pytest.approx(4.0 / (computes + RING * 4 / 3 - 0.1 * computes), rel=1e-12)


def test_slow_gpus_do_not_slow_the_network():
    world = Bench(plant_of())
    world.put("outputs", "rack", "training_speed", 0.5, 3)
    world.run(1, 1.0)
    assert world.of("pace") == pytest.approx(4.0 / ((4.0 - RING) / 0.5 + RING), rel=1e-12)


def test_gradients_of_a_small_model_are_added_up_within_nvlink_first():
    """Copies of 8 GPUs, nine in a rack: S = 72/8 x 50 GB; 2 x 8/9 S over NVLink, 2 x 7/8 S/9 between racks."""
    plant = plant_of(model_parallel=8.0, step_time=40.0)
    size = 72 / 8 * 4e11
    near, far = 2 * 8 / 9 * size / NVLINK, 2 * 7 / 8 * size / 9 / PORT
    world = paces(plant, trays_lost=np.array([3.0] + [0.0] * 7))
    assert world.of("pace") == pytest.approx(40.0 / (40.0 + near * (9 / 6 - 1)), rel=1e-12)
    world = paces(plant, bandwidth_share=np.array([0.5] + [1.0] * 7))
    assert world.of("pace") == pytest.approx(40.0 / (40.0 + far), rel=1e-12)


def test_tokens_go_to_the_experts_of_a_group_and_stay_in_the_rack_where_it_does():
    """All of 576 GPUs: 504/576 of the data leave the rack; a group of 72 knows NVLink alone."""
    size, said = 4e11, {"gradient_size": 0.0, "exchange_size": 4e11}
    far, near = 504 / 576 * size / PORT, 71 / 72 * size / NVLINK
    world = paces(plant_of(**said), bandwidth_share=0.5)
    assert world.of("pace") == pytest.approx(4.0 / (4.0 + far), rel=1e-12)
    inside = plant_of(expert_parallel=72.0, **said)
    assert paces(inside, bandwidth_share=0.5).of("pace") == pytest.approx(1.0, rel=1e-12)
    assert paces(inside, trays_lost=3.0).of("pace") == pytest.approx(4.0 / (4.0 + near * 0.5), rel=1e-12)


def test_latency_counts_by_steps_and_by_all_to_alls():
    """A ring of eight racks is 14 steps; 100 all-to-alls among 576 are 504 steps each."""
    said = {"fabric_latency": 1e-3, "step_time": 1000.0, "exchange_size": 8.0, "exchanges": 100.0}
    job = plant_of(**said).units["job"].machine()
    links = Links(72.0, 72.0, NVLINK, PORT)
    assert job.communicating(8.0, links) == pytest.approx(RING + 14e-3 + 100 * 504e-3, rel=1e-9)


def test_a_lost_spare_makes_the_ring_smaller():
    """Seven racks: 2 x 6/7 S/B in place of 2 x 7/8 S/B, once its restart is over."""
    plant = plant_of(spares=1.0, resume_time=0.0)
    world = Bench(plant)
    world.put("state", "rack", "shut_down", 1.0, 2)
    world.run(3, 1.0)
    assert world.of("pace") == pytest.approx(4.0 / (4.0 - RING + 2 * 6 / 7 * 4e11 / PORT), rel=1e-12)


def test_members_go_alone_as_together_and_a_job_beside_that_tells_its_share_goes_as_before():
    plant = plant_of()
    plant.add(Unit("rack-8", "rack", dict(RACK)))
    plant.add(Unit("told", "job", {"step_time": 4.0, "exposed_communication": 0.2, "checkpoint_time": 0.0}))
    plant.gather("told", ["rack-8"])
    assert list(dangling_work(plant)) == [], "a rack that tells no NVLink is good enough for it"
    lost = np.array([[1.0], [0.75], [0.5]])
    together = Bench(plant, 3)
    together.put("inputs", "rack", "bandwidth_share", lost)
    together.run(5, 1.0)
    for member, share in enumerate(lost[:, 0]):
        alone = Bench(plant)
        alone.put("inputs", "rack", "bandwidth_share", share)
        alone.run(5, 1.0)
        for name, value in vars(together.state["job"]).items():
            np.testing.assert_array_equal(value[member], getattr(alone.state["job"], name)[0])
        told = together.tables["job"].names.index("told")
        assert together.outputs["job"].pace[member, told] == pytest.approx(1 / (0.8 + 0.2 / share), rel=1e-15)


def test_nodes_of_eight_talk_over_their_ports_also_within_a_rack():
    """Domains of 8 of 72 GPUs, in one rack of no fabric: a ring of nine nodes for each of the 8 GPUs of one."""
    plant = plant_of(1, False, {"nvlink_domain": 8.0, "port_rate": PORT}, model_parallel=1.0, step_time=1000.0)
    assert list(dangling_work(plant)) == []
    size = 72 * 4e11
    far = 2 * 8 / 9 * size / 8 / PORT
    world = paces(plant, bandwidth_share=0.5)
    assert world.of("pace") == pytest.approx(1000.0 / (1000.0 + far), rel=1e-12)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (plant_of(exposed_communication=0.1),
         "job tells exposed_communication and gradient_size: its communication is told or worked out; one of them is "
         "wanted"),
        (plant_of(rack={"nvlink_rate": 0.0}),
         'job has its communication worked out, but rack-0 does not tell its NVLink; nvlink_rate, e.g. "7200 Gbit/s", '
         "is wanted"),
        (plant_of(fabric=False),
         "job has its communication worked out, but rack-0 stands in no fabric; a fabric, or its port_rate, e.g. "
         '"800 Gbit/s", is wanted'),
        (plant_of(model_parallel=577.0),
         "job: one copy of its model takes 577 GPUs, and its racks have 576; fewer are wanted"),
        (plant_of(expert_parallel=600.0, exchange_size=8.0),
         "job: one group of experts takes 600 GPUs, and its racks have 576; fewer are wanted"),
        (plant_of(expert_parallel=100.0, exchange_size=8.0),
         "job: experts exchange among 100 GPUs, and 72 have NVLink to each other; a part or a multiple of these is "
         "wanted"),
        (plant_of(gradient_size=0.0),
         "job tells model_parallel, which does nothing without gradient_size; tell its size, or leave model_parallel "
         "out"),
        (plant_of(expert_parallel=8.0),
         "job tells expert_parallel, which does nothing without exchange_size; tell its size, or leave "
         "expert_parallel out"),
        (plant_of(model_parallel=7.5), "job has model_parallel 7.5; a whole number is wanted"),
        (plant_of(step_time=0.9),
         "job sends for 875 ms in an iteration of 900 ms with all bandwidth; a longer step_time or less of it is "
         "wanted"),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_out_is_said(plant, said):
    assert [fault.text for fault in dangling_work(plant)] == [said]


def test_racks_that_differ_are_named():
    plant = plant_of()
    plant.units["rack-3"].parameters["port_rate"] = 4e11
    said = [fault.text for fault in dangling_work(plant)]
    assert said == [
        "job has its communication worked out, but rack-0 and rack-3 differ in their GPUs or in what these talk over; "
        "racks alike are wanted"
    ]


def test_one_rack_wants_no_fabric():
    assert list(dangling_work(plant_of(1, False))) == []
    assert paces(plant_of(1, False)).of("pace") == pytest.approx(1.0)
