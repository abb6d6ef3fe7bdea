"""Places: what a layout is made of: a spot for each unit, areas, and the ways its pipes and cables take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twin.plant import Unit
from twin.view.sizes import size_of

TRAY = 2.45
"""Height of cable trays and of coolant headers in rooms [m]."""
RIM = 1.5
"""Ground shown around everything [m]."""
SLAB = 0.8
"""Thickness of the slab that everything stands on [m], for the look of it."""
GROUND = 0.12
"""Height at which ducts in the ground are drawn [m]."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a pipe or cable leaves a unit: along y to the aisle, along x to the spine, at one height.

    `direct` goes along y straight to the header outside, without an aisle of its own.
    """

    aisle: float
    spine: float
    level: float = TRAY
    direct: bool = False

    def moved(self, dx: float, dy: float) -> Way:
        return Way(self.aisle + dy, self.spine + dx, self.level, self.direct)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one unit stands: the centre of its footprint on the floor, and its size [m]."""

    unit: str
    kind: str
    room: str
    x: float
    y: float
    z: float
    width: float
    depth: float
    height: float
    pipe: Way
    cable: Way

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the footprint."""
        return (
            self.x - self.width / 2,
            self.y - self.depth / 2,
            self.x + self.width / 2,
            self.y + self.depth / 2,
        )

    def moved(self, dx: float, dy: float) -> Spot:
        size = (self.z, self.width, self.depth, self.height)
        ways = (self.pipe.moved(dx, dy), self.cable.moved(dx, dy))
        return Spot(self.unit, self.kind, self.room, self.x + dx, self.y + dy, *size, *ways)


@dataclass(frozen=True, slots=True)
class Area:
    """A floor: a hall, a room, a yard or a road; `zone` names the unit whose air fills it."""

    title: str
    use: str
    block: str
    x0: float
    y0: float
    x1: float
    y1: float
    zone: str = ""

    def moved(self, dx: float, dy: float) -> Area:
        box = (self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)
        return Area(self.title, self.use, self.block, *box, self.zone)


@dataclass(frozen=True, slots=True)
class Links:
    """East-west lines of a block that join its spines: indoors, outdoors, and its first pipe lane."""

    indoors: float = 1.0
    outdoors: float = 0.0
    pipes: float = 0.0

    def moved(self, dy: float) -> Links:
        return Links(self.indoors + dy, self.outdoors + dy, self.pipes + dy)


@dataclass
class Layout:
    """Every unit's spot by name, the areas, and the links of each block ("" is the site itself)."""

    spots: dict[str, Spot] = field(default_factory=dict)
    areas: list[Area] = field(default_factory=list)
    links: dict[str, Links] = field(default_factory=dict)

    def add(self, spots: Iterable[Spot]) -> None:
        self.spots.update((spot.unit, spot) for spot in spots)

    def take(self, other: Layout, dx: float, dy: float) -> None:
        """Add another layout, moved."""
        self.add(spot.moved(dx, dy) for spot in other.spots.values())
        self.areas += [area.moved(dx, dy) for area in other.areas]
        self.links |= {block: links.moved(dy) for block, links in other.links.items()}

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 around everything; zeros where nothing stands."""
        boxes = [spot.box for spot in self.spots.values()]
        boxes += [(area.x0, area.y0, area.x1, area.y1) for area in self.areas]
        if not boxes:
            return 0.0, 0.0, 0.0, 0.0
        x0, y0, x1, y1 = zip(*boxes, strict=True)
        return min(x0), min(y0), max(x1), max(y1)


def stand(unit: Unit, room: str, x: float, y: float, pipe: Way, cable: Way | None = None) -> Spot:
    """Put a unit's centre at x, y."""
    width, depth, height = size_of(unit)
    return Spot(unit.name, unit.kind, room, x, y, 0.0, width, depth, height, pipe, cable or pipe)
