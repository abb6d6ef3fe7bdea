"""What is audited: a plant by name or file, a scenario, or a plant in hand; large ones by one block of each sort."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twin.assets import scenarios_folder
from twin.equipment import KINDS
from twin.faults import Fault
from twin.physics.moist_air import wet_bulb_of_humidity
from twin.plant import Plant
from twin.scenario import BadInput, Change, Scenario, read, read_plant
from twin.scenario.pace import shortest
from twin.studies.audit.contingency import Pace
from twin.studies.audit.found import Conditions
from twin.studies.audit.graph import LOAD, work_called
from twin.units import quoted

SEA_LEVEL = 101_325.0
"""Air pressure [Pa]."""
SCENARIO = "as the scenario begins"
FINE = 0.01
"""Longest first tick [s]: brakes, trips and transfers act within some of it."""
LARGEST = 3000
"""Units that are simulated whole; beyond it one block of each sort stands for those like it."""


@dataclass(frozen=True)
class Subject:
    """A plant to be audited, under what name, what holds before the first failure, and that in words."""

    title: str
    plant: Plant
    initial: list[Change]
    held_at: str


def subject(given: Plant | Scenario | str | Path, at: Conditions) -> Subject:
    """The plant that is meant; a scenario brings its own weather and work.

    Raises:
        BadInput: there is none, or it has faults.
    """
    if isinstance(given, Plant):
        return Subject("plant", given, _initial(given, at), _said(given, at))
    if isinstance(given, Scenario):
        return Subject(given.title, given.plant, given.initial, SCENARIO)
    path = _path(given)
    plant = _plant_of(path)
    if plant is None:
        scenario = read(path)
        return Subject(scenario.title or path.stem, scenario.plant, scenario.initial, SCENARIO)
    return Subject(path.stem, plant, _initial(plant, at), _said(plant, at))


def _said(plant: Plant, at: Conditions) -> str:
    work = "all loads at rating" if work_called(plant) == LOAD else f"{100 * at.utilisation:.3g} % of full work"
    return f"{at.dry_bulb - 273.15:.3g} °C outdoors, {work}"


def _path(given: str | Path) -> Path:
    path = Path(given)
    if path.is_file():
        return path
    folder = scenarios_folder() / "plants"
    shipped = folder / f"{given}.yaml"
    if shipped.is_file() and "/" not in str(given):
        return shipped
    known = ", ".join(sorted(each.stem for each in folder.glob("*.yaml")))
    text = f"{quoted(str(given))} is neither a file nor a shipped plant; a plant or scenario file, or one of {known}"
    raise BadInput([Fault(None, f"{text} is wanted")])


def _plant_of(path: Path) -> Plant | None:
    """The plant of a plant file; None where the file is a scenario."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if any(line.startswith(("plant:", "run:")) for line in text.splitlines()):
        return None
    return read_plant(path)


def _initial(plant: Plant, at: Conditions) -> list[Change]:
    """The weather and the work of the conditions."""
    work = [unit.name for unit in plant.units.values() if KINDS[unit.kind].is_work]
    found = [Change(0.0, name, "utilisation", at.utilisation, verb="workload") for name in work]
    found.append(Change(0.0, "site", "dry_bulb", at.dry_bulb, verb="weather"))
    found.append(Change(0.0, "site", "wet_bulb", at.wet_bulb, verb="weather"))
    return found


def pace(plant: Plant) -> Pace:
    """Ticks that the rule of pace allows: a fifth of the shortest time constant of whatever a failure upsets."""
    times = [found[0] for upset in ("power", "flow", "heat") if (found := shortest(plant, upset)) is not None]
    first = min([FINE, *(time / 5.0 for time in times)])
    return Pace(max(round(first, 3), 1e-3), 1.0)


@dataclass(frozen=True)
class Sample:
    """The plant that is simulated: the whole, or one block of each sort with all that feeds it."""

    plant: Plant
    initial: list[Change]
    words: str
    left_out: frozenset[str]


def sample(whole: Subject) -> Sample:
    """What of a plant is simulated."""
    plant = whole.plant
    count = len(plant.units) - 1
    if count <= LARGEST:
        return Sample(plant, whole.initial, f"all {count} units", frozenset())
    blocks: dict[str, list[str]] = {}
    for name in plant.units:
        prefix, slash, _ = name.partition("/")
        if slash:
            blocks.setdefault(prefix, []).append(name)
    sorts: dict[tuple[object, ...], list[str]] = {}
    for prefix, names in blocks.items():
        sorts.setdefault(_shape(plant, prefix, names), []).append(prefix)
    chosen = [prefixes[0] for prefixes in sorts.values()]
    if not chosen:
        return Sample(plant, whole.initial, f"all {count} units", frozenset())
    kept = {name for prefix in chosen for name in blocks[prefix]}
    waiting = list(kept)
    while waiting:
        name = waiting.pop()
        ties = [one for tie, ends in plant.joins.items() if name in ends for one in (tie, *ends)]
        for feed in (*plant.feeds.get(name, ()), *ties):
            if feed not in kept:
                kept.add(feed)
                waiting.append(feed)
    said = ", ".join(f"{prefixes[0]} for {len(prefixes)} alike" for prefixes in sorts.values())
    shared = frozenset(name for name in kept if "/" not in name)
    small = _cut(plant, kept | {"site"})
    words = f"{len(kept)} of {count} units: {said}, with the {len(shared)} units outside that feed them"
    return Sample(small, [c for c in whole.initial if c.unit in small.units], words, shared)


def _shape(plant: Plant, prefix: str, names: list[str]) -> tuple[object, ...]:
    """What makes two blocks alike: names, kinds, ratings, settings and feeds within."""
    length = len(prefix) + 1
    return tuple(
        (
            name[length:],
            (unit := plant.units[name]).kind,
            tuple(sorted(unit.parameters.items())),
            tuple(sorted(unit.settings.items())),
            tuple(feed[length:] if feed.startswith(f"{prefix}/") else "out" for feed in plant.feeds.get(name, ())),
        )
        for name in names
    )


def _cut(plant: Plant, kept: Iterable[str]) -> Plant:
    """The part of a plant that some units make."""
    inside = set(kept)
    made = Plant()
    for name, unit in plant.units.items():
        if name in inside and name != "site":
            made.add(replace(unit))
    for consumer, feeds in plant.feeds.items():
        if consumer in inside:
            made.feed(consumer, feeds)
    for tie, ends in plant.joins.items():
        if tie in inside:
            made.join(tie, ends)
    for loop in plant.loops.values():
        if all(element.unit in inside for branch in loop.branches() for element in branch):
            made.add_loop(loop)
    for line in plant.signals:
        if line.source in inside and line.target in inside:
            made.add_signal(line)
    made.redundancy = dict(plant.redundancy)
    return made


def conditions(
    dry_bulb: float, relative_humidity: float, utilisation: float, window: float = 60.0, hold: float = 900.0
) -> Conditions:
    """Conditions of a day: wet bulb from temperature [K] and relative humidity [1] at sea level."""
    wet = float(wet_bulb_of_humidity(np.float64(dry_bulb), relative_humidity, SEA_LEVEL))
    return Conditions(dry_bulb, wet, utilisation, window, hold)
