"""Reports: verdicts, timelines, numbers, plots and one offline page; pure functions of a Trace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.report.findings import Findings

if TYPE_CHECKING:
    from rich.console import Console

    from twin.report.pictures import Picture
    from twin.trace import Trace

__all__ = ["Findings", "report", "reports", "show", "summary"]

SORTS = (".html", ".htm", ".pdf")
"""Endings of the files that a report is written into."""


def report(
    trace: Trace,
    output: str | Path,
    picture: str | Path | None = None,
    *,
    at: float | None = None,
    stills: bool = False,
) -> Path:
    """Write the report of a trace as one HTML page that needs nothing else, or as a PDF.

    Args:
        trace: what was recorded.
        output: where it goes, a PDF where its name ends in .pdf; it is replaced whole or not at all.
        picture: a PNG or JPEG of the hall to put into it.
        at: moment of the diagrams [s]; the worst one where none is given.
        stills: draw the hall before the fault, at the worst moment and at the end.

    Returns:
        The report's path.

    Raises:
        OSError: it cannot be written, or the picture cannot be read.
        ValueError: the picture is none.
        BadWish: the moment lies outside the trace, or the file's ending is none that can be written.
    """
    (path,) = reports(trace, [output], picture, at=at, stills=stills)
    return path


def reports(
    trace: Trace,
    outputs: Sequence[str | Path],
    picture: str | Path | None = None,
    *,
    at: float | None = None,
    stills: bool = False,
) -> list[Path]:
    """Write the report of a trace into several files, pages and PDFs; see `report`."""
    from twin.report.page import hall_of, write_page
    from twin.view import BadWish

    for path in map(Path, outputs):
        if path.suffix and path.suffix.lower() not in SORTS:
            raise BadWish(f"{path} ends in none of {', '.join(SORTS)}; e.g. {path.with_suffix('.html')} is wanted")
    findings, made = Findings(trace), []
    shown = None if picture is None else Path(picture)
    drawn: list[Picture] = []
    if stills:
        from twin.report.stills import stills as draw

        drawn = draw(findings)
    for path in map(Path, outputs):
        if path.suffix.lower() == ".pdf":
            from twin.report.paper import write_paper

            made.append(write_paper(findings, path, hall_of(shown, drawn), at))
        else:
            made.append(write_page(findings, path, shown, at, drawn))
    return made


def summary(trace: Trace) -> dict[str, Any]:
    """Everything a report tells, in pure JSON types; what is not known is None."""
    return Findings(trace).summary()


def show(trace: Trace, console: Console) -> None:
    """Print a trace's verdict, numbers and timeline."""
    from twin.report import tables

    tables.show(Findings(trace), console)
