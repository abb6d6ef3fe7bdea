"""The sections `start` and `maintenance`: values of State that a run begins in, and who is locked out then."""

from __future__ import annotations

import dataclasses

from twin import units
from twin.declare import MODES, Quantity, quantities
from twin.equipment import KINDS
from twin.faults import Where, a_kind
from twin.scenario import values
from twin.scenario.changes import LEVELS, Change, Targets, inputs_of
from twin.scenario.document import Broken, Node, Text, describe
from twin.scenario.faults import advice
from twin.scenario.forms import entries, items
from twin.scenario.names import split

COLDEST, HOTTEST = 200.0, 500.0
"""Temperatures [K] that coolant, air and machines can have."""


def lower(node: Node, targets: Targets) -> tuple[list[Change], list[Change]]:
    """The section `start`: Inputs that hold before the run is settled, and values of State that hold after it."""
    before: list[Change] = []
    after: list[Change] = []
    listed = entries(node, targets.faults)
    for key, value in listed.items():
        where = listed.where_of(key)
        target, name = split(key)
        if not name:
            text = f'{units.quoted(key)} names no state; "unit.state" is wanted, e.g. "tank-1.temperature"'
            targets.faults.add(where, text)
            continue
        names = targets.units(target, where)
        for kind in sorted({targets.directory.kind_of[unit] for unit in names}):
            said = _state(kind, name, where, targets)
            number = None if said is None else values.read(value, said, targets.faults)
            if said is None or number is None:
                continue
            into, verb = (before, "initial") if said.name in LEVELS.values() else (after, "start")
            own = [unit for unit in names if targets.directory.kind_of[unit] == kind]
            into += [Change(0.0, unit, said.name, number, verb=verb, where=where) for unit in own]
    return before, after


def _state(kind: str, name: str, where: Where, targets: Targets) -> Quantity | None:
    """The quantity that a key of `start` means; None after a fault."""
    if (level := LEVELS.get(name)) in inputs_of(kind):
        return inputs_of(kind)[level or ""]
    known = _settable(kind)
    if name in known:
        return known[name]
    if name in inputs_of(kind):
        note = f'{name} is an input; it stands under "initial"'
    elif name in quantities(KINDS[kind]):
        note = f"{name} is a rating; it stands in the plant"
    elif name in quantities(KINDS[kind].State) or name in quantities(KINDS[kind].Outputs):
        note = f"{name} follows from the rest and cannot be said"
    else:
        note = advice(name, [*(said for said, level in LEVELS.items() if level in inputs_of(kind)), *known])
    targets.faults.add(where, f'{a_kind(kind)} has no state "{name}" to begin in; {note}')
    return None


def _settable(kind: str) -> dict[str, Quantity]:
    """The State of a kind that a run can begin in: what it stores and where it stands, no flags and no memory."""
    found = {}
    declared = quantities(KINDS[kind].State)
    flags = {name for name, said in declared.items() if said.flag is not None}
    for name, said in declared.items():
        if name in flags or said.each or name.removesuffix("_at") in flags or said.unit in ("J", "s"):
            continue
        bounded = said
        if said.unit == "K" and said.fault(COLDEST - 1) is None:
            bounded = dataclasses.replace(said, above=COLDEST, below=HOTTEST)
        found[name] = bounded
    return found


def maintenance(node: Node, targets: Targets) -> list[Change]:
    """The section `maintenance`: Inputs with which units are locked out, or isolated where they have no such switch."""
    found = []
    for each in items(node, targets.faults):
        if not isinstance(each, Text):
            if not isinstance(each, Broken):
                targets.faults.add(each.where, f"{describe(each)} was found; a unit is wanted, e.g. chiller-2")
            continue
        for unit in targets.units(str(each), each.where):
            kind = targets.directory.kind_of[unit]
            switch = inputs_of(kind).get("mode")
            if switch is not None and "locked_out" in (switch.choices or {}):
                found.append(Change(0.0, unit, "mode", MODES["locked_out"], verb="initial", where=each.where))
            elif "in_service" in inputs_of(kind):
                found.append(Change(0.0, unit, "in_service", 0.0, verb="initial", where=each.where))
            else:
                targets.faults.add(each.where, f"{a_kind(kind)} cannot be taken out of service for maintenance")
    return found
