"""Changes, the only form of an event: who, which input, what value, when; and the verbs that make them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from twin import units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.plant import Plant
from twin.scenario import sensors, values
from twin.scenario.document import Broken, Map, Node, Text
from twin.scenario.faults import Faults, advice
from twin.scenario.form import FAILED
from twin.scenario.forms import Event, entries, fill, items
from twin.scenario.names import BadName, Directory, split
from twin.scenario.striking import STRENGTH, STRUCK, strengths


@dataclass(frozen=True, slots=True)
class Change:
    """At `time` [s] an Input of a unit becomes `value` (SI); with `until` it moves there steadily.

    `member` None means all members. `verb` is what wrote it: set, ramp, fail, restore, sag, fault, draw,
    failure, repair (the end of one), weather, grid, step (of a demand), or demand and detail, of which nobody is told.
    `where` is its line, where it has one. `repair` [s] is how long a drawn failure lasts.
    """

    time: float
    unit: str
    input: str
    value: float
    until: float | None = None
    member: int | None = None
    verb: str = "set"
    why: str = ""
    where: Where | None = field(default=None, compare=False)
    repair: float | None = None


@dataclass(frozen=True)
class ToldSag:
    """A sag as told: at `time` [s] the voltage of a feed falls to `residual` [of nominal] for `length` [s]."""

    unit: str
    time: float
    residual: float
    length: float
    where: Where
    member: int | None = None
    why: str = ""


LEVELS = {"state_of_charge": "initial_charge", "fuel_level": "initial_fuel"}
"""What people call a store's level -> the Input that says what it is at the start."""


@cache
def inputs_of(kind: str) -> dict[str, Quantity]:
    """The Inputs that a kind declares."""
    return quantities(KINDS[kind].Inputs)


class Targets:
    """Finds the units and Inputs that words of a scenario point at; `routed` are the units that stand in a fabric."""

    def __init__(self, directory: Directory, faults: Faults, routed: Iterable[str] = ()) -> None:
        self.directory = directory
        self.faults = faults
        self.routed = frozenset(routed)

    def units(self, text: str, where: Where) -> tuple[str, ...]:
        """The units of a target; none after a fault."""
        try:
            return self.directory.find(text)
        except BadName as error:
            if not self.directory.excuses(text):
                self.faults.add(where, str(error))
            return ()

    def inputs(self, text: str, where: Where) -> list[tuple[str, Quantity]]:
        """The (unit, Input) pairs that "rack-01..32.utilisation" means; none after a fault."""
        if (aimed := sensors.aimed(text)) is not None:
            return self._sensors(*aimed, where)
        target, name = split(text)
        if not name:
            owners = [kind for kind in KINDS if text in inputs_of(kind)]
            example = '"unit.input" is wanted, e.g. "cdu-3.mode"'
            if len(owners) == 1:
                example = f'"{owners[0]}.{text}" is wanted'
            self.faults.add(where, f"{units.quoted(text)} names no input; {example}")
            return []
        found = self.units(target, where)
        kinds = {self.directory.kind_of[unit] for unit in found}
        for kind in sorted(kinds):
            if name not in inputs_of(kind):
                self.faults.add(where, f'{a_kind(kind)} has no input "{name}"; {_other(kind, name)}')
        pairs = [
            (unit, inputs_of(self.directory.kind_of[unit])[name])
            for unit in found
            if name in inputs_of(self.directory.kind_of[unit])
        ]
        taken = next((pair for pair in pairs if self._written(*pair)), None)
        if taken is None:
            return pairs
        self.faults.add(where, f"{name} of {a_kind(self.directory.kind_of[taken[0]])} {values.written(taken[1])}")
        return []

    def _sensors(self, target: str, quantity: str, wrong: str, where: Where) -> list[tuple[str, Quantity]]:
        """The (unit, Input) pairs of the sensors of a quantity; none after a fault."""
        found = []
        told: set[str] = set()
        for unit in self.units(target, where):
            kind = self.directory.kind_of[unit]
            try:
                found.append((unit, sensors.fault_of(kind, quantity, wrong)))
            except sensors.NoSensor as error:
                if kind not in told:
                    self.faults.add(where, str(error))
                told.add(kind)
        return [] if told else found

    def _written(self, unit: str, said: Quantity) -> bool:
        """Whether a run writes an Input itself."""
        return said.writer == "scheduler" or (said.writer == "fabric" and unit in self.routed)

    def utilities(self, text: str, where: Where) -> list[str]:
        """The feeds of the grid that a target means; none after a fault."""
        found = self.units(text, where)
        for kind in sorted({self.directory.kind_of[unit] for unit in found}):
            if "voltage" not in inputs_of(kind):
                self.faults.add(
                    where, f"{units.quoted(text)} is {a_kind(kind)}; a utility is wanted, whose voltage can sag"
                )
        return [unit for unit in found if "voltage" in inputs_of(self.directory.kind_of[unit])]

    def settings(self, text: str, where: Where, node: Node) -> list[tuple[str, str, float]]:
        """(unit, Input, value) for everything a target means; the value is read once per kind."""
        read: dict[str, float | None] = {}
        found = []
        for unit, said in self.inputs(text, where):
            kind = self.directory.kind_of[unit]
            if kind not in read:
                read[kind] = values.read(node, said, self.faults)
            value = read[kind]
            if value is not None:
                found.append((unit, said.name, value))
        return found


