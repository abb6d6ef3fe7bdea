"""Pump groups: a standby pump that a lead pump's loss calls, in a plant and in its timeline."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import CHILLER, PUMP, add, branch, four_racks
from twin.plant import Loop, Plant, SignalLine
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import simulate
from twin.trace import open_trace


def group(delay: float = 3.0) -> Plant:
    """Two trains of pump and chiller, of which the second stands by."""
    plant = four_racks()
    for i in (1, 2):
        add(plant, f"pump-{i}", "pump", ("board",), restart_delay=1.0, ramp_time=5.0, on_call=float(i == 2), **PUMP)
        add(plant, f"chiller-{i}", "chiller", ("board",), **CHILLER)
    trains = [branch(f"pump-{i}", f"chiller-{i}") for i in (1, 2)]
    plant.add_loop(Loop("facility", "water", trains, [branch("cdu.facility")]))
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], [branch(f"rack-{i}") for i in range(1, 5)]))
    plant.add_signal(SignalLine("pump-1", "lost_for", "pump-2", "call", delay))
    return plant


def run(folder, changes, plant=None, duration=60.0):
    scenario = Scenario("group", "", plant or group(), RunSettings(duration, 0.1), changes=changes, text="group")
    simulate(scenario, trace=folder / "group.h5", device="cpu")
    return open_trace(folder / "group.h5")


def test_the_standby_starts_after_the_lead_pump_is_lost_and_goes_when_it_is_back(tmp_path):
    """Off at 10 s, without flow a little later, 3 s of delay, a second until it turns, five to full speed."""
    trace = run(tmp_path, [Change(10.0, "pump-1", "mode", 0.0), Change(40.0, "pump-1", "mode", 1.0)])
    speed, time = trace["pump-2.speed_now"].values[:, 0], trace.time
    lost = time[np.argmax(trace["pump-1.lost_for"].values[:, 0] > 0)]
    assert 11 < lost < 15
    begins = time[np.argmax(speed > 0)]
    assert begins == pytest.approx(lost + 3 + 1, abs=0.31), "a tick for the signal and one to be seen"
    assert time[np.argmax(speed == 1.0)] == pytest.approx(begins + 5, abs=0.11)
    assert speed[time == 41].max() == 1.0
    assert speed[-1] < 0.05
    told = [event.flag for event in trace.events if event.unit == "pump-2"]
    assert told == ["called", "stopped", "called", "stopped"]


def test_a_standby_that_fails_to_start_leaves_the_loop_without_flow(tmp_path):
    trace = run(tmp_path, [Change(5.0, "pump-2", "fails_to_start", 1.0), Change(10.0, "pump-1", "in_service", 0.0)])
    assert trace["pump-2.speed_now"].values.max() == 0.0
    waited = trace["pump-1.lost_for"].values[-1] - trace["pump-2.lost_for"].values[-1]
    assert waited == pytest.approx(3.0, abs=0.21)
    assert abs(trace["cdu.facility_flow_now"].values[-1]) < 1e-6
