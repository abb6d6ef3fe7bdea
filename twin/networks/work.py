"""Work: what racks are asked to do in a tick, by the services that they serve and the jobs that they train."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from twin.arrays import Array
from twin.networks import accounting, gangs, serving, starting, storing
from twin.networks.tables import AllPorts, AllRows, Table
from twin.plant import Plant


@dataclass
class WorkNetwork:
    """Pools with their services, and jobs with their gangs; None where a plant has none.

    `loading`: storage systems that pools alone use; those that jobs use too are known to the gangs. `accounts`: whom
    energy is charged to. `racks`: all tables that work; `turns`: their order, where they start in turn.
    """

    serving: serving.ServingNetwork | None
    gangs: gangs.GangNetwork | None
    loading: storing.StoringNetwork | None
    accounts: accounting.AccountNet | None
    racks: list[Table]
    turns: Any = None


def compile_work(plant: Plant, tables: list[Table], xp: ModuleType) -> WorkNetwork:
    """Index tables of who works for whom."""
    made = gangs.compile_gangs(plant, tables, xp)
    loading = storing.compile_storing(plant, tables, None, xp) if made is None else None
    served = serving.compile_serving(plant, tables, xp)
    accounts = accounting.compile_accounts(served, made, tables, xp)
    racks = [t for t in tables if t.machine.is_work]
    return WorkNetwork(served, made, loading, accounts, racks, starting.compile_turns(plant, racks, xp))


def solve(net: WorkNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, outputs: AllRows, dt: Any) -> None:
    """Share the racks' time for one tick, as fast as they were; `ports` get `work`."""
    if net.serving is not None:
        serving.solve(net.serving, ports, state, inputs, outputs, dt)
    if net.gangs is not None:
        gangs.solve(net.gangs, ports, state, inputs, outputs, dt)
    if net.loading is not None:
        storing.load(net.loading, ports, state, inputs, dt)


def take_turns(net: WorkNetwork, ports: AllPorts, rows: AllRows, inputs: AllRows, dt: Any) -> None:
    """Let racks that have supply again begin in turn, where the site limits how fast their power comes back."""
    if net.racks:
        starting.take_turns(net.racks, ports, rows, inputs, dt, net.turns)


def tell_power(net: WorkNetwork, ports: AllPorts, drawn: Array) -> None:
    """Tell the pools what their racks take [W]."""
    if net.serving is not None:
        serving.tell_power(net.serving, ports, drawn)


def charge(
    net: WorkNetwork, ports: AllPorts, inputs: AllRows, was: AllRows, rows: AllRows, site: Any, drawn: Array, dt: Any
) -> None:
    """Charge the tick's energy to services and jobs, in the counters of `rows`; `was`: State before the tick."""
    if net.accounts is not None:
        accounting.count(net.accounts, ports, inputs, was, rows, site, drawn, dt)
