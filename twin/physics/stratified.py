"""A tank of two layers: warm inflow displaces the cold one, cold inflow sinks to it; each carries some along."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of
from twin.physics.thermal import TINY

Real = Any
APART = 1.0
"""Inflow this much warmer than a tank begins a warm layer; layers half as far apart are one [K]. Estimate."""


class Layers(NamedTuple):
    """cold: share of the tank below the thermocline [1]; T_cold, T_warm: of the two layers [K]."""

    cold: Real
    T_cold: Real
    T_warm: Real


class Passage(NamedTuple):
    """What a tick does to the layers, affine in the temperature of the inflow.

    constant, slope: what leaves, mean over the tick, is constant + slope T_in [K]. cold: share of the tank below the
    thermocline at the end [1]; below, above: the two layers then, each (constant, slope) [K]; used_up: whether the cold
    layer comes to its end in the tick; after: volumes passed until then [1].
    """

    constant: Real
    slope: Real
    cold: Real
    below: tuple[Real, Real]
    above: tuple[Real, Real]
    used_up: Real
    after: Real


def rises(now: Layers, T_in: Real) -> Real:
    """Whether inflow joins the warm layer: it is nearer to it, or warm enough to begin one."""
    lift = library_of(T_in).where(now.cold < 1.0, 0.5 * (now.T_warm - now.T_cold), APART)
    return T_in - now.T_cold > lift


def displaced(now: Layers, passed: Real, carried: Real) -> Passage:
    """Inflow comes to lie on the cold layer, which leaves from below until used up; then all is one stirred volume.

    Each unit of inflow carries `e` of cold water up with it (the thermocline), so that of a cold tank

        1 - s = 1/(1 + e)

    is delivered cold, after which the warm layer, (T_in + e T_cold)/(1 + e), arrives.

    Args:
        passed: inflow in the tick, in volumes of the tank [1].
        carried: s, share of the cold layer that the inflow mixes up into the warm one [1].
    """
    xp = library_of(passed)
    x, e = now.cold, carried / (1.0 - carried)
    k = xp.maximum(passed, TINY)
    first = xp.minimum(k, x / (1.0 + e))
    left = k - first
    used_up = (left > 0) & (x > 0)
    cold = xp.where(left > 0, 0.0, xp.maximum(x - (1.0 + e) * first, 0.0))
    warm = (1.0 - x) + (1.0 + e) * first  # not 1 - cold, whose last digit is all that a thin layer has
    over = xp.maximum(warm, TINY)
    held = xp.where(warm > 0, ((1.0 - x) * now.T_warm + e * first * now.T_cold) / over, now.T_cold)
    taken = first / over
    gone = -xp.expm1(-left)
    constant = (first * now.T_cold + gone * held) / k
    slope = (gone * taken + left - gone) / k
    above = held * (1.0 - gone), taken * (1.0 - gone) + gone
    below = xp.where(left > 0, above[0], now.T_cold), xp.where(left > 0, above[1], 0.0)
    return Passage(constant, slope, cold, below, above, used_up, first)


def sunk(now: Layers, passed: Real, carried: Real) -> Passage:
    """Inflow falls through the warm layer to the cold one, which it stirs and which grows by what is carried down.

        x dT/dk = (1 + f) (T_mix - T),   dx/dk = f,   T_mix = (T_in + f T_warm)/(1 + f)

    with k in volumes of the tank. A tank without layers is all cold layer: one stirred volume.

    Args:
        passed: inflow in the tick, in volumes of the tank [1].
        carried: share of warm water in what reaches the cold layer, f/(1 + f) [1].
    """
    xp = library_of(passed)
    x, f = now.cold, xp.maximum(carried / (1.0 - carried), TINY)
    k = xp.maximum(passed, TINY)
    first = xp.minimum(k, (1.0 - x) / f)
    left = k - first
    cold = xp.where(left > 0, 1.0, xp.minimum(x + f * first, 1.0))
    away = xp.log1p(f * first / xp.maximum(x, TINY)) / f
    lost, over = -xp.expm1(-away), xp.maximum(cold, TINY)
    kept = x * (1.0 - lost) / over  # of the old cold layer's temperature in the new one
    mixed = 1.0 - kept
    f_warm, f_in = f * now.T_warm / (1.0 + f), 1.0 / (1.0 + f)
    gone = -xp.expm1(-left)
    mean = first - x * lost  # weight of what reached the layer in what left it
    end = kept * now.T_cold + mixed * f_warm, mixed * f_in
    constant = (mean * f_warm + x * lost * now.T_cold + gone * end[0]) / k
    slope = (mean * f_in + gone * end[1] + left - gone) / k
    below = end[0] * (1.0 - gone), end[1] * (1.0 - gone) + gone
    alone = cold >= 1.0
    above = xp.where(alone, below[0], now.T_warm), xp.where(alone, below[1], 0.0)
    return Passage(constant, slope, cold, below, above, 0.0 * k, first)


def either(warm: Real, up: Passage, down: Passage) -> Passage:
    """The one passage where inflow rises, the other elsewhere."""
    xp = library_of(up.constant)

    def chosen(one: Real, other: Real) -> Real:
        return xp.where(warm, one, other)

    below = chosen(up.below[0], down.below[0]), chosen(up.below[1], down.below[1])
    above = chosen(up.above[0], down.above[0]), chosen(up.above[1], down.above[1])
    return Passage(
        chosen(up.constant, down.constant), chosen(up.slope, down.slope), chosen(up.cold, down.cold), below, above,
        chosen(up.used_up, down.used_up), chosen(up.after, down.after),
    )  # fmt: skip


def arrived(passage: Passage, T_in: Real) -> Layers:
    """The layers at the end of a tick; two that are too near each other are one."""
    xp = library_of(T_in)
    T_cold = passage.below[0] + passage.below[1] * T_in
    T_warm = passage.above[0] + passage.above[1] * T_in
    near = (T_warm - T_cold < 0.5 * APART) & (passage.cold > 0)
    mean = passage.cold * T_cold + (1.0 - passage.cold) * T_warm
    T_cold = xp.where(near, mean, xp.where(passage.cold > 0, T_cold, T_warm))
    return Layers(xp.where(near, 1.0, passage.cold), T_cold, xp.where(near, mean, T_warm))
