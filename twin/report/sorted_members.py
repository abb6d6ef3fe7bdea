"""Sorted members: goodput and availability of each world of an ensemble, from the worst to the best, as a PNG."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.report.findings import Findings
from twin.report.panels import COLOURS
from twin.report.plots import DPI, LIGHT, WIDTH, Ink, lean

HEIGHT = 3.0
"""Inches."""
MOST_CURVES = 6


def curves(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What is drawn: label and band, those that differ between members."""
    listed = [(f"{name}: goodput", job["goodput"]) for name, job in found["jobs"].items() if job["goodput"]]
    listed += [(f"{name}: keeps its promise", each["availability"]) for name, each in found["services"].items()]
    if found["racks"]:
        listed.append(("availability of racks", found["racks"]["availability"]))
    return [(said, each) for said, each in listed if max(each["values"]) > min(each["values"])][:MOST_CURVES]


def sorted_members(findings: Findings, ink: Ink = LIGHT) -> bytes | None:
    """The figure as PNG bytes; None where members are one or do not differ."""
    found = findings.reliability
    shown = curves(found) if found is not None and findings.story.members > 1 else []
    if not shown:
        return None
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=ink.paper)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0.075, 0.17, 0.655, 0.72))
        for (label, each), colour in zip(shown, COLOURS, strict=False):
            _curve(axes, label, each, colour)
        _dress(figure, axes, ink, findings.story.members)
        return lean(canvas)


def _curve(axes: Any, label: str, each: dict[str, Any], colour: str) -> None:
    values = np.sort(np.asarray(each["values"])) * 100.0
    share = (np.arange(len(values)) + 0.5) / len(values) * 100.0
    style = {"marker": "o", "markersize": 3.5} if len(values) <= 60 else {}
    axes.plot(share, values, color=colour, linewidth=1.4, label=f"{label}\nmean {100 * each['mean']:.2f} %", **style)
    axes.axhline(100.0 * each["mean"], color=colour, linewidth=0.9, linestyle=(0, (5, 2)))
    if each["low"] is not None:
        axes.axhspan(100.0 * each["low"], 100.0 * each["high"], color=colour, alpha=0.18, linewidth=0)


def _dress(figure: Any, axes: Any, ink: Ink, members: int) -> None:
    axes.set_facecolor(ink.paper)
    title = f"share of the time, %: each of {members} members, their mean (dashed) and its 95 % interval"
    axes.set_title(title, loc="left", fontsize=9, color=ink.text, fontweight="bold", pad=6)
    axes.set_xlabel("members, % of all, sorted from the worst", fontsize=8.5, color=ink.text)
    axes.set_xlim(0, 100)
    axes.tick_params(labelsize=8, colors=ink.text, length=3)
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.grid(True, color=ink.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(ink.grid)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.02, 1.02), fontsize=7.5, frameon=False, labelcolor=ink.text,
        handlelength=1.6, borderaxespad=0, labelspacing=0.8,
    )  # fmt: skip
