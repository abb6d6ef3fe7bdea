"""A table in HDF5: one row per case, one dataset per column, that a stranger opens; written whole or not at all."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from twin.trace.guard import told
from twin.trace.layout import BadTrace, TraceWriteError

FORMAT = "aifactory-twin table"
VERSION = 1
ROWS = 4096
"""Rows of a chunk."""
MOST_ROWS = 10_000_000


@dataclass
class Table:
    """Columns of equal length, with words for each and for all of them.

    columns: name -> values, (row) or (row, n); units, docs: of each column; along: name of a second axis -> its names;
    words: what else is said of the table.
    """

    columns: dict[str, np.ndarray]
    units: dict[str, str] = field(default_factory=dict)
    docs: dict[str, str] = field(default_factory=dict)
    along: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def write_table(path: str | os.PathLike[str], table: Table, row: str) -> None:
    """Write a table; the same table gives the same file to the bit.

    Args:
        path: the file; what stands there is replaced in one step, when the new one is whole.
        table: what is written; columns of two axes run along its only second axis.
        row: what one row is, as the name of the first axis.

    Raises:
        TraceWriteError: it cannot be written; what stood there stays.
    """
    target = Path(path)
    aside = target.with_name(f".{target.name}.new")
    try:
        with h5py.File(aside, "w", libver=("earliest", "v108"), track_order=False) as file:
            _fill(file, table, row)
        with aside.open("rb+") as done:
            os.fsync(done.fileno())
        aside.replace(target)
    except (OSError, RuntimeError) as error:
        aside.unlink(missing_ok=True)
        raise TraceWriteError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None


def _fill(file: Any, table: Table, row: str) -> None:
    file.attrs["format"], file.attrs["format_version"], file.attrs["row"] = FORMAT, VERSION, row
    for name, value in sorted(table.words.items()):
        file.attrs[name] = value
    scale = file.create_dataset(row, data=np.arange(table.rows, dtype="i4"), **_kept(table.rows))
    scale.make_scale(row)
    scales = [scale]
    for second, names in table.along.items():
        along = file.create_dataset(second, data=_texts(names), **_kept(len(names)))
        along.make_scale(second)
        scales.append(along)
    for name, values in table.columns.items():
        data = _texts(values) if values.dtype.kind in "US" else values
        made = file.create_dataset(name, data=data, **_kept(*data.shape))
        for axis in range(data.ndim):
            made.dims[axis].attach_scale(scales[axis])
        made.attrs["long_name"] = table.docs.get(name, name)
        if name in table.units:
            made.attrs["units"] = table.units[name]


def _kept(*shape: int) -> dict[str, Any]:
    """How a dataset is stored: in chunks with checksums; nothing where it is empty."""
    if not math.prod(shape):
        return {}
    return {"chunks": (min(shape[0], ROWS), *shape[1:]), "fletcher32": True, "track_times": False}


def _texts(names: Sequence[str] | np.ndarray) -> np.ndarray:
    """Words as UTF-8 of one length, the plainest form that every reader knows."""
    coded = [str(name).encode() for name in names]
    longest = max(map(len, coded), default=0)
    return np.array(coded, dtype=h5py.string_dtype("utf-8", max(longest, 1)))


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a table that `write_table` wrote.

    Raises:
        BadTrace: it is none, or damaged; one sentence.
    """
    place = Path(path)
    if not place.is_file():
        raise BadTrace(f"{path}: there is no such file; a table written by `twin sweep` is wanted")
    if not h5py.is_hdf5(place):
        raise BadTrace(f"{path}: this is not an HDF5 file; a table written by `twin sweep` is wanted")
    with told(place, "the table"), h5py.File(place, "r") as file:
        if not is_table(file):
            raise BadTrace(f"{path}: this is HDF5, but not a table written by `twin sweep`")
        return _read(place, file)


def holds_table(path: str | os.PathLike[str]) -> bool:
    """Whether an HDF5 file says that it is such a table; a damaged one does not."""
    with contextlib.suppress(OSError, RuntimeError), h5py.File(path, "r") as file:
        return is_table(file)
    return False


def is_table(file: Any) -> bool:
    """Whether an open HDF5 file says that it is such a table."""
    said = file.attrs.get("format")
    return bool(said == FORMAT or said == FORMAT.encode())


def _read(path: Path, file: Any) -> Table:
    row = str(file.attrs["row"])
    own = ("format", "format_version", "row")
    words = {name: value.item() if isinstance(value, np.generic) else value for name, value in file.attrs.items()}
    made = Table({}, words={name: value for name, value in words.items() if name not in own})
    for name in file:
        if type(file.get(name, getlink=True)) is not h5py.HardLink or not isinstance(file[name], h5py.Dataset):
            raise BadTrace(f"{path}: {name} is not what a table holds")
        dataset = file[name]
        if dataset.external or dataset.is_virtual or dataset.shape[0] > MOST_ROWS:
            raise BadTrace(f"{path}: {name} takes its data from elsewhere; a table holds its data itself")
        if name == row:
            continue
        values = dataset[...]
        if values.dtype.kind == "S":
            values = np.array([value.decode() for value in values.tolist()], dtype=object).astype(str)
        if dataset.is_scale:
            made.along[name] = values.tolist()
            continue
        made.columns[name] = values
        made.docs[name] = str(dataset.attrs.get("long_name", ""))
        if "units" in dataset.attrs:
            made.units[name] = str(dataset.attrs["units"])
    return made


def require(table: Table, names: Mapping[str, object] | Sequence[str], path: str | os.PathLike[str]) -> None:
    """See that a table has some columns.

    Raises:
        BadTrace: one is missing.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise BadTrace(
            f"{path}: the table lacks {', '.join(missing)}; another release wrote it, or something else; "
            "run the sweep again to have them"
        )
