"""Coordination of breakers by hand, and as the run itself shows it."""

from __future__ import annotations

import math

import pytest

from tests.small_plants import add
from twin.plant import Plant
from twin.plant_distribution import breaking_capacities
from twin.plant_electrics import available, duties
from twin.studies.coordination import overstressed, selectivity

LOWER = {"curve": 4, "instantaneous_pickup": 8, "instantaneous_delay": 0.01, "opening_time": 0.03}


def two(upper, lower, strength=250e6):
    plant = Plant()
    add(plant, "grid", "utility", rated_power=20e6, short_circuit_power=strength, reactance_ratio=10)
    add(plant, "tx", "transformer", ("grid",), rated_power=2e6, impedance=0.06, no_load_loss=0, load_loss=12e3)
    add(plant, "main", "breaker", ("tx",), rated_power=2e6, **upper)
    add(plant, "board", "bus", ("main",))
    add(plant, "feeder", "breaker", ("board",), rated_power=1e6, **lower)
    add(plant, "pdu", "pdu", ("feeder",), rated_power=1e6)
    return plant


def test_what_can_flow_by_hand():
    """Both have X/R 10: 1/(4 ns + 30 ns) = 29.4 MVA."""
    assert available(two({}, {}), "pdu") == pytest.approx(1 / (1 / 250e6 + 0.06 / 2e6), rel=1e-3)
    assert available(two({}, {}, strength=0), "pdu") == pytest.approx(2e6 / 0.06)


def test_a_main_that_waits_is_selective():
    (pair,) = selectivity(two({"curve": 4, "short_time_pickup": 4, "short_time_delay": 0.3}, LOWER))
    assert (pair.upper, pair.lower) == ("main", "feeder")
    assert pair.selective
    assert pair.least == pytest.approx(0.3 - 0.04)
    assert "selective up to 29.4 MVA, all that can flow" in pair.sentence()


def test_a_main_that_acts_at_once_is_selective_up_to_its_pickup():
    upper = {"curve": 4, "instantaneous_pickup": 6, "instantaneous_delay": 0.005}
    (pair,) = selectivity(two(upper, LOWER))
    assert not pair.selective
    assert pair.selective_up_to == pytest.approx(12e6, rel=0.01)
    assert pair.least == pytest.approx(0.005 - 0.04)
    assert "main opens first" in pair.sentence()


def test_a_margin_that_is_too_small_is_told():
    (pair,) = selectivity(two({"curve": 4, "short_time_pickup": 4, "short_time_delay": 0.1}, LOWER))
    assert not pair.selective
    assert "main waits 60 ms, 100 ms are wanted" in pair.sentence()


def test_relay_curves_by_the_standard():
    """Two very inverse relays at 10 MVA: 13.5 TMS/(I/Is - 1)."""
    relay = {"curve": 2, "overload_limit": 1.2, "opening_time": 0.06}
    plant = two({**relay, "time_multiplier": 0.5}, {**relay, "time_multiplier": 0.1})
    main, feeder = plant.units["main"].machine(), plant.units["feeder"].machine()
    assert main.trip_time(10e6) == pytest.approx(0.5 * 13.5 / (10 / 2.4 - 1))
    assert feeder.clearing_time(10e6) == pytest.approx(0.1 * 13.5 / (10 / 1.2 - 1) + 0.06)
    (pair,) = selectivity(plant)
    assert pair.selective


def test_a_lower_breaker_that_never_opens_makes_no_pair_selective():
    (pair,) = selectivity(two({"curve": 4}, {"overload_limit": 9.9, "thermal_time_constant": 1e6}))
    assert not pair.selective
    assert pair.least < -1.0
    assert math.isfinite(pair.selective_up_to)


def test_a_plant_without_breakers_has_no_pairs():
    plant = Plant()
    add(plant, "grid", "utility", rated_power=20e6)
    add(plant, "board", "bus", ("grid",))
    assert selectivity(plant) == []


def test_a_duty_beyond_the_breaking_capacity_is_named_and_warned_of():
    """29.4 MVA can flow behind the feeder (1/(1/250 + 0.06/2) MVA, both of X/R 10)."""
    for capacity, wrong in ((20e6, True), (30e6, False)):
        plant = two({"breaking_capacity": 50e6}, {**LOWER, "breaking_capacity": capacity})
        assert [name for name, _, _ in duties(plant)] == ["main", "feeder"]
        said = "feeder breaks 20 of 29.4 MVA; told to open on more, it stays closed and is damaged"
        assert overstressed(plant) == ([said] if wrong else [])
        text = "feeder breaks 20 MVA (breaking_capacity), but 29.4 MVA can flow behind it"
        assert [fault.text for fault in breaking_capacities(plant) if fault.warning] == ([text] if wrong else [])
    assert duties(two({}, LOWER)) == []
    assert duties(two({"breaking_capacity": 50e6}, LOWER, strength=0)) != [], "the transformer limits it"


def test_boards_that_ties_join_see_the_strongest_way_and_the_mains_of_both():
    """A ring board without feeds of its own: 4 + 30 ns of grid and transformer and 10 ns of tie."""
    plant = two({}, LOWER)
    add(plant, "far", "bus", ())
    add(plant, "tie", "tie", rated_power=2e6, series_reactance=0.01 * 480**2 / 1e6, nominal_voltage=480)
    plant.join("tie", ["far", "board"])
    add(plant, "far-feeder", "breaker", ("far",), rated_power=1e6, **LOWER)
    add(plant, "far-pdu", "pdu", ("far-feeder",), rated_power=1e6)
    assert available(plant, "far-pdu") == pytest.approx(1 / (4e-9 + 30e-9 + 10e-9), rel=2e-3)
    assert available(plant, "pdu") == pytest.approx(1 / (4e-9 + 30e-9), rel=1e-3)
    assert {(pair.upper, pair.lower) for pair in selectivity(plant)} == {("main", "feeder"), ("main", "far-feeder")}
