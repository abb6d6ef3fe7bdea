"""Control panel: short gaps are bridged, longer ones cost a boot, a failure lasts until it is restored."""

from __future__ import annotations

import pytest
from wet_bench import WetBench

from twin.equipment.control_panel import ControlPanel


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
