"""A plant's electrical side as it is drawn: voltage levels, what each feed can bear, what units carry at rating."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import networkx as nx

from twin.declare import quantities
from twin.equipment import KINDS


def can_feed(plant: Any, name: str) -> bool:
    """Whether others may be fed from a unit."""
    kind = KINDS[plant.units[name].kind]
    return kind.serves or kind.source


def feed_graph(plant: Any) -> nx.DiGraph:
    """Who feeds whom, source -> consumer."""
    return nx.DiGraph((feed, consumer) for consumer, feeds in plant.feeds.items() for feed in feeds)


def rings(plant: Any) -> list[list[str]]:
    """Boards that ties connect, open or closed."""
    graph: nx.Graph = nx.Graph(tuple(ends) for ends in plant.joins.values() if len(set(ends)) == 2)
    return [sorted(part) for part in nx.connected_components(graph)]


def loop_through(plant: Any, tie: str, closed: list[str]) -> list[str]:
    """The boards and ties, in turn, of the loop that a tie closes; or the way between the mains it joins."""
    one, two = plant.joins[tie]
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from((one, two))
    graph.add_edges_from((*plant.joins[each], {"tie": each}) for each in closed if each != tie)
    if not nx.has_path(graph, one, two):
        return [one, tie, two]
    way = nx.shortest_path(graph, one, two)
    return [one, *(name for a, b in pairwise(way) for name in (graph.edges[a, b]["tie"], b)), tie]


def downstream(plant: Any) -> list[str]:
    """All units that feed or are fed, each after its feeds."""
    return list(nx.topological_sort(feed_graph(plant)))


def capacities(plant: Any) -> dict[str, float]:
    """What each unit can bear for ever: the least of its own rating and what its feeds bear together [W].

    Of feeds that are chosen among, the best counts; infinity where nothing on the way has a rating.
    """
    bears = dict.fromkeys(plant.units, float("inf"))
    level = levels(plant)
    for name in downstream(plant):
        unit = plant.units[name]
        feeds = [bears[feed] for feed in plant.feeds.get(name, ())]
        if feeds:
            bears[name] = max(feeds) if KINDS[unit.kind].prefers else sum(feeds)
        bears[name] = min(bears[name], unit.parameters.get("rated_power", float("inf")), _ampacity(plant, name, level))
    return bears


def _ampacity(plant: Any, name: str, level: dict[str, float]) -> float:
    """What the ampacity of a unit lets it carry at its level [VA]; infinity where it has none."""
    amperes = plant.units[name].parameters.get("ampacity")
    return conductors(plant, name) * level[name] * amperes if amperes and level[name] else float("inf")


def conductors(plant: Any, name: str) -> float:
    """Apparent power over line current and voltage: sqrt(3) of balanced phases, 1 on direct current."""
    return 1.0 if plant.units[name].parameters.get("direct_current", 0.0) else 3.0**0.5


def direct(plant: Any) -> set[str]:
    """Units that are fed with direct current."""
    found: set[str] = set()
    for name in downstream(plant):
        feeds = [feed for feed in plant.feeds.get(name, ()) if feed in plant.units]
        if any(feed in found or KINDS[plant.units[feed].kind].rectifies for feed in feeds):
            found.add(name)
    return found


ISOCHRONOUS = 1e9
"""What whoever holds frequency or voltage takes, over what a droop of 1 would take at its rating; it stands for all."""


def bearing(plant: Any, name: str, bears: dict[str, float], droop: str = "droop") -> list[float]:
    """What the feeds of a board take of its load, in proportion: what each can bear [W], or what its droop says.

        P_i = S_i (1/droop_i + D_i) (f0_i - f),   with load damping D

    Args:
        bears: what each unit can bear, as `capacities` says.
        droop: by which of their ratings generating sets share: droop (active) or voltage_droop (reactive).
    """
    found = [_strength(plant, feed, bears, droop) for feed in plant.feeds.get(name, ())]
    if any(has_droop for _, has_droop in found):
        return [strength for strength, _ in found]
    return [bears[feed] for feed in plant.feeds.get(name, ())]


def _strength(plant: Any, name: str, bears: dict[str, float], droop: str) -> tuple[float, bool]:
    """What a feed gives per fall of frequency, or of voltage [W], and whether a set with droop is in it."""
    unit, feeds = plant.units[name], plant.feeds.get(name, ())
    kind = KINDS[unit.kind]
    if feeds and (kind.conducts or kind.weighs):
        behind = [_strength(plant, feed, bears, droop) for feed in feeds]
        return sum(strength for strength, _ in behind), any(has_droop for _, has_droop in behind)
    fall = unit.parameters.get(droop, 0.0) if kind.source and "droop" in quantities(kind) else 0.0
    if not fall > 0:
        return ISOCHRONOUS * min(bears[name], ISOCHRONOUS), False
    damping = unit.parameters.get("load_damping", 0.0) if droop == "droop" else 0.0
    return unit.parameters["rated_power"] * (1.0 / fall + damping), True


def shares(plant: Any, name: str, bears: dict[str, float]) -> list[float]:
    """What each feed of a unit bears of its draw while all live: alike, on a board by rating or droop."""
    feeds = plant.feeds.get(name, ())
    kind = KINDS[plant.units[name].kind]
    can = bearing(plant, name, bears) if kind.weighs else []
    if kind.prefers:
        return [float(slot == 0) for slot in range(len(feeds))]
    if kind.weighs and can and max(can) < float("inf"):
        return [each / sum(can) for each in can]
    return [1.0 / len(feeds) for _ in feeds]


NEAR = 1.1
"""Names of one level differ by less than this: 400 and 415 V, 13.2 and 13.8 kV."""


def levels(plant: Any) -> dict[str, float]:
    """Nominal voltage of what each unit serves or takes, line to line [V]; 0 where nobody said.

    Said by `nominal_voltage`, beyond a transformer by `secondary_voltage`, else that of the first feed known.
    """
    level = dict.fromkeys(plant.units, 0.0)
    joined = rings(plant)
    for _ in range(2 if joined else 1):
        for name in downstream(plant):
            if name in plant.units:
                level[name] = _said(plant, name, "secondary_voltage") or incoming(plant, name, level) or level[name]
        for part in joined:
            known = next((level[board] or incoming(plant, board, level) for board in part if level.get(board)), 0.0)
            level |= {board: level.get(board) or known for board in part}
    level |= {tie: level.get(boards[0], 0.0) for tie, boards in plant.joins.items() if boards}
    return level


def incoming(plant: Any, name: str, level: dict[str, float]) -> float:
    """Nominal voltage at which a unit takes its power [V]; 0 where nobody said."""
    said = _said(plant, name, "primary_voltage") or _said(plant, name, "nominal_voltage")
    return said or next((level[feed] for feed in plant.feeds.get(name, ()) if level.get(feed)), 0.0)


def _said(plant: Any, name: str, key: str) -> float:
    unit = plant.units[name]
    defaults = _defaults(unit.kind)
    return float(unit.parameters.get(key, defaults[key])) if key in defaults else 0.0


@cache
def _defaults(kind: str) -> dict[str, float]:
    """The voltages that a kind can say, and what it takes for silence [V]."""
    said = quantities(KINDS[kind])
    names = ("nominal_voltage", "primary_voltage", "secondary_voltage")
    return {name: said[name].default or 0.0 for name in names if name in said}


def at_their_levels(plant: Any) -> dict[str, float]:
    """The level of each unit that has a `nominal_voltage` and does not say it [V]."""
    level = levels(plant)
    silent = [name for name, unit in plant.units.items() if "nominal_voltage" in _defaults(unit.kind)]
    return {name: level[name] for name in silent if not _said(plant, name, "nominal_voltage") and level[name]}


def machines(plant: Any) -> dict[str, Any]:
    """Every unit as an instance of its kind in floats, at the level where it stands; none that lacks a rating."""
    level = at_their_levels(plant)
    return {
        name: KINDS[unit.kind](**(unit.parameters | ({"nominal_voltage": level[name]} if name in level else {})))
        for name, unit in plant.units.items()
        if all(said.default is not None or key in unit.parameters for key, said in quantities(KINDS[unit.kind]).items())
    }


def available(plant: Any, name: str, known: dict[str, Any] | None = None) -> float:
    """Current of a bolted short circuit at a unit's terminals [VA at nominal voltage], all sources and feeds alive.

    I = 1/|z| with the impedances of every way in series, feeds in parallel; infinite where nothing limits it. A board
    with ties has the strongest of the ways that they can give it, one at a time.
    """
    towards = abs(_towards(plant, name, known or machines(plant), {}))
    return 1.0 / towards if towards > 0 else float("inf")


def _towards(plant: Any, name: str, known: dict[str, Any], found: dict[str, complex]) -> complex:
    """Impedance from a unit's terminals to the sources [pu^2/VA]."""
    if name not in found and name in plant.joined:
        part = next(part for part in rings(plant) if name in part)
        fed = {board: _by_feeds(plant, board, known, found) for board in part if plant.feeds.get(board)}
        found |= dict.fromkeys(part, 0j) | _along_ties(plant, part, fed, known)
    elif name not in found:
        found[name] = _by_feeds(plant, name, known, found)
    return found[name]


