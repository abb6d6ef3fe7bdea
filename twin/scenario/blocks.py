"""Reads a whole plant: its document, the files it includes, and the blocks it places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from twin import assets, units
from twin.faults import Where
from twin.plant import Plant
from twin.scenario import forms, redundancy, variants
from twin.scenario.belongs import PLANT_KEYS, cure
from twin.scenario.catalog import Catalog
from twin.scenario.document import Broken, Documents, Map, Node, Text, describe
from twin.scenario.fabrics import FabricReader
from twin.scenario.faults import advice
from twin.scenario.forms import entries, fill
from twin.scenario.layout import layout
from twin.scenario.names import MOST, NAME
from twin.scenario.part import Part, one_of_its_kind
from twin.scenario.plants import UnitReader, resolve_streams
from twin.scenario.shelf import Shelf, inside

BLOCK_KEYS = (*PLANT_KEYS, "include")


Sees = dict[str, "Block | None"]
"""The blocks that a document can place; None for one whose faults are told."""


@dataclass
class Block:
    """A block as written: its mapping, its files' folder, and the blocks it can see."""

    name: str
    content: Map
    shelf: Shelf
    sees: Sees


class PlantReader:
    """Turns plant documents into a Plant; every file is read once, every block is worked out once."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.faults = documents.faults
        self.reader = UnitReader(documents, Catalog(documents))
        self.files: dict[Path, Map | None] = {}
        self.parts: dict[int, Part] = {}
        self.included: dict[int, Map] = {}
        self.varying: set[int] = set()
        self.shelves: dict[str, Shelf] = {}

    def plant(self, content: Map, shelf: Shelf) -> tuple[Part, Plant]:
        """The plant that a document describes; faults go to the documents' list."""
        part = self.part(content, shelf, {}, ())
        resolve_streams(part, self.faults)
        one_of_its_kind(part, self.faults)
        if not part.units and not part.lost and not part.holes:
            self.faults.add(content.where, "the plant has no units; at least one is wanted under units or place")
        return part, part.plant()

    def open(self, node: Node, shelf: Shelf) -> tuple[Map, Shelf] | None:
        """The document that a name or path means; None after a fault.

        A bare name is `plants/NAME.yaml` or `NAME.yaml` beside the document, or a shipped plant; a path
        must stay inside the folder.
        """
        if not isinstance(node, Text) or node.empty:
            if not isinstance(node, Broken):
                self.faults.add(node.where, f"{describe(node)} was found; the name or path of a plant is wanted")
            return None
        found = self._named(str(node), node.where, shelf) if NAME.fullmatch(node) else self._path(node, shelf)
        if found is None:
            return None
        path, name = found
        key = path.resolve()
        if key not in self.files:
            self.files[key] = self.documents.load(path, name, node.where)
        content = self.files[key]
        if content is None:
            return None
        return self.whole(content, Shelf(path.parent, str(PurePosixPath(name).parent).removeprefix(".")))

    def whole(self, content: Map, shelf: Shelf) -> tuple[Map, Shelf] | None:
        """A document in full: where it is a variant, with the plant that it varies; None after a fault."""
        self.shelves.setdefault(content.where.file, shelf)
        if variants.KEY not in content:
            return content, shelf
        if id(content) in self.varying:
            self.faults.add(content.where_of(variants.KEY), "this plant is a variant of itself in the end")
            return None
        self.varying.add(id(content))
        base = self.open(content[variants.KEY], shelf)
        self.varying.discard(id(content))
        return None if base is None else (variants.merged(base[0], content), base[1])

    def _named(self, name: str, where: Where, shelf: Shelf) -> tuple[Path, str] | None:
        shipped = assets.scenarios_folder() / "plants"
        for path, called in (
            (shelf.folder / "plants" / f"{name}.yaml", shelf.called(f"plants/{name}.yaml")),
            (shelf.folder / f"{name}.yaml", shelf.called(f"{name}.yaml")),
            (shipped / f"{name}.yaml", f"scenarios/plants/{name}.yaml"),
        ):
            if path.is_file():
                return path, called
        folders = (shelf.folder / "plants", shipped)
        known = {path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.yaml")}
        self.faults.add(where, f'there is no plant "{name}"; {advice(name, known)}')
        return None

    def _path(self, node: Text, shelf: Shelf) -> tuple[Path, str] | None:
        path = inside(str(node), shelf)
        if path is None:
            self.faults.add(node.where, f"{units.quoted(node)} leaves the folder of this file; a file in it is wanted")
            return None
        return path, shelf.called(str(node))

    def part(self, content: Map, shelf: Shelf, sees: Sees, trail: tuple[int, ...]) -> Part:
        """Work out a document or block, once."""
        if id(content) in self.parts:
            return self.parts[id(content)]
        part = Part()
        for key in content:
            if key not in PLANT_KEYS:
                near = cure(key, content[key], PLANT_KEYS)
                self.faults.add(content.where_of(key), f"this key is not known in a plant; {near}")
        sees = self._blocks(content, shelf, sees)
        if "units" in content:
            self.reader.units(content["units"], part)
        if "coolant" in content:
            self.reader.coolant(content["coolant"], part)
        if "signals" in content:
            self.reader.signals(content["signals"], part)
        if "fabric" in content:
            FabricReader(self.documents, self.reader, self.shelves).lower(content["fabric"], part)
        if "place" in content:
            self._places(content["place"], part, sees, (*trail, id(content)))
        if "redundancy" in content:
            redundancy.lower(content["redundancy"], part, self.faults)
        self.parts[id(content)] = part
        return part

    def _blocks(self, content: Map, shelf: Shelf, sees: Sees) -> Sees:
        """The blocks that a document can place: its own, and those of the documents around it."""
        found = dict(sees)
        for name, body in (listed := entries(content["blocks"], self.faults) if "blocks" in content else Map()).items():
            self.reader.names(name, listed.where_of(name), placed=False)
            found.setdefault(name, None)
            if not isinstance(body, Map):
                if not isinstance(body, Broken):
                    text = f'{describe(body)} was found; units, or "include: hall.yaml", are wanted'
                    self.faults.add(body.where, text)
                continue
            if "include" not in body:
                made = self.whole(body, shelf)
                if made is not None:
                    self.included |= {id(body): made[0]} if made[0] is not body else {}
                    found[name] = Block(name, made[0], made[1], found)
                continue
            for key in body:
                if key != "include":
                    self.faults.add(
                        body.where_of(key), "a block that includes a file says nothing else; leave this out"
                    )
            opened = self.open(body["include"], shelf)
            if opened is not None:
                self.included[id(body)] = opened[0]
                found[name] = Block(name, opened[0], opened[1], {})
        return found

    def _places(self, node: Node, part: Part, sees: Sees, trail: tuple[int, ...]) -> None:
        for key, body in (listed := entries(node, self.faults)).items():
            names = self.reader.names(key, listed.where_of(key), placed=False)
            form = fill(forms.Place, body, self.faults)
            block = self._seen(form.block, body, sees, trail) if form and form.block and isinstance(body, Map) else None
            if block is None or not names or not isinstance(body, Map):
                part.holes = True
                continue
            made = self.part(block.content, block.shelf, block.sees, trail)
            self._place(names, made, block, body, part)

    def _seen(self, name: str, body: Map, sees: Sees, trail: tuple[int, ...]) -> Block | None:
        """The block of a name; None after a fault."""
        if name not in sees:
            self.faults.add(body.where_of("block"), f'there is no block "{name}"; {advice(name, sees)}')
            return None
        block = sees[name]
        if block is not None and id(block.content) in trail:
            text = f'block "{name}" places itself in the end; it has no bottom'
            self.faults.add(body.where_of("block"), text)
            return None
        return block

    def _place(self, names: list[str], made: Part, block: Block, body: Map, part: Part) -> None:
        too_heavy = part.weight() + len(names) * made.weight() > 20 * MOST
        if too_heavy or len(part.units) + len(names) * len(made.units) > MOST:
            self.faults.add(body.where, f"the plant grows beyond {MOST} units here; fewer places are wanted")
            part.holes = True
            return
        outer = self._replaced(body.get("replace"), len(names), made, block)
        shifts = layout(body.get("at"), len(names), self.faults)
        for index, name in enumerate(names):
            part.place(made, name, {old: new[index] for old, new in outer.items()}, shifts[index], self.faults)

    def _replaced(self, node: Node | None, count: int, made: Part, block: Block) -> dict[str, list[str]]:
        """Unit of the block -> the outer unit for each place."""
        found: dict[str, list[str]] = {}
        for old, new in entries(node, self.faults).items() if node is not None else ():
            where = new.where
            if old not in made.units:
                self.faults.add(where, f'block "{block.name}" has no unit "{old}"; {advice(old, made.units)}')
                continue
            names = self.reader.names(str(new), where) if isinstance(new, Text) else []
            if not isinstance(new, Text):
                self.faults.add(where, f"{describe(new)} was found; the name of a unit out here is wanted")
            elif names and len(names) not in (1, count):
                self.faults.add(where, f"{len(names)} names for {count} places; one name, or as many, are wanted")
            elif names:
                found[old] = names * count if len(names) == 1 else names
        return found
