"""Known: the changes that a timeline has told so far, their words and senses, and how they are looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from twin.declare import MODES
from twin.report.upstream import Upstream

if TYPE_CHECKING:
    from twin.trace import Event

INPUT = "input:"
"""How the name of an Input begins in the events of a trace."""
SHORTED = f"{INPUT}short_circuit"
SAME_MOMENT = 1e-6
"""Moments closer than this [s] are one: they were interpolated within the same tick."""
THROWN = "thrown"
"""Flag of a switch that feeds a board otherwise: what came of its rise is not why it falls."""
CALLS = tuple(f"calls_{k}" for k in range(1, 9))
"""Flags of a sequencer, one for each machine that it calls and releases."""
ANSWERS = (
    "asking", "running", "ready", "closed", "on_alternate", "standby_running", "called", "forming", "black_started",
    THROWN, *CALLS,
)  # fmt: skip
"""Flags of units that step in: their rise gives and their fall takes away, as with no other flag."""
ONLY_SAID = ("asking", "running", "ready", "uncontrolled", "shedding")
"""Flags with which nobody's feed or coolant changes yet."""
TIMED = ("soft_starting", "booting", "checking", "restarting", "beginning")
"""Flags that fall when their time is over: nothing else ends them."""
COOLS = ("overheated", "cut_out")
"""Flags that take what is too warm out, so that it cools."""
LATENT = re.compile(
    "fails_to_|stuck|(standby_pump|sensor|brake|bypass|charger|check_valve|forming|protection|makeup|storage|battery)_failed"
    "|sensor_frozen|_fouled"
)
"""Failures that only lie in wait: nothing changes until something else happens."""
ALIKE = 4
"""Letters that an Input and the flag it raises begin with alike (leak, leaking)."""
SWITCHED = ("on_alternate", THROWN)
"""Flags of switches that go over from one feed to another."""
STUCK = "failed_to_open"
"""Flag of a breaker that passes on what it should have opened on."""
BYPASS = "on_bypass"
"""Flag of a UPS whose load hangs on its feed."""
TOLD = ("asking", "on_alternate")
"""Flags of switches that act by themselves or because another unit tells them to."""
GIVEN_UP = ("overload_tripped", "dropped")
"""Flags of a converter that gives up, and then, without a bypass that lives, drops its load."""
FREED = ("called", "tripped")
"""Flags of a machine that lets itself run again, by the rise or the fall of them."""
MODE, IDLE_MODES = f"{INPUT}mode", (MODES["off"], MODES["locked_out"])
STILL = ("stopped", "shut", "tripped", f"{INPUT}in_service", MODE, f"{INPUT}opening")
"""What tells that a pump turns no more or a valve is shut: its branch gives no water; then, that it is about to."""
LOCKS, NEAR = "locked_out", 3
"""Flag of a switch that a fault bars, and within how many steps of it stands what had to open for that."""
FRESH = 60.0
"""For so long [s] after a unit has stepped back, what it fed may suffer from it (pumps coast down)."""
FABRIC = "fabric"
"""Medium of what a fabric writes: an Input, yet a consequence."""
WORK, QUEUE = "work", "queue"
"""Media of flags of jobs and services, and of what a scheduler does with jobs and racks."""
RESPONSES = ("valve_open",)
"""Flags of a control that does all it can: they do no harm, what made it respond does."""
THERMAL = ("throttled", "slowed")
"""Flags of dies that are too warm: they fall, too, where a rack loses its power."""
AFTER = ("cold", *TIMED, "drained")
"""Flags of a rack on its way back: what took its power took its heat."""
SHRUNK = "goes on with"
"""Words of a scheduler where a job lost racks and has no others in their place."""
LOSS, GAIN, SETTING = 1, -1, 0
"""The sense of a change: it takes away, it gives (back), or it is merely set."""


@dataclass
class Row:
    """An event on its way into the timeline: its words, the medium its cause arrives by, and its sense."""

    event: Event
    what: str
    why: str
    via: str
    sense: int
    deed: Event | None = None
    """What operations did, as the trace has it."""
    is_idle: bool = False
    """Whether a flag falls only because its unit stands without power: that gives nothing back."""

    @property
    def is_input(self) -> bool:
        return self.event.flag.startswith(INPUT)

    @property
    def is_answer(self) -> bool:
        return self.event.flag in ANSWERS

    def at(self, unit: str) -> Row:
        """The same of another unit."""
        return replace(self, event=replace(self.event, unit=unit))


@dataclass(frozen=True)
class Change:
    """The latest change of one flag or Input of a unit."""

    unit: str
    index: int
    time: float
    sense: int
    flag: str
    fades: bool
    value: float = 0.0
    like: tuple[object, ...] = ()
    """Its kind, and what led to it: another's row, or what was done to itself."""

    @property
    def is_input(self) -> bool:
        return self.flag.startswith(INPUT)

    def is_as(self, other: Change) -> bool:
        """Whether it is the same, of a unit of its kind that does it at the same moment for the same cause."""
        alike = (self.flag, self.sense, self.like) == (other.flag, other.sense, other.like)
        return alike and abs(self.time - other.time) < SAME_MOMENT

    @property
    def only_said(self) -> bool:
        return self.flag in ONLY_SAID

    @property
    def waits(self) -> bool:
        """Whether it is a failure that lies in wait."""
        return self.is_input and LATENT.search(self.flag) is not None


