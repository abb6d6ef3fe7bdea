"""A step of an integrated systems test: what is done, what must follow in what time, and the gates it must pass."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

BEGIN = 60.0
"""Moment of the first action [s]: until then all is steady."""
FINE_BEFORE, FINE_AFTER = 1.0, 8.0
"""Seconds around an action that run in fine ticks."""


@dataclass(frozen=True)
class Action:
    """What the test director has done: at `after` seconds from the first, `verb` a unit or one of its failures."""

    verb: str
    target: str
    after: float = 0.0
    why: str = ""

    @property
    def time(self) -> float:
        return BEGIN + self.after

    def said(self) -> str:
        """In words: "fail utility-a (the feeder is opened)"."""
        return f"{self.verb} {self.target}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True)
class Await:
    """What must come about: a condition, for how many units, within what time of the first action [s], and why.

    told: the condition as people say it; a condition itself where empty.
    """

    what: str
    within: float
    why: str
    units: int = 1
    told: str = ""

    def said(self) -> str:
        """In words: "4 generators are up to speed"."""
        return self.told or (self.what if self.units == 1 else f"{self.what} ({self.units} units)")


RELATION = re.compile(r"[<>]=?")


@dataclass(frozen=True)
class Gate:
    """A number that must be kept to: a criterion in the words of a scenario, and the rating that it comes from.

    Where the criterion asks for a flag, `limit` says its number, and `reads` which quantity of the machines on load is
    shown beside it: its name, and whether its highest counts. It counts from `after` the first action on [s].
    """

    hold: str
    why: str
    name: str = ""
    limit: str = ""
    reads: tuple[str, bool] | None = None
    after: float = 0.0

    @property
    def sense(self) -> str:
        """On which side of its limit a value is good: "<", "<=", ">" or ">="; "" where a flag must not come at all."""
        if self.reads is not None:
            return "<=" if self.reads[1] else ">="
        found = RELATION.search(self.hold)
        return found[0] if found else ""

    def bound(self, said: str) -> str:
        """Its limit with its direction: ">= 55.8 Hz".

        Args:
            said: the limit in words, where it tells none of its own.
        """
        return f"{self.sense} {self.limit or said}".strip()

    def unmeasured(self) -> str:
        """The same before anything is measured."""
        if self.limit:
            return f"{self.bound('')} ({self.hold})"
        _, sense, limit = self.hold.partition(self.sense) if self.sense else ("", "", "")
        return self.hold if self.name else f"{sense}{limit}" or "none"

    def said_why(self) -> str:
        """The rating that it comes from, and from when on it counts."""
        return f"{self.why}, from {self.after:g} s on" if self.after else self.why

    def written(self) -> str | dict[str, str]:
        """As a scenario has it: from the moment of the first action on."""
        hold = f"{self.hold} after {BEGIN + self.after:g} s"
        return {"name": self.name, "hold": hold} if self.name else hold


@dataclass
class Step:
    """One step; `typical_of` names those that it speaks for."""

    title: str
    purpose: str
    actions: list[Action]
    awaited: list[Await]
    gates: list[Gate]
    length: float
    typical_of: list[str] = field(default_factory=list)
    number: int = 0

    def scenario(self, plant: str, conditions: Conditions, tick: float) -> str:
        """The step as a scenario file that `twin run` takes.

        Args:
            plant: name or file of the plant.
            conditions: weather and work.
            tick: of the windows around what is done [s].
        """
        document: dict[str, Any] = {
            "title": self.title,
            "description": self.purpose,
            "plant": plant,
            "run": {
                "duration": f"{BEGIN + self.length:g} s",
                "tick": "1 s",
                "record": "1 s",
                "zoom": [{"at": f"{a:g} s", "for": f"{b - a:g} s", "tick": f"{tick:g} s"} for a, b in self.windows()],
            },
            "weather": {
                "dry_bulb": f"{conditions.dry_bulb:.6g} K",
                "relative_humidity": f"{100 * conditions.humidity:.6g} %",
            },
            "events": [self._event(action) for action in sorted(self.actions, key=lambda each: each.after)],
            "expected": [
                {"what": each.what, "within": f"{each.within:.6g} s"}
                | ({"units": each.units} if each.units > 1 else {})
                for each in self.awaited
            ],
            "criteria": [each.written() for each in self.gates],
        }
        if conditions.has_work:
            document["workload"] = {"utilisation": f"{100 * conditions.utilisation:g} %"}
        kept = {key: value for key, value in document.items() if value or key not in ("expected", "criteria", "events")}
        return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept.items())

    def windows(self) -> list[tuple[float, float]]:
        """Times [s] that run in fine ticks: around everything that is done, joined where they touch."""
        found: list[tuple[float, float]] = []
        for time in sorted({action.time for action in self.actions}):
            start, end = time - FINE_BEFORE, min(time + FINE_AFTER, BEGIN + self.length)
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found

    def _event(self, action: Action) -> dict[str, str]:
        event = {"at": f"{action.time:g} s", action.verb: action.target}
        return event | ({"why": action.why} if action.why else {})


@dataclass(frozen=True)
class Conditions:
    """Weather and work of a test: outdoor air [K], its humidity [1], and work asked of racks, if there are any [1]."""

    dry_bulb: float = 317.15
    humidity: float = 0.1
    utilisation: float = 1.0
    has_work: bool = True
