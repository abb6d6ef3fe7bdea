"""The recorder: buffers whole blocks of rows, writes them, and only then says that they may be trusted."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from twin.arrays import Array, to_host
from twin.trace import disk, layout
from twin.trace.layout import Column, Event, TraceWriteError
from twin.trace.writing import Sheet

Blocks = dict[tuple[str, str], Array]


class Recorder:
    """Writes one trace; rows given to `append` are good as soon as `committed` counts them.

    Args:
        path: file to write; an older trace of that name is replaced, any other file is refused.
        columns: what is recorded.
        units: kind -> names of its units, in canonical order.
        members: worlds run side by side.
        plant_json, scenario_text: the plant and the resolved scenario.
        provenance: versions, device, seed, hashes; "title" also names the trace.
        steps: rows foreseen, where known; a short run then takes less room.

    Raises:
        TraceWriteError: the file cannot be written; one sentence says why.
        ValueError: the columns contradict each other.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        columns: list[Column],
        units: dict[str, list[str]],
        members: int,
        plant_json: str,
        scenario_text: str,
        provenance: dict[str, str | float | int],
        steps: int | None = None,
    ) -> None:
        wrong = layout.faults(columns, units, members)
        if wrong:
            raise ValueError(f"the trace cannot be laid out: {'; '.join(wrong)}")
        self.path = Path(path)
        shape = layout.cut(columns, units, members, steps)
        self._rows, self._filled, self._last = shape.rows, 0, -math.inf
        self._times = np.zeros(shape.rows)
        self._buffers = {
            (c.kind, c.name): np.zeros((shape.rows, members, len(units[c.kind])), c.dtype) for c in columns
        }
        self._pending: list[Event] = []
        self._failed = ""
        cuts = shape.chunks
        self._bytes = sum(b.itemsize * _padded(b.shape, cuts[k]) for (k, _), b in self._buffers.items())
        texts = {"plant": plant_json, "scenario": scenario_text}
        size = len(plant_json) + len(scenario_text) + 8192 * len(columns)
        try:
            self._begin(size, columns, units, members, shape, texts, provenance)
        except KeyboardInterrupt:
            self.abandon()
            raise

    @disk.unbroken()
    def _begin(self, size: int, *laid_out: Any) -> None:
        self._file, self._shelf = disk.create(self.path, size)
        try:
            self._sheet = Sheet(self._file, self._shelf, *laid_out)
            self._shelf.name(self.path)
        except OSError as error:
            self._file.close()
            self._shelf.close(discard=True)
            raise TraceWriteError(f"cannot write {self.path}: {disk.reason(error)}") from None

    @property
    def committed(self) -> int:
        """Rows that a reader may trust."""
        return self._sheet.steps

    def append(self, times: np.ndarray, blocks: Blocks, events: list[Event]) -> None:
        """Add rows; they are copied. Hand over many at a time: each column costs about 0.5 us a call.

        Args:
            times: seconds since the start, rising, shape (k,).
            blocks: (kind, name) -> values, shape (k, member, n), or (1, member, n) where they stay, for every column.
            events: what happened since the last call; the order among equal times is kept. Times and
                blocks may be empty where there is nothing else to say.

        Raises:
            TraceWriteError: the disk is full or the file cannot be written.
            ValueError: a block is missing, too many, or of another shape; times do not rise.
        """
        self._want_good()
        self._check(times, blocks, events)
        self._pending += events
        start = 0
        while start < len(times):
            end = min(start + self._rows - self._filled, len(times))
            self._copy(times, blocks, start, end)
            start = end
            if self._filled == self._rows:
                self._commit(final=False)

    @disk.unbroken()
    def close(self, summary: dict[str, Any]) -> None:
        """Write what is buffered and the summary, and close: only now is the trace complete.

        Numbers in the summary that are not finite become null; JSON has no word for them.

        Raises:
            TraceWriteError: the disk is full or the file cannot be written.
        """
        self._want_good()
        self._commit(final=True)
        text = json.dumps(_plain(summary), ensure_ascii=False, allow_nan=False)
        self._want_room(len(text))
        try:
            self._sheet.summarise(text)
        except OSError as error:
            raise self._broken(error) from None
        self._end(f"{self.path} is closed")

    @disk.unbroken()
    def abandon(self) -> None:
        """Close without a summary, for a run that ends badly; what is committed stays readable."""
        if not self._failed:
            self._end(f"{self.path} was abandoned")

    def _check(self, times: np.ndarray, blocks: Blocks, events: list[Event]) -> None:
        count = len(times)
        for event in events:
            self._sheet.check_event(event)
        if not count and not blocks:
            return
        if blocks.keys() != self._buffers.keys():
            odd = ", ".join(".".join(key) for key in sorted(blocks.keys() ^ self._buffers.keys()))
            raise ValueError(f"every column is wanted, once, and no other: {odd}")
        for key, buffer in self._buffers.items():
            wanted, shape = (count, *buffer.shape[1:]), blocks[key].shape
            if shape != wanted and not (count and shape == (1, *wanted[1:])):
                raise ValueError(f"{'.'.join(key)} has shape {shape}; {wanted} is wanted")
        if count:
            if not (times[0] > self._last and bool((times[1:] > times[:-1]).all())):
                raise ValueError(f"times must rise; {times} came after {self._last}")
            self._last = float(times[-1])

    def _copy(self, times: np.ndarray, blocks: Blocks, start: int, end: int) -> None:
        into, whole = slice(self._filled, self._filled + end - start), end - start == len(times)
        self._times[into] = times[start:end]
        for key, buffer in self._buffers.items():
            block = to_host(blocks[key])
            buffer[into] = block if whole or len(block) == 1 else block[start:end]
        self._filled += end - start

    @disk.unbroken()
    def _commit(self, final: bool) -> None:
        """Write the block and the events up to its last row; later ones wait, so that calls leave no mark."""
        until = math.inf if final else self._times[self._filled - 1]
        due = [event for event in self._pending if event.time <= until]
        waiting = [event for event in self._pending if event.time > until]
        if not (self._filled or due):
            return
        self._want_room(self._bytes + 256 * len(due))
        try:
            ordered = sorted(due, key=lambda e: (e.time, e.member))
            self._sheet.write(self._times, self._buffers, self._filled, ordered)
        except OSError as error:
            raise self._broken(error) from None
        self._filled, self._pending = 0, waiting

    def _want_good(self) -> None:
        if self._failed:
            raise TraceWriteError(self._failed)

    def _want_room(self, size: int) -> None:
        """See that the disk holds what comes next; HDF5 does not survive finding out by itself."""
        fault = disk.room_fault(self.path, size)
        if fault:
            raise self._end(self._sentence(fault))

    def _broken(self, error: Exception) -> TraceWriteError:
        """What to raise now that a write failed."""
        return self._end(self._sentence(disk.reason(error)))

    def _end(self, why: str) -> TraceWriteError:
        """Close the file for good; what to raise when more is asked of it."""
        self._failed = why
        self._file.close()
        self._shelf.close()
        return TraceWriteError(why)

    def _sentence(self, fault: str) -> str:
        kept = f" ({self.committed} rows are safe in it)" if self.committed else ""
        return f"cannot write {self.path}{kept}: {fault}"


def _padded(shape: tuple[int, ...], chunk: tuple[int, ...]) -> int:
    """Elements that a block takes on the disk, in whole chunks."""
    return math.prod(math.ceil(length / part) * part for length, part in zip(shape, chunk, strict=True))


def _plain(value: Any) -> Any:
    """A value as JSON can say it."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
