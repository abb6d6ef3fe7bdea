"""Energy charged to services and jobs: by hand, at any tick, and nothing left over."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.networks.test_serving import GPUS, SAID, World, plant_of
from tests.networks.test_storing import GB, STORE
from tests.networks.work_bench import Bench, racks
from tests.small_plants import RACK
from twin.declare import quantities, replace
from twin.equipment import KINDS
from twin.networks import accounting
from twin.networks.tables import compile_tables
from twin.physics.gpu import dynamic_share
from twin.plant import Plant, Unit
from twin.studies.sweep import world

PRICE = 2e-8
"""USD/J."""
SITE = SimpleNamespace(it_power=np.array([[120e3]]), power=np.array([[150e3]]))
"""With racks at 100 kW: a fifth more for switches and storage, half more for the site."""


def charge(world, plant, power, dt=1.0):
    """One tick of services, charged for racks that each take so much [W]: rows after it."""
    tables = compile_tables(plant, np)
    net = accounting.compile_accounts(world.net, None, tables, np)
    ports = world.tick(dt)
    rack = world.tables["rack"]
    asked = rack.machine._asks(world.inputs["rack"], 1.0, ports["rack"].work, 1.0)
    ports["rack"].plan = SimpleNamespace(asked=asked)
    drawn = np.zeros((1, world.net.unit_count + 1))
    drawn[:, rack.columns] = power
    inputs = world.inputs | {"site": replace(world.inputs["site"], energy_price=np.array([[PRICE]]))}
    rows, was = dict(world.state), dict(world.state)
    accounting.count(net, ports, inputs, was, rows, SITE, drawn, dt)
    return rows


def test_two_tiers_of_one_pool_pay_for_the_time_and_the_work_that_they_took():
    """One rack of 72 GPUs at 100 kW: a reads 20,000 tokens, b writes 10,000, each 20 s of a GPU of 72; idle 12 kW.

    Of 12 kW idle each pays 20/72. The other 88 kW go by 20 s times what a GPU draws beyond idle: in prefill 89 %, in
    decode 18.8 % of training. A second rack takes 100 kW less 12, serves nobody, and is nobody's; so are 32/72 of idle.
    """
    plant = plant_of({"chat": 1}, {"a": (["chat"], ["chat"], {}), "b": (["chat"], ["chat"], {})})
    world = World(plant)
    world.ask("a", 20.0, prompt=1000.0, answer=0.0)
    world.ask("b", 10.0, prompt=0.0, answer=1000.0)
    idle = RACK["idle_power"]
    rows = charge(world, plant, [[100e3 - idle, idle]])
    a, b = rows["service"].rack_energy[0]
    each, above = idle * 20 / GPUS, 100e3 - 2 * idle
    reads, writes = 0.89, 0.188
    assert a == pytest.approx(each + above * reads / (reads + writes), rel=1e-9)
    assert b == pytest.approx(each + above * writes / (reads + writes), rel=1e-9)
    assert rows["pool"].idle_energy[0, 0] == pytest.approx(idle * (1 - 40 / GPUS), rel=1e-9)
    assert (rows["pool"].gpu_time[0, 0], rows["pool"].busy_time[0, 0]) == pytest.approx((GPUS, 40.0))
    np.testing.assert_allclose(rows["service"].gpu_time, [[20.0, 20.0]])
    site = rows["site"]
    assert site.unallocated_rack_energy[0, 0] == pytest.approx(idle + idle * (1 - 40 / GPUS), rel=1e-9)
    assert site.rack_energy[0, 0] == pytest.approx(100e3)
    np.testing.assert_allclose(rows["service"].it_energy, [[1.2 * a, 1.2 * b]])
    np.testing.assert_allclose(rows["service"].facility_energy, [[1.5 * a, 1.5 * b]])
    np.testing.assert_allclose(rows["service"].energy_cost, [[1.5 * a * PRICE, 1.5 * b * PRICE]])
    assert site.unallocated_energy_cost[0, 0] == pytest.approx(PRICE * (150e3 - 1.5 * (a + b)), rel=1e-9)


def test_a_limit_that_holds_prefill_alone_shifts_what_it_pays():
    """With GPUs held to half of what prefill draws beyond idle, decode pays what it did and prefill by its limit."""
    plant = plant_of({"chat": 1}, {"a": (["chat"], ["chat"], {}), "b": (["chat"], ["chat"], {})})
    world = World(plant)
    world.ask("a", 20.0, prompt=1000.0, answer=0.0)
    world.ask("b", 10.0, prompt=0.0, answer=1000.0)
    rack = world.tables["rack"].machine
    span = float((rack._rated - rack._least)[0, 0])
    prefill, decode = 0.89 * span, 0.188 * span
    _, other = rack.asked_power(np.array([[40 / GPUS]]))
    limit = (0.5 * prefill + float(rack._least[0, 0]) + float(other[0, 0])) / RACK["rated_power"]
    given = world.inputs["rack"]
    world.inputs["rack"] = replace(given, power_limit=0.0 * given.power_limit + limit)
    rows = charge(world, plant, [[100e3, 0.0]])
    a, b = rows["service"].rack_energy[0]
    each, above = RACK["idle_power"] * 20 / GPUS, 100e3 - RACK["idle_power"]
    assert a == pytest.approx(each + above * 0.5 * prefill / (0.5 * prefill + decode), rel=1e-9)
    assert a + b == pytest.approx(2 * each + above, rel=1e-12)
    assert dynamic_share(1.0, rack._clocking)[0, 0] == pytest.approx(1.0)


def test_who_spills_into_a_second_pool_pays_there_too():
    plant = plant_of({"chat": 1, "spare": 1}, {"a": (["chat", "spare"], ["chat", "spare"], {})})
    world = World(plant)
    world.ask("a", 60.0)
    rows = charge(world, plant, [[60e3, 30e3, 10e3]])
    idle = rows["pool"].idle_energy
    assert rows["service"].rack_energy[0, 0] == pytest.approx(90e3 - idle.sum(), rel=1e-12)
    assert idle[0, 0] == pytest.approx(0.0, abs=1.0)
    assert idle[0, 1] == pytest.approx(RACK["idle_power"] * (1 - 12 * 1.5 / GPUS), rel=1e-3)
    assert rows["service"].gpu_time[0, 0] == pytest.approx(90.0, rel=1e-4)


JOB = {"step_time": 4.0, "exposed_communication": 0.0, "checkpoint_interval": 600.0, "checkpoint_time": 60.0,
       "resume_time": 300.0, "overhead_activity": 0.1}  # fmt: skip
IDLE = RACK["idle_power"]
WORKS = 80e3
"""What each of the racks takes beyond idle power at full activity [W]."""


class Charged(Bench):
    """A job on four racks of five that take idle power, and more by its activity; charged tick by tick."""

    def __init__(self, **storage):
        plant = Plant()
        names = racks(plant, 5)
        plant.add(Unit("job", "job", JOB | storage))
        plant.gather("job", names[:4])
        if storage:
            plant.add(Unit("store", "storage_system", dict(STORE)))
            plant.store("job", ["store"])
        super().__init__(plant)
        self.accounts = self.net.accounts

    def run(self, seconds, dt):
        for _ in range(round(seconds / dt)):
            before = dict(self.state)
            ports = super().run(dt, dt)
            drawn = np.zeros((self.members, 1 + sum(t.size for t in self.tables.values())))
            power = IDLE + WORKS * self.outputs["job"].activity[0, 0]
            drawn[:, self.tables["rack"].columns] = [[power] * 4 + [IDLE]]
            site = SimpleNamespace(it_power=np.array([[drawn.sum()]]), power=np.array([[1.25 * drawn.sum()]]))
            accounting.count(self.accounts, ports, self.inputs, before, self.state, site, drawn, dt)


@pytest.mark.parametrize("dt", [0.5, 7.0, 70.0, 350.0])
def test_steps_rolled_back_cost_what_they_took_at_any_tick(dt):
    """2,100 s: 1,920 s of work and 180 of checkpoints; then the 120 s since the last one are rolled back."""
    world = Charged()
    world.run(2100, dt)
    power = 4 * (IDLE + WORKS)
    assert world.of("step_energy") == pytest.approx(1920 * power, rel=1e-6)
    assert world.of("rack_energy") == pytest.approx(1920 * power + 180 * 4 * (IDLE + 0.1 * WORKS), rel=1e-6)
    assert world.of("lost_energy") == 0.0
    world.put("state", "rack", "shut_down", 1.0, 2)
    world.run(700, dt)
    assert world.of("unsaved_energy") == 0.0
    assert world.of("lost_energy") == pytest.approx(120 * power, rel=2e-2 if dt > 60 else 1e-6)
    assert world.of("lost_gpu_time") == pytest.approx(120 * 4 * GPUS, rel=1e-6)
    assert world.of("gpu_time") == pytest.approx(2800 * 4 * GPUS)
    assert world.of("facility_energy") == pytest.approx(1.25 * world.of("rack_energy"))
    site = world.state["site"]
    assert site.unallocated_rack_energy[0, 0] == pytest.approx(2800 * IDLE)


@pytest.mark.parametrize("dt", [1.0, 10.0, 40.0])
def test_gpus_idle_for_what_a_lost_part_of_their_storage_costs_them(dt):
    """A checkpoint takes 40 s at 20 GB/s; half of it lost 20 s before its end makes it 20 s longer.

    A step of 240 GB takes 6 s at 40 GB/s, where computing takes 4: a third of the time is waited, and none of it lost.
    At 20 GB/s it takes 12 s: two thirds are waited, and the second third is what the loss costs.
    """
    world = Charged(checkpoint_size=800 * GB, checkpoint_time=0.0, checkpoint_interval=600.0, step_time=4.0)
    world.run(620, dt if dt < 40 else 20.0)
    assert world.of("idle_gpu_time") == 0.0
    world.put("inputs", "storage_system", "controllers_failed", 2.0)
    world.run(40, dt)
    assert world.of("saving_time") == pytest.approx(60)
    assert world.of("idle_gpu_time") == pytest.approx(20 * 4 * GPUS)
    reading = Charged(checkpoint_size=800 * GB, checkpoint_time=0.0, checkpoint_interval=1e6, step_time=4.0,
                      step_data=240 * GB)  # fmt: skip
    reading.run(120, dt)
    assert (reading.of("idle_gpu_time"), reading.of("waiting_time")) == (0.0, pytest.approx(40))
    reading.put("inputs", "storage_system", "controllers_failed", 2.0)
    reading.run(120, dt)
    assert reading.of("waiting_time") == pytest.approx(40 + 80)
    assert reading.of("idle_gpu_time") == pytest.approx((2 / 3 - 1 / 3) * 120 * 4 * GPUS)
    assert reading.of("unsaved_gpu_time") == pytest.approx((240 - 40) * 4 * GPUS)


def test_a_plant_without_services_and_jobs_counts_nothing():
    plant = Plant()
    racks(plant, 2)
    plant.add(Unit("pool", "pool"))
    plant.gather("pool", ["rack-0"])
    assert Bench(plant).net.accounts is None
    assert SAID["prefill_rate"] > 0


@pytest.mark.parametrize("steps", [1e3, 5e7, 3e9])
def test_steps_since_a_checkpoint_add_up_however_many_went_before(steps):
    """A tick of 0.1 s in steps of 0.3 s: what is unsaved keeps the energy of the ticks before it."""
    made = (steps + 0.1 / 0.3) - steps
    assert made != 0.1 / 0.3
    plant = Plant()
    plant.add(Unit("job", "job", JOB))
    plant.gather("job", racks(plant, 1))
    machine = next(t.machine for t in compile_tables(plant, np) if t.key == "job")
    before = SimpleNamespace(steps=steps, unsaved=7.0, unsaved_energy=70.0, unsaved_gpu_time=7.0, step_energy=0.0,
                             lost_energy=0.0, lost_gpu_time=0.0, idle_gpu_time=0.0)  # fmt: skip
    did = SimpleNamespace(rate=np.array([[1.0]]), runs=1.0, restarting=0.0, saving=0.0, activity=1.0, fell=0.0,
                          lost=0.0, steps=steps + 0.1 / 0.3, unsaved=7.0 + 0.1 / 0.3 - 1e-12, stored=None)  # fmt: skip
    after = machine.spent(before, did, (np.array([[100.0]]), np.array([[20.0]])), 1.0, 0.1)
    assert float(np.ravel(after["unsaved_energy"])[0]) == pytest.approx(80.0)


def test_a_pool_without_services_beside_a_job_counts_what_its_racks_take():
    plant = Plant()
    names = racks(plant, 3)
    plant.add(Unit("job", "job", JOB))
    plant.gather("job", names[:2])
    plant.add(Unit("pool", "pool"))
    plant.gather("pool", names[2:])
    world = Bench(plant)
    before, ports = dict(world.state), world.run(10.0, 10.0)
    drawn = np.zeros((1, 1 + sum(t.size for t in world.tables.values())))
    drawn[:, world.tables["rack"].columns] = [[90e3, 90e3, IDLE]]
    site = SimpleNamespace(it_power=np.array([[drawn.sum()]]), power=np.array([[1.25 * drawn.sum()]]))
    accounting.count(world.net.accounts, ports, world.inputs, before, world.state, site, drawn, 10.0)
    pool = world.state["pool"]
    assert (pool.idle_energy[0, 0], pool.gpu_time[0, 0]) == pytest.approx((10 * IDLE, 10.0 * GPUS))
    assert pool.idle_facility_energy[0, 0] == pytest.approx(12.5 * IDLE)
    assert world.state["site"].unallocated_rack_energy[0, 0] == pytest.approx(10 * IDLE)


@pytest.mark.parametrize("kind", ["job", "service"])
def test_who_is_charged_is_not_called_as_a_sum_is(kind):
    plant = Plant()
    plant.add(Unit("total", kind, JOB if kind == "job" else SAID))
    wanted = "total is what reports call a sum of services and jobs; another name is wanted"
    assert wanted in [fault.text for fault in plant.faults()]


def test_what_a_table_of_credits_is_reckoned_by_is_kept_from_the_start():
    """Every column of it is one that a service has; without a table none is."""
    plant = Plant()
    plant.add(Unit("a", "service", SAID))
    assert not world._credits(SimpleNamespace(plant=plant))
    plant.add(Unit("b", "service", SAID | {"credit_below_1": 0.99, "credit_share_1": 0.1}))
    wanted = world._credits(SimpleNamespace(plant=plant))
    assert {name for _, name in wanted} <= set(quantities(KINDS["service"].State))
    assert len(wanted) == 5
