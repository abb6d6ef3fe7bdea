"""The trace: HDF5 in and out, the one door to h5py; what a file holds is said in `layout`."""

from __future__ import annotations

from twin.trace.layout import CAUSE, TOLD, WAITS, BadTrace, Column, Event, NotRecorded, TraceWriteError, because
from twin.trace.reader import Series, Trace, open_trace
from twin.trace.recorder import Recorder

__all__ = [
    "CAUSE",
    "TOLD",
    "WAITS",
    "BadTrace",
    "Column",
    "Event",
    "NotRecorded",
    "Recorder",
    "Series",
    "Trace",
    "TraceWriteError",
    "because",
    "open_trace",
]
