"""The base of a sweep: the scenario that every case runs, and how a case's own failures come into it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from twin import units
from twin.assets import scenario_file
from twin.equipment import KINDS
from twin.faults import Fault, Where
from twin.physics import moist_air
from twin.plant import Plant
from twin.report.told import Told, read_told
from twin.scenario import BadInput, Change, Criterion, RunSettings, Scenario, Zoom, read
from twin.scenario.criteria import Meaning
from twin.scenario.faults import Faults
from twin.scenario.names import Directory
from twin.scenario.pace import CLEARED, SHARE, shortest, stops, upsets
from twin.scenario.sags import edges
from twin.scenario.sweeping import Sweeping
from twin.scenario.workload import WORKERS
from twin.studies.audit.found import Conditions
from twin.studies.audit.subject import Subject, subject
from twin.studies.sweep.cases import WHOLE, Case, Failure, modes_of

WATCHED = 1800.0
"""Seconds after a failure that a plant is watched for."""
FINE = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Ticks [s] of a window around a failure, from which the longest is taken that its time constants allow."""
ORDERS = (0, 1, 2)
FEW = "1 or 2 failures at once are wanted, or 0 for none; cut sets of order 3 and above are not looked for"
ASKED = ("no {kind}.unpowered", "no {kind}.shut_down", "no {kind}.throttled")
"""What the work of a plant must keep to where nobody says more."""


@dataclass(frozen=True)
class Base:
    """A scenario with all that its cases share.

    name: what it is called; told: its words, read once; paces: the shortest time constant [s] that each upset meets;
    grid: what the scenario itself does to its feeds.
    """

    name: str
    scenario: Scenario
    told: Told
    wish: Sweeping
    paces: dict[str, float]
    grid: list[Change]

    @property
    def plant(self) -> Plant:
        return self.scenario.plant


def base(given: Plant | Scenario | str | Path, wish: Sweeping | None = None, at: Conditions | None = None) -> Base:
    """What the cases of a sweep have in common.

    Args:
        given: a scenario or a plant, the file of one, or the name of a shipped one.
        wish: what is tried; what the scenario says, or N-1 of everything, if absent.
        at: weather and work of a plant; a scenario brings its own.

    Raises:
        BadInput: there is none, or it has faults; or what is wished cannot be tried on it.
    """
    at = at or Conditions()
    scenario = _scenario(given, wish)
    if scenario is not None and wish is None and scenario.sweep is not None and scenario.sweep.draws > 1:
        scenario = _scenario(given, scenario.sweep)
    if scenario is None:
        scenario = of_plant(subject(given, at))
    wish = wish or scenario.sweep or Sweeping()
    if wrong := _cannot(scenario.plant, wish):
        raise BadInput(wrong)
    last = max(wish.at)
    after = wish.after if wish.after is not None else max(scenario.run.duration - last, 0.0) or WATCHED
    run = dataclasses.replace(scenario.run, duration=last + after, members=1)
    zooms = [zoom for zoom in run.zooms if zoom.at < run.duration]
    scenario = dataclasses.replace(scenario, run=dataclasses.replace(run, zooms=zooms))
    told = read_told(scenario.text, scenario.plant, [])
    told.criteria, told.unread = list(scenario.criteria), []
    name = Path(scenario.path).stem if scenario.path else scenario.title
    found = {upset: shortest(scenario.plant, upset) for upset in ("power", "flow", "heat", "fault")}
    paces = {upset: each[0] for upset, each in found.items() if each is not None}
    feeds = [change for change in scenario.changes if scenario.plant.units[change.unit].kind == "utility"]
    return Base(name or "sweep", scenario, told, wish, paces, feeds)


def _cannot(plant: Plant, wish: Sweeping) -> list[Fault]:
    """What of a wish cannot be tried on a plant, whatever fails."""
    found = []
    if wish.order not in ORDERS:
        found.append(f"n: {wish.order} was found; {FEW}")
    if wish.keep < 0:
        found.append(f"keep: {wish.keep} was found; a number of cases, or 0, is wanted")
    if wish.after is not None and not wish.after > 0.0:
        found.append(f"after: {units.show(wish.after, 's')} was found; a time above 0 s is wanted")
    if wish.restore_after is not None and not wish.restore_after > 0.0:
        found.append(f"restore_after: {units.show(wish.restore_after, 's')} was found; a time above 0 s is wanted")
    if wish.loads and (jobs := plant.of_kind("job")):
        found.append(
            f"loads: {jobs[0].name} trains, and racks that train work as hard as their job asks, whatever load is "
            "asked of them; no loads are wanted for a plant with jobs"
        )
    return [Fault(None, text) for text in found]


