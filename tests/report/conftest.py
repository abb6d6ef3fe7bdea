"""Traces that the tests of the report share; each is written once."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_hall import small_trace

from twin.report.findings import Findings
from twin.trace import Trace


@pytest.fixture(scope="session")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return small_trace(tmp_path_factory.mktemp("report") / "small.h5")


@pytest.fixture(scope="session")
def findings(trace: Trace) -> Findings:
    return Findings(trace)


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path / "made.h5"
