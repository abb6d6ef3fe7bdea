"""Steps: where a recorded demand goes over to another level and stays there, so that a timeline has a line for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

STEP, LASTS, SURE = 0.2, 60.0, 3.0
"""Of the level told last, at least so much [1]; for so long [s]; and so many standard deviations of a count."""


def steps(counts: Sequence[float], every: float) -> list[int]:
    """The intervals with which a step begins; none where demand only wavers.

    A step is told where as many requests come in the minute after as differ from the level that was told last by a
    fifth or more, and by more than three standard deviations of their counting; of the intervals of that minute the
    one is taken before and after which demand differs most. The level is then that of the minute after.

    Args:
        counts: requests in each interval.
        every: length of an interval [s].
    """
    width = max(math.ceil(LASTS / every - 1e-9), 1)
    total = np.concatenate([[0.0], np.cumsum(np.asarray(counts, dtype=float))])
    count = len(total) - 1

    def mean(first: int, last: int) -> float:
        first, last = max(first, 0), min(last, count)
        return float(total[last] - total[first]) / max(last - first, 1)

    found: list[int] = []
    level, place = mean(0, width), 1
    while place < count:
        after = mean(place, place + width)
        spread = math.sqrt((level + after) * width)
        if abs(after - level) < STEP * level or abs(after - level) * width <= SURE * spread:
            place += 1
            continue
        begun = found[-1] if found else 0
        near = range(place, min(place + width, count))
        place = max(near, key=lambda at: abs(mean(at, at + width) - mean(max(at - width, begun), at)))
        found.append(place)
        level, place = mean(place, place + width), place + 1
    return found
