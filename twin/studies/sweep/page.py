"""The page of a sweep: ranked risks, cut sets, heat map, draws and what was left out, in one HTML file."""

from __future__ import annotations

from pathlib import Path

from twin.report.sections import Section, TablePart
from twin.report.words import count, lasting, say
from twin.studies.pages import columns, drawn, write_page
from twin.studies.sweep import heat
from twin.studies.sweep.agreement import Agreement
from twin.studies.sweep.cuts import cut_sets
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome
from twin.studies.sweep.shown import (
    NET,
    down_after,
    given,
    harm,
    how,
    orders,
    power,
    priced,
    quantity,
    slow_after,
    soon,
    spreads,
    summary,
)

MOST = 300
"""Rows of one table; the table in HDF5 or CSV has all."""

MORE = (
    "A loss of energy below zero: the racks took more than otherwise, as warmer dies do, and power supplies that carry "
    "the load of others."
)


def page(found: Sweep, path: str | Path, agreed: Agreement | None = None) -> Path:
    """Write the page.

    Args:
        found: the sweep.
        path: the file.
        agreed: the sweep held against an audit, where that was asked for.

    Raises:
        OSError: it cannot be written.
    """
    number = sum(each.stands_for for each in found.cases)
    subtitle = f"{count(number, 'case')}, {count(len(found.cases), 'world')} run, twin {found.words['twin_version']}"
    harmful = bool(cut_sets(found))
    outcome = "failures that do harm" if harmful else "no harm"
    sections = [
        _cuts(found), _ranked(found), _traces(found), _heat(found), _audit(agreed), _draws(found), _quiet(found),
        _broken(found), _read(found),
    ]  # fmt: skip
    return write_page(Path(path), found.title, subtitle, outcome, not harmful, summary(found), sections, given(found))


def _cuts(found: Sweep) -> Section:
    cuts = cut_sets(found)
    rows = [[str(len(cut.failures)), cut.outcome.case, str(cut.count), harm(cut.outcome), how(cut.outcome)]
            for cut in cuts[:MOST]]  # fmt: skip
    notes = [f"Failures that do harm together and of which none can be left out: {orders(cuts)}, with those alike."]
    heads = columns("order", "failures", "cases alike", "harm", "how it comes to that", n=(0, 2))
    return Section("cuts", "Cut sets", notes if rows else [], [TablePart(heads, rows)], soft=True)


def _ranked(found: Sweep) -> Section:
    telling = _telling(found)
    shown = telling[:MOST]
    tokens, net = any(each.tokens == each.tokens for each in telling), priced(telling)
    heads = [
        "",
        "what fails",
        "racks slower at once",
        "first after",
        "racks down at once",
        "first after",
        "down at the end",
    ]
    heads += [
        "IT power lost",
        "energy lost",
        *(["tokens lost", "money lost"] if tokens else []),
        *([NET] if net else []),
        "all back",
        "criteria",
    ]
    numbers = [0, *range(2, len(heads) - 1)]
    rows = [_row(place, each, tokens, net) for place, each in enumerate(shown, 1)]
    notes = ["By racks down at the end, racks down at one time, power, racks that go slower, criteria, and how soon."]
    notes += [f"The worst {len(shown)} of {len(telling)}; the table in the file has all."] * (len(telling) > len(shown))
    notes += ["Net: revenue less credits, energy at its price, and what lost GPU time is worth."] * net
    part = TablePart(columns(*heads, n=numbers), rows, under=[_under(each) for each in shown])
    return Section("ranked", "Cases that something comes of, the worst first", notes if rows else [], [part], soft=True)


def _under(each: Outcome) -> str:
    """What stands beneath a row: the causes up to its first harmed rack, and its first consequence beside them."""
    first = f"{each.first_unit} {each.first} {soon(each.first_after)}" if each.first else ""
    if not each.harm_chain:
        return f"First consequence: {first}." if first else ""
    told = f"{each.first_unit} {each.first}" in each.harm_chain or not first
    return how(each) + ("" if told else f". First consequence: {first}.")


def _telling(found: Sweep) -> list[Outcome]:
    return [each for each in found.ranked() if not each.fault and _tells(each)]


def _tells(each: Outcome) -> bool:
    return bool(each.first or each.racks_lost or each.failed or each.throttled)


