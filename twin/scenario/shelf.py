"""The folder of a document: what files it may take from there, and what messages call them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Shelf:
    """The folder a document may take other files from, and what messages call it."""

    folder: Path
    name: str

    def called(self, text: str) -> str:
        return str(PurePosixPath(self.name) / text) if self.name else text


def inside(text: str, shelf: Shelf) -> Path | None:
    """The path of a file in the shelf's folder; None where it would leave it, also by a link."""
    try:
        path = (shelf.folder / text).resolve()
        return path if path.is_relative_to(shelf.folder.resolve()) and "\0" not in text else None
    except (OSError, ValueError, RuntimeError):
        return None
