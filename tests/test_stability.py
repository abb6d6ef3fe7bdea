"""Stability: with PI controls on a plant neither cycles nor overshoots as the tick grows, and keeps its moments."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.small_plants import chain, pod, wet_chain
from twin import model as compiled
from twin.declare import replace
from twin.simulation import settle
from twin.step import step

PLANTS = {"chain": chain, "pod": pod, "wet chain": wet_chain, "layered pod": lambda: pod(dc=True),
          "short chain": lambda: chain(tank_volume=1.0)}  # fmt: skip
SETPOINT = 313.15


@cache
def settled(name, load):
    model = compiled.compile(PLANTS[name]())
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + load)
    return model, asked, settle(model, asked)


def run(name, dt, load, then, seconds):
    """Valve and supply temperature of the first CDU and first die, after each tick; load steps as the run begins."""
    model, asked, s = settled(name, load)
    asked = asked | {"rack": replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + then)}
    found, worst = [], 0.0
    for k in range(max(round(seconds / dt), 12)):
        s = step(model, s, asked, k * dt, dt)
        rows = s.rows["cdu"], s.rows["rack"]
        found.append((rows[0].valve[0, 0], rows[0].supply_temperature[0, 0], rows[1].die_temperature[0, 0]))
        worst = max(worst, float(s.outputs["site"].energy_residual[0, 0]))
    assert worst < 1e-11
    return np.array(found)


@pytest.mark.parametrize("name", ["chain", "pod", "wet chain", "layered pod"])
@pytest.mark.parametrize("dt", [10.0, 60.0, 300.0])
@pytest.mark.parametrize("load", [0.05, 0.3, 1.0])
def test_a_plant_at_rest_stays_at_rest_at_any_tick(name, dt, load):
    found = run(name, dt, load, load, 1.0)
    assert np.ptp(found[-8:], axis=0) == pytest.approx([0.0, 0.0, 0.0], abs=0.01)
    assert found[-1, 1] == pytest.approx(SETPOINT, abs=0.02)


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
@pytest.mark.parametrize(("load", "then"), [(0.3, 1.0), (1.0, 0.1)])
def test_a_step_of_load_is_followed_without_cycling_and_without_more_overshoot_than_the_physics_has(dt, load, then):
    """In fine ticks the supply leaves its setpoint by half a kelvin at most; coarse ticks never see more."""
    found = run("chain", dt, load, then, 400.0)
    away = abs(found[:, 1] - SETPOINT)
    assert away.max() < 0.5
    assert away[-1] < 0.03
    valve = found[:, 0]
    moves = np.diff(valve)[abs(np.diff(valve)) > 5e-4]
    assert np.count_nonzero(np.diff(np.sign(moves))) <= 3, "it swings in, it does not hunt"


def test_coarse_ticks_end_where_fine_ticks_end():
    ends = [run("chain", dt, 0.3, 0.8, 1800.0)[-1] for dt in (10.0, 60.0, 300.0)]
    for end in ends[1:]:
        assert end == pytest.approx(ends[0], abs=0.05)


def crossings(dt, seconds=900.0):
    """When the valve is wide open, the tank exhausted, a die throttled, after the loss of the only chiller."""
    model, asked, s = settled("short chain", 1.0)
    asked = asked | {"chiller": replace(asked["chiller"], in_service=asked["chiller"].in_service * 0.0)}
    found: dict[str, float] = {}
    for k in range(round(seconds / dt)):
        s = step(model, s, asked, k * dt, dt)
        for kind, flag in (("cdu", "valve_open"), ("tank", "exhausted"), ("rack", "throttled")):
            if getattr(s.rows[kind], flag)[0, 0] and flag not in found:
                found[flag] = float(getattr(s.rows[kind], f"{flag}_at")[0, 0])
    return found


def test_halving_the_tick_moves_every_threshold_by_less_than_a_tick():
    ticks = (20.0, 10.0, 5.0, 2.5)
    found = [crossings(dt) for dt in ticks]
    assert set(found[0]) == {"valve_open", "exhausted", "throttled"}
    for dt, coarse, fine in zip(ticks, found, found[1:]):
        for name, moment in fine.items():
            assert abs(coarse[name] - moment) < dt, (name, dt)


@pytest.mark.parametrize("dt", [10.0, 60.0, 300.0])
def test_valves_of_racks_pressure_of_pumps_and_supply_temperature_come_to_rest_together(dt):
    """Three controls on the same coolant: after a step of the setpoint all stand still, at the flow asked for."""
    still = 0.01
    model, asked, _ = settled("pod", 1.0)
    asked = asked | {"rack": replace(asked["rack"], flow_control=asked["rack"].flow_control * 0.0 + 1.0)}
    pressure, setpoint = asked["cdu"].pressure_setpoint * 0.0 + 200e3, asked["cdu"].supply_setpoint * 0.0
    asked["cdu"] = replace(asked["cdu"], pressure_setpoint=pressure, supply_setpoint=setpoint + 305.15)
    s = settle(model, asked)
    asked["cdu"] = replace(asked["cdu"], supply_setpoint=setpoint + 300.15)
    found = []
    for k in range(max(round(600 / dt), 24)):
        s = step(model, s, asked, k * dt, dt)
        valve, flow = s.rows["rack"].flow_valve[0, 0], s.outputs["rack"].flow[0, 0]
        found.append((valve, s.rows["cdu"].duty_speed[0, 0], s.rows["cdu"].supply_temperature[0, 0], flow * 60e3))
    assert np.ptp(found[-6:], axis=0) == pytest.approx([0.0, 0.0, 0.0, 0.0], abs=still)
    assert found[-1][3] == pytest.approx(119 * 15 / (328.15 - 300.15), rel=0.01)
    assert found[-1][2] == pytest.approx(300.15, abs=still)
