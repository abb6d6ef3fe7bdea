"""Fabric map: the switches of a fabric in tiers over their racks, with what is lost of them at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.networks.fabric import bisection, compile_fabric, ports_left
from twin.view.colours import LOST, STRAINED, THEME
from twin.view.reading import BadWish, Reading
from twin.view.sheet import EDGE, HEADER, Sheet
from twin.view.words import lasting, say

if TYPE_CHECKING:
    from twin.plant_fabric import Fabric

RAILS = ("#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#999933", "#B8A0E8", "#DDDDDD")
"""After Okabe and Ito; rails beyond eight begin again, links of no rail are grey."""
TIERS = ("racks", "leaves", "spines", "cores")
LEFT, FOOT, KEY = 110.0, 74.0, 30.0


def draw(reading: Reading, size: tuple[int, int], block: str | None = None) -> Sheet:
    """Draw a plant's fabric at a moment of a trace.

    Args:
        reading: the trace at that moment, in one member.
        size: width and height in pixels.
        block: whose fabric is wanted, where blocks have fabrics of their own.

    Raises:
        BadWish: the plant has no fabric, or the block has none.
    """
    fabrics = reading.trace.plant.fabrics
    chosen = [each for name, each in fabrics.items() if block is None or name.startswith(f"{block}/")]
    if not chosen:
        has = f"block {block} has none" if fabrics else "the plant has none"
        raise BadWish(f'{reading.trace.path}: the look "fabric" wants a fabric, and {has}')
    fabric = chosen[0]
    net = compile_fabric(fabric)
    alive, share = _read(reading, net.names)
    left = ports_left(net, alive)
    sheet = Sheet(size)
    _header(sheet, reading, fabric, bisection(net, left), bisection(net, net.ports))
    places = _places(sheet, fabric)
    _links(sheet, fabric, places, left / net.ports)
    for name, (x, y, width) in places.items():
        row = net.nodes[name]
        _box(sheet, name, (x, y, width), share[row] if row < net.racks else alive[row], row < net.racks)
    _key(sheet, fabric)
    return sheet


def _read(reading: Reading, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Share of its ports that each node has, and of its bandwidth that each rack has."""
    alive, share = np.ones(len(names)), np.ones(len(names))
    at = {name: row for row, name in enumerate(names)}
    for kind in reading.trace.kinds:
        known = reading.trace.columns(kind)
        rows = [(at[unit], column) for column, unit in enumerate(reading.trace.units(kind)) if unit in at]
        for name, into, lost in (
            ("port_share", alive, False), ("ports_lost", alive, True), ("bandwidth_share", share, False),
        ):  # fmt: skip
            if not rows or name not in known or (name == "ports_lost" and "port_share" in known):
                continue
            values = reading.values(kind, name)
            for row, column in rows:
                into[row] = 1.0 - values[column] if lost else values[column]
    return alive, share


def _places(sheet: Sheet, fabric: Fabric) -> dict[str, tuple[float, float, float]]:
    """Centre and width of the box of each rack and switch: racks at the bottom, a row for each tier."""
    rows = [fabric.racks, *(fabric.tier(tier) for tier in range(1, fabric.tiers + 1))]
    top, bottom = sheet.height - HEADER - 50, FOOT + KEY
    found = {}
    for level, names in enumerate(rows):
        y = bottom + (top - bottom) * level / max(len(rows) - 1, 1)
        pitch = (sheet.width - LEFT - 2 * EDGE) / max(len(names), 1)
        for place, name in enumerate(names):
            found[name] = (LEFT + EDGE + (place + 0.5) * pitch, y, min(0.84 * pitch, 110.0))
        sheet.text(EDGE, y, TIERS[level] if level < len(TIERS) else f"tier {level}", 11, THEME.muted, va="center")
    return found


