"""Spread: models that several racks hold together - who stands with whom, and what its experts wait for the network."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, stacked, to_host
from twin.networks.slots import Slot
from twin.networks.tables import Table
from twin.physics.collective import Links
from twin.physics.exchange import LEAST, Exchange
from twin.physics.thermal import TINY
from twin.plant import Plant
from twin.plant_links import links_of, usable

ROUND_OFF = 1e-9
"""Replicas: less than this is lacking by round-off."""


@dataclass
class Spread:
    """Racks of a replica, and what its GPUs talk over; arrays over all units (unit + 1) if not said otherwise.

    peers: columns of the racks that hold a model with each (unit + 1, rack), itself where fewer do; together: whether
    others do; over_ports: whether what they exchange goes over ports. racks: of a replica, by pool (1, pool).
    gpus: of each one's replica, links: of its GPUs, (1, 1, unit + 1). exchange: by phase, (1, service, 1), None where
    no service tells what it sends; whole: computing of a token with all bandwidth and what it waits beyond it then [s],
    by phase (1, service, unit + 1). sends: whether a service tells it (1, service). own: of each rack itself, GPUs
    (1, unit + 1).
    """

    peers: Array
    together: Array
    over_ports: Array
    racks: Array
    gpus: Array
    links: Links
    own: Array
    exchange: dict[str, Exchange] | None = None
    whole: Any = None
    sends: Any = None


def compile_spread(plant: Plant, pools: Table, services: Table | None, column: dict[str, int], xp: ModuleType) -> Any:
    """Who holds models together, and what they send for it; None where each rack serves by itself and nobody tells."""
    machine: Any = services and services.machine
    sends = bool(services) and bool((machine.expert_exchange > 0).any())
    racks = pools.machine.replica_racks  # type: ignore[attr-defined]
    if not sends and not bool((racks > 1).any()):
        return None
    count = len(column) + 1
    sizes = {pool: int(plant.units[pool].parameters.get("replica_racks", 1.0)) for pool in pools.names}
    peers = np.tile(np.arange(count)[:, None], (1, max(sizes.values())))
    gpus, own, links = np.ones(count), np.zeros((1, count)), np.ones((4, count))
    for pool, size in sizes.items():
        named = plant.pools[pool]
        known = links_of(plant, named)
        for place, rack in enumerate(named):
            first = place // size * size
            group = [column[name] for name in named[first : first + size]]
            peers[column[rack], : len(group)] = group
            links[:, column[rack]] = usable(known[rack])
            gpus[column[rack]], own[0, column[rack]] = size * known[rack].gpus, known[rack].gpus
    together = (peers != np.arange(count)[:, None]).any(axis=1)
    found = Links(*(xp.asarray(each[None, None, :]) for each in links))
    net = Spread(xp.asarray(peers), xp.asarray(together), xp.asarray(together), racks, xp.asarray(gpus[None, None, :]),
                 found, xp.asarray(own))  # fmt: skip
    if sends:
        _tell(net, machine, pools, plant, services, column)
    return net


def _tell(net: Spread, machine: Any, pools: Table, plant: Plant, services: Any, column: dict[str, int]) -> None:
    """Put down what services send, and who of their racks needs ports for it."""
    xp, net.sends = library_of(machine.expert_exchange), machine.expert_exchange > 0
    net.exchange = {
        phase: Exchange(*((0.0 * machine.expert_exchange + each)[:, :, None] for each in machine.exchange(phase)))
        for phase in ("prefill", "decode")
    }
    net.whole = {}
    for phase, said in net.exchange.items():
        sent = said.communication(net.links, net.gpus)
        computes = said.computing(sent)
        net.whole[phase] = computes, said.waits(computes, sent)
    domains, _ = net.exchange["decode"].groups(net.links, net.gpus)
    over = np.array(to_host(net.over_ports))
    far = to_host((domains > 1) & net.sends[:, :, None])
    for row, name in enumerate(services.names):
        for pool in {each for phase in ("prefill", "decode") for each in plant.served[name][phase]}:
            for rack in plant.pools[pool]:
                over[column[rack]] |= bool(far[0, row, column[rack]])
    net.over_ports = xp.asarray(over)


class Paced:
    """The replicas in a tick: their racks made alike, and how a token of each service goes on them.

    Arrays (member, unit + 1), by service (member, service, unit + 1). well: GPUs of replicas of which no rack is lost,
    cut off or not; standing: GPUs that could work, but stand with others of their replica; broken: whether any of them
    is not whole (member, pool). serves: the share of what works in a rack that serves [1].
    """

    def __init__(self, net: Spread, found: Array, ports: Array, inside: Neighbours) -> None:
        """Make racks of a replica what the slowest of them is.

        Args:
            found: of each unit GPUs, them times their speed of prefill and of decode and over their bandwidth within
                the rack, those that are well, ...; put right here.
            ports: share of bandwidth to other racks that is left [1]; inside: racks of each pool.
        """
        xp, self.net, self.inside = library_of(found), net, inside
        count = xp.where(net.over_ports & (ports <= 0), 0.0, found[0])
        least = count.take(net.peers, axis=1).min(axis=-1)
        some = xp.maximum(found[0], TINY)
        prefill, decode = (self._slowest(found[k] / some) for k in (1, 2))
        waits = -self._slowest(-found[3] / some)
        rest = [least * (each / some) for each in found[5:6]]
        level = stacked(least, least * prefill, least * decode, least * waits, found[4], *rest, *found[6:])
        found[...] = xp.where(net.together & (found[0] > 0), level, found)
        well = xp.where(net.together, found[4].take(net.peers, axis=1).min(axis=-1), found[4])
        self.well = gather_sum(well, inside)
        cut = net.over_ports & (ports <= 0)
        found[:4] = xp.where(cut, 0.0, found[:4])
        self.ports, self.works = self._slowest(ports), (found[0] > 0) * 1.0
        self.serves = xp.where(net.together | net.over_ports, found[0] / xp.maximum(count, TINY), 1.0)
        self.standing = gather_sum(net.together * (count - found[0]), inside)
        lacks = net.together & (found[0] < net.own * (1.0 - ROUND_OFF))
        self.broken = (gather_sum(lacks * 1.0, inside) > 0) * 1.0
        self.count, self.paces = found[0], {}
        if net.exchange is not None:
            speeds = {"prefill": prefill, "decode": decode}
            nvlink = 1.0 / xp.maximum(xp.where(least > 0, waits, 1.0), TINY)
            self.paces = {phase: self._pace(phase, speeds[phase], nvlink) for phase in speeds}
        self.known: dict[Any, tuple[Array, Array, Array]] = {}

    def _slowest(self, of: Array) -> Array:
        slowest: Array = of.take(self.net.peers, axis=1).min(axis=-1)
        return slowest

    def _pace(self, phase: str, speed: Array, nvlink: Array) -> tuple[Array, Array, Array]:
        """Pace of a token, the share of its time that waits, and what it waits beyond what it does when all is well.

        All in [1]; the first and the last are of its time at full clock with all bandwidth.
        """
        said: Exchange = self.net.exchange[phase]  # type: ignore[index]
        xp, (computes, least) = library_of(speed), self.net.whole[phase]
        takes = computes / xp.maximum(speed, LEAST)[:, None, :]
        sent = said.communication(self.net.links, self.net.gpus, self.ports[:, None, :], nvlink[:, None, :])
        waits = said.waits(takes, sent)
        pace = (speed > 0)[:, None, :] / (said.rate * (takes + waits))
        return pace, waits / (takes + waits), said.rate * (waits - least)

    def of(self, slot: Slot, phase: str) -> tuple[Array, Array, Array]:
        """Means in the pool of a slot of what `_pace` says, by service (member, service)."""
        key = id(slot), phase
        if key not in self.known:
            xp, count = library_of(self.count), self.count[:, None, :]
            some = xp.maximum(gather_sum(self.count, self.inside), TINY)[:, None, :]
            means = [gather_sum(count * each, self.inside) / some for each in self.paces[phase]]
            place = slot.pool[None, :, None]
            pace, share, more = (
                xp.take_along_axis(_with_none(each), xp.broadcast_to(place, (*each.shape[:2], 1)), axis=2)[:, :, 0]
                for each in means
            )
            self.known[key] = pace, share, more
        return self.known[key]

    def put(self, pace: Array, slot: Slot, phase: str) -> Array:
        """The pace of services in the pool of a slot: of those that tell what they send this one, else theirs."""
        found: Array = library_of(pace).where(self.net.sends, self.of(slot, phase)[0], pace)
        return found

    def reads(self, said: Array, slot: Slot, place: int) -> Array:
        """GPUs times the pace at which they read, in the rack at a place of the pool of a slot, as `put`.

        Args:
            said: the same of services that do not tell what they send.
        """
        if not self.paces:
            return said
        xp, pool, racks = library_of(said), slot.pool, self.inside.index[:, place]
        at = racks.take(xp.minimum(pool, len(racks) - 1))
        pace = self.paces["prefill"][0]
        index = xp.broadcast_to(at[None, :, None], (*pace.shape[:2], 1))
        here = xp.take_along_axis(pace, index, axis=2)[:, :, 0] * self.count.take(at, axis=1)
        found: Array = xp.where(self.net.sends & (pool < len(racks)), here, said)
        return found

    def within(self, gpus: Array, able: Array, lacking: Array, joined: Array) -> Array:
        """GPUs that serve, where some lack their weights: those of whole replicas [1], (member, pool)."""
        xp, racks = library_of(gpus), self.net.racks
        replicas = gather_sum(self.works, self.inside) / racks
        ready = xp.floor(replicas * ((able - lacking) / xp.maximum(able, TINY)) + ROUND_OFF)
        share = ready / xp.maximum(replicas, TINY)
        return xp.where((racks > 1) & (lacking > 0), joined * xp.minimum(share, 1.0), gpus)


def _with_none(of: Array) -> Array:
    """The same with a zero at the end of the last axis."""
    xp = library_of(of)
    return xp.concatenate([of, xp.zeros((*of.shape[:2], 1))], axis=2)
