"""Accounting: whose energy a tick's was - racks by the work they did, IT and the site pro rata, the rest nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from twin.arrays import Array, Neighbours, gather_sum, gather_sum_where, library_of, neighbours, stacked_with_spare
from twin.declare import replace
from twin.networks import gangs, serving
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.networks.tally import PHASES


@dataclass
class AccountNet:
    """Who may be charged: services by their pools, jobs by their gangs.

    `racks` are the tables that work, `every_rack` and `every_pool` their sums, `gpus` of each unit (1, unit + 1).
    """

    serving: serving.ServingNetwork | None
    gangs: gangs.GangNetwork | None
    racks: list[Table]
    every_rack: Neighbours
    every_pool: Any
    gpus: Array


def compile_accounts(
    served: serving.ServingNetwork | None, made: gangs.GangNetwork | None, tables: list[Table], xp: ModuleType
) -> AccountNet | None:
    """Index tables of whom energy is charged to; None where a plant has no services and no jobs."""
    if made is None and (served is None or served.services is None):
        return None
    column = unit_columns(tables)
    racks = [t for t in tables if t.machine.is_work]
    gpus = xp.zeros((1, len(column) + 1))
    for t in racks:
        gpus[:, t.columns] = t.machine.gpu_count  # type: ignore[attr-defined]
    names = sorted(name for t in racks for name in t.names)
    pools = neighbours([list(range(served.pools.size))], xp, spare=served.pools.size) if served else None
    every = neighbours([[column[name] for name in names]], xp, spare=len(column))
    return AccountNet(served, made, racks, every, pools, gpus)


def count(
    net: AccountNet, port: AllPorts, inputs: AllRows, was: AllRows, rows: AllRows, site: Any, drawn: Array, dt: Any
) -> None:
    """Charge a tick's energy to services and jobs, in the counters of `rows`.

    A rack's power up to its idle power goes by the share of its GPUs' time that work took; what is above that goes by
    the same times the power beyond idle that each work draws, as the law of GPU power has it. What racks of a pool
    take while nobody uses them, and racks of nobody, is unallocated. All of a gang's racks is their job's. Switches
    and storage, and all else that the site takes, go pro rata of racks' power in this tick.

    Args:
        was: State before the tick; rows: after it.
        site: Outputs of the site.
        drawn: power that each unit took from its feeds [W], (member, unit + 1).
    """
    xp, price = library_of(drawn), inputs["site"].energy_price
    racks = gather_sum(drawn, net.every_rack)
    some = xp.where(racks > 0, racks, 1.0)
    it, facility = (xp.where(racks > 0, power / some, 0.0) for power in (site.it_power, site.power))
    free = xp.zeros(drawn.shape)
    for t in net.racks:
        free[:, t.columns] = drawn[:, t.columns]
    shares = it, facility, price
    left = 0.0
    if _serves(net):
        left = _services(net, port, rows, free, drawn, shares, dt)
    elif net.serving is not None:
        _idle_pools(net.serving, port, rows, free, shares, dt)
    if net.gangs is not None:
        _jobs(net, port, inputs, was, rows, free, drawn, shares, dt)
    alone = gather_sum(free, net.every_rack) + left
    none = racks <= 0
    counted, before = rows["site"], was["site"]
    at_site = xp.where(none, site.power, alone * facility)
    rows["site"] = replace(
        counted,
        rack_energy=before.rack_energy + dt * racks,
        unallocated_rack_energy=before.unallocated_rack_energy + dt * alone,
        unallocated_it_energy=before.unallocated_it_energy + dt * xp.where(none, site.it_power, alone * it),
        unallocated_facility_energy=before.unallocated_facility_energy + dt * at_site,
        unallocated_energy_cost=before.unallocated_energy_cost + dt * at_site * price,
    )


def _serves(net: AccountNet) -> bool:
    return net.serving is not None and net.serving.services is not None


def _services(
    net: AccountNet, port: AllPorts, rows: AllRows, free: Array, drawn: Array, shares: tuple[Array, ...], dt: Any
) -> Array:
    """Charge services with what racks of pools spent on them; what is left of that to nobody [W], (member, 1).

    `free` keeps what no work took.
    """
    served: Any = net.serving
    pools, services, xp = served.pools, served.services, library_of(drawn)
    spent = xp.zeros((len(PHASES), *drawn.shape))
    for t in served.racks:
        power = drawn[:, t.columns]
        by_phase = t.machine.spent(port[t.key].plan.asked, power)
        placed = served.placed[t.key]
        for k in range(len(PHASES)):
            spent[k][:, t.columns] = by_phase[k] * placed
        free[:, t.columns] = power - (by_phase[0] + by_phase[1]) * placed
    of_pools, idle = gather_sum(spent, served.inside), gather_sum(free, served.inside)
    times, took = port[services.key].work.times, {}
    charged, gpu_time, left = 0.0, 0.0, 0.0 * idle
    for power, phase in zip(of_pools, PHASES):
        slots = list(zip(served.slots[phase], times[phase]))
        took[phase] = sum(gather_sum(stacked_with_spare(time)[0], slot.users) for slot, time in slots)
        each = xp.where(took[phase] > 0, power / xp.where(took[phase] > 0, took[phase], 1.0), 0.0)
        left = left + xp.where(took[phase] > 0, 0.0, power)
        for slot, time in slots:
            charged = charged + time * stacked_with_spare(each)[0].take(slot.pool, axis=1)
            gpu_time = gpu_time + time
    row, pool = rows[services.key], rows[pools.key]
    rows[services.key] = replace(row, **services.machine.booked(row, charged, shares, gpu_time / dt, dt))
    rows[pools.key] = replace(
        pool,
        gpu_time=pool.gpu_time + dt * port[pools.key].work.gpus,
        busy_time=pool.busy_time + took["prefill"] + took["decode"],
        **pools.machine.idled(pool, idle + left, shares, dt),
    )
    return gather_sum(stacked_with_spare(left)[0], net.every_pool)


def _idle_pools(
    served: serving.ServingNetwork, port: AllPorts, rows: AllRows, free: Array, shares: tuple[Array, ...], dt: Any
) -> None:
    """What pools that no service uses could have done, and what their racks took; all of it is nobody's."""
    pools: Any = served.pools
    pool, power = rows[pools.key], gather_sum(free, served.inside)
    idled = pools.machine.idled(pool, power, shares, dt)
    rows[pools.key] = replace(pool, gpu_time=pool.gpu_time + dt * port[pools.key].work.gpus, **idled)


