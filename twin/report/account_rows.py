"""Accounts as lines of words, the same for the terminal and for the page: energy, tiers, jobs, and the event."""

from __future__ import annotations

from typing import Any

from twin.report.sections import NO_PRICE, Section, TablePart, columns_of, priced
from twin.report.words import say

CHARGED = ("charged to", "racks", "with IT", "with the site", "share", "cost of energy", "GPU-hours", "of its pools")
TIERS = ("service", "J a token: racks", "with IT", "with the site", "tokens/s a MW", "earned", "credits", "margin")
JOBS = ("job", "energy a step: racks", "with the site", "GPU-hours a step", "rolled back", "in GPU-hours",
        "idle GPU-hours", "worth")  # fmt: skip
HOUR = 3600.0
EVENT = {
    "lost_revenue": "revenue lost with tokens given up",
    "credits": "credits for promises not kept",
    "extra_energy_cost": "energy above what was usual before, at its price",
    "lost_value": "GPU time of jobs that made nothing, at what it is worth",
    "cost": "cost of the event",
}
"""What an event cost, in words."""
OF_TIERS = (
    "A rack's power up to its idle power goes by the share of its GPUs' time that a tier took, what is above it by the "
    "same times the power that reading or writing draws; what pools take idle is no tier's, and is in the energy per "
    "token of all. Margin: earned, less credits and energy."
)
OF_JOBS = (
    "All that its racks take is a job's. Idle: in restarts, without a whole gang, and for want of storage that is lost."
)
OF_ALL = "Switches, storage and all else that the site took go pro rata of racks' power, at each moment."
Lines = list[list[str]]


def charged(found: dict[str, Any] | None) -> Lines:
    """Who is charged: energy at three levels, share of the site's, cost of energy, GPU-hours, share of its pools."""
    if found is None:
        return []
    whom = {**found["services"], **found["jobs"], "nobody": found["unallocated"], "all": found["total"]}
    whole = found["total"]["facility_energy"]
    return [
        [
            name,
            *(say(each[f"{level}_energy"], "J") for level in ("rack", "it", "facility")),
            _share(each["facility_energy"] / whole) if whole else "-",
            _money(each["energy_cost"]),
            _hours(each.get("gpu_time")),
            "" if each.get("utilisation") is None else _share(each["utilisation"]),
        ]
        for name, each in whom.items()
    ]


def tiers(found: dict[str, Any] | None) -> Lines:
    """By service: energy per token of answer at three levels, tokens per second and MW, and money."""
    return [
        [
            name,
            *("-" if (value := each[f"energy_per_token_{level}"]) is None else f"{value:.4g}"
              for level in ("rack", "it", "facility")),
            "-" if each["rate_per_mw"] is None else f"{each['rate_per_mw']:,.0f}",
            *(_money(each[key]) for key in ("revenue", "credits", "margin")),
        ]
        for name, each in (found["services"] if found else {}).items()
    ]  # fmt: skip


def jobs(found: dict[str, Any] | None) -> Lines:
    """By job: energy and GPU-hours for each useful step, what was rolled back, hours that stood, what that is worth."""
    return [
        [
            name,
            *(say(each[f"energy_per_step_{level}"], "J") for level in ("rack", "facility")),
            _hours(each["gpu_time_per_step"]),
            say(each["lost_energy"], "J"),
            _hours(each["lost_gpu_time"]),
            _hours(each["idle_gpu_time"]),
            _money(each["lost_value"]),
        ]
        for name, each in (found["jobs"] if found else {}).items()
    ]


def event(found: dict[str, Any] | None) -> Lines:
    """What followed from the first fault, in money; nothing where no price is said."""
    told = (found or {}).get("event") or {}
    if not any(told.get(key) for key in EVENT):
        return []
    rows = [[said, _money(told[key])] for key, said in EVENT.items() if told[key] or key == "cost"]
    if told["extra_energy_cost"] is not None:
        rows.insert(0, ["energy of the site above what was usual before", say(told["extra_energy"], "J")])
    return rows


def accounts_section(found: dict[str, Any] | None) -> Section:
    """The part of a page."""
    tables = [
        _part("Energy, by whom it is charged to", CHARGED, charged(found)),
        _part("Tiers: energy per token of answer, and money", TIERS, tiers(found)),
        _part("Jobs: what a useful step took, and what was lost", JOBS, jobs(found)),
        TablePart([], event(found), "From the first fault on"),
    ]
    notes = [OF_TIERS] * bool(tables[1].rows) + [OF_JOBS] * bool(tables[2].rows) + [OF_ALL]
    shown = [part for part in tables if part.rows]
    return Section("accounts", "Accounts: energy and money by tier and job", notes if shown else [], shown)


def _part(title: str, heads: tuple[str, ...], lines: Lines) -> TablePart:
    columns, rows = priced(heads, lines)
    return TablePart(columns_of(*columns, n=range(1, 8)), rows, title)


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"


def _money(value: float | None) -> str:
    return NO_PRICE if value is None else f"{value:,.2f} USD"


def _hours(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / HOUR:,.4g}"
