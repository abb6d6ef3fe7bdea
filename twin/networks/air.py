"""Air: rooms as stirred volumes; what units give to them and coils take from them, exact over the tick.

A coil is whatever exchanges heat in proportion to the air: of a fan wall, warm heat sinks, the metal of the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, Neighbours, gather_sum, neighbours, stacked
from twin.networks.tables import AllPorts, AllRows, Table, unit_columns
from twin.physics.thermal import TINY, stir
from twin.plant import Plant


@dataclass
class AirNetwork:
    """Zones with the units that stand in them."""

    zones: Table | None
    givers: list[Table]
    coolers: list[Table]
    inside: Neighbours | None
    zone_of: dict[str, Array]
    indoors: Array
    unit_count: int


def compile_air(plant: Plant, tables: list[Table], xp: ModuleType) -> AirNetwork:
    """Index tables of who stands in which room. A unit without a zone gives its heat to the outdoors."""
    column = unit_columns(tables)
    zones = next((t for t in tables if t.kind == "zone"), None)
    givers = [t for t in tables if "warm" in t.laws]
    coolers = [t for t in tables if "coil" in t.laws]
    rows = {name: row for row, name in enumerate(zones.names)} if zones else {}
    members: list[list[int]] = [[] for _ in rows]
    for name in sorted(column):
        zone = plant.units[name].zone
        if zone is not None:
            members[rows[zone]].append(column[name])
    zone_of = {}
    for t in [*givers, *coolers]:
        inside = [plant.units[name].zone for name in t.names]
        if all(zone is not None for zone in inside):
            zone_of[t.key] = xp.asarray(np.array([rows[str(zone)] for zone in inside], dtype=np.int64))
    indoors = xp.asarray(np.array([[float(plant.units[name].zone is not None) for name in column] + [0.0]]))
    return AirNetwork(
        zones,
        givers,
        coolers,
        neighbours(members, xp, spare=len(column)) if zones else None,
        zone_of,
        indoors,
        len(column),
    )


def solve(
    net: AirNetwork, ports: AllPorts, state: AllRows, inputs: AllRows, warmth: Array, xp: ModuleType, dt: Any
) -> None:
    """Let the rooms answer for one tick; `ports` get air_heat and the zone's temperature.

    Args:
        warmth: zeros (member, unit + 1), filled here with the heat each unit gives to the air [W].
    """
    for t in net.givers:
        warmth[:, t.columns] = t.machine.warm(state[t.key], inputs[t.key], ports[t.key], dt)
    if net.zones is None or net.inside is None:
        return
    conductance, pull, taken = xp.zeros((3, *warmth.shape))
    water: dict[str, tuple[Array, Array]] = {}
    for t in net.coolers:
        K, T_water = t.machine.coil(state[t.key], inputs[t.key], ports[t.key], dt)
        water[t.key] = (K, T_water)
        conductance[:, t.columns] = K
        pull[:, t.columns] = K * T_water
    given, K_all, pull_all = gather_sum(stacked(warmth, conductance, pull), net.inside)
    room = state[net.zones.key].temperature
    machine, own = net.zones.machine, ports[net.zones.key]
    metal = own.plan = machine.metal(state[net.zones.key], dt)  # type: ignore[attr-defined]
    if metal is not None:
        K_all, pull_all = K_all + metal[0], pull_all + metal[0] * metal[1]
    answer = stir(room, K_all, machine.air_heat_capacity(), dt, given)  # type: ignore[attr-defined]
    mean = answer.constant + answer.slope * pull_all / xp.maximum(K_all, TINY)
    for t in net.coolers:
        K, T_water = water[t.key]
        ports[t.key].air_heat = taken[:, t.columns] = K * (mean.take(net.zone_of[t.key], axis=1) - T_water)
    own.air_heat = given - gather_sum(taken, net.inside)
    if metal is not None:
        own.plan = metal[0] * (mean - metal[1])
    for key, zone in net.zone_of.items():
        ports[key].zone_temperature = room.take(zone, axis=1)
