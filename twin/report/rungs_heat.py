"""The thermal rungs of the ladder: racks, coolant, tanks, rooms and basins, each by its law of how long it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from twin.equipment import KINDS
from twin.physics.fluids import properties
from twin.plant import Loop
from twin.report.moments import rows_without_saves, work_kinds
from twin.report.stores import LEAST, STILL, Course, Ladder, Rung
from twin.report.story import Span, Story
from twin.report.words import say

STIRRED = 0.05
"""Up to this share of its reserve [1] coolant or air only goes up and down with what it has to carry."""
FOR_WANT = 0.5
"""A die that throttles does so for want of cold where coolant has warmed by this share of what was left [1]."""
STILL_RACKS = {
    True: (
        "dies and plates of racks, coolant standing",
        ("t = n (C die + C plate) (T throttle - T die) / P", "a rack whose coolant stands: n GPUs, lumped masses"),
    ),
    False: (
        "dies and heat sinks of racks, fans standing",
        ("t = n (C die + C sink) (T throttle - T die) / P", "a rack whose fans stand: n GPUs, lumped masses"),
    ),
}
"""Rung and law of racks by whether coolant cools them."""
LAYERED = ("t = rho cp V cold (T back - T) / Q", "a layered tank: what lies cold below its thermocline")


def stagnant(made: Ladder) -> Iterator[Rung]:
    """Racks whose coolant stands: dies, plates and the coolant in them warm together."""
    for kind in work_kinds(made.story):
        die, heat = made.now(kind, "die_temperature"), made.now(kind, "gpu_power")
        if die is None or heat is None:
            continue
        units = made.story.trace.units(kind)
        racks = made.machines(units)
        if not racks:
            continue
        limits = _throttles(racks)
        times = _masses(racks) * (limits - die) / np.maximum(heat, LEAST)
        stood = _stood(made, kind, units)
        dies = made.after(kind, "die_temperature")
        yield from made.rung(
            STILL_RACKS[bool(KINDS[kind].streams)][0],
            units,
            times,
            [
                (f"dies at {say(t, 'K')}", say(q, "W"), _to(limit))
                for t, q, limit in zip(die, heat, limits, strict=True)
            ],
            STILL_RACKS[bool(KINDS[kind].streams)][1],
            _standing_still(made, units, stood, dies, limits - die) if stood.any() and dies is not None else Course(),
        )


def _stood(made: Ladder, kind: str, units: Sequence[str]) -> np.ndarray:
    """In which rows from the fault on next to nothing flowed through each unit (time, unit)."""
    flow, start = made.after(kind, "flow"), made.now(kind, "flow")
    if flow is None or start is None:
        return np.zeros((len(made.story.time) - made.row, len(units)), dtype=bool)
    return np.asarray(flow < STILL * start)


def _standing_still(
    made: Ladder, units: Sequence[str], stood: np.ndarray, dies: np.ndarray, left: np.ndarray
) -> Course:
    """What racks used of their own masses while nothing flowed, each time from when its flow stopped."""
    first = stood & ~np.vstack([np.zeros((1, stood.shape[1]), dtype=bool), stood[:-1]])
    row = np.where(first, np.arange(len(stood))[:, None], 0)
    began = np.maximum(np.maximum.accumulate(row, axis=0) - 1, 0)  # the last row with flow, where it stands
    risen = np.where(stood, dies - np.take_along_axis(dies, began, axis=0), 0.0)
    used = np.maximum(risen, 0.0) / np.maximum(left, 1e-9)

    def stopped(place: int, moment: float | None) -> float | None:
        last = int(np.argmax(used[:, place])) if moment is None else _shown(made, stood[:, place], moment)
        return float(made.story.time[made.row + int(began[last, place])])

    def said(place: int) -> str:
        last = int(np.argmax(used[:, place]))
        return f"dies {say(float(dies[last, place]), 'K')} at most while its coolant stands"

    broken = [span for span in made.rises(("throttled",), units) if _at(made, stood, units, span)]
    return Course(used.max(axis=0), broken, stopped, said)


def _shown(made: Ladder, is_so: np.ndarray, moment: float) -> int:
    """The row, of the last before a moment and the one after it, in which something is so."""
    row = made.row_at(moment)
    return min(row + 1, len(is_so) - 1) if not is_so[row] else row


def _at(made: Ladder, is_so: np.ndarray, units: Sequence[str], span: Span) -> bool:
    """Whether something is so of a unit (time, unit) when a flag of it rises."""
    own = is_so[:, list(units).index(span.unit)]
    return bool(own[_shown(made, own, span.start)])


def _masses(racks: Sequence[Any]) -> np.ndarray:
    """Heat capacity of the dies and plates, or heat sinks, of racks [J/K]."""
    bodies = [getattr(rack, "plate_heat_capacity", None) or rack.sink_heat_capacity for rack in racks]
    return np.array(
        [rack.gpu_count * (rack.die_heat_capacity + body) for rack, body in zip(racks, bodies, strict=True)]
    )


def _throttles(racks: Sequence[Any]) -> np.ndarray:
    return np.array([rack.throttle_temperature for rack in racks])


def loops(made: Ladder) -> Iterator[Rung]:
    """The coolant of a racks' loop, when the facility takes no heat from it: everything warms together."""
    story = made.story
    for loop in story.plant.loops.values():
        racks = [e.unit for branch in loop.loads for e in branch if story.kind_of.get(e.unit) in work_kinds(story)]
        if not racks or not story.has(story.kind_of[racks[0]], "die_temperature"):
            continue
        kind = story.kind_of[racks[0]]
        heat = made.heat(e.unit for branch in loop.plant for e in branch)
        places = [story.trace.units(kind).index(rack) for rack in racks]
        die, inlet = made.now(kind, "die_temperature"), made.after(kind, "inlet_temperature")
        machines, volume = made.machines(racks), _volume(made, loop)
        if die is None or not machines or volume is None:
            continue
        limits = _throttles(machines)
        capacity = volume * _heat_capacity(loop) + float(_masses(machines).sum())
        times = capacity * (limits - die[places]) / max(heat, LEAST) if heat > LEAST else np.full(len(racks), np.inf)
        stood = _stood(made, kind, story.trace.units(kind))[:, places]
        yield from made.rung(
            f"coolant of {loop.name}",
            racks,
            times,
            [
                (f"{volume:.3g} m³ and the racks' metal, dies at {say(t, 'K')}", say(heat, "W"), _to(limit))
                for t, limit in zip(die[places], limits, strict=True)
            ],
            ("t = (rho cp V + C racks) (T throttle - T die) / Q", "a loop whose coolant goes round uncooled"),
            Course() if inlet is None else _warmed(made, racks, inlet[:, places], stood, limits - die[places]),
        )


