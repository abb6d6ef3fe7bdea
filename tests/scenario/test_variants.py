"""Variants: a plant that is another but for what it says; lists that give each unit of a range its own value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twin.scenario import BadInput, read, read_plant

Save = Callable[..., str]
BASE = """\
title: The base
units:
  utility-a: {kind: utility, rated_power: 1 MW}
  board-1..2: {kind: bus, feeds: utility-a}
  hall: {kind: zone, volume: 100 m^3, mass_heat_capacity: 1 MJ/K}
  pdu-1..3: {kind: pdu, feeds: board-1, rated_power: 400 kW, zone: hall}
  fan-1: {like: fan-wall-280kw, feeds: board-1, zone: hall}
  pump-1..2: {like: pump-12lps, feeds: board-1}
coolant:
  water: {fluid: water, plant: [pump-1..2], loads: [fan-1]}
"""


def test_an_entry_of_the_same_name_takes_its_keys_on_top(save: Save) -> None:
    save(BASE, "base.yaml")
    plant = read_plant(
        save("variant_of: base\nunits:\n  pdu-1..3: {feeds: board-2}\n  board-3: {kind: bus, feeds: utility-a}")
    )
    assert [plant.feeds[f"pdu-{i}"] for i in (1, 2, 3)] == [["board-2"]] * 3
    assert plant.units["pdu-1"].parameters == {"rated_power": 400e3}
    assert plant.units["pdu-1"].zone == "hall"
    assert plant.feeds["pump-1"] == ["board-1"]
    assert plant.units["board-3"].kind == "bus"
    assert plant.loops["water"].fluid == "water"
    assert plant.feeds["pdu-1"] != read_plant("base.yaml").feeds["pdu-1"], "the base stays what it is"


def test_members_of_a_range_are_changed_alone(save: Save) -> None:
    """Feeds in pairs, lists of values and places stay those of each; the order of units stays."""
    save(BASE.replace("feeds: board-1, rated_power: 400 kW, zone: hall", "feeds: [board-1, board-2], zone: hall, "
         "rated_power: [400 kW, 500 kW, 600 kW], at: {start: [1 m, 0 m, 0 m], step: [2 m, 0 m, 0 m]}")
         .replace("pump-1..2: {like: pump-12lps, feeds: board-1}", "pump-1..2: {like: pump-12lps, feeds: board-1..2}"),
         "base.yaml")  # fmt: skip
    base, plant = read_plant("base.yaml"), read_plant(
        save("variant_of: base\nunits:\n  pdu-2: {rated_power: 1 MW}\n  pump-2: {restart_delay: 9 s}")
    )  # fmt: skip
    assert list(plant.units) == list(base.units)
    assert plant.feeds == base.feeds
    assert plant.feeds["pump-2"] == ["board-2"]
    assert [plant.units[f"pdu-{i}"].parameters["rated_power"] for i in (1, 2, 3)] == [4e5, 1e6, 6e5]
    assert [plant.units[f"pdu-{i}"].at for i in (1, 2, 3)] == [(1.0, 0.0, 0.0), (3.0, 0.0, 0.0), (5.0, 0.0, 0.0)]
    delays = [plant.units[f"pump-{i}"].parameters["restart_delay"] for i in (1, 2)]
    assert delays == [base.units["pump-1"].parameters["restart_delay"], 9.0]


def test_a_range_of_a_variant_may_span_entries_and_a_variant_may_follow(save: Save) -> None:
    save(BASE.replace("pdu-1..3:", "pdu-1..2:").replace("  fan-1:", "  pdu-3: {kind: pdu, feeds: board-2, "
         "rated_power: 9 kW, zone: hall}\n  fan-1:"), "base.yaml")  # fmt: skip
    save("variant_of: base\nunits:\n  pdu-2..3: {rated_power: [5 kW, 6 kW]}", "second.yaml")
    plant = read_plant(save("variant_of: second\nunits:\n  pdu-1..2: {zone: hall, rated_power: 7 kW}"))
    assert [plant.units[f"pdu-{i}"].parameters["rated_power"] for i in (1, 2, 3)] == [7e3, 7e3, 6e3]
    assert [plant.feeds[f"pdu-{i}"] for i in (1, 2, 3)] == [["board-1"], ["board-1"], ["board-2"]]


def test_a_variant_may_vary_a_variant_and_loops(save: Save) -> None:
    save(BASE, "base.yaml")
    save("variant_of: base\nunits:\n  pump-1..2: {feeds: board-2}\ncoolant:\n  water: {fluid: pg25}", "second.yaml")
    plant = read_plant(save("variant_of: second\nunits:\n  pump-1..2: {restart_delay: 7 s}"))
    assert (plant.feeds["pump-2"], plant.loops["water"].fluid) == (["board-2"], "pg25")
    assert plant.units["pump-2"].parameters["restart_delay"] == 7.0


def test_a_scenario_varies_a_plant_in_place_and_its_text_stands_alone(save: Save, head: str) -> None:
    save(BASE, "base.yaml")
    tail = head[head.index("run:") :]
    own = "plant:\n  variant_of: base\n  units:\n    pump-1..2: {restart_delay: [3 s, 9 s]}\n"
    scenario = read(save(f"title: A try\n{own}{tail}"))
    assert [scenario.plant.units[f"pump-{i}"].parameters["restart_delay"] for i in (1, 2)] == [3.0, 9.0]
    assert "variant_of" not in scenario.text
    again = read(save(scenario.text, "resolved.yaml"))
    assert again.plant.feeds == scenario.plant.feeds
    for unit in scenario.plant.units.values():
        assert again.plant.units[unit.name].parameters == unit.parameters
    assert set(scenario.inputs) >= {"try.yaml", "base.yaml"}


def test_a_block_may_be_a_variant(save: Save) -> None:
    save(BASE, "base.yaml")
    plant = read_plant(
        save("blocks:\n  b: {variant_of: base, units: {pdu-1..3: {feeds: board-2}}}\nplace:\n  x-1..2: {block: b}")
    )
    assert plant.feeds["x-2/pdu-3"] == ["x-2/board-2"]


def test_what_is_wrong_in_the_base_has_its_place_there(save: Save) -> None:
    save(BASE.replace("loads: [fan-1]", "loads: [fan-7]").replace("fluid: water", "fluid: milk"), "base.yaml")
    with pytest.raises(BadInput) as error:
        read_plant(save("variant_of: base\nunits:\n  pump-2: {restart_delay: 3 s}\ncoolant:\n  extra: {fluid: water}"))
    told = [str(fault).split(":")[:2] for fault in error.value.faults if "milk" in str(fault) or "fan-7" in str(fault)]
    assert told == [["base.yaml", "10"]] * 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("variant_of: try", "try.yaml:1: variant_of: this plant is a variant of itself in the end"),
        ("variant_of: hal", 'try.yaml:1: variant_of: there is no plant "hal"; did you mean "hall"?'),
        (
            "variant_of: base\nunits:\n  pump-1..2: {restart_delay: [3 s, 9 s, 12 s]}",
            "try.yaml:3: units.pump-1..2.restart_delay: 3 values for 2 units; one, or one for each, is wanted",
        ),
        (
            "variant_of: base\nunits:\n  pump-9: {restart_delay: 3 s}",
            'try.yaml:3: units.pump-9: neither "kind" nor "like" is said; "kind: pdu" or "like: gb300-nvl72" is wanted',
        ),
        (
            "variant_of: base\nunits:\n  pump-2: {restart_delay: 3 kg}",
            'try.yaml:3: units.pump-2.restart_delay: "3 kg" is a mass; a time is wanted, e.g. "3 s"',
        ),
        (
            "variant_of: base\nunits:\n  pump-1: {kind: pump}\n  board-2: {feeds: nobody}",
            "try.yaml:4: units.board-2: board-2 is fed from nobody, which is not a unit",
        ),
        (
            "variant_of: base\nunits:\n  fan-1: {kind: fan_wall, like: pump-12lps}\n",
            'try.yaml:3: units.fan-1.kind: "fan_wall" was found, but pump-12lps is a pump',
        ),
        (
            "variant_of: base\ncoolant:\n  water: {loads: [fan-1, pump-7]}\n",
            "try.yaml:3: coolant.water: loop water names pump-7, which is not a unit; did you mean pump-2?",
        ),
        (
            "variant_of: base\ncoolant:\n  second: {fluid: water, plant: [pump-1], loads: [fan-1]}\n",
            "try.yaml:3: coolant.second: the stream pump-1.coolant stands in 2 branches, the last of loop second; "
            "one is wanted",
        ),
        (
            "variant_of: base\nunits:\n  pump-1..2: {undervoltage_limit: 120 %}",
            'try.yaml:3: units.pump-1..2.undervoltage_limit: "120 %" is out of bounds; less than 100 % is wanted',
        ),
        (
            "variant_of: base\nunits:\n  pump-1..2: {undervoltage_delay: -20 ms}",
            'try.yaml:3: units.pump-1..2.undervoltage_delay: "-20 ms" is out of bounds; at least 0 s is wanted; '
            'did you mean "20 ms"?',
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(save: Save, text: str, told: str) -> None:
    save(BASE, "base.yaml")
    with pytest.raises(BadInput) as error:
        read_plant(save(text))
    assert told in [str(fault) for fault in error.value.faults]
