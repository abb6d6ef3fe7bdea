"""Assumptions: what a result rests on - the catalogue's estimates, the kinds' defaults, physics left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twin import assets
from twin.equipment import KINDS
from twin.faults import Where
from twin.plant import Unit
from twin.report.story import Story, said_of
from twin.report.words import kinds, pretty, say, words
from twin.scenario.catalog import Catalog, Record
from twin.scenario.document import Documents

CURVE = re.compile(r"_c\d$")
"""Coefficients of a performance map: numbers of one measurement, not assumptions one by one."""
KNOWN_BY = {"E": "estimate", "M": "textbook, unverified"}


@dataclass(frozen=True)
class Estimates:
    """The values of one catalogue record that no public document states, and the units that use them."""

    record: str
    units: list[str]
    rows: list[list[str]]
    """Quantity, value, how it is known, source."""


def estimates(story: Story) -> list[Estimates]:
    """Values marked E or M in the catalogue that units of this plant really use, and nobody replaced."""
    used: dict[str, list[Unit]] = {}
    for unit in story.plant.units.values():
        if unit.like:
            used.setdefault(unit.like, []).append(unit)
    found = []
    for name, record in _records(list(used)).items():
        rows = [
            [words(quantity), pretty(entry.text), KNOWN_BY.get(entry.mark, entry.mark), entry.source]
            for quantity, entry in record.values.items()
            if entry.estimate and any(unit.parameters.get(quantity) == entry.value for unit in used[name])
        ]
        if rows:
            found.append(Estimates(record.title, [unit.name for unit in used[name]], rows))
    return found


def _records(wanted: list[str]) -> dict[str, Record]:
    """The catalogue's records by name; one that is no longer there, or no longer reads, is left out."""
    try:
        folder = assets.assets_folder() / "catalog"
    except FileNotFoundError:
        return {}
    if not folder.is_dir():
        return {}
    catalog = Catalog(Documents())
    records = {name: catalog.find(name, Where(name, 1)) for name in wanted if name in catalog.known}
    return {name: record for name, record in records.items() if record is not None}


def defaults(story: Story) -> list[list[str]]:
    """For each kind, the ratings that its units did not state and took from the kind: kind, quantities."""
    rows = []
    for kind in dict.fromkeys(unit.kind for unit in story.plant.units.values()):
        units = story.plant.of_kind(kind)
        taken = [
            f"{words(name)} {say(said.default, said.unit)}"
            for name, said in said_of(kind, "parameters").items()
            if said.default is not None
            and not CURVE.search(name)
            and any(name not in unit.parameters for unit in units)
        ]
        if taken:
            rows.append([kinds(kind, 2), ", ".join(taken)])
    return rows


def left_out(story: Story) -> list[list[str]]:
    """For each kind, what its own description says it leaves out: kind, sentences."""
    rows = []
    for kind in dict.fromkeys(unit.kind for unit in story.plant.units.values()):
        told = re.sub(r"`(\w+)`", lambda found: words(found[1]), " ".join((KINDS[kind].__doc__ or "").split()))
        sentences = [each for each in re.split(r"(?<=[.])\s+", told) if "left out" in each]
        if sentences:
            rows.append([kinds(kind, 2), " ".join(sentences)])
    return rows
