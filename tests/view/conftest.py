"""A pod that loses its technology pumps, run for real, and larger plants as the reader builds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.plant import Plant
from twin.scenario import read
from twin.simulation import simulate
from twin.trace import Trace, open_trace

STORY = """
title: A pod loses its technology pumps
description: Both CDUs lose both pumps; a minute later it is over.
plant: {plant}
run: {{duration: 40 s, tick: 500 ms, record: 1 s}}
weather: {{dry_bulb: 30 degC, relative_humidity: 30 %}}
workload: {{utilisation: 100 %}}
events:
  - {{at: 5 s, fail: cdu.standby_pump_failed}}
  - {{at: 5 s, fail: cdu.duty_pump_failed}}
"""


def plant_of(folder: Path, name: str) -> Plant:
    """A shipped plant."""
    text = f"title: {name}\nplant: {name}\nrun: {{duration: 1 min, tick: 1 s}}\nworkload: {{utilisation: 50 %}}\n"
    file = folder / f"a-{name}.yaml"
    file.write_text(text + "weather: {dry_bulb: 30 degC, relative_humidity: 30 %}\n", encoding="utf-8")
    return read(file).plant


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("view")


@pytest.fixture(scope="session")
def hall(folder: Path) -> Plant:
    return plant_of(folder, "hall")


@pytest.fixture(scope="session")
def pod(folder: Path) -> Plant:
    return plant_of(folder, "pod")


@pytest.fixture(scope="session")
def drill(folder: Path) -> Path:
    """The trace of the pod's drill: dies throttle, slow down and shut down within 20 s."""
    file = folder / "pumps-lost.yaml"
    file.write_text(STORY.format(plant="pod"), encoding="utf-8")
    return Path(simulate(read(file), trace=folder / "pumps-lost.h5", device="cpu").trace)


@pytest.fixture
def trace(drill: Path) -> Trace:
    return open_trace(drill)
