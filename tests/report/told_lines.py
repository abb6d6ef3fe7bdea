"""Told lines: a scenario's timeline as (unit and what it does, why, what led to it), for chains worked out by hand."""

from __future__ import annotations

from pathlib import Path

from twin.report.findings import Findings
from twin.studies.drill import run
from twin.trace import open_trace

Told = list[tuple[str, str, str]]
"""Unit and what it does, why, and what led to it."""


def told_of(text: str, folder: Path) -> Told:
    """Run a scenario in a folder and tell its timeline."""
    case, trace_file = folder / "case.yaml", folder / "case.h5"
    case.write_text(text)
    run(case, output=trace_file, device="cpu").trace.close()
    with open_trace(trace_file) as trace:
        entries = Findings(trace).entries
    said = [f"{each.unit} {each.what}" for each in entries]
    return [
        (what, each.why, "" if each.cause is None else said[each.cause])
        for what, each in zip(said, entries, strict=True)
    ]
