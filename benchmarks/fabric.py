"""What one loss costs to work out: shares of all racks of a fabric, and what networkx needs for one of them."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import time

import numpy as np
from machine import machine

from twin.networks.fabric import bisection, compile_fabric, ports_left, shares
from twin.plant_fabric import Fabric
from twin.plant_fabric.generators import fat_tree, fat_tree_counts, superpod, superpod_counts
from twin.plant_fabric.graphs import largest_flow


def named(counts) -> list[list[str]]:
    return [[f"{what}-{row}" for row in range(1, count + 1)] for what, count in vars(counts).items()]


def fabrics() -> dict[str, Fabric]:
    made = {f"SuperPOD, {units} SU": superpod(*named(superpod_counts(8 * units))) for units in (1, 4, 16)}
    return made | {"fat tree, 64 racks": fat_tree(*named(fat_tree_counts(64))[:3])}


def timed(work, times: int = 5) -> float:
    """Least milliseconds of some runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(1e3 * (time.perf_counter() - began))
    return min(found)


def main() -> None:
    print(machine())
    head = f"{'fabric':20} {'GPUs':>6} {'switches':>8} {'links':>6} {'bisection':>9}"
    print(f"{head}  compile   leaf  spine   core  networkx")
    for name, fabric in fabrics().items():
        net = compile_fabric(fabric)
        shares(net, net.ports)
        row = f"{name:20} {72 * net.racks:6} {len(fabric.switches):8} {len(fabric.links):6} "
        row += f"{bisection(net, net.ports):9g}  {timed(lambda: compile_fabric(fabric)):5.1f} ms"  # noqa: B023
        for tier in (1, 2, 3):
            if not fabric.tier(tier):
                row += "      -"
                continue
            alive = np.ones(len(net.names))
            alive[net.nodes[fabric.tier(tier)[-1]]] = 0.0
            row += f" {timed(lambda: shares(net, ports_left(net, alive))):6.1f}"  # noqa: B023
        racks = fabric.racks
        row += f" {timed(lambda: largest_flow(fabric, racks[:1], racks[1:]), 1):9.0f}"  # noqa: B023
        print(row + " ms")


if __name__ == "__main__":
    main()
