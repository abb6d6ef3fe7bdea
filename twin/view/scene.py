"""Scene: the layout and its colours drawn with OpenGL; the only file of the house that imports pyvista."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.view.colours import NORMAL, THEME, rgb
from twin.view.letters import Letter
from twin.view.places import RIM, SLAB, Area, Layout, Spot
from twin.view.probe import choose_window
from twin.view.projection import Projection
from twin.view.routes import Piece
from twin.view.shapes import BOX_TRIANGLES, DARK, LIGHT, TRIM, Mesh, merge
from twin.view.sizes import ELECTRICAL, HALL
from twin.view.story import Story

AMBIENT, DIFFUSE = 0.52, 0.60
SUN = np.array([-0.36, -0.48, 0.80])
"""Direction to the light: AMBIENT + DIFFUSE * 0.80 = 1, so that a level face has its colour as in the bar."""
FINER = 2
"""Pixels are drawn this much finer each way and averaged."""


def render(
    layout: Layout,
    story: Story,
    pieces: Sequence[Piece],
    view: Projection,
    size: tuple[int, int],
    letters: Sequence[Letter],
    rich: bool,
) -> np.ndarray:
    """Draw a scene.

    Args:
        view: fitted to `size` in pixels.
        rich: doors, fans and outlines; without it plain boxes, for thousands of machines.

    Returns:
        Picture (height, width, 3) in bytes.
    """
    choose_window()
    import pyvista

    fine = FINER if size[0] * size[1] * FINER**2 <= 36e6 else 1
    plotter = pyvista.Plotter(off_screen=True, window_size=[size[0] * fine, size[1] * fine], lighting="none")
    try:
        plotter.set_background(THEME.back)
        plotter.add_light(pyvista.Light(position=tuple(SUN), focal_point=(0, 0, 0), light_type="scene light"))
        spots = list(layout.spots.values())
        _floors(plotter, layout, story)
        _shadows(plotter, spots, *_grounds(layout, story))
        _pads(plotter, spots, story.marks)
        for ink in sorted({letter.ink for letter in letters}):
            _lettering(plotter, [letter for letter in letters if letter.ink == ink], ink)
        _machines(plotter, merge(spots, rich), story, rich)
        _tubes(plotter, pieces)
        _aim(plotter, view, layout, size)
        fine_picture = plotter.screenshot(return_img=True)
    finally:
        plotter.close()
    picture = np.asarray(fine_picture, dtype=np.uint16)[..., :3]
    picture = picture.reshape(size[1], fine, size[0], fine, 3).sum(axis=(1, 3)) // (fine * fine)
    return np.asarray(picture, dtype=np.uint8)


def _add(plotter: Any, points: np.ndarray, triangles: np.ndarray, colours: np.ndarray, lit: bool = True) -> None:
    import pyvista

    if len(triangles) == 0:
        return
    mesh = pyvista.PolyData.from_regular_faces(points, triangles)
    mesh.cell_data["colour"] = colours
    how = {"ambient": AMBIENT, "diffuse": DIFFUSE, "specular": 0.0} if lit else {}
    plotter.add_mesh(
        mesh,
        scalars="colour",
        rgb=True,
        lighting=lit,
        interpolation="flat",
        copy_mesh=False,
        show_scalar_bar=False,
        **how,
    )


def _boxes(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of boxes (n, 6): x0, y0, z0, x1, y1, z1."""
    pick = np.array([(i, j, k) for k in (2, 5) for j in (1, 4) for i in (0, 3)])
    points = boxes[:, pick].reshape(-1, 3)
    triangles = BOX_TRIANGLES[None] + 8 * np.arange(len(boxes))[:, None, None]
    return points, triangles.reshape(-1, 3)


