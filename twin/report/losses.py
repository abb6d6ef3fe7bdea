"""Losses: racks that do no work at one time, and the IT power that failures took."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.report.moments import (
    it_power,
    last_row_before,
    lost_spans,
    mean_power,
    most_at_once,
    since,
    steady,
    work_kinds,
)
from twin.report.story import Story
from twin.report.taken import taken

ROUND_OFF = 1e-9
"""Share of the power before a fault below which none is missing."""


def lost(story: Story, member: int) -> dict[str, Any]:
    """Units of work lost (shut down, without power, out of service), and IT power missing against before the fault.

    Power swings with every iteration of a training job: `power_before` is the mean over the minute before the fault,
    and what came later are means over the longest iteration. Lost is what failures took: where jobs end or requests
    become fewer, what nobody asks for is not.
    """
    total = sum(len(story.trace.units(kind)) for kind in work_kinds(story))
    peak, peak_time, at_end = most_at_once(lost_spans(story, member))
    record: dict[str, Any] = {
        "units_total": total,
        "units_peak": peak,
        "units_peak_time": peak_time,
        "units_end": at_end,
    }
    power = it_power(story)
    keys = ("power_before", "power_lost_peak", "power_lost_peak_time", "power_lost_end")
    if power is None:
        return record | dict.fromkeys(keys)
    zero = since(story, member)
    row = last_row_before(story, zero)
    before = mean_power(story, member, zero)
    counter = story.values("site", "work_energy")
    own = power[:, member]
    if before is not None and counter is not None:
        own = steady(story, counter[:, member, 0].astype(float), own)
    before = float(own[row]) if before is None else before
    missing = taken(story, member, zero, before, before - own)
    lowest = row + int(np.nanargmax(missing[row:]))
    gone = missing[[lowest, -1]]
    most, last = np.where(abs(gone) > ROUND_OFF * abs(before), gone, 0.0)
    levels = (before, most, story.time[lowest], last)
    return record | {key: float(value) for key, value in zip(keys, levels, strict=True)}
