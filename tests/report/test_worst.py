"""The worst moment: on drills whose worst an engineer can point at, and by hand on a made trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_hall import small_data, small_events, write

from twin.report.findings import Findings
from twin.report.story import Story
from twin.report.worst import worst_moment
from twin.trace import Event, open_trace

WORST = [
    ("cdu-lost-tokens", 156, 160, "its racks throttle from 2:16.8 and are hottest at 2:38"),
    ("cdu-leak", 735, 745, "all eight racks have shut down at 12:15"),
    ("racks-return-in-turn", 60.1, 120, "all racks stand, none of them starts yet"),
    ("black-building", 260.8, 300, "the last battery is empty at 4:20.7; until then racks only throttle"),
    ("training-rack-lost", 900.1, 1200, "the gang stands for one rack, before that one is back"),
    ("jobs-in-a-queue", 1800, 1920, "the urgent job falls back and restarts with another rack"),
    ("facility-water-lost", 233, 300, "all racks shut down at 3:52, long after the first throttled"),
    ("fire-panel-row", 120.1, 1020, "four racks stand and their row is dead, before it is given back"),
    ("leaf-lost-in-serving", 134, 720, "tokens are given up while the switch is out, not after"),
    ("full-pool-by-tier", 301, 900, "tokens are given up for want of the rack, not at the moment it goes"),
    ("tank-mixed", 359, 480, "the tank is exhausted, which fails the drill"),
    ("utility-loss-sequence", 125, 137.5, "the board is dead and the UPS carry the racks"),
    ("biased-sensor-stuck-valve", 895, 910, "the supply is warmest, which fails the drill"),
    ("generator-fuel-runs-out", 1560.9, 1620, "the racks have shut down, not when the fuel ends at 19:39"),
]


@pytest.mark.parametrize(("drill", "begin", "end", "why"), WORST, ids=[each[0] for each in WORST])
def test_the_worst_moment_of_a_drill_is_that_of_its_harm(
    drilled, drill: str, begin: float, end: float, why: str
) -> None:
    with open_trace(drilled(drill)[0]) as trace:
        findings = Findings(trace)
        assert begin <= findings.worst <= end, why
        assert begin <= findings.worst_row <= end, why


def test_who_throttles_counts_half_of_who_stands(at: Path) -> None:
    """Three throttle from 100 to 200 s, two stand from 300 to 400 s: 1.5 against 2."""
    hot = [Event(100.0, 0, f"rack-{k}", "throttled", 1) for k in (1, 2, 3)]
    cool = [Event(200.0, 0, f"rack-{k}", "throttled", 0) for k in (1, 2, 3)]
    out = [Event(300.0, 0, f"rack-{k}", "unpowered", 1) for k in (1, 2)]
    back = [Event(400.0, 0, f"rack-{k}", "unpowered", 0) for k in (1, 2)]
    cause = [Event(60.0, 0, "utility-a", "input:in_service", 0)]
    time, data = small_data()
    for kind in ("rack", "ups", "tank", "cdu"):
        data.pop(kind, None)
    made = write(at, time, data, [*cause, *hot, *cool, *out, *back])
    assert worst_moment(Story(made), 0) == pytest.approx(305.0, abs=1.0)


def test_on_a_small_hall_it_is_when_two_racks_had_shut_down(at: Path) -> None:
    findings = Findings(write(at, *small_data(), small_events()))
    peak = findings.measure["lost"]["units_peak_time"]
    assert peak <= findings.worst <= peak + 6.0
