"""The section `expected`: the sequence of operations that a drill should show, step by step, with its times."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from twin import units
from twin.scenario import conditions
from twin.scenario.changes import Targets
from twin.scenario.conditions import Condition
from twin.scenario.document import Map, Node
from twin.scenario.form import Form
from twin.scenario.forms import Length, Raw, Time, Word, Words, fill, items

FAULT, PREVIOUS, START = "fault", "previous", "start"
ALL = "all"


@dataclass(frozen=True)
class Expected:
    """One thing that should come about; `condition` must begin to hold for `count` units (0: for all of them).

    `within` is counted [s] from what it comes `after`, `by` is a moment of the run [s]; without both it must only come.
    """

    text: str
    condition: Condition
    within: float | None
    by: float | None
    after: str
    count: int
    name: str = ""


class ExpectedForm(Form):
    """One step of the expected sequence of operations."""

    what: Raw = Field(description="condition that begins to hold, alarm that is raised, procedure or repair that ends")
    within: Length | None = Field(default=None, description="how long it may take, counted from `after`")
    by: Time | None = Field(default=None, description="moment of the run by which it must have come")
    after: Annotated[str, Word((FAULT, PREVIOUS, START))] = Field(
        default=FAULT, description="what its time is counted from: the first fault, the step before, or the start"
    )
    units: Raw = Field(default=None, description="of how many units: a number, or all; of one, if absent")
    name: Annotated[str, Words(80)] | None = Field(default=None, description="what the report calls it")


def lower(node: Node, targets: Targets, duration: float, known: Collection[str]) -> list[Expected]:
    """The section `expected`.

    Args:
        duration: of the run [s].
        known: names of alarms, procedures and repairs.
    """
    found = (_one(each, targets, duration, known) for each in items(node, targets.faults))
    return [each for each in found if each is not None]


def _one(node: Node, targets: Targets, duration: float, known: Collection[str]) -> Expected | None:
    faults = targets.faults
    form = fill(ExpectedForm, node, faults)
    if form is None or not isinstance(node, Map) or "what" not in node:
        return None
    condition = conditions.read(node["what"], targets.directory, faults, known)
    if "within" in node and "by" in node:
        faults.add(node.where_of("by"), "within and by stand together; one of them is wanted")
    if isinstance(form.by, float) and form.by > duration:
        text = f"{units.quoted(str(node['by']))} lies after the end of the run ({units.show(duration, 's')})"
        faults.add(node["by"].where, text)
    if "by" in node and "after" in node:
        faults.add(node.where_of("after"), 'by is a moment of the run and comes after nothing; leave "after" out')
    if condition is None or not form.complete:
        return None
    count = _count(node, condition, targets)
    name = form.name or ""
    return Expected(_said(node, form, condition, count), condition, form.within, form.by, form.after, count, name)


def _count(node: Map, condition: Condition, targets: Targets) -> int:
    """Of how many units; 0 for all."""
    if "units" not in node:
        return 1
    if condition.alarm:
        targets.faults.add(node.where_of("units"), f"{condition.alarm} is one thing and has no units; leave this out")
        return 1
    said = node["units"]
    if str(said) == ALL:
        return 0
    found = _whole(said, len(condition.units), targets)
    return 1 if found is None else found


def _whole(node: Node, most: int, targets: Targets) -> int | None:
    text = str(node) if isinstance(node, str) else ""
    if text.isdecimal() and 1 <= int(text) <= most:
        return int(text)
    there = f"a whole number from 1 to {most}, or all," if most > 1 else "1, or all,"
    shown = units.quoted(text) if text else "no number"
    targets.faults.add(node.where, f"{shown} was found; {there} is wanted")
    return None


def _said(node: Map, form: ExpectedForm, condition: Condition, count: int) -> str:
    """The step in words."""
    many = {0: " of all", 1: ""}.get(count, f" of {count}")
    if form.by is not None:
        return f"{condition.text}{many} by {node['by']}"
    counted = {FAULT: "of the fault", PREVIOUS: "of the step before", START: "of the start"}[form.after]
    within = "" if form.within is None else f" within {node['within']} {counted}"
    return f"{condition.text}{many}{within}"
