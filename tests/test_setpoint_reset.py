"""Set-point reset: water as warm as the widest valve allows, never colder than designed, never beyond its range."""

from __future__ import annotations

import pytest

from tests.small_plants import chain, pod
from twin import model as compiled
from twin.controllers import SetpointReset
from twin.declare import replace
from twin.simulation import settle
from twin.step import step


def followed(load, minutes=60, **cdu):
    """The chain under the controller, looked at each minute; setpoint [K], widest valve, power of the chiller [W]."""
    model = compiled.compile(chain(tank_volume=1.0))
    asked = compiled.inputs(model)
    asked["rack"] = replace(asked["rack"], utilisation=asked["rack"].utilisation * 0.0 + load)
    asked["cdu"] = replace(asked["cdu"], **{name: getattr(asked["cdu"], name) * 0.0 + v for name, v in cdu.items()})
    s = settle(model, asked)
    before = float(s.outputs["chiller"].power[0, 0])
    reset = SetpointReset(model, s, 0.5, asked)
    for k in range(minutes):
        for j in range(6):
            s = step(model, s, asked, 60.0 * k + 10.0 * j, 10.0)
        asked = asked | reset.act(s, asked, 0.0)
    return float(asked["chiller"].leaving_setpoint[0, 0]), s, before


def test_valves_that_are_nearly_shut_let_the_water_warm_to_the_end_of_its_range():
    setpoint, s, before = followed(0.3)
    assert setpoint == pytest.approx(291.15 + 10.0)
    assert s.rows["cdu"].supply_temperature[0, 0] == pytest.approx(313.15, abs=0.1)
    assert s.outputs["chiller"].power[0, 0] < 0.9 * before


def test_the_widest_valve_comes_to_rest_where_it_is_wanted():
    setpoint, s, _ = followed(1.0, 90, supply_setpoint=301.15)
    assert s.rows["cdu"].valve[0, 0] == pytest.approx(0.6, abs=0.15)
    assert 291.15 < setpoint < 301.15
    assert s.rows["cdu"].supply_temperature[0, 0] == pytest.approx(301.15, abs=1.0)


def test_valves_by_hand_and_rooms_on_the_same_water_are_left_alone():
    setpoint, _, _ = followed(0.3, 3, mode=2.0, hand_valve=1.0)
    assert setpoint == pytest.approx(291.15 + 3 * 0.5), "a valve by hand asks for nothing"
    model = compiled.compile(pod())
    asked = compiled.inputs(model)
    s = settle(model, asked)
    changed = SetpointReset(model, s, 0.5, asked).act(s, asked, 0.0)
    assert all((row.leaving_setpoint == asked[key].leaving_setpoint).all() for key, row in changed.items())
