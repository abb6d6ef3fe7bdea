"""The model: a plant compiled into frozen arrays, and the Inputs and State that fit it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Device, Neighbours, neighbours, open_device, to_host
from twin.declare import Ports, quantities
from twin.networks import air, coolant, coolant_heat, coolant_pressure, power, signal, work
from twin.networks.tables import OPTIONAL_LAWS, AllPorts, AllRows, Table, compile_tables, unit_columns
from twin.plant import Plant


@dataclass
class Model:
    """Parameters and index tables of a plant; nothing in it changes during a run."""

    plant: Plant
    device: Device
    tables: list[Table]
    power: power.PowerNetwork
    coolant: coolant.CoolantNetwork
    heat: coolant_heat.HeatNetwork
    vessels: coolant_pressure.PressureNetwork | None
    air: air.AirNetwork
    signals: signal.SignalNetwork
    work: work.WorkNetwork
    ledger: Ledger
    seats: dict[str, tuple[str, int]]
    heat_capacity: dict[str, dict[str, Array]]

    @property
    def xp(self) -> ModuleType:
        return self.device.library

    @cached_property
    def having(self) -> dict[str, list[Table]]:
        """The tables that have a law of their own, by law."""
        return {law: [t for t in self.tables if law in t.laws] for law in OPTIONAL_LAWS}

    @property
    def unit_count(self) -> int:
        return sum(t.size for t in self.tables)

    def table(self, key: str) -> Table:
        return next(t for t in self.tables if t.key == key)


@dataclass
class Ledger:
    """Index tables of the energy balance: streams of each unit, and all units.

    Arrays over units have one more column, which stands for none and holds zero. `by_compressor` and `by_weather` hold
    what cools with chillers and without them, `pumping` the pumps with 1 for those of water that condensers warm.
    """

    streams: Neighbours
    everyone: Neighbours
    is_source: Array
    is_work: Array
    takes_air_heat: list[Table]
    storing: list[Table]
    rejecting: list[Table]
    by_compressor: list[Table]
    by_weather: list[Table]
    pumping: list[tuple[Table, Array]]


@dataclass
class State:
    """What is so and is remembered: one row object per table, and what the networks remember.

    voltage: complex, (member, unit + 1) [pu]; frequency: the same, of nominal [1], or the plain number 1.0 where
    all are at it; pressure of supply over return (member, loop) [Pa];
    headers: supply and return temperature (2, member, loop) [K]; outputs: of the last tick;
    stored: energy each unit holds (member, unit + 1) [J], a function of the rows; imbalance: residual of
    each unit's books in the last tick, of the site's throughput (member, unit + 1); loops: which
    ties close one, by mesh; flows: what streams were told of theirs in the last tick.
    """

    rows: AllRows
    outputs: AllRows
    voltage: Array
    pressure: Array
    headers: Array
    stored: Array
    imbalance: Array = None
    lost_between: Array = None
    frequency: Any = 1.0
    loops: Any = ()
    flows: coolant.Told = field(default_factory=dict)


def compile(plant: Plant, device: Device | None = None) -> Model:
    """Compile a plant that has no faults.

    Raises:
        ValueError: the plant has faults; the message lists them all.
    """
    faults = [fault for fault in plant.faults() if not fault.warning]
    if faults:
        raise ValueError("\n".join(str(fault) for fault in faults))
    device = device or open_device("cpu")
    xp = device.library
    tables = compile_tables(plant, xp)
    flows = coolant.compile_coolant(plant, tables, xp)
    seats = {name: (t.key, row) for t in tables for row, name in enumerate(t.names)}
    return Model(
        plant,
        device,
        tables,
        power.compile_power(plant, tables, xp),
        flows,
        coolant_heat.compile_heat(flows, xp),
        coolant_pressure.compile_pressure(plant, flows, tables, xp),
        air.compile_air(plant, tables, xp),
        signal.compile_signals(plant, tables, xp),
        work.compile_work(plant, tables, xp),
        _compile_ledger(tables, flows, xp),
        seats,
        _heat_capacity(tables, flows),
    )


def _heat_capacity(tables: list[Table], flows: coolant.CoolantNetwork) -> dict[str, dict[str, Array]]:
    """Of each stream's coolant [J/(m3 K)], by table and stream, arrays (1, n)."""
    said: dict[str, dict[str, Array]] = {t.key: {} for t in tables}
    for streams in flows.streams:
        said[streams.table.key][streams.name] = flows.heat_capacity[:, streams.columns]
    return said


