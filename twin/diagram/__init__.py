"""Diagrams: a plant's electrical side as a one-line diagram and its loops between their headers, with states.

    from twin.diagram import diagram

    diagram("utility-loss.h5", at=125.0, output="one-line.svg")

Without a trace a plant is drawn as it is built.
"""

from __future__ import annotations

from pathlib import Path

from twin.diagram.cooling import cooling
from twin.diagram.ink import Sheet
from twin.diagram.moment import Moment
from twin.diagram.paint import paint
from twin.diagram.power import power
from twin.diagram.svg import svg
from twin.plant import Plant
from twin.trace import Trace, open_trace
from twin.view.reading import BadWish, read_moment

__all__ = ["SIDES", "SORTS", "Moment", "Sheet", "cooling", "diagram", "moment_of", "paint", "power", "svg"]

SIDES = ("power", "cooling")
SORTS = (".svg", ".png", ".pdf")


def moment_of(subject: Trace | Plant | str | Path, at: float | None = None, member: int = 0) -> Moment:
    """How a plant stands: at a time of its trace [s], or as built.

    Raises:
        BadWish: the time lies outside the trace, or it has no such member.
    """
    if isinstance(subject, Plant):
        return Moment(subject)
    trace = subject if isinstance(subject, Trace) else open_trace(subject)
    return Moment(trace.plant, read_moment(trace, at, member))


def diagram(
    subject: Trace | Plant | str | Path,
    *,
    output: str | Path,
    side: str = "power",
    at: float | None = None,
    member: int = 0,
    unfolded: bool = False,
) -> Path:
    """Draw one side of a plant into a file.

    Args:
        subject: a trace, its file, or a plant as built.
        output: where it goes; .svg, .png or .pdf.
        side: power or cooling.
        at: seconds since the start; the end of the trace where none is given.
        unfolded: draw each machine of the electrical side by itself.

    Raises:
        BadWish: the moment, the side or the sort of file does not exist, or the plant has no such side.
    """
    path = Path(output)
    if side not in SIDES:
        raise BadWish(f'side "{side}" is not known; one of {", ".join(SIDES)} is wanted')
    if path.suffix not in SORTS:
        raise BadWish(f"{path} ends in none of {', '.join(SORTS)}; e.g. {path.with_suffix('.svg')} is wanted")
    moment = moment_of(subject, at, member)
    sheet = cooling(moment) if side == "cooling" else power(moment, unfolded=unfolded)
    if not sheet.marks:
        raise BadWish(f"the plant has no {'loops of coolant' if side == 'cooling' else 'electrical side'} to draw")
    if path.suffix == ".svg":
        path.write_text(svg(sheet, alone=True) + "\n", encoding="utf-8")
        return path
    return paint(sheet, path)
