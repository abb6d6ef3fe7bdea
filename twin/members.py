"""Members: a world in its steady state, as often as an ensemble wants it to begin with."""

from __future__ import annotations

import dataclasses
from typing import Any

from twin.declare import replace
from twin.model import Model, State, inputs, state
from twin.networks.tables import AllRows


def widened(model: Model, steady: State, members: int) -> State:
    """The State of one member for each of many, which then equals that of each settled by itself bit for bit."""
    fresh = state(model, inputs(model))
    made: dict[str, Any] = {}
    for field in dataclasses.fields(State):
        one, like = getattr(steady, field.name), getattr(fresh, field.name)
        if field.name in ("rows", "outputs"):
            made[field.name] = {key: widened_row(row, members) for key, row in one.items()}
        elif getattr(one, "ndim", 0):
            made[field.name] = one.repeat(members, axis=one.ndim - 2)
        else:
            made[field.name] = like
    return State(**made)


def widened_inputs(asked: AllRows, members: int) -> AllRows:
    """The Inputs of one member for each of many."""
    return {key: widened_row(row, members) for key, row in asked.items()}


def widened_row(row: Any, members: int) -> Any:
    """A table's row with every array (1, n) repeated for some members."""
    return replace(row, **{name: values.repeat(members, axis=0) for name, values in vars(row).items()})
