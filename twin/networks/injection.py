"""Injection: sources that force their power into a board, which the board's other feeds carry along."""

from __future__ import annotations

from typing import Any

from twin.arrays import Array, library_of
from twin.declare import Ports
from twin.networks.tables import AllPorts
from twin.physics.supply import TINY

Real = Any


def is_forced(injection: Array) -> Array:
    """Where a feed forces its power in; nan says that it bears its share like any other."""
    return injection == injection


def follow(port: Ports, dt: Any) -> None:
    """Let feeds that force their power in stand at the voltage and frequency of the best feed that does not.

    They hold neither; where no other feed lives at the end of the tick they stay as they are. A feed that only
    follows offers neither a voltage nor a gap: it lives as long as the others do.
    """
    xp = library_of(port.feed_gap[0])
    forced = [is_forced(injection) for injection in port.feed_injection]
    best = xp.where(forced[0], 0.0, port.feed_voltage[0])
    paces = port.feed_frequency or [1.0] * len(forced)
    pace = paces[0]
    for follows, voltage, frequency in zip(forced[1:], port.feed_voltage[1:], paces[1:]):
        higher = (abs(voltage) > abs(best)) & ~follows
        best, pace = xp.where(higher, voltage, best), xp.where(higher, frequency, pace)
    held = best != 0
    others = xp.where(forced[0], dt, port.feed_gap[0])
    for follows, gap in zip(forced[1:], port.feed_gap[1:]):
        others = xp.minimum(others, xp.where(follows, dt, gap))
    port.feed_gap = [
        xp.where(follows & (voltage == 0) & (gap == 0), others, gap)
        for follows, voltage, gap in zip(forced, port.feed_voltage, port.feed_gap)
    ]
    port.feed_voltage = [xp.where(follows & held, best, voltage) for follows, voltage in zip(forced, port.feed_voltage)]
    port.feed_frequency = [xp.where(follows & held, pace, frequency) for follows, frequency in zip(forced, paces)]


def standing(net: Any, ports: AllPorts, held: Array) -> Array:
    """Voltages [pu] with those of sources that only follow: they stand at the voltage of the board they serve.

    Args:
        net: the compiled power network.
        held: voltage of every unit at the end of the tick, (member, unit + 1); one that follows holds none.
    """
    for board in net.boards:
        port, here = ports[board.table.key], board.table.columns
        if board.beside is not None:
            follows = (held[:, here] == 0) & (port.gap == 0)
            held[:, here] = library_of(held).where(follows, held.take(board.served, axis=1), held[:, here])
    return held


def parted(drawn: Array, port: Ports, dt: Any) -> list[Array]:
    """What a board draws through each feed [VA], where some of them force their power in.

    While another feed lives, each of those gives what it forces and the others share the rest; in the
    seconds without another they share the whole.

    Args:
        drawn: complex power that the board draws, mean over the tick [VA].
        port: its ports, with gap, split, and feed_gap and feed_injection by slot.
        dt: length of the tick [s].
    """
    xp = library_of(drawn)
    forced = [is_forced(injection) for injection in port.feed_injection]
    alive = dt - port.gap
    held = 0.0 * alive
    for follows, gap in zip(forced, port.feed_gap):
        held = xp.maximum(held, xp.where(follows, 0.0, dt - gap))
    held = xp.minimum(held, alive)
    given = [
        xp.where(follows, injection, 0.0) * (xp.minimum(dt - gap, held) / dt)
        for follows, injection, gap in zip(forced, port.feed_injection, port.feed_gap)
    ]
    with_others = drawn * (held / xp.maximum(alive, TINY))
    alone, rest = drawn - with_others, with_others - sum(given[1:], given[0])
    following = [xp.where(follows, share, 0.0) for follows, share in zip(forced, port.split)]
    holding = [xp.where(follows, 0.0, share) for follows, share in zip(forced, port.split)]
    follow_all = xp.maximum(sum(following[1:], following[0]), TINY)
    hold_all = xp.maximum(sum(holding[1:], holding[0]), TINY)
    return [
        forced_in + alone * (some / follow_all) + rest * (other / hold_all)
        for forced_in, some, other in zip(given, following, holding)
    ]
