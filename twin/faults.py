"""Faults: what is wrong with what somebody wrote, where, in one sentence each."""

from __future__ import annotations

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
