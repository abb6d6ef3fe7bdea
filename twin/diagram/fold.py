"""Folding: which alike machines a one-line diagram draws as one, so that it can be read at a glance."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.diagram.moment import Moment
from twin.diagram.names import stem
from twin.equipment import KINDS

MOST_COLUMNS = 10
"""Columns that a diagram may have before it is folded further."""
NONE, SIBLINGS, LINEUPS = range(3)
"""How much is folded: nothing, those that hang on the same feeds, whole lines of machines that stand alike."""


@dataclass
class Box:
    """One symbol: the units it stands for, what feeds it in order of preference, and the loads that it lists."""

    units: list[str]
    kind: str
    feeds: list[Box] = field(default_factory=list)
    fed: list[Box] = field(default_factory=list)
    """Boxes that hang on this one as their first feed."""
    loads: list[Load] = field(default_factory=list)

    @property
    def first(self) -> Box | None:
        return self.feeds[0] if self.feeds else None


@dataclass
class Load:
    """Consumers in one line of a list: which, over how many cords, and from where else they may be fed."""

    units: list[str]
    cords: int = 1
    elsewhere: tuple[str, ...] = ()


def serving(moment: Moment) -> list[str]:
    """The units that electricity passes through or comes from, in the plant's order."""
    return [unit.name for unit in moment.plant.units.values() if KINDS[unit.kind].serves]


def boxes(moment: Moment, level: int) -> list[Box]:
    """The symbols of a plant's electrical side, folded as far as `level` says, feeds before what they feed."""
    colour = _colours(moment, level)
    made: dict[object, Box] = {}
    of: dict[str, Box] = {}
    for unit in _downwards(moment):
        box = made.setdefault(colour[unit], Box([], moment.plant.units[unit].kind))
        box.units.append(unit)
        of[unit] = box
    for box in made.values():
        for unit in box.units:
            for feed in moment.plant.feeds.get(unit, []):
                if feed in of and of[feed] not in box.feeds and of[feed] is not box:
                    box.feeds.append(of[feed])
        if box.first is not None:
            box.first.fed.append(box)
    _list_loads(moment, of)
    return list(made.values())


def folded(moment: Moment, most: int = MOST_COLUMNS) -> list[Box]:
    """The symbols, folded no more than is needed for `most` columns."""
    found = boxes(moment, NONE)
    for level in (SIBLINGS, LINEUPS):
        if columns(found) <= most:
            break
        found = boxes(moment, level)
    return found


def columns(found: list[Box]) -> int:
    """How many columns symbols take beside each other."""
    return sum(max(not box.fed, bool(box.loads) and bool(box.fed)) for box in found)


def _downwards(moment: Moment) -> list[str]:
    """Serving units, each after those that feed it; where feeds go round, in the plant's order."""
    known = serving(moment)
    inside, done, order = set(known), set(), []

    def visit(unit: str, above: frozenset[str]) -> None:
        if unit in done or unit in above:
            return
        for feed in moment.plant.feeds.get(unit, []):
            if feed in inside:
                visit(feed, above | {unit})
        if unit not in done:
            done.add(unit)
            order.append(unit)

    for unit in known:
        visit(unit, frozenset())
    return order


def _colours(moment: Moment, level: int) -> dict[str, object]:
    """Units of one colour are drawn as one: alike by kind, name, state and by the colours of what feeds them."""
    colour: dict[str, object] = {}
    joined = moment.plant.joined
    fed: dict[str, list[str]] = {}
    for unit, feeds in moment.plant.feeds.items():
        for feed in feeds:
            fed.setdefault(feed, []).append(unit)
    for unit in _downwards(moment):
        kind = moment.plant.units[unit].kind
        feeds = moment.plant.feeds.get(unit, [])
        alone = level == NONE or unit in joined
        if alone:
            colour[unit] = unit
            continue
        looks = (kind, moment.tone(unit), moment.word(unit))
        if level == SIBLINGS:
            bar = kind in ("bus", "transformer", "ats", "ups", "rectifier")
            to = tuple(fed.get(unit, ())) if not feeds else ()
            colour[unit] = (*looks, unit if bar else "", tuple(feeds), to)
        else:
            colour[unit] = (*looks, stem(unit), tuple(colour.get(feed, feed) for feed in feeds))
    return colour


def _list_loads(moment: Moment, of: dict[str, Box]) -> None:
    """Write each consumer into the lists of what feeds it; one that prefers a feed only into that one's."""
    listed: dict[tuple[int, str, int, tuple[str, ...]], Load] = {}
    for unit, feeds in moment.plant.feeds.items():
        kind = moment.plant.units[unit].kind
        if unit in of or not feeds:
            continue
        near = [feed for feed in feeds if feed in of]
        shares = not KINDS[kind].prefers
        for feed in near if shares else near[:1]:
            others = tuple(other for other in near if other != feed)
            elsewhere = () if shares else others
            key = (id(of[feed]), f"{kind} {stem(unit)}", len(near) if shares else 1, tuple(map(stem, elsewhere)))
            if key not in listed:
                listed[key] = Load([], key[2], ())
                of[feed].loads.append(listed[key])
            load = listed[key]
            load.units += [unit] if unit not in load.units else []
            load.elsewhere = tuple(dict.fromkeys((*load.elsewhere, *elsewhere)))
