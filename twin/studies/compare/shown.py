"""A comparison as tables for a terminal and as sections of a page."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from twin.report.fold import Line, fold
from twin.report.pictures import Picture
from twin.report.sections import Section, TablePart
from twin.report.timeline import Entry
from twin.report.words import clock, count, lasting, say, words
from twin.studies.compare.sweeps import AT_REST, Sweeps
from twin.studies.compare.traces import EQUAL, Difference, Metric, Traces
from twin.studies.pages import columns

TOP = 12
CLOSE = 2.0
"""Equal events within this [s] of each other share a line."""


def sentence(found: Traces | Sweeps) -> str:
    """What it comes to."""
    if found.same:
        return "They are the same in all that is compared."
    if isinstance(found, Sweeps) and not found.compared:
        return "Nothing was compared: no failure was tried in both."
    if isinstance(found, Sweeps):
        gone = sum(each.won and not each.at_rest for each in found.cases)
        worse = " and ".join(name for name, is_so in found.at_rest.items() if is_so)
        return (
            f"{count(found.compared, 'case')} compared: {found.harm[0]} do harm in A, {found.harm[1]} in B; "
            f"{len(found.lost) or 'none'} only in B, {gone or 'none'} only in A."
        ) + (f" Where nothing fails it is worse in {worse}." if worse else "")
    if not found.differences:
        return "Every recorded quantity that both have is equal; what else they have is not."
    first = found.first[0]
    return (
        f"They part at {clock(first.first)} ({first.first:g} s) at {first.first_unit}: {words(first.name)} is "
        f"{said(first.first_a, first.unit)} in A and {said(first.first_b, first.unit)} in B; "
        f"{count(len(found.differences), 'quantity', 'quantities')} differ."
    )


def said(value: float, unit: str) -> str:
    """A value with its unit; enough digits to see a difference."""
    if math.isnan(value):
        return "-"
    if unit == "1":
        return f"{value:.6g}"
    return say(value, unit)


def share(value: float) -> str:
    """A share in per cent."""
    if math.isinf(value):
        return "all"
    return f"{100 * value:.3g} %" if value >= 1e-4 else f"{100 * value:.0e} %"


def sections(found: Traces | Sweeps, top: int, pictures: list[Picture] | None = None) -> list[Section]:
    """All tables, for a page and for a terminal."""
    only = [Section("only", "What only one of them has", notes=list(found.only))] if found.only else []
    if isinstance(found, Sweeps):
        said = [f"{who}: {text}" for who, text in zip("AB", found.conditions or ("", ""), strict=True)]
        under = [Section("conditions", "They were not swept alike", notes=said)] if found.conditions else []
        return [*only, *under, _cases(found, top)]
    made = [*only, _first(found, top), _worst(found, top), _numbers(found, top), _criteria(found), _events(found, top)]
    if pictures:
        made.insert(len(only) + 2, Section("plots", "The most different, A over B", pictures=pictures))
    return made


def _first(found: Traces, top: int) -> Section:
    rows = [
        [clock(each.first), each.first_unit, f"{each.kind}.{each.name}", said(each.first_a, each.unit),
         said(each.first_b, each.unit), count(each.units, "unit")]
        for each in found.first[:top]
    ]  # fmt: skip
    heads = columns("time", "unit", "quantity", "A", "B", "differs in all of", n=(3, 4))
    return Section("first", "Where they part", tables=[TablePart(heads, rows)])


def _worst(found: Traces, top: int) -> Section:
    rows = [_row(each) for each in found.worst[:top]]
    heads = columns("quantity", "unit", "time", "A", "B", "difference", "of its scale", n=(3, 4, 5, 6))
    left = len(found.worst) - len(rows)
    notes = [f"{left} more differ less."] if left else []
    return Section("worst", "What differs most", notes, tables=[TablePart(heads, rows)])


def _row(each: Difference) -> list[str]:
    apart = say(each.worst, each.unit, difference=True) if each.unit != "1" else f"{each.worst:.4g}"
    where = f"{each.where} (member {each.member})" if each.member else each.where
    return [
        f"{each.kind}.{each.name}", where, clock(each.time), said(each.a, each.unit), said(each.b, each.unit),
        apart if math.isfinite(each.worst) else "one holds no value", share(each.share),
    ]  # fmt: skip


def _numbers(found: Traces, top: int) -> Section:
    apart = sorted((each for each in found.metrics if each.share > EQUAL), key=lambda each: -each.share)
    rows = [[each.name, _number(each, each.a), _number(each, each.b), _apart(each), share(each.share)]
            for each in apart[: 3 * top]]  # fmt: skip
    heads = columns("number", "A", "B", "difference", "of the larger", n=(1, 2, 3, 4))
    notes = [f"{len(found.metrics) - len(apart)} of {count(len(found.metrics), 'number')} are the same."]
    return Section("numbers", "What the runs count", notes, tables=[TablePart(heads, rows)])


def _number(each: Metric, value: float | None) -> str:
    return "-" if value is None else lasting(value) if each.unit == "s" else said(value, each.unit)


def _apart(each: Metric) -> str:
    if each.difference is None:
        return "-"
    sign = "+" if each.difference > 0 else ""
    if each.unit == "1":
        return f"{sign}{each.difference:.4g}"
    return sign + (lasting(each.difference) if each.unit == "s" else say(each.difference, each.unit, difference=True))


def _criteria(found: Traces) -> Section:
    words_of = {True: "held", False: "FAILED", None: "-"}
    tables = []
    for what, step in (("criterion", False), ("expected step", True)):
        rows = [[each.text, words_of[each.a], each.margin_a, words_of[each.b], each.margin_b]
                for each in found.criteria if each.step is step]  # fmt: skip
        if rows or not step:
            tables.append(TablePart(columns(what, "A", "margin", "B", "margin", n=(2, 4)), rows))
    return Section("criteria", "Criteria", tables=tables)


def _events(found: Traces, top: int) -> Section:
    both = [("A", each) for each in _folded(found, found.events_a)]
    both += [("B", each) for each in _folded(found, found.events_b)]
    both.sort(key=lambda pair: pair[1].time)
    rows = [[who, clock(each.time), each.event()] for who, each in both[: 3 * top]]
    left = len(both) - len(rows)
    notes = [f"{left} more lines stand in one of them alone."] if left else []
    return Section("events", "Events that only one of them has", notes, [TablePart(columns("", "time", "event"), rows)])


def _folded(found: Traces, entries: list[Entry]) -> list[Line]:
    """Equal events of units of a kind that follow each other closely in one line."""
    return fold([replace(each, cause=None) for each in entries], found.kind_of, CLOSE)


def _cases(found: Sweeps, top: int) -> Section:
    rows = []
    for each in found.cases[: 4 * top]:
        sense = "B alone" if each.lost else "A alone" if each.won else "both" if each.harms else "neither"
        told = [f"{text}: {a} / {b}" for text, (a, b) in each.criteria.items()]
        told += [f"{words(name)} {_value(a, name)} / {_value(b, name)}" for name, (a, b) in each.numbers.items()]
        told += [f"what led to harm: {each.how[0] or 'none'} / {each.how[1] or 'none'}"] if any(each.how) else []
        rows.append([each.name, sense, each.first_a, each.first_b, "; ".join(told) or "-"])
    left = len(found.cases) - len(rows)
    notes = [f"{left} more cases differ less."] if left else []
    notes += [f"Only B has it, and it does harm: {name}" for name in found.new[:top]]
    heads = columns("what fails", "does harm in", "first in A", "first in B", "A / B")
    return Section("cases", "Cases that differ", notes, tables=[TablePart(heads, rows)])


def _value(value: float, name: str) -> str:
    unit = AT_REST[name]
    if math.isnan(value):
        return "never"
    if math.isinf(value):
        return "not back"
    return f"{value:g}" if unit == "1" else lasting(value) if unit == "s" else say(value, unit)


def whole(found: Traces | Sweeps, beyond: list[str], top: int = TOP) -> Any:
    """Everything that a terminal shows."""
    parts: list[Any] = [Text(f"\nA: {found.a}\nB: {found.b}\n", style="bold"), Text(sentence(found))]
    for each in sections(found, top):
        rows = [part for part in each.tables if part.rows]
        if not (rows or (each.notes and each.id in ("only", "conditions"))):
            continue
        parts.append(Text(f"\n{each.title}", style="bold"))
        parts += [Text(note, style="dim") for note in each.notes]
        parts += [_table(part) for part in rows]
    if beyond:
        parts.append(Text("\nBeyond the thresholds", style="bold red"))
        parts += [Text(f"  {each}") for each in beyond]
    return Group(*parts)


def _table(part: TablePart) -> Table:
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in part.columns:
        made.add_column(column.name, justify="right" if column.style == "n" else "left", overflow="fold")
    for row in part.rows:
        made.add_row(*(Text(cell) for cell in row))
    return made
