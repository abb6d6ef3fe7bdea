"""Two traces beside each other: where they first part, by how much each quantity differs, and what each counts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from twin.faults import a_kind
from twin.report.findings import Findings
from twin.report.story import ORDER, flags_of
from twin.report.timeline import Entry
from twin.report.verdict import Judgement
from twin.report.words import count, lasting, names
from twin.studies.compare.numbers import numbers_of, unit_of

EQUAL = 1e-6
"""Share of its scale by which a recorded quantity may differ and still count as equal: traces keep seven digits."""
FREEZING, LEAST = 273.15, 10.0
"""Temperatures are scaled by how far they lie from freezing [K], at least by so much."""
SLIGHT = {
    "W": 1.0,
    "VA": 1.0,
    "var": 1.0,
    "J": 1e3,
    "m^3/s": 1e-6,
    "Pa": 10.0,
    "s": 1e-3,
    "V": 1e-3,
    "K": 1e-3,
    "1": 1e-6,
}
"""What is smaller than this counts as this: a share of nothing says nothing."""
SAME_TIME = 1e-6
"""Rows closer than this [s] are of one moment."""
MOST_NAMED = 8
UNMEASURED = ("residual", "integral")
"""What the names of numbers hold that measure the arithmetic, not the plant."""


@dataclass(frozen=True)
class Difference:
    """One quantity of a kind that differs, in SI.

    first, first_unit, first_a, first_b: when and where it first differs, and the values there. worst, time, where,
    a, b: the largest difference and its place; share: that of the quantity's scale.
    """

    kind: str
    name: str
    unit: str
    units: int
    first: float
    first_unit: str
    first_a: float
    first_b: float
    worst: float
    share: float
    time: float
    where: str
    member: int
    a: float
    b: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Metric:
    """One number of both runs, in SI; None where a run does not know it. share: of the larger of the two."""

    name: str
    unit: str
    a: float | None
    b: float | None

    @property
    def difference(self) -> float | None:
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def share(self) -> float:
        if self.a is None or self.b is None:
            return 0.0 if self.a is self.b else math.inf
        if self.a == self.b or (math.isnan(self.a) and math.isnan(self.b)):
            return 0.0
        if not math.isfinite(self.b - self.a):
            return math.inf
        return abs(self.b - self.a) / scale(self.unit, max(abs(self.a), abs(self.b)), abs(self.a - FREEZING))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"difference": self.difference, "share": self.share}


@dataclass(frozen=True)
class Held:
    """One criterion in both runs; `step`: of the expected sequence of operations."""

    text: str
    a: bool | None
    b: bool | None
    margin_a: str
    margin_b: str
    step: bool = False

    @property
    def lost(self) -> bool:
        """Whether B fails it, and A holds it or does not ask: a limit that is tightened is another criterion."""
        return self.b is False and self.a is not False


@dataclass
class Traces:
    """All that sets two traces apart; `only` says in sentences what one of them alone has."""

    a: str
    b: str
    only: list[str] = field(default_factory=list)
    rows: int = 0
    broke_off: bool = False
    """B's run broke off, and A's went to its end."""
    ended_early: tuple[float, float] | None = None
    """When A's and B's rows end [s], where B's end before A's."""
    differences: list[Difference] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    criteria: list[Held] = field(default_factory=list)
    kind_of: dict[str, str] = field(default_factory=dict)
    events_a: list[Entry] = field(default_factory=list)
    events_b: list[Entry] = field(default_factory=list)

    @property
    def first(self) -> list[Difference]:
        """Quantities in the order in which they part."""
        place = {each: (each.first, ORDER.get(each.kind, len(ORDER)), -each.share) for each in self.differences}
        return sorted(self.differences, key=lambda each: place[each])

    @property
    def worst(self) -> list[Difference]:
        """Quantities by how much they differ, the most first."""
        return sorted(self.differences, key=lambda each: (-each.share, each.first, each.kind, each.name))

    @property
    def same(self) -> bool:
        apart = any(each.share > EQUAL for each in self.metrics) or any(each.a is not each.b for each in self.criteria)
        return not (self.only or self.differences or self.events_a or self.events_b or apart or self.broke_off)

    def beyond(self, within: float | None, criteria: bool) -> list[str]:
        """What breaks the thresholds, one sentence each."""
        found = []
        if criteria:
            if self.broke_off:
                found.append("B's run broke off, A's did not: what it holds is not proven")
            elif self.ended_early is not None:
                whole, part = map(lasting, self.ended_early)
                found.append(f"B ended after {part}, A after {whole}: from there on nothing of B is proven")
            for each in self.criteria:
                if each.lost:
                    what = f"the expected step {each.text}" if each.step else each.text
                    found.append(f"B fails what A {'holds' if each.a else 'does not ask'}: {what}")
        if within is not None:
            over = [f"{each.kind}.{each.name}" for each in self.worst if each.share > within]
            if over:
                found.append(f"{count(len(over), 'quantity', 'quantities')} beyond {100 * within:g} %: {_some(over)}")
            apart = [metric.name for metric in self.metrics if metric.share > within]
            if apart:
                found.append(f"{count(len(apart), 'number')} beyond {100 * within:g} %: {_some(apart)}")
            found += self.only
        asked = [*([self.rows] if within is not None else []), *([len(self.criteria)] if criteria else [])]
        return found if not asked or any(asked) else [*found, "nothing was compared"]

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "only": self.only,
            "rows": self.rows,
            "ended_early": self.ended_early,
            "first": [each.to_json() for each in self.first[:20]],
            "quantities": [each.to_json() for each in self.worst],
            "metrics": [each.to_json() for each in self.metrics],
            "criteria": [asdict(each) for each in self.criteria if not each.step],
            "sequence": [asdict(each) for each in self.criteria if each.step],
            "events_only_a": [each.to_json() for each in self.events_a],
            "events_only_b": [each.to_json() for each in self.events_b],
        }


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def scale(unit: str, value: float, above_freezing: float) -> float:
    """What a difference is a share of: the larger value; of a temperature its distance from freezing, at least 10 K."""
    if unit == "K" and value > 150.0:
        return max(LEAST, above_freezing)
    return max(value, SLIGHT.get(unit, 1e-12))


def compare(a: Findings, b: Findings, name_a: str, name_b: str) -> Traces:
    """Hold two traces against each other; what only one of them has is said, the rest is compared."""
    made = Traces(name_a, name_b)
    members = min(a.story.members, b.story.members)
    if a.story.members != b.story.members:
        first = "the first is" if members == 1 else f"the first {members} are"
        has = f"A has {count(a.story.members, 'member')} and B {b.story.members}"
        made.only.append(f"{has}; {first} compared")
    _kinds(made, a, b)
    rows_a, rows_b = _rows(made, a.story.time, b.story.time)
    made.rows = len(rows_a)
    for kind in a.story.kinds:
        if kind in b.story.kinds and made.rows:
            _of_kind(made, a, b, kind, (rows_a, rows_b), members)
    made.metrics = _metrics(a, b)
    made.criteria = _criteria(a, b)
    made.broke_off = a.verdict.finished and not b.verdict.finished
    spans = [each.story.end - each.story.start for each in (a, b)]
    made.ended_early = (spans[0], spans[1]) if spans[1] < spans[0] - _tail(a, b) else None
    made.kind_of = a.story.kind_of | b.story.kind_of
    made.events_a, made.events_b = _events(a.entries, b.entries)
    return made


def _tail(a: Findings, b: Findings) -> float:
    """By how much the end of two whole runs may differ because one records more rarely [s]."""
    return SAME_TIME + max(float(each.story.steps[-1]) if len(each.story.steps) else 0.0 for each in (a, b))


def _kinds(made: Traces, a: Findings, b: Findings) -> None:
    for one, other, who in ((a, b, "A"), (b, a, "B")):
        only = [kind for kind in one.story.kinds if kind not in other.story.kinds]
        if only:
            made.only.append(f"only {who} has units of the kinds {', '.join(only)}")
        for kind in one.story.kinds:
            if kind in only:
                continue
            missing = set(one.trace.units(kind)) - set(other.trace.units(kind))
            if missing:
                made.only.append(f"only {who} has the units {names(missing)} ({kind})")
            alone = [name for name in one.trace.columns(kind) if name not in other.trace.columns(kind)]
            if alone:
                made.only.append(f"only {who} records of {a_kind(kind)}: {', '.join(alone)}")


def _rows(made: Traces, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both that are of one moment."""
    at = np.searchsorted(b, a - SAME_TIME)
    hits = at < len(b)
    hits[hits] = np.abs(b[at[hits]] - a[hits]) <= SAME_TIME
    rows_a, rows_b = np.flatnonzero(hits), at[hits]
    if len(rows_a) < max(len(a), len(b)):
        made.only.append(
            f"{count(len(rows_a), 'row')} of one moment are compared; A has {len(a)} up to {_end(a)} s, "
            f"B has {len(b)} up to {_end(b)} s"
        )
    return rows_a, rows_b


