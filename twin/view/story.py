"""Story: all that one picture says, before a line is drawn: colours, scale, groups, states and figures."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np

from twin import units
from twin.plant import Plant
from twin.view.colours import LOST, NORMAL, OFF, RUNNING, STRAINED, THEME, family, map_for, rgb, shade, tinted
from twin.view.places import Area, Layout, Spot
from twin.view.reading import Condition, Reading, key_figures, people_unit, targets
from twin.view.words import kind_words, lasting, name_range, pretty

LIMITS = {
    ("rack", "die_temperature"): ("throttle_temperature", "slowdown_temperature", "shutdown_temperature"),
    ("tank", "temperature"): ("useful_temperature",),
    ("zone", "temperature"): ("limit_temperature",),
}
"""Ratings that are marked on the colour bar, and always lie within it."""
TINT = 0.3
"""How much of its state a body shows where it shows no value; its outline and pad show it in full."""


@dataclass
class ColourScale:
    """Caption, unit and limits of the colour bar (SI), and the values of the moment."""

    caption: str
    unit: str
    people: str
    limits: tuple[float, float]
    noun: str
    ticks: list[tuple[float, str]]
    table: np.ndarray
    values: np.ndarray
    marks: list[tuple[float, str]]
    factor: units.Scale
    places: int

    def number(self, value: float, places: int | None = None) -> str:
        """A value (SI) in the bar's unit, as fine as its ticks tell apart."""
        return f"{float(self.factor.back(value)):.{self.places if places is None else places}f}"

    def say(self, low: float, high: float | None = None) -> str:
        """A value, or a span of values, with the bar's unit; temperatures at least to a tenth."""
        places = max(self.places, 1) if self.unit == "K" else self.places
        words = self.number(low, places)
        if high is not None and self.number(high, places) != words:
            words = f"{words} to {self.number(high, places)}"
        return f"{words} {self.people}".rstrip()


@dataclass
class Group:
    """Machines that share a label: what they are called, how they are, and where they stand."""

    title: str
    spots: list[Spot]
    lines: list[tuple[str, int]] = field(default_factory=list)
    weight: float = 0.0


@dataclass
class Story:
    """One picture in words and colours.

    `body`, `marks` and `known` are the colour, state and value (SI, or not a number) of each spot, in
    order; `floors` the colour of each area that shows a value.
    """

    title: str
    moment: str
    figures: list[tuple[str, str]]
    scale: ColourScale
    body: np.ndarray
    marks: np.ndarray
    floors: list[np.ndarray | None]
    known: np.ndarray
    conditions: dict[str, Condition]
    groups: list[Group]
    footer: str

    @property
    def many_floors(self) -> bool:
        """Whether floors show the mean of what stands on them."""
        return sum(floor is not None for floor in self.floors) > 3


def tell(plant: Plant, layout: Layout, reading: Reading, colour: str, look: str) -> Story:
    """Put together what a picture of a plant at a moment says.

    Raises:
        BadWish: the quantity was not recorded.
    """
    bodies = {spot.kind for spot in layout.spots.values()} | ({"zone"} if any(a.zone for a in layout.areas) else set())
    wanted = targets(reading.trace, colour, bodies, look)
    zones = {area.zone for area in layout.areas}
    values: dict[str, float] = {}
    for kind, name in wanted:
        every = zip(reading.trace.units(kind), reading.values(kind, name).tolist(), strict=True)
        values.update((unit, value) for unit, value in every if unit in layout.spots or unit in zones)
    conditions = reading.conditions()
    scale = _scale(reading, wanted, np.array(list(values.values())))
    names = list(layout.spots)
    known = np.array([values.get(name, math.nan) for name in names])
    body = np.array([_plain(spot.kind) for spot in layout.spots.values()], dtype=np.uint8).reshape(-1, 3)
    body[~np.isnan(known)] = shade(known[~np.isnan(known)], scale.limits, scale.table)
    marks = np.array([conditions[name].state if name in conditions else NORMAL for name in names], dtype=int)
    for i in np.flatnonzero((marks != NORMAL) & np.isnan(known)):
        body[i] = tinted(body[i], THEME.states[int(marks[i])], TINT)
    floors = [_floor(area, values, scale, layout, known, crowded(layout)) for area in layout.areas]
    end = float(np.asarray(reading.trace.time)[-1])
    moment = (
        f"{lasting(reading.time)} into a run of {lasting(end)}"
        if reading.time < end
        else f"{lasting(end)}, the end of the run"
    )
    figures = key_figures(reading, conditions)
    if values and np.isfinite(scale.values).any():
        figures.append(_extremes(values, scale))
    footer = reading.trace.path.name + (f"   member {reading.member}" if reading.trace.members > 1 else "")
    groups = groups_of(plant, layout, values, scale, conditions)
    return Story(reading.trace.title, moment, figures, scale, body, marks, floors, known, conditions, groups, footer)


