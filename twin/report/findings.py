"""Findings: all that a report tells of one trace, found once and shared by tables, plots, page and --json."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.report.fold import Line, fold
from twin.report.judging import judge
from twin.report.ladder import Rung, ladder
from twin.report.metrics import ensemble, metrics, plain
from twin.report.moments import first_row_showing
from twin.report.raised import Raised
from twin.report.reliability import reliability
from twin.report.selectivity import Selectivity, Turn
from twin.report.sensing import Misled
from twin.report.story import Story
from twin.report.timeline import Entry, timeline
from twin.report.verdict import Verdict
from twin.report.worst import worst_moment

if TYPE_CHECKING:
    from twin.trace import Trace

MOST_LINES = 60
"""Lines of a timeline for people; a longer one is folded more coarsely until it fits."""


SAME_ROW = 1e-9
"""Moments closer than this [s] are one."""


class Findings:
    """What a trace comes to; `shown` is the member that tables and plots speak of."""

    def __init__(self, trace: Trace) -> None:
        self.story = Story(trace)
        self.trace = trace

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.story)

    @cached_property
    def shown(self) -> int:
        """The member in which the first failed criterion came worst; 0 where all held."""
        failed = [each.member for each in self.verdict.failed if each.member is not None]
        return failed[0] if failed else 0

    def shown_because(self) -> str:
        """Which member is shown, and why that one."""
        why = "in which the first failed criterion came worst" if self.verdict.failed else "the first of all"
        return f"Moments, numbers and plots are of member {self.shown}, {why}, of {self.story.members}."

    @cached_property
    def entries(self) -> list[Entry]:
        """The timeline of all members; `own` is that of the one shown."""
        return timeline(self.story)

    @property
    def alarms(self) -> list[Raised]:
        """All alarms as they were raised: by whom attended to, and which was first-out."""
        return self.story.log.alarms

    @property
    def misled(self) -> list[Misled]:
        """All times that an alarm was not what it would have been by sound sensors."""
        return self.story.log.misled

    @cached_property
    def own(self) -> list[Entry]:
        """The timeline of the member shown; a cause is the index of an entry of its own."""
        return timeline(self.story, self.shown) if self.story.members > 1 else self.entries

    @cached_property
    def selectivity(self) -> list[Turn]:
        """Breakers that opened although one below them should have."""
        return Selectivity(self.story).turns

    @cached_property
    def measures(self) -> list[dict[str, Any]]:
        return metrics(self.story)

    @property
    def measure(self) -> dict[str, Any]:
        """The numbers of the member shown."""
        return self.measures[self.shown]

    @cached_property
    def across(self) -> list[dict[str, Any]]:
        """The numbers across members; empty for a run of one."""
        return ensemble(self.measures) if self.story.members > 1 else []

    @cached_property
    def reliability(self) -> dict[str, Any] | None:
        """What failures cost over the members: goodput, availability, time between interruptions."""
        return reliability(self.story)

    @cached_property
    def lines(self) -> list[Line]:
        """The timeline of the member shown, folded for people."""
        gap = 2.0
        lines = fold(self.own, self.story.kind_of, gap)
        while len(lines) > MOST_LINES and gap < self.story.end - self.story.start:
            gap *= 4
            lines = fold(self.own, self.story.kind_of, gap)
        return lines

    @cached_property
    def ladder(self) -> list[Rung]:
        """What each store of the site would last at the fault, and what came of it, in the member shown."""
        return ladder(self.story, self.shown)

    @cached_property
    def worst(self) -> float:
        """The moment to look at: when most work was harmed, and least was left of any reserve."""
        return worst_moment(self.story, self.shown, self.verdict.failed)

    @cached_property
    def worst_row(self) -> float:
        """The recorded row to draw of it: itself, or the first after it that shows what came then."""
        if not len(self.story.time) or np.abs(self.story.time - self.worst).min() < SAME_ROW:
            return self.worst
        return first_row_showing(self.story, self.worst, self.shown)

    def told(self, entries: list[Entry]) -> list[dict[str, Any]]:
        """A timeline in JSON types: `cause` is the place of the line that led to one, `led_by` that one in words."""
        rows = []
        for entry in entries:
            fault = self.story.faults[entry.member]
            led = None if entry.cause is None else entries[entry.cause]
            rows.append(entry.to_json() | {
                "since_fault": None if fault is None else entry.time - fault.time,
                "led_by": None if led is None else f"{led.unit} {led.what}",
            })  # fmt: skip
        return rows

    def summary(self, all_members: bool = True) -> dict[str, Any]:
        """Everything, in pure JSON types; else the numbers and the timeline of the member shown alone."""
        trace, story = self.trace, self.story
        found: dict[str, Any] = {
            "title": trace.title,
            "trace": str(trace.path),
            "simulated_seconds": story.end - story.start,
            "members": story.members,
            "member_shown": self.shown,
            "verdict": self.verdict.outcome,
            "criteria": [each.to_json() for each in self.verdict.judgements],
            "expected": [each.to_json() for each in self.verdict.sequence],
            "metrics": self.measure,
            "per_member": self.measures if story.members > 1 and all_members else [],
            "ensemble": self.across,
            "seconds_left": [rung.to_json() for rung in self.ladder],
            "worst_moment": self.worst,
            "alarms": [each.to_json() for each in self.alarms],
            "misled": [each.to_json() for each in self.misled],
            "reliability": self.reliability,
            "selectivity": [asdict(turn) for turn in self.selectivity],
            "timeline": self.told(self.entries if all_members else self.own),
            "run": dict(trace.summary or {}),
            "provenance": dict(trace.provenance),
        }
        return dict(plain(found))
