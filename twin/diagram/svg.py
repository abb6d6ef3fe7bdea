"""SVG: a sheet as text that any browser draws sharp at any size, in light and in dark, alone or within a page."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from twin.diagram.ink import LOST, NONE, PAPER, TONES, Disc, Line, Mark, Point, Sheet, Words, hatching

MARGIN = 14.0
FONT = '"DejaVu Sans", Verdana, "Segoe UI", system-ui, sans-serif'


def svg(sheet: Sheet, *, alone: bool = False) -> str:
    """The sheet as an SVG element; alone it brings its own paper."""
    left, top, right, bottom = sheet.extent
    left, top, width, height = left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    view = f"{left:.1f} {top:.1f} {width:.1f} {height:.1f}"
    space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    parts = [
        f'<svg{space} role="img" aria-label={quoteattr(sheet.title)} viewBox="{view}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family={quoteattr(FONT)}>',
        f"<style>{_style()}</style>",
    ]
    if alone:
        parts.append(
            f'<rect class="f-{PAPER}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        )
    parts += [_mark(mark) for mark in sheet.marks]
    return "\n".join([*parts, "</svg>"])


def _style() -> str:
    """Classes of stroke (s-) and fill (f-), their colours for light, and for dark on a screen."""

    def rules(which: int) -> str:
        return "".join(
            f".s-{tone}{{stroke:{both[which]}}}.f-{tone}{{fill:{both[which]}}}" for tone, both in TONES.items()
        )

    return f"{rules(0)}@media screen and (prefers-color-scheme:dark){{{rules(1)}}}"


def _mark(mark: Mark) -> str:
    if isinstance(mark, Words):
        bold = ' font-weight="700"' if mark.bold else ""
        anchor = "" if mark.anchor == "start" else f' text-anchor="{mark.anchor}"'
        place = f'x="{mark.x:.1f}" y="{mark.y:.1f}" font-size="{mark.size:g}"'
        return f'<text class="f-{mark.tone}" {place}{anchor}{bold}>{escape(mark.text)}</text>'
    if isinstance(mark, Disc):
        fill, paint = _fill(mark.fill)
        return (
            f'<circle class="s-{mark.tone}{fill}"{paint} cx="{mark.x:.1f}" cy="{mark.y:.1f}" r="{mark.r:.1f}" '
            f'stroke-width="{mark.width:g}"/>'
        )
    if isinstance(mark, Line):
        return _line(mark)
    fill, paint = _fill(mark.fill)
    path = f'd="{_path(mark.points)}Z" stroke-width="{mark.width:g}"'
    shape = f'<path class="s-{mark.tone}{fill}"{paint} {path}/>'
    strokes = "".join(f"{_path(stroke)}" for stroke in hatching(mark)) if mark.hatched else ""
    return shape + (f'<path class="s-{LOST}" fill="none" d="{strokes}" stroke-width="1.2"/>' if strokes else "")


def _line(line: Line) -> str:
    path = f'd="{_path(line.points)}" fill="none"'
    dash = ' stroke-dasharray="5 3"' if line.dashed else ""
    under = f'<path class="s-{PAPER}" {path} stroke-width="{line.width + 5:g}"/>' if line.halo else ""
    drawn = f'<path class="s-{line.tone}" {path} stroke-width="{line.width:g}"{dash}/>'
    if not line.arrow:
        return under + drawn
    head = _path(arrow_head(line.points))
    return f'{under}{drawn}<path class="f-{line.tone}" d="{head}Z"/>'


def _fill(tone: str) -> tuple[str, str]:
    return ("", ' fill="none"') if tone == NONE else (f" f-{tone}", "")


def _path(points: tuple[Point, ...]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def arrow_head(points: tuple[Point, ...], size: float = 5.0) -> tuple[Point, ...]:
    """The head of a line that ends in an arrow."""
    (x0, y0), (x1, y1) = points[-2:]
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
    dx, dy = (x1 - x0) / length * size, (y1 - y0) / length * size
    return (
        (x1, y1),
        (x1 - 1.6 * dx - 0.7 * dy, y1 - 1.6 * dy + 0.7 * dx),
        (x1 - 1.6 * dx + 0.7 * dy, y1 - 1.6 * dy - 0.7 * dx),
    )
