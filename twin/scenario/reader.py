"""Reads a scenario or plant document: `read` gives a Scenario, `check` all that is wrong with a file."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePath

from twin.faults import Fault
from twin.plant import Plant
from twin.scenario import changes as lowering
from twin.scenario import criteria, draws, forms, grid, sags, sequence, start, sweeping, timing, values, variants
from twin.scenario.belongs import PLANT_KEYS, SCENARIO_KEYS, cure
from twin.scenario.blocks import PlantReader
from twin.scenario.case import ControllerSpec, RunSettings, Scenario
from twin.scenario.catalog import Catalog
from twin.scenario.chance import MENDED, VERB, left_to_crews
from twin.scenario.changes import Change, Events, Targets, ToldSag
from twin.scenario.document import Documents, Map, Node
from twin.scenario.doubts import doubts
from twin.scenario.failures import FailureReader
from twin.scenario.faults import BadInput, Faults, TooMany
from twin.scenario.forms import fill_all
from twin.scenario.looping import loops
from twin.scenario.names import Directory
from twin.scenario.pace import slow_checkpoints, slow_hands, slow_ticks
from twin.scenario.part import Part
from twin.scenario.procedures import SECTIONS, OperationsReader, names_of
from twin.scenario.resolved import text_of
from twin.scenario.scheduling import SchedulerReader
from twin.scenario.sensors import is_reading
from twin.scenario.shelf import Shelf
from twin.scenario.soundness import alike, plant_faults
from twin.scenario.weather import WeatherReader
from twin.scenario.workload import WorkloadReader, unasked


def read(
    path: str | Path, *, members: int | None = None, seed: int | None = None, folder: Path | None = None
) -> Scenario:
    """Read a scenario.

    Args:
        path: the YAML file.
        members: worlds to run side by side, instead of the file's.
        seed: seed of the draws, instead of the file's.
        folder: where its plant and other files lie, instead of the file's own.

    Raises:
        BadInput: everything that is wrong, each as one sentence with its line.
    """
    reading = _Reading(Path(path), str(path), folder)
    settings = {"members": members, "seed": seed}
    scenario = reading.scenario({key: value for key, value in settings.items() if value is not None})
    if scenario is None or reading.faults.errors:
        raise BadInput(in_order(reading.faults.errors))
    scenario.warnings = in_order(reading.faults.warnings)
    return scenario


def check(path: str | Path) -> list[Fault]:
    """Everything wrong or doubtful in a scenario or plant document; an empty list is a good file."""
    reading = _Reading(Path(path), str(path))
    reading.any()
    return in_order(reading.faults.found.values())


def read_plant(path: str | Path) -> Plant:
    """Read a plant document by itself.

    Raises:
        BadInput: everything that is wrong, each as one sentence with its line.
    """
    reading = _Reading(Path(path), str(path))
    plant = reading.any()
    if plant is None or reading.faults.errors:
        raise BadInput(in_order(reading.faults.errors))
    return plant


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """By file as they were opened, then by line."""
    listed = list(faults)
    files = list(dict.fromkeys(fault.where.file if fault.where else "" for fault in listed))
    return sorted(
        listed,
        key=lambda each: (files.index(each.where.file), each.where.line) if each.where else (files.index(""), 0),
    )


def _jobs(root: Map) -> Node | None:
    """The jobs of the workload, where there are any."""
    asked = root.get("workload")
    return asked.get("jobs") if isinstance(asked, Map) else None


class _Reading:
    """One reading of one file and all it names."""

    def __init__(self, path: Path, name: str, folder: Path | None = None) -> None:
        self.path = path
        self.name = name
        self.documents = Documents()
        self.faults: Faults = self.documents.faults
        parent = str(PurePath(name).parent if folder is None else folder)
        self.shelf = Shelf(path.parent if folder is None else folder, "" if parent == "." else parent)
        self.plants = PlantReader(self.documents)
        self.part = Part()

    def any(self) -> Plant | None:
        """Read the file as what it is; the plant in it, if it can be made out."""
        with contextlib.suppress(TooMany):  # its faults say so
            return self._any()
        return None

    def _any(self) -> Plant | None:
        root = self.documents.load(self.path, self.name)
        if root is None:
            return None
        if set(root) & set(SCENARIO_KEYS) - {"title", "description"}:
            made = self._scenario(root, {})
            return made.plant if made else None
        if set(root) & {*PLANT_KEYS, variants.KEY} - {"title", "description"}:
            opened = self.plants.whole(root, self.shelf)
            return self._plant(*opened) if opened is not None else None
        if {"kind", "quantities"} <= set(root):
            Catalog(self.documents).record(root, self.path.stem)
            return None
        wanted = "a scenario (plant, run, weather, ...) or a plant (units, coolant, ...)"
        for key in root:
            near = cure(key, root[key], [*SCENARIO_KEYS, *PLANT_KEYS])
            self.faults.add(root.where_of(key), f"this key is not known; {near}")
        self.faults.add(root.where, f"this is neither; {wanted} is wanted")
        return None

    def scenario(self, settings: dict[str, int]) -> Scenario | None:
        with contextlib.suppress(TooMany):
            root = self.documents.load(self.path, self.name)
            if root is not None and {"units", "place", variants.KEY} & set(root) and not {"plant", "run"} & set(root):
                text = "this is a plant by itself; a scenario is wanted, which names it"
                self.faults.add(root.where, f'{text}, e.g. "plant: {self.path.stem}"')
                return None
            return self._scenario(root, settings) if root is not None else None
        return None

    def _scenario(self, root: Map, settings: dict[str, int]) -> Scenario | None:
        for key in root:
            if key not in SCENARIO_KEYS:
                self.faults.add(
                    root.where_of(key), f"this key is not known here; {cure(key, root[key], SCENARIO_KEYS)}"
                )
        for key, required in SCENARIO_KEYS.items():
            if required and key not in root:
                text = "the key is missing; a scenario wants title, plant, run and weather"
                self.faults.add(root.where_of(key), text)
        title = values.words(root["title"], self.faults, 200) if "title" in root else None
        about = values.words(root["description"], self.faults) if "description" in root else None
        run = timing.lower(root["run"], settings, self.faults) if "run" in root else None
        settled = run or RunSettings(duration=3.2e8, members=1_000_000)
        before = len(self.faults.errors)
        opened = self._open(root["plant"]) if "plant" in root else None
        sound = len(self.faults.errors) == before
        weather = self._weather(root, settled)
        before = len(self.faults.errors)
        plant = self._plant(*opened) if opened is not None else None
        sound = sound and len(self.faults.errors) == before
        if plant is None:
            self._forms_only(root)
            return None
        scenario = Scenario(title or "", about or "", plant, settled, path=self.name)
        self._sections(root, scenario)
        scenario.initial[:0] = weather[0]
        scenario.changes = self._sorted(root, scenario, weather[1])
        told = [change for change in scenario.changes if change.verb not in (VERB, MENDED)]
        clean = not self.faults.errors
        if clean:
            self.faults.extend(loops(plant, scenario.initial, told))
        if sound and run is not None and not self._faulty("run"):
            self._slow_ticks(root, scenario, told)
        if clean and not self.faults.errors:
            at = root.where_of("workload" if "workload" in root else "plant")
            self.faults.extend(alike([*unasked(scenario, at), *doubts(scenario, root)]))
        if self.faults.errors:
            return None
        instead = dict(self.plants.included)
        if opened is not None and opened[0] is not root["plant"]:
            instead[id(root["plant"])] = opened[0]
        scenario.text = text_of(root, instead, settings)
        scenario.inputs = dict(self.documents.hashes)
        return scenario

    def _slow_ticks(self, root: Map, scenario: Scenario, told: list[Change]) -> None:
        """Too long a tick is a fault where the scenario says what happens, and a doubt where chance does."""
        plant, run = scenario.plant, scenario.run
        if self._faulty("events"):  # what ends a short circuit may be among what could not be read
            told = [change for change in told if change.input != "short_circuit"]
        for sentence in (*slow_ticks(plant, run, told), *slow_checkpoints(plant, run)):
            self.faults.add(root.where_of("run"), sentence)
        for doubt in slow_hands(plant, run, scenario.operations):
            self.faults.add(root.where_of("run"), doubt, warning=True)
        first = {(each.unit, each.input): each for each in reversed(scenario.changes) if each.verb == VERB}
        for sentence in slow_ticks(plant, run, list(first.values())):
            self.faults.add(root.where_of("run"), f"{sentence}; its moments are coarse", warning=True)

    def _faulty(self, section: str) -> bool:
        """Whether something is wrong in a section of the document itself."""
        keys = [each.where.key for each in self.faults.errors if each.where and each.where.file == self.name]
        return any(re.match(rf"{section}\b", key) for key in keys)

    def _open(self, node: Node) -> tuple[Map, Shelf] | None:
        if isinstance(node, Map):
            return self.plants.whole(node, self.shelf)
        return self.plants.open(node, self.shelf)

    def _plant(self, content: Map, shelf: Shelf) -> Plant | None:
        before = len(self.faults.errors)
        self.part, plant = self.plants.plant(content, shelf)
        sound = len(self.faults.errors) == before
        self.faults.extend(alike(plant_faults(plant, sound, self.part)))
        return plant

    def _weather(self, root: Map, run: RunSettings) -> tuple[list[Change], list[Change]]:
        if "weather" not in root:
            return [], []
        return WeatherReader(self.documents, self.shelf, run.duration).lower(root["weather"])

    def _sections(self, root: Map, scenario: Scenario) -> None:
        """Everything that points at units."""
        if "scheduler" in root or _jobs(root) is not None:
            reader = SchedulerReader(self.faults, self.plants, scenario)
            scenario.scheduler, asleep = reader.lower(root.get("scheduler"), _jobs(root), root)
            scenario.initial += asleep
        kinds = ((unit.name, unit.kind) for unit in scenario.plant.units.values())
        directory = Directory(kinds, self.part.lost, self.part.holes)
        fabrics = scenario.plant.fabrics.values()
        routed = (name for fabric in fabrics for name in (*fabric.racks, *fabric.switches))
        targets = Targets(directory, self.faults, routed)
        if "workload" in root:
            work = WorkloadReader(targets, self.documents, self.shelf, scenario.run)
            started, scenario.changes = work.lower(root["workload"])
            scenario.initial += started
        if "initial" in root:
            for change in lowering.initial(root["initial"], targets):
                (scenario.changes if is_reading(change.input) else scenario.initial).append(change)
        if "maintenance" in root:
            scenario.initial += start.maintenance(root["maintenance"], targets)
        if "start" in root:
            asked, scenario.start = start.lower(root["start"], targets)
            scenario.initial += asked
        run = scenario.run
        scenario.changes += self._random(root, scenario, targets)
        told: list[ToldSag] = []
        if "grid" in root:
            scenario.changes += grid.lower(root["grid"], run.duration, self.faults)
            does = grid.Disturbances(targets, self.documents, self.shelf, run.duration).lower(root["grid"])
            told, scenario.changes = does[0], scenario.changes + does[1]
        events = Events(targets, run.duration, run.members, scenario.plant)
        if "events" in root:
            scenario.changes += events.read(root["events"])
            told += events.sags
        scenario.changes += sags.lower(told, scenario.initial, scenario.changes, self.faults)
        if "sweep" in root:
            scenario.sweep = sweeping.lower(root["sweep"], directory, self.faults)
        if "controllers" in root:
            scenario.controllers = self._controllers(root["controllers"])
        if set(SECTIONS) & set(root):
            scenario.operations = OperationsReader(targets, events).lower(root)
            scenario.changes = left_to_crews(scenario.operations, scenario.changes)
        if "expected" in root:
            scenario.expected = sequence.lower(root["expected"], targets, run.duration, names_of(root))
        if "criteria" in root:
            scenario.criteria = criteria.lower(root["criteria"], directory, self.faults, scenario.plant, run.duration)

    def _random(self, root: Map, scenario: Scenario, targets: Targets) -> list[Change]:
        """What is drawn: common causes stand in the way of draws too."""
        run, drawn = scenario.run, []
        gangs = {job.name: job.racks for job in scenario.scheduler.jobs} if scenario.scheduler else {}
        random = FailureReader(targets, self.documents, scenario.plant, run, gangs)
        if "failures" in root:
            random.read_groups(root["failures"])
        if "draws" in root:
            told: dict[tuple[str, str], str] = {}
            drawn = draws.lower(root["draws"], targets, run.seed, run.members, random.groups, told)
            random.said_by = dict.fromkeys(told, "draws")
        return drawn + (random.lower(root["failures"], scenario.initial, drawn) if "failures" in root else [])

    def _controllers(self, node: Node) -> list[ControllerSpec]:
        made = fill_all(forms.Controller, node, self.faults)
        return [ControllerSpec(each.kind, each.period or 1.0, each.gain or 1.0) for each in made if each.kind]

    def _forms_only(self, root: Map) -> None:
        """Without a plant, at least the sections that name no units can be checked."""
        if "grid" in root:
            grid.lower(root["grid"], 3.2e8, self.faults)
        if "controllers" in root:
            self._controllers(root["controllers"])

    def _sorted(self, root: Map, scenario: Scenario, weather: list[Change]) -> list[Change]:
        """All Changes by time; at one moment weather, draws, grid, then events as written.

        Two events that set one input at one moment are doubtful.
        """
        ordered = sorted(weather + scenario.changes, key=lambda change: change.time)
        seen: dict[tuple[float, str, str, int | None], Change] = {}
        clashes = []
        for change in ordered:
            if change.verb not in ("set", "ramp", "fail", "restore", "fault"):
                continue
            first = seen.setdefault((change.time, change.unit, change.input, change.member), change)
            if first.value != change.value:
                what = f"{change.unit}.{change.input}"
                text = f"{what} is changed twice at {change.time:g} s; the later line holds"
                clashes.append(Fault(root.where_of("events"), text, warning=True))
        self.faults.extend(alike(clashes))
        return ordered
