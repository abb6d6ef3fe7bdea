"""The ladder: what each store of a site would last at the moment of the fault, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from twin.report import rungs, rungs_heat
from twin.report.stores import LONGEST, Ladder, Rung
from twin.report.story import Story

__all__ = ["Rung", "first_to_break", "ladder"]


def ladder(story: Story, member: int) -> list[Rung]:
    """The stores of a plant from the quickest to the slowest, at the moment of a member's fault."""
    if not len(story.time):
        return []
    made = Ladder(story, member)
    found = [rung for make in (*rungs.MAKERS, *rungs_heat.MAKERS) for rung in make(made)]
    return sorted(found, key=lambda rung: LONGEST if rung.least is None else rung.least)


def first_to_break(found: Sequence[Rung]) -> Rung | None:
    """The store that was the first at its limit, if any was."""
    broken = [rung for rung in found if rung.came_at is not None]
    return min(broken, key=lambda rung: rung.came_at or 0.0, default=None)
