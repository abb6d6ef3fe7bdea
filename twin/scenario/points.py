"""Tables of a unit, lowered to its ratings: a pump's `curve` and `power_curve`, the `credits` of a service."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from twin import units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.equipment.parts.promise import STEPS
from twin.physics import pump_curve
from twin.scenario import values
from twin.scenario.document import Broken, Map, Node, Seq, describe
from twin.scenario.faults import Faults

FLOW = Quantity("", "m^3/s", "a flow", at_least=0, at_most=10)
HEAD = Quantity("", "Pa", "a pressure", above=0, at_most=1e7)
POWER = Quantity("", "W", "a power", above=0, at_most=1e8)
CURVES: dict[str, tuple[Quantity, str, str]] = {
    "curve": (HEAD, "[[0 L/s, 300 kPa], [20 L/s, 250 kPa], [30 L/s, 180 kPa]]", "shutoff_head"),
    "power_curve": (POWER, "[[0 L/s, 4 kW], [20 L/s, 8 kW], [30 L/s, 9 kW]]", "idle_share"),
}
"""Key -> what stands beside the flow, an example, and the rating that a kind must have to take it."""
RATINGS: dict[str, tuple[str, ...]] = {
    "curve": ("shutoff_head", "nominal_head", "curve_share"),
    "power_curve": ("efficiency", "idle_share", "power_bend"),
}
"""Ratings that follow from each table."""
CREDITS, CREDIT = "credits", "credit_{}_{}"
"""A service's table of credits, and the ratings that follow from it."""
RATINGS[CREDITS] = tuple(CREDIT.format(what, k) for k in STEPS for what in ("below", "share"))
WORTH_SAYING = 0.05
"""Deviation of a fit from a published point that is warned of [1]."""


def curves_of(kind: str) -> list[str]:
    """The tables that a kind takes."""
    if CREDIT.format("below", 1) in quantities(KINDS[kind]):
        return [CREDITS]
    return [key for key, (_said, _example, rating) in CURVES.items() if rating in quantities(KINDS[kind])]


def lowered(kind: str, node: Map, record: dict[str, float], faults: Faults) -> tuple[dict[str, float], set[str]]:
    """Ratings that follow from the points of an entry, and the keys that its tables stand in.

    Args:
        kind: of the units.
        node: the entry.
        record: ratings of the catalogue record that it is like.
        faults: what is wrong is added here.
    """
    keys = {key for key in curves_of(kind) if key in node}
    if not keys:
        return {}, keys
    made: dict[str, float] = {}
    said = quantities(KINDS[kind])
    if CREDITS in keys:
        return _credited(node, said, faults), keys
    duty = node.get("nominal_flow")
    flow = record.get("nominal_flow") if duty is None else _read(duty, said["nominal_flow"])
    for key in CURVES:
        if key not in keys:
            continue
        for rating in RATINGS[key]:
            if rating in node:
                text = f"{rating} follows from the {key} of this {kind}; one of the two is wanted"
                faults.add(node.where_of(rating), text)
        points = _points(key, node[key], faults)
        head = _head(node, record, made, said["nominal_head"], "curve" in keys)
        found = {} if points is None or flow is None else _rated(key, points, flow, head, node, faults)
        made |= found or dict.fromkeys(RATINGS[key], math.nan)  # stand-ins, so that one fault is not told twice
    return made, keys


def _credited(node: Map, said: dict[str, Quantity], faults: Faults) -> dict[str, float]:
    """Ratings of a table of credits: rows of a share of requests and what is given back below it."""
    table, made = node[CREDITS], dict.fromkeys(RATINGS[CREDITS], 0.0)
    for rating in RATINGS[CREDITS]:
        if rating in node:
            faults.add(node.where_of(rating), f"{rating} follows from its credits; one of the two is wanted")
    if isinstance(table, Broken):
        return made
    rows = list(table) if isinstance(table, Seq) else []
    if not 1 <= len(rows) <= len(STEPS) or not all(isinstance(row, Seq) and len(row) == 2 for row in rows):
        wrong = next((row for row in rows if not isinstance(row, Seq) or len(row) != 2), None)
        what = f"a list of {len(rows)} rows" if isinstance(table, Seq) else describe(table)
        if wrong is not None:
            what = f"a row of {len(wrong)}" if isinstance(wrong, Seq) else f"{describe(wrong)} in place of a row"
        text = f"{what} was found; one to three rows of two, a share of requests and a credit, are wanted"
        faults.add(table.where, f"{text}, e.g. [[99.9 %, 10 %], [99 %, 25 %]]")
        return made
    for k, row in zip(STEPS, rows):
        keys = [CREDIT.format(what, k) for what in ("below", "share")]
        pair = [values.read(one, said[key], faults) for key, one in zip(keys, row, strict=True)]
        if pair == [0.0, 0.0]:
            faults.add(row.where, "this row gives nothing back; both numbers above 0 are wanted, or no such row")
        made |= {key: value or 0.0 for key, value in zip(keys, pair)}
    return made


def _head(node: Map, record: dict[str, float], made: dict[str, float], said: Quantity, by_curve: bool) -> float | None:
    """Head at the duty point [Pa]: by the curve, as the entry says it, or as the record does; None where unsaid."""
    if by_curve:
        head = made.get("nominal_head", math.nan)
        return None if math.isnan(head) else head
    return _read(node["nominal_head"], said) if "nominal_head" in node else record.get("nominal_head")


def _read(node: Node, said: Quantity) -> float | None:
    """A rating that is read, and judged, elsewhere."""
    return values.read(node, said, Faults())


def _points(key: str, node: Node, faults: Faults) -> pump_curve.Points | None:
    """The rows of a table; None after a fault."""
    said, example, _ = CURVES[key]
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Seq) or not all(isinstance(row, Seq) and len(row) == 2 for row in node):
        what = "flow and head" if key == "curve" else "flow and power"
        faults.add(node.where, f"{describe(node)} was found; points of {what} are wanted, e.g. {example}")
        return None
    rows = [tuple(values.read(each, one, faults) for each, one in zip(row, (FLOW, said))) for row in node]
    return None if any(value is None for row in rows for value in row) else rows  # type: ignore[return-value]


def _rated(
    key: str, points: pump_curve.Points, flow: float, head: float | None, node: Map, faults: Faults
) -> dict[str, float]:
    where = node.where_of(key)
    law: Callable[[], Any] = lambda: pump_curve.ratings(points, flow)  # noqa: E731
    if key == "power_curve":
        if head is None:
            return {}
        law = lambda: pump_curve.power_ratings(points, flow, head)  # noqa: E731
    try:
        found: dict[str, float] = law()
    except pump_curve.BadCurve as error:
        faults.add(where, str(error))
        return {}
    if key == "curve":
        worst = pump_curve.fit(points).worst
        if worst > WORTH_SAYING:
            rises = max(pairwise(points), key=lambda pair: pair[1][1] - pair[0][1])
            why = (
                f"the curve rises from {units.show(rises[0][1], 'Pa')} to {units.show(rises[1][1], 'Pa')}"
                if rises[1][1] > rises[0][1]
                else "the points do not lie on h0 - a q - b q^2"
            )
            faults.add(where, f"{why}; refitted as a falling one it is off by up to {100 * worst:.1f} %", warning=True)
    return found
