"""Two sweeps beside each other: which failures do harm in B that did none in A, and the other way round."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from twin.report.words import count
from twin.studies.sweep.cuts import breaks
from twin.studies.sweep.found import Sweep, normals
from twin.studies.sweep.outcome import Outcome, names_of, parted
from twin.studies.sweep.shown import given

NUMBERS = {
    "racks_lost": "1", "racks_lost_end": "1", "throttled": "1", "throttled_peak": "1", "power_lost": "W",
    "power_lost_end": "W", "energy_lost": "J", "tokens_lost": "token", "revenue_lost": "USD", "net_revenue_lost": "USD",
    "harm_after": "s", "to_trip": "s", "to_throttle": "s", "to_shutdown": "s", "to_unpowered": "s", "to_dark": "s",
    "recovery": "s",
}  # fmt: skip
"""What is compared of each case, and its unit."""
AT_REST = NUMBERS | {"work_energy": "J", "tokens": "token", "revenue": "USD", "net_revenue": "USD"}
"""And of each in which nothing fails: what others lose is the difference to it."""
SLIGHT = {"W": 1e3, "J": 3.6e6, "s": 1.0, "USD": 1.0, "token": 1e3, "1": 0.0}
"""Differences up to this are none."""


@dataclass(frozen=True)
class Case:
    """One case of both sweeps; `lost` does harm in B alone, `won` in A alone, `harms` in both; numbers: name -> (A, B).

    criteria: those that come out otherwise, -> (A, B) in words. newly: those that B fails and A does not, but for those
    that are so in the same world where nothing fails. at_rest: nothing fails in it.
    """

    name: str
    lost: bool
    won: bool
    first_a: str
    first_b: str
    numbers: dict[str, tuple[float, float]]
    criteria: dict[str, tuple[str, str]]
    newly: tuple[str, ...]
    at_rest: bool
    harms: bool = False
    how: tuple[str, str] = ("", "")
    """What led to the first harmed rack in A and in B, where it is not the same."""


@dataclass
class Sweeps:
    """All that sets two sweeps apart."""

    a: str
    b: str
    only: list[str] = field(default_factory=list)
    conditions: tuple[str, str] | None = None
    """Under what A and B were swept and how failures strike, where that is not the same."""
    compared: int = 0
    """Cases of both in which something fails or is drawn."""
    harm: tuple[int, int] = (0, 0)
    cases: list[Case] = field(default_factory=list)
    """Those that differ, the worst first."""
    new: list[str] = field(default_factory=list)
    """Cases that B alone has and that do harm."""

    @property
    def lost(self) -> list[Case]:
        return [each for each in self.cases if each.lost and not each.at_rest]

    @property
    def at_rest(self) -> dict[str, bool]:
        """Whether A, and B, is worse where nothing fails."""
        resting = [each for each in self.cases if each.at_rest]
        return {"A": any(each.won for each in resting), "B": any(each.lost for each in resting)}

    @property
    def same(self) -> bool:
        return bool(self.compared) and not (self.only or self.conditions or self.cases)

    def beyond(self, within: float | None) -> list[str]:
        """What breaks the thresholds: harm that is new, and numbers that grew beyond a share."""
        found = [] if self.compared else ["nothing was compared: no failure was tried in both"]
        for each in self.cases:
            if each.at_rest and each.lost and not each.newly:
                found.append(f"{each.name}: B was {each.first_b}")
            found += [f"{each.name}: B fails what A does not: {text}" for text in each.newly if not _told(each)]
        found += [f"{each.name} does harm in B and did none in A" for each in self.lost]
        found += [f"{name}, which only B has, does harm" for name in self.new]
        if within is not None:
            for each in self.cases:
                over = [name for name, (a, b) in each.numbers.items() if _share(a, b) > within]
                if over and not _told(each):
                    found.append(f"{each.name} differs beyond {100 * within:g} %: {', '.join(over)}")
        return found

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"same": self.same}


def _told(each: Case) -> bool:
    """Whether it stands among the failures that do new harm."""
    return each.lost and not each.at_rest


def compare(a: Sweep, b: Sweep, name_a: str, name_b: str) -> Sweeps:
    """Hold two sweeps against each other, case by case; those that are folded count as what they stand for.

    Cases in which nothing fails are held against each other, too: by themselves they do no harm that a failure could be
    blamed for, but a plant that is worse at rest is worse.
    """
    one, other = _cases(a), _cases(b)
    rests = normals(a.outcomes), normals(b.outcomes)
    made = Sweeps(name_a, name_b)
    if given(a) != given(b):
        made.conditions = (given(a), given(b))
    for mine, theirs, who in ((one, other, "A"), (other, one, "B")):
        alone = [name for name in mine if name not in theirs]
        if alone:
            made.only.append(f"only {who} has {count(len(alone), 'case')}: {_some(alone)}")
    if set(a.criteria) != set(b.criteria):
        made.only.append(f"A asks: {'; '.join(a.criteria)}. B asks: {'; '.join(b.criteria)}")
    made.new = [name for name in other if name not in one and _harm(name, other, rests[1])]
    both = [name for name in one if name in other]
    made.compared = sum(bool(one[name].units) or one[name].draw > 0 for name in both)
    harm = [[_harm(name, rows, rest) for name in both] for rows, rest in ((one, rests[0]), (other, rests[1]))]
    fails = [bool(one[name].units) for name in both]
    made.harm = (sum(map(min, harm[0], fails)), sum(map(min, harm[1], fails)))
    asked = a.criteria, b.criteria
    resting = {parted(name)[1]: _newly(one[name], other[name], asked) for name in both if not one[name].units}
    for name, in_a, in_b in zip(both, *harm, strict=True):
        found = _differs(name, (one[name], other[name]), asked, (in_a, in_b), resting.get(parted(name)[1], []))
        if found is not None:
            made.cases.append(found)
    made.cases.sort(key=lambda each: (not (each.at_rest and each.lost), not each.lost, not each.won, -_weight(each)))
    return made


def _cases(found: Sweep) -> dict[str, Outcome]:
    """Every case by name, also those that another stands for and those in which nothing fails."""
    return {name: each for each in found.outcomes for name in names_of(each)}


def _harm(name: str, rows: dict[str, Outcome], rest: dict[str, Outcome]) -> bool:
    """Whether a case does harm in its own world; one in which nothing fails, whether it cannot be run or fails."""
    each = rows[name]
    return breaks(each, rest.get(parted(name)[1]) if each.units else None)


Asked = tuple[tuple[str, ...], tuple[str, ...]]
"""Criteria of A and of B."""
JUDGED = {1: "held", 0: "FAILED", -1: "not judged"}


def _newly(a: Outcome, b: Outcome, asked: Asked) -> list[str]:
    """Criteria that B does not hold, and that A holds or does not ask."""
    if b.fault:
        return []
    was = dict(zip(asked[0], a.passed, strict=False))
    return [text for text, now in zip(asked[1], b.passed, strict=False) if now != 1 and was.get(text, 1) == 1]


def _differs(
    name: str, pair: tuple[Outcome, Outcome], asked: Asked, harm: tuple[bool, bool], resting: list[str]
) -> Case | None:
    """What sets a case of both apart; None where nothing does. resting: what is newly failed where nothing fails."""
    a, b = pair
    at_rest = not a.units
    numbers = {}
    for each, unit in (AT_REST if at_rest else NUMBERS).items():
        values = getattr(a, each), getattr(b, each)
        if not _alike(*values, SLIGHT[unit]):
            numbers[each] = (float(values[0]), float(values[1]))
    said = [dict(zip(texts, each.passed, strict=False)) for each, texts in zip(pair, asked, strict=True)]
    criteria = {
        text: (JUDGED[said[0][text]], JUDGED[said[1][text]])
        for text in said[0]
        if text in said[1] and said[0][text] != said[1][text]
    }
    newly = [text for text in _newly(a, b, asked) if at_rest or text not in resting]
    lost, won = harm[1] and not harm[0], harm[0] and not harm[1]
    if at_rest:
        lost = bool(newly) or (bool(b.fault) and not a.fault)
        won = bool(_newly(b, a, asked[::-1])) or (bool(a.fault) and not b.fault)
    firsts = [f"{each.first_unit} {each.first}".strip() or "-" for each in pair]
    firsts = [f"not run: {each.fault}" if each.fault else text for each, text in zip(pair, firsts, strict=True)]
    how = (a.harm_chain, b.harm_chain)
    how = ("", "") if _causes(how[0]) == _causes(how[1]) else how
    if not (numbers or criteria or newly or lost or won or firsts[0] != firsts[1] or any(how)):
        return None
    harms = all(harm) and not (lost or won)
    return Case(name, lost, won, firsts[0], firsts[1], numbers, criteria, tuple(newly), at_rest, harms, how)


def _causes(chain: str) -> str:
    """A chain without its seconds, which the numbers tell."""
    return re.sub(r" \(after [^)]*\)", "", chain)


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
