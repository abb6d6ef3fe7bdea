"""Floor plan: the same layout and colours seen from above, drawn by matplotlib where there is no OpenGL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.view.colours import NORMAL, THEME, hexed
from twin.view.letters import Letter
from twin.view.places import RIM, Layout, Spot
from twin.view.projection import Projection
from twin.view.routes import Piece
from twin.view.sheet import Sheet
from twin.view.sizes import ELECTRICAL, HALL
from twin.view.story import Story


def draw(
    page: Sheet,
    view: Projection,
    layout: Layout,
    story: Story,
    pieces: Sequence[Piece],
    letters: Sequence[Letter],
) -> None:
    """Draw floors, machines, pipes and feeds of a layout seen from above onto a page."""
    x0, y0, x1, y1 = layout.box
    ground = np.array([(x0 - RIM, y0 - RIM, x1 + RIM, y1 + RIM)])
    _rectangles(page, view, ground, [THEME.ground], 0)
    floors = np.array([(a.x0, a.y0, a.x1, a.y1) for a in layout.areas]).reshape(-1, 4)
    tones = [
        THEME.floors[area.use] if colour is None else hexed(colour)
        for area, colour in zip(layout.areas, story.floors, strict=True)
    ]
    walls = [THEME.wall if a.use in (HALL, ELECTRICAL) else tone for a, tone in zip(layout.areas, tones, strict=True)]
    _rectangles(page, view, floors, tones, 1, edges=walls, width=1.6)
    _lettering(page, view, letters)
    spots = list(layout.spots.values())
    boxes = np.array([spot.box for spot in spots]).reshape(-1, 4)
    round_ones = np.array([spot.kind == "tank" for spot in spots], dtype=bool)
    body = [hexed(colour) for colour in story.body]
    edges = [hexed(colour * 0.42) for colour in story.body.astype(float)]
    fine = 0.7 if view.scale > 4 else 0.0
    _pads(page, view, boxes, story.marks)
    _rectangles(page, view, boxes[~round_ones], _pick(body, ~round_ones), 3, _pick(edges, ~round_ones), fine)
    for i in np.flatnonzero(round_ones):
        _disc(page, view, spots[i].x, spots[i].y, spots[i].width / 2, body[i], edges[i])
    if view.scale > 8:
        _details(page, view, spots, edges)
    _lines(page, view, pieces)


def _pads(page: Sheet, view: Projection, boxes: np.ndarray, marks: np.ndarray) -> None:
    """A machine that is not simply well stands on a pad in the colour of its state."""
    chosen = np.flatnonzero(marks != NORMAL)
    rim = max(0.3, 1.0 / view.scale)
    pads = boxes[chosen] + np.array([-rim, -rim, rim, rim])
    _rectangles(page, view, pads, [THEME.states[int(marks[i])] for i in chosen], 2)


def _lettering(page: Sheet, view: Projection, letters: Sequence[Letter]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    for letter in letters:
        rings = [view.pixels(ring) for ring in letter.rings()]
        closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
        codes = [c for ring in closed for c in [Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY]]
        page.axes.add_patch(PathPatch(Path(np.concatenate(closed), codes), facecolor=letter.ink, lw=0, zorder=2))


def _pick(values: list[str], mask: np.ndarray) -> list[str]:
    return [values[i] for i in np.flatnonzero(mask)]


def _rectangles(
    page: Sheet,
    view: Projection,
    boxes: np.ndarray,
    colours: list[str],
    layer: int,
    edges: Any = "none",
    width: float = 0,
) -> None:
    from matplotlib.collections import PolyCollection

    low = view.pixels(np.column_stack([boxes[:, :2], np.zeros(len(boxes))]))
    high = view.pixels(np.column_stack([boxes[:, 2:], np.zeros(len(boxes))]))
    corners = np.stack(
        [low, np.column_stack([high[:, 0], low[:, 1]]), high, np.column_stack([low[:, 0], high[:, 1]])],
        axis=1,
    )
    page.axes.add_collection(
        PolyCollection(
            list(corners),
            facecolors=colours,
            edgecolors=edges if width else "none",
            linewidths=width,
            zorder=layer,
        )
    )


def _disc(page: Sheet, view: Projection, x: float, y: float, radius: float, colour: str, edge: str) -> None:
    from matplotlib.patches import Circle

    centre = view.pixels(np.array([[x, y, 0.0]]))[0]
    page.axes.add_patch(Circle(tuple(centre), radius * view.scale, facecolor=colour, edgecolor=edge, lw=0.7, zorder=3))


def _details(page: Sheet, view: Projection, spots: list[Spot], edges: list[str]) -> None:
    """Fans on roofs, fronts of racks and cabinets, stacks of generators: enough to know a machine by."""
    for spot, edge in zip(spots, edges, strict=True):
        x0, y0, x1, y1 = spot.box
        if spot.kind in ("dry_cooler", "chiller"):
            start = y0 if spot.kind == "dry_cooler" else y0 + 0.2 * spot.depth
            rows = max(1, round((y1 - start) / (0.5 * spot.width)))
            for k in range(rows):
                for x in (spot.x - spot.width / 4, spot.x + spot.width / 4):
                    y = start + (y1 - start) * (k + 0.5) / rows
                    _disc(page, view, x, y, 0.2 * spot.width, THEME.floors["road"], edge)
        elif spot.kind == "cooling_tower":
            _disc(page, view, spot.x, spot.y, 0.36 * spot.width, THEME.floors["road"], edge)
        elif spot.kind == "generator":
            for x in (x1 - 2.5, x1 - 1.1):
                _disc(page, view, x, spot.y, 0.55, THEME.dark, edge)
            _rectangles(page, view, np.array([(x0 + 3.6, spot.y - 0.4, x0 + 6.6, spot.y + 0.4)]), [THEME.light], 4)
        elif spot.kind == "transformer":
            for k in (-1, 0, 1):
                _disc(page, view, spot.x + 0.22 * k * spot.width, spot.y, 0.16, THEME.light, edge)
        elif spot.kind == "utility":
            bar = np.array([(x0, spot.y - 0.15, x1, spot.y + 0.15)])
            _rectangles(page, view, bar, [THEME.light], 4)
        elif spot.room in (HALL, ELECTRICAL):
            _rectangles(page, view, np.array([(x0, y0, x1, y0 + 0.12 * spot.depth)]), [edge], 4)


def _lines(page: Sheet, view: Projection, pieces: Sequence[Piece]) -> None:
    """Pipes and feeds as lines as wide as they are; feeds below, so that crossings read."""
    from matplotlib.collections import LineCollection

    for role in sorted({piece.role for piece in pieces}, key=lambda role: not role.startswith("feed")):
        members = [piece for piece in pieces if piece.role == role]
        ends = np.array([(piece.start, piece.end) for piece in members])
        flat = view.pixels(ends.reshape(-1, 3)).reshape(-1, 2, 2)
        points = [max(1.4 * piece.radius * view.scale * 0.72, 0.7) for piece in members]
        page.axes.add_collection(
            LineCollection(list(flat), colors=THEME.lines[role], linewidths=points, capstyle="projecting", zorder=2.5)
        )
