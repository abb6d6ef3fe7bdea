"""A queue of jobs under random failures: a day of 32 racks in many worlds, and what of it the scheduler takes."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import machine
from rich.console import Console
from rich.table import Table

from twin.report.words import lasting
from twin.scenario import read
from twin.scheduler import Scheduler
from twin.simulation import Simulation

MEMBERS = (1, 64, 256)
RACKS, JOBS, STEP = 32, 40, 4.0
SITE = f"""\
title: A day of a queue
plant:
  units:
    utility-a: {{kind: utility, rated_power: 9 MW}}
    rack-01..{RACKS}: {{like: gb300-nvl72, feeds: utility-a, air_fraction: 0 %, shelf_count: 0, storage_capacity: 0 J}}
    pump-1: {{like: pump-25lps, feeds: utility-a, nominal_flow: 60 L/s}}
    cooler-1: {{like: dry-cooler-2900kw, feeds: utility-a, nominal_flow: 60 L/s}}
  coolant:
    technology: {{fluid: pg25, plant: [[pump-1, cooler-1]], loads: [rack-01..{RACKS}]}}
run: {{duration: 1 day, tick: 1 min, record: 1 day}}
weather: {{dry_bulb: 20 degC, relative_humidity: 50 %}}
failures:
  rack.in_service: {{every: 100 h, repair: 2 h}}
scheduler: {{racks: rack-01..{RACKS}, place: [power], backfill: true, period: 1 min}}
workload:
  jobs:
"""


def scenario() -> str:
    """Forty jobs of 2 to 16 racks and half an hour to three hours of work, one every half hour, of three priorities."""
    rows = [
        f"    job-{k:02}: {{racks: {(2, 4, 8, 16)[k % 4]}, work: {(30, 60, 120, 180)[k // 4 % 4]} min, "
        f"arrives: {30 * k} min, priority: {k % 3}, step_time: {STEP} s, checkpoint_interval: 10 min, "
        f"checkpoint_time: 20 s, shrink: 2}}\n"
        for k in range(JOBS)
    ]
    return SITE + "".join(rows)


class Stopwatch:
    """Seconds spent in a method, over all calls."""

    def __init__(self, owner: type, name: str) -> None:
        self.seconds, method = 0.0, getattr(owner, name)

        def timed(*given):
            began = time.perf_counter()
            found = method(*given)
            self.seconds += time.perf_counter() - began
            return found

        setattr(owner, name, timed)


def main() -> None:
    heads = (
        "worlds",
        "failures",
        "read and drawn",
        "run",
        "of it the scheduler",
        "a world and tick",
        "useful, of all racks' time",
    )
    table = Table(*heads, title=f"{JOBS} jobs on {RACKS} racks, a day of 1,440 ticks: {machine()}")
    acting, writing = Stopwatch(Scheduler, "_act"), Stopwatch(Scheduler, "_inputs")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "queue.yaml"
        path.write_text(scenario())
        for members in MEMBERS:
            acting.seconds = writing.seconds = 0.0
            began = time.perf_counter()
            asked = read(path, members=members)
            drawn = time.perf_counter()
            world = Simulation(asked)
            world.run()
            took = time.perf_counter() - drawn
            struck = sum(change.verb == "failure" for change in asked.changes)
            jobs = zip(asked.scheduler.jobs, world.state.rows["job"].steps.sum(axis=0), strict=True)
            useful = sum(job.racks * float(steps) * STEP for job, steps in jobs) / members
            table.add_row(
                f"{members}", f"{struck}", lasting(drawn - began), lasting(took),
                f"{(acting.seconds + writing.seconds) / took:.0%}", f"{1e6 * took / members / 1440:.0f} us",
                f"{useful / (RACKS * 86400):.0%}",
            )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
