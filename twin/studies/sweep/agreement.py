"""Audit and sweep beside each other: on which single points of failure they agree, and why not where they do not."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from twin.report.words import count, lasting
from twin.studies.audit.found import Audit, Contingency
from twin.studies.audit.graph import LOAD
from twin.studies.sweep.cuts import own_racks
from twin.studies.sweep.found import Sweep
from twin.studies.sweep.outcome import Outcome, names_of, parted


@dataclass(frozen=True)
class Apart:
    """One failure that stops racks by one of them alone, and why."""

    name: str
    by_audit: bool
    why: str


@dataclass
class Agreement:
    """Failures that stop racks by both, by none, or by one of them; and how many only the sweep tried."""

    stop: list[str] = field(default_factory=list)
    safe: list[str] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    """Failures that stop racks and that the audit does not try."""
    not_tried: int = 0

    @property
    def agree(self) -> bool:
        return not self.apart

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"agree": self.agree}

    def sentences(self) -> list[str]:
        """What it comes to, each difference with its reason."""
        differ = [
            f"{each.name} stops racks by the {'audit' if each.by_audit else 'sweep'} alone: {each.why}"
            for each in self.apart
        ]
        first, *rest = self.summary()
        return [first, *differ, *rest]

    def summary(self) -> list[str]:
        """What it comes to, differences counted."""
        total = len(self.stop) + len(self.safe)
        named = f" ({_some(self.stop)})" if self.stop else ""
        said = [
            f"Audit and sweep agree on {count(total, 'failure')} of the power side: {len(self.stop) or 'none'} "
            f"stop racks{named}, {len(self.safe) or 'none'} do not."
        ]
        if self.apart:
            said[0] += f" They differ on {count(len(self.apart), 'failure')}."
        if self.not_tried:
            some = f", of which {len(self.beyond)} stop racks: {_some(self.beyond)}" if self.beyond else ""
            said.append(
                f"The audit fails the power side alone; the sweep tries {count(self.not_tried, 'failure')} more{some}."
            )
        return said


def agreement(found: Sweep, audited: Audit) -> Agreement:
    """Hold the single failures of a sweep against those that an audit simulated with the grid there."""
    swept = {
        name: each
        for each in found.cases
        for name in names_of(each)
        if len(parted(name)[0]) == 1 and not parted(name)[1]
    }
    made, seen = Agreement(), set[str]()
    for each in audited.contingencies:
        if each.away or each.name not in swept:
            continue
        seen.add(each.name)
        row = swept[each.name]
        stops = row.racks_lost > own_racks(row)
        if bool(each.stops) == stops:
            (made.stop if stops else made.safe).append(each.name)
        else:
            made.apart.append(Apart(each.name, bool(each.stops), _why(each, row, audited)))
    rest = {name: row for name, row in swept.items() if name not in seen}
    made.not_tried = len(rest)
    made.beyond = [name for name, row in rest.items() if row.racks_lost > own_racks(row)]
    return made


def _why(each: Contingency, row: Outcome, audited: Audit) -> str:
    """The reason that two studies see one failure differently."""
    window, hold = audited.conditions.window, audited.conditions.window + audited.conditions.hold
    if row.fault:
        return f"the sweep could not run it: {row.fault}"
    if audited.work == LOAD:
        return "the plant has no racks; the audit counts its loads, and the sweep counts racks alone"
    times = [t for t in (row.to_unpowered, row.to_shutdown) if not math.isnan(t)]
    if not each.stops:
        if times and min(times) > hold:
            return f"the first comes after {lasting(min(times))}, and the audit watches {lasting(hold)}"
        if times and min(times) > window and row.recovery < hold:
            return (
                f"they are down from {lasting(min(times))} to {lasting(row.recovery)}; the audit looks at the first "
                f"{lasting(window)} and at the end of its {lasting(hold)}"
            )
        return "the audit holds work and weather as at the start and lets its ticks grow; the sweep runs the scenario"
    if row.throttled:
        return f"{count(row.throttled, 'rack')} only go slower in the sweep's time and at its ticks"
    return "the audit counts what stands still at the end of its hold; the sweep's time or its work is another"


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
