"""Routes: the ways of coolant pipes and power feeds along aisles and corridors, in straight pieces."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from twin.plant import Loop, Plant
from twin.view.layout import ROAD
from twin.view.places import GROUND, TRAY, Layout, Links, Spot, Way
from twin.view.sizes import COOLING_YARD, HALL, POWER_YARD

SUPPLY, RETURN, FEED = "supply", "return", "feed"
BRIDGE = 2.2
"""Height of the pipe bridge between hall and yards [m]."""
OVERHEAD = 3.3
"""Height at which facility pipes cross a hall [m]."""
APART = {SUPPLY: 0.24, RETURN: -0.24}
RADIUS = {SUPPLY: 0.13, RETURN: 0.13, FEED: 0.055}

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """One straight piece along one axis; `owner` is the loop, or the unit that feeds it."""

    start: Point
    end: Point
    role: str
    radius: float
    owner: str


@dataclass(frozen=True, slots=True)
class Tap:
    """Where a pipe or cable leaves a unit, and its way on; `side` steps aside before going direct."""

    x: float
    y: float
    z: float
    way: Way
    side: float = 0.0


class Drawing:
    """Collects the pieces of one net."""

    def __init__(self, role: str, radius: float, owner: str) -> None:
        self.role, self.radius, self.owner = role, radius, owner
        self.pieces: list[Piece] = []

    def line(self, *points: Point, radius: float | None = None) -> None:
        """Join points that differ in one coordinate each; equal neighbours are skipped."""
        for start, end in pairwise(points):
            if sum(abs(a - b) for a, b in zip(start, end, strict=True)) > 1e-6:
                self.pieces.append(Piece(start, end, self.role, radius or self.radius, self.owner))


def net(drawing: Drawing, taps: list[Tap], link: float, level: float, shift: float) -> None:
    """Join taps: each to its aisle, aisles along their spine, spines and direct taps along the link.

    Args:
        drawing: takes the pieces.
        taps: what is joined.
        link: y of the east-west line; level: its height.
        shift: how far supply and return (or feed A and B) are kept apart.
    """
    spines: dict[tuple[float, float], dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    joints: list[float] = []
    thin = 0.6 * drawing.radius
    for tap in taps:
        way = tap.way
        if way.direct:
            x = tap.x + tap.side + shift
            start = (tap.x + shift if tap.side == 0 else tap.x, tap.y, tap.z)
            drawing.line(start, (x, tap.y, tap.z), (x, tap.y, way.level), (x, link + shift, way.level), radius=thin)
            drawing.line((x, link + shift, way.level), (x, link + shift, level), radius=thin)
            joints.append(x)
        else:
            x, aisle = tap.x + 0.5 * shift, way.aisle + shift
            drawing.line((x, tap.y, tap.z), (x, aisle, tap.z), (x, aisle, way.level), radius=thin)
            spines[way.spine + shift, way.level][aisle].append(x)
    alone = len(spines) == 1 and not joints
    for (spine, height), aisles in spines.items():
        ends = list(aisles)
        for aisle, stops in aisles.items():
            reach = stops + ([] if alone and len(aisles) == 1 else [spine])
            drawing.line((min(reach), aisle, height), (max(reach), aisle, height))
        if not alone:
            ends.append(link + shift)
            drawing.line((spine, link + shift, height), (spine, link + shift, level))
            joints.append(spine)
        drawing.line((spine, min(ends), height), (spine, max(ends), height))
    if joints:
        drawing.line((min(joints), link + shift, level), (max(joints), link + shift, level))


def pipes(plant: Plant, layout: Layout) -> list[Piece]:
    """Supply and return of every loop."""
    pieces: list[Piece] = []
    lanes: dict[str, int] = defaultdict(int)
    for loop in plant.loops.values():
        units = {e.unit for branch in loop.branches() for e in branch} | ({loop.storage} if loop.storage else set())
        spots = [layout.spots[name] for name in units if name in layout.spots]
        if not spots:
            continue
        block = _common([spot.unit for spot in spots])
        links = layout.links.get(block, Links(1.2, 0.0, 0.0))
        inner = all(spot.room == HALL for spot in spots)
        link = links.indoors if inner else links.pipes + 1.1 * lanes[block]
        lanes[block] += not inner
        for role in (SUPPLY, RETURN):
            drawing = Drawing(role, RADIUS[role] * (0.55 if inner else 1.0), loop.name)
            taps = _loop_taps(loop, layout, role, inner)
            net(drawing, taps, link, TRAY if inner else BRIDGE, APART[role])
            pieces += drawing.pieces
        pieces += _series(loop, layout)
    return pieces


def _common(names: list[str]) -> str:
    """The innermost block that holds all names."""
    parts = [name.split("/")[:-1] for name in names]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared)


def _loop_taps(loop: Loop, layout: Layout, role: str, inner: bool) -> list[Tap]:
    """What a loop's supply or return header joins: ends of plant branches, heads of loads, or the reverse."""
    taps = []
    for branches, last in ((loop.plant, role == SUPPLY), (loop.loads, role == RETURN)):
        for branch in branches:
            placed = [layout.spots[e.unit] for e in branch if e.unit in layout.spots]
            if placed:
                spot = placed[-1] if last else placed[0]
                beside = max(s.width for s in placed) / 2 + 0.5 if last and len(placed) > 1 else 0.0
                taps.append(_pipe_tap(spot, inner, beside))
    if loop.storage in layout.spots and role == SUPPLY:
        taps.append(_pipe_tap(layout.spots[str(loop.storage)], inner, 0.0))
    return taps


