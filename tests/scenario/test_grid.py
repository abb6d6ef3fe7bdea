"""Requests of the grid become ramps of one input of the site."""

from __future__ import annotations

from collections.abc import Callable

from twin.scenario import read

Save = Callable[..., str]


def test_down_held_and_up_again(save: Save, head: str) -> None:
    text = head.replace("30 min", "3 h") + "grid: {requests: [{at: 10 min, reduce: 25 %, ramp: 15 min, for: 1 h}]}\n"
    found = [(c.unit, c.input, c.time, c.until, c.value) for c in read(save(text)).changes]
    assert found == [
        ("site", "power_request", 600.0, 1500.0, 0.75),
        ("site", "power_request", 5100.0, 6000.0, 1.0),
    ]


def test_an_end_after_the_run_is_left_out(save: Save, head: str) -> None:
    text = head + "grid: {requests: [{at: 10 min, reduce: 25 %, ramp: 15 min, for: 1 h}]}\n"
    assert [change.value for change in read(save(text)).changes] == [0.75]
