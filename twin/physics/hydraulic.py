"""Flow: what a branch passes at a pressure difference, pumps by the affinity laws, valves that leak a little."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing

Real = Any

VALVE_LEAK = 1e-6
"""Flow of a shut valve as a fraction of open; keeps every branch solvable. Estimate."""
CHECK_LEAK = 1e-5
"""Reverse flow through a check valve as a fraction of forward flow. Estimate."""


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
    root = xp.sqrt(laminar * laminar + 4.0 * turbulent * xp.abs(dp))
    return 2.0 * dp / (laminar + root), 1.0 / root


def resistance(dp_nominal: Real, q_nominal: Real, laminar_share: Real) -> tuple[Real, Real]:
    """(laminar, turbulent) so that dp_nominal is lost at q_nominal, a given share of it in proportion to flow."""
    return laminar_share * dp_nominal / q_nominal, (1.0 - laminar_share) * dp_nominal / (q_nominal * q_nominal)


def valve_resistance(opening: Real) -> Real:
    """Factor on the resistance of an open linear valve at `opening` 0..1: 1/opening^2, leaking when shut."""
    xp = library_of(opening)
    passed = xp.maximum(opening, VALVE_LEAK)
    return 1.0 / (passed * passed)


def pump_curve(shutoff_head: Real, nominal_head: Real, nominal_flow: Real) -> Real:
    """Curvature b [Pa s2/m6] of a falling pump curve h = n^2 h0 - b q|q| through its nominal point."""
    return (shutoff_head - nominal_head) / (nominal_flow * nominal_flow)


def pump_power(speed: Real, flow: Real, nominal_flow: Real, nominal_power: Real, idle_share: Real = 0.4) -> Real:
    """Electric power of a pump [W] by the affinity laws.

        P = n^3 P_n (i + (1 - i) q/(n q_n)),   q/(n q_n) limited to 0..2

    i is the share of nominal power taken at shut-off; 0.4 is typical of a radial pump (estimate).
    """
    xp = library_of(speed)
    spin = xp.maximum(speed, 1e-9)
    share = xp.minimum(xp.maximum(flow / (spin * nominal_flow), 0.0), 2.0)
    return nominal_power * speed * speed * speed * (idle_share + (1.0 - idle_share) * share)


def coast(speed: Real, seconds: Real, half_time: Real) -> tuple[Real, Real]:
    """A pump without power: speed after some seconds, and the integral of speed over them [s].

        dn/dt = -n^2/tau  =>  n = n0/(1 + n0 t/tau)

    The load torque of a centrifugal pump goes with n^2; from full speed, half is left after tau.
    Exact, so any split of the time gives the same speed.
    """
    if not worth_doing(seconds * speed):
        return speed, 0.0
    xp = library_of(speed)
    return speed / (1.0 + speed * seconds / half_time), half_time * xp.log1p(speed * seconds / half_time)


def ramp(value: Real, target: Real, seconds: Real, full_time: Real) -> tuple[Real, Real]:
    """A drive moving to its target at a steady rate of 1/full_time: value after some seconds, and its integral."""
    if not worth_doing((value != target) * seconds):
        return value, value * seconds
    xp = library_of(value)
    needed = abs(target - value) * full_time
    moving = xp.minimum(needed, seconds)
    end = xp.where(needed <= seconds, target, value + xp.where(target > value, 1.0, -1.0) * moving / full_time)
    return end, 0.5 * (value + end) * moving + end * (seconds - moving)
