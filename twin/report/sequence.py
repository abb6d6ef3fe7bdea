"""The expected sequence of operations held against the trace: what came, when, in order and in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.report.moments import EARLY, since
from twin.report.story import Story, flags_of
from twin.report.verdict import Judgement
from twin.report.words import lasting
from twin.scenario.conditions import Condition
from twin.scenario.operations import ALARM, CLEAR, DOES, ENDS
from twin.scenario.sequence import FAULT, PREVIOUS, Expected


@dataclass(frozen=True)
class Came:
    """When a step came in one member, whose unit made it whole, and what it was counted from [s]."""

    time: float | None
    where: str
    zero: float
    note: str = ""


def judge_sequence(story: Story) -> list[Judgement]:
    """Every step of the expected sequence, in order; the member that was worst speaks for all."""
    said = story.told.expected
    per_member = [list(_walk(story, said, member)) for member in range(story.members)]
    return [_judged(story, each, [came[place] for came in per_member]) for place, each in enumerate(said)]


def _walk(story: Story, said: list[Expected], member: int) -> Iterator[Came]:
    """The steps of one member: each is looked for from where the one before it came."""
    fault = since(story, member)
    last, missing = fault, False
    for each in said:
        zero = {FAULT: fault, PREVIOUS: last}.get(each.after, story.start)
        if each.by is not None:
            zero = story.start
        moments = list(_moments(story, each, member))
        first = next(((time, unit) for time, unit in moments if time >= last - EARLY), None)
        early = [time for time, _ in moments if min(fault, zero) - EARLY <= time < last - EARLY]
        note = ""
        if first is None and early:
            note = f"came {lasting(last - early[-1])} before the step before it: out of turn"
        elif first is None:
            note = "did not come"
        if missing and each.after == PREVIOUS:
            note = f"{note}; " * bool(note) + "the step before it did not come"
        yield Came(None if first is None else first[0], "" if first is None else first[1], zero, note)
        missing = first is None
        last = last if first is None else max(first[0], last)


def _moments(story: Story, said: Expected, member: int) -> Iterator[tuple[float, str]]:
    """When a step's condition began to hold for as many units as it asks for, and the unit that made them whole."""
    condition = said.condition
    if condition.alarm:
        yield from _told(story, condition, member)
        return
    count = said.count or len(condition.units)
    if condition.quantity in flags_of(condition.kind):
        turns, holding = _of_flag(story, condition, member)
    else:
        turns, holding = _of_values(story, condition, member)
    for time, unit, begins in sorted(turns, key=lambda turn: (turn[0], not turn[2])):
        before = len(holding)
        holding = holding | {unit} if begins else holding - {unit}
        if before < count <= len(holding):
            yield time, unit


Turns = tuple[list[tuple[float, str, bool]], set[str]]
"""When a condition began or ceased to hold for which unit, and for whom it held at the start."""


def _of_flag(story: Story, condition: Condition, member: int) -> Turns:
    wanted = set(condition.units)
    spans = [
        span
        for span in story.spans.get((condition.kind, condition.quantity), [])
        if span.member == member and span.unit in wanted
    ]
    turns, standing = [], set()
    for span in spans:
        if span.start <= story.start:
            standing.add(span.unit)
        else:
            turns.append((span.start, span.unit, True))
        if span.end is not None:
            turns.append((span.end, span.unit, False))
    if condition.highest:
        return turns, standing
    return [(time, unit, not rises) for time, unit, rises in turns], wanted - standing


def _of_values(story: Story, condition: Condition, member: int) -> Turns:
    """Of a recorded quantity: it is taken to go steadily from row to row."""
    values = story.values(condition.kind, condition.quantity)
    units = list(story.trace.units(condition.kind)) if values is not None else []
    turns, standing = [], set()
    for unit in condition.units if values is not None else ():
        assert values is not None
        own = np.asarray(values[:, member, units.index(unit)], dtype=float)
        holds = {
            ">": own > condition.limit,
            ">=": own >= condition.limit,
            "<": own < condition.limit,
            "<=": own <= condition.limit,
        }[condition.operator]
        if holds[0]:
            standing.add(unit)
        for row in np.flatnonzero(holds[1:] != holds[:-1]):
            share = (condition.limit - own[row]) / (own[row + 1] - own[row])
            time = story.time[row] + np.clip(share, 0.0, 1.0) * (story.time[row + 1] - story.time[row])
            turns.append((float(time), unit, bool(holds[row + 1])))
    return turns, standing


def _told(story: Story, condition: Condition, member: int) -> Iterator[tuple[float, str]]:
    """When an alarm was raised (or cleared), or a procedure or repair came to its end."""
    alarm = f"{ALARM if condition.highest else CLEAR}{condition.alarm}"
    ends = f"{DOES}{condition.alarm}:{ENDS}"
    for event in story.log.deeds:
        if event.member == member and event.flag in (alarm, ends):
            yield float(event.time), event.unit


def _judged(story: Story, said: Expected, came: list[Came]) -> Judgement:
    limit = said.within if said.by is None else said.by
    took = [None if each.time is None else each.time - each.zero for each in came]
    margins = [-np.inf if t is None else np.inf if limit is None else limit - t for t in took]
    passed = [not each.note and margin >= -EARLY for each, margin in zip(came, margins, strict=True)]
    worst = min(range(len(came)), key=lambda member: (passed[member], margins[member]))
    each, margin = came[worst], margins[worst]
    known = margin if np.isfinite(margin) else None
    return Judgement(
        said.text, all(passed), said.condition.text, "s", took[worst], limit, known, each.time, each.where or None,
        worst, sum(passed), story.members, each.note, said.name, "" if took[worst] is not None else "never",
    )  # fmt: skip
