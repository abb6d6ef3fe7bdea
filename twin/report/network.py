"""Network: what services and jobs sent between racks, and what waiting for it cost."""

from __future__ import annotations

import numpy as np

from twin.plant_links import talks
from twin.report.story import Story
from twin.report.training import at_work


def network(story: Story, member: int) -> dict[str, dict[str, dict[str, float]]] | None:
    """What went between racks: by service that hands KV caches over [bit/s, s], and by job that says what it sends [1].

    None where a plant has neither, or its trace is from before they were told.
    """
    services, jobs = _services(story, member), _jobs(story, member)
    return {"services": services, "jobs": jobs} if services or jobs else None


def _services(story: Story, member: int) -> dict[str, dict[str, float]]:
    rates, takes = story.values("service", "handover_rate"), story.values("service", "handover_time")
    if rates is None or takes is None:
        return {}
    held = dict.fromkeys(story.trace.units("service"), 0.0)
    for span in story.spans.get(("service", "held_up"), ()):
        held[span.unit] += (span.until(story.end) - span.start) * (span.member == member)
    found = {}
    for place, name in enumerate(held):
        rate, time = rates[:, member, place], takes[:, member, place]
        if rate.any() or time.any():
            mean = float(np.average(rate, weights=story.weights))
            found[name] = {
                "mean_rate": mean, "highest_rate": float(rate.max()), "longest_handover": float(time.max()),
                "held_up_time": held[name],
            }  # fmt: skip
    return found


def _jobs(story: Story, member: int) -> dict[str, dict[str, float]]:
    """While they work: in a start or restart nothing is sent, and racks that boot have no pace."""
    shares, paces = story.values("job", "network_share"), story.values("job", "pace")
    if shares is None or paces is None:
        return {}
    found = {}
    for place, name in enumerate(story.trace.units("job")):
        share, pace = shares[:, member, place], paces[:, member, place]
        working = (share > 0) & at_work(story, member, place)
        if talks(story.plant.units[name]) and working.any():
            found[name] = {
                "mean_share": float(np.average(share, weights=story.weights * working + 1e-12)),
                "highest_share": float(share[working].max()), "lowest_pace": float(pace[working].min()),
            }  # fmt: skip
    return found
