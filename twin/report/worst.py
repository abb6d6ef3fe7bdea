"""Worst: the moment of a run that pictures are drawn of - when most work was harmed, and what is left was least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from twin.equipment.job import PHASES
from twin.equipment.parts.startup import STARTING
from twin.report.moments import (
    EARLY,
    GRAVE,
    it_power,
    last_row_before,
    lost_spans,
    since,
    standing_with,
    stretches,
    work_kinds,
)
from twin.report.story import Span, Story, said_of
from twin.report.verdict import Judgement

SLOWED = ("throttled", "slowed", "braked")
"""Flags under which a unit of work does less."""
LESS = 0.5
"""What a unit that does less counts, of one that does nothing."""
STANDING = ("stopped", "restarting")
"""Flags of a job under which its racks do nothing."""
ACTIVE = (PHASES["running"], PHASES["saving"])
BACK = -0.25
"""And what one that is on its way back counts less than one that stands still."""
TIE = 1e-3
"""What a unit out of action counts for beside those that a criterion is about."""
LITTLE = 0.02
"""Shares of a reserve [1] that differ by no more tell nobody which moment was worse: the first one is looked at."""
LOOK_AFTER = 5.0
"""So long [s] after the most were lost one looks, if they still are: then what follows from it has begun to show."""
QUEUE = 0.01
"""What the longest queue of a run counts for, as a share of all tokens that are given up [1]."""
LIMITS = (("tank", "temperature", "useful_temperature"), ("zone", "temperature", "limit_temperature"))
"""What warms until a limit: kind, quantity and the rating that is the limit."""


def worst_moment(story: Story, member: int, failed: Sequence[Judgement] = ()) -> float:
    """The moment of a member's run that shows its worst harm [s]; only what came from its fault on counts.

    When most racks stood still or did less (who throttles counts half); where none did, when a failed criterion was
    furthest from held; else when services gave up most, or most waited for them; else when most units were out of
    action. Of all such moments the one at which least was left of any reserve: dies to throttling, batteries, tanks,
    rooms, requests that are served. Where nothing of all that happened, when least power was drawn for work.
    """
    if not len(story.time):
        return story.start
    begin = last_row_before(story, since(story, member) - EARLY)
    given_up = _given_up(story, member, begin)
    used = np.maximum(reserves_used(story, member, begin), given_up)
    for found in (list(_harm(story, member)), list(_broken(story, member, failed))):
        if found:
            return _worst_of(story, found, used)
    extremes = [each.time for each in failed if each.time is not None and _is_extreme(each)]
    if extremes:
        return extremes[0]
    if given_up.max() > 0:
        return float(story.time[int(np.argmax(given_up))])
    grave = list(_standing(story, member, _is_grave))
    if grave:
        return _worst_of(story, grave, used)
    work = it_power(story)
    if used.max() > LITTLE or work is None:
        return _first_worst(story, used)
    return float(story.time[begin + int(np.argmin(work[begin:, member]))])


def _first_worst(story: Story, used: np.ndarray) -> float:
    """When most of a reserve was used; where that is hardly more than at first, a little after the first."""
    first, place = int(np.argmax(np.isfinite(used))), int(np.argmax(used))
    if used[place] - used[first] > LITTLE:
        return float(story.time[place])
    soon = np.isfinite(used) & (story.time <= story.time[first] + LOOK_AFTER)
    gone = np.flatnonzero(~soon[first:])
    return float(story.time[first + int(gone[0]) - 1 if gone.size else len(story.time) - 1])


def _standing(story: Story, member: int, wanted: Callable[[str, str], bool]) -> Iterator[tuple[Span, float]]:
    """Times in which flags stood that rose from the fault on, each counting for one."""
    zero = since(story, member) - EARLY
    for (kind, flag), spans in story.spans_of[member].items():
        if wanted(kind, flag):
            yield from ((span, 1.0) for span in spans if span.start >= zero)


def _is(wanted: str, kind: str, flag: str) -> bool:
    return flag == wanted


def _is_grave(kind: str, flag: str) -> bool:
    return flag in GRAVE


def _broken(story: Story, member: int, failed: Sequence[Judgement]) -> Iterator[tuple[Span, float]]:
    """Times in which what the first failed "no" criterion forbids was so."""
    for judged in failed:
        if judged.unit == "count" and "." in judged.quantity:
            whose, _, flag = judged.quantity.rpartition(".")
            found = [
                each
                for each in _standing(story, member, partial(_is, flag))
                if whose in (each[0].unit, story.kind_of.get(each[0].unit))
            ]
            if found:
                yield from found
                yield from ((span, TIE) for span, _ in _standing(story, member, _is_grave))
                return


def _is_extreme(judged: Judgement) -> bool:
    """Whether a criterion is of a quantity that was worst at a moment, rather than of a count or of a whole run."""
    return judged.unit != "count" and judged.margin is not None and "." in judged.quantity


def _harm(story: Story, member: int) -> Iterator[tuple[Span, float]]:
    """Times in which work was harmed from the fault on, each with the units of work that it counts for."""
    zero = since(story, member) - EARLY
    standing = standing_with(story, member)
    for more, weight in (((), 1.0 - LESS), (SLOWED, LESS)):  # who throttles and then stands is not harmed twice
        found = stretches([*lost_spans(story, member, more), *standing])
        yield from ((span, weight) for span in found if span.start >= zero)
    for kind in work_kinds(story):
        for stage in STARTING:
            yield from ((span, BACK) for span in story.spans_of[member].get((kind, stage), []) if span.start >= zero)
    had = story.values("job", "racks_had") if "job" in story.kinds else None
    for flag in STANDING if had is not None else ():
        for span in story.spans_of[member].get(("job", flag), []):
            phase = story.setting("job", span.unit, "phase", member, span.start)
            if had is not None and span.start >= zero and (phase is None or phase in ACTIVE):
                rows = had[: last_row_before(story, span.start) + 1, member, story.trace.units("job").index(span.unit)]
                yield span, float(rows.max())


def _worst_of(story: Story, harm: list[tuple[Span, float]], used: np.ndarray) -> float:
    """Of the times in which most stood at once, the row with the least left; their beginning without a row in them."""
    turns = sorted(
        [(span.start, weight) for span, weight in harm] + [(span.until(story.end), -weight) for span, weight in harm],
        key=lambda turn: turn[0],
    )
    moments = np.array([time for time, _ in turns])
    level = np.cumsum([weight for _, weight in turns])
    last = np.append(moments[1:] > moments[:-1], True)  # of several turns at one moment the last one counts
    moments, level = moments[last], level[last]
    most = level.max()
    until = np.append(moments[1:], story.end)
    rows = np.zeros(len(story.time), dtype=bool)
    for start, end in zip(moments[level >= most - EARLY], until[level >= most - EARLY], strict=True):
        rows |= (story.time > start + EARLY) & ((story.time < end) | ((end >= story.end) & (story.time <= end)))
    if not rows.any():
        return float(moments[int(np.argmax(level))])
    return _first_worst(story, np.where(rows, used, -np.inf))


def _given_up(story: Story, member: int, begin: int) -> np.ndarray:
    """The share of all tokens asked for that services give up, by row [1], and a little more where many wait.

    Nothing before the fault, and nothing of what was so before it.
    """
    none = np.zeros(len(story.time))
    counted = [story.total("service", f"{name}_answers") for name in ("dropped", "offered")]
    waiting = story.total("service", "queued")
    dropped, offered = (
        None if each is None else np.diff(each[:, member], prepend=each[:1, member]) for each in counted
    )
    if dropped is None or offered is None or waiting is None:
        return none
    share = np.where(offered > 0, dropped / np.where(offered > 0, offered, 1.0), 0.0)
    queue = waiting[:, member] - waiting[: begin + 1, member].max()
    share = share - share[: begin + 1].max() + QUEUE * queue / max(float(queue.max()), 1.0)
    share[:begin] = 0.0
    return np.asarray(np.maximum(share, none))


def reserves_used(story: Story, member: int, begin: int) -> np.ndarray:
    """The greatest share of any reserve that was used, by row [1]: 0 as at the fault, 1 at a limit; 0 before it."""
    worst = np.zeros(len(story.time))
    for kind, name, limits in _reserves(story):
        values = story.values(kind, name)
        if values is None or limits is None:
            continue
        own = np.asarray(values[:, member], dtype=float)
        start = own[begin]
        room = limits - start
        share = np.where(np.abs(room) > 1e-9, (own - start) / np.where(np.abs(room) > 1e-9, room, 1.0), 0.0)
        worst = np.maximum(worst, np.nan_to_num(share, nan=0.0).max(axis=1, initial=0.0))
    worst[:begin] = 0.0
    return worst


def _reserves(story: Story) -> Iterator[tuple[str, str, np.ndarray | None]]:
    """What is used up on the way to a limit: kind, quantity, and each unit's limit."""
    for kind in work_kinds(story):
        yield kind, "die_temperature", _ratings(story, kind, "throttle_temperature")
    for kind, name, limit in LIMITS:
        if kind in story.kinds:
            yield kind, name, _ratings(story, kind, limit)
    for kind in story.kinds:
        if story.has(kind, "state_of_charge"):
            low = "cutoff_charge" if "cutoff_charge" in said_of(kind, "parameters") else "lowest_charge"
            yield kind, "state_of_charge", _ratings(story, kind, low, 0.0)


def _ratings(story: Story, kind: str, name: str, default: float | None = None) -> np.ndarray | None:
    """A rating of each unit of a kind; None where none is declared and there is no default."""
    said = said_of(kind, "parameters").get(name)
    usual = said.default if said is not None and said.default is not None else default
    known = [story.plant.units[unit].parameters.get(name, usual) for unit in story.trace.units(kind)]
    return None if any(value is None for value in known) else np.array(known, dtype=float)
