"""Starting: racks that have supply again begin in turn, where the site limits how fast their power comes back."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import library_of, running, worth_doing
from twin.networks.tables import AllPorts, AllRows, Table
from twin.physics.startup import INSTANT
from twin.plant import Plant


def compile_turns(plant: Plant, tables: list[Table], xp: ModuleType) -> Any:
    """Where the racks of tables stand in the order of the plant as written, and back; None where they do already."""
    place = {name: row for row, name in enumerate(plant.units)}
    order = np.argsort([place[name] for t in tables for name in t.names], kind="stable")
    return None if (np.diff(order) == 1).all() else (xp.asarray(order), xp.asarray(np.argsort(order)))


def take_turns(
    tables: list[Table], ports: AllPorts, rows: AllRows, inputs: AllRows, dt: Any, order: Any = None
) -> None:
    """Tell racks how many seconds of the tick they wait (`held`), and the site when the next may begin (its `plan`).

    Each books its rated power over the ramp, in the order of the plant as written, from when it has had supply for its
    `turn_delay` and those before it are through; exact at any tick where they get it together:

        t_i = max(a_i, t_{i-1} + P_{i-1}/R)

    Args:
        tables: of racks; rows: State before the tick; order: as `compile_turns` says.
    """
    ramp = inputs["site"].start_ramp
    if not worth_doing(ramp):
        return
    said = [t.machine.awaits(rows[t.key], inputs[t.key], ports[t.key], dt) for t in tables]  # type: ignore[attr-defined]
    waits, delays = zip(*said, strict=True)
    if not any(map(worth_doing, waits)):
        return
    xp, now = library_of(ramp), ports["site"].now
    ratings: list[Any] = [t.machine.rated_power for t in tables]  # type: ignore[attr-defined]
    starts = [ports[t.key].gap + delay for t, delay in zip(tables, delays)]
    parts = [xp.concatenate(each, axis=1) for each in (waits, starts, [r + 0.0 * w for r, w in zip(ratings, waits)])]
    if order is not None:
        parts = [each.take(order[0], axis=1) for each in parts]
    limited, (asks, start, rated) = ramp > 0, parts
    asks = asks * limited
    takes = asks * rated / xp.where(limited, ramp, 1.0)
    whole = running(takes, xp.add, 0.0)
    ready = xp.where(asks > 0, now + start, -xp.inf)
    turn = running(xp.maximum(ready - (whole - takes), rows["site"].next_start), xp.maximum, -xp.inf) + (whole - takes)
    held = xp.where(asks > 0, xp.minimum(xp.maximum(turn - ready, 0.0), dt - start), 0.0)
    begins = (asks > 0) & (dt - start - held > INSTANT)
    held = xp.where((asks > 0) & ~begins, dt - start, held)
    ports["site"].plan = xp.where(begins, turn + takes, rows["site"].next_start).max(axis=1, keepdims=True)
    if order is not None:
        held = held.take(order[1], axis=1)
    first = 0
    for t in tables:
        ports[t.key].held, first = held[:, first : first + t.size], first + t.size
