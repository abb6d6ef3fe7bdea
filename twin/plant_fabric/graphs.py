"""Graphs: a fabric as a networkx graph, from the links or the GraphML file that somebody wrote, and for max-flow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx

from twin.plant_fabric import Fabric, Link
from twin.plant_fabric.generators import BadFabric

MOST_NODES = 100_000


def of_links(
    name: str, racks: list[str], links: Iterable[tuple[str, str, int, int]], rate: float, generator: str = "links"
) -> Fabric:
    """A fabric from links between two ends each (either way round), with their ports and rail.

    The tier of a switch is how many links lie between it and the nearest rack.

    Raises:
        BadFabric: a switch that no rack reaches, or a link within a tier.
    """
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(racks)
    listed = list(links)
    graph.add_edges_from((a, b) for a, b, _, _ in listed)
    linked = [rack for rack in racks if graph.degree(rack)]
    tier = nx.multi_source_dijkstra_path_length(graph, linked, weight=lambda *_: 1) if linked else {}
    lost = [node for node in graph if node not in tier and node not in racks]
    wrong = [f"no link leads from {lost[0]} to a rack{_more(len(lost) - 1)}"] if lost else []
    made = []
    for a, b, ports, rail in listed:
        if a not in tier or b not in tier:
            continue
        if tier[a] == tier[b]:
            where = "two racks" if tier[a] == 0 else f"two switches of tier {int(tier[a])}"
            wrong.append(f"a link joins {a} and {b}, which are {where}; links between tiers are wanted")
        lower, upper = (a, b) if tier[a] < tier[b] else (b, a)
        made.append(Link(lower, upper, ports, rail))
    if wrong:
        raise BadFabric(*wrong)
    switches = {node: int(at) for node, at in sorted(tier.items(), key=lambda item: item[1]) if at > 0}
    return Fabric(name, list(racks), switches, made, rate, generator=generator)


def _more(count: int) -> str:
    return f" (nor from {count} more)" if count > 0 else ""


def of_graphml(text: str, name: str, rate: float) -> Fabric:
    """A fabric from GraphML: nodes that are units, `kind` "rack" where a node is one, edges with `ports` and `rail`.

    Raises:
        BadFabric: it is not GraphML, or not a fabric.
    """
    try:
        graph: Any = nx.parse_graphml(text)
    except (ParseError, nx.NetworkXError, ValueError, KeyError) as error:
        raise BadFabric(f"this is not GraphML: {' '.join(str(error).split())[:120]}") from None
    if len(graph) > MOST_NODES:
        raise BadFabric(f"{len(graph)} nodes were found; at most {MOST_NODES} are wanted")
    names = {node: str(said.get("name", node)) for node, said in graph.nodes(data=True)}
    racks = [names[node] for node, said in graph.nodes(data=True) if said.get("kind") == "rack"]
    if not racks:
        raise BadFabric('no node says kind "rack"; what stands at the bottom of the fabric is wanted')
    rows, wrong = [], []
    for a, b, said in graph.edges(data=True):
        ports, rail = said.get("ports", 1), said.get("rail", 0)
        if not (isinstance(ports, int) and ports > 0 and isinstance(rail, int) and rail >= 0):
            wrong.append(f"the edge from {names[a]} to {names[b]} has no whole numbers of ports and rail")
        rows.append((names[a], names[b], ports, rail))
    if wrong:
        raise BadFabric(*wrong)
    return of_links(name, racks, rows, rate, "graphml")


def routed(fabric: Fabric, sources: Iterable[str], sinks: Iterable[str], ports: dict[Link, float] | None = None) -> Any:
    """The fabric as a directed graph for max-flow from "source" to "sink", capacities in ports.

    Routes go up and then down: each node is two, and the way down begins at a switch. Racks between are no way.

    Args:
        fabric: what is built.
        sources, sinks: racks.
        ports: what is left of links that lost some.
    """
    graph: nx.DiGraph = nx.DiGraph()
    left = ports or {}
    for link in fabric.links:
        capacity = left.get(link, link.ports)
        _widened(graph, (link.lower, "up"), (link.upper, "up"), capacity)
        _widened(graph, (link.upper, "down"), (link.lower, "down"), capacity)
    graph.add_edges_from(((switch, "up"), (switch, "down")) for switch in fabric.switches)
    graph.add_edges_from(("source", (rack, "up")) for rack in sources)
    graph.add_edges_from(((rack, "down"), "sink") for rack in sinks)
    return graph


def _widened(graph: Any, a: Any, b: Any, capacity: float) -> None:
    """Links in parallel between the same two ends are one."""
    before = graph[a][b]["capacity"] if graph.has_edge(a, b) else 0
    graph.add_edge(a, b, capacity=before + capacity)


def largest_flow(fabric: Fabric, sources: Iterable[str], sinks: Iterable[str], ports: Any = None) -> float:
    """What racks can send to others at once, in ports, by networkx: the oracle of `networks.fabric`."""
    graph = routed(fabric, sources, sinks, ports)
    if "source" not in graph or "sink" not in graph:
        return 0.0
    return float(nx.maximum_flow_value(graph, "source", "sink"))
