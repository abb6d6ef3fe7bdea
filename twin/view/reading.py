"""Reading: what a trace says at one moment: values, states of units and the figures that matter."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin import units
from twin.declare import MODES, quantities
from twin.equipment import KINDS
from twin.equipment.parts.startup import STARTING
from twin.plant import Plant
from twin.trace import Trace
from twin.view.colours import LOST, OFF, RUNNING, STRAINED, WAITING
from twin.view.sizes import NOWHERE, footprint
from twin.view.stages import AT_WORK, idle_with_others, on_its_way, stage_of, standing_with
from twin.view.words import kind_words, lasting, say


class BadWish(ValueError):
    """A picture was asked for that the trace cannot give; the message says what it can."""


CHARGING = 0.002
"""From this share of the site's power on [1] what batteries take is said of its PUE."""
BLOCK = 600
"""Rows read at a time, so that a long trace does not fill the memory."""
LOST_FLAGS = {
    *("shut_down", "unpowered", "depleted", "dead", "tripped", "lost", "stopped", "pumps_lost", "exhausted"),
    *("failed_to_start", "failed", "out_of_fuel", "blacked_out"),
}
RUNNING_FLAGS = {"running", "ready", "closed"}
"""Flags that say a standby machine does its duty; any flag not named here counts as strain."""
OFF_FLAGS = {"cold"}
"""Flags of what stands because it was switched off."""
ON_LOAD = "on load"
SAID = {
    "running": "cranking",
    "ready": "up to speed",
    "closed": ON_LOAD,
    "unpowered": "without power",
    "asking": "asking for generators",
    "on_alternate": "on alternate feed",
    "standby_running": "on standby pump",
    "valve_open": "at full valve",
    "pumps_lost": "without flow",
    "cold": "off",
    "soft_starting": "in soft start",
}
"""Flags whose own name is not yet what people say."""


STAGED = ("without power", "off", "drained", *(SAID.get(flag, flag) for flag in STARTING))
"""Words that a rack's stage says better, where it has one."""


@dataclass(frozen=True)
class Condition:
    """How a unit is: its most urgent state and the word for it."""

    state: int
    word: str

    @property
    def works(self) -> bool:
        """Whether a rack that is so does any work."""
        return self.state not in (LOST, OFF) and (self.state != WAITING or self.word in AT_WORK)


OUT = {
    "mode": {MODES["off"]: Condition(OFF, "off"), MODES["locked_out"]: Condition(OFF, "locked out")},
    "in_service": {0.0: Condition(LOST, "out of service")},
}
"""Inputs that take a unit out, and what is then said of it."""


