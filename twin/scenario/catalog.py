"""The catalogue of named machines: records of assets/catalog, every value with its source, date and mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from twin import assets
from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.scenario import values
from twin.scenario.document import Documents, Map
from twin.scenario.faults import BadInput, advice
from twin.scenario.form import Form
from twin.scenario.forms import Raw, Word, Words, entries, fill
from twin.scenario.names import NAME

MARKS = {
    "P": "read in the primary document",
    "S": "a secondary document that cites the primary",
    "M": "textbook knowledge, to be verified (an estimate)",
    "D": "derived from other values",
    "E": "engineering estimate",
}
ESTIMATES = ("E", "M")


class Entry(Form):
    """One value of a record, and where it comes from."""

    value: Raw = Field(description="the value with its unit")
    source: Annotated[str, Words(600)] = Field(description="document the value stands in")
    date: Annotated[str, Words(20)] = Field(description="date of the document")
    mark: Annotated[str, Word(tuple(MARKS))] = Field(description="how well it is known")
    note: Annotated[str, Words(600)] | None = Field(default=None, description="what else to know")


class RecordForm(Form):
    """A named machine."""

    name: Annotated[str, Words(80)] = Field(description="its name, as the file's")
    kind: Annotated[str, Word(tuple(KINDS))] = Field(description="kind of equipment")
    title: Annotated[str, Words(200)] = Field(description="its name in full")
    licence: Annotated[str, Words(200)] = Field(description="terms under which its values may be used")
    note: Annotated[str, Words(2000)] | None = Field(default=None, description="what else to know")
    quantities: Raw = Field(description="quantity -> value, source, date, mark")


@dataclass
class Value:
    """One value of a record in SI, with the text it was read from and its evidence."""

    value: float
    text: str
    source: str
    date: str
    mark: str
    note: str = ""

    @property
    def estimate(self) -> bool:
        return self.mark in ESTIMATES


@dataclass
class Record:
    """A named machine of the catalogue; `parameters` are its ratings in SI."""

    name: str
    kind: str
    title: str
    licence: str
    note: str = ""
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, float]:
        return {name: each.value for name, each in self.values.items()}


class Catalog:
    """The shipped records, read when first asked for."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.folder = assets.assets_folder() / "catalog"
        self.known = sorted(path.stem for path in self.folder.glob("*.yaml"))
        self.read: dict[str, Record | None] = {}

    def find(self, name: str, asked: Where) -> Record | None:
        """A record by its name; None after a fault."""
        if name not in self.known:
            self.documents.faults.add(asked, f'there is no catalogue record "{name}"; {advice(name, self.known)}')
            return None
        if name not in self.read:
            self.read[name] = self._read(name)
        return self.read[name]

    def _read(self, name: str) -> Record | None:
        root = self.documents.load(self.folder / f"{name}.yaml", f"assets/catalog/{name}.yaml")
        return None if root is None else self.record(root, name)

    def record(self, root: Map, name: str) -> Record | None:
        """The record that a document holds; None after a fault."""
        faults = self.documents.faults
        form = fill(RecordForm, root, faults)
        if form is None or not form.kind:
            return None
        if form.name and form.name != name:
            faults.add(root.where_of("name"), f'"{form.name}" was found; the name of the file, "{name}", is wanted')
        record = Record(name, form.kind, form.title or name, form.licence or "", form.note or "")
        if "quantities" in root:
            self._values(record, entries(root["quantities"], faults))
        return record

    def _values(self, record: Record, listed: Map) -> None:
        faults = self.documents.faults
        known = quantities(KINDS[record.kind])
        for key, node in listed.items():
            if key not in known:
                faults.add(listed.where_of(key), f"{a_kind(record.kind)} has no such quantity; {advice(key, known)}")
                continue
            entry = fill(Entry, node, faults)
            if entry is None or not isinstance(node, Map) or "value" not in node:
                continue
            value = values.read(node["value"], known[key], faults)
            if value is not None:
                evidence = (entry.source or "", entry.date or "", entry.mark or "", entry.note or "")
                record.values[key] = Value(value, str(node["value"]), *evidence)


def records() -> list[Record]:
    """All shipped records, in the order of their names.

    Raises:
        BadInput: a record is faulty.
    """
    documents = Documents()
    catalog = Catalog(documents)
    found = [catalog.find(name, Where(f"assets/catalog/{name}.yaml", 1)) for name in catalog.known if NAME.match(name)]
    if documents.faults.errors:
        raise BadInput(documents.faults.errors)
    return [record for record in found if record is not None]
