"""Raised: one time that an alarm was raised, and which of them were the first of their group."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from twin.report.words import MOMENT

ALWAYS = 3.2e8
"""A moment [s] that no run reaches."""


@dataclass(frozen=True)
class Raised:
    """One time that an alarm was raised; moments are seconds of the run.

    stood: since when its condition had held; active: when its device raised it; raised: when the monitoring saw it.
    first_out: whether it was the first of its group to be active while none of the group was.
    """

    name: str
    priority: str
    group: str
    condition: str
    member: int
    unit: str
    stood: float
    active: float
    raised: float
    acknowledged: float | None
    by: str
    cleared: float | None
    first_out: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def first_outs(found: list[Raised]) -> list[Raised]:
    """One member's alarms, each flagged that was first of its group, whenever none stood before; all of one moment."""
    flagged: dict[int, Raised] = {}
    until: dict[str, float] = {}
    first: dict[str, float] = {}
    for place, each in sorted(enumerate(found), key=lambda pair: (pair[1].active, pair[0])):
        alone = each.active >= until.get(each.group, 0.0)
        together = each.active - first.get(each.group, -ALWAYS) <= MOMENT
        flagged[place] = replace(each, first_out=alone or together)
        first |= {each.group: each.active} if alone else {}
        over = ALWAYS if each.cleared is None else each.cleared
        until[each.group] = max(until.get(each.group, 0.0), over)
    return [flagged[place] for place in range(len(found))]
