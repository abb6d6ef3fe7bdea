"""The file under HDF5: written so that a kill at any moment or a full disk leaves what was committed whole."""

from __future__ import annotations

import bisect
import contextlib
import fcntl
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
from h5py import h5f, h5fd, h5p

from twin.trace import layout
from twin.trace.guard import text_of
from twin.trace.layout import TraceWriteError

SLACK = 2**20
"""Room wanted beyond what is written next: index nodes and the summary."""


@contextlib.contextmanager
def unbroken() -> Iterator[None]:
    """Hold Ctrl-C back until HDF5 is done: within its calls an interrupt is lost, or taken for a fault of the file."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[Any] = []
    signal.signal(signal.SIGINT, lambda *told: came.append(told))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        before(*came[0])


class Shelf:
    """A file for HDF5's driver of Python file objects, in place of HDF5's own, for two reasons.

    New pieces of the file are written at once, but what lies in the committed part is written over only by
    `settle`, lowest address first. An index that splits then never points to a node that is not there, and
    its root knows the new node before the old one gives up half of its entries.
    And a write that fails is kept in `error` while HDF5 goes on as if it had been done: told the truth, it
    crashes the interpreter when it closes the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as HDF5 does: readers wait
            os.ftruncate(self._file, 0)
        except OSError:
            os.close(self._file)
            raise
        self._place = self._size = self._settled = 0
        self._held: list[tuple[int, bytes]] = []
        self.error: OSError | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + (self._size if whence == os.SEEK_END else 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def write(self, piece: memoryview) -> int:
        """Write a new piece; hold back one that lies in the settled part."""
        if self._place < self._settled:
            self._held.append((self._place, bytes(piece)))
        else:
            self._put(self._place, piece)
        self._size = max(self._size, self._place + len(piece))
        self._place += len(piece)
        return len(piece)

    def readinto(self, into: memoryview) -> int:
        """Read what was written, also what is held back; zeros beyond the end."""
        found = bytearray(0 if self.error else os.pread(self._file, len(into), self._place))
        found.extend(bytes(len(into) - len(found)))
        for place, piece in self._held:
            first, last = max(place, self._place), min(place + len(piece), self._place + len(into))
            if first < last:
                found[first - self._place : last - self._place] = piece[first - place : last - place]
        into[:] = found
        return len(into)

    def truncate(self, size: int) -> None:
        """Give the file its length; it shrinks when it is settled, for its head still names the old one."""
        grows, self._size = size > self._size, size
        if grows:
            self._cut()

    def _cut(self) -> None:
        if not self.error:
            try:
                os.ftruncate(self._file, self._size)
            except OSError as error:
                self.error = error

    def flush(self) -> None:
        """Nothing waits in here but what `settle` writes."""

    def settle(self) -> None:
        """Write over what is to be replaced in the settled part; all of the file is settled then.

        Raises:
            OSError: a write failed, now or since the last time.
        """
        for place, piece in _in_place_order(self._held):
            self._put(place, piece)
        self._held.clear()
        self._cut()
        self._settled = self._size
        if self.error:
            raise self.error

    def _put(self, place: int, piece: memoryview | bytes | bytearray) -> None:
        view = memoryview(piece)
        while len(view) and not self.error:
            try:
                done = os.pwrite(self._file, view, place)
            except OSError as error:
                self.error = error
                return
            place, view = place + done, view[done:]

    def name(self, path: Path) -> None:
        """Give the file its name; whoever has an older one of that name open keeps it whole."""
        self._path.replace(path.resolve())

    def close(self, discard: bool = False) -> None:
        """Settle what can be settled and let go of the file; with `discard`, also of its first name."""
        with contextlib.suppress(OSError):
            self.settle()
        os.close(self._file)
        if discard:
            self._path.unlink(missing_ok=True)


def _in_place_order(pieces: list[tuple[int, bytes]]) -> list[tuple[int, bytearray]]:
    """Pieces by address; those that overlap become one, in which the last word counts."""
    spans: list[list[int]] = []
    for place, piece in sorted(pieces, key=lambda each: each[0]):
        if spans and place < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], place + len(piece))
        else:
            spans.append([place, place + len(piece)])
    whole = [(first, bytearray(last - first)) for first, last in spans]
    for place, piece in pieces:
        first, span = whole[bisect.bisect(spans, [place, 2**63]) - 1]
        span[place - first : place - first + len(piece)] = piece
    return whole


def create(path: Path, size: int) -> tuple[Any, Shelf]:
    """Make the file, in the format that every reader opens.

    It begins beside its place, as `.name.part`; `Shelf.name` moves it once it can be read.

    Args:
        path: where; an older trace is replaced, any other file refused (`-o hall.yaml` is a slip).
        size: bytes that the first flush will take.

    Raises:
        TraceWriteError: it cannot be made.
    """
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_alignment(layout.ALIGNED_FROM, layout.PAGE)
    access.set_cache(0, 521, 0, 0.75)  # whole chunks want no cache; one would grow with the run
    place = path.resolve()
    try:
        fault = _place_fault(path) or room_fault(path, size)
        if not fault:
            shelf = Shelf(place.with_name(f".{place.name}.part"))
            access.set_fileobj_driver(h5fd.fileobj_driver, shelf)
            made = h5f.create(os.fsencode(path), h5f.ACC_TRUNC, h5p.create(h5p.FILE_CREATE), access)
            return h5py.File(made), shelf
    except (OSError, RuntimeError) as error:
        fault = reason(error)
    raise TraceWriteError(f"cannot write {path}: {fault}")


def _place_fault(path: Path) -> str:
    """Why nothing may be written there, or ""."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}; make it first"
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return ""
    if path.is_file() and h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:  # fails with its reason where a run is still writing it
            if "format" in file.attrs and text_of(file.attrs["format"]) == layout.FORMAT:
                return ""
    return "it is there and is not a trace; choose another name"


def room_fault(path: Path, size: int) -> str:
    """Why the disk cannot take so many bytes more, or ""."""
    disk = os.statvfs(path.parent)
    free, wanted = disk.f_bavail * disk.f_frsize, size + SLACK
    if free >= wanted:
        return ""
    return (
        f"the disk has {free / 1e6:.1f} MB left and {wanted / 1e6:.1f} MB are wanted next; "
        "make room, or record less often (run: record)"
    )


def reason(error: Exception) -> str:
    """The system's own words out of HDF5's long ones."""
    if isinstance(error, BlockingIOError) or "unable to lock" in str(error):
        return "another program has it open"
    said = re.search(r"error message = '([^']*)'", str(error))
    text = said[1] if said else getattr(error, "strerror", None) or str(error)
    first = text.splitlines()[0] if text else type(error).__name__
    return first[:1].lower() + first[1:]
