"""Symbols: what stands for each kind of equipment on a one-line diagram, as the trade draws it."""

from __future__ import annotations

import math
from collections.abc import Callable

from twin.diagram.ink import (
    DEAD,
    LIVE,
    LOST,
    NONE,
    PAPER,
    SOFT,
    STANDBY,
    STRAINED,
    WAITING,
    Disc,
    Line,
    Shape,
    Sheet,
    Words,
    breadth,
)
from twin.diagram.moment import Moment

Symbol = Callable[[Sheet, float, float, str, Moment, str], None]
"""Draws a symbol with its middle at x, y [px] in a tone, for a unit at a moment."""
HALF = 14.0
"""Half the height of a symbol [px]."""
TRIPS = ("tripped", "tripped_short_time", "tripped_instantaneous", "tripped_undervoltage", "load_shed")


def utility(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """The grid: a square with a mesh in it."""
    sheet.box(x, y, 24, 24, tone)
    for k in (-4, 4):
        sheet.add(
            Line(((x + k, y + 12), (x + k, y - 12)), tone, 0.9), Line(((x - 12, y + k), (x + 12, y + k)), tone, 0.9)
        )


def transformer(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """Two windings."""
    sheet.add(Disc(x, y - 5.5, 8.5, tone, NONE), Disc(x, y + 5.5, 8.5, tone, NONE))


def generator(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A circle with its letter."""
    sheet.add(Disc(x, y, 13, tone), Words(x, y + 4.5, "G", tone, 13, "middle", bold=True))


def breaker(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A square: filled where closed, empty where open, crossed where it has tripped."""
    if not is_closed(moment, unit) and any(moment.is_up(unit, flag) for flag in TRIPS):
        cross(sheet, x, y, 7)
        return
    sheet.box(x, y, 14, 14, tone, fill=tone if is_closed(moment, unit) else PAPER)


def is_closed(moment: Moment, unit: str) -> bool:
    """Whether the contacts of a breaker or tie are closed; a tie's normal state is its setting."""
    position = moment.value(unit, "position")
    if position is None:
        position = moment.plant.units[unit].settings.get("closed", 1.0)
    return position > 0.5


def cross(sheet: Sheet, x: float, y: float, half: float) -> None:
    """A square with a cross: opened by its protection."""
    sheet.box(x, y, 2 * half, 2 * half, LOST)
    sheet.add(Line(((x - half, y - half), (x + half, y + half)), LOST, 1.6))
    sheet.add(Line(((x - half, y + half), (x + half, y - half)), LOST, 1.6))


def switch(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A transfer switch: its lever lies on the feed that it stands on, normal left, alternate right."""
    sheet.box(x, y, 34, 26, tone)
    side = 1 if moment.is_up(unit, "on_alternate") else -1
    sheet.add(Disc(x - 9, y - 7, 2.2, tone, tone, 0.5), Disc(x + 9, y - 7, 2.2, tone, tone, 0.5))
    sheet.add(Line(((x, y + 13), (x, y + 7), (x + 9 * side, y - 7)), tone, 1.8))


def ups(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A converter to direct current and back, and how full its battery is."""
    converter(sheet, x, y, tone, "~", "~")
    charge = moment.value(unit, "state_of_charge")
    battery(sheet, x + 21, y, tone, 1.0 if charge is None else charge)


def rectifier(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A converter from alternating to direct current; a battery where it has one."""
    converter(sheet, x, y, tone, "~", "=")
    if moment.rating(unit, "battery_energy"):
        charge = moment.value(unit, "state_of_charge")
        battery(sheet, x + 21, y, tone, 1.0 if charge is None else charge)


def bess(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A store with its converter."""
    converter(sheet, x, y, tone, "=", "~")
    charge = moment.value(unit, "state_of_charge")
    battery(sheet, x + 21, y, tone, 1.0 if charge is None else charge)


def converter(sheet: Sheet, x: float, y: float, tone: str, above: str, below: str) -> None:
    """A square with a diagonal and what flows on either side of it."""
    sheet.box(x, y, 26, 26, tone)
    sheet.add(Line(((x - 13, y + 13), (x + 13, y - 13)), tone, 1.1))
    sheet.add(Words(x - 6, y - 2, above, tone, 11, "middle", bold=True))
    sheet.add(Words(x + 6, y + 10, below, tone, 11, "middle", bold=True))


def battery(sheet: Sheet, x: float, y: float, tone: str, charge: float) -> None:
    """An upright cell, filled as far as it is charged."""
    filled = 24 * min(max(charge, 0.0), 1.0)
    sheet.add(Line(((x - 2, y - 14), (x + 2, y - 14)), tone, 2.0))
    sheet.box(x, y, 9, 26, tone, width=1.0)
    if filled > 0.2:
        sheet.box(x, y + 12 - filled / 2, 6.5, filled, tone, fill=tone, width=0.0)


def pdu(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A distribution unit: a cabinet with its ways."""
    sheet.box(x, y, 24, 24, tone)
    for k in (-6, 0, 6):
        sheet.add(Line(((x + k, y - 2), (x + k, y + 8)), tone, 1.3))
    sheet.add(Line(((x - 8, y - 5), (x + 8, y - 5)), tone, 2.2))


def cable(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A length of cable or busway."""
    sheet.add(Line(((x, y - HALF), (x, y + HALF)), tone, 4.0 if moment.plant.units[unit].kind == "busway" else 2.4))
    if moment.is_up(unit, "severed"):
        cross(sheet, x, y, 5)


def clock(sheet: Sheet, x: float, y: float, r: float = 4.5) -> None:
    """A clock: whoever bears it starts, drains or waits."""
    sheet.add(Disc(x, y, r, WAITING, PAPER, 1.2), Line(((x, y - 0.65 * r), (x, y), (x + 0.55 * r, y)), WAITING, 1.2))


def plain(sheet: Sheet, x: float, y: float, tone: str, moment: Moment, unit: str) -> None:
    """A kind without a symbol of its own."""
    sheet.box(x, y, 24, 24, tone)


POWER: dict[str, Symbol] = {
    "utility": utility,
    "transformer": transformer,
    "generator": generator,
    "breaker": breaker,
    "tie": breaker,
    "ats": switch,
    "sts": switch,
    "ups": ups,
    "rectifier": rectifier,
    "bess": bess,
    "pdu": pdu,
    "cable": cable,
    "busway": cable,
}


def pump(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A circle with a triangle the way it pumps, filled where it runs."""
    sheet.add(Disc(x, y, 12, tone))
    tip, base = (y - 11, y + 6) if up else (y + 11, y - 6)
    sheet.add(Shape(((x, tip), (x - 10, base), (x + 10, base)), tone, tone if runs else PAPER, 1.2))


def valve(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A bow tie, filled where it is shut."""
    fill = PAPER if runs else tone
    sheet.add(Shape(((x - 7, y - 11), (x + 7, y - 11), (x, y)), tone, fill))
    sheet.add(Shape(((x - 7, y + 11), (x + 7, y + 11), (x, y)), tone, fill))


def check_valve(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A triangle against a bar."""
    tip, base = (y - 8, y + 8) if up else (y + 8, y - 8)
    sheet.add(Shape(((x, tip), (x - 8, base), (x + 8, base)), tone, PAPER))
    sheet.add(Line(((x - 8, tip), (x + 8, tip)), tone, 2.4))


def strainer(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A diamond with a screen."""
    sheet.add(Shape(((x, y - 12), (x + 10, y), (x, y + 12), (x - 10, y)), tone))
    sheet.add(Line(((x - 10, y), (x + 10, y)), tone, 1.2, dashed=True))


def exchanger(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A plate exchanger: a box with a zigzag."""
    sheet.box(x, y, 30, 26, tone)
    sheet.add(Line(((x, y - 13), (x, y - 7), (x - 8, y - 3), (x + 8, y + 3), (x, y + 7), (x, y + 13)), tone, 1.3))


def chiller(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A box with a snowflake's three strokes: filled arms where it runs."""
    sheet.box(x, y, 30, 26, tone)
    for turn in range(3):
        dx, dy = 9 * math.cos(turn * math.pi / 3), 9 * math.sin(turn * math.pi / 3)
        sheet.add(Line(((x - dx, y - dy), (x + dx, y + dy)), tone, 2.2 if runs else 1.0))


def fan(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A coil under a fan."""
    sheet.box(x, y, 30, 26, tone)
    blades = tone if runs else PAPER
    for side in (-1, 1):
        root = (x, y)
        sheet.add(Shape((root, (x + side * 10, y - 5), (x + side * 10, y + 3)), tone, blades, 1.0))
    sheet.add(Disc(x, y, 2.4, tone, tone, 0.5))


def tower(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A wet tower: a trapezoid with falling water."""
    sheet.add(Shape(((x - 15, y + 13), (x - 10, y - 13), (x + 10, y - 13), (x + 15, y + 13)), tone))
    for k in (-6, 0, 6):
        sheet.add(Line(((x + k, y - 5), (x + k, y + 7)), tone, 1.6 if runs else 0.8, dashed=True))


def rack(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A cabinet with shelves."""
    sheet.box(x, y, 20, 28, tone)
    for k in (-8, -3, 2, 7):
        sheet.add(Line(((x - 7, y + k), (x + 7, y + k)), tone, 2.4 if runs else 0.9))


def pipe(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A length of pipe that counts."""
    sheet.add(Line(((x, y - 13), (x, y + 13)), tone, 5.0))


def coupling(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """Two halves that part without a drop."""
    sheet.add(Line(((x - 8, y - 3), (x + 8, y - 3)), tone, 2.0), Line(((x - 8, y + 3), (x + 8, y + 3)), tone, 2.0))


def unknown(sheet: Sheet, x: float, y: float, tone: str, up: bool, runs: bool) -> None:
    """A kind without a symbol of its own."""
    sheet.box(x, y, 30, 24, tone)


Element = Callable[[Sheet, float, float, str, bool, bool], None]
COOLING: dict[str, Element] = {
    "pump": pump,
    "valve": valve,
    "check_valve": check_valve,
    "strainer": strainer,
    "cdu": exchanger,
    "heat_exchanger": exchanger,
    "heat_sink": unknown,
    "chiller": chiller,
    "water_cooled_chiller": chiller,
    "dry_cooler": fan,
    "adiabatic_cooler": fan,
    "fan_wall": fan,
    "cooling_tower": tower,
    "rack": rack,
    "pipe": pipe,
    "quick_disconnect": coupling,
}


def key_of_power(sheet: Sheet, x: float, y: float) -> None:
    """What squares, tones and hatching mean, in one line."""
    sheet.box(x + 6, y, 12, 12, LIVE, fill=LIVE)
    sheet.box(x + 66, y, 12, 12, LIVE)
    cross(sheet, x + 120, y, 6)
    sheet.add(Line(((x + 180, y), (x + 204, y)), DEAD, 1.5, dashed=True))
    sheet.add(Shape(((x + 246, y - 6), (x + 262, y - 6), (x + 262, y + 6), (x + 246, y + 6)), LOST, hatched=True))
    sheet.add(Line(((x + 334, y), (x + 358, y)), STRAINED, 2.6), Line(((x + 484, y), (x + 508, y)), STANDBY, 2.6))
    said = {18: "closed", 78: "open", 132: "tripped", 210: "dead", 268: "overloaded"}
    said |= {364: "on reserve, strained", 514: "standby machine running"}
    sheet.add(*(Words(x + place, y + 4, text, SOFT) for place, text in said.items()))
    key_of_waiting(sheet, x, y, 672)


def key_of_waiting(sheet: Sheet, x: float, y: float, at: float) -> None:
    """What a clock means: `at` pixels along the key, or on a line below where the drawing is too narrow for that."""
    _, _, right, _ = sheet.extent
    said = "starting, draining, waiting"
    if x + at + breadth(said) + 12 > right:
        at, y = 0.0, y + 22
    clock(sheet, x + at + 6, y, 6)
    sheet.add(Words(x + at + 18, y + 4, said, SOFT))
