"""A sweep as tables for a terminal: what was swept, what loses work, and the rest counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from twin.report.rows import WORTH_TELLING
from twin.report.story import asked
from twin.report.words import count, lasting, say
from twin.studies.sweep.cuts import Cut, cut_sets, own_racks
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.led import BETWEEN, SOON
from twin.studies.sweep.outcome import Outcome
from twin.studies.sweep.risk import Risk

TOP = 20
"""Rows of the ranked table where nobody says more."""
TOLD = 5
"""Cases of which the terminal tells how they come about; the page and the table tell it of all."""
NARROW = 110
"""Columns of a terminal below which the table leaves out what can be read elsewhere."""


def whole(found: Sweep, width: int = 140, top: int = TOP) -> Any:
    """Everything that a terminal shows."""
    parts: list[Any] = [
        Text(f"\n{found.title}", style="bold"),
        Text(given(found)),
        Text(summary(found)),
        ranked(found, width, top),
    ]
    harmed = [each for each in found.ranked() if each.harm_chain and not each.fault][: min(top, TOLD)]
    if harmed:
        parts.append(_hows(harmed))
    cuts = cut_sets(found)
    if cuts:
        parts.append(_cuts(cuts, top))
    if spread := spreads(found):
        parts.append(_spreads(spread))
    if found.broken:
        parts.append(_broken(found))
    if found.traced:
        parts.append(_traces(found))
    return Group(*parts)


def given(found: Sweep) -> str:
    """Under what conditions it was swept and when failures strike, as far as the table says so."""
    said = [str(found.words.get(name, "")) for name in ("description", "failures")]
    return " ".join(f"{text[0].upper()}{text[1:].rstrip('.')}." for text in said if text)


def summary(found: Sweep) -> str:
    """The sweep in a few sentences."""
    cases = found.cases
    number = sum(each.stands_for for each in cases)
    lost = [each for each in cases if each.racks_lost > own_racks(each)]
    slow = [each for each in cases if each not in lost and each.throttled]
    failed = [each for each in cases if each.failed]
    folded = f", of which {len(cases)} were run and the others are alike" if number > len(cases) else ""
    lines = [f"{count(number, 'case')}{folded}."]
    lines.append(
        f"Racks stop in {_of(lost)} of them (but for racks that fail themselves), go slower in {_of(slow)} more; "
        f"a criterion fails in {_of(failed)}."
    )
    for base in found.baselines:
        if base.failed:
            where = f" ({base.case.partition(', ')[2]})" if ", " in base.case else ""
            lines.append(f"Where nothing fails{where} {count(base.failed, 'criterion', 'criteria')} fail already.")
    return "\n".join(lines)


def _of(rows: list[Outcome]) -> str:
    return str(sum(each.stands_for for each in rows) or "none")


def ranked(found: Sweep, width: int, top: int) -> Table:
    """The worst cases, one row each."""
    rows = [each for each in found.ranked() if _matters(each)]
    title = f"The worst {min(top, len(rows))} of {count(len(rows), 'case')} that something comes of"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    wide = width >= NARROW
    tokens, net = any(each.tokens == each.tokens for each in rows), priced(rows)
    for name, sides in _columns(wide, tokens, net):
        made.add_column(name, justify=sides, overflow="fold")  # type: ignore[arg-type]
    for each in rows[:top]:
        made.add_row(*(Text(cell) for cell in _row(each, wide, tokens, net)))
    return made


def _columns(wide: bool, tokens: bool, net: bool) -> list[tuple[str, str]]:
    columns = [("what fails", "left"), ("first", "left"), ("after", "right")]
    columns += [("slower", "right")] + ([("from", "right")] if wide else [])
    columns += [("down", "right")] + ([("from", "right")] if wide else [])
    columns += [("at end", "right"), ("IT power lost", "right")]
    columns += [("energy lost", "right")] if wide else []
    columns += [("tokens lost", "right"), ("money lost", "right")] if tokens else []
    columns += [(NET, "right")] if net else []
    return [*columns, ("criteria", "right")]


def _row(each: Outcome, wide: bool, tokens: bool, net: bool) -> list[str]:
    times = f" x{each.stands_for}" if each.stands_for > 1 else ""
    first = f"{each.first_unit} {each.first}" if each.first else "-"
    cells = [each.case + times, first, _after(each.first_after)]
    cells += [str(each.throttled_peak or "-")] + ([slow_after(each)] if wide else [])
    cells += [str(each.racks_lost or "-")] + ([down_after(each)] if wide else [])
    cells += [str(each.racks_lost_end or "-"), power(each)]
    cells += [say(each.energy_lost, "J") if abs(each.energy_lost) >= 3.6e5 else "-"] if wide else []
    if tokens:
        cells += [quantity(each.tokens_lost, 1.0), quantity(each.revenue_lost, 0.01, "$")]
    cells += [quantity(each.net_revenue_lost, 0.01, "$")] if net else []
    failed = f"{each.failed} of {len(each.passed)} fail" if each.failed else "hold" if each.passed else "-"
    return [*cells, failed if not each.fault else "not run"]


NET = "net lost"
"""Head of `net_revenue_lost`: revenue less credits, energy at its price and lost GPU time."""


def priced(rows: list[Outcome]) -> bool:
    """Whether any case costs money in net."""
    return any(abs(each.net_revenue_lost) >= 0.01 for each in rows)


def _matters(each: Outcome) -> bool:
    return bool(each.first or each.racks_lost or each.failed or each.throttled) and not each.fault


def _after(seconds: float) -> str:
    return "-" if math.isnan(seconds) else lasting(seconds)


def down_after(each: Outcome) -> str:
    """How long after the failure the first rack stopped."""
    return _after(each.harm_after) if each.racks_lost else "-"


def slow_after(each: Outcome) -> str:
    """How long after the failure the first rack went slower, where that is known: by heat, or before any stopped."""
    throttles = not math.isnan(each.to_throttle)
    return _after(each.to_throttle if throttles or each.racks_lost or not each.throttled else each.harm_after)


def power(each: Outcome) -> str:
    """The most IT power that was missing; what a report calls none, or is under a kilowatt, is none."""
    least = 1e3 if math.isnan(each.power_before) else max(1e3, WORTH_TELLING * each.power_before)
    return "-" if not each.power_lost >= least else say(each.power_lost, "W")


def quantity(value: float, least: float, sign: str = "") -> str:
    """A number of something that was lost."""
    if not abs(value) >= least:
        return "-"
    minus, size = "-" * (value < 0), abs(value)
    if size >= 1e6:
        millions = size / 1e6
        return f"{minus}{sign}{millions:,.0f} M" if millions >= 1e3 else f"{minus}{sign}{millions:.4g} M"
    return f"{minus}{sign}{size:,.0f}" if size >= 1e3 else f"{minus}{sign}{size:.4g}"


def _hows(harmed: list[Outcome]) -> Table:
    """What led to what in the worst cases, to the first rack that stops or goes slower."""
    title = f"How the worst {len(harmed)} come to that" if len(harmed) > 1 else "How the worst comes to that"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("what fails", "what led to what"):
        made.add_column(name, overflow="fold")
    for each in harmed:
        made.add_row(Text(each.case), Text(how(each)))
    return made


def _cuts(cuts: list[Cut], top: int) -> Table:
    """Minimal cut sets, and how many there are of each order."""
    title = f"Cut sets: failures that do harm and of which none can be left out ({orders(cuts)})"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("order", "failures", "harm"):
        made.add_column(name, overflow="fold")
    for cut in [each for order in (1, 2) for each in [cut for cut in cuts if len(cut.failures) == order][:top]]:
        times = f" x{cut.count}" if cut.count > 1 else ""
        made.add_row(Text(str(len(cut.failures))), Text(cut.outcome.case + times), Text(harm(cut.outcome)))
    return made


def orders(cuts: list[Cut]) -> str:
    """How many cut sets there are of each order, those alike counted: "4 of order 1, 48 of order 2"."""
    numbers = {order: sum(cut.count for cut in cuts if len(cut.failures) == order) for order in (1, 2)}
    return ", ".join(f"{number} of order {order}" for order, number in numbers.items() if number)


def harm(each: Outcome) -> str:
    """What a case does, in words."""
    if each.fault:
        return f"not run: {each.fault}"
    said = []
    if each.racks_lost > own_racks(each):
        back = "" if each.racks_lost_end == each.racks_lost else f", {each.racks_lost_end or 'none'} at the end"
        said.append(f"{count(each.racks_lost, 'rack')} down{back}")
    elif each.throttled:
        said.append(f"{count(each.throttled, 'rack')} slower")
    if each.failed:
        said.append(f"{count(each.failed, 'criterion', 'criteria')} fail" + ("s" if each.failed == 1 else ""))
    return "; ".join(said) or "-"


def how(each: Outcome) -> str:
    """The causes up to the first harmed rack, or where none is harmed to the first consequence, with arrows.

    A chain goes back to one failure; of two at once the other is named after it.
    """
    chain = each.harm_chain or each.chain
    links = chain.split(BETWEEN)
    failed = zip(*(part.split(" + ") for part in (each.units, each.kinds, each.modes)), strict=True)
    others = [one for one in failed if not any(link.startswith(f"{one[0]} ") for link in links)]
    beside = " and ".join(dict.fromkeys(_beside(*one) for one in others))
    return " → ".join(links) + (f", with {beside} as well" if chain and beside else "")


def _beside(unit: str, kind: str, mode: str) -> str:
    """A failure beside the one that a chain begins with: "ups-2 failed", "cdu-2 failed (its valve stays)"."""
    told = "" if mode == "in_service" else asked(kind, mode, 1.0)[0].rpartition(" (")[0]
    if told.startswith("is "):
        return f"{unit} {told.removeprefix('is ')}"
    return f"{unit} failed" + (f" ({told.removeprefix('fails: ')})" if told.startswith("fails: ") else "")


def soon(seconds: float) -> str:
    """How long after the failure: "at once", "after 12 s"."""
    return f"after {lasting(seconds)}" if seconds >= SOON else "at once"


SPREAD = {
    "racks_lost": ("racks lost", "1"), "power_lost": ("IT power lost", "W"), "energy_lost": ("energy lost", "J"),
    "tokens": ("tokens served", "1"), "revenue": ("money earned", "USD"),
    "net_revenue": ("money left", "USD"), "to_throttle": ("to throttle", "s"),
    "to_unpowered": ("to a dark rack", "s"), "recovery": ("recovery", "s"), "worst_margin": ("least margin", "1"),
}  # fmt: skip


def spreads(found: Sweep) -> list[list[str]]:
    """Numbers over the worlds of a scenario's own draws: in how many known, 5th, 50th and 95th percentile."""
    if len({each.draw for each in found.outcomes}) < 2:
        return []
    rows = []
    for name, (words, unit) in SPREAD.items():
        values = np.array([getattr(each, name) for each in found.outcomes if not each.fault], dtype=float)
        known = values[np.isfinite(values)]
        if known.size:
            cells = [say(float(value), unit) for value in np.percentile(known, (5, 50, 95))]
            rows.append([words, f"{known.size} of {len(values)}", *cells])
    return rows


