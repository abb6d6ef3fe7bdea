"""What brings power to the racks, as drawn: direct current, taps, busways with another feed lost."""

import pytest

from tests.small_plants import RACK, add, pod
from twin.plant import Plant
from twin.plant_distribution import direct_current, taps_and_feeds_lost
from twin.plant_electrics import capacities


def row(racks=5, tap=250.0, share=0.9, **more):
    """Racks of 135 kW and power factor 0.99 on two busways of 1,200 A at 415 V: 189.7 A each with one lost."""
    plant = Plant()
    for side in "ab":
        add(plant, f"utility-{side}", "utility", rated_power=5e6, nominal_voltage=415)
        add(plant, f"way-{side}", "busway", (f"utility-{side}",), ampacity=1200, tap_ampacity=tap,
            feed_lost_share=share)  # fmt: skip
    for i in range(racks):
        add(plant, f"rack-{i}", "rack", ("way-a", "way-b"), **{**RACK, "air_fraction": 0.0, **more})
    return plant


def test_five_racks_may_lose_a_feed_and_six_may_not():
    assert list(taps_and_feeds_lost(row())) == []
    found = [fault.text for fault in taps_and_feeds_lost(row(6))]
    assert found == [
        f"way-{a} carries 1138 A with way-{b} lost, above 90% of its ampacity, 1080 A" for a, b in ("ab", "ba")
    ]
    assert all(fault.warning for fault in taps_and_feeds_lost(row(6)))
    assert list(taps_and_feeds_lost(row(6, share=1.0))) == []


def test_a_whip_too_thin_is_told():
    first = next(iter(taps_and_feeds_lost(row(1, tap=150))))
    assert first.text == "rack-0 takes 189.7 A from way-a alone, above its tap_ampacity of 150 A"


def test_direct_current_is_said_by_whoever_carries_it():
    plant = pod(dc=True)
    for i in (1, 2):
        plant.units[f"pdu-{i}"].parameters["direct_current"] = 0.0
    found = [fault.text for fault in direct_current(plant)]
    assert found == [f"pdu-{i} is fed with direct current; direct_current: 1 is wanted" for i in (1, 2)]
    for i in (1, 2):
        plant.units[f"pdu-{i}"].parameters["direct_current"] = 1.0
    assert list(direct_current(plant)) == []
    plant.units["rack-01"].parameters["power_factor"] = 0.99
    assert [fault.text for fault in direct_current(plant)] == [
        "rack-01 is fed with direct current and has a power_factor of 0.99; power_factor: 1 is wanted"
    ]
    add(plant, "tx", "transformer", ("pdu-1",), rated_power=1e6, impedance=0.05, no_load_loss=0, load_loss=1e3)
    assert "tx is fed with direct current, which a transformer does not take" in [f.text for f in direct_current(plant)]


def test_nobody_says_direct_current_without_a_rectifier():
    plant = pod()
    plant.units["pdu-1"].parameters["direct_current"] = 1.0
    assert [fault.text for fault in direct_current(plant)] == [
        "pdu-1 says direct_current, but no rectifier feeds it; a rectifier, or direct_current: 0, is wanted"
    ]


@pytest.mark.parametrize("level", [415, 800])
def test_a_busway_counts_its_ampacity_at_its_level(level):
    plant = row()
    for side in "ab":
        plant.units[f"utility-{side}"].parameters["nominal_voltage"] = level
    assert capacities(plant)["way-a"] == pytest.approx(3**0.5 * level * 1200)