def _pipe_tap(spot: Spot, inner: bool, side: float) -> Tap:
    way = spot.pipe
    if spot.room == COOLING_YARD:
        way = dataclasses.replace(way, level=0.55)
        if way.direct:
            y = spot.y if side else spot.y - 0.5 * spot.depth
            return Tap(spot.x, y, 0.55, way, side)
        return Tap(spot.x, spot.y - 0.5 * spot.depth, 0.55, way)
    if way.direct:
        return Tap(spot.x, spot.y, spot.height, way)
    if not inner:  # a unit in a hall on an outdoor loop: up and along its own row to the spine
        return Tap(spot.x, spot.y, spot.height, dataclasses.replace(way, aisle=spot.y, level=OVERHEAD))
    edge = spot.y + 0.5 * spot.depth * (1 if way.aisle > spot.y else -1)
    return Tap(spot.x, edge, 0.85 * spot.height, way)


def _series(loop: Loop, layout: Layout) -> list[Piece]:
    """Pipes between elements of one branch, where they stand behind each other."""
    drawing = Drawing(RETURN, 0.6 * RADIUS[RETURN], loop.name)
    for branch in loop.branches():
        placed = [layout.spots[e.unit] for e in branch if e.unit in layout.spots]
        for one, other in pairwise(placed):
            sign = 1 if other.y > one.y else -1
            start, end = one.y + sign * one.depth / 2, other.y - sign * other.depth / 2
            if abs(one.x - other.x) < 1e-6:
                drawing.line((one.x, start, 0.55), (one.x, end, 0.55))
            else:
                middle = (start + end) / 2
                way = (
                    (one.x, start, 0.55),
                    (one.x, middle, 0.55),
                    (other.x, middle, 0.55),
                    (other.x, end, 0.55),
                )
                drawing.line(*way)
    return drawing.pieces


def feeds(plant: Plant, layout: Layout) -> list[Piece]:
    """Power feeds, one net for each source; A and B feeds run side by side."""
    nets: dict[tuple[str, int, str], list[Spot]] = defaultdict(list)
    outer: dict[str, set[str]] = defaultdict(set)
    for consumer, sources in plant.feeds.items():
        for slot, source in enumerate(sources):
            if source not in layout.spots or consumer not in layout.spots:
                continue
            block = _common([source, consumer])
            home, far = source.rpartition("/")[0], consumer.rpartition("/")[0]
            if home == far:
                nets[source, slot % 2, block].append(layout.spots[consumer])
            elif block == home:
                outer[source].add(far)
    pieces: list[Piece] = []
    for (source, slot, block), consumers in nets.items():
        taps = [_cable_tap(spot) for spot in [layout.spots[source], *consumers]]
        indoors = all(tap.way.level == TRAY for tap in taps)
        links = layout.links.get(block, Links())
        drawing = Drawing(FEED, RADIUS[FEED], source)
        net(
            drawing,
            taps,
            links.indoors if indoors else links.outdoors,
            TRAY if indoors else GROUND,
            0.14 * slot,
        )
        pieces += drawing.pieces
    for source, blocks in outer.items():
        pieces += _to_blocks(source, blocks, layout)
    return pieces


