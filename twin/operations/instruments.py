"""Instruments: sensors that only alarms and people read, and what is wrong with each, member by member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.arrays import Array
from twin.model import Model
from twin.networks.tables import AllRows, Table
from twin.scenario.sensors import BIAS, FAILED, FROZEN


def shown(t: Table, name: str, rows: AllRows, inputs: AllRows, outputs: AllRows) -> Array:
    """A quantity of a table as its sensors show it, (member, n); what has no sensor of its own is shown as it is.

    A kind names in `sensed` what its sensors read otherwise than it is: quantity -> what they show of State and Inputs.
    """
    sensor = getattr(t.machine, "sensed", {}).get(name)
    return actual(t, name, rows, inputs, outputs) if sensor is None else sensor(rows[t.key], inputs[t.key])


def actual(t: Table, name: str, rows: AllRows, inputs: AllRows, outputs: AllRows) -> Array:
    """A quantity of a table as it is, (member, n)."""
    for part in (rows, outputs, inputs):
        if (found := getattr(part[t.key], name, None)) is not None:
            return found
    raise KeyError(f"{t.kind} has no {name}")


@dataclass
class Wrong:
    """What is wrong with the sensors of one quantity of one table, arrays (member, n).

    bias: by how much they read too high; frozen: 1 where one stays at its last reading, which `held` keeps; failed:
    1 where one gives no signal.
    """

    bias: Array
    frozen: Array
    failed: Array
    held: Array

    def shows(self, reading: Array, xp: Any) -> Array:
        """What is shown of a reading; NaN where there is no signal."""
        return xp.where(self.failed > 0, xp.nan, self.reads(reading, xp))

    def reads(self, reading: Array, xp: Any) -> Array:
        """What they would show of a reading if all gave a signal."""
        return xp.where(self.frozen > 0, self.held, reading + self.bias)


class Instruments:
    """All such sensors of a run. What is sound has no entry, and costs nothing.

    Args:
        model: whose units have them.
        members: worlds side by side.
    """

    def __init__(self, model: Model, members: int) -> None:
        self.model, self.members = model, members
        self.wrong: dict[tuple[str, str], Wrong] = {}

    def put(self, unit: str, name: str, member: int | None, value: Any, now: tuple[AllRows, AllRows, AllRows]) -> None:
        """Write what is wrong with a sensor, at a moment.

        Args:
            unit: whose sensor.
            name: quantity and fault: "die_temperature.sensor_frozen".
            member: of which world; None for all.
            value: 1 or 0, or a bias in the quantity's unit; one, or one a member.
            now: State, Inputs and Outputs of the moment: a sensor that freezes keeps what it reads.
        """
        key, row = self.model.seats[unit]
        quantity, _, fault = name.rpartition(".")
        wrong = self._of(key, quantity)
        which = slice(None) if member is None else member
        if fault == FROZEN:
            table = next(t for t in self.model.tables if t.key == key)
            stays = wrong.frozen[which, row] > 0
            before = wrong.held.copy()
            sees = wrong.reads(shown(table, quantity, *now), self.model.xp)
            before[which, row] = self.model.xp.where(stays, before[which, row], sees[which, row])
            wrong.held = before
        part = {BIAS: "bias", FROZEN: "frozen", FAILED: "failed"}[fault]
        array = getattr(wrong, part).copy()
        array[which, row] = value
        setattr(wrong, part, array)

    def value(self, unit: str, name: str, member: int | None) -> Any:
        """What was last written of a sensor, per member."""
        key, row = self.model.seats[unit]
        quantity, _, fault = name.rpartition(".")
        array = getattr(self._of(key, quantity), {BIAS: "bias", FROZEN: "frozen", FAILED: "failed"}[fault])
        return array[:, row].copy() if member is None else array[member, row].copy()

    def _of(self, key: str, quantity: str) -> Wrong:
        if (key, quantity) not in self.wrong:
            size = next(t.size for t in self.model.tables if t.key == key)
            sound = self.model.xp.zeros((self.members, size))
            self.wrong[key, quantity] = Wrong(sound, sound, sound, sound)
        return self.wrong[key, quantity]
