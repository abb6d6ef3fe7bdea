"""Marks of a diagram on a canvas of paper, as lines and letters: colours, strokes, hatching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin.diagram.ink import NONE, TONES, Disc, Line, Mark, Words, hatching
from twin.diagram.svg import arrow_head


def ink(canvas: Any, mark: Mark, fonts: Sequence[str]) -> None:
    """One mark; the canvas stands on its head, so words are turned over again."""
    colour = TONES[mark.tone][0]
    canvas.setStrokeColor(colour)
    if isinstance(mark, Words):
        canvas.saveState()
        canvas.setFillColor(colour)
        canvas.setFont(fonts[int(mark.bold)], mark.size)
        canvas.translate(mark.x, mark.y)
        canvas.scale(1, -1)
        write = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
        write[mark.anchor](0, 0, mark.text)
        canvas.restoreState()
        return
    canvas.setLineWidth(mark.width)
    canvas.setDash(5, 3) if isinstance(mark, Line) and mark.dashed else canvas.setDash()
    if isinstance(mark, Line):
        _path(canvas, mark.points, fill=False, closed=False)
        if mark.arrow:
            canvas.setFillColor(colour)
            canvas.setDash()
            _path(canvas, arrow_head(mark.points), fill=True, closed=True, stroke=False)
        return
    if mark.fill != NONE:
        canvas.setFillColor(TONES[mark.fill][0])
    if isinstance(mark, Disc):
        canvas.circle(mark.x, mark.y, mark.r, fill=int(mark.fill != NONE))
        return
    _path(canvas, mark.points, fill=mark.fill != NONE, closed=True, stroke=mark.width > 0)
    canvas.setStrokeColor(TONES["lost"][0])
    for start, end in hatching(mark) if mark.hatched else ():
        canvas.line(*start, *end)


def _path(canvas: Any, points: Sequence[Any], *, fill: bool, closed: bool, stroke: bool = True) -> None:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if closed:
        path.close()
    canvas.drawPath(path, stroke=int(stroke), fill=int(fill))
