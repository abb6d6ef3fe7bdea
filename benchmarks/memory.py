"""Peak memory of the pod over one simulated hour and over a day, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from machine import machine
from rich.console import Console
from rich.table import Table

RUN = """
import resource, tempfile
from pathlib import Path
from twin.assets import scenarios_folder
from twin.scenario import RunSettings, Scenario, read_plant
from twin.simulation import simulate
plant = read_plant(scenarios_folder() / "plants" / "pod.yaml")
with tempfile.TemporaryDirectory() as folder:
    simulate(Scenario("m", "", plant, RunSettings({seconds}, 1.0), text="m"), trace=Path(folder) / "m.h5", device="cpu")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak(hours: float) -> float:
    """Peak resident memory of a run [MiB]."""
    text = RUN.format(seconds=3600.0 * hours)
    return float(subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    hour, day = peak(1), peak(24)
    table = Table("run", "peak memory", title=f"Memory does not grow with simulated time: {machine()}")
    table.add_row("pod, 1 h at 1 s", f"{hour:.0f} MiB")
    table.add_row("pod, 24 h at 1 s", f"{day:.0f} MiB ({day / hour - 1:+.1%})")
    Console().print(table)


if __name__ == "__main__":
    main()
