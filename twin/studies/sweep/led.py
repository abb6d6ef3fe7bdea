"""What led to what in one case: its first consequence, and the causes back from the first rack that was harmed."""

from __future__ import annotations

import math
from typing import Any

from twin.report.known import ANSWERS, INPUT
from twin.report.moments import EARLY, work_kinds
from twin.report.story import Span, Story, flags_of
from twin.report.timeline import Entry, timeline
from twin.report.words import lasting
from twin.studies.sweep.cases import Case

SLOW = ("throttled", "slowed", "braked")
"""Flags of work that goes slower than it is asked to."""
GONE = ("shut_down", "unpowered")
"""Flags of work that stands still."""
ORDINARY = (
    "on_battery", "on_eco", "full", "at_limit", "asking", "called", "on_alternate", "waiting", "soft_starting", "cold",
)  # fmt: skip
"""Flags that are the answer to a loss, or what a loss leaves behind, and none themselves."""
BETWEEN = " > "
"""What stands between two links of a chain."""
SOON = 0.05
"""Seconds by which a link of a chain must come later than the one before it to have its moment said."""

Standing = list[tuple[tuple[str, str], Span]]
"""Kind and flag, and a time in which it stood, from the failure on."""
Moments = dict[tuple[str, float], tuple[str, ...]]
"""Unit and moment -> how the lines of the timeline begin that are looked for there."""


def led(story: Story, case: Case, spans: Standing) -> dict[str, Any]:
    """The first consequence of a case's failures and the first rack that they harmed, each with the causes up to it.

    Args:
        story: of the case alone.
        case: whose failures count.
        spans: flags that rose from the failure on.
    """
    losses = _moments([each for each in spans if each[0][1] not in (*ANSWERS, *ORDINARY)])
    racks = [each for each in spans if each[0][0] in work_kinds(story)]
    gone = _moments([each for each in racks if each[0][1] in GONE]) | _taken_out(story, case)
    slow = _moments([each for each in racks if each[0][1] in SLOW])
    losses = losses if case.failures else {}
    if not (losses or gone or slow):
        return {}
    entries = timeline(story)
    first = _first(story, case, entries, losses)
    return first | _harm(case, entries, gone, slow)


def _moments(spans: Standing) -> Moments:
    """When which unit's line is to be found, and how it begins."""
    found: Moments = {}
    for (kind, flag), each in spans:
        if flag in flags_of(kind):
            key = (each.unit, round(each.start, 9))
            found[key] = (*found.get(key, ()), flags_of(kind)[flag].rises)
    return found


def _taken_out(story: Story, case: Case) -> Moments:
    """Racks that somebody took out of service from the failure on."""
    works = {unit for kind in work_kinds(story) for unit in story.trace.units(kind)}
    out = [e for e in story.events if e.flag == f"{INPUT}in_service" and e.value < 0.5 and e.unit in works]
    return {(e.unit, round(e.time, 9)): (story.asked(e)[0],) for e in out if e.time >= case.at - EARLY}


def _lines(entries: list[Entry], wanted: Moments, since: float) -> list[int]:
    """Places of the lines that are looked for, in the order of the timeline."""
    return [
        place
        for place, each in enumerate(entries)
        if each.time >= since - EARLY and each.what.startswith(wanted.get((each.unit, round(each.time, 9)), ("\0",)))
    ]


def _first(story: Story, case: Case, entries: list[Entry], losses: Moments) -> dict[str, Any]:
    """The first loss that the failure led to: of another unit, or of work; else what the failed unit itself tells."""
    works = {unit for (kind, flag) in story.spans if flag in GONE for unit in story.trace.units(kind)}
    found = [(entries[place], _chain(entries, place)) for place in _lines(entries, losses, case.at)]
    ours = [pair for pair in found if _is_ours(pair[1], case)]
    known = ours or [(entry, []) for entry, _ in found]
    beyond = [pair for pair in known if pair[0].unit not in case.units or pair[0].unit in works] or known
    if not beyond:
        return {}
    entry, chain = beyond[0]
    words = BETWEEN.join(f"{each.unit} {each.what}" for each in chain)
    return {"first": entry.what, "first_unit": entry.unit, "first_after": _after(entry, case), "chain": words}


def _harm(case: Case, entries: list[Entry], gone: Moments, slow: Moments) -> dict[str, Any]:
    """The first rack that stands still, else the first that goes slower: one that does not fail itself goes before."""
    for wanted in (gone, slow):
        found = [(entries[place], _chain(entries, place)) for place in _lines(entries, wanted, case.at)]
        if not found:
            continue
        beyond = [pair for pair in found if pair[0].unit not in case.units] or found
        entry, chain = ([pair for pair in beyond if _is_ours(pair[1], case)] or beyond)[0]
        before = [entries[place] for place in _lines(entries, slow, case.at) if wanted is gone]
        chain[-1:-1] = [each for each in before if _on_the_way(each, entry)][:1]
        told = {"harm": entry.what, "harm_unit": entry.unit, "harm_after": _after(entry, case)}
        return told | {"harm_chain": BETWEEN.join(_links(chain, case))}
    return {}


def _on_the_way(slower: Entry, entry: Entry) -> bool:
    """Whether a rack went slower by the same cause before it stopped: it throttles, then it shuts down."""
    same = (slower.unit, slower.cause) == (entry.unit, entry.cause)
    return same and entry.cause is not None and slower.time < entry.time


def _links(chain: list[Entry], case: Case) -> list[str]:
    """What each link of a chain says, with the seconds after the failure where it comes later than the one before."""
    said, last = [], case.at
    for each in chain:
        after = each.time - case.at
        later = each.time > last + SOON
        said.append(f"{each.unit} {each.what}" + (f" (after {lasting(after)})" if later else ""))
        last = max(last, each.time)
    return said


def _chain(entries: list[Entry], place: int) -> list[Entry]:
    """What led to an entry, from the first cause on."""
    found: list[Entry] = []
    at: int | None = place
    while at is not None and len(found) <= len(entries):
        found.append(entries[at])
        at = entries[at].cause
    return found[::-1]


def _is_ours(chain: list[Entry], case: Case) -> bool:
    """Whether a failure of the case began it."""
    return chain[0].unit in case.units and abs(chain[0].time - case.at) < EARLY


def _after(entry: Entry, case: Case) -> float:
    return max(entry.time - case.at, 0.0) if math.isfinite(entry.time) else math.nan
