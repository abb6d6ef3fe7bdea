"""Disturbances: each sag and swell of a feed, and where it lies on the ITIC curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.physics.sags import itic_limits, itic_region
from twin.report.known import INPUT
from twin.scenario import Change
from twin.scenario.sags import Sag, spans

if TYPE_CHECKING:
    from twin.report.story import Story

SAYS = {
    "no interruption": "within: IT equipment must bear it",
    "no damage": "below: IT equipment may stop",
    "prohibited": "above: IT equipment may be damaged",
}
"""Region of the ITIC curve -> what it says."""


@dataclass(frozen=True)
class Placed:
    """A sag or swell with its place on the ITIC curve: the limit [of nominal] that it met for its length."""

    sag: Sag
    region: str
    limit: float


def placed(story: Story, member: int = 0) -> list[Placed]:
    """Every sag and swell of a member's feeds, as its events tell them."""
    changes = [
        Change(event.time, event.unit, "voltage", event.value)
        for event in story.events
        if event.flag == f"{INPUT}voltage" and event.member == member
    ]
    found = []
    for sag in spans(changes, story.end):
        low, high = itic_limits(sag.length)
        limit = low if sag.residual < 1 else high
        found.append(Placed(sag, itic_region(sag.residual, sag.length), limit))
    return found