def _by_feeds(plant: Any, name: str, known: dict[str, Any], found: dict[str, complex]) -> complex:
    """Impedance to the sources by a unit's own feeds, in parallel, and its own [pu^2/VA]."""
    machine = known[name]
    own = machine.series(machine.State(), machine.Inputs())
    feeds = plant.feeds.get(name, ())
    inner = [_towards(plant, feed, known, found) for feed in (feeds[:1] if machine.prefers else feeds)]
    parallel = 0j if not inner or any(z == 0 for z in inner) else 1.0 / sum(1.0 / z for z in inner)
    return complex(0.0 if own is None else own) + parallel


def _along_ties(plant: Any, part: list[str], fed: dict[str, complex], known: dict[str, Any]) -> dict[str, complex]:
    """Impedance of the nearest way that ties can give each of some boards, one at a time; theirs by feeds is known."""
    best = dict(fed)
    for _ in part:
        for tie, ends in plant.joins.items():
            z = complex(known[tie].series(known[tie].State(), known[tie].Inputs())) if ends[0] in part else 0j
            for here, there in (ends, ends[::-1]):
                if here in part and there in best and abs(z + best[there]) < abs(best.get(here, float("inf"))):
                    best[here] = z + best[there]
    return best


def duties(plant: Any) -> list[tuple[str, float, float]]:
    """Of each breaker that says it: what it can break, and what a bolted short circuit behind it draws [VA].

    Those at which nothing limits the current are left out.
    """
    rated = [name for name, unit in plant.units.items() if unit.parameters.get("breaking_capacity", 0.0) > 0]
    if not rated:
        return []
    known = machines(plant)
    found = [(name, known[name].breaking_capacity, available(plant, name, known)) for name in rated if name in known]
    return [duty for duty in found if duty[2] < float("inf")]
