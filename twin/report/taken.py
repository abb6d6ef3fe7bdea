"""Taken: what part of the power that racks no longer draw failures took, and not that nobody asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from twin.equipment import KINDS
from twin.equipment.job import PHASES
from twin.report.moments import (
    EARLY,
    MINUTE,
    last_row_before,
    lost_spans,
    rows_without_saves,
    standing_with,
    steady,
    work_kinds,
)
from twin.report.story import Span, Story

if TYPE_CHECKING:
    from twin.trace import Event

UTILISATION = "input:utilisation"
LITTLE = 0.01
"""Up to this share of what racks lack [1] none of it is what nobody asks for, or all of it."""
HELD = ("throttled", "slowed", "braked", "overloaded", "tripped", "soft_starting", "booting", "checking")
"""Flags under which a rack does less than it is asked."""
CAPS = ("power_limit", "clock_limit", "power_profile")
"""Inputs of a rack that keep it below what it is asked where they fall."""
OF_JOBS = ("stopped", "restarting", "slow", "starved")
OF_SERVICES = ("waiting", "held_up", "late")
"""Flags of jobs and services under which their racks do less than is asked of them."""
ACTIVE = (PHASES["running"], PHASES["saving"])


def taken(story: Story, member: int, zero: float, before: float, missing: np.ndarray) -> np.ndarray:
    """The part of missing power, by row [W], that is not only missing because less is asked.

    Where racks work for jobs, pools or a queue, or their utilisation was lowered, no more counts than racks lack of
    what they drew before the fault while something keeps them from what they are asked: a flag of their own, a rack
    of their replica that is lost, a cap, their job or pool that stands or goes slower, services that do not keep up,
    or a job that waits to go on because its racks were lost. What a job that has ended, a checkpoint or a quiet hour
    no longer draws is nobody's loss.

    Args:
        zero: the moment of the fault [s].
        before: power that all racks drew before it [W].
        missing: power before it less what is drawn, by row [W].
    """
    if not _asks_vary(story, member, zero):
        return missing
    row = last_row_before(story, zero)
    rows = rows_without_saves(story, member, zero)
    rows = np.arange(min(last_row_before(story, zero - MINUTE) + 1, row), row + 1) if rows is None else rows
    whole = counted = np.zeros(len(story.time))
    drawn = 0.0
    for kind in work_kinds(story):
        power = story.values(kind, "power")
        if power is not None:
            own = np.asarray(power[:, member], dtype=float)
            usual = own[rows].mean(axis=0)
            lacks = np.maximum(usual - own, 0.0)
            whole = whole + lacks.sum(axis=1)
            counted = counted + np.where(_kept(story, member, kind, zero), lacks, 0.0).sum(axis=1)
            drawn += float(usual.sum())
    whole, counted = (steady(story, np.cumsum(each * story.steps), each) for each in (whole, counted))
    at_feeds = before / max(drawn, 1.0)  # with the losses of power shelves
    only_kept = (whole > 0) & (whole - counted <= LITTLE * whole)
    held = np.where(counted > LITTLE * whole, counted * at_feeds, 0.0)
    return np.asarray(np.where(only_kept, missing, np.minimum(missing, held)))


def _asks_vary(story: Story, member: int, zero: float) -> bool:
    """Whether racks may draw less because less is asked of them."""
    later = [event for event in story.events_of[member] if event.time > zero + EARLY]
    asked = any(event.flag == UTILISATION and not _by_people(story, event) for event in later)
    return bool(story.plant.pools or story.plant.scheduled or asked)


def _by_people(story: Story, event: Event) -> bool:
    """Whether an Input was written in a procedure: what people take away because something failed is lost to it."""
    name = event.flag.removeprefix("input:")
    return (event.member, event.unit, name, round(event.time, 3)) in story.log.wrote


def _kept(story: Story, member: int, kind: str, zero: float) -> np.ndarray:
    """In which rows something keeps each unit of a kind from what it is asked (time, unit)."""
    units = story.trace.units(kind)
    column = {unit: place for place, unit in enumerate(units)}
    kept = np.zeros((len(story.time), len(units)), dtype=bool)
    grouped = {rack for racks in (*story.plant.pools.values(), *story.plant.scheduled.values()) for rack in racks}
    for unit in units:
        if unit not in grouped:
            kept[:, column[unit]] = ~_lowered(story, member, unit, zero)
    own = *lost_spans(story, member, HELD), *standing_with(story, member), *_capped(story, member, zero)
    for span in own:
        if span.unit in column:
            kept[_rows(story, span), column[span.unit]] = True
    for racks, span in (*_of_pools(story, member), *_of_own_jobs(story, member)):
        for rack in racks:
            if rack in column:
                kept[_rows(story, span), column[rack]] = True
    if story.plant.scheduled:
        _of_the_queue(story, member, kind, kept)
    return kept


def _rows(story: Story, span: Span) -> np.ndarray:
    """Rows in which a span stands: what it no longer keeps racks from at a row's time is not its doing there."""
    return np.asarray((story.time >= span.start - EARLY) & (story.time < span.until(story.end + 1.0)))


