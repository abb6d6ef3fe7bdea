"""What happens within a tick happens there: a UPS that empties at 40.92 s, and all that follows, at any tick."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import CDU, CHILLER, PANEL, PUMP, RACK, UPS, add, branch
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


def through_a_sag(tick):
    """A sag to 30 % for 80 ms and what follows for 20 s: when each machine tripped, stopped and came back [s]."""
    plant = pumps_on_a_small_ups()
    for name, stage in (("pump", 3.0), ("chiller", 8.0), ("cdu", 2.0)):
        plant.units[name].parameters |= {**PANEL, "restart_delay": stage}
    plant.feeds["cdu"] = ["utility-a"]
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    sagging = asked | {"utility": replace(asked["utility"], voltage=np.array([[0.3, 0.3]]))}
    s, now, found = settle(model, asked), 0.0, {}
    for inputs, seconds, dt in ((sagging, 0.08, tick), (asked, 0.92, min(tick, 0.02)), (asked, 19.0, 1.0)):
        for _ in range(round(seconds / dt)):
            s = step(model, s, inputs, now, dt)
            now += dt
            for kind in ("pump", "chiller", "cdu"):
                row = s.rows[kind]
                if row.tripped[0, 0]:
                    found.setdefault((kind, "out"), float(row.tripped_at[0, 0]))
                found[kind, "back"] = float(row.tripped_at[0, 0])
    return found


def test_a_sag_that_the_racks_ride_through_trips_and_restages_everything_at_the_same_moments():
    fine = through_a_sag(0.001)
    assert fine["pump", "out"] == fine["chiller", "out"] == fine["cdu", "out"] == pytest.approx(0.05)
    back = [fine[kind, "back"] for kind in ("cdu", "pump", "chiller")]
    assert back == pytest.approx([2.08, 3.08, 8.08])
    for tick in (0.005, 0.02, 0.08):
        assert through_a_sag(tick) == pytest.approx(fine, abs=1e-9)
