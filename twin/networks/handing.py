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
ROUND_OFF = 1e-9
"""Of data, and of all answers: less than this share is none [1]."""


@dataclass
class Handing:
    """Services whose prompts are read in one pool and answered in another, and what their racks send over.

    size: KV cache of a token of a prompt [bit], 0 where none moves; ports: GPUs over whose ports one goes side by side
    (1, service). crosses: whether what the n-th pool of prefill reads may go elsewhere, by slot (1, service). rate: of
    a GPU of each unit in one direction [bit/s]; sides: units whose pool stands at either end (unit + 1,).
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
            first = phases["decode"][:1]  # who reads and writes first may keep what it reads
            for pool in phases["prefill"] + phases["decode"] if phases["prefill"] != first else phases["decode"][1:]:
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
    do: sum of min(gpus speed rate, gpus bandwidth/size). Caches go to the pools of a service as it will write its
    answers there, those of a pool that reads and writes by the same share stay; what ports have no room for goes to
    others of these pools that have. The other side takes in no more than all of its ports can; where it has no GPUs at
    all, nothing is taken in, and the fabric has no part in that.
    Arrays (member, service), or (member, pool + 1) with the last for none.
    """

    def __init__(self, handing: Handing, slots: dict[str, list[Any]], inside: Neighbours, dt: Any) -> None:
        self.handing, self.slots, self.inside, self.dt = handing, slots, inside, dt

    def open(
        self, found: Array, gpus: Array, able: Array, ready: Array, machine: Any, paced: Paced | None = None,
        shares: list[Array] | None = None,
    ) -> None:  # fmt: skip
        """Look at the racks.

        Args:
            found: of each unit GPUs, them times their speed of prefill and of decode and over their bandwidth within
                the rack, those that are well, them times their bandwidth to others [bit/s], and those cut off.
            gpus, able: of each pool, with weights and in all that reach others [1]; ready: with weights, whether they
                reach others or not [1]; machine: the services; paced: how tokens go on models that several racks hold,
                None where none are; shares: of its answers that each service will write in its pools, by slot of
                decode [1], None where it has but one.
        """
        xp, size = library_of(gpus), self.handing.size
        index, inner = self.inside.index, machine.exposed_communication
        count, whole, slow, rates = (found[k].take(index, axis=1) for k in (0, 1, 3, 5))
        longer = slow / xp.maximum(count, TINY)
        tokens = 1.0 / xp.maximum(size * machine.prefill_rate, LEAST)
        sending, off = gather_sum(found[5], self.inside), gather_sum(found[6], self.inside)
        self.held, self.cut = [], []
        self._deal(shares)
        for slot, crosses in zip(self.slots["prefill"], self.crosses, strict=True):
            can, could = 0.0 * (found[0][:, :1] + size), 0.0 * (found[0][:, :1] + size)
            for rack in range(index.shape[1]):
                reads, waits, sends = (_of(each[:, :, rack], slot.pool) for each in (whole, longer, rates))
                reads = reads / ((1.0 - inner) + inner * xp.maximum(waits, 1.0))
                if paced is not None:
                    reads = paced.reads(reads, slot, rack)
                can, could = can + xp.minimum(reads, sends * tokens / xp.maximum(crosses, LEAST)), could + reads
            share = can / xp.maximum(could, TINY)
            self.held.append(xp.where((crosses > 0) & (could > 0), share, 1.0))
            self.cut.append(_of(off, slot.pool) > 0)
        self.there = sum((_of(ready, slot.pool) for slot in self.slots["decode"]), 0.0 * could) > 0
        self.each = stacked_with_spare(sending / xp.maximum(able, TINY))[0]
        self.left = self.free = stacked_with_spare(sending * (gpus / xp.maximum(able, TINY)) * self.dt)[0]
        self.bound, self.sent, self.waited = 0.0 * can, 0.0 * can, 0.0 * self.left
        self.begun = [0.0 * can for _ in self.held]

    def _deal(self, shares: list[Array] | None) -> None:
        """Say what of a slot of prefill goes elsewhere, `crosses`, and of that to each slot of decode, `to` [1]."""
        parts = shares or [1.0 + 0.0 * self.handing.size]
        xp, self.crosses, self.to = library_of(self.handing.size), [], []
        for slot, may in zip(self.slots["prefill"], self.handing.crosses, strict=True):
            away = [part * (slot.pool != into.pool) for part, into in zip(parts, self.slots["decode"], strict=True)]
            whole = sum(away[1:], away[0])
            whole = xp.where(whole > ROUND_OFF, whole, 0.0)
            self.crosses.append(may * xp.minimum(whole, 1.0))
            self.to.append([xp.where(whole > 0, part / xp.maximum(whole, ROUND_OFF), 0.0) for part in away])

    def _through(self, k: int, bits: Array, left: Array) -> tuple[Array, Array]:
        """Data of a slot that finds no room in the ports of those who take it in, and what is left of these [bit]."""
        xp, over = library_of(bits), 0.0 * bits
        for wanted in (self.to[k], None):
            for n, into in enumerate(self.slots["decode"]):
                want = over * (self.slots["prefill"][k].pool != into.pool) if wanted is None else bits * wanted[n]
                asked = gather_sum(stacked_with_spare(want)[0], into.users)
                share = stacked_with_spare(xp.minimum(left[:, :-1] / xp.maximum(asked, LEAST), 1.0))[0]
                got = want * share.take(into.pool, axis=1)
                taken = stacked_with_spare(gather_sum(stacked_with_spare(got)[0], into.users))[0]
                left, over = xp.maximum(left - taken, 0.0), over + ((want - got) if wanted is not None else -got)
            if len(self.slots["decode"]) == 1:
                break
        return xp.maximum(over, 0.0), left

    def within(self, k: int, tokens: Array, left: Array) -> Array:
        """Prompts that can be read in a slot and taken in elsewhere, of those that there is time for [tokens].

        Args:
            tokens: that there is time for; left: that are to be read.
        """
        xp, size, crosses = library_of(tokens), self.handing.size, self.crosses[k]
        if k == 0:
            self.free = self.left
        need = left * size * crosses
        rest, self.free = self._through(k, need, self.free)
        fits = xp.minimum(tokens, (need - rest) / xp.maximum(size * crosses, LEAST))
        fits = xp.where(rest > ROUND_OFF * need, fits, tokens)
        short = (fits < left) & (need > 0) & self.there & ((fits < tokens) | (self.held[k] < WHOLE) | self.cut[k])
        self.bound = xp.maximum(self.bound, short * 1.0)
        return fits

    def take(self, k: int, tokens: Array, seconds: Array) -> Array:
        """Hand over what was read in a slot; the part of its `seconds` in which GPUs waited for their ports [s]."""
        slot = self.slots["prefill"][k]
        bits = tokens * self.handing.size * self.crosses[k]
        self.sent, self.begun[k] = self.sent + bits, self.begun[k] + tokens
        stood: Array = seconds * (1.0 - self.held[k])
        self.waited = self.waited + stacked_with_spare(gather_sum(stacked_with_spare(stood)[0], slot.users))[0]
        _, self.left = self._through(k, bits, self.left)
        return stood

    def seconds(self) -> Array:
        """Time that the KV cache of a token of a prompt takes, from those that read to those that answer [s]."""
        xp, size = library_of(self.left), self.handing.size / self.handing.ports
        tokens = sum(self.begun[1:], self.begun[0])
        slow = [1.0 / xp.maximum(self.each.take(slot.pool, axis=1), LEAST) for slot in self.slots["decode"]]
        takes = []
        for slot, crosses, to in zip(self.slots["prefill"], self.crosses, self.to, strict=True):
            out = 1.0 / xp.maximum(self.each.take(slot.pool, axis=1), LEAST)
            into = sum((part * xp.maximum(out, each) for part, each in zip(to, slow, strict=True)), 0.0 * out)
            takes.append(crosses * size * into)
        mean = sum((n * each for n, each in zip(self.begun, takes, strict=True)), 0.0 * tokens)
        return xp.where(tokens > 0, mean / xp.maximum(tokens, TINY), takes[0])


def _of(pools: Array, place: Array) -> Array:
    """A quantity of the pools (member, pool) by service, 0 where it has none."""
    return stacked_with_spare(pools)[0].take(place, axis=1)
