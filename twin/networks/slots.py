"""Slots: the pools that services may use, the first, the second and so on, by phase."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import Array, Neighbours, neighbours
from twin.plant import Plant


@dataclass
class Slot:
    """The n-th pool that each service may use for one phase.

    pool: column of it (service,), one past the last pool where a service has none; users: services of each pool.
    """

    pool: Array
    users: Neighbours


def nth(plant: Plant, service: str, phase: str, slot: int) -> str:
    """The n-th pool of a service in a phase, "" where it has fewer."""
    said = plant.served[service][phase]
    return said[slot] if slot < len(said) else ""


def slots_of(plant: Plant, names: list[str], phase: str, place: dict[str, int], xp: ModuleType) -> list[Slot]:
    """The pools of all services in a phase, as many slots as any has."""
    found = []
    for k in range(max((len(plant.served[name][phase]) for name in names), default=0)):
        said = [place.get(nth(plant, name, phase, k), len(place)) for name in names]
        users = [
            sorted((row for row, pool in enumerate(said) if pool == one), key=names.__getitem__)
            for one in range(len(place))
        ]
        found.append(Slot(xp.asarray(np.array(said, dtype=np.int64)), neighbours(users, xp, spare=len(names))))
    return found
