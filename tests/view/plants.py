"""Plants made of other plants."""

from __future__ import annotations

from twin.plant import Element, Loop, Plant, Unit


def copies(plant: Plant, count: int) -> Plant:
    """A campus of the same plant, `count` times under the prefixes h001, h002, ..."""
    campus = Plant()
    campus.add(Unit("line", "utility", {"rated_power": 1e9}))
    for number in range(1, count + 1):
        for unit in plant.units.values():
            if unit.kind not in ("site", "utility"):
                zone = unit.zone and f"h{number:03d}/{unit.zone}"
                campus.add(Unit(f"h{number:03d}/{unit.name}", unit.kind, unit.parameters, zone=zone))
        for loop in plant.loops.values():
            moved = {
                key: [[Element(f"h{number:03d}/{e.unit}", e.stream) for e in branch] for branch in getattr(loop, key)]
                for key in ("plant", "loads")
            }
            storage = loop.storage and f"h{number:03d}/{loop.storage}"
            campus.add_loop(Loop(f"h{number:03d}/{loop.name}", loop.fluid, storage=storage, **moved))
    return campus
