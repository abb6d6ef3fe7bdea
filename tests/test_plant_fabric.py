"""Fabrics in plants: GraphML in, faults out; blocks with fabrics of their own."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from twin.plant_fabric.generators import BadFabric, superpod, superpod_counts
from twin.plant_fabric.graphs import of_graphml, of_links
from twin.scenario import read_plant


def small() -> nx.Graph:
    graph: nx.Graph = nx.Graph()
    for number in range(1, 5):
        graph.add_node(f"rack-{number}", kind="rack")
        graph.add_edge(f"rack-{number}", f"leaf-{(number + 1) // 2}", ports=2, rail=1)
    for number in (1, 2):
        graph.add_edge(f"leaf-{number}", "spine", ports=4)
    return graph


def test_graphml_gives_the_same_fabric_as_its_links():
    text = "\n".join(nx.generate_graphml(small()))
    read = of_graphml(text, "compute", 4e11)
    rows = [(a, b, said["ports"], said.get("rail", 0)) for a, b, said in small().edges(data=True)]
    told = of_links("compute", [f"rack-{number}" for number in range(1, 5)], rows, 4e11)
    assert (read.racks, read.switches, sorted(read.links, key=str)) == (
        told.racks, told.switches, sorted(told.links, key=str),
    )  # fmt: skip
    assert read.switches == {"leaf-1": 1, "leaf-2": 1, "spine": 2}
    assert read.rail_of == {"leaf-1": 0, "leaf-2": 0} or read.rails == 1


@pytest.mark.parametrize("text", ["", "<graphml>", "no xml at all", "<a/>"])
def test_what_is_no_graphml_is_told(text):
    with pytest.raises(BadFabric):
        of_graphml(text, "compute", 4e11)


def test_a_superpod_of_any_size_uses_no_more_ports_than_a_switch_has():
    for units in range(1, 17):
        wanted = superpod_counts(8 * units)
        names = [[f"{what}-{row}" for row in range(count)] for what, count in vars(wanted).items()]
        fabric = superpod(*names)
        assert max(fabric.ports_used()[each] for each in fabric.tier(2)[:1] + fabric.tier(3)[:1]) <= 64
        assert len(set(fabric.cables())) == 1, "as many ports up as down on every tier"


PLANT = """\
blocks:
  unit:
    units:
      feed: {kind: utility, rated_power: 1 MW}
      rack-1..4: {like: gb300-nvl72, feeds: feed}
      leaf-1..4: {kind: switch, rated_power: 2 kW, feeds: feed}
      spine-1..2: {kind: switch, rated_power: 2 kW, feeds: feed}
    fabric:
      compute:
        generator: fat_tree
        racks: rack-1..4
        leaves: leaf-1..4
        spines: spine-1..2
place:
  u1..2: {block: unit}
"""


def test_blocks_bring_their_fabrics(tmp_path: Path):
    (tmp_path / "p.yaml").write_text(PLANT, encoding="utf-8")
    from twin.scenario import check

    told = [str(each) for each in check(tmp_path / "p.yaml")]
    assert not [text for text in told if "compute" in text], told
    from twin.scenario.blocks import PlantReader
    from twin.scenario.document import Documents
    from twin.scenario.shelf import Shelf

    documents = Documents()
    root = documents.load(tmp_path / "p.yaml", "p.yaml")
    assert root is not None
    reader = PlantReader(documents)
    opened = reader.whole(root, Shelf(tmp_path, ""))
    assert opened is not None
    plant = reader.plant(*opened)[1]
    assert list(plant.fabrics) == ["u1/compute", "u2/compute"]
    assert plant.fabrics["u2/compute"].racks[0] == "u2/rack-1"
    assert plant.medium("fabric").has_edge("u1/leaf-1", "u1/rack-1")


def test_a_graph_file_stands_beside_the_plant_that_names_it(tmp_path: Path):
    graph = "\n".join(nx.generate_graphml(small()))
    (tmp_path / "net.graphml").write_text(graph, encoding="utf-8")
    (tmp_path / "p.yaml").write_text(
        "variant_of: pod\nunits:\n"
        "  rack-1..4: {like: gb300-nvl72, feeds: [pdu-1, pdu-2], zone: pod-air}\n"
        "  leaf-1..2: {kind: switch, rated_power: 2 kW, feeds: [pdu-1, pdu-2], zone: pod-air}\n"
        "  spine: {kind: switch, rated_power: 2 kW, feeds: [pdu-1, pdu-2], zone: pod-air}\n"
        "coolant:\n  technology: {loads: [rack-01..08, rack-1..4]}\n"
        "fabric:\n  compute: {generator: graph, graph: net.graphml, rate: 800 Gbit/s}\n",
        encoding="utf-8",
    )
    plant = read_plant(tmp_path / "p.yaml")
    assert (plant.fabrics["compute"].generator, plant.fabrics["compute"].rate) == ("graphml", 8e11)
