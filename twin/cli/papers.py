"""The verbs about papers: check a scenario, begin a new one, look up a kind, print the schema."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated

import typer

from twin.cli.words import BAD_INPUT, CANNOT_WRITE, GOOD, UsageFault, emit, emit_json, guarded, say


@guarded
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Scenario or plant files.", show_default=False)
    ],
) -> int:
    """Read scenarios and plants, and tell every fault of each, with its line and how to mend it.

    \b
    Examples:
      twin check utility-loss
      twin check my-site/*.yaml my-site/plants/*.yaml
    """
    from twin import scenario
    from twin.assets import scenario_file

    code = GOOD
    for path in map(scenario_file, files):
        faults = scenario.check(path)
        for fault in faults:
            say(str(fault))
        if any(not fault.warning for fault in faults):
            code = BAD_INPUT
        else:
            doubts = f", with {len(faults)} warning{'s' if len(faults) > 1 else ''}" if faults else ""
            emit(f"{path}: good{doubts}")
    return code


DRILL = """\
title: First drill of {name}
description: >
  The utility supply is lost a minute into the run and returns after fifteen. The run goes on until transfer switches
  are back on it, generators have cooled down, and all that lost power is at work again.
plant: {name}
run: {{duration: {minutes} min, tick: 1 s, zoom: [{{at: 60 s, for: 20 s, tick: 100 ms}}]}}
weather: {{dry_bulb: 35 degC, relative_humidity: 20 %}}
workload: {{utilisation: 85 %}}
events:
  - {{at: 60 s, fail: utility}}
  - {{at: 15 min, restore: utility}}
criteria:
{criteria}
"""
BACK, STEP, TURNS = 15.0, 5.0, 60.0
"""Minutes after which the utility returns; the run lasts whole steps of so many; seconds for switches to turn in."""
"""The scenario that `twin new` begins with: it names kinds alone, so it suits any plant."""

AFTERWARDS = ("retransfer_delay", "cooldown")
"""How long transfer switches wait on a good feed before they go back to it, and how long generators then run on."""
ANEW = ("restart_time", "restart_delay", "ramp_time")
"""How long a machine that lost its power takes to be at full work again."""


@guarded
def new(
    name: Annotated[str, typer.Argument(help="What to call it; also the folder that is made.", show_default=False)],
    source: Annotated[str, typer.Option("--from", metavar="PLANT", help="Shipped plant to begin with.")] = "hall",
) -> int:
    """Begin a plant and a drill of your own: a folder with a copy of a shipped plant, ready to be edited.

    \b
    Examples:
      twin new my-site --from hall
      twin new first-room --from starter
    """
    from twin.assets import scenarios_folder

    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        raise UsageFault(f'"{name}" cannot be a name; a-z, 0-9, "-" and "_" are wanted, e.g. "my-site"')
    shipped = scenarios_folder() / "plants"
    known = sorted(path.stem for path in shipped.glob("*.yaml"))
    if source not in known:
        raise UsageFault(f'no plant "{source}" is shipped; one of {", ".join(known)} is wanted after --from')
    folder = Path(name)
    if folder.exists():
        say(f"twin: {folder} is there already; choose another name, or move it away")
        return CANNOT_WRITE
    plants = folder / "plants"
    plants.mkdir(parents=True)
    copies = {f"{source}.yaml": f"{name}.yaml"} | {block: block for block in _blocks(shipped, f"{source}.yaml")}
    for original, copy in copies.items():
        (plants / copy).write_text((shipped / original).read_text(encoding="utf-8"), encoding="utf-8")
        emit(str(plants / copy))
    drill = folder / f"{name}.yaml"
    drill.write_text(_drill(name, plants / f"{name}.yaml"), encoding="utf-8")
    emit(str(drill))
    say(f"next: edit {plants / f'{name}.yaml'}, then: twin check {drill} && twin run {drill}")
    return GOOD


def _drill(name: str, plant: Path) -> str:
    """A drill that suits a plant: of its kinds of rack, and so long that all are back on the utility."""
    from twin.equipment import KINDS
    from twin.scenario import read_plant

    units = list(read_plant(plant).units.values())
    there = [kind for kind in KINDS if any(unit.kind == kind for unit in units)]
    racks = [kind for kind in there if KINDS[kind].is_work]
    criteria = [f"  - no {kind}.{flag}" for kind in racks for flag in ("shut_down", "unpowered")]
    criteria = criteria or ["  - all loads restored within 15 min"]
    machines = [unit.machine() for unit in units]
    goes_back, cools = (max((getattr(m, key, 0.0) for m in machines), default=0.0) for key in AFTERWARDS)
    begins = max((sum(getattr(m, key, 0.0) for key in ANEW) for m in machines), default=0.0)
    minutes = BACK + STEP * math.ceil((max(goes_back + cools, begins) + TURNS) / 60.0 / STEP)
    return DRILL.format(name=name, minutes=f"{minutes:.0f}", criteria="\n".join(criteria))


def _blocks(folder: Path, file: str) -> list[str]:
    """The plant files that a plant file includes, and those that they include."""
    found = re.findall(r"include:\s*[\"']?([\w.-]+\.yaml)", (folder / file).read_text(encoding="utf-8"))
    return sorted({each for name in found if name != file for each in [name, *_blocks(folder, name)]})


@guarded
def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors that complete and check while you type.

    \b
    Examples:
      twin schema > twin.schema.json
      twin schema | head
    """
    from twin.scenario.schema import schema as of_scenario

    emit_json(of_scenario())


@guarded
def catalog(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="A kind or a named machine; all kinds, if absent.")
    ] = "",
) -> None:
    """Look up the kinds of equipment: their ratings, inputs and recorded quantities, and the named machines.

    \b
    Examples:
      twin catalog
      twin catalog cdu
    """
    from twin.cli import reference

    emit(reference.entry(kind) if kind else reference.overview())
