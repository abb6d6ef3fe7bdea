"""The verbs that run: `run` for a scenario of one's own, `demo` for the shipped flagship drill."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.documents import Json, alone, put
from twin.cli.pictures import report_text, verdict_text
from twin.cli.progress import Bar
from twin.cli.words import FAILED, GOOD, INTERRUPTED, emit, guarded, say

if TYPE_CHECKING:
    from twin.studies.drill import DrillResult

FLAGSHIP = "utility-loss"


class Device(StrEnum):
    """Where the arrays live."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


@guarded
def run(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Scenario file, or the name of a shipped one.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT.h5", help="Trace to write, if not FILE's name with .h5."),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU that works.")] = Device.auto,
    members: Annotated[int | None, typer.Option(min=1, help="Worlds to run side by side.", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all draws.", show_default=False)] = None,
    as_json: Json = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> int:
    """Run a drill: simulate the scenario, write its trace, judge its criteria.

    \b
    Examples:
      twin run chiller-trip
      twin run my-site/my-site.yaml -o night.h5 --members 100 --json
    """
    only = alone(as_json)
    drill = _drill(_meant(file), output, device, members, seed, silent=quiet or only)
    if drill is None:
        return INTERRUPTED
    if not only:
        emit(report_text(drill.findings))
    if as_json is not None:
        put(as_json, drill.to_json())
    return GOOD if drill.passed else FAILED


@guarded
def drills(
    area: Annotated[
        str, typer.Argument(metavar="[AREA]", help="power, cooling, air, control, fabric, compute or people.")
    ] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/drills.md.")] = False,
) -> None:
    """List the shipped drills: what happens, in which plant, and what it is about.

    \b
    Examples:
      twin drills
      twin drills cooling
    """
    from twin.cli.reference import drill_list
    from twin.scenario.library import markdown as page

    emit(page() if markdown else drill_list(area))


def _meant(named: Path) -> Path:
    """The scenario that a name means; a bare name is a file here or a shipped drill.

    Raises:
        BadInput: it is neither.
    """
    from twin.assets import drills_folder, scenario_file, scenarios_folder
    from twin.faults import Fault
    from twin.scenario.faults import BadInput, advice

    path = scenario_file(named)
    if path.exists() or path.suffix or path.name != str(path):
        return path
    if (scenarios_folder() / "plants" / f"{path}.yaml").is_file():
        text = f"{path} is a plant, and does nothing by itself; a drill is wanted: twin drills lists them"
        raise BadInput([Fault(None, f"{text}, and twin sweep {path} tries every failure")])
    known = [each.stem for each in sorted(drills_folder().glob("*.yaml"))]
    here = [each.name for each in sorted(Path().glob("*.yaml"))]
    raise BadInput(
        [Fault(None, f"{path} is neither a file here nor a shipped drill; {advice(str(path), here + known)}")]
    )


def _drill(
    file: Path, output: Path | None, device: Device, members: int | None, seed: int | None, *, silent: bool
) -> DrillResult | None:
    """Run with a bar; None when interrupted, with what was recorded kept."""
    from twin.studies.drill import run as run_drill
    from twin.studies.drill import trace_path

    bar = Bar(file.stem, silent=silent)
    try:
        with bar:
            drill = run_drill(file, output=output, device=device.value, members=members, seed=seed, progress=bar)
    except KeyboardInterrupt:
        kept = f"; {trace_path(file, output)} holds what was recorded until then" if bar.begun is not None else ""
        say(f"twin: interrupted{kept}")
        return None
    if not silent:
        for warning in drill.scenario.warnings:
            say(str(warning))
        if drill.run.members > 1 and not drill.scenario.differs():
            say(f"nothing is drawn and no event names a member: all {drill.run.members} worlds are the same")
        say(pace(drill))
    return drill


def pace(drill: DrillResult) -> str:
    """How the run went, in one line: how much, how fast, on what, and where the trace is."""
    run = drill.run
    ratio = run.simulated_seconds / max(run.wall_seconds, 1e-9)
    worlds = f" in {run.members} members" if run.members > 1 else ""
    note = f"{run.note}\n" if run.note else ""
    return (
        f"{note}{run.simulated_seconds:g} s simulated{worlds} in {run.wall_seconds:.1f} s, "
        f"{ratio:,.0f} x real time: {run.ticks} ticks of {run.unit_count} units on {run.device}\n"
        f"trace: {run.trace}"
    )


@guarded
def demo(
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for what the demo writes.")
    ] = Path(),
) -> int:
    """Run the flagship drill: the utility is lost, and one generator fails to start.

    \b
    Examples:
      twin demo
      twin demo -o demo
    """
    from twin.assets import drills_folder
    from twin.report import report

    folder.mkdir(parents=True, exist_ok=True)
    at = folder / FLAGSHIP
    source = drills_folder() / f"{FLAGSHIP}.yaml"
    drill = _drill(source, at.with_suffix(".h5"), Device.auto, None, None, silent=False)
    if drill is None:
        return INTERRUPTED
    picture = draw(drill, at.with_suffix(".png"))
    say(f"picture: {picture}")
    say(f"report: {report(drill.trace, at.with_suffix('.html'), picture)}")
    say(f"more: twin report {drill.run.trace}")
    emit(verdict_text(drill.findings))
    return GOOD if drill.passed else FAILED


def draw(drill: DrillResult, output: Path) -> Path:
    """Draw the hall when its hottest die was hottest; a floor plan, saying why, where OpenGL is missing."""
    import numpy as np

    from twin.view import gl_fault, picture

    fault = gl_fault()
    if fault is not None:
        say(f"twin: the picture is a floor plan: {fault}")
    kinds = [kind for kind in drill.trace.kinds if "die_temperature" in drill.trace.columns(kind)]
    dies = [np.asarray(drill.trace[f"{kind}.die_temperature"].values) for kind in kinds]
    die = max(dies, key=np.nanmax)
    row, member, _ = np.unravel_index(int(np.nanargmax(die)), die.shape)
    return picture(drill.trace, at=float(drill.trace.time[row]), output=output, look="auto", member=int(member))
