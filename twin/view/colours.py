"""Colours: one theme for every picture, the colour maps of values, and what a state looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.equipment import KINDS
from twin.view.sizes import COOLING_YARD, ELECTRICAL, HALL, POWER_YARD

NORMAL, RUNNING, OFF, WAITING, STRAINED, LOST = range(6)
"""States of a unit, the more urgent the higher."""

STATE_NAMES = {
    LOST: "out of action",
    STRAINED: "strained or on reserve",
    WAITING: "starting or waiting",
    OFF: "switched off",
    RUNNING: "standby unit running",
}


@dataclass(frozen=True)
class Theme:
    """Colours of a picture as #rrggbb."""

    back: str
    ground: str
    floors: dict[str, str]
    wall: str
    text: str
    muted: str
    rule: str
    label: str
    states: dict[int, str]
    lines: dict[str, str]
    neutral: dict[str, str]
    dark: str
    light: str
    shadow: float


THEME = Theme(
    back="#0e1318",
    ground="#182029",
    floors={
        HALL: "#2b3641",
        ELECTRICAL: "#27313b",
        POWER_YARD: "#222b34",
        COOLING_YARD: "#222b34",
        "road": "#11171d",
    },
    wall="#465463",
    text="#f1f4f7",
    muted="#9aa7b4",
    rule="#34414d",
    label="#0e1318",
    states={LOST: "#ff3b4e", STRAINED: "#ffb020", OFF: "#7a8794", WAITING: "#b98cff", RUNNING: "#38d6a0"},
    lines={"supply": "#3fa9f5", "return": "#f2748a", "feed": "#b9a94e", "feed_dead": "#56606a"},
    neutral={"power": "#7d8a97", "cooling": "#6f8d97", "it": "#8b929b"},
    dark="#1b2229",
    light="#aeb8c2",
    shadow=0.62,
)

MAPS = {"K": "inferno"}
OTHER_MAP = "viridis"
DARKEST, BRIGHTEST = 0.14, 1.0
"""The part of a map in use: its black end would vanish in the background."""


def hexed(colour: np.ndarray) -> str:
    """Three bytes as #rrggbb."""
    red, green, blue = (int(part) for part in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"


def rgb(colour: str) -> np.ndarray:
    """#rrggbb as three bytes."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


def map_for(unit: str) -> np.ndarray:
    """256 colours (256, 3) in bytes for a unit: even to the eye and safe for the colour-blind."""
    import matplotlib

    table = matplotlib.colormaps[MAPS.get(unit, OTHER_MAP)]
    return np.asarray(np.round(table(np.linspace(DARKEST, BRIGHTEST, 256))[:, :3] * 255), dtype=np.uint8)


def shade(values: np.ndarray, limits: tuple[float, float], table: np.ndarray) -> np.ndarray:
    """Colours (n, 3) of values between two limits."""
    span = max(limits[1] - limits[0], 1e-12)
    place = np.clip((np.nan_to_num(values, nan=limits[0]) - limits[0]) / span, 0.0, 1.0)
    return np.asarray(table[np.round(place * 255).astype(int)])


def contrast(colour: np.ndarray) -> str:
    """Black or white, whichever reads better on a colour."""
    return "#000000" if float(np.asarray(colour) @ np.array([0.299, 0.587, 0.114])) > 120 else "#ffffff"


def tinted(plain: np.ndarray, state: str, share: float) -> np.ndarray:
    """A neutral body with a share of a state's colour in it."""
    return np.round(plain * (1.0 - share) + rgb(state) * share).astype(np.uint8)


def family(kind: str) -> str:
    """Whether a kind belongs to power, cooling or it: the tint of its neutral body."""
    made = KINDS.get(kind)
    if made is not None and made.is_work:
        return "it"
    return "cooling" if made is not None and (made.streams or made.cools_air) else "power"
