"""Story: all that one picture says, before a line of it is drawn: colours, scale, groups, states and figures."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np

from twin import units
from twin.plant import Plant
from twin.view.colours import LOST, NORMAL, OFF, STRAINED, THEME, family, map_for, rgb, shade, tinted
from twin.view.places import Layout, Spot
from twin.view.reading import Condition, Reading, key_figures, people_unit, targets
from twin.view.words import lasting, name_range, pretty, say


TINT = 0.3
"""How much of its state a machine's body shows where it shows no value; its outline and pad show it in full."""


@dataclass
class ColourScale:
    """Caption, unit and limits of the colour bar (SI), and the values of the moment."""

    caption: str
    unit: str
    people: str
    limits: tuple[float, float]
    ticks: list[tuple[float, str]]
    table: np.ndarray
    values: np.ndarray


@dataclass
class Group:
    """Machines that share a label: what they are called, how they are, and where they stand."""

    title: str
    spots: list[Spot]
    lines: list[tuple[str, int]] = field(default_factory=list)
    weight: float = 0.0


@dataclass
class Story:
    """One picture in words and colours; `body` and `marks` are the colour and state of each spot, in order."""

    title: str
    moment: str
    figures: list[tuple[str, str]]
    scale: ColourScale
    body: np.ndarray
    marks: np.ndarray
    zones: dict[str, np.ndarray]
    conditions: dict[str, Condition]
    groups: list[Group]
    footer: str


def tell(plant: Plant, layout: Layout, reading: Reading, colour: str) -> Story:
    """Put together what a picture of a plant at a moment says.

    Raises:
        BadWish: the quantity was not recorded.
    """
    wanted = targets(reading.trace, colour, layout)
    values: dict[str, float] = {}
    for kind, name in wanted:
        values.update(zip(reading.trace.units(kind), reading.values(kind, name).tolist(), strict=True))
    conditions = reading.conditions()
    scale = _scale(reading, wanted, np.array(list(values.values())))
    names = list(layout.spots)
    known = np.array([values.get(name, math.nan) for name in names])
    body = np.array([_plain(spot.kind) for spot in layout.spots.values()], dtype=np.uint8).reshape(-1, 3)
    body[~np.isnan(known)] = shade(known[~np.isnan(known)], scale.limits, scale.table)
    marks = np.array([conditions[name].state if name in conditions else NORMAL for name in names], dtype=int)
    for i in np.flatnonzero((marks != NORMAL) & np.isnan(known)):
        body[i] = tinted(body[i], THEME.states[int(marks[i])], TINT)
    zones = {
        area.zone: shade(np.array([values[area.zone]]), scale.limits, scale.table)[0]
        for area in layout.areas
        if area.zone in values
    }
    end = float(np.asarray(reading.trace.time)[-1])
    moment = f"{lasting(reading.time)} into a run of {lasting(end)}" if reading.time < end else f"{lasting(end)}, the end of the run"
    figures = key_figures(reading, conditions)
    if values and np.isfinite(scale.values).any():
        figures.append(_highest(values, scale))
    footer = f"{reading.trace.path}" + (f"   member {reading.member}" if reading.trace.members > 1 else "")
    groups = groups_of(plant, layout, values, scale.unit, conditions)
    return Story(reading.trace.title, moment, figures, scale, body, marks, zones, conditions, groups, footer)


def _plain(kind: str) -> np.ndarray:
    return rgb(THEME.neutral[family(kind)])


def _highest(values: dict[str, float], scale: ColourScale) -> tuple[str, str]:
    name = max((n for n in values if not math.isnan(values[n])), key=lambda n: values[n])
    word = "hottest" if scale.unit == "K" else "highest"
    return f"{word}: {name}", say(values[name], scale.unit)


