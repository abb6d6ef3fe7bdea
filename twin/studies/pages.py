"""Pages of studies: the report's own sheet with sections of a study's making, in one file that works offline."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twin.report.pictures import Picture
from twin.report.sections import Column, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 130


def columns(*heads: str, n: Sequence[int] = (), k: Sequence[int] = ()) -> list[Column]:
    """Heads of a table; `n` are columns of numbers, `k` of words that are not broken."""
    style = dict.fromkeys(n, "n") | dict.fromkeys(k, "k")
    return [Column(head, style.get(place, "")) for place, head in enumerate(heads)]


def drawn(figure: Figure, alt: str, caption: str) -> Picture:
    """A figure as a picture of a page."""
    return Picture(base64.b64encode(png(figure)).decode(), alt, caption)


def png(figure: Figure) -> bytes:
    """A figure as PNG."""
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=DPI)
    return held.getvalue()


def write_page(
    path: Path,
    title: str,
    subtitle: str,
    outcome: str,
    good: bool | None,
    sentence: str,
    sections: list[Section],
    description: str = "",
) -> Path:
    """Write a page, whole or not at all.

    Args:
        path: the file.
        title, subtitle: heads.
        outcome: one word, and the sentence beside it.
        good: whether that is good news; None where it is neither.
        sentence: what it comes to.
        sections: the parts in their order; those that hold nothing are left out.
        description: what it is about, under the sentence.

    Raises:
        OSError: it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory; a file is wanted, e.g. {path / 'page.html'}")
    environment = Environment(loader=PackageLoader("twin.report", ""), autoescape=True, undefined=StrictUndefined)
    holding = [s for s in sections if any(part.rows for part in s.tables) or s.pictures or s.text or s.notes]
    text = environment.get_template("page.html.j2").render(
        title=title,
        subtitle=subtitle,
        outcome=outcome,
        verdict_class={True: "good", False: "failed", None: "none"}[good],
        sentence=sentence,
        description=description,
        sections=holding,
    )
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
