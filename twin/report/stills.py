"""Stills: the hall before the fault, at the worst moment and at the end, small enough for a page."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path

from twin.report.findings import Findings
from twin.report.moments import last_row_before, since
from twin.report.pictures import Picture
from twin.report.words import clock
from twin.view import BadWish, ViewUnavailable, picture

SIZE = (1200, 675)
QUALITY = 82
COLOURS = ("rack.die_temperature", "load_fraction", "power")
"""What the colours mean: the first of these that is recorded."""


def moments(findings: Findings) -> dict[float, str]:
    """The key moments of the member shown [s], and what each is."""
    story = findings.story
    if not len(story.time):
        return {}
    found: dict[float, str] = {}
    if story.faults[findings.shown] is not None:
        before = float(story.time[max(0, last_row_before(story, since(story, findings.shown)) - 1)])
        found[before] = "before the fault"
        found.setdefault(findings.worst_row, "the worst moment")
    found.setdefault(story.end, "the end of the run")
    return found


def stills(findings: Findings) -> list[Picture]:
    """A picture of each key moment; a floor plan where there is no OpenGL, none where nothing can be coloured."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for time, what in moments(findings).items():
            raw = _still(findings, time, Path(folder) / "still.png")
            if raw is None:
                return []
            said = f"{what[0].upper()}{what[1:]}, {clock(round(time, 3))}"
            made.append(Picture(base64.b64encode(raw).decode("ascii"), f"The hall, {what}", said, type="image/jpeg"))
    return made


def _still(findings: Findings, time: float, path: Path) -> bytes | None:
    from PIL import Image

    for colour in COLOURS:
        try:
            drawn = picture(
                findings.trace, at=time, colour=colour, output=path, size=SIZE, look="auto", member=findings.shown
            )
        except BadWish:
            continue
        except ViewUnavailable:
            return None
        made = io.BytesIO()
        with Image.open(drawn) as image:
            image.convert("RGB").save(made, format="JPEG", quality=QUALITY, optimize=True)
        return made.getvalue()
    return None
