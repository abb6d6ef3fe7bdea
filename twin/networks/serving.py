"""Serving: what services ask of pools of racks, who is served first, and what that makes the racks do."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, stacked, stacked_with_spare, worth_doing
from twin.networks import tiers
from twin.networks.handing import Handing, Ways, compile_handing
from twin.networks.slots import Slot, nth, slots_of
from twin.networks.spread import Paced, Spread, compile_spread
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.networks.tally import LEAST, PHASES, Tally, Time
from twin.physics.thermal import TINY
from twin.plant import Plant


@dataclass
class ServingNetwork:
    """Services, pools and racks; `levels` are masks of the services (1, service), first served first.

    `inside` are the racks of each pool; `pool_of` the pool of each rack of a table, one past the last where it
    stands in none, and `placed` where it stands in one (1, n). `also_decodes`: whether the pool of a slot of
    prefill writes answers of the same service too, by slot (1, service). `handing`: of KV caches between pools, None
    where nobody hands any over. `apart`: 1 for pools that deal their GPUs to services, None where all share. `spread`:
    models that several racks hold, None where none are.
    """

    services: Table | None
    pools: Table
    racks: list[Table]
    inside: Neighbours
    pool_of: dict[str, Array]
    placed: dict[str, Array]
    levels: list[Array]
    slots: dict[str, list[Slot]]
    also_decodes: list[Array]
    decode_rate: Array
    unit_count: int
    handing: Handing | None = None
    apart: Array | None = None
    spread: Spread | None = None


class Served(NamedTuple):
    """What a tick did for services: tokens asked, read and written, and how fast it went; arrays (member, service).

    times: by phase and slot, the time of GPUs that it took [s]; handing: seconds for a token of a prompt, bits sent,
    and whether that held prompts up, None where nobody hands over; met: as `Exchanging.waited` takes it, None where
    nobody exchanges.
    """

    asked: Any
    read: Any
    written: Array
    capacity: Array
    busy: Array
    prefill_speed: Array
    decode_speed: Array
    times: Any = None
    handing: tuple[Array, Array, Array] | None = None
    met: tuple[Array, Array, Array] | None = None


class Pooled(NamedTuple):
    """What a tick did in pools; arrays (member, pool). `waits`: tokens that found no time; `power` is told later.

    gpus: that serve; able: that have power and hold what they hold, cut off or not; lacking: those of them without
    weights, at last at the end of the tick;
    loaded: seconds into the tick at which the last of them had its weights; standing: that could work but for others
    of their replica, and whether one is not whole; None where none share one.
    """

    gpus: Array
    prefill_speed: Array
    decode_speed: Array
    prefilling: Array
    decoding: Array
    answers: Array
    waits: Array
    able: Array
    lacking: Array
    loaded: Any = 0.0
    power: Any = None
    standing: Any = None


class Duty(NamedTuple):
    """What racks do: shares of their GPUs' time on each kind of work [1], nan where nobody says."""

    prefill: Array
    decode: Array
    training: Array


def compile_serving(plant: Plant, tables: list[Table], xp: ModuleType) -> ServingNetwork | None:
    """Index tables of who serves whom; None where a plant has no pools."""
    pools = next((t for t in tables if t.kind == "pool"), None)
    if pools is None:
        return None
    services = next((t for t in tables if t.kind == "service"), None)
    column, place = unit_columns(tables), {name: row for row, name in enumerate(pools.names)}
    home = {rack: place[pool] for pool in pools.names for rack in plant.pools[pool]}
    racks = [t for t in tables if t.machine.is_work]
    pool_of = {t.key: np.array([home.get(name, pools.size) for name in t.names], dtype=np.int64) for t in racks}
    names = services.names if services else []
    slots = {phase: slots_of(plant, names, phase, place, xp) for phase in PHASES}
    priority = np.array([[plant.units[name].machine().priority for name in names]]) if names else np.zeros((1, 0))
    also = [
        xp.asarray(
            np.array([[float(nth(plant, name, "prefill", k) in plant.served[name]["decode"]) for name in names]])
        )
        for k in range(len(slots["prefill"]))
    ]
    return ServingNetwork(
        services,
        pools,
        [t for t in racks if (pool_of[t.key] < pools.size).any()],
        neighbours([[column[rack] for rack in sorted(plant.pools[pool])] for pool in pools.names], xp, len(column)),
        {key: xp.asarray(value) for key, value in pool_of.items()},
        {key: xp.asarray((value < pools.size)[None, :]) for key, value in pool_of.items()},
        [xp.asarray((priority == level) * 1.0) for level in np.unique(priority)],
        slots,
        also,
        services.machine.decode_rate if services else None,  # type: ignore[attr-defined]
        len(column),
        compile_handing(plant, list(names), column, len(slots["prefill"]), xp),
        tiers.compile_tiers(pools, xp),
        compile_spread(plant, pools, services, column, xp),
    )


