"""Rooms: racks in rows of hot and cold aisles with CDUs at the row ends, and the electrical room."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import zip_longest

from twin.plant import Unit
from twin.view.places import Area, Spot, Way, stand
from twin.view.sizes import ELECTRICAL, HALL, size_of

LONGEST_ROW = 20
SINGLE_ROW = 10
FRONT = 2.6
"""Free strip along the south wall: the gangway, where the room's name is written [m]."""
COLD_AISLE, HOT_AISLE, GANGWAY = 2.4, 1.8, 2.0
WALL_BACK = 2.2


@dataclass
class RackGroup:
    """Racks that share an air zone and a coolant loop, and the CDUs that serve them."""

    racks: list[Unit]
    ends: list[Unit] = field(default_factory=list)


@dataclass
class Pair:
    """Two rows back to back across a hot aisle; the north row may be empty."""

    south: list[Unit]
    north: list[Unit]

    @property
    def length(self) -> float:
        return max(_length(self.south), _length(self.north))

    @property
    def depth(self) -> float:
        north = max((size_of(unit)[1] for unit in self.north), default=0.0)
        return max((size_of(unit)[1] for unit in self.south), default=1.2) + HOT_AISLE + north


@dataclass
class Room:
    """A room with its units placed; x and y count from its south-west corner."""

    width: float
    depth: float
    spots: list[Spot]


def _length(row: list[Unit]) -> float:
    return sum(size_of(unit)[0] for unit in row) + 0.05 * len(row)


def pairs_of(group: RackGroup) -> list[Pair]:
    """Cut a group into rows of equal length, with its CDUs shared among the row ends."""
    count = len(group.racks)
    if count == 0:
        return [Pair(group.ends, [])]
    pairs = max(1, math.ceil(count / (2 * LONGEST_ROW)))
    per_row = count if count <= SINGLE_ROW else math.ceil(count / (2 * pairs))
    rows = [group.racks[i : i + per_row] for i in range(0, count, per_row)]
    rest = list(group.ends)
    for i, row in enumerate(rows):
        share = math.ceil(len(rest) / (len(rows) - i))
        rows[i] = row + rest[:share]
        rest = rest[share:]
    return [Pair(south, north or []) for south, north in zip_longest(rows[::2], rows[1::2])]


