"""Nominal loads of a plant: what every unit carries with all consumers at their rating, by feeds and closed ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx

from twin.equipment import KINDS
from twin.plant_electrics import capacities, feed_graph, rings, shares

FORMS = 2.0
"""Storage whose `control` is this holds a board by itself."""


Asked = Callable[[str, str, float], float]
"""What an Input of a unit is asked to be: (unit, input, what it usually is)."""


def as_built(plant: Any) -> Asked:
    """What the plant's settings say."""
    return lambda unit, name, usual: plant.units[unit].settings.get(name, usual)


def has_main(plant: Any, board: str, asked: Asked) -> bool:
    """Whether a board has feeds from a source that runs without being called; storage that only follows is none."""
    waiting, seen = list(plant.feeds.get(board, ())), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        kind = KINDS[plant.units[name].kind]
        if asked(name, "closed", 1.0) == 0.0 or asked(name, "in_service", 1.0) == 0.0:
            continue
        holds = not kind.stores_power or asked(name, "control", 0.0) == FORMS
        if kind.source and "start" not in kind.signals and holds:
            return True
        waiting += plant.feeds.get(name, ())
    return False


def through_ties(plant: Any) -> dict[str, tuple[str, str]]:
    """Boards that a tie feeds as the switches normally stand: board -> the tie, and the board before it."""
    shut: nx.Graph = nx.Graph()
    for tie, ends in plant.joins.items():
        throws = plant.units[tie].parameters.get("auto_throw", 0.0) > 0
        if plant.units[tie].settings.get("closed", 0.0) > 0 and not throws and len(set(ends)) == 2:
            shut.add_edge(*ends, tie=tie)
    found: dict[str, tuple[str, str]] = {}
    for part in rings(plant) if shut else ():
        mains = [board for board in part if board in shut and has_main(plant, board, as_built(plant))]
        for main in mains:
            for above, below in nx.bfs_edges(shut, main):
                if below not in mains:
                    found.setdefault(below, (shut.edges[above, below]["tie"], above))
    return found


def nominal_loads(plant: Any) -> dict[str, float]:
    """Power through each unit with all consumers at their rating and all sources alive [W].

    Units that prefer take everything from their first feed; a board without a main of its own takes it through the
    ties that are normally closed.
    """
    return {name: power.real for name, power in nominal_powers(plant).items()}


def nominal_powers(plant: Any) -> dict[str, complex]:
    """Complex power through each unit [VA], as `nominal_loads`; losses are left out."""
    load = dict.fromkeys(plant.units, 0j)
    bears, ties = capacities(plant), through_ties(plant)
    for name in _upwards(plant, ties):
        kind = KINDS[plant.units[name].kind]
        if kind.feeds[1] > 0 and not kind.serves:
            load[name] += _asked(plant.units[name].machine())
        if name in ties:
            for carries in ties[name]:
                load[carries] += load[name]
            continue
        for feed, share in zip(plant.feeds.get(name, ()), shares(plant, name, bears), strict=True):
            load[feed] += load[name] * share
    return load


def _upwards(plant: Any, ties: dict[str, tuple[str, str]]) -> list[str]:
    """All units that feed or are fed, each after those that it feeds."""
    graph = feed_graph(plant)
    graph.remove_edges_from([(feed, board) for board in ties for feed in plant.feeds.get(board, ())])
    graph.add_edges_from((above, board) for board, (_, above) in ties.items())
    return list(reversed(list(nx.topological_sort(graph))))


def _asked(machine: Any) -> complex:
    """What a consumer takes at its rating [VA]; at unity where its power factor is not a rating."""
    factor = float(getattr(machine, "power_factor", 1.0))
    power = float(machine.nominal_power())
    return complex(power, power * (1.0 / factor**2 - 1.0) ** 0.5 - float(getattr(machine, "rated_reactive_power", 0.0)))
