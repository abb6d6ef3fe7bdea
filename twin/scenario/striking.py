"""What a `fault` strikes: units with terminals, at a voltage that is said, with something that limits the current."""

from __future__ import annotations

from typing import Any

from twin import units
from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.plant import Plant
from twin.plant_electrics import levels, machines
from twin.scenario.faults import Faults

STRUCK, STRENGTH = "short_circuit", "fault_power"


def can_be_struck(kind: str) -> bool:
    """Whether a kind has terminals at which a short circuit can strike."""
    return STRUCK in quantities(KINDS[kind].Inputs)


def strengths(
    plant: Plant, struck: tuple[str, ...], impedance: float, where: Where, faults: Faults
) -> list[tuple[str, float]]:
    """What a short circuit would draw at nominal voltage at each unit that it can strike [VA], 0 where bolted.

    Args:
        struck: the units at whose terminals it strikes.
        impedance: of it, per phase; 0 is bolted [ohm].
        where: of the words that name the units.
    """
    found = []
    for name in struck:
        kind = plant.units[name].kind
        if not can_be_struck(kind):
            kinds = ", ".join(each for each in KINDS if can_be_struck(each))
            faults.add(where, f"{name} is {a_kind(kind)}; a fault strikes one of {kinds}")
            continue
        strength = power(plant, name, impedance, where, faults)
        if strength is not None and limited(plant, name, where, faults):
            found.append((name, strength))
    return found


def power(plant: Plant, name: str, impedance: float, where: Where, faults: Faults) -> float | None:
    """What an impedance would draw at nominal voltage [VA], V^2/Z; 0 for a bolted one, None after a fault."""
    if impedance == 0.0:
        return 0.0
    level = levels(plant)[name]
    if level > 0.0:
        return level * level / impedance
    said = units.show(impedance, "ohm")
    cure = "say nominal_voltage or secondary_voltage of what feeds it, or leave the impedance out"
    faults.add(where, f"the voltage at {name} is not said, so that {said} tells no current; {cure}")
    return None


def limited(plant: Plant, name: str, where: Where, faults: Faults) -> bool:
    """Whether something limits the current on every way from a source; a fault names a way on which nothing does."""
    built = machines(plant)
    waiting: list[tuple[str, ...]] = [(name,)]
    while waiting:
        way = waiting.pop()
        machine = built.get(way[-1])
        if machine is None or has_impedance(machine):
            continue
        if machine.source:
            text = f"nothing limits the current of a short circuit at {name}: {' - '.join(way)} has no impedance"
            faults.add(where, f"{text}; say the short_circuit_power of {way[-1]}, or put a transformer between")
            return False
        waiting += [(*way, feed) for feed in plant.feeds.get(way[-1], ()) if feed not in way]
        waiting += [(*way, tie, board) for tie, board in across(plant, way[-1]) if board not in way]
    return True


def across(plant: Plant, board: str) -> list[tuple[str, str]]:
    """The ties of a board that limit no current by themselves, and the boards beyond them."""
    known = machines(plant) if board in plant.joined else {}
    return [
        (tie, end)
        for tie, ends in plant.joins.items()
        for end in ends
        if board in ends and end != board and not (tie in known and has_impedance(known[tie]))
    ]


def has_impedance(machine: Any) -> bool:
    """Whether a unit limits a current: by an impedance in series, or as a converter that is a source."""
    s, u = machine.State(), machine.Inputs()
    found = machine.series(s, u)
    return (found is not None and abs(found) > 0.0) or (machine.source and machine.passes(s, u)[1] is not None)
