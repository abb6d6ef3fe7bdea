"""Layout: where each unit stands when its author did not say; the same plant always gives the same ground."""

from __future__ import annotations

import math
from collections.abc import Callable

from twin.plant import Loop, Plant, Unit
from twin.view import rooms, yards
from twin.view.places import GROUND, TRAY, Area, Layout, Links, Spot, Way, stand
from twin.view.sizes import COOLING_YARD, ELECTRICAL, HALL, NOWHERE, POWER_YARD, WALL, footprint, place_of

ROAD = 9.0
LANE = 1.1
BOARD_ROWS = (("pdu",), ("ups", "rectifier"), ("ats", "sts", "bus", "breaker"), ("transformer",))
"""Rows of the electrical room from the hall side to the yard side."""


def arrange(plant: Plant) -> Layout:
    """Place every unit that takes ground.

    Units whose names share a prefix (`h001/...`) are one block; blocks stand on a grid with roads
    between, all else of the site to the west of them. A spot the author gave (`at:`) is kept.

    Returns:
        The layout; units without a body (zones, the site) have no spot.
    """
    units = [unit for unit in plant.units.values() if footprint(unit.kind).place != NOWHERE]
    loops: dict[str, list[Loop]] = {}
    for loop in plant.loops.values():
        for name in {element.unit for branch in loop.branches() for element in branch}:
            loops.setdefault(name, []).append(loop)
    return _arrange(units, loops, "")


def _arrange(units: list[Unit], loops: dict[str, list[Loop]], block: str) -> Layout:
    """Place a block, its inner blocks on a grid beside its own units."""
    own, inner = _split(units, block)
    if not inner:
        return _block(own, loops, block)
    cells = {name: _arrange(members, loops, name) for name, members in inner.items()}
    wide = max(cell.box[2] - cell.box[0] for cell in cells.values())
    deep = max(cell.box[3] - cell.box[1] for cell in cells.values())
    count = len(cells)
    across = min(range(1, count + 1), key=lambda n: _squareness(n, count, wide, deep))
    rows = math.ceil(count / across)
    made = _block(own, loops, block, rows * (deep + ROAD)) if own else Layout()
    x0, y0, x1, y1 = made.box
    left = x1 - x0 + ROAD if own else 0.0
    grid = Layout()
    for i, cell in enumerate(cells.values()):
        row, column = divmod(i, across)
        cx0, cy0, _, _ = cell.box
        grid.take(cell, left + column * (wide + ROAD) - cx0, (rows - 1 - row) * (deep + ROAD) - cy0)
    grid.take(made, -x0, max(0.0, (rows * (deep + ROAD) - ROAD - (y1 - y0)) / 2) - y0)
    grid.areas = _roads(left, wide, deep, across, rows, block) + grid.areas
    return grid


def _split(units: list[Unit], block: str) -> tuple[list[Unit], dict[str, list[Unit]]]:
    """A block's own units, and those of the blocks inside it by their full name."""
    own: list[Unit] = []
    inner: dict[str, list[Unit]] = {}
    start = len(block) + 1 if block else 0
    for unit in units:
        end = unit.name.find("/", start)
        if end < 0:
            own.append(unit)
        else:
            inner.setdefault(unit.name[:end], []).append(unit)
    return own, inner


def _squareness(across: int, count: int, wide: float, deep: float) -> tuple[float, int]:
    """How far a grid is from 1.45 times as wide as deep, with empty cells counted against it."""
    rows = math.ceil(count / across)
    shape = across * (wide + ROAD) / (rows * (deep + ROAD))
    return abs(math.log(shape / 1.45)) + 0.5 * (across * rows - count) / count, across


def _roads(left: float, wide: float, deep: float, across: int, rows: int, block: str) -> list[Area]:
    right, top = left + across * (wide + ROAD), rows * (deep + ROAD) - ROAD
    roads = [Area("", "road", block, left - ROAD, y - ROAD, right, y) for y in _steps(0.0, deep + ROAD, rows + 1)]
    roads += [Area("", "road", block, x - ROAD, -ROAD, x, top + ROAD) for x in _steps(left, wide + ROAD, across + 1)]
    return roads


def _steps(start: float, step: float, count: int) -> list[float]:
    return [start + i * step for i in range(count)]


def _block(units: list[Unit], loops: dict[str, list[Loop]], block: str, tall: float = 0.0) -> Layout:
    """Place one block: rooms in front, yards behind them across a corridor for pipes.

    Args:
        loops: of each unit.
        tall: depth that the block may fill, where it stands beside a grid of others.
    """
    free = [unit for unit in units if unit.at is None]
    layout = Layout()
    near = list({loop.name: loop for unit in free for loop in loops.get(unit.name, [])}.values())
    halls = _halls(free, near)
    hall_depth = max((room.depth for _, room in halls), default=0.0)
    hall_width = sum(room.width for _, room in halls)
    columns = yards.columns_of(_in(COOLING_YARD, free), near)
    cooling = yards.cooling_yard(columns, max(1.25 * hall_width, yards.LONGEST_YARD))
    power = yards.power_yard(_in(POWER_YARD, free), max(1.12 * max(cooling.depth, hall_depth, 16.0), 0.55 * tall))
    boards = _boards(free)
    limit = max(power.width - 3.4, 0.7 * hall_width, 8.0)
    room = rooms.electrical_room(boards, limit, max(hall_depth, 10.0, 0.3 * tall))
    depth = max(hall_depth, room.depth)
    x = 0.0
    if room.spots:
        layout.areas.append(rooms.room_area(room, "Electrical room", "electrical", block, x, depth))
        layout.add(room.spots)
        x = room.width
    for zone, made in halls:
        shift = depth - made.depth
        layout.areas.append(rooms.room_area(made, "Data hall", "hall", block, x, depth, zone))
        layout.add(spot.moved(x, shift if spot.pipe.direct else shift / 2) for spot in made.spots)
        x += made.width
    lanes = sum(_outdoors(loop, layout) for loop in near)
    y = depth + 2.6 + LANE * lanes if depth else 0.0
    _yards(layout, power, cooling, block, max(room.width, power.width + 2.0 if power.spots else 0.0), y)
    layout.links[block] = Links(1.2, depth + 0.9, depth + 2.0)
    _authored(layout, [unit for unit in units if unit.at is not None], block)
    return layout


