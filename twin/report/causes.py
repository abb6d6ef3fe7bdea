"""Causes: which earlier change led to a change, found through the plant's graph by medium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twin.plant import Plant
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
TIMED = ("soft_starting", "booting", "checking", "restarting")
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
TOLD = ("asking", "on_alternate")
"""Flags of switches that act by themselves or because another unit tells them to."""
FREED = ("called", "tripped")
"""Flags of a machine that lets itself run again, by the rise or the fall of them."""
STANDS = "stopped"
"""Flag of a pump that turns no more: its branch gives no water."""
LOCKS, NEAR = "locked_out", 3
"""Flag of a switch that a fault bars, and within how many steps of it stands what had to open for that."""
FRESH = 60.0
"""For so long [s] after a unit has stepped back, what it fed may suffer from it (pumps coast down)."""
FABRIC = "fabric"
"""Medium of what a fabric writes: an Input, yet a consequence."""
THERMAL = ("throttled", "slowed")
"""Flags of dies that are too warm: they fall, too, where a rack loses its power."""
AFTER = ("cold", *TIMED, "drained")
"""Flags of a rack on its way back: what took its power took its heat."""
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


@dataclass(frozen=True)
class _Change:
    """The latest change of one flag or Input of a unit."""

    unit: str
    index: int
    time: float
    sense: int
    flag: str
    fades: bool

    @property
    def is_input(self) -> bool:
        return self.flag.startswith(INPUT)

    @property
    def only_said(self) -> bool:
        return self.flag in ONLY_SAID

    @property
    def waits(self) -> bool:
        """Whether it is a failure that lies in wait."""
        return self.is_input and LATENT.search(self.flag) is not None


class Causes:
    """Finds for each row, taken in order, the earlier row that led to it.

    First comes what the unit itself did at that very moment. Then a loss is put down to what stands lost
    (a flag up, a unit taken out, a fault): the unit's own Inputs, or the nearest unit upstream over the
    flag's medium, whichever came later. A gain is put down to what was given back nearest upstream since
    the loss began. A unit that steps in or back answers whatever changed last nearest upstream.
    Where the medium knows nothing, settings, then other media, then the unit's own changes are asked; what
    nothing explains is put down to a short circuit that stands, for all of the site sees it.
    """

    def __init__(self, plant: Plant, shut: frozenset[str] = frozenset()) -> None:
        self.upstream = Upstream(plant, shut)
        self.latest: dict[tuple[int, str], dict[str, _Change]] = {}
        self.began: dict[tuple[int, str, str], tuple[int, int]] = {}
        self.answers: set[int] = set()
        self.shorted: dict[int, dict[str, int]] = {}
        self.led: dict[int, int | None] = {}
        self.over: dict[int, frozenset[str]] = {}

    def of(self, index: int, row: Row) -> int | None:
        """Index of the row that led to this one; rows are given in order, each once."""
        event, key = row.event, (row.event.member, row.event.unit, row.event.flag)
        cause = None
        if row.via == FABRIC:
            cause = self._routes(row)
        elif not row.is_input:
            cause = self._at_this_moment(row)
            if cause is None and event.flag in TIMED and row.sense == GAIN:
                cause = self.began.get(key, (None, None))[0]
            if cause is None and event.flag == "soft_starting" and row.sense == LOSS:
                back = self._nearest(row, "power", (GAIN,)) + [one for one in self._own(row, (GAIN,)) if one.is_input]
                cause = _last(back)
            if cause is None and row.sense == LOSS:
                cause = self._own_failure(row)
            if cause is None:
                cause = self._way(row)(row, *self.began.get(key, (-1, -1)))
            if cause is None and row.sense == LOSS:
                cause = max(self.shorted.get(event.member, {}).values(), default=None)
            if cause is None and row.sense == GAIN and event.flag in COOLS:
                cause = self.began.get(key, (None, None))[0]
            if row.is_answer or row.sense == LOSS:
                self.began[key] = (index, index if cause is None else cause)
        elif event.flag == SHORTED:
            standing = self.shorted.setdefault(event.member, {})
            standing.pop(event.unit, None)
            standing |= {event.unit: index} if row.sense == LOSS else {}
        if row.is_answer:
            self.answers.add(index)
        if event.flag == "on_alternate":
            stand = self.over.get(event.member, frozenset())
            self.over[event.member] = stand | {event.unit} if event.value >= 0.5 else stand - {event.unit}
        change = _Change(event.unit, index, event.time, row.sense, event.flag, row.is_answer and row.sense == LOSS)
        known = self.latest.setdefault(key[:2], {})
        known[event.flag] = change
        if row.is_idle:
            del known[event.flag]
        self.led[index] = cause
        return cause

    def _way(self, row: Row) -> Callable[..., int | None]:
        """How the cause of a flag is found, where nothing at its own moment tells."""
        if row.is_idle:
            own = [change for change in self._own(row, (LOSS,)) if change.flag not in (*THERMAL, *AFTER)]
            return lambda *_: _last(own)
        if row.via == "load":
            return self._burden
        if row.via == "air" and self.upstream.sources.get("air", {}).get(row.event.unit):
            return self._room
        return self._answer if row.is_answer else self._loss if row.sense == LOSS else self._gain

    def behind(self, row: Row, flag: str) -> int | None:
        """What an alarm is put down to: its own flag, else what stands lost at its unit or nearest to it."""
        own = self._own(row, (LOSS,))
        named = [change for change in own if self.latest[row.event.member, row.event.unit].get(flag) is change]
        return _last(named or own or self._nearest(row, "any", (LOSS,)) or self._own(row, (GAIN, SETTING)))

    def mended(self, row: Row) -> int | None:
        """What the end of an alarm is put down to: what was given back last at its unit or nearest to it."""
        return _last(self._own(row, (GAIN, SETTING)) or self._nearest(row, "any", (GAIN, SETTING)))

    def _changes(
        self, row: Row, unit: str, senses: Iterable[int], since: int = -1, *, fades: bool = True
    ) -> list[_Change]:
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

    def _at_this_moment(self, row: Row) -> int | None:
        now = {
            flag: change
            for flag, change in self.latest.get((row.event.member, row.event.unit), {}).items()
            if row.event.time - change.time < SAME_MOMENT and not (flag in CALLS and row.event.flag in CALLS)
        }
        if row.event.flag in TIMED and row.sense == GAIN:
            now = {flag: change for flag, change in now.items() if change.is_input}
        alike = [flag for flag in now if flag.startswith(INPUT + row.event.flag[:ALIKE])]
        asked = [change for change in now.values() if change.is_input and change.sense == row.sense == GAIN]
        return _last([now[flag] for flag in alike] or asked or list(now.values()))

    def _own_failure(self, row: Row) -> int | None:
        """A failure of its own that stands and is named alike: fails_to_load, then failed_to_load."""
        begin = INPUT + row.event.flag[:ALIKE]
        own = [change for change in self._own(row, (LOSS,)) if change.flag.startswith(begin)]
        return _last([change for change in own if row.event.flag.rpartition("_")[2] in change.flag or not change.waits])

    def _nearest(self, row: Row, medium: str, senses: Iterable[int], since: int = -1) -> list[_Change]:
        """What changed last in the nearest ring where anything did; empty where nothing did.

        Water that is lost is felt at once: the nearest ring with a fresh loss goes before a nearer one without.
        """
        stale: list[_Change] = []
        felt = medium == "coolant" and tuple(senses) == (LOSS,)
        over = self.over.get(row.event.member, frozenset())
        for ring in self.upstream.rings(row.event.unit, medium, over):
            found = [change for unit in ring for change in self._changes(row, unit, senses, since)]
            heard = [change for change in found if medium == "signal" or not change.only_said]
            fresh = [change for change in heard if row.event.time - change.time <= FRESH]
            if fresh or (heard and not felt):
                return self._flowing(row, fresh) if felt else fresh or heard
            stale = stale or heard
        return self._flowing(row, stale) if felt else stale

    def _flowing(self, row: Row, found: list[_Change]) -> list[_Change]:
        """The losses that were found; the pumps that stand, where cold was lost of water that flows no more."""

        def said(pump: str) -> _Change | None:
            return self.latest.get((row.event.member, pump), {}).get(STANDS)

        return self.upstream.standing(row.event.unit, {change.unit for change in found}, said) or found

    def _own(self, row: Row, senses: Iterable[int], since: int = -1) -> list[_Change]:
        return self._changes(row, row.event.unit, senses, since, fades=False)

    def _answer(self, row: Row, since: int, _: int) -> int | None:
        either = (LOSS, GAIN)
        if row.via == "self":
            return _last(self._own(row, either, since) or self._nearest(row, "signal", either, since))
        own = [change for change in self._own(row, (LOSS,), since) if not change.fades]
        told = self._nearest(row, "signal", either, since) if row.event.flag in TOLD else []
        near = self._nearest(row, row.via, either, since)
        if row.event.flag == "asking" and row.sense == GAIN:
            lost = [change for change in near if change.sense == LOSS and self._felt(row, change)]
            return _last(lost or told or near)
        return _last(own + near + told)

    def _felt(self, row: Row, change: _Change) -> bool:
        """Whether a switch has felt a loss for as long as it wants to before it asks."""
        unit = self.upstream.plant.units[row.event.unit]
        return row.event.time - change.time >= float(unit.machine().sense_delay) - SAME_MOMENT

    def _burden(self, row: Row, *_: int) -> int | None:
        """What shifted its load: what came or was shorted among those it feeds, or was lost of those that help it.

        It is relieved by the contrary. A thermal element takes its time, so that what is not recent may count, too.
        """
        below = [unit for ring in self.upstream.rings(row.event.unit, "load") for unit in ring]
        beside = self._helpers(row.event.unit, below)
        rises = row.sense == LOSS
        came = [change for unit in below for change in self._changes(row, unit, (GAIN if rises else LOSS,))]
        if rises:
            shorts = [change for unit in below for change in self._changes(row, unit, (LOSS,))]
            came += [change for change in shorts if change.flag == SHORTED]
        went = [change for unit in beside for change in self._changes(row, unit, (LOSS if rises else GAIN,))]
        steps = [change for change in came + went if not change.only_said and not change.waits]
        recent = [change for change in steps if change.time >= row.event.time - FRESH]
        own = [change for change in self._own(row, (row.sense,)) if not change.waits]
        return _last(recent + own or (steps if rises else []))

    def _helpers(self, unit: str, below: list[str]) -> list[str]:
        """Who feeds, beside a unit, those that it feeds; not those that hang on it themselves."""
        power = self.upstream.sources.get("power", {})
        beside = {source for each in below for source in power.get(each, ())}
        return sorted(beside - {unit} - set(below))

    def _peers(self, row: Row, senses: Iterable[int]) -> list[_Change]:
        """What changed of those that give coolant to the same places: their load is shared anew."""
        loads, sources = self.upstream.takers.get(row.event.unit, ()), self.upstream.sources.get("coolant", {})
        beside = dict.fromkeys(unit for load in loads for unit in sources.get(load, ()) if unit != row.event.unit)
        found = [change for unit in beside for change in self._changes(row, unit, senses)]
        return [each for each in found if not (each.only_said or each.waits or each.flag == row.event.flag)]

    def _room(self, row: Row, began: int, led: int) -> int | None:
        """What warmed a room, or cooled it: those that cool its air, what they live by, and who warms it.

        Who warms it and loses its power cools it. It is asked where no cooler changed, or where most such are lost.
        """
        inside = self.upstream.sources["air"][row.event.unit]
        coolers = [unit for unit in inside if unit in self.upstream.coolers]
        work = [unit for unit in inside if unit in self.upstream.workers]
        warm = work or [unit for unit in inside if unit not in coolers]
        since = -1 if row.sense == LOSS else led
        found = [change for unit in coolers for change in self._changes(row, unit, (row.sense,), since)]
        senses = (GAIN,) if row.sense == LOSS else (LOSS,)
        other = [change for unit in warm for change in self._changes(row, unit, senses, since) if not change.waits]
        other = [change for change in other if change.flag not in (*THERMAL, *AFTER)]
        if found and 2 * len({change.unit for change in other}) <= len(warm):
            return _last(found)
        if not found:
            beyond = (replace(row, event=replace(row.event, unit=unit)) for unit in coolers)
            found = [change for each in beyond for change in self._nearest(each, "any", (row.sense,), since)]
        return _last(found + other)

    def _routes(self, row: Row) -> int | None:
        """What changed last among the switches above a rack, or was lost of its own ports."""
        above = [unit for ring in self.upstream.rings(row.event.unit, FABRIC) for unit in ring]
        near = [change for unit in above for change in self._changes(row, unit, (LOSS, GAIN))]
        own = self.latest.get((row.event.member, row.event.unit), {}).get(f"{INPUT}ports_lost")
        return _last(near + ([own] if own else []))

    def _loss(self, row: Row, *_: int) -> int | None:
        own = self._own(row, (LOSS,))
        if row.event.flag == LOCKS:
            before = [unit for ring in self.upstream.rings(row.event.unit, row.via)[:NEAR] for unit in ring]
            return _last([change for unit in before for change in self._changes(row, unit, (LOSS,))])
        if row.via == "power" and (breaks := self._breaks(row)):
            return _last(breaks)
        if row.via == "self":
            return _last(own or self._own(row, (GAIN, SETTING)))
        if row.via != "power":
            own = [change for change in own if change.is_input]
        near = self._nearest(row, row.via, (LOSS,))
        if row.via == "coolant" and not own + near:
            near = self._peers(row, (LOSS,))
        return _last(
            own + near
            or self._nearest(row, row.via, (SETTING,))
            or self._nearest(row, "any", (LOSS,))
            or self._own(row, (LOSS, SETTING))
        )

    def _breaks(self, row: Row) -> list[_Change]:
        """A switch above that goes over at this very moment: it breaks before it makes."""
        for ring in self.upstream.rings(row.event.unit, "power")[:NEAR]:
            near = [change for unit in ring for change in self._changes(row, unit, (LOSS, GAIN))]
            now = [change for change in near if row.event.time - change.time < SAME_MOMENT]
            breaks = [change for change in now if change.flag in SWITCHED]
            if breaks or any(change.sense == LOSS for change in now):
                return breaks
        return []

    def _cleared(self, row: Row) -> list[_Change]:
        """What took a short circuit off at this very moment: a breaker below, or whoever mended it."""
        below = [unit for ring in self.upstream.rings(row.event.unit, "load") for unit in ring]
        near = [change for unit in below for change in self._changes(row, unit, (LOSS, GAIN))]
        now = [change for change in near if row.event.time - change.time < SAME_MOMENT]
        return [change for change in now if change.flag.startswith("tripped") or change.flag == SHORTED]

    def _gain(self, row: Row, began: int, led: int) -> int | None:
        """`began` is the row of the loss that ends here, `led` the row that had led to it.

        A transfer breaks and makes: where nothing else is known, it ends the loss that it began.
        """
        if row.via == "self":
            return _last(self._own(row, (GAIN,), began))
        since = began if row.via in ("power", "signal") else led
        own = [change for change in self._own(row, (GAIN,), began) if change.is_input or change.flag in FREED]
        near = self._nearest(row, row.via, (GAIN,), since)
        if row.via == "power" and not near:
            near = self._nearest(row, row.via, (SETTING,), since)  # a voltage that is set back
        if row.via == "coolant" and not near:
            near = [change for change in self._peers(row, (GAIN,)) if change.index > since]
        if row.via == "power" and not own + near:
            near = self._cleared(row)
        if not own + near and led in self.answers:
            return led
        near = near or self._nearest(row, "any", (GAIN,), since)
        if row.via == "power" and near and not own:
            whole = {change.unit: change.index for change in sorted(near, key=lambda each: each.index)}
            return min(whole.values())  # the first feed that came back, once all of it had, is enough
        return _last(own + near or self._nearest(row, row.via, (GAIN,)))


def _last(changes: list[_Change]) -> int | None:
    """The row of the latest change; of several at one moment, failures that only lie in wait stand back."""
    found = max(
        changes, key=lambda change: (round(change.time / SAME_MOMENT), not change.waits, change.index), default=None
    )
    return None if found is None else found.index
