"""What training came to: useful steps, those rolled back, and where the time went."""

from __future__ import annotations

import numpy as np

from twin.report.story import Story

COUNTERS = ("steps", "lost_steps", "interruptions", "saving_time", "restarting_time", "waiting_time", "stopped_time")


def training(story: Story, member: int) -> dict[str, dict[str, float | None]] | None:
    """By job: its counters over the run, its goodput and its mean pace; None where a plant trains nothing.

    Goodput is useful steps over those of a run without pause or loss at nominal pace.
    """
    if not story.has("job", "steps"):
        return None
    length = story.end - story.start
    found: dict[str, dict[str, float | None]] = {}
    for place, name in enumerate(story.trace.units("job")):
        each: dict[str, float | None] = {}
        for key in COUNTERS:
            values = story.values("job", key)
            each[key] = None if values is None else float(values[-1, member, place] - values[0, member, place])
        whole = length / story.plant.units[name].machine().step_time
        each["goodput"] = (each["steps"] or 0.0) / whole if whole > 0 else None
        pace = story.values("job", "pace")
        stopped = story.values("job", "stopped")
        if pace is not None and stopped is not None:
            weights = story.steps * (stopped[:, member, place] <= 0)
            each["mean_pace"] = float(np.average(pace[:, member, place], weights=weights)) if weights.any() else None
        found[name] = each
    return found
