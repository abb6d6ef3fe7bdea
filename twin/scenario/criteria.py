"""Criteria: what their sentences mean - units, quantities, flags, limits in SI. Judging lives in report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from twin import units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.plant import Plant
from twin.scenario import values
from twin.scenario.document import Broken, Map, Node, Text, describe
from twin.scenario.doings import flags_meant, known_doings, singular
from twin.scenario.faults import Faults, advice
from twin.scenario.forms import items
from twin.scenario.names import BadName, Directory
from twin.scenario.sentence import EXAMPLE, FUNCTIONS, Piece, Sentence, Unclear, Who, parse
from twin.scenario.values import is_difference

__all__ = ["ALWAYS", "FUNCTIONS", "Criterion", "Meaning", "lower"]

KEYS = ("name", "hold")
"""Keys of a criterion with a name."""
RACKS = ("rack", "air_rack")
"""Kinds that people call racks: those with coolant, those with air alone."""
ALWAYS = (-math.inf, math.inf)
TIERS = ("tokens lost", "tokens deferred", "tokens served", "energy per token", "revenue", "revenue lost")
"""Measures of services."""
LIMITS = {
    "time": "s", "restored": "s", "energy": "J", "energy per token": "J/token", "cost": "USD", "cost of energy": "USD",
    "revenue": "USD", "revenue lost": "USD",
}  # fmt: skip
"""Measure -> unit of its limit; tokens are limited by their number or by their share of what was asked."""


@dataclass(frozen=True)
class Criterion:
    """One thing a drill must keep to; `target` is a kind or a unit, `limit` is SI.

    "no" asks that a flag never rises; it has the operator "<" and the limit 0.5.
    unit: SI unit of the limit, where the measure leaves a choice; units: those meant, all of `kind` where empty;
    flags: those meant, where the sentence means several; window: first and last moment that counts [s].
    """

    text: str
    function: str
    target: str
    quantity: str
    operator: str
    limit: float
    name: str = ""
    unit: str = ""
    kind: str = ""
    units: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    window: tuple[float, float] = ALWAYS

    def holds(self, value: float) -> bool:
        """Whether a value of its function keeps to it."""
        return {
            "<": value < self.limit,
            "<=": value <= self.limit,
            ">": value > self.limit,
            ">=": value >= self.limit,
        }[self.operator]

    def written(self) -> str | dict[str, str]:
        """As a document has it."""
        return {"name": self.name, "hold": self.text} if self.name else self.text


def lower(
    node: Node, directory: Directory, faults: Faults, plant: Plant, duration: float = math.inf
) -> list[Criterion]:
    """The section `criteria`."""
    reading = Meaning(directory, plant, faults, duration)
    found: list[Criterion] = []
    said_at: dict[str, Text] = {}
    for item in items(node, faults):
        said = _sentence(item, faults)
        if said is None:
            continue
        name, text = said
        if name and name in {each.name for each in found}:
            faults.add(item.where, f"{units.quoted(name)} is the name of two criteria; each wants its own")
        made = reading.of(str(text), text.where, name)
        if made is not None:
            found.append(made)
            said_at.setdefault(made.kind, text)
    here = [kind for kind in RACKS if kind in directory.of_kind]
    told = [kind for kind in here if kind in said_at]
    for kind in here if told else ():
        if kind not in told:
            number = len(directory.of_kind[kind])
            said_by = said_at[told[0]]
            begin = f"{units.quoted(said_by)} speaks of kind {told[0]}; no criterion speaks of the {number}"
            faults.add(said_by.where, f"{begin} of kind {kind}, e.g. no {kind}s throttle", warning=True)
    return found


def _sentence(item: Node, faults: Faults) -> tuple[str, Text] | None:
    """Name and sentence of one entry; None after a fault."""
    name = ""
    if isinstance(item, Map):
        for key in item:
            if key not in KEYS:
                faults.add(item.where_of(key), f"this key is not known here; {advice(key, KEYS)}")
        if "hold" not in item:
            text = f"the key is missing; a criterion with a name holds a sentence like {EXAMPLE}"
            faults.add(item.where_of("hold"), text)
            return None
        name = (values.words(item["name"], faults, 80) or "") if "name" in item else ""
        item = item["hold"]
    if isinstance(item, Broken):
        return None
    if not isinstance(item, Text) or item.empty:
        faults.add(item.where, f"{describe(item)} was found; a sentence like {EXAMPLE} is wanted")
        return None
    return name, item


class _Unmeant(Exception):
    """A sentence speaks of what is not there; its message is told unless it is empty."""


class Meaning:
    """What sentences mean for one plant."""

    def __init__(self, directory: Directory, plant: Plant, faults: Faults, duration: float = math.inf) -> None:
        self.directory = directory
        self.plant = plant
        self.faults = faults
        self.duration = duration

    def of(self, text: str, where: Where, name: str = "") -> Criterion | None:
        """Read one criterion; None after a fault."""
        shown = units.quoted(text)
        try:
            said = parse(text)
            return self._meant(text, said, name)
        except Unclear as error:
            self.faults.add(where, f"{shown}, column {error.column}: {error}")
        except (_Unmeant, BadName, units.BadValue) as error:
            if str(error):
                self.faults.add(where, f"{shown}: {error}")
        return None

    def _meant(self, text: str, said: Sentence, name: str) -> Criterion:
        window = self._window(said)
        if said.measure in FUNCTIONS:
            return self._compared(text, said, name, window)
        if said.measure in ("no", "time"):
            return self._flagged(text, said, name, window)
        if said.measure == "restored":
            target, kind, meant = self._loads(said.who)
        elif said.measure in TIERS or said.measure.startswith("revenue"):
            target, kind, meant = self._services(said.who)
        else:
            target, kind, meant = self._sources(said)
        unit = LIMITS.get(said.measure) or _unit_of_tokens(said.limit)
        limit = units.parse(_said(said.limit), unit)
        if unit == "s" or said.measure.startswith("tokens"):
            _want_positive(said.limit, limit, unit)
        return Criterion(text, said.measure, target, "", said.operator, limit, name, unit, kind, meant, (), window)

    def _compared(self, text: str, said: Sentence, name: str, window: tuple[float, float]) -> Criterion:
        who = said.who or Who(Piece("rack", 0, 0))
        kind, meant = self._who(who)
        quantity = self._quantity(kind, _said(said.quantity))
        limit = units.parse(_said(said.limit), quantity.unit, is_difference(quantity))
        return Criterion(
            text, said.measure, who.name.text, quantity.name, said.operator, limit,
            name, quantity.unit, kind, meant, (), window,
        )  # fmt: skip

    def _flagged(self, text: str, said: Sentence, name: str, window: tuple[float, float]) -> Criterion:
        """A flag that must never rise, or not so soon."""
        who = said.who or Who(Piece("rack", 0, 0))
        kind, meant = self._who(who)
        if said.quantity is not None:
            flags: tuple[str, ...] = (self._flag(kind, who, said),)
        else:
            does = " ".join(piece.text for piece in said.does)
            flags = flags_meant(kind, does)
            if not flags:
                raise _Unmeant(f"no flag of {a_kind(kind)} says {units.quoted(does)}; {known_doings(kind, does)}")
        operator, limit, unit = said.operator or "<", 0.5, "s"
        if said.limit is not None:
            limit = _want_positive(said.limit, units.parse(_said(said.limit), "s"), "s")
        several = flags if len(flags) > 1 else ()
        return Criterion(
            text, said.measure, who.name.text, flags[0], operator, limit, name, unit, kind, meant, several, window
        )

    def _flag(self, kind: str, who: Who, said: Sentence) -> str:
        found = self._quantity(kind, _said(said.quantity))
        if found.flag is None and not (found.failure and said.measure == "no"):
            compared = f'"max({who.name.text}.{found.name}) < ..."'
            raise _Unmeant(f"{found.name} is not a flag that rises; compare it, e.g. {compared}")
        return found.name

    def _who(self, who: Who) -> tuple[str, tuple[str, ...]]:
        """Kind and names of the units meant; no names where all of the kind are."""
        if who.of is not None:
            return self._fed(who.name.text, who.of.text)
        target = who.name.text
        kind = self._kind(target)
        if kind is not None and target not in self.directory.kind_of:
            return kind, ()
        try:
            names = self.directory.find(target)
        except BadName:
            if self.directory.excuses(target):
                raise _Unmeant from None
            if kind := next((each for each in (target, singular(target)) if each in KINDS), None):
                raise _Unmeant(f"this plant has no {kind}") from None
            raise
        several = sorted({self.directory.kind_of[each] for each in names})
        if len(several) > 1:
            raise _Unmeant(f"{units.quoted(target)} means units of kind {' and '.join(several)}; one kind is wanted")
        return several[0], names

    def _kind(self, word: str) -> str | None:
        """The kind that a word means; racks are those cooled by air, where a plant has no others."""
        known = self.directory.of_kind
        racks = [kind for kind in RACKS if kind in known]
        if singular(word) == RACKS[0] and racks:
            return racks[0]
        return next((each for each in (word, singular(word)) if each in known), None)

    def _fed(self, word: str, feeder: str) -> tuple[str, tuple[str, ...]]:
        """Units of a kind that a unit feeds with power or coolant."""
        kind = self._kind(word)
        if kind is None:
            if singular(word) in KINDS:
                raise _Unmeant(f"this plant has no {singular(word)}")
            raise _Unmeant(f"there is no kind {units.quoted(word)}; {advice(word, self.directory.of_kind)}")
        sources = self.directory.find(feeder)
        fed = set(fed_by(self.plant, sources))
        names = tuple(each for each in self.directory.of_kind[kind] if each in fed)
        if not names:
            raise _Unmeant(f"{feeder} feeds no {kind} with power or coolant")
        return kind, names

    def _quantity(self, kind: str, name: str) -> Quantity:
        """The declared quantity of a kind that is recorded."""
        made = KINDS[kind]
        recorded = quantities(made.State) | quantities(made.Outputs) | quantities(made.Inputs)
        recorded = {each: said for each, said in recorded.items() if not said.each}
        if name in recorded:
            return recorded[name]
        note = f"{name} is a rating and does not change" if name in quantities(made) else advice(name, recorded)
        raise _Unmeant(f'{a_kind(kind)} records no "{name}"; {note}')

    def _loads(self, who: Who | None) -> tuple[str, str, tuple[str, ...]]:
        """Units of work: all of them, or those named."""
        target = who.name.text if who is not None else "loads"
        if who is None or (target in ("loads", "load") and who.of is None and "load" not in self.directory.of_kind):
            return target, "", ()
        if target == "loads" and who.of is None:
            return target, "", ()
        kind, names = self._who(who)
        if not KINDS[kind].is_work:
            working = [each for each in self.directory.of_kind if KINDS[each].is_work]
            raise _Unmeant(f"{a_kind(kind)} is no load whose work is told; {advice(target, ['loads', *working])}")
        return target, kind, names

    def _services(self, who: Who | None) -> tuple[str, str, tuple[str, ...]]:
        known = self.directory.of_kind.get("service", [])
        if not known:
            raise _Unmeant("this plant has no services, so nobody counts tokens; kind service and kind pool make some")
        if who is None:
            return "service", "service", ()
        text = who.name.text
        near = tuple(each for each in known if each.rpartition("/")[2] == text)
        if near and who.of is None:
            return text, "service", near
        try:
            kind, names = self._who(who)
        except BadName:
            raise _Unmeant(f"there is no service {units.quoted(text)}; {advice(text, known)}") from None
        if kind != "service":
            raise _Unmeant(f"{units.quoted(text)} is {a_kind(kind)}; a service is wanted, {advice(text, known)}")
        return text, "service", names

    def _sources(self, said: Sentence) -> tuple[str, str, tuple[str, ...]]:
        """Whose energy is meant: the site's, all its work's, or that of sources."""
        known = ("site", "it", *(kind for kind in ("utility", "generator") if kind in self.directory.of_kind))
        target = "site" if said.who is None else said.who.name.text
        kind = target if target in known else singular(target)
        if kind not in known:
            raise _Unmeant(f"energy of {units.quoted(target)} is not counted; {advice(target, known)}")
        return kind, kind, ()

    def _window(self, said: Sentence) -> tuple[float, float]:
        opens = -math.inf if said.opens is None else units.parse(said.opens.text, "s")
        closes = math.inf if said.closes is None else units.parse(said.closes.text, "s")
        for piece, moment in ((said.opens, opens), (said.closes, closes)):
            if piece is not None and moment < 0:
                raise _Unmeant(f"{units.quoted(piece.text)} lies before the run; its moments count from 0 s")
        if opens >= closes:
            raise _Unmeant(f"its window ends at {units.show(closes, 's')}, before it begins")
        if opens >= self.duration:
            raise _Unmeant(
                f"its window begins at {units.show(opens, 's')}; the run ends at {units.show(self.duration, 's')}"
            )
        return opens, closes


def _said(piece: Piece | None) -> str:
    return piece.text if piece is not None else ""


def _want_positive(said: Piece | None, limit: float, unit: str) -> float:
    """The limit of what is never below zero."""
    if limit < 0:
        what = 'seconds from the first fault are wanted, e.g. "60 s"' if unit == "s" else "zero or more is wanted"
        raise _Unmeant(f"{units.quoted(_said(said))} is below zero; {what}")
    return limit


def _unit_of_tokens(limit: Piece | None) -> str:
    """A share where per cent or a bare number is said, else a number of tokens."""
    text = _said(limit)
    number = units.NUMBER.match(text)
    rest = text[number.end() :].strip() if number else text
    return "1" if rest in ("", "%") else "token"


def fed_by(plant: Plant, sources: Iterable[str]) -> Iterable[str]:
    """Units downstream of some, by power alone or by coolant alone."""
    for medium in ("power", "coolant"):
        seen, ring = set(sources), list(sources)
        while ring:
            edges: list[tuple[str, str, str]] = list(plant.graph.out_edges(ring, data="medium"))
            near = dict.fromkeys(target for _, target, said in edges if said == medium)
            ring = [unit for unit in near if unit not in seen]
            seen.update(ring)
            yield from ring
