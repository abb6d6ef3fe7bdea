"""The ladder as a picture: one bar for each store on a logarithmic axis of seconds, and where its limit came."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from twin.report.panels import BLUE, GREY, ORANGE, RED
from twin.report.plots import DPI, LIGHT, Ink, lean
from twin.report.stores import Rung
from twin.report.words import lasting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

WIDTH, ROW = 10.0, 0.36
"""Inches: the figure's width, and a bar's share of its height."""
GAP = 0.12
"""Inches between a word at a bar and those of the right column."""
MARKS = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min"}
MARKS |= {3600: "1 h", 36000: "10 h", 360000: "100 h"}
NEAR = 0.8
"""From this share of a reserve on its bar is drawn as nearly used up."""


def ladder_plot(rungs: Sequence[Rung], ink: Ink = LIGHT) -> bytes | None:
    """The ladder as a PNG; None where no store has a time."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [rung for rung in rungs if rung.foreseen is not None and rung.foreseen > 0]
    if not shown:
        return None
    with mpl.rc_context():
        mpl.rcdefaults()
        height = ROW * len(shown) + 0.85
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=ink.paper)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0.27, 0.72 / height, 0.49, ROW * len(shown) / height))
        _frame(axes, shown, ink)
        _bars(axes, shown, ink)
        _make_room(axes, canvas)
        return lean(canvas)


def _bars(axes: Axes, shown: Sequence[Rung], ink: Ink) -> None:
    """A bar to the foreseen time, pale beyond that of the load after; a diamond where the limit came; what was used."""
    start = _least(shown)
    for row, rung in enumerate(shown):
        drawn_on = bool(rung.used) and rung.began is not None
        near = rung.came is not None or (drawn_on and (rung.used or 0.0) >= NEAR)
        colour = ORANGE if near else BLUE if drawn_on else GREY
        lasts = rung.foreseen or start
        sure = rung.least or start
        axes.barh(row, sure - start, left=start, height=0.58, color=colour, alpha=0.85)
        if sure < lasts:
            axes.barh(row, lasts - sure, left=sure, height=0.58, color=colour, alpha=0.35)
        came = rung.came or 0.0
        beyond = came < lasts or came > lasts * 30 or lasts < start * 10
        place = max(lasts, came) if lasts <= came <= lasts * 30 else lasts
        told = lasting(rung.foreseen)
        if rung.burdened is not None and beyond:
            told = f"{lasting(rung.burdened)} ({told} before)"
        axes.annotate(
            told, (place if beyond else lasts, row), textcoords="offset points",
            xytext=(8 if beyond else -9, 0),
            va="center", ha="left" if beyond else "right", fontsize=7.5, color=ink.text,
        )  # fmt: skip
        if rung.came is not None:
            axes.plot(max(rung.came, start), row, "D", color=RED, markersize=7, zorder=4, clip_on=False)
        used = "not drawn on" if not drawn_on else f"{100 * (rung.used or 0.0):.3g} % used"
        if rung.came is not None:
            used = f"limit after {lasting(rung.came)}"
        axes.annotate(
            used, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8,
            color=RED if rung.came is not None else ink.text, fontweight="bold" if near else "normal",
            annotation_clip=False,
        )  # fmt: skip


def _least(shown: Sequence[Rung]) -> float:
    """Where the axis begins: at the mark below the quickest store."""
    least = min(
        [float(rung.foreseen or 1.0) for rung in shown] + [max(r.came, 1e-3) for r in shown if r.came is not None]
    )
    return max(float(mark) for mark in (0.0001, *MARKS) if mark < least * 0.8)


def _make_room(axes: Axes, canvas: FigureCanvasAgg) -> None:
    """Move the end of the axis out until no word at a bar reaches beyond it, where those of the right column begin."""
    renderer = canvas.get_renderer()
    words = [text for text in axes.texts if text.get_ha() == "left" and text.xycoords == "data"]  # type: ignore[attr-defined]
    for _ in range(40):
        end = axes.get_window_extent(renderer).x1 - GAP * DPI
        if all(text.get_window_extent(renderer).x1 <= end for text in words):
            return
        low, high = axes.get_xlim()
        axes.set_xlim(low, high * 1.6)


def _frame(axes: Axes, shown: Sequence[Rung], ink: Ink) -> None:
    axes.set_facecolor(ink.paper)
    axes.set_xscale("log")
    most = max([float(rung.foreseen or 1.0) for rung in shown] + [rung.came or 0.0 for rung in shown])
    axes.set_xlim(_least(shown), most * 3)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    names = [rung.asset if len(rung.units) == 1 else f"{rung.asset} ({len(rung.units)})" for rung in shown]
    axes.set_yticks(range(len(shown)), ["\n".join(wrap(name, 44)) for name in names])
    low, high = axes.get_xlim()
    ticks = {mark: said for mark, said in MARKS.items() if low <= mark <= high}
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
    axes.tick_params(labelsize=8, colors=ink.text, length=3)
    axes.grid(True, axis="x", color=ink.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.grid)
    bars = "bar: as foreseen at the fault; pale: by the load before; diamond: as it came"
    said = f"time until the limit, from when it is itself cut off ({bars})"
    axes.set_xlabel(said, fontsize=8.5, color=ink.text, x=0.4)
