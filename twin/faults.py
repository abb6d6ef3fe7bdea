"""Faults: what is wrong with what somebody wrote, where, in one sentence each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Where:
    """The place in a file that a fault speaks of."""

    file: str
    line: int
    key: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}".rstrip(": ")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong (or, as a warning, doubtful): where, and one clear sentence."""

    where: Where | None
    text: str
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{'warning: ' if self.warning else ''}{self.text}"


def near(name: str, names: Iterable[str]) -> str:
    """Ask whether one of some names was meant, where a name is close to it; nothing else."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def a_kind(kind: str) -> str:
    """A kind with its article, as sentences have it: "a ups", "an air_rack"."""
    return f"{'an' if kind[:1] in 'aeio' else 'a'} {kind}"
