"""Sheet: the page around the scene, drawn by matplotlib: title, figures, colour bar, key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from twin.view.colours import STATE_NAMES, STRAINED, THEME, hexed
from twin.view.projection import Frame
from twin.view.scale import ColourScale
from twin.view.story import Story, state_counts

BASE = (1600.0, 900.0)
RANK = {"site power": 1, "PUE": 2, "PUE with charging": 2, "outdoors": 3}
"""Figures that give way first where there is no room for all, the last of them first."""
HEADER, PANEL, FOOT, EDGE = 102.0, 214.0, 32.0, 28.0


class Sheet:
    """A page in units of a 1600 x 900 picture, y upwards; text and lines grow with the picture."""

    def __init__(self, size: tuple[int, int]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.size = size
        self.factor = min(size[0] / BASE[0], size[1] / BASE[1])
        self.width, self.height = size[0] / self.factor, size[1] / self.factor
        self.figure = Figure(figsize=(self.width / 100, self.height / 100), dpi=100 * self.factor, facecolor=THEME.back)
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_xlim(0, self.width)
        self.axes.set_ylim(0, self.height)
        self.axes.set_axis_off()

    @property
    def frame(self) -> Frame:
        """Where the scene goes."""
        return (EDGE, FOOT + 8, self.width - PANEL - 2 * EDGE, self.height - HEADER)

    def text(self, x: float, y: float, words: str, points: float = 10.0, colour: str = THEME.text, **how: Any) -> Any:
        return self.axes.text(x, y, words, fontsize=points, color=colour, zorder=how.pop("zorder", 20), **how)

    def extent(self, artist: Any) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of a text, in the page's units."""
        box = artist.get_window_extent(self.canvas.get_renderer())
        return (box.x0 / self.factor, box.y0 / self.factor, box.x1 / self.factor, box.y1 / self.factor)

    def patch(self, x: float, y: float, w: float, h: float, colour: str, **how: Any) -> None:
        from matplotlib.patches import Rectangle

        how.setdefault("zorder", 18)
        self.axes.add_patch(Rectangle((x, y), w, h, facecolor=colour, linewidth=how.pop("linewidth", 0), **how))

    def image(self, pixels: np.ndarray) -> None:
        """Lay a rendered picture under everything, pixel for pixel."""
        self.axes.imshow(
            pixels, extent=(0, self.width, 0, self.height), interpolation="nearest", zorder=0, aspect="auto"
        )
        self.axes.set_xlim(0, self.width)
        self.axes.set_ylim(0, self.height)

    def save(self, output: Path) -> None:
        from PIL import Image

        self.canvas.draw()
        pixels = np.asarray(self.canvas.buffer_rgba())[..., :3]
        Image.fromarray(np.ascontiguousarray(pixels)).save(output, format="PNG")


def dress(sheet: Sheet, story: Story, lines: list[str]) -> None:
    """Draw the page around the scene: header, colour bar, key and footer."""
    _header(sheet, story)
    x = sheet.width - PANEL - EDGE
    top = sheet.height - HEADER - 18
    bottom = _colour_bar(sheet, story.scale, x, top, min(330.0, 0.42 * (top - FOOT)))
    _key(sheet, story, lines, x, bottom - 46)
    sheet.text(EDGE, 14, story.footer, 8, THEME.muted, va="center")
    sheet.text(sheet.width - EDGE, 14, "aifactory-twin", 8, THEME.muted, va="center", ha="right")


