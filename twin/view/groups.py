"""Groups: machines that share a label, and what is worth saying of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from twin.plant import Plant
from twin.view.colours import LOST, NORMAL, STRAINED
from twin.view.places import Layout, Spot
from twin.view.reading import Condition
from twin.view.scale import ColourScale
from twin.view.words import name_range


@dataclass
class Group:
    """Machines that share a label: what they are called, how they are, and where they stand."""

    title: str
    spots: list[Spot]
    lines: list[tuple[str, int]] = field(default_factory=list)
    weight: float = 0.0


def crowded(layout: Layout) -> bool:
    """Whether a layout is a campus: machines become specks, so blocks speak for them."""
    return len({area.block for area in layout.areas if area.use != "road"}) > 3


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
    """The blocks of a campus where most coloured machines are lost; where none is unwell, the highest block."""
    spots = list(layout.spots.values())
    groups: list[tuple[bool, Group]] = []
    for block, index in _block_index(layout).items():
        coloured = [spots[i] for i in index if not math.isnan(values.get(spots[i].unit, math.nan))]
        if coloured and block:
            group = Group(
                block,
                coloured,
                _value_lines(coloured, values, scale) + _condition_lines(coloured, conditions),
            )
            states = [conditions[spot.unit].state for spot in coloured if spot.unit in conditions]
            top = max(values[spot.unit] for spot in coloured)
            group.weight = 1e8 * states.count(LOST) + 1e5 * states.count(STRAINED) + top
            groups.append((bool(states), group))
    groups.sort(key=lambda pair: -pair[1].weight)
    return [group for unwell, group in groups if unwell][:most] or [group for _, group in groups][:1]


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
