"""Letters: names of rooms, yards and blocks as outlines that lie on the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.view.colours import THEME, contrast
from twin.view.places import Area, Layout
from twin.view.projection import Projection
from twin.view.routes import Piece
from twin.view.sizes import HALL

ABOVE = 0.06
"""Height of lettering above the ground [m], clear of floors and shadows."""
SIZES, TRIES = (1.0, 0.8, 0.65, 0.5), 13
"""Sizes that a name may have that machines would hide, of its own, and places tried each way."""
CAPITAL = 0.73
"""Height of capitals over the size of the type."""


@dataclass(frozen=True)
class Letter:
    """Words whose foot stands at x, y [m], `tall` metres high."""

    words: str
    x: float
    y: float
    tall: float
    ink: str = THEME.muted

    def rings(self) -> list[np.ndarray]:
        """Closed outlines (n, 3) in metres, without the repeated last point; holes wind the other way."""
        from matplotlib.textpath import TextPath

        outline = TextPath((0, 0), self.words, size=self.tall / CAPITAL)
        rings = []
        for ring in outline.to_polygons():
            flat = np.asarray(ring)[:-1]
            if len(flat) > 2:
                rings.append(np.column_stack([self.x + flat[:, 0], self.y + flat[:, 1], np.full(len(flat), ABOVE)]))
        return rings

    def width(self) -> float:
        """How far the words reach [m]."""
        from matplotlib.textpath import TextPath

        return float(TextPath((0, 0), self.words, size=self.tall / CAPITAL).get_extents().x1)


def lettering(layout: Layout, floors: list[np.ndarray | None]) -> list[Letter]:
    """The name of each room and yard in its south-west corner; on a campus, of each block before its hall."""
    many = len({area.block for area in layout.areas if area.use != "road"}) > 3
    x0, _, x1, _ = layout.box
    tall = min(1.15, max(0.75, 0.025 * (x1 - x0)))
    letters = []
    for area, floor in zip(layout.areas, floors, strict=True):
        if many and area.use == HALL:
            letters.append(_fitted(area, area.block.rpartition("/")[2], 7.0, below=True))
        elif not many and area.title:
            letter = _fitted(area, area.title.upper(), tall, below=False)
            letters.append(letter if floor is None else replace(letter, ink=contrast(floor)))
    return [letter for letter in letters if letter.words]


def _fitted(area: Area, words: str, tall: float, below: bool) -> Letter:
    letter = Letter(words, area.x0 + 0.8, area.y0 + 0.85, tall)
    wide = letter.width() if words else 0.0
    room = max(area.x1 - area.x0 - 1.6, 1.0)
    tall = min(tall, tall * room / wide) if wide > 0 else tall
    return Letter(words, letter.x, area.y0 - tall - 0.6 if below else letter.y, tall)


def unhidden(letters: list[Letter], layout: Layout, pieces: Sequence[Piece], view: Projection) -> list[Letter]:
    """The same names, each moved within its room or yard to where machines and pipes hide least of it in a view."""
    spots = [(*s.box[:2], s.z, *s.box[2:], s.z + s.height) for s in layout.spots.values()]
    tubes = [
        (*(min(pair) - piece.radius for pair in ends), *(max(pair) + piece.radius for pair in ends))
        for piece in pieces
        for ends in [list(zip(piece.start, piece.end, strict=True))]
    ]
    boxes = np.array(spots + tubes, dtype=float).reshape(-1, 6)
    return [_moved(letter, layout, boxes, view) for letter in letters]


def _moved(letter: Letter, layout: Layout, boxes: np.ndarray, view: Projection) -> Letter:
    areas = (area for area in layout.areas if area.title.upper() == letter.words and _holds(area, letter))
    area = next(areas, None)
    if area is None or not len(boxes) or _hidden(letter, letter.width(), boxes, view) == 0.0:
        return letter
    reach = max(area.x1 - area.x0 + area.y1 - area.y0, 1.0)
    best, least = letter, np.inf
    for size in SIZES:
        small = replace(letter, tall=size * letter.tall)
        wide = small.width()
        for y in np.linspace(letter.y, max(area.y1 - small.tall - 0.5, letter.y), TRIES).tolist():
            for x in np.linspace(letter.x, max(area.x1 - wide - 0.5, letter.x), TRIES).tolist():
                moved = replace(small, x=x, y=y)
                away = (abs(x - letter.x) + abs(y - letter.y)) / reach
                cost = 3.0 * _hidden(moved, wide, boxes, view) + 0.1 * away + 0.5 * (1.0 - size)
                if cost < least - 1e-9:
                    best, least = moved, cost
    return best


def _holds(area: Area, letter: Letter) -> bool:
    return area.x0 <= letter.x <= area.x1 and area.y0 <= letter.y <= area.y1


def _hidden(letter: Letter, wide: float, boxes: np.ndarray, view: Projection) -> float:
    """The share of a name that stands behind boxes (n, 6) on the way to the eye [1]."""
    xs, ys = np.meshgrid(np.linspace(letter.x, letter.x + wide, 15), np.linspace(letter.y, letter.y + letter.tall, 3))
    points = np.column_stack([xs.ravel(), ys.ravel(), np.full(xs.size, ABOVE)])
    way = np.where(np.abs(view.toward) < 1e-9, 1e-9, view.toward)
    ends = (boxes.reshape(1, -1, 2, 3) - points[:, None, None, :]) / way
    enters, leaves = ends.min(axis=2).max(axis=-1), ends.max(axis=2).min(axis=-1)
    return float(((leaves >= np.maximum(enters, 0.0)).any(axis=1)).mean())
