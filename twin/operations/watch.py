"""Watching: what sensors of units show, and one alarm in its device, in every member at once."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.arrays import Array, to_host, worth_doing
from twin.declare import quantities
from twin.equipment import KINDS
from twin.model import Model
from twin.networks.tables import AllRows, Table
from twin.operations.instruments import Instruments, Wrong, actual, shown
from twin.scenario.conditions import Condition
from twin.scenario.operations import RAISED, Alarm
from twin.scenario.sensors import FAILED, own

NEVER = np.inf
SAME = 1e-9
"""Moments closer than this [s] are one."""


class Gauge:
    """The readings of one condition's units, side by side.

    `wrong` is what is wrong with sensors that only alarms and people read, by table and quantity.
    """

    def __init__(self, condition: Condition, model: Model, instruments: Instruments | None = None) -> None:
        self.condition, self.xp = condition, model.xp
        self.wrong: dict[tuple[str, str], Wrong] = {} if instruments is None else instruments.wrong
        wanted = set(condition.units)
        self.tables: list[tuple[Table, Array]] = []
        self.names: list[str] = []
        for t in model.tables:
            rows = [row for row, name in enumerate(t.names) if name in wanted]
            if rows:
                self.tables.append((t, model.xp.asarray(rows)))
                self.names += [t.names[row] for row in rows]
        made = KINDS[condition.kind]
        self.is_flag = condition.quantity in quantities(made.State) and bool(
            quantities(made.State)[condition.quantity].flag
        )
        self.is_state = condition.quantity in quantities(made.State) and not self.is_flag

    def read(self, rows: AllRows, inputs: AllRows, outputs: AllRows) -> Array:
        """What is shown now, (member, unit); NaN where there is no signal."""
        found = []
        for t, columns in self.tables:
            reading = shown(t, self.condition.quantity, rows, inputs, outputs)
            if self.wrong and (wrong := self.wrong.get((t.key, self.condition.quantity))) is not None:
                reading = wrong.shows(reading, self.xp)
            found.append(reading.take(columns, axis=1))
        return self._joined(found)

    def truth(self, rows: AllRows, inputs: AllRows, outputs: AllRows) -> Array:
        """What is so now, (member, unit)."""
        name = self.condition.quantity
        return self._joined([actual(t, name, rows, inputs, outputs).take(c, axis=1) for t, c in self.tables])

    def dead(self, inputs: AllRows, members: int) -> Array:
        """Where a sensor gives no signal, (member, unit)."""
        found = []
        for t, columns in self.tables:
            wrong = self.wrong.get((t.key, self.condition.quantity))
            if FAILED in own(t.kind).get(self.condition.quantity, ()):
                found.append(getattr(inputs[t.key], FAILED).take(columns, axis=1) > 0)
            elif wrong is not None:
                found.append(wrong.failed.take(columns, axis=1) > 0)
            else:
                found.append(self.xp.zeros((members, len(columns)), dtype=bool))
        return self._joined(found)

    def is_wrong(self, inputs: AllRows) -> bool:
        """Whether Inputs say that anything is wrong with a sensor that the kind has itself."""
        names = own(self.condition.kind).get(self.condition.quantity, ())
        return any(
            bool(to_host(getattr(inputs[t.key], name).take(columns, axis=1)).any())
            for t, columns in self.tables
            for name in names
        )

    def _joined(self, found: list[Array]) -> Array:
        return found[0] if len(found) == 1 else self.xp.concatenate(found, axis=1)

    def moment(self, rows: AllRows, start: float, end: float) -> Array:
        """When a flag changed, where it did between start and end [s]; else the end."""
        name = f"{self.condition.quantity}_at"
        at = self._joined([getattr(rows[t.key], name).take(columns, axis=1) for t, columns in self.tables])
        return self.xp.where((at >= start) & (at <= end), at, end)

    def holds(self, reading: Array) -> Array:
        """Whether the condition holds, by unit."""
        limit = self.condition.limit
        return {
            ">": lambda: reading > limit,
            ">=": lambda: reading >= limit,
            "<": lambda: reading < limit,
            "<=": lambda: reading <= limit,
        }[self.condition.operator]()


@dataclass(frozen=True)
class Told:
    """What a poll finds: in which member an alarm is raised or clear, of which unit, since when [s]."""

    member: int
    unit: str
    raised: bool
    since: float


class Watch:
    """One alarm: its device looks in every tick, the monitoring system now and then asks the device.

    The device holds for each member and unit since when the condition has held, whether the alarm is active, and what
    it has not yet told. A moment within a tick is interpolated where State crosses the limit; means over a tick
    (Outputs) count from its end. Members are worked on side by side, none sees another.

    Once something may be wrong with a sensor that it reads (`doubted`), `sound` is the same alarm as it would be by
    sound sensors, which says when this one is silent or false; a reading that jumps with its sensor counts from there.
    """

    def __init__(
        self,
        alarm: Alarm,
        model: Model,
        rows: AllRows,
        inputs: AllRows,
        outputs: AllRows,
        instruments: Instruments | None = None,
    ) -> None:
        self.alarm, self.gauge, self.xp = alarm, Gauge(alarm.watch, model, instruments), model.xp
        self.sound: Watch | None = None
        self.doubted: Array | None = None
        self.jumped: Array | None = None
        self.is_sound = False
        back = alarm.deadband if not alarm.watch.highest else -alarm.deadband
        self.release = alarm.watch.limit + back
        self.reading = self.gauge.read(rows, inputs, outputs)
        shape, xp = self.reading.shape, model.xp
        self.beyond = self.gauge.holds(self.reading)
        self.since = xp.where(self.beyond, 0.0, NEVER)
        self.active = xp.zeros(shape, dtype=bool)
        self.due = xp.zeros(shape) + NEVER
        self.stood = xp.zeros(shape) + NEVER
        self.over = xp.zeros(shape)
        self.quiet = not worth_doing(self.beyond)
        self.standing = np.zeros(shape[0], dtype=bool)
        self.unit_of = [""] * shape[0]

    def doubt(self, member: int | None, now: tuple[AllRows, AllRows, AllRows]) -> None:
        """Something changed at a sensor of it, in a member or in all, while State, Inputs and Outputs are `now`."""
        if self.sound is None:
            sound = self.sound = copy.copy(self)
            sound.standing, sound.unit_of, sound.is_sound = self.standing.copy(), list(self.unit_of), True
        none = self.xp.zeros((len(self.standing), 1), dtype=bool)
        jumped = none.copy() if self.jumped is None else self.jumped.copy()
        jumped[slice(None) if member is None else member] = True
        self.jumped, self.doubted = jumped, jumped | (none if self.doubted is None else self.doubted)
        self.reading = self.xp.where(jumped, self.gauge.read(*now), self.reading)
        self.quiet = False

    def doubt_from_the_start(self, now: tuple[AllRows, AllRows, AllRows]) -> None:
        """Look whether something is wrong with a sensor before the run begins, of those that a kind has itself."""
        if not self.gauge.is_wrong(now[1]):
            return
        self.doubt(None, now)
        sound = self.sound
        assert sound is not None
        sound.reading = self.gauge.truth(*now)
        sound.beyond = self.gauge.holds(sound.reading)
        sound.since = self.xp.where(sound.beyond, 0.0, NEVER)
        sound.quiet = not worth_doing(sound.beyond)

    def tick(self, start: float, end: float, rows: AllRows, inputs: AllRows, outputs: AllRows) -> None:
        """The device looks at the end of a tick."""
        if self.sound is not None:
            self.sound.tick(start, end, rows, inputs, outputs)
        look = self.gauge.truth if self.is_sound else self.gauge.read
        was, now = self.reading, look(rows, inputs, outputs)
        beyond = self._beyond(now, inputs)
        if self.quiet and not worth_doing(beyond):
            self.reading = now
            return
        xp, delay = self.xp, self.alarm.delay
        up = self._crossing(was, now, self.alarm.watch.limit, start, end, rows)
        if self.jumped is not None:
            up = xp.where(self.jumped & (self._beyond(was, inputs) != self.beyond), start, up)
        since = xp.where(beyond, xp.where(self.beyond, self.since, up), NEVER)
        held = xp.where(beyond, end, up) - self.since  # up is also the moment at which it fell back
        ripe = xp.where(beyond, since + delay <= end + SAME, self.beyond & (held >= delay - SAME))
        began = xp.where(beyond, since, self.since)
        rises = ripe & ~self.active
        within = self._within(now)
        if self.doubted is not None:
            within = xp.where(self.doubted, (within | (now != now)) & ~beyond, within)
        untold = rises & (self.due == NEVER)  # of two occasions between two polls the first is told
        self.due = xp.where(untold, began + delay, self.due)
        self.stood = xp.where(untold, began, self.stood)
        stands = self.active | rises
        down = self._crossing(was, now, self.release, start, end, rows)
        if self.jumped is not None:
            down = xp.where(self.jumped & (self._within(was) | (was != was)), start, down)
            self.jumped = None
        self.over = xp.where(stands & within, down, self.over)
        self.active, self.since, self.beyond, self.reading = stands & ~within, since, beyond, now
        self.quiet = not worth_doing(self.active | beyond | (self.due < NEVER))

    def _beyond(self, now: Array, inputs: AllRows) -> Array:
        """Whether the condition holds by a reading; where there is no signal, by what the alarm then is."""
        beyond = self.gauge.holds(now)
        if self.doubted is not None and self.alarm.without_signal == RAISED:
            return beyond | self.gauge.dead(inputs, len(self.standing))
        return beyond

    def _within(self, now: Array) -> Array:
        """Whether a reading has come back by the deadband."""
        if not self.alarm.deadband:
            return ~self.gauge.holds(now)
        return now <= self.release if self.alarm.watch.highest else now >= self.release

    def _crossing(self, was: Array, now: Array, limit: float, start: float, end: float, rows: AllRows) -> Any:
        """When within the tick the reading passed a limit [s]."""
        if self.gauge.is_flag:
            return self.gauge.moment(rows, start, end)
        if not self.gauge.is_state:
            return end
        step = now - was
        share = (limit - was) / self.xp.where(step == 0, 1.0, step)
        return start + (end - start) * self.xp.clip(share, 0.0, 1.0)

    def poll(self, now: float) -> list[Told]:
        """What is new since the last poll, up to a moment [s], by member."""
        if self.quiet and not self.standing.any():
            return []
        due, active, over = to_host(self.due), to_host(self.active), to_host(self.over)
        ripe, found = due <= now + SAME, []
        for member in np.flatnonzero(~self.standing & ripe.any(axis=1)):
            first = int(np.argmin(due[member]))
            self.standing[member], self.unit_of[member] = True, self.gauge.names[first]
            since = float(to_host(self.stood)[member, first])
            found.append(Told(int(member), self.unit_of[member], True, since))
        told = {each.member for each in found}
        for member in np.flatnonzero(self.standing & ~active.any(axis=1) & ~(~ripe & (due < NEVER)).any(axis=1)):
            if int(member) not in told and over[member].max() <= now + SAME:
                self.standing[member] = False
                found.append(Told(int(member), self.unit_of[member], False, float(over[member].max())))
        if ripe.any():
            self.due = self.xp.where(self.xp.asarray(ripe), NEVER, self.due)
            self.quiet = False
        return found
