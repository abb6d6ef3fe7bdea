"""Engines: the speed of a generating set under its governor, exact within a tick, and the fuel it burns.

In per unit of the rating (power) and of nominal frequency (f, the deviation of speed from nominal):

    2H df/dt = Pm - Pe - D f          the rotating masses
    tau dPm/dt = u - Pm               the engine behind its actuator
    u = z - K f,  0 <= u <= ceiling   the governor: proportional part and fuel limits
    dz/dt = -K_i f                    its integral, which never drives u beyond a limit; none with droop

Between limits that is a linear system, and so it is at a limit; both are solved in closed form, and the moments at
which one becomes the other are found within the tick. What runs between sets in parallel stands in the network.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.arrays import Array, library_of, to_host, worth_doing
from twin.physics.electric import NEVER

Real = Any
POINTS = 24
"""Moments of a tick at which the speed is looked at; between them a cubic through speed and slope."""
PHASES = 8
"""Spans between fuel limits that one tick can hold: free, at the ceiling, free again..."""
ROUNDS = 12
"""Steps of regula falsi for the moment at which a limit is met."""
SETTLED = 1e-7
"""Distance from steady state that counts as none [pu]: 6e-6 Hz."""
APART = 1e-4
"""Least distance of two roots, of their modulus; nearer ones are moved apart, an error of its square."""


class Engine(NamedTuple):
    """A set's dynamics, found once: numbers or arrays (1, n), `roots` three of them, `shares` (POINTS + 1, 1, 1).

    inertia: 2H [s]; damping: D [1]; lag: tau [s]; gain: K [1]; reset: K_i [1/s], 0 with droop.
    """

    inertia: Real
    damping: Real
    lag: Real
    gain: Real
    reset: Real
    roots: tuple[Array, Array, Array]
    shares: Array


class Speed(NamedTuple):
    """Where a set stands: f [1], Pm [1] and z [1], of the module's equations."""

    deviation: Real
    power: Real
    setting: Real


class Swing(NamedTuple):
    """A tick of a set: where it ends, its lowest and highest f [1], and f at moments of the tick [s], [1]."""

    end: Speed
    lowest: Real
    highest: Real
    times: list[Array]
    deviations: list[Array]


def engine(inertia: Real, damping: Real, lag: Real, gain: Real, integral_time: Real, droop: Real) -> Engine:
    """The dynamics of sets, each isochronous (droop 0) or with droop, whose gain is then 1/droop.

    Args:
        inertia: H, kinetic energy at nominal speed over rating [s].
        damping: D [1]. lag: tau [s]. gain: K, fuel per speed [1]. integral_time: K/K_i [s].
        droop: fall of speed from no load to rated load [1].
    """
    xp = library_of(lag)
    host = [np.asarray(to_host(x), dtype=float) for x in (2.0 * inertia, damping, lag, gain, integral_time, droop)]
    two_h, d, tau, k, t_i, r = np.broadcast_arrays(*np.atleast_2d(*host))
    k_used = np.where(r > 0, 1.0 / np.where(r > 0, r, 1.0), k)
    reset = np.where(r > 0, 0.0, k / t_i)
    found = np.empty((3, *tau.shape), dtype=complex)
    for at in np.ndindex(tau.shape):
        found[(slice(None), *at)] = _roots(*(float(x[at]) for x in (two_h, d, tau, k_used, reset)))
    shares = np.linspace(0.0, 1.0, POINTS + 1).reshape(-1, 1, 1)
    move = xp.asarray
    return Engine(
        move(two_h), move(d), move(tau), move(k_used), move(reset), tuple(move(root) for root in found), move(shares)
    )  # fmt: skip


def _roots(two_h: float, d: float, tau: float, k: float, k_i: float) -> np.ndarray:
    """Roots of 2H tau s^3 + (2H + tau D) s^2 + (D + K) s + K_i, kept apart; with droop a third that nothing excites."""
    speeds = [two_h * tau, two_h + tau * d, d + k]
    roots = np.roots([*speeds, k_i]) if k_i > 0 else np.roots(speeds)
    roots = roots.astype(complex)
    size = max(float(np.abs(roots).max()), 1e-9)
    if k_i <= 0:
        roots = np.append(roots, -3.0 * size)
    roots = roots[np.lexsort((roots.imag, roots.real))]
    for i, j in ((0, 1), (1, 2)):
        if abs(roots[i] - roots[j]) < APART * size:
            apart = APART * size * (1j if abs(roots[i].imag) > 0 else 1.0)
            middle = 0.5 * (roots[i] + roots[j])
            roots[i], roots[j] = middle - 0.5 * apart, middle + 0.5 * apart
    return np.asarray(roots)


