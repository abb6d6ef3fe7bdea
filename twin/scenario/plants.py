"""Reads plant documents: units, ranges, catalogue records, coolant loops, signals. `blocks` places them."""

from __future__ import annotations

import re
from typing import Any

from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.plant import Element, Loop, SignalLine, Unit
from twin.scenario import forms, points, values
from twin.scenario.belongs import belongs, cure, of_site
from twin.scenario.catalog import Catalog
from twin.scenario.document import Broken, Documents, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.forms import entries, fill, items
from twin.scenario.layout import layout
from twin.scenario.names import BadName, expand, split
from twin.scenario.part import Part

SERVING_KEYS = ("pools", "prefill", "decode")
COMMON_KEYS = ("kind", "like", "feeds", "joins", "zone", "at", "racks", "storage", *SERVING_KEYS)
KNOWN_KINDS = [kind for kind in KINDS if kind != "site"]


def settable(kind: str) -> dict[str, Quantity]:
    """The Inputs that a plant may set: all but failures and what a scheduler writes."""
    declared = quantities(KINDS[kind].Inputs)
    return {name: said for name, said in declared.items() if not said.failure and said.writer != "scheduler"}


NUMBERED = re.compile(r"(?P<target>.+?)\.(?P<word>[A-Za-z_]\w*_)(?P<first>[0-9]+)\.\.(?P<last>[0-9]+)")
"""Several quantities of one unit, as an end of signals."""
FOLLOWS = {
    ("ups", "efficiency"): "it follows from standing_loss, linear_loss and square_loss",
    ("rectifier", "efficiency"): "it goes through efficiency_at_10, _20, _50 and _100",
    ("transformer", "efficiency"): "it follows from no_load_loss and load_loss",
}
"""What people look for in a kind that says it otherwise -> where it comes from."""


