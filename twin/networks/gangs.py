"""Gangs: racks that train one job in lockstep; the slowest of them sets the pace of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import ModuleType

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, stacked_with_spare
from twin.networks import storing
from twin.networks.serving import Duty
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.physics.training import Gang
from twin.plant import Plant


@dataclass
class GangNetwork:
    """Jobs and their racks: `members` by job, `job_of` each rack of a table, one past the last where it is in none."""

    jobs: Table
    racks: list[Table]
    members: Neighbours
    wanted: Array
    job_of: dict[str, Array]
    unit_count: int
    storing: storing.StoringNetwork | None


def compile_gangs(plant: Plant, tables: list[Table], xp: ModuleType) -> GangNetwork | None:
    """Index tables of who trains what; None where a plant has no jobs."""
    jobs = next((t for t in tables if t.kind == "job"), None)
    if jobs is None:
        return None
    column = unit_columns(tables)
    home = {rack: place for place, job in enumerate(jobs.names) for rack in plant.pools[job]}
    job_of = {
        t.key: np.array([home.get(name, jobs.size) for name in t.names], dtype=np.int64)
        for t in tables
        if t.machine.is_work
    }
    return GangNetwork(
        jobs,
        [t for t in tables if t.key in job_of and (job_of[t.key] < jobs.size).any()],
        neighbours([[column[rack] for rack in sorted(plant.pools[job])] for job in jobs.names], xp, len(column)),
        xp.asarray([[float(len(plant.pools[job])) for job in jobs.names]]),
        {key: xp.asarray(value) for key, value in job_of.items()},
        len(column),
        storing.compile_storing(plant, tables, jobs, xp),
    )


def solve(net: GangNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, outputs: AllRows, dt: Array) -> None:
    """Let each job run on the racks that it finds, as they were; `ports` of jobs and racks get `work`."""
    t, xp = net.jobs, library_of(net.wanted)
    members = state[t.key].steps.shape[0]
    able, speed, bandwidth = xp.zeros((3, members, net.unit_count + 1))
    speed[:], bandwidth[:] = xp.inf, xp.inf
    for rack in net.racks:
        said = rack.machine.works(state[rack.key], inputs[rack.key], outputs[rack.key])  # type: ignore[attr-defined]
        linked = inputs[rack.key].bandwidth_share
        can = (said.gpus > 0) & (linked > 0)
        able[:, rack.columns] = can * 1.0
        speed[:, rack.columns] = xp.where(can, said.training * said.share, xp.inf)
        bandwidth[:, rack.columns] = xp.where(can, linked, xp.inf)
    count = gather_sum(able, net.members)
    worst = [xp.where(count > 0, each.take(net.members.index, axis=1).min(axis=-1), 0.0) for each in (speed, bandwidth)]
    gang = Gang(net.wanted, count, *worst)
    store = net.storing and partial(storing.solve, net.storing, ports, state, inputs, dt=dt)
    did = t.machine.ran(state[t.key], inputs[t.key], gang, dt, store)  # type: ignore[attr-defined]
    ports[t.key].work = gang, did
    busy = stacked_with_spare(did.activity)[0]
    for rack in net.racks:
        job, known = net.job_of[rack.key], ports[rack.key].work or (xp.nan,) * 3
        trains, inside = busy.take(job, axis=1), (job < t.size)[None, :]
        mine = (0.0 * trains, 0.0 * trains, trains)
        ports[rack.key].work = Duty(*(xp.where(inside, one, other) for one, other in zip(mine, known, strict=True)))
