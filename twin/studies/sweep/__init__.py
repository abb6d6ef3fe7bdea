"""The sweep: every unit fails in every way, alone and in pairs, each in a world of its own; the worst come first."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from twin import __version__
from twin.arrays import open_device
from twin.plant import Plant
from twin.report.words import lasting
from twin.scenario import Change, Scenario
from twin.scenario.sweeping import Sweeping
from twin.studies.audit.found import Conditions
from twin.studies.sweep.base import Base, air, base, together
from twin.studies.sweep.cases import Case, enumerated
from twin.studies.sweep.fold import Alike, folded, told
from twin.studies.sweep.found import Sweep, against_baselines, open_sweep
from twin.studies.sweep.journal import Interrupted, Journal
from twin.studies.sweep.outcome import Outcome
from twin.studies.sweep.traced import folder_of, run_again
from twin.studies.sweep.working import Chunk, run_chunks

__all__ = ["Interrupted", "Outcome", "Sweep", "Sweeping", "open_sweep", "sweep"]

Progress = Callable[[float, float], None]
"""Told the member-seconds done and those to do."""
MEMORY = 4e9
"""Bytes that a sweep takes at most, all its processes together. Estimated, not enforced."""
OF_PROCESS = 6e8
"""Bytes of a process before it has members: Python, libraries, ticks that wait to be looked at."""
OF_UNIT = 6e3
"""Bytes that a unit of a member takes in State, Outputs and what a tick makes of them."""
OF_ROW = 64.0
"""Bytes of a recorded row of a member: kept columns, their copies, events."""
LONGEST = 2000
"""Letters of the scenario's description that a table repeats."""
WIDE = 40_000
"""Members times units of one chunk at best: beyond it arrays leave the caches."""


