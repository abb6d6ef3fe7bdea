"""How the report says things: values in people's units, moments, durations, and long lists of names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from twin import units
from twin.naming import names as names
from twin.naming import natural as natural

SIGNS = {"degC": "°C", "m^3": "m³", "m^2": "m²"}
"""pint's spelling -> what a reader expects to see."""


SPELLED = ("it", "pue", "ups", "cdu", "pdu", "ats", "sts", "bess")
"""Words that people write in capitals."""


ROUND_OFF = {"s": 1e-6, "m^3/s": 1.6e-7, "kg/s": 1e-5, "W": 1e-3, "VA": 1e-3, "var": 1e-3, "K": 1e-6, "Pa": 1e-3,
             "V": 1e-6, "A": 1e-6, "1": 1e-12, "USD": 1e-9, "token": 1e-6}  # fmt: skip
"""What is smaller than this is nothing: round-off, and what a shut valve lets through (0.01 L/min)."""


def say(value: float | None, unit: str, *, difference: bool = False, share: bool = False) -> str:
    """A value in SI as people say it: 361.15, "K" -> "88 °C"; nothing known -> "-".

    Args:
        value: in SI.
        unit: its SI unit.
        difference: with "K", a temperature difference is meant.
        share: with "1", a share of a whole is meant: 0 is "0 %" and 1.2 is "120 %".
    """
    if value is None or not math.isfinite(value):
        return "-"
    value = 0.0 if abs(value) < ROUND_OFF.get(unit, 0.0) else value + 0.0  # no minus before a zero
    if unit == "K" and difference:
        return f"{value:.3g} K"
    if unit == "1" and share:
        return f"{value * 100:.4g} %"
    shown = pretty(units.show(value, unit))
    return shown.removesuffix(" 1")


def pretty(text: str) -> str:
    """A value or unit with the signs people expect: "45 degC" -> "45 °C"."""
    for spelled, sign in SIGNS.items():
        text = text.replace(spelled, sign)
    return text


MOMENT = 1e-6
"""Shorter than this [s] is no duration: moments are interpolated."""


def lasting(seconds: float | None) -> str:
    """A duration: "240 ms", "120.3 s", "12 min 03 s", "3 h 05 min"."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    sign, length = ("-", -seconds) if seconds < 0 else ("", seconds)
    if length < MOMENT:
        return "0 s"
    if length < 0.9995:
        return f"{sign}{length * 1e3:.3g} ms"
    if length < 599.95:
        return f"{sign}{length:.3g} s" if length < 10 else f"{sign}{length:.1f} s".replace(".0 s", " s")
    if length < 7199.5:
        minutes, rest = divmod(round(length), 60)
        return f"{sign}{minutes} min {rest:02d} s" if rest else f"{sign}{minutes} min"
    hours, minutes = divmod(round(length / 60), 60)
    return f"{sign}{hours} h {minutes:02d} min" if minutes else f"{sign}{hours} h"


def clock(seconds: float | None) -> str:
    """A moment of the run: "00:01:00.004"; the milliseconds are left out where they are zero."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    thousandths = round(abs(seconds) * 1000)
    whole, rest = divmod(thousandths, 1000)
    minutes, s = divmod(whole, 60)
    h, m = divmod(minutes, 60)
    text = f"{'-' if seconds < 0 and thousandths else ''}{h:02d}:{m:02d}:{s:02d}"
    return f"{text}.{rest:03d}" if rest else text


def words(name: str) -> str:
    """A quantity's name as words: "die_temperature" -> "die temperature", "it_power" -> "IT power"."""
    return " ".join(part.upper() if part in SPELLED else part for part in name.split("_"))


def plural(phrase: str) -> str:
    """What one unit does, as several do it: "loses its flow" -> "lose their flow"."""
    verb, space, rest = phrase.partition(" ")
    verb, colon, _ = verb.partition(":")
    known = {"is": "are", "has": "have", "goes": "go", "does": "do"}
    if verb in known:
        verb = known[verb]
    elif verb.endswith(("sses", "shes", "ches", "xes")):
        verb = verb[:-2]
    elif verb.endswith("s"):
        verb = verb[:-1]
    rest = re.sub(r"\bit (\w+)s\b", r"they \1", re.sub(r"\bits\b", "their", rest))
    rest = re.sub(r"\band works$", "and work", rest)
    return verb + colon + space + rest


def count(number: int, one: str, many: str | None = None) -> str:
    """A number of things: "1 rack", "32 racks"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def kinds(kind: str, number: int) -> str:
    """A kind as people write it: "rack", "CDUs", "dry coolers"."""
    if kind in SPELLED:
        name = kind.upper()
        return name if number == 1 or name.endswith("S") else f"{name}s"
    name = words(kind) or "unit"
    if number == 1:
        return name
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "ch")) else f"{name}s"


def sentence(template: str, show: Callable[[str], str]) -> str:
    """Fill `{name}` in a flag's `because` with what `show(name)` says."""
    return re.sub(r"\{(\w+)\}", lambda match: show(match.group(1)), template)


def glued(text: str) -> str:
    """The same words, with no line broken between a number and its unit."""
    return re.sub(r"(?<=\d) (?=(?:[kMGm]?(?:Wh?|J|VA|Pa)|°C|K|L|m³|ms|s|min|h|%)(?![\w]))", "\u00a0", text)