def _scale(reading: Reading, wanted: list[tuple[str, str]], values: np.ndarray) -> ColourScale:
    """The colour bar: round limits around all that the run has seen, in people's unit."""
    unit = reading.trace.columns(wanted[0][0])[wanted[0][1]].unit
    spans = np.array([reading.over_the_run(kind, name) for kind, name in wanted])
    low, high = (0.0, 1.0) if np.isnan(spans).all() else (float(np.nanmin(spans)), float(np.nanmax(spans)))
    people = people_unit(unit, (low, high))
    factor = units.scale(people, unit) if people != unit else units.Scale(1.0, 1.0)
    shown, step = round_limits(float(factor.back(low)), float(factor.back(high)), 5.0 if people == "degC" else 0.0)
    marks = np.arange(round((shown[1] - shown[0]) / step) + 1) * step + shown[0]
    ticks = [(float(factor.si(mark)), f"{mark:.10g}") for mark in marks]
    kinds = sorted({kind for kind, _ in wanted})
    words = wanted[0][1].replace("_", " ")
    caption = f"{kinds[0].replace('_', ' ')} {words}" if len(kinds) == 1 else words
    limits = (float(factor.si(shown[0])), float(factor.si(shown[1])))
    return ColourScale(caption, unit, "" if people == "1" else pretty(people), limits, ticks, map_for(unit), values)


def round_limits(low: float, high: float, least: float) -> tuple[tuple[float, float], float]:
    """Limits that people would choose around two values, and the step between their ticks."""
    least = max(least, 0.02 * max(abs(low), abs(high)), 1e-9)
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= rough * 0.999)
    return (math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step), step


def groups_of(
    plant: Plant, layout: Layout, values: dict[str, float], unit: str, conditions: dict[str, Condition]
) -> list[Group]:
    """Machines of one kind and loop (or one family of names), with what is worth saying of them."""
    loop_of: dict[str, str] = {}
    for loop in plant.loops.values():
        for element in [e for branch in loop.branches() for e in branch]:
            loop_of.setdefault(element.unit, loop.name)
    members: dict[tuple[str, str, str], list[Spot]] = {}
    for spot in layout.spots.values():
        block, _, local = spot.unit.rpartition("/")
        family_name = loop_of.get(spot.unit) if spot.kind != "cdu" else _own_loop(plant, spot.unit)
        members.setdefault((block, spot.kind, family_name or re.sub(r"([0-9]+|(?<=-)[a-z])$", "", local)), []).append(spot)
    groups = []
    for spots in members.values():
        group = Group(name_range([spot.unit for spot in spots]), spots)
        known = [values[s.unit] for s in spots if not math.isnan(values.get(s.unit, math.nan))]
        if known:
            group.lines.append((_span(min(known), max(known), unit), NORMAL))
            group.weight += 2.0
        for line in _condition_lines(spots, conditions):
            group.lines.append(line)
            group.weight += line[1]
        groups.append(group)
    return groups


def _own_loop(plant: Plant, unit: str) -> str:
    """The loop whose plant a unit belongs to."""
    return next((loop.name for loop in plant.loops.values() if any(e.unit == unit for b in loop.plant for e in b)), "")


def _span(low: float, high: float, unit: str) -> str:
    one, other = say(low, unit), say(high, unit)
    if one == other:
        return one
    if one.partition(" ")[2] == other.partition(" ")[2]:
        one = one.partition(" ")[0]
    return f"{one} to {other}"


def _condition_lines(spots: list[Spot], conditions: dict[str, Condition]) -> list[tuple[str, int]]:
    """One line for each condition, most urgent first: "ups-2: on battery", "3 of 32 shut down", "all stopped"."""
    by_condition: dict[Condition, list[str]] = {}
    for spot in spots:
        if spot.unit in conditions:
            by_condition.setdefault(conditions[spot.unit], []).append(spot.unit.rpartition("/")[2])
    lines = []
    for condition, names in sorted(by_condition.items(), key=lambda item: (-item[0].state, item[0].word)):
        if len(spots) == 1:
            text = condition.word
        elif len(names) == len(spots):
            text = f"all {condition.word}"
        elif len(names) == 1:
            text = f"{names[0]} {condition.word}"
        else:
            text = f"{len(names)} of {len(spots)} {condition.word}"
        lines.append((text, condition.state))
    return lines[:3]


def state_counts(story: Story) -> dict[int, int]:
    """How many machines are in each state that is not normal, most urgent first."""
    counts: dict[int, int] = {}
    for condition in story.conditions.values():
        counts[condition.state] = counts.get(condition.state, 0) + 1
    return {state: counts[state] for state in (LOST, STRAINED, OFF, 1) if state in counts}
