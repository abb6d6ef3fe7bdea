"""Conditions in words, "cdu-3.supply_temperature > 42 degC" or "not pump.running": what alarms and people look at."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from twin import units
from twin.declare import Quantity, quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.scenario import sensors
from twin.scenario.document import Broken, Node, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.names import BadName, Directory, split
from twin.scenario.values import is_difference

OPERATORS = ("<=", ">=", "<", ">")
GRAMMAR = re.compile(r"\s*(?P<no>not\s+)?(?P<what>[^\s<>=!]+)\s*(?:(?P<operator>[<>=!]+)\s*(?P<limit>.+?))?\s*")
EXAMPLE = '"cdu-3.supply_temperature > 42 degC" or "breaker.tripped"'


@dataclass(frozen=True)
class Condition:
    """What one looks at; it holds where it does for any of its units. `limit` is SI.

    A flag that is up compares ">" with 0.5, one that is not "<". With `alarm` it is that alarm which stands, or not.
    """

    text: str
    kind: str
    units: tuple[str, ...]
    quantity: str
    operator: str
    limit: float
    alarm: str = ""

    @property
    def highest(self) -> bool:
        """Whether it holds above its limit."""
        return self.operator in (">", ">=")

    def reads(self, unit: str, name: str) -> bool:
        """Whether an Input says what is wrong with a sensor that this condition is read by."""
        if unit not in self.units:
            return False
        quantity, _, wrong = name.rpartition(".")
        return quantity == self.quantity if quantity else wrong in sensors.own(self.kind).get(self.quantity, ())


def read(node: Node, directory: Directory, faults: Faults, alarms: Collection[str] = ()) -> Condition | None:
    """Read a condition; None after a fault.

    Args:
        alarms: names of alarms, which are conditions, too.
    """
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Text) or node.empty:
        faults.add(node.where, f"{describe(node)} was found; a condition like {EXAMPLE} is wanted")
        return None
    return condition(str(node), node.where, directory, faults, alarms)


def condition(
    text: str, where: Where, directory: Directory, faults: Faults, alarms: Collection[str] = ()
) -> Condition | None:
    """Read a condition from its text; None after a fault."""
    shown, found = units.quoted(text), GRAMMAR.fullmatch(text)
    if found is None or len(text) > 400:
        faults.add(where, f"{shown} is not understood; a condition like {EXAMPLE} is wanted")
        return None
    if "." not in found["what"]:
        return _of_alarm(found, shown, where, faults, alarms)
    if found["operator"] and (found["no"] or found["operator"] not in OPERATORS):
        cure = "turn the comparison round" if found["no"] else f"one of {' '.join(OPERATORS)} is wanted"
        faults.add(where, f'{shown}: "{"not" if found["no"] else found["operator"]}" cannot stand here; {cure}')
        return None
    target, name = split(found["what"])
    aimed = _aim(target, name, shown, where, directory, faults)
    if aimed is None:
        return None
    kind, names, said = aimed
    if not found["operator"]:
        if said.flag is None and said.name != "in_service":
            compared = f'"{target}.{said.name} > ..."'
            faults.add(where, f"{shown}: {said.name} is not a flag; compare it, e.g. {compared}")
            return None
        return Condition(text.strip(), kind, names, said.name, "<" if found["no"] else ">", 0.5)
    try:
        limit = _limit(found["limit"], said)
    except units.BadValue as error:
        faults.add(where, f"{shown}: {error}")
        return None
    return Condition(text.strip(), kind, names, said.name, found["operator"], limit)


def _limit(text: str, said: Quantity) -> float:
    if said.choices is not None and text in said.choices:
        return said.choices[text]
    return units.parse(text, said.unit, is_difference(said))


def _of_alarm(
    found: re.Match[str], shown: str, where: Where, faults: Faults, alarms: Collection[str]
) -> Condition | None:
    """A condition that is an alarm's name."""
    if found["what"] in alarms and not found["operator"]:
        operator = "<" if found["no"] else ">"
        return Condition(found[0].strip(), "", (), "", operator, 0.5, found["what"])
    if alarms and not found["operator"]:
        near = advice(found["what"], alarms)
        faults.add(where, f'{shown}: there is no alarm "{found["what"]}", and no quantity is named; {near}')
    else:
        faults.add(where, f"{shown} names no quantity; a condition like {EXAMPLE} is wanted")
    return None


def _aim(
    target: str, name: str, shown: str, where: Where, directory: Directory, faults: Faults
) -> tuple[str, tuple[str, ...], Quantity] | None:
    """Kind, units and the quantity that can be seen of them."""
    try:
        names = directory.find(target)
    except BadName as error:
        if not directory.excuses(target):
            faults.add(where, f"{shown}: {error}")
        return None
    kinds = sorted({directory.kind_of[each] for each in names})
    if len(kinds) > 1:
        faults.add(where, f"{shown}: {target} means units of {len(kinds)} kinds ({', '.join(kinds)}); one is wanted")
        return None
    made, visible = KINDS[kinds[0]], sensors.visible(kinds[0])
    if name in visible:
        return kinds[0], names, visible[name]
    note = advice(name, visible)
    if name in quantities(made.State) | quantities(made.Outputs) | quantities(made.Inputs):
        flags = [each for each, said in visible.items() if said.flag is not None]
        note = f"{name} is a fault, which nobody sees; watch what follows from it" + (
            f", e.g. {', '.join(flags[:4])}" if flags else ""
        )
    elif name in quantities(made):
        note = f"{name} is a rating and does not change"
    faults.add(where, f'{shown}: of {a_kind(kinds[0])} nobody can see "{name}"; {note}')
    return None
