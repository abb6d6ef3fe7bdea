"""What training came to: useful steps, those rolled back, and where the time went."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.report.schedule import schedule
from twin.report.story import Story

COUNTERS = ("steps", "lost_steps", "interruptions", "saving_time", "restarting_time", "waiting_time", "stopped_time")


def training(story: Story, member: int) -> dict[str, dict[str, float | None]] | None:
    """By job: counters over the run, goodput, and mean pace while it works; None where a plant trains nothing.

    Starts and restarts are no work.
    Goodput is useful steps over those of a run without pause or loss at nominal pace, in the time from its start to its
    end: for a job of a scheduler from its first racks until it has finished, else the whole run. None where it never
    started.
    """
    if not story.has("job", "steps"):
        return None
    queued = schedule(story, member) or {}
    found: dict[str, dict[str, float | None]] = {}
    for place, name in enumerate(story.trace.units("job")):
        each: dict[str, float | None] = {}
        for key in COUNTERS:
            values = story.values("job", key)
            each[key] = None if values is None else float(values[-1, member, place] - values[0, member, place])
        whole = _span(story, queued.get(name)) / story.plant.units[name].machine().step_time
        each["goodput"] = (each["steps"] or 0.0) / whole if whole > 0 else None
        pace = story.values("job", "pace")
        if pace is not None and story.has("job", "stopped"):
            weights = story.steps * (at_work(story, member, place) & (pace[:, member, place] > 0))
            each["mean_pace"] = float(np.average(pace[:, member, place], weights=weights)) if weights.any() else None
        found[name] = each
    return found


def at_work(story: Story, member: int, place: int) -> np.ndarray:
    """At each row, whether a job works: it neither stands without its gang, nor starts, nor reads its checkpoint."""
    flags = [story.values("job", name) for name in ("stopped", "restarting", "beginning")]
    away = [values[:, member, place] > 0 for values in flags if values is not None]
    return ~np.any(away, axis=0) if away else np.ones(len(story.time), dtype=bool)


def _span(story: Story, queued: dict[str, Any] | None) -> float:
    """Seconds from a job's start to its end."""
    if queued is None:
        return story.end - story.start
    if queued["started"] is None:
        return 0.0
    return float((story.end if queued["finished"] is None else queued["finished"]) - queued["started"])
