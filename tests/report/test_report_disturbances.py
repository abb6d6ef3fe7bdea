"""Disturbances: sags of a trace on the ITIC curve."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twin.report.disturbances import placed
from twin.trace import Event


def story(*steps: tuple[float, float], end: float = 100.0, member: int = 0) -> Any:
    events = [Event(time, member, "utility-a", "input:voltage", value) for time, value in steps]
    return SimpleNamespace(events=events, end=end)


def test_each_sag_and_swell_lies_where_the_curve_puts_it() -> None:
    found = placed(story((1, 0.3), (1.015, 1.0), (2, 0.3), (2.06, 1.0), (3, 0.75), (3.4, 1.0), (5, 1.3), (6, 1.0)))
    assert [(each.region, each.limit) for each in found] == [
        ("no interruption", 0.0),
        ("no damage", 0.7),
        ("no interruption", 0.7),
        ("prohibited", 1.1),
    ]
    assert [round(each.sag.length, 3) for each in found] == [0.015, 0.06, 0.4, 1.0]


def test_a_sag_that_does_not_end_lasts_to_the_end_and_other_members_are_not_asked() -> None:
    (only,) = placed(story((90, 0.85)))
    assert (only.sag.length, only.region) == (10.0, "no interruption")
    assert placed(story((90, 0.85), member=1)) == []
