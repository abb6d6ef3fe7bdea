"""Faults of a document: collected, all of them, each one sentence with file, line and key path."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from twin import units
from twin.faults import Fault, Where

SHOWN = 100
"""So many faults are printed; a file with more has one cause that the first ones show."""


MOST = 500
"""So many faults are gathered; then reading stops, so that a hostile file cannot keep it busy for ever."""


class TooMany(Exception):
    """The faults are too many to go on."""


class BadInput(ValueError):
    """A document cannot be used; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        lines = [str(fault) for fault in self.faults[:SHOWN]]
        more = len(self.faults) - SHOWN
        return "\n".join(lines + ([f"... and {more} more faults"] if more > 0 else []))


class Faults:
    """A list of faults in the order found; the same sentence about the same place is kept once."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Fault] = {}

    def add(self, where: Where | None, text: str, warning: bool = False) -> None:
        self.found.setdefault((str(where), text), Fault(where, text, warning))
        if len(self.found) > MOST:
            told = f"more than {MOST} faults were found, and reading stopped; mend the first ones and check again"
            self.found["", told] = Fault(None, told)
            raise TooMany

    def extend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.add(fault.where, fault.text, fault.warning)

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self.found.values() if not fault.warning]

    @property
    def warnings(self) -> list[Fault]:
        return [fault for fault in self.found.values() if fault.warning]

    def __len__(self) -> int:
        return len(self.found)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that somebody who wrote `word` most likely meant; "" where none is near."""
    words = list(known)
    if len(words) > 1000:
        words = [each for each in words if abs(len(each) - len(word)) < 3 and each[:2] == word[:2]]
    same = [each for each in words if each.lower() == word.lower()]
    return (same or difflib.get_close_matches(word, words, 1, 0.66) or [""])[0]


def advice(word: str, known: Iterable[str], lead: str = "one of ") -> str:
    """How to mend an unknown word: the nearest known one, else all of them, as the end of a sentence."""
    words = list(dict.fromkeys(known))
    near = nearest(word, words)
    odd = units.odd_letter(word)
    note = f" (it contains {odd})" if odd else ""
    if near:
        return f'did you mean "{near}"?{note}'
    if not words:
        return f"there is none{note}"
    if len(words) == 1:
        return f'"{words[0]}" is wanted{note}'
    listed = ", ".join(words[:16]) + (f" and {len(words) - 16} more" if len(words) > 16 else "")
    return f"{lead}{listed} is wanted{note}"
