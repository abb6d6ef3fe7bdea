"""Integrated systems test: the L5 script of a plant, written from its own ratings, run step by step, and scored.

from twin.studies.ist import ist, script

test = ist("pod")
print(test.passed, test.markdown())
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from twin.faults import Fault
from twin.plant import Plant
from twin.report.findings import Findings
from twin.report.words import names
from twin.scenario import BadInput, read
from twin.scenario.names import BadName, Directory
from twin.scenario.pace import SHARE, shortest
from twin.simulation import simulate
from twin.studies.audit import Conditions as Weather
from twin.studies.audit.subject import subject
from twin.studies.ist import cooling, power
from twin.studies.ist.saying import in_words
from twin.studies.ist.score import Acceptance, Scored, scored
from twin.studies.ist.site import Site
from twin.studies.ist.step import Conditions, Step
from twin.trace import open_trace

__all__ = ["Acceptance", "Conditions", "Scored", "Step", "ist", "script"]

MAKERS: tuple[Callable[[Site], Iterator[Step]], ...] = (
    power.feeds_lost,
    power.set_fails,
    power.switch_stuck,
    power.ups_alone,
    cooling.chillers,
    cooling.cdus,
    cooling.leaks,
    cooling.pumps,
    cooling.heat_rejection,
    cooling.panels,
    power.black_building,
)
"""In the order of a test: part by part, and the black building last."""
FINEST = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Ticks [s] around what is done, from which the longest is taken that the plant's time constants allow."""

Progress = Callable[[float, float], None]


def script(plant: Plant, only: Iterable[str] | None = None) -> list[Step]:
    """The steps of a plant's test, numbered, in their order.

    Args:
        only: units, ranges, patterns or kinds; each of them is then tested for itself, and nothing else.

    Raises:
        BadInput: one of them is not there.
    """
    site = Site(plant, None if only is None else _wanted(plant, only))
    found = [in_words(plant, step) for make in MAKERS for step in make(site)]
    return [dataclasses.replace(step, number=number) for number, step in enumerate(found, 1)]


def _wanted(plant: Plant, only: Iterable[str]) -> frozenset[str]:
    directory = Directory((unit.name, unit.kind) for unit in plant.units.values())
    try:
        return frozenset(name for text in only for name in directory.find(text))
    except BadName as error:
        raise BadInput([Fault(None, f"only: {error}")]) from None


def ist(
    plant: str | Path,
    conditions: Conditions | None = None,
    *,
    only: Iterable[str] | None = None,
    steps: list[int] | None = None,
    run: bool = True,
    keep: Path | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Acceptance:
    """Write the integrated systems test of a plant, run it, and score it.

    Args:
        plant: a shipped plant, or the file of one.
        conditions: weather and work; 44 degC at 10 % humidity and full work where none are given.
        only: units, ranges, patterns or kinds that are tested, each for itself; without them the first of alike ones.
        steps: numbers of the steps to take; all of them where none are given.
        run: False writes the script alone.
        keep: folder for the scenario and the trace of each step; neither is kept without one.
        device: auto, cpu or gpu.
        progress: told the steps done and those to do.

    Raises:
        BadInput: the plant has faults, or it is a scenario, or a step does not exist.
    """
    made = subject(plant, Weather())
    if made.held_at == "as the scenario begins":
        raise BadInput([Fault(None, f"{plant} is a scenario; a plant is wanted, for the test writes its own events")])
    site = Site(made.plant)
    at = dataclasses.replace(conditions or Conditions(), has_work=bool(site.work))
    every = script(made.plant, only)
    if not every:
        told = "" if only is None else f" with {names(only)}"
        raise BadInput([Fault(None, f"the test of {made.title} has no step{told}; {_testable(made.plant)} are tested")])
    missing = sorted(set(steps or ()) - {step.number for step in every})
    if missing:
        raise BadInput([Fault(None, f"step {missing[0]} is not there; the test of {made.title} has 1 to {len(every)}")])
    wanted = [step for step in every if steps is None or step.number in steps]
    own = Path(plant).resolve() if Path(plant).is_file() else None
    name, home = (str(plant), None) if own is None else (own.name, own.parent)
    found: list[Scored] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for step in wanted if run else ():
            if progress is not None:
                progress(len(found), len(wanted))
            found.append(_taken(step, name, at, _tick(made.plant), folder, device, home))
            if keep is None:
                (folder / f"step-{step.number:02d}.h5").unlink(missing_ok=True)
    if progress is not None:
        progress(len(wanted), len(wanted))
    return Acceptance(made.title, at, wanted, found)


def _testable(plant: Plant) -> str:
    """The kinds of a plant that steps are about."""
    touched = (action.target.partition(".")[0] for step in script(plant) for action in step.actions)
    return ", ".join(dict.fromkeys(plant.units[name].kind for name in touched)) or "utilities and what hangs on them"


def _taken(
    step: Step, plant: str, at: Conditions, tick: float, folder: Path, device: str, home: Path | None = None
) -> Scored:
    """Run one step and hold what came of it against its script.

    A plant that lies in a folder of its own, `home`, is written into the scenario, so that it can be run by itself.
    """
    file = folder / f"step-{step.number:02d}.yaml"
    file.write_text(step.scenario(plant, at, tick), encoding="utf-8")
    scenario = read(file, folder=home)
    if home is not None:
        file.write_text(scenario.text, encoding="utf-8")
    result = simulate(scenario, trace=file.with_suffix(".h5"), device=device)
    with open_trace(result.trace) as trace:
        return scored(step, Findings(trace))


def _tick(plant: Plant) -> float:
    """The tick around what is done: a fifth of the shortest time that matters."""
    times = [found[0] for upset in ("power", "flow", "heat") if (found := shortest(plant, upset)) is not None]
    least = min(times, default=1.0) / SHARE
    return next((tick for tick in FINEST if tick <= min(least, FINEST[5]) * (1 + 1e-9)), FINEST[-1])
