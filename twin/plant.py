"""The plant: a networkx graph of units and connections, for people; `plant_checks` says whether it can be built."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

import networkx as nx

from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault, Where
from twin.plant_checks import every_fault
from twin.plant_fabric import Fabric
from twin.plant_fabric.checks import fabric_faults

__all__ = ["Element", "Fault", "Loop", "Plant", "SignalLine", "Unit", "Where"]


@dataclass
class Unit:
    """One machine: its kind, its ratings and normal settings (Inputs) in SI, and where it stands."""

    name: str
    kind: str
    parameters: dict[str, float] = field(default_factory=dict)
    zone: str | None = None
    like: str | None = None
    at: tuple[float, float, float] | None = None
    where: Where | None = None
    settings: dict[str, float] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether every rating that has no default is told; one that is not is a fault of its own."""
        said = quantities(KINDS[self.kind])
        return all(name in self.parameters for name, each in said.items() if each.default is None)

    def machine(self) -> Any:
        """The unit as an instance of its kind, in floats."""
        return KINDS[self.kind](**self.parameters)


@dataclass(frozen=True)
class Element:
    """One stream of one unit, as a piece of a branch."""

    unit: str
    stream: str

    def __str__(self) -> str:
        return f"{self.unit}.{self.stream}" if self.stream else self.unit


@dataclass
class Loop:
    """Branches in parallel between a supply and a return header.

    `plant` branches run from return to supply, `loads` from supply to return; each is a series of
    elements. `storage` names a tank in the supply header, `pressurisation` a vessel at the return header. `stages`
    names groups of the plant in series, and how many of its branches each has, in their order from return to supply.
    """

    name: str
    fluid: str
    plant: list[list[Element]]
    loads: list[list[Element]]
    storage: str | None = None
    where: Where | None = None
    pressurisation: str | None = None
    stages: list[tuple[str, int]] = field(default_factory=list)

    def groups(self) -> list[list[list[Element]]]:
        """The branches of the plant by stage; one stage where none is said."""
        rows = iter(self.plant)
        return [list(islice(rows, size)) for _, size in self.stages or [("", len(self.plant))]]

    def branches(self) -> list[list[Element]]:
        return self.plant + self.loads


@dataclass
class SignalLine:
    """What one unit's Output tells another's signal input, after a delay [s]."""

    source: str
    output: str
    target: str
    input: str
    delay: float = 0.0
    where: Where | None = None


