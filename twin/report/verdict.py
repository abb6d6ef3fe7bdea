"""The verdict: what came of each criterion - value, limit, margin, when and where it was closest - and of all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from twin.report.words import count, say

GOOD, FAILED, NO_CRITERIA, UNFINISHED = "good", "failed", "no criteria", "unfinished"


@dataclass(frozen=True)
class Judgement:
    """One criterion, judged; value, limit and margin are in SI, margin is positive on the good side.

    time, where: when and at which unit it came closest to the limit (or first broke a "no"); name: what the
    scenario calls it; reached: the value in words, where a number alone does not say it; meant: whether
    the drill itself says that this is meant to fail.
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
    name: str = ""
    reached: str = ""
    meant: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def title(self) -> str:
        """Its name, where it has one, and its sentence."""
        return f"{self.name}: {self.text}" if self.name else self.text

    def value_said(self) -> str:
        return self.reached or self._said(self.value)

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
    """All judgements of a run and what they come to; `sequence` are those of the expected sequence of operations."""

    judgements: list[Judgement]
    finished: bool = True
    sequence: list[Judgement] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """good, failed, no criteria; or unfinished, where a run broke off before anything failed."""
        if self.failed:
            return FAILED
        if not self.finished:
            return UNFINISHED
        return GOOD if self.judgements or self.sequence else NO_CRITERIA

    @property
    def failed(self) -> list[Judgement]:
        return [each for each in (*self.judgements, *self.sequence) if not each.passed]

    def sentence(self) -> str:
        """The verdict in one line."""
        if not self.finished and not self.failed:
            return "The run broke off; what was recorded until then broke no criterion, which proves nothing."
        if not self.judgements and not self.sequence:
            return "The scenario states no criteria: nothing is judged."
        if not self.failed:
            if len(self.judgements) == 1 and not self.sequence:
                return "The one criterion held."
            return f"All {self._counted()} held."
        whole = self._counted()
        if self.judgements and self.sequence:
            whole = f"{len(self.judgements) + len(self.sequence)} criteria and expected steps"
        meant = ", as this drill means it to" if all(each.meant for each in self.failed) else ""
        named = "; ".join(each.name or each.text for each in self.failed)
        return f"{len(self.failed)} of {whole} failed{meant}: {named}."

    def _counted(self) -> str:
        """How many criteria, and how many steps of the expected sequence."""
        criteria = count(len(self.judgements), "criterion", "criteria") if self.judgements else ""
        steps = count(len(self.sequence), "expected step") if self.sequence else ""
        return " and ".join(filter(None, (criteria, steps)))


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
