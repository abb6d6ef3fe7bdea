"""The datasets of a trace being written: laid out once, extended block by block, committed last."""

from __future__ import annotations

import math
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5ds, h5s, h5t

from twin.trace import layout
from twin.trace.disk import Shelf
from twin.trace.layout import Column, Event, Shape

NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:10d}"
TIME_DOC = "time since the start of the run"
COMMENT = "rows beyond committed_steps are not to be trusted; the run was ended while it wrote them"


class Sheet:
    """An open file with every dataset in its place; `write` adds a block and then vouches for it."""

    def __init__(
        self,
        file: Any,
        shelf: Shelf,
        columns: list[Column],
        units: dict[str, list[str]],
        members: int,
        shape: Shape,
        texts: dict[str, str],
        provenance: dict[str, str | float | int],
    ) -> None:
        self.steps = 0
        self.events = 0
        self._file, self._shelf = file, shelf
        self._members = members
        self._name_bytes = max([len(n.encode()) for names in units.values() for n in names], default=1) or 1
        self._dimensions = 0
        self._head(provenance)
        self._scales = self._make_scales(members, shape.rows)
        kinds = {kind: self._kind(kind, units[kind]) for kind in dict.fromkeys(c.kind for c in columns)}
        self._columns = {(c.kind, c.name): self._column(c, shape.chunks[c.kind], *kinds[c.kind]).id for c in columns}
        self._log = self._make_log()
        seal = layout.fingerprint(columns, units, members, provenance)
        for name, text in {**texts, "summary": "", "fingerprint": seal}.items():
            self._text(file, name, text)
        self._counts = {name: self._dataset(file, name, np.zeros(1, "<i8"), (1,)) for name in layout.COUNTS}
        for made in self._counts.values():
            made.dims[0].attach_scale(self._scales["one"])
        self._flush()

    def _head(self, provenance: dict[str, str | float | int]) -> None:
        """What the file is, and where it comes from."""
        said: dict[str, str | float | int] = {
            "Conventions": "CF-1.11",
            "title": str(provenance.get("title", "")),
            "comment": COMMENT,
        }
        said |= {"format": layout.FORMAT, "format_version": layout.VERSION}
        for name, value in said.items():
            _attribute(self._file, name, value)
        group = self._file.create_group("provenance")
        for name, value in provenance.items():
            if isinstance(value, str) and layout.is_long(value):
                self._text(group, name, value)
            else:
                _attribute(group, name, value)

    def _dataset(self, group: Any, name: str, data: np.ndarray, chunks: tuple[int, ...], grows: bool = False) -> Any:
        """One dataset with a checksum. No compression: it takes ten times as long as writing."""
        most, hole = (None, *data.shape[1:]) if grows else data.shape, layout.hole_of(data.dtype)
        kept = {"fletcher32": True, "track_times": False, "fillvalue": hole}
        return group.create_dataset(name, data=data, maxshape=most, chunks=chunks, **kept)

    def _text(self, group: Any, name: str, text: str) -> None:
        """A text as letters, along a dimension of its own: h5netcdf warns of dimensions without a name."""
        data = np.frombuffer(text.encode(), "S1")
        made = self._dataset(group, name, data, (min(max(len(data), 4096), layout.TEXT_CHUNK),), grows=True)
        made.dims[0].attach_scale(self._length(f"{name}_length", len(data), grows=True))
        _attribute(made, "_Encoding", "utf-8")

    def _length(self, name: str, length: int, grows: bool = False) -> Any:
        """A dimension that is no variable, at the top of the file; nothing of it is stored."""
        chunks = (layout.TEXT_CHUNK if grows else length,)
        kept = {"fletcher32": True, "track_times": False, "maxshape": (None if grows else length,)}
        made = self._file.create_dataset(name, shape=(length,), dtype="i1", chunks=chunks, **kept)
        self._scale(made, NO_VARIABLE.format(length))
        return made

    def _scale(self, dataset: Any, name: str) -> int:
        """Make a dataset a dimension in the eyes of HDF5 and netCDF; returns its netCDF number."""
        dataset.make_scale(name)
        dataset.attrs.create("_Netcdf4Dimid", np.int32(self._dimensions))
        self._dimensions += 1
        return self._dimensions - 1

    def _make_scales(self, members: int, rows: int) -> dict[str, Any]:
        time = self._dataset(self._file, "time", np.zeros(0, "<f8"), (rows,), grows=True)
        member = self._dataset(self._file, "member", np.arange(members, dtype="<i4"), (members,))
        for made, name, unit, doc in (
            (time, "time", "s", TIME_DOC),
            (member, "member", "1", "world of the ensemble"),
        ):
            self._scale(made, name)
            _attribute(made, "units", unit)
            _attribute(made, "long_name", doc)
        self._time = time.id
        scales = {"time": time, "member": member}
        for name, length in (("name_length", self._name_bytes), ("flag_length", layout.FLAG_BYTES), ("one", 1)):
            scales[name] = self._length(name, length)
        return scales

    def _column(self, column: Column, chunk: tuple[int, int, int], group: Any, unit: Any) -> Any:
        empty = np.zeros((0, self._members, len(unit)), f"<{column.dtype}")
        made = self._dataset(group, column.name, empty, chunk, grows=True)
        _attribute(made, "units", column.unit)
        _attribute(made, "long_name", column.doc)
        for axis, scale in enumerate((self._scales["time"], self._scales["member"], unit)):
            h5ds.attach_scale(made.id, scale.id, axis)
        return made

    def _kind(self, kind: str, names: list[str]) -> tuple[Any, Any]:
        """A group that xarray can open alone, and its dimension of units; time and member are links.

        Names are letters (unit, name_length), as netCDF writes them: HDF5 has no checksum for texts of
        varying length, and ncdump 4.9 crashes on texts of fixed length.
        """
        group = self._file.create_group(kind)
        for name in ("time", "member"):
            group[name] = self._scales[name]
        letters = _letters(names, self._name_bytes)
        unit = self._dataset(group, "unit", letters, letters.shape)
        number = self._scale(unit, "unit")
        letter = self._scales["name_length"].attrs["_Netcdf4Dimid"]
        unit.attrs.create("_Netcdf4Coordinates", np.array([number, letter], dtype="<i4"))
        _attribute(unit, "_Encoding", "utf-8")
        _attribute(unit, "long_name", f"name of the {kind}")
        return group, unit

    def _make_log(self) -> dict[str, Any]:
        group = self._file.create_group("events")
        row = self._dataset(group, "row", np.zeros(0, "<i8"), (layout.EVENT_CHUNK_BYTES // 8,), grows=True)
        self._scale(row, "row")
        log = {"row": row}
        for name, empty, doc, unit in (
            ("time", np.zeros(0, "<f8"), TIME_DOC, "s"),
            ("member", np.zeros(0, "<i4"), "world of the ensemble", "1"),
            ("unit", np.zeros((0, self._name_bytes), "S1"), "unit that it happened to", ""),
            (
                "flag",
                np.zeros((0, layout.FLAG_BYTES), "S1"),
                "flag that rose or fell, or input:<name> that was set",
                "",
            ),
            ("value", np.zeros(0, "<f8"), "1 rose, 0 fell; for an input, the value in SI", ""),
        ):
            wide = empty.itemsize * math.prod(empty.shape[1:])
            chunk = (max(1, layout.EVENT_CHUNK_BYTES // wide), *empty.shape[1:])
            made = self._dataset(group, name, empty, chunk, grows=True)
            made.dims[0].attach_scale(row)
            if empty.ndim == 2:
                made.dims[1].attach_scale(self._scales["name_length" if name == "unit" else "flag_length"])
                _attribute(made, "_Encoding", "utf-8")
            _attribute(made, "long_name", doc)
            if unit:
                _attribute(made, "units", unit)
            log[name] = made
        return log

    def check_event(self, event: Event) -> None:
        """See that an event can be written.

        Raises:
            ValueError: it cannot.
        """
        if len(event.unit.encode()) > self._name_bytes or len(event.flag.encode()) > layout.FLAG_BYTES:
            raise ValueError(f"{event}: the name is longer than the names the trace was laid out for")
        if not abs(event.time) < float("inf") or not 0 <= event.member < self._members:
            raise ValueError(f"{event}: a finite time and one of {self._members} members is wanted")

    def write(
        self, times: np.ndarray, buffers: dict[tuple[str, str], np.ndarray], rows: int, events: list[Event]
    ) -> None:
        """Extend every dataset, flush, and then count the new rows and events as good."""
        start, end = self.steps, self.steps + rows
        if rows:
            self._put(self._time, times[:rows], start)
            for key, dataset in self._columns.items():
                self._put(dataset, buffers[key][:rows], start)
        logged = self.events + len(events)
        if events:
            self._put_events(events)
        self._flush()
        for name, count in (("committed_events", logged), ("committed_steps", end)):
            self._count(name, count)
        self.steps, self.events = end, logged

    def _flush(self) -> None:
        self._file.flush()
        self._shelf.settle()

    def _count(self, name: str, count: int) -> None:
        """Vouch for what was flushed."""
        self._counts[name][0] = count
        self._flush()

    def _put(self, dataset: Any, block: np.ndarray, start: int) -> None:
        """Write rows at the end; the low-level calls take a quarter of the time of `dataset[...] = `."""
        shape = (start + block.shape[0], *block.shape[1:])
        dataset.set_extent(shape)
        there = h5s.create_simple(shape)
        there.select_hyperslab((start, *(0 for _ in shape[1:])), block.shape)
        kind = h5t.py_create(block.dtype)
        dataset.write(h5s.create_simple(block.shape), there, block, kind)

    def _put_events(self, events: list[Event]) -> None:
        rows: dict[str, np.ndarray] = {
            "row": np.arange(self.events, self.events + len(events), dtype=np.int64),
            "time": np.array([e.time for e in events], dtype=np.float64),
            "member": np.array([e.member for e in events], dtype=np.int32),
            "unit": _letters([e.unit for e in events], self._name_bytes),
            "flag": _letters([e.flag for e in events], layout.FLAG_BYTES),
            "value": np.array([e.value for e in events], dtype=np.float64),
        }
        for name, dataset in self._log.items():
            self._put(dataset.id, rows[name], self.events)

    def summarise(self, text: str) -> None:
        """Write the summary, the mark of a run that ended well."""
        data = np.frombuffer(text.encode(), "S1")
        self._put(self._file["summary"].id, data, 0)
        self._file["summary_length"].resize((len(data),))
        self._flush()
        self._count("committed_summary", len(data))


def _letters(names: list[str], width: int) -> np.ndarray:
    """Names as a table of letters (name, width)."""
    fixed = np.array([name.encode() for name in names], dtype=f"S{width}")
    return fixed.view("S1").reshape(len(names), width)


def _attribute(thing: Any, name: str, value: str | float | int) -> None:
    """An attribute; texts have a fixed length, which every library reads as text.

    The low-level calls take a third of the time of `thing.attrs.create`.
    """
    if isinstance(value, str):
        data = np.array(value.encode() or b"\0")
        kind = h5t.py_create(h5py.string_dtype("utf-8", data.itemsize), logical=True)
    else:
        data = np.array(value, np.float64 if isinstance(value, float) else np.int64)
        kind = h5t.py_create(data.dtype)
    h5a.create(thing.id, name.encode(), kind, h5s.create(h5s.SCALAR)).write(data, mtype=kind)
