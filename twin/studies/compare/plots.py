"""Plots of a comparison: the quantities that differ most, A over B, of the unit that differs most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin import units
from twin.report.findings import Findings
from twin.report.panels import BLUE, GREY, ORANGE
from twin.report.pictures import Picture
from twin.report.words import clock, pretty, words
from twin.studies.compare.traces import Difference, Traces
from twin.studies.pages import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 6
"""Panels of a figure."""
WIDTH, PANEL, HEAD, FOOT = 10.0, 1.7, 0.55, 0.55
"""Inches."""


def figure(found: Traces, a: Findings, b: Findings) -> Figure | None:
    """One panel for each of the most different quantities; None where nothing differs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [each for each in found.worst if np.isfinite(each.worst)][:MOST]
    if not shown:
        return None
    height = HEAD + FOOT + PANEL * len(shown)
    made = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(made)
    made.text(0.02, 1 - 0.22 / height, "The most different quantities", size=11, weight="bold", va="center")
    last = None
    for place, each in enumerate(shown):
        bottom = (FOOT + PANEL * (len(shown) - 1 - place)) / height
        axes = made.add_axes((0.10, bottom, 0.66, (PANEL - 0.42) / height), sharex=last)
        last = axes
        _panel(axes, each, a, b)
        axes.tick_params(labelbottom=place == len(shown) - 1)
        if place == 0:
            axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=8)
    if last is not None:
        last.set_xlabel("time, s", size=8)
    return made


def _panel(axes: Axes, each: Difference, a: Findings, b: Findings) -> None:
    """Both curves of one unit, and words beside them."""
    people = units.NAMED.get(each.unit, ("", each.unit))[1] if each.unit != "1" else "1"
    for found, name, colour, line in ((a, "A", BLUE, "-"), (b, "B", ORANGE, (0, (5, 2)))):
        values = found.story.values(each.kind, each.name)
        if values is None:
            continue
        column = found.trace.units(each.kind).index(each.where)
        shown = np.asarray(values[:, each.member, column], dtype=float)
        if each.unit not in ("1", people):
            shown = np.asarray(units.convert(shown, each.unit, people))
        axes.plot(found.story.time, shown, color=colour, linestyle=line, linewidth=1.4, label=name)
    axes.axvline(each.first, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_ylabel(pretty(people) if people != "1" else "", size=8)
    axes.set_title(f"{each.where}: {words(each.name)}", size=8.5, loc="left")
    axes.tick_params(labelsize=7.5)
    axes.grid(linewidth=0.4, alpha=0.5)
    axes.ticklabel_format(axis="y", useOffset=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    text = f"parts at {clock(each.first)}\nmost at {clock(each.time)}\n{100 * each.share:.2g} % of its scale"
    axes.annotate(text, (1.02, 0.5), xycoords="axes fraction", size=7.5, va="center", color=GREY)


def picture(found: Traces, a: Findings, b: Findings) -> list[Picture]:
    """The figure as a picture of a page."""
    made = figure(found, a, b)
    if made is None:
        return []
    caption = "A unbroken, B dashed; of each quantity the unit that differs most. Dotted: where they part."
    return [drawn(made, "The most different quantities of both runs over time", caption)]
