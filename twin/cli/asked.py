"""What options ask for: numbers with units, in SI and within bounds; and what stands between commas."""

from __future__ import annotations

from twin.cli.words import UsageFault

BOUNDS = {
    "--dry-bulb": (200.0, 340.0, "a temperature between -70 and 65 degC"),
    "--humidity": (0.0, 1.0, "a share between 0 and 100 %"),
    "--utilisation": (0.0, 1.0, "a share between 0 and 100 %"),
    "--window": (1.0, 3600.0, "a time between 1 s and 1 h"),
    "--hold": (0.0, 86400.0, "a time up to 24 h"),
    "--tick": (1.0, 3600.0, "a time between 1 s and 1 h"),
    "--fault-at": (0.0, 3.2e8, "a time of the run"),
    "--after": (1.0, 3.2e8, "a time of at least 1 s"),
    "--restore-after": (0.001, 3.2e8, "a time of at least 1 ms"),
    "--loads": (0.0, 1.0, "a share between 0 and 100 %"),
    "--weather": (200.0, 340.0, "a temperature between -70 and 65 degC"),
    "humidity of --weather": (0.0, 1.0, "a share between 0 and 100 %"),
    "--within": (0.0, 10.0, "a share such as 1 %"),
}
"""Option -> least and most that it takes, in SI, and that in words."""


def asked(option: str, text: str, unit: str) -> float:
    """The value of an option in SI.

    Raises:
        UsageFault: it is none, or cannot be.
    """
    from twin import units

    least, most, wanted = BOUNDS[option]
    try:
        value = units.parse(text, unit)
    except units.BadValue as error:
        raise UsageFault(f"{option}: {error}") from None
    if not least <= value <= most:
        raise UsageFault(f"{option}: {units.quoted(text)} was found; {wanted} is wanted")
    return value


def listed(option: str, text: str, wanted: str) -> tuple[str, ...]:
    """What stands between commas.

    Raises:
        UsageFault: nothing does.
    """
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    if not found:
        raise UsageFault(f"{option}: nothing was found; {wanted} is wanted")
    return found
