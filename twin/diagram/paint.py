"""Paint: a sheet as a PNG or as a page of a PDF, by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twin.diagram.ink import LOST, NONE, PAPER, TONES, Disc, Line, Shape, Sheet, Words, hatching
from twin.diagram.svg import MARGIN, arrow_head

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 0.75
"""Points of one pixel at 96 pixels an inch."""


def paint(sheet: Sheet, path: Path | str, *, dark: bool = False, scale: float = 2.0) -> Path:
    """Draw a sheet into a file; its name's end says the sort (png, pdf).

    Args:
        scale: pixels of the picture for each pixel of the sheet.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    left, top, right, bottom = sheet.extent
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    which = int(dark)
    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(width / 96, height / 96), dpi=96 * scale, facecolor=TONES[PAPER][which])
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(left - MARGIN, right + MARGIN)
        axes.set_ylim(bottom + MARGIN, top - MARGIN)
        axes.set_axis_off()
        for depth, mark in enumerate(sheet.marks):
            _draw(axes, mark, which, 2 + 0.001 * depth)
        figure.savefig(path, facecolor=TONES[PAPER][which])
    return Path(path)


def _draw(axes: Axes, mark: Line | Shape | Disc | Words, which: int, depth: float) -> None:
    from matplotlib.patches import Circle, Polygon

    colour = TONES[mark.tone][which]
    if isinstance(mark, Words):
        where = {"start": "left", "middle": "center", "end": "right"}[mark.anchor]
        axes.text(
            mark.x, mark.y, mark.text, color=colour, fontsize=mark.size * POINTS, ha=where, va="baseline",
            fontweight="bold" if mark.bold else "normal", zorder=depth, parse_math=False,
        )  # fmt: skip
        return
    width = mark.width * POINTS
    if isinstance(mark, Line):
        xs, ys = [x for x, _ in mark.points], [y for _, y in mark.points]
        if mark.halo:
            axes.plot(xs, ys, color=TONES[PAPER][which], linewidth=width + 3.6, zorder=depth, solid_capstyle="butt")
        style = (0, (3.5, 2)) if mark.dashed else "-"
        axes.plot(xs, ys, color=colour, linewidth=width, linestyle=style, zorder=depth, solid_capstyle="butt")
        if mark.arrow:
            axes.add_patch(Polygon(arrow_head(mark.points), closed=True, color=colour, linewidth=0, zorder=depth))
        return
    fill = "none" if mark.fill == NONE else TONES[mark.fill][which]
    if isinstance(mark, Disc):
        axes.add_patch(Circle((mark.x, mark.y), mark.r, ec=colour, fc=fill, linewidth=width, zorder=depth))
        return
    axes.add_patch(Polygon(mark.points, closed=True, ec=colour, fc=fill, linewidth=width, zorder=depth))
    for (x0, y0), (x1, y1) in hatching(mark) if mark.hatched else ():
        axes.plot((x0, x1), (y0, y1), color=TONES[LOST][which], linewidth=1.2 * POINTS, zorder=depth)
