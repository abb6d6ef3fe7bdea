"""Where units stand: one place, or a start and the steps from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.declare import Quantity
from twin.scenario import forms, values
from twin.scenario.document import Broken, Map, Node, Seq, describe
from twin.scenario.faults import Faults
from twin.scenario.forms import fill
from twin.scenario.part import Place

LENGTH = Quantity("", "m", "a length", at_least=-1e5, at_most=1e5)


@dataclass(frozen=True)
class _Steps:
    """A layout in numbers."""

    start: Place
    step: Place
    row_of: int
    row_step: Place


def layout(node: Node | None, count: int, faults: Faults) -> list[Any]:
    """Where each of `count` units stands: one place, or a start and steps; None where nothing is said."""
    if node is None or isinstance(node, Broken):
        return [None] * count
    if isinstance(node, Seq):
        if count > 1:
            text = f"{count} units stand in one place; {{start: [...], step: [...]}} is wanted for a range"
            faults.add(node.where, text)
        return [place(node, faults)] * count
    form = fill(forms.Layout, node, faults)
    if form is None or not isinstance(node, Map):
        return [None] * count
    start, step = (place(node[key], faults) if key in node else None for key in ("start", "step"))
    row_step = place(node["row_step"], faults) if "row_step" in node else (0.0, 0.0, 0.0)
    if start is None or step is None or row_step is None:
        return [None] * count
    if ("row_of" in node) != ("row_step" in node):
        faults.add(node.where, "row_of and row_step belong together; both are wanted")
    steps = _Steps(start, step, form.row_of or count, row_step)
    return [_stand(steps, index) for index in range(count)]


def _stand(steps: _Steps, index: int) -> Place:
    row, column = divmod(index, steps.row_of)
    x, y, z = (
        start + column * step + row * row_step
        for start, step, row_step in zip(steps.start, steps.step, steps.row_step, strict=True)
    )
    return (x, y, z)


def place(node: Node, faults: Faults) -> Place | None:
    """Three lengths: "[1 m, 2 m, 0 m]"."""
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Seq) or len(node) != 3:
        faults.add(node.where, f"{describe(node)} was found; three lengths are wanted, e.g. [1 m, 2 m, 0 m]")
        return None
    read = [values.read(each, LENGTH, faults) for each in node]
    if any(each is None for each in read):
        return None
    x, y, z = (float(each) for each in read if each is not None)
    return (x, y, z)
