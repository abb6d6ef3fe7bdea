"""Sharing: what the feeds of a board bear of its load, by rating or by droop, and what their governors are set to."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from twin.arrays import Array, library_of
from twin.declare import Ports
from twin.networks.tables import Table
from twin.physics.supply import TINY
from twin.plant import Plant
from twin.plant_electrics import bearing

Weights = list[Any] | None
"""By slot, how much more a feed bears than the first (1, n); None where all of a table's units have feeds alike."""
SAME = 1e-12
"""Relative difference of shares that is none."""


def weights(plant: Plant, t: Table, slots: int, bears: dict[str, float], xp: ModuleType) -> tuple[Weights, Weights]:
    """How the feeds of a table's boards share active power, and reactive power where that differs.

    Sets with droop share by it, and an isochronous one takes all that they are not set to give; the others share by
    what they can bear.
    """
    active = _ratios(plant, t, slots, bears, "droop")
    reactive = _ratios(plant, t, slots, bears, "voltage_droop")
    alike = (abs(active - reactive) <= SAME * active).all()
    plain = (active == 1.0).all()
    of_active = None if plain and alike else [xp.asarray(row) for row in active]
    return of_active, None if alike else [xp.asarray(row) for row in reactive]


def _ratios(plant: Plant, t: Table, slots: int, bears: dict[str, float], droop: str) -> Array:
    """What each feed takes over what the first does, (slot, 1, n)."""
    rows = np.ones((slots, 1, t.size))
    for column, name in enumerate(t.names):
        can = bearing(plant, name, bears, droop)
        if can and max(can) < float("inf") and min(can) != max(can):
            rows[: len(can), 0, column] = np.array(can) / can[0]
    return rows


def parted(drawn: Array, reactive: Weights, port: Ports, dt: Any) -> list[Array]:
    """What a board draws through each feed [VA]: active power by share and set-point, reactive by its own weights.

        P_i = share_i P + push_i - share_i sum(push)

    which is S_i/droop_i (f0_i - f) at the one frequency f at which they sum to P, for push_i = S_i/droop_i (f0_i - 1).

    Args:
        drawn: complex power that the board draws, mean over the tick [VA].
        reactive: what the feeds bear of reactive power; None: as of active power.
        port: its ports, with split, feed_gap and feed_push by slot.
        dt: length of the tick [s].
    """
    xp = library_of(drawn)
    alive = [1.0 - gap / dt for gap in port.feed_gap]
    active = [drawn.real * share for share in port.split]
    if port.feed_push is not None:
        pushed = [
            xp.where(xp.zeros(drawn.shape) + share > 0, push * lived, 0.0)
            for push, share, lived in zip(port.feed_push, port.split, alive)
        ]
        total = sum(pushed[1:], pushed[0])
        active = [own + push - share * total for own, push, share in zip(active, pushed, port.split)]
    if reactive is None:
        return [own + 1j * (drawn.imag * share) for own, share in zip(active, port.split)]
    bears = [lived * more for lived, more in zip(alive, reactive)]
    whole = xp.maximum(sum(bears[1:], bears[0]), TINY)
    return [own + 1j * (drawn.imag * some / whole) for own, some in zip(active, bears)]
