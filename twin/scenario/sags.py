"""Sags of the grid: told one by one, in a table or as recorded RMS voltage, all lowered to Changes of a feed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from twin import units
from twin.faults import Where
from twin.plant import Plant
from twin.scenario.changes import Change, ToldSag, inputs_of
from twin.scenario.faults import Faults

LOW, HIGH = 0.9, 1.1
"""Voltage [of nominal] outside of which an event is a sag or a swell. Source: IEEE 1159."""
SHORTEST = 1e-3
"""Seconds that the clock counts."""
LARGEST = 10_000_000
MOST_ROWS = 100_000
HEADERS = (["time", "voltage"], ["time", "voltage", "frequency"])
BOUNDS = {"time": (0.0, 3.2e8), "voltage": (0.0, 1.5), "frequency": (40.0, 70.0)}
"""Seconds, per unit of nominal, Hz."""


@dataclass(frozen=True)
class Sag:
    """A time that a feed spends outside 0.9 to 1.1 of its nominal voltage; times in s."""

    unit: str
    time: float
    residual: float
    length: float
    member: int | None = None


def lower(told: list[ToldSag], initial: list[Change], changes: list[Change], faults: Faults) -> list[Change]:
    """Changes of `voltage`: down at once, and after its length back to what it was before.

    Args:
        told: the sags, in any order.
        initial, changes: what else the scenario does, from which that voltage is known.
        faults: takes sags of one feed that overlap.
    """
    found: list[Change] = []
    free_from: dict[tuple[str, int | None], float] = {}
    for sag in sorted(told, key=lambda each: each.time):
        key = (sag.unit, sag.member)
        if sag.time < free_from.get(key, 0.0) - 1e-9:
            end = units.show(free_from[key], "s")
            text = (
                f"this sag of {sag.unit} begins before another one has ended (at {end}); one after the other is wanted"
            )
            faults.add(sag.where, text)
        free_from[key] = sag.time + sag.length
        if sag.length < SHORTEST:
            lasts = units.show(sag.length, "s")
            faults.add(sag.where, f"this sag of {sag.unit} lasts {lasts}; at least 1 ms is wanted, the clock's unit")
        before = _before(sag, initial, changes)
        found.append(Change(sag.time, sag.unit, "voltage", sag.residual, None, sag.member, "sag", sag.why))
        found.append(Change(sag.time + sag.length, sag.unit, "voltage", before, None, sag.member, "sag"))
    return found


def _before(sag: ToldSag, initial: list[Change], changes: list[Change]) -> float:
    """The voltage that a feed had before a sag."""
    known = [c for c in initial if (c.unit, c.input) == (sag.unit, "voltage")]
    known += sorted(
        (c for c in changes if (c.unit, c.input) == (sag.unit, "voltage") and c.time <= sag.time),
        key=lambda change: change.time,
    )
    mine = [c.value for c in known if c.member in (None, sag.member)]
    return mine[-1] if mine else float(inputs_of("utility")["voltage"].default or 1.0)


def spans(changes: Iterable[Change], duration: float) -> list[Sag]:
    """What a scenario's Changes of voltage come to: every time outside 0.9 to 1.1, whoever wrote it.

    The residual of a sag is its lowest voltage, of a swell its highest; what stands at the end lasts until then.
    """
    by_feed: dict[tuple[str, int | None], list[Change]] = {}
    for change in changes:
        if change.input == "voltage":
            by_feed.setdefault((change.unit, change.member), []).append(change)
    found = []
    for (unit, member), group in by_feed.items():
        began, worst = math.nan, 1.0
        for change in [*sorted(group, key=lambda each: each.time), Change(duration, unit, "voltage", 1.0)]:
            outside = not LOW <= change.value <= HIGH
            if outside:
                began = change.time if math.isnan(began) else began
                worst = max(worst, change.value, key=lambda value: abs(value - 1.0))
            elif not math.isnan(began):
                found.append(Sag(unit, began, worst, change.time - began, member))
                began, worst = math.nan, 1.0
    return sorted(found, key=lambda sag: (sag.time, sag.unit))


def edges(plant: Plant, changes: Iterable[Change]) -> set[float]:
    """Moments [s] at which a feed of the site goes out of 0.9 to 1.1 of nominal, changes out there, or comes back.

    So do moments at which a feed is taken out of service or put back.
    """
    found, outside = set(), dict[tuple[str, int | None], bool]()
    for change in sorted(changes, key=lambda each: each.time):
        unit = plant.units.get(change.unit)
        if unit is None or "voltage" not in inputs_of(unit.kind):
            continue
        if change.input == "voltage":
            key, is_out = (change.unit, change.member), not LOW <= change.value <= HIGH
            if is_out or outside.get(key):
                found.add(change.time)
            outside[key] = is_out
        elif change.input == "in_service":
            found.add(change.time)
    return found


def read_rms(raw: bytes, name: str, faults: Faults) -> list[tuple[float, ...]] | None:
    """Rows of recorded RMS voltage: seconds, per unit of nominal and, where it was recorded, Hz; None after a fault.

    Args:
        raw: the bytes of a CSV file with the header "time,voltage" or "time,voltage,frequency"; lines that begin
            with # are left out.
        name: what messages call the file.
        faults: takes what is wrong, with the line.
    """
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    told = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    first, found = told.pop(0) if told else (1, "")
    header = [word.strip().lower() for word in found.split(",")]
    if header not in HEADERS:
        said = f"{units.quoted(found)} was found" if found else "the file is empty"
        faults.add(Where(name, first), f'{said}; the header "time,voltage" or "time,voltage,frequency" is wanted')
        return None
    if not 1 <= len(told) <= MOST_ROWS:
        text = f"{len(told)} rows were found; 1 to {MOST_ROWS} are wanted"
        faults.add(Where(name, len(lines)), text)
        return None
    rows: list[tuple[float, ...]] = []
    for number, line in told:
        row = _row(line.split(","), header, Where(name, number), faults)
        if row is None:
            return None
        if rows and row[0] <= rows[-1][0]:
            text = f"the time {row[0]:g} s does not come after {rows[-1][0]:g} s; times that rise are wanted"
            faults.add(Where(name, number), text)
            return None
        rows.append(row)
    return rows


def _row(fields: list[str], header: list[str], where: Where, faults: Faults) -> tuple[float, ...] | None:
    if len(fields) != len(header):
        faults.add(where, f"{len(fields)} values were found; {len(header)} are wanted, as in the header")
        return None
    row = []
    for word, text in zip(header, fields, strict=True):
        try:
            value = float(text)
        except ValueError:
            faults.add(where, f"{units.quoted(text.strip())} was found as {word}; a number is wanted")
            return None
        low, high = BOUNDS[word]
        if not low <= value <= high:
            faults.add(where, f"{value:g} was found as {word}; {low:g} to {high:g} is wanted")
            return None
        row.append(value)
    return tuple(row)


def replayed(rows: list[tuple[float, ...]], unit: str, start: float, duration: float, why: str) -> list[Change]:
    """Changes that play rows back from a moment on: each holds until the next one."""
    found: list[Change] = []
    for place, name in enumerate(("voltage", "frequency")[: len(rows[0]) - 1], 1):
        last = math.nan
        for row in rows:
            if row[place] != last and start + row[0] <= duration:
                found.append(Change(start + row[0], unit, name, row[place], verb="grid", why=why))
            last = row[place]
    return found
