"""Loops that a scenario closes by its own words: its first state and its events, followed switch by switch."""

from __future__ import annotations

from collections.abc import Iterator

from twin import units
from twin.declare import MODES
from twin.faults import Fault
from twin.plant import Plant
from twin.plant_ties import DEAF, loops_closed, throws
from twin.scenario.changes import Change

SWITCHES = ("closed", "mode", "in_service")
"""Inputs that switch by themselves what is fed by whom."""
Standing = dict[tuple[str, str], float]
"""Unit and Input -> what it is asked to be, where that is not as the plant says."""


def loops(plant: Plant, initial: list[Change], changes: list[Change]) -> Iterator[Fault]:
    """The first loop that the events of each member close, and what sets a tie that does not listen.

    As long as nothing has failed before, switches stand as they are asked, and a loop is sure. After a
    failure protection may have opened something: there the loop is told as a doubt, and the run decides.

    Args:
        initial: what holds before the run is settled; changes: all others, by time.
    """
    if not plant.joins:
        return
    told: set[str] = set()
    members: list[int | None] = [*sorted({change.member for change in changes if change.member is not None})]
    for member in members or [None]:
        ours = [change for change in changes if change.member in (None, member)]
        for fault in _of_member(plant, initial, ours):
            if str(fault) not in told:
                told.add(str(fault))
                yield fault


def _of_member(plant: Plant, initial: list[Change], changes: list[Change]) -> Iterator[Fault]:
    stands: Standing = {}
    known = {tie for tie, _ in loops_closed(plant, lambda unit, name, usual: _asked(plant, {}, unit, name, usual))}
    shaken = False
    for moment in _moments(initial, changes):
        last = None
        for change in moment:
            shaken = shaken or _shakes(plant, change)
            if change.input in SWITCHES:
                stands[change.unit, change.input] = change.value
                last = change
        for change in moment:
            asks = change.input == "closed" and change.unit in plant.joins and change.value > 0
            if asks and throws(plant, change.unit, _asked(plant, stands, change.unit, "mode", MODES["auto"])):
                yield Fault(change.where, f"{change.unit} {DEAF}; set its mode to hand first")
        if last is None:
            continue
        closed = loops_closed(plant, lambda unit, name, usual: _asked(plant, stands, unit, name, usual))
        for tie, text in closed:
            if tie not in known:
                closer = next((each for each in reversed(moment) if each.unit == tie), last)
                yield Fault(closer.where, _sentence(closer, text), warning=shaken)
                return


def _moments(initial: list[Change], changes: list[Change]) -> Iterator[list[Change]]:
    """What happens together: the first state, then the changes of each moment."""
    if initial:
        yield initial
    group: list[Change] = []
    for change in changes:
        if group and change.time > group[0].time:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _asked(plant: Plant, stands: Standing, unit: str, name: str, usual: float) -> float:
    return stands.get((unit, name), plant.units[unit].settings.get(name, usual))


def _shakes(plant: Plant, change: Change) -> bool:
    """Whether protection may act upon a change, so that switches need no longer stand as they are asked."""
    return change.verb in ("fail", "fault", "draw", "sag", "grid") and change.unit not in plant.joins


def _sentence(change: Change, text: str) -> str:
    return f"{said(change)}: {text}"


def blamed(plant: Plant, changes: list[Change], time: float, member: int) -> Change | None:
    """The last change up to a moment [s] of what ties and the mains of their boards do; None without any."""
    near, waiting = set(plant.joins), sorted(plant.joined)
    while waiting:
        unit = waiting.pop()
        if unit not in near:
            near.add(unit)
            waiting += plant.feeds.get(unit, ())
    return next(
        (
            change
            for change in sorted(changes, key=lambda each: -each.time)
            if change.unit in near and change.member in (None, member) and change.verb != "detail"
            if change.time <= time + 1e-9
        ),
        None,
    )


def said(change: Change) -> str:
    """A change in a few words."""
    if change.verb == "initial":
        return f"{change.unit}.{change.input} at the start"
    what = change.unit if change.input == "in_service" else f"{change.unit}.{change.input}"
    return f"{change.verb} {what} at {units.show(change.time, 's')}"
