"""The trace: HDF5 in and out, the one door to h5py; what a file holds is said in `layout`."""

from __future__ import annotations

from twin.trace.layout import BadTrace, Column, Event, NotRecorded, TraceWriteError
from twin.trace.reader import Series, Trace, open_trace
from twin.trace.recorder import Recorder

__all__ = [
    "BadTrace",
    "Column",
    "Event",
    "NotRecorded",
    "Recorder",
    "Series",
    "Trace",
    "TraceWriteError",
    "open_trace",
]
