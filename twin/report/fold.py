"""Folding: many equal entries of a timeline as one line for people ("32 racks: rack-01..rack-32")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twin.report.timeline import Entry
from twin.report.words import kinds, names, plural

GAP = 2.0
"""Equal changes that follow each other within this time [s] stand in one line."""


@dataclass
class Line:
    """One line for people: what several units did from `time` to `last`, and the line that led to it."""

    time: float
    last: float
    member: int
    kind: str
    what: str
    why: str
    units: list[str] = field(default_factory=list)
    entries: int = 0
    cause: int | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the scenario wrote it."""
        return self.what.endswith(("(fail)", "(restore)", "(set)", "(ramp)", "(grid)"))

    def short(self) -> str:
        """The event without names: "32 racks throttle", "rack-07 throttles"."""
        distinct = len(set(self.units))
        if distinct > 1:
            return f"{distinct} {kinds(self.kind, 2)} {plural(self.what)}"
        again = f" ({self.entries} times)" if self.entries > 1 else ""
        return f"{self.units[0]} {self.what}{again}"

    def event(self) -> str:
        """The event with the names of all: "32 racks throttle: rack-01..rack-32"."""
        return f"{self.short()}: {names(self.units)}" if len(set(self.units)) > 1 else self.short()


def fold(entries: Sequence[Entry], kind_of: Mapping[str, str], gap: float = GAP) -> list[Line]:
    """Lines for people, in order of their first moment.

    Entries are one line where member, kind, what and why agree, they came from the same line, and none
    follows its forerunner by more than `gap`.
    """
    lines: list[Line] = []
    line_of: dict[int, int] = {}
    newest: dict[tuple[int, str, str, str, int | None], int] = {}
    for index, entry in enumerate(entries):
        cause = None if entry.cause is None else line_of.get(entry.cause)
        kind = kind_of.get(entry.unit, "")
        key = (entry.member, kind, entry.what, entry.why, cause)
        at = newest.get(key)
        if at is None or entry.time - lines[at].last > gap:
            at = newest[key] = len(lines)
            lines.append(Line(entry.time, entry.time, entry.member, kind, entry.what, entry.why, cause=cause))
        line = lines[at]
        line.last = max(line.last, entry.time)
        line.units.append(entry.unit)
        line.entries += 1
        line_of[index] = at
    return lines
