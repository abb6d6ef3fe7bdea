"""Opening a file from a stranger: what is looked at before any of its data is read."""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5o, h5t, h5z

from twin.trace.layout import FORMAT, VERSION, BadTrace, hole_of

MOST_LINKS = 20_000
TORN = "is damaged, rows of it are missing; copy or run it again"
PLAIN = tuple(h5t.py_create(np.dtype(kind)) for kind in ("<f4", "<f8", "<i4", "<i8", "i1", "S1"))
ODD = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    MemoryError,
    AttributeError,
)
"""What h5py raises on a file whose inside is torn."""


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a torn file raises into one sentence."""
    try:
        yield
    except BadTrace:
        raise
    except ODD as error:
        if "filter returned failure" in str(error):  # the only filter is the checksum
            fault = "is damaged, its checksum is wrong; copy or run it again"
            raise BadTrace(f"{path}: {what} {fault}") from None
        raise BadTrace(f"{path}: {what} cannot be read; the file is damaged or not a trace") from None


def open_file(path: Path) -> Any:
    """Open a file for reading and see that nothing in it leads out of it.

    Raises:
        BadTrace: it is none of ours, or damaged, or not to be trusted.
    """
    if not path.exists():
        raise BadTrace(f"{path}: there is no such file")
    if not path.is_file():
        raise BadTrace(f"{path}: this is not a file; a trace (.h5) is wanted")
    file = _open(path)
    try:
        with told(path, "the table of contents"):
            _want_ours(path, file)
            _look_around(path, file)
    except BaseException:
        file.close()
        raise
    return file


def _open(path: Path) -> Any:
    if not os.access(path, os.R_OK):
        raise BadTrace(f"{path}: you may not read it; ask its owner")
    if not h5py.is_hdf5(path):
        raise BadTrace(f"{path}: this is not an HDF5 file; a trace written by `twin run` is wanted")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES) or "unable to lock" in str(error):
            raise BadTrace(f"{path}: a run is still writing it; wait until it has ended") from None
        if "truncated" in str(error):
            raise BadTrace(f"{path}: its end is missing; copy it again") from None
        raise BadTrace(f"{path}: its head cannot be read; the file is damaged") from None


def _want_ours(path: Path, file: Any) -> None:
    if "format" not in file.attrs or text_of(file.attrs["format"]) != FORMAT:
        raise BadTrace(f"{path}: this is HDF5, but not a trace written by `twin run`")
    version = int(file.attrs["format_version"])
    if version != VERSION:
        cure = f"this release of the twin reads {VERSION}; use the one that wrote it"
        raise BadTrace(f"{path}: this is a trace of format {version}; {cure}")


def _look_around(path: Path, file: Any) -> None:
    """See every link and dataset: one level of groups, plain data with checksums, nothing kept elsewhere."""
    todo, seen, claimed = [("", file)], 0, dict[int, int]()
    while todo:
        place, group = todo.pop()
        for name in group:
            seen += 1
            where = f"{place}/{name}"
            if seen > MOST_LINKS:
                raise BadTrace(f"{path}: it holds more than {MOST_LINKS} datasets; no trace does")
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise BadTrace(f"{path}: {where} is a link to another place; a trace holds its data itself")
            found = group[name]
            if isinstance(found, h5py.Dataset):
                _want_plain(path, where, found)
                _want_apart(path, h5o.get_info(found.id).addr, found, claimed)
            elif isinstance(found, h5py.Group) and not place:
                todo.append((where, found))
            else:
                raise BadTrace(f"{path}: {where} is not what a trace holds")


def _want_plain(path: Path, where: str, dataset: Any) -> None:
    made = dataset.id.get_create_plist()
    if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
        raise BadTrace(f"{path}: {where} takes its data from another file; a trace holds its data itself")
    if dataset.id.get_type() not in PLAIN:
        raise BadTrace(f"{path}: {where} is neither numbers nor plain text")
    filters = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    if made.get_layout() != h5d.CHUNKED or filters != [h5z.FILTER_FLETCHER32]:
        raise BadTrace(f"{path}: {where} carries no checksum; it was not written by `twin run`")


def _want_apart(path: Path, address: int, dataset: Any, claimed: dict[int, int]) -> None:
    """See that no two datasets claim the same bytes: a bit flipped in an index may point to a neighbour's."""
    found: list[int] = []
    with contextlib.suppress(OSError, RuntimeError):  # torn where nothing is committed; reading will tell
        dataset.id.chunk_iter(lambda chunk: found.append(chunk.byte_offset))
    for place in found:
        if claimed.setdefault(place, address) != address:
            raise BadTrace(f"{path}: the index of {dataset.name} is damaged; copy or run it again")
    if len(set(found)) != len(found):
        raise BadTrace(f"{path}: the index of {dataset.name} is damaged; copy or run it again")


def rows_of(path: Path, dataset: Any, start: int, stop: int, unit: slice = slice(None)) -> np.ndarray:
    """Read rows of a dataset into native numbers, having seen that the file holds them.

    Raises:
        BadTrace: they are missing or damaged.
    """
    where = dataset.name
    with told(path, where):
        if start == stop:  # nothing was committed: the index may be torn, and is not looked at
            empty = np.broadcast_to(np.zeros((), dataset.dtype), (0, *dataset.shape[1:]))
            return empty[:, :, unit] if dataset.ndim == 3 else empty
        stored = dataset.id.get_storage_size()
        if not 0 <= start <= stop <= dataset.shape[0] or stored > path.stat().st_size:
            raise BadTrace(f"{path}: {where} claims more than the file holds; copy or run it again")
        if math.prod(dataset.shape[1:]) * (stop - start) * dataset.dtype.itemsize > stored:
            raise BadTrace(f"{path}: {where} {TORN}")
        read = dataset[start:stop, :, unit] if dataset.ndim == 3 else dataset[start:stop]
        rows = np.ascontiguousarray(read, dtype=dataset.dtype.newbyteorder("="))
        hole = hole_of(rows.dtype)
        if bool((rows.view(f"u{rows.dtype.itemsize}") == hole.view(f"u{rows.dtype.itemsize}")).any()):
            raise BadTrace(f"{path}: {where} {TORN}")
        return rows


def groups(file: Any) -> list[str]:
    """Names of the groups at the top of a file."""
    return [name for name, found in file.items() if isinstance(found, h5py.Group)]


def text_of(value: Any) -> str:
    """A text attribute, whichever way h5py hands it out."""
    if isinstance(value, bytes):
        return bytes(value).rstrip(b"\0").decode()
    if isinstance(value, str):
        return str(value)
    raise TypeError("a text is wanted")
