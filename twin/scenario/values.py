"""Values of a document: a node and a declared quantity in, an SI float out, or a fault that helps."""

from __future__ import annotations

import re

from twin import units
from twin.declare import Quantity
from twin.scenario.document import Broken, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice

TIME_OF_DAY = "a time of day"
"""What the words of a quantity say where hours and minutes are enough: "7:00"."""
HOURS = re.compile(r"[0-9]{1,2}:[0-5][0-9]")
LARGE = 100.0
"""From such an upper bound on a pure number is no share, and no example in percent helps."""
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


def is_difference(said: Quantity) -> bool:
    """Whether a quantity in K is a difference: its bounds or default lie far below any weather."""
    if said.unit != "K":
        return False
    known = [
        value for value in (said.at_most, said.below, said.default, said.at_least, said.above) if value is not None
    ]
    return bool(known) and known[0] < 150


def read(node: Node, said: Quantity, faults: Faults) -> float | None:
    """Read a node as a declared quantity; None after a fault."""
    if isinstance(node, Broken):
        return None
    if said.choices is not None:
        return _choice(node, said.choices, faults)
    if isinstance(node, Map | Seq) or node.empty:
        faults.add(node.where, f"{describe(node)} was found; {wanted(said)}")
        return None
    text = str(node).strip()
    if said.doc == TIME_OF_DAY and HOURS.fullmatch(text):
        text += ":00"
    try:
        value = units.parse(text, said.unit, is_difference(said))
    except units.BadValue as error:
        if said.doc == TIME_OF_DAY:
            faults.add(node.where, f"{describe(node)} was found; {wanted(said)}")
        else:
            faults.add(node.where, str(error).replace(units.wanted(said.unit), wanted(said)))
        return None
    fault = said.fault(value)
    if fault is None:
        return value
    bound, hint = _bound(value, said, "%" in str(node)), _hint(value, said, str(node))
    faults.add(node.where, f"{units.quoted(node)} is out of bounds; {bound} is wanted{hint}")
    return None


def written(said: Quantity) -> str:
    """Why an Input cannot be set that a run writes itself."""
    return f"cannot be set; the {said.writer} writes it"


def wanted(said: Quantity) -> str:
    """The closing clause of a fault: `a power is wanted, e.g. "120 kW"`."""
    if said.choices is not None:
        return f"one of {', '.join(said.choices)} is wanted"
    if said.doc == TIME_OF_DAY:
        return f'{TIME_OF_DAY} is wanted, e.g. "07:00"'
    if said.unit == "1" and (said.at_most or 0.0) >= LARGE:
        return f'{units.measures("1")} is wanted, e.g. "5"'
    return units.wanted(said.unit, "", is_difference(said))


def _choice(node: Node, choices: dict[str, float], faults: Faults) -> float | None:
    if isinstance(node, Text) and str(node) in choices:
        return choices[str(node)]
    if isinstance(node, Text) and not node.empty:
        near = advice(str(node), choices)
        faults.add(node.where, f"{units.quoted(node)} is not a choice here; {near}")
    else:
        faults.add(node.where, f"{describe(node)} was found; one of {', '.join(choices)} is wanted")
    return None


def _bound(value: float, said: Quantity, percent: bool = False) -> str:
    """The bound that a value breaks, in people's units; in per cent where the value is."""
    bounds = [
        ("more than", said.above, lambda limit: value > limit),
        ("at least", said.at_least, lambda limit: value >= limit),
        ("less than", said.below, lambda limit: value < limit),
        ("at most", said.at_most, lambda limit: value <= limit),
    ]
    for words, limit, holds in bounds:
        if limit is not None and not holds(limit):
            pure = f"{100 * limit:g} %" if percent else f"{limit:g}"
            shown = pure if said.unit == "1" else units.show(limit, said.unit)
            return f"{words} {shown}"
    return said.fault(value) or "another value"


def _hint(value: float, said: Quantity, text: str) -> str:
    """A question that names the likely slip: kilo and mega mixed up, or a per cent sign forgotten."""
    if said.unit == "1":
        bounds = (said.above, said.at_least, said.below, said.at_most)
        slip = "%" not in text and 5 <= value <= 100 and all(bound is None or abs(bound) <= 2 for bound in bounds)
        share = slip and said.fault(value / 100) is None and said.name != "in_service" and not said.failure
        return f'; did you mean "{value:g} %"?' if share else ""
    if said.unit == "K":
        return ""
    for factor in (-1.0,) if said.unit == "s" else (1e-3, 1e3, -1.0):
        if said.fault(value * factor) is None:
            if factor < 0 and text.lstrip().startswith("-"):
                return f'; did you mean "{text.strip()[1:].strip()}"?'
            return f'; did you mean "{units.show(value * factor, said.unit)}"?'
    return ""


def whole(node: Node, faults: Faults, least: int, most: int) -> int | None:
    """Read a node as a whole number within bounds; None after a fault."""
    if isinstance(node, Broken):
        return None
    text = str(node) if isinstance(node, Text) else ""
    if WHOLE.fullmatch(text) and least <= int(text) <= most:
        return int(text)
    faults.add(node.where, f"{describe(node)} was found; a whole number from {least} to {most} is wanted")
    return None


def words(node: Node, faults: Faults, longest: int = 4000, doc: str = "") -> str | None:
    """Read a node as words for people; None after a fault.

    Args:
        node: what was written.
        faults: takes the fault.
        longest: characters that are read.
        doc: what the words are.
    """
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Text) or node.empty or not node.strip():
        said = f": {doc}" if doc else ""
        faults.add(node.where, f"{describe(node)} was found; words are wanted{said}")
        return None
    text = str(node).strip()
    bad = next((letter for letter in text if not letter.isprintable() and letter not in "\n\t"), None)
    if bad is not None:
        faults.add(node.where, f"control character U+{ord(bad):04X} stands among the words; plain words are wanted")
        return None
    if len(text) > longest:
        faults.add(node.where, f"{len(text)} characters were found; at most {longest} are wanted")
        return None
    return text
