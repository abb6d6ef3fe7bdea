"""What a trace file holds, said once for the recorder and the reader; no file is touched here.

    /time                      (time)                f8, s
    /member                    (member)              i4
    /rack/time, /rack/member                         the same two, linked, so that a group stands alone
    /rack/unit                 (unit, name_length)   names of the racks
    /rack/die_temperature      (time, member, unit)  f4 or f8, with `units` and `long_name`
    /events/time, member, unit, flag, value  (row)   what rose and fell, and what was asked
    /scenario, /plant, /summary                      texts: YAML, JSON, JSON (empty until the run ended well)
    /provenance                                      attributes; long values are texts
    /committed_steps, _events, _summary              how much may be trusted; what lies beyond may be torn
    /fingerprint                                     SHA-256 of names, units and provenance, which HDF5 itself
                                                     does not checksum
    /one, /name_length, ...                          dimensions without a variable, as netCDF keeps them

Nothing is linked into the file after it was laid out, so that a kill cannot tear its table of contents.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

FORMAT = "aifactory-twin trace"
VERSION = 1

BLOCK_ROWS = 1801
"""Rows buffered and written at once where memory allows: HDF5 keeps a few hundred bytes for every chunk it has ever
written, so that with blocks of 600 a day took 18 % more memory than an hour; and a kill loses at most a block. An hour
at ticks of a second, with the row it begins with, is two blocks, as long as those of a day: buffers are alike."""
BLOCK_BYTES = 64 * 2**20
"""Most memory for the buffers of one block."""
CHUNK_UNITS = 1024
CHUNK_BYTES = 4 * 2**20
FLAG_BYTES = 64
CAUSE = "cause:"
"""How the flag of an event begins that tells why chance made a unit fail."""
TOLD = "told:"
"""How the flag of an event begins that tells what a scheduler did with a job; its value is how long it waited [s]."""
WAITS = "waits:"
"""How the flag of an event begins that tells why a job has to wait."""
TEXT_CHUNK = 65536
EVENT_CHUNK_BYTES = 3072
"""Chunks of events are written again as they fill; they, and the index nodes, must fit a page: see PAGE."""
PAGE = 4096
ALIGNED_FROM = 2048
"""Pieces of the file from this size on begin at a page. A kill may cut a write off, but only at the end of a
page, so what is written over in place and lies in one page is there whole, as it was or as it is."""
ATTRIBUTE_BYTES = 16384
"""Longer provenance is stored as a text: attributes end at 64 kB, and carry no checksum."""

RESERVED = ("time", "member", "unit", "name_length")
TEXTS = ("scenario", "plant", "summary", "fingerprint")
COUNTS = ("committed_events", "committed_steps", "committed_summary")
"""In the order they are written: a kill between them leaves events of rows that are not yet counted."""
GROUPS = ("events", "provenance")
OWN = ("time", "member", "one", *TEXTS, *COUNTS, *GROUPS)
"""Names at the top of the file, beside lengths (`name_length`), that no kind may have."""


class TraceWriteError(Exception):
    """The trace cannot be written; what was committed stays good, and the program may end as it likes."""


class BadTrace(Exception):
    """A file that is no trace, is damaged, or is not to be trusted; the message is one sentence."""


class NotRecorded(KeyError):
    """A quantity or unit that the trace does not hold; the message names the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Column:
    """One quantity of all units of a kind: a dataset (time, member, unit)."""

    kind: str
    name: str
    unit: str
    doc: str
    dtype: str = "f4"
    """"f4", or "f8" where seven digits are too few (energies, moments late in a run)."""


@dataclass(frozen=True)
class Event:
    """A flag that rose (1) or fell (0), or with flag "input:<name>" an Input that was set to `value`.

    With flag "cause:<words>" why chance made the unit fail at that moment; `value` is how long that lasts [s], 0
    where nobody says.
    """

    time: float
    member: int
    unit: str
    flag: str
    value: float


def because(why: str, how: str = CAUSE) -> str:
    """The flag of an event that tells a cause; words that are too long are cut."""
    return f"{how}{why}".encode()[:FLAG_BYTES].decode(errors="ignore")


@dataclass(frozen=True)
class Shape:
    """How a trace is cut: rows to a block, and the chunk (time, member, unit) of each kind."""

    rows: int
    chunks: dict[str, tuple[int, int, int]]


def hole_of(dtype: np.dtype) -> np.ndarray:
    """What HDF5 hands out where a torn index finds no data; no recorded value has these bits.

    For numbers with a point it is a NaN of its own, so that strangers see NaN, too.
    """
    if dtype.kind == "f":
        bits = {4: np.uint32(0x7FC0DEAD), 8: np.uint64(0x7FF8DEADDEADDEAD)}[dtype.itemsize]
        return np.array(bits).view(f"f{dtype.itemsize}")
    return np.array(b"\xff", "S1") if dtype.kind == "S" else np.array(np.iinfo(dtype).min, dtype)


def cut(columns: list[Column], units: dict[str, list[str]], members: int, steps: int | None) -> Shape:
    """Choose the blocks: whole chunks that fit in memory and serve reading in time and across units.

    Args:
        columns, units, members: what is recorded.
        steps: rows foreseen; spares a short run most of an empty chunk. None: not known.
    """
    row = sum(members * len(units[c.kind]) * int(c.dtype[1]) for c in columns)
    rows = max(1, min(BLOCK_ROWS, BLOCK_BYTES // max(row, 1)))
    if steps:
        rows = math.ceil(steps / math.ceil(steps / rows))
    chunks = {}
    for kind, names in units.items():
        across = _even(len(names), CHUNK_UNITS)
        chunks[kind] = (rows, _even(members, max(1, CHUNK_BYTES // (rows * across * 8))), across)
    return Shape(rows, chunks)


def _even(count: int, most: int) -> int:
    """The length of the fewest equal parts of `count` that are not longer than `most`."""
    return math.ceil(count / math.ceil(count / most))


def faults(columns: list[Column], units: dict[str, list[str]], members: int) -> list[str]:
    """What keeps a layout from being written."""
    found = [f"kind {c.kind} of {c.name} has no units" for c in columns if not units.get(c.kind)]
    often = Counter(f"{c.kind}.{c.name}" for c in columns)
    found += [f"{name} is named twice" for name, count in often.items() if count > 1]
    for c in columns:
        key = f"{c.kind}.{c.name}"
        if not (c.kind.isidentifier() and c.name.isidentifier()):
            found.append(f"{key} is not a name")
        if c.name in RESERVED or c.kind in OWN or c.kind.endswith("_length"):
            found.append(f"{key}: the name is taken by the trace itself")
        if c.dtype not in ("f4", "f8"):
            found.append(f"{key}: {c.dtype} is not f4 or f8")
    if members < 1:
        found.append(f"{members} members; at least one is wanted")
    return found


def is_long(value: str) -> bool:
    """Whether a value of the provenance is kept as a text."""
    return len(value.encode()) > ATTRIBUTE_BYTES


def fingerprint(
    columns: list[Column],
    units: dict[str, list[str]],
    members: int,
    provenance: dict[str, str | float | int],
) -> str:
    """SHA-256 of everything in the file that HDF5 keeps without a checksum."""
    said = [sorted([c.kind, c.name, c.unit, c.doc, c.dtype] for c in columns), units, members, provenance]
    return hashlib.sha256(json.dumps([FORMAT, VERSION, *said], sort_keys=True).encode()).hexdigest()