@dataclass
class Reading:
    """One member of a trace at the last recorded moment not after a wanted one."""

    trace: Trace
    time: float
    row: int
    member: int = 0

    def values(self, kind: str, name: str) -> np.ndarray:
        """A quantity of every unit of a kind now, SI, in the trace's order of units."""
        series = self.trace.read(f"{kind}.{name}", self.row, self.row + 1)
        return np.asarray(series.values[0, self.member], dtype=float)

    def over_the_run(self, kind: str, name: str) -> tuple[float, float]:
        """Least and greatest value of a quantity over the whole run, so that pictures of one run compare."""
        low, high = np.inf, -np.inf
        for start in range(0, len(self.trace.time), BLOCK):
            values = self.trace.read(f"{kind}.{name}", start, start + BLOCK).values[:, self.member]
            known = values[np.isfinite(values)]
            if known.size:
                low, high = min(low, float(known.min())), max(high, float(known.max()))
        return (low, high) if low <= high else (np.nan, np.nan)

    def figure(self, kind: str, name: str) -> float | None:
        """A quantity of a kind that has one unit (the site), or None where it was not recorded."""
        if kind not in self.trace.kinds or name not in self.trace.columns(kind):
            return None
        values = self.values(kind, name)
        return float(values[0]) if values.size and np.isfinite(values[0]) else None

    def conditions(self) -> dict[str, Condition]:
        """Every unit that is not simply well, with its most urgent condition."""
        found: dict[str, Condition] = {}
        raised = self._raised()
        for kind in self.trace.kinds:
            names = self.trace.units(kind)
            for flag in _flags(kind):
                state = _state_of(flag)
                recorded = flag in self.trace.columns(kind)
                up = np.flatnonzero(self.values(kind, flag) > 0.5) if recorded else None
                hit = [names[i] for i in up] if up is not None else [n for n in names if raised.get((n, flag))]
                for name in hit:
                    _keep(found, name, Condition(state, SAID.get(flag, flag.replace("_", " "))))
            for name, how in self._taken_out(kind, names, raised):
                known = found.get(name)
                if known is None or known.state < how.state or known.word in ("stopped", "off"):
                    found[name] = how
        self._stages(found, raised)
        for name in [name for name, how in found.items() if how.word == "dead" and self._waits(name, found)]:
            del found[name]
        return found

    def _stages(self, found: dict[str, Condition], raised: dict[tuple[str, str], float]) -> None:
        """Say of racks, and of machines that restart, what they are about, instead of that they do not work."""
        plant = self.trace.plant
        places: dict[str, tuple[str, int]] = {}
        for kind in self.trace.kinds:
            restarts = "run_clock" in self.trace.columns(kind)
            if kind in KINDS and (KINDS[kind].is_work or restarts or kind in ("pool", "job")):
                places |= {name: (kind, place) for place, name in enumerate(self.trace.units(kind))}
        known: dict[tuple[str, str], np.ndarray] = {}

        def value(unit: str, name: str) -> float | None:
            if unit not in places:
                return None
            kind, place = places[unit]
            if name not in self.trace.columns(kind):
                return raised.get((unit, name), raised.get((unit, f"input:{name}")))
            if (kind, name) not in known:
                known[kind, name] = self.values(kind, name)
            return float(known[kind, name][place])

        dead = dead_sources(plant, found)
        for unit, (kind, _) in places.items():
            fed = any(feed not in dead for feed in plant.feeds.get(unit, []))
            how = found.get(unit)
            said = ""
            if how is not None and how.word == "without power" and (value(unit, "tripped") or 0.0) > 0.5:
                found[unit] = Condition(LOST, "tripped")
            elif KINDS[kind].is_work and (how is None or how.word in STAGED):
                said = stage_of(unit, value, fed)
            elif how is not None and how.word == "stopped":
                said = on_its_way(unit, value)
            if said:
                found[unit] = Condition(WAITING, said)
        standing = list(standing_with(plant, value, lambda unit: unit not in found or found[unit].works))
        for unit, said in (*standing, *idle_with_others(plant, value)):
            found.setdefault(unit, Condition(WAITING, said))

    def _waits(self, name: str, found: dict[str, Condition], above: frozenset[str] = frozenset()) -> bool:
        """Whether a dead board is dead because nobody needs it: it hangs on standby machines alone, and one may come.

        That one stands ready, starts or cools down; where all have failed, or one is on load, more is wrong.
        """
        feeds = [feed for feed in self.trace.plant.feeds.get(name, []) if feed not in above]
        kinds = {feed: self.trace.plant.units[feed].kind for feed in feeds if feed in self.trace.plant.units}
        sets = [found.get(feed) for feed, kind in kinds.items() if starts(kind)]
        boards = [feed for feed, kind in kinds.items() if not starts(kind)]
        if any(how is not None and how.word == ON_LOAD for how in sets):
            return False
        ready = not sets or any(how is None or how.state == RUNNING for how in sets)
        return bool(kinds) and ready and all(self._waits(feed, found, above | {name}) for feed in boards)

    def _raised(self) -> dict[tuple[str, str], float]:
        """Last value of each flag and input that events tell of, up to now."""
        said: dict[tuple[str, str], float] = {}
        for event in self.trace.events:
            if event.member == self.member and event.time <= self.time + 1e-9:
                said[event.unit, event.flag] = event.value
        return said

    def _taken_out(
        self, kind: str, names: list[str], raised: dict[tuple[str, str], Any]
    ) -> list[tuple[str, Condition]]:
        """Units that are out of service, or that people left switched off or locked out."""
        inputs = quantities(KINDS[kind].Inputs) if kind in KINDS else {}
        out = []
        for name, wrong in OUT.items():
            if name not in inputs:
                continue
            if name in self.trace.columns(kind):
                now = dict(zip(names, self.values(kind, name).tolist(), strict=True))
            else:
                now = {unit: raised[unit, f"input:{name}"] for unit in names if (unit, f"input:{name}") in raised}
            out += [(unit, wrong[float(value)]) for unit, value in now.items() if float(value) in wrong]
        return out


