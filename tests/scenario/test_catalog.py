"""The catalogue: every shipped record can be read, and says where its values come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twin import assets
from twin.declare import quantities
from twin.equipment import KINDS
from twin.scenario import BadInput, read_plant
from twin.scenario.catalog import Record, records

Save = Callable[..., str]
GOOD = """\
name: board
kind: pdu
title: A board
licence: facts from public documents
quantities:
  rated_power: {value: 2 MW, source: data sheet 7, date: 2025-11, mark: S}
  load_loss: {value: 3 kW, source: none, date: 2026-11, mark: E}
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of our own."""
    folder = tmp_path / "twin" / "_shipped" / "assets" / "catalog"
    folder.mkdir(parents=True)
    monkeypatch.setattr(assets, "PACKAGE", tmp_path / "twin")
    return folder


def test_shipped_records() -> None:
    for record in records():
        assert record.title
        assert record.licence
        assert all(value.source and value.date for value in record.values.values()), record.name


@pytest.mark.parametrize("record", records(), ids=lambda record: record.name)
def test_a_shipped_record_has_all_ratings_of_its_kind(record: Record) -> None:
    needed = {name for name, said in quantities(KINDS[record.kind]).items() if said.default is None}
    assert needed <= set(record.parameters), f"{record.name} lacks {', '.join(sorted(needed - set(record.parameters)))}"


def test_a_record_gives_its_ratings_and_a_unit_overrides_them(shelf: Path, save: Save) -> None:
    (shelf / "board.yaml").write_text(GOOD)
    (record,) = records()
    assert record.parameters == {"rated_power": 2e6, "load_loss": 3e3}
    assert [value.estimate for value in record.values.values()] == [False, True]
    plant = read_plant(
        save("units:\n  u: {kind: utility, rated_power: 9 MW}\n  p: {like: board, feeds: u, load_loss: 1 kW}\n")
    )
    assert plant.units["p"].parameters == {"rated_power": 2e6, "load_loss": 1e3}
    assert plant.units["p"].like == "board"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("2 MW", "2 MWh", 'rated_power.value: "2 MWh" is an energy; a power is wanted, e.g. "2 kW"'),
        (
            "source: data sheet 7, ",
            "",
            "rated_power.source: the key is missing; it says: document the value stands in",
        ),
        ("mark: S", "mark: X", 'rated_power.mark: "X" is not a choice here; one of P, S, M, D, E is wanted'),
        (
            "rated_power:",
            "rated_pwer:",
            'rated_pwer: a pdu has no such quantity; did you mean "rated_power"?',
        ),
        ("kind: pdu", "kind: pdv", 'kind: "pdv" is not a choice here; did you mean "pdu"?'),
        ("name: board", "name: bored", 'name: "bored" was found; the name of the file, "board", is wanted'),
    ],
)
def test_a_faulty_record_is_told(shelf: Path, old: str, new: str, sentence: str) -> None:
    (shelf / "board.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(BadInput) as told:
        records()
    assert sentence in str(told.value)
    assert str(told.value).startswith("assets/catalog/board.yaml:")
