"""Judging: each criterion held against the trace - recorded values, flags, and the seconds until they rise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from twin.report import measured
from twin.report.known import INPUT
from twin.report.moments import EARLY, since
from twin.report.sequence import judge_sequence
from twin.report.story import Span, Story, flags_of
from twin.report.verdict import Judgement, Verdict, closest
from twin.report.words import count, lasting

if TYPE_CHECKING:
    from twin.scenario.criteria import Criterion


def judge(story: Story) -> Verdict:
    """Hold every criterion of the scenario against what was recorded."""
    about = story.told.description
    judged = [_judge(story, each) for each in story.told.criteria]
    judged = [replace(each, meant=not each.passed and f'"{each.text}" is meant to fail' in about) for each in judged]
    finished = bool((story.trace.summary or {}).get("finished", False))
    unread = [_not_understood(story, text) for text in story.told.unread]
    return Verdict(judged + unread, finished, judge_sequence(story))


@dataclass(frozen=True)
class Closest:
    """How near one member came: a value in SI, when and where; `margin` is positive on the good side.

    No value: what is asked about never came; `reached` says so, and `holds` whether that is good.
    """

    value: float | None
    margin: float
    time: float | None
    where: str | None
    holds: bool
    reached: str = ""
    note: str = ""


def _not_understood(story: Story, text: str) -> Judgement:
    note = "this version does not understand it"
    return Judgement(text, False, "", "1", None, None, None, None, None, None, 0, story.members, note)


def _judge(story: Story, said: Criterion) -> Judgement:
    if said.function in measured.MEASURES:
        return _judge_sum(story, said)
    units = _units(story, said)
    if not units:
        return _cannot(story, said, f"no unit of this plant is called {said.target}")
    if said.function == "no":
        return _judge_none(story, said, units)
    if said.function == "time":
        return _judge_time(story, said, units)
    return _judge_values(story, said, units)


def _units(story: Story, said: Criterion) -> list[str]:
    """The units that a criterion means: all of its kind, or those it names."""
    if said.kind not in story.kinds:
        return []
    known = list(story.trace.units(said.kind))
    return [unit for unit in known if unit in set(said.units)] if said.units else known


def _quantity(said: Criterion) -> str:
    return f"{said.target}.{said.quantity}" if said.quantity else said.function


def _cannot(story: Story, said: Criterion, note: str) -> Judgement:
    limit = None if said.function == "no" else float(said.limit)
    unit = said.unit or "1"
    return Judgement(
        said.text, False, _quantity(said), unit, None, limit, None, None, None, None, 0, story.members, note, said.name
    )


def _worst(story: Story, said: Criterion, unit: str, found: list[Closest]) -> Judgement:
    """The judgement of all members: the one with the least margin speaks for them."""
    passed = sum(each.holds for each in found)
    member = int(np.argmin([each.margin for each in found]))
    worst = found[member]
    margin = worst.margin if worst.value is not None and np.isfinite(worst.margin) else None
    return Judgement(
        said.text, passed == story.members, _quantity(said), unit, worst.value, float(said.limit), margin,
        worst.time, worst.where, member, passed, story.members, worst.note, said.name, worst.reached,
    )  # fmt: skip


def _sign(said: Criterion) -> float:
    return 1.0 if said.operator in ("<", "<=") else -1.0


def _rows(story: Story, window: tuple[float, float]) -> slice:
    """Recorded rows within a window."""
    first, last = window[0] - EARLY, window[1] + EARLY
    return slice(int(np.searchsorted(story.time, first)), int(np.searchsorted(story.time, last, side="right")))


def _judge_none(story: Story, said: Criterion, units: list[str]) -> Judgement:
    """A flag (or a declared failure) that must never stand: counted over units, dated by its first rise."""
    wanted = set(units)
    rises = sorted(rise for flag in said.flags or (said.quantity,) for rise in _rises(story, said, flag))
    rises = [rise for rise in rises if rise[1] in wanted]
    per_member = [{unit for _, unit, of in rises if of == member} for member in range(story.members)]
    time, where, member = rises[0] if rises else (None, None, None)
    affected = len({unit for _, unit, _ in rises})
    note = f"first of {count(affected, 'unit')}" if affected > 1 else ""
    most = float(max(len(each) for each in per_member))
    return Judgement(
        said.text, not rises, _quantity(said), "count", most, 0.0, None, time, where, member,
        sum(not each for each in per_member), story.members, note, said.name,
    )  # fmt: skip


def _rises(story: Story, said: Criterion, name: str) -> list[tuple[float, str, int]]:
    """When a flag first stood within the window, or an Input was raised in it: time, unit, member."""
    opens, closes = said.window
    if name in flags_of(said.kind):
        spans = story.spans.get((said.kind, name), [])
        standing = [each for each in spans if each.start <= closes and each.until(story.end) >= opens]
        return [(max(each.start, opens), each.unit, each.member) for each in standing]
    asked = [event for event in story.events if event.flag == INPUT + name and event.value >= 0.5]
    return [(float(e.time), e.unit, e.member) for e in asked if opens <= e.time <= closes]


def _judge_time(story: Story, said: Criterion, units: list[str]) -> Judgement:
    """Seconds from a member's first fault until the first of some units raises a flag."""
    wanted = set(units)
    spans = [each for flag in said.flags or (said.quantity,) for each in story.spans.get((said.kind, flag), [])]
    spans = sorted((each for each in spans if each.unit in wanted), key=lambda each: each.start)
    return _worst(story, said, "s", [_time_to(story, said, spans, member) for member in range(story.members)])


