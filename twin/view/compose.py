"""Compose: from a trace, a moment and a wish to a PNG file; it calls the rest of the room in order."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.trace import Trace, open_trace
from twin.view import fabric_map, labels, routes, sheet
from twin.view.floor_plan import draw
from twin.view.layout import arrange
from twin.view.letters import lettering, unhidden
from twin.view.places import RIM, SLAB, Layout
from twin.view.probe import ViewUnavailable, gl_fault
from twin.view.projection import Frame, Projection, looking
from twin.view.reading import BadWish, Reading, dead_sources, dies_of, read_moment
from twin.view.routes import Piece
from twin.view.scene import render
from twin.view.sizes import COOLING_YARD, ELECTRICAL, HALL, POWER_YARD
from twin.view.story import Story, tell


@dataclass(frozen=True)
class Look:
    """A way to look at a plant: from which directions, at which rooms (all where empty), and with what."""

    azimuths: tuple[float, ...]
    elevations: tuple[float, ...]
    rooms: tuple[str, ...] = ()
    needs_gl: bool = True


SLANTED = tuple(float(e) for e in range(34, 68, 2))
LOOKS = {
    "hall": Look((-13.0, -36.0), SLANTED),
    "top": Look((0.0,), (90.0,)),
    "racks": Look((-13.0,), SLANTED, (HALL,)),
    "power": Look((-13.0, -36.0), SLANTED, (ELECTRICAL, POWER_YARD)),
    "cooling": Look((-13.0, -36.0), SLANTED, (HALL, COOLING_YARD)),
    "plan": Look((0.0,), (90.0,), needs_gl=False),
    "fabric": Look((0.0,), (90.0,), needs_gl=False),
}
RICH_UP_TO = 2500
"""Machines with doors and fans; above this number they are plain boxes."""


def picture(
    trace_or_path: Trace | str | Path,
    *,
    at: float | None = None,
    colour: str | None = None,
    output: Path,
    size: tuple[int, int] = (1600, 900),
    look: str = "hall",
    member: int = 0,
    block: str | None = None,
) -> Path:
    """Draw a plant at one moment of a trace.

    Args:
        at: seconds since the start; None is the end of the trace.
        colour: "kind.quantity", or a quantity alone for every kind that has it; None is the dies of the racks.
        output: the PNG file to write.
        size: width and height in pixels.
        look: one of LOOKS; "auto" is "hall" where OpenGL works, else "plan".
        block: draw only the units of one block, e.g. "h001".

    Returns:
        The file written.

    Raises:
        BadWish: the time, quantity, look, size or block does not exist; the message names the nearest.
        ViewUnavailable: the look needs OpenGL and there is none; the message says the cure.
    """
    if look == "auto":
        look = "hall" if gl_fault() is None else "plan"
    seen = _look(look)
    if not all(64 <= side <= 16384 for side in size):
        raise BadWish(f"a picture of {size[0]} x {size[1]} pixels was asked for; 64 to 16384 each way is wanted")
    if seen.needs_gl and (fault := gl_fault()) is not None:
        raise ViewUnavailable(f'the look "{look}" cannot be drawn: {fault}')
    if not isinstance(trace_or_path, Trace):
        with open_trace(trace_or_path) as trace:
            return picture(trace, at=at, colour=colour, output=output, size=size, look=look, member=member, block=block)
    trace = trace_or_path
    reading = read_moment(trace, at, member)
    if look == "fabric":
        fabric_map.draw(reading, size, block).save(Path(output))
        return Path(output)
    plant = trace.plant
    whole = arrange(plant)
    layout = _part(whole, seen, block, str(trace.path))
    story = tell(plant, layout, reading, colour or dies_of(trace), look)
    if block is not None:
        story.moment += f", {block} alone"
    pieces = _pieces(reading, whole, layout, story)
    output = Path(output)
    _compose(layout, story, pieces, seen, size).save(output)
    return output


def _look(name: str) -> Look:
    if name in LOOKS:
        return LOOKS[name]
    near = difflib.get_close_matches(name, LOOKS, 1, 0.4)
    advice = f'did you mean "{near[0]}"?' if near else f"one of {', '.join(LOOKS)} is wanted"
    raise BadWish(f'look "{name}" is not known; {advice}')


def _part(layout: Layout, seen: Look, block: str | None, path: str) -> Layout:
    """The part of a layout that a look or a block keeps."""
    spots, areas = layout.spots, layout.areas
    if block is not None:
        spots = {name: spot for name, spot in spots.items() if name.startswith(f"{block}/")}
        areas = [area for area in areas if area.block == block or area.block.startswith(f"{block}/")]
        if not spots:
            blocks = sorted({name.rpartition("/")[0] for name in layout.spots if "/" in name})
            near = difflib.get_close_matches(block, blocks, 1, 0.0)
            advice = f'did you mean "{near[0]}"?' if near else "the plant has no blocks"
            raise BadWish(f'{path}: no block "{block}"; {advice}')
    if seen.rooms:
        kept = {name: spot for name, spot in spots.items() if spot.room in seen.rooms}
        if kept:
            spots, areas = kept, [area for area in areas if area.use in (*seen.rooms, "road")]
    return Layout(spots, areas, layout.links)


def _pieces(reading: Reading, whole: Layout, layout: Layout, story: Story) -> list[Piece]:
    """Pipes and feeds in view, feeds of dead sources as dead ones; none where they would be a hair."""
    if len(layout.spots) > RICH_UP_TO:
        return []
    plant = reading.trace.plant
    dead = dead_sources(plant, story.conditions)
    cables = [
        dataclasses.replace(piece, role="feed_dead", radius=0.8 * piece.radius) if piece.owner in dead else piece
        for piece in routes.feeds(plant, whole)
    ]
    return routes.joined(routes.cut(routes.pipes(plant, whole) + cables, layout.box))


def _compose(layout: Layout, story: Story, pieces: Sequence[Piece], seen: Look, size: tuple[int, int]) -> sheet.Sheet:
    """Draw the scene into its frame, then labels and the page around it."""
    page = sheet.Sheet(size)
    view = _best_view(seen, _outline(layout, pieces), page.frame)
    letters = unhidden(lettering(layout, story.floors), layout, pieces, view)
    if seen.needs_gl:
        exact = dataclasses.replace(
            view,
            scale=view.scale * page.factor,
            origin=(view.origin[0] * page.factor, view.origin[1] * page.factor),
        )
        page.image(render(layout, story, pieces, exact, size, letters, rich=len(layout.spots) <= RICH_UP_TO))
    else:
        draw(page, view, layout, story, pieces, letters)
    labels.set_labels(page, view, story.groups, layout, letters)
    labels.set_numbers(page, view, list(layout.spots.values()), story)
    sheet.dress(page, story, list(dict.fromkeys(piece.role for piece in pieces)))
    return page


def _best_view(seen: Look, points: np.ndarray, frame: Frame) -> Projection:
    """Of the directions a look allows, the one that shows the plant largest; steep ones show more tops."""
    best, most = None, 0.0
    for turn, azimuth in enumerate(seen.azimuths):
        for elevation in seen.elevations:
            view = looking(azimuth, elevation).fitted(points, frame)
            worth = view.scale * (1.0 + 0.006 * (elevation - seen.elevations[0])) * 0.88**turn
            if worth > most:
                best, most = view, worth
    assert best is not None
    return best


def _outline(layout: Layout, pieces: Sequence[Piece]) -> np.ndarray:
    """Points that must be inside the frame: corners of the ground and of machines, ends of pipes."""
    x0, y0, x1, y1 = layout.box
    floor = [(x, y, z) for x in (x0 - RIM, x1 + RIM) for y in (y0 - RIM, y1 + RIM) for z in (0.0, -SLAB)]
    ends = [(x, y, z + 0.25) for piece in pieces for x, y, z in (piece.start, piece.end)]
    boxes = labels.boxes_of(list(layout.spots.values()))
    return np.concatenate([np.array(floor + ends), labels.corners(boxes).reshape(-1, 3)])
