"""Pictures in a page: plots and the hall as base64, each small enough to be mailed."""

from __future__ import annotations

import base64
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.report.findings import Findings
from twin.report.ladder_plot import ladder_plot
from twin.report.plots import DARK, close_ups, plot
from twin.report.sorted_members import sorted_members
from twin.report.words import clock

LARGEST = 1_600_000
"""Bytes of a picture as it is; a larger one is drawn smaller."""
WIDTHS = (1600, 1200, 800)


@dataclass(frozen=True)
class Picture:
    """An image as base64, once for light and, where there is one, once for dark."""

    light: str
    alt: str
    caption: str
    dark: str = ""
    type: str = "image/png"

    def without_dark(self) -> Picture:
        return dataclasses.replace(self, dark="")


def of_plots(findings: Findings, with_dark: bool = True) -> list[Picture]:
    """The whole run, and close-ups of where much happens."""
    told = "Lines are the worst unit of a kind, bands the spread of all; upright lines are the moments below."
    windows: list[tuple[tuple[float, float] | None, str]] = [(None, f"The whole run. {told}")]
    for window in close_ups(findings):
        span = f"{clock(round(window[0], 1))} to {clock(round(window[1], 1))}"
        windows.append((window, f"Close-up from {span}, where much happens."))
    found = []
    for shown, caption in windows:
        light = plot(findings, shown)
        if light is not None:
            dark = plot(findings, shown, DARK) if with_dark else None
            alt = "Power by source, battery charge, voltage, flow and temperatures over time"
            found.append(Picture(_base64(light), alt, caption, _base64(dark or b"")))
    return found


def of_ladder(findings: Findings, with_dark: bool = True) -> list[Picture]:
    """The stores of the site on one axis of seconds."""
    light = ladder_plot(findings.ladder)
    if light is None:
        return []
    dark = ladder_plot(findings.ladder, DARK) if with_dark else None
    caption = "Blue: drawn on; amber: at its limit or near it; grey: not drawn on."
    return [
        Picture(
            _base64(light), "Seconds left of each store, as foreseen and as they came", caption, _base64(dark or b"")
        )
    ]


def of_members(findings: Findings, with_dark: bool = True) -> list[Picture]:
    """What failures cost each member, sorted; none for a run of one."""
    light = sorted_members(findings)
    if light is None:
        return []
    dark = sorted_members(findings, DARK) if with_dark else None
    caption = "One point a member, from the worst to the best: how much it cost, and how far luck reaches."
    return [Picture(_base64(light), "Goodput and availability of each member, sorted", caption, _base64(dark or b""))]


def of_hall(path: Path) -> Picture:
    """A picture from a file, drawn smaller where it is too large.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a picture.
    """
    from PIL import Image, UnidentifiedImageError

    raw, sort = path.read_bytes(), "jpeg"
    try:
        with Image.open(io.BytesIO(raw)) as image:
            image.load()
            if image.format in ("PNG", "JPEG") and len(raw) <= LARGEST:
                sort = image.format.lower()
            else:
                raw = _smaller(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(f"{path} is not a picture that can be read; a PNG or JPEG file is wanted") from None
    return Picture(_base64(raw), "Picture of the hall", f"Picture: {path.name}", type=f"image/{sort}")


def _smaller(image: Any) -> bytes:
    """As a JPEG of at most LARGEST bytes."""
    for width in WIDTHS:
        image.thumbnail((width, 4 * width))
        made = io.BytesIO()
        image.save(made, format="JPEG", quality=85)
        if made.tell() <= LARGEST:
            break
    return made.getvalue()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
