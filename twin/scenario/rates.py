"""Published rates of failures: sets of assets/rates, each cause with its source, date and mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from twin import assets
from twin.declare import Quantity
from twin.equipment import KINDS
from twin.faults import a_kind
from twin.scenario.catalog import MARKS
from twin.scenario.changes import inputs_of
from twin.scenario.document import Documents, Map, Text
from twin.scenario.faults import BadInput, advice
from twin.scenario.form import Form
from twin.scenario.forms import Raw, Whole, Word, Words, entries, fill, said

BASES = ("gpu", "node", "unit")
EVERY = Quantity("", "s", "mean time between failures", above=0, at_most=1e13)
REPAIR = Quantity("", "s", "time until it is well again", above=0, at_most=3.2e8)


class RateForm(Form):
    """How often one cause strikes, and where that stands."""

    kind: Annotated[str, Word(tuple(KINDS))] | None = Field(default=None, description="kind of equipment that it hits")
    input: Annotated[str, Words(60)] | None = Field(default=None, description="failure of that kind; else in_service")
    every: Annotated[float, EVERY] | None = Field(default=None, description="mean time between failures of one")
    count: Annotated[float, said("1", "failures", above=0, at_most=1e9)] | None = Field(
        default=None, description="failures in the exposure of the set"
    )
    probability: Annotated[float, said("1", "a probability", at_least=0, at_most=1)] | None = Field(
        default=None, description="of failing on demand"
    )
    repair: Annotated[float, REPAIR] | None = Field(default=None, description="how long it is away")
    source: Annotated[str, Words(600)] = Field(description="document the value stands in")
    date: Annotated[str, Words(20)] = Field(description="date of the document")
    mark: Annotated[str, Word(tuple(MARKS))] = Field(description="how well it is known")


class SetForm(Form):
    """A set of rates."""

    name: Annotated[str, Words(80)] = Field(description="its name, as the file's")
    title: Annotated[str, Words(200)] = Field(description="what was counted, in full")
    licence: Annotated[str, Words(200)] = Field(description="terms under which its values may be used")
    of: Annotated[str, Word(BASES)] = Field(description="whether a rate is that of a GPU, a node or a unit")
    gpus: Annotated[int, Whole(1, 1000)] | None = Field(default=None, description="GPUs of a node")
    exposure: Annotated[float, EVERY] | None = Field(default=None, description="time in which counts were counted")
    note: Annotated[str, Words(2000)] | None = Field(default=None, description="what else to know")
    rates: Raw = Field(description="cause -> count, every or probability, with source, date and mark")


@dataclass(frozen=True)
class Rate:
    """One cause: mean time between failures of one GPU, node or unit [s], or probability on demand; repair [s]."""

    cause: str
    every: float | None
    probability: float | None
    repair: float | None
    kind: str | None
    input: str
    source: str
    date: str
    mark: str


@dataclass(frozen=True)
class RateSet:
    """A set of rates; `gpus` is how many GPUs its basis has, 0 where it is a unit."""

    name: str
    title: str
    note: str
    gpus: int
    rates: tuple[Rate, ...]


class Rates:
    """The shipped sets, read when first asked for."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.folder = assets.assets_folder() / "rates"
        self.known = sorted(path.stem for path in self.folder.glob("*.yaml"))
        self.read: dict[str, RateSet | None] = {}

    def find(self, node: Text) -> RateSet | None:
        """A set by its name; None after a fault."""
        name = str(node)
        if name not in self.known:
            self.documents.faults.add(node.where, f'there is no set of rates "{name}"; {advice(name, self.known)}')
            return None
        return self.load(name)

    def load(self, name: str) -> RateSet | None:
        if name not in self.read:
            root = self.documents.load(self.folder / f"{name}.yaml", f"assets/rates/{name}.yaml")
            self.read[name] = None if root is None else self._set(root, name)
        return self.read[name]

    def _set(self, root: Map, name: str) -> RateSet | None:
        faults = self.documents.faults
        form = fill(SetForm, root, faults)
        if form is None or not form.complete:
            return None
        if form.name != name:
            faults.add(root.where_of("name"), f'"{form.name}" was found; the name of the file, "{name}", is wanted')
        rates = [self._rate(form, cause, node) for cause, node in entries(root["rates"], faults).items()]
        gpus = {"gpu": 1, "node": form.gpus or 1, "unit": 0}[form.of]
        return RateSet(name, form.title, form.note or "", gpus, tuple(rate for rate in rates if rate is not None))

    def _rate(self, whole: SetForm, cause: str, node: object) -> Rate | None:
        faults = self.documents.faults
        form = fill(RateForm, node, faults)  # type: ignore[arg-type]
        if form is None or not form.complete or not isinstance(node, Map):
            return None
        told = [key for key in ("every", "count", "probability") if key in node]
        if len(told) != 1 or (told[0] == "count" and whole.exposure is None):
            faults.add(node.where, "one of every, count (with an exposure of the set) and probability is wanted")
            return None
        every = form.every if form.count is None else (whole.exposure or 0.0) / form.count
        name = form.input or "in_service"
        if form.kind is not None and name not in inputs_of(form.kind):
            text = f'{a_kind(form.kind)} has no input "{name}"; {advice(name, inputs_of(form.kind))}'
            faults.add(node.where_of("input"), text)
            return None
        evidence = (form.source, form.date, form.mark)
        return Rate(cause, every, form.probability, form.repair, form.kind, name, *evidence)


def sets() -> list[RateSet]:
    """All shipped sets, in the order of their names.

    Raises:
        BadInput: a set is faulty.
    """
    documents = Documents()
    rates = Rates(documents)
    found = [rates.load(name) for name in rates.known]
    if documents.faults.errors:
        raise BadInput(documents.faults.errors)
    return [each for each in found if each is not None]
