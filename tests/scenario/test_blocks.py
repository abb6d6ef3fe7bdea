"""Blocks: described once, placed many times, from this file or another; a gigawatt in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from twin.scenario import BadInput, check, read, read_plant

Save = Callable[..., str]
ROOM = """\
units:
  utility-a: {kind: utility, rated_power: 1 MW, at: [1 m, 2 m, 0 m]}
  pdu-1..2:
    kind: pdu
    feeds: utility-a
    rated_power: 400 kW
    at: {start: [3 m, 0 m, 0 m], step: [1 m, 0 m, 0 m]}
"""


def test_units_get_the_prefix_and_the_shift(save: Save) -> None:
    save(ROOM, "room.yaml")
    name = save(
        "blocks: {room: {include: room.yaml}}\n"
        "place: {r1..2: {block: room, at: {start: [10 m, 0 m, 0 m], step: [0 m, 20 m, 0 m]}}}\n"
    )
    plant = read_plant(name)
    assert list(plant.units) == ["site"] + [f"r{n}/{unit}" for n in (1, 2) for unit in ("utility-a", "pdu-1", "pdu-2")]
    assert plant.feeds["r2/pdu-1"] == ["r2/utility-a"]
    assert plant.units["r2/pdu-2"].at == (14.0, 20.0, 0.0)
    assert str(plant.units["r2/pdu-2"].where) == "room.yaml:3: units.pdu-1..2"


def test_outer_units_take_the_place_of_inner_ones(save: Save) -> None:
    save(ROOM, "room.yaml")
    name = save(
        "units: {grid-1..2: {kind: utility, rated_power: 5 MW}}\n"
        "blocks: {room: {include: room.yaml}}\n"
        "place:\n"
        "  r1..2: {block: room, replace: {utility-a: grid-1..2}}\n"
        "  s: {block: room, replace: {utility-a: grid-1}}\n"
    )
    plant = read_plant(name)
    assert not any(unit.endswith("utility-a") for unit in plant.units)
    assert [plant.feeds[f"{room}/pdu-1"] for room in ("r1", "r2", "s")] == [
        ["grid-1"],
        ["grid-2"],
        ["grid-1"],
    ]


def test_blocks_nest(save: Save) -> None:
    name = save(
        "blocks:\n"
        "  row: {units: {u: {kind: utility, rated_power: 1 MW}}}\n"
        "  hall: {place: {row-1..3: {block: row}}}\n"
        "place: {east: {block: hall}, west: {block: hall}}\n"
    )
    assert list(read_plant(name).units)[1:3] == ["east/row-1/u", "east/row-2/u"]
    assert len(read_plant(name).units) == 7


def test_a_plant_is_found_by_its_name_beside_the_scenario(save: Save, head: str) -> None:
    save(ROOM, "plants/room.yaml")
    text = "title: A try\nplant: room\n" + head[head.index("run:") :]
    assert list(read(save(text)).plant.units) == ["site", "utility-a", "pdu-1", "pdu-2"]
    assert list(read(save(text.replace("plant: room", "plant: plants/room.yaml"))).inputs) == [
        "try.yaml",
        "plants/room.yaml",
    ]


def test_an_include_may_not_leave_its_folder_by_a_link(save: Save, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.yaml"
    outside.write_text(ROOM)
    name = save("blocks: {room: {include: link.yaml}}\nplace: {r: {block: room}}\n", "inner/try.yaml")
    (tmp_path / "inner" / "link.yaml").symlink_to(outside)
    (told,) = check(name)
    assert str(told).endswith('"link.yaml" leaves the folder of this file; a file in it is wanted')


def test_nested_places_cannot_grow_without_bound(save: Save) -> None:
    rows = "".join(f"  b{n}: {{place: {{p1..900: {{block: b{n - 1}}}}}}}\n" for n in range(1, 12))
    first = "  b0: {units: {u: {kind: utility, rated_power: 1 MW}}}\n"
    name = save(f"blocks:\n{first}{rows}place: {{x: {{block: b11}}}}\n")
    began = time.process_time()
    with pytest.raises(BadInput, match="grows beyond 100000 units"):
        read_plant(name)
    assert time.process_time() - began < 5.0


def test_a_gigawatt_of_blocks_is_read_in_seconds(save: Save, small: str) -> None:
    hall = "\n".join(line[2:] for line in small[small.index("  units:") : small.index("run:")].splitlines())
    hall = hall.replace("rack-01..02", "rack-001..115").replace("400 kW", "9 MW").replace("500 kW", "9 MW")
    save(hall, "plants/hall.yaml")
    save(
        "units: {grid-001..116: {kind: utility, rated_power: 20 MW}}\n"
        "blocks: {hall: {include: hall.yaml}}\n"
        "place: {h001..116: {block: hall, replace: {utility-a: grid-001..116}}}\n",
        "plants/campus.yaml",
    )
    tail = small[small.index("run:") : small.index("weather:")]
    name = save(
        f"title: A campus\nplant: campus\n{tail}weather: {{dry_bulb: 35 degC, relative_humidity: 20 %}}\n"
        "workload: {utilisation: 85 %}\nevents:\n  - {at: 60 s, fail: grid-0*}\n"
        "criteria: [max(rack.die_temperature) < 88 degC]\n"
    )
    began = time.process_time()
    scenario = read(name)
    assert time.process_time() - began < 5.0
    assert len(scenario.plant.units) > 14_900
    assert len(scenario.plant.of_kind("rack")) == 116 * 115
