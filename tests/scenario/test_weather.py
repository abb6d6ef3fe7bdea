"""Weather: constant, a design day, a file; lowered to two inputs of the site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twin import assets
from twin.scenario import Change, read

Save = Callable[..., str]


def weather(save: Save, head: str, said: str, duration: str = "30 min") -> tuple[dict[str, float], list[Change]]:
    text = head[: head.index("weather:")].replace("30 min", duration) + f"weather: {said}\n"
    scenario = read(save(text))
    return {change.input: change.value for change in scenario.initial}, scenario.changes


def test_constant_air(save: Save, head: str) -> None:
    first, changes = weather(save, head, "{dry_bulb: 7 degC, relative_humidity: 61 %, pressure: 100 kPa}")
    assert first["wet_bulb"] - 273.15 == pytest.approx(3.92667433781955, abs=1e-3)  # PsychroLib 2.4.0
    assert changes == []
    first, _ = weather(save, head, "{dry_bulb: 35 degC, wet_bulb: 20 degC}")
    assert first == {"dry_bulb": 308.15, "wet_bulb": 293.15}
    first, _ = weather(save, head, "{dry_bulb: 20 degC, dew_point: 20 degC}")
    assert first["wet_bulb"] == pytest.approx(293.15, abs=1e-9)


def test_a_design_day_has_its_peak_where_it_says(save: Save, head: str) -> None:
    first, _ = weather(save, head, '{design_day: phoenix-summer, start: "15:00"}')
    assert first["dry_bulb"] == 317.15
    assert first["wet_bulb"] == pytest.approx(294.15, abs=1e-9)
    first, _ = weather(save, head, "{design_day: phoenix-summer, start: 03:00}")
    assert first["dry_bulb"] == pytest.approx(305.15)


def test_ramps_join_the_full_hours(save: Save, head: str) -> None:
    first, changes = weather(save, head, '{design_day: mild-spring, start: "14:30"}', "3 h")
    dry = [change for change in changes if change.input == "dry_bulb"]
    assert [(change.time, change.until) for change in dry] == [
        (0, 1800),
        (1800, 5400),
        (5400, 9000),
        (9000, 12600),
    ]
    assert dry[0].value == 293.15
    assert first["dry_bulb"] < 293.15
    assert all(change.unit == "site" for change in changes)


def test_the_wet_bulb_never_passes_the_dry_bulb(save: Save, head: str) -> None:
    for path in (assets.assets_folder() / "weather").glob("*.yaml"):
        _, changes = weather(save, head, f'{{design_day: {path.stem}, start: "00:00"}}', "24 h")
        dry = {change.until: change.value for change in changes if change.input == "dry_bulb"}
        wet = {change.until: change.value for change in changes if change.input == "wet_bulb"}
        assert all(wet.get(moment, 0.0) <= value + 1e-9 for moment, value in dry.items())


def test_every_shipped_day_says_where_it_comes_from() -> None:
    for path in (assets.assets_folder() / "weather").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert all(f"\n{key}:" in text for key in ("licence", "source", "date", "mark")), path.name


def test_a_file_of_another_folder_is_not_opened(faults: Callable[..., list[str]], head: str, tmp_path: Path) -> None:
    text = head[: head.index("weather:")] + 'weather: {epw: ../secret.epw, start: "07-15 14:00"}\n'
    (told,) = faults(text)
    assert told.endswith('"../secret.epw" leaves the folder of this file; a file in it is wanted')
