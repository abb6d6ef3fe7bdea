"""Tiers apart: pools that deal their GPUs to their services, whose batches grow as far as their promises allow."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, library_of, stacked_with_spare
from twin.physics.serving import most_busy
from twin.physics.thermal import TINY

KEPT = 1.0 - 1e-5
"""Share of what a promise allows that is filled: a promise met to the last bit is broken by round-off."""


def fills(tally: Any, machine: Any, apart: Array, per_prompt: Array) -> list[Array]:
    """Share of the full rate at which answers of each service may go through its own batch, by slot of decode [1].

    1 in pools whose services share the batch.

    Args:
        tally: rates of the services by phase and slot, without this.
        machine: the services, with their promises.
        apart: 1 for pools that deal their GPUs to services (pool + 1,).
        per_prompt: tokens of answers for a token of prompts [1].
    """
    xp, found = library_of(per_prompt), []
    for slot, rate in zip(tally.net.slots["decode"], tally.rate["decode"], strict=True):
        reads = 0.0 * rate
        for other, speed in zip(tally.net.slots["prefill"], tally.rate["prefill"], strict=True):
            same = (other.pool == slot.pool) & (per_prompt > 0)
            reads = xp.where(same, rate / (speed * xp.where(per_prompt > 0, per_prompt, 1.0)), reads)
        limit = machine.token_limit * tally.pace(slot, "decode")
        most = most_busy(limit, machine.least_token_time, machine.batch, machine.decode_rate, reads)
        found.append(xp.where((apart.take(slot.pool) > 0) & (most < 1.0), most * KEPT, 1.0))
    return found


def filled(tally: Any, slot: Any, writes: Array) -> Array:
    """Rate at which answers are written in a pool of a slot of prefill, through batches as full as they may be."""
    xp = library_of(writes)
    for other, fill in zip(tally.net.slots["decode"], tally.fill, strict=True):
        writes = xp.where(other.pool == slot.pool, writes * fill, writes)
    return writes


def met(tally: Any, apart: Array, shared: tuple[Array, Array]) -> tuple[Array, Array]:
    """How full the batches are that answers of each service go through, and the share of time left by reading [1].

    A service's GPUs are those that its work takes, and of those that nobody needs a part in proportion.

        u = f d/(g - p),   left = 1 - p/g,   g = (p + d)/U

    p, d are the GPU time of its reading and writing in a pool, U the share of the pool's that is taken, f as `fills`.

    Args:
        tally: as it stands after the tick.
        apart: 1 for pools that deal their GPUs to services (pool + 1,).
        shared: both, where services share a batch, by pool (member, pool + 1).
    """
    xp, slots, time = library_of(shared[0]), tally.net.slots, tally.time
    used = (time.all - time.left) / xp.maximum(time.all, TINY)
    busy, left = [], []
    for k, slot in enumerate(slots["decode"]):
        writes = tally.times["decode"][k] + 0.0 * tally.rate["decode"][k]
        reads = 0.0 * writes
        for m, other in enumerate(slots["prefill"]):
            reads = reads + xp.where(other.pool == slot.pool, tally.times["prefill"][m], 0.0)
        works = (reads + writes) > 0
        given = (reads + writes) / xp.maximum(used.take(slot.pool, axis=1), TINY)
        own = tally.fill[k] * writes / xp.where(works, xp.maximum(given - reads, TINY), 1.0)
        rest = 1.0 - reads / xp.where(works, given, 1.0)
        mine = apart.take(slot.pool) > 0
        busy.append(xp.where(mine, xp.minimum(own, 1.0), shared[0].take(slot.pool, axis=1)))
        left.append(xp.where(mine, xp.maximum(rest, 1e-3), shared[1].take(slot.pool, axis=1)))
    whole = sum(tally.written[1:], tally.written[0])
    means = []
    for each in (busy, left):
        mean = sum((n * one for n, one in zip(tally.written, each, strict=True)), 0.0 * whole)
        means.append(xp.where(whole > 0, mean / xp.maximum(whole, TINY), each[0]))
    return means[0], means[1]


def compile_tiers(pools: Any, xp: Any) -> Array | None:
    """1 for pools that deal their GPUs to services (pool + 1,); None where all share."""
    apart = 0.0 * xp.zeros((1, pools.size)) + pools.machine.batching
    return stacked_with_spare(apart)[0][0] if bool((apart > 0).any()) else None
