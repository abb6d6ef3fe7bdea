"""Paper: the report as a PDF, pages numbered, diagrams on sheets of their own; the only door to reportlab."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from twin.diagram import Sheet
from twin.diagram.svg import MARGIN
from twin.report.chain import ROW
from twin.report.findings import Findings
from twin.report.inked import ink
from twin.report.page import sections_of, subtitle
from twin.report.sections import Section, TablePart, holds_something
from twin.report.verdict import FAILED, GOOD

BLACK, GREY, BAND = "#1a1a1a", "#595f69", "#f4f6f8"
INKS = {GOOD: "#00684a", FAILED: "#9c2f00"}
EDGE = 40.0
"""Margin of a page [pt]."""
UPRIGHT = 740.0
"""What an upright page holds beside a heading [pt]."""
TALLEST = 660.0
"""A diagram with its heading fills a page at this height [pt]."""
WHOLE = 200.0
"""A table that is no higher than this [pt] is not broken over two pages."""
LEGIBLE = 0.62
"""A diagram that fits an upright page at this scale [pt a pixel] stands among the text, not on a sheet of its own."""
FIRST = ("verdict", "timeline", "alarms", "seconds", "energy")
LATER = ("plots", "hall", "diagrams", "assumptions", "provenance")
"""Sections with pages of their own come after all that flows, and short ones early: no page is left half empty."""
SMALLER = 0.75
"""A picture is drawn so much smaller at least where it then fits what is left of a page, or one more fits a page."""
LONGEST = 30_000  # letters of the scenario that paper repeats; the trace has all
SHORT = 24
"""Letters up to which a number stays in one line."""
LEAST, MOST = 34.0, 210.0
"""A column is no narrower and asks for no more than this [pt] while there is a shortage."""


def write_paper(findings: Findings, path: Path, hall: Section, at: float | None = None) -> Path:
    """Write the report as a PDF, whole or not at all.

    Args:
        hall: the section of pictures of the hall.
        at: moment of the diagrams [s]; the worst one where none is given.

    Raises:
        OSError: it cannot be written.
        BadWish: the moment lies outside the trace.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory; a file is wanted, e.g. {path / 'report.pdf'}")
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(paper(findings, hall, at))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def paper(findings: Findings, hall: Section, at: float | None = None) -> bytes:
    """The PDF as bytes: A4 upright, and A3 lying for diagrams."""
    from reportlab.lib.pagesizes import A3, A4, landscape
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    made = io.BytesIO()
    title = findings.trace.title or "A run"
    document = BaseDocTemplate(made, pagesize=A4, title=title, author="twin", subject=findings.verdict.sentence())

    def template(name: str, size: tuple[float, float]) -> PageTemplate:
        frame = Frame(EDGE, EDGE + 8, size[0] - 2 * EDGE, size[1] - 2 * EDGE - 16, 0, 0, 0, 0)
        return PageTemplate(name, [frame], pagesize=size)

    document.addPageTemplates([template("upright", A4), template("lying", landscape(A3))])
    sections = [section for section in sections_of(findings, hall, at, dark=False) if holds_something(section)]
    flow = _head(findings, title)
    for section in sorted(sections, key=_turn):
        flow += _section(section, A4[0] - 2 * EDGE, landscape(A3))
    document.build(flow, canvasmaker=_numbered(title))
    return made.getvalue()


@cache
def _fonts() -> tuple[str, str, str]:
    """The names of an upright, a bold and an even font that know degrees, cubes and dots; those of matplotlib."""
    import matplotlib as mpl
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily("DejaVuSans", "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans", "DejaVuSans-Bold")
    return "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"


def _style(size: float = 8.0, ink: str = BLACK, *, bold: bool = False, right: bool = False, **more: float) -> Any:
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle

    spaces = {"spaceBefore": 0.0, "spaceAfter": 0.0} | more
    return ParagraphStyle(
        f"{size}{ink}{bold}{right}",
        fontName=_fonts()[bold],
        fontSize=size,
        leading=1.3 * size,
        textColor=ink,
        alignment=TA_RIGHT if right else TA_LEFT,
        **spaces,
    )


def _words(text: str, style: Any) -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(escape(text), style)


def _head(findings: Findings, title: str) -> list[Any]:
    verdict = findings.verdict
    ink = INKS.get(verdict.outcome, GREY)
    said = [
        _words(title, _style(16, bold=True, spaceAfter=4)),
        _words(subtitle(findings), _style(8.5, GREY, spaceAfter=8)),
        _words(f"{verdict.outcome.upper()}  {verdict.sentence()}", _style(11, ink, bold=True, spaceAfter=6)),
    ]
    if text := findings.story.told.description:
        said.append(_words(text, _style(9, spaceAfter=4)))
    return said


