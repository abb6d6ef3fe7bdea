"""Rack at work: the clock that caps leave, the speed of training, prefill and decode, and what stands beside GPUs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import RACK
from twin.equipment.rack import Rack

FLOW = RACK["nominal_flow"]
IDLE, FULL, OTHER = 0.72 * 30e3, 0.72 * 135e3, 0.28 * 135e3
SPAN = FULL - IDLE


def unit(**more):
    return Rack(**{**RACK, **more})


def working(rack=None, seconds=300, inlet=313.15, **inputs):
    b = WetBench(rack or unit(), **{"utilisation": 1.0, **inputs})
    for _ in range(seconds):
        b.tick(1.0, {"coolant": FLOW}, {"coolant": inlet})
    assert b.worst < 1e-11
    return b


@pytest.mark.parametrize("inlet", [293.15, 313.15, 320.15])
def test_a_cap_holds_at_any_die_temperature_and_heat_costs_clock(inlet):
    """Below the knee of the voltage: clock = (cap - idle)/(leakage x activity), watts exactly the cap's."""
    b = working(inlet=inlet, power_limit=0.8)
    assert b.gives("power") == pytest.approx(0.8 * 135e3, rel=1e-12)
    assert b.gives("gpu_power") == pytest.approx(0.8 * 135e3 - OTHER, rel=1e-12)
    leak = 1 + 0.003 * (b.is_("die_temperature") - 343.15)
    clock = (0.8 * 135e3 - OTHER - IDLE) / leak / SPAN
    assert b.gives("clock") == pytest.approx(clock, rel=1e-9)
    assert b.gives("training_speed") == pytest.approx(clock, rel=1e-9)


def test_decode_loses_nothing_until_a_cap_meets_it_while_training_loses_in_proportion():
    """Decode takes 0.188 of the power beyond idle at 1.389 of the clock; its knee is at 0.72 of that."""
    rack = unit(leakage=0.0)
    full = working(rack, decode_share=1.0)
    assert full.gives("gpu_power") == pytest.approx(IDLE + 0.188 * SPAN, rel=1e-12)
    assert full.gives("clock") == pytest.approx(1.389, rel=1e-12)
    for limit, decode in ((0.8, 1.0), (0.5, 1.0), (0.46, None)):
        b = working(rack, decode_share=1.0, power_limit=limit)
        room = limit * 135e3 - OTHER - IDLE
        assert b.gives("training_speed") == pytest.approx(room / SPAN, rel=1e-9)
        assert b.gives("gpu_power") == pytest.approx(IDLE + min(0.188 * SPAN, room), rel=1e-12)
        if decode is not None:
            assert b.gives("decode_speed") == decode
    assert b.gives("decode_speed") < 0.5


def test_a_mix_takes_the_mean_of_its_works():
    rack = unit(leakage=0.0)
    b = working(rack, utilisation=0.5, prefill_share=0.3, decode_share=0.6)
    assert b.gives("gpu_power") == pytest.approx(IDLE + 0.5 * SPAN * (0.1 + 0.3 * 0.89 + 0.6 * 0.188), rel=1e-12)
    assert b.gives("clock") == pytest.approx(0.1 + 0.3 * 1.023 + 0.6 * 1.389, rel=1e-12)
    assert [b.gives(f"{work}_speed") for work in ("training", "prefill", "decode")] == [1.0, 1.0, 1.0]
    b = working(rack, prefill_share=0.9, decode_share=0.9)
    assert b.gives("gpu_power") == pytest.approx(IDLE + SPAN * 0.5 * (0.89 + 0.188), rel=1e-12), "shares of the whole"


def test_profile_electrical_design_point_and_clock_limit():
    rack = unit(leakage=0.0, max_q_limit=0.826, edp_limit=1.1)
    assert working(rack, power_profile=1.0).gives("power") == pytest.approx(0.826 * 135e3, rel=1e-12)
    assert working(rack, power_profile=1.0, power_limit=0.7).gives("power") == pytest.approx(0.7 * 135e3, rel=1e-12)
    assert working(rack, power_limit=2.0).gives("power") == pytest.approx(135e3, rel=1e-12), "no more than is asked"
    hot = unit(leakage_reference=253.15, edp_limit=1.1)
    assert working(hot, power_limit=2.0).gives("power") == pytest.approx(1.1 * 135e3, rel=1e-12), "leakage to the limit"
    b = working(rack, clock_limit=0.9, decode_share=0.5)
    assert (b.gives("clock"), b.gives("training_speed")) == (0.9, 0.9)
    assert b.gives("decode_speed") == pytest.approx(0.9 / 1.389 / 0.72, rel=1e-12)


