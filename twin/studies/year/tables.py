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
MODES = {FREE: "without chillers", PARTIAL: "chillers and free cooling", MECHANICAL: "chillers alone"}


def whole(found: YearFound) -> RenderableType:
    """Everything."""
    notes = [found.neglected, f"{len(found.power)} hours in {found.worlds} worlds side by side."]
    if found.unsteady:
        notes.append(f"{found.unsteady} hours found no steady state; they count as they were last.")
    return Group(headline(found), months(found), kinds(found), *[Text(note, style="dim") for note in notes])


def headline(found: YearFound) -> RenderableType:
    """PUE, WUE, peak and modes."""
    text = Text(f"\n{found.title}, {told(found)} in {found.location}\n", style="bold")
    text.append(f"PUE {found.pue:.4f}", style="bold green")
    text.append(f"  cooling alone {found.cooling_pue:.4f}, peak {found.power.max() / 1e6:.3f} MW", style="not bold")
    if np.any(found.water > 0):
        text.append(f", WUE {found.wue * 1e3 * 3.6e6:.3f} L/kWh", style="not bold")
    if np.any(found.reused > 0):
        text.append(f", ERE {found.ere:.4f} ({found.reused.sum() / 1e9:.2f} GWh of heat used again)", style="not bold")
    text.append("\n")
    modes = [f"{hours} h {MODES[word]}" for word, hours in found.hours_by_mode().items()]
    if modes:
        text.append(", ".join(modes), style="not bold")
        text.append(f"; {found.free_share:.1%} of the heat leaves without a chiller\n", style="not bold")
    return text


def told(found: YearFound) -> str:
    """How long it was, in words."""
    return "a year" if len(found.power) >= A_YEAR else f"{len(found.power)} hours"


def months(found: YearFound) -> RenderableType:
    """A row per month: energy, PUE, dry bulb, water, hours without chillers."""
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
            word, f"{racks / 1e9:.3f} GWh", f"{site / 1e9:.3f} GWh", f"{site / racks:.4f}",
            f"{found.power[here].max() / 1e6:.3f} MW", f"{found.dry_bulb[here].mean() - 273.15:.1f} °C",
            f"{found.water[here].sum() * 3600:.0f} m³" if np.any(found.water > 0) else "-", free,
        )  # fmt: skip
    return table


def kinds(found: YearFound) -> RenderableType:
    """A row per kind that cools, and what is lost on the way to the racks."""
    table = Table(title="Energy beside the racks' own", title_justify="left", box=box.SIMPLE_HEAD)
    for word in ("kind", "energy", "of the racks'", "pPUE"):
        table.add_column(word, justify="left" if word == "kind" else "right")
    racks = found.it_power.sum()
    rows = {kind: float(each.sum()) for kind, each in found.by_kind.items()}
    rows["losses and the rest"] = float(found.power.sum() - racks) - sum(rows.values())
    for kind, energy in sorted(rows.items(), key=lambda row: -row[1]):
        table.add_row(kind, f"{energy / 1e9:.3f} GWh", f"{energy / racks:.2%}", f"{1 + energy / racks:.4f}")
    return table
