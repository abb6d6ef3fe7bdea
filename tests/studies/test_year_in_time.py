"""A year in time: its hours against the same hours at rest, what a tank remembers, stretches side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.scenario.test_epw import made
from tests.small_plants import chain
from tests.test_cli import twin
from twin.plant import Plant
from twin.scenario import BadInput
from twin.studies.year import beginning, read_weather, span, year
from twin.studies.year.in_time import between, year_in_time


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every day from 11 to 34 degC, one kelvin an hour."""
    file = tmp_path_factory.mktemp("sky") / "made.epw"
    file.write_text("\n".join(made()), encoding="utf-8")
    return file


def following(tank_volume: float) -> Plant:
    """The chain, whose chiller follows the dry bulb from 14 to 24 degC by 6 K, behind a tank."""
    plant = chain(tank_volume)
    plant.units["chiller"].parameters |= {
        "outdoor_reset": 1.0, "outdoor_from": 287.15, "outdoor_to": 297.15, "outdoor_setpoint": 297.15,
    }  # fmt: skip
    return plant


def test_weather_goes_in_straight_lines_about_its_rows() -> None:
    bulbs = np.column_stack([np.arange(4.0), 10 * np.arange(4.0)])
    row = np.array([1, 3])
    assert between(bulbs, row, -0.25).tolist() == [[0.75, 7.5], [2.75, 27.5]]
    assert between(bulbs, row, 0.25)[0].tolist() == [1.25, 12.5]
    assert between(bulbs, row, 0.25)[1].tolist() == [2.25, 22.5], "after the last row comes the first"


def test_hours_in_time_are_those_at_rest_where_nothing_lasts() -> None:
    """Six hours of a July day of a warm-water plant: each within 0.2 %, together within 0.05 %."""
    first = beginning("golden", "07-15") + 8
    moved = year_in_time("esif-like", "golden", first=first, hours=6)
    rested = year("esif-like", "golden", first=first, hours=6)
    assert moved.power == pytest.approx(rested.power, rel=2e-3)
    assert moved.power.sum() == pytest.approx(rested.power.sum(), rel=5e-4)
    assert moved.water.sum() == pytest.approx(rested.water.sum(), rel=0.01)
    assert moved.dry_bulb.tolist() == rested.dry_bulb.tolist()
    assert "The hours ran one after the other" in moved.to_json()["neglected"]


def test_a_tank_moves_the_work_of_its_chiller_to_other_hours(sky: Path) -> None:
    """A hundred cubic metres for 0.5 MW last an hour and more of a setpoint that moves by 0.6 K an hour."""
    rested = year(following(100.0), sky, first=24, hours=24)
    moved = year_in_time(following(100.0), sky, first=24, hours=24, tick=600.0)
    light = year_in_time(following(0.5), sky, first=24, hours=24, tick=600.0)
    apart, near = (abs(each.power / rested.power - 1.0)[2:-2].max() for each in (moved, light))
    assert apart > 3 * near
    assert apart > 0.002
    assert moved.power.sum() == pytest.approx(rested.power.sum(), rel=0.01)


def test_stretches_side_by_side_are_one_year(sky: Path) -> None:
    """Two weeks in two worlds, and each week by itself after the same day before it."""
    both = year_in_time(following(2.0), sky, first=48, hours=336, tick=3600.0)
    assert both.worlds == 2
    alone = year_in_time(following(2.0), sky, first=48 + 168 - 24, hours=24 + 12, tick=3600.0)
    assert both.power[168 : 168 + 12] == pytest.approx(alone.power[24:], rel=1e-9)
    assert len(both.power) == 336
    assert span(read_weather(sky), 8759, 2).tolist() == [8759, 0]


def test_what_cannot_be_asked_is_said(sky: Path) -> None:
    assert beginning(sky, "") == 0
    assert beginning(sky, "02-01") == 31 * 24
    for day in ("13-40", "july", "07/15"):
        with pytest.raises(BadInput, match=f'--from: "{day}" is no day of the weather file; one like 07-15 is wanted'):
            beginning(sky, day)


def test_the_verb_runs_days_in_time_and_refuses_odd_ticks(sky: Path, tmp_path: Path) -> None:
    line = ("year", "esif-like", "--weather", sky, "--from", "07-15", "--days", "1", "--in-time", "--tick")
    done = twin(*line, "1 h", cwd=tmp_path)
    assert done.returncode == 0
    assert "esif-like in time, 24 hours in" in done.stdout
    assert done.stderr == "year of esif-like: 86400 s to simulate\n"
    refused = twin(*line, "7 min", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--tick: 7 min was found; a tick that goes into an hour is wanted, e.g. 5 min" in refused.stderr
