"""Plots: the panels drawn over one time axis as PNG, in light and in dark, for a page that works offline."""

from __future__ import annotations

import io
import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.report.findings import Findings
from twin.report.panels import GREY, RED, Curve, Mark, Panel, marks, panels
from twin.report.words import clock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

WIDTH, PANEL, KEY_LINE, LEGEND_LINE = 10.0, 1.6, 0.19, 0.185
"""Inches: the figure's width, a panel's height, a line of the key and of a legend."""
LEFT, RIGHT = 0.075, 0.775
"""The panels' sides, as shares of the width; legends stand to the right, where no curve runs."""
DASHES = ("-", (0, (7, 2)), (0, (5, 1.5, 1, 1.5)), (0, (2.5, 1.2)), (0, (1, 1)))
"""Lines differ by their dashes too: for print in grey, and where one lies on another."""
LETTERS = "ABCDEFGHIJKLMNOP"
DPI = 130
MOST_ROWS = 2400
"""Rows drawn of a long run; beyond it neighbours are joined by their lowest and highest."""


STRETCHES, FAST, ROUGH = 300, 4, 0.05
"""A curve swings that has so many rows a stretch and moves by this share of its range within most of them."""
OFTEN, BESIDE = 0.1, 2
"""Share of rows off their mean from which on a curve swings between rows; its band takes in so many on either side."""


@dataclass(frozen=True)
class Ink:
    """The colours of paper and text."""

    paper: str
    text: str
    grid: str


LIGHT = Ink("#ffffff", "#1a1a1a", "#d8d8d8")
DARK = Ink("#15181c", "#e6e6e6", "#3a3f46")
TICKS = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    21600,
    43200,
    86400,
)
"""Distances between the marks of the time axis [s]; the first is taken that leaves room to read them."""


def plot(findings: Findings, window: tuple[float, float] | None = None, ink: Ink = LIGHT) -> bytes | None:
    """All panels as one PNG; None where the trace holds nothing to draw.

    Args:
        findings: what is drawn.
        window: from and to [s]; the whole run where none is given.
        ink: LIGHT or DARK.
    """
    shown = panels(findings)
    time = findings.story.time
    if not shown or time.size < 2:
        return None
    first, last = window or (float(time[0]), float(time[-1]))
    rows = np.flatnonzero((time >= first) & (time <= last))
    if rows.size < 2:
        return None
    rows = np.arange(max(0, rows[0] - 1), min(time.size, rows[-1] + 2))
    drawing = _Drawing(time, rows, (first, last), ink)
    return drawing.png(shown, marks(findings, window))


def close_ups(findings: Findings) -> list[tuple[float, float]]:
    """Windows of the run in which much happens in little time, in order of time; at most two."""
    story = findings.story
    length = story.end - story.start
    groups: list[list[float]] = []
    for moment in sorted({each for line in findings.lines for each in (line.time, line.last)}):
        if groups and moment - groups[-1][-1] <= 0.05 * length:
            groups[-1].append(moment)
        else:
            groups.append([moment])
    windows = []
    for group in sorted(groups, key=len, reverse=True)[:2]:
        span = max(group[-1] - group[0], 10.0)
        window = (max(story.start, group[0] - 0.2 * span), min(story.end, group[-1] + 0.4 * span))
        rows = np.count_nonzero((story.time >= window[0]) & (story.time <= window[1]))
        if len(group) >= 3 and rows >= 8 and window[1] - window[0] < 0.3 * length:
            windows.append(window)
    return sorted(windows)


