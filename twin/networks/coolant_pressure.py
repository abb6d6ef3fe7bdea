"""Coolant, static pressure: what stands at every element where a loop has a vessel, how the coolant grows.

The vessel's pressure at the return header is that of the last tick; pressures along the branches are of this tick's
flows. Loops without a vessel have no static pressure (nan); a plant without any vessel pays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, library_of, neighbours, stacked_with_spare, to_host, worth_doing
from twin.networks.coolant import CoolantNetwork, Resistances, Streams
from twin.networks.coolant_stages import lifts as lifts_of
from twin.networks.coolant_stages import with_return
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.fluids import properties
from twin.physics.thermal import TINY
from twin.plant import Plant


@dataclass
class PressureNetwork:
    """The vessels, which loop each serves, and the streams of their loops.

    `vessel_of_loop` is the column of a loop's vessel, past the last where it has none; `positions` lists for each
    place along a branch the streams that stand there and those before them; `fluids` the streams of each coolant in
    loops with a vessel, and the column of the vessel of each; `volume` what each stream
    holds [m3]; `tanks` with the heat capacity of what they hold [J/K]; `streams_of` by vessel, and `vessel_of`
    each stream, past the last where it has none.
    """

    vessels: Table
    vessel_of_loop: Array
    first: Array
    positions: list[tuple[Array, Array]]
    fluids: list[tuple[str, Array, Array]]
    volume: Array
    streams_of: Neighbours
    vessel_of: Array
    leaking: list[Streams]
    tanks: list[tuple[Streams, Array]]


def compile_pressure(plant: Plant, net: CoolantNetwork, tables: list[Table], xp: ModuleType) -> PressureNetwork | None:
    """Index tables of the loops that have a vessel; None where none has."""
    named = {loop.pressurisation: number for number, loop in enumerate(plant.loops.values()) if loop.pressurisation}
    if not named:
        return None
    vessels = next(t for t in tables if set(named) <= set(t.names))
    column = np.full(len(plant.loops), vessels.size, dtype=np.int64)
    for vessel, loop in named.items():
        column[loop] = vessels.names.index(vessel)
    loop_of, loops = to_host(net.loop_of), list(plant.loops.values())
    streams: list[list[int]] = [[] for _ in vessels.names]
    by_fluid: dict[str, list[tuple[int, int]]] = {}
    for row, loop in zip(net.element_lists, loop_of, strict=True):
        if column[loop] < vessels.size:
            streams[column[loop]] += row
            by_fluid.setdefault(loops[loop].fluid, []).extend((stream, column[loop]) for stream in row)
    for loop, tank in enumerate(net.storage):
        if tank < net.stream_count and column[loop] < vessels.size:
            streams[column[loop]].append(tank)
            by_fluid.setdefault(loops[loop].fluid, []).append((tank, column[loop]))
    vessel_of = np.full(net.stream_count, vessels.size)
    for number, rows in enumerate(streams):
        vessel_of[rows] = number
    longest = max(map(len, net.element_lists))
    steps = [[(row[k], row[k - 1]) for row in net.element_lists if len(row) > k] for k in range(1, longest)]
    index = lambda numbers: xp.asarray(np.array(numbers, dtype=np.int64))  # noqa: E731
    return PressureNetwork(
        vessels,
        index(column),
        index([row[0] for row in net.element_lists]),
        [(index([here for here, _ in step]), index([before for _, before in step])) for step in steps],
        [(fluid, index([row for row, _ in both]), index([of for _, of in both])) for fluid, both in by_fluid.items()],
        net.held / net.heat_capacity,
        neighbours(streams, xp, spare=net.stream_count),
        index(vessel_of),
        [each for each in net.streams if getattr(each.table.machine, "leaks_at", None) == each.name],
        [(each, net.held[:, each.columns]) for each in net.streams if each.table.machine.storage],
    )


def tell_pressures(
    vessels: PressureNetwork | None, net: CoolantNetwork, ports: AllPorts, state: AllRows, r: Resistances,
    lifts: Array, flow: Array,
) -> None:  # fmt: skip
    """Hand the absolute pressure at the drawn inlet of every stream to the ports, as "<stream> inlet" [Pa].

    Args:
        lifts: pressure of supply over return of each loop [Pa], (member, loop).
        flow: of every branch [m3/s], (member, branch).
    """
    if vessels is None:
        return
    xp = library_of(flow)
    held = state[vessels.vessels.key].static_pressure
    static = xp.full((len(held), held.shape[1] + 1), np.nan)
    static[:, :-1] = held
    at_return = static.take(vessels.vessel_of_loop, axis=1)
    begin = at_return.take(net.loop_of, axis=1)
    if net.rings is None:
        begin = xp.where(net.sign > 0, begin, (at_return + lifts).take(net.loop_of, axis=1))
    else:
        begin = begin + with_return(lifts).take(net.rings.start, axis=1)
    head, laminar, turbulent = r.by_stream[:3, :, : net.stream_count]
    q = flow.take(net.branch_of, axis=1)
    lost = (laminar + turbulent * abs(q)) * q - head
    barred = (flow < 0) & (r.stiff > 1.0)
    if worth_doing(barred):
        lost = lost + _barred(net, r, lifts, xp.where(barred, flow, 0.0), barred)
    inlet = xp.full(q.shape, np.nan)
    inlet[:, vessels.first] = begin
    for here, before in vessels.positions:
        inlet[:, here] = inlet[:, before] - lost[:, before]
    for streams in net.streams:
        ports[streams.table.key].pressure[f"{streams.name} inlet"] = inlet[:, streams.columns]


def _barred(net: CoolantNetwork, r: Resistances, lifts: Array, flow: Array, barred: Array) -> Array:
    """What check valves take of backward flow beyond their forward law [Pa], (member, stream).

    It is what the branch's own laws leave of the pressure between its headers; valves in series share it.
    """
    xp = library_of(flow)
    rest = (
        r.head
        - net.sign * lifts_of(net.rings, net.sign, net.loop_of, lifts)
        - (r.laminar + r.turbulent * abs(flow)) * flow
    )
    check = r.by_stream[3]
    share = xp.where(barred, rest / xp.maximum(gather_sum(check, net.elements), TINY), 0.0)
    taken: Array = share.take(net.branch_of, axis=1) * check[:, : net.stream_count]
    return taken


def tell_vessels(vessels: PressureNetwork | None, ports: AllPorts, state: AllRows, outlet: Array) -> None:
    """Tell each vessel by how much its loop's coolant has grown [m3].

        dV = sum V_i (rho(T_fill)/rho(T_i) - 1)

    Args:
        outlet: temperature of each stream at its outlet [K], (member, stream).
    """
    if vessels is None:
        return
    xp = library_of(outlet)
    key, machine = vessels.vessels.key, vessels.vessels.machine
    grown = xp.zeros(outlet.shape)
    if vessels.tanks:
        outlet = outlet.copy()
    for streams, held in vessels.tanks:  # one layer may leave, all of it grows: by its mean temperature
        t = streams.table
        outlet[:, streams.columns] = t.machine.stored(state[t.key], ports[t.key]) / held
    for fluid, rows, of in vessels.fluids:
        cold = properties(fluid, machine.fill_temperature).density.take(of, axis=1)  # type: ignore[attr-defined]
        grown[:, rows] = vessels.volume[:, rows] * (cold / properties(fluid, outlet[:, rows]).density - 1.0)
    ports[key].flow["expansion"] = gather_sum(stacked_with_spare(grown)[0], vessels.streams_of)
