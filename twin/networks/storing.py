"""Storing: jobs that use storage systems, pools that load weights from them, and what bandwidth each gets in a tick."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, gather_sum, library_of, neighbours, stacked_with_spare
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.storing import PLENTY, Moved, Standing, Users, Wants, Went, course
from twin.plant import Plant

ROUND_OFF = 1e-9
"""GPUs: fewer than these that lack their weights are none."""


@dataclass
class StoringNetwork:
    """Storage systems, one column each in the order of their tables, and who uses them: jobs, and pools behind them.

    `stored`: True where one uses a storage (1, user); `first`: column of each table's first; `pools`: None where no
    pool uses any.
    """

    stores: list[Table]
    first: list[int]
    users: Users
    stored: Array
    count: int
    jobs: int
    pools: Table | None


def compile_storing(plant: Plant, tables: list[Table], jobs: Table | None, xp: ModuleType) -> StoringNetwork | None:
    """Index tables of whose data lies where; None where nobody uses a storage system."""
    pools = next((t for t in tables if t.kind == "pool" and set(t.names) & set(plant.stores)), None)
    who = [*(jobs.names if jobs else ()), *(pools.names if pools else ())]
    if not any(name in plant.stores for name in who):
        return None
    stores = [t for t in tables if t.kind == "storage_system"]
    names = [name for t in stores for name in t.names]
    of = np.array([names.index(plant.stores[user][0]) if user in plant.stores else len(names) for user in who])
    inside = [sorted((k for k, at in enumerate(of) if at == n), key=who.__getitem__) for n in range(len(names))]
    first = [sum(t.size for t in stores[:k]) for k in range(len(stores))]
    users = Users(xp.asarray(of), neighbours(inside, xp, len(who)), max(map(len, inside)))
    stored = xp.asarray((of < len(names))[None, :])
    return StoringNetwork(stores, first, users, stored, len(names), jobs.size if jobs else 0, pools)


def solve(
    net: StoringNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, now: Standing, wants: Wants, dt: Any
) -> tuple[Standing, Went]:
    """Run the jobs through the tick on the bandwidth that there was; `ports` of storage systems get `work`.

    Pools load the weights that their GPUs lack beside them; their `work` then says how many still lack them.
    """
    xp = library_of(wants.rate)
    if net.pools is not None:
        now, wants = _with_pools(net.pools, ports, inputs, now, wants)
    read, write, all_read, all_write = xp.zeros((4, len(wants.rate), net.count))
    for t, first in zip(net.stores, net.first, strict=True):
        columns = slice(first, first + t.size)
        read[:, columns], write[:, columns] = t.machine.offers(state[t.key], inputs[t.key])  # type: ignore[attr-defined]
        all_read[:, columns], all_write[:, columns] = t.machine.read_bandwidth, t.machine.write_bandwidth  # type: ignore[attr-defined]
    after, went = course(now, wants, (read, write), (all_read, all_write), net.users, dt, net.stored)
    moved = gather_sum(stacked_with_spare(went.read, went.written), net.users.inside) / dt
    for t, first in zip(net.stores, net.first, strict=True):
        columns = slice(first, first + t.size)
        ports[t.key].work = Moved(*(each[:, columns] for each in moved))
    if net.pools is None:
        return after, went
    port, weights = ports[net.pools.key], _weights(net.pools)
    left, loaded = after.loading[:, net.jobs :], went.restarted[:, net.jobs :]
    left = xp.where(left > ROUND_OFF * weights, left, 0.0)
    lacking = xp.where(weights > 0, left / xp.maximum(weights, 1.0), port.work.lacking)
    port.work = port.work._replace(lacking=lacking, loaded=loaded)
    return Standing(*(each[:, : net.jobs] for each in after)), Went(*(each[:, : net.jobs] for each in went))


def load(net: StoringNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, dt: Any) -> None:
    """The same where a plant has no jobs: its pools load weights."""
    xp, members = library_of(net.stored), len(ports[net.pools.key].work.able)  # type: ignore[union-attr]
    none = xp.zeros((members, 0))
    solve(net, ports, state, inputs, Standing(*[none] * 5), Wants(*[none] * 7), dt)


def _weights(pools: Table) -> Any:
    return pools.machine.weights  # type: ignore[attr-defined]


def _with_pools(pools: Table, ports: AllPorts, inputs: AllRows, now: Standing, wants: Wants) -> tuple[Standing, Wants]:
    """Jobs, and behind them pools as jobs that read something back and then do nothing."""
    lacking = ports[pools.key].work.lacking
    xp, none = library_of(lacking), 0.0 * lacking
    runs = (inputs[pools.key].crash <= 0) * 1.0

    def joined(one: Any, other: Any) -> Any:
        return xp.concatenate([xp.broadcast_to(one, wants.rate.shape), other], axis=1)

    stands = Standing(none, none, lacking * _weights(pools), none, none)
    asks = Wants(runs, none, none, none, none, none + PLENTY, none)
    return Standing(*map(joined, now, stands)), Wants(*map(joined, wants, asks))
