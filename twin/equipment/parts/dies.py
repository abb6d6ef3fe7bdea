"""Dies of a rack: the hottest of them by order statistics, or each followed as a mass of its own."""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import Any

import numpy as np

from twin.arrays import hottest_part, library_of, mean_part, to_host, worth_doing
from twin.declare import Real, quantity, table
from twin.equipment.parts.scale_out import ScaleOut
from twin.physics import gpu

MASSES = {"mean": 0.0, "each": 1.0}
"""What of the dies is followed: their mean alone, or each of them; `die_masses: each`."""
LEAST_RESISTANCE = 0.2
"""Least resistance that is drawn for a die, of their mean [1]."""


@table
class Dies(ScaleOut):
    """Dies, or groups of them, with a spread of the resistance to the plate; the hottest meets the limits first.

    All follow its clock, as synchronous work does. Their mean is the rack's, whose books close; each die differs from
    it by what its own resistance, its own temperature's leakage and its own past make of the rack's plate and power.
    """

    die_resistance: Real = quantity("K/W", "die to plate, per GPU", above=0, at_most=1)
    die_heat_capacity: Real = quantity("J/K", "die, lid and memory, per GPU", above=0, at_most=1e5)
    die_groups: Real = quantity(
        "1", "dies, or groups of them, among which the hottest is found: 1, one a tray, all", default=1.0, at_least=1,
        at_most=2000,
    )  # fmt: skip
    die_spread: Real = quantity(
        "1", "standard deviation of the resistance from die to plate among dies, of its mean", default=0.08,
        at_least=0, at_most=0.5,
    )  # fmt: skip
    die_masses: Real = quantity(
        "1", "what is followed: the mean of its dies and, by order statistics, the hottest; or each", default=0.0,
        choices=MASSES,
    )  # fmt: skip
    die_seed: Real = quantity(
        "1", "seed of the resistances drawn for its dies, with its name", default=1.0, at_least=0, at_most=2**31
    )

    @table
    class Inputs(ScaleOut.Inputs):
        hottest_die_luck: Real = quantity(
            "1", "standard deviations by which its hottest die is hotter than is to be expected", default=0.0,
            at_least=-5, at_most=5,
        )  # fmt: skip

    @table
    class State(ScaleOut.State):
        die_temperature: Real = quantity("K", "GPU dies, mean of the rack", default=318.15)
        each_die_temperature: Real = quantity("K", "a GPU die, or a group of them", default=318.15, each="die")

    @table
    class Outputs(ScaleOut.Outputs):
        hottest_die_temperature: Real = quantity("K", "hottest of its dies", default=318.15)

    def parts(self, of: str) -> Real:
        return self.die_groups * (self.die_masses == MASSES["each"])

    def faults(self, feeds: int) -> list[str]:
        found = ScaleOut.faults(self, feeds)
        if self.die_masses == MASSES["each"] and self.die_groups % 1:
            found.append(f"die_groups of {self.die_groups:g} cannot be followed one by one; a whole number is wanted")
        return found

    @cached_property
    def _counted(self) -> np.ndarray:
        """How many dies of each rack are followed, (n,)."""
        return np.ravel(to_host(self.parts("die"))).astype(int)

    @cached_property
    def _each(self) -> bool:
        """Whether any rack's dies are followed one by one."""
        return bool((self._counted > 0).any())

    @cached_property
    def _resistances(self) -> Real:
        """Each die to its plate [K/W], (1, n, dies); its mean in every rack is that of the rack."""
        mean, spread, seed = (
            np.broadcast_to(np.ravel(to_host(x)), self._counted.shape)
            for x in (self.die_resistance, self.die_spread, self.die_seed)
        )
        drawn = np.ones((1, len(self._counted), max(1, self._counted.max(initial=0))))
        for row, count in enumerate(self._counted):
            if count > 1:
                name = self.names[row] if self.names else str(row)
                factors = _factors(int(seed[row]), name, count, float(spread[row]))
                drawn[0, row, :count] = factors
        xp = library_of(self.die_resistance)
        return xp.asarray(drawn * mean[:, None])

    @cached_property
    def _followed(self) -> Real:
        """1 where there is such a die, (1, n, dies)."""
        there = np.arange(max(1, self._counted.max(initial=0))) < self._counted[:, None]
        return library_of(self.die_resistance).asarray(there[None] * 1.0)

    def _excess(self, luck: Real) -> Real:
        """By how much the hottest die's rise over its plate exceeds the mean, where only that is known, of it [1]."""
        together = self.die_masses == MASSES["mean"]
        return self.die_spread * (gpu.largest_deviate(self.die_groups) + luck) * ((self.die_groups > 1) & together)

    def hotter(self, s: Any, u: Any, rise: Real) -> Real | None:
        """By how much the hottest die is hotter than their mean [K]; None where no rack knows of more than one.

        Args:
            rise: of the mean over the plate [K].
        """
        excess = self.once(self._excess, u.hottest_die_luck)
        if not (self._each or worth_doing(excess)):
            return None
        hotter = excess * library_of(rise).maximum(rise, 0.0)
        if not self._each:
            return hotter
        own = hottest_part(s.each_die_temperature, self._followed) - s.die_temperature
        return library_of(own).where(self.parts("die") > 0, own, hotter)

    def each_die(self, s: Any, mean: Real, plate: Real, power: Real, dt: Real) -> dict[str, Real]:
        """State of each die at the end of a tick; nothing where none is followed.

            C dT/dt = P/n + p (T - T_mean) - (T - T_plate)/R

        with the leakage p of a die [W/K]; exact at the tick's mean plate and power. What their own mean differs from
        the rack's, which follows the sum of all heat, is then shared alike.

        Args:
            mean: of the dies at the end of the tick [K]; plate: mean of the tick [K]; power: of the GPUs [W].
        """
        if not self._each:
            return {}
        xp, T = library_of(mean), s.each_die_temperature
        share = power / self.gpu_count
        idle = self._least / self.gpu_count
        grows = self.leakage * xp.maximum(share - idle, 0.0) / self._leak(s.die_temperature)
        leaves = 1.0 / self._resistances - grows[..., None]
        rests = (share - grows * s.die_temperature)[..., None] + plate[..., None] / self._resistances
        towards = rests / leaves
        end = towards + (T - towards) * xp.exp(-leaves * dt / self.die_heat_capacity[..., None])
        missed = mean - mean_part(end, self._followed)
        return {"each_die_temperature": end + missed[..., None]}


def _factors(seed: int, name: str, count: int, spread: float) -> np.ndarray:
    """Resistances of a rack's dies, of their mean: normal, never below a fifth, their mean exactly 1."""
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, zlib.crc32(name.encode())))))
    drawn = np.maximum(1.0 + spread * random.standard_normal(count), LEAST_RESISTANCE)
    return np.asarray(drawn / drawn.mean())
