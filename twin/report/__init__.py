"""Reports: verdicts, timelines, numbers, plots and one offline page; pure functions of a Trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.report.findings import Findings

if TYPE_CHECKING:
    from rich.console import Console

    from twin.trace import Trace

__all__ = ["Findings", "report", "show", "summary"]


def report(trace: Trace, output: str | Path, picture: str | Path | None = None, *, at: float | None = None) -> Path:
    """Write the report of a trace as one HTML page that needs nothing else.

    Args:
        trace: what was recorded.
        output: where the page goes; it is replaced whole or not at all.
        picture: a PNG or JPEG of the hall to put into it.
        at: moment of the diagrams [s]; the worst one where none is given.

    Returns:
        The page's path.

    Raises:
        OSError: it cannot be written, or the picture cannot be read.
        ValueError: the picture is none.
        BadWish: the moment lies outside the trace.
    """
    from twin.report.page import write_page

    return write_page(Findings(trace), Path(output), None if picture is None else Path(picture), at)


def summary(trace: Trace) -> dict[str, Any]:
    """Everything a report tells, in pure JSON types; what is not known is None."""
    return Findings(trace).summary()


def show(trace: Trace, console: Console) -> None:
    """Print a trace's verdict, numbers and timeline."""
    from twin.report import tables

    tables.show(Findings(trace), console)
