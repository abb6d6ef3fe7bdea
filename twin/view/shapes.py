"""Shapes: what a machine of each kind looks like, in metres, as triangles with the unit they belong to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from twin.view.places import Spot

BODY, TRIM, DARK, LIGHT = range(4)
"""Paints: BODY takes the colour of the value, TRIM a darker tone of it; DARK and LIGHT are fixed."""


@dataclass(frozen=True)
class Shape:
    """Triangles of one machine about the centre of its footprint, with a paint each, and its outline."""

    points: np.ndarray
    triangles: np.ndarray
    paint: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True)
class Mesh:
    """Many machines in one: `unit` and `line_unit` say, per triangle and line, which spot it belongs to."""

    points: np.ndarray
    triangles: np.ndarray
    paint: np.ndarray
    unit: np.ndarray
    line_points: np.ndarray
    line_unit: np.ndarray


class Maker:
    """Collects boxes and drums into one Shape."""

    def __init__(self) -> None:
        self.points: list[np.ndarray] = []
        self.triangles: list[np.ndarray] = []
        self.paint: list[np.ndarray] = []
        self.lines: list[np.ndarray] = []
        self.count = 0

    def _add(self, points: np.ndarray, triangles: np.ndarray, paint: int) -> None:
        self.points.append(points)
        self.triangles.append(triangles + self.count)
        self.paint.append(np.full(len(triangles), paint))
        self.count += len(points)

    def box(
        self,
        x: Sequence[float],
        y: Sequence[float],
        z: Sequence[float],
        paint: int = BODY,
        edged: bool = False,
    ) -> None:
        """A box between two x, two y and two z."""
        corners = np.array([(a, b, c) for c in z for b in y for a in x], dtype=float)
        self._add(corners, BOX_TRIANGLES, paint)
        if edged:
            self.lines.append(corners[BOX_EDGES].reshape(-1, 3))

    def drum(
        self,
        centre: Sequence[float],
        radius: float,
        length: float,
        axis: int = 2,
        paint: int = BODY,
        sides: int = 20,
    ) -> None:
        """A cylinder from `centre` along an axis."""
        angle = np.linspace(0, 2 * math.pi, sides, endpoint=False)
        ring = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=1)
        one, two = [i for i in range(3) if i != axis]
        ends = np.zeros((2 * sides + 2, 3))
        for k, along in enumerate((0.0, length)):
            rows = slice(k * sides, (k + 1) * sides)
            ends[rows, one], ends[rows, two], ends[rows, axis] = ring[:, 0], ring[:, 1], along
            ends[2 * sides + k, axis] = along
        i = np.arange(sides)
        j = (i + 1) % sides
        low, high = np.full(sides, 2 * sides), np.full(sides, 2 * sides + 1)
        wall = [np.stack([i, j, j + sides], 1), np.stack([i, j + sides, i + sides], 1)]
        caps = [np.stack([low, j, i], 1), np.stack([high, i + sides, j + sides], 1)]
        triangles = np.concatenate(wall + caps)
        if axis == 1:  # x, z is a left-handed pair
            triangles = triangles[:, ::-1]
        self._add(ends + np.asarray(centre, dtype=float), triangles, paint)

    def made(self) -> Shape:
        lines = np.concatenate(self.lines) if self.lines else np.zeros((0, 3))
        return Shape(np.concatenate(self.points), np.concatenate(self.triangles), np.concatenate(self.paint), lines)


BOX_TRIANGLES = np.array(
    [
        *([0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 5], [0, 5, 4]),
        *([2, 6, 7], [2, 7, 3], [0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5]),
    ]
)
BOX_EDGES = np.array([0, 1, 1, 3, 3, 2, 2, 0, 4, 5, 5, 7, 7, 6, 6, 4, 0, 4, 1, 5, 2, 6, 3, 7])


def _cabinet(m: Maker, w: float, d: float, h: float, doors: int) -> None:
    """A row of cabinets on a plinth, with door seams and handles on the south face."""
    m.box((-w / 2, w / 2), (-d / 2 + 0.04, d / 2), (0, 0.1), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.1, h), BODY, edged=True)
    for i in range(1, doors):
        x = -w / 2 + w * i / doors
        m.box((x - 0.012, x + 0.012), (-d / 2 - 0.01, -d / 2), (0.1, h), TRIM)
    for i in range(doors):
        x = -w / 2 + w * (i + 0.86) / doors
        m.box((x - 0.025, x + 0.025), (-d / 2 - 0.03, -d / 2), (0.45 * h, 0.6 * h), DARK)


def _rack(m: Maker, w: float, d: float, h: float) -> None:
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.08), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.08, h), BODY, edged=True)
    for y, out in ((-d / 2, -0.012), (d / 2, 0.012)):
        m.box((-w / 2 + 0.06, w / 2 - 0.06), sorted((y, y + out)), (0.22, h - 0.14), TRIM)
        for k in range(1, 6):  # trays
            z = 0.22 + (h - 0.36) * k / 6
            m.box((-w / 2 + 0.06, w / 2 - 0.06), sorted((y + out, y + 2 * out)), (z - 0.012, z + 0.012), BODY)


def _air_rack(m: Maker, w: float, d: float, h: float) -> None:
    """Servers with a grille before, and four rows of fans behind."""
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.08), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.08, h), BODY, edged=True)
    high = (h - 0.3) / 4
    for k in range(4):
        z = 0.16 + k * (high + 0.02)
        m.box((-w / 2 + 0.05, w / 2 - 0.05), (-d / 2 - 0.015, -d / 2), (z, z + high - 0.03), TRIM)
        m.box((-w / 2 + 0.09, w / 2 - 0.09), (-d / 2 - 0.03, -d / 2 - 0.015), (z + 0.04, z + 0.55 * high), DARK)
        for x in (-0.28 * w, 0.0, 0.28 * w):
            m.drum((x, d / 2, z + 0.5 * high), 0.12 * w, 0.02, axis=1, paint=DARK, sides=10)


def _storage_system(m: Maker, w: float, d: float, h: float) -> None:
    """Shelves of drives, upright side by side."""
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.08), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.08, h), BODY, edged=True)
    for k in range(6):
        z = 0.2 + (h - 0.36) * k / 6
        for n in range(8):
            x = -w / 2 + 0.07 + (w - 0.14) * n / 8
            m.box((x, x + 0.7 * (w - 0.14) / 8), (-d / 2 - 0.015, -d / 2), (z, z + 0.7 * (h - 0.36) / 6), TRIM)


def _cdu(m: Maker, w: float, d: float, h: float) -> None:
    _cabinet(m, w, d, h, 1)
    m.box((-w / 2 + 0.15, w / 2 - 0.3), (-d / 2 - 0.015, -d / 2), (0.66 * h, 0.84 * h), DARK)
    for x in (-0.22 * w, 0.22 * w):
        m.drum((x, 0, h), 0.11, 0.3, paint=LIGHT, sides=12)


def _fan_wall(m: Maker, w: float, d: float, h: float) -> None:
    m.box((-w / 2, w / 2), (-d / 2 + 0.1, d / 2), (0, h), BODY, edged=True)
    across = 0.42 * min(w / 3, h / 2)
    for i in range(max(1, round(w / 0.95))):
        x = -w / 2 + w * (i + 0.5) / max(1, round(w / 0.95))
        for z in (0.28 * h, 0.72 * h):
            m.drum((x, -d / 2 + 0.1, z), across, -0.05, axis=1, paint=TRIM, sides=16)
            m.drum((x, -d / 2 + 0.05, z), 0.3 * across, -0.05, axis=1, paint=DARK, sides=10)


def _transformer(m: Maker, w: float, d: float, h: float) -> None:
    m.box((-w / 2 + 0.1, w / 2 - 0.1), (-d / 2 + 0.1, d / 2 - 0.1), (0, 0.15), DARK)
    m.box((-0.36 * w, 0.36 * w), (-0.3 * d, 0.3 * d), (0.15, 0.74 * h), BODY, edged=True)
    for side in (-1, 1):
        for k in range(6):  # radiator fins
            x = -0.3 * w + 0.6 * w * k / 5
            m.box((x - 0.05, x + 0.05), sorted((side * 0.3 * d, side * 0.5 * d)), (0.3, 0.68 * h), TRIM)
    for k in (-1, 0, 1):
        m.drum((k * 0.22 * w, 0, 0.74 * h), 0.08, 0.26 * h, paint=LIGHT, sides=10)


def _generator(m: Maker, w: float, d: float, h: float) -> None:
    """An engine's enclosure: air in at the west end, radiator fans on the roof in the east."""
    top = h - 0.7
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.3), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.3, top), BODY, edged=True)
    for k in range(3):
        x = -w / 2 + 0.5 + 1.1 * k
        for i in range(5):
            z = 0.7 + 0.36 * i
            m.box((x, x + 0.9), (-d / 2 - 0.03, -d / 2), (z, z + 0.18), DARK)
    for x in (0.12 * w, 0.28 * w):
        m.box((x - 0.5, x + 0.5), (-d / 2 - 0.03, -d / 2), (0.4, 0.75 * top), TRIM)
    m.box((w / 2 - 3.2, w / 2 - 0.4), (-d / 2 + 0.3, d / 2 - 0.3), (top, top + 0.12), TRIM)
    for x in (w / 2 - 2.5, w / 2 - 1.1):
        m.drum((x, 0, top + 0.12), 0.55, 0.04, paint=DARK, sides=20)
    m.drum((-w / 2 + 3.6, 0, top + 0.45), 0.42, 3.0, axis=0, paint=LIGHT, sides=16)
    m.drum((-w / 2 + 3.2, 0, top), 0.2, 0.7, paint=DARK, sides=12)


