"""What makes work possible: racks that stand in rooms, pools of them, services with pools to use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.equipment import KINDS
from twin.faults import Fault, a_kind, near
from twin.plant_links import exchanging_services, handing_services, replicas, talking_jobs

STORED = {"job": ("checkpoint_size", "step_data"), "pool": ("weights",)}
"""What a kind keeps on a storage system, the first of it always."""
SUMS = ("all", "event", "nobody", "total", "unallocated")
"""What accounts and tokens of a report are told under, beside services and jobs."""
PHASES = {"prefill": "read its prompts", "decode": "write its answers"}


def dangling_work(plant: Any) -> Iterator[Fault]:
    """Every pool has racks of its own, every service pools for both phases."""
    yield from _pools(plant)
    yield from _services(plant)
    yield from _stores(plant)
    yield from _numbers(plant)
    yield from talking_jobs(plant)
    yield from handing_services(plant)
    yield from replicas(plant)
    yield from exchanging_services(plant)


def _numbers(plant: Any) -> Iterator[Fault]:
    """Names are none of sums, priorities are whole, and checkpoints take less than the work between them."""
    for unit in plant.of_kind("service") + plant.of_kind("job"):
        if unit.name in SUMS:
            text = f"{unit.name} is what reports call a sum of services and jobs; another name is wanted"
            yield Fault(unit.where, text)
    for unit in plant.of_kind("service"):
        priority = float(unit.parameters.get("priority", 1.0))
        if not priority.is_integer():
            yield Fault(
                unit.where, f"{unit.name} has priority {priority:g}; a whole number is wanted: 1, then 2 and so on"
            )
    for unit in plant.of_kind("job"):
        if not unit.is_whole:
            continue
        made = unit.machine()
        if made.checkpoint_interval < made.checkpoint_time:
            times = f"{made.checkpoint_interval:g} s between checkpoints that take {made.checkpoint_time:g} s"
            yield Fault(unit.where, f"{unit.name} works {times}: it saves more than it works", warning=True)


def _pools(plant: Any) -> Iterator[Fault]:
    racks = [unit.name for unit in plant.units.values() if KINDS[unit.kind].is_work]
    home: dict[str, str] = {}
    for pool, members in plant.pools.items():
        unit = plant.units[pool]
        if unit.kind not in ("pool", "job"):
            text = f"{pool} names racks, but {a_kind(unit.kind)} is no pool and no job; leave racks out"
            yield Fault(unit.where, text)
            continue
        for rack in members:
            if rack not in plant.units:
                yield Fault(unit.where, f"{pool} names {rack}, which is not a unit{near(rack, racks)}")
            elif rack not in racks:
                yield Fault(
                    unit.where,
                    f"{pool} names {rack}, but {a_kind(plant.units[rack].kind)} does no work; racks are wanted",
                )
            elif rack in home:
                twice = "twice" if home[rack] == pool else f"and {home[rack]} too"
                yield Fault(unit.where, f"{pool} names {rack} {twice}; a rack stands in one pool or job, once")
            home.setdefault(rack, pool)
    for unit in plant.of_kind("pool") + plant.of_kind("job"):
        if unit.name in plant.scheduled:
            continue
        if not plant.pools.get(unit.name):
            yield Fault(unit.where, f"{unit.name} has no racks; racks: rack-01..04 is wanted")
        elif not float(unit.parameters.get("spares", 0.0)).is_integer():
            yield Fault(unit.where, f"{unit.name} has {unit.parameters['spares']:g} spares; whole racks are wanted")
        elif (spares := unit.parameters.get("spares", 0.0)) >= (count := len(plant.pools[unit.name])):
            text = f"{unit.name} has {spares:g} spare{'s' * (spares > 1)} among {count} rack{'s' * (count > 1)}"
            yield Fault(unit.where, f"{text}; fewer are wanted")


def _services(plant: Any) -> Iterator[Fault]:
    pools = [unit.name for unit in plant.of_kind("pool")]
    for service, phases in plant.served.items():
        unit = plant.units[service]
        if unit.kind != "service":
            yield Fault(unit.where, f"{service} names pools, but {a_kind(unit.kind)} is no service; leave pools out")
            continue
        said: set[str] = set()
        for names in phases.values():
            for pool in names:
                if pool not in pools and pool not in said:
                    what = a_kind(plant.units[pool].kind) if pool in plant.units else "not a unit"
                    yield Fault(
                        unit.where, f"{service} uses {pool}, which is {what}; a pool is wanted{near(pool, pools)}"
                    )
                elif names.count(pool) > 1 and pool not in said:
                    yield Fault(unit.where, f"{service} names {pool} twice; once is wanted")
                said.add(pool)
    for unit in plant.of_kind("service"):
        for phase, does in PHASES.items():
            if not plant.served.get(unit.name, {}).get(phase):
                text = f'{unit.name} has no pool to {does}; "pools: NAME", or "{phase}: NAME", is wanted'
                yield Fault(unit.where, text)


def _stores(plant: Any) -> Iterator[Fault]:
    """Every unit that names a storage system has one, and something to keep there."""
    for unit in plant.units.values():
        if unit.kind in STORED or unit.name in plant.stores:
            yield from faults_of_stores(plant, unit, plant.stores.get(unit.name))


def faults_of_stores(plant: Any, unit: Any, systems: list[str] | None) -> Iterator[Fault]:
    """What is wrong with the storage systems that a unit names, None where it names none."""
    said, known = STORED.get(unit.kind, ()), [each.name for each in plant.of_kind("storage_system")]
    kept = [key for key in said if unit.parameters.get(key, 0.0) > 0]
    if systems is None:
        if kept:
            yield Fault(unit.where, f"{unit.name} says {kept[0]} but no storage system; storage: NAME is wanted")
    elif not said:
        text = f"{unit.name} names a storage system, but {a_kind(unit.kind)} is no {' and no '.join(STORED)}"
        yield Fault(unit.where, f"{text}; leave storage out")
    elif len(systems) != 1:
        yield Fault(unit.where, f"{unit.name} names {len(systems)} storage systems; one is wanted")
    elif systems[0] not in known:
        what = a_kind(plant.units[systems[0]].kind) if systems[0] in plant.units else "not a unit"
        advice = near(systems[0], known)
        yield Fault(unit.where, f"{unit.name} uses {systems[0]}, which is {what}; a storage system is wanted{advice}")
    elif said[0] not in kept:
        does = "saves" if unit.kind == "job" else "reads"
        yield Fault(unit.where, f'{unit.name} {does} nothing on {systems[0]}; {said[0]}, e.g. "2 TB", is wanted')


def racks_without_room(plant: Any) -> Iterator[Fault]:
    """A rack gives part of its heat to a room."""
    for unit in plant.units.values():
        said = unit.parameters
        by_shelves = said.get("shelf_count", 0.0) * said.get("shelf_air_share", 1.0)
        made = KINDS[unit.kind]
        warms = not made.streams or said.get("air_fraction", 0.0) + by_shelves > 0
        if made.is_work and unit.zone is None and warms:
            yield Fault(unit.where, f"{unit.name} gives heat to the air but stands in no zone; zone: NAME is wanted")
