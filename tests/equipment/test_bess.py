"""BESS: set-points as exact as its public qualification wants, losses both ways, black start, islands, its end."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plants import BESS as RATINGS
from tests.small_plants import UPS, add
from twin import model as compiled
from twin.declare import MODES, replace
from twin.equipment.bess import BESS, BLACK_START, FOLLOW, FORM
from twin.plant import Plant
from twin.simulation import settle
from twin.step import step

LOSSLESS = {"discharge_efficiency": 1.0, "charge_efficiency": 1.0, "auxiliary_power": 0.0}


def bar(load=1e6, power_factor=1.0, **ratings):
    """Grid and battery on one board with a constant load."""
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "bess", "bess", **{**RATINGS, **ratings})
    add(plant, "board", "bus", ("utility", "bess"))
    add(plant, "load", "load", ("board",), rated_power=load, power_factor=power_factor)
    return plant


class World:
    """A plant that is ticked by hand."""

    def __init__(self, plant, members=1, **inputs):
        self.model = compiled.compile(plant)
        self.asked = compiled.inputs(self.model, members)
        self.set("bess", **inputs)
        self.now, self.time, self.worst = settle(self.model, self.asked, members), 0.0, 0.0

    def set(self, unit, **inputs):
        key, row = self.model.seats[unit]
        for name, value in inputs.items():
            array = getattr(self.asked[key], name).copy()
            array[:, row] = value
            self.asked[key] = replace(self.asked[key], **{name: array})
        return self

    def run(self, seconds, dt=0.1):
        for _ in range(round(seconds / dt)):
            self.now = step(self.model, self.now, self.asked, self.time, dt)
            self.time = round(self.time + dt, 9)
            self.worst = max(self.worst, float(self.now.outputs["site"].energy_residual.max()))
        return self

    def gives(self, unit, name, member=0):
        key, row = self.model.seats[unit]
        return float(getattr(self.now.outputs[key], name)[member, row])

    def is_(self, name, unit="bess", member=0):
        key, row = self.model.seats[unit]
        return float(getattr(self.now.rows[key], name)[member, row])

    def volts(self, unit, member=0):
        key, row = self.model.seats[unit]
        return abs(self.now.voltage[member, self.model.table(key).first + row])


# Following the grid


@pytest.mark.parametrize("share", [0.10, 0.50, 0.75, 1.00, -0.5])
def test_set_points_are_met_at_the_points_of_the_qualification(share):
    """P and Q within 0.5 % at 10, 50, 75 and 100 % of rating (NVIDIA's public BESS qualification, test 1)."""
    w = World(bar(), control=FOLLOW).set("bess", power_setpoint=share * 2e6, reactive_setpoint=0.3e6 * (abs(share) < 1))
    w.run(5)
    assert w.gives("bess", "power") == pytest.approx(share * 2e6, rel=1e-9)
    assert w.gives("bess", "reactive") == pytest.approx(0.3e6 * (abs(share) < 1), rel=1e-9, abs=1e-3)
    assert w.gives("utility", "power") == pytest.approx(1e6 - share * 2e6, rel=1e-9, abs=1e-3)
    assert w.worst < 1e-11


def test_apparent_power_is_limited_and_active_power_goes_first():
    w = World(bar()).set("bess", power_setpoint=1.6e6, reactive_setpoint=1.6e6).run(5)
    assert w.gives("bess", "power") == pytest.approx(1.6e6)
    assert w.gives("bess", "reactive") == pytest.approx(1.2e6)
    assert w.gives("bess", "load_fraction") == pytest.approx(1.0)
    assert w.is_("at_limit") == 1


def test_it_ramps_and_lags():
    """20 kW/s to 100 kW: 5 s of ramp, behind it 0.5 s of lag."""
    w = World(bar(ramp_rate=20e3, response_time=0.5)).set("bess", power_setpoint=100e3)
    w.run(3)
    assert w.is_("given") == pytest.approx(20e3 * (3 - 0.5 * (1 - np.exp(-6))), rel=1e-9)
    w.run(2)
    assert w.is_("commanded") == pytest.approx(100e3)
    w.run(5)
    assert w.gives("bess", "power") == pytest.approx(100e3, rel=1e-3)


@pytest.mark.parametrize("dt", [0.05, 0.5, 5.0])
def test_what_it_gives_is_the_same_at_any_tick(dt):
    w = World(bar()).set("bess", power_setpoint=1e6).run(10, dt)
    coarse = w.is_("energy")
    fine = World(bar()).set("bess", power_setpoint=1e6).run(10, 0.01).is_("energy")
    assert coarse == pytest.approx(fine, rel=1e-12)


def test_discharge_by_hand():
    """1 MW and 10 kW of auxiliaries out of 94 %: an hour's worth runs out to the tick, and the flag to the moment."""
    unit = BESS(**RATINGS)
    assert unit.autonomy(np.float64(1e6)) == pytest.approx(0.9 * 3.6e9 / (1.01e6 / 0.94))
    w = World(bar(response_time=1e-4, ramp_rate=1e11)).set("bess", power_setpoint=1e6)
    lasts = (0.9 - 0.05) * 3.6e9 / (1.01e6 / 0.94)
    w.run(lasts + 60, 10.0)
    assert w.is_("empty") == 1
    assert w.is_("empty_at") == pytest.approx(lasts, abs=0.05)
    assert w.gives("bess", "power") == pytest.approx(-10e3), "empty, it takes its auxiliaries from the board"
    assert w.gives("bess", "state_of_charge") == pytest.approx(0.05)
    assert w.worst < 1e-11


def test_charging_ends_when_full_and_there_and_back_loses_what_is_said():
    w = World(bar(auxiliary_power=0.0, response_time=1e-4, ramp_rate=1e11), initial_charge=0.5)
    w.set("bess", power_setpoint=-1e6)
    lasts = 0.45 * 3.6e9 / (1e6 * 0.94)
    w.run(1000, 10.0)
    taken = 1000 * 1e6
    assert w.is_("energy") == pytest.approx(0.5 * 3.6e9 + 0.94 * taken, rel=1e-6)
    w.run(round(lasts, -1) - 1000 + 20, 10.0)
    assert w.is_("full") == 1
    assert w.is_("full_at") == pytest.approx(lasts, abs=0.05)
    assert w.gives("bess", "power") == pytest.approx(0.0, abs=1e-3)
    assert BESS(**RATINGS).round_trip() == pytest.approx(0.94**2)
    assert 0.85 <= BESS(**RATINGS).round_trip() <= 0.90


def test_its_power_is_stored_power_and_no_supply():
    w = World(bar()).set("bess", power_setpoint=0.4e6).run(10)
    site = w.now.outputs["site"]
    assert site.power[0, 0] == pytest.approx(0.6e6, rel=1e-6)
    assert site.stored_power[0, 0] == pytest.approx(-0.41e6 / 0.94, rel=1e-6)


# Its board dies


def test_a_follower_dies_with_its_board_at_the_same_moment():
    w = World(bar()).set("bess", power_setpoint=0.5e6).run(5)
    w.set("utility", in_service=0.0).run(1)
    assert w.volts("board") == 0
    assert w.gives("bess", "power") == 0
    assert w.is_("dead_at", "board") == pytest.approx(5.0)
    assert w.is_("forming") == 0
    assert w.worst < 1e-11


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0])
def test_one_that_forms_holds_the_board_without_a_gap(dt):
    w = World(bar(power_factor=0.95), control=FORM).run(5, dt)
    w.set("utility", in_service=0.0).run(5, dt)
    assert w.is_("dead", "board") == 0
    assert w.is_("forming") == 1
    assert w.is_("forming_at") == pytest.approx(5.0)
    assert w.is_("black_started") == 0
    assert w.gives("bess", "power") == pytest.approx(1e6)
    reactive = 1e6 * np.sqrt(1 / 0.95**2 - 1)
    assert w.volts("board") == pytest.approx(1 - 0.02 * reactive / 2e6, rel=1e-6)
    assert w.gives("bess", "frequency") == pytest.approx(60 * (1 - 0.005 * 0.5), rel=1e-6)
    assert w.now.outputs["site"].power[0, 0] == 0
    assert w.worst < 1e-11


