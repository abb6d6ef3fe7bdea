"""The heat map of a sweep: what two failures at once cost, unit by unit or kind by kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twin.report.panels import GREY
from twin.report.words import natural
from twin.studies.pages import png
from twin.studies.sweep.cuts import own_racks
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome, names_of, parted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 40
"""Units up to which each has a row of its own; of more, kinds have."""
CELL, LEFT, TOP, RIGHT, BELOW = 0.30, 1.7, 1.45, 1.3, 0.75
"""Inches: a cell, and the margins for names, title, colours and words."""
NONE = -1.0
"""Stands for a pair that was not tried."""


@dataclass(frozen=True)
class Heat:
    """Racks that stop at worst, beyond those that fail: `alone` by row, `pairs` (row, row) for two; -1 not tried."""

    names: list[str]
    by_kind: bool
    alone: np.ndarray
    pairs: np.ndarray


def heat(found: Sweep) -> Heat:
    """The worst of all failure modes, starts and moments, of each unit and pair; of kinds where units are too many."""
    kinds = {unit: kind for each in found.cases for unit, kind in _units(each)}
    for each in found.cases:
        for name in names_of(each):
            kinds |= dict(zip(_failed(name), each.kinds.split(" + "), strict=False))
    by_kind = len(kinds) > MOST
    names = sorted(set(kinds.values()) if by_kind else kinds, key=lambda name: (kinds.get(name, ""), natural(name)))
    row = {unit: names.index(kind if by_kind else unit) for unit, kind in kinds.items()}
    alone, pairs = np.full(len(names), NONE), np.full((len(names), len(names)), NONE)
    for each in found.cases:
        if each.fault:
            continue
        lost = each.racks_lost - own_racks(each)
        for name in names_of(each):
            rows = [row[unit] for unit in _failed(name)]
            if len(rows) == 1:
                alone[rows[0]] = max(alone[rows[0]], lost)
            elif len(rows) == 2:
                one, other = rows
                pairs[one, other] = pairs[other, one] = max(pairs[one, other], lost)
    return Heat(names, by_kind, alone, pairs)


def _units(each: Outcome) -> list[tuple[str, str]]:
    return list(zip(each.units.split(" + "), each.kinds.split(" + "), strict=True))


def _failed(name: str) -> list[str]:
    """The units that fail in a case, by its name."""
    return [fail.partition(".")[0] for fail in parted(name)[0]]


def figure(found: Sweep) -> Figure | None:
    """The map as a figure; None where no two failures were tried at once."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = heat(found)
    if not (made.pairs >= 0).any():
        return None
    size = len(made.names)
    cells = max(CELL, 0.55 if size < 12 else CELL)
    width, height = LEFT + cells * (size + 1.6) + RIGHT, TOP + cells * size + BELOW
    drawn = Figure(figsize=(max(width, 6.0), height))
    FigureCanvasAgg(drawn)
    table = np.hstack([made.alone[:, None], np.full((size, 1), np.nan), made.pairs])
    axes = drawn.add_axes(
        (LEFT / max(width, 6.0), BELOW / height, cells * (size + 2) / max(width, 6.0), cells * size / height)
    )
    shown = np.ma.masked_where(~(table > 0), table)
    image = axes.imshow(shown, cmap="cividis_r", vmin=0, vmax=max(1.0, float(np.nanmax(table))), aspect="auto")
    axes.set_yticks(range(size), made.names, size=7)
    axes.set_xticks([0, *range(2, size + 2)], ["alone", *made.names], size=7, rotation=90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    _numbers(axes, table)
    bar = drawn.add_axes((1 - 0.95 / max(width, 6.0), BELOW / height, 0.16 / max(width, 6.0), cells * size / height))
    drawn.colorbar(image, cax=bar).set_label("racks that stop, most at one time, beyond those that fail", size=7)
    bar.tick_params(labelsize=7)
    what = "kind" if made.by_kind else "unit"
    title = f"{found.title}: two failures at once"
    drawn.text(0.02, 1 - 0.25 / height, title, size=10, weight="bold", va="center")
    words = f"each cell the worst of all failures of two units, {what} by {what}; white: no rack stops, grey: not tried"
    drawn.text(0.02, 0.2 / height, words, size=7, color=GREY, va="center")
    return drawn


def _numbers(axes: object, table: np.ndarray) -> None:
    """The number of racks in each cell, and grey where nothing was tried."""
    most = float(np.nanmax(table))
    for (row, column), value in np.ndenumerate(table):
        if value == NONE:
            axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color="#dddddd", lw=0)  # type: ignore[attr-defined]
        elif value > 0:
            ink = "white" if value > 0.5 * most else "black"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", size=6, color=ink)  # type: ignore[attr-defined]


def picture(found: Sweep, output: str | Path) -> Path | None:
    """Write the map as PNG; None where there is nothing to draw."""
    drawn = figure(found)
    if drawn is None:
        return None
    path = Path(output)
    path.write_bytes(png(drawn))
    return path
