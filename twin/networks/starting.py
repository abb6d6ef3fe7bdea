"""Starting: racks that have supply again begin in turn, where the site limits how fast their power comes back."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, running, worth_doing
from twin.networks.tables import AllPorts, AllRows, Table


def take_turns(tables: list[Table], ports: AllPorts, rows: AllRows, inputs: AllRows, dt: Any) -> None:
    """Tell racks how many seconds of the tick they wait (`held`), and the site when the next may begin (its `plan`).

    Each books its rated power over the ramp, in the order of the plant, from when it has supply and those before it
    are through; exact at any tick:

        t_i = max(a_i, t_{i-1} + P_{i-1}/R)

    Args:
        tables: of racks; rows: State before the tick.
    """
    ramp = inputs["site"].start_ramp
    if not worth_doing(ramp):
        return
    waits = [t.machine.awaits(rows[t.key], inputs[t.key], ports[t.key]) for t in tables]  # type: ignore[attr-defined]
    if not any(map(worth_doing, waits)):
        return
    xp, now = library_of(ramp), ports["site"].now
    limited, gap = ramp > 0, [ports[t.key].gap + 0.0 * wait for t, wait in zip(tables, waits)]
    asks, gap = xp.concatenate(waits, axis=1) * limited, xp.concatenate(gap, axis=1)
    ratings: list[Any] = [t.machine.rated_power for t in tables]  # type: ignore[attr-defined]
    rated = xp.concatenate([rating + 0.0 * wait for rating, wait in zip(ratings, waits)], axis=1)
    takes = asks * rated / xp.where(limited, ramp, 1.0)
    whole = running(takes, xp.add, 0.0)
    ready = xp.where(asks > 0, now + gap, -xp.inf)
    turn = running(xp.maximum(ready - (whole - takes), rows["site"].next_start), xp.maximum, -xp.inf) + (whole - takes)
    held = xp.where(asks > 0, xp.minimum(xp.maximum(turn - ready, 0.0), dt - gap), 0.0)
    begins = (asks > 0) & (dt - gap - held > 0)
    first = 0
    for t in tables:
        ports[t.key].held, first = held[:, first : first + t.size], first + t.size
    ports["site"].plan = xp.where(begins, turn + takes, rows["site"].next_start).max(axis=1, keepdims=True)
