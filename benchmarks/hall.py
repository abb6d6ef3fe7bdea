"""The hall for an hour at ticks of one second, one member, one core, trace included; the peers' figures beside."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import tempfile
import time
from pathlib import Path

from machine import machine
from rich.console import Console
from rich.table import Table

from twin.assets import scenarios_folder
from twin.scenario import RunSettings, Scenario, read_plant
from twin.simulation import Simulation, simulate

PEERS = (
    ("RAPS, Frontier, 9,600 nodes in 74 racks: power only, no cooling", "10.4 s"),
    ("openG2G, 7,200 GPUs at 0.1 s", "38.5 s"),
    ("LEAF, 1,000 nodes", "1.9 s"),
    ("Vessim, one microgrid", "0.11 s"),
)
"""Seconds per simulated hour, measured on a 2-core machine of the same kind (November 2026)."""


def scenario(hours: float = 1.0) -> Scenario:
    plant = read_plant(scenarios_folder() / "plants" / "hall.yaml")
    return Scenario("hall", "", plant, RunSettings(3600.0 * hours, 1.0), text="hall")


def without_trace() -> tuple[float, float]:
    """Seconds of the loop alone, and the share of its ticks that were played from a tape."""
    simulation = Simulation(scenario(), device="cpu")
    began = time.perf_counter()
    simulation.run()
    return time.perf_counter() - began, simulation.replay.played / simulation.ticks


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asked = scenario()
        began = time.perf_counter()
        result = simulate(asked, trace=Path(folder) / "hall.h5", device="cpu")
        whole = time.perf_counter() - began
    loop, played = without_trace()
    table = Table("run", "per simulated hour", title=f"Seconds per simulated hour: {machine()}")
    table.add_row(f"twin, hall of {result.unit_count} units: settling, run and trace", f"{whole:.2f} s")
    table.add_row("twin, hall: the loop alone", f"{loop:.2f} s ({loop / 3.6:.2f} ms a tick)")
    table.add_row("  ticks that are played from a tape", f"{played:.1%}")
    for name, figure in PEERS:
        table.add_row(name, figure)
    Console().print(table)


if __name__ == "__main__":
    main()
