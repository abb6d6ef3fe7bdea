"""What the plant's own checks say of a document: each thing once, and nothing that only follows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from twin import plant_checks, plant_distribution
from twin.faults import Fault
from twin.plant import Plant
from twin.plant_fabric.checks import fabric_faults
from twin.scenario.part import Part


def plant_faults(plant: Plant, sound: bool, part: Part) -> list[Fault]:
    """The plant's own checks; where its units have faults already, those that need no ratings."""
    if sound:
        return plant.faults()
    by_rating = (
        plant_checks.ratings_cover_loads,
        plant_checks.own_ratings,
        plant_checks.die_limits,
        plant_distribution.taps_and_feeds_lost,
        plant_distribution.breaking_capacities,
    )
    checks = [each for each in plant_checks.FIRST + plant_checks.THEN if each not in by_rating]
    found: list[Fault] = []
    for each in checks:
        if each is plant_checks.THEN[0] and any(not fault.warning for fault in found):
            break
        found.extend(each(plant))
    found += fabric_faults(plant)
    return [fault for fault in found if not _follows(fault, part)]


def _follows(fault: Fault, part: Part) -> bool:
    """Whether a fault only follows from one that is told: of a unit, feed or rating that could not be read."""
    missed = re.search(r"([\w/-]+)(?:, which is not a unit| has no feeds)", fault.text)
    if missed is not None and (part.holes or missed[1].rpartition("/")[2] in part.lost):
        return True
    vain = re.search(r"([\w/-]+) tells \w+, which does nothing without ([\w ]+);", fault.text)
    if vain is not None and part.unread.get(vain[1], set()) & set(vain[2].split(" or ")):
        return True
    return re.search(r"names the stream [\w/-]+\., ", fault.text) is not None


def alike(faults: Iterable[Fault]) -> list[Fault]:
    """One fault for many that differ in numbers alone, so that a wrong range or block is told once."""
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((str(fault.where), re.sub(r"[0-9]+", "#", fault.text)), []).append(fault)
    return [
        replace(group[0], text=f"{group[0].text} (and {len(group) - 1} more like it)") if len(group) > 1 else group[0]
        for group in groups.values()
    ]
