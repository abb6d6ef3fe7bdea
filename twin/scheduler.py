"""Scheduler: looks at racks and jobs between ticks and gives jobs their racks, as Inputs, in each member by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from twin import units
from twin.arrays import Array, to_host
from twin.declare import quantities, replace
from twin.equipment import KINDS
from twin.equipment.job import PHASES
from twin.model import Model, State
from twin.naming import names
from twin.networks.tables import AllRows, Table
from twin.placement import survey
from twin.queueing import Move, Queue, Seen, racks_said
from twin.scenario.case import SchedulerSpec

DEAD = 0.1
"""Voltage [pu] below which a feed feeds nobody."""
MOST_NAMED = 8
"""Ranges of racks in words; what is beyond is counted."""
STANDS = {"stopped", "pumps_lost"}
"""Flags of State that say that a machine does not carry what it should."""


class Scheduler:
    """One queue for each member; acts at its own period, when jobs arrive and when maintenance begins and ends."""

    def __init__(self, model: Model, spec: SchedulerSpec, members: int) -> None:
        self.model, self.spec, self.xp = model, spec, model.xp
        site = survey(model.plant, list(spec.racks))
        self.queues = [Queue(spec, site) for _ in range(members)]
        self.jobs = next(t for t in model.tables if t.kind == "job")
        wanted = set(spec.racks)
        self.racks: list[Table] = [t for t in model.tables if t.machine.is_work and wanted & set(t.names)]
        self.stands = {unit for units in site.carried.values() for each in units.values() for unit in each}
        self.rooms = site.rooms
        units = model.plant.units
        self.fed = {name for name in self.stands if name in model.plant.feeds or KINDS[units[name].kind].source}
        self.drained: list[set[str]] = [set() for _ in range(members)]

    def watch(
        self,
        run: Any,
        wait: Callable[[float], Any],
        note: Callable[[int, str, str, float], None],
    ) -> Any:
        """A process of the calendar.

        Args:
            run: the simulation, for its `state` and `inputs`.
            wait: makes an event so many seconds ahead [s].
            note: takes member, unit, Input and value of what changed; "told:" and words tell how long a job waited,
                "waits:" and words why it waits.
        """
        now = turn = 0.0
        yield wait(0.0)
        while True:
            moved = self._act(now, run.state, run.inputs)
            for member, moves in enumerate(moved):
                for job in dict.fromkeys(move.job for move in moves):
                    for move in (move for move in moves if move.job == job):
                        note(member, job, "phase", PHASES[move.phase])
                        note(member, job, f"told:{self._words(member, move)}", move.waited)
                for job, why in self.queues[member].reasons.items():
                    note(member, job, f"waits:{why}", 0.0)
            if any(moved) or any(q.drained != d for q, d in zip(self.queues, self.drained, strict=True)):
                for member, unit, value in self._drains():
                    note(member, unit, "drain", value)
                run.inputs |= self._inputs(run.inputs)
            turn = turn if turn > now + 1e-9 else turn + self.spec.period
            until = min(turn, self.queues[0].next_moment(now))
            yield wait(until - now)
            now = until

    def _words(self, member: int, move: Move) -> str:
        if move.why:
            return move.why
        racks = self.queues[member].tasks[move.job].racks
        waited = f"; waited {units.show(round(move.waited), 's')}" if move.waited >= 1 else ""
        return f"on {racks_said(len(racks))}: {names(racks, MOST_NAMED)}{waited}"

    def _act(self, now: float, state: State, inputs: AllRows) -> list[list[Move]]:
        """What each member's queue does with what it sees."""
        able = [(t, to_host(self._able(t, state, inputs))) for t in self.racks]
        rows = state.rows[self.jobs.key]
        steps, unsaved = to_host(rows.steps), to_host(rows.unsaved)
        away, gives = self._away(state, inputs), self._gives(state)
        names = self.jobs.names
        return [
            queue.act(
                now,
                Seen(
                    frozenset(t.names[k] for t, can in able for k in np.flatnonzero(can[member])),
                    away[member],
                    dict(zip(names, steps[member].tolist(), strict=True)),
                    dict(zip(names, unsaved[member].tolist(), strict=True)),
                    gives[member],
                ),
            )
            for member, queue in enumerate(self.queues)
        ]

    def _able(self, t: Table, state: State, inputs: AllRows) -> Array:
        """Racks that could work: with power, not shut down, on the network; those being drained are not."""
        said = t.machine.works(state.rows[t.key], inputs[t.key], state.outputs[t.key])  # type: ignore[attr-defined]
        linked: Array = t.machine.linked(inputs[t.key])  # type: ignore[attr-defined]
        return (said.gpus > 0) & (linked > 0) & (inputs[t.key].drain <= 0)

    def _away(self, state: State, inputs: AllRows) -> list[frozenset[str]]:
        """Machines that carry racks and do not serve: out of service, stopped, or dead from upstream."""
        found: list[set[str]] = [set() for _ in self.queues]
        for t in self.model.tables:
            if not self.stands & set(t.names):
                continue
            fed = np.array([name in self.fed for name in t.names])
            gone = (to_host(abs(state.voltage[:, t.columns])) < DEAD) & fed
            if "in_service" in quantities(t.machine.Inputs):
                gone = gone | (to_host(inputs[t.key].in_service) <= 0)
            for name in sorted(STANDS & set(quantities(t.machine.State))):
                gone = gone | (to_host(getattr(state.rows[t.key], name)) > 0)
            for member, row in zip(*np.nonzero(gone), strict=True):
                found[member].add(t.names[row])
        return [frozenset(each) for each in found]

    def _gives(self, state: State) -> list[dict[str, float]]:
        """What each cooler of air could take at the warmest that its room may be [W]."""
        found: list[dict[str, float]] = [{} for _ in self.queues]
        for t in self.model.tables:
            if not self.rooms.keys() & set(t.names):
                continue
            warmest = self.xp.asarray([[self.rooms.get(name, 0.0) for name in t.names]])
            headroom: Any = t.machine.air_headroom  # type: ignore[attr-defined]
            said = to_host(headroom(state.rows[t.key], state.outputs[t.key], warmest))
            for gives, row in zip(found, said, strict=True):
                gives |= {name: float(value) for name, value in zip(t.names, row, strict=True) if name in self.rooms}
        return found

    def _drains(self) -> list[tuple[int, str, float]]:
        """Racks whose drain changes."""
        found = []
        for member, (queue, before) in enumerate(zip(self.queues, self.drained, strict=True)):
            found += [(member, rack, 1.0) for rack in sorted(queue.drained - before)]
            found += [(member, rack, 0.0) for rack in sorted(before - queue.drained)]
        return found

    def _inputs(self, inputs: AllRows) -> AllRows:
        """Phases and shares of the jobs, jobs and drains of the racks, as the queues have them."""
        changed: dict[str, Any] = {}
        rows = inputs[self.jobs.key]
        phase, share = to_host(rows.phase).copy(), to_host(rows.rack_share).copy()
        number = {job.name: place for place, job in enumerate(self.spec.jobs, 1)}
        trains: list[dict[str, int]] = []
        for member, queue in enumerate(self.queues):
            for name, task in queue.tasks.items():
                column = self.jobs.names.index(name)
                phase[member, column] = PHASES[task.phase]
                share[member, column] = len(task.racks) / task.spec.racks if task.racks else 1.0
            trains.append({rack: number[name] for name, task in queue.tasks.items() for rack in task.racks})
        changed[self.jobs.key] = replace(rows, phase=self.xp.asarray(phase), rack_share=self.xp.asarray(share))
        for t in self.racks:
            given, drain = to_host(inputs[t.key].job_number).copy(), to_host(inputs[t.key].drain).copy()
            for member, queue in enumerate(self.queues):
                given[member] = [trains[member].get(name, 0) for name in t.names]
                for column, name in enumerate(t.names):
                    if (name in queue.drained) != (name in self.drained[member]):
                        drain[member, column] = float(name in queue.drained)
            changed[t.key] = replace(inputs[t.key], job_number=self.xp.asarray(given), drain=self.xp.asarray(drain))
        self.drained = [set(queue.drained) for queue in self.queues]
        return changed
