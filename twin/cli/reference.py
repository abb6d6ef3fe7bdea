"""The reference of kinds and named machines, made from their declarations and records alone."""

from __future__ import annotations

from collections.abc import Iterable

from twin import units
from twin.cli.words import UsageFault, table
from twin.declare import Equipment, Quantity, quantities
from twin.equipment import KINDS
from twin.scenario.catalog import MARKS, Record, records

ASKED = ["key", "unit", "default", "allowed", "what it is"]
RECORDED = ["key", "unit", "what it is"]


def overview() -> str:
    """All kinds with what they are and which named machines there are of each."""
    named = records()
    rows = [
        [kind, _sign(made), ", ".join(record.name for record in named if record.kind == kind)]
        for kind, made in KINDS.items()
    ]
    return table("Kinds of equipment", ["kind", "what it is", "named machines (like: ...)"], rows)


def entry(name: str) -> str:
    """The page of one kind, or of one named machine.

    Raises:
        UsageFault: there is neither.
    """
    named = {record.name: record for record in records()}
    if name in KINDS:
        return _kind_page(KINDS[name], [record for record in named.values() if record.kind == name])
    if name in named:
        return _record_page(named[name])
    raise UsageFault(f'"{name}" is neither a kind nor a named machine; "twin catalog" lists them all')


def _sign(made: type[Equipment]) -> str:
    return (made.__doc__ or "").strip().split("\n")[0]


def _kind_page(made: type[Equipment], named: list[Record]) -> str:
    parts = [f"{made.kind}: {_sign(made)}", *_ports(made)]
    asked = [
        ("Ratings: keys of a unit", quantities(made)),
        ("Inputs: what events and controllers set", quantities(made.Inputs)),
    ]
    parts += [table(title, ASKED, _rows(said.values())) for title, said in asked if said]
    recorded = quantities(made.State) | quantities(made.Outputs)
    if recorded:
        rows = [[each.name, each.unit, each.doc] for each in recorded.values()]
        parts.append(table("Recorded: what a trace holds, besides the inputs", RECORDED, rows))
    if named:
        rows = [[record.name, record.title] for record in named]
        parts.append(table("Named machines", ["like:", "machine"], rows))
    return "\n".join(parts)


def _ports(made: type[Equipment]) -> list[str]:
    """How a kind is connected, one line each."""
    least, most = made.feeds
    feeds = f"{least} feed{'s' if least != 1 else ''}" if least == most else f"{least} to {most} feeds"
    fed = "is a source of power" if made.source else f"takes power from {feeds}" if most else "takes no power"
    if made.joins:
        fed = "joins two boards of which either may feed the other (joins: [ONE, OTHER])"
    lines = [f"  power: {fed}{', feeds others' if made.serves else ''}"]
    if made.streams:
        driven = f"; drives {', '.join(made.pumps)}" if made.pumps else ""
        names = ", ".join(each for each in made.streams if each)
        lines.append(f"  coolant: {names or 'one stream'}{driven}{'; stores' if made.storage else ''}")
    if made.signals:
        lines.append(f"  listens to: {', '.join(made.signals)}")
    return lines


def _rows(said: Iterable[Quantity]) -> list[list[str]]:
    return [[each.name, each.unit, _default(each), _allowed(each), _meaning(each)] for each in said]


def _meaning(said: Quantity) -> str:
    return said.doc + (" (a fault that `fail:` can cause)" if said.failure else "")


def _default(said: Quantity) -> str:
    if said.default is None:
        return "wanted"
    if said.choices:
        words = [word for word, code in said.choices.items() if code == said.default]
        return words[0] if words else f"{said.default:g}"
    return units.show(said.default, said.unit)


def _allowed(said: Quantity) -> str:
    if said.choices:
        return ", ".join(said.choices)
    bounds = [(">", said.above), (">=", said.at_least), ("<", said.below), ("<=", said.at_most)]
    return ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)


def _record_page(record: Record) -> str:
    rows = [
        [name, value.text, value.mark + (" (estimate)" if value.estimate else ""), value.date, value.source]
        for name, value in record.values.items()
    ]
    used = sorted({value.mark for value in record.values.values()})
    marks = "; ".join(f"{mark} {MARKS[mark]}" for mark in used if mark in MARKS)
    parts = [f"{record.name}: {record.title}", f"  kind: {record.kind}; licence: {record.licence}"]
    parts += [f"  {record.note}"] if record.note else []
    columns = ["key", "value", "mark", "date", "source"]
    return "\n".join([*parts, table("Ratings", columns, rows), f"marks: {marks}"])


def drill_list(area: str = "") -> str:
    """The shipped drills, one line each; those of one area where it is named.

    Raises:
        UsageFault: there is no such area.
    """
    from twin.scenario.library import AREAS, shipped_drills

    if area and area not in AREAS:
        raise UsageFault(f'no drill is about "{area}"; one of {", ".join(AREAS)} is wanted')
    rows = [
        [each.name, each.title, each.plant, ", ".join(each.areas), "fails by design" if each.fails else ""]
        for each in shipped_drills()
        if not area or area in each.areas
    ]
    return table('Drills: "twin run NAME" runs one', ["name", "what happens", "plant", "about", ""], rows)
