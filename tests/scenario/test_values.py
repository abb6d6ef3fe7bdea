"""Nodes and declared quantities: bounds, choices, and the likely slip."""

from __future__ import annotations

import pytest

from twin.declare import Quantity, quantities
from twin.equipment.tank import Tank
from twin.faults import Where
from twin.scenario import values
from twin.scenario.document import Text
from twin.scenario.faults import Faults

POWER = Quantity("rated_power", "W", "rated power", above=0, at_most=2e6)
SHARE = Quantity("share", "1", "share", at_least=0, at_most=1)
MODE = Quantity("mode", "1", "switch", choices={"off": 0.0, "auto": 1.0})

SHORT = Quantity("delay", "s", "delay", at_least=0, at_most=60)
TWO = quantities(Tank)["stratified"]


def node(text: str) -> Text:
    made = Text(text)
    made.where, made.plain = Where("try.yaml", 1), True
    return made


def told(text: str, said: Quantity) -> str:
    faults = Faults()
    assert values.read(node(text), said, faults) is None
    (fault,) = faults.errors
    return fault.text


def test_a_number_that_is_no_share_has_no_example_in_percent() -> None:
    priority = Quantity("", "1", "a priority", at_least=-1e6, at_most=1e6)
    assert told("high", priority) == '"high" is not one number and one unit; a pure number is wanted, e.g. "5"'
    assert told("much", SHARE).endswith('a pure number is wanted, e.g. "85 %"')


def test_good_values() -> None:
    faults = Faults()
    assert values.read(node("135 kW"), POWER, faults) == 135e3
    assert values.read(node("85 %"), SHARE, faults) == 0.85
    assert values.read(node("auto"), MODE, faults) == 1.0
    assert len(faults) == 0


@pytest.mark.parametrize(
    ("text", "said", "sentence"),
    [
        ("135 MW", POWER, '"135 MW" is out of bounds; at most 2 MW is wanted; did you mean "135 kW"?'),
        ("-5 kW", POWER, '"-5 kW" is out of bounds; more than 0 W is wanted; did you mean "5 kW"?'),
        ("85", SHARE, '"85" is out of bounds; at most 1 is wanted; did you mean "85 %"?'),
        ("-1", SHARE, '"-1" is out of bounds; at least 0 is wanted'),
        ("aut", MODE, '"aut" is not a choice here; did you mean "auto"?'),
        ("1", MODE, '"1" is not a choice here; one of off, auto is wanted'),
        ("2 h", SHORT, '"2 h" is out of bounds; at most 60 s is wanted'),
        ("0.5", TWO, '"0.5" is not a choice here; one of 0, 1, no, yes is wanted'),
        ("~", POWER, 'nothing was found; a power is wanted, e.g. "10 kW"'),
    ],
)
def test_bad_values(text: str, said: Quantity, sentence: str) -> None:
    assert told(text, said) == sentence


@pytest.mark.parametrize(
    ("bounds", "difference"),
    [
        ({"above": 0, "at_most": 60}, True),
        ({"default": 8.0, "above": 0}, True),
        ({"at_most": 30}, True),
        ({"above": 250, "below": 400}, False),
        ({"default": 313.15}, False),
        ({"at_least": 250}, False),
        ({}, False),
    ],
)
def test_which_kelvins_are_differences(bounds: dict[str, float], difference: bool) -> None:
    assert values.is_difference(Quantity("x", "K", "", **bounds)) is difference  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["2.5", "0o17", "07", "1e3", "yes", "", "-1", "99999999999999999999", "１"])
def test_what_is_no_whole_number(text: str) -> None:
    faults = Faults()
    assert values.whole(node(text), faults, 0, 1000) is None
    assert len(faults.errors) == 1
