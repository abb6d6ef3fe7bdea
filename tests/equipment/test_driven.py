"""Driven kinds: sags that trip their panels, latches and resets, restarts that fail, alike at any tick."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wet_bench import WetBench

from tests.small_plants import CDU as CDU_RATINGS
from tests.small_plants import CHILLER, DRY_COOLER, FAN_WALL, PUMP
from twin.equipment.cdu import CDU
from twin.equipment.chiller import Chiller
from twin.equipment.dry_cooler import DryCooler
from twin.equipment.fan_wall import FanWall
from twin.equipment.pump import Pump

DELAY = 0.05
PANEL = {"undervoltage_limit": 0.7, "undervoltage_delay": DELAY, "restart_delay": 2.0}
MADE = {
    "pump": lambda **more: Pump(**{**PUMP, **PANEL, **more}),
    "cdu": lambda **more: CDU(**{**CDU_RATINGS, **PANEL, **more}),
    "chiller": lambda **more: Chiller(**{**CHILLER, **PANEL, "ramp_time": 3.0, **more}),
    "dry_cooler": lambda **more: DryCooler(**{**DRY_COOLER, **PANEL, "ramp_time": 3.0, **more}),
    "fan_wall": lambda **more: FanWall(**{**FAN_WALL, **PANEL, "ramp_time": 3.0, **more}),
}
every_kind = pytest.mark.parametrize("kind", MADE)


def running(kind, inputs=None, **more):
    b = WetBench(MADE[kind](**more), **(inputs or {}))
    supplied(b, 1.0, 1.0, 0.5)
    assert b.is_("tripped") == 0
    b.now = 0.0
    return b


def supplied(b, volts, seconds, tick):
    """Seconds at a voltage [pu]; what the last tick answered."""
    answer = None
    for _ in range(round(seconds / tick)):
        answer = b.tick(
            tick, dict.fromkeys(b.unit.streams, 0.01), dict.fromkeys(b.unit.streams, 305.15), room=300.15,
            gap=tick if volts == 0 else 0.0, alive=volts,
        )  # fmt: skip
    assert b.worst < 1e-11
    return answer


def power_of(b, answer):
    """Electric power [W] without what its controls take."""
    return answer.power - getattr(b.unit, "standing_power", 0.0)


@every_kind
@pytest.mark.parametrize("tick", [0.1, 0.01, 0.001])
def test_a_sag_trips_it_and_it_comes_back_by_itself(kind, tick):
    """50 % from 1.0 to 1.1 s: out at 1.05 s, nothing taken; from 3.1 s on it runs again."""
    b = running(kind)
    supplied(b, 1.0, 1.0, tick)
    sagging = supplied(b, 0.5, 0.1, tick)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (1, pytest.approx(1.05, abs=1e-9))
    if tick < 0.1:
        assert power_of(b, sagging) == pytest.approx(0.0, abs=1e-9)
    waiting = supplied(b, 1.0, 1.9, 0.1)
    assert b.is_("tripped") == 1
    assert power_of(b, waiting) == pytest.approx(0.0, abs=1e-9)
    supplied(b, 1.0, 1.0, 0.1)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (0, pytest.approx(3.1, abs=1e-9))
    assert power_of(b, supplied(b, 1.0, 15.0, 0.5)) > 0


@every_kind
def test_a_shorter_or_shallower_sag_is_ridden_through_at_full_power(kind):
    b, calm = running(kind), running(kind)
    for volts, seconds in ((0.5, 0.05), (1.0, 0.1), (0.75, 2.0)):
        answer, undisturbed = (supplied(each, at, seconds, 0.01) for each, at in ((b, volts), (calm, 1.0)))
        assert answer.power == undisturbed.power
        assert b.is_("tripped") == 0


@every_kind
def test_a_silent_panel_takes_any_live_voltage_and_drops_out_at_once_without_supply(kind):
    """As a plant has it that says nothing of undervoltage; the loss shows in `stopped` or `pumps_lost` alone."""
    b = running(kind, undervoltage_limit=0.0, undervoltage_delay=0.0)
    supplied(b, 0.1, 2.0, 0.5)
    assert power_of(b, supplied(b, 0.1, 0.5, 0.5)) > 0
    supplied(b, 0.0, 0.1, 0.1)
    assert (b.is_("tripped"), b.is_("run_clock")) == (0, 0)


@every_kind
def test_a_dead_supply_trips_it_as_a_low_one_does(kind):
    b = running(kind)
    supplied(b, 0.0, 0.1, 0.01)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (1, pytest.approx(DELAY, abs=1e-9))


@every_kind
def test_without_auto_restart_it_stays_off_until_reset_is_raised(kind):
    b = running(kind, auto_restart=0.0)
    supplied(b, 0.5, 0.1, 0.1)
    assert power_of(b, supplied(b, 1.0, 60.0, 1.0)) == pytest.approx(0.0, abs=1e-9)
    assert b.is_("tripped") == 1
    b.set(reset=1.0)
    begun = b.now
    supplied(b, 1.0, 1.0, 1.0)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (0, begun)
    assert power_of(b, supplied(b, 1.0, 30.0, 1.0)) > 0
    supplied(b, 0.5, 0.1, 0.1)
    supplied(b, 1.0, 30.0, 1.0)
    assert b.is_("tripped") == 1, "a reset that was never lowered clears nothing"
    b.set(reset=0.0)
    supplied(b, 1.0, 1.0, 1.0)
    b.set(reset=1.0)
    supplied(b, 1.0, 1.0, 1.0)
    assert b.is_("tripped") == 0


@every_kind
def test_a_reset_while_the_supply_is_low_helps_nobody(kind):
    b = running(kind, auto_restart=0.0)
    supplied(b, 0.5, 1.0, 0.1)
    b.set(reset=1.0)
    supplied(b, 0.5, 1.0, 0.1)
    supplied(b, 1.0, 10.0, 1.0)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (1, pytest.approx(DELAY, abs=1e-9))


@every_kind
@pytest.mark.parametrize("limit", [0.0, 0.7])
def test_one_that_fails_to_restart_stays_off_until_it_is_mended(kind, limit):
    b = running(kind, {"fails_to_restart": 1.0}, undervoltage_limit=limit)
    assert power_of(b, supplied(b, 1.0, 1.0, 0.5)) > 0, "it runs until it drops out"
    supplied(b, 0.0, 1.0, 0.1)
    assert power_of(b, supplied(b, 1.0, 60.0, 1.0)) == pytest.approx(0.0, abs=1e-9)
    assert b.is_("tripped") == 1
    b.set(fails_to_restart=0.0)
    begun = b.now
    supplied(b, 1.0, 3.0, 0.5)
    assert (b.is_("tripped"), b.is_("tripped_at")) == (0, pytest.approx(begun + 2.0, abs=1e-9))


@every_kind
def test_one_that_is_switched_off_does_not_trip(kind):
    b = running(kind, {"in_service": 0.0})
    supplied(b, 0.5, 1.0, 0.1)
    assert b.is_("tripped") == 0
    b = running(kind)
    supplied(b, 0.5, 0.1, 0.1)
    b.set(in_service=0.0)
    supplied(b, 1.0, 1.0, 0.5)
    assert b.is_("tripped") == 0, "nobody waits for it"


@every_kind
def test_units_with_longer_delays_restart_later(kind):
    """Staged: the same supply for three units of a table."""
    made = MADE[kind](**{name: np.array([[value]]) for name, value in PANEL.items() if name != "restart_delay"},
                      restart_delay=np.array([[2.0, 5.0, 9.0]]))  # fmt: skip
    b = WetBench(made, (1, 3))
    supplied(b, 1.0, 1.0, 0.5)
    supplied(b, 0.5, 0.1, 0.1)
    begun = b.now
    supplied(b, 1.0, 12.0, 1.0)
    assert (b.state.tripped == 0).all()
    np.testing.assert_allclose(b.state.tripped_at - begun, [[2.0, 5.0, 9.0]], atol=1e-9)


@every_kind
@settings(max_examples=15, deadline=None)
@given(depth=st.floats(0.0, 1.0), length=st.integers(0, 12), tick=st.sampled_from([0.005, 0.01, 0.05]))
def test_it_trips_if_and_only_if_a_sag_is_deep_and_long_and_at_one_moment(kind, depth, length, tick):
    b = running(kind)
    supplied(b, depth, 0.05 * length, tick)
    assert b.is_("tripped") == (depth < 0.7 and length > 1)
    if b.is_("tripped"):
        assert b.is_("tripped_at") == pytest.approx(DELAY, abs=1e-9)
    supplied(b, 1.0, 5.0, 0.5)
    assert b.is_("tripped") == 0


def test_a_sag_stops_a_pump_as_a_loss_of_supply_does_and_its_valve_stays():
    """The pump coasts from the moment its panel drops out; a CDU's controls go with its panel."""
    b = running("cdu")
    valve = b.is_("valve")
    supplied(b, 0.5, DELAY, 0.05)
    begun = b.now
    b.set(supply_setpoint=290.0)
    before = b.is_("valve")
    supplied(b, 0.5, 10.0, 0.5)
    assert (b.is_("valve"), b.is_("pumps_lost")) == (before, 1)
    assert abs(before - valve) < 0.01
    dead = running("cdu", undervoltage_delay=0.0)
    start = dead.now
    supplied(dead, 0.0, 10.0, 0.5)
    assert b.is_("pumps_lost_at") - begun == pytest.approx(dead.is_("pumps_lost_at") - start, abs=1e-9)
