"""A feed, six boards and people who look after them: small enough that every moment is worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twin.report import Findings
from twin.scenario import Scenario, read
from twin.simulation import simulate
from twin.trace import Trace, open_trace

BOARDS = """\
title: Six boards
plant:
  units:
    utility-a: {kind: utility, rated_power: 1 MW}
    pdu-1..6: {kind: pdu, feeds: utility-a, rated_power: 400 kW}
weather: {dry_bulb: 35 degC, relative_humidity: 20 %}
"""


@pytest.fixture
def readied(tmp_path: Path) -> Callable[..., Scenario]:
    """Reads the boards with more sections below; `run` are the words of that section."""

    def made(text: str, run: str = "duration: 10 min, tick: 1 s", **more: int) -> Scenario:
        path = tmp_path / "boards.yaml"
        path.write_text(f"{BOARDS}run: {{{run}}}\n{text}", encoding="utf-8")
        return read(path, **more)

    return made


@pytest.fixture
def ran(readied: Callable[..., Scenario], tmp_path: Path) -> Callable[..., Trace]:
    """Runs the boards with more sections below; gives the trace."""

    def made(text: str, run: str = "duration: 10 min, tick: 1 s", **more: int) -> Trace:
        simulate(readied(text, run, **more), trace=tmp_path / "boards.h5", device="cpu")
        return open_trace(tmp_path / "boards.h5")

    return made


def moments(trace: Trace, member: int = 0) -> dict[str, list[float]]:
    """When what happened, by what: alarm:NAME, does:NAME:WHAT, input:NAME of whom."""
    found: dict[str, list[float]] = {}
    for event in trace.events:
        if event.member == member:
            key = f"{event.unit}.{event.flag}" if event.flag.startswith("input:") else event.flag
            found.setdefault(key, []).append(pytest.approx(event.time, abs=1e-6))
    return found


@pytest.fixture
def when() -> Callable[..., dict[str, list[float]]]:
    return moments


@pytest.fixture
def found() -> Callable[[Trace], Findings]:
    return Findings
