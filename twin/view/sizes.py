"""Sizes: the ground a unit of each kind takes, and in which room or yard it belongs. No mesh here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.equipment import KINDS
from twin.plant import Unit

HALL, WALL, ELECTRICAL, POWER_YARD, COOLING_YARD, NOWHERE = (
    "hall",
    "wall",
    "electrical",
    "power yard",
    "cooling yard",
    "nowhere",
)


@dataclass(frozen=True)
class Footprint:
    """Width along x, depth along y and height [m] of a machine at its reference rating."""

    width: float
    depth: float
    height: float
    place: str
    rating: str = ""
    reference: float = 0.0


FOOTPRINTS = {
    "rack": Footprint(0.6, 1.2, 2.3, HALL),
    "air_rack": Footprint(0.6, 1.2, 2.3, HALL),
    "cdu": Footprint(1.0, 1.2, 2.2, HALL),
    "fan_wall": Footprint(2.6, 1.1, 3.0, WALL),
    "ups": Footprint(3.0, 1.0, 2.0, ELECTRICAL, "rated_power", 2.0e6),
    "rectifier": Footprint(3.0, 1.0, 2.1, ELECTRICAL, "rated_power", 2.0e6),
    "busway": Footprint(2.4, 0.4, 0.5, ELECTRICAL),
    "pdu": Footprint(1.8, 1.0, 2.1, ELECTRICAL, "rated_power", 2.0e6),
    "bus": Footprint(3.0, 1.2, 2.3, ELECTRICAL),
    "ats": Footprint(1.4, 1.2, 2.3, ELECTRICAL),
    "sts": Footprint(1.2, 0.9, 2.0, ELECTRICAL),
    "breaker": Footprint(0.9, 1.2, 2.3, ELECTRICAL),
    "load": Footprint(1.2, 1.0, 2.1, ELECTRICAL),
    "storage_system": Footprint(0.6, 1.2, 2.3, ELECTRICAL),
    "switch": Footprint(0.6, 1.2, 2.3, ELECTRICAL),
    "cable": Footprint(0.6, 0.6, 1.2, ELECTRICAL),
    "capacitor": Footprint(1.2, 1.2, 2.2, ELECTRICAL),
    "tie": Footprint(0.9, 1.2, 2.3, ELECTRICAL),
    "transformer": Footprint(2.6, 1.8, 2.3, ELECTRICAL, "rated_power", 3.0e6),
    "generator": Footprint(12.0, 3.2, 3.6, POWER_YARD, "rated_power", 3.0e6),
    "bess": Footprint(9.0, 2.4, 2.9, POWER_YARD, "rated_power", 2.5e6),
    "utility": Footprint(4.2, 4.2, 5.6, POWER_YARD),
    "chiller": Footprint(2.3, 7.5, 2.5, COOLING_YARD, "cooling_capacity", 1.5e6),
    "dry_cooler": Footprint(2.4, 9.0, 2.6, COOLING_YARD),
    "cooling_tower": Footprint(3.6, 3.6, 4.2, COOLING_YARD),
    "water_cooled_chiller": Footprint(2.4, 6.0, 2.8, COOLING_YARD, "cooling_capacity", 3.0e6),
    "adiabatic_cooler": Footprint(2.6, 9.0, 3.0, COOLING_YARD),
    "heat_exchanger": Footprint(1.2, 2.4, 2.4, COOLING_YARD),
    "heat_sink": Footprint(1.2, 2.4, 2.0, COOLING_YARD),
    "sequencer": Footprint(0.8, 0.4, 2.0, ELECTRICAL),
    "control_panel": Footprint(0.8, 0.4, 2.0, ELECTRICAL),
    "pipe": Footprint(0.5, 2.4, 0.7, COOLING_YARD),
    "valve": Footprint(0.6, 0.8, 0.9, COOLING_YARD),
    "check_valve": Footprint(0.5, 0.8, 0.6, COOLING_YARD),
    "strainer": Footprint(0.6, 1.0, 0.8, COOLING_YARD),
    "expansion_vessel": Footprint(1.2, 1.2, 2.2, COOLING_YARD),
    "quick_disconnect": Footprint(0.1, 0.1, 0.1, NOWHERE),
    "pump": Footprint(0.9, 1.8, 1.2, COOLING_YARD),
    "tank": Footprint(3.6, 3.6, 4.6, COOLING_YARD),
    "zone": Footprint(0.0, 0.0, 0.0, NOWHERE),
    "site": Footprint(0.0, 0.0, 0.0, NOWHERE),
    "pool": Footprint(0.0, 0.0, 0.0, NOWHERE),
    "job": Footprint(0.0, 0.0, 0.0, NOWHERE),
    "service": Footprint(0.0, 0.0, 0.0, NOWHERE),
}
"""Outlines rounded from makers' public data sheets; estimates, meant for pictures only."""


def footprint(kind: str) -> Footprint:
    """The outline of a kind; a kind without a row gets a plain cabinet where its ports belong."""
    if kind in FOOTPRINTS:
        return FOOTPRINTS[kind]
    made = KINDS.get(kind)
    if made is None or not (made.feeds[1] or made.streams or made.source or made.serves):
        return Footprint(0.0, 0.0, 0.0, NOWHERE)
    if made.is_work:
        return Footprint(0.6, 1.2, 2.3, HALL)
    if made.source:
        return Footprint(3.0, 6.0, 3.0, POWER_YARD)
    if made.streams:
        return Footprint(2.0, 2.0, 2.2, COOLING_YARD)
    return Footprint(1.4, 1.2, 2.2, ELECTRICAL)


def place_of(unit: Unit) -> str:
    """Where a machine belongs; a transformer of a substation stands outdoors."""
    if unit.kind == "transformer" and unit.parameters.get("rated_power", 0.0) > 20e6:
        return POWER_YARD
    return footprint(unit.kind).place


def size_of(unit: Unit) -> tuple[float, float, float]:
    """Width, depth and height of one machine [m]; its long side grows with its rating."""
    outline = footprint(unit.kind)
    if unit.kind == "tank" and unit.parameters.get("volume", 0.0) > 0:
        across = min(max((unit.parameters["volume"] / 1.0) ** (1 / 3), 1.0), 14.0)  # a can 1.3 times as tall as wide
        return across, across, 1.3 * across
    rating = unit.parameters.get(outline.rating, 0.0)
    if not outline.rating or not rating > 0:
        return outline.width, outline.depth, outline.height
    if unit.kind == "transformer":
        larger = min(max((rating / outline.reference) ** 0.35, 0.6), 4.0)
        return larger * outline.width, larger * outline.depth, larger * outline.height
    stretch = min(max(math.sqrt(rating / outline.reference), 0.6), 1.5)
    if outline.width >= outline.depth:
        return outline.width * stretch, outline.depth, outline.height
    return outline.width, outline.depth * stretch, outline.height
