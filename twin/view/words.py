"""Words: values, durations and lists of unit names as they stand in a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twin import units

ACRONYMS = {"ats", "cdu", "pdu", "sts", "ups"}
SIGNS = {"degC": "°C", "m^3": "m³", "m^2": "m²"}


def pretty(text: str) -> str:
    """The signs people expect for units: "45 degC" -> "45 °C"."""
    for spelled, sign in SIGNS.items():
        text = text.replace(spelled, sign)
    return text


def say(value: float, unit: str) -> str:
    """A value in SI as people say it, three digits where more would only flicker."""
    shown = units.show(value, unit)
    number, _, named = shown.partition(" ")
    try:
        number = f"{float(number):.1f}" if named == "degC" else f"{float(number):.4g}"
    except ValueError:
        return shown
    return pretty(f"{number} {named}".strip())


def kind_words(kind: str) -> str:
    """A kind as people write it: fan_wall -> fan wall, ups -> UPS."""
    return kind.upper() if kind in ACRONYMS else kind.replace("_", " ")


def lasting(seconds: float) -> str:
    """A time of the run: "45 s", "12 min 30 s", "3 h 05 min"."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 119.95:
        return f"{sign}{round(seconds, 3):g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{sign}{minutes} min" + (f" {rest:02d} s" if rest else "")
    return f"{sign}{minutes // 60} h {minutes % 60:02d} min"


def name_range(names: Sequence[str]) -> str:
    """Many names as a scenario writes them: rack-01..32; the block they share is left out."""
    names = [name.rpartition("/")[2] for name in names]
    if len(names) == 1:
        return names[0]
    cut = [re.fullmatch(r"(.*?)([0-9]+)", name) for name in names]
    heads = {match.group(1) for match in cut if match}
    if all(cut) and len(heads) == 1:
        numbers = sorted((int(match.group(2)), match.group(2)) for match in cut if match)
        if numbers[-1][0] - numbers[0][0] == len(names) - 1:
            return f"{heads.pop()}{numbers[0][1]}..{numbers[-1][1]}"
    stem = _shared([name.split("-") for name in names])
    if stem and all(name.startswith(f"{stem}-") for name in names) and len(names) <= 3:
        return ", ".join([names[0], *(name[len(stem) + 1 :] for name in names[1:])])
    if len(names) == 2:
        return ", ".join(names)
    return f"{stem}-*" if stem else ", ".join(names[:2]) + ", ..."


def _shared(parts: list[list[str]]) -> str:
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "-".join(shared)