def _end(time: np.ndarray) -> str:
    return f"{time[-1]:g}" if len(time) else "0"


def _of_kind(
    made: Traces, a: Findings, b: Findings, kind: str, rows: tuple[np.ndarray, np.ndarray], members: int
) -> None:
    units = [unit for unit in a.trace.units(kind) if unit in set(b.trace.units(kind))]
    if not units:
        return
    at = [[each.trace.units(kind).index(unit) for unit in units] for each in (a, b)]
    for name, column in a.trace.columns(kind).items():
        if name not in b.trace.columns(kind) or name in flags_of(kind) or any(word in name for word in UNMEASURED):
            continue  # flags stand in the events
        both = [
            np.asarray(each.story.values(kind, name))[kept][:, :members][:, :, where].astype(float)
            for each, kept, where in zip((a, b), rows, at, strict=True)
        ]
        found = _difference(kind, name, column.unit, units, both[0], both[1], a.story.time[rows[0]])
        if found is not None:
            made.differences.append(found)


def _difference(
    kind: str, name: str, unit: str, units: list[str], one: np.ndarray, other: np.ndarray, time: np.ndarray
) -> Difference | None:
    apart = np.abs(other - one)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = np.where(same, 0.0, np.where(np.isfinite(apart), apart, np.inf))
    if not apart.any():
        return None
    known = np.concatenate([one[np.isfinite(one)], other[np.isfinite(other)]])
    largest = float(np.abs(known).max()) if known.size else 0.0
    size = scale(unit, largest, float(np.abs(known - FREEZING).max()) if known.size else 0.0)
    over = apart > EQUAL * max(size, largest if unit == "K" else 0.0)
    if not over.any():
        return None
    row = int(np.argmax(over.any(axis=(1, 2))))
    member, column = np.unravel_index(int(np.argmax(apart[row])), apart[row].shape)
    worst_row, worst_member, worst_column = np.unravel_index(int(np.argmax(apart)), apart.shape)
    worst = float(apart[worst_row, worst_member, worst_column])
    return Difference(
        kind, name, unit, int(over.any(axis=(0, 1)).sum()),
        float(time[row]), units[column], float(one[row, member, column]), float(other[row, member, column]),
        worst, worst / size, float(time[worst_row]), units[worst_column], int(worst_member),
        float(one[worst_row, worst_member, worst_column]), float(other[worst_row, worst_member, worst_column]),
    )  # fmt: skip


