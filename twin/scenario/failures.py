"""The section `failures`: what fails at random in a run, drawn at read time into Changes, each with its repair."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin import units
from twin.declare import Quantity
from twin.equipment import KINDS
from twin.faults import a_kind
from twin.plant import Plant
from twin.scenario import chance, draws, renewal, values
from twin.scenario.case import RunSettings
from twin.scenario.chance import Aim
from twin.scenario.changes import Change, Targets, inputs_of
from twin.scenario.document import Broken, Documents, Map, Node, Seq, Text, describe
from twin.scenario.draws import MOST_ROWS, Draw, Group, Groups
from twin.scenario.form import Form
from twin.scenario.forms import Raw, Words, entries, fill, items, said
from twin.scenario.rates import EVERY, REPAIR, Rate, Rates, RateSet
from twin.scenario.sensors import FAILED, FROZEN, is_reading
from twin.scenario.striking import STRUCK

OWN = ("like", "common")
"""Keys of the section that are no targets; these have a dot."""


class FailureForm(Form):
    """How often something fails, and how long it is away."""

    stands = "failures.UNIT"
    every: Raw = Field(default=None, description="mean time between failures, or a distribution of it")
    like: Annotated[str, Words(80)] | None = Field(default=None, description="a set of published rates")
    repair: Raw = Field(default=None, description="how long a failure lasts, or a distribution of that")
    to: Raw = Field(default=None, description="what the input becomes; 0 in service, or a failure at 1, if absent")
    why: Annotated[str, Words(60)] | None = Field(default=None, description="cause, for the timeline")


class CommonForm(Form):
    """A cause that takes a whole group at once."""

    of: Annotated[str, Words(600)] = Field(description="units and their failure, e.g. generator.fails_to_start")
    beta: Annotated[float, said("1", "share of failures", above=0, at_most=1)] = Field(
        description="share of the failures of each that takes all of them"
    )
    why: Annotated[str, Words(60)] | None = Field(default=None, description="cause, for the timeline")


class FailureReader:
    """Lowers the section; `groups` stand in the way of `draws` too, so they are read before it.

    `gangs` are the racks that jobs of a scheduler ask for.
    """

    def __init__(
        self, targets: Targets, documents: Documents, plant: Plant, run: RunSettings, gangs: dict[str, int]
    ) -> None:
        self.targets, self.faults, self.plant, self.run = targets, targets.faults, plant, run
        self.rates = Rates(documents)
        self.gangs = gangs
        self.groups: Groups = {}
        self.aims: dict[tuple[str, str], list[Aim]] = {}
        self.said_by: dict[tuple[str, str], str] = {}
        self.drawn: list[Change] = []

    def read_groups(self, node: Node) -> None:
        """The common causes of the section."""
        if not isinstance(node, Map) or "common" not in node:
            return
        for item in items(node["common"], self.faults):
            form = fill(CommonForm, item, self.faults)
            if form is None or not form.complete or not isinstance(item, Map):
                continue
            where = item["of"].where
            pairs = self.targets.inputs(form.of, where)
            names = tuple(unit for unit, _ in pairs)
            if len(pairs) == 1:
                self.faults.add(where, f"{units.quoted(form.of)} is one unit; a group of several is wanted")
            if len(pairs) < 2:
                continue
            name = pairs[0][1].name
            group = Group(form.of, name, names, form.beta, form.why or "common cause", where)
            for unit in names:
                if self.groups.setdefault((unit, name), group) is not group:
                    self.faults.add(where, f"{unit}.{name} stands in a group already; one is wanted")
                    break

    def lower(self, node: Node, before: list[Change], drawn: list[Change]) -> list[Change]:
        """Changes of all failures and repairs.

        Args:
            before: what holds before the run.
            drawn: what `draws` drew.
        """
        listed = entries(node, self.faults)
        for key, body in listed.items():
            if key not in OWN:
                self._target(listed, key, body)
        if "like" in listed:
            self._whole_plant(listed["like"])
        chance.check_groups(self.groups, self.aims, self.faults)
        if self.faults.errors:
            return []
        run, at_start = self.run, {(each.unit, each.input): each.value for each in before}
        usual = {(unit, name): at_start.get((unit, name), self._usual(unit, name)) for unit, name in self.aims}
        found = draws.common_rows(self.groups, drawn + self.drawn, run.seed, run.members)
        return self.drawn + found + chance.rows(self.aims, self.groups, usual, run, node.where, self.faults)

    def _usual(self, unit: str, name: str) -> float:
        """What an Input is as the plant says."""
        known = self.plant.units[unit]
        if is_reading(name):
            return 0.0
        return float(known.settings.get(name, inputs_of(known.kind)[name].default or 0.0))

    def _target(self, listed: Map, key: str, body: Node) -> None:
        where = listed.where_of(key)
        pairs = self.targets.inputs(key, where)
        told: list[tuple[FailureForm, Map]] = []
        for item in body if isinstance(body, Seq) else [body]:
            form = fill(FailureForm, item, self.faults)
            if form is not None and isinstance(item, Map) and self._whole(form, item):
                told.append((form, item))
        if len(pairs) * self.run.members * max(len(told), 1) > MOST_ROWS:
            text = f"{len(pairs)} inputs in {self.run.members} members pass {MOST_ROWS} rows; fewer of them are wanted"
            self.faults.add(where, text)
            return
        for place, (form, item) in enumerate(told):
            ways: dict[tuple[str, float], Aim | None] = {}
            for unit, quantity in pairs:
                if self.said_by.setdefault((unit, quantity.name), key) != key:
                    other = self.said_by[unit, quantity.name]
                    text = f'{unit}.{quantity.name} fails by "{other}" too; one key with a list of causes is wanted'
                    self.faults.add(where, text)
                    return
                way = (self.targets.directory.kind_of[unit], self._gpus(unit))
                if way not in ways:
                    ways[way] = self._aim(form, item, key, quantity, unit, place)
                if (aim := ways[way]) is not None:
                    self.aims.setdefault((unit, quantity.name), []).append(aim)

    def _whole(self, form: FailureForm, item: Map) -> bool:
        """Whether a mapping says how often and how long, once."""
        if ("every" in item) == ("like" in item):
            found = "every and like stand together" if "every" in item else "neither every nor like was found"
            self.faults.add(item.where, f'{found}; one of them is wanted, e.g. "every: 2000 h"')
            return False
        if "every" in item and "repair" not in item:
            self.faults.add(
                item.where_of("repair"), 'the key is missing; how long it lasts is wanted, e.g. "repair: 4 h"'
            )
            return False
        return form.complete

    def _aim(self, form: FailureForm, item: Map, key: str, quantity: Quantity, unit: str, place: int) -> Aim | None:
        """What an entry means for units of one kind and as many GPUs."""
        value = self._value(item, quantity, unit)
        repair = self._time(item["repair"], REPAIR) if "repair" in item else None
        process: renewal.Process | None
        if "like" in item:
            known = self.rates.find(item["like"]) if isinstance(item["like"], Text) else None
            process = self._of_set(known, item, quantity.name, unit, repair) if known is not None else None
        else:
            process = self._of_time(form.why or "random failure", item, repair)
        sound = value is not None and ("repair" not in item or repair is not None)
        return Aim(process, value or 0.0) if process is not None and sound else None

    def _of_time(self, why: str, item: Map, repair: Draw | None) -> renewal.Process | None:
        every = item["every"]
        mean = every["exponential"] if isinstance(every, Map) and list(every) == ["exponential"] else every
        if isinstance(mean, Text):
            read = values.read(mean, EVERY, self.faults)
            return None if read is None or repair is None else renewal.Causes((why,), (read,), (repair,))
        times = self._time(every, EVERY)
        return None if times is None or repair is None else renewal.Lifetime(why, times, repair)

    def _time(self, node: Node, quantity: Quantity) -> Draw | None:
        """A length of time, or a distribution of one."""
        if isinstance(node, Text | Broken):
            value = values.read(node, quantity, self.faults)
            if value is None:
                return None
            if quantity is REPAIR and value < self.run.tick * (1 - 1e-9):
                tick = units.show(self.run.tick, "s")
                text = f"{units.quoted(str(node))} is shorter than a tick ({tick}); at least one tick is wanted"
                self.faults.add(node.where, text)
                return None
            return lambda random: value
        return draws.distribution(node, quantity, self.faults)

    def _of_set(self, known: RateSet, item: Map, name: str, unit: str, repair: Draw | None) -> renewal.Causes | None:
        """The causes of a set for a unit: all, by its GPUs, or those of its kind."""
        where, kind = item["like"].where, self.targets.directory.kind_of[unit]
        if known.gpus:
            if not self._gpus(unit):
                text = f"{known.name} counts failures by GPU and {a_kind(kind)} has none; racks or jobs are wanted"
                self.faults.add(where, text)
                return None
            fitting = [rate for rate in known.rates if rate.every is not None]
        else:
            fitting = [r for r in known.rates if r.kind == kind and r.input == name and r.every is not None]
            if not fitting:
                self.faults.add(
                    where, f"{known.name} has no rate for {name} of {a_kind(kind)}; {self._rated(known, kind)}"
                )
                return None
        if repair is None and any(rate.repair is None for rate in fitting):
            text = (
                f'{known.name} does not say how long its failures last; the key repair is wanted, e.g. "repair: 30 min"'
            )
            self.faults.add(where, text)
            return None
        share = self._gpus(unit) / known.gpus if known.gpus else 1.0
        return renewal.Causes(
            tuple(rate.cause for rate in fitting),
            tuple((rate.every or 0.0) / share for rate in fitting),
            tuple(repair or _always(rate.repair or 0.0) for rate in fitting),
        )

    @staticmethod
    def _rated(known: RateSet, kind: str) -> str:
        mine = [rate for rate in known.rates if rate.kind == kind]
        if mine and all(rate.every is None for rate in mine):
            inputs = " and ".join(rate.input for rate in mine)
            return f'it has {inputs} on demand, which "like: {known.name}" at the head of failures draws'
        if mine:
            return f"it has {', '.join(rate.input for rate in mine)}"
        return f"it rates {', '.join(dict.fromkeys(rate.kind or '' for rate in known.rates))}"

    def _value(self, item: Map, quantity: Quantity, unit: str) -> float | None:
        """What the Input becomes when it fails; None after a fault."""
        kind, name, where = self.targets.directory.kind_of[unit], quantity.name, item.where
        if name == STRUCK:
            self.faults.add(where, f'short circuits are told, not drawn; an event "fault: {unit}" is wanted')
            return None
        if "to" in item:
            if name == "in_service" or (name != "mode" and not quantity.failure):
                self._no_failure(item, kind, name)
                return None
            return values.read(item["to"], quantity, self.faults)
        if name == "in_service":
            return 0.0
        if quantity.failure:
            return 1.0
        if name == "mode":
            words = ", ".join(quantity.choices or ())
            self.faults.add(where, f'a mode fails to something; "to: off" is wanted, or another of {words}')
            return None
        self._no_failure(item, kind, name)
        return None

    def _no_failure(self, item: Map, kind: str, name: str) -> None:
        if name == "in_service":
            self.faults.add(item["to"].where, 'in_service fails to 0; leave "to" out')
            return
        known = inputs_of(kind)
        flags = [each for each, one in known.items() if one.failure and each != STRUCK]
        flags += [each for each in ("in_service", "mode") if each in known]
        cure = f"its failures are {', '.join(flags)}" if flags else "it has none"
        if is_reading(name):
            cure = f"what fails of a sensor is {FROZEN} and {FAILED}"
        self.faults.add(item.where, f"{name} of {a_kind(kind)} is not a failure; {cure}")

    def _gpus(self, unit: str) -> float:
        """GPUs of a rack, or of all racks of a job or pool; 0 where there are none."""
        gang = self.gangs.get(unit)
        racks = self.plant.pools.get(unit) or self.plant.scheduled.get(unit, (unit,))[:gang]
        ours = [self.plant.units[rack] for rack in racks if KINDS[self.plant.units[rack].kind].is_work]
        return float(sum(rack.machine().gpu_count for rack in ours))

    def _whole_plant(self, node: Node) -> None:
        """Sets that rate kinds of equipment: all units of those kinds, but for what has a key of its own."""
        for item in node if isinstance(node, Seq) else [node]:
            if not isinstance(item, Text) or item.empty:
                self.faults.add(item.where, f"{describe(item)} was found; the name of a set of rates is wanted")
                continue
            known = self.rates.find(item)
            if known is not None and known.gpus:
                text = f'{known.name} counts failures by GPU; a key says whom it hits, e.g. "rack.in_service"'
                self.faults.add(item.where, f"{text}: {{like: {known.name}, repair: 30 min}}")
            elif known is not None:
                self._apply(known)

    def _apply(self, known: RateSet) -> None:
        run = self.run
        hit: dict[tuple[str, str], list[Rate]] = {}
        for rate in known.rates:
            for unit in self.targets.directory.of_kind.get(rate.kind or "", ()):
                key = (unit, rate.input)
                if self.said_by.get(key, known.name) == known.name:
                    self.said_by[key] = known.name
                    hit[key] = [*hit.get(key, []), rate]
        for (unit, name), rates in hit.items():
            for rate in rates:
                if rate.probability is not None:
                    self._on_demand(unit, name, rate)
            timed = [rate for rate in rates if rate.every is not None]
            if timed:
                repairs = tuple(_always(max(rate.repair or 0.0, run.tick)) for rate in timed)
                means = tuple(rate.every or 0.0 for rate in timed)
                process = renewal.Causes(tuple(rate.cause for rate in timed), means, repairs)
                self.aims[unit, name] = [Aim(process, 0.0 if name == "in_service" else 1.0)]

    def _on_demand(self, unit: str, name: str, rate: Rate) -> None:
        share = rate.probability or 0.0
        group = self.groups.get((unit, name))
        if group is not None:
            group.used[unit] = share
            share *= 1.0 - group.beta
        draw = draws.Probability(share)
        self.drawn += draws.rows_of(draw, unit, name, self.run.seed, self.run.members, rate.cause)


def _always(seconds: float) -> Draw:
    return lambda random: seconds
