"""Draws: seeded by run, member, unit and input; within bounds; as often as they should be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from twin.scenario import Change, read
from twin.scenario.draws import generator

Save = Callable[..., str]


def drawn(save: Save, small: str, line: str, *, members: int = 1, seed: int = 1) -> list[Change]:
    text = small[: small.index("draws:")] + f"draws:\n  {line}\n"
    return [change for change in read(save(text), members=members, seed=seed).changes if change.verb == "draw"]


def test_a_stream_is_pinned() -> None:
    """The same bits for ever, on every machine: a stored seed must mean the same drill."""
    first = generator(1, 0, "generator-1", "start_delay").random(2)
    assert first.tolist() == pytest.approx([0.4987874294, 0.4850807386], abs=1e-9)


def test_a_member_is_drawn_alike_alone_and_among_others(save: Save, small: str) -> None:
    line = "generator.start_delay: {uniform: [8 s, 12 s]}"
    few, many = drawn(save, small, line, members=2), drawn(save, small, line, members=64)
    assert few == [change for change in many if change.member is not None and change.member < 2]
    other = drawn(save, small, "generator-2.start_delay: {uniform: [8 s, 12 s]}", members=2)
    assert other == [change for change in few if change.unit == "generator-2"]
    assert drawn(save, small, line, members=2, seed=2) != few


@pytest.mark.parametrize(
    ("line", "mean", "deviation"),
    [
        ("{uniform: [8 s, 12 s]}", 10.0, 4 / 12**0.5),
        ("{normal: [10 s, 1 s]}", 10.0, 1.0),
        ("{exponential: 10 s}", 10.0, 10.0),
        ("{choice: [8 s, 12 s]}", 10.0, 2.0),
        ("{choice: {8 s: 0.25, 12 s: 75 %}}", 11.0, 3**0.5),
    ],
)
def test_moments(save: Save, small: str, line: str, mean: float, deviation: float) -> None:
    values = [change.value for change in drawn(save, small, f"generator-1.start_delay: {line}", members=2000)]
    assert len(values) == 2000
    assert np.mean(values) == pytest.approx(mean, abs=5 * deviation / 2000**0.5)
    assert np.std(values) == pytest.approx(deviation, rel=0.1)


def test_a_probability_writes_a_row_where_it_happens(save: Save, small: str) -> None:
    found = drawn(save, small, "generator-1.fails_to_start: {probability: 10 %}", members=2000)
    assert {change.value for change in found} == {1.0}
    assert len(found) == pytest.approx(200, abs=5 * (2000 * 0.09) ** 0.5)
    assert drawn(save, small, "generator-1.fails_to_start: {probability: 0}", members=50) == []


def test_what_is_drawn_keeps_to_the_declared_bounds(save: Save, small: str) -> None:
    found = drawn(save, small, "generator-1.start_delay: {normal: [1 s, 10 s]}", members=500)
    assert min(change.value for change in found) >= 0


def test_words_are_drawn_too(save: Save, small: str) -> None:
    found = drawn(save, small, "generator-1.mode: {choice: {auto: 0.5, locked_out: 0.5}}", members=200)
    assert {change.value for change in found} == {1.0, 3.0}