class UnitReader:
    """Reads the sections `units`, `coolant` and `signals` of one document into a part."""

    def __init__(self, documents: Documents, catalog: Catalog) -> None:
        self.faults = documents.faults
        self.catalog = catalog

    def units(self, node: Node, part: Part) -> None:
        for key, body in (listed := entries(node, self.faults)).items():
            where = listed.where_of(key)
            names = self.names(key, where, placed=False)
            if names == ["site"]:
                self.faults.add(where, f'"site" is always there and means the whole; {of_site(body)}')
            elif names:
                self._range(names, body, where, part)
            part.holes |= not names

    def names(self, text: str, where: Where, placed: bool = True) -> list[str]:
        """The names of a range, or none after a fault."""
        try:
            return expand(text, placed)
        except BadName as error:
            self.faults.add(where, str(error))
            return []

    def _range(self, names: list[str], node: Node, where: Where, part: Part) -> None:
        """All units of one entry."""
        if not isinstance(node, Map):
            if not isinstance(node, Broken):
                example = "{kind: pdu, rated_power: 2 MW}"
                near = belongs(names[0], node) or f'a mapping is wanted, e.g. "{example}"'
                text = f"{describe(node)} was found; {near}"
                self.faults.add(where, text)
            part.lost |= set(names)
            return
        kind, like, given = self._kind(node, where)
        if kind is None:
            part.lost |= set(names)
            return
        lowered, tables = points.lowered(kind, node, given, self.faults)
        given = given | lowered
        each = self._each(_without(node, tables, partial=False) if tables else node, len(names))
        parameters = [given | self._parameters(kind, own, where, set(given)) for own in each]
        settings = [self._settings(kind, own) for own in each]
        zones = self._paired(node.get("zone"), len(names))
        feeds = self._paired(node.get("feeds"), len(names))
        joins = self._paired(node.get("joins"), len(names))
        racks = self._paired(node.get("racks"), 1) * len(names)
        used = [self._paired(node.get(key), len(names)) for key in SERVING_KEYS]
        stores = self._paired(node.get("storage"), len(names))
        places = layout(node.get("at"), len(names), self.faults)
        if any(len(zone) > 1 for zone in zones):
            text = "a unit stands in one zone; one name is wanted, or a range as long"
            self.faults.add(node.where_of("zone"), text)
            zones = [[]] * len(names)
        for index, name in enumerate(names):
            zone = zones[index][0] if zones[index] else None
            own = min(index, len(each) - 1)
            unit = Unit(name, kind, parameters[own], zone, like, places[index], where, settings[own])
            part.add(unit, self.faults)
            part.unread[name] = {key for key in quantities(KINDS[kind]) if key in each[own]} - set(parameters[own])
            if "joins" in node:
                part.joins.setdefault(name, joins[index])
            if "feeds" in node:
                part.feeds.setdefault(name, feeds[index])
                part.lost |= set() if feeds[index] else {name}
            if "racks" in node:
                part.pools.setdefault(name, racks[index])
            if "storage" in node:
                part.stores.setdefault(name, stores[index])
            if "pools" in node and {"prefill", "decode"} & set(node):
                text = "pools says both phases at once; either it, or prefill and decode, is wanted"
                self.faults.add(node.where_of("pools"), text)
            if any(key in node for key in SERVING_KEYS):
                both, *phases = ([*each[index]] for each in used)
                part.served.setdefault(name, {"prefill": phases[0] or both, "decode": phases[1] or both})

    def _each(self, node: Map, count: int) -> list[Map]:
        """What an entry says of each of its units; one for all where it says the same of them.

        A list as long as the range gives each unit its own value: "restart_delay: [180 s, 190 s, 200 s]".
        """
        listed = {key: value for key, value in node.items() if key not in COMMON_KEYS and isinstance(value, Seq)}
        if count == 1 or not listed:
            return [node]
        for key, value in listed.items():
            if len(value) != count:
                text = f"{len(value)} values for {count} unit{'s' * (count > 1)}; one, or one for each, is wanted"
                self.faults.add(node.where_of(key), text)
                return [_without(node, listed)]
        return [_with(node, {key: value[index] for key, value in listed.items()}) for index in range(count)]

    def _kind(self, node: Map, where: Where) -> tuple[str | None, str | None, dict[str, float]]:
        """Kind, record and the record's ratings."""
        like = values.words(node["like"], self.faults, 80) if "like" in node else None
        kind = values.words(node["kind"], self.faults, 80) if "kind" in node else None
        if "like" not in node and "kind" not in node and not node.partial:
            self.faults.add(where, 'neither "kind" nor "like" is said; "kind: pdu" or "like: gb300-nvl72" is wanted')
        if kind is not None and kind not in KNOWN_KINDS:
            self.faults.add(node.where_of("kind"), f'there is no kind "{kind}"; {advice(kind, KNOWN_KINDS)}')
            kind = None
        if like is None:
            return kind, None, {}
        record = self.catalog.find(like, node.where_of("like"))
        if record is None:
            return kind, like, {}
        if kind is not None and kind != record.kind:
            self.faults.add(node.where_of("kind"), f'"{kind}" was found, but {like} is {a_kind(record.kind)}')
            return None, like, {}
        return record.kind, like, record.parameters

    def _parameters(self, kind: str, node: Map, where: Where, given: set[str]) -> dict[str, float]:
        known = quantities(KINDS[kind])
        found = {}
        for key, value in node.items():
            if key in COMMON_KEYS or key in settable(kind):
                continue
            if key in known:
                read = values.read(value, known[key], self.faults)
                if read is not None:
                    found[key] = read
            else:
                inputs = quantities(KINDS[kind].Inputs).get(key)
                note = "is a failure, not a setting; set it under initial or events" if inputs else ""
                note = values.written(inputs) if inputs and inputs.writer else note
                others = [*known, *settable(kind), *points.curves_of(kind), *COMMON_KEYS]
                near = FOLLOWS.get((kind, key)) or cure(key, value, others)
                told = note or f"is not a key of {a_kind(kind)}; {near}"
                self.faults.add(node.where_of(key), told if inputs else f"this {told}")
        if "like" in node and not given:
            return found
        for name, said in known.items():
            if said.default is None and name not in given and name not in node and not node.partial:
                self.faults.add(node.where_of(name), f"the key is missing; {values.wanted(said)}")
        return found

    def _settings(self, kind: str, node: Map) -> dict[str, float]:
        """Inputs as they normally stand: setpoints, modes, speeds."""
        known = settable(kind)
        read = {key: values.read(node[key], known[key], self.faults) for key in node if key in known}
        return {key: value for key, value in read.items() if value is not None}

    def _paired(self, node: Node | None, count: int) -> list[list[str]]:
        """The names that each of `count` units points at; a range of the same length goes one to one."""
        found: list[list[str]] = [[] for _ in range(count)]
        for names in self.pointers(node):
            paired = len(names) == count and count > 1
            for index, each in enumerate(found):
                each.extend([names[index]] if paired else names)
        return found

    def pointers(self, node: Node | None) -> list[list[str]]:
        """A name, a range, or a list of them: the names of each entry."""
        if node is None or isinstance(node, Broken):
            return []
        listed = list(node) if isinstance(node, Seq) else [node]
        found = []
        for each in listed:
            if isinstance(each, Text) and not each.empty:
                found.append(self.names(str(each), each.where))
            elif not isinstance(each, Broken):
                self.faults.add(each.where, f"{describe(each)} was found; the name of a unit, or a range, is wanted")
        return found

    def coolant(self, node: Node, part: Part) -> None:
        for name, body in (listed := entries(node, self.faults)).items():
            where = listed.where_of(name)
            self.names(name, where, placed=False)
            form = fill(forms.Loop, body, self.faults)
            if form is None or not isinstance(body, Map):
                continue
            branches, stages = self._sides(name, body)
            tank = self._one(form.storage, body, "storage", "storage tank")
            vessel = self._one(form.pressurisation, body, "pressurisation", "expansion vessel")
            part.loops[name] = Loop(name, form.fluid or "", *branches, tank, where, vessel, stages)
        resolve_streams(part, self.faults)

    def _sides(
        self, loop: str, body: Map
    ) -> tuple[tuple[list[list[Element]], list[list[Element]]], list[tuple[str, int]]]:
        """Branches of a loop's plant and loads; and by name how many its plant has in each stage, where it has any."""
        plant, loads = body.get("plant"), body.get("loads")
        if isinstance(loads, Map):
            self.faults.add(loads.where, "loads stand between one pair of headers; a list of branches is wanted")
            loads = None
        if not isinstance(plant, Map):
            return (self._branches(plant), self._branches(loads)), []
        groups = {word: self._branches(each) for word, each in plant.items()}
        for word in [word for word, each in groups.items() if not each and isinstance(plant[word], Seq)]:
            self.faults.add(
                plant.where_of(word), f"stage {word} of loop {loop} has no branches; units are wanted in it"
            )
        together = [branch for each in groups.values() for branch in each]
        return (together, self._branches(loads)), [(word, len(each)) for word, each in groups.items()]

    def _one(self, text: str | None, body: Map, key: str, what: str) -> str | None:
        """The one unit that a loop names, or None."""
        found = self.names(text, body[key].where) if text else []
        if len(found) > 1:
            self.faults.add(body[key].where, f"a loop has one {what}; one name is wanted")
        return found[0] if found else None

    def _branches(self, node: Node | None) -> list[list[Element]]:
        """Parallel branches; an entry that is a list is a series, whose ranges run side by side."""
        found: list[list[Element]] = []
        for entry in items(node, self.faults) if node is not None else []:
            series = [self._elements(each) for each in (entry if isinstance(entry, Seq) else [entry])]
            lengths = {len(each) for each in series}
            if len(lengths) > 1 and all(series):
                said = ", ".join(f"{piece} ({len(each)})" for piece, each in zip(entry, series, strict=True))
                self.faults.add(entry.where, f"ranges in a series want one length, and these differ: {said}")
            if entry.where and not series:
                self.faults.add(entry.where, "an empty branch was found; units are wanted in it")
            found.extend([list(branch) for branch in zip(*series, strict=False)])
        return found

    def _elements(self, node: Node) -> list[Element]:
        """The streams that "cdu-1..10.facility" names."""
        if not isinstance(node, Text) or node.empty:
            if not isinstance(node, Broken):
                text = f'{describe(node)} was found; a unit or a stream is wanted, e.g. "cdu-1..10.facility"'
                self.faults.add(node.where, text)
            return []
        target, stream = split(str(node))
        return [Element(name, stream) for name in self.names(target, node.where)]

    def signals(self, node: Node, part: Part) -> None:
        for body in items(node, self.faults):
            form = fill(forms.Signal, body, self.faults)
            if form is None or not form.source or not form.target or not isinstance(body, Map):
                continue
            ends = [
                self._end(form.source, body["from"], "output"),
                self._end(form.target, body["to"], "signal"),
            ]
            if not all(ends):
                continue
            sources, targets = (end for end in ends if end is not None)
            if len(sources) > 1 and len(targets) > 1 and len(sources) != len(targets):
                lengths = f"{form.source} ({len(sources)}), {form.target} ({len(targets)})"
                self.faults.add(body.where, f"the ranges want one length, or one of them a single unit: {lengths}")
                continue
            count = max(len(sources), len(targets))
            for one, other in zip(_stretch(sources, count), _stretch(targets, count), strict=True):
                part.signals.append(SignalLine(*one, *other, form.delay or 0.0, body.where))

    def _end(self, text: str, node: Node, what: str) -> list[tuple[str, str]]:
        """Units and quantities that "chiller-1..4.heat" or "sequencer.standby_1..4" names."""
        several = NUMBERED.fullmatch(text)
        target, quantity = (several["target"], several["word"]) if several else split(text)
        if not quantity:
            self.faults.add(node.where, f'"{text}" names no {what}; unit.{what} is wanted')
            return []
        names = self.names(target, node.where)
        if several is None:
            return [(name, quantity) for name in names]
        first, last = int(several["first"]), int(several["last"])
        if len(names) > 1 or last < first or last - first > 99:
            text = f'"{text}" was found; one unit and a range that counts up are wanted, e.g. "sequencer.standby_1..4"'
            self.faults.add(node.where, text)
            return []
        return [(name, f"{quantity}{k}") for name in names for k in range(first, last + 1)]


