"""The verdict: each criterion held against the trace, with its margin, and when and where it was closest."""

from __future__ import annotations

import fnmatch
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.report.causes import INPUT
from twin.report.story import Story, flags_of
from twin.report.words import count, say

if TYPE_CHECKING:
    from twin.scenario.criteria import Criterion

GOOD, FAILED, NO_CRITERIA, UNFINISHED = "good", "failed", "no criteria", "unfinished"


@dataclass(frozen=True)
class Judgement:
    """One criterion, judged; value, limit and margin are in SI, margin is positive on the good side.

    time, where: when and at which unit it came closest to the limit (or first broke a "no").
    """

    text: str
    passed: bool
    quantity: str
    unit: str
    value: float | None
    limit: float | None
    margin: float | None
    time: float | None
    where: str | None
    member: int | None
    members_passed: int
    members: int
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def value_said(self) -> str:
        return self._said(self.value)

    def limit_said(self) -> str:
        return self._said(self.limit)

    def margin_said(self) -> str:
        return "-" if self._counts() else say(self.margin, self.unit, difference=True, share=self._is_share())

    def _counts(self) -> bool:
        return self.unit == "count"

    def _said(self, value: float | None) -> str:
        if self._counts():
            return "-" if value is None else "none" if value == 0 else count(int(value), "unit")
        return say(value, self.unit, share=self._is_share())

    def _is_share(self) -> bool:
        """Whether a pure number was asked for in per cent."""
        return "%" in self.text


@dataclass(frozen=True)
class Verdict:
    """All judgements of a run and what they come to."""

    judgements: list[Judgement]
    finished: bool = True

    @property
    def outcome(self) -> str:
        """good, failed, no criteria; or unfinished, where a run broke off before anything failed."""
        if self.failed:
            return FAILED
        if not self.finished:
            return UNFINISHED
        return GOOD if self.judgements else NO_CRITERIA

    @property
    def failed(self) -> list[Judgement]:
        return [each for each in self.judgements if not each.passed]

    def sentence(self) -> str:
        """The verdict in one line."""
        if not self.finished and not self.failed:
            return "The run broke off; what was recorded until then broke no criterion, which proves nothing."
        if not self.judgements:
            return "The scenario states no criteria: nothing is judged."
        if not self.failed:
            if len(self.judgements) == 1:
                return "The one criterion held."
            return f"All {count(len(self.judgements), 'criterion', 'criteria')} held."
        broken = f"{len(self.failed)} of {count(len(self.judgements), 'criterion', 'criteria')}"
        return f"{broken} failed: {'; '.join(each.text for each in self.failed)}."


def judge(story: Story) -> Verdict:
    """Hold every criterion of the scenario against what was recorded."""
    judged = [_judge(story, each) for each in story.told.criteria]
    finished = bool((story.trace.summary or {}).get("finished", False))
    return Verdict(judged + [_not_understood(story, text) for text in story.told.unread], finished)


def _not_understood(story: Story, text: str) -> Judgement:
    note = "this version does not understand it"
    return Judgement(text, False, "", "1", None, None, None, None, None, None, 0, story.members, note)


def _judge(story: Story, said: Criterion) -> Judgement:
    kind, units = _units(story, said.target)
    if not units:
        return _cannot(story, said, "1", f"no unit of this plant is called {said.target}")
    if said.function == "no":
        return _judge_none(story, said, kind, units)
    values = story.values(kind, said.quantity)
    if values is None:
        return _cannot(story, said, "1", f"{said.target}.{said.quantity} was not recorded")
    at = [story.trace.units(kind).index(unit) for unit in units]
    return _judge_values(story, said, kind, units, np.asarray(values[:, :, at], dtype=float))


def _units(story: Story, target: str) -> tuple[str, list[str]]:
    """Kind and units that a criterion's target names: a kind, a unit, or a pattern within one kind."""
    if target in story.kinds:
        return target, list(story.trace.units(target))
    if target in story.kind_of:
        return story.kind_of[target], [target]
    for kind in story.kinds:
        found = fnmatch.filter(story.trace.units(kind), target)
        if found:
            return kind, found
    return "", []


def _cannot(story: Story, said: Criterion, unit: str, note: str) -> Judgement:
    limit = None if said.function == "no" else float(said.limit)
    quantity = f"{said.target}.{said.quantity}"
    return Judgement(said.text, False, quantity, unit, None, limit, None, None, None, None, 0, story.members, note)


def _judge_none(story: Story, said: Criterion, kind: str, units: list[str]) -> Judgement:
    """A flag (or a declared failure) that must never rise: counted over units, dated by its first rise."""
    wanted = set(units)
    rises = [rise for rise in _rises(story, kind, said.quantity) if rise[1] in wanted]
    per_member = [{unit for _, unit, of in rises if of == member} for member in range(story.members)]
    time, where, member = rises[0] if rises else (None, None, None)
    affected = len({unit for _, unit, _ in rises})
    return Judgement(
        said.text,
        not rises,
        f"{said.target}.{said.quantity}",
        "count",
        float(max(len(each) for each in per_member)),
        0.0,
        None,
        time,
        where,
        member,
        sum(not each for each in per_member),
        story.members,
        f"first of {count(affected, 'unit')}" if affected > 1 else "",
    )


def _rises(story: Story, kind: str, name: str) -> list[tuple[float, str, int]]:
    """Every rise of a flag, or of an Input, in order: time, unit, member."""
    if name in flags_of(kind):
        return [(span.start, span.unit, span.member) for span in story.spans.get((kind, name), [])]
    asked = [event for event in story.events if event.flag == INPUT + name and event.value >= 0.5]
    return [(float(event.time), event.unit, event.member) for event in asked]


def _judge_values(story: Story, said: Criterion, kind: str, units: list[str], values: np.ndarray) -> Judgement:
    """max, min or final of a quantity against its limit; the member with the least margin speaks for all."""
    unit = story.trace.columns(kind)[said.quantity].unit
    quantity = f"{said.target}.{said.quantity}"
    first_row = len(values) - 1 if said.function == "final" else 0
    highest = said.function == "max" or (said.function == "final" and said.operator in ("<", "<="))
    reached = closest(values[first_row:], highest)
    known = [(member, each) for member, each in enumerate(reached) if each is not None]
    if not known:
        return _cannot(story, said, unit, f"{quantity} holds no value in this run")
    sign = 1.0 if said.operator in ("<", "<=") else -1.0
    margins = [sign * (said.limit - each[0]) for _, each in known]
    passed = sum(said.holds(each[0]) for _, each in known)
    worst = int(np.argmin(margins))
    member, (value, row, column) = known[worst]
    return Judgement(
        said.text,
        passed == story.members,
        quantity,
        unit,
        value,
        float(said.limit),
        margins[worst],
        float(story.time[first_row + row]),
        units[column],
        member,
        passed,
        story.members,
    )


def closest(values: np.ndarray, highest: bool) -> list[tuple[float, int, int] | None]:
    """For each member of a (time, member, unit) table, its largest (or smallest) value, row and column.

    None where a member holds no finite value.
    """
    times, members, units = values.shape
    if not times * units:
        return [None] * members
    ranked = np.where(np.isfinite(values), values if highest else -values, -np.inf)
    at = ranked.transpose(1, 0, 2).reshape(members, -1).argmax(axis=1)
    found: list[tuple[float, int, int] | None] = []
    for member, place in enumerate(at):
        row, column = divmod(int(place), units)
        value = float(values[row, member, column])
        found.append((value, row, column) if np.isfinite(value) else None)
    return found