def _lowered(story: Story, member: int, unit: str, zero: float) -> np.ndarray:
    """In which rows less is asked of a unit than at the fault, by its own utilisation."""
    said = [event for event in story.events_of[member] if event.unit == unit and event.flag == UTILISATION]
    before = [event.value for event in said if event.time <= zero + EARLY]
    asked = story.setting(story.kind_of[unit], unit, "utilisation", member, zero)
    at_fault = before[-1] if before else asked
    low = np.zeros(len(story.time), dtype=bool)
    for event in said:
        if event.time > zero + EARLY and at_fault is not None:
            low[story.time >= event.time - EARLY] = event.value < at_fault and not _by_people(story, event)
    return low


def _capped(story: Story, member: int, zero: float) -> Iterator[Span]:
    """Times in which a unit of work was held below what it might draw at the fault."""
    for event in story.events_of[member]:
        name = event.flag.removeprefix("input:")
        kind = story.kind_of.get(event.unit, "")
        if name not in CAPS or event.time < zero - EARLY or kind not in KINDS or not KINDS[kind].is_work:
            continue
        free = story.setting(kind, event.unit, name, member, zero - EARLY)
        later = (
            other.time
            for other in story.events_of[member]
            if (other.unit, other.flag) == (event.unit, event.flag) and other.time > event.time
        )
        if free is None or event.value < free or (name == "power_profile" and event.value != free):
            yield Span(event.unit, member, event.time, next(later, None))


def _of_pools(story: Story, member: int) -> Iterator[tuple[list[str], Span]]:
    """Racks of pools that have crashed, lack weights, or whose services do not keep up, and when."""
    spans = story.spans_of[member]
    for span in spans.get(("pool", "unloaded"), []):
        yield story.plant.pools.get(span.unit, []), span
    for service, phases in story.plant.served.items():
        pools = dict.fromkeys(pool for given in phases.values() for pool in given)
        racks = [rack for pool in pools for rack in story.plant.pools.get(pool, [])]
        for flag in OF_SERVICES:
            yield from ((racks, span) for span in spans.get(("service", flag), []) if span.unit == service)


def _jobs(story: Story, member: int) -> Iterator[Span]:
    """When jobs that have racks stood or went slower."""
    for flag in OF_JOBS:
        for span in story.spans_of[member].get(("job", flag), []):
            phase = story.setting("job", span.unit, "phase", member, span.start - EARLY)
            if flag != "stopped" or phase is None or phase in ACTIVE:
                yield span


def _of_own_jobs(story: Story, member: int) -> Iterator[tuple[list[str], Span]]:
    for span in _jobs(story, member):
        if span.unit in story.plant.pools:
            yield story.plant.pools[span.unit], span


def _of_the_queue(story: Story, member: int, kind: str, kept: np.ndarray) -> None:
    """Mark racks whose job of the queue stands or goes slower, and free ones while an interrupted job waits."""
    numbers = story.values(kind, "job_number")
    if numbers is None:
        return
    given = numbers[:, member]
    for span in _jobs(story, member):
        if span.unit in story.plant.scheduled:
            number = list(story.plant.scheduled).index(span.unit) + 1
            kept |= _rows(story, span)[:, None] & (given == number)
    free = given == 0
    for span in _interrupted(story, member):
        kept |= _rows(story, span)[:, None] & free


def _interrupted(story: Story, member: int) -> Iterator[Span]:
    """When jobs waited that had run and had not been asked to give way."""
    phases: dict[str, list[tuple[float, float]]] = {}
    for event in story.events_of[member]:
        if event.flag == "input:phase":
            phases.setdefault(event.unit, []).append((event.time, event.value))
    for job, said in phases.items():
        for place, (time, phase) in enumerate(said):
            if phase == PHASES["waiting"] and place and said[place - 1][1] == PHASES["running"]:
                yield Span(job, member, time, said[place + 1][0] if place + 1 < len(said) else None)
