"""The verbs that look at a trace: `report` tells it, `view` draws the hall at one moment of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.documents import Json, alone, put
from twin.cli.words import UsageFault, drawn, emit, guarded, say

if TYPE_CHECKING:
    from twin.report.findings import Findings


@guarded
def report(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="Trace of a run.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT.html", help="Write one offline HTML page, or OUT.pdf."),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write a PDF, named as OUT or as TRACE.")] = False,
    stills: Annotated[bool, typer.Option(help="Draw the hall at key moments.")] = True,
    picture: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Picture of the hall to put into the page.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help='Moment of the one-line diagrams, e.g. "75 s"; else the worst.'),
    ] = None,
    as_json: Json = None,
) -> None:
    """Tell what a trace says: the verdict, seconds to each loss, extremes, energy, and what happened and why.

    \b
    Examples:
      twin report utility-loss.h5
      twin report utility-loss.h5 -o utility-loss.html --pdf
    """
    from twin import report as room
    from twin.trace import open_trace

    only = alone(as_json)
    for option, given in (("--picture", picture), ("--at", at)):
        if given is not None and output is None and not pdf:
            raise UsageFault(f"{option} goes into a page; say with -o where to write that")
    opened = open_trace(trace)
    targets = [] if output is None else [output]
    if pdf and (output is None or output.suffix.lower() != ".pdf"):
        targets.append((output or Path(trace.name)).with_suffix(".pdf"))
    moment = None if at is None else seconds(at)
    for made in room.reports(opened, targets, picture, at=moment, stills=stills) if targets else ():
        say(f"report: {made}")
    if as_json is None:
        if not targets:
            emit(report_text(room.Findings(opened)))
        return
    if not (only or targets):
        emit(report_text(room.Findings(opened)))
    put(as_json, room.summary(opened))


def report_text(findings: Findings) -> str:
    """The whole report for a terminal."""
    from twin.report import tables

    return drawn(lambda width: tables.whole(findings, width))


def verdict_text(findings: Findings) -> str:
    """The verdict alone, for a terminal."""
    from rich.console import Group

    from twin.report import tables
    from twin.report.rows import Rows

    return drawn(
        lambda width: Group(tables.headline(findings), tables.verdict_table(Rows(findings), width < tables.NARROW))
    )


@guarded
def view(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="Trace of a run.", show_default=False)],
    at: Annotated[str, typer.Option(metavar="TIME", help='Moment of the run: "90 s", "12.5 min", "00:12:30".')],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.png", help="Picture to write.")] = Path(
        "hall.png"
    ),
    colour: Annotated[
        str | None,
        typer.Option(
            metavar="QUANTITY",
            help="What the colours mean, e.g. cdu.supply_temperature.",
            show_default="rack.die_temperature",
        ),
    ] = None,
    look: Annotated[
        str, typer.Option(help="hall, top, racks, power, cooling; plan and fabric are flat and need no OpenGL.")
    ] = "hall",
    member: Annotated[int, typer.Option(min=0, help="Which world of an ensemble.")] = 0,
    block: Annotated[
        str | None, typer.Option(help="Only the units of one block, e.g. h001.", show_default=False)
    ] = None,
) -> None:
    """Draw the hall at one moment of a run, coloured by any recorded quantity.

    \b
    Examples:
      twin view utility-loss.h5 --at "90 s" -o hall.png
      twin view utility-loss.h5 --at "12 min" --colour rack.power
    """
    from twin.view import picture

    moment = seconds(at)
    emit(str(picture(trace, at=moment, colour=colour, output=output, look=look, member=member, block=block)))


@guarded
def diagram(
    subject: Annotated[
        str,
        typer.Argument(metavar="TRACE|PLANT", help="Trace of a run, or a plant to draw as built.", show_default=False),
    ],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help='Moment of the run, e.g. "75 s"; else the worst.')
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT.svg", help="File to write: .svg, .png or .pdf.", show_default=False
        ),
    ] = None,
    side: Annotated[str, typer.Option(help="power, cooling or both.")] = "both",
    unfold: Annotated[bool, typer.Option("--unfold", help="Draw each machine of the electrical side alone.")] = False,
    member: Annotated[int, typer.Option(min=0, help="Which world of an ensemble.")] = 0,
) -> None:
    """Draw the one-line diagram of the electrical side, and the loops of the cooling side, with their states.

    \b
    Examples:
      twin diagram utility-loss.h5 --at "75 s" -o one-line.svg
      twin diagram hall --side power -o hall.pdf
    """
    from twin import diagram as room

    sides: tuple[str, ...] = (side,)
    given = Path(subject)
    target = output or Path(f"{given.stem}.svg")
    if given.suffix == ".h5" or (given.is_file() and given.suffix not in (".yaml", ".yml")):
        from twin.report.findings import Findings
        from twin.trace import open_trace

        trace = open_trace(given)
        moment = Findings(trace).worst_row if at is None else seconds(at)
        drawn_from: Any = trace
    else:
        if at is not None:
            raise UsageFault("--at is a moment of a trace; a plant is drawn as it is built")
        from twin.studies.audit import Conditions
        from twin.studies.audit.subject import subject as meant

        drawn_from, moment = meant(subject, Conditions()).plant, None
    if side == "both":
        plant = drawn_from.plant if moment is not None else drawn_from
        sides = tuple(name for name, there in (("power", plant.feeds), ("cooling", plant.loops)) if there)
    for each in sides:
        path = target if len(sides) == 1 else target.with_name(f"{target.stem}-{each}{target.suffix}")
        emit(str(room.diagram(drawn_from, output=path, side=each, at=moment, member=member, unfolded=unfold)))


def seconds(text: str) -> float:
    """A moment as people write it, in seconds: "90 s", "12.5 min", "00:12:30"."""
    import re

    from twin import units

    clock = re.fullmatch(r"(?:(\d+):)?([0-5]?\d):([0-5]\d(?:\.\d+)?)", text.strip())
    if clock:
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    try:
        return units.parse(text, "s")
    except units.BadValue as error:
        raise UsageFault(f"--at: {error}") from None
