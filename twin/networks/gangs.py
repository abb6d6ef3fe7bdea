"""Gangs: racks that train one job in lockstep; the slowest of them sets the pace of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, stacked_with_spare
from twin.networks import storing
from twin.networks.serving import Duty
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.physics.collective import Links
from twin.physics.training import Gang
from twin.plant import Plant
from twin.plant_links import links_of, talks, usable


@dataclass
class GangNetwork:
    """Jobs and their racks: `members` by job, `job_of` each rack of a table, one past the last where it is in none.

    Where a scheduler gives racks to jobs, `members` are all that a job may get; `numbers` (job, 1) are what racks say
    that train for it, 0 for a job with racks of its own, `seats` the job of each number, `shared` the racks. `links`:
    of the jobs' GPUs (1, job), None where no job works out its communication.
    """

    jobs: Table
    racks: list[Table]
    members: Neighbours
    wanted: Array
    job_of: dict[str, Array]
    unit_count: int
    storing: storing.StoringNetwork | None
    numbers: Array | None = None
    seats: Array | None = None
    shared: dict[str, Array] | None = None
    links: Links | None = None


def compile_gangs(plant: Plant, tables: list[Table], xp: ModuleType) -> GangNetwork | None:
    """Index tables of who trains what; None where a plant has no jobs."""
    jobs = next((t for t in tables if t.kind == "job"), None)
    if jobs is None:
        return None
    column = unit_columns(tables)
    gangs = {job: plant.scheduled.get(job) or plant.pools[job] for job in jobs.names}
    home = {rack: place for place, job in enumerate(jobs.names) for rack in plant.pools.get(job, ())}
    job_of = {
        t.key: np.array([home.get(name, jobs.size) for name in t.names], dtype=np.int64)
        for t in tables
        if t.machine.is_work
    }
    candidates = {rack for racks in plant.scheduled.values() for rack in racks}
    net = GangNetwork(
        jobs,
        [t for t in tables if t.key in job_of and ((job_of[t.key] < jobs.size).any() or candidates & set(t.names))],
        neighbours([[column[rack] for rack in sorted(gangs[job])] for job in jobs.names], xp, len(column)),
        xp.asarray([[float(len(gangs[job])) for job in jobs.names]]),
        {key: xp.asarray(value) for key, value in job_of.items()},
        len(column),
        storing.compile_storing(plant, tables, jobs, xp),
        links=_links(plant, gangs, xp),
    )
    if candidates:
        order = list(plant.scheduled)
        numbers = [order.index(job) + 1.0 if job in plant.scheduled else 0.0 for job in jobs.names]
        net.numbers = xp.asarray(numbers)[:, None]
        net.seats = xp.asarray([jobs.size, *(jobs.names.index(job) for job in order)])
        net.shared = {t.key: xp.asarray([[name in candidates for name in t.names]]) for t in net.racks}
    return net


def _links(plant: Plant, gangs: dict[str, list[str]], xp: ModuleType) -> Links | None:
    """What GPUs of each job talk over, by its first rack (all of a gang are alike); None where no job says what."""
    if not any(talks(plant.units[job]) for job in gangs):
        return None
    known = links_of(plant, {racks[0] for racks in gangs.values()})
    rows = zip(*(usable(known[racks[0]]) for racks in gangs.values()), strict=True)
    return Links(*(xp.asarray([row]) for row in rows))


def solve(net: GangNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, outputs: AllRows, dt: Array) -> None:
    """Let each job run on the racks that it finds, as they were; `ports` of jobs and racks get `work`."""
    t, xp = net.jobs, library_of(net.wanted)
    members = state[t.key].steps.shape[0]
    able, *slowest = xp.zeros((3 if net.links is None else 5, members, net.unit_count + 1))
    for each in slowest:
        each[:] = xp.inf
    for rack in net.racks:
        said = rack.machine.works(state[rack.key], inputs[rack.key], outputs[rack.key])  # type: ignore[attr-defined]
        linked = rack.machine.linked(inputs[rack.key])  # type: ignore[attr-defined]
        can = (said.gpus > 0) & (linked > 0)
        able[:, rack.columns] = can * 1.0
        parts = [said.training * said.share, linked]
        if net.links is not None:
            nvlink = rack.machine.nvlink_left(inputs[rack.key])  # type: ignore[attr-defined]
            parts += [inputs[rack.key].bandwidth_share, nvlink]
        for each, part in zip(slowest, parts, strict=True):
            each[:, rack.columns] = xp.where(can, part, xp.inf)
    if net.numbers is None:
        count, wanted = gather_sum(able, net.members), net.wanted
        worst = [each.take(net.members.index, axis=1).min(axis=-1) for each in slowest]
    else:
        count, wanted, worst = _given(net, inputs, able, slowest)
    gang = Gang(wanted, count, *(xp.where(count > 0, each, 0.0) for each in worst))._replace(links=net.links)
    store = net.storing and partial(storing.solve, net.storing, ports, state, inputs, dt=dt)
    did = t.machine.ran(state[t.key], inputs[t.key], gang, dt, store)  # type: ignore[attr-defined]
    ports[t.key].work = gang, did
    busy = stacked_with_spare(did.activity)[0]
    for rack in net.racks:
        job, known = net.job_of[rack.key], ports[rack.key].work or (xp.nan,) * 3
        trains, inside = busy.take(job, axis=1), (job < t.size)[None, :]
        if net.shared is not None:
            seat = net.seats.take(inputs[rack.key].job_number.astype(np.int64))  # type: ignore[union-attr]
            shared = net.shared[rack.key]
            trains = xp.where(shared, xp.take_along_axis(busy, seat, axis=1), trains)
            inside = inside | shared
        mine = (0.0 * trains, 0.0 * trains, trains)
        ports[rack.key].work = Duty(*(xp.where(inside, one, other) for one, other in zip(mine, known, strict=True)))


def _given(net: GangNetwork, inputs: AllRows, able: Array, slowest: list[Array]) -> tuple[Any, Any, list[Any]]:
    """Racks that can work, racks given, and the least of each of `slowest`, by job, where a scheduler gives racks."""
    xp, index = library_of(able), net.members.index
    ours = whose(net, inputs, able.shape)
    able_ours = ours & (able.take(index, axis=1) > 0)
    worst = [xp.where(ours, each.take(index, axis=1), xp.inf).min(axis=-1) for each in slowest]
    count, given = (xp.count_nonzero(each, axis=-1) * 1.0 for each in (able_ours, ours))  # whole numbers: any order
    return count, given, worst


def whose(net: GangNetwork, inputs: AllRows, shape: tuple[int, int]) -> Array:
    """Whether each of `members` is its job's (member, job, K), where a scheduler gives racks; shape: of all units."""
    xp, index = library_of(net.wanted), net.members.index
    number = xp.zeros(shape)
    number[:, -1] = -1.0  # who is nobody is nobody's
    for rack in net.racks:
        number[:, rack.columns] = inputs[rack.key].job_number
    mine: Any = net.numbers
    own = (mine == 0) & (index < net.unit_count)
    ours: Array = own | (number.take(index, axis=1) == xp.where(mine > 0, mine, -2.0))
    return ours
