"""The picture of GPU power and speed against clock and cap, with published points: docs/images/gpu.png.

python benchmarks/gpu_power.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))
from tests.physics import gpu_points as points
from twin.physics.gpu import clock_for, dynamic_share, throughput

WORKS = {"BF16 GEMM (training)": (1150e6, 990.0, "#b5422c"), "FP8 GEMM (prefill)": (1177e6, 902.0, "#c98a1b"),
         "decode": (1597e6, 342.0, "#2f6f8f")}  # fmt: skip
KNEE = {"decode": 0.72}
"""As in the catalogue."""


def activity(clock: float, watts: float) -> float:
    return (watts - points.IDLE) / float(dynamic_share(np.float64(clock / 1150e6), points.CURVE))


def power_of_clock(ax: plt.Axes) -> None:
    clocks = np.linspace(200e6, points.BOOST, 400)
    for work, (clock, watts, colour) in WORKS.items():
        power = points.IDLE + activity(clock, watts) * dynamic_share(clocks / 1150e6, points.CURVE)
        ax.plot(clocks / 1e6, power, color=colour, label=work)
        ax.plot(clock / 1e6, watts, "o", color=colour)
    ax.plot(120, points.IDLE, "o", color="black", label="idle, 192 W")
    ax.axhline(1000, color="grey", lw=0.8, ls=":")
    ax.set(xlabel="clock [MHz]", ylabel="power of a GPU [W]", ylim=(0, 1500), title="B200: points are measured")
    ax.legend(frameon=False, fontsize=8)


def speed_of_cap(ax: plt.Axes) -> None:
    caps = np.linspace(220, 1000, 400)
    for work, (clock, watts, colour) in WORKS.items():
        allowed = clock_for((caps - points.IDLE) / activity(clock, watts), points.CURVE) * 1150e6 / clock
        ax.plot(caps, 100 * throughput(np.minimum(allowed, 1.0), KNEE.get(work, 1.0)), color=colour, label=work)
    ax.set(xlabel="power cap of a GPU [W]", ylabel="speed [% of that without a cap]", ylim=(0, 105),
           title="B200 behind a cap: foretold")  # fmt: skip
    ax.legend(frameon=False, fontsize=8)


def held_out(ax: plt.Axes) -> None:
    card = points.fitted()
    caps = np.linspace(120, 350, 300)
    for law, published, colour, name in (
        (card, points.PREFILL, "#c98a1b", "prefill"), (points.decoding(card), points.DECODE, "#2f6f8f", "decode"),
    ):  # fmt: skip
        ax.plot(caps, [100 * law.clock(cap) for cap in caps], color=colour, label=name)
        for cap, speed in published.items():
            fit = cap in points.FITTED if name == "prefill" else cap == 150.0
            face = colour if fit else "white"
            ax.plot(cap, 100 * speed / published[350.0], "o", color=colour, markerfacecolor=face)
    ax.set(xlabel="power cap of a GPU [W]", ylabel="speed [% of that at 350 W]", ylim=(0, 105),
           title="RTX 3090: full points fitted, hollow held out")  # fmt: skip
    ax.legend(frameon=False, fontsize=8)


def main() -> None:
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for draw, ax in zip((power_of_clock, speed_of_cap, held_out), axes):
        draw(ax)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(HOME / "docs" / "images" / "gpu.png", dpi=110)


if __name__ == "__main__":
    main()
