"""Flow: what a branch passes at a pressure difference, pumps by the affinity laws, valves that leak a little."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from twin.arrays import library_of, nothing, worth_doing

Real = Any

VALVE_LEAK = 1e-6
"""Flow of a shut valve as a fraction of open; keeps every branch solvable. Estimate."""
CHECK_LEAK = 1e-5
"""Reverse flow through a check valve as a fraction of forward flow. Estimate."""

LEAST_SPEED = 1e-3
"""Speed at which a standing pump's curve keeps its slope, so that flow through it stays solvable."""
FRICTION = 0.05
"""Torque of bearings and seals, of a pump's torque at full speed. Estimate."""
FRICTION_ROOT = math.sqrt(FRICTION)
COASTING_ANGLE = math.atan(1.0 / FRICTION_ROOT) - math.atan(0.5 / FRICTION_ROOT)


def branch_flow(dp: Real, laminar: Real, turbulent: Real) -> tuple[Real, Real]:
    """Flow through a branch and its derivative by pressure.

        dp = a q + b q|q|   =>   q = 2 dp / (a + sqrt(a^2 + 4 b |dp|))

    Args:
        dp: driving pressure difference [Pa], either sign.
        laminar: a > 0 [Pa s/m3].
        turbulent: b >= 0 [Pa s2/m6].

    Returns:
        q [m3/s] and dq/d(dp) [m3/(s Pa)] > 0, finite at zero flow.
    """
    xp = library_of(dp)
    root = xp.sqrt(laminar * laminar + 4.0 * turbulent * abs(dp))
    return 2.0 * dp / (laminar + root), 1.0 / root


def resistance(dp_nominal: Real, q_nominal: Real, laminar_share: Real) -> tuple[Real, Real]:
    """(laminar, turbulent) so that dp_nominal is lost at q_nominal, a given share of it in proportion to flow."""
    return laminar_share * dp_nominal / q_nominal, (1.0 - laminar_share) * dp_nominal / (q_nominal * q_nominal)


def valve_resistance(opening: Real) -> Real:
    """Factor on the resistance of an open linear valve at `opening` 0..1: 1/opening^2, leaking when shut."""
    xp = library_of(opening)
    passed = xp.maximum(opening, VALVE_LEAK)
    return 1.0 / (passed * passed)


class Affinity(NamedTuple):
    """Flow [m3/s] and power [W] of a pump's duty point, at a speed."""

    flow: Real
    power: Real


def affinity(speed: Real, nominal_flow: Real, nominal_power: Real) -> Affinity:
    """The duty point at another speed: flow goes with n, power with n^3."""
    spin = library_of(speed).maximum(speed, 1e-9)
    return Affinity(spin * nominal_flow, nominal_power * speed * speed * speed)


def pump_power(at: Affinity, flow: Real, idle_share: Real = 0.4, bend: Real = 0.0) -> Real:
    """Electric power of a pump [W] by the affinity laws.

        P = n^3 P_n (i + (1 - i - c) x + c x^2),   x = q/(n q_n) limited to 0..2

    i is the share of nominal power taken at shut-off; 0.4 is typical of a radial pump (estimate). c bends the line.
    """
    xp = library_of(flow)
    share = xp.minimum(xp.maximum(flow / at.flow, 0.0), 2.0)
    taken = idle_share + (1.0 - idle_share) * share
    if not nothing(bend):
        taken = xp.maximum(taken + bend * share * (share - 1.0), 0.0)
    return at.power * taken


def coast(speed: Real, seconds: Real, half_time: Real) -> tuple[Real, Real]:
    """A pump without power: speed after some seconds, and the integral of speed over them [s].

        dn/dt = -(n^2 + f)/tau  =>  n = sqrt(f) tan(theta),   theta = atan(n0/sqrt(f)) - sqrt(f) t/tau

    The load torque of a centrifugal pump goes with n^2, bearings and seals take a constant f; tau is
    such that half of full speed is left after `half_time`. It stops for good after 6.7 half times.
    Exact, so any split of the time gives the same speed.
    """
    coasts = seconds * speed
    if not worth_doing(coasts):
        return speed, coasts
    xp = library_of(speed)
    rate = COASTING_ANGLE / half_time
    start = xp.arctan(speed / FRICTION_ROOT)
    left = xp.maximum(start - rate * seconds, 0.0)
    turned = FRICTION_ROOT / rate * xp.log(xp.cos(left) / xp.cos(start))
    return xp.where(coasts > 0, FRICTION_ROOT * xp.tan(left), speed), xp.where(coasts > 0, turned, 0.0)


class Turn(NamedTuple):
    """A pump's speed through a tick: it coasts, is driven, and coasts again where its supply died.

    start, early, driven, end: speeds between these stretches [1]; mean: over the tick [1], the speed itself where it
    stays; driven_from, driven_to: when it was driven [s from the tick's start].
    """

    start: Real
    early: Real
    driven: Real
    end: Real
    mean: Real
    driven_from: Real
    driven_to: Real

    def moment_of(self, limit: float, half_time: Real, full_time: Real) -> Real:
        """When it last passed `limit` [s from the tick's start]."""
        xp = library_of(self.end)
        first = _coasting_time(self.start, limit, half_time)
        last = self.driven_to + _coasting_time(self.driven, limit, half_time)
        ramped = self.driven_from + abs(limit - self.early) * full_time
        by_drive = (self.early < limit) != (self.driven < limit)
        fell = xp.where(self.driven < limit, xp.where(by_drive, ramped, first), last)
        return xp.where(self.end < limit, fell, ramped)


def turn(speed: Real, target: Real, ready: Real, late: Real, half_time: Real, full_time: Real, dt: Real) -> Turn:
    """One tick of a pump.

    Args:
        speed: at the tick's start [1].
        target: speed asked of its drive [1].
        ready: share of the tick that it is driven [1].
        late: seconds without supply at the tick's end [s]; what else it is not driven comes first.
        half_time: as `coast` has it [s].
        full_time: as `ramp` has it [s].
    """
    moves = (ready != 1.0) | (speed != target)
    if not worth_doing(moves):
        return Turn(speed, speed, speed, speed, speed, 0.0, dt)
    if not worth_doing(ready + speed):
        return Turn(speed, speed, speed, speed, speed, dt - late, dt - late)
    runs = ready * dt
    before = dt - runs - late
    early, coasted = coast(speed, before, half_time)
    driven, ramped = ramp(early, target, runs, full_time)
    end, ran_out = coast(driven, late, half_time)
    mean = library_of(speed).where(moves, (coasted + ramped + ran_out) / dt, speed)
    return Turn(speed, early, driven, end, mean, before, dt - late)


def _coasting_time(speed: Real, limit: float, half_time: Real) -> Real:
    """Seconds in which a coasting pump comes down to `limit`."""
    xp = library_of(speed)
    angle = xp.arctan(speed / FRICTION_ROOT) - math.atan(limit / FRICTION_ROOT)
    return xp.maximum(angle, 0.0) * half_time / COASTING_ANGLE


def ramp(value: Real, target: Real, seconds: Real, full_time: Real) -> tuple[Real, Real]:
    """A drive moving to its target at a steady rate of 1/full_time: value after some seconds, and its integral."""
    if not worth_doing((value != target) * seconds):
        return value, value * seconds
    xp = library_of(value)
    needed = abs(target - value) * full_time
    moving = xp.minimum(needed, seconds)
    end = xp.where(needed <= seconds, target, value + xp.where(target > value, 1.0, -1.0) * moving / full_time)
    return end, 0.5 * (value + end) * moving + end * (seconds - moving)
