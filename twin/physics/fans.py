"""Fans that follow a temperature: how fast they turn, stable at any tick."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of

Real = Any


class Control(NamedTuple):
    """Fans at `least` speed below `start`, at full speed above `full` [K], between in a line; `lag` [s]."""

    start: Real
    full: Real
    least: Real
    lag: Real

    def wanted(self, T: Real) -> Real:
        """Speed that a temperature asks for, of full [1]."""
        xp = library_of(T)
        x = (T - self.start) / (self.full - self.start)
        return self.least + (1.0 - self.least) * xp.minimum(xp.maximum(x, 0.0), 1.0)


def next_speed(speed: Real, T: Real, rise: Real, control: Control, dt: Real) -> Real:
    """Speed at the end of a tick [1] of fans that follow a temperature which they lower themselves.

        lag ds/dt = s_wanted(T) - s

    Short ticks take the exponential. Long ones, in which T has followed the speed, take a Newton step to where both
    agree: `rise`/s bounds how far T falls with speed, so that the step never passes it and fans do not hunt.

    Args:
        speed: now, of full [1].
        T: temperature at the end of the tick [K].
        rise: part of T that goes with 1/speed at most [K], >= 0.
        dt: tick [s].
    """
    xp = library_of(T)
    gone = -xp.expm1(-dt / control.lag)
    steep = (1.0 - control.least) / (control.full - control.start)
    gain = steep * rise / xp.maximum(speed, control.least)
    return speed + (control.wanted(T) - speed) * gone / (1.0 + gain * gone)
