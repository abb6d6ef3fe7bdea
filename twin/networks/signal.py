"""Signal: what one unit's Output tells another, as the age in seconds since it was raised."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import Array
from twin.networks.tables import AllPorts, AllRows, Table
from twin.plant import Plant


@dataclass
class Wire:
    """All lines from one Output of one table to one input of another."""

    source: str
    output: str
    target: str
    input: str
    pairs: list[tuple[int, int, float]]


@dataclass
class SignalNetwork:
    """Wires, and the inputs that each table listens to."""

    wires: list[Wire]
    listens: dict[str, tuple[tuple[str, ...], int]]


def compile_signals(plant: Plant, tables: list[Table], xp: ModuleType) -> SignalNetwork:
    """Sort the plant's signal lines by the tables they join."""
    seat = {name: (t.key, row) for t in tables for row, name in enumerate(t.names)}
    wires: dict[tuple[str, str, str, str], Wire] = {}
    for line in plant.signals:
        (source, row), (target, column) = seat[line.source], seat[line.target]
        key = (source, line.output, target, line.input)
        wires.setdefault(key, Wire(*key, pairs=[])).pairs.append((row, column, line.delay))
    listens = {t.key: (t.machine.signals, t.size) for t in tables if t.machine.signals}
    return SignalNetwork(list(wires.values()), listens)


def solve(net: SignalNetwork, ports: AllPorts, outputs: AllRows, members: int, xp: ModuleType) -> None:
    """Tell every listener the greatest age among its lines, less each line's delay [s]; 0 means not raised."""
    for key, (names, size) in net.listens.items():
        ports[key].signal = {name: xp.zeros((members, size)) for name in names}
    for wire in net.wires:
        age: Array = getattr(outputs[wire.source], wire.output)
        heard = ports[wire.target].signal[wire.input]
        for row, column, delay in wire.pairs:
            heard[:, column] = np.maximum(heard[:, column], age[:, row] - delay)
