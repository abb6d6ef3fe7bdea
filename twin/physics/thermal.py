"""Heat: stirred volumes, exchangers, and two masses that conduct to each other, each exact over a tick."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of, stacked, worth_doing

Real = Any
TINY = 1e-300


def mean_weight(k: Real) -> Real:
    """(1 - e^-k)/k for k >= 0: the share that the start keeps in the mean of a relaxation over k time constants."""
    xp = library_of(k)
    k = xp.minimum(-k, -TINY)
    return xp.expm1(k) / k


def mean_lag(k: Real) -> Real:
    """(k - 1 + e^-k)/k^2 for k >= 0."""
    return _lag(k, -library_of(k).expm1(-k))


def _lag(k: Real, gone: Real) -> Real:
    """(k - gone)/k^2 where gone = 1 - e^-k, by its series below 0.01 where the difference would cancel."""
    small = k < 0.01
    if not worth_doing(small):
        return (k - gone) / (k * k)
    series = 0.5 - k * (1 / 6 - k * (1 / 24 - k * (1 / 120 - k / 720)))
    if not worth_doing(k >= 0.01):
        return series
    xp = library_of(k)
    return xp.where(small, series, (k - gone) / xp.where(small, 1.0, k * k))


class Answer(NamedTuple):
    """T_mean = constant + slope T_in over a tick [K]."""

    constant: Real
    slope: Real


class Mixing(NamedTuple):
    """How a stirred volume takes in its inflow over a tick, whatever their temperatures.

    keep, slope: weights of its start and of its inflow in its mean, which sum to 1; warmth: what a watt adds to
    the mean [K/W]; gone: share of the start that has left at the end.
    """

    keep: Real
    slope: Real
    warmth: Real
    gone: Real

    def answer(self, T: Real, Q_flow: Real | None = None) -> Answer:
        """What leaves a volume at T [K], warmed by Q_flow [W]."""
        held = T * self.keep
        return Answer(held if Q_flow is None else held + Q_flow * self.warmth, self.slope)


def mixing(C_flow: Real, C: Real, dt: Real) -> Mixing:
    """Mixing of a volume by its through-flow [W/K] and heat capacity [J/K]."""
    xp, per_watt = library_of(C_flow), dt / C
    k = xp.maximum(C_flow * per_watt, TINY)
    gone = -xp.expm1(-k)
    keep = gone / k
    return Mixing(keep, 1.0 - keep, per_watt * _lag(k, gone), gone)


def stir(T: Real, C_flow: Real, C: Real, dt: Real, Q_flow: Real | None = None) -> Answer:
    """How a well-stirred volume answers its inflow: the mean of its temperature over one tick.

        C dT/dt = C_flow (T_in - T) + Q_flow

    Exact for steady inflow and heat at any dt, also when the flow stops. The end of the tick follows
    from the balance, T + dt (C_flow (T_in - T_mean) + Q_flow)/C, which is the exponential again.

    Args:
        T: temperature now [K], shape (member, n).
        C_flow: heat-capacity rate of the through-flow [W/K], >= 0.
        C: heat capacity of the volume [J/K].
        dt: tick [s].
        Q_flow: heat added inside [W], where there is any.

    Source: first-order linear ODE; textbook.
    """
    return mixing(C_flow, C, dt).answer(T, Q_flow)


def counterflow_effectiveness(NTU: Real, ratio: Real) -> Real:
    """Effectiveness of a counterflow exchanger.

        eps = (1 - e^{-NTU (1-c)}) / (1 - c e^{-NTU (1-c)}),   c = C_min/C_max

    written so that c = 1 (eps = NTU/(1 + NTU)) and c = 0 need no special case.

    Source: Kays & London, Compact Heat Exchangers.
    """
    pull = NTU * mean_weight(NTU * (1.0 - ratio))
    return pull / (1.0 + ratio * pull)


def exchanger_conductance(UA: Real, C_hot: Real, C_cold: Real) -> Real:
    """Heat per kelvin between the two inlets of a counterflow exchanger [W/K]: eps C_min, zero at no flow.

        eps C_min = 1/(1/w + 1/C_max),   w = UA (1 - e^{-k})/k,   k = UA (1/C_min - 1/C_max)

    Source: `counterflow_effectiveness`, rearranged.
    """
    xp = library_of(C_hot)
    hot, cold = xp.maximum(C_hot, TINY), xp.maximum(C_cold, TINY)
    w, most = UA * mean_weight(UA * abs(1.0 / hot - 1.0 / cold)), xp.maximum(hot, cold)
    return w * most / (w + most)


def film_resistance(x: Real, exponent: Real = 0.8) -> Real:
    """Resistance of a film whose conductance goes with flow^exponent, of that at nominal flow [1].

    Args:
        x: flow as a fraction of nominal [1].

    Source: Dittus-Boelter scaling; textbook.
    """
    return library_of(x).maximum(x, 1e-12) ** -exponent


def film_conductance(UA_nominal: Real, x_hot: Real, x_cold: Real) -> Real:
    """UA of plates whose two films weigh alike at nominal flow [W/K].

        1/UA = (R_hot + R_cold)/(2 UA_nominal)

    Args:
        x_hot, x_cold: flows as a fraction of nominal [1].
    """
    return 2.0 * UA_nominal / (film_resistance(x_hot) + film_resistance(x_cold))


class Modes(NamedTuple):
    """The two modes of a pair of masses: dx/dt = A x + ..., eigenvalues `slow` and `fast` [1/s]."""

    a: Real
    b: Real
    c: Real
    d: Real
    slow: Real
    fast: Real


def modes(a: Real, b: Real, c: Real, d: Real, determinant: Real) -> Modes:
    """Eigenvalues of [[a, b], [c, d]] with b c > 0.

    The determinant is asked for because a d - b c cancels when nothing leaves the pair (no flow).
    """
    total, apart = a + d, a - d
    half = library_of(total).sqrt(0.25 * (apart * apart) + b * c)
    fast = 0.5 * total - half
    return Modes(a, b, c, d, determinant / fast, fast)


Coefficients = tuple[tuple[Real, Real], tuple[Real, Real]]
"""(f0, f1) and (g0, g1) of `response`."""


def response(m: Modes, t: Real) -> Coefficients:
    """Coefficients (f0, f1) and (g0, g1) of a pair of masses after t seconds.

        x(t) = x0 + (f0 + f1 A) x0',    integral of x = x0 t + (g0 + g1 A) x0'

    where x0' is the rate of change now. They hold with no flow, where no equilibrium exists.
    """
    return _coefficients(stacked(m.slow, m.fast), t)


def responses(one: Modes, other: Modes, t: Real) -> tuple[Coefficients, Coefficients]:
    """`response` of two pairs of masses at once."""
    rates = stacked(one.slow, other.slow, one.fast, other.fast)
    f, g = _coefficients(rates.reshape(2, 2, *rates.shape[1:]), t)
    return ((f[0][0], f[1][0]), (g[0][0], g[1][0])), ((f[0][1], f[1][1]), (g[0][1], g[1][1]))


def _coefficients(rates: Real, t: Real) -> Coefficients:
    """Of `response`, from the eigenvalues stacked as slow and fast."""
    (f_slow, f_fast), (g_slow, g_fast) = _integrals(rates, t)
    slow, fast = rates
    apart = slow - fast
    f1, g1 = (f_slow - f_fast) / apart, (g_slow - g_fast) / apart
    return (f_fast - f1 * fast, f1), (g_fast - g1 * fast, g1)


def _integrals(rate: Real, t: Real) -> tuple[Real, Real]:
    """Integral of e^{rate s} over 0..t [s], and the integral of that [s^2]."""
    xp = library_of(rate)
    z = rate * t
    near = abs(z) < 0.01
    if not worth_doing(near):
        grown = xp.expm1(z)
        return t * (grown / z), t * t * ((grown - z) / (z * z))
    safe = xp.where(near, 1.0, z)
    grown = xp.expm1(safe)
    first = 1 + z * (1 / 2 + z * (1 / 6 + z * (1 / 24 + z * (1 / 120 + z / 720))))
    second = 1 / 2 + z * (1 / 6 + z * (1 / 24 + z * (1 / 120 + z * (1 / 720 + z / 5040))))
    return t * xp.where(near, first, grown / safe), t * t * xp.where(near, second, (grown - safe) / (safe * safe))
