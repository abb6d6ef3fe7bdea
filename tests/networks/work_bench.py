"""A bench for work: jobs, pools and storage systems on racks that stand as they are put, tick by tick."""

import numpy as np

from tests.small_plants import RACK
from twin.declare import Ports, replace
from twin.model import _rows
from twin.networks import work
from twin.networks.tables import compile_tables
from twin.plant import Plant, Unit

WORKERS = ("pool", "job")


def racks(plant: Plant, count: int, **ratings: float) -> list[str]:
    """So many racks in a plant, which nothing feeds or cools."""
    names = [f"rack-{k}" for k in range(count)]
    for name in names:
        plant.add(Unit(name, "rack", RACK | ratings))
    return names


class Bench:
    """Jobs and pools of a plant alone; `read` and `written` are what the first storage system moved [bit]."""

    def __init__(self, plant: Plant, members: int = 1) -> None:
        self.tables = {t.key: t for t in compile_tables(plant, np)}
        self.net = work.compile_work(plant, list(self.tables.values()), np)
        self.inputs, self.state, self.outputs = (
            {k: _rows(getattr(t.machine, part), members, t.size, np, {}) for k, t in self.tables.items()}
            for part in ("Inputs", "State", "Outputs")
        )
        self.members, self.now, self.read, self.written = members, 0.0, 0.0, 0.0

    def put(self, part, key, name, value, place=slice(None)):
        rows = getattr(self, part)
        array = getattr(rows[key], name).copy()
        array[:, place] = value
        rows[key] = replace(rows[key], **{name: array})

    def run(self, seconds, dt):
        """The ports of the last tick."""
        columns = 1 + sum(t.size for t in self.tables.values())
        for _ in range(round(seconds / dt)):
            ports = {key: Ports(now=self.now) for key in self.tables}
            work.solve(self.net, ports, self.state, self.inputs, self.outputs, dt)
            work.tell_power(self.net, ports, np.zeros((self.members, columns)))
            for key in set(WORKERS) & set(self.tables):
                machine = self.tables[key].machine
                self.state[key], self.outputs[key] = machine.advance(self.state[key], self.inputs[key], ports[key], dt)
            if "storage_system" in ports and (moved := ports["storage_system"].work) is not None:
                self.read, self.written = self.read + dt * moved.read[0, 0], self.written + dt * moved.written[0, 0]
            self.now += dt
        return ports

    def of(self, name, place=0, key="job"):
        rows = self.outputs if hasattr(self.outputs[key], name) else self.state
        return float(getattr(rows[key], name)[0, place])