def wished(given: str | Path, instead: dict[str, Any]) -> Sweeping:
    """What a scenario says that is tried, with some of it said otherwise; N-1 of everything where it says nothing.

    Raises:
        BadInput: the scenario has faults.
    """
    scenario = _scenario(given, None)
    said = None if scenario is None else scenario.sweep
    return dataclasses.replace(said or Sweeping(), **instead)


def _scenario(given: Plant | Scenario | str | Path, wish: Sweeping | None) -> Scenario | None:
    """The scenario that is meant; None where it is a plant."""
    if isinstance(given, Scenario):
        return given
    if isinstance(given, Plant):
        return None
    path = scenario_file(given)
    return read(path, members=max(wish.draws, 1) if wish else 1) if is_scenario(path) else None


def is_scenario(path: Path) -> bool:
    """Whether a file is a scenario; otherwise it is taken for a plant."""
    if not path.is_file():
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(line.startswith(("plant:", "run:")) for line in text.splitlines())


def of_plant(found: Subject) -> Scenario:
    """A scenario in which nothing happens: a plant under an audit's conditions, with criteria for its work."""
    plant = found.plant
    run = RunSettings(duration=0.0)
    text = f"title: {found.title}\ndescription: {found.held_at}\n"
    said = _asked(plant)
    return Scenario(
        found.title, found.held_at, plant, run, list(found.initial), criteria=said, text=text, path=found.title
    )


def _asked(plant: Plant) -> list[Criterion]:
    """Criteria for every kind of work that a plant has; of its loads, where it has no racks."""
    directory = Directory((unit.name, unit.kind) for unit in plant.units.values())
    kinds = {unit.kind: None for unit in plant.units.values() if KINDS[unit.kind].is_work}
    meaning, where = Meaning(directory, plant, Faults()), Where("the sweep", 1)
    made = [meaning.of(said.format(kind=kind), where) for kind in kinds for said in ASKED]
    return [each for each in made if each is not None]


def air(base: Base) -> list[tuple[float, float]]:
    """Dry and wet bulb [K] of each weather of the wish; air without a humidity keeps the water of the base's."""
    found = []
    asked = {c.input: c.value for c in base.scenario.initial if c.unit == "site"}
    dry, wet = asked.get("dry_bulb", 298.15), asked.get("wet_bulb", 291.15)
    p = moist_air.STANDARD_PRESSURE
    for T, phi in base.wish.weather:
        if phi is not None:
            found.append((T, float(moist_air.wet_bulb_of_humidity(np.float64(T), phi, p))))
        else:
            W = moist_air.humidity_ratio_of_wet_bulb(np.float64(dry), np.float64(wet), p)
            most = moist_air.humidity_ratio(moist_air.saturation_pressure(np.float64(T)), p)
            found.append((T, float(moist_air.wet_bulb(np.float64(T), min(W, most), p))))
    return found


def scenario_of(base: Base, cases: list[Case]) -> Scenario:
    """The scenario of some cases side by side, one member each; they share their start, their ticks and moments."""
    scenario, start = base.scenario, cases[0].start
    initial = list(scenario.initial)
    changes = [change for change in scenario.changes if change.member is None]
    starts = [change for change in scenario.start if change.member is None]
    if start.load is not None:
        initial, changes = _with_load(base.plant, initial, changes, start.load)
    if start.weather is not None:
        changes = [change for change in changes if change.verb != "weather"]
        initial = [c for c in initial if c.verb != "weather"]
        both = zip(("dry_bulb", "wet_bulb"), start.weather, strict=True)
        initial += [Change(0.0, "site", name, value, verb="weather") for name, value in both]
    if start.maintenance:
        initial += [_taken_out(base.plant, start.maintenance)]
    for member, case in enumerate(cases):
        drawn = [change for change in scenario.changes if change.member == case.draw]
        changes += [dataclasses.replace(change, member=member) for change in drawn]
        changes += struck(base, case, member)
        own = [change for change in scenario.start if change.member == case.draw]
        starts += [dataclasses.replace(change, member=member) for change in own]
    changes.sort(key=lambda change: change.time)
    run = dataclasses.replace(scenario.run, members=len(cases), zooms=zooms(base, cases[0]))
    worlds = tuple(case.draw for case in cases)
    return dataclasses.replace(scenario, run=run, initial=initial, start=starts, changes=changes, worlds=worlds)


