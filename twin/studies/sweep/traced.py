"""The worst cases of a sweep, run again alone, each with a full trace that `twin report` and `twin view` open."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import Simulation, recorded
from twin.studies.sweep.base import Base, scenario_of, struck
from twin.studies.sweep.cases import Case
from twin.studies.sweep.found import Traced
from twin.studies.sweep.outcome import Outcome
from twin.studies.sweep.working import DIED
from twin.studies.sweep.world import Told, fingerprints, said

LONGEST = 120
"""Characters of a file's name."""
OTHERWISE = "it ended in another state than its row tells: what is compared, or the machine, changed in between"
WHY = "tried by the sweep"


def folder_of(table: Path) -> Path:
    """Where the traces of a table's worst cases stand: beside it."""
    return table.with_name(f"{table.stem}-worst")


def run_again(
    base: Base,
    chosen: list[tuple[Case, Outcome]],
    folder: Path,
    device: str = "cpu",
    told: Told = lambda seconds: None,
) -> tuple[Traced, ...]:
    """Run cases again, each alone from the first tick on, and write a trace of each.

    A case that cannot be run has a trace of what went before; one that cost its process its life is left alone.

    Args:
        base: what all cases share.
        chosen: cases, and the row of each, to the fingerprint of which it is held.
        folder: where the traces go, each named by its case.
        device: cpu, gpu or auto; that of the sweep, or bits differ.
        told: told now and then how many seconds are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    made, length = [], base.scenario.run.duration
    for place, (case, row) in enumerate(chosen):
        path = folder / file_name(case.name, taken)
        made.append(_traced(base, case, row, path, device, partial(_from, told, place * length)))
        told((place + 1) * length)
    return tuple(made)


def _from(told: Told, before: float, seconds: float) -> None:
    told(before + seconds)


def _traced(base: Base, case: Case, row: Outcome, path: Path, device: str, told: Told) -> Traced:
    """One case alone, from a steady state of its own."""
    if row.fault == DIED:
        return Traced(case.name, "", f"not run again: {DIED}")
    before = path.stat().st_mtime_ns if path.exists() else 0
    try:
        with np.errstate(all="ignore"):  # as in the sweep
            simulation = Simulation(drill_of(base, case), device=device)
            recorded(simulation, path, told)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is told of the case that raised it)
        written = path.exists() and path.stat().st_mtime_ns != before
        return Traced(case.name, str(path) if written else "", said(error))
    same = fingerprints(simulation.state, 1) == [row.fingerprint]
    return Traced(case.name, str(path), "" if same else OTHERWISE)


def file_name(case: str, taken: set[str]) -> str:
    """A file's name that says which case it is of, and that no other has."""
    plain = re.sub(r"[^A-Za-z0-9_.,+%-]+", "-", case.replace(" + ", "+").replace(", ", ","))[:LONGEST]
    name, number = plain, 2
    while name.lower() in taken:
        name, number = f"{plain}-{number}", number + 1
    taken.add(name.lower())
    return f"{name}.h5"


def drill_of(base: Base, case: Case) -> Scenario:
    """A case as the drill that it is alone, with words of its own: what fails stands among its events."""
    scenario = scenario_of(base, [case])
    scenario.title = f"{scenario.title or base.name}: {case.name}"
    scenario.text = _text(scenario, struck(base, case, None), case.told)
    return scenario


def _text(scenario: Scenario, changes: list[Change], apart: Sequence[str]) -> str:
    """The resolved text of the scenario with the case's own title, run and events in it."""
    lines = [line for line in scenario.text.split("\n") if not line.startswith(("title:", "run:"))]
    if not all(line.startswith(" ") or ":" in line for line in lines if line):
        return scenario.text  # it is no document
    events = [_event(change) for change in changes]
    found = next((place for place, line in enumerate(lines) if line.startswith("events:")), None)
    if found is None:
        lines = [*lines, "events:", *(f"  - {each}" for each in events)] if events else lines
    elif lines[found].startswith("events: ["):
        rest = lines[found].removeprefix("events: [")
        lines[found] = (
            "events: [" + ", ".join([*events, rest] if rest != "]" else events) + ("]" if rest == "]" else "")
        )
    else:
        lines[found + 1 : found + 1] = [f"  - {each}" for each in events]
    head = [f"title: {json.dumps(scenario.title, ensure_ascii=False)}", f"run: {_run(scenario.run)}"]
    head += [f"# what else sets it apart: {', '.join(apart)}"] if apart else []
    return "\n".join([*head, *filter(None, lines)]) + "\n"


def _run(run: RunSettings) -> str:
    parts = [f"duration: {_s(run.duration)}", f"tick: {_s(run.tick)}", f"seed: {run.seed}"]
    parts += [f"record: {_s(run.record)}"] if run.record else []
    zooms = [f"{{at: {_s(zoom.at)}, for: {_s(zoom.length)}, tick: {_s(zoom.tick)}}}" for zoom in run.zooms]
    return "{" + ", ".join([*parts, *([f"zoom: [{', '.join(zooms)}]"] if zooms else [])]) + "}"


def _event(change: Change) -> str:
    """A change as an event of a scenario."""
    well = 1.0 if change.input == "in_service" else 0.0
    target = change.unit if change.input == "in_service" else f"{change.unit}.{change.input}"
    plain = change.input != "closed" and change.value == (1.0 - well if change.verb == "fail" else well)
    what = f"{change.verb}: {json.dumps(target)}" if plain else f"set: {json.dumps(target)}, to: {change.value:.9g}"
    return f"{{at: {_s(change.time)}, {what}, why: {WHY}}}"


def _s(seconds: float) -> str:
    return f"{seconds:.9g} s"
