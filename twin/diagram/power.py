"""Power: the electrical side of a plant as a one-line diagram, from the grid at the top to the loads at the bottom."""

from __future__ import annotations

from dataclasses import dataclass

from twin.diagram import symbols
from twin.diagram.fold import MOST_COLUMNS, Box, Load, boxes, folded
from twin.diagram.ink import (
    DEAD,
    LARGE,
    LINE,
    LIVE,
    LOST,
    NORMAL_SIZE,
    SMALL,
    SOFT,
    STRAINED,
    WAITING,
    Disc,
    Line,
    Shape,
    Sheet,
    Words,
    breadth,
    wrapped,
)
from twin.diagram.moment import Moment
from twin.diagram.names import counted, fitted, percent, say, short
from twin.equipment import KINDS

ROW, LEFT = 88.0, 24.0
"""Pixels from row to row, and from a column's edge to its symbols."""
NARROWEST, WIDEST = 116.0, 156.0
CHANNEL = 36.0
"""How far above a row the lines to its second feeds run [px]."""
HEIGHT = {"bus": 0.0, "breaker": 7.0, "tie": 7.0, "pdu": 12.0, "utility": 12.0}


@dataclass
class Place:
    """Where a box stands: its middle, and for boards the ends of its bar."""

    x: float
    y: float
    left: float = 0.0
    right: float = 0.0


def power(moment: Moment, *, most: int = MOST_COLUMNS, unfolded: bool = False) -> Sheet:
    """The one-line diagram of a plant's electrical side at a moment.

    Args:
        most: columns before alike machines are drawn as one.
        unfolded: draw every machine, however large that becomes.
    """
    sheet = Sheet(f"One-line diagram of the electrical side, {moment.when}")
    found = boxes(moment, 0) if unfolded else folded(moment, most)
    if found:
        _Drawing(sheet, moment, found).draw()
    return sheet


