"""Working: what stops and slows jobs and services, and what a scheduler did for what reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twin.declare import quantities
from twin.equipment import KINDS
from twin.equipment.job import PHASES
from twin.report.known import AFTER, GAIN, INPUT, LOSS, SAME_MOMENT, TIMED, Change, Known, Row, last
from twin.report.pressed import ASKED, CRASH, PRESSED, SLOWS, WAYS_OF, Measured, Pressed

Gangs = Callable[[str, int, float], "frozenset[str] | None"]
"""Job, member and moment -> the racks that it has or has just had; None where it has its own or nobody knows."""
PHASE, HOLD = f"{INPUT}phase", f"{INPUT}hold"
DRAIN = f"{INPUT}drain"
STILL = "waits"
"""Flag of a row that tells why a job waits."""
REQUEST = f"{INPUT}power_request"
CAPS = tuple(f"{INPUT}{name}" for name in ("power_limit", "clock_limit", "power_profile"))
"""Inputs of racks that cap what they do; with less than what they are by default they take away."""
FOLLOWS = 900.0
"""For so long [s] after the grid asked for something a controller may still be on its way there."""


def anybody(job: str, member: int, moment: float) -> frozenset[str] | None:
    """Of no job it is known which racks a scheduler gave it."""
    return None


class Working:
    """Finds what led to a change of a job, a pool or a service.

    A job stands on its racks, those that it has at the moment, and on its storage; a pool on its racks, a service on
    its pools. What stands lost of them is asked first, then caps on their power, the grid's request, the demand, and
    only then what else is lost further upstream. What the grid asks for counts where a controller caps for it.
    """

    def __init__(self, known: Known, gangs: Gangs, capped: bool, measured: Measured) -> None:
        self.known, self.gangs, self.capped = known, gangs, capped
        self.upstream = known.upstream
        found = self.upstream.plant.units
        self.kinds = {name: unit.kind for name, unit in found.items()}
        self.pressed = Pressed(known, self._capped, measured)

    def of(self, row: Row) -> int | None:
        """Index of the row that led to a flag of work, or to what a scheduler did."""
        event = row.event
        if event.flag in (PHASE, STILL):
            return self._scheduled(row)
        if event.flag == DRAIN:
            return last([each for each in self._jobs_of(row) if each.value == PHASES["waiting"]])
        if row.is_idle:
            return self.pressed.idle(row) if event.flag == "held_up" else last(self._own(row, (PHASE, "stopped")))
        if row.sense == LOSS and event.flag in PRESSED:
            return self.pressed.rose(row)
        ways = {"job": self._job, "pool": self._pool, "service": self._service}
        began, led = self.known.began.get((event.member, event.unit, event.flag), (-1, -1))
        found = ways[self.kinds[event.unit]](row, began, led)
        if found is None and event.flag in PRESSED:
            found = self.pressed.fell(row)
        if found is None:
            senses = (LOSS,) if row.sense == LOSS else (GAIN,)
            found = last(self._beyond(row, senses, -1 if row.sense == LOSS else led))
        return found

    def _own(self, row: Row, flags: Iterable[str], since: int = -1) -> list[Change]:
        """Its own last changes of some flags and Inputs."""
        known = self.known.latest.get((row.event.member, row.event.unit), {})
        return [known[flag] for flag in flags if flag in known and known[flag].index > since]

    def _below(self, row: Row) -> list[str]:
        """What a job, pool or service stands on: of racks that a scheduler gives, those that it has."""
        event = row.event
        every = self.upstream.sources.get("work", {}).get(event.unit, [])
        gang = self.gangs(event.unit, event.member, event.time)
        return [unit for unit in every if gang is None or unit in gang or not self._is_rack(unit)]

    def _is_rack(self, unit: str) -> bool:
        return KINDS[self.kinds[unit]].is_work

    def _near(self, row: Row, senses: Iterable[int], since: int = -1) -> list[Change]:
        """What of that was lost or given back."""
        found = [change for unit in self._below(row) for change in self.known.changes(row, unit, senses, since)]
        return [change for change in found if _counts(change)]

    def _stored(self, changes: list[Change]) -> list[Change]:
        return [change for change in changes if self.kinds[change.unit] == "storage_system"]

    def _racks(self, changes: list[Change]) -> list[Change]:
        return [change for change in changes if self._is_rack(change.unit)]

    def _capped(self, row: Row, racks: Iterable[str], since: int = -1) -> list[Change]:
        """Caps on the power of racks, and what the grid asks for, that take away, or that do no more."""
        takes, found = row.sense == LOSS, []
        for unit in racks:
            changes = self.known.latest.get((row.event.member, unit), {})
            found += [changes[cap] for cap in CAPS if cap in changes and self._takes(changes[cap]) == takes]
        asked = self.known.latest.get((row.event.member, "site"), {}).get(REQUEST)
        found += [asked] if self.capped and asked is not None and (asked.value < 1) == takes else []
        return [change for change in found if change.index > since]

    def _takes(self, cap: Change) -> bool:
        name = cap.flag.removeprefix(INPUT)
        usual = quantities(KINDS[self.kinds[cap.unit]].Inputs)[name].default
        assert usual is not None
        return cap.value > usual if name == "power_profile" else cap.value < usual

    def _beyond(self, row: Row, senses: tuple[int, ...], since: int) -> list[Change]:
        """What changed nearest to what it stands on, over any medium."""
        found: list[Change] = []
        for unit in self._below(row):
            found += self.known.nearest(row.at(unit), "any", senses, since)
        return [change for change in found if not change.waits]

    def _job(self, row: Row, began: int, led: int) -> int | None:
        flag, rises = row.event.flag, row.sense == LOSS
        if flag in TIMED:
            return self._restart(row, began)
        since = -1 if rises else began if flag == "stopped" else led
        near = self._near(row, (row.sense,), since)
        if flag == "stopped":
            near = [change for change in near if change.flag not in SLOWS]
            own = self._own(row, (CRASH, HOLD, PHASE), since)
            own = [each for each in own if each.flag == PHASE or (each.value > 0) == rises]
            return last([each for each in own if each.flag != PHASE or not rises] + self._racks(near) or own)
        if flag == "starved":
            reads = [each for each in self._own(row, ("restarting",), since) if (each.sense == LOSS) == rises]
            return last(self._stored(near) + reads + self._beside(row, since))
        waits = [each for each in self._own(row, ("starved",), since) if each.sense == row.sense]
        fewer = [each for each in self._own(row, (PHASE,), since) if self._fewer(row, each)]
        found = waits + fewer + self._racks(near) + self._capped(row, self._below(row), since)
        return last(found or self._follows(row))

    def _follows(self, row: Row) -> list[Change]:
        """What the grid asked for last, and a controller still follows."""
        asked = self.known.latest.get((row.event.member, "site"), {}).get(REQUEST)
        return [asked] if self.capped and asked is not None and row.event.time - asked.time < FOLLOWS else []

    def _fewer(self, row: Row, phase: Change) -> bool:
        """Whether a job goes on with fewer racks than it asks for since its phase was told last."""
        return row.sense == LOSS and phase.value == PHASES["running"] and phase.index in self.known.shrunk

    def _restart(self, row: Row, began: int) -> int | None:
        """A restart begins when it may run, or without a rack that it can do without; it ends when its time is over."""
        if row.sense == GAIN:
            return None if began < 0 else began
        now = [each for each in self._own(row, ("stopped", PHASE)) if row.event.time - each.time < SAME_MOMENT]
        lost = [change for change in self._near(row, (LOSS,)) if change.flag not in SLOWS]
        return last([each for each in now if each.sense != LOSS] or self._racks(lost))

    def _beside(self, row: Row, since: int) -> list[Change]:
        """Others that take from the same storage and began, or ceased, to read all that they have there."""
        systems = self.upstream.plant.stores.get(row.event.unit, ())
        others = [name for name, named in self.upstream.plant.stores.items() if set(named) & set(systems)]
        found = [
            change
            for unit in others
            if unit != row.event.unit
            for change in self.known.changes(row, unit, (row.sense,))
        ]
        return [each for each in found if each.flag in ("restarting", "unloaded") and each.index > since]

    def _pool(self, row: Row, began: int, led: int) -> int | None:
        rises = row.sense == LOSS
        if row.event.flag == "without_racks":
            return self.pressed.without_racks(row, -1 if rises else began)
        since = -1 if rises else led
        own = self._own(row, (CRASH,), since)
        own = [each for each in own if each.sense == row.sense]
        if row.event.flag == "unloaded":
            near = self._near(row, (GAIN,), -1 if rises else began)
            back = self._racks(near) if rises else self._stored(near)
            found = last(own + back)
            return led if found is None and not rises and led >= 0 else found
        own += [each for each in self._own(row, ("unloaded", "without_racks"), since) if each.sense == row.sense]
        near = self._racks(self._near(row, (row.sense,), since))
        takers = [service for service, phases in self.upstream.plant.served.items() if self._uses(phases, row)]
        asks = [change for unit in takers for change in self._demand(row, unit, since)]
        return last(own + near + self._capped(row, self._below(row), since) + asks)

    @staticmethod
    def _uses(phases: dict[str, list[str]], row: Row) -> bool:
        return any(row.event.unit in pools for pools in phases.values())

    def _demand(self, row: Row, service: str, since: int) -> list[Change]:
        found = self.known.latest.get((row.event.member, service), {})
        return [found[name] for name in ASKED if name in found and found[name].index > since]

    def _service(self, row: Row, began: int, led: int) -> int | None:
        since = -1 if row.sense == LOSS else led
        near = self._near(row, (row.sense,), since)
        if near and row.event.flag != "slow":
            return last(near)
        racks = [rack for pool in self._below(row) for rack in self.upstream.sources.get("work", {}).get(pool, ())]
        lost = [change for rack in racks for change in self.known.changes(row, rack, (row.sense,), since)]
        lost = [change for change in lost if _counts(change)]
        ways = [change for change in lost if change.flag in WAYS_OF and change.sense == LOSS]
        serving = self.pressed.serving(row, ways)
        lost = [change for change in lost if change not in ways or change in serving]
        return last(lost + self._capped(row, racks, since) + self._demand(row, row.event.unit, since))

    def _jobs_of(self, row: Row) -> list[Change]:
        """The phases of jobs that a scheduler gives racks, as they were told last at this moment."""
        jobs = self.upstream.plant.scheduled
        phases = [self.known.latest.get((row.event.member, job), {}).get(PHASE) for job in jobs]
        return [each for each in phases if each is not None and row.event.time - each.time < SAME_MOMENT]

    def _scheduled(self, row: Row) -> int | None:
        """What a scheduler did for what others did, or lost; that a job comes, or has done its work, is of itself."""
        phase, event = row.event.value, row.event
        own = self._own(row, (PHASE,))
        before = own[0].value if own else PHASES["absent"]
        if event.flag == STILL:
            return self._kept_waiting(row, own[0].index if own else -1)
        if phase == PHASES["waiting"]:
            if before == PHASES["saving"]:
                return last(own)
            stopped = [each for each in self._own(row, ("stopped",)) if each.sense == LOSS]
            return last(stopped) if before == PHASES["running"] else None
        if phase == PHASES["saving"]:
            named = [job for job in self.upstream.plant.scheduled if row.why.startswith(f"{job} ")]
            if named:
                return last(self._own(row.at(named[0]), (PHASE,)))
            return last(self._freed(row, -1)) if row.why.startswith("grows") else None
        if phase != PHASES["running"]:
            return None
        if before == PHASES["running"]:
            return last([each for each in self._own(row, ("stopped",)) if each.sense == LOSS])
        freed = self._freed(row, own[0].index if own else -1) if own and event.time - own[0].time > 0 else []
        return last(freed or own)

    def _kept_waiting(self, row: Row, since: int) -> int | None:
        """Why a job goes on waiting: for who stands before it, who took its racks, or what they lost."""
        ahead = [job for job in self.upstream.plant.scheduled if row.why == f"{job} stands before it"]
        if ahead:
            return last(self._own(row.at(ahead[0]), (PHASE,)))
        if row.why.endswith("can work"):
            return last(self._of_racks(row, LOSS, -1))
        took = [each for each in self._others(row, since) if each.value == PHASES["running"]]
        return last(took if row.why.endswith("free") else self._beyond(row, (LOSS,), -1))

    def _freed(self, row: Row, since: int) -> list[Change]:
        """What came back of the racks that a scheduler may give a job, and what other jobs gave back."""
        gave = (PHASES["waiting"], PHASES["finished"])
        return self._of_racks(row, GAIN, since) + [each for each in self._others(row, since) if each.value in gave]

    def _others(self, row: Row, since: int) -> list[Change]:
        jobs = [job for job in self.upstream.plant.scheduled if job != row.event.unit]
        return [change for job in jobs for change in self._own(row.at(job), (PHASE,), since)]

    def _of_racks(self, row: Row, sense: int, since: int) -> list[Change]:
        racks = self.upstream.sources.get("work", {}).get(row.event.unit, [])
        found = [change for unit in racks for change in self.known.changes(row, unit, (sense,), since)]
        return [change for change in found if not change.waits and change.flag not in (*SLOWS, *AFTER)]


def _counts(change: Change) -> bool:
    """Whether a change of a rack takes work away or gives it back: on its way back only that it has arrived does."""
    return not change.waits and (change.flag not in AFTER or (change.flag == "cold" and change.sense == GAIN))