class Known:
    """What has been told so far, by unit and flag, and who stands upstream of whom.

    latest: (member, unit) -> flag -> its last change; began: a flag's last rise and the row that led to it;
    led: row -> the row that led to it; over: the switches that stand on their alternate feed, by member;
    rows: row -> its event; shrunk: rows in which a job goes on with fewer racks.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.latest: dict[tuple[int, str], dict[str, Change]] = {}
        self.began: dict[tuple[int, str, str], tuple[int, int]] = {}
        self.led: dict[int, int | None] = {}
        self.over: dict[int, frozenset[str]] = {}
        self.shrunk: set[int] = set()
        self.rows: dict[int, Event] = {}

    def told(self, index: int, row: Row, cause: int | None) -> None:
        """Note a row that was told, and what led to it."""
        event = row.event
        if event.flag == "on_alternate":
            stand = self.over.get(event.member, frozenset())
            self.over[event.member] = stand | {event.unit} if event.value >= 0.5 else stand - {event.unit}
        fades = row.is_answer and row.sense == LOSS
        flags = self.latest.setdefault((event.member, event.unit), {})
        like = self._like(event, cause)
        flags[event.flag] = Change(event.unit, index, event.time, row.sense, event.flag, fades, event.value, like)
        self.rows[index] = event
        if row.is_idle:
            del flags[event.flag]
        self.led[index] = cause
        if row.via == QUEUE and SHRUNK in row.why:
            self.shrunk.add(index)

    def _like(self, event: Event, cause: int | None) -> tuple[object, ...]:
        unit = self.upstream.plant.units.get(event.unit)
        led = None if cause is None else self.rows.get(cause)
        own = led is not None and led.unit == event.unit
        return (unit and unit.kind, led.flag, led.time) if led and own else (unit and unit.kind, cause)

    def changes(
        self, row: Row, unit: str, senses: Iterable[int], since: int = -1, *, fades: bool = True
    ) -> list[Change]:
        """Latest changes of a unit of the wanted senses that can still matter at the row's moment."""
        return [
            change
            for flag, change in self.latest.get((row.event.member, unit), {}).items()
            if change.sense in senses
            and change.index > since
            and self.upstream.speaks(flag, unit, row.event.unit)
            and (since < 0 or row.event.flag != THROWN or self.led[change.index] != since)
            and not (fades and change.fades and row.event.time - change.time > FRESH)
        ]

    def own(self, row: Row, senses: Iterable[int], since: int = -1) -> list[Change]:
        """The same, of the row's own unit."""
        return self.changes(row, row.event.unit, senses, since, fades=False)

    def at_this_moment(self, row: Row) -> int | None:
        """What the unit itself did at the moment of a row, or had done to it."""
        now = {
            flag: change
            for flag, change in self.latest.get((row.event.member, row.event.unit), {}).items()
            if row.event.time - change.time < SAME_MOMENT and not (flag in CALLS and row.event.flag in CALLS)
        }
        if row.event.flag in TIMED and row.sense == GAIN:
            now = {flag: change for flag, change in now.items() if change.is_input}
        alike = [flag for flag in now if flag.startswith(INPUT + row.event.flag[:ALIKE])]
        asked = [change for change in now.values() if change.is_input and change.sense == row.sense == GAIN]
        return last([now[flag] for flag in alike] or asked or list(now.values()))

    def nearest(self, row: Row, medium: str, senses: Iterable[int], since: int = -1) -> list[Change]:
        """What changed last in the nearest ring where anything did; empty where nothing did.

        Water that is lost is felt at once: the nearest ring with a fresh loss goes before a nearer one without.
        """
        stale: list[Change] = []
        felt = medium == "coolant" and tuple(senses) == (LOSS,)
        over = self.over.get(row.event.member, frozenset())
        for ring in self.upstream.rings(row.event.unit, medium, over):
            found = [change for unit in ring for change in self.changes(row, unit, senses, since)]
            heard = [change for change in found if medium == "signal" or not change.only_said]
            fresh = [change for change in heard if row.event.time - change.time <= FRESH]
            if fresh or (heard and not felt):
                return self._flowing(row, fresh) if felt else fresh or heard
            stale = stale or heard
        return self._flowing(row, stale) if felt else stale

    def _flowing(self, row: Row, found: list[Change]) -> list[Change]:
        """The losses that were found; what stands, where cold was lost of water that flows no more."""
        lost = {change.unit for change in found}
        return self.upstream.standing(row.event.unit, lost, partial(self._still, row)) or found

    def blocking(self, row: Row) -> list[Change]:
        """The pumps that stand and the valves that are shut, where a unit finds no flow."""
        return self.upstream.blocking(row.event.unit, partial(self._still, row))

    def _still(self, row: Row, mover: str) -> Change | None:
        """What was last told of whether a pump stands or coasts to a stop, or a valve is shut."""
        changes = self.latest.get((row.event.member, mover), {})
        said = [changes[flag] for flag in STILL if flag in changes]
        lost = [
            change for change in said if change.sense == LOSS and (change.flag != MODE or change.value in IDLE_MODES)
        ]
        return lost[0] if lost else said[0] if said else None


def last(changes: list[Change]) -> int | None:
    """The row of the latest change; of several at one moment, failures that only lie in wait stand back.

    Of a kind that does the same at one moment for the same cause, the first stands for all.
    """
    found = max(
        changes, key=lambda change: (round(change.time / SAME_MOMENT), not change.waits, change.index), default=None
    )
    return None if found is None else min(each.index for each in changes if each.is_as(found))
