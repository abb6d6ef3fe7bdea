"""EnergyPlus weather files: a year of hours, read and checked; real files where they are at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twin.physics import moist_air
from twin.scenario import read
from twin.scenario.epw import read_epw
from twin.scenario.faults import Faults

Save = Callable[..., str]
REAL = Path(__file__).parents[3] / "shared" / "data" / "epw"


def made(hours: int = 8760, **fields: str) -> list[str]:
    """A file of one temperature per hour of the day, in the columns of an EPW."""
    days = [
        (month, day)
        for month, last in enumerate([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 1)
        for day in range(1, last + 1)
    ]
    lines = ["LOCATION,Nowhere,AZ,USA,made,0,33.4,-112.0,-7.0,337.4"] + ["HEADER"] * 7
    for index in range(hours):
        month, day = days[index // 24 % 365]
        hour = index % 24 + 1
        dry, dew = fields.get("dry", f"{10 + hour}"), fields.get("dew", "5")
        humidity, pressure = fields.get("humidity", "50"), fields.get("pressure", "97000")
        lines.append(f"2020,{month},{day},{hour},0,?,{dry},{dew},{humidity},{pressure},0")
    return lines


def year(lines: list[str]) -> tuple[object, list[str]]:
    faults = Faults()
    found = read_epw("\n".join(lines).encode(), "a.epw", faults)
    return found, [str(fault) for fault in faults.errors]


def test_an_hour_is_the_value_at_its_end(save: Save, head: str) -> None:
    save("\n".join(made()), "a.epw")
    text = head[: head.index("weather:")] + 'weather: {epw: a.epw, start: "07-15 14:30"}\n'
    scenario = read(save(text))
    first = {change.input: change.value for change in scenario.initial}
    assert first["dry_bulb"] == pytest.approx(273.15 + 24.5)
    assert [(c.time, c.until, c.value) for c in scenario.changes if c.input == "dry_bulb"] == [
        (0.0, 1800.0, 273.15 + 25)
    ]
    assert "a.epw" in scenario.inputs


def test_midnight_is_hour_24_of_the_day_before(save: Save, head: str) -> None:
    save("\n".join(made()), "a.epw")
    text = head[: head.index("weather:")] + 'weather: {epw: a.epw, start: "01-01 00:00"}\n'
    assert {c.input: c.value for c in read(save(text)).initial}["dry_bulb"] == 273.15 + 34


def test_humidity_stands_in_for_a_missing_dew_point() -> None:
    found, told = year(made(dew="99.9", dry="7", humidity="61", pressure="100000"))
    assert told == []
    assert found.wet_bulb(np.array([0]))[0] - 273.15 == pytest.approx(3.92667433781955, abs=1e-3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda rows: ["nothing", *rows[1:]],
            'a.epw:1: an EPW file begins with "LOCATION,"; this one does not',
        ),
        (lambda rows: rows[:-1], "a.epw:8767: 8759 hours were found; a year of 8760 or 8784 is wanted"),
        (
            lambda rows: [*rows[:20], rows[20].replace(",5,50", ",x,50"), *rows[21:]],
            'a.epw:21: "x" was found as dew point; a number is wanted',
        ),
        (
            lambda rows: [*rows[:20], "2020,1,1,13", *rows[21:]],
            "a.epw:21: nothing was found as dry bulb; a number is wanted",
        ),
        (
            lambda rows: [*rows[:20], rows[20].replace(",23,5", ",nan,5"), *rows[21:]],
            "a.epw:21: nan was found as dry bulb; -70 to 70 is wanted",
        ),
        (
            lambda rows: [*rows[:20], rows[20].replace(",23,5", ",230,5"), *rows[21:]],
            "a.epw:21: 230 was found as dry bulb; -70 to 70 is wanted",
        ),
        (
            lambda rows: [*rows[:20], rows[20].replace(",23,5", ",99.9,5"), *rows[21:]],
            "a.epw:21: dry bulb is marked missing (1 hours); a file without gaps is wanted",
        ),
        (
            lambda rows: [*rows[:20], rows[21], rows[20], *rows[22:]],
            "a.epw:21: hour 14 was found; hour 13 is wanted, for rows are hourly and in order",
        ),
    ],
)
def test_what_is_no_year(change: Callable[[list[str]], list[str]], sentence: str) -> None:
    assert year(change(made())) == (None, [sentence])


@pytest.mark.skipif(not REAL.is_dir(), reason="the real weather files are not here; the made ones above are")
def test_real_files(save: Save, head: str) -> None:
    for path in sorted(REAL.glob("*.epw")):
        faults = Faults()
        found = read_epw(path.read_bytes(), path.name, faults)
        assert found is not None, [str(fault) for fault in faults.errors]
        wet = found.wet_bulb(np.arange(8760))
        assert np.all(wet <= found.dry_bulb + 1e-9)
        assert np.all(wet >= found.dew_point - 1e-6)
        save(path.read_bytes(), "real.epw")
        text = (
            head[: head.index("weather:")].replace("30 min", "48 h")
            + 'weather: {epw: real.epw, start: "12-31 12:00"}\n'
        )
        assert len(read(save(text)).changes) > 60


@pytest.mark.skipif(not REAL.is_dir(), reason="the real weather files are not here; the made ones above are")
def test_phoenix_is_as_hot_as_it_is() -> None:
    found = read_epw((REAL / "USA_AZ_Phoenix-Sky.Harbor.epw").read_bytes(), "phoenix", Faults())
    assert found is not None
    hottest = np.sort(found.dry_bulb)[-35] - 273.15  # 0.4 % of the hours
    assert 42.0 < hottest < 45.0
    by_humidity = moist_air.wet_bulb_of_humidity(found.dry_bulb, found.humidity, found.pressure)
    assert np.mean(abs(found.wet_bulb(np.arange(8760)) - by_humidity)) < 0.1, "both columns say the same air"
