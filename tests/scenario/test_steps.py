"""Steps of a recorded demand: told where they begin and last, silent where demand wavers or follows the day."""

from __future__ import annotations

import numpy as np
import pytest

from twin.report import Findings
from twin.scenario import read
from twin.scenario.steps import steps
from twin.simulation import simulate
from twin.trace import open_trace


@pytest.mark.parametrize(
    ("counts", "every", "wanted"),
    [
        ([1000] * 30 + [1190] * 30, 10.0, []),  # less than a fifth
        ([1000] * 30 + [1250] * 30, 10.0, [30]),
        ([1000] * 30 + [1250] * 2 + [1000] * 30, 10.0, []),  # a burst of 20 s
        ([1000] * 3 + [1300] * 3, 300.0, [3]),
        ([0] * 10 + [1000] * 10 + [0] * 10, 60.0, [10, 20]),
        ([5] * 10 + [7] * 10, 60.0, []),  # so few that chance makes it
        ([], 10.0, []),
        ([7.0], 10.0, []),
    ],
)
def test_a_step_is_told_where_it_begins(counts, every, wanted):
    assert steps(counts, every) == wanted


def test_what_comes_by_chance_is_hardly_ever_told_and_a_step_in_it_is():
    random = np.random.default_rng(1)
    hours = [steps(random.poisson(50, 360).tolist(), 10.0) for _ in range(20)]
    assert sum(map(len, hours)) <= 10
    told = [steps(np.r_[random.poisson(50, 60), random.poisson(75, 60)].tolist(), 10.0) for _ in range(20)]
    assert sum(any(58 <= place <= 62 for place in each) for each in told) == 20


def test_the_timeline_has_steps_of_a_trace_and_of_events_and_no_course_of_a_day(tmp_path):
    moments = np.r_[np.arange(0.0, 80.0, 0.05), np.arange(80.0, 160.0, 0.02)]
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens", *(f"{moment:.2f},100,25" for moment in moments)]
    (tmp_path / "asked.csv").write_text("\n".join(lines), encoding="utf-8")
    path = tmp_path / "asked.yaml"
    path.write_text(
        "title: t\nplant: pod-serving\nrun: {duration: 150 s, tick: 2 s}\n"
        "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\n"
        "workload:\n  demand:\n    premium: {trace: asked.csv}\n    free: {requests: 100 request/s}\n"
        '    standard: {diurnal: {mean: 100 request/s, swing: 50 %, peak: "12:00:00", start: "06:00:00"}}\n'
        "    batch: {requests: 1 request/s}\n"
        "events:\n  - {at: 100 s, set: free.request_rate, to: 150 request/s}\n",
        encoding="utf-8",
    )
    scenario = read(path)
    simulate(scenario, trace=tmp_path / "asked.h5", device="cpu")
    with open_trace(tmp_path / "asked.h5") as trace:
        findings = Findings(trace)
        told = [(each.time, each.unit, each.what, each.why) for each in findings.entries]
        assert [each for each in told if "request rate" in each[2]] == [
            (80.0, "premium", "gets request rate 50 request/s (set)", "as the scenario has it"),
            (100.0, "free", "gets request rate 150 request/s (set)", "as the scenario has it"),
        ]
        fault = findings.measure["fault"]
        assert fault is not None
        assert fault["unit"] == "free", "demand that comes and goes is no fault; an event may stand for one"
