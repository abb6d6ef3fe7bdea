"""256 pods in one batch against 256 runs one after the other (timed on a sample of them)."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time

from machine import machine
from rich.console import Console
from rich.table import Table

from twin import model as compiled
from twin.assets import scenarios_folder
from twin.replay import Replay
from twin.scenario import read_plant
from twin.simulation import settle

MEMBERS, TICKS, SAMPLE = 256, 300, 8


def seconds(model: compiled.Model, members: int) -> float:
    """One run of so many members: settling and ticks."""
    began = time.perf_counter()
    asked = compiled.inputs(model, members)
    now, player = settle(model, asked, members), Replay(model)
    for tick in range(TICKS):
        now = player.step(now, asked, float(tick), 1.0)
    return time.perf_counter() - began


def main() -> None:
    model = compiled.compile(read_plant(scenarios_folder() / "plants" / "pod.yaml"))
    alone = sum(seconds(model, 1) for _ in range(SAMPLE)) / SAMPLE
    batch = seconds(model, MEMBERS)
    table = Table("run", "seconds", title=f"{TICKS} ticks of the pod: {machine()}")
    table.add_row("one member", f"{alone:.2f}")
    table.add_row(f"{MEMBERS} members, one after the other (from {SAMPLE} runs)", f"{alone * MEMBERS:.1f}")
    table.add_row(f"{MEMBERS} members in one batch", f"{batch:.2f}")
    table.add_row("times faster", f"{alone * MEMBERS / batch:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