def is_stable(engine: Engine) -> Array:
    """Whether a governor brings its set to rest (Routh: (2H + tau D)(D + K) > 2H tau K_i)."""
    return (engine.inertia + engine.lag * engine.damping) * (engine.damping + engine.gain) > (
        engine.inertia * engine.lag * engine.reset
    )


def at_rest(engine: Engine, setting: Real, load: Real) -> Speed:
    """Where a set comes to rest under a steady load [1]: at nominal speed, or below it by its droop."""
    xp = library_of(engine.lag)
    has_droop = engine.reset == 0
    deviation = xp.where(has_droop, (setting - load) / (engine.damping + engine.gain), 0.0)
    return Speed(deviation, load + engine.damping * deviation, xp.where(has_droop, setting, load + 0.0 * setting))


def swing(engine: Engine, now: Speed, load: Real, ceiling: Real, seconds: Real) -> Swing:
    """Turn a set for some seconds under a steady load.

    Args:
        now: where it stands, arrays (member, n).
        load: electric power while connected, over rating [1].
        ceiling: most power its fuel gives, over rating [1].
        seconds: length of the swing [s].
    """
    xp = library_of(load)
    rest = at_rest(engine, now.setting, load)
    far = abs(now.deviation - rest.deviation) + abs(now.power - rest.power) + abs(now.setting - rest.setting)
    left = seconds * (far > SETTLED)
    at = Speed(*(xp.where(left > 0, x, y) for x, y in zip(now, rest)))
    lowest, highest = xp.minimum(now.deviation, at.deviation), xp.maximum(now.deviation, at.deviation)
    valve = at.setting - engine.gain * at.deviation
    limit = 1.0 * (valve > ceiling) - 1.0 * (valve < 0)
    times, deviations, since = [], [], 0.0
    for phase in range(PHASES):
        if not worth_doing(left > 0):
            break
        span, limit, after, t, f, slope = _phase(engine, at, load, ceiling, limit, left, phase == PHASES - 1)
        low, high = _extremes(t, f, slope)
        moves = left > 0
        lowest = xp.where(moves, xp.minimum(lowest, low), lowest)
        highest = xp.where(moves, xp.maximum(highest, high), highest)
        times.append(since + t)
        deviations.append(xp.where(moves, f, at.deviation))
        at = Speed(*(xp.where(moves, x, y) for x, y in zip(after, at)))
        since, left = since + span, left - span
    stands = Speed(xp.maximum(at.deviation, -1.0), at.power, at.setting)
    return Swing(stands, xp.maximum(lowest, -1.0), highest, times, deviations)


def _phase(
    e: Engine, now: Speed, load: Real, ceiling: Real, limit: Real, left: Real, is_last: bool
) -> tuple[Real, Real, Speed, Array, Array, Array]:
    """From here to the next fuel limit, or to the end.

    Returns:
        Seconds it lasts, the limit next (-1 no fuel, 0 free, 1 ceiling), where it ends, and moments, deviations and
        their slopes on the way (point, member, n).
    """
    xp = library_of(left)
    free = _free(e, now, load)
    bound = xp.where(limit > 0, ceiling, 0.0)

    def stand(t: Real) -> tuple[Real, Real, Speed]:
        """Slope of f, distance from leaving this phase, and where the set stands after t seconds."""
        slope, at = free(t)
        if worth_doing(limit != 0):
            slope_held, held = _held(e, now, load, bound, t)
            slope = xp.where(limit != 0, slope_held, slope)
            at = Speed(*(xp.where(limit != 0, x, y) for x, y in zip(held, at)))
        valve = at.setting - e.gain * at.deviation
        within = xp.minimum(ceiling - valve, valve)
        if worth_doing(limit != 0):
            # at a limit the integral waits until it can move the fuel back, and follows the speed in between
            pull = e.reset * at.deviation + e.gain * slope
            follows = bound + e.gain * at.deviation
            beyond = xp.maximum((now.setting - follows) * limit, -pull * limit)
            within = xp.where(limit != 0, beyond, within)
            keeps = xp.where(limit > 0, xp.maximum(now.setting, follows), xp.minimum(now.setting, follows))
            slides = (limit != 0) & (e.reset > 0)
            at = Speed(at.deviation, at.power, xp.where(slides, keeps, at.setting))
        return slope, within, at

    # close together at first, where a step of load is felt, and far apart in long ticks
    scale = 0.5 * xp.sqrt(e.inertia * e.lag / e.gain)
    t = xp.minimum(scale * (xp.exp(e.shares * xp.log1p(left / scale)) - 1.0), left)
    slope, within, at = stand(t)
    span, leaves = left, 0.0 * left
    if not is_last:
        leaves, span = _leaving(t, within, lambda moment: stand(moment)[1], left)
    end_slope, _, end = stand(span)
    valve = end.setting - e.gain * end.deviation
    nearer = xp.where(ceiling - valve < valve, 1.0, -1.0)
    follows = xp.where(leaves > 0, xp.where(limit == 0, nearer, 0.0), limit)
    inside = t < span
    return (
        span,
        follows,
        end,
        xp.minimum(t, span),
        xp.where(inside, at.deviation, end.deviation),
        xp.where(inside, slope, end_slope),
    )


