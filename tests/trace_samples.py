"""A small trace of known content for the tests of `twin.trace`; run as a program, it writes until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from twin.trace import Column, Event, Recorder, Trace

COLUMNS = [
    Column("rack", "die_temperature", "K", "hottest die"),
    Column("rack", "power", "W", "power drawn from the feeds"),
    Column("cdu", "energy", "J", "heat handed over so far", dtype="f8"),
]
UNITS = {"rack": ["h1/rack-01", "h1/räck-02", "h1/rack-03"], "cdu": ["cdu-1"]}
PLANT = '{"units": [], "feeds": {}, "loops": [], "signals": []}'
SCENARIO = "title: A hall at 45 °C\nplant: hall\n"
PROVENANCE: dict[str, str | float | int] = {
    "title": "A hall at 45 °C",
    "seed": 7,
    "tick": 0.5,
    "note": "",
    "sha256:plants/hall.yaml": "ab" * 32,
    "drawn_rows": "row\n" * 8000,
}


def recorder(path: Path, members: int = 2, **said: Any) -> Recorder:
    given = {"columns": COLUMNS, "units": UNITS, "plant_json": PLANT, "scenario_text": SCENARIO}
    return Recorder(path, **{**given, "members": members, "provenance": PROVENANCE, **said})


def rows(first: int, count: int) -> np.ndarray:
    """Times of some rows [s]."""
    return np.arange(first, first + count) * 0.5


def values(column: Column, times: np.ndarray, members: int) -> np.ndarray:
    """What a column holds: another number for each row, member and unit."""
    n = len(UNITS[column.kind])
    place = np.arange(members)[:, None] * 10 + np.arange(n)[None, :]
    return 300.0 + len(column.name) + times[:, None, None] * 0.25 + place[None] / 8


def blocks(times: np.ndarray, members: int = 2) -> dict[tuple[str, str], np.ndarray]:
    return {(c.kind, c.name): values(c, times, members) for c in COLUMNS}


def events(first: int, count: int, members: int = 2) -> list[Event]:
    """A flag in every fifth row, within its tick, and an input in every tenth."""
    found = []
    for i in range(first, first + count):
        if i % 5 == 0:
            found.append(Event(i * 0.5, i % members, "h1/räck-02", "throttled", i // 5 % 2))
        if i % 10 == 0:
            found.append(Event(i * 0.5, i % members, "cdu-1", "input:supply_setpoint", 313.15 + i))
    return found


def fill(sink: Recorder, count: int, at_once: int, members: int = 2) -> None:
    for first in range(0, count, at_once):
        k = min(at_once, count - first)
        sink.append(rows(first, k), blocks(rows(first, k), members), events(first, k, members))


def write(path: Path, count: int = 50, at_once: int = 7, members: int = 2, **said: Any) -> Path:
    sink = recorder(path, members, **said)
    fill(sink, count, at_once, members)
    sink.close({"finished": True, "worst": 1e-12})
    return path


def everything(trace: Trace) -> str:
    """All that a trace says, to compare."""
    said: list[Any] = [trace.time.tolist(), trace.members, trace.title, trace.provenance, trace.summary]
    said += [trace.events, trace.scenario_text, trace.plant.to_json()]
    for kind in trace.kinds:
        said += [kind, trace.units(kind), trace.columns(kind)]
        said += [trace[f"{kind}.{name}"].values.tolist() for name in trace.columns(kind)]
    return repr(said)


def write_for_ever(path: Path) -> None:
    """Say how many rows are committed after each call, and never end."""
    sink, first = recorder(path, steps=60), 0
    while True:
        sink.append(rows(first, 60), blocks(rows(first, 60)), events(first, 60))
        first += 60
        sys.stdout.write(f"{sink.committed}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]))