def hall(groups: list[RackGroup], walls: list[Unit]) -> Room:
    """Lay out one hall: pairs of rows stacked northwards in columns, fan walls along the north wall."""
    pairs = [pair for group in groups for pair in pairs_of(group)]
    column = max((pair.length for pair in pairs), default=0.0) + 2 * GANGWAY
    per_column = _per_column(pairs, column)
    columns = math.ceil(len(pairs) / per_column)
    wall_length = sum(size_of(unit)[0] + 0.25 for unit in walls)
    width = max(columns * column, wall_length + 1.0, 6.0)
    spots: list[Spot] = []
    top, west = FRONT, (width - columns * column) / 2 + GANGWAY
    for i in range(0, len(pairs), per_column):
        x, y = west + column * (i // per_column), FRONT
        for pair in pairs[i : i + per_column]:
            spots += _place(pair, x, y)
            y += pair.depth + COLD_AISLE
        top = max(top, y)
    depth = top + (WALL_BACK - 1.0 if walls else 0.0)
    spots += _along_the_wall(walls, width, depth)
    return Room(width, depth, spots)


def _per_column(pairs: list[Pair], column: float) -> int:
    """How many pairs stand behind each other, so that the hall is about 1.6 times as long as deep."""
    if not pairs:
        return 1
    deep = max(pair.depth for pair in pairs) + COLD_AISLE
    shapes = {n: math.ceil(len(pairs) / n) * column / (FRONT + n * deep + WALL_BACK) for n in range(1, len(pairs) + 1)}
    return min(shapes, key=lambda n: (abs(math.log(shapes[n] / 1.6)), n))


def _place(pair: Pair, x: float, y: float) -> list[Spot]:
    """Stand a pair's two rows with the hot aisle between them; pipes use it, cables the cold side."""
    south_depth = max((size_of(unit)[1] for unit in pair.south), default=1.2)
    hot = y + south_depth + HOT_AISLE / 2
    north_base = y + south_depth + HOT_AISLE
    north_depth = max((size_of(unit)[1] for unit in pair.north), default=0.0)
    pipe = Way(hot, x + pair.length + 0.9)
    cables = (y - 0.12, north_base + north_depth + 0.12)
    spots = []
    for row, base, cable_y in ((pair.south, y, cables[0]), (pair.north, north_base, cables[1])):
        at = x
        for unit in row:
            width, depth, _ = size_of(unit)
            centre = base + depth / 2 if row is pair.north else base + south_depth - depth / 2
            spots.append(stand(unit, HALL, at + width / 2, centre, pipe, Way(cable_y, x - 0.7)))
            at += width + 0.05
    return spots


def _along_the_wall(walls: list[Unit], width: float, depth: float) -> list[Spot]:
    """Spread fan walls evenly along the north wall; their water comes straight through it."""
    if not walls:
        return []
    step = width / len(walls)
    y = depth - 0.35 - max(size_of(unit)[1] for unit in walls) / 2
    way = Way(depth, width - 0.9, TRAY_OVER_WALL, direct=True)
    cable = Way(y - 1.0, 1.3)
    return [stand(unit, HALL, (i + 0.5) * step, y, way, cable) for i, unit in enumerate(walls)]


TRAY_OVER_WALL = 3.4
"""Height at which pipes pass over the fan walls [m]."""


def electrical_room(rows: list[list[Unit]], limit: float, depth: float) -> Room:
    """Lay out boards in rows no longer than `limit`, south row first, spread over a room `depth` deep."""
    rows = [row for row in rows if row]
    if not rows:
        return Room(0.0, 0.0, [])
    limit = max(limit, max(size_of(unit)[0] for row in rows for unit in row))
    aisle = 1.5
    if shelve(rows, limit, aisle, FRONT)[1] > depth:
        rows = [[unit for row in rows for unit in row]]
    while shelve(rows, limit, aisle + 0.1, FRONT)[1] <= depth and aisle < 3.0:
        aisle += 0.1
    placed, top, width = shelve(rows, limit, aisle, FRONT)
    width = max(width, limit) + 3.4
    spots = [stand(unit, ELECTRICAL, x + 1.2, y, Way(base - 0.6, width - 1.0)) for unit, x, y, base in placed]
    return Room(width, top + 1.2, spots)


def shelve(
    rows: list[list[Unit]], limit: float, aisle: float, front: float, gap: float = 0.3
) -> tuple[list[tuple[Unit, float, float, float]], float, float]:
    """Stand rows of machines behind each other, wrapping a row longer than `limit`.

    Returns:
        Each unit with the x and y of its centre and the y where its shelf begins; depth; width [m].
    """
    placed: list[tuple[Unit, float, float, float]] = []
    y, width = front, 0.0
    for row in rows:
        x, deepest = 0.0, 0.0
        total = sum(size_of(unit)[0] + gap for unit in row) - gap
        share = total / math.ceil(total / limit - 1e-9) if total > 0 else 0.0
        for unit in row:
            across, deep, _ = size_of(unit)
            if x > 0 and (x + across > limit + 1e-9 or x + across > share + 0.75 * across):
                y, x, deepest = y + deepest + aisle, 0.0, 0.0
            placed.append((unit, x + across / 2, y + deep / 2, y))
            x += across + gap
            deepest, width = max(deepest, deep), max(width, x - gap)
        y += deepest + aisle
    return placed, y - aisle, width


def room_area(room: Room, title: str, use: str, block: str, x: float, depth: float, zone: str = "") -> Area:
    """The floor of a room whose west wall is at x."""
    return Area(title, use, block, x, 0.0, x + room.width, depth, zone)
