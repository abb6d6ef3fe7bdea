"""The timeline: every change of a run, with its time, unit, what happened, why, and what led to it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from twin.declare import MODES
from twin.report.balance import Balance
from twin.report.causes import Causes
from twin.report.known import (
    ANSWERS,
    BYPASS,
    FABRIC,
    GAIN,
    INPUT,
    LOSS,
    SAME_MOMENT,
    SETTING,
    THERMAL,
    TIMED,
    WORK,
    Row,
)
from twin.report.pressed import PRESSED
from twin.report.queued import gangs, mark_standing, rows_of_queue, turn_of
from twin.report.reasons import why
from twin.report.story import Story, flags_of
from twin.report.ties import shut_ties
from twin.report.told import AS_WRITTEN
from twin.report.words import words
from twin.scenario.sensors import is_reading

if TYPE_CHECKING:
    from twin.trace import Event


WRITTEN = ("voltage", "frequency", "short_circuit", "request_rate")
"""Inputs that a scenario writes beside its events."""
IDLE: dict[str, Callable[[float], bool]] = {
    "unpowered": lambda value: value >= 0.5,
    "cold": lambda value: value >= 0.5,
    f"{INPUT}in_service": lambda value: value < 0.5,
    f"{INPUT}mode": lambda value: value in (MODES["off"], MODES["locked_out"]),
}
"""What leaves a machine without power, and at which values."""


@dataclass(frozen=True)
class Entry:
    """One line of the timeline; `cause` is the index of the entry that led to this one."""

    time: float
    member: int
    unit: str
    what: str
    why: str
    cause: int | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def timeline(story: Story, member: int | None = None) -> list[Entry]:
    """Every change of a declared flag and every change of an Input, in order, with its cause; of one member, or all."""
    events = story.events if member is None else story.events_of[member]
    deeds = [row for row in story.log.rows() if member is None or row.event.member == member]
    rows, events = rows_of_queue(story, _telling(events))
    rows += [_as_row(story, event) for event in events] + deeds
    mark_standing(story, rows)
    rows = _in_order(story, rows)
    _idle(rows)
    _unanswered(story, rows)
    balance = Balance(story)
    ties = shut_ties(story.plant, story.events)
    causes = Causes(story.plant, ties, gangs(story), balance, capped=story.told.capped)
    entries = []
    for index, row in enumerate(rows):
        led = _cause(story, causes, index, row)
        reason = why(story, causes.upstream, row, None if led is None else rows[led])
        if led is None and row.sense == LOSS and row.via == WORK and row.event.flag in PRESSED:
            reason = balance.why(row.event.unit, row.event.member, row.event.time, reason)
        if row.sense == LOSS and row.via == WORK:
            reason += "".join(f"; {rows[i].event.unit} {rows[i].what} beside it" for i in causes.beside(row))
        entries.append(Entry(float(row.event.time), row.event.member, row.event.unit, row.what, reason, led))
    return entries


def _cause(story: Story, causes: Causes, index: int, row: Row) -> int | None:
    """What led to a row: for what people did or wrote, what people did before."""
    if row.deed is not None:
        return story.log.cause(index, row, causes)
    name = row.event.flag.removeprefix(INPUT)
    found = None if is_reading(name) and row.is_input else causes.of(index, row)
    led = story.log.led_to(index, row.event, name) if row.is_input else None
    story.log.tells(index, row.event, name)
    return found if led is None else led


def _telling(events: list[Event]) -> Iterator[Event]:
    """All but those that put back into service what was there, beside something else that they mend."""
    out: set[tuple[int, str]] = set()
    asked = Counter((event.member, event.unit, event.time) for event in events if event.flag.startswith(INPUT))
    for event in events:
        unit = (event.member, event.unit)
        if event.flag == f"{INPUT}in_service":
            idle = event.value >= 0.5 and unit not in out and event.time > 0
            out = out | {unit} if event.value < 0.5 else out - {unit}
            if idle and asked[*unit, event.time] > 1:
                continue
        yield event


def _as_row(story: Story, event: Event) -> Row:
    kind = story.kind_of.get(event.unit, "")
    if event.flag.startswith(INPUT):
        what, sense = story.asked(event)
        key = (event.unit, event.flag.removeprefix(INPUT), round(event.time, 3))
        if story.by_fabric(event):
            return Row(event, what, _sends(story) if sense == LOSS else "", FABRIC, sense)
        disturbed = AS_WRITTEN if key[1] in WRITTEN else ""
        by = story.log.why(event, key[1]) or story.told.reasons.get(key, disturbed)
        if not by and sense == LOSS:
            by = story.chances.get((event.unit, event.member, event.time), "")
        return Row(event, what, by, "", sense)
    flag = flags_of(kind).get(event.flag)
    rose = event.value >= 0.5
    sense = LOSS if rose != (event.flag in ANSWERS) else GAIN
    if flag is None:
        return Row(event, f"{words(event.flag)} {'rises' if rose else 'falls'}", "", "self", sense)
    what = flag.rises if rose else flag.falls or f"no longer {flag.rises}"
    what += f" (rail {rail})" if event.flag == "stopped" and (rail := story.rails.get(event.unit)) else ""
    return Row(event, what, "", flag.via, sense)


def _sends(story: Story) -> str:
    """What it means that racks have less bandwidth."""
    if any(unit.parameters.get("expert_exchange", 0.0) for unit in story.plant.of_kind("service")):
        return "a model that racks hold together goes at the share of its slowest rack, caches at what is left"
    if story.plant.served and not story.plant.of_kind("job"):
        return "caches that go from readers to writers go at what is left"
    return "jobs in lockstep go at the share of their slowest rack"


def _idle(rows: list[Row]) -> None:
    """Dies that cool because their rack is without power or switched off let nothing run at full clock again."""
    off: dict[tuple[int, str], set[str]] = {}
    for row in rows:
        event = row.event
        stands = off.setdefault((event.member, event.unit), set())
        if event.flag in IDLE:
            (stands.add if IDLE[event.flag](event.value) else stands.discard)(event.flag)
        elif event.flag in THERMAL and row.sense == GAIN and stands:
            by_hand = "unpowered" not in stands and any(flag.startswith(INPUT) for flag in stands)
            begin = "stops throttling" if event.flag == "throttled" else "leaves slowdown"
            row.what = f"{begin}, {'switched off' if by_hand else 'without power'}"
            row.sense, row.is_idle = SETTING, True


def _unanswered(story: Story, rows: list[Row]) -> None:
    """A service that is held up no more because nobody is left to answer has nothing given back to it."""
    empty: set[tuple[int, str]] = set()
    for row in rows:
        event = row.event
        answer = story.plant.served.get(event.unit, {}).get("decode", ())
        if (story.kind_of.get(event.unit), event.flag) == ("pool", "without_racks"):
            (empty.add if event.value >= 0.5 else empty.discard)((event.member, event.unit))
        elif event.flag == "held_up" and row.sense == GAIN and all((event.member, pool) in empty for pool in answer):
            row.what, row.sense, row.is_idle = (
                "is no longer held up by the fabric: nobody is there to answer",
                SETTING,
                True,
            )


def _in_order(story: Story, rows: list[Row]) -> list[Row]:
    """By time; in one moment what was asked, then along the feeds, rises first, flags as they are declared.

    What a fabric finds out comes last, and after it what jobs and services make of it.
    """
    depth = _feed_depth(story)
    speakers: dict[str, list[float]] = {}
    for line in story.plant.signals:
        speakers.setdefault(line.target, []).append(depth.get(line.source, 0))

    def place(row: Row) -> float:
        """A listener comes after those it listens to, and who is relieved after what relieves it."""
        at = turn_of(story, row)
        if at is not None:
            return len(story.plant.units) + at
        told = speakers.get(row.event.unit) if row.via == "signal" else None
        if row.event.flag == BYPASS or (row.via == "load" and row.event.flag.startswith("tripped")):
            return -1  # what a breaker or a bypass does, its boards feel
        if row.via == "load" and row.sense == GAIN:
            return len(story.plant.units) - depth.get(row.event.unit, 0)
        if row.via == "power" and row.event.flag in ANSWERS and not depth.get(row.event.unit, 0):
            return 0.5
        return max(told) + 0.5 if told else depth.get(row.event.unit, 0)

    def turn(row: Row) -> int:
        """Where its kind declares the flag: kinds declare them in the order they go through them."""
        declared = list(flags_of(story.kind_of.get(row.event.unit, "")))
        return declared.index(row.event.flag) if row.event.flag in declared else 0

    def key(row: Row) -> tuple[float, ...]:
        moment = round(row.event.time / SAME_MOMENT)
        if row.deed is not None:
            return moment, *story.log.turn(row.deed), 0, 0
        falls = row.event.value < 0.5
        first = 2 * (not falls) if row.event.flag in TIMED else falls
        late = 2 if row.via == FABRIC else 3 if row.via == "work" and story.rails else int(not row.is_input)
        fills = row.event.flag == "slow" and story.kind_of.get(row.event.unit) == "service"
        return moment, late - 0.5 * fills, place(row), first, turn(row)

    return sorted(rows, key=key)


def _feed_depth(story: Story) -> dict[str, float]:
    """How many connections of power lie between a unit and the nearest source; a tie comes just before its boards."""
    consumers: dict[str, list[str]] = {}
    fed = set()
    for source, target, data in story.plant.graph.edges(data=True):
        if data["medium"] == "power":
            consumers.setdefault(source, []).append(target)
            fed.add(target)
    depth: dict[str, float] = {unit: 0.0 for unit in story.plant.units if unit not in fed}
    queue = deque(depth)
    while queue:
        unit = queue.popleft()
        for target in consumers.get(unit, []):
            if target not in depth:
                depth[target] = depth[unit] + 1
                queue.append(target)
    joined = {tie: [depth.get(board, 0) for board in boards] for tie, boards in story.plant.joins.items() if boards}
    return depth | {tie: min(depths) - 0.5 for tie, depths in joined.items()}
