"""The clock: ticks, zooms, the order within a moment, ramps, and times that do not depend on the tick."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import chain, pod
from twin.scenario import Change, ControllerSpec, RunSettings, Scenario, Zoom
from twin.simulation import CHANGES, CONTROL, STEP, Simulation, simulate
from twin.trace import open_trace


def run(tmp_path, plant, settings, changes=(), initial=(), controllers=(), name="run"):
    scenario = Scenario(
        name, "", plant, settings, list(initial), sorted(changes, key=lambda c: c.time), list(controllers), text=name
    )
    simulate(scenario, trace=tmp_path / f"{name}.h5", device="cpu")
    return open_trace(tmp_path / f"{name}.h5")


def pumps_lost(at=10.0):
    return [
        Change(at, f"cdu-{i}", f"{which}_pump_failed", 1.0, verb="fail")
        for i in (1, 2)
        for which in ("duty", "standby")
    ]


def full_load():
    return [Change(0.0, f"rack-{i:02d}", "utilisation", 1.0) for i in range(1, 9)]


def moments(trace, unit):
    return {event.flag: event.time for event in trace.events if event.unit == unit and event.value == 1}


def test_limits_are_met_at_the_same_moment_at_ticks_of_a_second_a_tenth_and_a_hundredth(tmp_path):
    """Loss of all technology flow: throttle, slowdown and shutdown within a quarter of a minute, a few K apart."""
    found = []
    for tick, length in ((1.0, 45.0), (0.1, 45.0), (0.01, 40.5)):
        settings = RunSettings(length, tick, record=1.0)
        trace = run(tmp_path, pod(), settings, pumps_lost(), full_load(), name=f"t{tick}")
        found.append(moments(trace, "rack-05"))
    for flag in ("throttled", "slowed", "shut_down"):
        times = [times[flag] for times in found]
        assert max(times) - min(times) < 0.02, (flag, times)
    assert found[0]["throttled"] < found[0]["slowed"] < found[0]["shut_down"] < 60


def test_two_limits_crossed_in_one_long_tick_take_effect_in_their_order(tmp_path):
    trace = run(tmp_path, pod(), RunSettings(100.0, 20.0), pumps_lost(), full_load(), name="long")
    times = moments(trace, "rack-05")
    assert times["throttled"] < times["slowed"] < times["shut_down"]


def test_a_zoom_shortens_the_ticks_between_its_ends_and_every_one_is_recorded(tmp_path):
    settings = RunSettings(30.0, 1.0, [Zoom(9.5, 1.0, 0.1)], record=5.0)
    time = run(tmp_path, chain(), settings).time
    inside = time[(time > 9.5 + 1e-6) & (time <= 10.5 + 1e-6)]
    assert len(inside) == 10
    np.testing.assert_allclose(np.diff(inside), 0.1, atol=1e-9)
    assert time[-1] == 30.0
    assert len(time[time > 10.6]) <= 6


def test_a_change_lands_on_the_first_tick_at_or_after_its_time(tmp_path):
    changes = [Change(3.0, "rack-1", "utilisation", 0.0), Change(5.4, "rack-2", "utilisation", 0.0)]
    trace = run(tmp_path, chain(), RunSettings(10.0, 1.0), changes)
    power = trace["rack.power"].values[:, 0]
    falls = [int(np.argmax(np.diff(power[:, k]) < -1e4)) for k in (0, 1)]
    assert [trace.time[k + 1] for k in falls] == [4.0, 7.0]  # means of the ticks 3-4 s and 6-7 s


def sagging(begins, length, residual=0.4):
    return [
        Change(begins, "utility", "voltage", residual, verb="sag"),
        Change(begins + length, "utility", "voltage", 1.0),
    ]


def with_contactor(delay=0.1):
    plant = chain()
    plant.units["pump"].parameters |= {"undervoltage_limit": 0.7, "undervoltage_delay": delay, "restart_delay": 2.0}
    return plant


@pytest.mark.parametrize("begins", [10.0, 10.237])
def test_a_contactor_feels_a_sag_within_a_second_at_any_tick(tmp_path, begins):
    """40 % for 300 ms drops a contactor of 100 ms out 100 ms after it began, and back 2 s after it ended."""
    for tick in (1.0, 0.1, 0.01):
        settings = RunSettings(14.0, tick, record=1.0)
        trace = run(tmp_path, with_contactor(), settings, sagging(begins, 0.3), name=f"sag{tick}")
        found = [(e.value, e.time) for e in trace.events if (e.unit, e.flag) == ("pump", "tripped")]
        assert [value for value, _ in found] == [1, 0]
        assert [time for _, time in found] == pytest.approx([begins + 0.1, begins + 2.3], abs=1e-3), tick


def test_a_contactor_rides_through_a_sag_shorter_than_its_delay_at_any_tick(tmp_path):
    for tick in (1.0, 0.01):
        settings = RunSettings(12.0, tick, record=1.0)
        trace = run(tmp_path, with_contactor(), settings, sagging(10.2, 0.09), name=f"short{tick}")
        assert not [e for e in trace.events if e.flag == "tripped"]


def test_a_sag_and_a_lost_feed_have_ticks_of_their_own_and_the_others_keep_their_ends(tmp_path):
    lost = [Change(5.25, "utility", "in_service", 0.0), Change(5.5, "utility", "in_service", 1.0)]
    slight = [Change(7.5, "utility", "voltage", 0.95), Change(7.75, "utility", "voltage", 1.0)]
    settings = RunSettings(9.0, 1.0, [Zoom(2.9, 0.4, 0.2)])
    trace = run(tmp_path, chain(), settings, sagging(2.2, 0.3) + sagging(3.0, 0.05) + lost + slight)
    wanted = [0, 1, 2, 2.2, 2.5, 2.9, 3, 3.05, 3.1, 3.3, 4.3, 5.25, 5.3, 5.5, 6.3, 7.3, 8.3, 9]
    np.testing.assert_allclose(trace.time, wanted, atol=1e-9)


def test_a_ramp_runs_in_a_straight_line_and_ends_at_its_value(tmp_path):
    changes = [Change(10.0, "rack-1", "utilisation", 0.25, until=20.0, verb="ramp")]
    trace = run(tmp_path, chain(), RunSettings(30.0, 1.0), changes)
    asked = trace["rack-1.utilisation"].values[:, 0].ravel()
    assert asked[10] == pytest.approx(0.85)
    assert asked[16] == pytest.approx(0.85 - 0.5 * 0.6, abs=1e-6)  # the tick that began at 15 s
    assert asked[-1] == pytest.approx(0.25)


def test_within_a_moment_changes_come_before_controllers_before_the_step():
    assert CHANGES < CONTROL < STEP
    scenario = Scenario("order", "", chain(), RunSettings(3.0, 1.0), text="order",
                        changes=[Change(2.0, "site", "power_request", 0.5)],
                        controllers=[ControllerSpec("power_cap", 2.0, 1.0)])  # fmt: skip
    simulation = Simulation(scenario, device="cpu")
    simulation.run()
    cap = simulation.inputs["rack"].power_limit
    assert (cap < 1.0).all(), "the controller at 2 s must see the request of 2 s"
    idle = simulation.state.outputs["rack"].power
    assert (idle <= cap * 135e3 * 1.02).all(), "the tick from 2 s must see the cap of 2 s"


def test_members_can_be_changed_alone(tmp_path):
    changes = [Change(2.0, "rack-1", "utilisation", 0.0, member=1)]
    trace = run(tmp_path, chain(), RunSettings(5.0, 1.0, members=2), changes)
    power = trace["rack-1.power"].values[-1].ravel()
    assert power[0] > 100e3 > power[1]


def test_the_same_scenario_gives_the_same_bytes(tmp_path):
    settings = RunSettings(20.0, 1.0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, pod(4), settings, pumps_lost(5.0), name="same")
    assert (tmp_path / "a" / "same.h5").read_bytes() == (tmp_path / "b" / "same.h5").read_bytes()


def test_the_settled_state_is_steady(tmp_path):
    trace = run(tmp_path, pod(), RunSettings(300.0, 1.0, record=10.0))
    for column in ("rack.die_temperature", "cdu.supply_temperature", "tank.temperature", "zone.temperature"):
        drift = np.ptp(trace[column].values, axis=0).max()
        assert drift < 0.02, (column, drift)
    assert not list(trace.events)


@pytest.mark.parametrize("tick", [1.0, 10.0, 60.0, 300.0])
def test_controls_do_not_cycle_at_any_tick(tmp_path, tick):
    """A step of load and of weather, then peace: valve and supply come to rest where a fine tick brings them."""
    changes = [Change(0.0, f"rack-{i:02d}", "utilisation", 0.5) for i in range(1, 9)] + [
        Change(0.0, "site", "dry_bulb", 308.15)
    ]
    trace = run(tmp_path, pod(), RunSettings(max(60 * tick, 1800.0), tick), changes, name=f"cycle{tick}")
    valve, supply = trace["cdu.valve"].values[:, 0, 0], trace["cdu.supply_temperature"].values[:, 0, 0]
    assert abs(supply[-1] - 313.15) < 0.02
    last = valve[-15:]
    swings = np.diff(np.sign(np.diff(last)[np.abs(np.diff(last)) > 1e-5]))
    assert np.ptp(last) < 2e-3, last
    assert np.count_nonzero(swings) <= 2, last
