"""Racks that come back in turn: their moments by hand, at any tick, each member by itself."""

import numpy as np
import pytest

from tests.networks.work_bench import racks
from tests.small_plants import AIR_RACK, RACK
from twin.declare import Ports, replace
from twin.model import _rows
from twin.networks import starting
from twin.networks.tables import compile_tables
from twin.physics.startup import has_begun
from twin.plant import Plant, Unit

RAMP = RACK["rated_power"] / 20.0
"""One liquid-cooled rack every 20 s."""
LATER = AIR_RACK["rated_power"] / RAMP


class Site:
    """Three liquid-cooled racks and two air-cooled ones without power, by member; `began` when each began to start."""

    def __init__(self, ramps, first=()):
        """first: air-cooled racks that the plant names before the others."""
        plant = Plant()
        for k in first:
            plant.add(Unit(f"rack-{k}", "air_rack", dict(AIR_RACK)))
        racks(plant, 3)
        for k in {3, 4} - set(first):
            plant.add(Unit(f"rack-{k}", "air_rack", dict(AIR_RACK)))
        members = len(ramps)
        self.tables = {t.key: t for t in compile_tables(plant, np)}
        self.racks = [t for t in self.tables.values() if t.machine.is_work]
        self.order = starting.compile_turns(plant, self.racks, np)
        self.inputs, self.rows = (
            {k: _rows(getattr(t.machine, part), members, t.size, np, {}) for k, t in self.tables.items()}
            for part in ("Inputs", "State")
        )
        self.inputs["site"] = replace(self.inputs["site"], start_ramp=np.array(ramps)[:, None])
        for t in self.racks:
            dark = np.ones((members, t.size))
            self.rows[t.key] = replace(self.rows[t.key], unpowered=dark)
        self.now, self.began = 0.0, np.full((members, 5), np.inf)

    def tick(self, dt, gap=0.0, alive=None):
        """One tick; alive: (member, 5), gap: seconds at its start without supply, for all."""
        members = len(self.began)
        alive = np.ones((members, 5)) if alive is None else alive
        gap = np.where(alive > 0, gap, dt)
        ports, first = {key: Ports(now=self.now) for key in self.tables}, 0
        for t in self.racks:
            own = slice(first, first + t.size)
            ports[t.key].voltage, ports[t.key].gap, first = alive[:, own], gap[:, own], own.stop
        starting.take_turns(self.racks, ports, self.rows, self.inputs, dt, self.order)
        first = 0
        for t in self.racks:
            row, own = self.rows[t.key], slice(first, first + t.size)
            clock = t.machine.start_clock(row, self.inputs[t.key], ports[t.key], dt)
            delay = self.inputs[t.key].turn_delay
            before = np.where(gap[:, own] > 0, 0.0, row.restart_clock)
            begins = has_begun(clock, delay) & ~has_begun(before, delay)
            self.began[:, own] = np.where(begins, self.now + dt - (clock - delay), self.began[:, own])
            self.rows[t.key], first = replace(row, restart_clock=clock), own.stop
        site = self.tables["site"].machine
        self.rows["site"], _ = site.advance(self.rows["site"], self.inputs["site"], ports["site"], dt)
        self.now += dt


@pytest.mark.parametrize("dt", [0.5, 7.0, 60.0])
def test_racks_begin_as_the_ramp_lets_them_at_any_tick(dt):
    """A rack every 20 s, the smaller ones sooner; without a limit all at once; half the ramp, twice the time."""
    site = Site([RAMP, 0.0, RAMP / 2])
    for _ in range(int(300 / dt)):
        site.tick(dt)
    turns = np.array([0.0, 20.0, 40.0, 60.0, 60.0 + LATER])
    np.testing.assert_allclose(site.began, [turns, 0 * turns, 2 * turns], atol=1e-9)
    assert site.rows["site"].next_start[0, 0] == pytest.approx(60 + 2 * LATER)


def test_supply_that_comes_back_within_a_tick_and_later_elsewhere():
    """Two racks have it 2.5 s into a tick, the others ten seconds after the turns of those are through."""
    site = Site([RAMP])
    few = np.array([[1.0, 1.0, 0.0, 0.0, 0.0]])
    site.tick(10.0, gap=2.5, alive=few)
    for _ in range(4):
        site.tick(10.0, alive=few)
    for _ in range(5):
        site.tick(10.0)
    np.testing.assert_allclose(site.began, [[2.5, 22.5, 50.0, 70.0, 70.0 + LATER]])


def test_who_loses_supply_again_takes_a_new_turn_and_one_out_of_service_none():
    site = Site([RAMP])
    table = site.tables["rack"]
    service = site.inputs["rack"].in_service.copy()
    service[0, 1] = 0.0
    site.inputs[table.key] = replace(site.inputs[table.key], in_service=service)
    for _ in range(3):
        site.tick(10.0)
    np.testing.assert_allclose(site.began[0, [0, 2]], [0.0, 20.0])
    site.tick(10.0, alive=np.array([[0.0, 1.0, 1.0, 1.0, 1.0]]))
    for _ in range(3):
        site.tick(10.0)
    np.testing.assert_allclose(site.began[0, [0, 2, 3, 4]], [40.0, 20.0, 60.0, 60.0 + LATER])


@pytest.mark.parametrize("dt", [0.5, 7.0, 60.0])
def test_racks_begin_in_the_order_in_which_the_plant_names_them(dt):
    """The air-cooled ones first, whatever kind the tables begin with."""
    site = Site([RAMP], first=(3, 4))
    for _ in range(int(300 / dt)):
        site.tick(dt)
    np.testing.assert_allclose(site.began, [[2 * LATER, 2 * LATER + 20, 2 * LATER + 40, 0.0, LATER]], atol=1e-9)


@pytest.mark.parametrize("dt", [0.1, 1.0, 10.0])
def test_a_rack_asks_for_its_turn_when_its_delay_is_over(dt):
    """It would begin after 30 s; then two of four have begun, and of those that wait it stands first in the plant."""
    site = Site([RAMP, 0.0])
    delays = site.inputs["rack"].turn_delay.copy()
    delays[:, 1] = 30.0
    site.inputs["rack"] = replace(site.inputs["rack"], turn_delay=delays)
    for _ in range(round(200 / dt)):
        site.tick(dt)
    expected = [0.0, 40.0, 20.0, 60.0, 60.0 + LATER], [0.0, 30.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(site.began, expected, atol=1e-8)


def test_a_member_is_the_same_alone_to_the_bit():
    both, alone = Site([0.37 * RAMP, RAMP]), Site([RAMP])
    for dt in (1.0, 0.01, 13.0, 60.0):
        both.tick(dt, gap=0.3 * dt)
        alone.tick(dt, gap=0.3 * dt)
    assert both.began[1:].tobytes() == alone.began.tobytes()
    assert both.rows["site"].next_start[1:].tobytes() == alone.rows["site"].next_start.tobytes()
