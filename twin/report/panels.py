"""Panels: what the plots show - power by source, charge, voltage, flow, temperatures and limits, moments."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from twin.equipment import KINDS
from twin.report.energy import COUNTERS
from twin.report.extremes import limits_of
from twin.report.findings import Findings
from twin.report.fold import Line
from twin.report.moments import it_power, work_kinds
from twin.report.story import Story, said_of
from twin.report.words import kinds, words

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PINK, SKY, OLIVE, GREY = "#CC79A7", "#56B4E9", "#999933", "#888888"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, OLIVE)
"""After Okabe and Ito: told apart by people who confuse red and green, on white and on dark ground.

RED is kept for limits and faults.
"""
ASKED = {"(fail)": RED, "(restore)": GREEN}
"""Colours of what the scenario does, by how its line ends."""
MOST_MARKS = 16
SAGS = 80.0
"""A voltage below this [%] is drawn from zero; small drops are drawn large."""
MOST_LATE = 2
MOST_LOOPS = 3
APART = 3.0
"""Loops whose temperatures differ by more than this [K] are drawn apart."""


@dataclass
class Curve:
    """One line of a panel: values (time,), and where it stands for many units, their lowest and highest.

    mean: over the time since the row before, where a counter knows what lies between rows.
    """

    label: str
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    colour: str | None = None
    stacked: bool = False
    stepped: bool = False
    mean: np.ndarray | None = None


@dataclass
class Panel:
    """One strip of the figure."""

    title: str
    curves: list[Curve] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)
    floor: float | None = None


@dataclass
class Mark:
    """A moment drawn through all panels."""

    time: float
    text: str
    colour: str


def panels(findings: Findings) -> list[Panel]:
    """Every strip that this trace has data for; one in which nothing ever is says nothing."""
    made = [make(findings.story, findings.shown) for make in MAKERS]
    for panel in made:
        panel.curves = [curve for curve in panel.curves if np.isfinite(curve.values).any()]
    return [panel for panel in made if any(np.nan_to_num(curve.values).any() for curve in panel.curves)]


def _power(story: Story, member: int) -> Panel:
    panel = Panel("power by source, MW", floor=0.0)
    colours = {"utility": BLUE, "generator": ORANGE}
    for kind in story.kinds:
        total = story.total(kind, "power")
        if kind in colours and total is not None and total[:, member].max() > 0:
            mean = _mean(story, kind, COUNTERS[kind], member, total[:, member])
            curve = Curve(kinds(kind, 2), total[:, member] / 1e6, colour=colours[kind], stacked=True, mean=mean)
            panel.curves.append(curve)
    discharge = _discharge(story, member)
    if discharge is not None and discharge.max() > 0:
        panel.curves.append(Curve("batteries", discharge / 1e6, colour=GREEN, stacked=True, mean=discharge / 1e6))
    work = it_power(story)
    if work is not None:
        mean = _mean(story, "site", "work_energy", member, work[:, member])
        panel.curves.append(Curve("IT load", work[:, member] / 1e6, colour="text", stepped=True, mean=mean))
    return panel


def _mean(story: Story, kind: str, counter: str, member: int, power: np.ndarray) -> np.ndarray | None:
    """Mean power since the row before [MW], by what a kind counts [J]; a first row says its own."""
    counted = story.total(kind, counter)
    if counted is None:
        return None
    steps = np.where(story.steps > 0, story.steps, 1.0)
    means = np.diff(counted[:, member], prepend=counted[:1, member]) / steps
    return np.asarray(np.where(story.steps > 0, means, power) / 1e6)


def _discharge(story: Story, member: int) -> np.ndarray | None:
    """Power out of all batteries [W]: how fast their energy fell since the row before."""
    if len(story.time) < 2:
        return None
    steps = np.where(story.steps > 0, story.steps, 1.0)
    found = []
    for kind in story.kinds:
        energy = story.values(kind, "energy") if story.has(kind, "state_of_charge") else None
        if energy is not None:
            fallen = -np.diff(np.asarray(energy[:, member], dtype=float), axis=0, prepend=energy[:1, member])
            found.append(np.maximum(fallen, 0.0).sum(axis=1) / steps)
    return np.asarray(sum(found[1:], found[0])) if found else None


def _charge(story: Story, member: int) -> Panel:
    panel = Panel("battery charge, %", floor=0.0)
    for kind in story.kinds:
        values = story.values(kind, "state_of_charge")
        if values is not None:
            panel.curves += _each_or_band(story, kind, values[:, member] * 100.0, BLUE if kind == "ups" else GREEN)
    return panel


def _voltage(story: Story, member: int) -> Panel:
    panel = Panel("voltage, % of nominal")
    colours = iter(COLOURS)
    for kind in story.kinds:
        values = story.values(kind, "voltage")
        in_service = story.values(kind, "in_service") if "voltage" in said_of(kind, "Inputs") else None
        if values is not None and in_service is not None:
            values = values * in_service
        if values is not None and story.trace.columns(kind)["voltage"].unit == "1":
            panel.curves += _of_boards(story, kind, values[:, member] * 100.0, next(colours, GREY))
    if any(np.nanmin(curve.values) < SAGS for curve in panel.curves):
        panel.floor = 0.0
    return panel


def _of_boards(story: Story, kind: str, values: np.ndarray, colour: str) -> list[Curve]:
    """The lowest of those that are alive at the start; one that comes alive later, a generators' board, by itself."""
    alive = np.nan_to_num(values[0]) > 0
    curves = [_band(story, kind, values[:, alive], colour, lowest=True)] if alive.any() else []
    late = [place for place in np.flatnonzero(~alive) if np.nan_to_num(values[:, place]).any()]
    if len(late) <= MOST_LATE:
        curves += [Curve(story.trace.units(kind)[place], values[:, place], colour=GREY) for place in late]
    return curves