def _plain(kind: str) -> np.ndarray:
    return rgb(THEME.neutral[family(kind)])


def crowded(layout: Layout) -> bool:
    """Whether a layout is a campus: machines become specks, so blocks speak for them."""
    return len({area.block for area in layout.areas if area.use != "road"}) > 3


def _floor(
    area: Area, values: dict[str, float], scale: ColourScale, layout: Layout, known: np.ndarray, campus: bool
) -> np.ndarray | None:
    """The colour of a floor: its zone's value; on a campus the mean of the machines on it."""
    value = values.get(area.zone, math.nan)
    if campus and math.isnan(value) and area.use != "road":
        spots = list(layout.spots.values())
        inside = [known[i] for i in _block_index(layout).get(area.block, []) if spots[i].room == area.use]
        good = [v for v in inside if not math.isnan(v)]
        value = sum(good) / len(good) if good else math.nan
    return None if math.isnan(value) else shade(np.array([value]), scale.limits, scale.table)[0]


def _extremes(values: dict[str, float], scale: ColourScale) -> tuple[str, str]:
    """The hottest machine; for other quantities the span, and which machine is lowest."""
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    top, bottom = max(known, key=lambda n: known[n]), min(known, key=lambda n: known[n])
    if scale.unit == "K":
        return f"hottest: {top}", scale.say(known[top])
    return f"lowest: {bottom}", scale.say(known[bottom], known[top])


def _scale(reading: Reading, wanted: list[tuple[str, str]], values: np.ndarray) -> ColourScale:
    """The colour bar: round limits around all that the run has seen, in people's unit."""
    unit = reading.trace.columns(wanted[0][0])[wanted[0][1]].unit
    spans = np.array([reading.over_the_run(kind, name) for kind, name in wanted])
    limits = _limits(reading, wanted)
    every = [*spans[~np.isnan(spans)], *(value for value, _ in limits)] or [0.0, 1.0]
    low, high = float(min(every)), float(max(every))
    people = people_unit(unit, (low, high))
    factor = units.scale(people, unit) if people != unit else units.Scale(1.0, 1.0)
    shown, step = round_limits(float(factor.back(low)), float(factor.back(high)), 5.0 if people == "degC" else 0.0)
    marks = np.arange(round((shown[1] - shown[0]) / step) + 1) * step + shown[0]
    ticks = [(float(factor.si(mark)), f"{mark:.10g}") for mark in marks]
    kinds = sorted({kind for kind, _ in wanted})
    words = wanted[0][1].replace("_", " ")
    caption = f"{kind_words(kinds[0])} {words}" if len(kinds) == 1 else words
    noun = kind_words(kinds[0]) if len(kinds) == 1 else "machine"
    ends = (float(factor.si(shown[0])), float(factor.si(shown[1])))
    places = max(0, 1 - math.floor(math.log10(step) + 1e-9))
    people = "" if people == "1" else pretty(people)
    return ColourScale(caption, unit, people, ends, noun, ticks, map_for(unit), values, limits, factor, places)


