"""Sentences of criteria: whatever stands there, they are read or refused with a column and one sentence."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twin.scenario.sentence import BEGINNINGS, FORMS, FUNCTIONS, LONGEST, TOKENS, Sentence, Unclear, parse

WORDS = (
    *BEGINNINGS, "of", "to", "after", "before", "between", "and", "within", "restored", "lost", "rack", "racks",
    "cdu-3", "'s", ".", "(", ")", "<", ">=", "==", "88", "degC", "60 s", "%", "trips", "throttle", "shut_down",
    "token", "per", "rack-01..32", "__import__", "'os'", "\u2019s", "°C", "\U0001f525", "\x00", "\u202e", "（",
    "loads",
)  # fmt: skip
"""Pieces of sentences, good and hostile ones."""


def read_or_refused(text: str) -> Sentence | Unclear:
    try:
        return parse(text)
    except Unclear as error:
        return error


def refused(text: str) -> Unclear:
    with pytest.raises(Unclear) as told:
        parse(text)
    return told.value


@given(st.one_of(st.text(max_size=600), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)))
@example("(" * 400)
@example("max(" * 100)
@example("no " + "a" * 396)
@example("no a's b's c's trip")
@example("time to to to to >= 1")
@example("\ud800")
def test_nothing_but_its_own_fault_is_raised(text: str) -> None:
    came = read_or_refused(text)
    if isinstance(came, Unclear):
        assert 1 <= came.column <= LONGEST + 1
        assert len(str(came)) < 400
        assert str(came).isprintable()


def test_the_forms_that_are_named_are_all_there_are_and_can_be_read() -> None:
    examples = re.findall('"([^"]+)"', FORMS)
    assert [parse(each) for each in examples]
    assert {each.split()[0].partition("(")[0] for each in examples} | set(FUNCTIONS) == set(BEGINNINGS)
    for more in (*FUNCTIONS, *TOKENS, "energy per token", "revenue lost", "cost of energy"):
        assert re.search(rf"\b{more}\b", FORMS), more


@given(st.text(alphabet=string.printable, min_size=LONGEST + 1, max_size=5000))
def test_what_is_too_long_is_told_so(text: str) -> None:
    assert "characters were found" in str(refused(text))


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        (
            "__import__('os')",
            1,
            f'"__import__" begins no criterion; a sentence like {FORMS} is wanted',
        ),
        ("max(rack.die_temperature < 88 degC", 26, '")" is wanted, and "<" was found'),
        ("max(rack) < 1", 9, '"." is wanted, and ")" was found'),
        ("max(rack.power) = 1 MW", 17, '"=" cannot be judged; one of <= >= < > is wanted'),
        ("max(rack.power) 1 MW", 17, 'one of <= >= < > is wanted, and "1" was found'),
        ("max(rack.power) <", 18, "a limit is wanted, and the end was found"),
        ("no rack", 8, 'the end was found; what they do is wanted, e.g. "no rack throttles"'),
        ("no rack trips (really)", 15, '"(" was not expected here; the sentence is already whole'),
        ("tokens burnt < 1 %", 8, '"burnt" is not known of tokens; one of lost, deferred, served is wanted'),
        ("all loads restored in 5 min", 20, '"within" is wanted, and "in" was found'),
        ("time to throttle of", 20, "a unit or a kind is wanted, and the end was found"),
        ("max(rack.power) < 1 MW between 1 min", 37, '"and" is wanted, and the end was found'),
        ("", 1, "nothing was found"),
        ("\uff4dax(rack.power) < 1 MW", 1, "FULLWIDTH LATIN SMALL LETTER M (U+FF4D) stands here"),
        ("max(r\u0430ck.power) < 1 MW", 6, '"." is wanted, and CYRILLIC SMALL LETTER A (U+0430) was found'),
        ("((((((((((", 1, '"(" begins no criterion'),
    ],
)
def test_a_fault_has_its_column(text: str, column: int, told: str) -> None:
    error = refused(text)
    assert error.column == column
    assert told in str(error)


def test_a_window_ends_a_limit() -> None:
    said = parse("max(rack.power) < 3 min 20 s between 1 min and 2 min 30 s")
    pieces = [said.limit, said.opens, said.closes]
    assert [piece and piece.text for piece in pieces] == ["3 min 20 s", "1 min", "2 min 30 s"]


def test_both_apostrophes_own() -> None:
    for mark in ("'", "\u2019"):
        who = parse(f"time to throttle of cdu-3{mark}s racks >= 60 s").who
        assert who is not None
        assert (who.name.text, who.of and who.of.text) == ("racks", "cdu-3")
