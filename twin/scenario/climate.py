"""A typical year made of climate normals: an EPW file for plants whose owner has none at hand."""

from __future__ import annotations

import csv

import numpy as np

from twin.assets import assets_folder
from twin.physics.moist_air import pressure_at

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PEAK = 15.0
"""Hour of the day when it is warmest."""
SWING, PERSISTENCE = 3.5, 0.7
"""Day-to-day departure from the normals [K], and what of it stays to the next day; estimates for middle latitudes."""
SHARED = 0.7
"""What of a warm day's departure the dew point shares; an estimate."""


def climates() -> list[str]:
    """Names of the shipped climates."""
    return sorted(path.stem for path in (assets_folder() / "climates").glob("*.csv"))


def typical_year(name: str, seed: int = 1) -> str:
    """The text of an EPW file of a shipped climate.

        T = T_month - range/2 cos(2 pi (h - 3)/24) + d,   d_k = 0.7 d_(k-1) + sqrt(1 - 0.49) 3.5 K xi_k

    with monthly means on the middle days and straight lines between, and d a seeded walk from day to day. The dew
    point is that of the month plus 0.7 d, never above the dry bulb. It has the means of the normals and the spread
    of weather, not its order: real extremes and long heat waves are not in it.

    Args:
        name: one of `climates()`.
        seed: of the day-to-day weather.
    """
    lines = (assets_folder() / "climates" / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    said = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("#"))
    place, height = said["location"].split("; height ")
    metres = float(height.removesuffix(" m"))
    rows = [[float(x) for x in row[1:]] for row in list(csv.reader(lines[len(said) + 1 :]))]
    dry, width, dew = (_daily(np.array(column)) for column in zip(*rows, strict=True))
    departs = _walk(np.random.default_rng(seed))
    hour = np.arange(1.0, 25.0)
    wave = 0.5 * np.cos(2 * np.pi * (hour - PEAK) / 24)
    T = (dry + departs)[:, None] + width[:, None] * wave
    T_dew = np.minimum((dew + SHARED * departs)[:, None] + 0.0 * T, T)
    town, state, land = (part.strip() for part in place.split(","))
    text = [f"LOCATION,{town},{state},{land},made of climate normals,0,0,0,0,{metres:g}"]
    text += [f"COMMENTS,source: {said['source']}"] + ["HEADER"] * 6
    pressure = round(float(pressure_at(metres)))
    days = [(month, day) for month, last in enumerate(DAYS, 1) for day in range(1, last + 1)]
    for k, (month, day) in enumerate(days):
        for h in range(24):
            values = f"{T[k, h]:.1f},{T_dew[k, h]:.1f},999,{pressure},0"
            text.append(f"2020,{month},{day},{h + 1},0,?,{values}")
    return "\n".join(text) + "\n"


def _daily(monthly: np.ndarray) -> np.ndarray:
    """Monthly means as values of each day, by straight lines between the middles of the months."""
    ends = np.cumsum(DAYS)
    middles = ends - np.array(DAYS) / 2
    return np.asarray(np.interp(np.arange(365) + 0.5, middles, monthly, period=365))


def _walk(random: np.random.Generator) -> np.ndarray:
    """A day-to-day departure [K], of zero mean in each month."""
    steps = SWING * np.sqrt(1 - PERSISTENCE**2) * random.standard_normal(365)
    found = np.empty(365)
    last = SWING * random.standard_normal()
    for k, step in enumerate(steps):
        last = PERSISTENCE * last + step
        found[k] = last
    month = np.repeat(np.arange(12), DAYS)
    means = np.bincount(month, weights=found) / np.array(DAYS)
    return np.asarray(found - means[month])
