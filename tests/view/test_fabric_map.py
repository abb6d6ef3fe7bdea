"""The look "fabric": a picture of any fabric at a moment, and a sentence where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.small_plants import add, chain
from twin.plant import Plant
from twin.plant_fabric.graphs import of_links
from twin.scenario import Change, RunSettings, Scenario
from twin.simulation import simulate
from twin.view import BadWish, picture


def wired() -> Plant:
    plant = chain()
    for name in ("leaf-1", "leaf-2", "spine"):
        add(plant, name, "switch", ("board",), rated_power=2000)
    rows = [(f"rack-{i}", f"leaf-{rail}", 18, rail) for i in range(1, 5) for rail in (1, 2)]
    rows += [(f"leaf-{rail}", "spine", 72, rail) for rail in (1, 2)]
    plant.add_fabric(of_links("compute", [f"rack-{i}" for i in range(1, 5)], rows, 4e11))
    return plant


def trace_of(plant: Plant, folder: Path) -> Path:
    lost = [Change(1.0, "leaf-2", "in_service", 0.0)] if plant.fabrics else []
    scenario = Scenario("a leaf is lost", "", plant, RunSettings(4.0, 1.0), changes=lost, text="t")
    simulate(scenario, trace=folder / "t.h5", device="cpu")
    return folder / "t.h5"


def test_it_is_drawn_and_shows_what_is_lost(tmp_path):
    from PIL import Image

    path = trace_of(wired(), tmp_path)
    before, after = (picture(path, at=at, output=tmp_path / f"{at:g}.png", look="fabric") for at in (0.0, 4.0))
    one, other = (np.asarray(Image.open(each), dtype=int) for each in (before, after))
    assert one.shape == (900, 1600, 3)
    red = [(abs(each - (0xFF, 0x3B, 0x4E)).sum(axis=2) < 40).sum() for each in (one, other)]
    assert red[1] > red[0] + 1000, "a dead leaf and its links are red"


def test_a_plant_without_a_fabric_is_told(tmp_path):
    path = trace_of(chain(), tmp_path)
    with pytest.raises(BadWish, match='the look "fabric" wants a fabric, and the plant has none'):
        picture(path, output=tmp_path / "p.png", look="fabric")
