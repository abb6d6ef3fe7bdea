"""What makes the ties of a plant buildable: two boards each, no circle, and no loop closed at rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx

from twin.declare import MODES
from twin.equipment import KINDS
from twin.faults import Fault, a_kind
from twin.plant_electrics import feed_graph, loop_through, rings
from twin.plant_loads import Asked, as_built, has_main


def dangling_ties(plant: Any) -> Iterator[Fault]:
    """Every tie joins two boards, and none of them feeds the other."""
    for unit in plant.units.values():
        count = KINDS[unit.kind].joins
        boards = plant.joins.get(unit.name, [])
        if count and len(set(boards)) != count:
            said = " and ".join(boards) or "nothing"
            yield Fault(
                unit.where, f"{unit.name} joins {said}; {a_kind(unit.kind)} joins two boards: joins: [ONE, OTHER]"
            )
        elif boards and not count:
            yield Fault(unit.where, f"{unit.name} joins {' and '.join(boards)}, but {a_kind(unit.kind)} is no tie")
        for board in boards:
            if board not in plant.units or not KINDS[plant.units[board].kind].weighs:
                found = a_kind(plant.units[board].kind) if board in plant.units else "not a unit"
                yield Fault(unit.where, f"{unit.name} joins {board}, which is {found}; a bus is wanted")
    graph = feed_graph(plant)
    for part in rings(plant):
        for board in part:
            below = nx.descendants(graph, board) & set(part) if board in graph else ()
            for other in sorted(below):
                where = plant.units[board].where if board in plant.units else None
                text = f"ties connect {board} and {other}, but {board} also feeds {other}; one way is wanted"
                yield Fault(where, text)


def loops_at_rest(plant: Any) -> Iterator[Fault]:
    """As the switches normally stand no loop is closed, and no two mains feed one island."""
    for tie, text in loops_closed(plant, as_built(plant)):
        yield Fault(plant.units[tie].where, text)


def deaf_ties(plant: Any) -> Iterator[Fault]:
    """A tie that throws over by itself does not do what `closed` says of it."""
    for name in plant.joins:
        unit = plant.units[name]
        if "closed" in unit.settings and throws(plant, name, unit.settings.get("mode", MODES["auto"])):
            yield Fault(unit.where, f"{name} {DEAF}")


DEAF = "throws over by itself (auto_throw: 1) and in auto does not follow closed; one of the two is wanted"


def throws(plant: Any, tie: str, mode: float) -> bool:
    """Whether a tie decides by itself how it stands."""
    return plant.units[tie].parameters.get("auto_throw", 0.0) > 0 and mode == MODES["auto"]


def loops_closed(plant: Any, asked: Asked) -> Iterator[tuple[str, str]]:
    """Ties that close a loop or join two mains as the switches are asked to stand, each with the sentence for it."""
    shut: list[str] = []
    graph: nx.Graph = nx.Graph()
    for tie in plant.joins:
        if not _is_shut(plant, tie, asked):
            continue
        one, two = plant.joins[tie]
        graph.add_nodes_from((one, two))
        if nx.has_path(graph, one, two):
            yield tie, f"a loop is closed: {told(plant, tie, shut)}; one of its ties is wanted open"
            continue
        shut.append(tie)
        graph.add_edge(one, two)
        mains = [board for board in nx.node_connected_component(graph, one) if has_main(plant, board, asked)]
        if len(mains) > 1:
            said = " and ".join(sorted(mains))
            text = f"{tie} closed joins the mains of {said}; one of the ties between them, or a main, is wanted open"
            yield tie, text
            shut.remove(tie)
            graph.remove_edge(one, two)


def _is_shut(plant: Any, tie: str, asked: Asked) -> bool:
    """Whether a tie is asked to be closed, and does what it is asked."""
    mode = asked(tie, "mode", MODES["auto"])
    obeys = mode in (MODES["auto"], MODES["hand"]) and not throws(plant, tie, mode)
    return obeys and asked(tie, "closed", 0.0) > 0 and asked(tie, "in_service", 1.0) > 0


def told(plant: Any, tie: str, closed: list[str]) -> str:
    """The members of the loop that a tie closes, in turn."""
    members = loop_through(plant, tie, closed)
    return " - ".join([*members, members[0]] if len(members) > 3 else members)
