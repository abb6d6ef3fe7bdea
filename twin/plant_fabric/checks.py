"""What makes the fabrics of a plant sound: units that exist, ports enough, and a way between any two racks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx

from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault, a_kind, near
from twin.plant_fabric import Fabric


def fabric_faults(plant: Any) -> list[Fault]:
    """Every fault of a plant's fabrics, and what is doubtful about them."""
    found: list[Fault] = []
    known = True
    for fabric in plant.fabrics.values():
        ends = list(_ends(plant, fabric))
        known &= fabric.whole and not ends
        further = (_ports, _ways) if fabric.whole and not ends else ()
        found += ends or [fault for check in further for fault in check(plant, fabric)]
    if plant.fabrics:
        found += [*_shared(plant), *(_left_out(plant) if known else ())]
    return found


def _on_ports(plant: Any, name: str) -> bool:
    """Whether a unit can stand at the bottom of a fabric."""
    return name in plant.units and "bandwidth_share" in quantities(KINDS[plant.units[name].kind].Inputs)


def _forwards(plant: Any, name: str) -> bool:
    """Whether a unit can be a switch of a fabric."""
    return name in plant.units and "port_share" in quantities(KINDS[plant.units[name].kind].Outputs)


def _ends(plant: Any, fabric: Fabric) -> Iterator[Fault]:
    """Racks are racks, and switches switches."""
    for what, names, fits in (("rack", fabric.racks, _on_ports), ("switch", fabric.switches, _forwards)):
        for name in names:
            if not fits(plant, name):
                found = a_kind(plant.units[name].kind) if name in plant.units else "not a unit"
                advice = near(name, plant.units) if name not in plant.units else ""
                text = f"fabric {fabric.name} names {name}, which is {found}; a {what} is wanted{advice}"
                yield Fault(fabric.where, text)


def _ports(plant: Any, fabric: Fabric) -> Iterator[Fault]:
    """No switch has more links than ports."""
    for name, used in fabric.ports_used().items():
        built = plant.units[name].parameters.get("ports", 0)
        if name in fabric.switches and 0 < built < used:
            yield Fault(fabric.where, f"{name} has {built:g} ports, and fabric {fabric.name} links {used} of them")


def _ways(plant: Any, fabric: Fabric) -> Iterator[Fault]:
    """From every rack a way leads to every other."""
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(fabric.racks)
    graph.add_edges_from((link.lower, link.upper) for link in fabric.links)
    for rack in fabric.racks:
        if graph.degree(rack) == 0:
            yield Fault(fabric.where, f"{rack} is on no rail of fabric {fabric.name}: no link leads to it")
    graph.remove_nodes_from([node for node in fabric.racks if graph.degree(node) == 0])
    parts = [sorted(set(fabric.racks) & part) for part in nx.connected_components(graph)]
    parts = [part for part in parts if part]
    if len(parts) > 1:
        text = f"no way leads from {parts[0][0]} to {parts[1][0]}; a switch that joins them is wanted"
        yield Fault(fabric.where, f"fabric {fabric.name} falls into {len(parts)} parts: {text}")


def _shared(plant: Any) -> Iterator[Fault]:
    """A unit stands in one fabric."""
    first: dict[str, str] = {}
    for fabric in plant.fabrics.values():
        for name in dict.fromkeys((*fabric.racks, *fabric.switches)):
            if first.setdefault(name, fabric.name) != fabric.name:
                yield Fault(
                    fabric.where, f"{name} stands in the fabrics {first[name]} and {fabric.name}; one is wanted"
                )


def _left_out(plant: Any) -> Iterator[Fault]:
    """Racks and switches in no fabric, where others are: doubtful."""
    inside = {name for fabric in plant.fabrics.values() for name in (*fabric.racks, *fabric.switches)}
    for fits in (_on_ports, _forwards):
        left = [name for name in plant.units if name not in inside and fits(plant, name)]
        if left:
            more = f" (nor are {len(left) - 1} more)" if len(left) > 1 else ""
            text = f"{left[0]} is in no fabric{more}; it loses no bandwidth, and takes none away"
            yield Fault(plant.units[left[0]].where, text, warning=True)