def _header(sheet: Sheet, story: Story) -> None:
    """Title and moment on the left; on the right as many figures as fit beside it, the first ones first."""
    y = sheet.height
    title = sheet.text(EDGE, y - 48, story.title, 19, weight="bold", va="baseline")
    sheet.text(EDGE, y - 73, story.moment, 11.5, THEME.muted, va="baseline")
    start = min(sheet.extent(title)[2], 0.5 * sheet.width) + 40
    tiles = []
    for caption, value in story.figures:
        one = sheet.text(0, y - 48, value, 17, weight="bold", va="baseline")
        two = sheet.text(0, y - 68, caption, 9, THEME.muted, va="baseline")
        tiles.append((one, two, max(sheet.extent(one)[2], sheet.extent(two)[2])))
    free = sheet.width - EDGE - start
    kept, used = [], 0.0
    for number in sorted(range(len(tiles)), key=lambda i: RANK.get(story.figures[i][0], 0)):
        if used + tiles[number][2] + 28 <= free:
            kept.append(number)
            used += tiles[number][2] + 28
    right = sheet.width - EDGE
    for number in reversed(range(len(tiles))):
        one, two, wide = tiles[number]
        if number not in kept:
            one.remove()
            two.remove()
            continue
        one.set_x(right - wide)
        two.set_x(right - wide)
        sheet.axes.plot([right - wide - 14] * 2, [y - 70, y - 32], color=THEME.rule, lw=1, zorder=18)
        right -= wide + 28
    _shrink(sheet, title, right - 6)
    sheet.axes.plot([EDGE, sheet.width - EDGE], [y - 92, y - 92], color=THEME.rule, lw=1, zorder=18)


def _shrink(sheet: Sheet, artist: Any, right: float) -> None:
    """Make a line of text smaller, then shorter, until it ends before `right`."""
    points = artist.get_fontsize()
    while sheet.extent(artist)[2] > right and points > 12:
        points -= 0.5
        artist.set_fontsize(points)
    words = artist.get_text()
    while sheet.extent(artist)[2] > right and len(words) > 12:
        words = words[:-2]
        artist.set_text(words.rstrip() + " ...")


def _colour_bar(sheet: Sheet, scale: ColourScale, x: float, top: float, height: float) -> float:
    """The colour bar with its limits, and beside it how many machines have which value now."""
    head = f"{scale.caption}" + (f" [{scale.people}]" if scale.people else "")
    artist = sheet.text(x, top, head[:1].upper() + head[1:], 11, weight="bold", va="top")
    _wrap(sheet, artist, x + PANEL)
    top = sheet.extent(artist)[1] - 18
    bottom = top - height
    sheet.axes.imshow(
        scale.table[::-1][:, None, :],
        extent=(x, x + 24, bottom, top),
        aspect="auto",
        zorder=18,
        interpolation="nearest",
    )
    sheet.axes.set_xlim(0, sheet.width)
    sheet.axes.set_ylim(0, sheet.height)
    low, high = scale.limits

    def level(value: float) -> float:
        return bottom + height * (value - low) / (high - low)

    for value, words in scale.ticks:
        y = level(value)
        sheet.axes.plot([x + 24, x + 30], [y, y], color=THEME.muted, lw=1, zorder=19)
        sheet.text(x + 35, y, words, 9.5, va="center_baseline")
    _histogram(sheet, scale, x, bottom, height)
    _limits(sheet, scale, x, [level(value) for value, _ in sorted(scale.marks)])
    return bottom


def _limits(sheet: Sheet, scale: ColourScale, x: float, levels: list[float]) -> None:
    """Limits as dashes on the bar and beside it, each led to its words; words that would touch stand apart."""
    from matplotlib.patheffects import withStroke

    warn, edge = THEME.states[STRAINED], x + PANEL - 4
    artists = [
        sheet.text(edge, y, f"{words} {scale.number(value)}", 8, warn, ha="right", va="center_baseline", zorder=21)
        for (value, words), y in zip(sorted(scale.marks), levels, strict=True)
    ]
    for artist, y, place in zip(artists, levels, spread(levels, 12.5), strict=True):
        artist.set_y(place)
        artist.set_path_effects([withStroke(linewidth=3, foreground=THEME.back)])
        begin = min(sheet.extent(each)[0] for each in artists) - 5
        for start, end in ((x, x + 24), (x + 66, begin - 12)):
            sheet.axes.plot([start, end], [y, y], color=warn, lw=0.9, ls=(0, (3, 2)), zorder=20)
        sheet.axes.plot([begin - 12, begin], [y, place], color=warn, lw=0.9, zorder=20)


