"""What a run made and what it cost: tokens by service, those given up or late, energy per token and money."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.report.accounts import energy_of_tokens, has_price
from twin.report.energy import energy_of_work, ledger, spent
from twin.report.story import Story

COUNTERS = ("offered", "served", "dropped")
MWH = 3.6e9


def tokens(story: Story, member: int) -> dict[str, Any] | None:
    """Tokens of the run by service and of all, or None where a plant has no services.

    Tokens are those of answers; prompts stand beside them. `deferred` is the most that waited at one time, and
    `caught_up` when the last of it was gone, None while some still wait. `lost_revenue` prices what was given up
    or turned away, and `in_time_share` counts that as late; money is None without a price. Energy per token is that of
    racks in pools, with their part of switches and storage, and with their part of the site; what trains is left out.
    `rate_per_mw` is of all the site.
    """
    if not story.has("service", "served_answers"):
        return None
    names = story.trace.units("service")
    services = {name: _of_service(story, member, place) for place, name in enumerate(names)}
    return {"services": services, "total": _total(story, member, services)}


def _gained(story: Story, name: str, member: int, place: int) -> float:
    values = story.values("service", name)
    return 0.0 if values is None else float(values[-1, member, place] - values[0, member, place])


def _of_service(story: Story, member: int, place: int) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for what in ("answers", "prompts"):
        for counter in COUNTERS:
            found[f"{counter}_{what}"] = _gained(story, f"{counter}_{what}", member, place)
    queued = _column(story, "queued", member, place)
    late = story.time[queued > 0]
    name = story.trace.units("service")[place]
    said = story.plant.units[name].machine()
    priced = has_price(story, name)
    dropped = (found["dropped_answers"] or 0.0) * said.price + (found["dropped_prompts"] or 0.0) * said.prompt_price
    requests, in_time = (_gained(story, name, member, place) for name in ("requests", "requests_in_time"))
    ended = (found["served_prompts"] or 0.0) + (found["dropped_prompts"] or 0.0)
    begun = (found["served_prompts"] or 0.0) / ended if ended > 0 else None
    offered = found["offered_answers"] or 0.0
    return found | {
        "queued_end": float(queued[-1]),
        "deferred": float(queued.max()),
        "caught_up": None if queued[-1] > 0 or not late.size else float(late[-1]),
        "lost_share": (found["dropped_answers"] or 0.0) / offered if offered > 0 else None,
        "in_time_share": None if begun is None or requests <= 0 else begun * in_time / requests,
        "worst_first_token_time": float(_column(story, "first_token_time", member, place).max()),
        "worst_token_time": float(_column(story, "token_time", member, place).max()),
        "revenue": _gained(story, "revenue", member, place) if priced else None,
        "lost_revenue": dropped / 1e6 if priced else None,
    }


def _column(story: Story, name: str, member: int, place: int) -> np.ndarray:
    values = story.values("service", name)
    return np.zeros(len(story.time)) if values is None else np.asarray(values[:, member, place], dtype=float)


def _total(story: Story, member: int, services: dict[str, dict[str, float | None]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        key: sum(each[key] or 0.0 for each in services.values())
        for key in ("offered_answers", "served_answers", "dropped_answers", "queued_end")
    }
    for key in ("revenue", "lost_revenue"):
        known = [value for each in services.values() if (value := each[key]) is not None]
        found[key] = sum(known) if known else None
    answers = found["served_answers"] or 0.0
    supplied = ledger(story, member)["supplied"]
    spent = {"racks": _charged(story, "rack", member, _energy_of_pools(story, member))}
    spent["it"] = _charged(story, "it", member, energy_of_work(story, member))
    spent["facility"] = _charged(story, "facility", member, supplied)
    for who, energy in spent.items():
        found[f"energy_per_token_{who}"] = None if energy is None or answers <= 0 else energy / answers
    length = story.end - story.start
    mean = None if not supplied or length <= 0 else supplied / length
    found["rate_per_mw"] = None if not mean else answers / length / (mean / 1e6)
    found["energy_cost"] = _energy_cost(story, member)
    return found


def _charged(story: Story, level: str, member: int, otherwise: float | None) -> float | None:
    """Energy that services and their idle pools are charged with [J]; what all took where a trace charges nobody."""
    counted = energy_of_tokens(story, level, member)
    return otherwise if counted is None else float(counted[-1] - counted[0])


def _energy_of_pools(story: Story, member: int) -> float | None:
    counted = story.total("pool", "work_energy")
    return None if counted is None else float(counted[-1, member] - counted[0, member])


def _energy_cost(story: Story, member: int) -> float | None:
    """What the site's energy cost at its price [USD]; None where no price is said."""
    power, price = story.total("site", "power"), story.values("site", "energy_price")
    if power is None or price is None or not float(np.abs(price[:, member]).max()) > 0:
        return None
    counted = story.values("site", "energy_cost")
    if counted is not None:
        return float(counted[-1, member, 0] - counted[0, member, 0])
    return float(np.sum(spent(story, "supplied_energy", power, member) * price[:, member, 0]))
