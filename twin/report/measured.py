"""What criteria ask of a whole run: tokens, energy, money, and the time until all loads work again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twin.report.accounts import credits_due, energy_of_tokens
from twin.report.energy import COUNTERS, spent
from twin.report.moments import EARLY, it_power, lost_spans, since, work_kinds
from twin.report.story import Story
from twin.report.words import count, lasting, names

if TYPE_CHECKING:
    from twin.scenario.criteria import Criterion

COMING_BACK = ("tripped", "soft_starting", "booting", "checking", "drained")
"""Flags of units of work that have power again and do not work yet."""
OUT = "no row was recorded in its window"
PROMPTS_AND_ANSWERS = ("prompts", "answers")


@dataclass(frozen=True)
class Measured:
    """A number of one member, when it was reached and where; or why there is none."""

    value: float | None = None
    time: float | None = None
    where: str | None = None
    reached: str = ""
    note: str = ""
    missing: str = ""


def restored(story: Story, said: Criterion, member: int) -> Measured:
    """Seconds from the first fault until the last unit of work that it took is at work again."""
    zero = since(story, member)
    opens, closes = said.window
    wanted = set(said.units) if said.units else None
    of_kind = {said.kind} if said.kind else set(work_kinds(story))
    spans = [
        each
        for each in lost_spans(story, member, COMING_BACK)
        if story.kind_of.get(each.unit) in of_kind
        and (wanted is None or each.unit in wanted)
        and each.until(story.end) >= max(zero - EARLY, opens)
        and each.start <= closes
    ]
    seen = min(story.end, closes) - zero
    early = (
        f"the run ends {lasting(max(seen, 0.0))} after the fault" if closes >= story.end and seen < said.limit else ""
    )
    if not spans:
        if early:
            return Measured(None, story.end, None, "none lost", f"{early}: unproven")
        return Measured(0.0, reached="none lost")
    out = [each for each in spans if each.end is None]
    if out:
        still = f"{names((each.unit for each in out), 2)} still out at the end"
        return Measured(None, story.end, out[0].unit, "never", still)
    last = max(spans, key=lambda each: each.until(story.end))
    lost = len({each.unit for each in spans})
    notes = [f"last of {count(lost, 'unit')}" * (lost > 1), early]
    return Measured(last.until(story.end) - zero, last.end, last.unit, note="; ".join(filter(None, notes)))


def _services(story: Story, said: Criterion) -> list[int]:
    known = story.trace.units("service") if "service" in story.kinds else []
    return [place for place, name in enumerate(known) if not said.units or name in said.units]


def _counted(story: Story, kind: str, name: str, member: int, places: list[int]) -> np.ndarray | None:
    """A counter over time (time, place)."""
    values = story.values(kind, name)
    return None if values is None else np.asarray(values[:, member, places], dtype=float)


def _gain(story: Story, counter: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """What counters gained within a window, by place; between rows they are taken to count evenly."""
    ends = [np.clip(edge, story.start, story.end) for edge in window]
    return np.array([np.diff(np.interp(ends, story.time, each))[0] for each in counter.T])


def _reached(story: Story, counter: np.ndarray, window: tuple[float, float]) -> float:
    """When a sum of counters first reached what it came to within a window."""
    total = counter.sum(axis=1)
    last = np.interp(np.clip(window[1], story.start, story.end), story.time, total)
    return float(story.time[int(np.argmax(total >= last))]) if (total >= last).any() else story.end


def tokens(which: str) -> Callable[[Story, Criterion, int], Measured]:
    """Tokens of answers given up or turned away, or written: their number, or their share of those asked for."""

    def measure(story: Story, said: Criterion, member: int) -> Measured:
        places = _services(story, said)
        done, asked = (_counted(story, "service", f"{name}_answers", member, places) for name in (which, "offered"))
        if done is None or asked is None or not places:
            return Measured(missing="its services were not recorded")
        gained = _gain(story, done, said.window)
        value = float(gained.sum())
        if said.unit == "1":
            offered = float(_gain(story, asked, said.window).sum())
            if offered <= 0:
                return Measured(missing="nothing was asked of its services")
            value /= offered
        where = story.trace.units("service")[places[int(np.argmax(gained))]]
        return Measured(value, _reached(story, done, said.window), where)

    return measure


def deferred(story: Story, said: Criterion, member: int) -> Measured:
    """The most tokens that waited at one time: their number, or their share of those asked for."""
    places = _services(story, said)
    waiting = _counted(story, "service", "queued", member, places)
    if waiting is None or not places:
        return Measured(missing="its services were not recorded")
    rows = (story.time >= said.window[0] - EARLY) & (story.time <= said.window[1] + EARLY)
    if not rows.any():
        return Measured(missing=OUT)
    total = np.where(rows, waiting.sum(axis=1), -np.inf)
    row = int(np.argmax(total))
    value = float(total[row])
    if said.unit == "1":
        asked = [_counted(story, "service", f"offered_{what}", member, places) for what in PROMPTS_AND_ANSWERS]
        offered = sum(float(_gain(story, each, said.window).sum()) for each in asked if each is not None)
        if offered <= 0:
            return Measured(missing="nothing was asked of its services")
        value /= offered
    return Measured(value, float(story.time[row]), story.trace.units("service")[places[int(np.argmax(waiting[row]))]])


def _within(story: Story, each_row: np.ndarray, window: tuple[float, float]) -> float:
    """The part of what rows hold, each for the time since the row before, that lies within a window."""
    return float(_gain(story, np.cumsum(each_row)[:, None], window)[0])


def _end(story: Story, said: Criterion) -> float:
    return float(min(story.end, said.window[1]))


def _energy(story: Story, whose: str, member: int) -> np.ndarray | None:
    """Energy of each row [J]: of the site, of all work, or of the sources of a kind."""
    if whose == "it":
        power = it_power(story)
        return None if power is None else spent(story, "work_energy", power, member)
    if whose == "site":
        power = story.total("site", "power")
        return None if power is None else spent(story, "supplied_energy", power, member)
    counted = story.total(whose, COUNTERS[whose])
    if counted is not None:
        return np.diff(counted[:, member], prepend=counted[:1, member])
    power = story.total(whose, "power")
    return None if power is None else np.asarray(power[:, member] * story.steps)


def energy(story: Story, said: Criterion, member: int) -> Measured:
    """Energy that the site, its work or its sources took or gave."""
    spent_by = _energy(story, said.target, member)
    if spent_by is None:
        return Measured(missing=f"the energy of {said.target} was not recorded")
    return Measured(_within(story, spent_by, said.window), _end(story, said), said.target)


def energy_per_token(story: Story, said: Criterion, member: int) -> Measured:
    """What services and their idle pools took, with their part of the site, for each token of answers [J/token].

    Where services are named what they are charged with alone; where a trace charges nobody all that the site took.
    """
    places, where = _services(story, said), "site"
    own = _counted(story, "service", "facility_energy", member, places) if said.units else None
    if own is not None and places:
        counted = own.sum(axis=1)
        where = story.trace.units("service")[places[int(np.argmax(_gain(story, own, said.window)))]]
    else:
        counted = energy_of_tokens(story, "facility", member)
    spent_by = _energy(story, "site", member) if counted is None else np.diff(counted, prepend=counted[:1])
    written = _counted(story, "service", "served_answers", member, places)
    if spent_by is None or written is None:
        return Measured(missing="energy or tokens were not recorded")
    made = float(_gain(story, written, said.window).sum())
    if made <= 0:
        return Measured(missing="no token was written")
    return Measured(_within(story, spent_by, said.window) / made, _end(story, said), where)


def cost_of_energy(story: Story, said: Criterion, member: int) -> Measured:
    """Energy of the site at its price [USD]."""
    spent_by, price = _energy(story, "site", member), story.values("site", "energy_price")
    if spent_by is None or price is None or not np.abs(price[:, member]).max() > 0:
        return Measured(missing="no price of energy is said (site.energy_price)")
    counted = _counted(story, "site", "energy_cost", member, [0])
    if counted is not None:
        return Measured(float(_gain(story, counted, said.window)[0]), _end(story, said), "site")
    return Measured(_within(story, spent_by * price[:, member, 0], said.window), _end(story, said), "site")


def revenue(story: Story, said: Criterion, member: int) -> Measured:
    """What services earned [USD]."""
    places = _services(story, said)
    earned = _counted(story, "service", "revenue", member, places)
    if earned is None or not places:
        return Measured(missing="its services were not recorded")
    gained = _gain(story, earned, said.window)
    where = story.trace.units("service")[places[int(np.argmax(gained))]]
    return Measured(float(gained.sum()), _end(story, said), where)


def revenue_lost(story: Story, said: Criterion, member: int) -> Measured:
    """What tokens given up or turned away would have earned [USD]."""
    places = _services(story, said)
    known = [story.trace.units("service")[place] for place in places]
    machines = [story.plant.units[name].machine() for name in known]
    sums = np.zeros((len(story.time), len(places)))
    for what, rating in (("answers", "price"), ("prompts", "prompt_price")):
        dropped = _counted(story, "service", f"dropped_{what}", member, places)
        if dropped is None or not places:
            return Measured(missing="its services were not recorded")
        sums += dropped * [getattr(each, rating) / 1e6 for each in machines]
    gained = _gain(story, sums, said.window)
    return Measured(float(gained.sum()), _reached(story, sums, said.window), known[int(np.argmax(gained))])


def credits_given(story: Story, said: Criterion, member: int) -> Measured:
    """What promises not kept gave back [USD]; a table of credits counts as if the run were the window."""
    if not _services(story, said):
        return Measured(missing="its services were not recorded")
    rows = [int(np.searchsorted(story.time, np.clip(edge, story.start, story.end))) for edge in said.window]
    names = [story.trace.units("service")[place] for place in _services(story, said)]
    given = [credits_due(story, member, name, *rows) for name in names]
    return Measured(sum(given), _end(story, said), names[int(np.argmax(given))])


def cost(story: Story, said: Criterion, member: int) -> Measured:
    """Energy at its price, what tokens given up would have earned, and credits [USD]."""
    parts = [each(story, said, member) for each in (cost_of_energy, revenue_lost, credits_given)]
    known = [each.value for each in parts if each.value is not None]
    if all(each.value is None for each in parts[:2]):
        return Measured(missing="neither a price of energy is said nor one of tokens")
    return Measured(sum(known), _end(story, said), "site")


MEASURES: dict[str, Callable[[Story, Criterion, int], Measured]] = {
    "restored": restored,
    "tokens lost": tokens("dropped"),
    "tokens served": tokens("served"),
    "tokens deferred": deferred,
    "energy": energy,
    "energy per token": energy_per_token,
    "cost of energy": cost_of_energy,
    "revenue": revenue,
    "revenue lost": revenue_lost,
    "cost": cost,
}
"""What a criterion's first words name -> how it is measured."""
