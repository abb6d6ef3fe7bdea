"""Coordination: whether each pair of breakers in series is selective, over all currents that can flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.physics.electric import NEVER
from twin.plant import Plant
from twin.plant_electrics import available, duties, machines

MARGIN = 0.1
"""Seconds that the upper breaker should wait longer than the lower one needs (IEEE 242: 0.1 to 0.3 s by type)."""
POINTS = 400
"""Currents between pickup and the largest short circuit that are asked."""


@dataclass(frozen=True)
class Pair:
    """Two breakers in series and what they do at the currents that both see.

    largest: current of a bolted short circuit behind the lower one [VA at nominal voltage], infinite where
    nothing limits it; selective_up_to: current up to which the lower one opens first with `margin` to spare [VA];
    least: smallest time between the two [s], at the current `at` [VA].
    """

    upper: str
    lower: str
    largest: float
    selective_up_to: float
    least: float
    at: float

    @property
    def selective(self) -> bool:
        return self.selective_up_to >= self.largest

    def sentence(self, margin: float = MARGIN) -> str:
        """What to tell people."""
        pair = f"{self.upper} and {self.lower} below it"
        if self.selective:
            return f"{pair} are selective up to {self.largest / 1e6:.3g} MVA, all that can flow"
        worst = (
            "opens first" if self.least < 0 else f"waits {self.least * 1e3:.0f} ms, {margin * 1e3:.0f} ms are wanted"
        )
        return (
            f"{pair} are selective up to {self.selective_up_to / 1e6:.3g} of {self.largest / 1e6:.3g} MVA; "
            f"at {self.at / 1e6:.3g} MVA {self.upper} {worst}"
        )


def selectivity(plant: Plant, margin: float = MARGIN) -> list[Pair]:
    """Time-current coordination of every two breakers of which one feeds the other with none between.

    Both see one current, which is exact where the lower one is all that the upper one feeds and else leaves out
    the load beside. Time of the lower one is until its contacts are open, that of the upper one until its
    element operates: once it has, it opens whatever happens below.

    Args:
        plant: any plant; breakers are the units that say a `clearing_time`.
        margin: seconds that the upper one should wait longer.

    Returns:
        The pairs in the order of the plant.
    """
    known = machines(plant)
    guards = [name for name, machine in known.items() if hasattr(machine, "clearing_time")]
    return [
        _pair(known[upper], known[lower], upper, lower, available(plant, lower, known), margin)
        for lower in guards
        for upper in _above(plant, lower, set(guards))
    ]


def overstressed(plant: Plant) -> list[str]:
    """A sentence for each breaker that cannot break what can flow behind it."""
    return [
        f"{name} breaks {can / 1e6:.3g} of {flows / 1e6:.3g} MVA; told to open on more, it stays closed and is damaged"
        for name, can, flows in duties(plant)
        if flows > can
    ]


def _above(plant: Plant, name: str, guards: set[str]) -> list[str]:
    """The nearest breakers before a unit, on every way."""
    found: list[str] = []
    waiting, seen = list(plant.feeds.get(name, ())), set()
    while waiting:
        unit = waiting.pop(0)
        if unit in seen:
            continue
        seen.add(unit)
        if unit in guards:
            found.append(unit)
        else:
            waiting += plant.feeds.get(unit, ())
            waiting += [end for ends in plant.joins.values() if unit in ends for end in ends]
    return found


def _pair(above: Any, below: Any, upper: str, lower: str, largest: float, margin: float) -> Pair:
    """Where the times of two breakers come too near."""
    first = float(above.rated_power) * float(above.overload_limit)
    last = largest if np.isfinite(largest) else 100.0 * float(above.rated_power)
    currents = np.geomspace(min(first, last), last, POINTS)
    waits = np.asarray(above.trip_time(currents), dtype=float)
    needs = np.asarray(below.clearing_time(currents), dtype=float)
    spare = np.where(waits >= NEVER, np.inf, waits - needs)
    tight = spare < margin
    worst = int(np.argmin(spare))
    up_to = float(currents[np.argmax(tight)]) if tight.any() else largest
    return Pair(upper, lower, largest, up_to, float(spare[worst]), float(currents[worst]))
