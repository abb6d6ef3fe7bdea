"""A UPS that empties while a short circuit stands feeds its load until then, as where nothing is short-circuited."""

from __future__ import annotations

import pytest

from tests.networks.test_short_circuit import World, feeder
from tests.small_plants import UPS, add
from twin.ledger import LIMIT


def on_a_ups(**more):
    """The feeder with a UPS of 4.5 MJ on its board; behind it a PDU with 0.3 MW, and another, by itself."""
    plant = feeder()
    add(plant, "ups", "ups", ("board",), **{**UPS, "battery_energy": 4.5e6}, **more)
    for name in ("pdu", "beside"):
        add(plant, name, "pdu", ("ups",), rated_power=1.5e6)
    add(plant, "load", "load", ("pdu",), rated_power=0.3e6)
    return World(plant)


def outage(dt, **how):
    """The board is lost: when the UPS warns and drops its load, its PDU is dead, and what its load had by then [J].

    Ticks are of a second, and of `dt` from 14 s on.
    """
    world = on_a_ups()
    for unit, values in how.items():
        world.set(unit, **values)
    had = 0.0
    for tick in [1.0] * 14 + [dt] * round(2 / dt):
        world.tick(tick)
        had += world.row("load", "power") * tick
    assert world.row("ups", "depleted") == world.row("pdu", "dead") == 1
    assert world.worst <= LIMIT
    return [world.row("ups", "battery_low_at"), world.row("ups", "depleted_at"), world.row("pdu", "dead_at")], had


def test_it_drops_its_load_when_it_is_empty_and_not_up_to_a_tick_before():
    """Emptied within a tick: the load's energy and every moment are those of a board without a short circuit."""
    moments, had = outage(1.0, main={"in_service": 0})
    warns, drops, dead = moments
    assert warns < drops == dead, "it warns, it drops its load, its PDU is dead"
    assert dead % 1.0 == pytest.approx(0.5, abs=0.4), "within a tick"
    assert had == pytest.approx(0.3e6 * dead, rel=1e-3)
    for dt in (1.0, 0.2, 0.02):
        found, had_then = outage(dt, board={"short_circuit": 1})
        assert found == pytest.approx(moments, abs=0.03), dt
        assert had_then == pytest.approx(had, rel=2e-3), dt


def test_a_short_circuit_behind_it_leaves_nothing_to_what_hangs_beside_when_it_empties_either():
    """It feeds the fault at a third of its voltage until it is empty: nobody behind it lives in that tick."""
    world = on_a_ups(short_circuit_current=2.0, overload_time_peak=60.0)
    world.set("beside", short_circuit=1, fault_power=10e6)
    world.set("main", in_service=0)
    dead_at = []
    for _ in range(16):
        world.tick(1.0)
        assert world.row("load", "power") == 0.0
        dead_at.append(world.row("pdu", "dead_at"))
        assert world.worst <= LIMIT
    assert world.row("ups", "depleted") == 1
    assert set(dead_at) == {0.0}
