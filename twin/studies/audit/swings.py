"""Swings: what a training job that breathes does to the generators while they bear the plant alone."""

from __future__ import annotations

from twin.equipment import KINDS
from twin.plant import Plant
from twin.studies.swing import swing_check

BREATH = 0.6
"""Peak to trough of a synchronous job, of its peak; an estimate: troughs of 0.3 to 0.5 of the peak."""


def swings(plant: Plant) -> tuple[str, ...]:
    """One sentence for each sort of generator: the worst of 0.2 to 3 Hz, all racks swinging together on all sets."""
    sets = [unit for unit in plant.units.values() if unit.kind == "generator"]
    work = sum(unit.parameters.get("rated_power", 0.0) for unit in plant.units.values() if KINDS[unit.kind].is_work)
    rated = sum(unit.parameters["rated_power"] for unit in sets)
    if not sets or not work or not rated:
        return ()
    found = {}
    for unit in sets:
        share = unit.parameters["rated_power"] / rated
        answers = swing_check(unit.machine(), 0.5 * BREATH * work * share, mean_load=min(work / rated, 1.0))
        worst = max(answers, key=lambda each: each.frequency)
        verdict = "within" if all(each.within for each in answers) else "BEYOND"
        name = unit.like or unit.kind
        found[name] = (
            f"{name}: all racks swinging by {100 * BREATH:.0f} % move its frequency by ±{worst.frequency:.2g} Hz "
            f"and its voltage by ±{100 * max(each.voltage for each in answers):.2g} %, worst at {worst.at:g} Hz: "
            f"{verdict} the steady band of ISO 8528-5 class G3"
        )
    return tuple(found.values())
