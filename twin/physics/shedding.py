"""Shedding: a load that hears the generators ask for less opens, and stays open until it is told otherwise."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.physics.supply import latched

Real = Any


def drops(heard: Real, was: Real, reset: Real, reset_seen: Real) -> Real:
    """1 where a load is shed in this tick [1].

    Args:
        heard: age of the request to shed, less the delay that is this load's priority; 0 when not heard [s].
        was: whether it was shed before [1].
        reset, reset_seen: the Input that clears the latch, now and as it was; it does so when raised [1].

    Returns:
        `was` itself where nothing is heard and nothing was shed, so that callers can tell at no cost.
    """
    if not worth_doing(heard) and not worth_doing(was):
        return was
    xp = library_of(was)
    return xp.maximum(was * (reset <= reset_seen), heard > 0)


def age_while(condition: Real, age: Real, seconds: Real) -> Real:
    """How long a condition has stood, counted in the seconds of the tick in which it can [s]."""
    return (age + seconds) * condition


def shed_latch(dropped: Real, was: Real, was_at: Real, now: Real) -> dict[str, Real]:
    """The flag `load_shed` and its moment, one tick on: a request is answered at the start of a tick."""
    load_shed, load_shed_at = latched(dropped, was, was_at, now)
    return {"load_shed": load_shed, "load_shed_at": load_shed_at}
