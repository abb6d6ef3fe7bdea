"""Expansion vessel on the bench: make-up that stops where it should, in ticks of any length."""

from __future__ import annotations

import numpy as np
import pytest
from wet_bench import WetBench

from tests.small_plants import pressurised
from twin.declare import Ports
from twin.equipment.expansion_vessel import ExpansionVessel
from twin.physics.fluids import properties
from twin.physics.static_pressure import held_at

SMALL = {
    "vessel_volume": 0.2, "precharge": 1.5e5, "fill_pressure": 2e5, "relief_pressure": 4e5, "makeup_flow": 5e-4,
    "makeup_start": 2.1e5, "makeup_stop": 2.5e5,
}  # fmt: skip
MISSING = held_at(2.5e5, 0.2, 1.5e5) - held_at(2e5, 0.2, 1.5e5)


def ticked(bench, dt, count, leak=0.0):
    """Its State after some ticks."""
    for _ in range(count):
        port = Ports(now=bench.now)
        port.flow = {"leak": bench._as(leak), "expansion": bench._as(0.0)}
        bench.state, bench.out = bench.unit.advance(bench.state, bench.inputs, port, dt)
        bench.now += dt
    return bench.state


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 300.0])
def test_make_up_ends_at_its_stop_in_ticks_of_any_length(dt):
    """From 2 to 2.5 bar a vessel of 200 L takes 30 L, a minute of 0.5 L/s; nothing is left for the relief valve."""
    assert pytest.approx(0.03, rel=1e-12) == MISSING
    after = ticked(WetBench(ExpansionVessel(**SMALL)), dt, 1 + int(120 / dt) + 1)
    assert after.static_pressure == pytest.approx(2.5e5, rel=1e-9)
    assert after.makeup_used == pytest.approx(MISSING, rel=1e-9)
    assert after.leaked == 0.0
    assert after.making_up == 0.0
    assert after.lifted == 0.0


@pytest.mark.parametrize("dt", [10.0, 60.0, 300.0])
@pytest.mark.parametrize("leak", [1e-4, 4e-4])
def test_make_up_outlasts_a_smaller_leak(dt, leak):
    """With 0.1 or 0.4 L/s lost it still reaches its stop, never passes it, and the books are kept."""
    bench = WetBench(ExpansionVessel(**SMALL))
    start, highest = float(bench.state.charge[0, 0]), 0.0
    for _ in range(int(1800 / dt)):
        s = ticked(bench, dt, 1, leak)
        highest = max(highest, float(s.static_pressure[0, 0]))
        books = s.charge - s.makeup_used + s.leaked
        assert books == pytest.approx(start, abs=1e-12)
        assert bench.out.makeup_flow_now <= 5e-4 * (1 + 1e-12)
    assert highest == pytest.approx(2.5e5, rel=1e-9)


def test_make_up_that_stops_below_the_precharge_stops_there():
    """An empty vessel, its loop 4 L short: the stretch of the pipes takes what lacks, not the vessel."""
    low = {**SMALL, "makeup_start": 1.2e5, "makeup_stop": 1.4e5}
    bench = WetBench(ExpansionVessel(**low), state={"charge": -0.004})
    after = ticked(bench, 60.0, 3)
    assert after.static_pressure == pytest.approx(1.4e5, rel=1e-9)
    assert after.making_up == 0.0


def test_a_vessel_too_small_for_its_loop_is_told_with_numbers():
    """1.08 m3 of PG25 from 20 to 50 degC grow by about 13 L; a vessel of 10 L takes 4.3 L from 2.6 to 6 bar."""
    plant = pressurised()
    assert [fault for fault in plant.faults() if "relief" in str(fault)] == []
    plant.units["vessel-technology"].parameters["vessel_volume"] = 0.01
    (told,) = [fault for fault in plant.faults() if "relief" in str(fault)]
    assert told.warning
    volume = 1.0 + 4 * 0.02
    cold, warm = (float(properties("pg25", np.array(T)).density) for T in (293.15, 323.15))
    assert f"{volume:.3g} m^3 of loop technology grow by {volume * (cold / warm - 1) * 1e3:.3g} L" in str(told)
    assert f"takes {10 * (2 / 2.6 - 2 / 6):.3g} L" in str(told)
