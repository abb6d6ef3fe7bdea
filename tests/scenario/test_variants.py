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
            "variant_of: base\nunits:\n  pump-1: {restart_delay: 3 s}",
            'try.yaml:3: units.pump-1: neither "kind" nor "like" is said; "kind: pdu" or "like: gb300-nvl72" is wanted',
        ),
        (
            "variant_of: base\nunits:\n  pump-1..2: {undervoltage_limit: 120 %}",
            'try.yaml:3: units.pump-1..2.undervoltage_limit: "120 %" is out of bounds; less than 1 is wanted',
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