def _spreads(rows: list[list[str]]) -> Table:
    title = "Over the draws"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("", "known in", "p5", "p50", "p95"):
        made.add_column(name, justify="left" if not name else "right")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def expected(rows: list[Risk], name: str, top: int) -> Table:
    """What is to be expected a year, the costliest first."""
    matter = [each for each in rows if each.outcome.energy_lost >= 3.6e5 or each.outcome.revenue_lost >= 0.01]
    title = f"To be expected a year by {name}: {count(len(matter), 'case')} that cost something"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    tokens = any(each.tokens for each in matter)
    columns = [
        "what fails",
        "times a year",
        "once in",
        "IT energy a time",
        "a year",
        *(["tokens lost", "money lost"] if tokens else []),
    ]
    for place, words in enumerate(columns):
        made.add_column(words, justify="right" if place else "left", overflow="fold")
    for each in matter[:top]:
        times = f" x{each.outcome.stands_for}" if each.outcome.stands_for > 1 else ""
        cells = [each.outcome.case + times, f"{each.per_year:.3g}", f"{1 / each.per_year:,.3g} years"]
        cells += [say(each.outcome.energy_lost, "J"), say(each.energy, "J")]
        cells += [f"{each.tokens:,.3g}", f"${each.revenue:,.2f}"] if tokens else []
        made.add_row(*(Text(cell) for cell in cells))
    total = sum(each.energy for each in matter)
    made.add_row(
        Text("all of them", style="bold"), f"{sum(each.per_year for each in matter):.3g}", "", "", say(total, "J")
    )
    return made


def _traces(found: Sweep) -> Table:
    title = "Run again alone, with a trace (twin report TRACE, twin view TRACE)"
    made = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("case", "trace", *(["what went wrong"] if any(each.fault for each in found.traced) else [])):
        made.add_column(name, overflow="fold")
    for each in found.traced:
        made.add_row(*(Text(cell) for cell in (each.case, each.trace or "-", each.fault)[: len(made.columns)]))
    return made


def _broken(found: Sweep) -> Table:
    made = Table(title=Text("Could not be run"), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    made.add_column("case", overflow="fold")
    made.add_column("why", overflow="fold")
    for each in found.broken:
        made.add_row(Text(each.case), Text(each.fault))
    return made
