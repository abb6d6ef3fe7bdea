"""Decoupler: a common pipe between primary and secondary pumps, whose flow turns when the secondary asks for more."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import CHILLER, PUMP, RACK, add, branch
from twin import model as compiled
from twin.declare import replace
from twin.plant import Loop, Plant
from twin.simulation import settle
from twin.step import step

COLD = 291.15


def primary_secondary() -> Plant:
    """Two trains of pump and chiller, racks behind pumps of their own, and a wide valve as the common pipe."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "board", "bus", ("utility",))
    small = {**PUMP, "nominal_head": 80e3, "shutoff_head": 110e3}
    for i in (1, 2):
        add(plant, f"pump-{i}", "pump", ("board",), **small)
        add(plant, f"chiller-{i}", "chiller", ("board",), **CHILLER)
    wide = {**RACK, "air_fraction": 0.0, "nominal_flow": 0.03}
    for i in (1, 2):
        add(plant, f"second-{i}", "pump", ("board",), **small)
        add(plant, f"rack-{i}", "rack", ("board",), **wide)
    add(plant, "common", "valve", flow_coefficient=1500 / 3600)
    loads = [branch(f"second-{i}", f"rack-{i}") for i in (1, 2)] + [branch("common")]
    plant.add_loop(Loop("loop", "water", [branch(f"pump-{i}", f"chiller-{i}") for i in (1, 2)], loads))
    return plant


def state_of(model, **speeds):
    asked = compiled.inputs(model)
    pumps = model.table("pump").names
    asked["pump"] = replace(asked["pump"], speed=np.array([[speeds[name.split("-")[0]] for name in pumps]]))
    now = settle(model, asked)
    for k in range(30):
        now = step(model, now, asked, float(k), 60.0)
    return now


def flows(model, now):
    by_name = dict(zip(model.table("pump").names, now.outputs["pump"].flow[0], strict=True))
    return sum(by_name[f"pump-{i}"] for i in (1, 2)), sum(by_name[f"second-{i}"] for i in (1, 2))


@pytest.mark.parametrize(("primary", "secondary"), [(1.0, 0.5), (0.5, 1.0), (0.8, 0.8), (0.3, 1.0)])
def test_the_common_pipe_carries_the_difference_either_way(primary, secondary):
    model = compiled.compile(primary_secondary())
    now = state_of(model, pump=primary, second=secondary)
    one, two = flows(model, now)
    common = float(now.outputs["valve"].flow[0, 0])
    assert common == pytest.approx(one - two, abs=1e-9 * (one + two))
    assert (common > 0) == (one > two)
    assert now.rows["valve"].reversed[0, 0] == float(common < 0)
    assert np.max(now.imbalance) < 1e-11


def test_a_reversed_common_pipe_mixes_return_water_into_the_supply():
    """Closed form: q2 T_supply = q1 T_cold + (q2 - q1) T_return, and all heat leaves through the primary flow."""
    model = compiled.compile(primary_secondary())
    now = state_of(model, pump=0.5, second=1.0)
    one, two = flows(model, now)
    supply, back = now.headers[:, 0, 0]
    cold = float(now.rows["chiller"].leaving_temperature.mean())
    assert cold == pytest.approx(COLD, abs=0.05)
    assert two > 1.3 * one
    assert supply == pytest.approx((one * cold + (two - one) * back) / two, abs=1e-6)
    assert supply - cold > 0.5


def test_a_forward_common_pipe_leaves_the_supply_as_the_primary_gives_it():
    model = compiled.compile(primary_secondary())
    now = state_of(model, pump=1.0, second=0.5)
    one, two = flows(model, now)
    supply, back = now.headers[:, 0, 0]
    racks = now.rows["rack"].coolant_temperature[0].mean()
    assert supply == pytest.approx(float(now.rows["chiller"].leaving_temperature.mean()), abs=1e-6)
    assert back == pytest.approx((two * racks + (one - two) * supply) / one, abs=1e-6), "it cools the return"
