"""The rungs of the ladder: the laws by which each store of a site is foreseen to last, one for each sort of store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from twin.equipment import KINDS
from twin.physics import battery
from twin.physics.fluids import properties
from twin.plant import Loop
from twin.report.moments import mean_power, work_kinds
from twin.report.stores import LEAST, Ladder, Rung
from twin.report.story import Story
from twin.report.words import lasting, say

WORTH_SAYING = 0.02
"""From this share on [1] a time that a greater load shortens is said beside the other."""
DISCHARGE = ("t = (E - E held back) / (P (1 + r P/P rated))", "a UPS battery: r is the loss in its cells at rating")
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


def _shelves(made: Ladder) -> Iterator[Rung]:
    """What the power shelves of racks hold in their capacitors."""
    for kind in work_kinds(made.story):
        energy, draw = made.now(kind, "hold_up_energy"), made.now(kind, "input_power")
        if energy is None or draw is None:
            continue
        units = made.story.trace.units(kind)
        left = made.after(kind, "hold_up_energy")
        share = None if left is None or energy.max() <= 0 else float(1 - np.nanmin(left / np.maximum(energy, 1e-9)))
        broken = made.rises(("unpowered",), units)
        yield from made.rung(
            "power shelves of racks",
            units,
            energy / np.maximum(draw, LEAST),
            [(say(e, "J"), say(p, "W"), "its capacitors are empty") for e, p in zip(energy, draw, strict=True)],
            ("t = E / P", "capacitors: energy over what the rack draws"),
            broken,
            share,
            "" if not share or share < 1e-6 else f"{share * 100:.3g} % used at most",
        )


def _batteries(made: Ladder) -> Iterator[Rung]:
    """Batteries: UPS, converters with cells, stores of the site."""
    for kind in made.story.kinds:
        charge, energy = made.now(kind, "state_of_charge"), made.now(kind, "energy")
        if charge is None or energy is None or not (energy > 0).any():
            continue
        units = made.story.trace.units(kind)
        load, times = _battery_load(made, kind, energy)
        series = made.after(kind, "state_of_charge")
        low = float(np.nanmin(series)) if series is not None else float("nan")
        place = int(np.nanargmin(np.nanmin(series, axis=0))) if series is not None else 0
        cutoff = made.story.plant.units[units[place]].parameters.get("cutoff_charge", 0.0)
        used = (charge[place] - low) / max(charge[place] - cutoff, 1e-9) if series is not None else None
        spans = made.rises(("on_battery",), units)
        longest = max((span.until(made.story.end) - span.start for span in spans), default=0.0)
        worst = f"on battery for {lasting(longest)}, down to {low * 100:.3g} % ({units[place]})" if spans else ""
        after = _borne_after(made, kind, load, times)
        for rung in made.rung(
            {"ups": "UPS batteries", "bess": "battery storage"}.get(kind, f"batteries of {kind}s"),
            units,
            times,
            [(say(e, "J"), say(p, "W"), "its battery is empty") for e, p in zip(energy, load, strict=True)],
            DISCHARGE if kind == "ups" else ("t = E / P", "other batteries: energy over load"),
            made.rises(("depleted", "empty"), units),
            None if used is None else float(used),
            worst,
        ):
            yield replace(rung, **_burden(units, rung.foreseen, *after))


def _battery_load(made: Ladder, kind: str, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each battery would have to bear [W], the site where it stands alone, and how long it would last [s]."""
    found = [load for name in ("need", "carried_load") if (load := made.now(kind, name)) is not None]
    site = mean_power(made.story, made.member, made.zero, "supplied_energy") or 0.0
    load = found[0] if found else np.full_like(energy, site / len(energy))
    autonomy = made.now(kind, "autonomy") if kind == "ups" else None
    return load, autonomy if autonomy is not None else np.where(load > LEAST, energy / np.maximum(load, LEAST), np.inf)


