"""What failures took: power that racks lack because nobody asks for it is no loss, in reports as in sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_hall import small_data, small_plant, write

from twin.plant import Unit
from twin.report.findings import Findings
from twin.trace import Event, open_trace

OUT = Event(60.0, 0, "rack-1", "input:in_service", 0)


def lost(at: Path, data: dict[str, Any], events: list[Event], plant: Any) -> dict[str, Any]:
    time = small_data()[0]
    made: dict[str, Any] = Findings(write(at, time, data, events, plant=plant)).measure["lost"]
    return made


def drawing(by_rack: np.ndarray) -> dict[str, Any]:
    """Data of the small hall whose eight racks draw so much (time, rack) [W], and the site their sum."""
    data = small_data()[1]
    data["rack"]["power"] = by_rack[:, None, :]
    data["site"]["it_power"][:, 0, 0] = by_rack.sum(axis=1)
    data["site"].pop("work_energy", None)
    return data


def fallen(*falls: tuple[float, int]) -> np.ndarray:
    """100 kW a rack, and none of it from a moment [s] on for so many of the last racks."""
    time = small_data()[0]
    power = np.full((len(time), 8), 1e5)
    for moment, count in falls:
        power[time > moment, 8 - count :] = 0.0
    return power


def test_the_power_of_a_queue_that_runs_empty_is_nobodys_loss(drilled) -> None:
    """The urgent job falls back for a lost rack at 30:00; at 84:30 the last job has ended and all racks stand idle."""
    with open_trace(drilled("jobs-in-a-queue")[0]) as trace:
        found = Findings(trace).measure["lost"]
    assert found["power_lost_end"] == 0.0
    assert 1800.0 < found["power_lost_peak_time"] < 1920.0
    assert found["power_lost_peak"] == pytest.approx(0.62e6, rel=0.02)


def test_a_gang_that_stops_whole_loses_all_that_it_drew(drilled) -> None:
    with open_trace(drilled("training-rack-lost")[0]) as trace:
        found = Findings(trace).measure["lost"]
    assert found["power_lost_peak"] == pytest.approx(795914.6, abs=1.0)
    assert abs(found["power_lost_end"]) < 100.0


def test_what_a_crashed_pool_lacks_is_lost_and_not_the_checkpoint_beside_it(drilled) -> None:
    with open_trace(drilled("weights-loaded-again")[0]) as trace:
        found = Findings(trace).measure["lost"]
    assert 120.0 < found["power_lost_peak_time"] <= 300.0
    assert found["power_lost_end"] == 0.0


def test_what_a_crew_takes_away_because_of_a_fault_is_lost_to_it(drilled) -> None:
    with open_trace(drilled("biased-sensor-stuck-valve")[0]) as trace:
        assert Findings(trace).measure["lost"]["power_lost_end"] == pytest.approx(85859.0, abs=10.0)


@pytest.mark.parametrize(("asked", "end"), [(None, 3e5), (0.2, 1e5)])
def test_racks_of_which_less_is_asked_have_lost_nothing(at: Path, asked: float | None, end: float) -> None:
    """rack-1 is taken out at 60 s; at 200 s two others draw nothing: because less is asked of them, or not."""
    power = fallen((200.0, 2))
    power[small_data()[0] > 60.0, 0] = 0.0
    quiet = [Event(200.0, 0, f"rack-{k}", "input:utilisation", asked) for k in (7, 8)] if asked is not None else []
    found = lost(at, drawing(power), [OUT, *quiet], small_plant())
    assert (found["power_before"], found["power_lost_end"]) == (8e5, pytest.approx(end))


@pytest.mark.parametrize(("flag", "until", "peak"), [("", None, 1e5), ("waiting", None, 3e5), ("waiting", 200.4, 1e5)])
def test_a_pool_whose_services_keep_up_lacks_nothing(at: Path, flag: str, until: float | None, peak: float) -> None:
    """One rack of eight is out, two more draw nothing: in a quiet hour, while requests wait, or after they have.

    Who has caught up between two rows lacks nothing in the second, however seldom a run is recorded.
    """
    plant = small_plant()
    plant.add(Unit("chat", "pool"))
    plant.add(Unit("free", "service"))
    plant.gather("chat", [f"rack-{k}" for k in range(1, 9)])
    plant.serve("free", ["chat"], ["chat"])
    power = fallen((200.0, 2))
    power[small_data()[0] > 60.0, 0] = 0.0
    late = [Event(190.0, 0, "free", flag, 1)] if flag else []
    late += [Event(until, 0, "free", flag, 0)] if until else []
    data = drawing(power)
    columns = {"pool": {"busy": 1}, "service": {"queued": 1}}
    for kind, names in columns.items():
        data[kind] = {name: np.zeros((len(power), 1, 1)) for name in names}
    found = lost(at, data, [OUT, *late], plant)
    assert found["power_lost_peak"] == pytest.approx(peak)
    assert found["power_lost_end"] == pytest.approx(1e5 if until else peak)


def test_the_row_after_a_checkpoint_has_lost_nothing(at: Path) -> None:
    """rack-1 is out from 60 s on; the job of the others saves from 100 to 150 s, and means go back over 5 s."""
    time = small_data()[0]
    plant = small_plant()
    plant.add(Unit("train", "job", parameters={"step_time": 5.0}))
    plant.gather("train", [f"rack-{k}" for k in range(2, 9)])
    power = np.full((len(time), 8), 1e5)
    saves = (time > 100.0) & (time <= 150.0)
    power[saves, 1:] = 0.3e5
    power[time > 60.0, 0] = 0.0
    data = drawing(power)
    data["site"]["work_energy"] = np.cumsum(power.sum(axis=1) * np.diff(time, prepend=time[:1]))[:, None, None]
    data["job"] = {"saving_time": np.cumsum(saves * np.diff(time, prepend=time[:1]))[:, None, None]}
    found = lost(at, data, [OUT], plant)
    assert (found["power_before"], found["power_lost_peak"]) == (pytest.approx(8e5), pytest.approx(1e5))


def test_before_a_fault_in_a_checkpoint_is_the_work_before_the_checkpoint(drilled) -> None:
    """Four racks draw 143 kW in the mean of their iterations, 78 kW in the checkpoint in which the fault strikes."""
    with open_trace(drilled("storage-controller-lost")[0]) as trace:
        findings = Findings(trace)
        found = findings.measure["lost"]
        (room,) = (each for each in findings.ladder if each.asset == "air of rooms")
    assert room.outcome() == "not drawn on", "it is as warm as before when work goes on after the checkpoint"
    assert found["power_before"] == pytest.approx(143.2e3, rel=0.005)
    assert found["power_lost_peak"] == pytest.approx(102e3, rel=0.01), "they stand without their storage from 21:00 on"
    assert found["power_lost_peak_time"] >= 1260.0