def _section(section: Section, width: float, lying: tuple[float, float]) -> list[Any]:
    """One section: heading with its first lines, tables, pictures; diagrams on sheets of their own."""
    from reportlab.platypus import CondPageBreak, NextPageTemplate, PageBreak, Spacer

    large = [drawing.sheet for drawing in section.drawings if drawing.large and not _fits(drawing.sheet, width)]
    first = [
        _drawn(each.sheet, width, TALLEST) if each.large else _drawn(each.sheet, width, math.inf, ROW)
        for each in section.drawings
        if each.sheet not in large
    ]
    pictures = _pictures(section, width)
    tables = [part for part in section.tables if part.rows]
    beneath = [min(each.height, each.least) for each in first] + [60.0 for _ in tables]
    beneath += [each.least for each in pictures]
    turned = [NextPageTemplate("lying"), PageBreak()] if large else []
    head = [_words(section.title, _style(12, bold=True, spaceBefore=12, spaceAfter=4))]
    head += [_words(note, _style(8.5, GREY, spaceAfter=3)) for note in section.notes]
    room_of_head = 16.0 + sum(each.wrap(width, math.inf)[1] + 4.0 for each in head)
    flow: list[Any] = turned if large and not beneath else [CondPageBreak(room_of_head + [*beneath, 60.0][0])]
    flow += head + first
    for part in tables:
        if part.caption:
            flow.append(CondPageBreak(62))
            flow.append(_words(part.caption, _style(8.5, bold=True, spaceBefore=5, spaceAfter=2)))
        table = _table(part, width)
        tall = table.wrap(width, math.inf)[1]
        flow += [*([CondPageBreak(tall)] if tall <= WHOLE else []), table, Spacer(1, 7)]
    flow += pictures
    if section.text:
        flow += _verbatim(section)
    flow += turned if large and beneath else []
    for place, sheet in enumerate(large):
        flow += [*([PageBreak()] if place else []), _drawn(sheet, lying[0] - 2 * EDGE, lying[1] - 2 * EDGE - 74)]
    return [*flow, NextPageTemplate("upright"), PageBreak()] if large else flow


def _turn(section: Section) -> int:
    """Where a section stands on paper; those of one number keep their order."""
    if section.id in FIRST:
        return FIRST.index(section.id)
    return len(FIRST) + (LATER.index(section.id) + 1 if section.id in LATER else 0)


def _fits(sheet: Sheet, width: float) -> bool:
    """Whether a diagram can be read on an upright page."""
    left, top, right, bottom = sheet.extent
    return (right - left + 2 * MARGIN) * LEGIBLE <= width and (bottom - top + 2 * MARGIN) * LEGIBLE <= TALLEST


def _verbatim(section: Section) -> list[Any]:
    """The text of a section, letter by letter."""
    from reportlab.platypus import Preformatted

    style = _style(6.5)
    style.fontName = _fonts()[2]
    cut = f"\n... and {len(section.text) - LONGEST} more letters; the trace has all" * (len(section.text) > LONGEST)
    text = Preformatted(section.text[:LONGEST] + cut, style, maxLineLength=126, newLineChars="    ")
    return [_words(section.text_title, _style(8.5, bold=True, spaceBefore=6, spaceAfter=3)), text]


def _table(part: TablePart, width: float) -> Any:
    """A table as wide as the page; heads again on each page, cells as high as their words need."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import LongTable, TableStyle

    count = max(len(row) for row in part.rows)
    styles = [column.style for column in part.columns] or ["", "n"][:count] + [""] * (count - 2)
    named = [column.name for column in part.columns]
    kept = {i for i, style in enumerate(styles) if style}  # numbers, moments, words that are not broken
    said = [
        [text.replace(" ", "\u00a0") if i in kept and len(text) < SHORT else text for i, text in enumerate(row)]
        for row in part.rows
    ]
    rows = [[_cell(text, styles[i] if i < len(styles) else "") for i, text in enumerate(row)] for row in said]
    has_head = any(named)
    if has_head:
        heads = [_words(name, _style(7.5, GREY, bold=True, right=styles[i] == "n")) for i, name in enumerate(named)]
        rows.insert(0, heads)
    look = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 7),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, HexColor("#d5d8dc")),
        ("ROWBACKGROUNDS", (0, int(has_head)), (-1, -1), [None, HexColor(BAND)]),
    ]
    widths = _widths([named, *said] if has_head else said, count, width)
    return LongTable(rows, widths, repeatRows=int(has_head), style=TableStyle(look), splitInRow=1)


def _cell(text: str, style: str) -> Any:
    ink = {"held": INKS[GOOD], "FAILED": INKS[FAILED]}.get(text, BLACK)
    return _words(text, _style(7.5, ink, bold=ink != BLACK, right=style == "n"))


def _widths(rows: Sequence[Sequence[str]], count: int, width: float) -> list[float]:
    """Widths of columns [pt]: what their words ask for, and where that is too much, the wide ones give way."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    font = _fonts()[1]

    def asks(text: str) -> float:
        return float(stringWidth(text, font, 7.5)) + 9.0

    wanted = [max([LEAST, *(asks(row[i]) for row in rows if i < len(row))]) for i in range(count)]
    words = [max([LEAST, *(asks(w) for row in rows if i < len(row) for w in row[i].split(" "))]) for i in range(count)]
    least = [min(each, MOST) for each in words]
    if sum(wanted) <= width:
        spare = (width - sum(wanted)) / count
        return [each + spare for each in wanted]
    if sum(least) >= width:
        return [each * width / sum(least) for each in least]
    give = (width - sum(least)) / sum(max(w - m, 0.0) for w, m in zip(wanted, least, strict=True))
    return [m + give * max(w - m, 0.0) for w, m in zip(wanted, least, strict=True)]


