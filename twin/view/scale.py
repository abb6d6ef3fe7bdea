"""Scale: the colour bar of a quantity: its limits, ticks, unit and the ratings that stand on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin import units
from twin.view.colours import map_for
from twin.view.reading import Reading, people_unit
from twin.view.words import kind_words, pretty

OF_DIES = ("throttle_temperature", "slowdown_temperature", "shutdown_temperature")
LIMITS = {
    ("rack", "die_temperature"): OF_DIES,
    ("air_rack", "die_temperature"): OF_DIES,
    ("tank", "temperature"): ("useful_temperature",),
    ("zone", "temperature"): ("limit_temperature",),
}
"""Ratings that are marked on the colour bar, and always lie within it."""


@dataclass
class ColourScale:
    """Caption, unit and limits of the colour bar (SI), and the values of the moment."""

    caption: str
    unit: str
    people: str
    limits: tuple[float, float]
    noun: str
    ticks: list[tuple[float, str]]
    table: np.ndarray
    values: np.ndarray
    marks: list[tuple[float, str]]
    factor: units.Scale
    places: int

    def number(self, value: float, places: int | None = None) -> str:
        """A value (SI) in the bar's unit, as fine as its ticks tell apart."""
        return f"{float(self.factor.back(value)):.{self.places if places is None else places}f}"

    def say(self, low: float, high: float | None = None) -> str:
        """A value, or a span of values, with the bar's unit; temperatures at least to a tenth."""
        places = max(self.places, 1) if self.unit == "K" else self.places
        words = self.number(low, places)
        if high is not None and self.number(high, places) != words:
            words = f"{words} to {self.number(high, places)}"
        return f"{words} {self.people}".rstrip()


def scale_of(reading: Reading, wanted: list[tuple[str, str]], values: np.ndarray) -> ColourScale:
    """The colour bar: round limits around all that the run has seen, in people's unit."""
    unit = reading.trace.columns(wanted[0][0])[wanted[0][1]].unit
    spans = np.array([reading.over_the_run(kind, name) for kind, name in wanted])
    limits = _limits(reading, wanted)
    every = [*spans[~np.isnan(spans)], *(value for value, _ in limits)] or [0.0, 1.0]
    low, high = float(min(every)), float(max(every))
    people = people_unit(unit, (low, high))
    factor = units.scale(people, unit) if people != unit else units.Scale(1.0, 1.0)
    shown, step = round_limits(float(factor.back(low)), float(factor.back(high)), 5.0 if people == "degC" else 0.0)
    marks = np.arange(round((shown[1] - shown[0]) / step) + 1) * step + shown[0]
    ticks = [(float(factor.si(mark)), f"{mark:.10g}") for mark in marks]
    kinds = sorted({kind for kind, _ in wanted})
    words = wanted[0][1].replace("_", " ")
    caption = f"{kind_words(kinds[0])} {words}" if len(kinds) == 1 else words
    noun = kind_words(kinds[0]) if len(kinds) == 1 else "machine"
    ends = (float(factor.si(shown[0])), float(factor.si(shown[1])))
    places = max(0, 1 - math.floor(math.log10(step) + 1e-9))
    people = "" if people == "1" else pretty(people)
    return ColourScale(caption, unit, people, ends, noun, ticks, map_for(unit), values, limits, factor, places)


def _limits(reading: Reading, wanted: list[tuple[str, str]]) -> list[tuple[float, str]]:
    """Ratings that the values should be read against, where one kind is coloured and all of it has the same."""
    if len(wanted) != 1:
        return []
    found = []
    for rating in LIMITS.get(wanted[0], ()):
        every = reading.trace.plant.of_kind(wanted[0][0])
        values = {unit.parameters[rating] for unit in every if rating in unit.parameters}
        if len(values) == 1:
            found.append((values.pop(), rating.partition("_")[0]))
    return found


def round_limits(low: float, high: float, least: float) -> tuple[tuple[float, float], float]:
    """Limits that people would choose around two values, and the step between their ticks."""
    least = max(least, 0.05 * max(abs(low), abs(high)), 1e-9)
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= rough * 0.999)
    return (math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step), step
