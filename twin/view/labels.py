"""Labels: names and findings beside the machines they speak of, placed so that none covers another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.view.colours import NORMAL, THEME, contrast
from twin.view.groups import Group
from twin.view.letters import Letter
from twin.view.places import Layout, Spot
from twin.view.projection import Frame, Projection
from twin.view.sheet import Sheet
from twin.view.sizes import ELECTRICAL, HALL
from twin.view.story import Story

MOST = 40
SPECK = 60.0
"""Size of a group in the picture up to which a label keeps clear of all of it."""
FAR = 150.0
"""Cost above which a label that only names its machines is left out."""
LEAST_ROOM = 20.0
"""Width of a machine in the picture from which its value is written on it."""
Box = tuple[float, float, float, float]


@dataclass
class Ground:
    """What labels should keep off: the boxes of machines on the page, and labels already set."""

    machines: np.ndarray
    taken: list[Box]
    frame: Frame

    def cost(self, box: Box, own: np.ndarray) -> float:
        """How bad a place is: infinite off the frame or on a label, else what it hides and how far it is."""
        x0, y0, x1, y1 = box
        if x0 < self.frame[0] or y0 < self.frame[1] or x1 > self.frame[2] or y1 > self.frame[3]:
            return float("inf")
        if any(x0 < b[2] + 4 and b[0] < x1 + 4 and y0 < b[3] + 3 and b[1] < y1 + 3 for b in self.taken):
            return float("inf")
        m = self.machines
        wide = np.clip(np.minimum(m[:, 2], x1) - np.maximum(m[:, 0], x0), 0, None)
        tall = np.clip(np.minimum(m[:, 3], y1) - np.maximum(m[:, 1], y0), 0, None)
        hidden = float((wide * tall).sum()) ** 0.5
        far = max(x0 - own[2], own[0] - x1, 0.0) + max(y0 - own[3], own[1] - y1, 0.0)
        itself = x0 < own[2] and own[0] < x1 and y0 < own[3] and own[1] < y1
        return float(3.0 * hidden + 1.6 * far + (500.0 if itself else 0.0))


def corners(boxes: np.ndarray) -> np.ndarray:
    """The eight corners (n, 8, 3) of boxes (n, 6): x0, y0, z0, x1, y1, z1."""
    pick = np.array([(i, j, k) for i in (0, 3) for j in (1, 4) for k in (2, 5)])
    return np.asarray(boxes)[:, pick]


def boxes_of(spots: list[Any]) -> np.ndarray:
    """Boxes (n, 6) of spots in metres."""
    return np.array([(*s.box[:2], s.z, *s.box[2:], s.z + s.height) for s in spots], dtype=float).reshape(-1, 6)


def on_page(view: Projection, spots: list[Any]) -> np.ndarray:
    """Boxes (n, 4) of machines on the page."""
    points = view.pixels(corners(boxes_of(spots)))
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def set_labels(sheet: Sheet, view: Projection, groups: list[Group], layout: Layout, letters: Sequence[Letter]) -> int:
    """Label groups, the most telling first; one that finds no place is left out.

    Returns:
        How many labels were set.
    """
    avoid = [on_page(view, list(layout.spots.values()))]
    for letter in letters:
        points = view.pixels(np.concatenate(letter.rings()))
        avoid.append(np.concatenate([points.min(axis=0), points.max(axis=0)])[None])
    ground = Ground(np.concatenate(avoid), [], sheet.frame)
    count = 0
    for group in sorted(groups, key=lambda g: (-g.weight, -len(g.spots)))[:MOST]:
        count += _set(sheet, view, group, ground)
    return count


def _set(sheet: Sheet, view: Projection, group: Group, ground: Ground) -> bool:
    boxes = on_page(view, group.spots)
    around = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    if max(around[2] - around[0], around[3] - around[1]) < SPECK:
        boxes = around[None]
    artists = _texts(sheet, group)
    extents = [sheet.extent(artist) for artist in artists]
    width = max(e[2] - e[0] for e in extents) + 12
    heights = [13.5 if i == 0 else 12.5 for i in range(len(artists))]
    height = sum(heights) + 7
    places = [(ground.cost(box, own), box, own) for box, own in _candidates(boxes, width, height)]
    cost, box, own = min(places, key=lambda place: place[0])
    if not np.isfinite(cost) or (group.weight == 0 and cost > FAR):
        for artist in artists:
            artist.remove()
        return False
    ground.taken.append(box)
    urgent = max((state for _, state in group.lines), default=NORMAL)
    edge = THEME.states[urgent] if urgent != NORMAL else THEME.rule
    sheet.patch(box[0], box[1], width, height, THEME.label, alpha=0.82, zorder=15, linewidth=0)
    sheet.patch(box[0], box[1], 2.5, height, edge, zorder=16)
    y = box[3] - 4
    for artist, tall in zip(artists, heights, strict=True):
        artist.set_position((box[0] + 8, y - tall / 2))
        y -= tall
    _leader(sheet, box, own, edge)
    return True


def set_numbers(sheet: Sheet, view: Projection, spots: Sequence[Spot], story: Story) -> None:
    """Write the value of machines in rooms on their tops, where they are large enough in the picture."""
    for spot, value, colour in zip(spots, story.known, story.body, strict=True):
        room = spot.width * view.scale
        if np.isnan(value) or room < LEAST_ROOM or spot.room not in (HALL, ELECTRICAL):
            continue
        x, y = view.pixels(np.array([[spot.x, spot.y, spot.z + spot.height]]))[0]
        words = story.scale.number(float(value))
        points = min(9.0, 1.2 * room / max(len(words), 2))
        if points >= 5.5:
            sheet.text(x, y, words, points, contrast(colour), ha="center", va="center_baseline", zorder=13)


def _texts(sheet: Sheet, group: Group) -> list[Any]:
    count = f"  {len(group.spots)}" if group.title.endswith(("*", "...")) else ""
    artists = [sheet.text(0, 0, group.title + count, 9.2, weight="bold", va="center_baseline")]
    for words, state in group.lines:
        colour = THEME.text if state == NORMAL else THEME.states[state]
        artists.append(sheet.text(0, 0, words, 8.8, colour, va="center_baseline"))
    return artists


def _candidates(boxes: np.ndarray, width: float, height: float) -> Iterator[tuple[Box, np.ndarray]]:
    """Places for a label around some machines of a group, and the box of the machine it would point at."""
    some = np.unique(np.linspace(0, len(boxes) - 1, min(len(boxes), 7)).round().astype(int))
    own = boxes[some]
    for x0, y0, x1, y1 in own:
        for gap in (8, 18, 32, 50, 75, 105, 145):
            for along in (-0.4, 0.0, 0.4):
                x = (x0 + x1) / 2 - width / 2 + along * width
                yield (x, y1 + gap, x + width, y1 + gap + height), np.array([x0, y0, x1, y1])
                yield (x, y0 - gap - height, x + width, y0 - gap), np.array([x0, y0, x1, y1])
            y = (y0 + y1) / 2 - height / 2
            yield (x1 + gap, y, x1 + gap + width, y + height), np.array([x0, y0, x1, y1])
            yield (x0 - gap - width, y, x0 - gap, y + height), np.array([x0, y0, x1, y1])
    x0, y0, x1, y1 = own[len(own) // 2]
    yield (
        ((x0 + x1 - width) / 2, (y0 + y1 - height) / 2, (x0 + x1 + width) / 2, (y0 + y1 + height) / 2),
        own[len(own) // 2],
    )


def _leader(sheet: Sheet, box: Box, own: np.ndarray, colour: str) -> None:
    """A thin line from a label to its group, where they do not touch."""
    x = float(np.clip((own[0] + own[2]) / 2, box[0], box[2]))
    y = float(np.clip((own[1] + own[3]) / 2, box[1], box[3]))
    to_x, to_y = float(np.clip(x, own[0], own[2])), float(np.clip(y, own[1], own[3]))
    inward = 0.25
    to_x += inward * ((own[0] + own[2]) / 2 - to_x)
    to_y += inward * ((own[1] + own[3]) / 2 - to_y)
    sheet.axes.plot([x, to_x], [y, to_y], color=colour if colour != THEME.rule else THEME.muted, lw=0.9, zorder=14)
    sheet.axes.plot([to_x], [to_y], marker="o", ms=3, color=colour if colour != THEME.rule else THEME.muted, zorder=14)
