"""A small room to read, and a way to say what is wrong with a document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twin.scenario import check

SMALL = (Path(__file__).parent / "good" / "small.yaml").read_text(encoding="utf-8")
HEAD = """\
title: A try
plant:
  units:
    utility-a: {kind: utility, rated_power: 1 MW}
    pdu-1..2: {kind: pdu, feeds: utility-a, rated_power: 400 kW}
run: {duration: 30 min, tick: 1 s}
weather: {dry_bulb: 35 degC, relative_humidity: 20 %}
"""


@pytest.fixture
def small() -> str:
    """A scenario that uses every section."""
    return SMALL


@pytest.fixture
def head() -> str:
    """The shortest scenario: two boards on one feed."""
    return HEAD


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a file and goes there; returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes, name: str = "try.yaml") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    return write


@pytest.fixture
def faults(save: Callable[..., str]) -> Callable[..., list[str]]:
    """What is wrong with a text."""

    def told(text: str | bytes) -> list[str]:
        return [str(fault) for fault in check(save(text))]

    return told