def sweep(
    given: Plant | Scenario | str | Path,
    wish: Sweeping | None = None,
    *,
    at: Conditions | None = None,
    output: str | Path | None = None,
    fold: bool = True,
    chunk: int | None = None,
    jobs: int = 1,
    memory: float = MEMORY,
    resume: bool | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Sweep:
    """Sweep the failures of a plant or a scenario.

    Each case is a member of a batch that begins in the plant's steady state; it equals the same drill run alone, bit
    for bit, whatever runs beside it. A case that cannot be run fails alone, by name. When the table is whole, as many
    of the worst as `wish.keep` says are run again alone, each with a trace in a folder beside it.

    Args:
        given: a scenario or a plant, the file of one, or the name of a shipped one.
        wish: what is tried; what a scenario says of it, or N-1 of everything, if absent.
        at: weather and work of a plant; a scenario brings its own.
        output: file of the table; without one nothing is kept, no trace either, and nothing can be resumed.
        fold: of cases that are alike by symmetry one is run, and counted for all.
        chunk: cases run side by side; as memory and caches have it, if absent.
        jobs: processes. A script that wants several begins its work under `if __name__ == "__main__":`.
        memory: bytes that all processes together may take, where `chunk` is absent.
        resume: True goes on with a sweep that broke off, False begins anew; None raises where there is one.
        device: cpu, gpu or auto; a GPU is used by one process.
        progress: told now and then how far it is.

    Raises:
        BadInput: the plant, the scenario or the wish has faults; it holds them all.
        Interrupted: a sweep broke off here, and `resume` does not say what to do with it.
        TraceWriteError: the table cannot be written.
    """
    began = time.perf_counter()
    ground = base(given, wish, at)
    alike = _alike(ground, fold)
    cases = [group[0] for group in alike]
    jobs = 1 if open_device(device).is_gpu else max(1, jobs)
    name = digest(ground, alike, device)
    target = None if output is None else Path(output)
    journal = None if target is None else Journal(target.with_name(f"{target.name}.part"), name, resume)
    done: dict[int, Outcome] = dict(journal.done) if journal else {}
    simulated, whole = (len(cases) - len(done)) * ground.scenario.run.duration, False
    pace = _Pace(progress, ground, len(cases), target)
    try:
        parts = chunks(ground, cases, set(done), chunk, jobs, memory)
        _run(ground, parts, jobs, device, journal, done, pace)
        found = _gathered(ground, told([done[index] for index in range(len(cases))], alike), name, target)
        found = replace(found, wall_seconds=time.perf_counter() - began, simulated_seconds=simulated)
        if target is not None:
            found = _with_traces(ground, cases, found, found.write(target), device, pace)
        whole = True
    finally:
        if journal:
            journal.close(whole)
    return found


def _alike(ground: Base, fold: bool) -> Alike:
    """All cases; those that are alike together, where they are folded."""
    every = enumerated(ground.plant, ground.wish, air(ground))
    return folded(ground, every) if fold else [[case] for case in every]


def _gathered(ground: Base, outcomes: list[Outcome], name: str, target: Path | None) -> Sweep:
    """All outcomes as one sweep."""
    scenario = ground.scenario
    criteria = tuple(each.name or each.text for each in scenario.criteria)
    words: dict[str, str | int | float] = {"twin_version": __version__, "sweep_sha256": name}
    words |= {"description": scenario.description[:LONGEST], "failures": failures_told(ground)}
    return Sweep(scenario.title or ground.name, tuple(against_baselines(outcomes)), criteria, words, target)


def failures_told(ground: Base) -> str:
    """When failures strike, how long they are watched, and when they are mended, in words."""
    wish, end = ground.wish, ground.scenario.run.duration
    if not wish.order and not wish.of:
        return f"no failure is tried beside the scenario's own draws; watched for {lasting(end)}"
    moments = " or ".join(map(lasting, sorted(wish.at)))
    mended = f", and are mended {lasting(wish.restore_after)} after" if wish.restore_after is not None else ""
    return f"failures strike {moments} into the run, which ends {lasting(end - max(wish.at))} later{mended}"


def _run(
    ground: Base,
    parts: list[Chunk],
    jobs: int,
    device: str,
    journal: Journal | None,
    done: dict[int, Outcome],
    pace: _Pace,
) -> None:
    """Run all chunks; outcomes go into `done` by the place of their case, and into the journal first."""
    length = ground.scenario.run.duration
    before = len(done) * length
    total = before + sum(map(len, parts)) * length

    def ended(part: Chunk, rows: list[Outcome]) -> None:
        pairs = [(index, row) for (index, _), row in zip(part, rows, strict=True)]
        if journal:
            journal.add(pairs)
        done.update(pairs)

    def more(seconds: float) -> None:
        pace.at(min(before + seconds, total))

    more(0.0)
    run_chunks(ground, parts, jobs, device, ended, more)
    more(total - before)


class _Pace:
    """How far a sweep is, of all its member-seconds: those of its cases and of the worst that are run again."""

    def __init__(self, progress: Progress | None, ground: Base, cases: int, table: Path | None) -> None:
        again = 0 if table is None else min(ground.wish.keep, cases)
        self.progress, self.total = progress, (cases + again) * ground.scenario.run.duration

    def at(self, seconds: float) -> None:
        if self.progress is not None:
            self.progress(seconds, self.total)


def _with_traces(ground: Base, cases: list[Case], found: Sweep, table: Path, device: str, pace: _Pace) -> Sweep:
    """The sweep with traces of its worst cases beside its table, as many as are wished for."""
    worst = found.worst()[: ground.wish.keep]
    if not worst:
        return found
    by_name = {case.name: case for case in cases}
    before = len(cases) * ground.scenario.run.duration
    chosen = [(by_name[each.case], each) for each in worst]
    return replace(
        found, traced=run_again(ground, chosen, folder_of(table), device, lambda seconds: pace.at(before + seconds))
    )


def chunks(
    ground: Base, cases: list[Case], done: set[int], wanted: int | None, jobs: int, memory: float
) -> list[Chunk]:
    """Cases that run together, in the order of the sweep; none larger than memory has room for."""
    groups: dict[tuple[object, ...], Chunk] = {}
    for index, case in enumerate(cases):
        if index not in done:
            groups.setdefault(together(ground, case), []).append((index, case))
    most = wanted or roomy(ground, jobs, memory)
    made = []
    for group in groups.values():
        parts = -(-len(group) // most)
        if wanted is None and parts < jobs and len(group) >= 16 * jobs:
            parts = jobs
        size = wanted or -(-len(group) // parts)
        made += [group[first : first + size] for first in range(0, len(group), size)]
    return made


def roomy(ground: Base, jobs: int, memory: float) -> int:
    """Cases that run side by side at best: within memory, and within the caches."""
    run, units = ground.scenario.run, len(ground.plant.units)
    rows = run.duration / (run.record or run.tick)
    compared = [each for each in ground.scenario.criteria if each.quantity and each.function != "no"]
    width = sum(len(ground.plant.of_kind(each.kind)) or 1 for each in compared)
    member = OF_UNIT * units + rows * (OF_ROW + 12.0 * width)
    return int(max(1, min(256, max(2, WIDE // units), (memory / jobs - OF_PROCESS) // member)))


def digest(ground: Base, alike: Alike, device: str) -> str:
    """SHA-256 of all that a sweep's rows depend on."""
    scenario = ground.scenario
    found = hashlib.sha256()

    def change(each: Change) -> tuple[object, ...]:
        return each.time, each.unit, each.input, each.value, each.until, each.member, each.verb

    parts = [__version__, open_device(device).name, scenario.text, scenario.plant.to_json(), repr(scenario.run)]
    parts += [repr(change(each)) for each in (*scenario.initial, *scenario.start, *scenario.changes)]
    parts.append(repr(scenario.operations))
    wish = replace(ground.wish, keep=0)  # what is run again changes no row
    parts += [repr(each) for each in (*scenario.controllers, *scenario.criteria, wish, *alike)]
    for part in parts:
        found.update(part.encode())
        found.update(b"\n")
    return found.hexdigest()
