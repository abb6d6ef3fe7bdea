"""Faults: words that every sentence of a fault may need."""

from __future__ import annotations

from twin.faults import a_kind


def test_a_kind_has_its_article() -> None:
    said = [a_kind(kind) for kind in ("rack", "air_rack", "ups", "utility", "ats", "expansion_vessel")]
    assert said == ["a rack", "an air_rack", "a ups", "a utility", "an ats", "an expansion_vessel"]
