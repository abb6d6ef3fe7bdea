"""Pipe: friction by Swamee and Jain, fronts that arrive when they should, loss in closed form, books, measured runs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import PIPE
from twin.equipment.pipe import CELLS, NAMES, Pipe
from twin.physics import plug

WATER = 4.17e6
MEASURED = Path(__file__).parents[3] / "shared" / "data" / "pipe_measured"


def unit(**more):
    return Pipe(**{**PIPE, "wall_heat_capacity": 0.0, "loss_conductance": 0.0, **more})


def warm(T=300.0):
    return dict.fromkeys([*NAMES, "wall_temperature"], T)


# Friction


@pytest.mark.parametrize(
    ("Re", "roughness", "f"),
    [(100, 0.0, 0.64), (1000, 0.0, 0.064), (1e5, 0.0, 0.0180), (1e5, 1e-3, 0.0222), (1e7, 1e-2, 0.0379)],
)
def test_friction_at_points_of_moody_s_chart(Re, roughness, f):
    assert plug.friction_factor(Re, roughness) == pytest.approx(f, rel=0.02)


@pytest.mark.parametrize("q", [1e-6, 1e-4, 0.005, 0.03, 0.1])
def test_its_branch_meets_darcy_at_the_flow_it_had(q):
    """By hand: (f l/d + K) rho v^2/2."""
    made = unit()
    b = WetBench(made, state={"flow_seen": q})
    branch = made.branch(b.state, b.inputs, None, "coolant")
    v = 4 * q / (math.pi * 0.15**2)
    Re = 995.6 * v * 0.15 / 7.97e-4
    if Re > 100:
        by_hand = (plug.friction_factor(Re, 4.6e-5 / 0.15) * 40 / 0.15 + 4) * 0.5 * 995.6 * v * v
        assert float(branch.laminar[0, 0] * q + branch.turbulent[0, 0] * q * q) == pytest.approx(by_hand, rel=1e-9)
    assert np.all(branch.laminar > 0)
    assert np.all(branch.turbulent >= 0)


def test_at_a_steady_pressure_the_flow_settles_on_darcy():
    b = WetBench(unit())
    for _ in range(12):
        answer = b.tick(1.0, pressure={"coolant": 20e3})
    assert b.unit.pressure_lost(answer.flow["coolant"]) == pytest.approx(20e3, rel=1e-6)


# Transport


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("dt", [1.0, 5.0, 17.0, 60.0])
@pytest.mark.parametrize("wall", [0.0, 1e6])
def test_a_front_arrives_when_it_should(dt, way, wall):
    """Plug flow and a wall, closed form: nothing before V/q, then 1 - exp(-(t - V/q) C_flow/C_wall).

    Half the step has come through within 2 % of the delay or half a tick; the area missed is exact to 0.1 %.
    """
    b = WetBench(unit(wall_heat_capacity=wall), state=warm())
    flow = 0.005
    delay, lag = b.unit.volume / flow, wall / (flow * WATER)
    seen, missed = [], 0.0
    while b.now < delay + 8 * lag + 3 * dt + 0.5 * delay:
        answer = b.tick(dt, {"coolant": way * flow}, {"coolant": 310.0})
        missed += dt * (310.0 - answer.outlet["coolant"]) / 10.0
        seen.append((b.now - 0.5 * dt, (answer.outlet["coolant"] - 300.0) / 10.0))
    assert missed == pytest.approx(delay + lag, rel=1e-3)
    times, share = map(np.array, zip(*seen, strict=True))
    halfway = delay + math.log(2.0) * lag
    assert np.interp(0.5, share, times) == pytest.approx(halfway, abs=max(0.02 * delay, 0.51 * dt))
    early, late = np.interp(0.1, share, times), np.interp(0.9, share, times)
    assert late - early < 0.23 * delay + math.log(9.0) * lag + 1.6 * dt
    assert np.all(np.diff(share) >= -1e-9)
    assert b.worst < 1e-11


def test_what_goes_in_comes_out_again_when_the_flow_turns():
    b = WetBench(unit(), state=warm())
    half = b.unit.volume / 0.005 / 2
    for _ in range(20):
        b.tick(half / 20, {"coolant": 0.005}, {"coolant": 320.0})
    for _ in range(20):
        b.tick(1.0, {"coolant": 0.0}, {"coolant": 290.0})
    out = [b.tick(half / 20, {"coolant": -0.005}, {"coolant": 300.0}).outlet["coolant"] for _ in range(20)]
    assert out[0] == pytest.approx(320.0, abs=0.01)
    assert np.mean(out) == pytest.approx(320.0, abs=1.5)
    assert b.worst < 1e-11


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 600.0])
def test_a_steady_pipe_loses_what_the_textbook_says(dt):
    """T_out = T_air + (T_in - T_air) exp(-UA/C_flow)."""
    b = WetBench(unit(loss_conductance=400.0, wall_heat_capacity=5e5), state=warm(330.0))
    for _ in range(max(int(3000 / dt), 12)):
        answer = b.tick(dt, {"coolant": 0.005}, {"coolant": 330.0}, weather=(280.0, 275.0))
    wanted = 280.0 + 50.0 * math.exp(-400.0 / (0.005 * WATER))
    assert answer.outlet["coolant"] == pytest.approx(wanted, abs=4e-3)
    assert b.gives("heat_lost") == pytest.approx(0.005 * WATER * (330.0 - wanted), rel=5e-3)


def test_standing_coolant_cools_down_as_an_exponential():
    b = WetBench(unit(loss_conductance=400.0), state=warm(330.0))
    for _ in range(60):
        b.tick(60.0, {"coolant": 0.0}, weather=(280.0, 275.0))
    rate = 400.0 / (b.unit.volume * WATER)
    assert b.is_("cell_07") == pytest.approx(280.0 + 50.0 * math.exp(-3600.0 * rate), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(275, 340), min_size=CELLS, max_size=CELLS),
    st.floats(-0.2, 0.2),
    st.floats(275, 340),
    st.sampled_from([0.001, 1.0, 30.0, 300.0]),
    st.floats(0, 500),
)
def test_nothing_gets_warmer_than_what_it_came_from(cells, flow, inlet, dt, loss):
    b = WetBench(unit(loss_conductance=loss), state=dict(zip(NAMES, cells, strict=True)) | {"wall_temperature": inlet})
    answer = b.tick(dt, {"coolant": flow}, {"coolant": inlet}, weather=(290.0, 285.0))
    low, high = min(*cells, inlet, 290.0), max(*cells, inlet, 290.0)
    assert low - 1e-6 <= answer.outlet["coolant"] <= high + 1e-6
    for name in NAMES:
        assert low - 1e-6 <= b.is_(name) <= high + 1e-6
    assert b.worst < 1e-11


# Measured


@pytest.mark.skipif(not MEASURED.is_dir(), reason="the measured runs are not beside the project")
@pytest.mark.parametrize("run", ["150801", "151202", "151204_1", "151204_2", "151204_4"])
@pytest.mark.parametrize("dt", [1.0, 3.0])
def test_the_measured_runs_of_liege(run, dt):
    """39 m of DN 50 steel with 13 mm of insulation (van der Heijde et al. 2017): RMSE of the outlet at most 0.7 K."""
    rows = np.loadtxt(MEASURED / f"PipeDataULg{run}.mos", delimiter=",", skiprows=2)
    time, flow, T_out, T_in = rows[:, 0], rows[:, 1] / 995.6, rows[:, 3] + 273.15, rows[:, -1] + 273.15
    per_metre = math.pi / (math.log((0.0603 / 2 + 0.013) / (0.0603 / 2)) / (2 * 0.04) + 1 / (5 * (0.0603 + 0.026)))
    wall = math.pi / 4 * (0.0603**2 - 0.05248**2) * 39 * 7850 * 480
    made = Pipe(length=39, diameter=0.05248, wall_heat_capacity=wall, loss_conductance=per_metre * 39)
    b = WetBench(made, state=warm(float(T_out[0])))
    off = []
    while b.now < time[-1] - dt:
        at = b.now + 0.5 * dt
        answer = b.tick(
            dt,
            {"coolant": float(np.interp(at, time, flow))},
            {"coolant": float(np.interp(at, time, T_in))},
            weather=(291.15, 285.0),
        )
        off.append(answer.outlet["coolant"] - np.interp(at, time, T_out))
    rmse = math.sqrt(np.mean(np.square(off)))
    print(f"\nULg {run}, tick {dt:g} s: RMSE {rmse:.2f} K over {len(off)} ticks")
    assert rmse <= 0.7
