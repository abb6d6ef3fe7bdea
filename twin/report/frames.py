"""Frames: a drill's timeline and criteria as pandas tables, and what was recorded as an xarray data set."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.report.findings import Findings

if TYPE_CHECKING:
    from twin.trace import Trace


def _library(name: str) -> Any:
    """A library that tables want.

    Raises:
        ImportError: it is not installed; the message says how to get it.
    """
    try:
        return import_module(name)
    except ImportError:
        raise ImportError(f'{name} is not installed; install it with: pip install "aifactory-twin[tables]"') from None


def timeline_frame(findings: Findings) -> Any:
    """Every change of every member, one row each: time [s], seconds since its member's first fault, unit, what, why.

    `cause` is the row of the change that led to it, -1 where none did; `led_by` says that one in words.
    """
    entries, faults = findings.entries, findings.story.faults
    rows = []
    for entry in entries:
        fault, cause = faults[entry.member], None if entry.cause is None else entries[entry.cause]
        since = np.nan if fault is None else entry.time - fault.time
        led = "" if cause is None else f"{cause.unit} {cause.what}"
        at = -1 if entry.cause is None else entry.cause
        kind = findings.story.kind_of.get(entry.unit, "")
        rows.append((entry.time, since, entry.member, kind, entry.unit, entry.what, entry.why, at, led))
    columns = ["time", "since_fault", "member", "kind", "unit", "what", "why", "cause", "led_by"]
    return _library("pandas").DataFrame(rows, columns=columns)


def criteria_frame(findings: Findings) -> Any:
    """Every criterion, one row each: name, sentence, whether it held, value, limit and margin in SI, where and when."""
    said = [each.to_json() for each in findings.verdict.judgements]
    columns = [
        "name", "text", "passed", "meant", "quantity", "value", "limit", "margin", "unit", "where", "time", "member",
        "members_passed", "members", "note",
    ]  # fmt: skip
    return _library("pandas").DataFrame([[each[name] for name in columns] for each in said], columns=columns)


def dataset(trace: Trace, kind: str) -> Any:
    """What was recorded of a kind as an xarray Dataset (time, member, unit), with units and names.

    Raises:
        NotRecorded: nothing of the kind was recorded.
    """
    xarray = _library("xarray")
    axes = ("time", "member", "unit")
    values = {
        name: (axes, trace[f"{kind}.{name}"].values, {"units": column.unit, "long_name": column.doc})
        for name, column in trace.columns(kind).items()
        if trace[f"{kind}.{name}"].values.ndim == len(axes)
    }
    where = {
        "time": ("time", np.asarray(trace.time, dtype=float), {"units": "s", "long_name": "since the start"}),
        "member": np.arange(trace.members),
        "unit": trace.units(kind),
    }
    return xarray.Dataset(values, where, {"title": trace.title, "kind": kind})
