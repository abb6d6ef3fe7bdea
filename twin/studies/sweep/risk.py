"""Risk: how often a year each case of a sweep is to be expected by published rates, times what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from twin.scenario.faults import BadInput, Faults, advice
from twin.scenario.rates import Rate, RateSet, sets
from twin.studies.sweep.cases import WHOLE
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome

YEAR = 8766.0 * 3600.0
"""Seconds of a mean year."""


@dataclass(frozen=True)
class Risk:
    """One case, with all it stands for: how often a year [1], and what is to be expected of it a year.

    energy: work that is missing [J]; tokens; revenue [USD]; each as the sweep saw it until it stopped watching.
    """

    outcome: Outcome
    per_year: float
    energy: float
    tokens: float
    revenue: float

    def to_json(self) -> dict[str, Any]:
        """In plain types."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "outcome"}
        return {"case": self.outcome.case, "stands_for": self.outcome.stands_for, **said}


def rate_set(name: str) -> RateSet:
    """A shipped set of rates of equipment, by name.

    Raises:
        BadInput: there is none, or it counts by GPU.
    """
    known = {each.name: each for each in sets() if not each.gpus}
    if name not in known:
        faults = Faults()
        faults.add(None, f'there is no set of rates of equipment "{name}"; {advice(name, known)}')
        raise BadInput(faults.errors)
    return known[name]


def risks(found: Sweep, rates: RateSet) -> list[Risk]:
    """Cases whose failures all have rates, by the energy, then the money, to be expected of them a year.

    A failure comes 1/MTBF times a year, one on demand only with another. Two that are independent overlap

        f = f1 f2 (r1 + r2)

    times a year, with r the time of repair; the sweep has them at one moment, the worst they can do together.
    Source: Billinton and Allan, Reliability Evaluation of Engineering Systems (1992), cut sets of second order.
    """
    made = []
    for each in found.cases:
        often = frequency(each, rates) * each.stands_for
        if often > 0 and not each.fault:
            lost = (each.energy_lost, each.tokens_lost, each.revenue_lost)
            energy, tokens, revenue = (often * max(value, 0.0) if value == value else 0.0 for value in lost)
            made.append(Risk(each, often, energy, tokens, revenue))
    return sorted(made, key=lambda risk: (risk.energy, risk.revenue, risk.per_year), reverse=True)


def frequency(case: Outcome, rates: RateSet) -> float:
    """How often a year the failures of a case are there together; 0 where a rate is not known."""
    kinds, modes = case.kinds.split(" + "), case.modes.split(" + ")
    timed, chance = [], 1.0
    for kind, mode in zip(kinds, modes, strict=True):
        of = [rate for rate in rates.rates if rate.kind == kind and _same(rate.input, mode)]
        share = 1.0 - math.prod(1.0 - (rate.probability or 0.0) for rate in of)
        often = sum(YEAR / rate.every for rate in of if rate.every is not None)
        if often:
            timed.append((often, _away(of, often)))
        elif share:
            chance *= share
        else:
            return 0.0
    if len(timed) == 1:
        return timed[0][0] * chance
    if len(timed) == 2:
        (f1, r1), (f2, r2) = timed
        return f1 * f2 * (r1 + r2) / YEAR
    return 0.0


def _same(rated: str, mode: str) -> bool:
    return rated == mode or (rated in WHOLE and mode in WHOLE)


def _away(of: list[Rate], often: float) -> float:
    """Mean time of repair [s], of causes as often as they come."""
    return sum(YEAR / each.every * (each.repair or 0.0) for each in of if each.every is not None) / often