def _metrics(a: Findings, b: Findings) -> list[Metric]:
    """Every number of both runs; of an ensemble its median."""
    numbers = [numbers_of(each) for each in (a, b)]
    keys = [key for key in dict.fromkeys([*numbers[0], *numbers[1]]) if not any(word in key for word in UNMEASURED)]
    one, other = numbers
    return [Metric(key, unit_of(a if key in one else b, key), one.get(key), other.get(key)) for key in keys]


def _criteria(a: Findings, b: Findings) -> list[Held]:
    """Every criterion of both, then every step of their expected sequences."""
    judged = _held(a.verdict.judgements, b.verdict.judgements, False)
    return judged + _held(a.verdict.sequence, b.verdict.sequence, True)


def _held(a: list[Judgement], b: list[Judgement], step: bool) -> list[Held]:
    one, other = ({(each.text, place): each for each, place in _numbered(of)} for of in (a, b))
    return [
        Held(
            key[0],
            one[key].passed if key in one else None,
            other[key].passed if key in other else None,
            one[key].margin_said() if key in one else "not asked",
            other[key].margin_said() if key in other else "not asked",
            step,
        )
        for key in dict.fromkeys([*one, *other])
    ]


def _numbered(judged: list[Judgement]) -> list[tuple[Judgement, int]]:
    """Each with how often its text stood before: a sequence may ask for the same thing twice."""
    texts = [each.text for each in judged]
    return [(each, texts[:place].count(each.text)) for place, each in enumerate(judged)]


def _events(a: list[Entry], b: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Lines of each timeline that the other has not, to the millisecond."""

    def key(entry: Entry) -> tuple[float, int, str, str]:
        return round(entry.time, 3), entry.member, entry.unit, entry.what

    only = []
    for one, other in ((a, b), (b, a)):
        left = Counter(map(key, other))
        rest = []
        for entry in one:
            if left[key(entry)] > 0:
                left[key(entry)] -= 1
            else:
                rest.append(entry)
        only.append(rest)
    return only[0], only[1]
