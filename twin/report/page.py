"""The page: one HTML file that tells a whole run, offline, without scripts, on paper as on a screen."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.report import assumptions
from twin.report.findings import Findings
from twin.report.plots import DARK, LIGHT, close_up, plot
from twin.report.rows import Rows
from twin.report.verdict import FAILED, GOOD
from twin.report.words import clock, count, lasting, words

LARGEST = 5_000_000
"""Bytes of a page: what any mail lets through."""
LARGEST_PICTURE = 2_000_000
WIDEST_PICTURE = 1600


@dataclass(frozen=True)
class Column:
    """A column's head; style n is a number, t a moment, k a word that is not broken."""

    name: str
    style: str = ""


@dataclass(frozen=True)
class TablePart:
    """One table of a section."""

    columns: list[Column]
    rows: list[list[str]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """An image as base64, once for light and, where there is one, once for dark."""

    light: str
    alt: str
    caption: str
    dark: str = ""
    type: str = "image/png"


@dataclass
class Section:
    """One part of the page under its own heading."""

    id: str
    title: str
    notes: list[str] = field(default_factory=list)
    tables: list[TablePart] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    text: str = ""
    text_title: str = ""
    beside: bool = False
    soft: bool = False


def page(findings: Findings, picture: Path | None = None) -> str:
    """The whole page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("twin.report", ""), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    verdict = findings.verdict
    return environment.get_template("page.html.j2").render(
        title=findings.trace.title or "A run",
        subtitle=_subtitle(findings),
        outcome=verdict.outcome,
        verdict_class={GOOD: "good", FAILED: "failed"}.get(verdict.outcome, "none"),
        sentence=verdict.sentence(),
        description=findings.story.told.description,
        sections=[section for section in _sections(findings, picture) if _holds_something(section)],
    )


def _holds_something(section: Section) -> bool:
    return bool(any(part.rows for part in section.tables) or section.pictures or section.text)


def _subtitle(findings: Findings) -> str:
    story = findings.story
    units = count(max(len(story.plant.units) - 1, 0), "unit")
    said = [f"{lasting(story.end - story.start)} simulated", units, count(story.members, "member")]
    if story.members > 1:
        said.append(f"timeline, numbers and plots show member {findings.shown}")
    when = findings.trace.provenance.get("created")
    return " · ".join([*said, str(when)] if when else said)


def _sections(findings: Findings, picture: Path | None) -> list[Section]:
    rows = Rows(findings)
    return [
        _verdict(rows),
        _timeline(findings, rows),
        _seconds(findings, rows),
        _extremes(rows),
        _across(findings, rows),
        _plots(findings),
        _hall(picture),
        _energy(rows),
        _assumptions(findings),
        _provenance(findings),
    ]


def _columns(*names: str, n: Sequence[int] = (), t: Sequence[int] = ()) -> list[Column]:
    return [Column(name, "n" if i in n else "t" if i in t else "k" if name == "kind" else "") for i, name in enumerate(names)]


def _verdict(rows: Rows) -> Section:
    columns = _columns("criterion", "result", "reached", "limit", "margin", "closest at", "time", n=(2, 3, 4), t=(6,))
    return Section("verdict", "Verdict", tables=[TablePart(columns, rows.criteria())])


def _timeline(findings: Findings, rows: Rows) -> Section:
    columns = _columns("", "time", "after the fault", "who", "what", "why, and which line led to it", n=(0,), t=(1, 2))
    lines = rows.timeline()
    entries = sum(entry.member == findings.shown for entry in findings.entries)
    notes = []
    if len(lines) < entries:
        notes.append(f"{entries} changes, equal ones that follow each other closely as one line; --json has every one.")
    return Section("timeline", "What happened", notes, [TablePart(columns, lines)], soft=True)


def _seconds(findings: Findings, rows: Rows) -> Section:
    columns = _columns("", "after", "time", "unit", n=(1,), t=(2,))
    notes = [f"{rows.seconds_title()}."]
    tables = [TablePart(columns, rows.seconds()), TablePart([], rows.losses() + rows.pue())]
    return Section("seconds", "Seconds left, and what was lost", notes, tables, beside=True)


def _extremes(rows: Rows) -> Section:
    columns = _columns("", "value", "limit", "unit", "time", n=(1,), t=(4,))
    return Section("extremes", "Highest and lowest", tables=[TablePart(columns, rows.extremes())])


def _across(findings: Findings, rows: Rows) -> Section:
    columns = _columns("", "5th percentile", "median", "95th percentile", "happened in", n=(1, 2, 3))
    notes = ["Percentiles are over the members in which it happened."]
    title = f"Across {count(findings.story.members, 'member')}"
    return Section("members", title, notes, [TablePart(columns, rows.across())], soft=True)


def _plots(findings: Findings) -> Section:
    section = Section("plots", "Plots")
    light = plot(findings)
    if light is None:
        return section
    told = "Lines are the worst unit of a kind, bands the spread of all; broken lines mark faults, repairs and first losses."
    section.pictures.append(_drawn(light, plot(findings, ink=DARK), f"The whole run. {told}"))
    window = close_up(findings)
    near = plot(findings, window) if window else None
    if window and near:
        caption = f"Close-up from {clock(round(window[0], 1))} to {clock(round(window[1], 1))}, where most happens."
        section.pictures.append(_drawn(near, plot(findings, window, DARK), caption))
    return section


def _drawn(light: bytes, dark: bytes | None, caption: str) -> Picture:
    alt = "Power by source, battery charge, voltage, flow and temperatures over time"
    return Picture(_base64(light), alt, caption, _base64(dark) if dark else "")


def _hall(picture: Path | None) -> Section:
    section = Section("hall", "The hall")
    if picture is not None:
        kind, raw = _small_enough(picture)
        section.pictures.append(Picture(_base64(raw), "Picture of the hall", f"Picture: {picture.name}", type=kind))
    return section


def _small_enough(picture: Path) -> tuple[str, bytes]:
    """A picture's type and bytes, redrawn smaller where the page would grow too large.

    Raises:
        ValueError: the file is not a picture that can be read.
    """
    from PIL import Image, UnidentifiedImageError

    raw = picture.read_bytes()
    try:
        with Image.open(io.BytesIO(raw)) as image:
            if image.format in ("PNG", "JPEG") and len(raw) <= LARGEST_PICTURE:
                return f"image/{image.format.lower()}", raw
            image.thumbnail((WIDEST_PICTURE, WIDEST_PICTURE))
            made = io.BytesIO()
            image.convert("RGB").save(made, format="JPEG", quality=88)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        raise ValueError(f"{picture} is not a picture that can be read; a PNG or JPEG file is wanted") from None
    return "image/jpeg", made.getvalue()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _energy(rows: Rows) -> Section:
    notes = ["Over the run, from the recorded rows: in = out + stored + unaccounted for."]
    return Section("energy", "Energy ledger", notes, [TablePart([], rows.energy())], soft=True)


def _assumptions(findings: Findings) -> Section:
    story = findings.story
    estimated = [each.row() for each in assumptions.estimates(story)]
    section = Section("assumptions", "Assumptions and estimates")
    section.notes = ["What the numbers above rest on. Every one of these can be replaced in the plant's file."]
    section.soft = True
    heads = _columns("machine", "quantity", "value", "how it is known", "source", "units")
    kinds = _columns("kind", "taken as the kind's default")
    left = _columns("kind", "not in the model")
    tables = [
        TablePart(heads, estimated, "Catalogue values that are estimates"),
        TablePart(kinds, assumptions.defaults(story), "Ratings that the plant does not state"),
        TablePart(left, assumptions.left_out(story), "Physics left out"),
    ]
    section.tables = [part for part in tables if part.rows]
    return section


def _provenance(findings: Findings) -> Section:
    trace = findings.trace
    rows = [["trace", Path(trace.path).name]]
    rows += [[words(str(key)), str(value)] for key, value in trace.provenance.items()]
    section = Section("provenance", "Provenance", tables=[TablePart([], rows)])
    section.text, section.text_title = trace.scenario_text, "The scenario as it was run"
    return section
