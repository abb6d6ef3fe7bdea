"""A part of a plant: units and connections under short names, placed many times under a prefix."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from twin.plant import Element, Loop, Plant, SignalLine, Unit
from twin.plant_fabric import Fabric
from twin.scenario.faults import Faults

Place = tuple[float, float, float]


@dataclass
class Part:
    """What one plant document or block describes; `feeds` are names in order of preference.

    `lost` names units that could not be read, `unread` the ratings of others that could not; `holes` says that there
    are units without even a name.
    """

    units: dict[str, Unit] = field(default_factory=dict)
    feeds: dict[str, list[str]] = field(default_factory=dict)
    joins: dict[str, list[str]] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    signals: list[SignalLine] = field(default_factory=list)
    redundancy: dict[str, str] = field(default_factory=dict)
    pools: dict[str, list[str]] = field(default_factory=dict)
    served: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    stores: dict[str, list[str]] = field(default_factory=dict)
    fabrics: dict[str, Fabric] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    unread: dict[str, set[str]] = field(default_factory=dict)
    holes: bool = False

    def add(self, unit: Unit, faults: Faults) -> None:
        """Add a unit; a name that is taken is a fault."""
        first = self.units.setdefault(unit.name, unit)
        if first is not unit:
            there = f"; the first stands in line {first.where.line}" if first.where else ""
            faults.add(unit.where, f"{unit.name} is named twice{there}; each unit wants a name of its own")

    def place(self, block: Part, prefix: str, outer: dict[str, str], shift: Place | None, faults: Faults) -> None:
        """Put a copy of a block here.

        Args:
            block: what is placed.
            prefix: stands before the names of its units and loops.
            outer: unit of the block -> unit out here that takes its place.
            shift: moves its units in the hall [m].
            faults: takes the names that are taken.
        """

        def named(name: str) -> str:
            return outer.get(name, f"{prefix}/{name}")

        self.lost |= block.lost
        self.holes |= block.holes
        self.unread |= {f"{prefix}/{name}": keys for name, keys in block.unread.items()}
        for unit in block.units.values():
            if unit.name not in outer:
                zone = None if unit.zone is None else named(unit.zone)
                moved = _moved(unit.at, shift)
                made = replace(unit, name=f"{prefix}/{unit.name}", zone=zone, at=moved)
                self.add(made, faults)
        for consumer, sources in block.feeds.items():
            if consumer not in outer:
                self.feeds[f"{prefix}/{consumer}"] = [named(source) for source in sources]
        for tie, boards in block.joins.items():
            if tie not in outer:
                self.joins[f"{prefix}/{tie}"] = [named(board) for board in boards]
        for pool, racks in block.pools.items():
            if pool not in outer:
                self.pools[f"{prefix}/{pool}"] = [named(rack) for rack in racks]
        for service, phases in block.served.items():
            if service not in outer:
                used = {phase: [named(pool) for pool in pools] for phase, pools in phases.items()}
                self.served[f"{prefix}/{service}"] = used
        for job, systems in block.stores.items():
            if job not in outer:
                self.stores[f"{prefix}/{job}"] = [named(system) for system in systems]
        for loop in block.loops.values():
            branches = [[[_renamed(e, named(e.unit)) for e in b] for b in side] for side in (loop.plant, loop.loads)]
            storage, vessel = (each and named(each) for each in (loop.storage, loop.pressurisation))
            name = f"{prefix}/{loop.name}"
            self.loops[name] = Loop(
                name, loop.fluid, branches[0], branches[1], storage, loop.where, vessel, loop.stages
            )
        for line in block.signals:
            self.signals.append(replace(line, source=named(line.source), target=named(line.target)))
        for fabric in block.fabrics.values():
            name = f"{prefix}/{fabric.name}"
            self.fabrics[name] = fabric.renamed(name, named)
        for group, word in block.redundancy.items():
            self.redundancy[f"{prefix}/{group}"] = word

    def weight(self) -> int:
        """How much there is of it, to bound what nested places make."""
        elements = sum(len(branch) for loop in self.loops.values() for branch in loop.branches())
        links = sum(len(fabric.links) for fabric in self.fabrics.values())
        return 1 + len(self.units) + len(self.loops) + elements + len(self.signals) + links

    def plant(self) -> Plant:
        """The networkx plant of it all."""
        made = Plant()
        for unit in self.units.values():
            made.add(unit)
        for consumer, sources in self.feeds.items():
            made.feed(consumer, sources)
        for tie, boards in self.joins.items():
            made.join(tie, boards)
        for loop in self.loops.values():
            made.add_loop(loop)
        for line in self.signals:
            made.add_signal(line)
        for fabric in self.fabrics.values():
            made.add_fabric(fabric)
        made.redundancy = dict(self.redundancy)
        for pool, racks in self.pools.items():
            made.gather(pool, racks)
        for service, phases in self.served.items():
            made.serve(service, **phases)
        for job, systems in self.stores.items():
            made.store(job, systems)
        return made


def _moved(at: Place | None, shift: Place | None) -> Place | None:
    if at is None or shift is None:
        return at
    return (at[0] + shift[0], at[1] + shift[1], at[2] + shift[2])


def _renamed(element: Element, name: str) -> Element:
    return Element(name, element.stream)


def one_of_its_kind(part: Part, faults: Faults) -> None:
    """A unit may bear the name of a kind only where the word still means one thing."""
    count: dict[str, int] = {}
    for unit in part.units.values():
        count[unit.kind] = count.get(unit.kind, 0) + 1
    for unit in part.units.values():
        if unit.name in count and not (unit.kind == unit.name and count[unit.kind] == 1):
            faults.add(unit.where, f'"{unit.name}" means all units of that kind; another name for this one is wanted')
