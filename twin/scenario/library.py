"""The library of shipped drills: what each is about, told without building its plant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.assets import drills_folder
from twin.scenario.document import Documents, Map, Seq

AREAS = {
    "power": "utility|transformer|generator|pdu|ups|main|feeder|board|boards|bus|ats|sts|tie|bess|sst|rectifier|breaker"
    "|row|grid|cable|power|feeds?",
    "cooling": "cdu|cdus|chiller|chillers|pump|cw-pump|chw-pump|dry|tower|joint|tank|valve|vessel|pipe|strainer"
    "|wet_bulb|dry_bulb|cooling|coolant|cold|(?:facility|condenser|chilled|warm) water|decoupler",
    "air": "fan-wall|fan_wall|zone|hall-air|pod-air|room|air",
    "control": "panel|sequencer|staging|sensor|valve_stuck|controller|setpoint_reset|power_cap",
    "fabric": "leaf|spine|core|switch|switches|ports_lost|links|fabric",
    "compute": "rack|racks|job|pretrain|service|pool|crash|store|controllers_failed|demand|tokens|tiers|training",
    "people": "crew",
}
"""What a drill is about -> how the units and faults that it touches are called, there and in its title."""
TEACHES = re.compile(r"What it teaches: (.+?)(?: (?:Look|Compare) |$)")
FAILS = re.compile(r'"([^"]+)" is\s+meant to fail')


@dataclass(frozen=True)
class Shipped:
    """A shipped drill in words: its plant, what it is about, what it teaches, what it breaks on purpose."""

    name: str
    title: str
    plant: str
    areas: tuple[str, ...]
    teaches: str
    fails: tuple[str, ...]

    def outcome(self) -> str:
        """How it ends, by its own words."""
        return "all criteria hold" if not self.fails else f"meant to fail: {'; '.join(self.fails)}"


def shipped_drills() -> list[Shipped]:
    """All shipped drills, by name."""
    return [found for path in sorted(drills_folder().glob("*.yaml")) if (found := _read(path)) is not None]


def _read(path: Path) -> Shipped | None:
    root = Documents().load(path, path.name)
    if root is None:
        return None
    about = " ".join(str(root.get("description", "")).split())
    teaches = TEACHES.search(about)
    plant = root.get("plant", "")
    base = str(plant.get("variant_of", "")) if isinstance(plant, Map) else str(plant)
    said = " ".join([*_touched(root), str(root.get("title", "")).lower()])
    areas = tuple(area for area, pattern in AREAS.items() if re.search(rf"\b(?:{pattern})(?![a-z])", said))
    name, lesson = path.stem, teaches[1].rstrip(" .;:") if teaches else ""
    return Shipped(name, str(root.get("title", "")), base or "its own", areas, lesson, tuple(FAILS.findall(about)))


def _touched(root: Map) -> Iterator[str]:
    """The words that name what a drill touches: targets of events, controllers, sags; whether crews act."""
    if "crews" in root:
        yield "crew"
    events: Any = root.get("events")
    for event in events if isinstance(events, Seq) else ():
        verbs = ("fail", "restore", "set", "ramp", "sag", "fault")
        yield from (str(event[verb]) for verb in verbs if isinstance(event, Map) and verb in event)
    grid, weather = root.get("grid"), root.get("weather")
    if grid is not None:
        yield "grid"
    if not events and weather is not None and not grid:
        yield "rack"
    controllers: Any = root.get("controllers")
    for each in controllers if isinstance(controllers, Seq) else ():
        yield str(each.get("kind", "")) if isinstance(each, Map) else ""


def markdown() -> str:
    """The page docs/drills.md."""
    lines = [
        "# The drills that ship",
        "",
        "`twin run NAME` runs one, `twin drills` lists them. Each file under `scenarios/drills/` says at length what",
        "it teaches and what to look at. This page is made from them: `twin drills --markdown > docs/drills.md`.",
        "",
        "| drill | plant | about | what it teaches | how it ends |",
        "|---|---|---|---|---|",
    ]
    for each in shipped_drills():
        cells = (
            f"[{each.name}](../scenarios/drills/{each.name}.yaml)",
            each.plant,
            ", ".join(each.areas),
            each.teaches,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (*cells, each.outcome())) + " |")
    return "\n".join(lines) + "\n"