def _free(e: Engine, now: Speed, load: Real) -> Any:
    """The free motion: f(t) = f_rest + sum c_i exp(s_i t), with c from f, f' and f'' now (Lagrange)."""
    rest = at_rest(e, now.setting, load).deviation
    first = (now.power - load - e.damping * now.deviation) / e.inertia
    pull = (now.setting - e.gain * now.deviation - now.power) / e.lag
    second = (pull - e.damping * first) / e.inertia
    away = now.deviation - rest
    a, b, c = e.roots
    sizes = [
        (second - (j + k) * first + j * k * away) / ((i - j) * (i - k)) for i, j, k in ((a, b, c), (b, c, a), (c, a, b))
    ]

    def motion(t: Real) -> tuple[Real, Speed]:
        terms = [size * library_of(t).exp(root * t) for size, root in zip(sizes, e.roots)]
        speeds = [root * term for root, term in zip(e.roots, terms)]
        deviation = rest + (terms[0] + terms[1] + terms[2]).real
        slope = (speeds[0] + speeds[1] + speeds[2]).real
        bend = (a * speeds[0] + b * speeds[1] + c * speeds[2]).real
        power = load + e.damping * deviation + e.inertia * slope
        fuel = power + e.lag * (e.damping * slope + e.inertia * bend)
        return slope, Speed(deviation, power, fuel + e.gain * deviation)

    return motion


def _held(e: Engine, now: Speed, load: Real, bound: Real, t: Real) -> tuple[Real, Speed]:
    """The motion with the fuel at a limit: without damping f falls in a straight line once the engine gives all.

    Pm = u + (Pm0 - u) e^(-t/tau)
    """
    xp = library_of(t)
    slow, fast = e.damping / e.inertia, 1.0 / e.lag
    least, most = xp.minimum(slow, fast), xp.maximum(slow, fast)
    fades = xp.exp(-fast * t)
    power = bound + (now.power - bound) * fades
    steady = t * _relative(slow * t)
    passing = t * xp.exp(-least * t) * _relative((most - least) * t)
    deviation = (
        now.deviation * xp.exp(-slow * t)
        + ((bound - load) * steady + (now.power - bound) * passing) / e.inertia
    )  # fmt: skip
    slope = (power - load - e.damping * deviation) / e.inertia
    return slope, Speed(deviation, power, now.setting + 0.0 * t)


def _relative(x: Real) -> Real:
    """(1 - e^-x)/x for x >= 0, 1 at none."""
    xp = library_of(x)
    none = x == 0
    return xp.where(none, 1.0, -xp.expm1(-x) / xp.where(none, 1.0, x))


def _leaving(t: Array, within: Array, distance: Any, left: Real) -> tuple[Real, Real]:
    """Whether a phase ends before the tick, and its length: the first moment at which `within` is negative."""
    xp = library_of(left)
    outside = (within[1:] < -1e-12) & (left > 0)
    if not worth_doing(outside):
        return 0.0 * left, left
    first = outside & (outside.astype(float).cumsum(axis=0) == 1.0)
    leaves = (first.sum(axis=0) > 0) * 1.0
    begin, until = (t[:-1] * first).sum(axis=0), (t[1:] * first).sum(axis=0)
    above = xp.maximum((within[:-1] * first).sum(axis=0), 0.0)
    below = (within[1:] * first).sum(axis=0)
    for _ in range(ROUNDS):
        drop = above - below
        moment = until - (until - begin) * (-below) / xp.where(drop > 0, drop, 1.0)
        here = distance(moment)
        passed = here < 0
        # Illinois: the end that stays counts half, so that both close in
        above, below = xp.where(passed, 0.5 * above, here), xp.where(passed, here, 0.5 * below)
        begin, until = xp.where(passed, begin, moment), xp.where(passed, moment, until)
    drop = above - below
    root = begin + (until - begin) * above / xp.where(drop > 0, drop, 1.0)
    return leaves, xp.where(leaves > 0, root, left)