def _other(kind: str, name: str) -> str:
    """How to mend an unknown Input."""
    if name in quantities(KINDS[kind]):
        return f"{name} is a rating; it stands in the plant"
    state = quantities(KINDS[kind].State)
    if name in state or name in quantities(KINDS[kind].Outputs):
        begins = (name in state and state[name].flag is None) or LEVELS.get(name) in inputs_of(kind)
        return f"{name} follows from the run and cannot be set" + (', only begun in, under "start"' if begins else "")
    return advice(name, inputs_of(kind))


def initial(node: Node, targets: Targets) -> list[Change]:
    """The section `initial`: Inputs before the run is brought to its steady state."""
    listed = entries(node, targets.faults)
    found = []
    for key, value in listed.items():
        for unit, name, number in targets.settings(key, listed.where_of(key), value):
            found.append(Change(0.0, unit, name, number, verb="initial", where=listed.where_of(key)))
    return found


EXAMPLES = {"to": "50 %", "over": "15 min", "residual": "30 %", "for": "60 ms", "impedance": "5 mohm"}
"""What the keys beside a verb may say."""


class Events:
    """Lowers the section `events` to Changes; its sags wait in `sags` until all else is known."""

    def __init__(self, targets: Targets, duration: float, members: int, plant: Plant) -> None:
        self.targets = targets
        self.plant = plant
        self.struck: set[str] = set()
        self.faults = targets.faults
        self.duration = duration
        self.members = members
        self.sags: list[ToldSag] = []

    def read(self, node: Node) -> list[Change]:
        return [change for item in items(node, self.faults) for change in self.event(item)]

    def event(self, node: Node) -> list[Change]:
        event = fill(Event, node, self.faults)
        if event is None or not isinstance(node, Map):
            return []
        if isinstance(event.at, float) and event.at > self.duration:
            span = units.show(self.duration, "s")
            self.faults.add(node["at"].where, f"{units.quoted(str(node['at']))} lies after the end of the run ({span})")
        if isinstance(event.member, int) and event.member >= self.members:
            last = f"0 to {self.members - 1}" if self.members > 1 else "only 0"
            self.faults.add(node["member"].where, f"there is no member {event.member}; {last} is wanted")
        verb = self._verb(node)
        if verb is None or not isinstance(node[verb], Text) or not getattr(event, verb):
            return []
        self._keys(node, verb)
        if verb == "sag":
            self._sag(node, event)
            return []
        if verb == "fault":
            return self._fault(event, node)
        rows = self.rows(node, verb)
        time, until = event.at or 0.0, None
        if verb == "ramp":
            until = time + (event.over or 0.0)
        rest = (until, event.member, verb, event.why or "", node[verb].where)
        if event.at is FAILED:
            return []  # when it happens is not known, and so nothing of what follows
        return [Change(time, unit, name, value, *rest) for unit, name, value in rows]

    def rows(self, node: Map, verb: str) -> list[tuple[str, str, float]]:
        """(unit, Input, value) that fail, restore, set or ramp writes."""
        return self._state(node, verb) if verb in ("fail", "restore") else self._value(node, verb)

    def _fault(self, event: Event, node: Map) -> list[Change]:
        """A short circuit, until it is restored or its time is over."""
        where, time, ends = node["fault"].where, event.at or 0.0, event.length
        names = self.targets.units(str(node["fault"]), where)
        found = []
        for unit, strength in strengths(self.plant, names, event.impedance or 0.0, where, self.faults):
            self.struck.add(unit)
            rows = [(time, STRENGTH, strength, "detail"), (time, STRUCK, 1.0, "fault")]
            rows += [(time + ends, STRUCK, 0.0, "restore")] if ends else []
            for moment, name, value, verb in rows:
                found.append(Change(moment, unit, name, value, None, event.member, verb, event.why or "", where))
        return [] if event.at is FAILED else found

    def _verb(self, node: Map) -> str | None:
        said = [verb for verb in Event.VERBS if verb in node]
        if len(said) == 1:
            return said[0]
        found = f"{' and '.join(said)} stand together" if said else "no verb was found"
        self.faults.add(node.where, f"{found}; one of {', '.join(Event.VERBS)} is wanted")
        return None

    def _keys(self, node: Map, verb: str) -> None:
        """Which other keys a verb wants and which it has no use for."""
        wants = {"set": ("to",), "ramp": ("to", "over"), "sag": ("residual", "for")}.get(verb, ())
        may = ("impedance", "for") if verb == "fault" else ()
        for key, example in EXAMPLES.items():
            if key in wants and key not in node:
                self.faults.add(node.where_of(key), f'{verb} wants to know "{key}", e.g. "{key}: {example}"')
            if key in node and key not in wants + may:
                self.faults.add(node.where_of(key), f'{verb} has no use for "{key}"; leave it out')

    def _sag(self, node: Map, event: Event) -> None:
        found = self.targets.utilities(str(node["sag"]), node["sag"].where)
        if not event.complete or event.residual is None or event.length is None:
            return
        if event.at + event.length > self.duration:
            self.faults.add(node.where, f"this sag ends after the run ({units.show(self.duration, 's')})")
        told = (event.at, event.residual, event.length, node.where, event.member, event.why or "")
        self.sags += [ToldSag(unit, *told) for unit in found]

    def _state(self, node: Map, verb: str) -> list[tuple[str, str, float]]:
        """Rows of fail and restore."""
        where, text = node[verb].where, str(node[verb])
        target, flag = split(text)
        if flag:
            return self._flags(text, where, 1.0 if verb == "fail" else 0.0)
        rows = []
        for unit in self.targets.units(target, where):
            kind = self.targets.directory.kind_of[unit]
            if "in_service" in inputs_of(kind):
                rows.append((unit, "in_service", 0.0 if verb == "fail" else 1.0))
                if verb == "restore" and unit in self.struck:
                    rows.append((unit, STRUCK, 0.0))
            else:
                self.faults.add(where, f'{a_kind(kind)} has no input "in_service" and cannot {verb} as a whole')
        return rows

    def _flags(self, text: str, where: Where, value: float) -> list[tuple[str, str, float]]:
        rows = []
        for unit, said in self.targets.inputs(text, where):
            if said.failure:
                if said.name != STRUCK or not value or strengths(self.plant, (unit,), 0.0, where, self.faults):
                    rows.append((unit, said.name, value))
                continue
            kind = self.targets.directory.kind_of[unit]
            flags = [name for name, each in inputs_of(kind).items() if each.failure]
            if said.name == "in_service":
                verb, whole = "fail" if value else "restore", split(text)[0]
                self.faults.add(where, f'a unit fails, or is restored, as a whole; "{verb}: {whole}" is wanted')
                return rows
            cure = f"its failures are {', '.join(flags)}" if flags and not sensors.is_reading(said.name) else "use set"
            self.faults.add(where, f"{said.name} of {a_kind(kind)} is not a failure; {cure}")
        return rows

    def _value(self, node: Map, verb: str) -> list[tuple[str, str, float]]:
        """Rows of set and ramp."""
        where, text = node[verb].where, str(node[verb])
        pairs = self.targets.inputs(text, where)
        if verb == "ramp":
            for _unit, said in pairs:
                if said.choices is not None or said.failure or said.name == "in_service":
                    self.faults.add(where, f"{said.name} has no values between; set is wanted, not ramp")
                    return []
        if "to" not in node or isinstance(node["to"], Broken):
            return []
        return self.targets.settings(text, where, node["to"])


class Ramp:
    """An Input on its way from what it was to what a change wants."""

    def __init__(self, change: Change, start: Any) -> None:
        self.change, self.start = change, start
        self.until = change.time if change.until is None else change.until

    def is_of(self, other: Change) -> bool:
        """Whether a later change takes over this ramp's Input."""
        same = (self.change.unit, self.change.input) == (other.unit, other.input)
        return same and (other.member is None or self.change.member in (None, other.member))

    def at(self, now: float) -> Any:
        """The value at a moment [s]."""
        change = self.change
        share = min(max((now - change.time) / (self.until - change.time), 0.0), 1.0)
        return self.start + share * (change.value - self.start)