def _outdoors(loop: Loop, layout: Layout) -> bool:
    """Whether some of a loop's machines stand in the yards."""
    return any(e.unit not in layout.spots for branch in loop.branches() for e in branch)


def _in(place: str, units: list[Unit]) -> list[Unit]:
    return [unit for unit in units if place_of(unit) == place]


def _boards(units: list[Unit]) -> list[list[Unit]]:
    boards = _in(ELECTRICAL, units)
    known = {kind for row in BOARD_ROWS for kind in row}
    rows = [[unit for unit in boards if unit.kind in row] for row in BOARD_ROWS]
    return [*rows, [unit for unit in boards if unit.kind not in known]]


def _halls(units: list[Unit], loops: list[Loop]) -> list[tuple[str, rooms.Room]]:
    """One hall for each air zone, in the order in which racks first name it."""
    inside, walls = _in(HALL, units), _in(WALL, units)
    loop_of = {e.unit: loop.name for loop in reversed(loops) for branch in loop.loads for e in branch}
    served = {e.unit: loop.name for loop in reversed(loops) for branch in loop.plant for e in branch}
    groups: dict[str, dict[str, rooms.RackGroup]] = {}
    ends = [unit for unit in inside if unit.kind == "cdu"]
    for unit in inside:
        if unit.kind != "cdu":
            zone = groups.setdefault(unit.zone or "", {})
            zone.setdefault(loop_of.get(unit.name, ""), rooms.RackGroup([])).racks.append(unit)
    for unit in ends:
        loop = served.get(unit.name, "")
        home = next((zone[loop] for zone in groups.values() if loop in zone), None)
        if home is None:
            home = groups.setdefault(unit.zone or next(iter(groups), ""), {}).setdefault(loop, rooms.RackGroup([]))
        home.ends.append(unit)
    for unit in walls:
        groups.setdefault(unit.zone or next(iter(groups), ""), {})
    first = next(iter(groups), "")
    return [
        (zone, rooms.hall(list(made.values()), [unit for unit in walls if (unit.zone or first) == zone]))
        for zone, made in groups.items()
    ]


def _yards(layout: Layout, power: rooms.Room, cooling: rooms.Room, block: str, x: float, y: float) -> None:
    """Place both yards north of the building, power behind the boards and cooling behind the hall."""
    deep = max(power.depth, cooling.depth)
    if power.spots:
        layout.areas.append(Area("Power yard", POWER_YARD, block, 0.0, y, power.width, y + deep))
        layout.add(spot.moved(0.0, y) for spot in power.spots)
    if cooling.spots:
        layout.areas.append(Area("Cooling yard", COOLING_YARD, block, x, y, x + cooling.width, y + deep))
        layout.add(spot.moved(x, y) for spot in cooling.spots)


def _authored(layout: Layout, units: list[Unit], block: str) -> None:
    """Keep the spots that the author gave, and move everything else clear of them."""
    if not units:
        return
    given = [_given(unit) for unit in units]
    if layout.spots and any(_touch(one.box, other.box) for one in given for other in layout.spots.values()):
        shift = max(spot.box[2] for spot in given) + 4.0 - layout.box[0]
        moved = Layout()
        moved.take(layout, shift, 0.0)
        layout.spots, layout.areas = moved.spots, moved.areas
    layout.areas = _given_floors(given, block) + layout.areas
    layout.add(given)


def _given(unit: Unit) -> Spot:
    assert unit.at is not None
    x, y, z = unit.at
    place = place_of(unit)
    inside = place in (HALL, ELECTRICAL, WALL)
    spot = stand(unit, place, x, y, Way(y, x, TRAY if inside else GROUND))
    way = Way(y - spot.depth / 2 - 0.6, x, spot.pipe.level)
    return Spot(unit.name, unit.kind, spot.room, x, y, z, spot.width, spot.depth, spot.height, way, way)


def _given_floors(spots: list[Spot], block: str) -> list[Area]:
    floors = []
    title: Callable[[str], str] = lambda use: "Data hall" if use == HALL else use.capitalize()  # noqa: E731
    for use in (HALL, ELECTRICAL, POWER_YARD, COOLING_YARD):
        boxes = [spot.box for spot in spots if spot.room == use or (use == HALL and spot.room == WALL)]
        if boxes:
            x0, y0, x1, y1 = zip(*boxes, strict=True)
            floors.append(Area(title(use), use, block, min(x0) - 2, min(y0) - 3, max(x1) + 2, max(y1) + 2))
    return floors


def _touch(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
