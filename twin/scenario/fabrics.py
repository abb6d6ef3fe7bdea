"""Reads the section `fabric` of a plant: a generator with its counts, links told one by one, or a GraphML file."""

from __future__ import annotations

from twin import units
from twin.faults import Where
from twin.plant_fabric import DETECTION, SENDERS, Fabric
from twin.plant_fabric.generators import NDR, XDR, BadFabric, fat_tree, superpod
from twin.plant_fabric.graphs import of_graphml, of_links
from twin.scenario import fabric_form
from twin.scenario.document import Documents, Map, Node, Text
from twin.scenario.form import keys_of
from twin.scenario.forms import entries, fill, items
from twin.scenario.part import Part
from twin.scenario.plants import UnitReader
from twin.scenario.shelf import Shelf, inside

LARGEST = 20_000_000
"""Bytes of a GraphML file."""
SAYS = {
    "superpod": ("racks", "leaves", "spines", "cores"),
    "fat_tree": ("racks", "leaves", "spines", "rails", "ports", "radix", "rate"),
    "links": ("racks", "links", "rate"),
    "graph": ("graph", "rate"),
}
"""Generator -> the keys that it reads, beside those of `ALWAYS`."""
TIERS = ("racks", "leaves", "spines", "cores")
"""Keys that name units, from below."""
ALWAYS = ("generator", "detection", "senders")


class FabricReader:
    """Reads fabrics into a part."""

    def __init__(self, documents: Documents, reader: UnitReader, shelves: dict[str, Shelf]) -> None:
        self.documents, self.reader, self.faults = documents, reader, documents.faults
        self.shelves = shelves

    def lower(self, node: Node, part: Part) -> None:
        for name, body in (listed := entries(node, self.faults)).items():
            where = listed.where_of(name)
            self.reader.names(name, where, placed=False)
            before = len(self.faults)
            form = fill(fabric_form.Fabric, body, self.faults)
            made = None
            if form is not None and form.generator and isinstance(body, Map):
                self._keys(form, body)
                self._once(body)
                if form.complete:
                    made = self._sound(name, form, body, where)
            if made is None or len(self.faults) > before:
                made = self._bare(name, body)
            if form is not None:
                made.detection, made.senders = form.detection or DETECTION, form.senders or SENDERS[0]
            made.where = where
            part.fabrics[name] = made

    def _keys(self, form: fabric_form.Fabric, body: Map) -> None:
        """Tell what its generator does not read."""
        for key in body:
            if key in keys_of(fabric_form.Fabric) and key not in (*SAYS[form.generator], *ALWAYS):
                text = f"generator {form.generator} does not read this; {', '.join(SAYS[form.generator])} are wanted"
                self.faults.add(body.where_of(key), text)
        if form.generator == "links" and "links" not in body and not body.partial:
            text = 'the key is missing; a list of links is wanted, e.g. "links: [{from: rack-01..08, to: leaf-1}]"'
            self.faults.add(body.where_of("links"), text)

    def _once(self, body: Map) -> None:
        """Tell what is named twice: a rack or switch stands in one place of a fabric."""
        told: dict[str, str] = {}
        for key in TIERS:
            again: dict[str, list[str]] = {}
            for name in self._names(body, key):
                if name in told:
                    where = "twice" if told[name] == key else f"among the {told[name]} too"
                    again.setdefault(where, []).append(name)
                told.setdefault(name, key)
            for where, each in again.items():
                more = f" (and {len(each) - 1} more)" if len(each) > 1 else ""
                text = f"{each[0]} is named {where}{more}; each unit stands in one place"
                self.faults.add(body.where_of(key), text)

    def _sound(self, name: str, form: fabric_form.Fabric, body: Map, where: Where) -> Fabric | None:
        """The fabric; None after a fault."""
        before = len(self.faults)
        try:
            return self._made(name, form, body)
        except BadFabric as error:
            if len(self.faults) == before:
                for key, text in error.faults:
                    self.faults.add(body.where_of(key) if key else where, text)
        return None

    def _bare(self, name: str, body: Node) -> Fabric:
        """What can be said of a fabric with a fault: its racks and switches, without links."""
        racks, *tiers = (self._names(body, key) for key in TIERS)
        switches = {each: tier for tier, names in enumerate(tiers, 1) for each in names}
        return Fabric(name, racks, switches, [], NDR, whole=False)

    def _made(self, name: str, form: fabric_form.Fabric, body: Map) -> Fabric | None:
        if form.generator == "graph":
            return self._graph(name, form, body)
        racks, leaves, spines, cores = (self._names(body, key) for key in ("racks", "leaves", "spines", "cores"))
        if form.generator == "superpod":
            return superpod(racks, leaves, spines, cores, name)
        if form.generator == "fat_tree":
            told = (form.rails or 4, form.ports or 18, form.radix or 144, form.rate or XDR)
            return fat_tree(racks, leaves, spines, *told, name)
        return of_links(name, racks, self._links(body), form.rate or NDR)

    def _names(self, body: Node, key: str) -> list[str]:
        listed = body.get(key) if isinstance(body, Map) else None
        return [name for names in self.reader.pointers(listed) for name in names]

    def _links(self, body: Map) -> list[tuple[str, str, int, int]]:
        """Every one of `from` is linked to every one of `to`."""
        found = []
        for row in items(body["links"], self.faults) if "links" in body else ():
            form = fill(fabric_form.FabricLink, row, self.faults)
            if form is None or not form.complete or not isinstance(row, Map):
                continue
            ends = [self._names(row, key) for key in ("from", "to")]
            found += [(a, b, form.ports, form.rail) for a in ends[0] for b in ends[1]]
        return found

    def _graph(self, name: str, form: fabric_form.Fabric, body: Map) -> Fabric | None:
        node = body.get("graph")
        if not isinstance(node, Text) or not form.graph:
            self.faults.add(
                body.where_of("graph"), 'the key is missing; a GraphML file is wanted, e.g. "fabric.graphml"'
            )
            return None
        shelf = self.shelves[node.where.file]  # a variant may stand in another folder than what it varies
        path = inside(form.graph, shelf)
        if path is None:
            text = f"{units.quoted(form.graph)} leaves the folder of this file; a file in it is wanted"
            self.faults.add(node.where, text)
            return None
        raw = self.documents.bytes_of(path, shelf.called(form.graph), node.where, LARGEST)
        if raw is None:
            return None
        return of_graphml(raw.decode("utf-8", errors="replace"), name, form.rate or NDR)
