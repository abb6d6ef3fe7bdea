"""Folding: of cases that are alike by the plant's symmetry one is run, and stands for them all."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from twin.studies.sweep.base import Base
from twin.studies.sweep.cases import Case
from twin.studies.sweep.outcome import Outcome
from twin.studies.sweep.symmetry import Symmetry

Alike = list[list[Case]]
"""Cases by what they have in common, the one that is run first."""


def folded(base: Base, cases: list[Case]) -> Alike:
    """Cases that are alike together.

    Each by itself where the scenario draws something for single worlds, or where people or a scheduler act: who attends
    to which unit first, what times they take, and which racks a job is given, is not the same for units that are alike.
    """
    if base.scenario.operations or base.scenario.scheduler is not None:
        return [[case] for case in cases]
    if any(change.member is not None for change in (*base.scenario.initial, *base.scenario.changes)):
        return [[case] for case in cases]
    whole = Symmetry(base.plant, marks(base))
    found: dict[Hashable, list[Case]] = {}
    for case in cases:
        fails = [(each.unit, (each.input, each.value)) for each in case.failures]
        key = (case.at, case.start.load, case.start.weather, bool(case.start.maintenance), case.draw)
        found.setdefault((key, whole.standing_for(case.start.maintenance, fails)), []).append(case)
    return list(found.values())


def marks(base: Base) -> dict[str, Hashable]:
    """What the scenario does to each unit, and which criteria name it."""
    found: dict[str, list[Hashable]] = {}
    scenario = base.scenario
    for change in scenario.start:
        found.setdefault(change.unit, []).append(("start", change.input, change.value))
    for change in scenario.initial:
        found.setdefault(change.unit, []).append(("initial", change.input, change.value))
    for change in scenario.changes:
        said = (change.time, change.input, change.value, change.until, change.verb)
        found.setdefault(change.unit, []).append(("changes", *said))
    for place, each in enumerate(scenario.criteria):
        named = each.units or ((each.target,) if each.target in base.plant.units else ())
        for unit in named:
            found.setdefault(unit, []).append(("criterion", place))
    return {unit: tuple(sorted(each, key=repr)) for unit, each in found.items()}


def told(rows: list[Outcome], alike: Alike) -> list[Outcome]:
    """Outcomes with the cases that they stand for."""
    return [
        replace(row, stands_for=len(cases), alike="; ".join(case.name for case in cases[1:]))
        for row, cases in zip(rows, alike, strict=True)
    ]
