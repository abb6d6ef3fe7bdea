"""Letters: names of rooms, yards and blocks as outlines that lie on the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twin.view.colours import THEME, contrast
from twin.view.places import Area, Layout
from twin.view.sizes import HALL

ABOVE = 0.06
"""Height of lettering above the ground [m], clear of floors and shadows."""
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
