"""Queued: what a scheduler did with jobs and racks, as rows of the timeline, and which racks a job had when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from twin.equipment.job import PHASES
from twin.report.known import GAIN, LOSS, QUEUE, SAME_MOMENT, SETTING, WORK, Row
from twin.report.working import DRAIN, PHASE, STILL, Gangs, anybody
from twin.trace.layout import TOLD, WAITS, Event

if TYPE_CHECKING:
    from twin.report.story import Story

ACTIVE = (PHASES["running"], PHASES["saving"])
TURN = (PHASES["finished"], PHASES["waiting"], PHASES["saving"], PHASES["running"])
"""In one moment jobs go, come, are asked for their racks and get them."""
STANDS = {
    "slow": "is no longer slow: it stands",
    "starved": "no longer waits for its storage: it stands",
    "restarting": "breaks its restart off",
    "beginning": "breaks its start off",
    "stopped": "no longer waits for its own racks: it is back in the queue",
}
"""What a flag of a job says that falls because the job stands, not because anything came right."""


def rows_of_queue(story: Story, events: Iterable[Event]) -> tuple[list[Row], list[Event]]:
    """Rows of what a scheduler did, and the events that are left to others."""
    jobs = story.plant.scheduled
    if not jobs:
        return [], list(events)
    racks = {rack for given in jobs.values() for rack in given}
    rows, rest, turns = [], [], Counter[tuple[str, int, float]]()
    members: set[int] = set()
    for event in events:
        key = (event.unit, event.member, event.time)
        members.add(event.member)
        if event.unit in jobs and event.flag == PHASE:
            rows.append(Row(event, story.asked(event)[0], _words(story, event, turns[key]), QUEUE, SETTING))
            turns[key] += 1
        elif event.unit in racks and event.flag == DRAIN and not _by_hand(story, event):
            rows.append(_drain(event))
        else:
            rest.append(event)
    return rows + list(_reasons(story, members, turns)), rest


def _words(story: Story, event: Event, turn: int) -> str:
    """What a scheduler said of the phase that it gave a job at a moment, as one of several; and why it has to wait."""
    said = story.scheduler_said
    key = (event.unit, event.member, event.time)
    words = said.get((TOLD, *key), [])
    told = words[turn] if turn < len(words) else ", ".join(words)
    waits = said.get((WAITS, *key), []) if event.value == PHASES["waiting"] else []
    return ": ".join(each for each in [told, *waits] if each)


def _by_hand(story: Story, event: Event) -> bool:
    return (event.unit, "drain", round(event.time, 3)) in story.told.reasons


def _drain(event: Event) -> Row:
    if event.value > 0:
        return Row(event, "is to be drained (scheduler)", "it is to be maintained", QUEUE, LOSS)
    return Row(event, "may take work again (scheduler)", "its maintenance ends", QUEUE, GAIN)


def _reasons(story: Story, members: set[int], told: Counter[tuple[str, int, float]]) -> Iterator[Row]:
    """Jobs that waited already, and wait for another reason from then on."""
    for (how, unit, member, time), words in story.scheduler_said.items():
        if how == WAITS and member in members and not told[unit, member, time]:
            event = Event(time, member, unit, STILL, 1.0)
            yield from (Row(event, "still waits for racks (scheduler)", why, QUEUE, SETTING) for why in words)


def mark_standing(story: Story, rows: list[Row]) -> None:
    """Say of flags of jobs that fall while their job stands that nothing came right."""
    phases: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for row in rows:
        if row.event.flag == PHASE:
            phases.setdefault((row.event.member, row.event.unit), []).append((row.event.time, row.event.value))
    for row in rows:
        event = row.event
        if event.flag not in STANDS or event.value >= 0.5 or story.kind_of.get(event.unit) != "job":
            continue
        moment = event.time + SAME_MOMENT
        phase = [value for time, value in phases.get((event.member, event.unit), ()) if time <= moment]
        stopped = story.spans_of[event.member].get(("job", "stopped"), ())
        stands = [each for each in stopped if each.unit == event.unit and each.start <= moment < each.until(np.inf)]
        if (phase and phase[-1] not in ACTIVE) or (stands and event.flag != "stopped"):
            row.what, row.sense, row.is_idle = STANDS[event.flag], SETTING, True


def turn_of(story: Story, row: Row) -> float | None:
    """Where what a scheduler did, and what jobs, pools and services say, stands in its moment; None for others.

    Above 0, after all others: the scheduler looks last, pools go by their racks, services by their pools; only that the
    fabric holds services up fills their pools.
    """
    if row.via == QUEUE and row.event.flag == PHASE:
        return 1.0 + TURN.index(row.event.value) if row.event.value in TURN else 1.0
    if row.via == QUEUE:
        return 6.0
    if row.via == WORK and row.event.flag == "held_up" and row.sense == LOSS:
        return 6.5
    if row.via == WORK:
        return 7.0 + (story.kind_of.get(row.event.unit) == "service") + 2.0 * row.is_idle
    return None


def gangs(story: Story) -> Gangs:
    """Which racks a job of a scheduler had at a moment, or just before, as far as the trace has recorded it."""
    jobs = {job: place for place, job in enumerate(story.plant.scheduled, 1)}
    if not jobs:  # job numbers are asked for only where they mean anything: a sweep keeps no more than it is asked for
        return anybody
    found = [(story.trace.units(kind), story.values(kind, "job_number")) for kind in story.kinds]
    columns = [(units, values) for units, values in found if values is not None]
    if not columns:
        return anybody

    def gang(job: str, member: int, moment: float) -> frozenset[str] | None:
        number = jobs.get(job)
        if number is None:
            return None
        after = min(int(np.searchsorted(story.time, moment - SAME_MOMENT)), len(story.time) - 1)
        had: list[str] = []
        for row in {max(after - 1, 0), after}:
            for units, values in columns:
                had += [units[column] for column in np.flatnonzero(values[row, member] == number)]
        return frozenset(had) or None

    return gang
