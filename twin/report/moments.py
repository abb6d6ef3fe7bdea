"""Seconds that count: from the first fault to each first loss, what batteries had left, what was lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from twin import plant_links
from twin.equipment import KINDS
from twin.report.story import Fault, Span, Story, flags_of
from twin.report.verdict import closest

FIRSTS = {
    "first_throttle": "throttled",
    "first_slowdown": "slowed",
    "first_shutdown": "shut_down",
    "first_unpowered": "unpowered",
    "ups_on_battery": "on_battery",
    "ups_empty": "depleted",
    "tank_exhausted": "exhausted",
}
"""The moments that everyone asks for, by the flag whose first rise they are."""
LOST = ("shut_down", "unpowered")
"""Flags under which a unit of work does none."""
MINUTE = 60.0
"""Time before a fault [s] over which what was usual is taken."""
GRAVE = (*LOST, "dead", "stopped", "tripped", "depleted", "lost", "pumps_lost", "exhausted", "failed", "out_of_fuel")
"""Flags under which a unit is out of action."""
EARLY = 1e-6
"""A moment this much before the fault [s] still belongs to it: both were interpolated."""


def fault_of(fault: Fault | None) -> dict[str, Any] | None:
    """The first fault as a record."""
    if fault is None:
        return None
    return {"time": fault.time, "unit": fault.unit, "what": fault.what, "is_failure": fault.is_failure}


def since(story: Story, member: int) -> float:
    """The moment that a member's seconds are counted from: its first fault, else the start of the run."""
    fault = story.faults[member]
    return story.start if fault is None else fault.time


def firsts(story: Story, member: int) -> dict[str, dict[str, Any] | None]:
    """First rise of each wanted flag from the fault on: seconds from it, time and unit; None where never."""
    zero = since(story, member) - EARLY
    found: dict[str, dict[str, Any] | None] = {}
    for name, flag in FIRSTS.items():
        spans = [span for span in story.flagged(flag, member) if span.start >= zero]
        found[name] = _first(story, spans[0], member) if spans else None
    return found


def _first(story: Story, span: Span, member: int) -> dict[str, Any]:
    return {"seconds": max(0.0, span.start - since(story, member)), "time": span.start, "unit": span.unit}


def every_first(story: Story, member: int) -> list[dict[str, Any]]:
    """For every flag that rose from the fault on: first moment, how many units, how long, how many still."""
    zero = since(story, member) - EARLY
    rows = []
    for (kind, flag), spans in story.spans_of[member].items():
        own = [span for span in spans if span.start >= zero]
        if not own:
            continue
        longest = max(own, key=lambda span: span.until(story.end) - span.start)
        said = flags_of(kind).get(flag)
        rows.append(
            {
                "kind": kind,
                "flag": flag,
                "what": said.rises if said else flag,
                **_first(story, own[0], member),
                "units": len({span.unit for span in own}),
                "times": len(own),
                "longest_seconds": longest.until(story.end) - longest.start,
                "standing_at_end": len({span.unit for span in own if span.end is None}),
            }
        )
    return sorted(rows, key=lambda row: (row["time"], row["kind"], row["flag"]))


def batteries(story: Story, member: int) -> dict[str, Any] | None:
    """The batteries after the fault: longest time on battery, lowest charge, and the seconds they had left.

    Seconds left: the smallest `autonomy` (energy in the battery over what it then delivered) recorded of
    any unit while it was on battery.
    """
    kinds = [kind for kind in story.kinds if "on_battery" in flags_of(kind)]
    zero = since(story, member) - EARLY
    lows = [low for kind in kinds if (low := _lowest(story, kind, "state_of_charge", member, story.time >= zero))]
    if not lows:
        return None
    charge, charge_time, charge_unit = min(lows)
    spans = [span for span in story.flagged("on_battery", member) if span.start >= zero]
    spans = [until_empty(story, span) for span in spans]
    left = [found for kind in kinds for span in spans if (found := _autonomy(story, kind, span))]
    least = min(left, default=(None, None, None))
    return {
        "units": sum(len(story.trace.units(kind)) for kind in kinds),
        "units_on_battery": len({span.unit for span in spans}),
        "longest_on_battery": max((span.until(story.end) - span.start for span in spans), default=None),
        "lowest_charge": charge,
        "lowest_charge_time": charge_time,
        "lowest_charge_unit": charge_unit,
        "seconds_left": least[0],
        "seconds_left_time": least[1],
        "seconds_left_unit": least[2],
    }


