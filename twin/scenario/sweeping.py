"""What a sweep tries: which failures, how many at once, when, and from which states the plant begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sweeping:
    """What is tried; times in s, temperatures in K.

    order: failures at once, 1 or 2 (with two, each by itself is tried too). of: units that the pairs are made of,
    as targets. units, kinds, modes: what may fail; everything, if empty. at: moments of the failures. after: how long
    it is watched from there, None to the end of the scenario. maintenance: units that are out of service from the
    start, one after the other. loads: share of full work asked of all racks. weather: dry bulb and relative humidity,
    None for air that keeps its water. draws: worlds of the scenario's own draws; 0 draws nothing.
    restore_after: so long after a failure it is mended, None never.
    """

    order: int = 1
    of: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    at: tuple[float, ...] = (60.0,)
    after: float | None = None
    maintenance: tuple[str, ...] = ()
    loads: tuple[float, ...] = ()
    weather: tuple[tuple[float, float | None], ...] = ()
    draws: int = 0
    restore_after: float | None = None
