"""Tables of units: the rows that laws work on, and where each unit stands in the flat arrays of the networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array
from twin.declare import Equipment, Ports, quantities
from twin.equipment import KINDS
from twin.plant import Plant
from twin.plant_electrics import at_their_levels, rings


@dataclass
class Table:
    """The units of one kind at one electrical depth.

    `first` and `last` bound its columns in arrays over all units; `machine` holds the parameters,
    arrays (1, n), so that its laws answer for all units at once (a leading axis of one spares numpy
    the broadcasting that would triple the cost of a single member).
    """

    key: str
    kind: str
    depth: int
    names: list[str]
    machine: Equipment
    first: int
    laws: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        self.size = len(self.names)
        self.last = self.first + self.size
        self.columns = slice(self.first, self.last)


OPTIONAL_LAWS = ("actuate", "plan", "revise", "regulate", "warm", "coil", "stored", "rejected")


def electrical_depths(plant: Plant) -> dict[str, int]:
    """How many connections stand between each unit and the farthest source; the feeds must not form a cycle.

    Boards that ties join stand at one depth, and their ties with them.
    """
    together = {board: part for part in rings(plant) for board in part}
    depths: dict[str, int] = {}
    waiting = list(reversed(plant.units))
    while waiting:
        unit = waiting[-1]
        group = together.get(plant.joins[unit][0] if unit in plant.joins else unit, [unit])
        feeds = [feed for board in group for feed in plant.feeds.get(board, ())]
        missing = [feed for feed in feeds if feed not in depths]
        if missing and unit not in depths:
            waiting.extend(missing)
            continue
        waiting.pop()
        depths[unit] = 1 + max((depths[feed] for feed in feeds), default=-1)
    return depths


def compile_tables(plant: Plant, xp: ModuleType) -> list[Table]:
    """Sort the plant's units into tables, by kind and depth, each in the order of the plant."""
    depths = electrical_depths(plant)
    rows: dict[tuple[str, int], list[str]] = {}
    for kind in KINDS:
        for unit in plant.of_kind(kind):
            rows.setdefault((kind, depths[unit.name]), []).append(unit.name)
    tables: list[Table] = []
    derived = at_their_levels(plant)
    first = 0
    for (kind, depth), names in rows.items():
        alone = sum(1 for other, _ in rows if other == kind) == 1
        cls = KINDS[kind]
        machine = cls(**_parameters(plant, cls, names, derived, xp))
        machine.names = tuple(names)
        laws = frozenset(law for law in OPTIONAL_LAWS if getattr(cls, law) is not getattr(Equipment, law))
        tables.append(Table(kind if alone else f"{kind}:{depth}", kind, depth, names, machine, first, laws))
        first += len(names)
    return tables


def _parameters(
    plant: Plant, cls: type[Equipment], names: list[str], derived: dict[str, float], xp: ModuleType
) -> dict[str, Array]:
    columns: dict[str, Array] = {}
    for name, said in quantities(cls).items():
        values = [plant.units[unit].parameters.get(name, said.default) for unit in names]
        if name == "nominal_voltage":
            values = [derived.get(unit, value) for unit, value in zip(names, values, strict=True)]
        if None in values:
            raise ValueError(f"{names[values.index(None)]} has no {name}; a {cls.kind} wants it")
        columns[name] = xp.asarray(np.array([values], dtype=np.float64))
    return columns


def unit_columns(tables: list[Table]) -> dict[str, int]:
    """Column of every unit in arrays over all units."""
    return {name: table.first + row for table in tables for row, name in enumerate(table.names)}


AllPorts = dict[str, Ports]
AllRows = dict[str, Any]
"""One State, Inputs or Outputs object per table key."""
