"""Links: what GPUs talk over within a rack and beyond it, by ratings and fabrics; and who works communication out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twin import units as words
from twin.equipment import KINDS
from twin.faults import Fault
from twin.physics.collective import Links, exposed

WORKED_OUT = ("gradient_size", "exchange_size")
"""What a job tells to have its communication worked out."""
IN_VAIN = {
    "model_parallel": ("gradient_size",), "exchanges": ("exchange_size",), "expert_parallel": ("exchange_size",),
    "overlap": WORKED_OUT, "fabric_latency": WORKED_OUT, "nvlink_latency": WORKED_OUT,
}  # fmt: skip
"""What a job tells of its communication in vain without one of these."""
WHOLE = {"job": ("model_parallel", "exchanges", "expert_parallel"), "service": ("kv_ports",)}
"""Numbers that are whole, by kind."""
MOST = 0.9
"""Share of an iteration that may wait for the network with all bandwidth: as much as a job may tell."""


def port_rates(plant: Any) -> dict[str, float]:
    """Bandwidth of a GPU to other racks in one direction [bit/s], by rack that stands in a fabric or tells it.

    That of the rack's links in its fabric, dealt to its GPUs; no more than the rack's `port_rate`, where it tells one.
    """
    rates: dict[str, float] = {}
    for fabric in plant.fabrics.values():
        inside = set(fabric.racks)
        for link in fabric.links:
            if link.lower in inside:
                rates[link.lower] = rates.get(link.lower, 0.0) + link.ports * fabric.rate
    found = {
        name: rate / plant.units[name].parameters["gpu_count"] for name, rate in rates.items() if _works(plant, name)
    }
    for unit in plant.units.values():
        if own := unit.parameters.get("port_rate", 0.0):
            found[unit.name] = min(own, found.get(unit.name, own))
    return found


def sending(plant: Any, name: str) -> list[str]:
    """Pools that read prompts of a service and send their KV caches elsewhere: all but the first that answers it."""
    phases = plant.served[name]
    return [pool for pool in phases["prefill"] if pool not in phases["decode"][:1]]


def links_of(plant: Any, racks: Iterable[str]) -> dict[str, Links]:
    """The links of the GPUs of some racks, rates in bit/s: 0 where none is told; of one GPU alone NVLink has any."""
    rates, found = port_rates(plant), {}
    for name in racks:
        said = plant.units[name].parameters
        gpus = float(said["gpu_count"])
        domain = min(said.get("nvlink_domain", 0.0) or gpus, gpus)
        inside = said.get("nvlink_rate", 0.0) if domain > 1 else 1.0
        found[name] = Links(gpus, domain, inside, rates.get(name, 0.0))
    return found


def usable(links: Links) -> Links:
    """The same with some rate where none is told, for those that send nothing over it."""
    return links._replace(inside=links.inside or 1.0, outside=links.outside or 1.0)


def talks(unit: Any) -> bool:
    """Whether a job has its communication worked out."""
    return any(unit.parameters.get(key, 0.0) > 0 for key in WORKED_OUT)


def talking_jobs(plant: Any) -> Iterator[Fault]:
    """Every job with racks of its own that has its communication worked out can have it so."""
    for unit in plant.of_kind("job"):
        racks = plant.pools.get(unit.name, [])
        if unit.name not in plant.scheduled and all(_works(plant, rack) for rack in racks):
            yield from faults_of_talk(plant, unit, racks, len(racks))


def _works(plant: Any, rack: str) -> bool:
    """Whether a name is that of a rack."""
    return rack in plant.units and KINDS[plant.units[rack].kind].is_work and "gpu_count" in plant.units[rack].parameters


def faults_of_talk(plant: Any, unit: Any, racks: list[str], count: int) -> Iterator[Fault]:
    """What keeps a job from having its communication worked out.

    Args:
        racks: those that it may get; count: how many it asks for.
    """
    said = [key for key in WORKED_OUT if unit.parameters.get(key, 0.0) > 0]
    vain = [key for key, of in IN_VAIN.items() if key in unit.parameters and not set(of) & set(said)]
    if vain:
        text = f"{unit.name} tells {vain[0]}, which does nothing without {' or '.join(IN_VAIN[vain[0]])}"
        yield Fault(unit.where, f"{text}; tell its size, or leave {vain[0]} out")
        return
    if broken := list(_broken(unit)):
        yield from broken
        return
    if not said or not racks:
        return
    if "exposed_communication" in unit.parameters:
        text = f"{unit.name} tells exposed_communication and {said[0]}: its communication is told or worked out"
        yield Fault(unit.where, f"{text}; one of them is wanted")
        return
    if not all(fabric.whole for fabric in plant.fabrics.values()):
        return  # what its racks stand in is not known
    known = links_of(plant, racks)
    first = known[racks[0]]
    for rack, links in known.items():
        if wrong := _unlike(rack, links, racks[0], first, count):
            yield Fault(unit.where, f"{unit.name} has its communication worked out, but {wrong}")
            return
    yield from _too_much(unit, first, count)


def _broken(unit: Any) -> Iterator[Fault]:
    """Numbers that are not whole."""
    for key in WHOLE[unit.kind]:
        if not float(found := unit.parameters.get(key, 0.0)).is_integer():
            yield Fault(unit.where, f"{unit.name} has {key} {found:g}; a whole number is wanted")


def handing_services(plant: Any) -> Iterator[Fault]:
    """Every service that hands KV caches over has the ports for it."""
    for unit in plant.of_kind("service"):
        yield from _broken(unit)
        phases = plant.served.get(unit.name, {})
        if not unit.parameters.get("kv_cache", 0.0) or not all(phases.get(key) for key in ("prefill", "decode")):
            continue
        sides = sending(plant, unit.name), phases["decode"]
        racks = {pool: plant.pools.get(pool, []) for side in sides for pool in side}
        if not sides[0] or not all(_works(plant, rack) for side in racks.values() for rack in side):
            continue
        gpus = {pool: sum(plant.units[rack].parameters["gpu_count"] for rack in of) for pool, of in racks.items()}
        least = min(gpus, key=lambda pool: gpus[pool])
        if (ports := unit.parameters.get("kv_ports", 1.0)) > gpus[least] > 0:
            text = f"{unit.name} sends a KV cache over the ports of {ports:g} GPUs, and {least} has {gpus[least]:g}"
            yield Fault(unit.where, f"{text}; fewer kv_ports are wanted")
        sure = all(fabric.whole for fabric in plant.fabrics.values())
        if sure and port_rates(plant).keys().isdisjoint(rack for of in racks.values() for rack in of):
            text = f"{unit.name} has a kv_cache, but none of its racks stands in a fabric or tells its port_rate"
            yield Fault(unit.where, f"{text}: sending it takes no time", warning=True)


def _unlike(rack: str, links: Links, first: str, alike: Links, count: int) -> str:
    """What a rack lacks, "" if nothing."""
    if not links.inside:
        return f'{rack} does not tell its NVLink; nvlink_rate, e.g. "7200 Gbit/s", is wanted'
    if not links.outside and (count > 1 or links.domain < links.gpus):
        return f'{rack} stands in no fabric; a fabric, or its port_rate, e.g. "800 Gbit/s", is wanted'
    if links != alike:
        return f"{first} and {rack} differ in their GPUs or in what these talk over; racks alike are wanted"
    return ""


def _too_much(unit: Any, links: Links, count: int) -> Iterator[Fault]:
    """Groups larger than the gang, and more communication than an iteration has room for."""
    if not unit.is_whole:
        return
    job = unit.machine()
    for key, what in (("model_parallel", "one copy of its model"), ("expert_parallel", "one group of experts")):
        if (size := getattr(job, key)) > count * links.gpus:
            text = f"{unit.name}: {what} takes {size:g} GPUs, and its racks have {count * links.gpus:g}"
            yield Fault(unit.where, f"{text}; fewer are wanted")
            return
    talk = float(job.communicating(float(count), usable(links)))
    computes = float(job.computing(job.step_time, talk))
    waits = float(exposed(talk, computes, job.overlap))
    if computes <= 0 or waits > MOST * job.step_time:
        text = f"{unit.name} sends for {words.show(talk, 's')} in an iteration of {words.show(job.step_time, 's')}"
        yield Fault(unit.where, f"{text} with all bandwidth; a longer step_time or less of it is wanted")