def _warmed(made: Ladder, racks: Sequence[str], inlet: np.ndarray, stood: np.ndarray, left: np.ndarray) -> Course:
    """What racks used of their loop's coolant: how much warmer it came to them, of what was left to throttling."""
    used = np.where(stood, 0.0, (inlet - inlet[0]) / np.maximum(left, 1e-9))
    throttled = made.rises(("throttled",), racks)
    broken = [span for span in throttled if _at(made, ~stood & (used >= FOR_WANT), racks, span)]

    def said(place: int) -> str:
        last = int(np.argmax(used[:, place]))
        warmer = float(inlet[last, place] - inlet[0, place])
        short = f"coolant {warmer:.3g} K warmer at most, {float(left[place]) - warmer:.3g} K short of throttling"
        for_flow = any(span.unit == racks[place] for span in throttled)
        return short + ("; it throttles for want of flow" if for_flow else "")

    def began(place: int, moment: float | None) -> float | None:
        return made.since_it_moved(used[:, place], moment, 0.5 * STIRRED)

    return Course(used.max(axis=0), broken, began, said, STIRRED)


def _volume(made: Ladder, loop: Loop) -> float | None:
    """Coolant in the machines and pipes of a loop [m^3]."""
    elements = [element for branch in loop.branches() for element in branch]
    machines = made.machines([element.unit for element in elements])
    if not machines:
        return None
    return float(sum(machine.holds(element.stream) for machine, element in zip(machines, elements, strict=True)))


def _heat_capacity(loop: Loop) -> float:
    """Rho cp of a loop's coolant [J/(m^3 K)], at 30 degC."""
    return float(properties(loop.fluid, 303.15).heat_capacity)


def tanks(made: Ladder) -> Iterator[Rung]:
    """Buffer tanks of cold water."""
    story = made.story
    for loop in story.plant.loops.values():
        tank = loop.storage
        warm = None if tank is None else made.of(tank, "temperature")
        if tank is None or warm is None:
            continue
        (machine,) = made.machines([tank]) or (None,)
        if machine is None:
            continue
        heat = made.heat(dict.fromkeys(e.unit for branch in loop.loads for e in branch))
        share = made.of(tank, "cold_share") or 1.0
        back = made.of(tank, "warm_temperature")
        stratified = bool(machine.stratified)
        span = (back if stratified and back is not None else machine.useful_temperature) - warm
        capacity = machine.volume * (share if stratified else 1.0) * _heat_capacity(loop)
        seconds = capacity * max(span, 0.0) / heat if heat > LEAST else np.inf
        limit_said = f"water of {say(machine.useful_temperature, 'K')}"
        yield from made.rung(
            f"cold water of {tank}",
            [tank],
            np.array([seconds]),
            [(f"{machine.volume:.3g} m³ at {say(warm, 'K')}", say(heat, "W"), limit_said)],
            LAYERED
            if stratified
            else ("t = rho cp V (T useful - T) / Q", "a mixed tank: heat over what its loop brings"),
            _emptied(made, tank, machine.useful_temperature - warm, stratified),
        )