def test_the_grid_comes_back_and_it_goes_back_to_its_set_points_without_a_step():
    w = World(bar(ramp_rate=100e3), control=FORM).run(5)
    w.set("utility", in_service=0.0).run(5)
    w.set("utility", in_service=1.0).run(0.2)
    assert w.gives("bess", "power") == pytest.approx(1e6, rel=0.05), "from the load that it bore"
    assert w.is_("forming") == 0
    w.run(15)
    assert w.gives("bess", "power") == pytest.approx(0.0, abs=1e3)
    assert w.gives("utility", "power") == pytest.approx(1e6, rel=1e-2)


@pytest.mark.parametrize("dt", [0.05, 0.5])
def test_a_black_start_raises_the_board_after_its_delay(dt):
    w = World(bar(forming_delay=3.2), control=BLACK_START).run(5, dt)
    w.set("utility", in_service=0.0).run(2, dt)
    assert w.volts("board") == 0
    w.run(3, dt)
    assert w.volts("board") > 0.98
    # the board was dead from 5.0 s, which is seen a tick late
    assert w.is_("black_started_at") == pytest.approx(5.0 + dt + 3.2, abs=1e-9)
    assert w.is_("dead_at", "board") == pytest.approx(5.0 + dt + 3.2, abs=1e-9)
    assert (w.is_("forming"), w.is_("black_started")) == (1, 1)
    w.set("utility", in_service=1.0).run(2, dt)
    assert (w.is_("forming"), w.is_("black_started"), w.is_("raised")) == (0, 0, 0)
    assert w.gives("utility", "power") > 0.9e6
    assert w.worst < 1e-11


