"""Sensors: what may be wrong with one that shows a quantity to alarms and to people, in the words of events."""

from __future__ import annotations

from functools import cache

from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import a_kind
from twin.scenario.faults import advice
from twin.scenario.names import split

BIAS, FROZEN, FAILED = "sensor_bias", "sensor_frozen", "sensor_failed"
WRONG = (BIAS, FROZEN, FAILED)
"""What may be wrong with a sensor: it reads too high, stays at its last reading, or gives no signal."""


class NoSensor(ValueError):
    """There is no such sensor, or that cannot be wrong with it; the message is a sentence."""


def aimed(text: str) -> tuple[str, str, str] | None:
    """Units, quantity and fault of "rack-01..08.die_temperature.sensor_frozen"; None where no quantity is named."""
    target, wrong = split(text)
    if not wrong.startswith("sensor_"):
        return None
    target, quantity = split(target)
    return (target, quantity, wrong) if quantity else None


def is_reading(name: str) -> bool:
    """Whether the name of an Input is that of a sensor which only alarms and people read."""
    return "." in name


def own(kind: str) -> dict[str, tuple[str, ...]]:
    """Quantities that a kind reads by a sensor of its own -> the Inputs that say what is wrong with it."""
    return dict(getattr(KINDS[kind], "sensors", {}))


@cache
def visible(kind: str) -> dict[str, Quantity]:
    """What can be seen of a kind: its State, Outputs and Inputs, but no Input that is a fault."""
    made = KINDS[kind]
    seen = quantities(made.State) | quantities(made.Outputs) | quantities(made.Inputs)
    return {name: said for name, said in seen.items() if not (said.failure or said.each)}


@cache
def fault_of(kind: str, quantity: str, wrong: str) -> Quantity:
    """The Input by which a sensor is wrong: that of the kind itself where its controller reads the same sensor.

    Raises:
        NoSensor: there is none.
    """
    said = visible(kind).get(quantity)
    if wrong not in WRONG:
        raise NoSensor(f"a sensor has no {wrong}; one of {', '.join(WRONG)} is wanted")
    if said is None:
        raise NoSensor(f'of {a_kind(kind)} nobody can see "{quantity}"; {advice(quantity, visible(kind))}')
    if quantity in (mine := own(kind)):
        if wrong not in mine[quantity]:
            has = " and ".join(mine[quantity])
            raise NoSensor(
                f"{quantity} of {a_kind(kind)} is read by its own sensor, which has no {wrong}; it has {has}"
            )
        return quantities(KINDS[kind].Inputs)[wrong]
    name = f"{quantity}.{wrong}"
    if wrong != BIAS:
        doc = "stays at its last reading" if wrong == FROZEN else "gives no signal"
        return Quantity(name, "1", f"1: its sensor of {quantity} {doc}", 0.0, failure=True)
    if said.flag is not None or said.choices is not None or said.name == "in_service":
        raise NoSensor(f"{quantity} has no values between and no bias; {FROZEN} or {FAILED} is wanted")
    return Quantity(name, said.unit, f"by how much its sensor of {quantity} reads too high", 0.0)
