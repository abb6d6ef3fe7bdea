"""What the graph alone says: who loses all feeds when one unit is out, and which units are alike."""

from __future__ import annotations

from collections.abc import Iterable

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Plant, Unit
from twin.scenario.redundancy import stem
from twin.studies.audit.found import Loss

LOAD = "load"
"""The kind that counts as work in a plant without racks."""


class Wiring:
    """Feeds and consumers by name; a unit lives while any of its feeds does.

    Switches count as able to close and generators as able to start; what only stores (a battery) feeds nobody.
    Ties feed either way where they stand closed or throw over by themselves.
    """

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.feeds = {name: tuple(feeds) for name, feeds in plant.feeds.items()}
        self.open = {tie for tie in plant.joins if not plant.units[tie].settings.get("closed", 0.0)}
        for tie, boards in plant.joins.items():
            if tie not in self.open or plant.units[tie].parameters.get("auto_throw", 0.0):
                self.feeds[tie] = tuple(boards)
                self.feeds |= {board: (*self.feeds.get(board, ()), tie) for board in boards}
        self.consumers: dict[str, list[str]] = {}
        for consumer, feeds in self.feeds.items():
            for feed in feeds:
                self.consumers.setdefault(feed, []).append(consumer)
        self.sources = {name for name, unit in plant.units.items() if _supplies(unit)}
        self.work = work_of(plant)
        self.utilities = {name for name in self.sources if plant.units[name].kind == "utility"}
        self.branches = _branches(plant)
        self.loops_of: dict[str, list[str]] = {}
        for loop, stages in self.branches.items():
            for name in {name for stage in stages for branch in stage for name in branch}:
                self.loops_of.setdefault(name, []).append(loop)

    def power_side(self) -> list[Unit]:
        """Sources and all that passes power on, in the order of the plant."""
        kinds = {name for name, kind in KINDS.items() if kind.serves or kind.source or kind.joins}
        return [unit for unit in self.plant.units.values() if unit.kind in kinds]

    def alive(self, gone: Iterable[str] = ()) -> set[str]:
        """Units that a source reaches when some are gone."""
        missing = set(gone)
        return self._reach(self.sources - missing, set(self.plant.units) - missing)

    def _reach(self, starts: Iterable[str], among: set[str]) -> set[str]:
        """Some units and all that hang on them, among others."""
        found = set(starts)
        waiting = list(found)
        while waiting:
            for consumer in self.consumers.get(waiting.pop(), ()):
                if consumer in among and consumer not in found:
                    found.add(consumer)
                    waiting.append(consumer)
        return found

    def dead_without(self, out: str, alive: set[str]) -> set[str]:
        """Units that were alive and have no way to a source once one is out; that one among them."""
        if out not in alive:
            return set()
        below = self._reach({out}, alive)
        kept = [
            name
            for name in below
            if name != out
            and (name in self.sources or any(f in alive and f not in below for f in self.feeds.get(name, ())))
        ]
        return below - self._reach(kept, below - {out})

    def loss(self, unit: Unit, alive: set[str]) -> Loss:
        """What has no feed left when one unit is out, of what was alive."""
        dead = self.dead_without(unit.name, alive) - {unit.name}
        consumers = [name for name in dead if not (KINDS[self._kind(name)].serves or KINDS[self._kind(name)].joins)]
        work = tuple(sorted(name for name in consumers if name in self.work))
        others = tuple(sorted(name for name in consumers if name not in self.work))
        loops = {loop for name in dead for loop in self.loops_of.get(name, ())}
        stands = {loop: any(all(branch & dead for branch in stage) for stage in self.branches[loop]) for loop in loops}
        still = tuple(sorted(loop for loop in loops if stands[loop]))
        return Loss(unit.name, unit.kind, work, others, still)

    def unguarded(self, struck: str, stopped: Iterable[str]) -> str | None:
        """The nearest unit before a struck one, with no breaker between, that feeds all that stops another way too."""
        lost = set(stopped)
        among = set(self.plant.units) - {struck}
        waiting, seen = list(self.feeds.get(struck, ())), {struck}
        while waiting:
            name = waiting.pop(0)
            if name in seen or self._kind(name) == "breaker" or name in self.open:
                continue
            seen.add(name)
            if lost <= self._reach({name}, among):
                return name
            waiting += self.feeds.get(name, ())
        return None

    def _kind(self, name: str) -> str:
        return self.plant.units[name].kind

    def losses(self, away: bool) -> list[Loss]:
        """Every unit without which a consumer has no feed, on the grid or, of those that are left, with it away."""
        alive = self.alive(self.utilities if away else ())
        found = [self.loss(unit, alive) for unit in self.power_side()]
        return [each for each in found if each.work or each.others or each.loops]


def work_of(plant: Plant) -> frozenset[str]:
    """What works: the racks, or in a plant without any its loads."""
    racks = frozenset(name for name, unit in plant.units.items() if KINDS[unit.kind].is_work)
    return racks or frozenset(name for name, unit in plant.units.items() if unit.kind == LOAD)


def work_called(plant: Plant) -> str:
    """The word for one unit that works."""
    works = work_of(plant)
    return LOAD if works and all(plant.units[name].kind == LOAD for name in works) else "rack"


def _supplies(unit: Unit) -> bool:
    """Whether electricity enters the site here, and not only what was stored before."""
    return KINDS[unit.kind].source and not KINDS[unit.kind].stores_power


def _branches(plant: Plant) -> dict[str, list[list[set[str]]]]:
    """For each loop, the electric units of each branch of each stage of its plant."""
    return {
        name: [
            [
                {e.unit for e in branch if e.unit in plant.units and KINDS[plant.units[e.unit].kind].feeds[1] > 0}
                for branch in stage
            ]
            for stage in loop.groups()
        ]
        for name, loop in plant.loops.items()
    }


def failures(unit: Unit) -> list[tuple[str, float]]:
    """The Inputs by which a unit fails, with the value that does it: out of service first, then its own failures."""
    said = quantities(KINDS[unit.kind].Inputs)
    found = [("in_service", 0.0)] if "in_service" in said else [("closed", 0.0)] if "closed" in said else []
    return found + [(name, 1.0) for name, each in said.items() if each.failure]


def families(units: Iterable[Unit]) -> dict[str, list[Unit]]:
    """Units alike but for their last number, by what their names have in common: "ups", "h001/generator"."""
    found: dict[str, list[Unit]] = {}
    for unit in units:
        found.setdefault(stem(unit.name), []).append(unit)
    return found