def _with(node: Map, own: dict[str, Any]) -> Map:
    made = Map({**node, **own})
    made.where, made.keys_at, made.partial = node.where, node.keys_at, node.partial
    return made


def _without(node: Map, keys: Any, partial: bool = True) -> Map:
    """A node without some keys, whose fault is told where it is `partial`."""
    made = _with(node, {})
    made.partial = partial or node.partial
    for key in keys:
        del made[key]
    return made


def _stretch(ends: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    return ends * count if len(ends) == 1 else ends


def resolve_streams(part: Part, faults: Faults) -> None:
    """Fill in the stream of units that have only one, and ask where it is not said."""
    for loop in part.loops.values():
        for branch in loop.branches():
            for index, element in enumerate(branch):
                unit = part.units.get(element.unit)
                if unit is not None and not element.stream:
                    branch[index] = Element(element.unit, _stream(unit, loop.where, faults))


def _stream(unit: Unit, where: Where | None, faults: Faults) -> str:
    streams = KINDS[unit.kind].streams
    if len(streams) == 1:
        return streams[0]
    if not streams:
        faults.add(where, f"{unit.name} is {a_kind(unit.kind)}, which has no coolant stream")
    else:
        said = " or ".join(f'"{unit.name}.{stream}"' for stream in streams)
        faults.add(where, f"{unit.name} has {len(streams)} streams; {said} is wanted")
    return streams[0] if streams else ""
