"""The audit: what stops the work of a plant, by its graph and by failing every unit of its power side in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from twin.arrays import open_device
from twin.plant import Plant, Unit
from twin.scenario import Scenario
from twin.studies.audit import judged
from twin.studies.audit.contingency import Bench, Setting, Watched
from twin.studies.audit.found import (
    OUT,
    Audit,
    Conditions,
    Contingency,
    Group,
    Loading,
    Loss,
    Trip,
    Upkeep,
)
from twin.studies.audit.graph import Wiring, failures, work_called
from twin.studies.audit.groups import groups
from twin.studies.audit.guards import unguarded
from twin.studies.audit.subject import Sample, conditions, pace, sample, subject
from twin.studies.audit.swings import swings
from twin.studies.coordination import overstressed, selectivity

__all__ = [
    "Audit",
    "Conditions",
    "Contingency",
    "Group",
    "Loading",
    "Loss",
    "Trip",
    "Upkeep",
    "audit",
    "conditions",
]

Progress = Callable[[float, float], None]
"""Told the member-seconds done and those to do."""


def audit(
    plant: Plant | Scenario | str | Path,
    at: Conditions | None = None,
    *,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Audit:
    """Audit the power side of a plant.

    Every unit that feeds others fails in a world of its own, out of service and by each of its failures, from the
    steady state: once on the grid, and once with the grid lost at the same moment, where there are generators. After
    the window it stays out for the hold, which tells whether it could be taken out for maintenance.

    Args:
        plant: a plant, a scenario, the file of one, or the name of a shipped plant.
        at: weather, work and times; a scenario's own weather and work go before.
        device: auto, cpu or gpu.
        progress: told now and then how far it is.

    Raises:
        BadInput: the plant has faults; it holds them all.
    """
    at = at or Conditions()
    whole = subject(plant, at)
    wiring = Wiring(whole.plant)
    part = sample(whole)
    cases = _cases(part)
    bench = Bench(part.plant, part.initial, open_device(device))
    found = _run(bench, cases, at, progress)
    anyway = {case.away: judged.risen(seen, member) for case, seen, member in found if case.unit is None}
    contingencies = [
        judged.contingency(case, seen, member, anyway[case.away], wiring.work)
        for case, seen, member in found
        if case.unit is not None
    ]
    away = bool(wiring.sources - wiring.utilities) and bool(wiring.utilities)
    made = Audit(
        whole.title,
        len(wiring.power_side()),
        whole.held_at,
        at,
        tuple(wiring.losses(away=False)),
        tuple(wiring.losses(away=True)) if away else (),
        tuple(contingencies),
        tuple(judged.loading(found, part.left_out) + judged.shared(whole.plant, part.left_out)),
        tuple(judged.upkeep(contingencies)),
        tuple(groups(part.plant, found, contingencies, part.left_out)),
        part.words,
        tuple([pair.sentence() for pair in selectivity(part.plant) if not pair.selective] + overstressed(part.plant)),
        swings(part.plant) if away else (),
        work=work_called(whole.plant),
        works=len(wiring.work),
    )
    return dataclasses.replace(made, unguarded=unguarded(made, Wiring(part.plant)))


def _cases(part: Sample) -> list[judged.Case]:
    """Nothing fails, then each unit by each of its failures; the same again with the grid away."""
    wiring = Wiring(part.plant)
    units = wiring.power_side()
    grid: list[Setting] = [(name, *failures(part.plant.units[name])[0]) for name in sorted(wiring.utilities)]
    found = [judged.Case(None, "", False, [])]
    found += [_case(unit, setting, False, []) for unit in units for setting in failures(unit)]
    if grid and wiring.sources - wiring.utilities:
        left = [unit for unit in units if unit.name not in wiring.utilities]
        found.append(judged.Case(None, "", True, grid))
        found += [_case(unit, setting, True, grid) for unit in left for setting in failures(unit)]
    return found


def _case(unit: Unit, failure: tuple[str, float], away: bool, grid: list[Setting]) -> judged.Case:
    name, value = failure
    return judged.Case(unit, OUT if value == 0.0 else name, away, [*grid, (unit.name, name, value)])


def _run(bench: Bench, cases: list[judged.Case], at: Conditions, progress: Progress | None) -> list[judged.Seen]:
    """Every case, in batches; each batch begins with the case in which nothing (else) fails."""
    each = at.window + at.hold
    done, total = 0.0, len(cases) * each

    def told(more: float) -> None:
        nonlocal done
        done = min(done + more, total)
        if progress is not None:
            progress(done, total)

    told(0.0)
    found: list[judged.Seen] = []
    ticks = pace(bench.model.plant)
    size = bench.batch()
    for start in range(0, len(cases), size):
        batch = cases[start : start + size]
        seen: list[Watched] = bench.run([case.settings for case in batch], at.window, at.hold, ticks, told)
        found += [(case, seen, member) for member, case in enumerate(batch)]
    return found
