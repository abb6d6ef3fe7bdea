"""What happens within a tick happens there: a UPS that empties at 40.92 s, and all that follows, at any tick."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import CDU, CHILLER, PUMP, RACK, UPS, add, branch
from twin import model as compiled
from twin.declare import replace
from twin.plant import Loop, Plant
from twin.simulation import settle
from twin.step import step


def pumps_on_a_small_ups() -> Plant:
    """Racks on one utility; their CDU alone on a UPS whose battery carries it for most of a minute."""
    plant = Plant()
    add(plant, "utility-a", "utility", rated_power=5e6)
    add(plant, "utility-b", "utility", rated_power=5e6)
    add(plant, "ups", "ups", ("utility-b",), **{**UPS, "battery_energy": 1.0210e6})
    for i in range(1, 5):
        add(plant, f"rack-{i}", "rack", ("utility-a",), **{**RACK, "air_fraction": 0.0})
    add(plant, "cdu", "cdu", ("ups",), **CDU)
    add(plant, "pump", "pump", ("utility-a",), **PUMP)
    add(plant, "chiller", "chiller", ("utility-a",), **CHILLER)
    plant.add_loop(Loop("facility", "water", [branch("pump", "chiller")], [branch("cdu.facility")]))
    racks = [branch(f"rack-{i}") for i in range(1, 5)]
    plant.add_loop(Loop("technology", "pg25", [branch("cdu.technology")], racks))
    return plant


def moments(ticks):
    model = compiled.compile(pumps_on_a_small_ups())
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + 1.0)
    start = settle(model, asked)
    lost = asked | {"utility": replace(asked["utility"], in_service=np.array([[1.0, 0.0]]))}
    found = {}
    for tick in ticks:
        s = start
        for count in range(round(70 / tick)):
            s = step(model, s, lost, count * tick, tick)
        ups, cdu, rack = (s.rows[kind] for kind in ("ups", "cdu", "rack"))
        each = (ups.depleted_at, cdu.pumps_lost_at, rack.throttled_at, rack.slowed_at, rack.shut_down_at)
        found[tick] = [float(moment[0, 0]) for moment in each]
    return found


def test_a_chain_that_begins_within_a_tick_keeps_its_moments():
    found = moments((1.0, 0.1, 0.02))
    assert found[1.0][0] % 1.0 == pytest.approx(0.92, abs=0.02), "the battery ends within a tick"
    assert found[1.0] == sorted(found[1.0])
    for tick in (1.0, 0.1):
        assert found[tick] == pytest.approx(found[0.02], abs=0.03)
