"""Stages: what a rack is about that neither works nor fails: it starts, runs off, or waits for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twin.physics.startup import STAGES
from twin.plant import Plant
from twin.plant_links import beside

DRAINING, TURN = "draining", "waiting for its turn"
SAID = {
    STAGES["soft_start"]: "in soft start",
    STAGES["boot"]: "booting",
    STAGES["check"]: "checking its fabric",
    STAGES["draining"]: DRAINING,
}
"""Stage of a rack -> the word for it."""
RESTARTING, RAMPING = "restarting", "ramping up"
"""A machine of the cooling that may run again: before its restart is over, and from first cooling to full."""
LEAST_HEAT = 1.0
"""Heat [W] from which a machine cools."""
AT_WORK = frozenset({DRAINING, "its pool reads weights", "waiting for storage"})
"""Words under which a rack still does some work."""
OF_JOBS = (
    ("stopped", "its job has stopped"),
    ("restarting", "its job restarts"),
    ("beginning", "its job starts"),
    ("starved", "waiting for storage"),
)
"""Flag of a job -> what is said of its racks, the first that stands."""

Value = Callable[[str, str], float | None]
"""A recorded quantity of a unit now, by the unit's and the quantity's name; None where there is none."""


def stage_of(unit: str, value: Value, fed: bool) -> str:
    """What stage a rack is in on its way up or down; nothing where it works, or stands without supply.

    `fed`: whether any of its feeds is live.
    """
    stage = value(unit, "stage")
    if (value(unit, "drained") or 0.0) > 0.5:
        return "drained"
    if stage == STAGES["off"]:
        return TURN if fed and (value(unit, "unpowered") or 0.0) > 0.5 else ""
    return "" if stage is None else SAID.get(stage, "")


def idle_with_others(plant: Plant, value: Value) -> Iterator[tuple[str, str]]:
    """Racks that do nothing, or less, because of those with whom they work: each with what is said of it."""
    for name, racks in plant.pools.items():
        kind = plant.units[name].kind if name in plant.units else ""
        said = ""
        if kind == "pool":
            lacks = (value(name, "unloaded") or 0.0) > 0.5
            crashed = (value(name, "crash") or 0.0) > 0.5
            said = "its pool has crashed" if crashed else "its pool reads weights" if lacks else ""
        elif kind == "job":
            said = next((word for flag, word in OF_JOBS if (value(name, flag) or 0.0) > 0.5), "")
        if said:
            yield from ((rack, said) for rack in racks)
    yield from _scheduled(plant, value)


def standing_with(plant: Plant, value: Value, works: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Racks that stand because one that holds their models with them does not work, or is cut off."""
    for rack, group in beside(plant).items():
        cut = any(value(each, "bandwidth_share") == 0.0 for each in group)
        if cut or not all(works(each) for each in group):
            yield rack, "its replica is not whole"


def _scheduled(plant: Plant, value: Value) -> Iterator[tuple[str, str]]:
    """Racks that a scheduler has given to jobs which stand."""
    jobs = list(plant.scheduled)
    racks = dict.fromkeys(rack for given in plant.scheduled.values() for rack in given)
    for rack in racks:
        number = int(value(rack, "job_number") or 0)
        if 0 < number <= len(jobs):
            said = next((word for flag, word in OF_JOBS if (value(jobs[number - 1], flag) or 0.0) > 0.5), "")
            if said:
                yield rack, said


def on_its_way(unit: str, value: Value) -> str:
    """What is said of a machine that stopped and may run again; nothing where it may not, or keeps no such time."""
    if not (value(unit, "run_clock") or 0.0) > 0.0:
        return ""
    return RAMPING if (value(unit, "heat") or 0.0) > LEAST_HEAT else RESTARTING
