"""Making a trace file on a disk that may be full, and leaving one whose writing failed."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import h5py
from h5py import h5f, h5p

from twin.trace.guard import text_of
from twin.trace.layout import FORMAT, TraceWriteError

SLACK = 2**20
"""Room wanted beyond what is written next: index nodes and the summary."""

_WRECKS: list[Any] = []
"""Files whose writing failed and that could not be closed; kept, for letting go of one crashes HDF5."""


def create(path: Path, size: int) -> Any:
    """Make the file, in the format that survives a kill and that every reader opens.

    It begins beside its place, as `.name.part`; `put_in_place` moves it once it can be read.

    Args:
        path: where; an older trace is replaced, any other file refused (`-o hall.yaml` is a slip).
        size: bytes that the first flush will take.

    Raises:
        TraceWriteError: it cannot be made.
    """
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_cache(0, 521, 0, 0.75)  # whole chunks want no cache; one would grow with the run
    try:
        fault = _place_fault(path) or room_fault(path, size)
        if not fault:
            made = h5f.create(os.fsencode(_part(path)), h5f.ACC_TRUNC, h5p.create(h5p.FILE_CREATE), access)
            return h5py.File(made)
    except (OSError, RuntimeError) as error:
        fault = reason(error)
    raise TraceWriteError(f"cannot write {path}: {fault}")


def put_in_place(path: Path) -> None:
    """Give the file its name; whoever has an older trace of that name open keeps it whole."""
    _part(path).replace(path.resolve())


def discard(path: Path) -> None:
    """Remove a file that was never put in its place."""
    _part(path).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    place = path.resolve()
    return place.with_name(f".{place.name}.part")


def _place_fault(path: Path) -> str:
    """Why nothing may be written there, or ""."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}; make it first"
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return ""
    if path.is_file() and h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:  # fails with its reason where a run is still writing it
            if "format" in file.attrs and text_of(file.attrs["format"]) == FORMAT:
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


def let_go(file: Any, growth: int) -> None:
    """Close a file whose writing failed.

    On the full disk HDF5 would crash while closing, so it ends its bookkeeping in memory. Where that
    cannot be had, the file is kept until the process ends, which then should be by `os._exit`.

    Args:
        file: the h5py file.
        growth: bytes by which it may still want to grow.
    """
    _WRECKS.append(file)
    with contextlib.suppress(OSError, RuntimeError, AttributeError):
        handle = file.id.get_vfd_handle()
        elsewhere = os.memfd_create("trace")  # Linux alone
        os.ftruncate(elsewhere, os.fstat(handle).st_size + growth + SLACK)
        os.dup2(elsewhere, handle)
        os.close(elsewhere)
        file.close()
        _WRECKS.remove(file)


def reason(error: Exception) -> str:
    """The system's own words out of HDF5's long ones."""
    said = re.search(r"error message = '([^']*)'", str(error))
    if "unable to lock" in str(error):
        return "another program has it open"
    if said:
        return said[1][:1].lower() + said[1][1:]
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__
