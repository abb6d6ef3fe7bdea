"""The site of a test: what its machines' ratings say must happen when, and the gates that always stand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from twin.declare import quantities
from twin.equipment import KINDS
from twin.plant import Loop, Plant, Unit
from twin.report.words import names, natural
from twin.scenario.names import BadName, expand
from twin.scenario.redundancy import stem
from twin.studies.ist.step import Gate

MARGIN = 2.0
"""Seconds that are granted beyond what the ratings add up to."""


class Site:
    """A plant, asked for the times and limits that its own ratings set.

    `only` are the machines that are wanted, each for itself; without it the first of alike ones speaks for all.
    """

    def __init__(self, plant: Plant, only: frozenset[str] | None = None) -> None:
        self.plant = plant
        self.only = only

    def of(self, kind: str) -> list[Unit]:
        """The units of a kind."""
        return self.plant.of_kind(kind)

    def rating(self, unit: str, name: str) -> float:
        """A rating or a normal setting of a unit [SI], its kind's default where the plant does not say."""
        made = self.plant.units[unit]
        known = made.parameters | made.settings
        if name in known:
            return float(known[name])
        kind = KINDS[made.kind]
        said = quantities(kind).get(name) or quantities(kind.Inputs)[name]
        return float(said.default or 0.0)

    def most(self, units: Iterable[str], name: str) -> float:
        """The greatest of a rating among units; 0 without any."""
        return max((self.rating(unit, name) for unit in units), default=0.0)

    def behind(self, unit: str) -> set[str]:
        """Sources from which a unit is normally fed: up its preferred feeds, or all of them where they share."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [unit]
        while waiting:
            one = waiting.pop()
            if one in seen or one not in self.plant.units:
                continue
            seen.add(one)
            kind = KINDS[self.plant.units[one].kind]
            feeds = self.plant.feeds.get(one, [])
            if kind.source:
                found.add(one)
            waiting += feeds[:1] if kind.prefers else feeds
        return found

    def hanging(self, kind: str, gone: set[str]) -> list[str]:
        """The units of a kind that lose every normal source when some sources are gone."""
        utilities = {unit.name for unit in self.of("utility")}
        found = []
        for unit in self.of(kind):
            sources = self.behind(unit.name) & utilities
            if sources and sources <= gone:
                found.append(unit.name)
        return found

    def returned(self, kind: str, units: list[str]) -> tuple[str, int]:
        """Words and number for units of a kind that come back, so that none that never went counts for one of them.

        Their range, where they are one; else all of the kind.
        """
        every = [unit.name for unit in self.of(kind)]
        if set(units) == set(every):
            return kind, len(every)
        said = self.ranges(units)
        return (said[0], len(units)) if len(said) == 1 else (kind, len(every))

    def ranges(self, units: Iterable[str]) -> list[str]:
        """Units as few ranges, each as a scenario names them."""
        found: list[list[str]] = []
        for name in sorted(units, key=natural):
            if found and _is_range([*found[-1], name]):
                found[-1].append(name)
            else:
                found.append([name])
        return [_range(each) for each in found]

    def switches(self, gone: set[str]) -> list[str]:
        """The transfer switches that lose their normal feed and can go to a standby generator."""
        found = []
        for name in self.hanging("ats", gone):
            alternate = self.plant.feeds[name][1:]
            if any(self.behind(feed) & self.generators for feed in alternate):
                found.append(name)
        return found

    @cached_property
    def generators(self) -> set[str]:
        return {unit.name for unit in self.of("generator")}

    def loop_beside(self, unit: str) -> Loop | None:
        """The loop to which a unit gives coolant beside others; None where there is none, or it is alone."""
        for loop in self.plant.loops.values():
            inside = [element.unit for branch in loop.plant for element in branch]
            if unit in inside and len(loop.plant) > 1:
                return loop
        return None

    def called(self, switches: Iterable[str]) -> list[str]:
        """The generators that switches ask to start."""
        asking = set(switches)
        told = [s.target for s in self.plant.signals if s.source in asking and s.input == "start"]
        return [name for name in dict.fromkeys(told) if name in self.generators]

    def ready_within(self, switches: list[str], sets: list[str]) -> tuple[float, str]:
        """When all sets asked are ready [s] after the feed is lost, and of what that is made."""
        sense, start = self.most(switches, "sense_delay"), self.most(sets, "start_delay")
        return sense + start + MARGIN, f"sense {sense:g} s + start {start:g} s + {MARGIN:g} s"

    def transferred_within(self, switches: list[str], sets: list[str], *, failed: int = 0) -> tuple[float, str]:
        """When all switches stand on their alternate feed [s], and of what that is made.

        Args:
            failed: sets that do not come: the next in turn closes on the dead bus.
        """
        sense, start = self.most(switches, "sense_delay"), self.most(sets, "start_delay")
        turn = max(failed, 1) * self.most(sets, "arbitration_interval")
        switch = self.most(switches, "transfer_delay") + self.most(switches, "transfer_time")
        total = sense + start + turn + switch + MARGIN
        return total, f"sense {sense:g} s + start {start:g} s + turn {turn:g} s + transfer {switch:g} s + {MARGIN:g} s"

    def restarted_within(self, kind: str) -> tuple[float, str]:
        """When the machines of a kind give their full output again after their supply is back [s]."""
        units = [unit.name for unit in self.of(kind)]
        restart, ramp = self.most(units, "restart_delay"), self.most(units, "ramp_time")
        return restart + ramp + MARGIN, f"restart {restart:g} s + ramp {ramp:g} s + {MARGIN:g} s"

    def groups(self, kind: str) -> list[list[str]]:
        """The units of a kind, alike ones together."""
        groups: dict[Any, list[str]] = {}
        for unit in self.of(kind):
            groups.setdefault((stem(unit.name), tuple(sorted(unit.parameters.items()))), []).append(unit.name)
        return list(groups.values())

    def wants(self, units: Iterable[str]) -> bool:
        """Whether a step that takes all of these is wanted."""
        return self.only is None or self.only >= set(units)

    def tested(self, kind: str) -> list[tuple[str, list[str]]]:
        """The units of a kind that are tested, each with all that it speaks for."""
        return [each for group in self.groups(kind) for each in self.of_each(group, 1)]

    def of_each(self, units: list[str], most: int) -> list[tuple[str, list[str]]]:
        """Of units that any of may fail, those that are tested: the first few for all of them, or those wanted."""
        if self.only is None:
            return [(name, units) for name in units[:most]]
        return [(name, [name]) for name in units if name in self.only]

    @cached_property
    def work(self) -> list[Unit]:
        """The machines whose power is the site's work."""
        return [unit for unit in self.plant.units.values() if KINDS[unit.kind].is_work]

    def gates(self) -> list[Gate]:
        """The gates of every step, each from a rating of the plant."""
        return [*self._of_work(), *self._of_power(), *self._of_cooling()]

    def _of_work(self) -> list[Gate]:
        if not self.work:
            pdus = self.of("pdu")
            return (
                [Gate("no pdu.dead", "every distribution unit keeps a live side")]
                if pdus and not self.of("ups")
                else []
            )
        kind = self.work[0].kind
        limit = min(self.rating(unit.name, "throttle_temperature") for unit in self.work)
        return [
            Gate(f"no {kind}.unpowered", "both cords and the shelves' hold-up", "no rack loses power"),
            Gate(f"no {kind}.shut_down", "shutdown temperature of the dies", "no rack shuts down"),
            Gate(f"max({kind}.die_temperature) < {limit - 273.15:.6g} degC", "throttle temperature", "dies stay cool"),
            Gate(f"no {kind}.throttled", "throttle temperature of the hottest die", "no rack throttles"),
        ]

    def _of_power(self) -> list[Gate]:
        found = []
        if self.of("ups"):
            low = self.most([unit.name for unit in self.of("ups")], "low_charge")
            hold, why = f"min(ups.state_of_charge) > {100 * low:g} %", "low-battery alarm"
            found.append(Gate(hold, why, "batteries keep a reserve"))
            found.append(Gate("no ups.overload_tripped", "overload curve of the inverters", "no UPS gives its load up"))
        if self.of("generator"):
            units = [unit.name for unit in self.of("generator")]
            dip, rise = self.most(units, "frequency_dip_limit"), self.most(units, "frequency_rise_limit")
            volts, hertz = self.most(units, "voltage_dip_limit"), self.rating(units[0], "nominal_frequency")
            of_class = "the set's class of ISO 8528-5"
            found += [
                Gate("no generator.tripped", "protection of the sets", "no set trips"),
                Gate("max(generator.load_fraction) < 100 %", "rated power", "sets within their rating"),
                Gate("no generator.frequency_dips", of_class, "frequency, lowest on load",
                     f"{hertz * (1 - dip):.4g} Hz", ("frequency_low", False)),
                Gate("no generator.frequency_rises", of_class, "frequency, highest on load",
                     f"{hertz * (1 + rise):.4g} Hz", ("frequency_high", True)),
                Gate("no generator.voltage_dips", of_class, "voltage, lowest on load",
                     f"{100 * (1 - volts):.4g} %", ("voltage_low", False)),
            ]  # fmt: skip
        return found

    def _of_cooling(self) -> list[Gate]:
        found = []
        for tank in self.of("tank"):
            limit = self.rating(tank.name, "useful_temperature")
            hold = f"max({tank.name}.temperature) < {limit - 273.15:.6g} degC"
            found.append(Gate(hold, "useful temperature", f"{tank.name} stays useful"))
        for zone in self.of("zone"):
            limit = self.rating(zone.name, "limit_temperature")
            if limit:
                hold = f"max({zone.name}.temperature) < {limit - 273.15:.6g} degC"
                found.append(Gate(hold, "limit of the room", f"{zone.name} stays cool"))
        return found

    def named(self, units: Iterable[str]) -> str:
        """Units in words."""
        return names(units, 3)


def _range(units: list[str]) -> str:
    """The first and the number of the last: "pump-1..3"."""
    return units[0] if len(units) == 1 else f"{units[0]}..{units[-1][len(stem(units[-1])) :].strip('-_')}"


def _is_range(units: list[str]) -> bool:
    try:
        return expand(_range(units)) == units
    except BadName:
        return False
