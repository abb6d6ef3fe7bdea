"""What the simulated failures mean: who dropped, what tripped, how loaded, and what can be taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.declare import quantities
from twin.plant import Plant, Unit
from twin.plant_loads import nominal_loads
from twin.studies.audit.contingency import Setting, Watched
from twin.studies.audit.found import OUT, SHORT, Contingency, Loading, Trip, Upkeep
from twin.studies.audit.graph import LOAD

OFF = ("unpowered", "shut_down")
"""Flags of work that stands still."""
UNFED = "unfed"
"""Stands for a flag where work has none: a load without supply at the end of the window."""
DARK = 0.1
"""Voltage [pu] below which a load stands still: what a short circuit that nobody clears leaves of it."""
SLOW = ("throttled", "slowed", "braked", "power_braked", "capped")
"""Flags of work that goes slower."""
TROUBLE = ("trip", "deplet", "empty", "out_of", "failed", "overload", "shut_down", "lock", "lost", "stall")
"""What the names of flags hold that stand for something broken, tripped or used up."""
NEAR = 0.005
"""Load [1] by which a failure with the grid away must be worse to be named instead of one on the grid."""
OVER = 1.0 + 1e-6
"""Load over rating that counts as above it."""


@dataclass(frozen=True)
class Case:
    """One world: which unit fails how, and whether the grid is away; no unit where nothing else fails."""

    unit: Unit | None
    failure: str
    away: bool
    settings: list[Setting]


Seen = tuple[Case, list[Watched], int]
"""A case, what its batch did, and which member of it the case is."""


Risen = set[tuple[str, str]]
"""Units and their flags that rose."""


def risen(seen: list[Watched], member: int) -> Risen:
    """Every unit and flag that rose within the window in one world, and every load that then has no supply."""
    dark = {(name, UNFED) for w in seen for name in _dark(w, w.live_in_window[member])}
    return dark | {
        (w.table.names[row], flag)
        for w in seen
        for flag, moments in w.rose.items()
        for row in np.flatnonzero(~np.isnan(moments[member]))
    }


def contingency(case: Case, seen: list[Watched], member: int, anyway: Risen, work: frozenset[str]) -> Contingency:
    """One failure, told; `anyway` rises without it too, and is not its doing."""
    assert case.unit is not None
    charges = [float(w.lowest_charge[member].min()) for w in seen if w.lowest_charge is not None]
    out = {setting[0] for setting in case.settings}
    return Contingency(
        case.unit.name,
        case.unit.kind,
        case.failure,
        case.away,
        tuple(name for name in _risen(seen, member, OFF) if not any((name, flag) in anyway for flag in OFF))
        + _without(work, [name for w in seen for name in _dark(w, w.live_in_window[member])], anyway),
        tuple(name for name in _risen(seen, member, SLOW) if not any((name, flag) in anyway for flag in SLOW)),
        tuple(trip for trip in _trips(seen, member, out) if (trip.unit, trip.flag) not in anyway),
        min(charges, default=None),
        tuple(name for w in seen if w.table.machine.is_work for name in _where(w, _any(w, OFF, member)))
        + _without(work, [name for w in seen for name in _dark(w, w.live[member])], anyway),
        tuple(
            name
            for w in seen
            if w.table.machine.feeds[1] > 0 and not w.table.machine.serves
            for name in _where(w, w.live[member] == 0)
        ),
        tuple(name for w in seen for name in _where(w, w.settled[member] > OVER) if name not in out),
    )


def _dark(w: Watched, voltage: np.ndarray) -> list[str]:
    """Loads of one table that have no supply to speak of."""
    return _where(w, voltage < DARK) if w.table.kind == LOAD else []


def _without(work: frozenset[str], dark: list[str], anyway: Risen) -> tuple[str, ...]:
    """Loads that count as work and stand still by this failure alone."""
    return tuple(name for name in dark if name in work and (name, UNFED) not in anyway)


def _where(w: Watched, mask: np.ndarray) -> list[str]:
    return [w.table.names[row] for row in np.flatnonzero(mask)]


def _any(w: Watched, names: tuple[str, ...], member: int) -> np.ndarray:
    found = np.zeros(w.table.size, dtype=bool)
    for name in names:
        if name in w.flags:
            found |= w.flags[name][member] > 0
    return found


def _risen(seen: list[Watched], member: int, names: tuple[str, ...]) -> list[str]:
    """Working units any of whose flags rose within the window."""
    found = []
    for w in seen:
        if w.table.machine.is_work:
            rose = np.zeros(w.table.size, dtype=bool)
            for name in names:
                if name in w.rose:
                    rose |= ~np.isnan(w.rose[name][member])
            found += _where(w, rose)
    return found


def _trips(seen: list[Watched], member: int, out: set[str]) -> list[Trip]:
    """What tripped or ran out within the window, in order of time; work is told apart, and what was taken out."""
    found = []
    for w in seen:
        said = quantities(w.table.machine.State)
        for flag, moments in w.rose.items():
            if w.table.machine.is_work or not any(word in flag for word in TROUBLE):
                continue
            words = said[flag].flag
            for row in np.flatnonzero(~np.isnan(moments[member])):
                name = w.table.names[row]
                if name not in out:
                    found.append(Trip(name, flag, float(moments[member, row]), words.rises if words else flag))
    return sorted(found, key=lambda trip: (trip.time, trip.unit))


def loading(found: list[Seen], left_out: frozenset[str]) -> list[Loading]:
    """Load of every unit that feeds others, normal and at worst with one other failed; the worst first.

    Short circuits are left out: while one stands its current is no load, and afterwards it is as if the unit were out.
    """
    normal: dict[str, float] = {}
    worst: dict[str, tuple[float, Case, float]] = {}
    rated: dict[str, tuple[str, float, str]] = {}
    for case, seen, member in found:
        if case.failure == SHORT:
            continue
        for w in seen:
            by = _rated_by(w)
            if by is None:
                continue
            unit = quantities(type(w.table.machine))[by].unit
            for row, name in enumerate(w.table.names):
                if name in left_out:
                    continue
                rated[name] = (w.table.kind, float(getattr(w.table.machine, by)[0, row]), unit)
                if case.unit is None and not case.away:
                    normal[name] = float(w.normal[member, row])
                load = float(w.highest[member, row])
                own = case.unit is not None and case.unit.name == name
                if not own and load > worst.get(name, (-1.0, case, 0.0))[0] + (NEAR if case.away else 1e-9):
                    worst[name] = (load, case, float(w.highest_at[member, row]))
    made = []
    for name, (kind, rating, unit) in rated.items():
        load, case, at = worst[name]
        by = "" if case.unit is None else case.unit.name if case.failure == OUT else f"{case.unit.name}.{case.failure}"
        made.append(Loading(name, kind, rating, unit, normal[name], load, by, case.away, at))
    return sorted(made, key=lambda each: -each.worst)


def _rated_by(w: Watched) -> str | None:
    """The rating that the load of a table's units is told by; None where they have none."""
    machine = w.table.machine
    carries = machine.serves or machine.source or machine.joins
    return next((name for name in ("rated_power", "ampacity") if carries and hasattr(machine, name)), None)


def shared(plant: Plant, left_out: frozenset[str]) -> list[Loading]:
    """Units that were not simulated at their own load: that of the whole plant with all consumers at rating."""
    if not left_out:
        return []
    load = nominal_loads(plant)
    made = []
    for name in plant.units:
        unit = plant.units[name]
        rating = unit.parameters.get("rated_power")
        if "/" in name or not rating:
            continue
        fraction = load[name] / rating
        made.append(Loading(name, unit.kind, rating, "W", fraction, fraction, "by ratings, not simulated", False))
    return sorted(made, key=lambda each: -each.worst)


def upkeep(contingencies: list[Contingency]) -> list[Upkeep]:
    """What each unit leaves behind when it is taken out for good while the grid is there."""
    return [
        Upkeep(each.unit, each.kind, each.after_stopped, each.after_unfed, each.after_over)
        for each in contingencies
        if each.failure == OUT and not each.away
    ]
