"""Extremes: the highest and lowest that every recorded quantity reached, with unit and moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twin.equipment import KINDS
from twin.report.known import IDLE_MODES
from twin.report.reasons import reasons
from twin.report.story import Story, flags_of, said_of
from twin.report.verdict import closest
from twin.report.words import words

HIGHEST, LOWEST = "highest", "lowest"
GIVEN = ("leaving_temperature", "supply_temperature")
"""What a machine gives to others: of one out of service it says nothing."""


@dataclass(frozen=True)
class Extreme:
    """The highest or lowest value of one quantity over the units of a kind; `limit` is the unit's own."""

    kind: str
    name: str
    which: str
    value: float
    unit: str
    doc: str
    time: float
    where: str
    limit: float | None = None
    limit_name: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def said(self) -> str:
        return f"{self.which} {words(self.name)}"


def extremes(story: Story) -> list[list[Extreme]]:
    """For each member, highest and lowest of every recorded State and Output that measures something."""
    found: list[list[Extreme]] = [[] for _ in range(story.members)]
    for kind in story.kinds:
        known = said_of(kind, "State") | said_of(kind, "Outputs")
        recorded = story.trace.columns(kind)
        for name, said in known.items():
            if name == "it_power" and not any(KINDS[each].is_work for each in story.kinds if each in KINDS):
                continue
            if name in recorded and said.unit != "s" and not _is_memory(kind, name):
                for member, each in _of_column(story, kind, name):
                    found[member].append(each)
    return found


def _is_memory(kind: str, name: str) -> bool:
    """Whether a quantity is a flag or a law's memory, and no measure of anything."""
    return name in flags_of(kind) or name.endswith(("_at", "_clock")) or name in ("integral", "energy_residual")


def _of_column(story: Story, kind: str, name: str) -> Iterator[tuple[int, Extreme]]:
    values = story.values(kind, name)
    if values is None:
        return
    column = story.trace.columns(kind)[name]
    units = story.trace.units(kind)
    for which in (HIGHEST, LOWEST):
        if which == LOWEST and name == "voltage":
            values = of_alive(values)
        if name.startswith(GIVEN):
            values = of_those_in_service(story, kind, values)
        for member, reached in enumerate(closest(values, which == HIGHEST)):
            if reached is None:
                continue
            value, row, place = reached
            where = units[place]
            line = limit_of(story, kind, where, name, column.unit) if which == HIGHEST else (None, None)
            when = float(story.time[row])
            yield (
                member,
                Extreme(kind, name, which, value, column.unit, column.doc, when, where, line[1], line[0]),
            )


def of_alive(voltage: np.ndarray) -> np.ndarray:
    """Voltages (time, member, unit), without those of units that were dead at the start: they have lost nothing."""
    return np.where(voltage[:1] > 0, voltage, np.nan)


def of_those_in_service(story: Story, kind: str, values: np.ndarray) -> np.ndarray:
    """What machines give (time, member, unit), without those out of service or switched off: they give it nobody."""
    for name, out in (("in_service", (0.0,)), ("mode", IDLE_MODES)):
        said = story.values(kind, name) if story.has(kind, name) else None
        if said is not None:
            values = np.where(np.isin(said, out), np.nan, values)
    return values


def limits_of(story: Story, kind: str, unit_name: str) -> dict[str, float]:
    """The ratings in kelvin that a kind's flags name in their reasons: where the unit itself draws a line."""
    named = {
        found
        for flag in flags_of(kind).values()
        for text in reasons(flag).values()
        for found in re.findall(r"\{(\w+)\}", text)
    }
    declared = said_of(kind, "parameters")
    unit = story.plant.units.get(unit_name)
    lines = {}
    for name, said in declared.items():
        value = unit.parameters.get(name, said.default) if unit is not None else said.default
        if name in named and said.unit == "K" and value is not None:
            lines[name] = float(value)
    return dict(sorted(lines.items(), key=lambda pair: pair[1]))


def limit_of(story: Story, kind: str, unit: str, name: str, dimension: str) -> tuple[str | None, float | None]:
    """The limit that a quantity's highest value is held against: a rating of the same unit of measure.

    A temperature is held against the lowest line that the unit's flags draw, if it is the quantity they
    watch (the first temperature of the kind's State); a power against `rated_power`.
    """
    if dimension == "K":
        watched = next((key for key, said in said_of(kind, "State").items() if said.unit == "K"), None)
        lines = limits_of(story, kind, unit) if name == watched else {}
        return next(iter(lines.items()), (None, None))
    if dimension == "W" and name == "power":
        rated = story.plant.units[unit].parameters.get("rated_power") if unit in story.plant.units else None
        said = said_of(kind, "parameters").get("rated_power")
        return ("rated_power", rated) if rated is not None and said is not None and said.unit == "W" else (None, None)
    return None, None


def worth_showing(found: list[Extreme]) -> list[Extreme]:
    """The extremes that people read first: hottest temperatures, largest loads, lowest charge and flow."""
    return [each for each in found if (_is_high if each.which == HIGHEST else _is_low)(each)]


def _is_high(each: Extreme) -> bool:
    if each.unit == "K":
        return each.name.split("_")[0] in ("die", "coolant", "supply", "leaving", "temperature")
    made = KINDS[each.kind]
    draws = each.kind == "site" or made.source or made.is_work
    return each.name == "load_fraction" or (each.name in ("power", "it_power") and draws)


def _is_low(each: Extreme) -> bool:
    passes_heat_on = len(KINDS[each.kind].streams) > 1 or KINDS[each.kind].is_work
    if each.name == "clock":
        return each.value < 0.9999
    return each.name in ("state_of_charge", "voltage") or (each.name == "flow" and passes_heat_on)
