"""People's units at the border: the one door to pint. Inside, every value is an SI float."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

MADE_HERE = """
per_unit = 1 = pu
volt_ampere_reactive = volt * ampere = var
cubic_foot_per_minute = foot ** 3 / minute = cfm
gallon_per_minute = gallon / minute = gpm
litre_per_minute = litre / minute = LPM = lpm
token = [token] = _ = tokens
request = [request] = _ = requests
USD = [currency]
"""
"""Words of the trade that pint does not know, or knows as something else (cfm: centifermi)."""

NAMED = {
    "W": ("a power", "kW"),
    "VA": ("an apparent power", "kVA"),
    "var": ("a reactive power", "kvar"),
    "J": ("an energy", "kWh"),
    "K": ("a temperature", "degC"),
    "s": ("a time", "s"),
    "m^3/s": ("a volume flow", "L/min"),
    "kg/s": ("a mass flow", "kg/s"),
    "m^3": ("a volume", "m^3"),
    "m^2": ("an area", "m^2"),
    "m": ("a length", "m"),
    "m/s": ("a speed", "m/s"),
    "kg": ("a mass", "kg"),
    "kg/m^3": ("a density", "kg/m^3"),
    "Pa": ("a pressure", "kPa"),
    "V": ("a voltage", "V"),
    "A": ("a current", "A"),
    "Hz": ("a frequency", "Hz"),
    "ohm": ("a resistance", "ohm"),
    "C": ("an electric charge", "C"),
    "F": ("a capacitance", "F"),
    "rad": ("an angle", "deg"),
    "rad/s": ("a speed of rotation", "rpm"),
    "W/K": ("a thermal conductance", "kW/K"),
    "K/W": ("a thermal resistance", "K/W"),
    "J/K": ("a heat capacity", "kJ/K"),
    "W/s": ("a rate of power", "kW/s"),
    "K/s": ("a rate of temperature", "K/min"),
    "W/m^2": ("a power per area", "W/m^2"),
    "J/kg/K": ("a specific heat capacity", "kJ/kg/K"),
    "J/kg": ("an energy per mass", "kJ/kg"),
    "token": ("a number of tokens", "token"),
    "token/s": ("a rate of tokens", "token/s"),
    "request": ("a number of requests", "request"),
    "request/s": ("a rate of requests", "request/s"),
    "J/token": ("an energy per token", "J/token"),
    "USD": ("a sum of money", "USD"),
    "USD/s": ("a price of time", "USD/h"),
    "USD/J": ("a price of energy", "USD/MWh"),
    "bit/s": ("a data rate", "Gbit/s"),
    "bit": ("an amount of data", "TB"),
    "bit/token": ("an amount of data per token", "kB/token"),
    "1": ("a pure number", "%"),
}
"""SI unit -> what it measures, and the unit people use for it."""

FIXED_EXAMPLE = {"K": "45 degC", "1": "85 %"}
_COMMON = (
    "W kW MW GW VA kVA MVA var kvar Mvar Wh kWh MWh J kJ MJ degC degF K s ms min h day L m^3 L/min L/s m^3/h "
    "gpm cfm kg kg/s Pa kPa bar psi V kV A kA Hz m mm m^2 ohm % pu W/K kW/K J/K kJ/K K/W"
)
COMMON = tuple(_COMMON.split())
"""Units that a slip of the pen may have meant."""
TEMPERATURE_WORDS = {"c": "degC", "celsius": "degC", "deg": "degC", "°": "degC", "f": "degF"}
GAUGE = {"barg": "bar", "psig": "psi", "kpag": "kPa"}
AIR = 101_325.0
"""Pressure of the air at sea level [Pa], for pressures above it."""
OWN_SIGNS = "°µμΩ·²³"
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ONE = r"[A-Za-zµμΩ°%_]+[²³]?(?:(?:\^|\*\*)-?[0-9]{1,2})?"
UNIT = re.compile(rf"(?:1|{_ONE})(?:\s*[*/·\s]\s*{_ONE}){{0,5}}")
CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]+)?)")
PIECES = re.compile(r"(?<=[A-Za-z])\s+(?=[0-9])")
NOT_FINITE = re.compile(r"[+-]?\.?(?:nan|inf|infinity)\b.*", re.IGNORECASE)


class BadValue(ValueError):
    """A value that cannot be read; the message says what was found and what is wanted."""


@dataclass(frozen=True)
class Scale:
    """How a unit turns into an SI one: (value + offset) * times / over."""

    times: float
    over: float
    offset: float = 0.0

    def si(self, value: Any) -> Any:
        return (value + self.offset) * self.times / self.over

    def back(self, value: Any) -> Any:
        return value * self.over / self.times - self.offset


@cache
def _registry() -> Any:
    import pint  # 0.4 s, so only when somebody has a value to read

    registry = pint.UnitRegistry(cache_folder=None)
    for line in MADE_HERE.strip().splitlines():
        registry.define(line)
    return registry


@cache
def _unit(text: str) -> Any:
    """The pint unit of a text, or None where it is not known."""
    if not UNIT.fullmatch(text) or len(text) > 60:
        return None
    registry = _registry()
    if text == "1":
        return registry.Unit("")
    try:
        return registry.parse_units(text)
    except Exception:  # noqa: BLE001 (pint raises many unrelated types for a text it cannot read)
        return None


@cache
def _dimension(text: str) -> tuple[Any, str]:
    """What a unit measures, with the differences that dimensional analysis does not see."""
    unit = _unit(text)
    names = [str(name) for name in unit._units]
    root = _registry().Quantity(1, unit).to_root_units().units
    sort = ""
    if any(name.endswith("volt_ampere_reactive") for name in names):
        sort = "reactive"
    elif any(name.endswith("volt_ampere") for name in names):
        sort = "apparent"
    elif "radian" in root._units:
        sort = "angle"
    elif "bit" in root._units:
        sort = "data"
    return unit.dimensionality, sort


@cache
def _dimensions_named() -> dict[tuple[Any, str], str]:
    return {_dimension(unit): unit for unit in reversed(NAMED)}


def measures(unit: str) -> str:
    """What a unit measures, with its article: "a power"; for rare ones, "a value in Pa*s/m^3"."""
    if _unit(unit) is None:
        return f"a value in {unit}"
    named = _dimensions_named().get(_dimension(unit))
    return NAMED[named][0] if named else f"a value in {unit}"


YES_NO = {"0": 0.0, "1": 1.0, "no": 0.0, "yes": 1.0}
"""Choices of what is so or not."""


def example(unit: str, number: str = "", difference: bool = False) -> str:
    """A value in a unit that people use: "120 kW"."""
    if difference:
        return f"{number or '5'} K"
    if unit in FIXED_EXAMPLE:
        return FIXED_EXAMPLE[unit]
    return f"{number or '10'} {NAMED[unit][1] if unit in NAMED else unit}"


def wanted(unit: str, number: str = "", difference: bool = False) -> str:
    """The closing clause of a fault: `a power is wanted, e.g. "120 kW"`."""
    what = "a temperature difference" if difference else measures(unit)
    return f'{what} is wanted, e.g. "{example(unit, number, difference)}"'


def quoted(text: str) -> str:
    """A text as it may stand in a sentence: one line, not too long, in quotation marks."""
    line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(str(text).split()))
    return f'"{line}"' if len(line) <= 60 else f'"{line[:57]}..."'


def odd_letter(text: str) -> str:
    """The first letter that is not plain ASCII, named; "" where there is none."""
    for letter in text:
        if ord(letter) > 126 and letter not in OWN_SIGNS:
            return f"{unicodedata.name(letter, 'UNNAMED')} (U+{ord(letter):04X})"
    return ""


@lru_cache(maxsize=100_000)
def parse(text: str, unit: str, difference: bool = False) -> float:
    """Read a value as people write it.

    Args:
        text: "1.2 MW", "45 degC", "85 %"; a bare number only where `unit` is "1"; times also as
            "3 min 20 s" and as the timeline shows them, "00:03:20.5".
        unit: the SI unit wanted, "1" for a pure number.
        difference: with unit "K", a temperature difference is wanted and not a temperature.

    Raises:
        BadValue: one sentence, what was found and what is wanted.
    """
    if unit == "s" and (clock := CLOCK.fullmatch(text.strip())):
        hours, minutes, seconds = clock.groups()
        return 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds)
    if unit == "s" and len(pieces := PIECES.split(text.strip())) > 1 and text.strip()[0].isdigit():
        return sum(parse(piece, unit) for piece in pieces)
    number, named = _split(text, unit, difference)
    value = float(number)
    if math.isinf(value):
        raise BadValue(f"{quoted(text)} is too large to be a number; {wanted(unit, '', difference)}")
    if not named:
        if unit != "1":
            raise BadValue(f"{quoted(text)} has no unit; {wanted(unit, number, difference)}")
        return value
    si = float(_scale(named, unit, difference, text, number).si(value))
    if unit == "K" and not difference and si < 0:
        raise BadValue(f"{quoted(text)} is below absolute zero; {wanted(unit)}")
    return si


def _split(text: str, unit: str, difference: bool) -> tuple[str, str]:
    """Number and unit of a text."""
    if NOT_FINITE.fullmatch(text.strip()):
        raise BadValue(f"{quoted(text)} is not a finite number; {wanted(unit, '', difference)}")
    found = NUMBER.match(text.strip())
    rest = text.strip()[found.end() :] if found else ""
    odd = odd_letter(text)
    if odd:
        raise BadValue(f'{quoted(text)} contains {odd}; plain signs are wanted, e.g. "{example(unit)}"')
    if found and re.match(r"[,_'][0-9]", rest):
        raise BadValue(f'{quoted(text)} has "{rest[0]}" inside a number; {wanted(unit, "", difference)}')
    if found and re.match(r"[+-]?0[0-9]", found.group()):
        plain = re.sub(r"^([+-]?)0+(?=[0-9])", r"\1", text.strip())
        raise BadValue(f'{quoted(text)} starts with a zero, which some read as octal; write "{plain}"')
    if not found or (rest and not UNIT.fullmatch(rest.strip())):
        raise BadValue(f"{quoted(text)} is not one number and one unit; {wanted(unit, '', difference)}")
    return found.group(), rest.strip()


def _scale(named: str, unit: str, difference: bool, text: str, number: str) -> Scale:
    clause = wanted(unit, number, difference)
    if unit == "K" and named.lower() in TEMPERATURE_WORDS and named not in ("degC", "degF"):
        meant = "K" if difference else TEMPERATURE_WORDS[named.lower()]
        raise BadValue(f'{quoted(text)}: unit "{named}" is not a temperature; write "{number} {meant}"')
    if unit == "Pa" and named.lower() in GAUGE:
        absolute = f"{float(number) + AIR / scale(GAUGE[named.lower()], unit).si(1.0):.4g} {GAUGE[named.lower()]}"
        raise BadValue(f'{quoted(text)} is a gauge pressure; pressures are absolute here: write "{absolute}"')
    if _unit(named) is None:
        near = _nearest_unit(named)
        advice = f'did you mean "{near}"?' if near else clause
        raise BadValue(f'{quoted(text)}: unit "{named}" is not known; {advice}')
    if _dimension(named) != _dimension(unit):
        raise BadValue(f"{quoted(text)} is {measures(named)}; {clause}")
    names = str(_unit(named))
    if unit == "K" and difference and names in ("degree_Celsius", "degree_Fahrenheit"):
        raise BadValue(f"{quoted(text)} is a temperature; {clause}")
    if unit == "K" and not difference and "delta_" in names:
        raise BadValue(f"{quoted(text)} is a temperature difference; {clause}")
    return scale(named, unit)


def _nearest_unit(named: str) -> str:
    same = [unit for unit in COMMON if unit.lower() == named.lower()]
    close = same or difflib.get_close_matches(named, COMMON, 1, 0.6)
    return close[0] if close else ""


@cache
def scale(named: str, unit: str) -> Scale:
    """How values in one unit turn into another of the same dimension, exact where the ratio is whole.

    Raises:
        BadValue: a unit is not known, or the two measure different things.
    """
    for each in (named, unit):
        if _unit(each) is None:
            raise BadValue(f'unit "{each}" is not known')
    if _dimension(named) != _dimension(unit):
        raise BadValue(f'"{named}" is {measures(named)}; {wanted(unit)}')
    offsets = {"degree_Celsius": (1.0, 1.0, 273.15), "degree_Fahrenheit": (5.0, 9.0, 459.67)}
    times, over, offset = offsets.get(str(_unit(named)), (0.0, 1.0, 0.0))
    if not times:
        times, over = _ratio(float(_registry().Quantity(1.0, _unit(named)).to(_unit(unit)).magnitude))
    if str(_unit(unit)) in offsets:
        raise BadValue(f'"{unit}" is not an SI unit; "K" is wanted')
    return Scale(times, over, offset)


def _ratio(factor: float) -> tuple[float, float]:
    """A factor as times/over of whole numbers where it is one, so that 57 % is 0.57 to the last bit."""
    for times, over in ((round(factor), 1), (1, round(1 / factor)) if factor < 1 else (0, 1)):
        if times and over and abs(times / over / factor - 1) < 1e-12:
            return float(times), float(over)
    return factor, 1.0


def convert(values: Any, unit: str, wish: str) -> Any:
    """SI values (a float or an array) in another unit: `convert(T, "K", "degC")`.

    Raises:
        BadValue: the wish is not known, or measures something else.
    """
    return scale(wish, unit).back(values)


STEPS = {
    "W": [(1e9, "GW"), (1e6, "MW"), (1e3, "kW")],
    "VA": [(1e9, "GVA"), (1e6, "MVA"), (1e3, "kVA")],
    "var": [(1e9, "Gvar"), (1e6, "Mvar"), (1e3, "kvar")],
    "J": [(3.6e12, "GWh"), (3.6e9, "MWh"), (3.6e5, "kWh"), (1e3, "kJ")],
    "Pa": [(1e6, "MPa"), (1e3, "kPa")],
    "V": [(1e3, "kV")],
    "A": [(1e4, "kA")],
    "W/K": [(1e6, "MW/K"), (1e3, "kW/K")],
    "J/K": [(1e6, "MJ/K"), (1e3, "kJ/K")],
    "token": [(1e9, "Gtoken"), (1e6, "Mtoken"), (1e3, "ktoken")],
    "token/s": [(1e6, "Mtoken/s"), (1e3, "ktoken/s")],
    "USD/s": [(0.0, "USD/h")],
    "USD/J": [(0.0, "USD/MWh")],
    "W/s": [(1e6, "MW/s"), (1e3, "kW/s")],
    "K/s": [(0.0, "K/min")],
    "J/kg": [(1e3, "kJ/kg")],
    "J/kg/K": [(1e3, "kJ/kg/K")],
    "rad/s": [(0.0, "rpm")],
    "rad": [(0.0, "deg")],
    "bit": [(8e12, "TB"), (8e9, "GB"), (8e6, "MB"), (8e3, "kB")],
    "bit/token": [(8e6, "MB/token"), (8e3, "kB/token")],
    "bit/s": [(8e9, "GB/s"), (8e6, "MB/s"), (8e3, "kB/s")],
    "s": [(172800.0, "day"), (7200.0, "h"), (120.0, "min")],
    "m^3/s": [(1.0, "m^3/s")],
}
"""From which size on a value is shown in which unit."""
SIZES = {
    "USD/h": 1 / 3600,
    "USD/MWh": 1 / 3.6e9,
    "K/min": 1 / 60,
    "rpm": math.pi / 30,
    "deg": math.pi / 180,
    "GWh": 3.6e12,
    "MWh": 3.6e9,
    "kWh": 3.6e6,
    "kA": 1e3,
    "day": 86400.0,
    "h": 3600.0,
    "min": 60.0,
}


def show(value: float, unit: str) -> str:
    """A value in SI as people say it: 1.2e6, "W" -> "1.2 MW"; 318.15, "K" -> "45 degC".

    A value in K below 150 is taken for a difference; a pure number between 0 and 1 is shown in %.
    """
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    if unit == "K" and value >= 150:
        return f"{_digits(round(value - 273.15, 2))} degC"
    if unit == "1":
        return f"{_digits(value * 100)} %" if 0 < value < 1 else _digits(value)
    if unit == "s" and 0 < abs(value) < 1:
        return f"{_digits(value * 1e3)} ms"
    if unit == "m^3/s" and abs(value) < 1:
        return f"{_digits(value * 60000)} L/min"
    if unit == "m^3" and 0 < abs(value) < 1:
        return f"{_digits(value * 1000)} L"
    for size, people in STEPS.get(unit, []):
        if abs(value) >= size:
            return f"{_digits(value / SIZES.get(people, size))} {people}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    """Four digits, without an exponent where people would not write one."""
    if value == 0 or not 1e-4 <= abs(value) < 1e9:
        return f"{value:.4g}"
    places = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
