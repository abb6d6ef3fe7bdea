"""A year for the terminal: the figures first, then months, then energy by kind."""

from __future__ import annotations

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from twin.studies.year import FREE, MECHANICAL, PARTIAL, YearFound

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
A_YEAR = 8760
SCALES = ((1e6, "MW", "GWh"), (1e3, "kW", "MWh"))
"""Power that a unit counts [W], its name, and that of the energy in a thousand hours of it."""
MODES = {FREE: "without chillers", PARTIAL: "chillers and free cooling", MECHANICAL: "chillers alone"}


def whole(found: YearFound) -> RenderableType:
    """Everything."""
    notes = [found.neglected, f"{len(found.power)} hours in {found.worlds} worlds side by side."]
    if found.unsteady:
        notes.append(f"{found.unsteady} hours found no steady state; they count as they were last.")
    return Group(headline(found), months(found), kinds(found), *[Text(note, style="dim") for note in notes])


def headline(found: YearFound) -> RenderableType:
    """PUE, WUE, peak and modes."""
    size, unit, energy = scale(found)
    text = Text(f"\n{found.title}, {told(found)} in {found.location}\n", style="bold")
    text.append(f"PUE {found.pue:.4f}", style="bold green")
    text.append(
        f"  cooling alone {found.cooling_pue:.4f}, peak {found.power.max() / size:.4g} {unit}", style="not bold"
    )
    if np.any(found.water > 0):
        text.append(f", WUE {found.wue * 1e3 * 3.6e6:.3f} L/kWh", style="not bold")
    if np.any(found.reused > 0):
        text.append(f", ERE {found.ere:.4f}", style="not bold")
        text.append(f" ({found.reused.sum() / (1e3 * size):.2f} {energy} of heat used again)", style="not bold")
    text.append("\n")
    modes = [f"{hours} h {MODES[word]}" for word, hours in found.hours_by_mode().items()]
    if modes:
        text.append(", ".join(modes), style="not bold")
        text.append(f"; {found.free_share:.1%} of the heat leaves without a chiller\n", style="not bold")
    return text


def scale(found: YearFound) -> tuple[float, str, str]:
    """The unit of `SCALES` that suits its peak."""
    return next((row for row in SCALES if found.power.max() >= row[0]), SCALES[-1])


def told(found: YearFound) -> str:
    """How long it was, in words."""
    return "a year" if len(found.power) >= A_YEAR else f"{len(found.power)} hours"


def months(found: YearFound) -> RenderableType:
    """A row per month: energy, PUE, dry bulb, water, hours without chillers."""
    size, unit, energy = scale(found)
    table = Table(title="Months", title_justify="left", box=box.SIMPLE_HEAD)
    for word in ("month", "racks", "site", "PUE", "peak", "dry bulb", "water", "without chillers"):
        table.add_column(word, justify="left" if word == "month" else "right")
    for number, word in enumerate(MONTHS, 1):
        here = found.month == number
        if not here.any():
            continue
        site, racks = found.power[here].sum(), found.it_power[here].sum()
        free = f"{np.mean(found.mode[here] == FREE):.0%}" if np.any(found.mode != "") else "-"
        table.add_row(
            word, f"{racks / (1e3 * size):.4g} {energy}", f"{site / (1e3 * size):.4g} {energy}", f"{site / racks:.4f}",
            f"{found.power[here].max() / size:.4g} {unit}", f"{found.dry_bulb[here].mean() - 273.15:.1f} °C",
            f"{found.water[here].sum() * 3600:.0f} m³" if np.any(found.water > 0) else "-", free,
        )  # fmt: skip
    return table


def kinds(found: YearFound) -> RenderableType:
    """A row per kind that cools, and what is lost on the way to the racks."""
    size, _, unit = scale(found)
    table = Table(title="Energy beside the racks' own", title_justify="left", box=box.SIMPLE_HEAD)
    for word in ("kind", "energy", "of the racks'", "pPUE"):
        table.add_column(word, justify="left" if word == "kind" else "right")
    racks = found.it_power.sum()
    rows = {kind: float(each.sum()) for kind, each in found.by_kind.items()}
    rows["losses and the rest"] = float(found.power.sum() - racks) - sum(rows.values())
    for kind, energy in sorted(rows.items(), key=lambda row: -row[1]):
        table.add_row(kind, f"{energy / (1e3 * size):.4g} {unit}", f"{energy / racks:.2%}", f"{1 + energy / racks:.4f}")
    return table
