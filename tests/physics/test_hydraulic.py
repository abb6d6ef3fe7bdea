"""Flow: branches that invert, pumps that coast and ramp exactly, affinity, valves that leak a little."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from twin.physics.hydraulic import (
    FRICTION,
    VALVE_LEAK,
    affinity,
    branch_flow,
    coast,
    pump_power,
    ramp,
    resistance,
    turn,
    valve_resistance,
)


def test_a_branch_passes_what_its_resistance_asks_back():
    """dp = a q + b q|q| to 1e-12, over sixteen decades of each and in both directions."""
    random = np.random.default_rng(1)
    count = 20000
    dp = 10.0 ** random.uniform(-9, 9, count) * random.choice([-1.0, 1.0], count)
    a = 10.0 ** random.uniform(-3, 13, count)
    b = np.where(random.random(count) < 0.1, 0.0, 10.0 ** random.uniform(-3, 13, count))
    q, slope = branch_flow(dp, a, b)
    np.testing.assert_allclose(a * q + b * q * abs(q), dp, rtol=1e-12)
    np.testing.assert_allclose(slope, 1.0 / (a + 2.0 * b * abs(q)), rtol=1e-12)


def test_a_branch_without_pressure_has_no_flow_and_a_finite_slope():
    q, slope = branch_flow(np.float64(0.0), 2e4, 5e9)
    assert q == 0.0
    assert slope == pytest.approx(1.0 / 2e4, rel=1e-15)


@pytest.mark.parametrize("share", [0.0, 0.107, 1.0])
def test_a_resistance_loses_its_nominal_pressure_at_nominal_flow(share):
    a, b = resistance(60e3, 0.002, share)
    assert a * 0.002 + b * 0.002**2 == pytest.approx(60e3, rel=1e-14)
    assert a * 0.002 == pytest.approx(share * 60e3, abs=1e-9)


@pytest.mark.parametrize("speed", [0.2, 0.7, 1.0, 1.2])
def test_pump_power_goes_with_the_cube_of_speed_at_the_same_point_of_the_curve(speed):
    at = lambda n, q: float(pump_power(affinity(np.float64(n), 0.02, 13.7e3), np.float64(q)))  # noqa: E731
    assert at(speed, 0.02 * speed) == pytest.approx(13.7e3 * speed**3, rel=1e-13)
    assert at(speed, 0.0) == pytest.approx(0.4 * 13.7e3 * speed**3, rel=1e-13)
    assert at(speed, -0.01) == at(speed, 0.0), "a backward flow takes what no flow takes"
    assert at(speed, 1.0) == pytest.approx(13.7e3 * speed**3 * (0.4 + 0.6 * 2.0), rel=1e-13)
    assert at(0.0, 0.0) == pytest.approx(0.0, abs=1e-20)


def test_a_pump_without_power_coasts_as_its_equation_says():
    """dn/dt = -(n^2 + f)/tau against scipy while it turns; from full speed half is left after the half time."""
    half, start = 2.0, 0.93
    root = math.sqrt(FRICTION)
    tau = half * root / (math.atan(1 / root) - math.atan(0.5 / root))
    stops = tau / root * math.atan(start / root)
    solved = solve_ivp(
        lambda t, y: [-(y[0] ** 2 + FRICTION) / tau, y[0]],
        (0, stops),
        [start, 0.0],
        rtol=1e-12,
        atol=1e-14,
        dense_output=True,
    )
    for t in (0.0, 1e-6, 0.5, 2.0, 8.0):
        speed, turned = coast(np.float64(start), t, half)
        assert float(speed) == pytest.approx(solved.sol(t)[0], rel=1e-8)
        assert float(turned) == pytest.approx(solved.sol(t)[1], rel=1e-9, abs=1e-14)
    assert float(coast(np.float64(1.0), half, half)[0]) == pytest.approx(0.5, rel=1e-14)
    assert float(coast(np.float64(start), stops + 1e-9, half)[0]) == 0.0
    assert [float(x) for x in coast(np.float64(0.0), 5.0, half)] == [0.0, 0.0]


def test_a_coasting_pump_passes_a_speed_when_its_equation_says():
    falls = turn(np.float64(1.0), 1.0, 0.0, 0.0, 2.0, 5.0, 20.0)
    moment = float(falls.moment_of(0.1, 2.0, 5.0))
    assert float(coast(np.float64(1.0), moment, 2.0)[0]) == pytest.approx(0.1, rel=1e-12)


@pytest.mark.parametrize("dt", [20.0, 1.0, 0.25])
@pytest.mark.parametrize(
    ("start", "target", "driven", "limit", "expected"),
    [
        (0.0, 1.0, (3.3, 20.0), 0.05, 3.3 + 0.25),  # starts late in a tick, ramps over 5 s
        (1.0, 1.0, (0.0, 7.4), 0.1, None),  # its supply dies within a tick: it coasts from there
        (0.9, 0.02, (0.0, 20.0), 0.1, 4.0),  # driven down
        (0.05, 1.0, (9.1, 20.0), 0.1, 9.1 + 0.5),  # comes to rest, then is driven again
    ],
)
def test_a_pump_passes_a_speed_at_the_same_moment_at_any_tick(dt, start, target, driven, limit, expected):
    """Driven between two moments, coasting else; speeds and turns as in one tick of 20 s."""
    begins, ends = driven
    speed, turned, moment = np.float64(start), 0.0, None
    for k in range(round(20.0 / dt)):
        now = k * dt
        runs = max(min(now + dt, ends) - max(now, begins), 0.0)
        late = now + dt - max(now, ends) if ends < now + dt else 0.0
        part = turn(speed, target, runs / dt, late, 2.0, 5.0, dt)
        if (part.start < limit) != (part.end < limit):
            moment = now + float(part.moment_of(limit, 2.0, 5.0))
        speed, turned = part.end, turned + float(part.mean) * dt
    whole = turn(np.float64(start), target, (ends - begins) / 20.0, 20.0 - ends, 2.0, 5.0, 20.0)
    assert float(speed) == pytest.approx(float(whole.end), abs=1e-12)
    assert turned == pytest.approx(float(whole.mean) * 20.0, rel=1e-11)
    if expected is None:
        left = moment - ends
        assert float(coast(np.float64(1.0), left, 2.0)[0]) == pytest.approx(limit, rel=1e-9)
    else:
        assert moment == pytest.approx(expected, abs=1e-9)


def in_pieces(law, value, times):
    """A law over a sequence of times: value at the end and the sum of its integrals."""
    total = 0.0
    for seconds in times:
        value, part = law(value, seconds)
        total += float(part)
    return float(value), total


@pytest.mark.parametrize("pieces", [2, 7, 100])
def test_coasting_and_ramping_are_the_same_in_any_number_of_pieces(pieces):
    random = np.random.default_rng(pieces)
    times = random.dirichlet(np.ones(pieces)) * 9.0
    laws = [lambda n, t: coast(np.float64(n), t, 2.0)]
    laws += [lambda n, t, to=to: ramp(np.float64(n), to, t, 5.0) for to in (1.0, 0.0, 0.4)]
    for law in laws:
        for start in (1.0, 0.37, 0.0):
            whole = in_pieces(law, start, [float(times.sum())])
            assert in_pieces(law, start, times) == pytest.approx(whole, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(("start", "target"), [(0.0, 1.0), (1.0, 0.25), (0.3, 0.3), (0.9, 1.2)])
@pytest.mark.parametrize("seconds", [0.0, 0.7, 3.0, 5.0, 40.0])
def test_a_drive_ramps_in_a_straight_line_and_stays(start, target, seconds):
    full = 5.0

    def path(t):
        step = min(t / full, abs(target - start))
        return start + step * (1 if target > start else -1)

    end, turned = ramp(np.float64(start), target, seconds, full)
    corner = min(abs(target - start) * full, seconds)
    area = quad(path, 0, corner)[0] + quad(path, corner, seconds)[0]
    assert float(end) == pytest.approx(path(seconds), abs=1e-14)
    assert float(turned) == pytest.approx(area, rel=1e-12, abs=1e-13)


def test_a_valve_passes_its_opening_and_leaks_when_shut():
    """At a fixed pressure over a turbulent valve the flow goes with the opening."""
    b = 1e10
    flow = [float(branch_flow(np.float64(1e5), 1e-3, b * valve_resistance(np.float64(x)))[0]) for x in (1.0, 0.5, 0.0)]
    assert flow[1] / flow[0] == pytest.approx(0.5, rel=1e-6)
    assert flow[2] / flow[0] == pytest.approx(VALVE_LEAK, rel=1e-3)
    assert float(valve_resistance(np.float64(1.0))) == 1.0
