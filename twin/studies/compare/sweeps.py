"""Two sweeps beside each other: which failures do harm in B that did none in A, and the other way round."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from twin.report.words import count
from twin.studies.sweep.cuts import breaks
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome

NUMBERS = {
    "racks_lost": "1", "racks_lost_end": "1", "throttled": "1", "power_lost": "W", "power_lost_end": "W",
    "energy_lost": "J", "tokens_lost": "token", "revenue_lost": "USD", "to_throttle": "s", "to_unpowered": "s",
    "recovery": "s",
}  # fmt: skip
"""What is compared of each case, and its unit."""
SLIGHT = {"W": 1e3, "J": 3.6e6, "s": 1.0, "USD": 1.0, "token": 1e3, "1": 0.0}
"""Differences up to this are none."""


@dataclass(frozen=True)
class Case:
    """One case of both sweeps; `lost` does harm in B alone, `won` in A alone; numbers: name -> (A, B)."""

    name: str
    lost: bool
    won: bool
    first_a: str
    first_b: str
    numbers: dict[str, tuple[float, float]]


@dataclass
class Sweeps:
    """All that sets two sweeps apart."""

    a: str
    b: str
    only: list[str] = field(default_factory=list)
    compared: int = 0
    harm: tuple[int, int] = (0, 0)
    cases: list[Case] = field(default_factory=list)
    """Those that differ, the worst first."""
    new: list[str] = field(default_factory=list)
    """Cases that B alone has and that do harm."""

    @property
    def lost(self) -> list[Case]:
        return [each for each in self.cases if each.lost]

    @property
    def same(self) -> bool:
        return not (self.only or self.cases)

    def beyond(self, within: float | None) -> list[str]:
        """What breaks the thresholds: harm that is new, and numbers that grew beyond a share."""
        found = [f"{each.name} does harm in B and did none in A" for each in self.lost]
        found += [f"{name}, which only B has, does harm" for name in self.new]
        if within is not None:
            for each in self.cases:
                over = [name for name, (a, b) in each.numbers.items() if _share(a, b) > within]
                if over and not each.lost:
                    found.append(f"{each.name} differs beyond {100 * within:g} %: {', '.join(over)}")
        return found

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"same": self.same}


def compare(a: Sweep, b: Sweep, name_a: str, name_b: str) -> Sweeps:
    """Hold two sweeps against each other, case by case; those that are folded count as what they stand for."""
    one, other = _cases(a), _cases(b)
    normal_a, normal_b = _normal(a), _normal(b)
    made = Sweeps(name_a, name_b)
    for mine, theirs, who in ((one, other, "A"), (other, one, "B")):
        alone = [name for name in mine if name not in theirs]
        if alone:
            made.only.append(f"only {who} has {count(len(alone), 'case')}: {_some(alone)}")
    if set(a.criteria) != set(b.criteria):
        made.only.append(f"A asks: {'; '.join(a.criteria)}. B asks: {'; '.join(b.criteria)}")
    made.new = [name for name, each in other.items() if name not in one and breaks(each, normal_b)]
    both = [name for name in one if name in other]
    made.compared = len(both)
    harm = [[breaks(rows[name], normal) for name in both] for rows, normal in ((one, normal_a), (other, normal_b))]
    made.harm = (sum(harm[0]), sum(harm[1]))
    for name, in_a, in_b in zip(both, *harm, strict=True):
        found = _differs(name, one[name], other[name], in_b and not in_a, in_a and not in_b)
        if found is not None:
            made.cases.append(found)
    made.cases.sort(key=lambda each: (not each.lost, not each.won, -_weight(each)))
    return made


def _cases(found: Sweep) -> dict[str, Outcome]:
    """Every case by name, also those that another stands for."""
    return {name: each for each in found.cases for name in [each.case, *filter(None, each.alike.split("; "))]}


def _normal(found: Sweep) -> Outcome | None:
    return next(iter(found.baselines), None)


def _differs(name: str, a: Outcome, b: Outcome, lost: bool, won: bool) -> Case | None:
    numbers = {}
    for each, unit in NUMBERS.items():
        pair = getattr(a, each), getattr(b, each)
        if not _alike(*pair, SLIGHT[unit]):
            numbers[each] = (float(pair[0]), float(pair[1]))
    firsts = [f"{each.first_unit} {each.first}".strip() or "-" for each in (a, b)]
    firsts = [f"not run: {each.fault}" if each.fault else said for each, said in zip((a, b), firsts, strict=True)]
    if not (numbers or lost or won or firsts[0] != firsts[1]):
        return None
    return Case(name, lost, won, firsts[0], firsts[1], numbers)


def _alike(a: float, b: float, slight: float) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return repr(float(a)) == repr(float(b))
    return abs(b - a) <= slight


def _share(a: float, b: float) -> float:
    if _alike(a, b, 0.0):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(b - a) / max(abs(a), abs(b))


def _weight(each: Case) -> float:
    a, b = each.numbers.get("power_lost_end", each.numbers.get("power_lost", (0.0, 0.0)))
    return abs(b - a) if math.isfinite(b - a) else 0.0


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
