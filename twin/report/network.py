"""Network: what services and jobs sent between racks, and what waiting for it cost."""

from __future__ import annotations

import numpy as np

from twin.plant_links import talks
from twin.report.story import Story
from twin.report.training import at_work


def network(story: Story, member: int) -> dict[str, dict[str, dict[str, float]]] | None:
    """What went between racks: by service that hands KV caches over [bit/s, s], and by job that says what it sends [1].

    And by service that says what its experts send, the share of a token's time that waits for it [1, s]. None where a
    plant has none of them, or its trace is from before they were told.
    """
    found = {"services": _services(story, member), "jobs": _jobs(story, member), "experts": _experts(story, member)}
    return found if any(found.values()) else None


def _services(story: Story, member: int) -> dict[str, dict[str, float]]:
    rates, takes = story.values("service", "handover_rate"), story.values("service", "handover_time")
    if rates is None or takes is None:
        return {}
    held = _lasted(story, "held_up", member)
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


def _lasted(story: Story, flag: str, member: int) -> dict[str, float]:
    """For how long a flag of the services was up, by service [s]."""
    found = dict.fromkeys(story.trace.units("service"), 0.0)
    for span in story.spans.get(("service", flag), ()):
        found[span.unit] += (span.until(story.end) - span.start) * (span.member == member)
    return found


def _experts(story: Story, member: int) -> dict[str, dict[str, float]]:
    shares, prompts = story.values("service", "network_share"), story.values("service", "prompt_network_share")
    if shares is None or prompts is None:
        return {}
    found = {}
    for place, (name, slow) in enumerate(_lasted(story, "slow", member).items()):
        if not story.plant.units[name].parameters.get("expert_exchange", 0.0):
            continue
        share = shares[:, member, place]
        found[name] = {
            "mean_share": float(np.average(share, weights=story.weights)), "highest_share": float(share.max()),
            "highest_prompt_share": float(prompts[:, member, place].max()), "slow_time": slow,
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
