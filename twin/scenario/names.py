"""Names of units: what a name may be, ranges that make many (`rack-01..32`), and targets that find them."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from twin import units
from twin.scenario.faults import advice

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
PLACED = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}(?:/[A-Za-z][A-Za-z0-9_-]{0,63}){0,7}")
RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
TARGET = re.compile(r"(?P<target>.+?)(?:\.(?P<quantity>[A-Za-z_]\w*))?")
MOST = 100_000
"""Units of one range, and of a plant."""


class BadName(ValueError):
    """A name, a range or a target that means nothing; the message is a sentence."""


def expand(text: str, placed: bool = True) -> list[str]:
    """The names that a text stands for: itself, or all of a range.

    Args:
        text: "rack-07", "rack-01..32", "h001..116/rack-01..32".
        placed: whether names of placed units ("h001/rack-01") may be meant.

    Raises:
        BadName: it is neither a name nor a range.
    """
    pieces = RANGE.split(text)
    heads, choices, total = pieces[::3], [], 1
    for start, end in zip(pieces[1::3], pieces[2::3], strict=True):
        low, high = int(start[:12]), int(end[:12])
        if len(start) > 12 or len(end) > 12 or (high - low + 1) * total > MOST:
            raise BadName(f"{units.quoted(text)} makes more than {MOST} names; a shorter range is wanted")
        if high < low:
            raise BadName(f'{units.quoted(text)} runs backwards; "{end}..{start}" is wanted')
        total *= high - low + 1
        choices.append([f"{number:0{len(start)}d}" for number in range(low, high + 1)])
    names = [_join(heads, numbers) for numbers in itertools.product(*choices)]
    if not (PLACED if placed else NAME).fullmatch(names[0]) or len(names[-1]) > 512:
        raise BadName(_what_is_wrong(text, placed))
    return names


def _join(heads: Sequence[str], numbers: Sequence[str]) -> str:
    return heads[0] + "".join(number + head for number, head in zip(numbers, heads[1:], strict=True))


def _what_is_wrong(text: str, placed: bool) -> str:
    odd = units.odd_letter(text)
    found = units.quoted(text)
    if odd:
        return f"{found} contains {odd}; letters a to z, digits, - and _ are wanted in a name"
    if "/" in text and not placed:
        return f'{found} contains "/", which places write; letters, digits, - and _ are wanted in a name'
    if ".." in text:
        return f'{found} is not a range; one like "rack-01..32" is wanted'
    if "." in text:
        return f'{found} contains "."; letters, digits, - and _ are wanted in a name'
    if not text.strip():
        return "an empty name was found; letters, digits, - and _ are wanted in a name"
    return f"{found} is not a name; a letter and then letters, digits, - and _ are wanted"


def split(text: str) -> tuple[str, str]:
    """A target and, after its last dot, a quantity or "": "rack-01..32.utilisation" -> two words."""
    found = TARGET.fullmatch(text)
    return (found["target"], found["quantity"] or "") if found else (text, "")


class Directory:
    """The units of a plant, by name and by kind, for everything that points at them.

    `lost` names units whose own faults are told, so that who points at them is not blamed; `holes` says
    that there are such units without a name.
    """

    def __init__(self, units_by_kind: Iterable[tuple[str, str]], lost: Iterable[str] = (), holes: bool = False) -> None:
        self.lost = frozenset(lost)
        self.holes = holes
        self.kind_of: dict[str, str] = {}
        self.of_kind: dict[str, list[str]] = {}
        for name, kind in units_by_kind:
            self.kind_of[name] = kind
            self.of_kind.setdefault(kind, []).append(name)
        self.find = lru_cache(maxsize=4096)(self._find)

    def _find(self, text: str) -> tuple[str, ...]:
        """All units that a target means: a unit, a range, a glob, or a kind.

        Raises:
            BadName: there is none; the message names the nearest.
        """
        if text in self.kind_of:
            return (text,)
        if text in self.of_kind:
            return tuple(self.of_kind[text])
        if "*" in text or "?" in text:
            return self._glob(text)
        names = expand(text)
        missing = [name for name in names if name not in self.kind_of]
        if not missing:
            return tuple(names)
        known = [*self.kind_of, *self.of_kind] if len(names) == 1 else self._like(missing[0])
        more = f" (and {len(missing) - 1} more of {units.quoted(text)})" if len(missing) > 1 else ""
        raise BadName(f'there is no unit or kind "{missing[0]}"{more}; {advice(missing[0], known)}')

    def excuses(self, text: str) -> bool:
        """Whether a target that finds nothing only follows from a fault that is told already."""
        try:
            return self.holes or bool({name.rpartition("/")[2] for name in expand(text)} & self.lost)
        except BadName:
            return self.holes or bool(self.lost)

    def _like(self, name: str) -> list[str]:
        """Names that begin alike, so that the search for the nearest stays quick in a campus."""
        head = name.rstrip("0123456789")
        return [each for each in self.kind_of if each.startswith(head)] or list(self.of_kind)

    def _glob(self, text: str) -> tuple[str, ...]:
        if not re.fullmatch(r"[A-Za-z0-9_/*?-]{1,512}", text):
            raise BadName(f"{units.quoted(text)} is not a pattern; letters, digits, -, _, * and ? are wanted")
        pattern = re.compile(fnmatch.translate(text))
        found = tuple(name for name in self.kind_of if name != "site" and pattern.fullmatch(name))
        if not found:
            raise BadName(f"no unit matches {units.quoted(text)}; {advice(text.replace('*', ''), self.kind_of)}")
        return found
