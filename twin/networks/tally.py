"""Tally: the time of pools' GPUs in a tick, who takes how much of it, and what the pools are to each service."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, gather_sum, library_of, stacked_with_spare
from twin.networks import tiers
from twin.networks.handing import Ways
from twin.networks.slots import Slot
from twin.networks.spread import Paced
from twin.physics.serving import grains_below
from twin.physics.thermal import TINY

PHASES = ("prefill", "decode")
ALL = 1.0 - 1e-9
"""Room for so much of what is to be done is room for all of it [1]."""
LEAST = 1e-9
"""Rates [tokens/s] and times [s] below this are none: sums of what stands still stay numbers."""
FULL = 1e-3
"""A pool with no more than this share of its time left is full [1]."""


class Time:
    """The time of the pools' GPUs, as it is taken in a tick; arrays (member, pool + 1), the last for none.

    left: not yet taken [s of a GPU]; used: taken, by phase; speed: of that at full clock, by phase [1]; waits: how much
    longer what waits for the network within a rack takes, mean over GPUs [1].
    """

    def __init__(self, gpus: Array, speeds: dict[str, Array], waits: Array, dt: Any) -> None:
        self.all = self.left = stacked_with_spare(gpus * dt)[0]
        self.waits = stacked_with_spare(waits)[0]
        self.speed = {phase: stacked_with_spare(said)[0] for phase, said in speeds.items()}
        self.used = dict.fromkeys(PHASES, 0.0 * self.all)

    def offer(self, slot: Slot, need: Array, left: Array) -> Array:
        """What each user of a slot may take, where those who need it share what is left in proportion [s]."""
        xp = library_of(need)
        asked = gather_sum(stacked_with_spare(need)[0], slot.users)
        share = stacked_with_spare(left[:, :-1] / xp.maximum(asked, LEAST))[0]
        return xp.where(need > 0, need * share.take(slot.pool, axis=1), 0.0)

    def without(self, slot: Slot, seconds: Array, left: Array) -> Array:
        """What is left when the users of a slot take so much [s]."""
        taken = gather_sum(stacked_with_spare(seconds)[0], slot.users)
        return library_of(taken).maximum(left - stacked_with_spare(taken)[0], 0.0)

    def take(self, slot: Slot, phase: str, seconds: Array) -> None:
        """Take time out of the pools of a slot."""
        left = self.without(slot, seconds, self.left)
        self.used[phase], self.left = self.used[phase] + (self.left - left), left


class Tally:
    """Who took how much of which pool in a tick, by the slots of a phase.

    `paced`: how tokens go on models that several racks hold, None where none are.
    """

    def __init__(self, net: Any, machine: Any, time: Time, paced: Paced | None = None) -> None:
        self.net, self.time, self.exposed = net, time, machine.exposed_communication
        self.ways: Ways | None = None
        self.paced = paced if paced is not None and paced.paces else None
        self.rate = {
            phase: [library_of(time.all).maximum(rate * self.pace(slot, phase), LEAST) for slot in net.slots[phase]]
            for phase, rate in (("prefill", machine.prefill_rate), ("decode", machine.decode_rate))
        }
        self.rooms: list[Array] = []
        self.written: list[Array] = [0.0 for _ in net.slots["decode"]]
        self.begun: list[Array] = [0.0 for _ in net.slots["prefill"]]
        self.answers: dict[int, Array] = {}
        self.fill = [1.0 for _ in net.slots["decode"]]
        self.times = {phase: [0.0 for _ in net.slots[phase]] for phase in PHASES}

    def send(self, ways: Ways) -> None:
        """Let readers go no faster than their KV caches leave them."""
        self.ways = ways
        self.rate["prefill"] = [
            library_of(held).maximum(rate * held, LEAST)
            for rate, held in zip(self.rate["prefill"], ways.held, strict=True)
        ]

    def foreseen(self, begun: Array, there: Array, coming: Array) -> list[Array]:
        """Share of its answers that each service will write in each of its pools, by slot of decode [1].

        The tick as far as the time of the pools goes, before anybody sends anything; who is first, first pools first.

        Args:
            begun: answers begun before; there, coming: prompts, and answers to them [tokens].
        """
        xp, left = library_of(there), self.time.left
        per_prompt = coming / xp.maximum(there, TINY)
        parts = [0.0 * there for _ in self.net.slots["decode"]]
        for mask in self.net.levels:
            left = self._would_write(begun * mask, left, parts)
            tokens, fresh = there * mask, 0.0 * there
            rooms, _ = self._rooms(tokens, per_prompt, left)
            for slot, rate, room in zip(self.net.slots["prefill"], self.rate["prefill"], rooms, strict=True):
                here = xp.minimum(tokens, room)
                left, tokens, fresh = self.time.without(slot, here / rate, left), tokens - here, fresh + here
            left = self._would_write(fresh * per_prompt, left, parts)
        whole = sum(parts[1:], parts[0])
        return [xp.where(whole > 0, part / xp.maximum(whole, TINY), 1.0 * (k == 0)) for k, part in enumerate(parts)]

    def _would_write(self, todo: Array, left: Array, parts: list[Array]) -> Array:
        """Time left after so many answers, of which each pool writes its part."""
        xp = library_of(todo)
        for k, (slot, rate) in enumerate(zip(self.net.slots["decode"], self.rate["decode"], strict=True)):
            here = xp.minimum(self.time.offer(slot, todo / rate, left) * rate, todo)
            left, todo, parts[k] = self.time.without(slot, here / rate, left), todo - here, parts[k] + here
        return left

    def part(self, fill: list[Any]) -> None:
        """Let answers go through batches filled so far [1], by slot."""
        self.fill = fill
        self.rate["decode"] = [rate * each for rate, each in zip(self.rate["decode"], fill, strict=True)]

    def longer(self, waits: Array) -> Array:
        """Time that a token takes, of that at full bandwidth [1]: t/t_0 = (1 - e) + e/b."""
        longer: Array = (1.0 - self.exposed) + self.exposed * waits
        return longer

    def pace(self, slot: Slot, phase: str) -> Array:
        """Speed of the pools of a slot, for each service [1]."""
        waits = self.longer(self.time.waits.take(slot.pool, axis=1))
        pace: Array = self.time.speed[phase].take(slot.pool, axis=1) / waits
        return pace if self.paced is None else self.paced.put(pace, slot, phase)

    def write(self, todo: Array) -> Array:
        """Write answers as far as there is time; what was written [tokens]."""
        xp, done = library_of(todo), 0.0 * todo
        for k, (slot, rate) in enumerate(zip(self.net.slots["decode"], self.rate["decode"], strict=True)):
            room = self.time.offer(slot, (todo - done) / rate, self.time.left) * rate
            tokens = xp.where(room >= (todo - done) * ALL, todo - done, grains_below(room))
            self._take(k, slot, "decode", tokens / rate)
            self.written[k] = self.written[k] + tokens
            self.answers[k] = self.answers.get(k, 0.0) + gather_sum(stacked_with_spare(tokens)[0], slot.users)
            done = done + tokens
        return done

    def room(self, todo: Array, per_prompt: Array) -> Array:
        """Prompts that could be read together with what they release [tokens]; `read` then takes the time."""
        self.rooms, capacity = self._rooms(todo, per_prompt, self.time.left, self.ways)
        return capacity

    def _rooms(
        self, todo: Array, per_prompt: Array, free: Array, ways: Ways | None = None
    ) -> tuple[list[Array], Array]:
        """The same by slot, and all of it, in the time that is free."""
        xp, rooms = library_of(todo), []
        capacity, left = 0.0 * todo, todo
        for k, (slot, rate) in enumerate(zip(self.net.slots["prefill"], self.rate["prefill"], strict=True)):
            decodes = self.net.also_decodes[k]
            writes = self.net.decode_rate * self.pace(slot, "decode")
            if self.net.apart is not None:
                writes = tiers.filled(self, slot, writes)
            after = per_prompt * decodes / xp.maximum(writes, LEAST)
            cost = 1.0 / rate + after
            tokens = self.time.offer(slot, left * cost, free) / cost
            if ways is not None:
                tokens = ways.within(k, tokens, left)
            free = self.time.without(slot, xp.minimum(tokens, left) * cost, free)
            rooms.append(tokens)
            capacity, left = capacity + tokens, xp.maximum(left - tokens, 0.0)
        return rooms, capacity

    def read(self, tokens: Array) -> None:
        """Take the time of prompts that were read, from the first pool first."""
        xp = library_of(tokens)
        said = zip(self.net.slots["prefill"], self.rooms, self.rate["prefill"], strict=True)
        for k, (slot, room, rate) in enumerate(said):
            here = xp.minimum(tokens, room)
            self._take(k, slot, "prefill", here / rate)
            if self.ways is not None:
                self.times["prefill"][k] = self.times["prefill"][k] - self.ways.take(k, here, here / rate)
            self.begun[k] = self.begun[k] + here
            tokens = tokens - here

    def _take(self, k: int, slot: Slot, phase: str, seconds: Array) -> None:
        """Take time of a slot's pools, and keep who took it."""
        self.time.take(slot, phase, seconds)
        self.times[phase][k] = self.times[phase][k] + seconds

    def seen(self, phase: str, of_pools: Array) -> Array:
        """A quantity of pools as the tokens of each service met it in a phase; without any, its first pool's."""
        return self.met(phase, [of_pools.take(slot.pool, axis=1) for slot in self.net.slots[phase]])

    def met(self, phase: str, by_slot: list[Array]) -> Array:
        """The same of a quantity told by slot."""
        tokens = self.begun if phase == "prefill" else self.written
        xp, whole = library_of(by_slot[0]), sum(tokens[1:], tokens[0])
        mean = sum(n * each for n, each in zip(tokens, by_slot, strict=True))
        return xp.where(whole > 0, mean / xp.maximum(whole, TINY), by_slot[0])

    def exchanged(self, speeds: tuple[Array, Array], free: list[Array]) -> tuple[tuple[Array, Array], Any]:
        """Speed of prefill and of decode where services tell what they exchange, and what the network takes of it [1].

        Args:
            speeds: of services that do not; free: share of time left by reading, by slot of decode [1].
        """
        paced, sends, slots = self.paced, self.net.spread.sends, self.net.slots
        xp = library_of(speeds[0])
        found = {phase: [paced.of(slot, phase) for slot in slots[phase]] for phase in PHASES}  # type: ignore[union-attr]
        prefill = self.met("prefill", [pace for pace, _, _ in found["prefill"]])
        decode = self.met("decode", [pace * left for (pace, _, _), left in zip(found["decode"], free, strict=True)])
        shares, more = (
            [self.met(phase, [sends * each[k] for each in found[phase]]) for phase in PHASES] for k in (1, 2)
        )
        put = xp.where(sends, prefill, speeds[0]), xp.where(sends, decode, speeds[1])
        return put, (*shares, xp.maximum(*more))

    def waits(self, waiting: Array) -> Array:
        """Tokens that wait for pools without time left, (member, pool)."""
        held = sum(
            gather_sum(stacked_with_spare(waiting)[0], slot.users) for phase in PHASES for slot in self.net.slots[phase]
        )
        return held * (self.time.left <= FULL * self.time.all)[:, :-1]
