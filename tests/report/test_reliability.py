"""Reliability: intervals as scipy has them, unions of outages, and what a trace with failures says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import twin
from twin.report.bands import band, interval, per_event, poisson, student
from twin.report.reliability import covered
from twin.report.sorted_members import curves

SITE = """\
title: Racks that fail
plant:
  units:
    utility-a: {kind: utility, rated_power: 2 MW}
    rack-01..04: {like: gb300-nvl72, feeds: utility-a, air_fraction: 0 %, shelf_count: 0, storage_capacity: 0 J,
      restart_time: 0 s, soft_start_time: 0 s, check_time: 0 s, ramp_time: 0 s, drain_time: 0 s}
    pump-1: {like: pump-25lps, feeds: utility-a}
    cooler-1: {like: dry-cooler-2900kw, feeds: utility-a}
    pretrain: {kind: job, racks: rack-01..04, step_time: 4 s, checkpoint_interval: 10 min,
      checkpoint_time: 20 s, resume_time: 4 min}
  coolant:
    technology: {fluid: pg25, plant: [[pump-1, cooler-1]], loads: [rack-01..04]}
run: {duration: 12 h, tick: 1 min, record: 1 h, members: 3}
weather: {dry_bulb: 20 degC, relative_humidity: 50 %}
"""


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 20, 1000])
def test_students_t(freedom: int) -> None:
    assert student(freedom) == pytest.approx(special.stdtrit(freedom, 0.975), rel=1e-3)


@pytest.mark.parametrize("events", [1, 2, 5, 30, 419])
def test_the_limits_of_a_count(events: int) -> None:
    exact = special.gammaincinv(events, 0.025), special.gammaincinv(events + 1, 0.975)
    """To 1 % from five events on; below that they err on the wide side."""
    assert poisson(events) == pytest.approx(exact, rel=0.01 if events >= 5 else 0.08, abs=0.0 if events > 1 else 0.4)
    assert poisson(events)[0] <= exact[0] * 1.001


def test_a_band_holds_the_mean_its_interval_and_each_value() -> None:
    found = band(np.array([0.9, 0.8, 1.0, 0.9]), 1.0)
    assert (found["mean"], found["p50"]) == (pytest.approx(0.9), pytest.approx(0.9))
    reach = 3.18245 * 0.0816497 / 2
    assert (found["low"], found["high"]) == (pytest.approx(0.9 - reach), 1.0)
    assert found["values"] == [0.9, 0.8, 1.0, 0.9]
    assert interval(np.array([1.0])) == (None, None)


def test_the_mean_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(2000):
        low, high = interval(random.normal(3.0, 1.0, 8))
        held += low is not None and high is not None and low <= 3.0 <= high
    assert held / 2000 == pytest.approx(0.95, abs=0.02)


def test_time_between_interruptions_is_that_of_all_members_together() -> None:
    found = per_event(3600.0, np.array([2, 0, 4]))
    assert found is not None
    assert found["value"] == 1800.0
    assert found["low"] < 1800.0 < found["high"]
    assert per_event(3600.0, np.array([0, 0])) is None


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=12))
def test_the_union_of_stretches(rows: list[tuple[int, int]]) -> None:
    stretches = [(float(start), float(start + length)) for start, length in rows]
    whole = {second for start, length in rows for second in range(start, start + length)}
    assert covered(stretches) == len(whole)


def test_a_rack_that_fails_stops_its_job_and_counts_against_its_racks(tmp_path: Path) -> None:
    """By hand: member 1 loses one rack of four for two hours of twelve; nothing else happens."""
    path = tmp_path / "site.yaml"
    path.write_text(
        SITE
        + "events:\n  - {at: 2 h, fail: rack-02, member: 1}\n  - {at: 4 h, restore: rack-02, member: 1}\n"
        + "  - {at: 8 h, fail: pretrain.crash, member: 1}\n  - {at: 8.1 h, restore: pretrain.crash, member: 1}\n"
    )
    drill = twin.run(path, output=tmp_path / "site.h5")
    found = drill.findings.reliability
    assert found is not None
    assert found["racks"]["availability"]["values"] == pytest.approx([1.0, 1 - 2 / 48, 1.0], abs=1e-6)
    job = found["jobs"]["pretrain"]
    assert job["interruptions"]["values"] == [0.0, 2.0, 0.0]
    assert job["availability"]["values"] == pytest.approx([1.0, 1 - 2.1 / 12, 1.0], abs=1e-6)
    assert job["mean_time_between_interruptions"]["value"] == pytest.approx(3 * 12 * 3600 / 2)
    quiet = 600 * 69 + 12 * 3600 - 69 * 620  # whole cycles of 620 s, and what is left of the run
    assert job["effective_training_time"]["values"][0] == pytest.approx(quiet / (12 * 3600), rel=1e-9)
    assert job["goodput"]["values"] == pytest.approx(job["effective_training_time"]["values"], rel=2e-3)
    assert drill.to_json()["reliability"] == found
    assert [label for label, _ in curves(found)] == ["pretrain: goodput", "availability of racks"]


def test_chance_tells_its_causes_in_timeline_table_page_and_json(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE + "failures:\n  rack-03.in_service: {every: 4 h, repair: 30 min, why: a leaking hose}\n")
    drill = twin.run(path, output=tmp_path / "site.h5")
    found = drill.findings.reliability
    assert found is not None
    struck = sum(change.verb == "failure" for change in drill.scenario.changes)
    assert found["failures"][0]["failures"] == struck > 3
    assert found["failures"][0]["mean_repair"] == pytest.approx(1800.0)
    assert found["jobs"]["pretrain"]["causes"] == {"a leaking hose": struck}
    assert found["jobs"]["pretrain"]["interruptions"]["values"] == [
        sum(change.verb == "failure" and change.member == member for change in drill.scenario.changes)
        for member in range(3)
    ]
    told = [entry for entry in drill.findings.entries if entry.why == "a leaking hose"]
    assert len(told) == struck
    assert {entry.what for entry in told} == {"is taken out of service (fail)"}
    stops = [entry for entry in drill.findings.entries if entry.unit == "pretrain" and entry.what.startswith("stops")]
    assert all(entry.cause is not None and drill.findings.entries[entry.cause].unit == "rack-03" for entry in stops)
    page = twin.open_trace(tmp_path / "site.h5")
    from twin.report import report

    text = report(page, tmp_path / "site.html").read_text(encoding="utf-8")
    assert "a leaking hose" in text
    assert "95 % interval of the mean" in text
    assert 'alt="Goodput and availability of each member, sorted"' in text
    json.dumps(drill.to_json(), allow_nan=False)


def test_a_run_in_which_nothing_can_fail_says_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("members: 3", "members: 1").replace("12 h", "1 h"))
    assert twin.run(path, output=tmp_path / "site.h5").findings.reliability is None