def _limits(reading: Reading, wanted: list[tuple[str, str]]) -> list[tuple[float, str]]:
    """Ratings of the coloured machines that their values should be read against, the strictest of each."""
    found = []
    for kind, name in wanted:
        for rating in LIMITS.get((kind, name), ()):
            units_ = reading.trace.plant.of_kind(kind)
            values = [unit.parameters[rating] for unit in units_ if rating in unit.parameters]
            if values:
                found.append((min(values), rating.partition("_")[0]))
    return found


def round_limits(low: float, high: float, least: float) -> tuple[tuple[float, float], float]:
    """Limits that people would choose around two values, and the step between their ticks."""
    least = max(least, 0.05 * max(abs(low), abs(high)), 1e-9)
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= rough * 0.999)
    return (math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step), step


def groups_of(
    plant: Plant,
    layout: Layout,
    values: dict[str, float],
    scale: ColourScale,
    conditions: dict[str, Condition],
) -> list[Group]:
    """Machines of one kind and loop (or one family of names), with what is worth saying of them."""
    if crowded(layout):
        return _worst_blocks(layout, values, scale, conditions)
    loop_of: dict[str, str] = {}
    for loop in plant.loops.values():
        for element in [e for branch in loop.branches() for e in branch]:
            loop_of.setdefault(element.unit, loop.name)
    members: dict[tuple[str, str, str], list[Spot]] = {}
    for spot in layout.spots.values():
        block, _, local = spot.unit.rpartition("/")
        family_name = loop_of.get(spot.unit) if spot.kind != "cdu" else _own_loop(plant, spot.unit)
        members.setdefault((block, spot.kind, family_name or re.sub(r"([0-9]+|(?<=-)[a-z])$", "", local)), []).append(
            spot
        )
    groups = []
    for spots in members.values():
        group = Group(name_range([spot.unit for spot in spots]), spots)
        group.lines += _value_lines(spots, values, scale)
        group.weight += 2.0 * len(group.lines)
        for line in _condition_lines(spots, conditions):
            group.lines.append(line)
            group.weight += line[1]
        groups.append(group)
    return groups


def _own_loop(plant: Plant, unit: str) -> str:
    """The loop whose plant a unit belongs to."""
    return next((loop.name for loop in plant.loops.values() if any(e.unit == unit for b in loop.plant for e in b)), "")


def _value_lines(spots: list[Spot], values: dict[str, float], scale: ColourScale) -> list[tuple[str, int]]:
    known = [values[s.unit] for s in spots if not math.isnan(values.get(s.unit, math.nan))]
    return [(scale.say(min(known), max(known)), NORMAL)] if known else []


def _worst_blocks(
    layout: Layout,
    values: dict[str, float],
    scale: ColourScale,
    conditions: dict[str, Condition],
    most: int = 6,
) -> list[Group]:
    """The blocks of a campus in which most coloured machines are lost, highest values first among equals."""
    spots = list(layout.spots.values())
    groups = []
    for block, index in _block_index(layout).items():
        coloured = [spots[i] for i in index if not math.isnan(values.get(spots[i].unit, math.nan))]
        if coloured and block:
            group = Group(
                block,
                coloured,
                _value_lines(coloured, values, scale) + _condition_lines(coloured, conditions),
            )
            lost = sum(1 for s in coloured if s.unit in conditions and conditions[s.unit].state == LOST)
            group.weight = 1e6 * lost + max(values[s.unit] for s in coloured)
            groups.append(group)
    return sorted(groups, key=lambda group: -group.weight)[:most]


def _block_index(layout: Layout) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for i, name in enumerate(layout.spots):
        index.setdefault(name.rpartition("/")[0], []).append(i)
    return index


def _condition_lines(spots: list[Spot], conditions: dict[str, Condition]) -> list[tuple[str, int]]:
    """One line for each condition, most urgent first: "ups-2 on battery", "3 of 32 shut down"."""
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
    """How many machines in the picture are in each state that is not normal, most urgent first."""
    counts = {state: int((story.marks == state).sum()) for state in (LOST, STRAINED, OFF, RUNNING)}
    return {state: count for state, count in counts.items() if count}
