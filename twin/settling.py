"""Settling: a plant brought to the steady state of its Inputs, before a run begins."""

from __future__ import annotations

import dataclasses

from twin.arrays import gather_sum, library_of
from twin.declare import quantities, replace
from twin.model import Model, State, ports, state, stored
from twin.networks.tables import AllRows
from twin.recording import companion
from twin.scenario import Change
from twin.step import step

WARM_UP = ((1.0, 20), (5.0, 30), (60.0, 4))
LADDER = ((5.0, 20), (3600.0, 16), (300.0, 24))
LAST = ((1.0, 3),)
"""Ticks [s] and how many of each bring a cold plant near its steady state (in ticks of 5 s, for longer ones are gone
through several times), to it, and into step with its stores."""
WEAR = ("dirt",)
"""What only a long time makes; a run begins without it."""


def settle(model: Model, asked: AllRows, members: int = 1) -> State:
    """The plant's steady state under the given Inputs.

    The implicit laws allow long ticks, so a ladder of them reaches it in about a hundred (the hall to 1e-6 K).
    What latched while the cold plant was still finding its flows is let go half-way, so that only what the
    steady state itself trips stays tripped. Electric stores, fuel and counters start as at rest.
    """
    rest = now = state(model, asked, members)
    for ladder in (WARM_UP, LADDER, LAST):
        if ladder is not LAST:
            now.rows.update(_untripped(model, rest, now))
        for tick, count in ladder:
            for _ in range(count):
                now = step(model, now, asked, 0.0, tick)
        if ladder is not WARM_UP:
            _rewind(model, rest, now)
    _tell_charge(model, rest, now, asked)
    _tell_stored(model, now)
    return now


def _rewind(model: Model, rest: State, now: State) -> None:
    """Put electric stores, fuel, counters and moments back to what they are at rest.

    A kind's `settles` names volumes that belong to the steady state, as its temperatures do, and stay.
    """
    for t in model.tables:
        said = quantities(t.machine.State)
        fresh = {name: getattr(rest.rows[t.key], name) for name in said if companion(name, said)}
        counted = ("m^3",) if t.machine.streams or t.kind == "zone" else ("J", "m^3", "bit")
        back = {n for n, q in said.items() if t.machine.counts or q.unit in counted or n in WEAR} - set(
            getattr(t.machine, "settles", ())
        )
        fresh |= {n: getattr(rest.rows[t.key], n) for n in back}
        now.rows[t.key] = replace(now.rows[t.key], **fresh)
    now.stored = stored(model, now, ports(model))


def _tell_charge(model: Model, rest: State, now: State, asked: AllRows) -> None:
    """Let batteries say the charge that they begin with, and not what the last ticks of settling had put in."""
    for t in model.tables:
        if "state_of_charge" in quantities(t.machine.Outputs) and "initial_charge" in quantities(t.machine.Inputs):
            energy = rest.rows[t.key].energy
            held = library_of(energy).where(energy > 0, asked[t.key].initial_charge, 0.0)
            now.outputs[t.key] = replace(now.outputs[t.key], state_of_charge=held)


def _untripped(model: Model, rest: State, now: State) -> AllRows:
    """Rows with every flag as at rest."""
    flags = {
        t.key: {name: getattr(rest.rows[t.key], name) for name, q in quantities(t.machine.State).items() if q.flag}
        for t in model.tables
    }
    return {key: replace(now.rows[key], **values) for key, values in flags.items()}


def begin(model: Model, now: State, changes: list[Change]) -> State:
    """The state in which a run begins: as it was settled, but for some values of State that a scenario says.

    A kind's `begins` puts its flags to what they are by these: a tank that is said to be cold is not exhausted.
    """
    if not changes:
        return now
    now = dataclasses.replace(now, rows=dict(now.rows), outputs=dict(now.outputs))
    for change in changes:
        key, row = model.seats[change.unit]
        array = getattr(now.rows[key], change.input).copy()
        array[slice(None) if change.member is None else change.member, row] = change.value
        now.rows[key] = replace(now.rows[key], **{change.input: array})
    said = {model.seats[change.unit][0] for change in changes}
    for t in model.tables:
        if t.key in said and hasattr(t.machine, "begins"):
            now.rows[t.key] = t.machine.begins(now.rows[t.key])
    now.stored = stored(model, now, ports(model))
    _tell_stored(model, now)
    return now


def _tell_stored(model: Model, now: State) -> None:
    """Let the site say what all its units store."""
    held = gather_sum(now.stored, model.ledger.everyone)
    now.outputs["site"] = replace(now.outputs["site"], stored_energy=held)
