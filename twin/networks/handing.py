"""Handing over: KV caches of prompts that go over the fabric, from the racks that read them to those that answer."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, stacked_with_spare
from twin.networks.spread import Paced
from twin.physics.thermal import TINY
from twin.plant import Plant
from twin.plant_links import port_rates, sending

AMPLE = 1e21
"""Bandwidth of a GPU whose rack stands in no fabric [bit/s]: none is short of it."""
WHOLE = 1.0 - 1e-9
"""A share of so much is all of it [1]."""
LEAST = 1e-9
"""Bandwidth [bit/s] and data [bit] below this are none."""


@dataclass
class Handing:
    """Services whose prompts are read in one pool and answered in another, and what their racks send over.

    size: KV cache of a token of a prompt [bit], 0 where none moves; ports: GPUs over whose ports one goes side by side
    (1, service). crosses: whether what the n-th pool of prefill reads goes elsewhere, by slot (1, service). rate: of a
    GPU of each unit in one direction [bit/s]; sides: units whose pool stands at either end (unit + 1,).
    """

    size: Array
    ports: Array
    crosses: list[Array]
    rate: Array
    sides: Array


def compile_handing(
    plant: Plant, names: list[str], column: dict[str, int], count: int, xp: ModuleType
) -> Handing | None:
    """Who hands over, and over what; None where nobody does, or no rack that does stands in a fabric.

    Args:
        names: of the services; column: of each unit; count: slots of prefill.
    """
    sizes = np.array([[plant.units[name].parameters.get("kv_cache", 0.0) for name in names]])
    if not names or not sizes.any():
        return None
    crosses, sides = [], np.zeros(len(column) + 1)
    for k in range(count):
        away = [
            [k < len(plant.served[n]["prefill"]) and plant.served[n]["prefill"][k] in sending(plant, n) for n in names]
        ]
        crosses.append(xp.asarray((sizes > 0) * np.array(away) * 1.0))
    for place, name in enumerate(names):
        if any(float(each[0, place]) > 0 for each in crosses):
            phases = plant.served[name]
            for pool in phases["prefill"] + phases["decode"]:
                sides[[column[rack] for rack in plant.pools[pool]]] = 1.0
    rate = np.full(len(column) + 1, AMPLE)
    for name, found in port_rates(plant).items():
        rate[column[name]] = found
    if not (sides * (rate < AMPLE)).any():
        return None
    ports = np.array([[plant.units[name].machine().kv_ports for name in names]])
    return Handing(xp.asarray(sizes), xp.asarray(ports), crosses, xp.asarray(rate), xp.asarray(sides))


class Ways:
    """The ports of the pools in a tick: how they hold readers back, what the other side can still take in.

    A GPU that reads sends beside it, and goes at the lesser of both; racks of a pool share its prompts by what each can
    do: sum of min(gpus speed rate, gpus bandwidth/size). The other side takes in no more than all of its ports can;
    where it has no GPUs at all, nothing is taken in, and the fabric has no part in that.
    Arrays (member, service), or (member, pool + 1) with the last for none.
    """

    def __init__(self, handing: Handing, slots: dict[str, list[Any]], inside: Neighbours, dt: Any) -> None:
        self.handing, self.slots, self.inside, self.dt = handing, slots, inside, dt

    def open(
        self, found: Array, gpus: Array, able: Array, ready: Array, machine: Any, paced: Paced | None = None
    ) -> None:
        """Look at the racks.

        Args:
            found: of each unit GPUs, them times their speed of prefill and of decode and over their bandwidth within
                the rack, those that are well, them times their bandwidth to others [bit/s], and those cut off.
            gpus, able: of each pool, with weights and in all that reach others [1]; ready: with weights, whether they
                reach others or not [1]; machine: the services; paced: how tokens go on models that several racks hold,
                None where none are.
        """
        xp, size = library_of(gpus), self.handing.size
        index, inner = self.inside.index, machine.exposed_communication
        count, whole, slow, rates = (found[k].take(index, axis=1) for k in (0, 1, 3, 5))
        longer = slow / xp.maximum(count, TINY)
        tokens = 1.0 / xp.maximum(size * machine.prefill_rate, LEAST)
        sending, off = gather_sum(found[5], self.inside), gather_sum(found[6], self.inside)
        self.held, self.cut = [], []
        for slot, crosses in zip(self.slots["prefill"], self.handing.crosses, strict=True):
            can, could = 0.0 * (found[0][:, :1] + size), 0.0 * (found[0][:, :1] + size)
            for rack in range(index.shape[1]):
                reads, waits, sends = (_of(each[:, :, rack], slot.pool) for each in (whole, longer, rates))
                reads = reads / ((1.0 - inner) + inner * xp.maximum(waits, 1.0))
                if paced is not None:
                    reads = paced.reads(reads, slot, rack)
                can, could = can + xp.minimum(reads, sends * tokens), could + reads
            share = can / xp.maximum(could, TINY)
            self.held.append(xp.where((crosses > 0) & (could > 0), share, 1.0))
            self.cut.append(_of(off, slot.pool) > 0)
        self.there = sum((_of(ready, slot.pool) for slot in self.slots["decode"]), 0.0 * could) > 0
        self.each = stacked_with_spare(sending / xp.maximum(able, TINY))[0]
        self.left = self.free = stacked_with_spare(sending * (gpus / xp.maximum(able, TINY)) * self.dt)[0]
        self.bound, self.sent, self.waited = 0.0 * can, 0.0 * can, 0.0 * self.left
        self.begun = [0.0 * can for _ in self.held]

    def within(self, k: int, tokens: Array, left: Array) -> Array:
        """Prompts that can be read in a slot and taken in elsewhere, of those that there is time for [tokens].

        Args:
            tokens: that there is time for; left: that are to be read.
        """
        xp, size, crosses = library_of(tokens), self.handing.size, self.handing.crosses[k]
        if k == 0:
            self.free = self.left
        need, room = left * size * crosses, 0.0 * tokens
        rest, free = need, self.free
        for slot in self.slots["decode"]:
            asked = gather_sum(stacked_with_spare(rest)[0], slot.users)
            share = stacked_with_spare(free[:, :-1] / xp.maximum(asked, LEAST))[0]
            got = xp.where(rest > 0, rest * share.take(slot.pool, axis=1), 0.0)
            taken = stacked_with_spare(gather_sum(stacked_with_spare(xp.minimum(got, rest))[0], slot.users))[0]
            free, room, rest = xp.maximum(free - taken, 0.0), room + got, xp.maximum(rest - got, 0.0)
        self.free = free
        fits = xp.where(need > 0, xp.minimum(tokens, room / xp.maximum(size, LEAST)), tokens)
        short = (fits < left) & (need > 0) & self.there & ((fits < tokens) | (self.held[k] < WHOLE) | self.cut[k])
        self.bound = xp.maximum(self.bound, short * 1.0)
        return fits

    def take(self, k: int, tokens: Array, seconds: Array) -> Array:
        """Hand over what was read in a slot; the part of its `seconds` in which GPUs waited for their ports [s]."""
        xp, slot = library_of(tokens), self.slots["prefill"][k]
        bits = tokens * self.handing.size * self.handing.crosses[k]
        self.sent, self.begun[k] = self.sent + bits, self.begun[k] + tokens
        stood: Array = seconds * (1.0 - self.held[k])
        self.waited = self.waited + stacked_with_spare(gather_sum(stacked_with_spare(stood)[0], slot.users))[0]
        for into in self.slots["decode"]:
            came = gather_sum(stacked_with_spare(bits)[0], into.users)
            left = xp.maximum(self.left - stacked_with_spare(came)[0], 0.0)
            share = stacked_with_spare((self.left - left)[:, :-1] / xp.maximum(came, LEAST))[0]
            bits = xp.maximum(bits - bits * share.take(into.pool, axis=1), 0.0)
            self.left = left
        return stood

    def seconds(self, met: Any) -> Array:
        """Time that the KV cache of a token of a prompt takes, from those that read to those that answer [s].

        Args:
            met: a quantity of the pools as the answers of each service met it.
        """
        xp, size = library_of(self.left), self.handing.size / self.handing.ports
        into, tokens = 1.0 / xp.maximum(met("decode", self.each), LEAST), sum(self.begun[1:], self.begun[0])
        takes = []
        for slot, crosses in zip(self.slots["prefill"], self.handing.crosses, strict=True):
            out = 1.0 / xp.maximum(self.each.take(slot.pool, axis=1), LEAST)
            takes.append(crosses * size * xp.maximum(out, into))
        mean = sum((n * each for n, each in zip(self.begun, takes, strict=True)), 0.0 * tokens)
        return xp.where(tokens > 0, mean / xp.maximum(tokens, TINY), takes[0])


def _of(pools: Array, place: Array) -> Array:
    """A quantity of the pools (member, pool) by service, 0 where it has none."""
    return stacked_with_spare(pools)[0].take(place, axis=1)