def solve(net: ServingNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, outputs: AllRows, dt: Any) -> None:
    """Share the racks' time among services for one tick; `ports` get `work`.

    Who is first takes what it needs: answers begun before, then prompts together with the answers that they
    release, from its first pool and what that lacks from the next. Racks work at the speed that they had.

    Args:
        outputs: of the last tick; what the racks can do follows from them.
    """
    pools, key = ports[net.pools.key], net.pools.key
    joined, able, speeds, longer, found, paced = _able(net, state, inputs, outputs)
    xp = library_of(able)
    lacking = net.pools.machine.lacking(state[key], inputs[key], able)  # type: ignore[attr-defined]
    gpus = able - lacking
    gpus = xp.where(joined < able, gpus * (joined / xp.maximum(able, TINY)), gpus)
    if paced is not None:
        gpus = paced.within(gpus, able, lacking, joined)
    time, waits, answers = Time(gpus, speeds, longer, dt), 0.0 * gpus, {}
    if net.services is not None:
        t = net.services
        row, asked = state[t.key], t.machine.asks(inputs[t.key], pools.now, dt)  # type: ignore[attr-defined]
        ways, tally = None, Tally(net, t.machine, time, paced)
        if net.handing is not None:
            ways, shares = Ways(net.handing, net.slots, net.inside, dt), None
            if len(net.slots["decode"]) > 1:
                there = row.prompt_queue + asked.prompts
                shares = tally.foreseen(row.answer_queue, there, row.unanswered + asked.answers)
            ready = able - lacking
            if paced is not None:
                ready = xp.minimum(ready, paced.well)
            ways.open(found, gpus, joined, ready, t.machine, paced, shares)
            tally.send(ways)
        served, waits, answers = _serve(net, t.machine, row, asked, tally, dt)
        if ways is not None:
            time.used["prefill"] = time.used["prefill"] - ways.waited
        ports[t.key].work = served
    whole = xp.maximum(time.all[:, :-1], TINY)
    duty = {phase: time.used[phase][:, :-1] / whole for phase in PHASES}
    written = sum(answers.values(), 0.0 * gpus)
    pools.work = Pooled(
        gpus, speeds["prefill"], speeds["decode"], duty["prefill"], duty["decode"], written, waits, able, lacking,
        standing=None if paced is None else (paced.standing, paced.broken),
    )  # fmt: skip
    if worth_doing(lacking):
        whole = xp.maximum(joined * dt, TINY)
        duty = {phase: time.used[phase][:, :-1] / whole for phase in PHASES}
    for t in net.racks:
        busy = [stacked_with_spare(duty[phase])[0].take(net.pool_of[t.key], axis=1) for phase in PHASES]
        if paced is not None:
            busy = [each * paced.serves[:, t.columns] for each in busy]
        ports[t.key].work = Duty(*(xp.where(net.placed[t.key], each, xp.nan) for each in (*busy, 0.0 * busy[0])))


def tell_power(net: ServingNetwork, ports: AllPorts, drawn: Array) -> None:
    """Tell the pools what their racks take [W]."""
    port = ports[net.pools.key]
    port.work = port.work._replace(power=gather_sum(drawn, net.inside))