def spread(levels: list[float], apart: float) -> list[float]:
    """Rising places at least so far apart, as near to what they belong to as they can be: their middle stays."""
    groups: list[list[int]] = []
    middle: list[float] = []
    for number, level in enumerate(levels):
        groups.append([number])
        middle.append(level)
        while len(groups) > 1 and middle[-1] - middle[-2] < apart * (len(groups[-1]) + len(groups[-2])) / 2:
            groups[-2:] = [groups[-2] + groups[-1]]
            middle[-2:] = [sum(levels[each] for each in groups[-1]) / len(groups[-1])]
    return [
        middle[k] + apart * (place - (len(group) - 1) / 2)
        for k, group in enumerate(groups)
        for place in range(len(group))
    ]


def _histogram(sheet: Sheet, scale: ColourScale, x: float, bottom: float, height: float) -> None:
    """How many machines have which value now, beside the bar."""
    values = scale.values[np.isfinite(scale.values)]
    if not values.size:
        return
    counts = np.histogram(values, bins=36, range=scale.limits)[0]
    tall = height / len(counts)
    for i, count in enumerate(counts):
        if count:
            wide = 4 + 112 * count / counts.max()
            sheet.patch(x + 84, bottom + (i + 0.12) * tall, wide, 0.76 * tall, THEME.muted)
    sheet.axes.plot([x + 82, x + 82], [bottom, bottom + height], color=THEME.rule, lw=1, zorder=18)
    many = "" if values.size == 1 or scale.noun.lower().endswith("s") else "s"
    said = f"{values.size} {scale.noun}{many} now"
    sheet.text(x + 84, bottom - 16, said, 8.5, THEME.muted, va="center")


def _wrap(sheet: Sheet, artist: Any, right: float) -> None:
    """Break a heading once, at a space, where it is too long."""
    words = artist.get_text().split(" ")
    if sheet.extent(artist)[2] > right and len(words) > 2:
        cut = min(range(1, len(words)), key=lambda i: abs(len(" ".join(words[:i])) - len(" ".join(words[i:]))))
        artist.set_text(" ".join(words[:cut]) + "\n" + " ".join(words[cut:]))


def _key(sheet: Sheet, story: Story, lines: list[str], x: float, y: float) -> None:
    """What the other colours mean: states met now, neutral machines, pipes and feeds."""
    rows: list[tuple[str, str, str]] = []
    for state, count in state_counts(story).items():
        rows.append(("outline", THEME.states[state], f"{STATE_NAMES[state]} ({count})"))
    words = {"power": "power equipment", "cooling": "cooling equipment", "it": "racks"}
    coloured = {tuple(colour) for colour in story.body.tolist()}
    for name, colour in THEME.neutral.items():
        if tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in coloured:
            rows.append(("square", colour, words[name]))
    if story.many_floors:
        rows.append(("scale", "", "floor: mean of its machines"))
    names = {
        "supply": "coolant supply",
        "return": "coolant return",
        "feed": "power feed",
        "feed_dead": "dead feed",
    }
    rows += [("line", THEME.lines[role], names[role]) for role in names if role in lines]
    step = min(23.0, (y - FOOT - 10) / max(len(rows), 1))
    for shape, colour, label in rows:
        if shape == "square":
            sheet.patch(x, y - 6, 24, 12, colour)
        elif shape == "outline":
            sheet.patch(x + 1, y - 6, 22, 12, colour + "50", linewidth=2.0, edgecolor=colour)
        elif shape == "scale":
            for i in range(4):
                sheet.patch(x + 6 * i, y - 6, 6, 12, hexed(story.scale.table[60 * i + 40]))
        elif shape == "line":
            sheet.patch(x, y - 2, 24, 4, colour)
        sheet.text(x + 35, y, label, 9.5, va="center")
        y -= step
