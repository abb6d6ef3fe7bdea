"""Jobs on gangs of racks: steps, checkpoints and rollbacks by hand, at any tick; the slowest sets the pace."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.networks.work_bench import Bench, racks
from twin.physics.training import activity, communication, worked
from twin.plant import Plant, Unit

SAID = {"step_time": 4.0, "exposed_communication": 0.0, "checkpoint_interval": 600.0, "checkpoint_time": 60.0,
        "resume_time": 300.0}  # fmt: skip


class World(Bench):
    """A job on four racks of five."""

    def __init__(self, rack=None, **ratings):
        plant = Plant()
        names = racks(plant, 5, **(rack or {}))
        plant.add(Unit("job", "job", SAID | ratings))
        plant.gather("job", names[:4])
        super().__init__(plant)


@pytest.mark.parametrize("dt", [0.5, 7.0, 70.0, 350.0])
def test_steps_checkpoints_and_rollback_by_hand(dt):
    """2,100 s: 3 whole cycles of 600 + 60 s and 120 s of work, 1,920 s in all; then a rack is lost and comes back."""
    world = World()
    world.run(2100, dt)
    assert world.of("steps") == pytest.approx(1920 / 4)
    assert world.of("saving_time") == pytest.approx(180)
    assert world.of("unsaved") == pytest.approx(30)
    world.put("state", "rack", "shut_down", 1.0, 2)
    world.run(700, dt)
    assert world.of("steps") == pytest.approx(1800 / 4)
    assert world.of("lost_steps") == pytest.approx(30)
    assert (world.of("interruptions"), world.of("stopped"), world.of("racks_able")) == (1, 1, 3)
    world.put("state", "rack", "shut_down", 0.0, 2)
    world.run(700, dt)
    assert world.of("restarting_time") == pytest.approx(300)
    assert world.of("steps") == pytest.approx((1800 + 400) / 4)
    assert world.of("stopped_time") == pytest.approx(700)


def test_a_spare_goes_on_without_a_rack():
    world = World(spares=1.0)
    world.run(60, 1.0)
    world.put("state", "rack", "unpowered", 1.0, 0)
    world.run(360, 1.0)
    assert (world.of("interruptions"), world.of("stopped")) == (1, 0)
    assert world.of("lost_steps") == pytest.approx(15), "whoever is lost, the gang falls back"
    assert world.of("steps") == pytest.approx(15), "and goes on at once after its restart"
    world.put("state", "rack", "unpowered", 1.0, 1)
    world.run(60, 1.0)
    assert (world.of("steps"), world.of("stopped")) == (0.0, 1.0)


def test_a_job_that_is_cut_off_from_the_network_stops():
    world = World()
    world.run(60, 1.0)
    world.put("inputs", "rack", "bandwidth_share", 0.0, 1)
    world.run(60, 1.0)
    assert (world.of("steps"), world.of("stopped"), world.of("racks_able")) == (0.0, 1.0, 3)


def test_a_lost_switch_tray_slows_what_waits_for_the_network_and_all_of_them_stop_it():
    """One of nine trays: 0.8 + 0.2 x 9/8; where the fabric leaves less, that is what counts."""
    world = World(exposed_communication=0.2, rack={"nvlink_trays": 9.0})
    world.put("inputs", "rack", "trays_lost", 1.0, 3)
    world.run(60, 1.0)
    assert world.of("pace") == pytest.approx(1 / (0.8 + 0.2 * 9 / 8))
    world.put("inputs", "rack", "bandwidth_share", 0.5, 0)
    world.run(1, 1.0)
    assert world.of("pace") == pytest.approx(1 / 1.2)
    world.put("inputs", "rack", "trays_lost", 9.0, 3)
    world.run(1, 1.0)
    assert (world.of("stopped"), world.of("racks_able")) == (1.0, 3)
    plain = World(exposed_communication=0.2)
    plain.put("inputs", "rack", "trays_lost", 9.0, 3)
    plain.run(60, 1.0)
    assert plain.of("pace") == 1.0, "a rack without trays loses none"


def test_a_rack_on_its_way_to_full_work_sets_the_pace():
    world = World()
    world.put("state", "rack", "load_share", 0.25, 3)
    world.run(4, 1.0)
    assert world.of("steps") == pytest.approx(0.25)


def test_a_rack_of_nobody_is_no_loss():
    world = World()
    world.put("state", "rack", "shut_down", 1.0, 4)
    ports = world.run(60, 1.0)
    assert world.of("stopped") == 0.0
    assert np.isnan(ports["rack"].work.training[0, 4])


def test_the_slowest_and_the_worst_connected_set_the_pace():
    """One rack at 80 % of its clock, one with half its bandwidth: 0.8/(0.8 + 0.2/0.5)."""
    world = World(exposed_communication=0.2)
    world.put("outputs", "rack", "training_speed", 0.8, 1)
    world.put("inputs", "rack", "bandwidth_share", 0.5, 3)
    world.run(60, 1.0)
    assert world.of("pace") == pytest.approx(0.8 / 1.2)
    assert world.of("steps") == pytest.approx(60 / 4 * 0.8 / 1.2)


def test_iterations_show_at_short_ticks_and_vanish_at_long_ones():
    """4 s a step, a quarter of it waiting at 40 %: peaks and troughs at 0.1 s, their mean at 4 s."""
    world = World(exposed_communication=0.25)
    seen = [world.run(0.1, 0.1)["rack"].work.training[0, 0] for _ in range(40)]
    assert max(seen) == pytest.approx(1.0)
    assert min(seen) == pytest.approx(0.4)
    assert np.mean(seen) == pytest.approx(0.75 + 0.25 * 0.4)
    assert World(exposed_communication=0.25).run(4, 4.0)["rack"].work.training[0, 0] == pytest.approx(0.85)


def test_a_crash_costs_what_was_not_saved():
    world = World()
    world.run(500, 1.0)
    world.put("inputs", "job", "crash", 1.0)
    world.run(1, 1.0)
    world.put("inputs", "job", "crash", 0.0)
    world.run(299, 1.0)
    assert world.of("steps") == 0.0
    assert world.of("lost_steps") == pytest.approx(125)
    world.run(11, 1.0)
    assert world.of("steps") == pytest.approx(2.5)


@given(st.floats(0, 1e6), st.floats(1, 1e5), st.floats(0, 1e4), st.floats(0, 1e5))
def test_work_is_never_faster_than_time(elapsed, interval, pause, more):
    def W(t):
        return float(worked(np.array(t), interval, pause))

    gained = W(elapsed + more) - W(elapsed)
    assert -1e-6 <= gained <= more + 1e-6
    assert W(3 * (interval + pause) * (1 + 1e-12)) == pytest.approx(3 * interval)


@given(st.floats(0, 1e5), st.floats(0.01, 50), st.floats(0, 0.9), st.floats(0, 1))
def test_activity_lies_between_quiet_and_full_and_adds_up(steps, more, waits, quiet):
    def mean(start, length):
        return float(activity(np.array(start), np.array(length), waits, quiet))

    assert quiet - 1e-6 <= mean(steps, more) <= 1 + 1e-6
    halves = (mean(steps, more / 2) + mean(steps + more / 2, more / 2)) / 2
    assert mean(steps, more) == pytest.approx(halves, abs=1e-6)


def test_half_the_bandwidth_doubles_what_is_exposed():
    longer, waits = communication(0.2, np.array([1.0, 0.5, 0.25]))
    np.testing.assert_allclose(longer, [1.0, 1.2, 1.6])
    np.testing.assert_allclose(waits, [0.2, 0.4 / 1.2, 0.5])
