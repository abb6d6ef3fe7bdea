"""Ink: the few marks that diagrams are made of, their tones, and how wide a text is; a sheet collects them."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float]

LIVE, DEAD, LOST, STRAINED, STANDBY, WAITING = "live", "dead", "lost", "strained", "standby", "waiting"
COLD, WARM, SOFT, PAPER, NONE = "cold", "warm", "soft", "paper", "none"
TONES: dict[str, tuple[str, str]] = {
    LIVE: ("#1a1a1a", "#e8e8e8"),
    DEAD: ("#9aa1aa", "#6d757f"),
    LOST: ("#c44a00", "#ff8c4a"),
    STRAINED: ("#a66f00", "#f0b429"),
    STANDBY: ("#007a5a", "#35c99a"),
    WAITING: ("#6f3fb5", "#bf9bff"),
    COLD: ("#0072b2", "#56b4e9"),
    WARM: ("#a3386c", "#e08bb5"),
    SOFT: ("#5b626c", "#a4acb6"),
    PAPER: ("#ffffff", "#15181c"),
}
"""Tone -> its colour on white and on dark paper; after Okabe and Ito, so that nobody has to tell red from green."""
SMALL, NORMAL_SIZE, LARGE = 8.5, 9.5, 13.0
"""Sizes of text [px]."""
LINE = 11.5
"""Pixels from line to line of a label."""
NARROW, WIDE = "fijlrtI.,:;'|!()[]/ ", "mwMW%@×→"


@dataclass(frozen=True)
class Line:
    """A line through points; with a halo it crosses others as a bridge does."""

    points: tuple[Point, ...]
    tone: str = LIVE
    width: float = 1.5
    dashed: bool = False
    halo: bool = False
    arrow: bool = False


@dataclass(frozen=True)
class Shape:
    """A closed outline, filled with a tone; hatched where it bears more than it should."""

    points: tuple[Point, ...]
    tone: str = LIVE
    fill: str = PAPER
    width: float = 1.5
    hatched: bool = False


@dataclass(frozen=True)
class Disc:
    """A circle."""

    x: float
    y: float
    r: float
    tone: str = LIVE
    fill: str = PAPER
    width: float = 1.5


@dataclass(frozen=True)
class Words:
    """A line of text; `anchor` is start, middle or end, y its baseline."""

    x: float
    y: float
    text: str
    tone: str = LIVE
    size: float = NORMAL_SIZE
    anchor: str = "start"
    bold: bool = False


Mark = Line | Shape | Disc | Words


@dataclass
class Sheet:
    """A drawing in the making [px], y downwards; later marks lie on earlier ones."""

    title: str
    marks: list[Mark] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        self.marks += marks

    def box(
        self, x: float, y: float, wide: float, tall: float, tone: str = LIVE, *, fill: str = PAPER, width: float = 1.5
    ) -> None:
        """A rectangle by its middle."""
        w, h = wide / 2, tall / 2
        self.add(Shape(((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)), tone, fill, width))

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all marks."""
        spots = [spot for mark in self.marks for spot in _spots(mark)]
        xs, ys = [x for x, _ in spots] or [0.0], [y for _, y in spots] or [0.0]
        return min(xs), min(ys), max(xs), max(ys)


def _spots(mark: Mark) -> list[Point]:
    if isinstance(mark, Disc):
        return [(mark.x - mark.r, mark.y - mark.r), (mark.x + mark.r, mark.y + mark.r)]
    if isinstance(mark, Words):
        wide = breadth(mark.text, mark.size, mark.bold)
        left = mark.x - {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
        return [(left, mark.y - mark.size), (left + wide, mark.y + 0.3 * mark.size)]
    return list(mark.points)


def hatching(shape: Shape, step: float = 6.0) -> list[tuple[Point, Point]]:
    """The strokes of a hatched rectangle, from lower left to upper right."""
    xs, ys = [x for x, _ in shape.points], [y for _, y in shape.points]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    count = int((right - left + bottom - top) / step)
    found = []
    for place in (left + top + step * k for k in range(1, count + 1)):  # along a stroke x + y stays the same
        low, high = max(left, place - bottom), min(right, place - top)
        if low < high:
            found.append(((low, place - low), (high, place - high)))
    return found


def breadth(text: str, size: float = NORMAL_SIZE, bold: bool = False) -> float:
    """How wide a text is at most [px]; fonts differ, so this is on the wide side."""
    ems = sum(0.38 if c in NARROW else 0.95 if c in WIDE else 0.72 if c.isupper() else 0.63 for c in text)
    return ems * size * (1.08 if bold else 1.0)


def wrapped(text: str, width: float, size: float, most: int = 3) -> list[str]:
    """A text as lines no wider than `width` [px], broken at blanks; the last one ends in dots if it must."""
    if most == 1:
        return [_cut(text, width, size)]
    lines = [""]
    for word in text.split(" "):
        tried = f"{lines[-1]} {word}".strip()
        if lines[-1] and breadth(tried, size) > width:
            lines.append(word)
        else:
            lines[-1] = tried
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} ..."]
    return [_cut(line, width, size) for line in lines]


def _cut(line: str, width: float, size: float) -> str:
    if breadth(line, size) <= width:
        return line
    while line and breadth(f"{line}...", size) > width:
        line = line[:-1]
    return f"{line}..."
