"""Balance: what is asked of pools of racks against what these can do, as a trace has it recorded at two moments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from twin.equipment.pool import EVERY
from twin.report.known import INPUT, SAME_MOMENT, Change
from twin.report.words import say

if TYPE_CHECKING:
    from twin.report.story import Story
    from twin.trace import Event

RACKS, SPEED, WAYS, DEMAND = "racks", "speed", "ways", "demand"
"""What tips a balance: GPUs that serve no more, or slower, ports with less bandwidth, and what is asked."""
LEAST = 1e-3
"""A balance that is tipped by less than this is not [1]: ln of a ratio."""
HASTENED = 2.0
"""What would have come within so many times the time since a change has only been hastened by it [1]."""
SOON = 10.0
"""A row of a trace that comes so long [s] after a moment still tells of it."""
PROMISES = (("first_token_time", "first_token_limit"), ("token_time", "token_limit"))


@dataclass
class Balance:
    """What a trace recorded of services and pools, row by row; what it did not record is not known."""

    story: Story

    def tipped(self, pools: Iterable[str], member: int, since: float, now: float) -> dict[str, float | None]:
        """By how much each cause has tipped the balance of some pools between two moments, as ln of a ratio [1].

        Over the pools it is the most that is found in one. None where the trace does not tell; of `WAYS` it never does.
        """
        found: dict[str, float | None] = {}
        for pool in pools:
            gpus = self._lost(pool, member, since, now)
            phases = [phase for phase in ("prefill", "decode") if self._users(pool, phase)]
            speeds = [self._fell("pool", f"{phase}_speed", pool, member, since, now) for phase in phases]
            asked = [self._load(pool, member, since, last=since > self.story.start), self._load(pool, member, now)]
            rose = None if asked[0] is None or asked[1] is None else _ratio(asked[1], asked[0])
            for name, value in ((RACKS, gpus), (SPEED, _most(speeds)), (DEMAND, rose)):
                found[name] = _most([found.get(name), value])
        return found

    def blind(self, since: float, now: float) -> bool:
        """Whether nothing was recorded from one moment to another, nor soon after it: what went may be back by then."""
        time = self.story.time
        first, then = int(np.searchsorted(time, since)), int(np.searchsorted(time, now, side="right"))
        return first == then and (then == len(time) or float(time[then]) - now > SOON)

    def would_break(self, service: str, member: int, changed: float, now: float) -> bool:
        """Whether a service was on its way to break its promise about now, before something changed.

        One of its times, over what it promises, grew before the change as it would have gone on to grow: it is looked
        at as long before as has passed since, and taken on for as long again. What only hastened a thing is not its
        cause.
        """
        ago = max(changed - (now - changed), self.story.start)
        if changed <= ago:
            return False
        ahead = HASTENED * (now - changed) / (changed - ago)
        strains = zip(self._strains(service, member, changed), self._strains(service, member, ago), strict=True)
        return any(was + max(was - before, 0.0) * ahead >= 1.0 for was, before in strains)

    def why(self, unit: str, member: int, now: float, reason: str) -> str:
        """Why a pool or a service is pressed for which no line tells why: what is asked of it, and what it serves.

        Where it does all that is asked of it the `reason` stands that its flag gives.
        """
        served = self.story.plant.served
        pools = [pool for each in served[unit].values() for pool in each] if unit in served else [unit]
        tipped = {name: share or 0.0 for name, share in self.tipped(pools, member, self.story.start, now).items()}
        rates = self._rates(unit, member, now)
        if rates is not None and rates[0] > rates[1] * (1.0 + LEAST):
            wanted, done = (say(each, "token/s") for each in rates)
            wanted = f"{wanted} of all pools of its services" if self._shares(unit) else wanted
            reason = f"{wanted} are asked for, {done} served"
        if tipped.get(DEMAND, 0.0) > LEAST:
            return f"demand has risen: {reason}"
        return f"from the beginning: {reason}" if now - self.story.start <= SAME_MOMENT else reason

    def apart(self, first: float, then: float) -> bool:
        """Whether a row tells what came of a change before another came."""
        rows = np.searchsorted(self.story.time, [first, then], side="right")
        return bool(rows[0] < rows[1])

    def raised(self, change: Change, member: int) -> bool:
        """Whether a change of an Input made it more than it was."""
        name = change.flag.removeprefix(INPUT)
        time = self.story.time
        row = max(int(np.searchsorted(time, change.time, side="right")) - 1, 0)
        before = [each for each in self._written(change, member) if float(time[row]) <= each.time < change.time]
        was = before[-1].value if before else self._value("service", name, change.unit, member, change.time, last=True)
        return was is None or change.value > was

    def moving(self, change: Change, member: int, now: float) -> bool:
        """Whether an Input was still on its way to what a change (a ramp) made of it."""
        key = (change.unit, change.flag.removeprefix(INPUT), round(change.time, 3))
        over = self.story.told.moves.get(key) or self.story.log.moves.get(key)
        return over is not None and change.time <= now < change.time + over

    def spills(self, pool: str, member: int, now: float) -> bool:
        """Whether a pool has no time left, or nobody to serve, from a moment on."""
        gpus, busy = (self._value("pool", name, pool, member, now) for name in ("gpus", "busy"))
        return busy is None or gpus == 0 or busy >= 1.0 - LEAST

    def _written(self, change: Change, member: int) -> list[Event]:
        of = (change.unit, change.flag)
        return [each for each in self.story.events_of[member] if (each.unit, each.flag) == of]

    def _lost(self, pool: str, member: int, since: float, now: float) -> float | None:
        """By how much fewer GPUs have power and what they are to hold; those that are only cut off are no fewer."""
        found = []
        for moment, last in ((since, True), (now, False), (now, True)):
            gpus, had, lacking = (
                self._value("pool", name, pool, member, moment, last=last)
                for name in ("gpus", "gpus_had", "gpus_lacking")
            )
            is_told = had is not None and had < EVERY and lacking is not None
            found.append(had - lacking if is_told and had is not None and lacking is not None else gpus)
        was, *left = found
        least = min((each for each in left if each is not None), default=None)
        return None if was is None or least is None else _ratio(was, least)

    def _rates(self, unit: str, member: int, now: float) -> tuple[float, float] | None:
        """What is asked of a pool or a service, and what it serves [token/s]; None where that is not told."""
        phases = ("prefill", "decode")
        users = self.story.plant.served
        ways = [(each, phase) for phase in phases for each in ([unit] if unit in users else self._users(unit, phase))]
        names = {"prefill": "prompt_rate", "decode": "answer_rate"}
        asked = _sum(self._asked(service, phase, member, now) for service, phase in ways)
        done = _sum(self._value("service", names[phase], service, member, now) for service, phase in ways)
        return None if asked is None or done is None else (asked, done)

    def _shares(self, unit: str) -> bool:
        """Whether services of a pool have other pools for the same work."""
        return any(
            unit in pools and len(pools) > 1 for each in self.story.plant.served.values() for pools in each.values()
        )

    def _users(self, pool: str, phase: str) -> list[str]:
        return [service for service, phases in self.story.plant.served.items() if pool in phases[phase]]

    def _load(self, pool: str, member: int, now: float, *, last: bool = False) -> float | None:
        """Time of GPUs at full clock that is asked of a pool, per second [1]."""
        found: list[float | None] = []
        for phase, rate in (("prefill", "prefill_rate"), ("decode", "decode_rate")):
            for service in self._users(pool, phase):
                asked = self._asked(service, phase, member, now, last=last)
                found.append(None if asked is None else asked / float(self._rating(service, rate)))
        return _sum(found)

    def _asked(self, service: str, phase: str, member: int, now: float, *, last: bool = False) -> float | None:
        """Tokens a second that are asked of a service in a phase."""
        names = ("request_rate", "admission", {"prefill": "prompt_length", "decode": "answer_length"}[phase])
        found = 1.0
        for name in names:
            value = self._value("service", name, service, member, now, last=last)
            if value is None:
                return None
            found *= value
        return found

    def _rating(self, service: str, name: str) -> float:
        return float(getattr(self.story.plant.units[service].machine(), name))

    def _strains(self, service: str, member: int, now: float) -> list[float]:
        """Each of the times of a service over what it promises [1]; none where one is not told."""
        found = []
        for time, limit in PROMISES:
            value = self._value("service", time, service, member, now, last=True)
            if value is None:
                return []
            found.append(value / self._rating(service, limit))
        return found

    def _fell(self, kind: str, name: str, unit: str, member: int, since: float, now: float) -> float | None:
        was = self._value(kind, name, unit, member, since, last=True)
        left = [self._value(kind, name, unit, member, now, last=last) for last in (False, True)]
        least = min((each for each in left if each is not None), default=None)
        return None if was is None or least is None else _ratio(was, least)

    def _value(self, kind: str, name: str, unit: str, member: int, now: float, *, last: bool = False) -> float | None:
        """What was recorded of a unit first after a moment, as what begins then shows with its tick, or last by it."""
        values, units = self.story.values(kind, name), self.story.trace.units(kind) if kind in self.story.kinds else ()
        if values is None or unit not in units:
            return None
        row = int(np.searchsorted(self.story.time, now, side="right")) - last
        return float(values[min(max(row, 0), len(self.story.time) - 1), member, list(units).index(unit)])


def _ratio(over: float, under: float) -> float:
    """The logarithm of a ratio of two that are not negative; of nothing over nothing it is 0."""
    least = 1e-9 * max(over, under, 1e-300)
    return log(max(over, least) / max(under, least))


def _most(found: Iterable[float | None]) -> float | None:
    return max((each for each in found if each is not None), default=None)


def _sum(found: Iterable[float | None]) -> float | None:
    every = list(found)
    return None if not every or any(each is None for each in every) else float(sum(each for each in every if each))
