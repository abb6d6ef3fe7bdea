"""Words, scales and projections: small laws of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from twin.view.colours import map_for, shade
from twin.view.projection import looking
from twin.view.scale import round_limits
from twin.view.words import lasting, name_range, say


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["rack-01", "rack-02", "rack-03"], "rack-01..03"),
        (["h001/cdu-6", "h001/cdu-7"], "cdu-6..7"),
        (["utility-a", "utility-b"], "utility-a, b"),
        (["tank-1"], "tank-1"),
        (["pump-1", "pump-3", "pump-9", "pump-12"], "pump-*"),
    ],
)
def test_many_names_are_said_as_one(names: list[str], said: str) -> None:
    assert name_range(names) == said


def test_values_and_times_are_said_as_people_do() -> None:
    assert say(361.15, "K") == "88.0 °C"
    assert say(7.594e6, "W") == "7.594 MW"
    assert lasting(750.0) == "12 min 30 s"
    assert lasting(90.0) == "90 s"
    assert lasting(11100.0) == "3 h 05 min"


@pytest.mark.parametrize(("low", "high"), [(43.0, 91.0), (74.7, 74.7), (0.0, 1.0), (-3e-7, 4e6), (117.96, 118.37)])
def test_limits_are_round_and_hold_the_values(low: float, high: float) -> None:
    (bottom, top), step = round_limits(low, high, 0.0)
    hair = 1e-6 * (top - bottom)
    assert bottom <= low + hair
    assert high - hair <= top
    assert (top - bottom) / step == pytest.approx(round((top - bottom) / step))
    assert 2 <= (top - bottom) / step <= 12


@pytest.mark.parametrize("unit", ["K", "W"])
def test_colour_maps_grow_lighter_all_the_way(unit: str) -> None:
    light = map_for(unit).astype(float) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) > -1.0).all(), "a reader without colour vision still sees the order"
    assert light[-1] - light[0] > 120
    table = map_for(unit)
    assert (shade(np.array([0.0, 1.0]), (0.0, 1.0), table) == table[[0, -1]]).all()


@pytest.mark.parametrize("azimuth", [-36.0, 0.0])
@pytest.mark.parametrize("elevation", [35.0, 90.0])
def test_a_fitted_view_fills_its_frame(azimuth: float, elevation: float) -> None:
    points = np.array([(x, y, z) for x in (0.0, 60.0) for y in (0.0, 40.0) for z in (0.0, 5.0)])
    frame = (30.0, 40.0, 1330.0, 800.0)
    flat = looking(azimuth, elevation).fitted(points, frame).pixels(points)
    low, high = flat.min(axis=0), flat.max(axis=0)
    assert (low >= np.array(frame[:2]) - 1e-6).all()
    assert (high <= np.array(frame[2:]) + 1e-6).all()
    slack = np.array([frame[2] - frame[0], frame[3] - frame[1]]) - (high - low)
    assert slack.min() == pytest.approx(0.0, abs=1e-6)
