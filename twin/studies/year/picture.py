"""A year as a picture: the load-duration curve, PUE by dry bulb, and the months."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twin.report.panels import BLUE, GREY, ORANGE
from twin.studies.year import YearFound
from twin.studies.year.tables import MONTHS, scale, told

DPI = 130


def picture(found: YearFound, output: str | Path) -> Path:
    """Write the three panels as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.2), dpi=DPI)
    FigureCanvasAgg(figure)
    duration, by_air, monthly = figure.subplots(1, 3)
    size, unit, _ = scale(found)
    hours = np.arange(1, len(found.power) + 1)
    duration.plot(hours, np.sort(found.power)[::-1] / size, color=BLUE, label="site")
    duration.plot(hours, np.sort(found.it_power)[::-1] / size, color=GREY, label="racks")
    duration.set(
        xlabel="hours at or above",
        ylabel=f"power, {unit}",
        ylim=(0, 1.08 * found.power.max() / size),
        title="Load duration",
    )
    duration.legend(fontsize=8, frameon=False)
    by_air.plot(found.dry_bulb - 273.15, found.power / found.it_power, ".", ms=2, color=ORANGE)
    by_air.set(xlabel="dry bulb, °C", ylabel="PUE of the hour", title="PUE by weather")
    present = [number for number in range(1, 13) if np.any(found.month == number)]
    values = [found.power[found.month == n].sum() / found.it_power[found.month == n].sum() for n in present]
    monthly.bar([MONTHS[n - 1] for n in present], values, color=BLUE)
    monthly.set(ylim=(1.0, None), ylabel="PUE", title="Months")
    monthly.tick_params(axis="x", labelsize=7, rotation=90)
    for axes in (duration, by_air, monthly):
        axes.grid(linewidth=0.4, alpha=0.6)
        axes.set_axisbelow(True)
    figure.suptitle(f"{found.title}, {told(found)} in {found.location}: PUE {found.pue:.4f}", size=11, weight="bold")
    figure.text(0.01, 0.01, found.neglected, size=5.5, color=GREY)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    path = Path(output)
    figure.savefig(path)
    return path
