"""The JSON Schema: valid itself, good for every shipped document, and as strict as it can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from twin import assets
from twin.equipment import KINDS
from twin.scenario.schema import schema

SCHEMA = schema()
SHIPPED = sorted(assets.scenarios_folder().rglob("*.yaml")) if assets.scenarios_folder().is_dir() else []
GOOD = sorted((Path(__file__).parent / "good").glob("*.yaml"))


def faults_of(text: str) -> list[str]:
    document = YAML(typ="safe", pure=True).load(text)
    return [fault.message for fault in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SHIPPED + GOOD, ids=lambda path: path.stem)
def test_every_shipped_document_is_good(path: Path) -> None:
    assert faults_of(path.read_text(encoding="utf-8")) == []


def test_every_kind_and_quantity_is_in_it() -> None:
    for kind in set(KINDS) - {"site"}:
        ratings: dict[str, Any] = SCHEMA["$defs"][f"ratings-{kind}"]["properties"]
        assert set(ratings) >= {"kind", "feeds", "zone", "at"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: pdu", "kind: pdus"),
        ("rated_power: 400 kW", "rated_power: 400"),
        ("rated_power: 400 kW", "rated_pwer: 400 kW"),
        (", rated_power: 400 kW", ""),
        ("duration: 30 min", "duration: 30"),
        ("title:", "titel:"),
        ("weather: {dry_bulb", "weather: {dry_bulp"),
    ],
)
def test_what_the_reader_refuses_is_refused(head: str, old: str, new: str) -> None:
    assert faults_of(head) == []
    assert faults_of(head.replace(old, new)) != []
