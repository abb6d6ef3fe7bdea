"""Routing: looks at the switches of a fabric between ticks and tells its racks what bandwidth their routes leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from twin.arrays import Array, to_host
from twin.declare import quantities, replace
from twin.model import Model, State
from twin.networks.fabric import compile_fabric, links_alive, ports_left, shares
from twin.networks.tables import AllRows, Table
from twin.plant_fabric import Fabric

SHARE = "bandwidth_share"
"""Input of a rack that its fabric writes."""
Groups = tuple[tuple[int, ...], ...]
"""Racks, by number, that send at once."""
MOST_KEPT = 4096
"""Patterns of losses whose shares are remembered."""


class Routes:
    """What a subnet manager or routing protocol finds out, every `detection` seconds, for one fabric.

    Works on the host and between ticks, and only where ports came or went, or jobs got other racks, since it last
    looked: arrays that are the same objects hold the same values. Members with the same losses are worked out once.
    Where jobs alone send (`senders`), each job's racks are a group, and those of no job are one together.
    """

    def __init__(self, model: Model, fabric: Fabric) -> None:
        self.fabric, self.net, self.xp = fabric, compile_fabric(fabric), model.xp
        self.tables: list[tuple[Table, Array, Array]] = []
        for t in model.tables:
            rows = [(self.net.nodes[name], row) for row, name in enumerate(t.names) if name in self.net.nodes]
            if rows:
                nodes, columns = (np.array(each) for each in zip(*rows, strict=True))
                self.tables.append((t, nodes, columns))
        self.seen: list[Array] = []
        self.known: dict[tuple[bytes, Groups], tuple[Array, Array]] = {}
        self.by_jobs = fabric.senders == "jobs"
        jobs = [unit.name for unit in model.plant.of_kind("job")]
        home = {rack: job for job in jobs for rack in model.plant.pools.get(job, ())}
        self.home = [home.get(name, "") for name in self.net.names[: self.net.racks]]

    def look(self, now: State, inputs: AllRows) -> AllRows:
        """New Inputs of racks and switches, from the ports as they are; nothing where nothing changed."""
        ports = [_forwarding(t, now, inputs) for t, _, _ in self.tables]
        seen = ports + [inputs[t.key].job_number for t, _, _ in self.tables if self.by_jobs and t.machine.is_work]
        if self.seen and all(one is other for one, other in zip(seen, self.seen, strict=True)):
            return {}
        self.seen = seen
        alive = np.ones((ports[0].shape[0], len(self.net.names)))
        for (t, nodes, columns), said in zip(self.tables, ports, strict=True):
            share = to_host(said)[:, columns]
            alive[:, nodes] = share if _is_share(t) else 1.0 - share
        found = [self._worked_out(*each) for each in zip(alive, self._groups(inputs, len(alive)), strict=True)]
        changed: dict[str, Any] = {}
        for t, nodes, columns in self.tables:
            place, name = (0, SHARE) if SHARE in quantities(t.machine.Inputs) else (1, "links_alive")
            told = to_host(getattr(inputs[t.key], name)).copy()
            before = told.copy()
            told[:, columns] = [each[place][nodes] for each in found]
            if not np.array_equal(told, before):
                changed[t.key] = replace(inputs[t.key], **{name: self.xp.asarray(told)})
        return changed

    def _groups(self, inputs: AllRows, members: int) -> list[Groups]:
        """The racks that send at once in each member: by job where jobs alone send, else all."""
        if not self.by_jobs:
            return [(tuple(range(self.net.racks)),)] * members
        numbers = np.zeros((members, len(self.net.names)))
        for t, nodes, columns in self.tables:
            if t.machine.is_work:
                numbers[:, nodes] = to_host(inputs[t.key].job_number)[:, columns]
        found = []
        for row in numbers:
            groups: dict[tuple[str, float], list[int]] = {}
            for rack, home in enumerate(self.home):
                groups.setdefault((home, float(row[rack])), []).append(rack)
            found.append(tuple(tuple(racks) for racks in groups.values()))
        return found

    def _worked_out(self, alive: Array, groups: Groups) -> tuple[Array, Array]:
        """Shares of the racks and live links of all nodes, for the ports and the groups of one member."""
        pattern = alive.tobytes(), groups
        if pattern not in self.known:
            if len(self.known) >= MOST_KEPT:
                self.known.clear()
                self.net.whole.clear()
            left = ports_left(self.net, alive)
            found = np.ones(self.net.racks)
            for group in groups:
                found[list(group)] = shares(self.net, left, group)[list(group)]
            self.known[pattern] = found, links_alive(self.net, left)
        return self.known[pattern]

    def told(self, was: AllRows, new: AllRows) -> Iterator[tuple[int, str, float]]:
        """Member, rack and share of all racks whose share changed."""
        for t, _, _ in self.tables:
            if t.key in new and hasattr(new[t.key], SHARE):
                one, other = (to_host(getattr(rows[t.key], SHARE)) for rows in (was, new))
                for member, row in zip(*np.nonzero(one != other), strict=True):
                    yield int(member), t.names[row], float(other[member, row])

    def watch(self, run: Any, wait: Callable[[float], Any], note: Callable[[int, str, str, float], None]) -> Any:
        """A process of the calendar: look at the start and every `detection` seconds.

        Args:
            run: the simulation, for its `state` and `inputs`.
            wait: makes an event so many seconds ahead [s].
            note: takes member, unit, Input and value of what changed.
        """
        delay = 0.0
        while True:
            yield wait(delay)
            delay = self.fabric.detection
            if changed := self.look(run.state, run.inputs):
                for member, unit, value in self.told(run.inputs, changed):
                    note(member, unit, SHARE, value)
                run.inputs |= changed


def _is_share(t: Table) -> bool:
    """Whether a kind says which of its ports forward; else its Input says which are lost."""
    return "port_share" in quantities(t.machine.Outputs)


def _forwarding(t: Table, now: State, inputs: AllRows) -> Array:
    return now.outputs[t.key].port_share if _is_share(t) else inputs[t.key].ports_lost
