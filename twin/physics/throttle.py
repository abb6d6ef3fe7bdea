"""A GPU die, its cold plate and their thermal limits through one tick, with the limits met in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.physics.thermal import Coefficients, Modes, modes, response, responses

Real = Any
Moment = tuple[Real, Real]
"""A die temperature [K] and when it is so [s into the segment]."""

SEGMENTS = 4
"""Most limits met within one tick: throttle, slowdown, shutdown, and the rest."""
SEARCH_STEPS = 14
LEAST_TURN = 1e-9
"""A die that would move by less [K] is not looked at for turning round within the tick."""


@dataclass(slots=True)
class Die:
    """Dies and plate of a rack as two masses.

    C_die, C_plate [J/K]; G: die to plate [W/K]; K: plate to coolant inlet [W/K], 0 without flow;
    T_in: coolant inlet [K]; P_plate: other heat into the plate [W]; full0 + full1 T_die, slow0 + slow1 T_die: GPU
    power asked for and at slowdown clock [W], as straight lines that know its leakage [W/K].
    """

    C_die: Real
    C_plate: Real
    G: Real
    K: Real
    T_in: Real
    P_plate: Real
    full0: Real
    full1: Real
    slow0: Real
    slow1: Real


@dataclass(slots=True)
class Limits:
    """Die temperatures [K]: throttling begins, clocks are forced down, power is cut, slowdown is released."""

    throttle: Real
    slowdown: Real
    shutdown: Real
    release: Real


@dataclass(slots=True)
class Course:
    """What a tick does to the dies, with the inlet as foreseen.

    Ends and means of die and plate over the tick [K]; power: GPU power, mean [W]; ran: share of the tick before
    shutdown [1]; flags 0/1 with the moment of their last change [s into the tick]; follows_*: how the
    end of die and plate and the mean of the plate move with the inlet [K/K].
    """

    T_die: Real
    T_plate: Real
    mean_die: Real
    mean_plate: Real
    power: Real
    ran: Real
    throttled: Real
    slowed: Real
    shut: Real
    throttled_after: Real
    slowed_after: Real
    shut_after: Real
    follows_die: Real
    follows_plate: Real
    follows_mean_plate: Real


def _power_law(die: Die, limits: Limits, T: Real, throttled: Real, slowed: Real, shut: Real) -> tuple[Real, Real]:
    """GPU power as p0 + p1 T_die in the regime at hand.

    Throttled power falls in a straight line from full at `throttle` to the slowdown power at `slowdown`.
    """
    xp = library_of(T)
    p0, p1 = xp.where(slowed > 0, die.slow0, die.full0), xp.where(slowed > 0, die.slow1, die.full1)
    top = die.full0 + die.full1 * limits.throttle
    bottom = die.slow0 + die.slow1 * limits.slowdown
    fall = (top - bottom) / (limits.slowdown - limits.throttle)
    in_band = (throttled > 0) & (slowed == 0)
    p0 = xp.where(in_band, top + fall * limits.throttle, p0)
    p1 = xp.where(in_band, -fall, p1)
    return xp.where(shut > 0, 0.0, p0), xp.where(shut > 0, 0.0, p1)


def _regime(
    die: Die, limits: Limits, T: Real, throttled: Real, slowed: Real, shut: Real
) -> tuple[Real, Real, Real, Real, Real]:
    """Whether it runs, its power law p0 + p1 T_die, and the limits above and below that end the regime at hand."""
    if not worth_doing(throttled + slowed + shut):
        return 1.0, die.full0, die.full1, limits.throttle, 0.0
    xp = library_of(T)
    upper = xp.where(slowed > 0, limits.shutdown, xp.where(throttled > 0, limits.slowdown, limits.throttle))
    lower = xp.where(slowed > 0, limits.release, xp.where(throttled > 0, limits.throttle, 0.0))
    return 1.0 - shut, *_power_law(die, limits, T, throttled, slowed, shut), upper, lower


def _modes(die: Die, p1: Real) -> Modes:
    """The modes of die and plate, with a power that grows by p1 per kelvin of the die [W/K]."""
    leaves = die.G + die.K
    a, b = (p1 - die.G) / die.C_die, die.G / die.C_die
    c, d = die.G / die.C_plate, -leaves / die.C_plate
    return modes(a, b, c, d, (die.G * die.K - p1 * leaves) / (die.C_die * die.C_plate))


class _Segment:
    """Closed form of die and plate from one moment on, at one power law and one inlet."""

    def __init__(self, die: Die, T: Real, plate: Real, p0: Real, p1: Real, runs: Real) -> None:
        self.die, self.T, self.plate, self.p0, self.p1 = die, T, plate, p0, p1
        self.modes = m = _modes(die, p1)
        self.rate = self.rate_at(T, plate)
        self.plate_rate = (die.P_plate * runs + die.G * (T - plate) + die.K * (die.T_in - plate)) / die.C_plate
        self.turn = m.a * self.rate + m.b * self.plate_rate
        self.plate_turn = m.c * self.rate + m.d * self.plate_rate

    def rate_at(self, T: Real, plate: Real) -> Real:
        """How fast the die warms [K/s]."""
        return (self.p0 + self.p1 * T + self.die.G * (plate - T)) / self.die.C_die

    def die_at(self, t: Real) -> Real:
        (f0, f1), _ = response(self.modes, t)
        return self.T + f0 * self.rate + f1 * self.turn

    def run(self, t: Real, foreseen: Coefficients | None = None) -> tuple[Real, Real, Real, Real]:
        """Die and plate after t seconds [K], and their integrals [K s]; `foreseen`: the response, where it is known."""
        (f0, f1), (g0, g1) = foreseen or response(self.modes, t)
        return (
            self.T + f0 * self.rate + f1 * self.turn,
            self.plate + f0 * self.plate_rate + f1 * self.plate_turn,
            self.T * t + g0 * self.rate + g1 * self.turn,
            self.plate * t + g0 * self.plate_rate + g1 * self.plate_turn,
        )

    def farthest(self, end: tuple[Real, ...], left: Real) -> tuple[Real, Real]:
        """Where the die turns round: its temperature there [K] and when [s]; where it does not, those of the end.

        dT/dt = A e^{slow t} + B e^{fast t} is zero once at most, at ln(-B/A)/(slow - fast).
        """
        xp, m = library_of(self.rate), self.modes
        turns = (self.rate * self.rate_at(end[0], end[1]) < 0) & (abs(self.rate) * left > LEAST_TURN)
        if not worth_doing(turns):
            return end[0], left
        apart = m.slow - m.fast
        A = xp.where(turns, (self.turn - m.fast * self.rate) / apart, -1.0)
        ratio = (A - self.rate) / xp.where(A == 0.0, -1.0, A)
        moment = xp.where(turns, xp.minimum(xp.log(xp.maximum(ratio, 1.0)) / apart, left), left)
        return xp.where(turns, self.die_at(moment), end[0]), moment

    def crossing(self, end: tuple[Real, ...], left: Real, upper: Real, lower: Real) -> tuple[Real, Moment, Moment]:
        """Whether the die leaves its limits, and the two moments between which it does so once."""
        turned, after = self.farthest(end, left)
        beyond = (turned > upper) | (turned < lower)
        if turned is end[0]:
            return beyond, (self.T, 0.0), (turned, left)
        xp = library_of(turned)
        near = xp.where(beyond, self.T, turned), xp.where(beyond, 0.0, after)
        far = xp.where(beyond, turned, end[0]), xp.where(beyond, after, left)
        return (far[0] > upper) | (far[0] < lower), near, far

    def when(self, target: Real, start: Moment, end: Moment) -> Real:
        """When the die reaches `target` [s], by the Illinois form of regula falsi in a fixed number of steps.

        Args:
            start, end: die temperature and moment [K], [s] between which it does so, once.
        """
        xp = library_of(end[0])
        least, longest = start[1], end[1]
        low, high, f_low, f_high = least, longest, start[0] - target, end[0] - target
        for _ in range(SEARCH_STEPS):
            apart = f_high - f_low
            middle = high - f_high * (high - low) / xp.where(apart == 0.0, 1.0, apart)
            middle = xp.minimum(xp.maximum(middle, least), longest)
            f = self.die_at(middle) - target
            same_as_high = (f > 0) == (f_high > 0)
            f_low = xp.where(same_as_high, 0.5 * f_low, f_high)
            low = xp.where(same_as_high, low, high)
            high, f_high = middle, f
        return xp.minimum(xp.maximum(high, 0.0), longest)


def course(die: Die, limits: Limits, T: Real, plate: Real, flags: tuple[Real, Real, Real], dt: Real) -> Course:
    """Run die and plate through one tick, changing the power law whenever a limit is met.

    Args:
        T, plate: temperatures now [K], shape (member, n).
        flags: throttled, slowed, shut as 0/1.
        dt: tick [s].

    Exact between limits: two conducting masses at steady inlet, flow and power law have a closed form.
    """
    xp = library_of(T)
    throttled, slowed, shut = flags
    left, gone = dt, 0.0
    die_sum, plate_sum, energy, ran = 0.0, 0.0, 0.0, 0.0
    throttled_after, slowed_after, shut_after = 0.0, 0.0, 0.0
    follows: tuple[Real, Real, Real] | None = None
    for last in (False,) * (SEGMENTS - 1) + (True,):
        runs, p0, p1, upper, lower = _regime(die, limits, T, throttled, slowed, shut)
        segment = _Segment(die, T, plate, p0, p1, runs)
        if follows is None:
            fixed = _modes(die, 0.0)
            foreseen, by_inlet = responses(segment.modes, fixed, dt)
            end, follows = segment.run(left, foreseen), _follows(die, fixed, by_inlet, dt)
        else:
            end = segment.run(left)
        crosses, near, far = segment.crossing(end, left, upper, lower)
        met, seconds = not last and worth_doing(crosses), left
        if met:
            meets = crosses & (shut == 0) & (left > 0)
            met = worth_doing(meets)
        if met:
            above = far[0] > upper
            target = xp.where(above, upper, lower)
            beyond = xp.where(above, near[0] >= target, near[0] <= target)
            moment = xp.where(beyond, near[1], segment.when(target, near, far))
            seconds = xp.where(meets, moment, left)
            end = segment.run(seconds)
        die_sum, plate_sum, energy = die_sum + end[2], plate_sum + end[3], energy + p0 * seconds + p1 * end[2]
        ran = ran + runs * seconds
        left, gone = left - seconds, gone + seconds
        if not met:
            T, plate = end[0], end[1]
            break
        T, plate = xp.where(meets & ~beyond, target, end[0]), end[1]
        rises, falls = meets & (target == upper), meets & (target == lower)
        to_shut, to_slow = rises & (slowed > 0), rises & (slowed == 0) & (throttled > 0)
        to_throttle = rises & (slowed == 0) & (throttled == 0)
        unthrottles = falls
        unslows = falls & (slowed > 0)
        shut, shut_after = xp.where(to_shut, 1.0, shut), xp.where(to_shut, gone, shut_after)
        slowed = xp.where(to_slow, 1.0, xp.where(unslows, 0.0, slowed))
        slowed_after = xp.where(to_slow | unslows, gone, slowed_after)
        throttled = xp.where(to_throttle, 1.0, xp.where(unthrottles, 0.0, throttled))
        throttled_after = xp.where(to_throttle | unthrottles, gone, throttled_after)
    assert follows is not None
    return Course(
        T, plate, die_sum / dt, plate_sum / dt, energy / dt, ran / dt, throttled, slowed, shut,
        throttled_after, slowed_after, shut_after, *follows,
    )  # fmt: skip


def _follows(die: Die, fixed: Modes, by_inlet: Coefficients, dt: Real) -> tuple[Real, Real, Real]:
    """How end of die, end of plate and mean of plate move with the inlet at fixed power [K/K]."""
    (f0, f1), (g0, g1) = by_inlet
    pull = die.K / die.C_plate
    return f1 * fixed.b * pull, (f0 + f1 * fixed.d) * pull, (g0 + g1 * fixed.d) * pull / dt
