"""Control panel: short gaps are bridged, longer ones cost a boot, a failure lasts until it is restored."""

from __future__ import annotations

import numpy as np
import pytest
from wet_bench import WetBench

from twin.declare import Ports
from twin.driven import ACTIONS
from twin.equipment.control_panel import ControlPanel
from twin.equipment.valve import Valve


@pytest.mark.parametrize("boot", [30.0, 120.0])
@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_a_gap_beyond_its_hold_up_costs_a_boot(boot, dt):
    b = WetBench(ControlPanel(restart_delay=boot))
    for _ in range(round(2 / dt)):
        b.tick(dt, gap=dt, alive=False)
    assert b.is_("stopped") == 1
    assert b.gives("down_time") == pytest.approx(2.0)
    for _ in range(round((boot - 1) / dt)):
        b.tick(dt)
    assert (b.is_("stopped"), b.gives("down_time")) == (1, pytest.approx(boot + 1.0))
    for _ in range(round(2 / dt)):
        b.tick(dt)
    assert (b.is_("stopped"), b.gives("down_time")) == (0, 0.0)
    assert b.is_("stopped_at") == pytest.approx(2.0 + boot)


def test_a_short_gap_is_bridged():
    b = WetBench(ControlPanel(undervoltage_delay=0.05))
    b.tick(0.04, gap=0.04, alive=False)
    b.tick(1.0)
    assert (b.is_("stopped"), b.gives("down_time")) == (0, 0.0)


def test_out_of_service_it_controls_nothing_and_boots_when_it_is_back():
    b = WetBench(ControlPanel())
    b.set(in_service=0.0)
    answer = b.tick(1.0)
    assert (b.is_("stopped"), answer.power) == (1, 0.0)
    b.set(in_service=1.0)
    for _ in range(61):
        answer = b.tick(1.0)
    assert (b.is_("stopped"), answer.power, answer.warm) == (0, 500.0, 500.0)


@pytest.mark.parametrize(("word", "opening"), [("closed", 0.0), ("open", 1.0), ("last", 0.4), ("minimum", 0.2)])
def test_a_valve_without_its_panel_does_what_is_declared_of_it(word, opening):
    b = WetBench(Valve(flow_coefficient=0.01, without_control=ACTIONS[word], least_opening=0.2), opening=0.9)
    b.put(opening_now=0.4)
    port = Ports(signal={"uncontrolled": np.ones((1, 1))})
    assert float(b.unit.actuate(b.state, b.inputs, port, 60.0).end[0, 0]) == pytest.approx(opening)
    port.signal = {"uncontrolled": np.zeros((1, 1))}
    assert float(b.unit.actuate(b.state, b.inputs, port, 60.0).end[0, 0]) == pytest.approx(0.9)
