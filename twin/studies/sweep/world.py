"""A world of a sweep: the compiled plant and its steady states, in which batches of cases run and are told."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from twin.arrays import open_device, to_host
from twin.declare import quantities
from twin.equipment import KINDS
from twin.ledger import BrokenBalance, ClosedLoop, loop_of, run_residual
from twin.model import State, compile, inputs
from twin.recording import Gatherer, companion
from twin.simulation import Simulation, settle
from twin.studies.audit.contingency import put
from twin.studies.sweep.base import Base, scenario_of
from twin.studies.sweep.cases import Case, Start
from twin.studies.sweep.kept import ALWAYS, Begun, Keeper, Key, Wanted
from twin.studies.sweep.outcome import Outcome, outcome, poisoned

COMPARED = ("max", "min", "final", "mean")
"""Functions of criteria that read one column."""
CREDITED = ("revenue", "requests", "requests_in_time", "served_prompts", "dropped_prompts")
"""Counters of a service that its table of credits is reckoned by."""
STATES = 4
"""Steady states that are kept, one for each start."""
Told = Callable[[float], None]
"""Told the member-seconds done since it was last told."""


class World:
    """Runs cases of one base; a process has one."""

    def __init__(self, base: Base, device: str = "cpu", keys: frozenset[Key] = frozenset()) -> None:
        self.base = base
        self.model = compile(base.plant, open_device(device))
        self.keys = ALWAYS | keys | _criteria(base) | _credits(base) | _asked(base)
        self.steady: OrderedDict[Start, State] = OrderedDict()

    def run(self, cases: list[Case], told: Told = lambda seconds: None) -> list[Outcome]:
        """Run cases that belong together; one that cannot be run fails alone, by name, and leaves no mark on others."""
        try:
            with np.errstate(all="ignore"):  # a member that goes wrong is told by name, once
                return self._together(cases, told)
        except Wanted as column:
            self.keys |= {column.key}
            return self.run(cases, told)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told of the case that raised it)
            if len(cases) == 1:
                return [poisoned(self.base, cases[0], said(error))]
        half = len(cases) // 2
        return self.run(cases[:half], told) + self.run(cases[half:], told)

    def _together(self, cases: list[Case], told: Told) -> list[Outcome]:
        scenario = scenario_of(self.base, cases)
        run = Simulation(scenario, begun=(self.model, self._settled(cases[0])))
        began, first = Begun.of(self.model, run.state, run.inputs), run.state
        keeper = Keeper(self.model, self.keys)
        gatherer = Gatherer(self.model, keeper, run.state, run.inputs, keeper.columns)  # type: ignore[arg-type]
        done = 0.0

        def more(seconds: float) -> None:
            nonlocal done
            told(len(cases) * (seconds - done))
            done = seconds

        run.run(gatherer, more)
        self._want_numbers(first, run.state)
        residuals = to_host(run_residual(first, run.state))[:, 0]
        prints = fingerprints(run.state, len(cases))
        return [
            outcome(self.base, case, keeper, member, began, float(residuals[member]), prints[member])
            for member, case in enumerate(cases)
        ]

    def _settled(self, case: Case) -> State:
        """The steady state of one member, found once for each start."""
        start = case.start
        if start not in self.steady:
            asked = inputs(self.model)
            for change in scenario_of(self.base, [case]).initial:
                put(self.model, asked, 0, (change.unit, change.input, change.value))
            state = settle(self.model, asked)
            if looped := loop_of(self.model, state):
                raise ClosedLoop(f"{looped} at the start")
            self.steady[start] = state
            while len(self.steady) > STATES:
                self.steady.popitem(last=False)
        return self.steady[start]

    def _want_numbers(self, first: State, last: State) -> None:
        """See that all State is still numbers.

        Raises:
            BrokenBalance: it is not; the message names unit and quantity.
        """
        for t in self.model.tables:
            said = quantities(t.machine.State)
            for name in said:
                if companion(name, said):
                    continue
                before, after = (to_host(getattr(each.rows[t.key], name)) for each in (first, last))
                lost = np.isnan(after) & ~np.isnan(before)
                if lost.any():
                    member, row = (int(each[0]) for each in np.nonzero(lost))
                    raise BrokenBalance(f"{t.names[row]}.{name} is not a number at the end (member {member})")


def said(error: Exception) -> str:
    """What went wrong, in one line."""
    own = isinstance(error, BrokenBalance | ClosedLoop)
    text = " ".join(str(error).split()) or "nothing more is known"
    return text if own else f"{type(error).__name__}: {text}"


def _criteria(base: Base) -> frozenset[Key]:
    """The columns that criteria of the plainest form are judged by; others are found when they are asked for."""
    compared = [each for each in base.scenario.criteria if each.function in COMPARED]
    return frozenset((each.kind, each.quantity) for each in compared)


def _credits(base: Base) -> frozenset[Key]:
    """The columns that tables of credits are reckoned by, together: each asked for alone would run a batch again."""
    tabled = any(unit.parameters.get("credit_below_1", 0.0) > 0 for unit in base.plant.of_kind("service"))
    return frozenset(("service", name) for name in CREDITED) if tabled else frozenset()


def _asked(base: Base) -> frozenset[Key]:
    """The columns that tell what failures took from what nobody asks for, where jobs or pools have racks."""
    if not (base.plant.pools or base.plant.scheduled):
        return frozenset()
    kinds = {unit.kind for unit in base.plant.units.values() if KINDS[unit.kind].is_work}
    names = ("power", "job_number") if base.plant.scheduled else ("power",)
    return frozenset((kind, name) for kind in kinds for name in names)


def fingerprints(state: State, members: int) -> list[str]:
    """SHA-256 of all State and Outputs of each member: equal where two runs are equal to the bit."""
    sums: list[Any] = [hashlib.sha256() for _ in range(members)]
    for rows in (state.rows, state.outputs):
        for key in sorted(rows):
            for name, values in sorted(vars(rows[key]).items()):
                table = np.broadcast_to(to_host(values), (members, *np.shape(values)[1:]))
                for member, each in enumerate(sums):
                    each.update(f"{key}.{name}".encode())
                    each.update(table[member].tobytes())
    return [each.hexdigest() for each in sums]
