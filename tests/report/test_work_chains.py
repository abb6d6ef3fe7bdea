"""Causes of jobs: what slows, stops and keeps them waiting, by hand, on six racks with and without a queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from told_lines import Told, told_of

RACK = (
    "like: gb300-nvl72, air_fraction: 0 %, shelf_count: 0, storage_capacity: 0 J, restart_time: 4 min,"
    " soft_start_time: 0 s, check_time: 0 s, ramp_time: 0 s, drain_time: 0 s"
)
RATINGS = (
    "step_time: 4 s, exposed_communication: 0 %, checkpoint_interval: 10 min, checkpoint_time: 20 s, resume_time: 2 min"
)
SITE = f"""\
title: Six racks and their jobs
plant:
  units:
    utility-a: {{{{kind: utility, rated_power: 2 MW}}}}
    board-1..2: {{{{kind: bus, feeds: utility-a}}}}
    rack-01..03: {{{{{RACK}, feeds: board-1}}}}
    rack-04..06: {{{{{RACK}, feeds: board-2}}}}
    pump-1: {{{{like: pump-25lps, feeds: utility-a}}}}
    cooler-1: {{{{like: dry-cooler-2900kw, feeds: utility-a}}}}
{{units}}
  coolant:
    technology: {{{{fluid: pg25, plant: [[pump-1, cooler-1]], loads: [rack-01..06]}}}}
weather: {{{{dry_bulb: 20 degC, relative_humidity: 50 %}}}}
"""
OWN = f"    train: {{kind: job, racks: rack-01..04, {RATINGS}}}"
QUEUE = "scheduler: {racks: rack-01..06, period: 10 s, place: [power]}\n"


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def ran(rest: str, minutes: float, tick: str = "5 s", units: str = "") -> Told:
        timing = f"run: {{duration: {minutes} min, tick: {tick}, record: 1 min}}\n"
        return told_of(SITE.format(units=units) + timing + rest, tmp_path)

    return ran


def of(told: Told, unit: str) -> Told:
    return [each for each in told if each[0].startswith(f"{unit} ")]


def test_a_cap_slows_a_gang_and_a_gang_that_stands_is_not_at_its_pace(told: Callable[..., Told]) -> None:
    """One rack of four is capped to 40 %: its clock, and with it that of all, falls. Another one is lost for 2 min."""
    events = """\
events:
  - {at: 2 min, set: rack-02.power_limit, to: 40 %}
  - {at: 4 min, fail: rack-03}
  - {at: 6 min, restore: rack-03}
  - {at: 9 min, set: rack-02.power_limit, to: 100 %}
"""
    cap, lost = "rack-02 gets power limit 40 % (set)", "train stops, and loses what it has not saved"
    assert of(told(events, 10, units=OWN), "train") == [
        ("train goes slower", "its racks are capped", cap),
        (lost, "its gang is not whole", "rack-03 is taken out of service (fail)"),
        ("train is no longer slow: it stands", "", lost),
        ("train may run again", "", "rack-03 is put back in service (restore)"),
        ("train reads its last checkpoint", "a restart takes 2 min", "train may run again"),
        ("train runs again", "", "train reads its last checkpoint"),
        ("train goes slower", "its racks are capped", cap),
        ("train goes at its pace again", "", "rack-02 gets power limit 100 % (set)"),
    ]


def test_the_grid_slows_a_job_of_a_queue_not_its_scheduler(told: Callable[..., Told]) -> None:
    """The site is to take 60 %; a controller caps the racks. That the job got its racks has nothing to do with it."""
    rest = f"""\
workload: {{jobs: {{a: {{racks: 4, work: 60 min, {RATINGS}}}}}}}
{QUEUE}grid: {{requests: [{{at: 3 min, reduce: 40 %, ramp: 1 min, for: 3 min}}]}}
controllers: [{{kind: power_cap, period: 5 s, gain: 0.5}}]
"""
    said = of(told(rest, 10), "a")
    assert said[:4] == [
        ("a waits for racks (scheduler)", "it arrives", ""),
        ("a gets its racks (scheduler)", "on 4 racks: rack-01..rack-04", "a waits for racks (scheduler)"),
        ("a starts from nothing", "a start takes 2 min, with no checkpoint yet", "a gets its racks (scheduler)"),
        ("a runs", "", "a starts from nothing"),
    ]
    down, up = (f"site is asked to go to {share} % of its power within 60 s (grid)" for share in (60, 100))
    assert said[4] == ("a goes slower", "its racks are capped", down)
    assert said[-1] == ("a goes at its pace again", "", up)


def test_a_job_that_cannot_go_says_why(told: Callable[..., Told]) -> None:
    """Three of six racks hang on the board that dies: four cannot be had any more, and b stands behind a.

    Before that b waits for racks that a has. rack-01 to 03 lose power 22 ms after their board; a finds it out a tick
    later, is back in the queue two looks later, 20 s, and is told what it lacks with the next.
    """
    rest = f"""\
workload:
  jobs:
    a: {{racks: 4, work: 60 min, {RATINGS}}}
    b: {{racks: 4, work: 60 min, arrives: 30 s, {RATINGS}}}
{QUEUE}events:
  - {{at: 1 min, fail: board-1}}
"""
    found = told(rest, 2, "500 ms")
    lost, waits = "a stops, and loses what it has not saved", "a waits for racks (scheduler)"
    assert of(found, "a")[3:] == [
        (lost, "its gang is not whole", "rack-01 loses power"),
        ("a breaks its start off", "", lost),
        (waits, "rack-01 and 2 more lost", lost),
        ("a no longer waits for its own racks: it is back in the queue", "", waits),
        ("a still waits for racks (scheduler)", "4 racks wanted, 3 of 6 can work", "rack-01 loses power"),
    ]
    assert of(found, "b") == [
        ("b waits for racks (scheduler)", "it arrives: 4 racks wanted, 2 free", ""),
        ("b still waits for racks (scheduler)", "4 racks wanted, 3 of 6 can work", "rack-01 loses power"),
        ("b still waits for racks (scheduler)", "a stands before it", waits),
    ]
