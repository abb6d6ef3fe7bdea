"""People's values to SI and back: what is read, what is refused, and in which words."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import time

import numpy as np
import pytest

from twin import units
from twin.units import STEPS, BadValue, convert, parse, scale, show


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1.2 MW", "W", 1.2e6),
        ("45 degC", "K", 318.15),
        ("45 °C", "K", 318.15),
        ("95 degF", "K", 308.15),
        ("300 K", "K", 300.0),
        ("10 min", "s", 600.0),
        ("1 h", "s", 3600.0),
        ("4 ms", "s", 0.004),
        ("20 %", "1", 0.2),
        ("57 %", "1", 0.57),
        ("0.57", "1", 0.57),
        ("3 pu", "1", 3.0),
        ("119 L/min", "m^3/s", 119 / 60000),
        ("119 LPM", "m^3/s", 119 / 60000),
        ("65 J", "J", 65.0),
        ("10 kWh", "J", 3.6e7),
        ("3000 kVA", "VA", 3e6),
        ("3 kvar", "var", 3e3),
        ("5 kW/degC", "W/K", 5e3),
        ("3 m³", "m^3", 3.0),
        ("8.7 kPa", "Pa", 8700.0),
        ("0.3 m**2", "m^2", 0.3),
        ("10 refrigeration_ton", "W", 35168.5284),
        ("  5kW ", "W", 5e3),
        ("+1.5e3 W", "W", 1.5e3),
        ("5 1/h", "1/s", 5 / 3600),
        ("1 h 30 min", "s", 5400.0),
        ("3 min 20.5 s", "s", 200.5),
        ("00:03:20.5", "s", 200.5),
    ],
)
def test_values_are_read(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-6 if "ton" in text else 1e-14)


def test_whole_ratios_are_exact() -> None:
    assert [parse(f"{n} %", "1") for n in range(101)] == [n / 100 for n in range(101)]
    assert parse("177 L/min", "m^3/s") == 177 / 60000
    assert parse("250 ms", "s") == 0.25


@pytest.mark.parametrize(
    ("text", "unit", "sentence"),
    [
        ("120 kWh", "W", '"120 kWh" is an energy; a power is wanted, e.g. "120 kW"'),
        ("120", "W", '"120" has no unit; a power is wanted, e.g. "120 kW"'),
        ("3 MVA", "W", '"3 MVA" is an apparent power; a power is wanted, e.g. "3 kW"'),
        ("3 MW", "VA", '"3 MW" is a power; an apparent power is wanted, e.g. "3 kVA"'),
        ("45 C", "K", '"45 C": unit "C" is not a temperature; write "45 degC"'),
        (
            "5 delta_degC",
            "K",
            '"5 delta_degC" is a temperature difference; a temperature is wanted, e.g. "45 degC"',
        ),
        ("-300 degC", "K", '"-300 degC" is below absolute zero; a temperature is wanted, e.g. "45 degC"'),
        ("12 kw", "W", '"12 kw": unit "kw" is not known; did you mean "kW"?'),
        ("12 xyz", "W", '"12 xyz": unit "xyz" is not known; a power is wanted, e.g. "12 kW"'),
        ("3 deg", "1", '"3 deg" is an angle; a pure number is wanted, e.g. "85 %"'),
        ("1200 rpm", "Hz", '"1200 rpm" is a speed of rotation; a frequency is wanted, e.g. "1200 Hz"'),
        (".nan", "W", '".nan" is not a finite number; a power is wanted, e.g. "10 kW"'),
        ("-inf kW", "W", '"-inf kW" is not a finite number; a power is wanted, e.g. "10 kW"'),
        ("1e400 kW", "W", '"1e400 kW" is too large to be a number; a power is wanted, e.g. "10 kW"'),
        ("1,2 MW", "W", '"1,2 MW" has "," inside a number; a power is wanted, e.g. "10 kW"'),
        ("-3 min 20 s", "s", '"-3 min 20 s" is not one number and one unit; a time is wanted, e.g. "10 s"'),
        ("2:10", "s", '"2:10" is not one number and one unit; a time is wanted, e.g. "10 s"'),
        ("3 min 20 kW", "s", '"20 kW" is a power; a time is wanted, e.g. "20 s"'),
        ("017 kW", "W", '"017 kW" starts with a zero, which some read as octal; write "17 kW"'),
        ("0x1F kW", "W", '"0x1F kW" is not one number and one unit; a power is wanted, e.g. "10 kW"'),
        ("", "W", '"" is not one number and one unit; a power is wanted, e.g. "10 kW"'),
        ("5 m^9^9^9", "m", '"5 m^9^9^9" is not one number and one unit; a length is wanted, e.g. "10 m"'),
        ("−5 K", "K", '"−5 K" contains MINUS SIGN (U+2212); plain signs are wanted, e.g. "45 degC"'),
    ],
)
def test_what_cannot_be_read_is_said(text: str, unit: str, sentence: str) -> None:
    with pytest.raises(BadValue) as told:
        parse(text, unit)
    assert str(told.value) == sentence


def test_a_difference_of_temperature_is_no_temperature() -> None:
    assert parse("5 K", "K", True) == 5.0
    assert parse("5 delta_degC", "K", True) == 5.0
    assert parse("9 delta_degF", "K", True) == pytest.approx(5.0)
    with pytest.raises(BadValue, match="a temperature difference is wanted"):
        parse("5 degC", "K", True)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.2e6, "W", "1.2 MW"),
        (135e3, "W", "135 kW"),
        (999, "W", "999 W"),
        (318.15, "K", "45 degC"),
        (5, "K", "5 K"),
        (90, "s", "90 s"),
        (600, "s", "10 min"),
        (36000, "s", "10 h"),
        (0.004, "s", "4 ms"),
        (0.85, "1", "85 %"),
        (1.25, "1", "1.25"),
        (0, "1", "0"),
        (119 / 60000, "m^3/s", "119 L/min"),
        (3.6e7, "J", "10 kWh"),
        (4680, "J", "4.68 kJ"),
        (101325, "Pa", "101.3 kPa"),
        (3e6, "VA", "3 MVA"),
        (-1500, "W", "-1.5 kW"),
        (float("nan"), "W", "nan"),
        (65 / 3.6e9, "USD/J", "65 USD/MWh"),
        (2.5 / 3600, "USD/s", "2.5 USD/h"),
        (6667.0, "W/s", "6.667 kW/s"),
        (0.01, "K/s", "0.6 K/min"),
        (50 * math.pi, "rad/s", "1500 rpm"),
        (math.pi / 2, "rad", "90 deg"),
        (4186.0, "J/kg/K", "4.186 kJ/kg/K"),
        (3e6, "bit", "375 kB"),
    ],
)
def test_values_are_shown(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_arrays_are_converted() -> None:
    assert convert(np.array([273.15, 318.15]), "K", "degC") == pytest.approx([0.0, 45.0])
    assert convert(1.5e6, "W", "kW") == 1500.0
    with pytest.raises(BadValue):
        convert(1.0, "K", "kW")


def test_every_declared_unit_can_be_read() -> None:
    from twin.declare import quantities
    from twin.equipment import KINDS

    for made in KINDS.values():
        for table in (made, made.Inputs, made.State, made.Outputs):
            for said in quantities(table).values():
                if said.unit not in ("1", "K"):
                    assert parse(f"1 {said.unit}", said.unit) == 1.0, f"{made.kind}.{said.name}"


def test_ten_thousand_values_take_well_under_two_seconds() -> None:
    began = time.process_time()
    for number in range(10_000):
        parse(f"{number}.5 kW", "W")
    assert time.process_time() - began < 1.0


def test_pint_waits_until_a_value_is_read() -> None:
    code = "import sys, twin.units; sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_text_breaks_the_reader() -> None:
    rng = np.random.default_rng(1)
    signs = list("0123456789.eE+-*/^ %°kWdegCKhns_()[]{}\"'\\,:;!&\x00é²")
    for _ in range(3000):
        text = "".join(rng.choice(signs, size=rng.integers(0, 12)))
        for unit in ("W", "1", "K"):
            with contextlib.suppress(BadValue):
                assert isinstance(parse(text, unit), float)


def test_long_texts_are_cut() -> None:
    assert len(units.quoted("x" * 1000)) == 62


def test_a_gauge_pressure_is_told_as_the_absolute_one_that_it_is() -> None:
    for said, written in (("0.5 barg", "1.513 bar"), ("10 psig", "24.7 psi"), ("50 kPag", "151.3 kPa")):
        with pytest.raises(BadValue) as told:
            parse(said, "Pa")
        assert str(told.value) == f'"{said}" is a gauge pressure; pressures are absolute here: write "{written}"'


def test_what_is_shown_can_be_read_again() -> None:
    """A value goes out in the unit of its size and comes back the same, to the four digits that are shown."""
    for unit, steps in STEPS.items():
        for size, people in steps:
            value = 1.5 * (size or scale(people, unit).si(1.0))
            assert parse(show(value, unit), unit) == pytest.approx(value, rel=1e-3), (unit, people)