class Plant:
    """Units and what runs between them; edges of `graph` carry `medium` and run source -> consumer.

    `redundancy` is what groups of units are called: "ups" -> "N+1"; the audit compares it with what is built.
    `pools` are the racks of each pool and of each job's gang, `scheduled` those that a scheduler may give a job,
    `served` the pools that a service may use, by phase (prefill, decode), `stores` the storage system of a job.
    """

    def __init__(self) -> None:
        self.graph: nx.MultiDiGraph = nx.MultiDiGraph()
        self.units: dict[str, Unit] = {}
        self.loops: dict[str, Loop] = {}
        self.signals: list[SignalLine] = []
        self.feeds: dict[str, list[str]] = {}
        self.joins: dict[str, list[str]] = {}
        self.redundancy: dict[str, str] = {}
        self.pools: dict[str, list[str]] = {}
        self.scheduled: dict[str, list[str]] = {}
        self.served: dict[str, dict[str, list[str]]] = {}
        self.stores: dict[str, list[str]] = {}
        self.fabrics: dict[str, Fabric] = {}
        self.add(Unit("site", "site"))

    def add(self, unit: Unit) -> None:
        """Add a unit.

        Raises:
            ValueError: the name is taken, or the kind is not known.
        """
        if unit.name in self.units:
            raise ValueError(f"{unit.name} is named twice; each unit wants a name of its own")
        if unit.kind not in KINDS:
            raise ValueError(f'{unit.name}: kind "{unit.kind}" is not known; one of {", ".join(KINDS)} is wanted')
        self.units[unit.name] = unit
        self.graph.add_node(unit.name, unit=unit)
        if unit.zone is not None:
            self.graph.add_edge(unit.name, unit.zone, medium="air")

    def feed(self, consumer: str, sources: list[str]) -> None:
        """Say what a unit takes its electricity from, in order of preference."""
        self.feeds[consumer] = list(sources)
        for slot, source in enumerate(sources):
            self.graph.add_edge(source, consumer, medium="power", slot=slot)

    def join(self, tie: str, boards: list[str]) -> None:
        """Say which boards a tie stands between."""
        self.joins[tie] = list(boards)
        for end, board in enumerate(boards):
            self.graph.add_edge(board, tie, medium="tie", end=end)

    def gather(self, pool: str, racks: list[str]) -> None:
        """Say which racks make a pool, or train a job."""
        self.pools[pool] = list(racks)
        for rack in racks:
            self.graph.add_edge(rack, pool, medium="work")

    def schedule(self, job: str, racks: list[str]) -> None:
        """Say which racks a scheduler may give to a job, now these and now those."""
        self.scheduled[job] = list(racks)
        for rack in racks:
            self.graph.add_edge(rack, job, medium="work")

    def serve(self, service: str, prefill: list[str], decode: list[str]) -> None:
        """Say which pools read the prompts of a service and which write its answers, in order of preference."""
        self.served[service] = {"prefill": list(prefill), "decode": list(decode)}
        for pool in dict.fromkeys(prefill + decode):
            self.graph.add_edge(pool, service, medium="work")

    def store(self, job: str, systems: list[str]) -> None:
        """Say which storage system feeds a job and takes its checkpoints."""
        self.stores[job] = list(systems)
        for system in systems:
            self.graph.add_edge(system, job, medium="work")

    @property
    def joined(self) -> set[str]:
        """The boards that ties stand between."""
        return {board for boards in self.joins.values() for board in boards}

    def add_loop(self, loop: Loop) -> None:
        """Add a coolant loop; its edges run along the coolant, plant -> loads.

        Raises:
            ValueError: the loop's name is taken.
        """
        if loop.name in self.loops:
            raise ValueError(f"loop {loop.name} is named twice; each loop wants a name of its own")
        self.loops[loop.name] = loop
        for branch in loop.branches():
            for one, next_one in pairwise(branch):
                self._pipe(one.unit, next_one.unit, loop.name)
        heads = [branch[0].unit for branch in loop.loads if branch]
        groups = loop.groups()
        for group, next_group in pairwise(groups):
            for tail in [branch[-1].unit for branch in group if branch]:
                for head in [branch[0].unit for branch in next_group if branch]:
                    self._pipe(tail, head, loop.name)
        tails = [branch[-1].unit for branch in groups[-1] if branch]
        if loop.storage is not None:
            for tail in tails:
                self._pipe(tail, loop.storage, loop.name)
            tails = [loop.storage]
        for tail in tails:
            for head in heads:
                self._pipe(tail, head, loop.name)
        if loop.pressurisation is not None:
            for branch in groups[0]:
                self._pipe(loop.pressurisation, branch[0].unit, loop.name)

    def _pipe(self, source: str, target: str, loop: str) -> None:
        self.graph.add_edge(source, target, medium="coolant", loop=loop)

    def add_signal(self, line: SignalLine) -> None:
        """Add a signal line."""
        self.signals.append(line)
        self.graph.add_edge(line.source, line.target, medium="signal")

    def add_fabric(self, fabric: Fabric) -> None:
        """Add a fabric; its edges run from the top down to the racks.

        Raises:
            ValueError: the fabric's name is taken.
        """
        if fabric.name in self.fabrics:
            raise ValueError(f"fabric {fabric.name} is named twice; each fabric wants a name of its own")
        self.fabrics[fabric.name] = fabric
        for link in fabric.links:
            self.graph.add_edge(link.upper, link.lower, medium="fabric", ports=link.ports)

    def of_kind(self, kind: str) -> list[Unit]:
        """The units of one kind, in the order they were added."""
        return [unit for unit in self.units.values() if unit.kind == kind]

    def medium(self, name: str) -> nx.MultiDiGraph:
        """The part of the graph that one medium runs through."""
        edges = [(a, b, key) for a, b, key, data in self.graph.edges(keys=True, data=True) if data["medium"] == name]
        return self.graph.edge_subgraph(edges)  # type: ignore[arg-type]

    def faults(self) -> list[Fault]:
        """Everything that keeps the plant from being built, and warnings; see `plant_checks`."""
        found = every_fault(self)
        return found + fabric_faults(self) if self.fabrics else found

    def to_json(self) -> str:
        """The plant as JSON text, for the trace."""
        return json.dumps(
            {
                "units": list(self.units.values()),
                "feeds": self.feeds,
                "joins": self.joins,
                "loops": list(self.loops.values()),
                "signals": self.signals,
                "redundancy": self.redundancy,
                "pools": self.pools,
                "scheduled": self.scheduled,
                "served": self.served,
                "stores": self.stores,
                "fabrics": [fabric.to_json() for fabric in self.fabrics.values()],
            },
            default=vars,
        )

    @staticmethod
    def from_json(text: str) -> Plant:
        """The plant that `to_json` wrote."""
        said = json.loads(text)
        plant = Plant()
        for row in said["units"]:
            unit = Unit(**{**row, "at": row["at"] and tuple(row["at"]), "where": _where(row["where"])})
            if unit.name == "site":
                plant.units["site"].parameters = unit.parameters
            else:
                plant.add(unit)
        for consumer, sources in said["feeds"].items():
            plant.feed(consumer, sources)
        for tie, boards in said.get("joins", {}).items():
            plant.join(tie, boards)
        for row in said["loops"]:
            branches = {key: [[Element(**e) for e in branch] for branch in row[key]] for key in ("plant", "loads")}
            plant.add_loop(
                Loop(
                    row["name"],
                    row["fluid"],
                    storage=row["storage"],
                    where=_where(row["where"]),
                    pressurisation=row.get("pressurisation"),
                    stages=[tuple(each) for each in row.get("stages", ())],
                    **branches,
                )
            )
        for row in said["signals"]:
            plant.add_signal(SignalLine(**{**row, "where": _where(row["where"])}))
        for row in said.get("fabrics", ()):
            plant.add_fabric(Fabric.from_json(row))
        plant.redundancy = dict(said.get("redundancy", {}))
        for pool, racks in said.get("pools", {}).items():
            plant.gather(pool, racks)
        for job, racks in said.get("scheduled", {}).items():
            plant.schedule(job, racks)
        for service, pools in said.get("served", {}).items():
            plant.serve(service, **pools)
        for job, systems in said.get("stores", {}).items():
            plant.store(job, systems)
        return plant


def _where(row: dict[str, Any] | None) -> Where | None:
    return None if row is None else Where(**row)
