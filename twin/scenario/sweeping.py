"""The section `sweep`: which failures are tried, how many at once, when, and from which states the plant begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from twin import units
from twin.declare import Quantity
from twin.scenario import values
from twin.scenario.document import Broken, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.form import Form
from twin.scenario.forms import Length, Raw, Whole, Words, fill
from twin.scenario.names import BadName, Directory

SHARE = Quantity("", "1", "share of full work", at_least=0, at_most=1)
MOMENT = Quantity("", "s", "a moment of the run", at_least=0, at_most=3.2e8)
HUMIDITY = Quantity("", "1", "relative humidity", at_least=0, at_most=1)
AIR = Quantity("", "K", "air temperature", above=200, below=340)
EVERYTHING = "all"
"""Stands for every unit that can be taken out of service."""


@dataclass(frozen=True)
class Sweeping:
    """What is tried; times in s, temperatures in K.

    order: failures at once, 1 or 2 (with two, each by itself is tried too); 0 tries none. of: units that the pairs are
    made of, as targets. units, kinds, modes: what may fail; everything, if empty. at: moments of the failures. after:
    how long it is watched from there, None to the end of the scenario. maintenance: units that are out of service from
    the start, one after the other. loads: share of full work asked of all racks. weather: dry bulb and relative
    humidity, None for air that keeps its water. draws: worlds of the scenario's own draws; 0 draws nothing.
    restore_after: so long after a failure it is mended, None never. rates: set by which cases are expected, or none.
    keep: so many of the worst cases are run again alone, with a trace each.
    """

    order: int = 1
    of: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    at: tuple[float, ...] = (60.0,)
    after: float | None = None
    maintenance: tuple[str, ...] = ()
    loads: tuple[float, ...] = ()
    weather: tuple[tuple[float, float | None], ...] = ()
    draws: int = 0
    restore_after: float | None = None
    rates: str = ""
    keep: int = 0


class SweepForm(Form):
    """Which failures `twin sweep` tries on top of the scenario; the command's own options go before."""

    stands = "sweep"
    n: Annotated[int, Whole(0, 2)] = Field(default=1, description="failures at once; with 2 each by itself, too")
    of: Raw = Field(default=None, description="units that the pairs are made of; all that may fail, if absent")
    units: Raw = Field(default=None, description="units that may fail: names, ranges, globs or kinds")
    kinds: Raw = Field(default=None, description="kinds that may fail")
    modes: Raw = Field(default=None, description="Inputs by which they may fail, in_service for the whole unit")
    fault_at: Raw = Field(default=None, description="moments of the failures; 60 s if absent")
    after: Length | None = Field(default=None, description="how long it is watched from there; to the end if absent")
    maintenance: Raw = Field(default=None, description="units out of service from the start, in turn, or all")
    loads: Raw = Field(default=None, description="shares of full work asked of all racks")
    weather: Raw = Field(default=None, description='outdoor air: "25 degC", or "38 degC/15 %" with its humidity')
    draws: Annotated[int, Whole(0, 1_000_000)] = Field(default=0, description="worlds of the scenario's own draws")
    restore_after: Length | None = Field(default=None, description="so long after a failure it is mended")
    rates: Annotated[str, Words(80)] | None = Field(default=None, description="published rates, e.g. ieee-493")
    keep: Annotated[int, Whole(0, 1000)] = Field(default=0, description="worst cases that are run again with a trace")


LISTS = ("of", "units", "kinds", "modes", "fault_at", "maintenance", "loads", "weather")
"""Keys that hold one value or a list of them."""


def lower(node: Node, directory: Directory, faults: Faults) -> Sweeping | None:
    """The section; None after a fault."""
    before = len(faults.errors)
    form = fill(SweepForm, node, faults)
    if form is None or not isinstance(node, Map):
        return None

    def each(key: str, read: Callable[[Text], Any]) -> tuple[Any, ...]:
        return tuple(read(item) for item in _items(node.get(key), faults))

    def targets(item: Text) -> str:
        try:
            if str(item) != EVERYTHING:
                directory.find(str(item))
        except BadName as error:
            if not directory.excuses(str(item)):
                faults.add(item.where, str(error))
        return str(item)

    def kind(item: Text) -> str:
        if str(item) not in directory.of_kind:
            faults.add(
                item.where, f"the plant has no {units.quoted(str(item))}; {advice(str(item), directory.of_kind)}"
            )
        return str(item)

    def value(said: Quantity) -> Callable[[Text], float]:
        return lambda item: values.read(item, said, faults) or 0.0

    found = Sweeping(
        form.n, each("of", targets), each("units", targets), each("kinds", kind), each("modes", str),
        each("fault_at", value(MOMENT)) or Sweeping.at, form.after, each("maintenance", targets),
        each("loads", value(SHARE)), each("weather", lambda item: _air(item, faults)), form.draws, form.restore_after,
        form.rates or "", form.keep,
    )  # fmt: skip
    return found if len(faults.errors) == before else None


def _items(node: Node | None, faults: Faults) -> list[Text]:
    """The texts of a list, or the one that stands alone."""
    listed = list(node) if isinstance(node, Seq) else [node] if node is not None else []
    if isinstance(node, Seq) and not node:
        faults.add(node.where, "an empty list was found; a value, or a list of values, is wanted, or no such key")
    for item in listed:
        if isinstance(item, Map | Seq) or (isinstance(item, Text) and item.empty):
            faults.add(item.where, f"{describe(item)} was found; a value, or a list of values, is wanted")
    return [item for item in listed if isinstance(item, Text) and not isinstance(item, Broken) and not item.empty]


def _air(item: Text, faults: Faults) -> tuple[float, float | None]:
    """Temperature, and humidity where it is said."""
    dry, slash, humidity = str(item).partition("/")

    def part(text: str, said: Quantity) -> float:
        node = Text(text.strip())
        node.where, node.plain = item.where, item.plain
        return values.read(node, said, faults) or 0.0

    return part(dry, AIR), part(humidity, HUMIDITY) if slash else None
