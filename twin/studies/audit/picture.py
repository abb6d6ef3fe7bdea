"""An audit as a picture: a bar for every unit, normal load dark and worst load light, against its rating."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from twin.report.panels import BLUE, GREY, ORANGE, RED
from twin.report.words import lasting
from twin.studies.audit.found import Audit, Loading

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 48
"""Bars of one picture; of more units the highest loaded are drawn."""
ROW, WIDTH, HEAD = 0.21, 10.0, 1.5
"""Inches: of one bar, of the picture, and of title and axis."""
DPI = 130


def picture(found: Audit, output: str | Path) -> Path:
    """Write the loading bars as a PNG; kinds stand together, the highest loaded first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = found.loading[:MOST]
    order = {kind: row for row, kind in enumerate(dict.fromkeys(each.kind for each in shown))}
    shown = tuple(sorted(shown, key=lambda each: (order[each.kind], -each.worst)))
    height = HEAD + ROW * max(len(shown), 4)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.20, 0.75 / height, 0.52, 1.0 - HEAD / height))
    _bars(axes, shown)
    left = len(found.loading) - len(shown)
    title = textwrap.shorten(f"{found.title}: {found.sentence()}", 105, placeholder=" ...")
    if len(title) < len(f"{found.title}: {found.sentence()}"):  # the finding goes before the name
        title = textwrap.shorten(found.sentence(), 105, placeholder=" ...")
    figure.text(0.02, 1 - 0.26 / height, title, size=11, weight="bold", va="center")
    said = f"{left} more units, less loaded, are left out" if left else "every unit of the power side that has a rating"
    figure.text(0.02, 1 - 0.52 / height, said, size=8, color=GREY, va="center")
    path = Path(output)
    figure.savefig(path)
    return path


def _bars(axes: Axes, shown: tuple[Loading, ...]) -> None:
    rows = range(len(shown))
    worst = [100 * each.worst for each in shown]
    normal = [100 * each.normal for each in shown]
    colours = [RED if value > 100.0001 else ORANGE for value in worst]
    axes.barh(rows, worst, height=0.72, color=colours, alpha=0.45, label="worst, one unit failed")
    axes.barh(rows, normal, height=0.72, color=BLUE, label="normal")
    axes.axvline(100, color=RED, linewidth=1.2)
    axes.set_yticks(list(rows), [each.unit for each in shown], size=7)
    axes.invert_yaxis()
    axes.set_ylim(len(shown) - 0.4, -0.6)
    right = max([110.0, *(value * 1.02 for value in worst)])
    axes.set_xlim(0, right)
    axes.set_xlabel("load, % of rating", size=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", linewidth=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    for row, each in zip(rows, shown, strict=True):
        axes.annotate(
            _by(each), (1.01, row), xycoords=("axes fraction", "data"), size=6.5, va="center", annotation_clip=False
        )
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _by(each: Loading) -> str:
    """What makes it the worst."""
    cause = f"{each.worst_by} out" if each.worst_by and "." not in each.worst_by else each.worst_by
    if "not simulated" in each.worst_by:
        cause = each.worst_by
    grid = "grid away" if each.worst_away else ""
    when = f"after {lasting(each.worst_at)}" if each.worst_at and (cause or grid) else ""
    return f"{100 * each.worst:.0f} %  " + ", ".join(part for part in (grid, cause, when) if part)