class _Drawing:
    """One diagram in the making."""

    def __init__(self, sheet: Sheet, moment: Moment, found: list[Box]) -> None:
        self.sheet, self.moment, self.boxes = sheet, moment, found
        named = [breadth(counted(box.units), NORMAL_SIZE, bold=True) for box in found]
        self.wide = min(max(NARROWEST, max(named) + LEFT + 28), WIDEST)
        self.row = _ranks(found)
        self.place: dict[int, Place] = {}
        self.loads_at: dict[int, float] = {}
        self.column = 0
        self.bottom = 0.0

    def draw(self) -> None:
        """Place everything, then lines under symbols, then words."""
        feeders = [box for box in self.boxes if box.first is None]
        for root in sorted(feeders, key=lambda box: (box.kind != "utility", self._size(box) <= 1)):
            self._put(root)
        self._spread_bars()
        self._second_feeds()
        for box in self.boxes:
            self._first_feed(box)
        self._ties()
        for box in self.boxes:
            self._symbol(box)
            self._loads(box)
        left, top, _, bottom = self.sheet.extent
        self.sheet.add(Words(left, top - 30, self.sheet.title, LIVE, LARGE, bold=True))
        symbols.key_of_power(self.sheet, left, bottom + 30)

    def _size(self, box: Box) -> int:
        return 1 + sum(self._size(child) for child in box.fed)

    def _put(self, box: Box) -> tuple[float, float]:
        """Place a box over its children, each in columns of its own; the first and last x of its children."""
        y = self.row[id(box)] * ROW
        spans = [self._put(child) for child in box.fed]
        if box.loads and box.fed:
            self.loads_at[id(box)] = self._next()
            spans.append((self.loads_at[id(box)],) * 2)
        if not spans:
            x = self._next()
            spans = [(x, x)]
        if box.loads and not box.fed:
            self.loads_at[id(box)] = spans[0][0]
        inner = [self.place[id(child)].x for child in box.fed] + [
            self.loads_at[id(box)] for _ in range(bool(box.loads and box.fed))
        ]
        x = sum(inner) / len(inner) if inner else spans[0][0]
        self.place[id(box)] = Place(x, y, min(inner, default=x), max(inner, default=x))
        return spans[0][0], spans[-1][1]

    def _next(self) -> float:
        self.column += 1
        return (self.column - 1) * self.wide + LEFT

    def _spread_bars(self) -> None:
        """A board's bar reaches over all that hang on it and over all sources that feed it from right above."""
        for box in self.boxes:
            place = self.place[id(box)]
            if box.kind == "bus":
                above = [self.place[id(feed)].x for feed in box.feeds if KINDS[feed.kind].source or len(box.feeds) > 1]
                place.left = min([place.left, place.x, *above]) - 16
                place.right = max([place.right, place.x, *above]) + 40

    def _tone(self, box: Box) -> str:
        """The tone of the line that leaves a box: live or dead."""
        return LIVE if any(self.moment.is_live(unit) for unit in box.units) else DEAD

    def _wire(self, points: tuple[tuple[float, float], ...], tone: str, halo: bool = False) -> None:
        self.sheet.add(Line(points, tone, 1.5, dashed=tone == DEAD, halo=halo))

    def _first_feed(self, box: Box) -> None:
        """The line from its first feed; a board with several sources has one from each."""
        place = self.place[id(box)]
        top = place.y - self._half(box)
        for feed in box.feeds if box.kind == "bus" else box.feeds[:1]:
            above = self.place[id(feed)]
            tone = self._tone(feed)
            start = above.y + self._half(feed)
            if feed.kind == "bus" and above.left <= place.x <= above.right:
                self._wire(((place.x, above.y), (place.x, top)), tone)
            elif box.kind == "bus" and place.left <= above.x <= place.right:
                self._wire(((above.x, start), (above.x, place.y)), tone)
            else:
                shift = -9.0 if box.kind in ("ats", "sts") and len(box.feeds) > 1 else 0.0
                x, turn = place.x + shift, above.y + 42
                self._wire(((above.x, start), (above.x, turn), (x, turn), (x, top)), tone)

    def _second_feeds(self) -> None:
        """Lines to the feeds that a box does not prefer: one channel for each such source, bridged where it crosses."""
        wanted: dict[int, list[Box]] = {}
        for box in self.boxes:
            for feed in box.feeds[1:] if box.kind != "bus" else ():
                wanted.setdefault(id(feed), []).append(box)
        by_id = {id(box): box for box in self.boxes}
        for number, (source, targets) in enumerate(wanted.items()):
            feed, above = by_id[source], self.place[source]
            tone = self._tone(feed)
            channel = min(self.place[id(box)].y for box in targets) - CHANNEL - 6 * (number % 3)
            if channel < above.y + 8:
                channel = above.y + CHANNEL
            xs = [self.place[id(box)].x + 9 for box in targets]
            self._wire(((above.x, above.y), (above.x, channel)), tone)
            self._wire(((min([*xs, above.x]), channel), (max([*xs, above.x]), channel)), tone)
            for box, x in zip(targets, xs, strict=True):
                self._wire(((x, channel), (x, self.place[id(box)].y - self._half(box))), tone)
                self.sheet.add(Disc(x, channel, 2.2, tone, tone, 0.5))

    def _ties(self) -> None:
        """Ties between boards: a breaker in a line between the ends of their bars."""
        of = {unit: box for box in self.boxes for unit in box.units}
        for number, (tie, boards) in enumerate(self.moment.plant.joins.items()):
            ends = [self.place[id(of[board])] for board in boards if board in of]
            if len(ends) != 2:
                continue
            one, other = sorted(ends, key=lambda place: place.left)
            shut = symbols.is_closed(self.moment, tie)
            tone = DEAD if not shut else self._tone(of[boards[0]])
            drop = 0.0 if one.y == other.y and one.right < other.left + 1 else 22.0 + 5 * (number % 3)
            x = (one.right + other.left) / 2 if not drop else max(one.right, other.left) + 20
            y = one.y + drop
            path = ((one.right, one.y), (one.right, y), (other.left, y), (other.left, other.y))
            self._wire(path if drop else ((one.right, one.y), (other.left, other.y)), tone)
            said = self.moment.tone(tie)
            symbols.breaker(self.sheet, x, y, LIVE if said == DEAD else said, self.moment, tie)
            self.sheet.add(Words(x, y - 12, tie, LIVE, SMALL, "middle", bold=True))
            word = self.moment.word(tie)
            told = ("closed" if shut else "open") if word in ("", "dead") else word
            self.sheet.add(Words(x, y + 18, told, SOFT if said in (LIVE, DEAD) else said, SMALL, "middle"))

    def _half(self, box: Box) -> float:
        return HEIGHT.get(box.kind, 13.0)

    def _symbol(self, box: Box) -> None:
        place, unit = self.place[id(box)], self._teller(box)
        tone = self.moment.tone(unit)
        overloaded = any(self.moment.is_overloaded(each) for each in box.units)
        if overloaded:
            half = 17.0
            corners = [(place.x + a * half, place.y + b * half) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            self.sheet.add(Shape(tuple(corners), LOST, width=1.0, hatched=True))
        x, y = place.x + 20, place.y - 5
        if box.kind == "bus":
            bar = LIVE if tone == LIVE else tone
            self.sheet.add(Line(((place.left, place.y), (place.right, place.y)), bar, 5.0))
            x, y = place.x + 8, place.y - 8 - LINE * (len(self._values(box)) > 0)
        elif box.kind in symbols.POWER:
            symbols.POWER[box.kind](self.sheet, place.x, place.y, tone, self.moment, unit)
            x += {"ups": 11, "bess": 11, "rectifier": 11, "ats": 4, "sts": 4}.get(box.kind, 0)
        else:
            symbols.plain(self.sheet, place.x, place.y, tone, self.moment, unit)
        self._label(box, x, y, tone, unit)

    def _teller(self, box: Box) -> str:
        """Of the units of a box, the one that is worst off speaks for it."""
        worst = {LOST: 0, STRAINED: 1, WAITING: 2, DEAD: 3}
        return min(box.units, key=lambda unit: worst.get(self.moment.tone(unit), 4))

    def _label(self, box: Box, x: float, y: float, tone: str, unit: str) -> None:
        room = self.wide - (x - self.place[id(box)].x) - 14
        room = max(room, 80.0)
        names = fitted(box.units, room, NORMAL_SIZE)
        for row, name in enumerate(names):
            self.sheet.add(Words(x, y + LINE * (row - len(names) + 1), name, LIVE, NORMAL_SIZE, bold=True))
        said = self._values(box)
        word = self.moment.word(unit)
        for row, text in enumerate(said, 1):
            self.sheet.add(Words(x, y + LINE * row, text, SOFT if tone != LOST else LOST, SMALL))
        if word:
            at = (
                (x + breadth(f"{said[0]}  ", SMALL), y + LINE)
                if box.kind == "bus" and said
                else (x, y + LINE * (len(said) + 1))
            )
            if box.kind == "bus" and not said:
                at = (x + breadth(f"{names[-1]}  ", NORMAL_SIZE, bold=True), y)
            ink = SOFT if tone == DEAD or word == "standing by" else tone
            for row, text in enumerate(wrapped(word, room, SMALL, 2)):
                self.sheet.add(Words(at[0], at[1] + LINE * row, text, ink, SMALL, bold=ink != SOFT))

    def _values(self, box: Box) -> list[str]:
        """Power, voltage, load and charge of a box, in at most two lines; its rating where nothing has run."""
        moment = self.moment
        if moment.reading is None:
            rated = sum(moment.rating(unit, "rated_power") or 0.0 for unit in box.units)
            unit = "VA" if box.kind in ("transformer", "breaker") else "W"
            return [f"rated {say(rated, unit)}"] if rated else []
        first: list[str] = []
        second: list[str] = []
        power = moment.total(box.units, "power")
        if power is not None and box.kind != "breaker":
            first.append(say(power, "W") if abs(power) >= 1 else "0 W")
        voltage = moment.span(box.units, "voltage" if box.kind != "utility" else "terminal_voltage")
        if voltage is not None and box.kind in ("bus", "utility") and voltage[1] > 0.005:
            low, high = percent(voltage[0]), percent(voltage[1])
            first.append(f"{low if low == high else f'{low} to {high}'} U")
        load = moment.span(box.units, "load_fraction")
        if load is not None and load[1] > 0.0005:
            second.append(f"{percent(load[1])} load")
        charge = moment.span(box.units, "state_of_charge")
        if charge is not None:
            second.append(f"{percent(charge[0])} charge")
        room = self.wide - LEFT - 22
        joined = [", ".join(each) for each in (first, second) if each]
        fits = all(breadth(text, SMALL) <= room for text in joined)
        return joined if fits or box.kind == "bus" else first + second

    def _loads(self, box: Box) -> None:
        """The consumers of a box as a list on a spine with an arrow to each."""
        if not box.loads:
            return
        place, x = self.place[id(box)], self.loads_at[id(box)]
        tone = self._tone(box)
        y = place.y + (34 if box.kind == "bus" or box.fed else 44)
        if box.fed and box.kind != "bus":
            self._wire(((place.x, place.y + 42), (x, place.y + 42)), tone)
        start = place.y if box.kind == "bus" else place.y + self._half(box) if not box.fed else place.y + 42
        last = y
        for load in box.loads:
            last = y
            self.sheet.add(Line(((x, y), (x + 10, y)), tone, 1.3, arrow=True))
            y = self._entry(load, x + 14, y, tone) + 8
        self._wire(((x, start), (x, last)), tone)

    def _entry(self, load: Load, x: float, y: float, feed: str) -> float:
        moment = self.moment
        room = self.wide - LEFT - 16
        states = [moment.tone(unit) for unit in load.units]
        order = (LOST, STRAINED, WAITING, DEAD, LIVE)
        tone = LIVE if LIVE in states or "standby" in states else min(states, key=order.index)
        lines = fitted(load.units, room, SMALL, 2)
        for row, text in enumerate(lines):
            self.sheet.add(Words(x, y + 3 + LINE * row, text, tone if tone != DEAD else SOFT, SMALL, bold=True))
        y += LINE * len(lines)
        drawn = moment.total(load.units, "power")
        if moment.reading is None:
            drawn = sum(moment.rating(unit, "rated_power") or 0.0 for unit in load.units) or None
        said = [] if drawn is None else [say(drawn, "W") if abs(drawn) >= 1 else "0 W"]
        said += [f"{load.cords} cords"] if load.cords > 1 else []
        said += [f"or {short(load.elsewhere, 2)}"] if load.elsewhere else []
        for text in wrapped(" · ".join(said), room, SMALL, 2) if said else ():
            self.sheet.add(Words(x, y + 3, text, SOFT, SMALL))
            y += LINE
        unwell: dict[str, list[str]] = {}
        for unit in load.units:
            if (word := moment.word(unit)) and moment.reading is not None:
                unwell.setdefault(word, []).append(unit)
        for word, units in sorted(unwell.items(), key=lambda each: -len(each[1]))[:3]:
            many = "all " if len(units) == len(load.units) > 1 else f"{len(units)} " if len(load.units) > 1 else ""
            ink = moment.tone(units[0])
            indent = 0.0
            if ink == WAITING:
                indent = 13.0
                symbols.clock(self.sheet, x + 4.5, y)
            for text in wrapped(f"{many}{word}", room - indent, SMALL, 2):
                self.sheet.add(Words(x + indent, y + 3, text, SOFT if ink == DEAD else ink, SMALL, bold=ink != DEAD))
                y += LINE
        return y


def _ranks(found: list[Box]) -> dict[int, int]:
    """The row of each box: one below the lowest of its feeds; sources right above the first that they feed."""
    row: dict[int, int] = {}
    for box in found:
        row[id(box)] = 1 + max((row.get(id(feed), -1) for feed in box.feeds), default=-1)
    for box in found:
        fed = [row[id(other)] for other in found if box in other.feeds]
        if not box.feeds and fed:
            row[id(box)] = min(fed) - 1
    return row
