"""Causes: which earlier change led to a change, found through the plant's graph by medium."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from twin.plant import Plant
from twin.report.known import (
    AFTER,
    ALIKE,
    BYPASS,
    COOLS,
    FABRIC,
    FREED,
    FRESH,
    GAIN,
    GIVEN_UP,
    INPUT,
    LOCKS,
    LOSS,
    NEAR,
    QUEUE,
    RESPONSES,
    SAME_MOMENT,
    SETTING,
    SHORTED,
    STUCK,
    SWITCHED,
    THERMAL,
    TIMED,
    TOLD,
    WORK,
    Change,
    Known,
    Row,
    last,
)
from twin.report.pressed import PRESSED, UNMEASURED, Measured
from twin.report.upstream import Upstream
from twin.report.working import Gangs, Working, anybody


class Causes:
    """Finds for each row, taken in order, the earlier row that led to it.

    First comes what the unit itself did at that very moment. Then a loss is put down to what stands lost
    (a flag up, a unit taken out, a fault): the unit's own Inputs, or the nearest unit upstream over the
    flag's medium, whichever came later. A gain is put down to what was given back nearest upstream since
    the loss began. A unit that steps in or back answers whatever changed last nearest upstream.
    Where the medium knows nothing, settings, then other media, then the unit's own changes are asked; what
    nothing explains is put down to a short circuit that stands, for all of the site sees it.
    """

    def __init__(
        self,
        plant: Plant,
        shut: frozenset[str] = frozenset(),
        gangs: Gangs = anybody,
        measured: Measured = UNMEASURED,
        *,
        capped: bool = True,
    ) -> None:
        self.upstream = Upstream(plant, shut)
        self.known = Known(self.upstream)
        self.working = Working(self.known, gangs, capped, measured)
        self.answers: set[int] = set()
        self.responses: set[int] = set()
        self.shorted: dict[int, dict[str, int]] = {}

    def of(self, index: int, row: Row) -> int | None:
        """Index of the row that led to this one; rows are given in order, each once."""
        event, key = row.event, (row.event.member, row.event.unit, row.event.flag)
        cause = None
        if row.via == FABRIC:
            cause = self._routes(row)
        elif row.via in (WORK, QUEUE):
            cause = self.working.of(row)
        elif not row.is_input:
            cause = self._beyond_responses(self._flagged(row))
        elif event.flag == SHORTED:
            standing = self.shorted.setdefault(event.member, {})
            standing.pop(event.unit, None)
            standing |= {event.unit: index} if row.sense == LOSS else {}
        if not row.is_input and row.via != FABRIC and (row.is_answer or row.sense == LOSS):
            self.known.began[key] = (index, index if cause is None else cause)
        if row.is_answer:
            self.answers.add(index)
        if event.flag in RESPONSES:
            self.responses.add(index)
        self.known.told(index, row, cause)
        return cause

    def _beyond_responses(self, cause: int | None) -> int | None:
        """What made a control respond, where its response is all that was found and something did."""
        while cause in self.responses and self.known.led[cause] is not None:
            cause = self.known.led[cause]
        return cause

    def _flagged(self, row: Row) -> int | None:
        """What led to a flag that rose or fell."""
        event, known = row.event, self.known
        key = (event.member, event.unit, event.flag)
        cause = self._given_up(row) if event.flag in GIVEN_UP and row.sense == LOSS else known.at_this_moment(row)
        if cause is None and event.flag in TIMED and row.sense == GAIN:
            cause = known.began.get(key, (None, None))[0]
        if cause is None and event.flag == "soft_starting" and row.sense == LOSS:
            back = known.nearest(row, "power", (GAIN,)) + [one for one in known.own(row, (GAIN,)) if one.is_input]
            cause = last(back)
        if cause is None and row.sense == LOSS:
            cause = self._own_failure(row)
        if cause is None:
            cause = self._way(row)(row, *known.began.get(key, (-1, -1)))
        if cause is None and row.sense == LOSS:
            cause = max(self.shorted.get(event.member, {}).values(), default=None)
        if cause is None and row.sense == GAIN and event.flag in COOLS:
            cause = known.began.get(key, (None, None))[0]
        return cause

    def _way(self, row: Row) -> Callable[..., int | None]:
        """How the cause of a flag is found, where nothing at its own moment tells."""
        if row.is_idle:
            own = [change for change in self.known.own(row, (LOSS,)) if change.flag not in (*THERMAL, *AFTER)]
            return lambda *_: last(own)
        if row.via == "load":
            return self._burden
        if row.via == "air" and self.upstream.sources.get("air", {}).get(row.event.unit):
            return self._room
        return self._answer if row.is_answer else self._loss if row.sense == LOSS else self._gain

    def beside(self, row: Row) -> tuple[int, ...]:
        """Rows of what else helped to press a pool or service, at the moment of what led to it."""
        return self.working.pressed.also(row) if row.event.flag in PRESSED else ()

    def behind(self, row: Row, flag: str) -> int | None:
        """What an alarm is put down to: its own flag, else what stands lost at its unit or nearest to it."""
        own = self.known.own(row, (LOSS,))
        named = [change for change in own if self.known.latest[row.event.member, row.event.unit].get(flag) is change]
        return last(named or own or self.known.nearest(row, "any", (LOSS,)) or self.known.own(row, (GAIN, SETTING)))

    def mended(self, row: Row) -> int | None:
        """What the end of an alarm is put down to: what was given back last at its unit or nearest to it."""
        return last(self.known.own(row, (GAIN, SETTING)) or self.known.nearest(row, "any", (GAIN, SETTING)))

    def changed(self, row: Row) -> int | None:
        """What changed last at a unit itself."""
        return last(self.known.own(row, (LOSS, GAIN, SETTING)))

    def _own_failure(self, row: Row) -> int | None:
        """A failure of its own that stands and is named alike: fails_to_load, then failed_to_load."""
        begin = INPUT + row.event.flag[:ALIKE]
        own = [change for change in self.known.own(row, (LOSS,)) if change.flag.startswith(begin)]
        return last([change for change in own if row.event.flag.rpartition("_")[2] in change.flag or not change.waits])

    def _answer(self, row: Row, since: int, _: int) -> int | None:
        either = (LOSS, GAIN)
        if row.via == "self":
            return last(self.known.own(row, either, since) or self.known.nearest(row, "signal", either, since))
        own = [change for change in self.known.own(row, (LOSS,), since) if not change.fades]
        told = self.known.nearest(row, "signal", either, since) if row.event.flag in TOLD else []
        near = self.known.nearest(row, row.via, either, since)
        if row.event.flag == "asking" and row.sense == GAIN:
            lost = [change for change in near if change.sense == LOSS and self._felt(row, change)]
            return last(lost or told or near)
        return last(own + near + told)

    def _given_up(self, row: Row) -> int | None:
        """Why a converter gives up: its overload; why it drops its load: its feed, which may be dead of what it did."""
        own = self.known.own(row, (LOSS,))
        if row.event.flag == "overload_tripped":
            return last([change for change in own if change.flag == "overloaded"])
        near = self.known.nearest(row, "power", (LOSS,))
        did = {change.index for change in own}
        return last([change for change in near if self.known.led[change.index] in did] or own + near)

    def _felt(self, row: Row, change: Change) -> bool:
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
        came = [change for unit in below for change in self.known.changes(row, unit, (GAIN if rises else LOSS,))]
        if rises and (struck := self._struck(row, below)):
            return last(struck)
        went = [change for unit in beside for change in self.known.changes(row, unit, (LOSS if rises else GAIN,))]
        steps = [change for change in came + went if not change.only_said and not change.waits]
        recent = [change for change in steps if change.time >= row.event.time - FRESH]
        own = [change for change in self.known.own(row, (row.sense,)) if not change.waits]
        return last(recent + own or (steps if rises else []))

    def _struck(self, row: Row, below: list[str]) -> list[Change]:
        """A short circuit that stands among those a unit feeds, and what has brought it to the unit since.

        That is who has been switched over to it, or a breaker before it that fails to open.
        """
        found = [change for unit in below for change in self.known.changes(row, unit, (LOSS, GAIN))]
        since = min((each.index for each in found if each.flag == SHORTED and each.sense == LOSS), default=None)
        if since is None:
            return []
        over = (*SWITCHED, BYPASS, STUCK)
        return [
            each
            for each in found
            if each.index == since or (each.index > since and each.flag in over and each.value >= 0.5)
        ]

    def _helpers(self, unit: str, below: list[str]) -> list[str]:
        """Who feeds, beside a unit, those that it feeds; not those that hang on it themselves."""
        power = self.upstream.sources.get("power", {})
        beside = {source for each in below for source in power.get(each, ())}
        return sorted(beside - {unit} - set(below))

    def _peers(self, row: Row, senses: Iterable[int]) -> list[Change]:
        """What changed of those that give coolant to the same places: their load is shared anew."""
        loads, sources = self.upstream.takers.get(row.event.unit, ()), self.upstream.sources.get("coolant", {})
        beside = dict.fromkeys(unit for load in loads for unit in sources.get(load, ()) if unit != row.event.unit)
        found = [change for unit in beside for change in self.known.changes(row, unit, senses)]
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
        found = [change for unit in coolers for change in self.known.changes(row, unit, (row.sense,), since)]
        senses = (GAIN,) if row.sense == LOSS else (LOSS,)
        other = [change for unit in warm for change in self.known.changes(row, unit, senses, since) if not change.waits]
        other = [change for change in other if change.flag not in (*THERMAL, *AFTER, f"{INPUT}bandwidth_share")]
        if found and 2 * len({change.unit for change in other}) <= len(warm):
            return last(found)
        if not found:
            beyond = (replace(row, event=replace(row.event, unit=unit)) for unit in coolers)
            found = [change for each in beyond for change in self.known.nearest(each, "any", (row.sense,), since)]
        return last(found + other)

    def _routes(self, row: Row) -> int | None:
        """What changed last among the switches above a rack, or was lost of its own ports."""
        above = [unit for ring in self.upstream.rings(row.event.unit, FABRIC) for unit in ring]
        near = [change for unit in above for change in self.known.changes(row, unit, (LOSS, GAIN))]
        own = self.known.latest.get((row.event.member, row.event.unit), {}).get(f"{INPUT}ports_lost")
        return last(near + ([own] if own else []))

    def _loss(self, row: Row, *_: int) -> int | None:
        own = self.known.own(row, (LOSS,))
        if row.event.flag == LOCKS:
            before = [unit for ring in self.upstream.rings(row.event.unit, row.via)[:NEAR] for unit in ring]
            return last([change for unit in before for change in self.known.changes(row, unit, (LOSS,))])
        if row.via == "power" and (breaks := self._breaks(row)):
            return last(breaks)
        if row.via == "self":
            return last(own or self.known.own(row, (GAIN, SETTING)))
        if row.via != "power":
            own = [change for change in own if change.is_input]
        near = self.known.nearest(row, row.via, (LOSS,))
        if row.via == "power" and not own + near:
            near = self._struck(row, [unit for ring in self.upstream.rings(row.event.unit, "load") for unit in ring])
        if row.via == "coolant" and not own + near:
            near = self.known.blocking(row) or self._peers(row, (LOSS,))
        return last(
            own + near
            or self.known.nearest(row, row.via, (SETTING,))
            or self.known.nearest(row, "any", (LOSS,))
            or self.known.own(row, (LOSS, SETTING))
        )

    def _breaks(self, row: Row) -> list[Change]:
        """A switch above that goes over at this very moment: it breaks before it makes."""
        for ring in self.upstream.rings(row.event.unit, "power")[:NEAR]:
            near = [change for unit in ring for change in self.known.changes(row, unit, (LOSS, GAIN))]
            now = [change for change in near if row.event.time - change.time < SAME_MOMENT]
            breaks = [change for change in now if change.flag in SWITCHED]
            if breaks or any(change.sense == LOSS for change in now):
                return breaks
        return []

    def _cleared(self, row: Row) -> list[Change]:
        """What took a short circuit off at this very moment: a breaker below, or whoever mended it."""
        below = [unit for ring in self.upstream.rings(row.event.unit, "load") for unit in ring]
        near = [change for unit in below for change in self.known.changes(row, unit, (LOSS, GAIN))]
        now = [change for change in near if row.event.time - change.time < SAME_MOMENT]
        return [change for change in now if change.flag.startswith("tripped") or change.flag == SHORTED]

    def _gain(self, row: Row, began: int, led: int) -> int | None:
        """`began` is the row of the loss that ends here, `led` the row that had led to it.

        A transfer breaks and makes: where nothing else is known, it ends the loss that it began.
        """
        if row.via == "self":
            return last(self.known.own(row, (GAIN,), began))
        since = began if row.via in ("power", "signal") else led
        own = [change for change in self.known.own(row, (GAIN,), began) if change.is_input or change.flag in FREED]
        near = self.known.nearest(row, row.via, (GAIN,), since)
        if row.via == "power" and not near:
            near = self.known.nearest(row, row.via, (SETTING,), since)  # a voltage that is set back
        if row.via == "coolant" and not near:
            near = [change for change in self._peers(row, (GAIN,)) if change.index > since]
        if row.via == "power" and not own + near:
            near = self._cleared(row)
        if not own + near and led in self.answers:
            return led
        near = near or self.known.nearest(row, "any", (GAIN,), since)
        if row.via == "power" and near and not own:
            whole = {change.unit: change.index for change in sorted(near, key=lambda each: each.index)}
            return min(whole.values())  # the first feed that came back, once all of it had, is enough
        return last(own + near or self.known.nearest(row, row.via, (GAIN,)))