def _able(
    net: ServingNetwork, state: AllRows, inputs: AllRows, outputs: AllRows
) -> tuple[Array, Array, dict[str, Array], Array, Array, Paced | None]:
    """GPUs in each pool that no network cuts off, and all that are well; the former's mean speed by phase and wait.

    The wait is the mean of 1/bandwidth in their rack; arrays (member, pool). And of each unit GPUs, their prefill,
    decode and 1/bandwidth, those that are well, and where some hand over bandwidth to other racks and GPUs cut off;
    and how tokens go where several racks hold a model, of which each does what the slowest of them can.
    """
    xp, handing = library_of(next(iter(net.pool_of.values()))), net.handing
    found: Any = None
    paced: Paced | None = None
    for t in net.racks:
        said = t.machine.works(state[t.key], inputs[t.key], outputs[t.key])  # type: ignore[attr-defined]
        if found is None:
            found = xp.zeros((5 if handing is None else 7, said.gpus.shape[0], net.unit_count + 1))
        left = t.machine.nvlink_left(inputs[t.key])  # type: ignore[attr-defined]
        count = xp.where(left > 0, said.gpus, 0.0)
        beyond = []
        if handing is not None:
            share = inputs[t.key].bandwidth_share
            cut = xp.where((handing.sides[t.columns] > 0) & (share <= 0), count, 0.0)
            count = count - cut
            beyond = [count * (handing.rate[t.columns] * share), cut]
        waits = count / xp.maximum(left, LEAST)
        found[:, :, t.columns] = stacked(count, count * said.prefill, count * said.decode, waits, said.gpus, *beyond)
    if net.spread is not None:
        ports = xp.ones(found.shape[1:])
        for t in net.racks:
            ports[:, t.columns] = inputs[t.key].bandwidth_share
        paced = Paced(net.spread, found, ports, net.inside)
    gpus, prefill, decode, waits, well = gather_sum(found[:5], net.inside)
    some = xp.maximum(gpus, TINY)
    speeds = {"prefill": prefill / some, "decode": decode / some}
    return gpus, well, speeds, xp.where(gpus > 0, waits / some, 1.0), found, paced


def _serve(net: ServingNetwork, machine: Any, s: Any, asked: Any, tally: Tally, dt: Any) -> Any:
    """Go through the levels of priority; what each service got, what waits in pools, and their answers [tokens]."""
    xp, time, ways = library_of(asked.prompts), tally.time, tally.ways
    there, coming = s.prompt_queue + asked.prompts, s.unanswered + asked.answers
    per_prompt = coming / xp.maximum(there, TINY)
    if net.apart is not None:
        tally.part(tiers.fills(tally, machine, net.apart, per_prompt))
    sums: list[Array] = []
    for mask in net.levels:
        begun = tally.write(s.answer_queue * mask)
        capacity = tally.room(there * mask, per_prompt)
        read = machine.prefilled(s, asked, capacity, dt)
        tally.read(read.prompts.served * mask)
        fresh = tally.write(read.released * mask)
        parts = [*read.prompts, read.released, read.dropped, read.unanswered, capacity]
        level = [part * mask for part in parts] + [begun + fresh]
        sums = [one + other for one, other in zip(sums, level)] if sums else level
    *prompts, released, dropped, unanswered, capacity, written = sums
    read = read._replace(
        prompts=type(read.prompts)(*prompts), released=released, dropped=dropped, unanswered=unanswered
    )
    waiting = read.prompts.left + s.answer_queue + released - written
    share = {phase: time.used[phase] / xp.maximum(time.all, TINY) for phase in PHASES}
    free = xp.maximum(1.0 - share["prefill"], 1e-3)
    busy = tally.seen("decode", share["decode"] / free)
    decodes = tally.seen("decode", time.speed["decode"] * free)
    if net.apart is not None:
        busy, left = tiers.met(tally, net.apart, (share["decode"] / free, free))
        decodes = tally.seen("decode", time.speed["decode"]) * left
    speeds = (
        tally.seen("prefill", time.speed["prefill"]) / tally.longer(tally.seen("prefill", time.waits)),
        decodes / tally.longer(tally.seen("decode", time.waits)),
    )
    exchanged = None
    if tally.paced is not None:
        lefts = [left if net.apart is not None else free.take(slot.pool, axis=1) for slot in net.slots["decode"]]
        speeds, exchanged = tally.exchanged(speeds, lefts)
    handed = None if ways is None else (ways.seconds(), ways.sent, ways.bound)
    served = Served(asked, read, written, capacity, busy, *speeds, tally.times, handed, exchanged)
    return served, tally.waits(waiting), tally.answers