def _with_load(
    plant: Plant, initial: list[Change], changes: list[Change], load: float
) -> tuple[list[Change], list[Change]]:
    """All that works at one share of its full work from the start; what services are asked scales with it."""
    workers = [unit.name for unit in plant.units.values() if unit.kind in WORKERS]
    asked = "request_rate"

    def scaled(change: Change) -> Change:
        return dataclasses.replace(change, value=change.value * load) if change.input == asked else change

    kept = [scaled(change) for change in initial if change.input != "utilisation" or change.unit not in workers]
    kept += [Change(0.0, name, "utilisation", load, verb="workload") for name in workers]
    return kept, [scaled(c) for c in changes if c.input != "utilisation" or c.verb not in ("workload", "demand")]


def _taken_out(plant: Plant, name: str) -> Change:
    whole = next(failure for failure in modes_of(plant.units[name]) if failure.input in WHOLE)
    return Change(0.0, name, whole.input, whole.value, verb="initial")


def struck(base: Base, case: Case, member: int | None) -> list[Change]:
    """The failures of a case as Changes, and their mending; of one member, or of all."""
    found = []
    for failure in case.failures:
        found.append(Change(case.at, failure.unit, failure.input, failure.value, None, member, "fail"))
        mended = base.wish.restore_after
        if mended is not None and case.at + mended < base.scenario.run.duration:
            before = _before(base, failure)
            found.append(Change(case.at + mended, failure.unit, failure.input, before, None, member, "restore"))
    return found


def _before(base: Base, failure: Failure) -> float:
    """What an Input was before it failed."""
    said = [c.value for c in base.scenario.initial if (c.unit, c.input) == (failure.unit, failure.input)]
    return said[-1] if said else base.plant.units[failure.unit].settings.get(failure.input, 1.0 - failure.value)


def zooms(base: Base, case: Case) -> list[Zoom]:
    """The windows of the base with one more where the failures of a case want a shorter tick than it has."""
    run = base.scenario.run
    tick, length = _wanted(base, case)
    if tick >= run.tick:
        return run.zooms
    window = Zoom(case.at, min(length, run.duration - case.at), tick)
    ends = {z.at for z in (*run.zooms, window)} | {z.at + z.length for z in (*run.zooms, window)}
    found: list[Zoom] = []
    moments = sorted(ends)
    for begins, until in pairwise(moments):
        inside = [z.tick for z in (*run.zooms, window) if z.at <= begins and until <= z.at + z.length]
        if inside:
            finest = min(inside)
            if found and found[-1].tick == finest and found[-1].at + found[-1].length == begins:
                found[-1] = Zoom(found[-1].at, until - found[-1].at, finest)
            else:
                found.append(Zoom(begins, until - begins, finest))
    return found


def _wanted(base: Base, case: Case) -> tuple[float, float]:
    """Tick [s], and for how long [s], that the pace of what the failures upset asks for."""
    tick, length = math.inf, 0.0
    for change in struck(base, case, None):
        if not stops(change) or change.verb != "fail":
            continue
        short = change.input == "short_circuit"
        for upset in (*upsets(base.plant, change.unit), *(["fault"] if short else [])):
            found = base.paces.get(upset)
            if found is not None:
                tick = min(tick, next(each for each in FINE if each * SHARE <= max(found, FINE[-1] * SHARE)))
                length = max(length, found, CLEARED if upset == "fault" else 0.0)
    return tick, float(math.ceil(length))


def together(base: Base, case: Case) -> tuple[object, ...]:
    """What cases must share to run side by side: their start, their windows, and where ticks end for the grid."""
    own = [c for c in base.grid if c.member in (None, case.draw)] + struck(base, case, None)
    return case.start, case.at, tuple(zooms(base, case)), tuple(sorted(edges(base.plant, own)))
