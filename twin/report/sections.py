"""Sections: the parts that a page and a paper are made of - tables, diagrams, pictures, text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from twin.diagram import Sheet, svg
from twin.report.pictures import Picture


@dataclass(frozen=True)
class Column:
    """A column's head; style n is a number, t a moment, k a word that is not broken."""

    name: str
    style: str = ""


@dataclass(frozen=True)
class TablePart:
    """One table of a section; `under` has a line for beneath each row of a page's table, or is empty."""

    columns: list[Column]
    rows: list[list[str]]
    caption: str = ""
    under: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Drawing:
    """A diagram that stands in the page itself as SVG; a large one wants a sheet of paper of its own."""

    sheet: Sheet
    large: bool = True

    @property
    def svg(self) -> Markup:
        return Markup(svg(self.sheet))  # noqa: S704 - its texts are escaped where it is written

    @property
    def width(self) -> float:
        left, _, right, _ = self.sheet.extent
        return right - left


@dataclass
class Section:
    """One part of the page under its own heading."""

    id: str
    title: str
    notes: list[str] = field(default_factory=list)
    tables: list[TablePart] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    text: str = ""
    text_title: str = ""
    beside: bool = False
    soft: bool = False
    witness: str = ""


def columns_of(*heads: str, n: Sequence[int] = (), t: Sequence[int] = (), k: Sequence[int] = ()) -> list[Column]:
    """Columns by their heads; those in `n` hold numbers, in `t` moments, in `k` words that are not broken."""
    style = dict.fromkeys(n, "n") | dict.fromkeys(t, "t") | dict.fromkeys(k, "k")
    return [Column(head, style.get(place, "k" if head == "kind" else "")) for place, head in enumerate(heads)]


NO_PRICE = "no price"
"""What stands for money where nothing has a price."""


def priced(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows without those of money where nothing in them has a price."""
    keep = [k for k in range(len(columns)) if not rows or any(row[k] != NO_PRICE for row in rows)]
    return [columns[k] for k in keep], [[row[k] for k in keep] for row in rows]


def holds_something(section: Section) -> bool:
    """Whether there is anything to show in a section."""
    return bool(any(part.rows for part in section.tables) or section.pictures or section.drawings or section.text)
