"""Ties: those through which boards were fed in a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twin.plant import Plant
from twin.report.known import INPUT, THROWN

if TYPE_CHECKING:
    from twin.trace import Event


def shut_ties(plant: Plant, events: Iterable[Event]) -> frozenset[str]:
    """Ties that stand closed in a plant, or are closed in a run."""
    rise = {event.unit for event in events if event.flag in (f"{INPUT}closed", THROWN) and event.value >= 0.5}
    return frozenset(tie for tie in plant.joins if tie in rise or plant.units[tie].settings.get("closed", 0.0) > 0)
