"""Cut off: since when nothing fed a unit at some moment of a run."""

from __future__ import annotations

from twin.equipment import KINDS
from twin.report.moments import EARLY
from twin.report.story import Span, Story, flags_of

NO_FEED = ("dead", "depleted", "empty", "lost", "severed", "tripped", "unpowered")
"""Flags under which nothing comes from a unit."""


def cut_off(story: Story, member: int, unit: str, moment: float) -> float | None:
    """When the last of a unit's feeds went, of those that were all gone at a moment [s]; None where one was live."""
    found = [_gone_since(story, member, feed, moment, frozenset({unit})) for feed in story.plant.feeds.get(unit, [])]
    return None if not found or any(each is None for each in found) else max(each for each in found if each is not None)


def _gone_since(story: Story, member: int, unit: str, moment: float, below: frozenset[str]) -> float | None:
    kind = story.kind_of.get(unit, "")
    spans = [
        span
        for flag in NO_FEED
        if flag in flags_of(kind)
        for span in story.spans_of[member].get((kind, flag), [])
        if span.unit == unit and _stands(span, moment, story.end)
    ]
    if spans:
        return min(span.start for span in spans)
    taken = [
        event.time
        for event in story.events_of[member]
        if event.unit == unit and event.flag in ("input:in_service", "input:position") and event.time <= moment + EARLY
    ]
    if taken and (story.setting(kind, unit, "in_service", member, moment) or 0.0) < 0.5:
        return max(taken)
    if kind in KINDS and KINDS[kind].source and "closed" in flags_of(kind):
        closed = story.spans_of[member].get((kind, "closed"), [])
        ends = [span.end for span in closed if span.unit == unit and span.end is not None and span.end <= moment]
        stands = any(span.unit == unit and _stands(span, moment, story.end) for span in closed)
        return None if stands else max(ends, default=story.start)
    if "dead" in flags_of(kind) or "depleted" in flags_of(kind):
        return None  # it would say so
    feeds = [feed for feed in story.plant.feeds.get(unit, []) if feed not in below]
    found = [_gone_since(story, member, feed, moment, below | {unit}) for feed in feeds]
    return None if not found or any(each is None for each in found) else max(each for each in found if each is not None)


def _stands(span: Span, moment: float, end: float) -> bool:
    return span.start <= moment + EARLY and span.until(end) >= moment - EARLY
