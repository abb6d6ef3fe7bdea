"""The reader: a trace as names, units and arrays; it trusts only what was committed."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.faults import a_kind
from twin.trace import guard, layout
from twin.trace.layout import BadTrace, Column, Event, NotRecorded
from twin.units import convert

if TYPE_CHECKING:
    from twin.plant import Plant


@dataclass(frozen=True, eq=False)
class Series:
    """One recorded quantity over time: of all units of a kind, or of one unit.

    values: shape (time, member, unit); time: seconds [s]; unit: what the values are in.
    """

    name: str
    values: np.ndarray
    unit: str
    doc: str
    time: np.ndarray
    unit_names: list[str]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy) if copy else np.asarray(self.values, dtype=dtype)

    def to(self, wish: str) -> Series:
        """The same in another unit, in double precision: `series.to("degC")`.

        Raises:
            BadValue: the unit is not known, or measures something else.
        """
        return replace(self, values=convert(self.values.astype(np.float64), self.unit, wish), unit=wish)

    def of(self, unit_name: str) -> np.ndarray:
        """Values of one unit, shape (time, member).

        Raises:
            NotRecorded: it is not among them.
        """
        if unit_name not in self.unit_names:
            near = _nearest(unit_name, self.unit_names)
            raise NotRecorded(f"{self.name} of {unit_name} is not recorded{near}")
        return self.values[:, :, self.unit_names.index(unit_name)]


def open_trace(path: str | os.PathLike[str]) -> Trace:
    """Open a trace that `twin run` wrote, also one whose run was killed.

    Raises:
        BadTrace: it is not a trace, is damaged, or leads to other files; one sentence.
    """
    return Trace(Path(path))


class Trace:
    """What a run recorded; `open_trace` opens it.

        with twin.open_trace("utility_loss.h5") as trace:
            hottest = trace["rack.die_temperature"].to("degC").values.max()
            alone = trace["rack-07.die_temperature"].values[:, 0, 0]

    time: seconds since the start of the run, one per row; members: worlds run side by side;
    kinds: kinds of equipment recorded; provenance: versions, device, seed, hashes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = guard.open_file(path)
        try:
            with guard.told(path, "the table of contents"):
                self._read_head()
        except BaseException:
            self._file.close()
            raise

    def _read_head(self) -> None:
        self._event_count, steps, self._summary_bytes = (
            int(guard.rows_of(self.path, self._file[name], 0, 1)[0]) for name in layout.COUNTS
        )
        if not (0 <= steps <= self._file["time"].shape[0] and self._event_count >= 0):
            raise BadTrace(f"{self.path}: it counts {steps} rows but does not hold them; copy it again")
        self.time = guard.rows_of(self.path, self._file["time"], 0, steps)
        self.members = int(self._file["member"].shape[0])
        self.kinds = [name for name in guard.groups(self._file) if name not in layout.GROUPS]
        self._units = {kind: self._names(self._file[kind]["unit"]) for kind in self.kinds}
        self._columns = {kind: self._columns_of(kind, steps) for kind in self.kinds}
        self._place = {name: (kind, i) for kind, names in self._units.items() for i, name in enumerate(names)}
        self.provenance = self._read_provenance()
        columns = [column for named in self._columns.values() for column in named.values()]
        seal = layout.fingerprint(columns, self._units, self.members, self.provenance)
        if self._text("fingerprint") != seal:
            raise BadTrace(f"{self.path}: its names, units or provenance were altered after it was written")

    def _names(self, dataset: Any, rows: int | None = None) -> list[str]:
        letters = guard.rows_of(self.path, dataset, 0, dataset.shape[0] if rows is None else rows)
        return [name.decode() for name in letters.view(f"S{letters.shape[1]}").ravel().tolist()]

    def _columns_of(self, kind: str, steps: int) -> dict[str, Column]:
        found = {}
        for name, dataset in self._file[kind].items():
            if name in layout.RESERVED:
                continue
            said = [guard.text_of(dataset.attrs[key]) for key in ("units", "long_name")]
            if dataset.shape[0] < steps or dataset.shape[1:] != (self.members, len(self._units[kind])):
                found_shape = f"{dataset.name} has shape {dataset.shape}"
                raise BadTrace(f"{self.path}: {found_shape}, which does not fit the others; copy it again")
            found[name] = Column(kind, name, said[0], said[1], f"f{dataset.dtype.itemsize}")
        return found

    def _read_provenance(self) -> dict[str, str | float | int]:
        group = self._file["provenance"]
        found: dict[str, str | float | int] = {name: self._text(f"provenance/{name}") for name in group}
        for name, value in group.attrs.items():
            found[name] = value.item() if isinstance(value, np.number) else guard.text_of(value)
        return found

    def _text(self, name: str, length: int | None = None) -> str:
        with guard.told(self.path, f"/{name}"):
            dataset = self._file[name]
            letters = guard.rows_of(self.path, dataset, 0, dataset.shape[0] if length is None else length)
            return letters.tobytes().decode()

    @property
    def title(self) -> str:
        """What the scenario calls itself; the name of the file where it has no title."""
        return str(self.provenance.get("title") or self.path.stem)

    def units(self, kind: str) -> list[str]:
        """Names of the units of a kind, in canonical order.

        Raises:
            NotRecorded: nothing of the kind was recorded.
        """
        if kind not in self._units:
            raise NotRecorded(f"kind {kind} is not recorded{_nearest(kind, self.kinds)}")
        return list(self._units[kind])

    def columns(self, kind: str) -> dict[str, Column]:
        """What was recorded of a kind, by name.

        Raises:
            NotRecorded: nothing of the kind was recorded.
        """
        self.units(kind)
        return dict(self._columns[kind])

    def __getitem__(self, name: str) -> Series:
        """All rows of "rack.die_temperature" (every rack) or "rack-07.die_temperature" (that one)."""
        return self.read(name)

    def __contains__(self, name: object) -> bool:
        with contextlib.suppress(NotRecorded):
            return bool(self._find(str(name)))
        return False

    def read(self, name: str, start: int = 0, stop: int | None = None) -> Series:
        """Rows from `start` up to `stop`, for traces that are too long to read whole.

        Raises:
            NotRecorded: there is no such quantity or unit.
            BadTrace: the rows are damaged.
        """
        column, units = self._find(name)
        start, stop, _ = slice(start, stop).indices(len(self.time))
        with guard.told(self.path, f"/{column.kind}/{column.name}"):
            dataset = self._file[column.kind][column.name]
            values = guard.rows_of(self.path, dataset, start, max(start, stop), units)
        names = self._units[column.kind][units]
        return Series(name, values, column.unit, column.doc, self.time[start:stop], names)

    def _find(self, name: str) -> tuple[Column, slice]:
        """The column and the units that a name speaks of."""
        owner, _, quantity = name.rpartition(".")
        if owner in self._columns:
            kind, units = owner, slice(None)
        elif owner in self._place:
            kind, index = self._place[owner]
            units = slice(index, index + 1)
        else:
            near = _nearest(owner, [*self.kinds, *self._place])
            raise NotRecorded(f'"{name}": {owner or "its kind or unit"} is not recorded{near}')
        if quantity not in self._columns[kind]:
            near = _nearest(quantity, self._columns[kind])
            raise NotRecorded(f'"{name}": {quantity or "its quantity"} is not recorded of {a_kind(kind)}{near}')
        return self._columns[kind][quantity], units

    @cached_property
    def events(self) -> list[Event]:
        """What rose, fell and was asked, in order of time."""
        count = self._event_count
        with guard.told(self.path, "/events"):
            log = self._file["events"]
            time, member, value = (
                guard.rows_of(self.path, log[name], 0, count).tolist() for name in ("time", "member", "value")
            )
            unit, flag = self._names(log["unit"], count), self._names(log["flag"], count)
            found = [
                Event(t, m, u, f, v if ":" in f else int(v))
                for t, m, u, f, v in zip(time, member, unit, flag, value, strict=True)
            ]
        if self._summary_bytes:
            return found
        last = self.time[-1] if len(self.time) else -np.inf  # events are counted before their rows
        return [event for event in found if event.time <= last]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What the run said of itself at its end; empty where it was killed and could say nothing."""
        text = self._text("summary", self._summary_bytes)
        with guard.told(self.path, "/summary"):
            return dict(json.loads(text)) if text else {}

    @cached_property
    def scenario_text(self) -> str:
        """The resolved scenario, as YAML."""
        return self._text("scenario")

    @cached_property
    def plant(self) -> Plant:
        """The plant that was run."""
        from twin.plant import Plant

        text = self._text("plant")
        with guard.told(self.path, "/plant"):
            return Plant.from_json(text)

    def sha256(self) -> str:
        """SHA-256 of the file, to name it in a report."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Trace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {close[0]}?" if close else ""