def _row(place: int, each: Outcome, tokens: bool, net: bool) -> list[str]:
    times = f" ×{each.stands_for}" if each.stands_for > 1 else ""
    back = "never" if each.recovery == float("inf") else lasting(each.recovery) if each.recovery > 0 else "-"
    held = f"{each.failed} of {len(each.passed)} fail" if each.failed else "hold" if each.passed else "-"
    down = each.racks_lost > 0
    return [
        str(place), each.case + times, str(each.throttled_peak or "-"), slow_after(each),
        str(each.racks_lost or "-"), down_after(each),
        str(each.racks_lost_end) if down else "-",
        power(each), say(each.energy_lost, "J") if abs(each.energy_lost) >= 3.6e5 else "-",
        *([quantity(each.tokens_lost, 1.0), quantity(each.revenue_lost, 0.01, "$")] if tokens else []),
        *([quantity(each.net_revenue_lost, 0.01, "$")] if net else []), back, held,
    ]  # fmt: skip


def _traces(found: Sweep) -> Section:
    rows = [[each.case, each.trace or "-", each.fault or "as its row says, bit for bit"] for each in found.traced]
    notes = ["Each was run once more, alone; twin report FILE.h5 -o page.html tells its story, twin view draws it."]
    part = TablePart(columns("case", "trace", "how it ended", k=(1,)), rows)
    return Section("traces", "The worst, with a trace", notes if rows else [], [part], soft=True)


def _audit(agreed: Agreement | None) -> Section:
    """On which single points of failure the audit and the sweep agree, and why not on the others."""
    if agreed is None:
        return Section("audit", "Beside the audit")
    heads = columns("failure", "by the audit", "by the sweep", "why they differ")
    says = ("racks stop", "no rack stops")
    rows = [[each.name, *(says if each.by_audit else says[::-1]), each.why] for each in agreed.apart]
    lists = {
        "racks stop by both": agreed.stop, "no rack stops by either": agreed.safe,
        "racks stop, and the audit does not try it": agreed.beyond,
    }  # fmt: skip
    named = [[words, str(len(names)), ", ".join(names)] for words, names in lists.items() if names]
    parts = [TablePart(heads, rows), TablePart(columns("", "", "failures", n=(1,), k=(0,)), named)]
    return Section("audit", "Beside the audit", agreed.summary(), [part for part in parts if part.rows])


def _heat(found: Sweep) -> Section:
    made = heat.figure(found)
    if made is None:
        return Section("heat", "Two failures at once")
    caption = "Racks that stop at worst beyond those that fail, by unit or kind; white: no rack stops, grey: not tried."
    return Section("heat", "Two failures at once", pictures=[drawn(made, "Heat map of pairs of failures", caption)])


def _draws(found: Sweep) -> Section:
    heads = columns("", "known in", "p5", "p50", "p95", n=(1, 2, 3, 4))
    return Section("draws", "Over the draws", tables=[TablePart(heads, spreads(found))])


def _quiet(found: Sweep) -> Section:
    quiet = [each for each in found.cases if not each.fault and not _tells(each)]
    if not quiet:
        return Section("quiet", "Without consequence")
    number = sum(each.stands_for for each in quiet)
    text = "\n".join(f"{each.case}{f' (x{each.stands_for})' if each.stands_for > 1 else ''}" for each in quiet)
    notes = [f"{count(number, 'case')} of which nothing comes; the table names them, too."]
    return Section("quiet", "Without consequence", notes, text=text, text_title="Their names", soft=True)


def _broken(found: Sweep) -> Section:
    rows = [[each.case, each.fault] for each in found.broken]
    return Section("broken", "Could not be run", tables=[TablePart(columns("case", "why"), rows)])


def _read(found: Sweep) -> Section:
    worst = max((each.energy_residual for each in found.outcomes if not each.fault), default=0.0)
    notes = [
        f"Criteria: {'; '.join(found.criteria) or 'none'}.",
        "Each case is a drill of its own from the plant's steady state and equals the same drill run alone, bit for "
        "bit. Losses of energy, tokens and money are against the same world in which nothing fails. Harm is a rack "
        "that stops beyond those that fail themselves, or a criterion that fails and holds otherwise. The first "
        "consequence is the first loss that the failure led to, of another unit or of work. Beneath each case stands "
        "what led to what, from the failure to the first rack that stops, or where none does to the first that goes "
        "slower: throttled or slowed down by heat, or braked for want of power. Moments count from the failure.",
        f"Worst energy balance of any tick: {worst:.1g} of the throughput. Sweep {found.words['sweep_sha256']}.",
    ]
    if any(each.energy_lost <= -3.6e5 for each in found.cases):
        notes.insert(2, MORE)
    return Section("read", "How to read this", notes, soft=True)
