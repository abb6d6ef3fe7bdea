"""A switch: it forwards while fed and cool, boots when power is back, and warms the room with all it takes."""

from __future__ import annotations

import math

import pytest

from twin.equipment.switch import Switch

LIVE, DEAD = (1.0, 0.0), (0.0, 1.0)


@pytest.fixture
def leaf(bench):
    b = bench(Switch(rated_power=2000.0, restart_delay=60.0))
    for _ in range(3):
        b.tick(1.0, [LIVE, LIVE])
    return b


def test_it_takes_its_power_and_gives_it_to_the_room(leaf):
    told = leaf.tick(1.0, [LIVE, LIVE])
    assert (told.power.real, told.warm) == (2000.0, 2000.0)
    assert leaf.gives("port_share") == 1.0
    assert told.split == [0.5, 0.5]


def test_two_cords_carry_it_over_the_loss_of_one(leaf):
    told = leaf.tick(1.0, [LIVE, DEAD])
    assert told.power.real == 2000.0
    assert (leaf.is_("stopped"), leaf.gives("port_share")) == (0.0, 1.0)


def test_without_supply_it_stops_after_its_hold_up_and_boots_when_power_is_back(leaf):
    began = leaf.now
    told = leaf.tick(1.0, [DEAD, DEAD])
    assert told.power == 0.0
    assert (leaf.is_("stopped"), leaf.gives("port_share")) == (1.0, 0.0)
    assert leaf.is_("stopped_at") == pytest.approx(began + 0.02)
    leaf.tick(1.0, [LIVE, LIVE])
    back, ticks = leaf.now - 1.0, 0
    while leaf.is_("stopped") and ticks < 200:
        told, ticks = leaf.tick(1.0, [LIVE, LIVE]), ticks + 1
        assert told.power.real == 2000.0, "it draws while it boots"
    assert leaf.is_("stopped_at") == pytest.approx(back + 60.0, abs=1e-6)
    assert leaf.gives("port_share") == 1.0


def test_its_power_supplies_bridge_a_static_switch(leaf):
    told = leaf.tick(1.0, [(1.0, 0.004)])
    assert leaf.is_("stopped") == 0.0
    assert told.power.real == pytest.approx(2000.0 * 0.996)


def test_broken_chips_forward_nothing_and_still_draw(leaf):
    leaf.set(chips_failed=1.0)
    told = leaf.tick(1.0, [LIVE])
    assert (leaf.gives("port_share"), told.power.real) == (0.0, 2000.0)
    leaf.set(chips_failed=0.0)
    leaf.tick(1.0, [LIVE])
    assert leaf.is_("stopped") == 1.0, "a new one boots first"


def test_ports_and_flapping_links_take_their_share(leaf):
    leaf.set(ports_lost=0.25)
    leaf.tick(1.0, [LIVE])
    assert leaf.gives("port_share") == 0.75
    leaf.set(links_flapping=1.0)
    leaf.tick(1.0, [LIVE])
    assert leaf.gives("port_share") == pytest.approx(0.75 * 0.9)


def test_out_of_service_it_takes_nothing(leaf):
    leaf.set(in_service=0.0)
    assert leaf.tick(1.0, [LIVE]).power == 0.0
    assert leaf.gives("port_share") == 0.0


def test_its_chips_follow_the_room_by_a_lag(leaf):
    """The bench's room is at 25 degC: 45 K above it at rated power, exact for any tick."""
    leaf.set(in_service=0.0)
    start = leaf.is_("chip_temperature")
    leaf.tick(90.0, [LIVE])
    room = 298.15
    assert leaf.is_("chip_temperature") == pytest.approx(room + (start - room) * math.exp(-90.0 / 60.0))


def test_too_hot_it_cuts_itself_off_until_it_has_cooled(bench):
    b = bench(Switch(rated_power=2000.0, temperature_rise=90.0, restart_delay=10.0))
    for _ in range(600):
        b.tick(1.0, [LIVE])
        if b.is_("overheated"):
            break
    assert b.is_("chip_temperature") >= 378.15
    cut = b.is_("overheated_at")
    assert cut == pytest.approx(b.now, abs=1.0)
    assert b.tick(1.0, [LIVE]).power == 0.0
    assert b.gives("port_share") == 0.0
    while b.is_("overheated"):
        b.tick(1.0, [LIVE])
    wanted = 60.0 * math.log((378.15 - 298.15) / (358.15 - 298.15))
    assert b.is_("overheated_at") - cut == pytest.approx(wanted, abs=1.5)
    assert b.tick(1.0, [LIVE]).power.real == 2000.0