def _bess(m: Maker, w: float, d: float, h: float) -> None:
    """Containers of cells side by side, doors and a chiller on each; the inverter and its duct in the east."""
    last = 0.72 * w - w / 2
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.18), DARK)
    count = max(2, round(0.72 * w / 1.6))
    step = (last + w / 2) / count
    for k in range(count):
        x = -w / 2 + k * step
        m.box((x + 0.05, x + step - 0.05), (-d / 2, d / 2), (0.18, 0.86 * h), BODY, edged=True)
        m.box((x + 0.18, x + step - 0.18), (-d / 2 - 0.03, -d / 2), (0.4, 0.76 * h), TRIM)
        m.box((x + 0.2, x + step - 0.2), (0.05 * d, 0.4 * d), (0.86 * h, h), LIGHT)
        m.drum((x + step / 2, 0.22 * d, h - 0.02), 0.16 * min(step, d), 0.04, paint=DARK, sides=16)
    m.box((last + 0.1, w / 2), (-0.42 * d, 0.42 * d), (0.18, 0.9 * h), BODY, edged=True)
    for k in range(4):  # louvres
        z = 0.5 + 0.13 * h * k
        m.box((last + 0.35, w / 2 - 0.25), (-0.42 * d - 0.03, -0.42 * d), (z, z + 0.07 * h), DARK)
    m.box((last - 0.05, last + 0.15), (-0.12 * d, 0.12 * d), (0.4 * h, 0.55 * h), TRIM)


