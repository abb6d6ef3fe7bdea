"""Pressed: why a pool of racks is full, why a service cannot keep up, breaks its promise or waits for the fabric."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import log
from typing import NamedTuple, Protocol

from twin.report.balance import DEMAND, LEAST, RACKS, SPEED, WAYS
from twin.report.known import AFTER, GAIN, INPUT, LOSS, SAME_MOMENT, Change, Known, Row, last

CRASH, SHARE, PORTS = f"{INPUT}crash", f"{INPUT}bandwidth_share", f"{INPUT}ports_lost"
TRAYS = f"{INPUT}trays_lost"
ASKED = tuple(f"{INPUT}{name}" for name in ("request_rate", "prompt_length", "answer_length", "admission"))
WAYS_OF = (SHARE, PORTS, TRAYS)
"""Inputs of racks that leave them less bandwidth."""
SLOWS = ("throttled", "slowed", "braked", "overloaded")
"""Flags of racks that work on, at less."""
STATES = ("unloaded", "without_racks", "full")
"""Flags of pools, from what comes first to what it leads to."""
PRESSED = ("full", "waiting", "late", "held_up")
"""Flags of pools and services that say that more is asked of them than they can do."""


class Measured(Protocol):
    """What a trace knows of demand and capacity; see `balance.Balance`."""

    def tipped(self, pools: Iterable[str], member: int, since: float, now: float) -> dict[str, float | None]: ...

    def blind(self, since: float, now: float) -> bool: ...

    def would_break(self, service: str, member: int, changed: float, now: float) -> bool: ...

    def apart(self, first: float, then: float) -> bool: ...

    def raised(self, change: Change, member: int) -> bool: ...

    def moving(self, change: Change, member: int, now: float) -> bool: ...

    def spills(self, pool: str, member: int, now: float) -> bool: ...


class Unmeasured:
    """Nothing is known of demand and capacity: what changed last is all that there is to go by."""

    def tipped(self, pools: Iterable[str], member: int, since: float, now: float) -> dict[str, float | None]:
        return {}

    def blind(self, since: float, now: float) -> bool:
        return True

    def would_break(self, service: str, member: int, changed: float, now: float) -> bool:
        return False

    def apart(self, first: float, then: float) -> bool:
        return True

    def raised(self, change: Change, member: int) -> bool:
        return True

    def moving(self, change: Change, member: int, now: float) -> bool:
        return False

    def spills(self, pool: str, member: int, now: float) -> bool:
        return False


UNMEASURED = Unmeasured()


class Found(NamedTuple):
    """What tipped a balance most: the change that says so, None where no line of the timeline does.

    since: the row since which; is_known: whether anything is known to have tipped it; beside: what else did at the
    same moment; is_spilt: whether it is of pools that these stand in for.
    """

    change: Change | None
    since: int = -1
    is_known: bool = False
    beside: tuple[Change, ...] = ()
    is_spilt: bool = False


Changes = dict[str, list[Change]]
"""What may have tipped a balance, by how."""
Capped = Callable[[Row, Iterable[str], int], list[Change]]


class Pressed:
    """Finds what led to a pool that is full and to a service that cannot keep up, breaks its promise or is held up.

    They follow from a balance of what is asked and what can be done; the cause is the last change that has tipped it:
    racks lost, racks slowed, ports with less bandwidth, or more that is asked, and of several at one moment what has
    tipped it most. What stood long before without harm is not the cause, nor is a pool that is full of its load alone
    the cause of what came only after it; what followed from it and leads on (a pool that is full by now) is the nearest
    one. Where nothing of its own pools tells, those are asked from which work spills over.
    """

    def __init__(self, known: Known, capped: Capped, measured: Measured) -> None:
        self.known, self.capped, self.measured = known, capped, measured
        self.served, self.pools = known.upstream.plant.served, known.upstream.plant.pools
        self.beside: dict[tuple[int, str, str], tuple[int, ...]] = {}

    def rose(self, row: Row) -> int | None:
        """Index of the row that led to one of these flags."""
        event = row.event
        served = event.unit in self.served
        pools = self._of_service(event.unit) if served else [event.unit]
        held = event.flag == "held_up"
        near = pools if held else self._short(row, pools)
        found = self._tipped(row, near)
        basic = found.change
        self.beside.pop((event.member, event.unit, event.flag), None)
        if basic is None:
            stands = [] if held else self._states(row, pools, found.since)
            return last(stands if found.is_known else self._backlog(row, pools) or stands)
        if held:
            return self._told(row, found)
        after = self._states(row, self._joined(row, near) if found.is_spilt else pools, basic.index)
        if after:
            return last(after)
        stood = self._states(row, pools, -1)
        if (
            event.flag == "late"
            and stood
            and self.measured.would_break(event.unit, event.member, basic.time, event.time)
        ):
            return last(stood)
        return self._told(row, found)

    def also(self, row: Row) -> tuple[int, ...]:
        """Rows of what else tipped the balance of a row at the moment of what led to it."""
        return self.beside.get((row.event.member, row.event.unit, row.event.flag), ())

    def _told(self, row: Row, found: Found) -> int | None:
        if found.change is None:
            return None
        self.beside[row.event.member, row.event.unit, row.event.flag] = tuple(each.index for each in found.beside)
        return found.change.index

    def without_racks(self, row: Row, since: int) -> int | None:
        """What took the last racks of a pool, or gave back the first."""
        racks = self.pools.get(row.event.unit, ())
        found = [each for rack in racks for each in self.known.changes(row, rack, (row.sense,), since)]
        found = [each for each in found if not each.waits and each.flag not in (SHARE, PORTS, TRAYS)]
        return last([each for each in found if row.sense == GAIN or each.flag not in AFTER])

    def fell(self, row: Row) -> int | None:
        """What ended the want, where nothing of its own did: what its services were given back last, in any pool."""
        pools = self._of_service(row.event.unit) if row.event.unit in self.served else [row.event.unit]
        pools = [pool for user in self._users(pools) for pool in self._of_service(user)]
        units = dict.fromkeys([*pools, *(rack for pool in pools for rack in self.pools.get(pool, ()))])
        units.pop(row.event.unit, None)
        found = [each for unit in units for each in self.known.changes(row, unit, (GAIN,))]
        return last([each for each in found if not each.waits and (each.flag not in AFTER or each.flag == "cold")])

    def idle(self, row: Row) -> int | None:
        """Who is held up no more because nobody is left to answer."""
        return last(
            [each for each in self._states(row, self._of_service(row.event.unit), -1) if each.flag == "without_racks"]
        )

    def _of_service(self, service: str) -> list[str]:
        return list(dict.fromkeys(pool for pools in self.served[service].values() for pool in pools))

    def _short(self, row: Row, pools: list[str]) -> list[str]:
        """Those that are full or have no racks, where some are: there it is decided."""
        full = [pool for pool in pools if self._states(row, [pool], -1)]
        return full or pools

    def _states(self, row: Row, pools: Iterable[str], since: int) -> list[Change]:
        """What stands of the states of pools; of one pool at one moment the last one led to this."""
        found = []
        for pool in pools:
            said = self.known.latest.get((row.event.member, pool), {})
            found += [
                said[flag]
                for flag in STATES
                if flag in said and said[flag].sense == LOSS and (pool, flag) != (row.event.unit, row.event.flag)
            ]
        return [each for each in found if each.index > since]

    def _backlog(self, row: Row, pools: list[str]) -> list[Change]:
        """Requests that have been waiting: why pools are full that could do all that is asked of them by now."""
        users = [row.event.unit] if row.event.unit in self.served else self._users(pools)
        said = [self.known.latest.get((row.event.member, user), {}).get("waiting") for user in users]
        found = [each for each in said if each is not None and each.sense == LOSS]
        return [each for each in found if row.event.time - each.time > SAME_MOMENT]

    def _users(self, pools: list[str]) -> list[str]:
        return [user for user, phases in self.served.items() if any(set(pools) & set(of) for of in phases.values())]

    def _joined(self, row: Row, pools: list[str]) -> list[str]:
        """Others of who uses some pools that have no time left themselves: what they lack spills over."""
        others = dict.fromkeys(pool for user in self._users(pools) for pool in self._of_service(user))
        event = row.event
        return [pool for pool in others if pool not in pools and self.measured.spills(pool, event.member, event.time)]

    def _tipped(self, row: Row, pools: list[str]) -> Found:
        """What tipped the balance of some pools, else of those that they stand in for.

        It is looked for since all was well last, else since the beginning, and there from just before the last change
        that may have tipped it; where that has not, from just before the one before it, and so on.
        """
        event = row.event
        before = self.known.latest.get((event.member, event.unit), {}).get(event.flag)
        starts = [(-1, 0.0)] if before is None else [(before.index, before.time), (-1, 0.0)]
        sides = [side for side in (pools, self._joined(row, pools)) if side]
        for index, moment in starts:
            every = [(side, self._changes(row, side, index)) for side in sides]
            times = sorted(
                {(each.time, each.index) for _, changes in every for found in changes.values() for each in found}
            )
            firsts = [one for k, one in enumerate(times) if not k or one[0] - times[k - 1][0] > SAME_MOMENT]
            for time, _ in [*reversed(firsts), (moment, index)]:
                for side, changes in every:
                    found = self._since(row, side, changes, max(time, moment))
                    if found.is_known:
                        return found._replace(since=index, is_spilt=side is not pools)
        return Found(None)

    def _since(self, row: Row, pools: list[str], changes: Changes, moment: float) -> Found:
        """What tipped the balance of some pools most since just before a moment, of changes since then."""
        member, now = row.event.member, row.event.time
        risen = any(
            each.time < moment - SAME_MOMENT and not self.measured.apart(each.time, moment) for each in changes[DEMAND]
        )
        changes = {
            name: [
                each
                for each in found
                if each.time >= moment - SAME_MOMENT or (name == DEMAND and self.measured.moving(each, member, moment))
            ]
            for name, found in changes.items()
        }
        shares = self.measured.tipped(pools, member, moment, now)
        for name, found in changes.items():  # what was so from the start shows in no difference
            unseen = any(self.measured.blind(each.time, now) for each in found)
            if (shares.get(name) or 0.0) <= LEAST and (unseen or any(each.time <= SAME_MOMENT for each in found)):
                shares[name] = None
        if risen and not changes[DEMAND]:
            shares[DEMAND] = None  # no row lies between what was asked before and what has changed since
        if changes[WAYS]:
            shares[WAYS] = self._narrowed(changes[WAYS])
        tipped = {name: share for name, share in shares.items() if share is not None and share > LEAST}
        named = [name for name in tipped if changes[name] or name == DEMAND]
        if named:
            most = max(named, key=lambda name: (round(tipped[name], 9), name == WAYS))
            cause = _latest(changes[most])
            others = [] if cause is None else [_latest(changes[name]) for name in named if name != most]
            together = [each for each in others if each and cause and abs(each.time - cause.time) <= SAME_MOMENT]
            return Found(cause, is_known=True, beside=tuple(together))
        unmeasured = [each for name, found in changes.items() if shares.get(name) is None for each in found]
        return Found(_latest(unmeasured), is_known=bool(unmeasured))

    def _changes(self, row: Row, pools: list[str], since: int) -> Changes:
        """What may have tipped the balance of some pools, by how."""
        racks = [rack for pool in pools for rack in self.pools.get(pool, ())]
        lost = [each for rack in racks for each in self.known.changes(row, rack, (LOSS,), since)]
        lost = [each for each in lost if not each.waits and each.flag not in (*AFTER, PORTS, SHARE)]
        own = [each for each in self._states(row, pools, since) if each.flag in self._before(row)]
        crash = [self.known.latest.get((row.event.member, pool), {}).get(CRASH) for pool in pools]
        own += [each for each in crash if each is not None and each.sense == LOSS and each.index > since]
        users = self._users(pools)
        return {
            RACKS: own + [each for each in lost if each.flag not in (*SLOWS, TRAYS)],
            SPEED: [each for each in lost if each.flag in SLOWS] + self.capped(row, racks, since),
            WAYS: self._ways(row, users, since),
            DEMAND: self._asked(row, users, since),
            TRAYS: [each for each in lost if each.flag == TRAYS],
        }

    @staticmethod
    def _before(row: Row) -> tuple[str, ...]:
        """States of pools that come before a flag; who finds no racks to answer is not held up by the fabric."""
        return ("unloaded",) if row.event.flag == "held_up" else ("unloaded", "without_racks")

    def _ways(self, row: Row, users: list[str], since: int) -> list[Change]:
        """Less bandwidth of racks on either side of services that it holds up or slows."""
        found = []
        for service in users:
            said = self.known.latest.get((row.event.member, service), {})
            is_held = any(flag in said and said[flag].sense == LOSS for flag in ("held_up", "slow"))
            if is_held or (row.event.unit, row.event.flag) == (service, "held_up"):
                racks = [rack for pool in self._of_service(service) for rack in self.pools.get(pool, ())]
                found += [self.known.latest.get((row.event.member, rack), {}).get(SHARE) for rack in racks]
        found = [each for each in found if each is not None and each.sense == LOSS and each.index > since]
        return self.serving(row, [each for each in found if each is not None])

    def serving(self, row: Row, ways: list[Change]) -> list[Change]:
        """Of racks that lost bandwidth those that serve, where some do.

        What is out of service sends nothing, nor what holds a model together with it.
        """
        member, mates = row.event.member, self._mates({each.unit for each in ways})
        return [each for each in ways if not any(self._is_out(member, rack) for rack in mates[each.unit])] or ways

    def _mates(self, racks: set[str]) -> dict[str, list[str]]:
        """Who holds a model together with each of some racks, itself too."""
        found = {rack: [rack] for rack in racks}
        for pool, inside in self.pools.items():
            size = int(self.known.upstream.plant.units[pool].parameters.get("replica_racks", 1.0))
            for first in range(0, len(inside), size) if size > 1 else ():
                replica = list(inside[first : first + size])
                found |= {rack: replica for rack in replica if rack in racks}
        return found

    def _is_out(self, member: int, rack: str) -> bool:
        return any(
            each.sense == LOSS and not each.waits and each.flag not in (*AFTER, *SLOWS, *WAYS_OF)
            for each in self.known.latest.get((member, rack), {}).values()
        )

    def _narrowed(self, changes: list[Change]) -> float:
        """By how much the narrowest ways tip a balance: ln of what they had over what they have [1]."""
        return max(-log(max(each.value, 1e-9)) for each in changes)

    def _asked(self, row: Row, users: list[str], since: int) -> list[Change]:
        said = [self.known.latest.get((row.event.member, service), {}) for service in users]
        found = [each[name] for each in said for name in ASKED if name in each and each[name].index > since]
        return [each for each in found if self.measured.raised(each, row.event.member)]


def _latest(changes: list[Change]) -> Change | None:
    index = last(changes)
    return next((each for each in changes if each.index == index), None)
