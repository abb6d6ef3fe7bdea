"""What the section `fabric` of a plant may say: a generator with its counts, or links."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.plant_fabric import SENDERS
from twin.scenario.form import Form
from twin.scenario.forms import Length, Raw, Whole, Word, Words, said


class Fabric(Form):
    """A network of switches between racks: a generator with the names of its units, links, or a graph file."""

    stands = "plant.fabric.NAME"
    generator: Annotated[str, Word(("superpod", "fat_tree", "links", "graph"))] = Field(
        description="superpod and fat_tree make the links; links tells them, graph reads them from a file"
    )
    racks: Raw = Field(default=None, description="racks in order, ranges too")
    leaves: Raw = Field(default=None, description="leaf switches, by scalable unit (or group of racks) and rail")
    spines: Raw = Field(default=None, description="spine switches")
    cores: Raw = Field(default=None, description="core switches, by group")
    rails: Annotated[int, Whole(1, 64)] | None = Field(default=None, description="rails of a fat tree; 4 if absent")
    ports: Annotated[int, Whole(1, 4096)] | None = Field(default=None, description="of a rack on a rail; 18 if absent")
    radix: Annotated[int, Whole(2, 4096)] | None = Field(default=None, description="of a switch; 144 if absent")
    rate: Annotated[float, said("bit/s", "of a port, in one direction", above=0, at_most=1e15)] | None = Field(
        default=None, description="data rate of a port; 400 Gbit/s, of a fat tree 800 Gbit/s, if absent"
    )
    links: Raw = Field(default=None, description="list of links, each one between all of `from` and all of `to`")
    graph: Annotated[str, Words(400)] | None = Field(default=None, description="GraphML file in this folder")
    detection: Length | None = Field(default=None, description="time between two looks for new routes; 1 s if absent")
    senders: Annotated[str, Word(SENDERS)] | None = Field(
        default=None, description="who sends at once: all racks, or those of each job by themselves; all if absent"
    )


class FabricLink(Form):
    """Links between every unit of one end and every unit of the other."""

    source: Raw = Field(alias="from", description="racks or switches, ranges too")
    target: Raw = Field(alias="to", description="racks or switches, ranges too")
    ports: Annotated[int, Whole(1, 4096)] = Field(default=1, description="ports of each link")
    rail: Annotated[int, Whole(0, 64)] = Field(default=0, description="rail that it belongs to; 0 is none")
