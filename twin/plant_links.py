"""Links: what GPUs talk over within a rack and beyond it, by ratings and fabrics; and who works communication out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twin import units as words
from twin.equipment import KINDS
from twin.faults import Fault
from twin.physics.collective import Links, exposed
from twin.physics.exchange import Exchange

WORKED_OUT = ("gradient_size", "exchange_size")
"""What a job tells to have its communication worked out."""
IN_VAIN = {
    "model_parallel": ("gradient_size",), "exchanges": ("exchange_size",), "expert_parallel": ("exchange_size",),
    "overlap": WORKED_OUT, "fabric_latency": WORKED_OUT, "nvlink_latency": WORKED_OUT,
}  # fmt: skip
"""What a job tells of its communication in vain without one of these."""
WHOLE = {
    "job": ("model_parallel", "exchanges", "expert_parallel"), "service": ("kv_ports", "exchanges", "expert_parallel"),
    "pool": ("replica_racks",),
}  # fmt: skip
"""Numbers that are whole, by kind."""
OF_EXCHANGE = ("exchanges", "expert_parallel", "overlap", "fabric_latency", "prefill_chunk")
"""What a service tells in vain without an expert_exchange."""
READS = {"prefill": "reads a token", "decode": "writes a token"}
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
    """Pools that read prompts of a service and send their KV caches elsewhere: all but one that answers it alone."""
    phases = plant.served[name]
    return [pool for pool in phases["prefill"] if phases["decode"] != [pool]]


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
        if wrong := _unlike(rack, links, racks[0], first, max(count, links.gpus / links.domain)):
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


def beside(plant: Any) -> dict[str, list[str]]:
    """Racks that hold the models of their pool together with others -> all of that replica, themselves too."""
    found = {}
    for name, racks in plant.pools.items():
        unit = plant.units.get(name)
        size = int(unit.parameters.get("replica_racks", 1.0)) if unit is not None and unit.kind == "pool" else 1
        for place, rack in enumerate(racks) if size > 1 else ():
            first = place // size * size
            found[rack] = racks[first : first + size]
    return found


def replicas(plant: Any) -> Iterator[Fault]:
    """Every pool has whole replicas, of racks alike."""
    for unit in plant.of_kind("pool"):
        yield from (broken := list(_broken(unit)))
        size, racks = unit.parameters.get("replica_racks", 1.0), plant.pools.get(unit.name, [])
        if broken or size <= 1 or not racks or not all(_works(plant, rack) for rack in racks):
            continue
        if len(racks) % size:
            text = f"{unit.name} has {len(racks)} racks, and replicas of {size:g}"
            yield Fault(unit.where, f"{text}; racks for whole replicas are wanted")
        gpus = {rack: plant.units[rack].parameters["gpu_count"] for rack in racks}
        if odd := [rack for rack in racks if gpus[rack] != gpus[racks[0]]]:
            text = f"{unit.name} has replicas of {size:g} racks, but {racks[0]} and {odd[0]} differ in their GPUs"
            yield Fault(unit.where, f"{text}; racks alike are wanted")


def exchanging_services(plant: Any) -> Iterator[Fault]:
    """Every service whose GPUs exchange for their experts has the links for it, and time."""
    for unit in plant.of_kind("service"):
        if not unit.parameters.get("expert_exchange", 0.0):
            if vain := [key for key in OF_EXCHANGE if key in unit.parameters]:
                text = f"{unit.name} tells {vain[0]}, which does nothing without expert_exchange"
                yield Fault(unit.where, f"{text}; tell its size, or leave {vain[0]} out")
        elif unit.parameters.get("exposed_communication", 0.0):
            text = (
                f"{unit.name} tells exposed_communication and expert_exchange: its communication is told or worked out"
            )
            yield Fault(unit.where, f"{text}; one of them is wanted")
        elif unit.is_whole and unit.name in plant.served:
            yield from _exchanges(plant, unit)


def _exchanges(plant: Any, unit: Any) -> Iterator[Fault]:
    """What keeps a service from exchanging what it says in one of its pools."""
    made = unit.machine()
    for phase, does in READS.items():
        said: Exchange = made.exchange(phase)
        for pool in plant.served[unit.name][phase]:
            racks = plant.pools.get(pool, [])
            if not racks or pool not in plant.units or not all(_works(plant, rack) for rack in racks):
                continue
            known, size = links_of(plant, racks), plant.units[pool].parameters.get("replica_racks", 1.0)
            gpus = size * known[racks[0]].gpus
            domains, _ = said.groups(known[racks[0]], gpus)
            told = (_unlike(rack, links, racks[0], known[racks[0]], float(domains)) for rack, links in known.items())
            if wrong := next(filter(None, told), ""):
                yield Fault(unit.where, f"{unit.name} has its communication worked out, but {wrong}")
                return
            if made.expert_parallel > gpus:
                text = f"{unit.name}: experts exchange among {made.expert_parallel:g} GPUs, and a replica of {pool} has"
                yield Fault(unit.where, f"{text} {gpus:g}; fewer are wanted")
                return
            if wrong := _astride(made.expert_parallel, known[racks[0]].domain):
                yield Fault(unit.where, f"{unit.name}: experts exchange among {wrong}")
                return
            talk = float(said.communication(usable(known[racks[0]]), gpus))
            computes = float(said.computing(talk))
            if computes <= 0 or float(said.waits(computes, talk)) > MOST / said.rate:
                times = words.show(talk, "s"), words.show(1.0 / said.rate, "s")
                text = f"{unit.name} exchanges for {times[0]} where a GPU of {pool} {does} in {times[1]}"
                key = "prefill_rate" if phase == "prefill" else "decode_rate"
                yield Fault(unit.where, f"{text} with all bandwidth; a lower {key} or less to exchange is wanted")
                return


def _unlike(rack: str, links: Links, first: str, alike: Links, domains: float) -> str:
    """What a rack lacks, "" if nothing; domains: of NVLink that its job or model spans."""
    if not links.inside:
        return f'{rack} does not tell its NVLink; nvlink_rate, e.g. "7200 Gbit/s", is wanted'
    if not links.outside and domains > 1:
        return f'{rack} stands in no fabric; a fabric, or its port_rate, e.g. "800 Gbit/s", is wanted'
    if links != alike:
        return f"{first} and {rack} differ in their GPUs or in what these talk over; racks alike are wanted"
    return ""


def _astride(size: float, domain: float) -> str:
    """What is wrong with groups of neighbours that stand in domains of NVLink each in its own way, "" if nothing."""
    if size % domain == 0 or domain % size == 0:
        return ""
    return f"{size:g} GPUs, and {domain:g} have NVLink to each other; a part or a multiple of these is wanted"


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
    if wrong := _astride(job.expert_parallel, links.domain):
        yield Fault(unit.where, f"{unit.name}: experts exchange among {wrong}")
        return
    talk = float(job.communicating(float(count), usable(links)))
    computes = float(job.computing(job.step_time, talk))
    waits = float(exposed(talk, computes, job.overlap))
    if computes <= 0 or waits > MOST * job.step_time:
        text = f"{unit.name} sends for {words.show(talk, 's')} in an iteration of {words.show(job.step_time, 's')}"
        yield Fault(unit.where, f"{text} with all bandwidth; a longer step_time or less of it is wanted")