def _borne_after(made: Ladder, kind: str, load: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The greatest load that each battery has borne or backed from the fault on [W], and how long it lasts at it [s].

    t' = t P (1 + r P/P rated) / (P' (1 + r P'/P rated)): of what it held at the fault.
    """
    found = [after for name in ("need", "carried_load") if (after := made.after(kind, name)) is not None]
    if not found:
        return load, times
    most = np.maximum(np.nanmax(found[0], axis=0), load)
    units = made.story.trace.units(kind)
    ratings = [made.story.plant.units[unit].parameters for unit in units]
    rated = np.array([known.get("rated_power", np.inf) for known in ratings])
    loss = np.array([known.get("discharge_loss", 0.0) for known in ratings])
    was, now = (battery.drain(np.maximum(power, LEAST), rated, loss) for power in (load, most))
    return most, times * was / now


def _burden(units: list[str], foreseen: float | None, load: np.ndarray, times: np.ndarray) -> dict[str, Any]:
    """What a rung says of the load after the fault; nothing where it shortens no time."""
    place = int(np.nanargmin(np.where(np.isfinite(times), times, np.inf)))
    if foreseen is None or not times[place] < (1 - WORTH_SAYING) * foreseen:
        return {}
    return {
        "burdened": float(times[place]),
        "burdened_unit": units[place],
        "burden": say(float(load[place]), "W"),
    }


def _stagnant(made: Ladder) -> Iterator[Rung]:
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
        still = made.standing(kind)
        dies = made.after(kind, "die_temperature")
        used, worst = _nearest(units, dies, die, limits, "K") if still else (None, "")
        yield from made.rung(
            STILL_RACKS[bool(KINDS[kind].streams)][0],
            units,
            times,
            [
                (f"dies at {say(t, 'K')}", say(q, "W"), _to(limit))
                for t, q, limit in zip(die, heat, limits, strict=True)
            ],
            STILL_RACKS[bool(KINDS[kind].streams)][1],
            made.rises(("throttled",), still),
            used,
            worst,
        )


def _masses(racks: Sequence[Any]) -> np.ndarray:
    """Heat capacity of the dies and plates, or heat sinks, of racks [J/K]."""
    bodies = [getattr(rack, "plate_heat_capacity", None) or rack.sink_heat_capacity for rack in racks]
    return np.array(
        [rack.gpu_count * (rack.die_heat_capacity + body) for rack, body in zip(racks, bodies, strict=True)]
    )


def _throttles(racks: Sequence[Any]) -> np.ndarray:
    return np.array([rack.throttle_temperature for rack in racks])


def _loops(made: Ladder) -> Iterator[Rung]:
    """The coolant of a racks' loop, when the facility takes no heat from it: everything warms together."""
    story = made.story
    for loop in story.plant.loops.values():
        racks = [e.unit for branch in loop.loads for e in branch if story.kind_of.get(e.unit) in work_kinds(story)]
        if not racks or not story.has(story.kind_of[racks[0]], "die_temperature"):
            continue
        kind = story.kind_of[racks[0]]
        still = made.standing(kind)
        flooded = [rack for rack in racks if rack not in still]
        racks = flooded or racks
        heat = made.heat(e.unit for branch in loop.plant for e in branch)
        places = [story.trace.units(kind).index(rack) for rack in racks]
        die, series = made.now(kind, "die_temperature"), made.after(kind, "die_temperature")
        machines, volume = made.machines(racks), _volume(made, loop)
        if die is None or series is None or not machines or volume is None:
            continue
        limits = _throttles(machines)
        capacity = volume * _heat_capacity(loop) + float(_masses(machines).sum())
        times = capacity * (limits - die[places]) / max(heat, LEAST) if heat > LEAST else np.full(len(racks), np.inf)
        used, worst = _nearest(racks, series[:, places], die[places], limits, "K")
        yield from made.rung(
            f"coolant of {loop.name}",
            racks,
            times,
            [
                (f"{volume:.3g} m³ and the racks' metal, dies at {say(t, 'K')}", say(heat, "W"), _to(limit))
                for t, limit in zip(die[places], limits, strict=True)
            ],
            ("t = (rho cp V + C racks) (T throttle - T die) / Q", "a loop whose coolant goes round uncooled"),
            made.rises(("throttled",), flooded),
            used if flooded else None,
            worst if flooded else "its flow was lost, not its coolant used",
        )


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


def _tanks(made: Ladder) -> Iterator[Rung]:
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
        series = story.values("tank", "temperature")
        place = story.trace.units("tank").index(tank)
        course = np.asarray(series[made.row :, made.member, [place]], dtype=float) if series is not None else None
        limit = np.array([machine.useful_temperature])
        used, worst = _nearest([tank], course, np.array([warm]), limit, "K")
        limit_said = f"water of {say(machine.useful_temperature, 'K')}"
        yield from made.rung(
            f"cold water of {tank}",
            [tank],
            np.array([seconds]),
            [(f"{machine.volume:.3g} m³ at {say(warm, 'K')}", say(heat, "W"), limit_said)],
            LAYERED
            if stratified
            else ("t = rho cp V (T useful - T) / Q", "a mixed tank: heat over what its loop brings"),
            made.rises(("exhausted",), [tank]),
            used,
            worst,
        )


def _rooms(made: Ladder) -> Iterator[Rung]:
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
    used, worst = _nearest(zones, series, temperature, limits, "K")
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
        made.rises(("too_hot",), zones),
        used,
        worst,
    )


def _coolers(story: Story, zone: str) -> list[str]:
    inside = [unit for unit in story.plant.units.values() if unit.zone == zone and story.has(unit.kind, "heat")]
    return [unit.name for unit in inside if KINDS[unit.kind].cools_air]


def _fuel(made: Ladder) -> Iterator[Rung]:
    """Fuel of the generators, at the load that each would have to bear."""
    story = made.story
    fuel, series = made.now("generator", "fuel"), made.after("generator", "fuel")
    if fuel is None or series is None:
        return
    units = story.trace.units("generator")
    power = mean_power(story, made.member, made.zero, "supplied_energy")
    sets = made.machines(units)
    if not sets:
        return
    rated = np.array([each.rated_power for each in sets])
    asked = 0.0 if power is None else min(power / max(rated.sum(), 1.0), 1.0)
    flows = [float(each.fuel_flow(asked * each.rated_power)) for each in sets]
    burnt = fuel - np.nanmin(series, axis=0)
    place = int(np.argmax(burnt / np.maximum(fuel, 1e-12)))
    used = float(burnt[place] / max(fuel[place], 1e-12))
    ran = made.rises(("closed",), units)
    yield from made.rung(
        "fuel of generators, all sharing the site",
        units,
        fuel / np.maximum(np.array(flows), 1e-12),
        [(f"{v:.3g} m³", say(asked * r, "W"), "its tank is empty") for v, r in zip(fuel, rated, strict=True)],
        ("t = V / flow(P)", "fuel: by the set's own curve at its share of the site"),
        made.rises(("out_of_fuel",), units),
        used,
        f"{burnt[place] * 1e3:.3g} L burnt ({units[place]})" if ran else "",
    )


def _basins(made: Ladder) -> Iterator[Rung]:
    """Water in the basins of wet towers, were the mains dry."""
    reserve, lost = made.now("cooling_tower", "reserve"), made.now("cooling_tower", "evaporated")
    series = made.after("cooling_tower", "reserve")
    if reserve is None or lost is None or series is None:
        return
    units = made.story.trace.units("cooling_tower")
    low = np.nanmin(series, axis=0)
    place = int(np.argmax((reserve - low) / np.maximum(reserve, 1e-12)))
    used = float((reserve[place] - low[place]) / max(reserve[place], 1e-12))
    yield from made.rung(
        "basins of towers, mains dry",
        units,
        np.where(lost > 0, reserve / np.maximum(lost, 1e-15), np.inf),
        [(f"{v:.3g} m³", f"{q * 6e4:.3g} L/min", "its basin is dry") for v, q in zip(reserve, lost, strict=True)],
        ("t = V / evaporation", "a basin without make-up water"),
        made.rises(("dry",), units),
        used,
        f"{used * 100:.3g} % used ({units[place]})" if used > 1e-6 else "",
    )


MAKERS: tuple[Callable[[Ladder], Iterator[Rung]], ...] = (
    _shelves,
    _batteries,
    _stagnant,
    _loops,
    _tanks,
    _rooms,
    _fuel,
    _basins,
)


def _to(limit: float) -> str:
    return f"dies throttle at {say(float(limit), 'K')}"


def _nearest(
    units: Sequence[str], series: np.ndarray | None, start: np.ndarray, limits: np.ndarray, unit: str
) -> tuple[float | None, str]:
    """The most of the way to its limit that any unit went, and who it was."""
    if series is None or not series.size:
        return None, ""
    highest = np.nanmax(series, axis=0)
    used = (highest - start) / np.maximum(limits - start, 1e-9)
    place = int(np.nanargmax(used))
    short = limits[place] - highest[place]
    said = f"{say(float(highest[place]), unit)} at most, {short:.3g} K short of it ({units[place]})"
    return float(max(used[place], 0.0)), said if short > 0 else f"{say(float(highest[place]), unit)} ({units[place]})"