class _Drawing:
    """One figure in the making."""

    def __init__(self, time: np.ndarray, rows: np.ndarray, window: tuple[float, float], ink: Ink) -> None:
        self.window = window
        self.ink = ink
        self.rows = rows
        length = window[1] - window[0]
        self.tick = next((tick for tick in TICKS if length / tick <= 12), length / 10)
        self.time = time[rows]

    def png(self, shown: Sequence[Panel], moments: Sequence[Mark]) -> bytes:
        """The figure as PNG bytes, the same for the same trace, whatever a user's own settings are."""
        import matplotlib as mpl

        with mpl.rc_context():
            mpl.rcdefaults()
            return lean(self._canvas(shown, moments))

    def _canvas(self, shown: Sequence[Panel], moments: Sequence[Mark]) -> FigureCanvasAgg:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        key = self._key(moments)
        heights = [max(PANEL, LEGEND_LINE * (len(each.curves) + len(each.limits))) for each in shown]
        height = sum(heights) + KEY_LINE * len(key) + 1.1
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=self.ink.paper)
        canvas = FigureCanvasAgg(figure)
        ratios = {"height_ratios": heights}
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False, gridspec_kw=ratios)[:, 0]
        bottom = (KEY_LINE * len(key) + 0.55) / height
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=1 - 0.5 / height, bottom=bottom, hspace=0.34)
        for ax, panel in zip(axes, shown, strict=True):
            self._panel(ax, panel, moments)
        self._time_axis(axes, moments)
        self._write_key(figure, key, height)
        return canvas

    def _panel(self, ax: Axes, panel: Panel, moments: Sequence[Mark]) -> None:
        ax.set_facecolor(self.ink.paper)
        ax.set_title(panel.title, loc="left", fontsize=9, color=self.ink.text, fontweight="bold", pad=4)
        ax.tick_params(labelsize=8, colors=self.ink.text, length=3)
        ax.grid(True, color=self.ink.grid, linewidth=0.6)
        ax.set_axisbelow(True)
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(self.ink.grid)
        self._stack(ax, [curve for curve in panel.curves if curve.stacked])
        for curve, dashes in zip((c for c in panel.curves if not c.stacked), itertools.cycle(DASHES), strict=False):
            self._curve(ax, curve, dashes)
        self._range(ax, panel)
        self._limits(ax, panel)
        for mark in moments:
            style = (0, (1, 2)) if mark.colour == GREY else (0, (5, 2))
            ax.axvline(mark.time, color=mark.colour, linewidth=0.9, linestyle=style, zorder=1.5)
        self._legend(ax)

    def _stack(self, ax: Axes, curves: Sequence[Curve]) -> None:
        """Sources on top of each other; steps, because a row speaks for the time before it."""
        below = known_below = np.zeros(len(self.rows))
        for curve in curves:
            top = below + np.nan_to_num(curve.values[self.rows])
            mean = curve.values if curve.mean is None else curve.mean
            known = known_below + np.nan_to_num(mean[self.rows])
            swing = Swing.of(self.time, top, known)
            if swing is not None:
                floor = swing.like(known_below)
                ax.fill_between(swing.time, floor, swing.mean, color=curve.colour, alpha=0.75, lw=0, label=curve.label)
                ax.fill_between(swing.time, swing.low, swing.high, color=curve.colour, alpha=0.25, linewidth=0)
            else:
                ax.fill_between(
                    _stretches(self.time, True), _stretches(below, True), _stretches(top, True),
                    color=curve.colour, alpha=0.75, linewidth=0, label=curve.label, step="pre",
                )  # fmt: skip
            below, known_below = top, known

    def _curve(self, ax: Axes, curve: Curve, dashes: Any) -> None:
        colour = self.ink.text if curve.colour == "text" else curve.colour
        if curve.low is not None and curve.high is not None and np.nanmax(curve.high - curve.low) > 0:
            low, high = _stretches(curve.low[self.rows], False), _stretches(curve.high[self.rows], True)
            ax.fill_between(_stretches(self.time, True), low, high, color=colour, alpha=0.2, linewidth=0)
        swing = Swing.of(self.time, curve.values[self.rows], None if curve.mean is None else curve.mean[self.rows])
        if swing is not None:
            ax.fill_between(swing.time, swing.low, swing.high, color=colour, alpha=0.28, linewidth=0)
            ax.plot(swing.time, swing.mean, color=colour, linewidth=1.4, linestyle=dashes, label=curve.label)
            return
        x, y = _thinned(self.time, curve.values[self.rows])
        style = "steps-pre" if curve.stepped else "default"
        ax.plot(x, y, color=colour, linewidth=1.4, linestyle=dashes, drawstyle=style, label=curve.label)

    def _range(self, ax: Axes, panel: Panel) -> None:
        """Room above and below the curves; no jumble of digits where nothing moves."""
        low, high = ax.get_ylim()
        if panel.floor is not None:
            low = panel.floor
        least = max(abs(high) * 0.02, 1.0) if panel.floor is None else max(high * 0.05, 1e-6)
        if high - low < least:
            low, high = (low - least, high + least) if panel.floor is None else (low, low + least)
        ax.set_ylim(low, high + 0.06 * (high - low))
        ax.locator_params(axis="y", nbins=5)
        ax.ticklabel_format(axis="y", useOffset=False, style="plain")

    def _limits(self, ax: Axes, panel: Panel) -> None:
        """Limits that the curves come near; far ones would flatten everything else."""
        low, high = ax.get_ylim()
        near = {said: value for said, value in panel.limits.items() if low <= value <= high + 0.9 * (high - low)}
        if near:
            ax.set_ylim(low, max(high, *(value + 0.06 * (high - low) for value in near.values())))
        for said, value in near.items():
            label = f"{said} {value:.4g}" if said.endswith("limit") else f"limit: {said} {value:.4g}"
            ax.axhline(value, color=RED, linewidth=0.9, linestyle="-.", label=label)

    def _legend(self, ax: Axes) -> None:
        handles, labels = ax.get_legend_handles_labels()
        legend = ax.legend(
            handles, [textwrap.shorten(label, 40, placeholder="...").replace("$", r"\$") for label in labels],
            loc="upper left", bbox_to_anchor=(1.01, 1.06), fontsize=7.5, frameon=False,
            labelcolor=self.ink.text, handlelength=1.6, borderaxespad=0, labelspacing=0.3,
        )  # fmt: skip
        legend.set_in_layout(False)

    def _time_axis(self, axes: Any, moments: Sequence[Mark]) -> None:
        from matplotlib.ticker import MultipleLocator

        last = axes[-1]
        last.set_xlim(*self.window)
        last.xaxis.set_major_locator(MultipleLocator(self.tick))
        last.xaxis.set_major_formatter(lambda moment, _: hours(moment, self.tick))
        shown = "hours:minutes" if self.tick >= 3600 else "hours:minutes:seconds"
        last.set_xlabel(f"time since the start of the run, {shown}", fontsize=8.5, color=self.ink.text)
        for ax in axes[:-1]:
            ax.tick_params(labelbottom=False)
        for place, letters, colour in self._letters(moments):
            axes[0].annotate(
                letters, (place, 1.0), xycoords=("data", "axes fraction"),
                xytext=(0, 17), textcoords="offset points", annotation_clip=False,
                ha="center", va="bottom", fontsize=8, fontweight="bold", color=colour,
            )  # fmt: skip

    def _letters(self, moments: Sequence[Mark]) -> list[tuple[float, str, str]]:
        """Where each letter stands and its colour; those too close to be read apart become "B-F"."""
        room = 0.03 * (self.window[1] - self.window[0])
        groups: list[list[tuple[str, Mark]]] = []
        for letter, mark in zip(LETTERS, moments, strict=False):
            if groups and mark.time - groups[-1][0][1].time < room:
                groups[-1].append((letter, mark))
            else:
                groups.append([(letter, mark)])
        found = []
        for group in groups:
            middle = (group[0][1].time + group[-1][1].time) / 2
            said = group[0][0] if len(group) == 1 else f"{group[0][0]}-{group[-1][0]}"
            found.append((middle, said, next((m.colour for _, m in group if m.colour != GREY), GREY)))
        return found

    def _key(self, moments: Sequence[Mark]) -> list[tuple[str, str]]:
        """Under the panels: what each letter stands for, in lines that fit."""
        lines = []
        for letter, mark in zip(LETTERS, moments, strict=False):
            lines.append(
                (
                    f"{letter}  {clock(mark.time)}  {textwrap.shorten(mark.text, 115, placeholder='...')}",
                    mark.colour,
                )
            )
        return lines

    def _write_key(self, figure: Figure, key: list[tuple[str, str]], height: float) -> None:
        for row, (text, colour) in enumerate(reversed(key)):
            y = (0.1 + KEY_LINE * row) / height
            shown = self.ink.text if colour == GREY else colour
            figure.text(LEFT, y, text, fontsize=8, color=shown, va="bottom", parse_math=False)