def until_empty(story: Story, span: Span) -> Span:
    """A time on battery, to when the battery was empty: from then on nothing is on it."""
    ends = [
        empty.start
        for empty in story.flagged("depleted", span.member)
        if empty.unit == span.unit and span.start <= empty.start <= span.until(story.end)
    ]
    return Span(span.unit, span.member, span.start, min(ends)) if ends else span


def _autonomy(story: Story, kind: str, span: Span) -> tuple[float, float, str] | None:
    """Least autonomy of one unit while it was on battery."""
    rows = (story.time > span.start + EARLY) & (story.time <= span.until(story.end) + EARLY)
    return _lowest(story, kind, "autonomy", span.member, rows, span.unit)


def _lowest(
    story: Story, kind: str, name: str, member: int, rows: np.ndarray, unit: str | None = None
) -> tuple[float, float, str] | None:
    """Lowest recorded value in some rows, of one unit or of all of a kind: value, time and unit."""
    values, units = story.values(kind, name), story.trace.units(kind)
    if values is None or (unit is not None and unit not in units) or not rows.any():
        return None
    columns = [units.index(unit)] if unit is not None else list(range(len(units)))
    found = closest(values[rows][:, [member]][:, :, columns], highest=False)[0]
    if found is None:
        return None
    value, row, column = found
    return value, float(story.time[rows][row]), units[columns[column]]


def work_kinds(story: Story) -> list[str]:
    """Kinds whose power is the factory's work."""
    return [kind for kind in story.kinds if kind in KINDS and KINDS[kind].is_work]


def lost_spans(story: Story, member: int, more: tuple[str, ...] = ()) -> list[Span]:
    """Times without work, one span per unit and stretch: a unit that is lost twice over is lost once.

    `more` are further flags under which a unit counts as lost.
    """
    found = [
        span
        for flag in (*LOST, *more)
        for kind in work_kinds(story)
        for span in story.spans_of[member].get((kind, flag), [])
    ]
    return stretches(found + out_of_service(story, member))


def standing_with(story: Story, member: int) -> list[Span]:
    """Times in which racks without work leave others standing, who hold their models together with them."""
    beside = plant_links.beside(story.plant)
    lost = lost_spans(story, member) if beside else []
    return [
        Span(rack, member, span.start, span.end)
        for span in lost
        for rack in beside.get(span.unit, [])
        if rack != span.unit
    ]


def stretches(spans: Iterable[Span]) -> list[Span]:
    """Times of several flags of several units, one span per unit and stretch in which any of them stood."""
    per_unit: dict[str, list[Span]] = {}
    for span in spans:
        per_unit.setdefault(span.unit, []).append(span)
    return [span for own in per_unit.values() for span in _joined(own)]


def out_of_service(story: Story, member: int) -> list[Span]:
    """Times in which somebody had taken a unit of work out of service."""
    units = {unit for kind in work_kinds(story) for unit in story.trace.units(kind)}
    began: dict[str, float] = {}
    found = []
    for event in story.events_of[member]:
        if event.flag != "input:in_service" or event.unit not in units:
            continue
        if event.value < 0.5:
            began.setdefault(event.unit, event.time)
        elif event.unit in began:
            found.append(Span(event.unit, member, began.pop(event.unit), event.time))
    return found + [Span(unit, member, time, None) for unit, time in began.items()]


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and span.start > last.end):
            joined.append(span)
        elif last.end is not None and (span.end is None or span.end > last.end):
            joined[-1] = Span(last.unit, last.member, last.start, span.end)
    return joined


def most_at_once(spans: list[Span]) -> tuple[int, float | None, int]:
    """Largest number of spans standing at once, when it was first reached, and the number at the end."""
    turns = [(span.start, 1) for span in spans] + [(span.end, -1) for span in spans if span.end is not None]
    standing, peak, when = 0, 0, None
    for time, turn in sorted(turns, key=lambda pair: (pair[0], -pair[1])):
        standing += turn
        if standing > peak:
            peak, when = standing, time
    return peak, when, standing


