"""A year in time: the same hours one after the other, with all that a plant remembers from one to the next."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twin import model as compiled
from twin.arrays import open_device, to_host
from twin.ledger import LIMIT, BrokenBalance
from twin.plant import Plant
from twin.scenario.epw import Year
from twin.simulation import settle
from twin.step import step
from twin.studies.year import PER_HOUR, Progress, YearFound, begun, meant, span, summed, told, under

HOUR = 3600.0
TICK = 300.0
PARTS, LEAST = 12, 168
"""Worlds that share a year, side by side, and the fewest hours that one of them is worth."""
LEAD = 24
"""Hours that each runs before its own, from rest, where they are several; an estimate: tanks and walls last hours."""
NEGLECTED = (
    "The hours ran one after the other, in up to twelve stretches side by side, each from a steady state a day before "
    "its first hour; left out are what lasts longer than that day, failures, solar gain, and the height of the site "
    "where water evaporates."
)


def year_in_time(
    plant: Plant | str | Path,
    weather: str | Path,
    *,
    utilisation: float = 0.85,
    device: str = "cpu",
    progress: Progress | None = None,
    first: int = 0,
    hours: int | None = None,
    tick: float = TICK,
) -> YearFound:
    """Run a plant through a year of weather in time; what `year` finds, but as means over hours that follow each other.

    Weather goes in straight lines from hour to hour; each hour of the answer lies about its row of the weather, half of
    it before and half after.

    Args:
        plant, weather, utilisation, device, first, hours: as `year` has them.
        progress: told the seconds run so far and all of them, of all stretches together.
        tick: that goes into an hour without rest [s].

    Raises:
        BadInput: plant or weather have faults; it holds them all.
        BrokenBalance: energy was made or lost in a tick.
    """
    whole, sky = meant(plant, weather, utilisation)
    rows = span(sky, first, hours)
    parts = max(1, min(PARTS, len(rows) // LEAST))
    length, lead = -(-len(rows) // parts), LEAD if parts > 1 else 0
    model = compiled.compile(whole.plant, open_device(device))
    asked = begun(model, whole.initial, parts)
    starts = first + length * np.arange(parts)
    bulbs = np.column_stack([sky.dry_bulb, sky.wet_bulb(np.arange(len(sky.dry_bulb)))])
    state = settle(model, under(model, asked, bulbs[(starts - lead) % len(bulbs)]), parts)
    found, ticks, now = [], round(HOUR / tick), 0.0
    for hour in range(-lead, length):
        sums: dict[str, np.ndarray] = {}
        for k in range(ticks):
            there = between(bulbs, starts + hour, (k + 0.5) / ticks - 0.5)
            state = step(model, state, under(model, asked, there), now, tick)
            _sound(float(to_host(state.outputs["site"].energy_residual).max()), now)
            now += tick
            for name, values in told(model, state.outputs, parts).items():
                sums[name] = sums.get(name, 0.0) + values / ticks
        if hour >= 0:
            found.append(sums)
        if progress is not None:
            progress(HOUR * parts * (hour + lead + 1), HOUR * parts * (length + lead))
    each = {name: np.stack([sums[name] for sums in found], axis=1).ravel()[: len(rows)] for name in found[0]}
    part = Year(sky.location, *[getattr(sky, name)[rows] for name in PER_HOUR])
    return summed(f"{whole.title} in time", part, each, parts, 0, NEGLECTED)


def between(bulbs: np.ndarray, row: np.ndarray, past: float) -> np.ndarray:
    """The weather some part of an hour after rows (before them, where negative), by straight lines; (member, 2)."""
    other = bulbs[(row + (1 if past > 0 else -1)) % len(bulbs)]
    here = bulbs[row % len(bulbs)]
    return np.asarray(here + (other - here) * abs(past))


def _sound(residual: float, now: float) -> None:
    if not residual <= LIMIT:
        raise BrokenBalance(f"the books of the tick at {now:g} s do not close: {residual:.2g} of throughput is missing")