def _floors(plotter: Any, layout: Layout, story: Story) -> None:
    """The ground as a slab, floors on it, and low walls around rooms."""
    x0, y0, x1, y1 = layout.box
    boxes, colours = (
        [(x0 - RIM, y0 - RIM, -SLAB, x1 + RIM, y1 + RIM, -0.02)],
        [rgb(THEME.ground)],
    )
    for area, colour in zip(layout.areas, story.floors, strict=True):
        boxes.append((area.x0, area.y0, -0.01, area.x1, area.y1, 0.0 if area.use == "road" else 0.02))
        colours.append(rgb(THEME.floors[area.use]) if colour is None else colour)
        if area.use in (HALL, ELECTRICAL):
            walls = _walls(area)
            boxes += walls
            colours += [rgb(THEME.wall)] * len(walls)
    points, triangles = _boxes(np.array(boxes))
    _add(plotter, points, triangles, np.repeat(np.array(colours, dtype=np.uint8), 12, axis=0))


def _walls(
    area: Area, tall: float = 0.45, thick: float = 0.16
) -> list[tuple[float, float, float, float, float, float]]:
    x0, y0, x1, y1 = area.x0, area.y0, area.x1, area.y1
    t = thick / 2
    return [
        (x0 - t, y0 - t, 0, x1 + t, y0 + t, tall),
        (x0 - t, y1 - t, 0, x1 + t, y1 + t, tall),
        (x0 - t, y0, 0, x0 + t, y1, tall),
        (x1 - t, y0, 0, x1 + t, y1, tall),
    ]


def _grounds(layout: Layout, story: Story) -> tuple[np.ndarray, np.ndarray]:
    """The colour (n, 3) and the box (n, 4) of the floor under each machine."""
    floors = {(area.block, area.use): (area, tone) for area, tone in zip(layout.areas, story.floors, strict=True)}
    colours, boxes = [], []
    for spot in layout.spots.values():
        area, tone = floors.get((spot.unit.rpartition("/")[0], spot.room), (None, None))
        colours.append(rgb(THEME.floors.get(spot.room, THEME.ground)) if tone is None else tone)
        boxes.append((area.x0, area.y0, area.x1, area.y1) if area is not None else layout.box)
    return np.array(colours, dtype=float).reshape(-1, 3), np.array(boxes).reshape(-1, 4)


def _shadows(plotter: Any, spots: list[Spot], floors: np.ndarray, edges: np.ndarray) -> None:
    """What the light leaves dark on the floor: the footprint drawn out away from it, one tone per floor."""
    if not spots:
        return
    drawn_out = -SUN[:2] / SUN[2]
    box = np.array([spot.box for spot in spots])
    tall = np.array([spot.height for spot in spots])
    dx, dy = drawn_out[0] * tall, drawn_out[1] * tall
    x0, y0, x1, y1 = box.T
    ring = [(x0, y1), (x0, y0), (x1, y0), (x1 + dx, y0 + dy), (x1 + dx, y1 + dy), (x0 + dx, y1 + dy)]
    west, south, east, north = edges.T
    flat = [(np.clip(x, west, east), np.clip(y, south, north)) for x, y in ring]
    points = np.stack([np.stack([x, y, np.full_like(x, 0.03)], axis=1) for x, y in flat], axis=1)
    fan = np.array([(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)])
    triangles = (fan[None] + 6 * np.arange(len(spots))[:, None, None]).reshape(-1, 3)
    colours = np.repeat((floors * THEME.shadow).astype(np.uint8), 4, axis=0)
    _add(plotter, points.reshape(-1, 3), triangles, colours, lit=False)


def paint(mesh: Mesh, body: np.ndarray) -> np.ndarray:
    """Colours of the triangles: the machine's own on its body, darker on trim, fixed elsewhere."""
    colours = body[mesh.unit].astype(float)
    colours[mesh.paint == TRIM] *= 0.72
    colours[mesh.paint == DARK] = rgb(THEME.dark)
    colours[mesh.paint == LIGHT] = rgb(THEME.light)
    return np.asarray(colours, dtype=np.uint8)


def _machines(plotter: Any, mesh: Mesh, story: Story, rich: bool) -> None:
    import pyvista

    _add(plotter, mesh.points, mesh.triangles, paint(mesh, story.body))
    if not rich or not len(mesh.line_points):
        return
    marked = story.marks[mesh.line_unit] != NORMAL
    for some, wide in ((~marked, 1.6), (marked, 3.2)):
        chosen = np.flatnonzero(some)
        if not len(chosen):
            continue
        ends = mesh.line_points.reshape(-1, 2, 3)[chosen].reshape(-1, 3)
        cells = np.column_stack(
            [np.full(len(chosen), 2), np.arange(0, 2 * len(chosen), 2), np.arange(1, 2 * len(chosen), 2)]
        )
        outline = pyvista.PolyData(ends, lines=cells.ravel())
        owner = mesh.line_unit[chosen]
        plain = (story.body[owner] * 0.42).astype(np.uint8)
        outline.cell_data["colour"] = _state_colours(story.marks[owner], plain)
        plotter.add_mesh(outline, scalars="colour", rgb=True, lighting=False, line_width=wide, show_scalar_bar=False)