def dead_sources(plant: Plant, conditions: dict[str, Condition]) -> set[str]:
    """Units from which no power comes: lost, switched off, not on load, or with no live feed and no store."""
    dead: dict[str, bool] = {}

    def is_dead(name: str, above: frozenset[str] = frozenset()) -> bool:
        if name not in dead:
            made, how = KINDS[plant.units[name].kind], conditions.get(name)
            feeds = [feed for feed in plant.feeds.get(name, []) if feed in plant.units and feed not in above]
            dead[name] = (
                (how is not None and how.state in (LOST, OFF))
                or (starts(made.kind) and (how is None or how.word != ON_LOAD))
                or (bool(feeds) and not _stores(made.kind) and all(is_dead(feed, above | {name}) for feed in feeds))
            )
        return dead[name]

    return {name for name in plant.units if KINDS[plant.units[name].kind].serves and is_dead(name)}


def _stores(kind: str) -> bool:
    """Whether a kind can deliver without a live feed for a while (it says when it is depleted)."""
    return "depleted" in _flags(kind)


def _keep(found: dict[str, Condition], name: str, new: Condition) -> None:
    if name not in found or new.state >= found[name].state:
        found[name] = new


def _state_of(flag: str) -> int:
    groups = ((LOST, LOST_FLAGS), (RUNNING, RUNNING_FLAGS), (OFF, OFF_FLAGS))
    return next((state for state, flags in groups if flag in flags), STRAINED)


def starts(kind: str) -> bool:
    """Whether a kind is a source that stands still until it is called and closes on its bus."""
    return kind in KINDS and KINDS[kind].source and "closed" in _flags(kind)


def _flags(kind: str) -> list[str]:
    """Flags of a kind; of two equally urgent the later is said, so a request comes before what it led to."""
    made = KINDS.get(kind)
    names = [name for name, said in quantities(made.State).items() if said.flag] if made else []
    return sorted(names, key=lambda name: name != "asking")


def read_moment(trace: Trace, at: float | None, member: int = 0) -> Reading:
    """The reading of a trace at a time in seconds, or at its end.

    Raises:
        BadWish: the time lies outside the trace, or it has no such member.
    """
    times = np.asarray(trace.time, dtype=float)
    if times.size == 0:
        raise BadWish(f"{trace.path}: nothing was recorded, so there is no moment to show; run the scenario again")
    if not 0 <= member < trace.members:
        raise BadWish(f"{trace.path}: member {member} is not in it; one of 0 to {trace.members - 1} is wanted")
    if at is None:
        return Reading(trace, float(times[-1]), times.size - 1, member)
    if not times[0] - 1e-9 <= at <= times[-1] + 1e-9:
        span = f"{lasting(float(times[0]))} to {lasting(float(times[-1]))}"
        raise BadWish(f"{trace.path}: a moment at {lasting(at)} lies outside it; the trace holds {span}")
    row = int(np.searchsorted(times, at + 1e-9, side="right")) - 1
    return Reading(trace, float(times[row]), row, member)


def dies_of(trace: Trace) -> str:
    """The wish for the dies of its racks, of whatever kind."""
    kinds = [kind for kind in trace.kinds if kind in KINDS and KINDS[kind].is_work]
    return f"{kinds[0] if kinds else 'rack'}.die_temperature" if len(kinds) < 2 else "die_temperature"


