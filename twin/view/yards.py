"""Yards: generators and grid feeds in one; chillers, dry coolers, pumps and tanks, in the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from twin.plant import Loop, Unit
from twin.view.places import GROUND, Spot, Way, stand
from twin.view.rooms import Room
from twin.view.sizes import COOLING_YARD, POWER_YARD, size_of

MARGIN = 1.5
LONGEST_YARD = 46.0
BETWEEN = 1.3
"""Between machines in series, one behind the other [m]."""
BESIDE = 1.2
"""Between columns, wide enough for the riser that brings the coolant back [m]."""


@dataclass
class Column:
    """Machines behind each other, in the order the coolant passes them."""

    units: list[Unit] = field(default_factory=list)

    @property
    def width(self) -> float:
        return max(size_of(unit)[0] for unit in self.units)


def power_yard(units: list[Unit], depth: float) -> Room:
    """Generators, then all else, one behind the other in columns about `depth` deep, from the east."""
    free = depth - 2 * MARGIN - 1.2 + BETWEEN
    first = [unit for unit in units if unit.kind == "generator"]
    share = math.ceil(len(first) / max(1, math.ceil(_stacked(first) / free)))
    columns = [first[i : i + share] for i in range(0, len(first), max(share, 1))]
    for unit in [unit for unit in units if unit.kind != "generator"]:
        if not columns or _stacked([*columns[-1], unit]) > free:
            columns.append([])
        columns[-1].append(unit)
    spots: list[Spot] = []
    x, top = MARGIN, 0.0
    for column in reversed(columns):
        wide, y = max(size_of(unit)[0] for unit in column), MARGIN + 1.2
        for unit in column:
            deep = size_of(unit)[1]
            way = Way(y - 0.6, x + wide + 0.6, GROUND)
            spots.append(stand(unit, POWER_YARD, x + wide / 2, y + deep / 2, way))
            y += deep + BETWEEN
        top = max(top, y - BETWEEN)
        x += wide + 1.8
    return Room(x - 1.8 + MARGIN, top + MARGIN, spots) if spots else Room(0.0, 0.0, [])


def _stacked(units: list[Unit]) -> float:
    return sum(size_of(unit)[1] + BETWEEN for unit in units)


def columns_of(units: list[Unit], loops: list[Loop]) -> list[Column]:
    """One column for each branch of a loop's plant, its tank before them; strays come last."""
    here = {unit.name: unit for unit in units}
    column_of: dict[str, Column] = {}
    columns: list[Column] = []
    chains = []
    for loop in loops:
        chains += [[loop.storage]] if loop.storage else []
        chains += [[element.unit for element in branch] for branch in loop.plant]
    for loop in loops:
        chains += [[element.unit for element in branch] for branch in loop.loads]
    chains += [[name] for name in here]
    for chain in chains:
        fresh = [name for name in chain if name in here and name not in column_of]
        known = next((column_of[name] for name in chain if name in column_of), None)
        if not fresh:
            continue
        column = known or Column()
        if known is None:
            columns.append(column)
        column.units += [here[name] for name in fresh]
        column_of |= dict.fromkeys(fresh, column)
    return columns


def cooling_yard(columns: list[Column], limit: float) -> Room:
    """Stand columns side by side, in bands when they are too many for `limit`."""
    if not columns:
        return Room(0.0, 0.0, [])
    spots: list[Spot] = []
    south, width = MARGIN + 1.0, 0.0
    for number, band in enumerate(_bands(columns, limit)):
        x, top = MARGIN, south
        for column in band:
            spots += _stack(column, x, south, limit, direct=number == 0)
            top = max(top, max(spot.y + spot.depth / 2 for spot in spots[-len(column.units) :]))
            x += column.width + BESIDE
        width = max(width, x)
        south = top + BETWEEN + 1.2
    return Room(width + MARGIN, south - BETWEEN - 1.2 + MARGIN, spots)


def _bands(columns: list[Column], limit: float) -> list[list[Column]]:
    total = sum(column.width + BESIDE for column in columns)
    share = total / max(1, round(total / max(limit, 1.0) + 0.3))
    bands: list[list[Column]] = [[]]
    filled = 0.0
    for column in columns:
        if bands[-1] and filled + column.width > share + 0.5 * (column.width + BESIDE):
            bands.append([])
            filled = 0.0
        bands[-1].append(column)
        filled += column.width + BESIDE
    return bands


def _stack(column: Column, x: float, south: float, limit: float, direct: bool) -> list[Spot]:
    y = south
    spots = []
    way = Way(south - 0.9, max(limit, 1.0) + MARGIN, GROUND, direct)
    cable = Way(south - 0.5, 0.0, GROUND)
    for unit in column.units:
        depth = size_of(unit)[1]
        spots.append(stand(unit, COOLING_YARD, x + column.width / 2, y + depth / 2, way, cable))
        y += depth + BETWEEN
    return spots