def _flow(story: Story, member: int) -> Panel:
    panel = Panel("coolant flow (sum), m³/h", floor=0.0)
    colours = itertools.cycle(COLOURS)
    for kind in story.kinds:
        if kind in work_kinds(story) or not _is_output(story, kind, "flow", "m^3/s"):
            continue
        values = story.values(kind, "flow")
        if values is None:
            continue
        for loop, places in _by_loop(story, kind, member):
            total = np.nansum(values[:, member, places], axis=1, dtype=float) * 3600.0
            inside = {story.loop_of.get(story.trace.units(kind)[place], "") for place in places}
            same = next((curve for curve in panel.curves if _alike(curve.values, total)), None)
            if same is None:
                panel.curves.append(Curve(_label(kind, len(places), loop), total, colour=next(colours)))
            elif len(inside) == 1:
                same.label = f"{inside.pop()} loop"
    return panel


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two flows are the same water, as those of machines in series are."""
    return float(np.abs(one - other).max(initial=0.0)) < 0.01 * float(np.abs(one).max(initial=1e-9))


def _hot(story: Story, member: int) -> Panel:
    """The racks' own temperatures: dies, and the coolant or air that comes and goes."""
    panel = Panel("rack temperatures, °C")
    colours = iter(COLOURS)
    for kind in work_kinds(story):
        for name in ("die_temperature", "coolant_temperature", "inlet_temperature"):
            values = story.values(kind, name)
            if values is not None:
                curve = _band(story, kind, values[:, member] - 273.15, next(colours, GREY))
                what = "coolant" if "coolant" in KINDS[kind].streams else "air"
                names = {"die_temperature": "dies", "coolant_temperature": "coolant out"}
                curve.label = names.get(name, f"{what} in")
                panel.curves.append(curve)
        units = story.trace.units(kind)
        if panel.curves and units:
            found = limits_of(story, kind, units[0])
            panel.limits |= {words(key.removesuffix("_temperature")): value - 273.15 for key, value in found.items()}
    return panel


def _cold(story: Story, member: int) -> Panel:
    """The cooling plant's temperatures, warmest unit of each kind and loop."""
    panel = Panel("cooling temperatures, °C")
    colours = itertools.cycle(COLOURS)
    wanted = ("supply_temperature", "leaving_temperature", "temperature")
    for kind in story.kinds:
        for name in wanted if kind not in work_kinds(story) else ():
            values = story.values(kind, name) if _is_output(story, kind, name, "K") else None
            if values is None:
                continue
            for loop, places in _by_loop(story, kind, member):
                curve = _band(story, kind, values[:, member, places] - 273.15, next(colours))
                curve.label = " ".join(filter(None, (_label(kind, len(places), loop), _short(name))))
                panel.curves.append(curve)
                said = _label(kind, 1, loop)
                for key, value in limits_of(story, kind, story.trace.units(kind)[places[0]]).items():
                    panel.limits[f"{said} {words(key.removesuffix('_temperature'))}"] = value - 273.15
    outdoors = story.values("site", "dry_bulb")
    if outdoors is not None and panel.curves:
        panel.curves.append(Curve("outdoors", outdoors[:, member, 0] - 273.15, colour=GREY))
    return panel


def _short(name: str) -> str:
    return words(name.removesuffix("_temperature")) if name != "temperature" else ""


def _label(kind: str, number: int, loop: str) -> str:
    return f"{kinds(kind, number)} ({loop})" if loop else kinds(kind, number)


