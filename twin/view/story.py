"""Story: all that one picture says, before a line is drawn: colours, scale, groups, states and figures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.plant import Plant
from twin.view.colours import LOST, NORMAL, OFF, RUNNING, STRAINED, THEME, WAITING, family, rgb, shade, tinted
from twin.view.groups import Group, crowded, groups_of
from twin.view.places import Layout
from twin.view.reading import Condition, Reading, key_figures, targets
from twin.view.scale import ColourScale, scale_of
from twin.view.words import lasting

TINT = 0.3
"""How much of its state a body shows where it shows no value; its outline and pad show it in full."""


@dataclass
class Story:
    """One picture in words and colours.

    `body`, `marks` and `known` are the colour, state and value (SI, or not a number) of each spot, in
    order; `floors` the colour of each area that shows a value.
    """

    title: str
    moment: str
    figures: list[tuple[str, str]]
    scale: ColourScale
    body: np.ndarray
    marks: np.ndarray
    floors: list[np.ndarray | None]
    known: np.ndarray
    conditions: dict[str, Condition]
    groups: list[Group]
    footer: str

    @property
    def many_floors(self) -> bool:
        """Whether floors show the mean of what stands on them."""
        return sum(floor is not None for floor in self.floors) > 3


def tell(plant: Plant, layout: Layout, reading: Reading, colour: str, look: str) -> Story:
    """Put together what a picture of a plant at a moment says.

    Raises:
        BadWish: the quantity was not recorded.
    """
    bodies = {spot.kind for spot in layout.spots.values()} | ({"zone"} if any(a.zone for a in layout.areas) else set())
    wanted = targets(reading.trace, colour, bodies, look)
    zones = {area.zone for area in layout.areas}
    values: dict[str, float] = {}
    for kind, name in wanted:
        every = zip(reading.trace.units(kind), reading.values(kind, name).tolist(), strict=True)
        values.update((unit, value) for unit, value in every if unit in layout.spots or unit in zones)
    conditions = reading.conditions()
    scale = scale_of(reading, wanted, np.array(list(values.values())))
    names = list(layout.spots)
    known = np.array([values.get(name, math.nan) for name in names])
    body = np.array([_plain(spot.kind) for spot in layout.spots.values()], dtype=np.uint8).reshape(-1, 3)
    body[~np.isnan(known)] = shade(known[~np.isnan(known)], scale.limits, scale.table)
    marks = np.array([conditions[name].state if name in conditions else NORMAL for name in names], dtype=int)
    for i in np.flatnonzero((marks != NORMAL) & np.isnan(known)):
        body[i] = tinted(body[i], THEME.states[int(marks[i])], TINT)
    floors = _floors(layout, values, scale, known)
    end = float(np.asarray(reading.trace.time)[-1])
    moment = (
        f"{lasting(reading.time)} into a run of {lasting(end)}"
        if reading.time < end
        else f"{lasting(end)}, the end of the run"
    )
    figures = key_figures(reading, conditions)
    if values and np.isfinite(scale.values).any():
        figures.append(_extremes(values, scale))
    footer = reading.trace.path.name + (f"   member {reading.member}" if reading.trace.members > 1 else "")
    groups = groups_of(plant, layout, values, scale, conditions)
    return Story(reading.trace.title, moment, figures, scale, body, marks, floors, known, conditions, groups, footer)


def _plain(kind: str) -> np.ndarray:
    return rgb(THEME.neutral[family(kind)])


def _floors(layout: Layout, values: dict[str, float], scale: ColourScale, known: np.ndarray) -> list[np.ndarray | None]:
    """The colour of each floor: its zone's value; on a campus the mean of the machines on it; mostly none."""
    inside: dict[tuple[str, str], list[float]] = {}
    if crowded(layout):
        for spot, value in zip(layout.spots.values(), known.tolist(), strict=True):
            if not math.isnan(value):
                inside.setdefault((spot.unit.rpartition("/")[0], spot.room), []).append(value)
    floors: list[np.ndarray | None] = []
    for area in layout.areas:
        on_it = inside.get((area.block, area.use), [math.nan])
        value = values.get(area.zone, sum(on_it) / len(on_it))
        floors.append(None if math.isnan(value) else shade(np.array([value]), scale.limits, scale.table)[0])
    return floors


def _extremes(values: dict[str, float], scale: ColourScale) -> tuple[str, str]:
    """The hottest machine; for other quantities the span, and which machine is lowest."""
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    top, bottom = max(known, key=lambda n: known[n]), min(known, key=lambda n: known[n])
    if scale.unit == "K":
        return f"hottest: {top}", scale.say(known[top])
    return f"lowest: {bottom}", scale.say(known[bottom], known[top])


def state_counts(story: Story) -> dict[int, int]:
    """How many machines in the picture are in each state that is not normal, most urgent first."""
    counts = {state: int((story.marks == state).sum()) for state in (LOST, STRAINED, WAITING, OFF, RUNNING)}
    return {state: count for state, count in counts.items() if count}