@dataclass(frozen=True)
class Swing:
    """A curve that swings faster than can be drawn, or than it was recorded, as training does.

    Mean, lowest and highest of each stretch; `weights`: seconds that each of the rows behind it speaks for.
    """

    time: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weights: np.ndarray

    @staticmethod
    def means(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """The mean of each stretch of rows and its neighbours: a stretch rarely holds whole swings."""
        starts = _starts(len(values))
        each = np.ones(len(values)) if weights is None else weights
        sums = np.pad(np.add.reduceat(np.nan_to_num(values) * each, starts), 1)
        whole = np.pad(np.add.reduceat(each, starts), 1)
        within = whole[:-2] + whole[1:-1] + whole[2:]
        return np.asarray((sums[:-2] + sums[1:-1] + sums[2:]) / np.where(within > 0, within, 1.0))

    def like(self, values: np.ndarray) -> np.ndarray:
        """Means of another curve of the same rows."""
        return values if len(self.time) == len(values) else self.means(values, self.weights)

    @staticmethod
    def of(time: np.ndarray, values: np.ndarray, known: np.ndarray | None = None) -> Swing | None:
        """None where the curve can be drawn as it is: few rows, or smooth within most stretches.

        Args:
            known: mean since the row before, by a counter. Where many rows differ from it, the curve swings between
                rows too: then its mean is this one, and rows are but moments of the swing.
        """
        values = np.asarray(values, dtype=float)
        if not np.isfinite(values).all():
            return None
        hides = known is not None and _hides(values, known)
        mean = known if known is not None and hides else values
        weights = np.diff(time, prepend=time[:1]) if hides else np.ones(len(values))
        low, high = np.minimum(values, mean), np.maximum(values, mean)
        if len(values) < FAST * STRETCHES:
            return Swing(time, mean, _beside(low, np.min), _beside(high, np.max), weights) if hides else None
        starts = _starts(len(values))
        low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
        if not hides and np.median(high - low) <= ROUGH * (values.max() - values.min()):
            return None
        return Swing(time[starts], Swing.means(mean, weights), low, high, weights)


def _hides(values: np.ndarray, known: np.ndarray) -> bool:
    """Whether a curve swings between its rows: many are far from the mean since the row before, and no ramp or step."""
    both, last = np.concatenate((values, known)), np.pad(values, 1, mode="edge")
    apart = abs(values - known) > ROUGH * (both.max() - both.min())
    turns = (values - last[:-2]) * (last[2:] - values) < 0
    outside = (known - values) * (known - last[:-2]) > 0
    return bool(np.count_nonzero(apart & (turns | outside)) > OFTEN * len(values))


def _beside(values: np.ndarray, extreme: Any) -> np.ndarray:
    """The lowest or highest of each row and its neighbours."""
    padded = np.pad(values, BESIDE, mode="edge")
    return np.asarray(extreme([padded[k : k + len(values)] for k in range(2 * BESIDE + 1)], axis=0))


def _starts(count: int) -> np.ndarray:
    return np.arange(0, count, max(1, -(-count // STRETCHES)))


def lean(canvas: FigureCanvasAgg) -> bytes:
    """The drawing as a PNG of 256 colours: a third of the bytes, and nobody sees it."""
    from PIL import Image

    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    made = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(made, format="PNG", optimize=True)
    return made.getvalue()


def hours(moment: float, tick: float) -> str:
    """A mark of the time axis, as fine as the marks are apart: "02:00", "00:02:10", "00:02:10.5"."""
    text = clock(round(moment, 1))
    return text[:-3] if tick >= 3600 else text[:-2] if "." in text else text


def _stretches(y: np.ndarray, highest: bool) -> np.ndarray:
    """A long curve as the highest (or lowest) of each stretch of its rows."""
    if len(y) <= MOST_ROWS:
        return y
    filled = np.where(np.isfinite(y), y, -np.inf if highest else np.inf)
    starts = np.arange(0, len(y), -(-len(y) // (MOST_ROWS // 2)))
    found = (np.maximum if highest else np.minimum).reduceat(filled, starts)
    return np.where(np.isfinite(found), found, np.nan)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A long curve by the lowest and highest of each stretch, so that no spike is lost."""
    if len(x) <= MOST_ROWS:
        return x, y
    both = np.stack((_stretches(y, False), _stretches(y, True)), axis=1).reshape(-1)
    return np.repeat(_stretches(x, True), 2), both