def it_power(story: Story) -> np.ndarray | None:
    """Power of the work (time, member): the site's own sum, else that of the units that work; None without any."""
    if not work_kinds(story):
        return None
    power = story.total("site", "it_power")
    if power is not None:
        return power
    sums = [each for kind in work_kinds(story) if (each := story.total(kind, "power")) is not None]
    return sum(sums[1:], start=sums[0]) if sums else None


def mean_power(
    story: Story, member: int, moment: float, counter: str = "work_energy", window: float = MINUTE
) -> float | None:
    """Mean power of the work, or of what else the site counts, over some time before a moment [W].

    By the site's counter, which knows what lies between rows. Where jobs saved in that time it is the last as long in
    which none did: a checkpoint is no work. None where there is no counter, or nothing was recorded before.
    """
    values = story.values("site", counter)
    first = max(moment - window, story.start)
    if values is None or moment - first <= EARLY:
        return None
    counted = values[:, member, 0].astype(float)
    if (rows := rows_without_saves(story, member, moment, window)) is not None:
        return float((counted[rows] - counted[rows - 1]).sum() / (story.time[rows] - story.time[rows - 1]).sum())
    energy = np.interp([first, moment], story.time, counted)
    return float((energy[1] - energy[0]) / (moment - first))


def rows_without_saves(story: Story, member: int, moment: float, window: float = MINUTE) -> np.ndarray | None:
    """The last rows before a moment, so long together as a window, in whose time no job saved.

    None where no job saved in the window itself, or where there are no such rows.
    """
    saved = story.values("job", "saving_time") if "job" in story.kinds else None
    if saved is None or len(story.time) < 2:
        return None
    saves = np.diff(saved[:, member].astype(float), axis=0, prepend=saved[:1, member]).max(axis=1) > EARLY
    last = last_row_before(story, moment)
    first = last_row_before(story, moment - window) + 1
    if not saves[first : last + 1].any():
        return None
    free = np.flatnonzero(~saves[1 : last + 1]) + 1
    lasted = np.cumsum((story.time[free] - story.time[free - 1])[::-1])
    rows = free[::-1][: int(np.searchsorted(lasted, window - EARLY)) + 1]
    return rows if rows.size else None


def steady(story: Story, energy: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Power at each row (time,), without the swing of training: its mean over the longest iteration.

    Args:
        energy: what was counted of it up to each row [J].
        power: as recorded; so it is where no job trains [W].
    """
    jobs = [unit for unit in story.plant.of_kind("job") if "job" in story.kinds]
    window = max((unit.machine().step_time for unit in jobs), default=0.0)
    if window <= 0:
        return power
    first = np.maximum(story.time - window, story.start)
    lasted = story.time - first
    means = (energy - np.interp(first, story.time, energy)) / np.where(lasted > 0, lasted, 1.0)
    return np.where(lasted > 0, means, power)


def last_row_before(story: Story, moment: float) -> int:
    """The last recorded row before a change at `moment` shows: a row speaks for the time up to it."""
    return max(0, int(np.searchsorted(story.time, moment + EARLY, side="right")) - 1)


def first_row_showing(story: Story, moment: float, member: int) -> float:
    """The first recorded row at or after a moment in which the flags stand that had risen last by then [s].

    Within a tick a flag rises at its own moment; the row that ends the tick is the first that shows it. Where they fell
    again before a row was recorded, the first row at or after the moment.
    """
    own = [(key, span) for key, spans in story.spans_of[member].items() for span in spans]
    standing = [each for each in own if each[1].start <= moment + EARLY and each[1].until(story.end) >= moment - EARLY]
    latest = max((span.start for _, span in standing), default=-np.inf)
    begun = min(int(np.searchsorted(story.time, moment - EARLY)), len(story.time) - 1)
    risen = [(key, span) for key, span in standing if span.start >= latest - EARLY]
    until = min((span.until(story.end) for _, span in risen), default=-np.inf)
    for row in range(begun, int(np.searchsorted(story.time, until + EARLY, side="right"))):
        if all(_stands(story, key, span, row) for key, span in risen):
            return float(story.time[row])
    return float(story.time[begun])


def _stands(story: Story, key: tuple[str, str], span: Span, row: int) -> bool:
    """Whether a row shows a flag of a unit; one that is not recorded is taken to stand."""
    values, units = story.values(*key), story.trace.units(key[0])
    return values is None or span.unit not in units or bool(values[row, span.member, units.index(span.unit)] > 0.5)