def _by_loop(story: Story, kind: str, member: int) -> list[tuple[str, list[int]]]:
    """Loops in which a kind's units work at different temperatures, with the places of their units.

    One nameless group where the loops are alike (two halves of a hall) or too many to tell apart.
    """
    everyone = [("", list(range(len(story.trace.units(kind)))))]
    first = next((name for name, said in said_of(kind, "State").items() if said.unit == "K"), None)
    values = None if first is None else story.values(kind, first)
    groups: dict[str, list[int]] = {}
    for place, unit in enumerate(story.trace.units(kind)):
        groups.setdefault(story.loop_of.get(unit, ""), []).append(place)
    if values is None or not 1 < len(groups) <= MOST_LOOPS:
        return everyone
    means = [float(np.nanmean(values[0, member, places])) for places in groups.values()]
    return list(groups.items()) if max(means) - min(means) > APART else everyone


def _tokens(story: Story, member: int) -> Panel:
    """Answers written by service, those served first at the bottom, and what all of them are asked for."""
    panel = Panel("tokens of answers by tier, k/s", floor=0.0)
    written, offered = story.values("service", "answer_rate"), story.values("service", "offered_answers")
    if written is None or offered is None:
        return panel
    for place, label in _by_tier(story):
        rate = written[:, member, place] / 1e3
        panel.curves.append(Curve(label, rate, colour=COLOURS[place % len(COLOURS)], stacked=True))
    if len(story.time) > 1:
        came = np.diff(offered[:, member].sum(axis=1)) / np.maximum(np.diff(story.time), 1e-9)
        panel.curves.append(Curve("asked for", np.concatenate([came[:1], came]) / 1e3, colour="text"))
    return panel


def _waiting(story: Story, member: int) -> Panel:
    """Tokens that wait, by service."""
    panel = Panel("tokens that wait, million", floor=0.0)
    queued = story.values("service", "queued")
    if queued is None:
        return panel
    for place, label in _by_tier(story):
        panel.curves.append(Curve(label, queued[:, member, place] / 1e6, colour=COLOURS[place % len(COLOURS)]))
    return panel


def _by_tier(story: Story) -> list[tuple[int, str]]:
    """Services in the order in which they are served: their place in the trace, and their name with their tier."""
    names = story.trace.units("service")
    tier = {name: story.plant.units[name].parameters.get("priority", 1.0) for name in names}
    order = sorted(range(len(names)), key=lambda place: (tier[names[place]], place))
    several = len(set(tier.values())) > 1
    return [(place, f"{names[place]} (tier {tier[names[place]]:g})" if several else names[place]) for place in order]


MAKERS: tuple[Callable[[Story, int], Panel], ...] = (
    _power,
    _charge,
    _voltage,
    _flow,
    _hot,
    _cold,
    _tokens,
    _waiting,
)


def _is_output(story: Story, kind: str, name: str, unit: str) -> bool:
    known = said_of(kind, "State") | said_of(kind, "Outputs")
    return name in known and known[name].unit == unit and story.has(kind, name)


def _each_or_band(story: Story, kind: str, values: np.ndarray, colour: str) -> list[Curve]:
    """A line for each unit where they are few, else their band."""
    units = story.trace.units(kind)
    if 1 < len(units) <= 6:
        return [Curve(unit, values[:, i], colour=COLOURS[i]) for i, unit in enumerate(units)]
    return [_band(story, kind, values, colour, lowest=True)]


def _band(story: Story, kind: str, values: np.ndarray, colour: str, lowest: bool = False) -> Curve:
    """One kind as its warmest (or lowest) unit, with the spread of all units behind it."""
    with np.errstate(all="ignore"):
        low, high = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
    label = kinds(kind, values.shape[1])
    return Curve(label, low if lowest else high, low, high, colour=colour)


def marks(findings: Findings, window: tuple[float, float] | None = None) -> list[Mark]:
    """The faults and repairs of the scenario, and the first losses that followed; in a window, all of it."""
    found: list[Mark] = []
    for line in _within(findings.lines, window) if window is not None else findings.lines:
        if line.is_asked or window is not None:
            sort = line.what.rsplit(" ", 1)[-1]
            found.append(Mark(line.time, line.event(), ASKED.get(sort, GREY)))
    for name, moment in findings.measure["first"].items() if window is None else ():
        if moment is not None and name in ("first_throttle", "first_shutdown", "ups_empty", "tank_exhausted"):
            said = words(name).replace("ups", "UPS")
            found.append(Mark(moment["time"], f"{said} ({moment['unit']})", GREY))
    worth = {RED: 0, GREEN: 1, GREY: 2}
    found.sort(key=lambda mark: round(mark.time, 3))
    kept = sorted(range(len(found)), key=lambda place: worth[found[place].colour])[:MOST_MARKS]
    return [found[place] for place in sorted(kept)]


def _within(lines: list[Line], window: tuple[float, float]) -> list[Line]:
    """The lines of a window, equal happenings as one whatever led to each."""
    joined: dict[tuple[str, str], Line] = {}
    for line in lines:
        if window[0] <= line.time <= window[1]:
            first = joined.setdefault((line.kind, line.what), dataclasses.replace(line, units=[], entries=0))
            first.units += line.units
            first.entries += line.entries
    return list(joined.values())
