"""Served: which board a source stands at, where it looks for voltage, frequency and the others that feed it."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from twin.arrays import Array, neighbours
from twin.equipment import KINDS
from twin.networks.tables import Table
from twin.plant import Plant


def _board_of(plant: Plant, fed: dict[str, str], source: str) -> tuple[str | None, str]:
    """The board that a source serves, through switches and cables if need be, and by which of its feeds.

    Where there is none, what it feeds itself.
    """
    name, board = source, fed.get(source)
    while board is not None and len(plant.feeds[board]) == 1 and not KINDS[plant.units[board].kind].weighs:
        name, board = board, fed.get(board)
    if board is not None and KINDS[plant.units[board].kind].weighs:
        return board, name
    return fed.get(source), source


def served(plant: Plant, t: Table, column: dict[str, int], dead: int, xp: ModuleType) -> Array | None:
    """Column of the board that each source serves, whose voltage tells whether it is alive."""
    if not t.machine.source:
        return None
    fed = {source: unit for unit, feeds in reversed(plant.feeds.items()) for source in feeds}
    boards = [_board_of(plant, fed, name)[0] for name in t.names]
    return xp.asarray(np.array([column[board] if board else dead for board in boards], dtype=np.int64))


def beside(plant: Plant, t: Table, column: dict[str, int], dead: int, xp: ModuleType) -> Array:
    """Columns of the other feeds of the board that each unit serves, (unit, feed); through switches, if need be."""
    fed = {source: unit for unit, feeds in reversed(plant.feeds.items()) for source in feeds}
    rows = []
    for name in t.names:
        board, through = _board_of(plant, fed, name)
        rows.append([column[feed] for feed in plant.feeds.get(board or "", ()) if feed != through])
    return neighbours(rows, xp, spare=dead).index