def _compile_ledger(tables: list[Table], flows: coolant.CoolantNetwork, xp: ModuleType) -> Ledger:
    column = unit_columns(tables)
    streams: list[list[int]] = [[] for _ in range(len(column) + 1)]
    for group in flows.streams:
        for row in range(group.table.size):
            streams[group.table.first + row].append(group.first + row)
    source_kinds = {name for t in tables if t.machine.source and not t.machine.stores_power for name in t.names}
    work_kinds = {name for t in tables if getattr(t.machine, "is_it", t.machine.is_work) for name in t.names}
    ways = [
        [t for t in tables if getattr(t.machine, "cools_by", "") in by]
        for by in (("compressor",), ("weather", "reuse"))
    ]
    return Ledger(
        neighbours(streams, xp, spare=flows.stream_count),
        neighbours([[column[n] for n in sorted(column)]], xp, spare=len(column)),
        xp.asarray([[float(name in source_kinds) for name in column] + [0.0]]),
        xp.asarray([[float(name in work_kinds) for name in column] + [0.0]]),
        [t for t in tables if "coil" in t.laws or t.kind == "zone"],
        [t for t in tables if "stored" in t.laws],
        [t for t in tables if "rejected" in t.laws],
        ways[0],
        ways[1],
        _pumping(tables, flows, xp),
    )


def _pumping(tables: list[Table], flows: coolant.CoolantNetwork, xp: ModuleType) -> list[tuple[Table, Array]]:
    """Pumps, and for each 1 where it stands in a loop that condensers warm; those tables that have some."""
    loop_of = to_host(flows.loop_of_stream)
    warmed = {
        int(loop_of[k])
        for group in flows.streams
        if group.name == "condenser"
        for k in range(group.first, group.first + group.table.size)
    }
    pumps = [each for each in flows.streams if each.table.kind == "pump"]
    found = [(each.table, np.isin(loop_of[each.columns], list(warmed))[None] * 1.0) for each in pumps]
    return [(t, xp.asarray(of_condensers)) for t, of_condensers in found if of_condensers.any()]


def _rows(
    cls: type,
    members: int,
    size: int,
    xp: ModuleType,
    given: dict[str, Any],
    parts: Callable[[str], Array] = lambda of: 0.0,
) -> Any:
    """One row object of a table class, every quantity an array (member, n) at its default or as given.

    Of quantities that parts of a unit have each, (member, n, parts), with the most parts that any unit has.
    """
    values = {}
    for name, said in quantities(cls).items():
        start = given.get(name, said.default)
        if start is None:
            raise ValueError(f"{cls.__qualname__}.{name} has neither a default nor a value at rest")
        if said.each:
            values[name] = xp.zeros((members, size, int(to_host(parts(said.each)).max()))) + start
            continue
        values[name] = xp.zeros((members, size)) + start
    return cls(**values)


def inputs(model: Model, members: int = 1) -> AllRows:
    """Inputs as the plant's units normally stand, else at their defaults; arrays (member, n)."""
    return {t.key: _rows(t.machine.Inputs, members, t.size, model.xp, _settings(model, t)) for t in model.tables}


def _settings(model: Model, t: Table) -> dict[str, Array]:
    """Inputs of a table that its units set, arrays (1, n)."""
    said = quantities(t.machine.Inputs)
    asked = [model.plant.units[name].settings for name in t.names]
    return {
        name: model.xp.asarray([[row.get(name, said[name].default) for row in asked]])
        for name in {key: None for row in asked for key in row}
    }


def state(model: Model, asked: AllRows, members: int = 1) -> State:
    """State at rest: all in service, storages full, no heat moving; `simulation.settle` makes it steady."""
    xp = model.xp
    rows, outputs = {}, {}
    for t in model.tables:
        rows[t.key] = _rows(t.machine.State, members, t.size, xp, t.machine.rest(asked[t.key]), t.machine.parts)
        outputs[t.key] = _rows(t.machine.Outputs, members, t.size, xp, {})
    voltage = xp.zeros((members, model.unit_count + 1), dtype=complex)
    voltage[:, : model.unit_count] = 1.0
    loops = model.coolant.header_count
    pressure = xp.zeros((members, loops)) + 1e5
    made = State(rows, outputs, voltage, pressure, xp.zeros((2, members, loops)) + 298.15, None)
    made.stored = stored(model, made, ports(model))
    return made


def stored(model: Model, now: State, port: AllPorts) -> Array:
    """Energy held by each unit [J], (member, unit + 1); recompute it after setting rows by hand."""
    held = model.xp.zeros(now.voltage.shape)
    for t in model.ledger.storing:
        held[:, t.columns] = t.machine.stored(now.rows[t.key], port[t.key])
    return held


def ports(model: Model, now: Any = 0.0, dry_bulb: Any = 298.15, wet_bulb: Any = 291.15) -> dict[str, Ports]:
    """Fresh ports, one per table, with what all are told and the heat capacity of each stream's coolant."""
    return {t.key: Ports(now, dry_bulb, wet_bulb, heat_capacity=model.heat_capacity[t.key]) for t in model.tables}