def _utility(m: Maker, w: float, d: float, h: float) -> None:
    """The gantry where the grid's line comes in."""
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.12), LIGHT)
    for x in (-0.42 * w, 0.42 * w):
        m.box((x - 0.16, x + 0.16), (-0.16, 0.16), (0.12, h), BODY)
    m.box((-0.5 * w, 0.5 * w), (-0.14, 0.14), (h - 0.75, h - 0.45), BODY)
    for k in (-1, 0, 1):
        m.drum((k * 0.24 * w, 0, h - 1.9), 0.1, 1.15, paint=DARK, sides=10)
    m.box((-0.36 * w, 0.36 * w), (-0.42 * d, -0.16 * d), (0.12, 0.34 * h), BODY, edged=True)


def _chiller(m: Maker, w: float, d: float, h: float) -> None:
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.2), DARK)
    m.box((-w / 2 + 0.1, w / 2 - 0.1), (-d / 2, -d / 2 + 0.2 * d), (0.2, 0.85 * h), BODY, edged=True)
    m.box((-w / 2, w / 2), (-d / 2 + 0.2 * d, d / 2), (0.45 * h, h), BODY, edged=True)
    for x in (-0.24 * w, 0.24 * w):
        m.drum((x, -d / 2 + 0.2 * d, 0.3 * h), 0.17 * w, 0.76 * d, axis=1, paint=TRIM, sides=14)
    _fans(m, w, (-d / 2 + 0.2 * d, d / 2), h)


def _dry_cooler(m: Maker, w: float, d: float, h: float) -> None:
    for x in (-w / 2 + 0.08, w / 2 - 0.08):
        for k in range(4):
            y = -d / 2 + 0.1 + (d - 0.2) * k / 3
            m.box((x - 0.06, x + 0.06), (y - 0.06, y + 0.06), (0, 0.4 * h), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.4 * h, h), BODY, edged=True)
    _fans(m, w, (-d / 2, d / 2), h)


def _cooling_tower(m: Maker, w: float, d: float, h: float) -> None:
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.14 * h), LIGHT)
    m.box((-w / 2 + 0.15, w / 2 - 0.15), (-d / 2 + 0.15, d / 2 - 0.15), (0.14 * h, 0.32 * h), DARK)
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0.32 * h, 0.84 * h), BODY, edged=True)
    m.drum((0, 0, 0.84 * h), 0.38 * w, 0.16 * h, sides=28)
    m.drum((0, 0, 0.985 * h), 0.34 * w, 0.02 * h, paint=DARK, sides=24)
    m.drum((0, 0, h), 0.08 * w, 0.02, paint=TRIM, sides=10)


def _fans(m: Maker, w: float, y: tuple[float, float], z: float) -> None:
    """Two rows of fans on a roof."""
    rows = max(1, round((y[1] - y[0]) / (0.5 * w)))
    for x in (-w / 4, w / 4):
        for k in range(rows):
            at = (x, y[0] + (y[1] - y[0]) * (k + 0.5) / rows, z)
            m.drum(at, 0.2 * w, 0.06, paint=TRIM, sides=18)
            m.drum((at[0], at[1], z + 0.06), 0.06 * w, 0.03, paint=DARK, sides=8)


