"""Cut sets: the failures, alone or two at once, that do harm by themselves and of which none can be left out."""

from __future__ import annotations

from dataclasses import dataclass

from twin.equipment import KINDS
from twin.studies.sweep.found import Sweep, normals
from twin.studies.sweep.outcome import Outcome, names_of, parted, world_of


@dataclass(frozen=True)
class Cut:
    """Failures that do harm together, and how many cases are alike with them."""

    failures: tuple[str, ...]
    outcome: Outcome
    count: int


def breaks(each: Outcome, normal: Outcome | None) -> bool:
    """Whether a case does harm, against the world in which nothing fails.

    It does where it could not be run; where racks stop beyond those that fail themselves; or where a criterion fails
    that holds otherwise, be it only for the failed rack itself: what is promised is broken. Where that world could not
    be run, all criteria count as held in it. Racks that only go slower (that brake because one of their feeds is lost)
    do none, unless a criterion says so.
    """
    if each.fault or each.racks_lost > own_racks(each):
        return True
    before = normal.passed if normal is not None and not normal.fault else (1,) * len(each.passed)
    return any(now == 0 and was != 0 for now, was in zip(each.passed, before, strict=True))


def own_racks(each: Outcome) -> int:
    """Racks that fail themselves, of every kind whose power is work."""
    pairs = zip(each.units.split(" + "), each.kinds.split(" + "), strict=True)
    return len({unit for unit, kind in pairs if kind in KINDS and KINDS[kind].is_work})


def cut_sets(found: Sweep) -> list[Cut]:
    """All minimal cut sets of order 1 and 2, those of order 1 first, then by harm.

    A pair is minimal where neither of its failures does harm alone, under the same start, moment and draw.
    """
    normal = normals(found.outcomes)
    harm: dict[str, bool] = {}
    for each in found.cases:
        if " + " not in each.units:
            harm |= dict.fromkeys(names_of(each), breaks(each, normal.get(world_of(each))))
    made = []
    for each in found.ranked():
        fails, rest = parted(each.case)
        if not breaks(each, normal.get(world_of(each))):
            continue
        alone = [harm.get(f"{one}, {rest}" if rest else one, False) for one in fails]
        if len(fails) == 1 or not any(alone):
            made.append(Cut(fails, each, each.stands_for))
    return sorted(made, key=lambda cut: len(cut.failures))
