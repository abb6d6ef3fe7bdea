"""Plug flow: a profile of temperatures that moves through a pipe as it is, and friction of pipes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing

Real = Any
TINY = 1e-12


def friction_factor(Re: Real, roughness: Real) -> Real:
    """Darcy's friction factor in laminar, transitional and turbulent flow.

        Re < 2000:   f = 64/Re
        Re > 4000:   f = 1/Y3^2,   Y3 = -2 log10(e/(3.7 d) + 5.74/Re^0.9)
        between:     Dunlop's cubic, which meets both in value and slope

    Args:
        Re: Reynolds number [1], > 0.
        roughness: of the wall over the diameter [1].

    Source: Swamee and Jain (1976); Dunlop (1991); both as EPANET 2.2, User Manual, chapter 12.
    """
    xp = library_of(Re)
    wall = roughness / 3.7
    Y2 = wall + 5.74 / xp.maximum(Re, 4000.0) ** 0.9
    Y3 = -0.86858896 * xp.log(Y2)
    rough = 1.0 / (Y3 * Y3)
    if not worth_doing(Re < 4000.0):
        return rough
    bent = rough * (2.0 - 0.00514215 / (Y2 * Y3))
    R = xp.minimum(xp.maximum(Re / 2000.0, 1.0), 2.0)
    X4 = R * (0.032 - 3.0 * rough + 0.5 * bent)
    X3 = -0.128 + 13.0 * rough - 2.0 * bent
    between = 7.0 * rough - bent + R * (0.128 - 17.0 * rough + 2.5 * bent + R * (X3 + X4))
    return xp.where(Re >= 4000.0, rough, xp.where(Re <= 2000.0, 64.0 / Re, between))


def pipe_loss(q: Real, length: Real, diameter: Real, roughness: Real, fittings: Real, rho: Real, mu: Real) -> Real:
    """Pressure lost in a pipe and its fittings [Pa] at a flow q > 0 [m3/s].

        dp = (f l/d + K) rho v^2/2,   v = 4 q/(pi d^2)

    Source: Darcy and Weisbach; textbook.
    """
    v = 4.0 * q / (math.pi * diameter * diameter)
    f = friction_factor(rho * v * diameter / mu, roughness / diameter)
    return (f * length / diameter + fittings) * 0.5 * rho * v * v


def tangent(loss: Any, q: Real) -> tuple[Real, Real]:
    """(a, b) so that a q + b q^2 has a pipe's loss and its slope at a flow q > 0; a >= a hundredth of loss/q.

    Args:
        loss: pressure lost at a flow [Pa].
        q: flow [m3/s].
    """
    xp = library_of(q)
    here, beyond = loss(q), loss(1.001 * q)
    steep = (beyond / here - 1.0) / 0.001 - 0.001  # exponent of the loss; q dp'/dp
    a = xp.minimum(xp.maximum(2.0 - steep, 0.01), 1.0) * here / q
    return a, (here - a * q) / (q * q)


class Moved(NamedTuple):
    """What a profile does in a tick: mean outlet = constant + slope T_in; `cells` after it, given what entered."""

    constant: Real
    slope: Real


def _slopes(cells: Real) -> Real:
    """Half of what each cell rises from face to face [K], downstream; limited so that nothing overshoots (superbee)."""
    xp = library_of(cells)
    rise = 0.0 * cells
    before, after = cells[1:-1] - cells[:-2], cells[2:] - cells[1:-1]
    up, down = abs(before), abs(after)
    steep = xp.maximum(xp.minimum(2.0 * up, down), xp.minimum(up, 2.0 * down))
    rise[1:-1] = xp.where(before * after > 0, xp.where(before > 0, 0.5, -0.5) * steep, 0.0)
    return rise


def _filled(cells: Real, x: Real) -> Real:
    """Integral of a profile from its upstream end to x cells from there, 0 <= x <= count [K cells].

    Each cell is a straight line with its mean; x has the cells' shape with any number of rows.
    """
    xp = library_of(cells)
    count = cells.shape[0]
    total = 0.0 * cells
    for k in range(1, count):
        total[k] = total[k - 1] + cells[k - 1]
    at = xp.minimum(x.astype(int), count - 1)
    part = x - at
    T, half, below = (xp.take_along_axis(each, at, axis=0) for each in (cells, _slopes(cells), total))
    return below + part * (T - half * (1.0 - part))


def leaving(cells: Real, moved: Real, fade: Real, fade_through: Real) -> Moved:
    """Mean temperature that leaves a pipe in a tick, by what enters it.

    Args:
        cells: means of the profile from upstream to downstream [K above the air], (cell, member, n).
        moved: how far the profile moves in the tick, of the pipe [1].
        fade: factor that the loss leaves of what was in the pipe and leaves it in this tick, mean [1].
        fade_through: of what goes through the whole pipe within the tick [1].
    """
    xp = library_of(moved)
    count = cells.shape[0]
    old = xp.minimum(moved, 1.0)
    gone = _filled(cells, xp.stack([count + 0.0 * moved, count * (1.0 - old)]))
    still = moved < 1e-9
    mean = xp.where(still, cells[-1], (gone[0] - gone[1]) / xp.where(still, 1.0, count * old))
    new = 1.0 - old / xp.maximum(moved, 1e-9)
    new = xp.where(still, 0.0, xp.maximum(new, 0.0))
    return Moved((1.0 - new) * mean * fade, new * fade_through)


def shifted(cells: Real, T_in: Real, moved: Real) -> Real:
    """The profile after it has moved and T_in has come in behind it, without loss; (cell, member, n).

    Heat is kept to round-off: what is missing at the end has left.
    """
    xp = library_of(moved)
    count = cells.shape[0]
    faces = xp.stack([k - count * moved for k in range(count + 1)])
    inside = _filled(cells, xp.maximum(faces, 0.0))
    total = xp.where(faces < 0, T_in * faces, inside)
    return total[1:] - total[:-1]
