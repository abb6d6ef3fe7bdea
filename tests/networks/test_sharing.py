"""Sharing: sets in parallel part the load as their droop and set-points say; closed forms, through `step`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.networks.test_sources import gives
from tests.small_plants import GENERATOR, add
from twin import model as compiled
from twin.declare import MODES, Ports, replace
from twin.networks import sharing
from twin.plant import Plant
from twin.plant_electrics import bearing, capacities
from twin.plant_loads import nominal_loads
from twin.step import step

SET = GENERATOR | {"rated_power": 1e6, "block_step": 2.0}


def sets(*ratings, load=0.8e6, power_factor=1.0, breakers=False):
    """Generating sets on one board, each with its own ratings, behind breakers if wanted, with a constant load."""
    plant = Plant()
    for number, own in enumerate(ratings):
        add(plant, f"set-{number}", "generator", **(SET | own))
        if breakers:
            add(plant, f"breaker-{number}", "breaker", (f"set-{number}",), rated_power=4e6)
    feeds = tuple(f"breaker-{n}" if breakers else f"set-{n}" for n in range(len(ratings)))
    add(plant, "board", "bus", feeds)
    add(plant, "load", "load", ("board",), rated_power=load, power_factor=power_factor)
    return plant


def settled(plant, no_load=None, out=(), dt=0.5):
    """The plant after 100 s in hand, with some sets set otherwise than nominal and some out; its model and state."""
    model = compiled.compile(plant)
    asked = compiled.inputs(model)
    row = asked["generator"]
    zero = row.mode * 0.0
    in_service = np.array([[float(n not in out) for n in range(zero.shape[1])]])
    asked["generator"] = replace(
        row, mode=zero + MODES["hand"], in_service=in_service,
        no_load_frequency=zero + (1.0 if no_load is None else np.array([no_load])),
    )  # fmt: skip
    now = compiled.state(model, asked)
    for tick in range(round(100 / dt)):
        now = step(model, now, asked, tick * dt, dt)
    return model, now


def powers(model, now, count, quantity="power"):
    return [gives(model, now, f"set-{n}", quantity) for n in range(count)]


@pytest.mark.parametrize("breakers", [False, True])
def test_sets_of_3_and_5_percent_droop_share_by_it(breakers):
    """P_i = -f S_i/droop_i: 1/0.03 to 1/0.05 is 5 to 3, so 0.5 and 0.3 MW, at 60 (1 - 0.015) = 59.1 Hz."""
    model, now = settled(sets({"droop": 0.03}, {"droop": 0.05}, breakers=breakers))
    assert powers(model, now, 2) == pytest.approx([0.5e6, 0.3e6], rel=1e-9)
    assert powers(model, now, 2, "frequency") == pytest.approx([59.1, 59.1], abs=1e-4)


def test_at_any_tick():
    found = [settled(sets({"droop": 0.03}, {"droop": 0.05}), dt=dt) for dt in (1.0, 0.1)]
    for model, now in found:
        assert powers(model, now, 2) == pytest.approx([0.5e6, 0.3e6], rel=1e-9)
        assert powers(model, now, 2, "frequency") == pytest.approx([59.1, 59.1], abs=1e-4)


def test_ratings_count_with_droop():
    """1 MW/0.04 = 25 and 3 MW/0.06 = 50 MW: one third and two thirds."""
    model, now = settled(sets({"droop": 0.04}, {"droop": 0.06, "rated_power": 3e6}, load=1.5e6))
    assert powers(model, now, 2) == pytest.approx([0.5e6, 1e6], rel=1e-9)


def test_a_governor_set_higher_gives_more():
    """f = (33.333 x 1.006 + 20 x 1 - 0.8)/53.333 = 0.98875, so 0.575 and 0.225 MW."""
    model, now = settled(sets({"droop": 0.03}, {"droop": 0.05}), no_load=[1.006, 1.0])
    assert powers(model, now, 2) == pytest.approx([0.575e6, 0.225e6], rel=1e-9)
    assert powers(model, now, 2, "frequency") == pytest.approx([60 * 0.98875] * 2, abs=1e-4)


def test_an_isochronous_set_takes_the_swing_and_one_with_droop_gives_what_it_is_set_to():
    """(1.012 - 1)/0.04 of 1 MW is 0.3 MW whatever the load, at 60 Hz."""
    for load in (0.8e6, 1.1e6):
        model, now = settled(sets({"droop": 0.0}, {"droop": 0.04}, load=load), no_load=[1.0, 1.012])
        assert powers(model, now, 2) == pytest.approx([load - 0.3e6, 0.3e6], rel=1e-6)
        assert powers(model, now, 2, "frequency") == pytest.approx([60.0, 60.0], abs=1e-3)


def test_isochronous_sets_share_by_rating_and_the_last_with_droop_takes_all():
    plant = sets({}, {"rated_power": 3e6}, {"droop": 0.04})
    model, now = settled(plant)
    assert powers(model, now, 3) == pytest.approx([0.2e6, 0.6e6, 0.0], abs=1.0)
    model, now = settled(plant, out=(0, 1))
    assert powers(model, now, 3) == pytest.approx([0.0, 0.0, 0.8e6], rel=1e-9)
    assert gives(model, now, "set-2", "frequency") == pytest.approx(60 * (1 - 0.04 * 0.8), abs=1e-4)


def test_reactive_power_by_voltage_droop_else_by_rating():
    """At a power factor of 0.8 the load asks 0.6 Mvar: 4 to 2 by droops of 2 and 4 %; alike without."""
    both = {"droop": 0.03, "voltage_droop": 0.02}, {"droop": 0.05, "voltage_droop": 0.04}
    model, now = settled(sets(*both, power_factor=0.8))
    assert powers(model, now, 2) == pytest.approx([0.5e6, 0.3e6], rel=1e-9)
    assert powers(model, now, 2, "reactive") == pytest.approx([0.4e6, 0.2e6], rel=1e-9)
    row = now.rows["generator"]
    np.testing.assert_allclose(row.terminal_voltage, 1 - 0.02 * 0.4, atol=1e-9)
    model, now = settled(sets({"droop": 0.03}, {"droop": 0.05}, power_factor=0.8))
    assert powers(model, now, 2, "reactive") == pytest.approx([0.3e6, 0.3e6], rel=1e-9)


def test_energy_closes_and_the_checks_know_the_shares():
    plant = sets({"droop": 0.03}, {"droop": 0.05}, power_factor=0.8)
    assert nominal_loads(plant)["set-0"] == pytest.approx(0.5e6)
    assert bearing(plant, "board", capacities(plant)) == pytest.approx([1e6 / 0.03, 1e6 / 0.05])
    _, now = settled(plant, no_load=[1.006, 1.0])
    assert abs(now.outputs["site"].energy_residual).max() < 1e-11


@given(
    drawn=some.complex_numbers(max_magnitude=1e7),
    split=some.lists(some.floats(0.01, 1), min_size=2, max_size=5),
    push=some.lists(some.floats(-1e6, 1e6), min_size=5, max_size=5),
)
def test_what_feeds_bear_sums_to_what_is_drawn(drawn, split, push):
    port = Ports()
    port.split = [share / sum(split) for share in split]
    port.feed_gap = [np.zeros((1, 1))] * len(split)
    port.feed_push = [np.full((1, 1), each) for each in push[: len(split)]]
    reactive = [1.0 + n for n in range(len(split))]
    parts = sharing.parted(np.full((1, 1), drawn), reactive, port, 1.0)
    assert abs(sum(part[0, 0] for part in parts) - drawn) <= 1e-9 * (abs(drawn) + 1e6)
