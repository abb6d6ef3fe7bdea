"""The journal of a sweep that is under way: finished cases, line by line, of which a kill costs at most the last."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from twin.report.words import count
from twin.studies.sweep.outcome import Outcome
from twin.trace import TraceWriteError

COLUMNS = [each.name for each in fields(Outcome)]
"""What a row holds; a row with other columns is not read on with."""


class Interrupted(Exception):
    """A sweep was begun and not ended here, and nobody has said whether to go on with it; the message says how."""


class Journal:
    """A file of lines, each with its checksum: the first says which sweep it is, the others hold finished cases."""

    def __init__(self, path: Path, sweep: str, resume: bool | None) -> None:
        """Open the journal.

        Args:
            path: the file; it is removed when the sweep is whole.
            sweep: SHA-256 of all that the sweep's rows depend on.
            resume: True goes on with what is there, False begins anew, None asks by raising.

        Raises:
            Interrupted: there is one, and `resume` does not say what to do; or it is of another sweep.
            TraceWriteError: it cannot be written.
        """
        self.path, self.done = path, dict[int, Outcome]()
        good = 0
        if path.is_file() and resume is not False:
            good = self._read(sweep, resume)
        try:
            self._file = path.open("r+b" if path.is_file() else "w+b")
            self._file.truncate(good)
            self._file.seek(good)
        except OSError as error:
            raise TraceWriteError(f"cannot write {path}: {error.strerror}") from None
        if not good:
            self._line({"sweep": sweep, "columns": COLUMNS})

    def _read(self, sweep: str, resume: bool | None) -> int:
        """Take what is whole; how many bytes of the file that are."""
        good, head = 0, ""
        for line in self.path.read_bytes().split(b"\n")[:-1]:
            checksum, _, text = line.partition(b" ")
            if checksum != b"%08x" % zlib.crc32(text):
                break
            said = json.loads(text)
            if not head:
                head = str(said["sweep"])
                self._want_ours(sweep, head, said.get("columns", []))
            else:
                self.done |= {int(index): Outcome.from_json(row) for index, row in said["rows"]}
            good += len(line) + 1
        if self.done and resume is None:
            held = f"{self.path} holds {count(len(self.done), 'case')} of this sweep, which was not ended"
            raise Interrupted(f"{held}; --resume goes on with it, --afresh begins anew")
        return good

    def _want_ours(self, sweep: str, head: str, columns: list[str]) -> None:
        """See that the file is of this sweep, and that its rows have the columns of this release.

        Raises:
            Interrupted: it is not, or they have not.
        """
        what = ""
        if head != sweep:
            what = f"{self.path} is what is left of another sweep, or of another release"
        elif columns != COLUMNS:
            lacks = ", ".join(name for name in COLUMNS if name not in columns) if columns else ""
            what = f"{self.path} was begun by another release, whose rows {f'lack {lacks}' if lacks else 'are others'}"
        if what:
            raise Interrupted(f"{what}; --afresh throws it away, another name (-o) keeps it")

    def add(self, rows: Iterable[tuple[int, Outcome]]) -> None:
        """Write finished cases; they are safe when this returns.

        Raises:
            TraceWriteError: the disk is full or the file cannot be written.
        """
        listed = list(rows)
        self._line({"rows": [[index, row.to_json()] for index, row in listed]})
        self.done |= dict(listed)

    def _line(self, said: dict[str, object]) -> None:
        text = json.dumps(said).encode()
        try:
            self._file.write(b"%08x %s\n" % (zlib.crc32(text), text))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise TraceWriteError(f"cannot write {self.path}: {error.strerror}") from None

    def close(self, whole: bool) -> None:
        """Let go of the file; remove it where the sweep is whole."""
        self._file.close()
        if whole:
            self.path.unlink(missing_ok=True)