def _pump(m: Maker, w: float, d: float, h: float) -> None:
    m.box((-w / 2, w / 2), (-d / 2, d / 2), (0, 0.18), LIGHT)
    m.drum((0, -0.42 * d, 0.55 * h), 0.36 * w, 0.5 * d, axis=1, sides=18)
    m.drum((0, 0.1 * d, 0.55 * h), 0.14 * w, 0.12 * d, axis=1, paint=DARK, sides=10)
    m.drum((0, 0.2 * d, 0.55 * h), 0.46 * w, 0.22 * d, axis=1, sides=20)
    m.drum((0, 0.31 * d, 0.55 * h), 0.16 * w, 0.5 * h, paint=LIGHT, sides=12)


def _pipe(m: Maker, w: float, d: float, h: float) -> None:
    for y in (-0.36 * d, 0.28 * d):
        m.box((-0.3 * w, 0.3 * w), (y, y + 0.08 * d), (0, 0.3 * h), DARK)
    m.drum((0, -d / 2, 0.6 * h), 0.45 * w, d, axis=1, sides=18)
    for y in (-d / 2, 0.46 * d):
        m.drum((0, y, 0.6 * h), 0.55 * w, 0.04 * d, axis=1, paint=TRIM, sides=18)


def _tank(m: Maker, w: float, d: float, h: float) -> None:
    m.drum((0, 0, 0), 0.5 * w + 0.15, 0.15, paint=LIGHT, sides=40)
    m.drum((0, 0, 0.15), 0.5 * w, 0.85 * h, sides=40)
    for k in range(3):  # a dome in steps
        m.drum((0, 0, (0.88 + 0.035 * k) * h), (0.46 - 0.13 * k) * w, 0.05 * h, sides=32)
    for z in (0.32, 0.6):
        m.drum((0, 0, z * h), 0.505 * w, 0.03 * h, paint=TRIM, sides=40)


DRAWN: dict[str, Callable[[Maker, float, float, float], None]] = {
    "rack": _rack,
    "air_rack": _air_rack,
    "storage_system": _storage_system,
    "cdu": _cdu,
    "fan_wall": _fan_wall,
    "transformer": _transformer,
    "generator": _generator,
    "bess": _bess,
    "utility": _utility,
    "chiller": _chiller,
    "dry_cooler": _dry_cooler,
    "cooling_tower": _cooling_tower,
    "pump": _pump,
    "pipe": _pipe,
    "valve": _pipe,
    "check_valve": _pipe,
    "strainer": _pipe,
    "tank": _tank,
}


@lru_cache(maxsize=256)
def shape_of(kind: str, width: float, depth: float, height: float, rich: bool = True) -> Shape:
    """The shape of one machine; `rich` draws doors, fans and fins, else a plain box or can."""
    m = Maker()
    if not rich:
        if kind == "tank":
            m.drum((0, 0, 0), width / 2, height, sides=16)
        else:
            m.box((-width / 2, width / 2), (-depth / 2, depth / 2), (0, height))
    elif kind in DRAWN:
        DRAWN[kind](m, width, depth, height)
    else:
        _cabinet(m, width, depth, height, max(1, round(width / 0.8)))
    return m.made()


def merge(spots: Sequence[Spot], rich: bool = True) -> Mesh:
    """All machines as one mesh, in the order of the spots."""
    points, triangles, paint, unit, lines, line_unit = [], [], [], [], [], []
    count = 0
    groups: dict[tuple[str, float, float, float], list[int]] = {}
    for i, spot in enumerate(spots):
        groups.setdefault((spot.kind, spot.width, spot.depth, spot.height), []).append(i)
    for key, members in groups.items():
        shape = shape_of(*key, rich=rich)
        index = np.array(members)
        at = np.array([(spots[i].x, spots[i].y, spots[i].z) for i in members])
        points.append((shape.points[None] + at[:, None]).reshape(-1, 3))
        offsets = count + np.arange(len(members)) * len(shape.points)
        triangles.append((shape.triangles[None] + offsets[:, None, None]).reshape(-1, 3))
        paint.append(np.tile(shape.paint, len(members)))
        unit.append(np.repeat(index, len(shape.triangles)))
        lines.append((shape.lines[None] + at[:, None]).reshape(-1, 3))
        line_unit.append(np.repeat(index, len(shape.lines) // 2))
        count += len(shape.points) * len(members)
    if not points:
        none = np.zeros(0, dtype=int)
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=int), none, none, np.zeros((0, 3)), none)
    joined = [np.concatenate(parts) for parts in (points, triangles, paint, unit, lines, line_unit)]
    return Mesh(*joined)
