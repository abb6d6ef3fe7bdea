"""The section `redundancy` of a plant: what groups of units are called, N+1 or 2N, for an audit to compare."""

from __future__ import annotations

import re

from twin.scenario import values
from twin.scenario.document import Broken, Node
from twin.scenario.faults import Faults, advice
from twin.scenario.forms import entries
from twin.scenario.part import Part
from twin.units import quoted

NAMED = r"2?N(\+[0-9]{1,3})?|2\(N\+[0-9]{1,3}\)"
"""What a group may be called: N, N+1, N+2, 2N, 2N+1, 2(N+1)."""


def stem(name: str) -> str:
    """What units of a group have in common: "ups-1" -> "ups", "h001/pdu-a-3" -> "h001/pdu-a"."""
    return re.sub(r"[-_]?[0-9]+$", "", name) or name


def lower(node: Node, part: Part, faults: Faults) -> None:
    """Read what groups are called into a part; a group is the units alike but for their last number, or a kind."""
    listed = entries(node, faults)
    known = {stem(name) for name in part.units} | {unit.kind for unit in part.units.values()}
    for group, body in listed.items():
        if group not in known and not (part.holes or group in {stem(name) for name in part.lost}):
            text = f'there is no group "{group}" here; {advice(group, known)}'
            faults.add(listed.where_of(group), text)
        if isinstance(body, Broken):
            continue
        said = values.words(body, faults, 40)
        if said is not None and re.fullmatch(NAMED, said) is None:
            faults.add(body.where, f"{quoted(said)} is no redundancy; N, N+1, N+2, 2N or 2(N+1) is wanted")
        elif said is not None:
            part.redundancy[group] = said
