"""Voltage levels, ampacities and impedances of a plant as drawn: each wrong one has its sentence."""

import pytest

from tests.small_plants import TRANSFORMER, add
from twin import model as compiled
from twin.plant import Plant
from twin.plant_electrics import levels
from twin.plant_loads import nominal_powers


def site(secondary=480.0, board=0.0, **cable):
    """13.8 kV -> cable -> transformer -> board -> load and bank."""
    plant = Plant()
    run = {"length": 300, "resistance": 1e-4, "reactance": 1e-4, "ampacity": 100} | cable
    add(plant, "utility", "utility", rated_power=5e6, nominal_voltage=13.8e3)
    add(plant, "cable", "cable", ("utility",), **run)
    add(plant, "tx", "transformer", ("cable",), **TRANSFORMER, secondary_voltage=secondary)
    add(plant, "board", "bus", ("tx",), **({"nominal_voltage": board} if board else {}))
    add(plant, "load", "load", ("board",), rated_power=2e6, power_factor=0.8)
    add(plant, "bank", "capacitor", ("board",), rated_reactive_power=5e5)
    return plant


def told(plant):
    return [str(fault) for fault in plant.faults()]


def test_levels_run_down_from_the_sources_through_the_transformers():
    level = levels(site())
    assert [level[n] for n in ("utility", "cable", "tx", "board", "load")] == [13.8e3, 13.8e3, 480, 480, 480]


def test_a_unit_that_does_not_say_its_level_takes_that_of_its_feed():
    table = compiled.compile(site()).table("cable")
    assert table.machine.nominal_voltage[0, 0] == 13.8e3
    assert compiled.compile(site()).table("bus").machine.nominal_voltage[0, 0] == 480


def test_a_sound_site_has_no_fault():
    assert told(site()) == []
    assert told(site(secondary=415, board=400)) == [], "names of one level"


def test_a_wrong_level_at_a_connection_names_both():
    assert told(site(board=415 * 2)) == [
        "board is at 830 V but fed from tx at 480 V; nominal_voltage: 480 V, or a transformer between, is wanted"
    ]
    plant = site()
    plant.units["tx"].parameters["primary_voltage"] = 34.5e3
    assert told(plant) == [
        "tx is at 34.5 kV but fed from cable at 13.8 kV; primary_voltage: 13.8 kV, or a transformer between, is wanted"
    ]


def test_two_levels_on_one_board():
    plant = site()
    add(plant, "other", "bus", ("board", "utility"))
    assert told(plant) == [
        "other is at 480 V but fed from utility at 13.8 kV; one level, or a transformer between, is wanted"
    ]


def test_a_cable_wants_a_level_and_an_impedance():
    plant = site()
    plant.units["utility"].parameters.pop("nominal_voltage")
    assert told(plant) == ["cable has no voltage level; nominal_voltage is wanted, here or on the source that feeds it"]
    assert told(site(resistance=0, reactance=0)) == [
        "cable has no impedance; a resistance or a reactance above zero is wanted"
    ]


def test_a_cable_beyond_its_ampacity_at_nominal_load_is_a_warning_in_amperes():
    """2 MW + 1.5 Mvar - 0.5 Mvar = 2.236 MVA at 13.8 kV: 93.55 A."""
    assert nominal_powers(site())["cable"] == pytest.approx(2e6 + 1e6j)
    assert told(site(ampacity=93)) == ["warning: cable carries 93.55 A at nominal load, above its ampacity of 93 A"]
    assert told(site(ampacity=94)) == []
