"""What the scenario of a trace told: its description, its criteria, and why its events happen."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin import units
from twin.faults import Where
from twin.plant import Plant
from twin.scenario import sequence
from twin.scenario.changes import Events, Targets
from twin.scenario.criteria import Criterion, Meaning
from twin.scenario.document import Documents, Map
from twin.scenario.faults import Faults
from twin.scenario.names import BadName, Directory, split
from twin.scenario.operations import Operations
from twin.scenario.procedures import SECTIONS, OperationsReader, names_of
from twin.scenario.sensors import NoSensor, aimed, fault_of
from twin.scenario.sequence import Expected

AT = Where("the trace's scenario", 1, "criteria")
AS_WRITTEN = "as the scenario has it"
"""Why an event happens that says no more."""
ALWAYS, MEMBERS = 3.2e8, 1_000_000
"""Longest run [s] and most members that a scenario can ask for."""
VERBS = ("fail", "restore", "set", "ramp", "sag", "fault")
STRIKES = {"sag": "voltage", "fault": "short_circuit"}
"""Verb -> the Input that it writes."""


@dataclass
class Told:
    """The scenario's own words, as far as a report repeats them."""

    description: str = ""
    criteria: list[Criterion] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Criteria that this version does not understand: they count as failed, never as absent."""
    reasons: dict[tuple[str, str, float], str] = field(default_factory=dict)
    """(unit, Input, moment to the millisecond) -> why."""
    moves: dict[tuple[str, str, float], float] = field(default_factory=dict)
    """(unit, Input, moment to the millisecond) -> seconds that its change takes, where it is a ramp."""
    operations: Operations = field(default_factory=Operations)
    capped: bool = False
    """Whether a controller caps the racks' power by what the grid asks for."""
    expected: list[Expected] = field(default_factory=list)
    """The expected sequence of operations."""


def read_told(text: str, plant: Plant, criteria: Iterable[Any] = ()) -> Told:
    """Read a resolved scenario's text once more for its words.

    Args:
        text: the scenario as the trace holds it.
        plant: whose units it speaks of.
        criteria: the criteria, where the trace's summary states them; else the text's own.
    """
    directory = Directory((unit.name, unit.kind) for unit in plant.units.values())
    root = _parsed(text)
    told = Told(description=" ".join(str(root.get("description", "")).split()))
    stated = list(criteria) or _items(root.get("criteria"))
    meaning = Meaning(directory, plant, Faults())
    for said in stated:
        made = _criterion(said, meaning)
        if made is None:
            told.unread.append(str(said["hold"]) if isinstance(said, dict) and "hold" in said else str(said))
        else:
            told.criteria.append(made)
    for event in _items(root.get("events")):
        if isinstance(event, dict):
            _event(told, event, directory)
    draws = root.get("draws")
    for target in draws if isinstance(draws, dict) else ():
        units_hit, name = _aim({"set": target}, directory)
        told.reasons |= {(unit, name, 0.0): "drawn by chance" for unit in units_hit}
    _people(told, root, directory, plant)
    controllers = [each for each in _items(root.get("controllers")) if isinstance(each, dict)]
    told.capped = any(each.get("kind") == "power_cap" for each in controllers)
    grid = root.get("grid")
    for request in _items(grid.get("requests")) if isinstance(grid, dict) else []:
        if isinstance(request, dict):
            _request(told, request)
    return told


def _people(told: Told, root: Map, directory: Directory, plant: Plant) -> None:
    """Operations and the expected sequence; what this version does not understand of them is left out."""
    targets = Targets(directory, Faults())
    if set(SECTIONS) & set(root):
        told.operations = OperationsReader(targets, Events(targets, ALWAYS, MEMBERS, plant)).lower(root)
    if "expected" in root:
        told.expected = sequence.lower(root["expected"], targets, ALWAYS, names_of(root))


def _event(told: Told, event: dict[str, Any], directory: Directory) -> None:
    """Why an event happens, and how long it takes."""
    at = round(_seconds(event, "at"), 3)
    units_hit, name = _aim(event, directory)
    for unit in units_hit:
        told.reasons[unit, name, at] = " ".join(str(event.get("why") or AS_WRITTEN).split())
        if "for" in event:
            told.reasons[unit, name, round(at + _seconds(event, "for"), 3)] = "its time is over"
        if "ramp" in event:
            told.moves[unit, name, at] = _seconds(event, "over")


def _request(told: Told, request: dict[str, Any]) -> None:
    """A request of the grid: down over its ramp, and after its length up again."""
    at, ramp, length = (_seconds(request, key) for key in ("at", "ramp", "for"))
    for moment, why in ((at, "the grid asks for less"), (at + ramp + length, "the grid's request ends")):
        told.moves["site", "power_request", round(moment, 3)] = ramp
        told.reasons["site", "power_request", round(moment, 3)] = why


def _parsed(text: str) -> Map:
    """The text as a mapping, empty where it cannot be read; the door to YAML reads files, so it gets one."""
    if not text.strip():
        return Map()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return Documents().load(path, "the trace's scenario") or Map()


def _items(node: Any) -> list[Any]:
    return list(node) if isinstance(node, list) else []


def _criterion(said: Any, meaning: Meaning) -> Criterion | None:
    """A criterion from its sentence, or from its name and sentence."""
    if isinstance(said, Criterion):
        return said
    if isinstance(said, dict):
        return meaning.of(str(said.get("hold", "")), AT, str(said.get("name", "")))
    return meaning.of(str(said), AT)


def _aim(event: dict[str, Any], directory: Directory) -> tuple[tuple[str, ...], str]:
    """The units that an event hits, and the Input that it writes: a whole unit that fails goes out of service."""
    target = next((str(event[verb]) for verb in VERBS if verb in event), "")
    whole = next((name for verb, name in STRIKES.items() if verb in event), "in_service")
    if (sensor := aimed(target)) is not None:
        with contextlib.suppress(BadName, NoSensor):
            found = directory.find(sensor[0])
            return found, fault_of(directory.kind_of[found[0]], *sensor[1:]).name
    for text, name in ((target, whole), split(target)):
        try:
            return directory.find(text), name or whole
        except BadName:
            continue
    return (), ""


def _seconds(event: dict[str, Any], key: str) -> float:
    try:
        return units.parse(str(event.get(key, "")), "s")
    except units.BadValue:
        return -1.0
