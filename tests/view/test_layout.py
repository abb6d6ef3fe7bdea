"""Layout: nothing stands in anything else, and the same plant always gives the same ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.view.plants import copies
from twin.plant import Plant, Unit
from twin.view.layout import arrange
from twin.view.places import Layout
from twin.view.sizes import NOWHERE, footprint


def overlaps(layout: Layout) -> list[tuple[str, str]]:
    """Pairs of machines whose footprints share ground."""
    names, boxes = list(layout.spots), np.array([spot.box for spot in layout.spots.values()])
    order = np.argsort(boxes[:, 0], kind="stable")
    found = []
    for place, i in enumerate(order):
        reach = np.searchsorted(boxes[order, 0], boxes[i, 2] - 1e-9)
        others = order[place + 1 : reach]
        meet = (boxes[others, 1] < boxes[i, 3] - 1e-9) & (boxes[i, 1] < boxes[others, 3] - 1e-9)
        found += [(names[i], names[j]) for j in others[meet]]
    return found


@pytest.mark.parametrize("name", ["hall", "pod"])
def test_no_machine_stands_in_another(name: str, request: pytest.FixtureRequest) -> None:
    plant = request.getfixturevalue(name)
    layout = arrange(plant)
    assert overlaps(layout) == []
    assert set(layout.spots) == {u.name for u in plant.units.values() if footprint(u.kind).place != NOWHERE}


def test_the_same_plant_gives_the_same_ground(hall: Plant) -> None:
    once, again = arrange(hall), arrange(Plant.from_json(hall.to_json()))
    assert once == again
    assert list(once.spots) == list(again.spots)


def test_racks_stand_with_their_cdus_and_in_rows(hall: Plant) -> None:
    spots = arrange(hall).spots
    for first, cdus in ((1, range(1, 6)), (33, range(6, 11))):
        racks = [spots[f"rack-{i:02d}"] for i in range(first, first + 32)]
        rows = {rack.y for rack in racks}
        assert len(rows) == 2, "one hot aisle between two rows"
        assert {spots[f"cdu-{i}"].y for i in cdus} == rows, "CDUs stand at the row ends"
        assert min(spots[f"cdu-{i}"].x for i in cdus) > max(rack.x for rack in racks)
        assert [rack.pipe.aisle for rack in racks] == pytest.approx([sum(rows) / 2] * 32)


def test_every_machine_stands_on_its_own_floor(hall: Plant) -> None:
    layout = arrange(hall)
    floors = {area.use: area for area in layout.areas}
    for spot in layout.spots.values():
        x0, y0, x1, y1 = spot.box
        area = floors[spot.room]
        assert area.x0 <= x0 < x1 <= area.x1, spot
        assert area.y0 <= y0 < y1 <= area.y1, spot
    walls = [layout.spots[f"fan-wall-{i}"] for i in range(1, 9)]
    assert len({wall.y for wall in walls}) == 1
    assert min(wall.y for wall in walls) > max(spot.y for spot in layout.spots.values() if spot.kind == "rack")


def test_machines_in_series_stand_behind_each_other(hall: Plant) -> None:
    spots = arrange(hall).spots
    for i in range(1, 6):
        pump, dry, chiller = (spots[f"{kind}-{i}"] for kind in ("pump", "dry", "chiller"))
        assert pump.x == dry.x == chiller.x
        assert pump.y < dry.y < chiller.y


def test_blocks_stand_on_a_grid_with_roads(pod: Plant) -> None:
    campus = copies(pod, 12)
    layout = arrange(campus)
    assert overlaps(layout) == []
    halls = [area for area in layout.areas if area.use == "hall"]
    assert len(halls) == 12
    assert len({area.x0 for area in halls}) * len({area.y0 for area in halls}) in (12, 15, 16)
    roads = [area for area in layout.areas if area.use == "road"]
    for spot in layout.spots.values():
        x0, y0, x1, y1 = spot.box
        if spot.kind == "utility":
            continue
        for road in roads:
            assert x1 <= road.x0 or road.x1 <= x0 or y1 <= road.y0 or road.y1 <= y0, (spot, road)


def test_a_spot_that_the_author_gave_is_kept_and_kept_clear(pod: Plant) -> None:
    plant = Plant.from_json(pod.to_json())
    plant.units["rack-01"].at = (5.0, 5.0, 0.0)
    layout = arrange(plant)
    assert (layout.spots["rack-01"].x, layout.spots["rack-01"].y) == (5.0, 5.0)
    assert overlaps(layout) == []


def test_a_plant_of_one_machine_has_a_ground() -> None:
    plant = Plant()
    plant.add(Unit("tank", "tank", {"volume": 60.0}))
    layout = arrange(plant)
    assert list(layout.spots) == ["tank"]
    assert layout.spots["tank"].width == pytest.approx(60.0 ** (1 / 3))


def test_a_gigawatt_lies_within_seconds(hall: Plant, tmp_path: Path) -> None:
    campus = copies(hall, 30)
    layout = arrange(campus)
    assert overlaps(layout) == []
    assert len(layout.spots) > 4000
