"""kill -9 while a run writes: every trace opens and holds all the steps it committed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from twin.trace import BadTrace, open_trace

RUN = """
import sys
sys.path.insert(0, {root!r})
from tests.small_plants import pod
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import simulate
changes = [Change(20.0 * k, "cdu-1", "duty_pump_failed", float(k % 2)) for k in range(1, 200)]
scenario = Scenario("killed", "", pod(), RunSettings(30000.0, 1.0), changes=changes, text="killed")
simulate(scenario, trace={trace!r}, device="cpu")
"""


def killed_run(tmp_path, root, after, written=False):
    """A run killed some seconds after its trace appeared; with `written`, after its first block was in the file."""
    trace = tmp_path / "killed.h5"
    process = subprocess.Popen([sys.executable, "-c", RUN.format(root=str(root), trace=str(trace))])
    deadline = time.monotonic() + 120
    while not trace.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    laid_out = trace.stat().st_size
    while written and trace.stat().st_size <= laid_out and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(after)
    assert process.poll() is None, "the run ended before it was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return trace


def holds_what_it_committed(path):
    """Steps that can be read, each of them sound; 0 where the file was killed in its first moments."""
    try:
        trace = open_trace(path)
    except BadTrace:  # killed before its first block: the sentence says so
        return 0
    steps = len(trace.time)
    np.testing.assert_allclose(trace.time, np.arange(steps), atol=1e-9)
    for column in ("rack.die_temperature", "rack.flow", "site.power"):
        values = trace[column].values
        assert len(values) == steps
        assert np.isfinite(values).all()
        assert (values > 0).all()
    assert all(event.time <= trace.time[-1] + 64 for event in trace.events)
    return steps


@pytest.mark.parametrize("after", [0.05, 0.7])
def test_a_killed_run_leaves_a_readable_trace(tmp_path, request, after):
    holds_what_it_committed(killed_run(tmp_path, request.config.rootpath, after))


def test_a_run_killed_after_its_first_block_keeps_it(tmp_path, request):
    assert holds_what_it_committed(killed_run(tmp_path, request.config.rootpath, 3.0, written=True)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_killed_runs_leave_readable_traces(tmp_path, request, seed):
    after = random.Random(seed).uniform(0.0, 3.0)
    holds_what_it_committed(killed_run(tmp_path, request.config.rootpath, after))