def _jobs(
    net: AccountNet, port: AllPorts, inputs: AllRows, was: AllRows, rows: AllRows, free: Array, drawn: Array,
    shares: tuple[Array, ...], dt: Any,
) -> None:  # fmt: skip
    """Charge jobs with all that their racks take, whether they run or stand; `free` loses it."""
    made: Any = net.gangs
    xp, jobs = library_of(drawn), made.jobs
    idle = xp.zeros(drawn.shape)
    for t in made.racks:
        power = drawn[:, t.columns]
        idle[:, t.columns] = xp.minimum(power, t.machine.idle_power)
        theirs = (made.job_of[t.key] < jobs.size)[None, :]
        if made.shared is not None:
            theirs = theirs | (made.shared[t.key] & (inputs[t.key].job_number > 0))
        free[:, t.columns] = xp.where(theirs, 0.0, free[:, t.columns])
    if made.numbers is None:
        power, base, gpus = (gather_sum(each, made.members) for each in (drawn, idle, net.gpus))
    else:
        ours = gangs.whose(made, inputs, drawn.shape)
        power, base, gpus = (gather_sum_where(each, made.members, ours) for each in (drawn, idle, net.gpus))
    row, before = rows[jobs.key], was[jobs.key]
    rows[jobs.key] = replace(
        row,
        **jobs.machine.booked(before, power, shares, gpus, dt),
        **jobs.machine.spent(before, port[jobs.key].work[1], (power, base), gpus, dt),
    )