def test_without_power_it_does_nothing():
    b = working()
    for _ in range(2):
        b.tick(1.0, {"coolant": FLOW}, {"coolant": 313.15}, gap=1.0, alive=False)
    assert [b.gives(name) for name in ("clock", "training_speed", "prefill_speed", "decode_speed")] == [0, 0, 0, 0]


def test_heat_slows_all_its_work():
    """In slowdown at half clock training runs at half speed; decode at 0.5/0.72 of its own."""
    b = working(unit(leakage=0.0))
    b.put(slowed=1.0, throttled=1.0, die_temperature=362.0, plate_temperature=361.0)
    b.tick(0.01, {"coolant": FLOW}, {"coolant": 313.15})
    assert b.gives("training_speed") == pytest.approx(0.5, rel=1e-9)
    assert b.gives("prefill_speed") == pytest.approx(0.5, rel=1e-9)
    assert 0.5 < b.gives("decode_speed") < 1.0


def test_parts_beside_the_gpus_share_what_the_rest_takes():
    rack = unit(cpu_share=0.3, switch_share=0.3, nic_share=0.1, fan_share=0.08, pump_share=0.02)
    b = working(rack, utilisation=0.85)
    rest = b.gives("power") - b.gives("gpu_power")
    shares = {"cpu": 0.3, "switch": 0.3, "nic": 0.1, "fans": 0.08, "pumps": 0.02}
    for part, share in shares.items():
        assert b.gives(f"{part}_power") == pytest.approx(share * rest, rel=1e-12)
    assert rack.faults(2) == []
    assert "add up to 120% of what" in unit(cpu_share=0.9, switch_share=0.3).faults(2)[0]
    assert "more than the idle_power of 30 kW" in unit(gpu_idle_power=600.0).faults(2)[0]


def test_idle_power_of_the_gpus_as_measured():
    b = working(unit(gpu_idle_power=192.0, leakage=0.0), utilisation=0.0)
    assert b.gives("gpu_power") == pytest.approx(72 * 192.0, rel=1e-12)
    assert b.gives("power") == pytest.approx(30e3, rel=1e-12)


def test_members_at_a_cap_and_beside_it_are_each_what_they_are_alone():
    limits, loads = [1.0, 0.7, 0.5, 0.2], [0.85, 1.0, 0.4, 0.0]

    def run(limit, load, shape):
        b = WetBench(unit(), shape)
        b.inputs.power_limit = np.zeros(shape) + limit
        b.inputs.utilisation = np.zeros(shape) + load
        b.inputs.decode_share = np.zeros(shape) + 0.3
        for k in range(60):
            b.tick(1.0, {"coolant": FLOW if k < 30 else 0.02 * FLOW}, {"coolant": 313.15})
        return b

    together = run(np.array(limits)[:, None], np.array(loads)[:, None], (4, 1))
    for k, (limit, load) in enumerate(zip(limits, loads)):
        alone = run(limit, load, (1, 1))
        for row, other in ((together.state, alone.state), (together.out, alone.out)):
            for name, values in vars(other).items():
                assert np.ravel(np.broadcast_to(getattr(row, name), (4, 1)))[k] == np.ravel(values)[0], name


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.2, 1.2), st.floats(285, 330))
def test_a_tighter_cap_never_makes_more_work_nor_takes_more(load, prefill, decode, limit, inlet):
    ends = []
    for cap in (limit, 0.9 * limit):
        b = WetBench(unit(), utilisation=load, prefill_share=prefill, decode_share=decode, power_limit=cap)
        for _ in range(20):
            b.tick(30.0, {"coolant": FLOW}, {"coolant": inlet})
        least = 0.28 * (30e3 + load * 105e3) + IDLE
        assert b.gives("power") <= max(cap * 135e3, least) * (1 + 1e-9) or b.gives("power") <= least * 1.01
        ends.append([b.gives(n) for n in ("power", "training_speed", "prefill_speed", "decode_speed")])
        assert b.worst < 1e-11
    for more, less in zip(*ends):
        assert less <= more * (1 + 1e-9) + 1e-12
