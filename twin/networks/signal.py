"""Signal: what one unit's Output tells another, as the age in seconds since it was raised, or as an amount."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import Array, worth_doing
from twin.networks.tables import AllPorts, AllRows, Table
from twin.plant import Plant


@dataclass
class Wire:
    """All lines from one Output of one table to one input of another; `adds` where they carry amounts that add up.

    `lines` (listener, line) are the columns that each unit of the target listens to, `delay` [s] likewise,
    infinite where a unit has fewer lines than another.
    """

    source: str
    output: str
    target: str
    input: str
    pairs: list[tuple[int, int, float]]
    adds: bool = False
    lines: Array = None
    delay: Array = None

    def lay(self, listeners: int, xp: ModuleType) -> None:
        """Fill the tables from the pairs (source, listener, delay)."""
        rows = [[pair for pair in self.pairs if pair[1] == unit] for unit in range(listeners)]
        longest = max(len(row) for row in rows)
        lines, delay = np.zeros((listeners, longest), dtype=np.int64), np.full((1, listeners, longest), np.inf)
        for unit, row in enumerate(rows):
            for k, (source, _, seconds) in enumerate(row):
                lines[unit, k], delay[0, unit, k] = source, seconds
        self.lines, self.delay = xp.asarray(lines), xp.asarray(delay)


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
    adding = {t.key: getattr(t.machine, "adds", ()) for t in tables}
    for wire in wires.values():
        wire.adds = wire.input in adding[wire.target]
    sizes = {t.key: t.size for t in tables}
    for wire in wires.values():
        wire.lay(sizes[wire.target], xp)
    listens = {t.key: (t.machine.signals, t.size) for t in tables if t.machine.signals}
    return SignalNetwork(list(wires.values()), listens)


def solve(net: SignalNetwork, ports: AllPorts, outputs: AllRows, members: int, xp: ModuleType) -> None:
    """Tell every listener the greatest age among its lines, less each line's delay [s]; 0 means not raised.

    Where lines carry amounts, it is told their sum.
    """
    for key, (names, size) in net.listens.items():
        ports[key].signal = {name: xp.zeros((members, size)) for name in names}
    for wire in net.wires:
        age: Array = getattr(outputs[wire.source], wire.output)
        if wire.adds:
            signal, live = ports[wire.target].signal, (wire.delay < np.inf) * 1.0
            told = age.take(wire.lines, axis=1) * live
            for line in range(told.shape[2]):
                signal[wire.input] = signal[wire.input] + told[..., line]
        elif worth_doing(age):
            signal, oldest = ports[wire.target].signal, (age.take(wire.lines, axis=1) - wire.delay).max(axis=2)
            signal[wire.input] = xp.maximum(signal[wire.input], oldest)
