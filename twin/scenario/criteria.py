"""Criteria in words: "max(rack.die_temperature) < 88 degC", "no rack.shut_down". Judging lives in report."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twin import units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import Where
from twin.scenario.document import Broken, Node, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.forms import items
from twin.scenario.names import Directory
from twin.scenario.values import is_difference

FUNCTIONS = ("max", "min", "final")
OPERATORS = ("<=", ">=", "<", ">")
POINTS_AT = r"(?P<target>[A-Za-z][\w/-]*)\.(?P<quantity>\w+)"
COMPARES = re.compile(rf"\s*(?P<function>\w+)\s*\(\s*{POINTS_AT}\s*\)\s*(?P<operator>[<>=!]+)\s*(?P<limit>.+?)\s*")
NO = re.compile(rf"\s*no\s+{POINTS_AT}\s*")


@dataclass(frozen=True)
class Criterion:
    """One thing a drill must keep to; `target` is a kind or a unit, `limit` is SI.

    "no" asks that a flag never rises; it has the operator "<" and the limit 0.5.
    """

    text: str
    function: str
    target: str
    quantity: str
    operator: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a value of its function keeps to it."""
        return {
            "<": value < self.limit,
            "<=": value <= self.limit,
            ">": value > self.limit,
            ">=": value >= self.limit,
        }[self.operator]


def lower(node: Node, directory: Directory, faults: Faults) -> list[Criterion]:
    """The section `criteria`."""
    found = []
    for item in items(node, faults):
        if isinstance(item, Broken):
            continue
        if not isinstance(item, Text) or item.empty:
            faults.add(item.where, f"{describe(item)} was found; {_example()} is wanted")
            continue
        made = criterion(str(item), item.where, directory, faults)
        if made is not None:
            found.append(made)
    return found


def _example() -> str:
    return 'a sentence like "max(rack.die_temperature) < 88 degC" or "no rack.shut_down"'


def criterion(text: str, where: Where, directory: Directory, faults: Faults) -> Criterion | None:
    """Read one criterion; None after a fault."""
    shown = units.quoted(text)
    none = NO.fullmatch(text)
    found = none or COMPARES.fullmatch(text)
    if found is None or len(text) > 400:
        faults.add(where, f"{shown} is not understood; {_example()} is wanted")
        return None
    if none is None and found["function"] not in FUNCTIONS:
        faults.add(where, f'{shown}: "{found["function"]}" is not known; {advice(found["function"], FUNCTIONS)}')
        return None
    if none is None and found["operator"] not in OPERATORS:
        faults.add(where, f'{shown}: "{found["operator"]}" cannot be judged; one of {" ".join(OPERATORS)} is wanted')
        return None
    said = _quantity(found["target"], found["quantity"], shown, where, directory, faults)
    if said is None:
        return None
    if none is not None:
        if said.flag is None and not said.failure:
            compared = f'"max({found["target"]}.{said.name}) < ..."'
            faults.add(where, f"{shown}: {said.name} is not a flag that rises; compare it, e.g. {compared}")
            return None
        return Criterion(text, "no", found["target"], said.name, "<", 0.5)
    try:
        limit = units.parse(found["limit"], said.unit, is_difference(said))
    except units.BadValue as error:
        faults.add(where, f"{shown}: {error}")
        return None
    return Criterion(text, found["function"], found["target"], said.name, found["operator"], limit)


def _quantity(
    target: str, name: str, shown: str, where: Where, directory: Directory, faults: Faults
) -> Quantity | None:
    """The declared quantity of a kind or a unit that is recorded."""
    kind = directory.kind_of.get(target) or (target if target in directory.of_kind else None)
    if kind is None and directory.excuses(target):
        return None
    if kind is None:
        known = [*directory.of_kind, *directory.kind_of]
        faults.add(where, f'{shown}: there is no unit or kind "{target}"; {advice(target, known)}')
        return None
    made = KINDS[kind]
    recorded = quantities(made.State) | quantities(made.Outputs) | quantities(made.Inputs)
    if name in recorded:
        return recorded[name]
    note = f"{name} is a rating and does not change" if name in quantities(made) else advice(name, recorded)
    faults.add(where, f'{shown}: a {kind} records no "{name}"; {note}')
    return None
