"""Names, ranges and targets."""

from __future__ import annotations

import pytest

from twin.scenario.names import BadName, Directory, expand, split


@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [
        ("rack-07", "rack-07", "rack-07", 1),
        ("rack-01..32", "rack-01", "rack-32", 32),
        ("cdu-1..10", "cdu-1", "cdu-10", 10),
        ("h001..116", "h001", "h116", 116),
        ("h01..02/rack-1..3", "h01/rack-1", "h02/rack-3", 6),
        ("a1..2b3..4", "a1b3", "a2b4", 4),
    ],
)
def test_ranges_make_many(text: str, first: str, last: str, count: int) -> None:
    names = expand(text)
    assert (names[0], names[-1], len(names)) == (first, last, count)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rack-10..01", '"rack-10..01" runs backwards; "01..10" is wanted'),
        ("x-1..10000000", '"x-1..10000000" makes more than 100000 names; a shorter range is wanted'),
        (
            "x-1..99999999999999999999",
            '"x-1..99999999999999999999" makes more than 100000 names; a shorter range is wanted',
        ),
        ("rack-a..c", '"rack-a..c" is not a range; one like "rack-01..32" is wanted'),
        ("", "an empty name was found; letters, digits, - and _ are wanted in a name"),
        ("a b", '"a b" is not a name; a letter and then letters, digits, - and _ are wanted'),
    ],
)
def test_what_is_no_range(text: str, sentence: str) -> None:
    with pytest.raises(BadName) as told:
        expand(text)
    assert str(told.value) == sentence


def test_only_places_write_a_slash() -> None:
    with pytest.raises(BadName, match='contains "/", which places write'):
        expand("east/pdu-1", placed=False)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rack-01..32.utilisation", ("rack-01..32", "utilisation")),
        ("rack-01..32", ("rack-01..32", "")),
        ("cdu-*.mode", ("cdu-*", "mode")),
        ("utility-a", ("utility-a", "")),
        ("..", ("..", "")),
    ],
)
def test_a_target_and_its_quantity(text: str, parts: tuple[str, str]) -> None:
    assert split(text) == parts


@pytest.fixture
def directory() -> Directory:
    racks = [(f"rack-{n:02d}", "rack") for n in range(1, 33)]
    return Directory([("site", "site"), *racks, ("h1/cdu-1", "cdu"), ("tank-a", "tank")])


def test_targets_find_units_in_their_order(directory: Directory) -> None:
    assert directory.find("rack-07") == ("rack-07",)
    assert directory.find("rack") == tuple(f"rack-{n:02d}" for n in range(1, 33))
    assert directory.find("rack-02..03") == ("rack-02", "rack-03")
    assert directory.find("rack-3?") == ("rack-30", "rack-31", "rack-32")
    assert directory.find("*/cdu-*") == ("h1/cdu-1",)
    assert "site" not in directory.find("*")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rac", 'there is no unit or kind "rac"; did you mean "rack"?'),
        ("tankk-a", 'there is no unit or kind "tankk-a"; did you mean "tank-a"?'),
        (
            "rack-31..34",
            'there is no unit or kind "rack-33" (and 1 more of "rack-31..34"); did you mean "rack-32"?',
        ),
        ("rck-*", 'no unit matches "rck-*"; did you mean "rack-32"?'),
        ("rack-[1]*", '"rack-[1]*" is not a pattern; letters, digits, -, _, * and ? are wanted'),
    ],
)
def test_targets_that_find_nothing_name_the_nearest(directory: Directory, text: str, sentence: str) -> None:
    with pytest.raises(BadName) as told:
        directory.find(text)
    assert str(told.value) == sentence


def test_a_hostile_pattern_does_not_run_for_ever() -> None:
    directory = Directory([("a" * 64, "rack")])
    with pytest.raises(BadName):
        directory.find("*a" * 30 + "b")