def _state_colours(marks: np.ndarray, plain: np.ndarray) -> np.ndarray:
    colours = plain.copy()
    for state, colour in THEME.states.items():
        colours[marks == state] = rgb(colour)
    return colours


def _pads(plotter: Any, spots: list[Spot], marks: np.ndarray) -> None:
    """A machine that is not simply well stands on a pad in the colour of its state."""
    chosen = np.flatnonzero(marks != NORMAL)
    if not len(chosen):
        return
    boxes = []
    for i in chosen:
        x0, y0, x1, y1 = spots[i].box
        beside = 0.0 if spots[i].width < 1.5 else 0.3
        boxes.append((x0 - beside, y0 - 0.3, 0.03, x1 + beside, y1 + 0.3, 0.05))
    points, triangles = _boxes(np.array(boxes))
    colours = _state_colours(marks[chosen], np.zeros((len(chosen), 3), dtype=np.uint8))
    _add(plotter, points, triangles, np.repeat(colours, 12, axis=0), lit=False)


def _lettering(plotter: Any, letters: Sequence[Letter], ink: str) -> None:
    """Names of rooms and yards, lying on their floors."""
    import pyvista

    outlines, cells, count = [], [], 0
    for letter in letters:
        for ring in letter.rings():
            outlines.append(ring)
            cells.append([len(ring) + 1, *range(count, count + len(ring)), count])
            count += len(ring)
    if not outlines:
        return
    contours = pyvista.PolyData(np.concatenate(outlines), lines=np.concatenate(cells))
    plotter.add_mesh(contours.triangulate_contours(), color=ink, lighting=False, show_scalar_bar=False)


def _tubes(plotter: Any, pieces: Sequence[Piece]) -> None:
    """Pipes and feeds as round bars, each a little longer than its piece so that corners close."""
    import pyvista

    for role in dict.fromkeys(piece.role for piece in pieces):
        members = [piece for piece in pieces if piece.role == role]
        ends, radius = [], []
        for piece in members:
            start, end = np.array(piece.start), np.array(piece.end)
            along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9) * piece.radius * 0.9
            ends += [start - along, end + along]
            radius += [piece.radius, piece.radius]
        count = len(members)
        cells = np.column_stack([np.full(count, 2), np.arange(0, 2 * count, 2), np.arange(1, 2 * count, 2)])
        lines = pyvista.PolyData(np.array(ends), lines=cells.ravel())
        lines.point_data["radius"] = np.array(radius)
        tubes = lines.tube(scalars="radius", absolute=True, n_sides=12, capping=True)
        plotter.add_mesh(
            tubes,
            color=THEME.lines[role],
            ambient=AMBIENT,
            diffuse=DIFFUSE,
            specular=0.0,
            show_scalar_bar=False,
        )


def _aim(plotter: Any, view: Projection, layout: Layout, size: tuple[int, int]) -> None:
    """Set VTK's camera to the projection that labels use, pixel for pixel."""
    x0, y0, x1, y1 = layout.box
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 0.0])
    across = (size[0] / 2 - view.origin[0]) / view.scale
    upward = (size[1] / 2 - view.origin[1]) / view.scale
    focal = view.right * across + view.up * upward + view.toward * float(middle @ view.toward)
    distance = 2.0 * (x1 - x0 + y1 - y0 + 50.0)
    camera = plotter.camera
    camera.parallel_projection = True
    camera.focal_point = tuple(focal)
    camera.position = tuple(focal + view.toward * distance)
    camera.up = tuple(view.up)
    camera.parallel_scale = size[1] / 2 / view.scale
    camera.clipping_range = (0.4 * distance, 1.8 * distance)
