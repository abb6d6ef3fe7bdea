"""Criteria: a small grammar, checked against what the kinds declare."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twin.scenario import Criterion, read

Save = Callable[..., str]


def one(save: Save, small: str, text: str) -> Criterion:
    (found,) = read(save(small[: small.index("criteria:")] + f"criteria: ['{text}']\n")).criteria
    return found


def test_a_limit_is_si(save: Save, small: str) -> None:
    text = "max(rack.die_temperature) < 88 degC"
    assert one(save, small, text) == Criterion(text, "max", "rack", "die_temperature", "<", 361.15)


def test_spaces_are_free(save: Save, small: str) -> None:
    found = one(save, small, "  final ( rack-01.die_temperature )>=300 K ")
    assert (found.function, found.target, found.operator, found.limit) == ("final", "rack-01", ">=", 300.0)


def test_no_asks_that_a_flag_never_rises(save: Save, small: str) -> None:
    found = one(save, small, "no rack.shut_down")
    assert (found.function, found.quantity) == ("no", "shut_down")
    assert found.holds(0.0)
    assert not found.holds(1.0)


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_it_is_judged_as_written(operator: str, below: bool, at: bool, above: bool) -> None:
    made = Criterion("", "max", "rack", "x", operator, 10.0)
    assert [made.holds(value) for value in (9.0, 10.0, 11.0)] == [below, at, above]
    assert not made.holds(float("nan"))