def _pictures(section: Section, width: float) -> list[Any]:
    """The pictures of a section, each with its words beneath; all a little smaller where one more then fits a page."""
    shown = [(base64.b64decode(each.light), each.caption) for each in section.pictures]
    made = [_shown(raw, caption, width, 700.0) for raw, caption in shown]
    tallest = max((each.height for each in made), default=0.0)
    if len(made) > 1 and (fit := int(UPRIGHT / tallest)) < len(made):
        room = UPRIGHT / (fit + 1) - (tallest - made[0].tall)
        if room >= SMALLER * made[0].tall:
            return [_shown(raw, caption, width, room) for raw, caption in shown]
    return made


def _shown(raw: bytes, caption: str, width: float, tallest: float) -> Any:
    """A picture with its words beneath it, as large as it fits and on one page; smaller where that fills a page."""
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Flowable

    image, words = ImageReader(io.BytesIO(raw)), _words(caption, _style(8, GREY))
    wide, tall = image.getSize()
    scale = min(width / wide, tallest / tall)
    beneath = words.wrap(width, math.inf)[1] + 12.0

    class Shown(Flowable):  # type: ignore[misc]
        """The picture at the left edge, its words, and a little air."""

        def __init__(self) -> None:
            super().__init__()
            self.width, self.tall, self.least = width, tall * scale, SMALLER * tall * scale + beneath
            self.height = self.tall + beneath

        def wrap(self, _: float, height: float) -> tuple[float, float]:
            drawn = min(height - beneath, tall * scale)
            self.tall = drawn if drawn >= SMALLER * tall * scale else tall * scale
            self.height = self.tall + beneath
            return self.width, self.height

        def draw(self) -> None:
            self.canv.drawImage(image, 0, beneath, self.tall * wide / tall, self.tall, mask="auto")
            words.drawOn(self.canv, 0, 10.0)

    return Shown()


def _drawn(sheet: Sheet, width: float, tallest: float, row: float = 0.0) -> Any:
    """A diagram as lines and letters of the page itself, as large as it fits, no larger than 0.9 pt a pixel.

    Args:
        row: height of its rows [px], where it may be cut between them and go on over the page; 0: it may not.
    """
    from reportlab.platypus import Flowable

    left, top, right, bottom = sheet.extent
    wide, tall = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    scale = min(width / wide, tallest / tall, 0.9)

    class Drawn(Flowable):  # type: ignore[misc]
        """The diagram, or its part between two heights [px], as something that flows with the text."""

        def __init__(self, start: float = top - MARGIN, end: float = bottom + MARGIN) -> None:
            super().__init__()
            self.start, self.end = start, end
            self.width, self.height = wide * scale, (end - start) * scale
            self.least = self.height if not row else 8 * row * scale

        def split(self, _: float, height: float) -> list[Any]:
            if not row:
                return []
            cut = row * (math.floor((self.start + height / scale) / row - 0.5) + 0.5)
            is_worth = self.start + 4 * row <= cut < self.end
            return [Drawn(self.start, cut), Drawn(cut, self.end)] if is_worth else []

        def draw(self) -> None:
            self.canv.saveState()
            outline = self.canv.beginPath()
            outline.rect(0, 0, self.width, self.height)
            self.canv.clipPath(outline, stroke=0)
            self.canv.scale(scale, -scale)
            self.canv.translate(MARGIN - left, -self.end)
            for mark in sheet.marks:
                ink(self.canv, mark, _fonts())
            self.canv.restoreState()

    return Drawn()


def _numbered(title: str) -> Any:
    """A canvas that writes the title and "page 3 of 12" under each page once it knows how many there are."""
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc]
        """Keeps its pages until the last is drawn."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self.kept, 1):
                self.__dict__.update(page)
                wide = self._pagesize[0]
                self.setFont(_fonts()[0], 7.5)
                self.setFillColor(GREY)
                self.drawString(EDGE, EDGE - 14, title if len(title) < 90 else f"{title[:87]}...")
                self.drawRightString(wide - EDGE, EDGE - 14, f"page {number} of {len(self.kept)}")
                super().showPage()
            super().save()

    return Numbered
