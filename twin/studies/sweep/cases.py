"""Cases: which failures strike which world of a sweep, when, and from which state the plant begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, product

from twin import units
from twin.faults import Fault as Wrong
from twin.plant import Plant, Unit
from twin.scenario import BadInput
from twin.scenario.faults import advice
from twin.scenario.names import BadName, Directory
from twin.scenario.sweeping import EVERYTHING, Sweeping
from twin.studies.audit.graph import failures

WHOLE = ("in_service", "closed")
"""Inputs by which a unit fails as a whole."""
MOST = 500_000
"""Cases of one sweep; more would take days."""


@dataclass(frozen=True, order=True)
class Failure:
    """One unit that fails in one way: an Input, and the value that does it."""

    unit: str
    input: str
    value: float

    @property
    def name(self) -> str:
        """As `fail` in a scenario says it."""
        return self.unit if self.input in WHOLE else f"{self.unit}.{self.input}"


@dataclass(frozen=True)
class Start:
    """From what state a case begins, where it is not the base's own.

    load: share of full work [1]; weather: dry and wet bulb [K]; maintenance: who is out of service.
    """

    load: float | None = None
    weather: tuple[float, float] | None = None
    maintenance: str = ""

    def words(self) -> list[str]:
        said = [f"{self.maintenance} in maintenance"] if self.maintenance else []
        said += [f"{100 * self.load:.4g} % load"] if self.load is not None else []
        return said + ([f"{self.weather[0] - 273.15:.4g} degC"] if self.weather is not None else [])


@dataclass(frozen=True)
class Case:
    """One world: its failures at a moment [s], its start, and which of the scenario's draws it has."""

    failures: tuple[Failure, ...]
    at: float
    start: Start = Start()
    draw: int = 0
    told: tuple[str, ...] = ()
    """What sets it apart from cases with the same failures, in words."""

    @property
    def name(self) -> str:
        fails = " + ".join(each.name for each in self.failures) or "nothing fails"
        return ", ".join([fails, *self.told])

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(each.unit for each in self.failures)


def modes_of(unit: Unit) -> list[Failure]:
    """Every way in which a unit fails."""
    return [Failure(unit.name, name, value) for name, value in failures(unit)]


def enumerated(plant: Plant, wish: Sweeping, weather: list[tuple[float, float]]) -> list[Case]:
    """All cases of a sweep: for each start, moment and draw first the one in which nothing fails.

    Args:
        plant: whose units fail.
        wish: what is tried.
        weather: dry and wet bulb [K] of each weather of the wish.

    Raises:
        BadInput: the wish names what the plant does not have or what cannot be taken out, leaves nothing that can
            fail, or makes too many cases.
    """
    directory = Directory((unit.name, unit.kind) for unit in plant.units.values())
    singles = _singles(plant, wish, directory)
    if wish.order and not singles:
        text = "nothing of what is wanted can fail; other units, kinds or modes are wanted, or n: 0 to try no failure"
        raise BadInput([Wrong(None, text)])
    pairs = _pairs(singles, wish, directory)
    repairs = _repairs(plant, wish, directory)
    starts = [
        Start(load, air, out) for out, load, air in product(["", *repairs], wish.loads or (None,), weather or (None,))
    ]
    draws = range(max(wish.draws, 1))
    tries = [(), *[(each,) for each in singles], *pairs] if wish.order else [()]
    number = len(starts) * len(wish.at) * len(draws) * len(tries)
    if number > MOST:
        text = f"{number:,} cases are wanted, at most {MOST:,} are run; fewer units, moments, loads or draws are wanted"
        raise BadInput([Wrong(None, text)])
    made = []
    for start, at, draw in product(starts, wish.at, draws):
        told = (*start.words(), *_when(at, wish), *([f"draw {draw}"] if wish.draws > 1 else []))
        made += [Case(each, at, start, draw, told) for each in tries if start.maintenance not in _units(each)]
    return made


def _units(each: Iterable[Failure]) -> set[str]:
    return {failure.unit for failure in each}


def _when(at: float, wish: Sweeping) -> list[str]:
    return [f"at {units.show(at, 's')}"] if len(wish.at) > 1 else []


def _repairs(plant: Plant, wish: Sweeping, directory: Directory) -> list[str]:
    """The units that are taken out of service, one after the other.

    Raises:
        BadInput: some are named that cannot be taken out.
    """
    able = [u.name for u in plant.units.values() if any(failure.input in WHOLE for failure in modes_of(u))]
    if wish.maintenance == (EVERYTHING,):
        return able
    named = _found(wish.maintenance, directory)
    never = [name for name in named if name not in able]
    if never:
        text = "cannot be taken out of service; units that can are wanted"
        raise BadInput([Wrong(None, f"maintenance: {name} {text}") for name in never])
    return named


def _singles(plant: Plant, wish: Sweeping, directory: Directory) -> list[Failure]:
    """The failures that a wish leaves, in the order of the plant."""
    for kind in wish.kinds:
        if kind not in directory.of_kind:
            raise BadInput(
                [Wrong(None, f"kinds: the plant has no {units.quoted(kind)}; {advice(kind, directory.of_kind)}")]
            )
    chosen = set(_found(wish.units, directory)) if wish.units else set(plant.units)
    every = [f for unit in plant.units.values() for f in modes_of(unit)]
    known = {failure.input for failure in every}
    for mode in wish.modes:
        if mode not in known:
            raise BadInput([Wrong(None, f"modes: nothing here fails by {units.quoted(mode)}; {advice(mode, known)}")])
    return [
        failure
        for failure in every
        if failure.unit in chosen
        and (not wish.kinds or plant.units[failure.unit].kind in wish.kinds)
        and (not wish.modes or failure.input in wish.modes)
    ]


def _pairs(singles: list[Failure], wish: Sweeping, directory: Directory) -> list[tuple[Failure, ...]]:
    """Every two failures, also of one unit; of the units named, where some are."""
    if wish.order < 2:
        return []
    among = set(_found(wish.of, directory)) if wish.of else None
    return list(combinations([each for each in singles if among is None or each.unit in among], 2))


def _found(targets: Iterable[str], directory: Directory) -> list[str]:
    """The units that some targets mean.

    Raises:
        BadInput: one of them finds none.
    """
    found: dict[str, None] = {}
    for target in targets:
        try:
            found |= dict.fromkeys(directory.find(target))
        except BadName as error:
            raise BadInput([Wrong(None, f"sweep: {error}")]) from None
    return list(found)