def _cable_tap(spot: Spot) -> Tap:
    edge = spot.y + 0.5 * spot.depth * (1 if spot.cable.aisle > spot.y else -1)
    if spot.room in (POWER_YARD, COOLING_YARD):
        return Tap(spot.x, edge, GROUND, spot.cable)
    return Tap(spot.x, edge, spot.height, spot.cable)


def _to_blocks(source: str, blocks: set[str], layout: Layout) -> list[Piece]:
    """Cables in the roads from a machine of the site to the blocks it feeds."""
    spot = layout.spots[source]
    boxes: dict[str, list[float]] = {}
    for area in layout.areas:
        if area.block in blocks and area.use != "road":
            box = boxes.setdefault(area.block, [area.x0, area.y0])
            box[:] = [min(box[0], area.x0), min(box[1], area.y0)]
    if not boxes:
        return []
    west = min(box[0] for box in boxes.values()) - ROAD / 2
    taps = [Tap(x + 1.0, y, GROUND, Way(y - ROAD / 2, west, GROUND)) for x, y in boxes.values()]
    drawing = Drawing(FEED, 4 * RADIUS[FEED], source)
    net(drawing, [Tap(spot.x, spot.y, GROUND, Way(spot.y, west, GROUND)), *taps], 0.0, GROUND, 0.0)
    return drawing.pieces


def cut(pieces: list[Piece], box: tuple[float, float, float, float]) -> list[Piece]:
    """The parts of pieces that lie over a piece of ground."""
    kept = []
    for piece in pieces:
        (ax, ay, az), (bx, by, bz) = piece.start, piece.end
        start = (min(max(ax, box[0]), box[2]), min(max(ay, box[1]), box[3]), az)
        end = (min(max(bx, box[0]), box[2]), min(max(by, box[1]), box[3]), bz)
        beside = (start[0] != ax and ax == bx) or (start[1] != ay and ay == by)
        if not beside and start != end:
            kept.append(dataclasses.replace(piece, start=start, end=end))
    return kept


def joined(pieces: list[Piece]) -> list[Piece]:
    """Pieces of one role on one line that touch or overlap, as one; what is drawn twice shows once."""
    lines: dict[tuple[str, int, float, float], list[tuple[float, float, Piece]]] = defaultdict(list)
    for piece in pieces:
        axis = max(range(3), key=lambda i: abs(piece.end[i] - piece.start[i]))
        one, two = [round(piece.start[i], 3) for i in range(3) if i != axis]
        low, high = sorted((piece.start[axis], piece.end[axis]))
        lines[piece.role, axis, one, two].append((low, high, piece))
    result = []
    for (_, axis, _, _), spans in lines.items():
        spans.sort(key=lambda span: span[:2])
        low, high, first = spans[0]
        widest = first.radius
        for start, end, piece in [*spans[1:], (float("inf"), float("inf"), first)]:
            if start > high + 1e-6:
                result.append(_stretched(first, axis, low, high, widest))
                low, high, first, widest = start, end, piece, piece.radius
            high, widest = max(high, end), max(widest, piece.radius)
    return result


def _stretched(piece: Piece, axis: int, low: float, high: float, radius: float) -> Piece:
    x, y, z = piece.start
    ends: list[Point] = []
    for at in (low, high):
        ends.append((at if axis == 0 else x, at if axis == 1 else y, at if axis == 2 else z))
    return dataclasses.replace(piece, start=ends[0], end=ends[1], radius=radius)