def targets(trace: Trace, colour: str, bodies: set[str], look: str) -> list[tuple[str, str]]:
    """The (kind, quantity) pairs of a wish: "rack.die_temperature", or "power" for every kind that has it.

    Args:
        bodies: kinds that stand in the picture; look: its name, for the message.

    Raises:
        BadWish: no such quantity, or none of it in this picture; the message names the nearest.
    """
    kinds = [kind for kind in trace.kinds if kind == "zone" or footprint(kind).place != NOWHERE]
    offered = [(kind, name) for kind in kinds for name in trace.columns(kind)]
    found = [pair for pair in offered if colour in (f"{pair[0]}.{pair[1]}", pair[1])]
    same = [pair for pair in found if trace.columns(pair[0])[pair[1]].unit == _unit(trace, found[0])]
    seen = [pair for pair in same if pair[0] in bodies]
    if same and not seen:
        raise BadWish(f'the look "{look}" shows no {same[0][0]}; look "hall" or a quantity of another kind is wanted')
    if seen:
        return seen
    words = [f"{kind}.{name}" for kind, name in offered]
    near = difflib.get_close_matches(colour, words + sorted({name for _, name in offered}), 1, 0.4)
    advice = f'did you mean "{near[0]}"?' if near else f"one of {', '.join(words[:8])} ... is wanted"
    if colour.startswith("site."):
        advice = f'the site as a whole has no body to colour; a quantity of a machine is wanted, e.g. "{words[0]}"'
    raise BadWish(f'{trace.path}: no quantity "{colour}" was recorded; {advice}')


def _unit(trace: Trace, pair: tuple[str, str]) -> str:
    return str(trace.columns(pair[0])[pair[1]].unit)


def key_figures(reading: Reading, conditions: dict[str, Condition]) -> list[tuple[str, str]]:
    """What an engineer asks first, as (caption, value)."""
    figures = []
    for caption, name, unit in (
        ("IT power", "it_power", "W"),
        ("site power", "power", "W"),
        ("PUE", "pue", ""),
    ):
        value = reading.figure("site", name)
        if value is not None and (name != "pue" or value >= 1.0):  # below 1 batteries carry the racks
            said = f"{caption} with charging" if name == "pue" and _charges(reading) else caption
            figures.append((said, f"{value:.3f}" if name == "pue" else say(value, unit)))
    outdoors = reading.figure("site", "dry_bulb")
    if outdoors is not None:
        figures.append(("outdoors", say(outdoors, "K")))
    for kind in reading.trace.kinds:
        if kind in KINDS and KINDS[kind].is_work:
            names = reading.trace.units(kind)
            down = sum(1 for name in names if name in conditions and not conditions[name].works)
            figures.append((f"{kind_words(kind)}s at work", f"{len(names) - down} of {len(names)}"))
            if down == len(names):  # what idle power shelves lose is no work
                figures = [figure for figure in figures if not figure[0].startswith("PUE")]
    return figures


def _charges(reading: Reading) -> bool:
    """Whether batteries take so much of the site's power that it shows in the PUE of the moment."""
    trace, row, power = reading.trace, reading.row, reading.figure("site", "power")
    if row < 1 or not power:
        return False
    before = Reading(trace, float(trace.time[row - 1]), row - 1, reading.member)
    kinds = [kind for kind in trace.kinds if {"state_of_charge", "energy"} <= set(trace.columns(kind))]
    gained = sum(float((reading.values(kind, "energy") - before.values(kind, "energy")).sum()) for kind in kinds)
    return gained > CHARGING * power * (reading.time - before.time)


def people_unit(unit: str, limits: tuple[float, float]) -> str:
    """The unit in which people read values up to a limit: "W" and 1.2e5 -> "kW"."""
    if unit == "K" and limits[0] >= 150:
        return "degC"
    if unit == "1":
        return "%" if limits[0] >= -1e-9 and limits[1] <= 1.0 + 1e-9 else "1"
    return units.show(max(abs(limits[0]), abs(limits[1])) or 1.0, unit).partition(" ")[2] or unit