def _extremes(t: Array, f: Array, slope: Array) -> tuple[Array, Array]:
    """Lowest and highest value on the way: of the points, and of the cubic between each two (Hermite)."""
    xp = library_of(t)
    h = t[1:] - t[:-1]
    m0, m1, rise = slope[:-1] * h, slope[1:] * h, f[1:] - f[:-1]
    turns = m0 * m1 < 0
    low, high = f.min(axis=0), f.max(axis=0)
    if not worth_doing(turns):
        return low, high
    a, b = 3.0 * (m0 + m1 - 2.0 * rise), 2.0 * (3.0 * rise - 2.0 * m0 - m1)
    root = -b + xp.where(m0 > 0, 1.0, -1.0) * xp.sqrt(xp.maximum(b * b - 4.0 * a * m0, 0.0))
    s = 2.0 * m0 / xp.where(turns, root, 1.0)
    peak = xp.where(turns, f[:-1] + s * (m0 + s * (0.5 * b + s * a / 3.0)), f[:-1])
    return xp.minimum(low, peak.min(axis=0)), xp.maximum(high, peak.max(axis=0))


def beyond(seen: Swing, limit: Real, sense: float, delay: Real, age: Real, seconds: Real) -> tuple[Real, Real]:
    """How long a speed has been beyond a limit, and when that has lasted for a delay.

    Args:
        seen: a swing of the sets. seconds: its length [s].
        limit: deviation that is watched [1].
        sense: -1 watches for lower speeds, 1 for higher ones.
        delay: time beyond the limit that counts [s].
        age: time beyond it at the start [s].

    Returns:
        The time at the end [s], 0 where within, and the moment from its start at which the delay is over [s],
        NEVER where it is not.
    """
    xp = library_of(seconds)
    trips = NEVER + 0.0 * seconds
    since = xp.where(age > 0, -age, NEVER)
    for t, f in zip(seen.times, seen.deviations):
        over = (f - limit) * sense
        for k in range(1, t.shape[0]):
            before, after = over[k - 1], over[k]
            crossing = t[k - 1] + before * (t[k] - t[k - 1]) / xp.where(after == before, 1.0, before - after)
            since = xp.where((after > 0) & (since >= NEVER), xp.where(before > 0, t[k - 1], crossing), since)
            until = xp.where(after > 0, t[k], crossing)
            due = xp.maximum(since + delay, 0.0)
            trips = xp.where(due <= until, xp.minimum(trips, due), trips)
            since = xp.where(after > 0, since, NEVER)
    ends = (seen.end.deviation - limit) * sense > 0
    since = xp.where(ends & (since >= NEVER), seconds, since)
    due = xp.maximum(since + delay, 0.0)
    trips = xp.where(ends & (due < seconds), xp.minimum(trips, due), trips)
    return xp.where(ends, seconds - since, 0.0), trips


def frequency_response(engine: Engine, omega: Real) -> Real:
    """Speed of a set per swing of its load, both relative, at an angular frequency [rad/s]; limits not met.

    F/Pe = -(1 + tau s) s / ((2H s + D)(1 + tau s) s + K s + K_i),   s = j omega
    """
    s = 1j * omega
    lagged = (1.0 + engine.lag * s) * s
    return -lagged / ((engine.inertia * s + engine.damping) * lagged + engine.gain * s + engine.reset)


class TransientLimits(NamedTuple):
    """What a performance class allows on a sudden change of load: of nominal [1], times [s]."""

    frequency_dip: float
    frequency_rise: float
    frequency_recovery: float
    voltage_dip: float
    voltage_rise: float
    voltage_recovery: float
    droop: float
    frequency_band: float


ISO_8528_5 = {
    "G2": TransientLimits(0.10, 0.12, 5.0, 0.20, 0.25, 6.0, 0.05, 0.015),
    "G3": TransientLimits(0.07, 0.10, 3.0, 0.15, 0.20, 4.0, 0.03, 0.005),
}
"""Performance classes of ISO 8528-5 (textbook knowledge, to be verified)."""


def by_load(x: Real, points: tuple[Real, ...]) -> Real:
    """What is burnt at a load, along straight lines through what is published at 0, 1/4, 1/2, 3/4 and full load.

    Args:
        x: load over rating; beyond 1 the last line goes on [1].
        points: the five values, in the unit of the answer.
    """
    xp = library_of(x)
    burnt = points[0] + (points[1] - points[0]) * (4.0 * xp.minimum(x, 0.25))
    for k in (1, 2):
        burnt = burnt + (points[k + 1] - points[k]) * (4.0 * xp.minimum(xp.maximum(x - 0.25 * k, 0.0), 0.25))
    return burnt + (points[4] - points[3]) * (4.0 * xp.maximum(x - 0.75, 0.0))


def points_by_load(idle: Real, inner: tuple[Real, ...], full: Real) -> tuple[Real, ...]:
    """What is burnt at 0, 1/4, 1/2, 3/4 and full load; where `inner` says 0, on the line between the ends."""
    where = library_of(full).where
    line = [idle + (full - idle) * (k / 4) for k in range(5)]
    return line[0], *(where(said > 0, said, line[k]) for k, said in enumerate(inner, 1)), line[4]
