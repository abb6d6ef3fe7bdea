"""A plant's electrical side as it is drawn: what each feed can bear, and what its units carry at their ratings."""

from __future__ import annotations

from typing import Any

import networkx as nx

from twin.equipment import KINDS


def can_feed(plant: Any, name: str) -> bool:
    """Whether others may be fed from a unit."""
    kind = KINDS[plant.units[name].kind]
    return kind.serves or kind.source


def feed_graph(plant: Any) -> nx.DiGraph:
    """Who feeds whom, source -> consumer."""
    return nx.DiGraph((feed, consumer) for consumer, feeds in plant.feeds.items() for feed in feeds)


def downstream(plant: Any) -> list[str]:
    """All units that feed or are fed, each after its feeds."""
    return list(nx.topological_sort(feed_graph(plant)))


def capacities(plant: Any) -> dict[str, float]:
    """What each unit can bear for ever: the least of its own rating and what its feeds bear together [W].

    Of feeds that are chosen among, the best counts; infinity where nothing on the way has a rating.
    """
    bears = dict.fromkeys(plant.units, float("inf"))
    for name in downstream(plant):
        unit = plant.units[name]
        feeds = [bears[feed] for feed in plant.feeds.get(name, ())]
        if feeds:
            bears[name] = max(feeds) if KINDS[unit.kind].prefers else sum(feeds)
        bears[name] = min(bears[name], unit.parameters.get("rated_power", float("inf")))
    return bears


def shares(plant: Any, name: str, bears: dict[str, float]) -> list[float]:
    """What each feed of a unit bears of its draw while all live: alike, on a board by what each can bear."""
    feeds = plant.feeds.get(name, ())
    kind = KINDS[plant.units[name].kind]
    can = [bears[feed] for feed in feeds]
    if kind.prefers:
        return [float(slot == 0) for slot in range(len(feeds))]
    if kind.weighs and can and max(can) < float("inf"):
        return [each / sum(can) for each in can]
    return [1.0 / len(feeds) for _ in feeds]


def nominal_loads(plant: Any) -> dict[str, float]:
    """Power through each unit with all consumers at their rating and all sources alive [W].

    Units that prefer take everything from their first feed.
    """
    load = dict.fromkeys(plant.units, 0.0)
    bears = capacities(plant)
    for name in reversed(downstream(plant)):
        kind = KINDS[plant.units[name].kind]
        if kind.feeds[1] > 0 and not kind.serves:
            load[name] += float(plant.units[name].machine().nominal_power())
        for feed, share in zip(plant.feeds.get(name, ()), shares(plant, name, bears), strict=True):
            load[feed] += load[name] * share
    return load