def _links(sheet: Sheet, fabric: Fabric, places: dict[str, tuple[float, float, float]], left: np.ndarray) -> None:
    """Live links in the colour of their rail, fainter the more there are; what is lost on top of them, in red."""
    from matplotlib.collections import LineCollection

    ends = np.array([(places[link.lower][:2], places[link.upper][:2]) for link in fabric.links])
    colours = [RAILS[(link.rail - 1) % len(RAILS)] if link.rail else THEME.muted for link in fabric.links]
    faint = float(np.clip(120.0 / max(len(ends), 1), 0.16, 0.8))
    whole, lost = np.flatnonzero(left > 0), np.flatnonzero(left < 1)
    sheet.axes.add_collection(
        LineCollection(list(ends[whole]), colors=[colours[i] for i in whole], linewidths=1.1, alpha=faint, zorder=3)
    )
    red = THEME.states[LOST]
    depth = [float(np.clip(1.0 - left[i], 0.25, 1.0)) * max(faint, 0.55) for i in lost]
    sheet.axes.add_collection(
        LineCollection(
            list(ends[lost]), colors=red, linewidths=1.4, alpha=depth or None, linestyles=(0, (4, 2)), zorder=4
        )
    )


def _box(sheet: Sheet, name: str, place: tuple[float, float, float], share: float, rack: bool) -> None:
    """A rack with the share of bandwidth that it has, or a switch with that of its ports."""
    x, y, width = place
    height = 34.0 if rack else 26.0
    colour = THEME.neutral["it"] if share >= 1 else THEME.states[STRAINED] if share > 0 else THEME.states[LOST]
    sheet.patch(x - width / 2, y - height / 2, width, height, colour, zorder=6, edgecolor=THEME.back, linewidth=0.8)
    short = name.rpartition("/")[2]
    if width >= 52:
        points = 9.0 if width > 60 else 7.5
        lift = 6 if rack else 0
        sheet.text(x, y + lift, short, points, THEME.back, ha="center", va="center", weight="bold", zorder=8)
    elif width >= 14:
        number = short.rpartition("-")[2] if "-" in short else short
        sheet.text(x, y + (6 if rack else 0), number, 6.5, THEME.back, ha="center", va="center", zorder=8)
    if rack and width >= 22:
        points = 8.5 if width >= 44 else 6.0
        sheet.text(x, y - 8, say(share, "1") if share < 1 else "100 %", points, THEME.back, ha="center", va="center",
                   zorder=8)  # fmt: skip


def _header(sheet: Sheet, reading: Reading, fabric: Fabric, now: float, whole: float) -> None:
    """Title and moment; what the fabric is; and what its racks can send from one half to the other."""
    top, trace = sheet.height, reading.trace
    title = trace.title or fabric.name
    sheet.text(EDGE, top - 44, title, 18, weight="bold", va="baseline")
    moment = f"{lasting(reading.time)} into a run of {lasting(float(trace.time[-1]))}"
    counts = [(len(fabric.tier(tier)), TIERS[tier]) for tier in range(1, min(fabric.tiers, 3) + 1)]
    parts = ", ".join(f"{count} {what}" for count, what in [(len(fabric.racks), "racks"), *counts])
    rate = f"{fabric.rate / 1e9:g} Gbit/s"
    sheet.text(EDGE, top - 68, f"{moment}; fabric {fabric.name}: {parts}, ports of {rate}", 11, THEME.muted)
    speed = now * fabric.rate / 1e12
    said = f"{now:g} of {whole:g} ports from one half of the racks to the other: {speed:.4g} Tbit/s"
    sheet.text(sheet.width - EDGE, top - 44, said, 12, ha="right", va="baseline")
    sheet.axes.plot([EDGE, sheet.width - EDGE], [top - 92, top - 92], color=THEME.rule, lw=1, zorder=18)


def _key(sheet: Sheet, fabric: Fabric) -> None:
    """Colours of the rails, and what is lost."""
    x, y = EDGE, 26.0
    rails = [(f"rail {rail}", RAILS[(rail - 1) % len(RAILS)]) for rail in range(1, min(fabric.rails, 8) + 1)]
    strained, lost = THEME.states[STRAINED], THEME.states[LOST]
    for words, colour in (*rails, ("a part is lost", strained), ("nothing is left; dead links", lost)):
        sheet.patch(x, y - 5, 18, 10, colour)
        said = sheet.text(x + 24, y, words, 9, THEME.muted, va="center")
        x = sheet.extent(said)[2] + 22
    sheet.text(sheet.width - EDGE, y, "aifactory-twin", 8, THEME.muted, va="center", ha="right")
