"""Renewal: when one machine fails and is well again, over a run, as one or several causes would have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Draw = Callable[[np.random.Generator], float | None]


class Outage(NamedTuple):
    """A machine is away from `start` for `repair` [s], why, and what its Input is meanwhile."""

    start: float
    repair: float
    why: str
    value: float = 0.0


@dataclass(frozen=True)
class Causes:
    """Causes that compete for one machine: each strikes as if alone, the first takes it, all begin anew after repair.

    names, means, repairs: of each cause; means [s] are those of exponential times, repairs draw seconds.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    repairs: tuple[Draw, ...]

    def share(self, part: float) -> Causes:
        """The same at a part of its rates."""
        return Causes(self.names, tuple(mean / part for mean in self.means), self.repairs)

    def next(self, random: np.random.Generator) -> tuple[float, str, Draw]:
        """Seconds until the next failure, its cause, and its repair.

        The least of exponential times is exponential with the sum of the rates, and each is the least as often as its
        share of that sum.
        """
        rates = np.array([1.0 / mean for mean in self.means])
        edges = np.cumsum(rates)
        wait = float(random.standard_exponential()) / float(edges[-1])
        if len(self.names) == 1:
            return wait, self.names[0], self.repairs[0]
        place = int(np.searchsorted(edges, random.random() * edges[-1], side="right"))
        place = min(place, len(self.names) - 1)
        return wait, self.names[place], self.repairs[place]


@dataclass(frozen=True)
class Lifetime:
    """One cause whose times between failures follow any distribution."""

    name: str
    every: Draw
    repair: Draw

    def next(self, random: np.random.Generator) -> tuple[float, str, Draw]:
        return self.every(random) or 0.0, self.name, self.repair


Process = Causes | Lifetime


def outages(process: Process, random: np.random.Generator, duration: float, shortest: float, most: int) -> list[Outage]:
    """What happens to one machine in a run: it runs, fails, is repaired, runs, ... from new at its start.

    Args:
        process: when it fails, and for how long.
        random: its own stream.
        duration: length of the run [s].
        shortest: an outage lasts at least so long [s]; a tick, so that none falls between two.
        most: as soon as there are more, the list ends.
    """
    found: list[Outage] = []
    now = 0.0
    while len(found) <= most:
        wait, why, repair = process.next(random)
        now += wait
        if now >= duration:
            break
        lasts = max(repair(random) or 0.0, shortest)
        found.append(Outage(now, lasts, why))
        now += lasts
    return found


def merged(several: Iterable[list[Outage]]) -> list[Outage]:
    """Outages of one machine by several processes as one after another: it is away while any of them has it away.

    One that begins in another lengthens it where it lasts longer; cause and value are those of the first.
    """
    listed = sorted((outage for each in several for outage in each), key=lambda outage: outage.start)
    found: list[Outage] = []
    for outage in listed:
        if found and outage.start < (end := found[-1].start + found[-1].repair):
            longer = max(end, outage.start + outage.repair) - found[-1].start
            found[-1] = found[-1]._replace(repair=longer)
        else:
            found.append(outage)
    return found
