"""Redundancy as built: units alike that carry one load, how many it needs, and what the plant calls that."""

from __future__ import annotations

import math
import re

from twin.equipment import KINDS
from twin.plant import Plant, Unit
from twin.report.words import count
from twin.studies.audit.found import OUT, Contingency, Group
from twin.studies.audit.graph import Wiring, families, work_called
from twin.studies.audit.judged import Seen

MOVES = 0.9
"""Share of a group's load that stays within it when one is out, from which it counts as carried together."""


def fulfils(named: str, built: int, needed: int, spare: int) -> bool:
    """Whether a group is what it is called: N+k has k spare, 2N twice what is needed, both what wiring can use."""
    spares = re.search(r"\+([0-9]+)", named)
    beyond = int(spares[1]) if spares else 0
    wanted = needed + beyond
    if named.startswith("2"):
        wanted = 2 * wanted if "(" in named else 2 * needed + beyond
    return built >= wanted and spare >= min(1, wanted - needed)


def groups(plant: Plant, found: list[Seen], contingencies: list[Contingency], left_out: frozenset[str]) -> list[Group]:
    """Every group of the power side that carries a load together, or that the plant names."""
    units = [unit for unit in Wiring(plant).power_side() if unit.name not in left_out and not KINDS[unit.kind].joins]
    rated = [unit for unit in units if unit.parameters.get("rated_power")]
    made = []
    for stem, alike in families(rated).items():
        named = _named(plant, stem, alike)
        if len({unit.parameters["rated_power"] for unit in alike}) > 1 or (len(alike) < 2 and named is None):
            continue
        group = _group(stem, alike, named, found, contingencies, work_called(plant))
        if group is not None:
            made.append(group)
    return made


def _named(plant: Plant, stem: str, alike: list[Unit]) -> str | None:
    """What the plant calls a group: by its name, in a block or outside, or by its kind."""
    block, slash, _ = stem.rpartition("/")
    for name in (stem, f"{block}{slash}{alike[0].kind}", alike[0].kind):
        if name in plant.redundancy:
            return plant.redundancy[name]
    return None


def _group(
    stem: str,
    alike: list[Unit],
    named: str | None,
    found: list[Seen],
    contingencies: list[Contingency],
    work: str,
) -> Group | None:
    names = [unit.name for unit in alike]
    kind, rating = alike[0].kind, alike[0].parameters["rated_power"]
    on_grid = _load(found, names, False)
    with_away = _load(found, names, True)
    away = with_away > on_grid + 1e-6 * rating
    load = max(on_grid, with_away)
    if load < 1e-3 * rating:
        return None
    if named is None and not _together(found, names, away, load):
        return None
    needed = max(1, math.ceil(load / rating - 1e-9))
    because = _because(names, away, contingencies, work)
    trial = Group(stem, kind, tuple(names), rating, load, needed, not because, because, named, None, away)
    good = None if named is None else fulfils(named, trial.built, needed, trial.spare)
    return Group(stem, kind, tuple(names), rating, load, needed, not because, because, named, good, away)


def _load(found: list[Seen], names: list[str], away: bool, unit: str | None = None) -> float:
    """Power that some units carry together [W], with none, or one unit, out.

    With the grid away the highest of each is taken: generators bear the recharge of batteries too, in its turn.
    """
    total = 0.0
    for case, seen, member in found:
        same = case.away == away and (case.unit.name if case.unit else None) == unit and case.failure in ("", OUT)
        if not same:
            continue
        for w in seen:
            for row, name in enumerate(w.table.names):
                if name in names:
                    fraction = w.highest[member, row] if away else w.settled[member, row]
                    total += float(fraction) * float(w.table.machine.rated_power[0, row])  # type: ignore[attr-defined]
        return total
    return 0.0


def _together(found: list[Seen], names: list[str], away: bool, load: float) -> bool:
    """Whether the others take over what one of them carried."""
    return len(names) > 1 and _load(found, names, away, names[0]) >= MOVES * load


def _because(names: list[str], away: bool, contingencies: list[Contingency], work: str) -> str:
    """Why the group cannot do without one of its own: the first that shows it; "" where it can."""
    for each in contingencies:
        if each.unit not in names or each.failure != OUT or each.away != away:
            continue
        if each.stops:
            return f"without {each.unit} {count(len(each.stops), f'{work} stops', f'{work}s stop')}"
        if each.after_over:
            return f"without {each.unit} {each.after_over[0]} passes its rating"
    return ""