def _time_to(story: Story, said: Criterion, spans: list[Span], member: int) -> Closest:
    zero = since(story, member)
    opens, closes = max(said.window[0], zero), said.window[1]
    standing = [each for each in spans if each.member == member and each.until(story.end) >= opens - EARLY]
    first = next((each for each in standing if max(each.start, opens) <= closes), None)
    if first is not None:
        value = max(0.0, max(first.start, opens) - zero)
        note = "it stood before" if first.start < zero - EARLY else ""
        margin = _sign(said) * (said.limit - value)
        return Closest(value, margin, zero + value, first.unit, said.holds(value), note=note)
    seen = min(story.end, closes) - zero
    proven = _sign(said) < 0 and (seen >= said.limit or closes < story.end)
    note = "" if proven or _sign(said) > 0 else f"the run ends {lasting(max(seen, 0.0))} after the fault: unproven"
    return Closest(None, np.inf if proven else -np.inf, None, None, proven, "never", note)


def _judge_values(story: Story, said: Criterion, units: list[str]) -> Judgement:
    """max, min, final or mean of a quantity against its limit, of the unit that comes nearest to it."""
    values = story.values(said.kind, said.quantity)
    quantity = _quantity(said)
    if values is None:
        return _cannot(story, said, f"{quantity} was not recorded")
    at = [story.trace.units(said.kind).index(unit) for unit in units]
    rows = _rows(story, said.window)
    if rows.start >= rows.stop:
        return _cannot(story, said, "no row was recorded in its window")
    unit = story.trace.columns(said.kind)[said.quantity].unit
    highest = said.function == "max" or (said.function in ("final", "mean") and said.operator in ("<", "<="))
    within = np.asarray(values[rows][:, :, at], dtype=float)
    first_row = rows.start
    if said.function == "final":
        first_row, within = rows.stop - 1, within[-1:]
    if said.function == "mean":
        first_row, within = rows.stop - 1, _mean(within, story.weights[rows])
    found = []
    for each in closest(within, highest):
        if each is None:
            continue
        value, row, column = each
        margin = _sign(said) * (said.limit - value)
        time = float(story.time[first_row + row])
        found.append(Closest(value, margin, time, units[column], said.holds(value)))
    if not found:
        return _cannot(story, said, f"{quantity} holds no value in this run")
    judged = _worst(story, said, unit, found)
    if len(found) == story.members:
        return judged
    return _cannot(story, said, f"{quantity} holds no value in {count(story.members - len(found), 'member')}")


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the time that rows speak for, of those that hold a value: (1, member, unit)."""
    weights = weights if weights.sum() > 0 else np.ones_like(weights)
    share = np.where(np.isfinite(values), weights[:, None, None], 0.0)
    total, known = (np.where(share > 0, values, 0.0) * share).sum(axis=0), share.sum(axis=0)
    return np.where(known > 0, total / np.where(known > 0, known, 1.0), np.nan)[None]


def _judge_sum(story: Story, said: Criterion) -> Judgement:
    """Tokens, energy, money and the time to restore: one number for a member."""
    measure: Callable[..., measured.Measured] = measured.MEASURES[said.function]
    found = []
    for member in range(story.members):
        each = measure(story, said, member)
        if each.missing:
            return _cannot(story, said, each.missing)
        if each.value is None:
            found.append(Closest(None, -np.inf, each.time, each.where, False, each.reached, each.note))
            continue
        margin = _sign(said) * (said.limit - each.value)
        holds = said.holds(each.value)
        found.append(Closest(each.value, margin, each.time, each.where, holds, each.reached, each.note))
    return _worst(story, said, said.unit, found)
