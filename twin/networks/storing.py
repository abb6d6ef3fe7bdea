"""Storing: jobs that read from storage systems and save to them, and what bandwidth each gets in a tick."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, gather_sum, library_of, neighbours, stacked_with_spare
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.storing import Moved, Standing, Users, Wants, Went, course
from twin.plant import Plant


@dataclass
class StoringNetwork:
    """Storage systems, one column each in the order of their tables, and the jobs that use them.

    `stored`: True where a job uses one (1, job); `first`: column of each table's first.
    """

    stores: list[Table]
    first: list[int]
    users: Users
    stored: Array
    count: int


def compile_storing(plant: Plant, tables: list[Table], jobs: Table, xp: ModuleType) -> StoringNetwork | None:
    """Index tables of whose data lies where; None where no job uses a storage system."""
    if not any(name in plant.stores for name in jobs.names):
        return None
    stores = [t for t in tables if t.kind == "storage_system"]
    names = [name for t in stores for name in t.names]
    of = np.array([names.index(plant.stores[job][0]) if job in plant.stores else len(names) for job in jobs.names])
    inside = [sorted((k for k, at in enumerate(of) if at == n), key=jobs.names.__getitem__) for n in range(len(names))]
    first = [sum(t.size for t in stores[:k]) for k in range(len(stores))]
    users = Users(xp.asarray(of), neighbours(inside, xp, jobs.size), max(map(len, inside)))
    return StoringNetwork(stores, first, users, xp.asarray((of < len(names))[None, :]), len(names))


def solve(
    net: StoringNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, now: Standing, wants: Wants, dt: Any
) -> tuple[Standing, Went]:
    """Run the jobs through the tick on the bandwidth that there was; `ports` of storage systems get `work`."""
    xp = library_of(wants.rate)
    read, write = xp.zeros((2, len(wants.rate), net.count))
    for t, first in zip(net.stores, net.first, strict=True):
        columns = slice(first, first + t.size)
        read[:, columns], write[:, columns] = t.machine.offers(state[t.key], inputs[t.key])  # type: ignore[attr-defined]
    after, went = course(now, wants, (read, write), net.users, dt, net.stored)
    moved = gather_sum(stacked_with_spare(went.read, went.written), net.users.inside) / dt
    for t, first in zip(net.stores, net.first, strict=True):
        columns = slice(first, first + t.size)
        ports[t.key].work = Moved(*(each[:, columns] for each in moved))
    return after, went
