"""The electrical rungs of the ladder: capacitors, batteries and fuel, each by the law that it is foreseen to last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from twin.physics import battery
from twin.report.cut_off import cut_off
from twin.report.moments import EARLY, mean_power, until_empty, work_kinds
from twin.report.stores import DRAWN, LEAST, Course, Ladder, Rung
from twin.report.words import lasting, say

WORTH_SAYING = 0.02
"""From this share on [1] a time that a greater load shortens is said beside the other."""
BURNT = 1e-6
"""Up to this share of its fuel [1] a set has not run."""
DISCHARGE = ("t = (E - E held back) / (P (1 + r P/P rated))", "a UPS battery: r is the loss in its cells at rating")


def shelves(made: Ladder) -> Iterator[Rung]:
    """What the power shelves of racks hold in their capacitors."""
    for kind in work_kinds(made.story):
        energy, draw = made.now(kind, "hold_up_energy"), made.now(kind, "input_power")
        if energy is None or draw is None:
            continue
        units = made.story.trace.units(kind)
        left = made.after(kind, "hold_up_energy")
        used = None if left is None else 1.0 - left / np.maximum(energy, 1e-9)
        tripped = [(span.unit, span.start) for span in made.rises(("tripped",), units)]
        empty = [
            span
            for span in made.rises(("unpowered",), units)
            if not any(unit == span.unit and abs(at - span.start) < EARLY for unit, at in tripped)
        ]
        yield from made.rung(
            "power shelves of racks",
            units,
            energy / np.maximum(draw, LEAST),
            [(say(e, "J"), say(p, "W"), "its capacitors are empty") for e, p in zip(energy, draw, strict=True)],
            ("t = E / P", "capacitors: energy over what the rack draws"),
            Course(used=_most(used), broken=empty, began=partial(_unfed, made, units, used), said=_used_at_most(used)),
        )


def _most(used: np.ndarray | None) -> np.ndarray | None:
    """The most that each unit used of its reserve, of its course (time, unit)."""
    return None if used is None else np.maximum(np.nanmax(used, axis=0), 0.0)


def _used_at_most(used: np.ndarray | None) -> Callable[[int], str]:
    most = _most(used)
    return lambda place: "" if most is None else f"{most[place] * 100:.3g} % used at most"


def _unfed(
    made: Ladder, units: Sequence[str], used: np.ndarray | None, place: int, moment: float | None
) -> float | None:
    """When a unit's feeds went; where none of them says so, when what it holds began to fall."""
    if moment is None and used is not None:
        moment = float(made.story.time[made.row + int(np.nanargmax(used[:, place]))])
    gone = None if moment is None else cut_off(made.story, made.member, units[place], moment)
    return gone if gone is not None or used is None else made.since_it_moved(used[:, place], moment)


def batteries(made: Ladder) -> Iterator[Rung]:
    """Batteries: UPS, converters with cells, stores of the site."""
    for kind in made.story.kinds:
        charge, energy = made.now(kind, "state_of_charge"), made.now(kind, "energy")
        if charge is None or energy is None or not (energy > 0).any():
            continue
        units = made.story.trace.units(kind)
        load, times = _battery_load(made, kind, energy)
        series = made.after(kind, "state_of_charge")
        machines = [made.story.plant.units[unit].parameters for unit in units]
        held = np.array([known.get("cutoff_charge", known.get("lowest_charge", 0.0)) for known in machines])
        used = None if series is None else _discharge(series, held)
        course = Course(
            used=_most(used),
            broken=made.rises(("depleted", "empty"), units),
            began=partial(_on_battery, made, units, used),
            said=partial(_discharged, made, units, series, used),
        )
        after = _borne_after(made, kind, load, times)
        for rung in made.rung(
            {"ups": "UPS batteries", "bess": "battery storage"}.get(kind, f"batteries of {kind}s"),
            units,
            times,
            [(say(e, "J"), say(p, "W"), "its battery is empty") for e, p in zip(energy, load, strict=True)],
            DISCHARGE if kind == "ups" else ("t = E / P", "other batteries: energy over load"),
            course,
        ):
            yield replace(rung, **_burden(units.index(rung.unit), rung.foreseen, *after))


def _discharge(series: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Shares of their reserves that batteries gave (time, unit): of the most that they held from the fault on [1].

    One that was still being charged at the fault gives of what it held when it took over, and not of what it held then.
    """
    most = np.fmax.accumulate(series, axis=0)
    return np.asarray((most - series) / np.maximum(most - held, 1e-9))


def _on_battery(
    made: Ladder, units: Sequence[str], used: np.ndarray | None, place: int, moment: float | None
) -> float | None:
    """When a battery began to bear its load: as its flag says, else by its charge."""
    if used is None:
        return None
    low = float(made.story.time[made.row + int(np.nanargmax(used[:, place]))]) if moment is None else moment
    spans = [span for span in made.rises(("on_battery",), [units[place]]) if span.start <= low + EARLY]
    return spans[-1].start if spans else made.since_it_moved(used[:, place], moment, DRAWN)


def _discharged(
    made: Ladder, units: Sequence[str], series: np.ndarray | None, used: np.ndarray | None, place: int
) -> str:
    if series is None or used is None:
        return ""
    spans = [until_empty(made.story, span) for span in made.rises(("on_battery",), [units[place]])]
    longest = max((span.until(made.story.end) - span.start for span in spans), default=0.0)
    borne = f"on battery for {lasting(longest)}, " if longest > 0 else ""
    lowest = float(np.nanmin(np.where(used[:, place] > 0, series[:, place], np.nan)))
    return f"{borne}down to {lowest * 100:.3g} %"


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


def _burden(place: int, foreseen: float | None, load: np.ndarray, times: np.ndarray) -> dict[str, Any]:
    """What a rung says of its unit's load after the fault; nothing where it shortens no time."""
    if foreseen is None or not times[place] < (1 - WORTH_SAYING) * foreseen:
        return {}
    return {"burdened": float(times[place]), "burden": say(float(load[place]), "W")}


def fuel(made: Ladder) -> Iterator[Rung]:
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
    burnt = fuel - series
    used = burnt / np.maximum(fuel, 1e-12)
    yield from made.rung(
        "fuel of generators, all sharing the site",
        units,
        fuel / np.maximum(np.array(flows), 1e-12),
        [(f"{v:.3g} m³", say(asked * r, "W"), "its tank is empty") for v, r in zip(fuel, rated, strict=True)],
        ("t = V / flow(P)", "fuel: by the set's own curve at its share of the site"),
        Course(
            used=_most(used),
            broken=made.rises(("out_of_fuel",), units),
            began=partial(_ran, made, units, used),
            said=lambda place: f"{float(np.nanmax(burnt[:, place])) * 1e3:.3g} L burnt",
            drawn=BURNT,
        ),
    )


def _ran(made: Ladder, units: Sequence[str], used: np.ndarray, place: int, moment: float | None) -> float | None:
    """When a set began to run before a moment, or at all."""
    spans = made.rises(("running",), [units[place]])
    before = [span for span in spans if moment is None or span.start <= moment + EARLY]
    if not before:
        return made.since_it_moved(used[:, place], moment, BURNT)
    return before[0].start if moment is None else before[-1].start


MAKERS: tuple[Callable[[Ladder], Iterator[Rung]], ...] = (shelves, batteries, fuel)
