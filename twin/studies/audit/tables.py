"""An audit for the terminal: the verdict first, then points, failures, maintenance, redundancy and loading."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from twin.report.words import count, lasting, names
from twin.studies.audit.found import OUT, Audit, Contingency, Loading, Loss, Trip

NARROW = 96
"""Below this many columns a table leaves out what can be spared."""
MOST = 24
"""Rows of a long table; the rest is counted."""
AWAY = "grid away"
WIDE_BAR, NARROW_BAR = 20, 12
"""Letters of a loading bar from nothing to full rating."""


def whole(found: Audit, width: int) -> RenderableType:
    """Everything, for a terminal of some columns."""
    narrow = width < NARROW
    return Group(
        headline(found),
        points(found),
        failures(found),
        upkeep(found),
        redundancy(found, narrow),
        _sentences("Breakers in series that are not selective", found.selectivity),
        _sentences("Generators under a swinging job", found.swings),
        loading(found, narrow),
        *[Text(note, style="dim") for note in found.notes],
    )


def headline(found: Audit) -> RenderableType:
    """The verdict, and what was looked at."""
    text = Text(f"\n{found.title}\n", style="bold")
    good = bool(found.works) and not found.single_points
    verdict = "SOUND" if good else "NOT SOUND" if found.works else "NO WORK"
    text.append(verdict, style="bold green" if good else "bold red")
    text.append(f"  {found.sentence()}{_named(found.single_points)}\n", style="not bold")
    away = found.single_points_away
    if away:
        text.append(f"While the grid is away {_verb(len(away))} single: {names(away)}\n", style="not bold yellow")
    at = found.conditions
    said = (
        f"{found.held_at}; {found.scope}; {count(len(found.contingencies), 'failure')} in worlds of their own, "
        f"each watched for {lasting(at.window)} and held for {lasting(at.hold)}\n"
    )
    text.append(said, style="not bold dim")
    return text


def _named(units: Sequence[str]) -> str:
    return f": {names(units)}" if units else ""


def _verb(number: int) -> str:
    return "this is" if number == 1 else "these are"


def points(found: Audit) -> RenderableType:
    """Each single point of failure and what goes with it."""
    rows = []
    for away in (False, True):
        graph = {each.unit: each for each in (found.losses_away if away else found.losses)}
        seen = {each.unit: each for each in reversed(found.contingencies) if each.away == away and each.stops}
        for unit in found.single_points_away if away else found.single_points:
            takes, when = _takes(graph.get(unit), found.work), _when(seen.get(unit), found.work)
            rows.append([unit, AWAY if away else "", takes, when])
    table = _table("Single points of failure", ("unit", "", "by the graph", "when simulated"), rows)
    return Group(table, _sentences("", found.unguarded)) if found.unguarded else table


def _takes(loss: Loss | None, work: str) -> str:
    """What a unit takes with it, by the graph."""
    if loss is None or not loss.single:
        return f"every {work} keeps a feed"
    parts = [f"{count(len(loss.work), work)} without a feed"] if loss.work else []
    if loss.loops:
        parts.append(f"nothing pumps {names(loss.loops)}")
    return ", ".join(parts)


def _when(each: Contingency | None, work: str) -> str:
    if each is None:
        return f"no {work} stops in that time"
    what = "" if each.failure == OUT else f"({each.failure}) "
    number, when = (len(each.dropped), "at once") if each.dropped else (len(each.after_stopped), "in the end")
    return f"{what}{count(number, f'{work} stops', f'{work}s stop')} {when}"


def failures(found: Audit) -> RenderableType:
    """Failures that cost something, the worst first; those that cost alike are told together."""
    alike: dict[tuple[str, ...], list[Contingency]] = {}
    told: dict[str, str] = {}
    for each in found.contingencies:
        cost = _cost(each)
        if cost and told.get(each.name) != cost:  # with the grid away it need not be told again
            told.setdefault(each.name, cost)
            alike.setdefault((each.kind, each.failure, str(each.away), _sort(each)), []).append(each)
    rows = []
    for group in sorted(alike.values(), key=_weight, reverse=True):
        first = group[0]
        units = names((each.unit for each in group), 3)
        fails = units if first.failure == OUT else f"{units}: {first.failure.replace('_', ' ')}"
        charges = [each.lowest_charge for each in group if each.lowest_charge is not None]
        cost = _cost(first) if len(group) == 1 else _costs(group, found.work)
        rows.append([fails, AWAY if first.away else "", cost, f"{100 * min(charges):.0f} %" if charges else ""])
    columns = ("fails", "", "what comes of it", "least charge")
    if not rows:
        return Text(f"No failure stops or slows a {found.work}, trips anything or passes a rating.\n")
    return _counted("Failures that cost something", columns, rows, right=(3,))


def _sort(each: Contingency) -> str:
    """What kind of cost it is: the same for failures that differ in names and numbers alone."""
    kinds = sorted({_tripping(trip) for trip in each.trips})
    bits = (each.dropped, each.throttled, each.after_over, set(each.after_stopped) - set(each.dropped))
    return "".join("x" if bit else "-" for bit in bits) + ";".join(kinds)


def _weight(group: list[Contingency]) -> tuple[int, int, int]:
    """How much failures cost: racks stopped, things tripped, racks slowed."""
    return (
        max(len(each.stops) for each in group),
        max(len(each.trips) for each in group),
        max(len(each.throttled) for each in group),
    )


def _costs(group: list[Contingency], work: str) -> str:
    """The cost of several failures, in numbers."""
    parts = []
    for one, words, counts in (
        ("stops", "stop", [len(each.dropped) for each in group]),
        (
            "stands still in the end", "stand still in the end",
            [len(set(each.after_stopped) - set(each.dropped)) for each in group],
        ),
        ("slows down", "slow down", [len(each.throttled) for each in group]),
    ):  # fmt: skip
        if max(counts):
            span = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{max(counts)}"
            parts.append(f"{span} {work} {one}" if max(counts) == 1 else f"{span} {work}s {words}")
    trips = list(dict.fromkeys(_tripping(trip) for each in group for trip in each.trips))
    parts += trips[:3] + ([f"and {len(trips) - 3} more sorts of trips"] if len(trips) > 3 else [])
    if any(each.after_over for each in group):
        parts.append("units above rating")
    return f"each: {'; '.join(parts)}"


def _tripping(trip: Trip) -> str:
    """What trips, without its number, and how."""
    return f"{trip.unit.rstrip('0123456789').rstrip('-')} {trip.words}"


def _cost(each: Contingency) -> str:
    parts = []
    if each.dropped:
        parts.append(f"{names(each.dropped, 2)} {'stops' if len(each.dropped) == 1 else 'stop'}")
    later = [name for name in each.after_stopped if name not in each.dropped]
    if later:
        parts.append(f"{names(later, 2)} {'stands' if len(later) == 1 else 'stand'} still in the end")
    if each.throttled:
        parts.append(f"{names(each.throttled, 2)} {'slows' if len(each.throttled) == 1 else 'slow'} down")
    parts += [f"{trip.unit} {trip.words} at {lasting(trip.time)}" for trip in each.trips[:2]]
    if len(each.trips) > 2:
        parts.append(f"and {len(each.trips) - 2} more trips")
    if each.after_over:
        parts.append(f"{names(each.after_over, 2)} above rating")
    return "; ".join(parts)


def upkeep(found: Audit) -> RenderableType:
    """What can be taken out while work goes on."""
    bad = [each for each in found.upkeep if not each.maintainable]
    good = len(found.upkeep) - len(bad)
    title = f"Out for maintenance: {good} of {count(len(found.upkeep), 'unit')} can be taken out while all work goes on"
    rows = [
        [each.unit, f"{names(each.stopped, 2)} without work" if each.stopped else "", _over(each.over)] for each in bad
    ]
    idle = [
        [each.unit, "", f"without feed meanwhile: {names(each.unfed, 3)}"]
        for each in found.upkeep
        if each.unfed and each.maintainable
    ]
    if not rows and not idle:
        return Text(f"{title}.\n", style="bold")
    return _counted(title, ("out", "costs", ""), rows + idle)


def _over(units: Sequence[str]) -> str:
    return f"above rating: {names(units, 2)}" if units else ""


def redundancy(found: Audit, narrow: bool) -> RenderableType:
    """Groups as built and as named."""
    rows = []
    for each in found.groups:
        named = each.named or "-"
        verdict = "" if each.fulfils is None else "as named" if each.fulfils else "NOT AS NAMED"
        load = f"{each.load / 1e6:.3g} of {each.rating * each.needed / 1e6:.3g} MW"
        why = f"without one: {each.because}" if each.because else ""
        rows.append([each.name, str(each.built), str(each.needed), each.as_built, named, verdict or why, load])
    columns: tuple[str, ...] = ("group", "built", "needed", "as built", "named", "", "load of what is needed")
    table = _table(
        "Redundancy", columns[:6] if narrow else columns, [row[:6] if narrow else row for row in rows], right=(1, 2)
    )
    wrong = [Text(each.sentence(), style="red") for each in found.groups if each.fulfils is False]
    return Group(table, *wrong)


def _sentences(title: str, said: Sequence[str]) -> RenderableType:
    """Findings that are sentences, one to a line."""
    if not said:
        return Text("")
    lines = [Text(f"  {each}") for each in said[:MOST]]
    head = [Text(title, style="bold")] if title else []
    more = [Text(f"  ... and {len(said) - MOST} more; --json has all", style="dim")] if len(said) > MOST else []
    return Group(*head, *lines, *more, Text(""))


def loading(found: Audit, narrow: bool) -> RenderableType:
    """Load over rating of every unit that has one, the highest first."""
    rows = [_loaded(each, narrow) for each in found.loading]
    scale = "0" + " " * ((NARROW_BAR if narrow else WIDE_BAR) - 6) + "100 %"
    columns = ("unit", "rating", "normal", "worst", scale, "with this out")
    keep = (0, 2, 3, 4, 5) if narrow else range(6)
    return _counted(
        "Loading, normal and with one unit failed",
        [columns[index] for index in keep],
        [[row[index] for index in keep] for row in rows],
        right=(1, 2) if narrow else (1, 2, 3),
    )


def _loaded(each: Loading, narrow: bool) -> list[str]:
    by = f"{each.worst_by}, {AWAY}" if each.worst_by and each.worst_away else each.worst_by
    by = by or (AWAY if each.worst_away else "")
    by += f", after {lasting(each.worst_at)}" if each.worst_at and by else ""
    millions = {"VA": "MVA", "W": "MW"}.get(each.unit_of_rating)
    rating = f"{each.rating / 1e6:.3g} {millions}" if millions else f"{each.rating:.4g} {each.unit_of_rating}"
    drawn = bar(each.normal, each.worst, NARROW_BAR if narrow else WIDE_BAR)
    return [each.unit, rating, f"{100 * each.normal:.0f} %", f"{100 * each.worst:.0f} %", drawn, by]


def bar(normal: float, worst: float, length: int = WIDE_BAR) -> str:
    """Two lengths in one: filled to the normal load, light to the worst; beyond the rating a mark."""
    full, light = (max(0, min(round(length * value), length)) for value in (normal, worst))
    return "█" * full + "░" * max(light - full, 0) + (">" if worst > 1 else "")


def _counted(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> RenderableType:
    table = _table(title, columns, rows[:MOST], right=right)
    more = len(rows) - MOST
    return Group(table, Text(f"  ... and {more} more; --json has all\n", style="dim")) if more > 0 else table


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> RenderableType:
    if not rows:
        return Text("")
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(text, style="bold red" if text == "NOT AS NAMED" else "") for text in row))
    return Group(Text(title, style="bold"), made)
