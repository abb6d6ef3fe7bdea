"""Schedule: when the jobs of a queue came, started, gave way and finished, and how long they waited."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.equipment.job import PHASES
from twin.report.known import INPUT
from twin.report.story import Story
from twin.report.words import clock, lasting

PHASE = f"{INPUT}phase"
GROWS = "grows to"
"""How the scheduler's words begin where a job gives its racks back to get more."""
ACTIVE = (PHASES["running"], PHASES["saving"])


def schedule(story: Story, member: int) -> dict[str, dict[str, Any]] | None:
    """By job of a scheduler, in seconds: arrived, started, finished (None where never), waited, had_racks; and counts.

    preempted: how often it saved and gave its racks back, grown: how often to begin again with more of them; requeued:
    how often it lost its place with a rack.
    Steps, rollbacks and interruptions stand with the training.
    """
    jobs = list(story.plant.scheduled)
    if not jobs:
        return None
    return {name: _of_job(story, member, name) for name in jobs}


def had_racks(story: Story) -> dict[str, np.ndarray]:
    """By job of a scheduler: how long it had racks in each member [s]."""
    found = {name: np.zeros(story.members) for name in story.plant.scheduled}
    since: dict[tuple[str, int], float] = {}
    for event in story.events:
        if event.flag != PHASE or event.unit not in found:
            continue
        key = (event.unit, event.member)
        if event.value in ACTIVE:
            since.setdefault(key, float(event.time))
        elif key in since:
            found[event.unit][event.member] += float(event.time) - since.pop(key)
    for (name, member), start in since.items():
        found[name][member] += story.end - start
    return found


def _of_job(story: Story, member: int, name: str) -> dict[str, Any]:
    moves = [(float(e.time), e.value) for e in story.events_of[member] if e.unit == name and e.flag == PHASE]
    found: dict[str, Any] = {
        "arrived": None, "started": None, "finished": None, "waited": 0.0, "had_racks": 0.0, "preempted": 0,
        "requeued": 0, "grown": 0,
    }  # fmt: skip
    if not moves:  # it arrives after the end of the run
        return found
    asked = False
    for (moment, phase), (until, _) in zip(moves, [*moves[1:], (story.end, 0.0)], strict=True):
        if phase == PHASES["waiting"]:
            found["waited"] += until - moment
            if found["arrived"] is None:
                found["arrived"] = moment
            else:
                found[_why(story.chances.get((name, member, moment), ""), asked)] += 1
        elif phase in ACTIVE:
            found["had_racks"] += until - moment
            found["started"] = moment if found["started"] is None else found["started"]
        elif phase == PHASES["finished"]:
            found["finished"] = moment
        asked = phase == PHASES["saving"]
    return found


def _why(said: str, asked: bool) -> str:
    """What a return to the queue counts as; one that was not asked to save went for a rack, or had nothing to save."""
    if said.startswith(GROWS):
        return "grown"
    return "preempted" if asked or " lost" not in said else "requeued"


def schedule_rows(found: dict[str, dict[str, Any]] | None) -> list[list[str]]:
    """Job, came, started, finished, waited, had racks, gave way, lost its racks, grew again; for people."""
    rows = []
    for name, each in (found or {}).items():
        moments = [each[key] for key in ("arrived", "started", "finished")]
        told = [clock(moment) if moment is not None else "not yet" for moment in moments]
        spans = [lasting(each[key]) for key in ("waited", "had_racks")]
        rows.append([name, *told, *spans, *(str(each[key]) for key in ("preempted", "requeued", "grown"))])
    return rows
