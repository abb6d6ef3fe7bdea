"""Sweeps: N-1 of the hall whole, and a sample of the pod's N-2, with cases a second and the memory of all processes."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import machine
from rich.console import Console
from rich.table import Table

SWEEPS = {
    "hall, N-1: every unit, every failure": ("hall", {}),
    "pod, N-2 of its power: every two": ("pod", {"order": 2, "kinds": ("breaker", "bus", "ups", "pdu", "ats")}),
    "pod, N-2 of its cooling: every two": (
        "pod",
        {"order": 2, "kinds": ("pump", "chiller", "cdu", "fan_wall")},
    ),
}
"""What is swept; each watched for 30 min after the failure, at 1 s and at shorter ticks around it."""


def measured(name: str, jobs: int, folder: Path) -> list[str]:
    """One sweep, in this process and its workers: a row of the table."""
    from twin.scenario.sweeping import Sweeping
    from twin.studies.sweep import sweep

    plant, wish = SWEEPS[name]
    found = sweep(plant, Sweeping(**wish), jobs=jobs, output=folder / "sweep.h5", resume=False)
    rows, wall = len(found.outcomes), found.wall_seconds
    own, others = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    workers = f"{jobs} x {others:.0f} MiB" if jobs > 1 else "-"
    return [
        name, str(sum(each.stands_for for each in found.cases)), str(rows), f"{wall / 60:.1f} min",
        f"{rows / wall:.2f}", f"{found.simulated_seconds / wall:,.0f}", f"{own:.0f} MiB", workers,
        str(len(found.broken) or "none"),
    ]  # fmt: skip


def main() -> None:
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as folder:
            print("\t".join(measured(sys.argv[1], int(sys.argv[2]), Path(folder))))
        return
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else len(os.sched_getaffinity(0))
    heads = ["sweep", "cases", "worlds run", "wall", "worlds/s", "x real time", "main process", "workers", "not run"]
    table = Table(*heads, title=f"Sweeps in {jobs} processes: {machine()}")
    for name in SWEEPS:  # each in an interpreter of its own, so that its peak of memory is its own
        words = [sys.executable, __file__, name, str(jobs)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        table.add_row(*said.strip().split("\t"))
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    main()
