"""A pod that loses its utility for real."""

from __future__ import annotations

import pytest

from twin.scenario import read
from twin.simulation import simulate
from twin.trace import Trace, open_trace

STORY = """
title: A pod loses its utility
plant: pod
run: {duration: 40 s, tick: 500 ms, record: 1 s}
weather: {dry_bulb: 30 degC, relative_humidity: 30 %}
workload: {utilisation: 100 %}
events:
  - {at: 5 s, fail: utility-a}
  - {at: 5 s, fail: cdu-2.duty_pump_failed}
  - {at: 5 s, fail: cdu-2.standby_pump_failed}
"""


@pytest.fixture(scope="session")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    folder = tmp_path_factory.mktemp("diagram")
    file = folder / "utility-lost.yaml"
    file.write_text(STORY, encoding="utf-8")
    return open_trace(simulate(read(file), trace=folder / "utility-lost.h5", device="cpu").trace)