def _emptied(made: Ladder, tank: str, left: float, stratified: bool) -> Course:
    """What was used of a tank: of the cold below its thermocline, or of what its water may warm."""
    place = made.story.trace.units("tank").index(tank)
    water, cold = made.after("tank", "temperature"), made.after("tank", "cold_share")
    if water is None or left <= 0:
        return Course()
    warmed = (water[:, place] - water[0, place]) / left
    layered = stratified and cold is not None and cold[0, place] > 0
    used = 1.0 - cold[:, place] / cold[0, place] if layered and cold is not None else warmed

    def said(_: int) -> str:
        highest = float(np.nanmax(water[:, place]))
        short = f"{say(highest, 'K')} at most, {left - highest + float(water[0, place]):.3g} K short of it"
        if not layered or cold is None:
            return short
        return f"{float(np.nanmin(cold[:, place])) * 100:.3g} % cold left, {short}"

    began = lambda _, moment: made.since_it_moved(used, moment)  # noqa: E731
    return Course(np.array([max(float(np.nanmax(used)), 0.0)]), made.rises(("exhausted",), [tank]), began, said)


def rooms(made: Ladder) -> Iterator[Rung]:
    """Rooms: their air and all that warms with it."""
    story = made.story
    temperature, series = made.now("zone", "temperature"), made.after("zone", "temperature")
    if temperature is None or series is None:
        return
    zones = story.trace.units("zone")
    machines = made.machines(zones)
    if not machines:
        return
    limits = np.array([machine.limit_temperature for machine in machines])
    heat = np.array([made.heat(_coolers(story, zone)) for zone in zones])
    times = np.array(
        [
            machine.seconds_to(limit - T, Q) if Q > LEAST else np.inf
            for machine, limit, T, Q in zip(machines, limits, temperature, heat, strict=True)
        ]
    )
    usual = _before_a_checkpoint(made, temperature)
    used = (series - usual) / np.maximum(limits - usual, 1e-9)

    def said(place: int) -> str:
        highest = float(np.nanmax(series[:, place]))
        return f"{say(highest, 'K')} at most, {limits[place] - highest:.3g} K short of it"

    yield from made.rung(
        "air of rooms",
        zones,
        times,
        [
            (f"air at {say(t, 'K')}", say(q, "W"), f"air of {say(limit, 'K')}")
            for t, q, limit in zip(temperature, heat, limits, strict=True)
        ],
        (
            "t = (rho cp V + C) (T limit - T) / Q",
            "a room without cooling: its air and what warms with it, at once or late",
        ),
        Course(
            used=np.maximum(np.nanmax(used, axis=0), 0.0),
            broken=made.rises(("too_hot",), zones),
            began=partial(_moved, made, used),
            said=said,
            drawn=STIRRED,
        ),
    )


def _before_a_checkpoint(made: Ladder, at_fault: np.ndarray) -> np.ndarray:
    """How warm rooms were at the fault, or at work before it where a job saved in the last minute (unit,) [K]."""
    rows, values = rows_without_saves(made.story, made.member, made.zero), made.story.values("zone", "temperature")
    return at_fault if rows is None or values is None else np.fmax(at_fault, values[rows, made.member].max(axis=0))


def _coolers(story: Story, zone: str) -> list[str]:
    inside = [unit for unit in story.plant.units.values() if unit.zone == zone and story.has(unit.kind, "heat")]
    return [unit.name for unit in inside if KINDS[unit.kind].cools_air]


def basins(made: Ladder) -> Iterator[Rung]:
    """Water in the basins of wet towers, were the mains dry."""
    reserve, lost = made.now("cooling_tower", "reserve"), made.now("cooling_tower", "evaporated")
    series = made.after("cooling_tower", "reserve")
    if reserve is None or lost is None or series is None:
        return
    units = made.story.trace.units("cooling_tower")
    used = (reserve - series) / np.maximum(reserve, 1e-12)
    yield from made.rung(
        "basins of towers, mains dry",
        units,
        np.where(lost > 0, reserve / np.maximum(lost, 1e-15), np.inf),
        [(f"{v:.3g} m³", f"{q * 6e4:.3g} L/min", "its basin is dry") for v, q in zip(reserve, lost, strict=True)],
        ("t = V / evaporation", "a basin without make-up water"),
        Course(
            used=np.maximum(np.nanmax(used, axis=0), 0.0),
            broken=made.rises(("dry",), units),
            began=partial(_moved, made, used),
            said=lambda place: f"{float(np.nanmax(used[:, place])) * 100:.3g} % used",
        ),
    )


def _moved(made: Ladder, used: np.ndarray, place: int, moment: float | None) -> float | None:
    return made.since_it_moved(used[:, place], moment)


def _to(limit: float) -> str:
    return f"dies throttle at {say(float(limit), 'K')}"


MAKERS: tuple[Callable[[Ladder], Iterator[Rung]], ...] = (stagnant, loops, tanks, rooms, basins)