def test_a_black_start_of_a_board_without_load_holds_it():
    plant = bar()
    w = World(plant, control=BLACK_START).run(1)
    w.set("load", in_service=0.0).set("utility", in_service=0.0).run(20, 0.5)
    assert w.volts("board") == pytest.approx(1.0)
    assert w.is_("forming") == 1


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_alone_it_dies_when_its_charge_is_used_up(dt):
    """20 MJ above its lowest charge bear 1.01 MW / 0.94 for 18.6 s, at any tick."""
    lasts = 20e6 / (1.01e6 / 0.94)
    w = World(bar(), control=FORM, initial_charge=0.05 + 20e6 / 3.6e9)
    w.set("utility", in_service=0.0).run(30, dt)
    assert w.volts("board") == 0
    assert w.is_("dead_at", "board") == pytest.approx(lasts, abs=1e-3 + 1e-9 * dt)
    assert w.is_("empty") == 1
    assert w.worst < 1e-11


def test_beyond_its_current_limit_it_sags_and_trips():
    """3 MW on 2 MW: 1.2 of rating at 0.8 of the voltage, and after two seconds it is gone until it is reset."""
    w = World(bar(load=3e6), control=FORM).run(1)
    w.set("utility", in_service=0.0).run(1)
    assert w.volts("board") == pytest.approx(1.2 * 2e6 / 3e6, rel=1e-6)
    assert w.is_("at_limit") == 1
    w.run(3)
    assert w.is_("tripped") == 1
    assert w.is_("tripped_at") == pytest.approx(3.0, abs=0.15)
    assert w.volts("board") == 0
    w.set("utility", in_service=1.0).set("bess", mode=MODES["off"]).run(1)
    w.set("bess", mode=MODES["auto"]).run(1)
    assert w.is_("tripped") == 0


def test_a_board_of_its_own_lives_only_where_it_forms():
    plant = Plant()
    add(plant, "bess", "bess", **RATINGS)
    add(plant, "board", "bus", ("bess",))
    add(plant, "load", "load", ("board",), rated_power=1e6, power_factor=1.0)
    add(plant, "utility", "utility", rated_power=5e6)  # the site has one, elsewhere
    w = World(plant, control=FOLLOW).run(2)
    assert (w.volts("board"), w.gives("bess", "power")) == (0, 0)
    w.set("bess", control=FORM).run(10)
    assert w.volts("board") == pytest.approx(1.0)
    assert w.gives("bess", "power") == pytest.approx(1e6)
    assert w.worst < 1e-11


def test_two_on_one_board_share_what_they_bear_alone():
    plant = bar()
    add(plant, "other", "bess", **RATINGS)
    plant.feed("board", ["utility", "bess", "other"])
    w = World(plant, control=FORM).set("other", control=FORM).run(2)
    w.set("utility", in_service=0.0).run(5)
    assert w.gives("bess", "power") == pytest.approx(0.5e6)
    assert w.gives("other", "power") == pytest.approx(0.5e6)


# Its failures


@pytest.mark.parametrize("failure", ["inverter_failed", "battery_failed", "forming_failed"])
def test_a_failure_loses_the_board_that_it_would_hold(failure):
    w = World(bar(), control=FORM).run(2)
    w.set("bess", **{failure: 1.0}).run(1)
    assert w.is_("failed") == (failure != "forming_failed")
    w.set("utility", in_service=0.0).run(10)
    assert w.volts("board") == 0
    assert w.gives("bess", "power") == 0
    assert w.worst < 1e-11


def test_a_failed_battery_leaves_reactive_power():
    w = World(bar()).set("bess", battery_failed=1.0, power_setpoint=1e6, reactive_setpoint=0.5e6).run(5)
    assert w.gives("bess", "power") == pytest.approx(-10e3)
    assert w.gives("bess", "reactive") == pytest.approx(0.5e6)


def test_a_broken_inverter_gives_nothing_and_loses_nothing():
    w = World(bar()).set("bess", inverter_failed=1.0, power_setpoint=1e6).run(5)
    assert (w.gives("bess", "power"), w.gives("bess", "loss")) == (0, 0)
    assert w.is_("energy") == 0.9 * 3.6e9


def test_it_bridges_a_board_under_a_ups_and_the_site_books_close():
    plant = Plant()
    add(plant, "utility", "utility", rated_power=5e6)
    add(plant, "bess", "bess", **RATINGS)
    add(plant, "board", "bus", ("utility", "bess"))
    add(plant, "ups", "ups", ("board",), **UPS)
    add(plant, "load", "load", ("ups",), rated_power=1e6)
    w = World(plant, control=FORM).run(5)
    w.set("utility", in_service=0.0).run(30)
    assert w.is_("on_battery", "ups") == 0, "it never knew"
    assert w.worst < 1e-11
