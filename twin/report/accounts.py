"""Accounts: energy, money and GPU time by service and job, what nobody used, and what the event cost."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from twin.report.known import INPUT
from twin.report.moments import last_row_before
from twin.report.story import Story

LEVELS = ("rack", "it", "facility")
"""Racks alone, all IT, all that the site took."""
WHOLE = {"rack": "rack_energy", "it": "work_energy", "facility": "supplied_energy"}
"""Level -> what the site counts of it."""
MILLION = 1e6
Record = dict[str, float | None]


def accounts(story: Story, member: int) -> dict[str, Any] | None:
    """What each service and job is charged with over the run, in SI and USD; None where nobody is charged.

    Money is None where nothing has a price.

    Energy at three levels: of racks, with their part of switches and storage (it), and of all that the site took
    (facility). Services, jobs and `unallocated` add up to `total`; energy per token there is that of all services and
    of what their pools took idle, as in `tokens`. All of it is differences of counters, so it does not depend on how
    often a run was recorded.
    """
    if not (story.has("service", "rack_energy") or story.has("job", "rack_energy")) or not story.time.size:
        return None
    books = _Books(story, member)
    services = {name: _service(books, name) for name in books.units("service")}
    jobs = {name: _job(books, name) for name in books.units("job")}
    spare: Record = {f"{level}_energy": books.gained("site", f"unallocated_{level}_energy") for level in LEVELS}
    spare["energy_cost"] = books.paid("site", "unallocated_energy_cost")
    return {
        "services": services,
        "jobs": jobs,
        "unallocated": spare,
        "total": _total(books, services, jobs),
        "event": _event(books),
    }


class _Books:
    """The counters of one member."""

    def __init__(self, story: Story, member: int) -> None:
        self.story, self.member = story, member

    @cached_property
    def priced(self) -> bool:
        """Whether energy has a price."""
        price = self.story.values("site", "energy_price")
        return price is not None and float(np.abs(price[:, self.member]).max()) > 0

    def units(self, kind: str) -> list[str]:
        return list(self.story.trace.units(kind)) if self.story.has(kind, "rack_energy") else []

    def column(self, kind: str, name: str, unit: str | None = None) -> np.ndarray:
        """A counter at each row, of one unit or of all of a kind; zeros where it was not recorded."""
        values = self.story.values(kind, name)
        if values is None:
            return np.zeros(len(self.story.time))
        own = values[:, self.member].astype(float)
        return np.asarray(own.sum(axis=1) if unit is None else own[:, self.story.trace.units(kind).index(unit)])

    def gained(self, kind: str, name: str, unit: str | None = None, since: int = 0) -> float:
        counted = self.column(kind, name, unit)
        return float(counted[-1] - counted[since])

    def paid(self, kind: str, name: str, unit: str | None = None) -> float | None:
        """Money for energy, None where the site has no price of energy."""
        return self.gained(kind, name, unit) if self.priced else None

    def energies(self, kind: str, unit: str) -> Record:
        return {f"{level}_energy": self.gained(kind, f"{level}_energy", unit) for level in LEVELS}

    @property
    def length(self) -> float:
        return self.story.end - self.story.start


def energy_of_tokens(story: Story, level: str, member: int) -> np.ndarray | None:
    """Energy of all services at a level and of racks of their pools that stood idle, counted at each row [J].

    None where nobody was charged.
    """
    idle = "idle_energy" if level == "rack" else f"idle_{level}_energy"
    if not (story.has("service", f"{level}_energy") and story.has("pool", idle)):
        return None
    books = _Books(story, member)
    return np.asarray(books.column("service", f"{level}_energy") + books.column("pool", idle))


def _over(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole or whole <= 0 else part / whole


def _service(books: _Books, name: str) -> Record:
    found = books.energies("service", name)
    answers = books.gained("service", "served_answers", name)
    for level in LEVELS:
        found[f"energy_per_token_{level}"] = _over(found[f"{level}_energy"], answers)
    facility, used = found["facility_energy"], books.gained("service", "gpu_time", name)
    per_joule = _over(answers, facility)
    said = books.story.plant.served.get(name, {})
    pools = {pool for names in said.values() for pool in names}
    cost = books.paid("service", "energy_cost", name)
    money: Record = dict.fromkeys(("revenue", "lost_revenue", "credits", "margin"))
    if has_price(books.story, name):
        revenue, credit = books.gained("service", "revenue", name), _credits(books, name, len(books.story.time) - 1)
        lost = _lost_revenue(books, name, 0)
        money = {
            "revenue": revenue,
            "lost_revenue": lost,
            "credits": credit,
            "margin": revenue - credit - (cost or 0.0),
        }
    return found | {
        "token_rate": _over(answers, books.length),
        "rate_per_mw": None if per_joule is None else per_joule * MILLION,
        "gpu_time": used,
        "utilisation": _over(used, sum(books.gained("pool", "gpu_time", pool) for pool in sorted(pools))),
        "energy_cost": cost,
        **money,
    }


def has_price(story: Story, name: str) -> bool:
    """Whether the tokens of a service, or GPU time of a job, have a price: without one nothing is earned or lost."""
    machine = story.plant.units[name].machine()
    return any(getattr(machine, each, 0.0) > 0 for each in ("price", "prompt_price", "gpu_price"))


def _lost_revenue(books: _Books, name: str, since: int) -> float:
    """What tokens given up or turned away would have brought [USD]."""
    said = books.story.plant.units[name].machine()
    dropped = [books.gained("service", f"dropped_{what}", name, since) for what in ("answers", "prompts")]
    return float(dropped[0] * said.price + dropped[1] * said.prompt_price) / MILLION


def _credits(books: _Books, name: str, row: int) -> float:
    """What a service had to give back by a row for promises not kept, had the run ended there [USD]."""
    return credits_due(books.story, books.member, name, 0, row)


def credits_due(story: Story, member: int, name: str, first: int, last: int) -> float:
    """What a service gives back for promises not kept between two rows, as if they were the whole run [USD]."""
    books, machine = _Books(story, member), story.plant.units[name].machine()

    def gained(counter: str) -> float:
        column = books.column("service", counter, name)
        return float(column[last] - column[first])

    if machine.credit > 0:
        return gained("credited")
    if not machine.credit_below_1 > 0:
        return 0.0
    read, requests = gained("served_prompts"), gained("requests")
    ended = read + gained("dropped_prompts")
    if ended <= 0 or requests <= 0:
        return 0.0
    kept = read / ended * gained("requests_in_time") / requests
    return float(machine.agreed(np.float64(kept))) * gained("revenue")


def net_revenue(story: Story, member: int) -> float | None:
    """What a run earned less credits, energy of the site, and GPU time of jobs that made nothing [USD].

    None where neither services nor a price says what anything is worth.
    """
    books, last = _Books(story, member), len(story.time) - 1
    services = books.units("service")
    jobs = {name: story.plant.units[name].machine().gpu_price for name in books.units("job")}
    paid = books.gained("site", "energy_cost")
    if not (any(has_price(story, name) for name in services) or any(jobs.values()) or paid):
        return None
    earned = sum(books.gained("service", "revenue", name) - _credits(books, name, last) for name in services)
    idle = sum(float(_lost_hours(books, name, 0) * price) for name, price in jobs.items() if price)
    return earned - paid - idle


def _job(books: _Books, name: str) -> Record:
    found = books.energies("job", name)
    steps, gpu_time = books.gained("job", "steps", name), books.gained("job", "gpu_time", name)
    for level in LEVELS:
        found[f"energy_per_step_{level}"] = _over(found[f"{level}_energy"], steps if steps > 0 else None)
    lost = books.gained("job", "lost_energy", name)
    part = _over(lost, found["rack_energy"]) or 0.0
    cost = books.paid("job", "energy_cost", name)
    return found | {
        "gpu_time": gpu_time,
        "gpu_time_per_step": _over(gpu_time, steps if steps > 0 else None),
        "step_energy": books.gained("job", "step_energy", name),
        "lost_energy": lost,
        "lost_energy_facility": part * (found["facility_energy"] or 0.0),
        "lost_gpu_time": books.gained("job", "lost_gpu_time", name),
        "idle_gpu_time": books.gained("job", "idle_gpu_time", name),
        "energy_cost": cost,
        "lost_energy_cost": None if cost is None else part * cost,
        "lost_value": _lost_hours(books, name, 0) * books.story.plant.units[name].machine().gpu_price
        if has_price(books.story, name)
        else None,
    }


def _lost_hours(books: _Books, name: str, since: int) -> float:
    """GPU time that made no step that counts [s]: steps rolled back, restarts, no whole gang, lost storage."""
    return sum(books.gained("job", f"{why}_gpu_time", name, since) for why in ("lost", "idle"))


def _total(books: _Books, services: dict[str, Record], jobs: dict[str, Record]) -> Record:
    found: Record = {f"{level}_energy": books.gained("site", WHOLE[level]) for level in LEVELS}
    answers = books.gained("service", "served_answers")
    for level in LEVELS if services else ():
        counted = energy_of_tokens(books.story, level, books.member)
        served = None if counted is None else float(counted[-1] - counted[0])
        found[f"energy_per_token_{level}"] = _over(served, answers)
    for key in ("revenue", "lost_revenue", "credits"):
        found[key] = _sum(each[key] for each in services.values())
    found["gpu_time"] = sum(each["gpu_time"] or 0.0 for each in (*services.values(), *jobs.values()))
    found["lost_value"] = _sum(each["lost_value"] for each in jobs.values())
    found["energy_cost"] = books.paid("site", "energy_cost")
    return found


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _event(books: _Books) -> Record | None:
    """What followed from the first fault, in money; None where nothing was made to fail.

    lost_revenue: of tokens given up from then on; credits: beyond those due had the run ended then; extra_energy_cost:
    energy from then on against the mean power before it, at each moment's price (below zero where less was taken);
    lost_value: GPU time of jobs that made nothing from then on, at what it is worth. Tokens that wait at the end are
    not lost yet.
    """
    story = books.story
    fault = story.faults[books.member]
    if fault is None:
        return None
    zero = last_row_before(story, fault.time)
    last = len(story.time) - 1
    services, jobs = books.units("service"), books.units("job")
    energy, cost = _extra(books, zero)
    found: Record = {
        "lost_revenue": sum(_lost_revenue(books, name, zero) for name in services),
        "credits": sum(_credits(books, name, last) - _credits(books, name, zero) for name in services),
        "extra_energy": energy,
        "extra_energy_cost": cost,
        "lost_value": sum(
            _lost_hours(books, name, zero) * story.plant.units[name].machine().gpu_price for name in jobs
        ),
    }
    keys = ("lost_revenue", "credits", "extra_energy_cost", "lost_value")
    return found | {"cost": sum(found[key] or 0.0 for key in keys)}


def _extra(books: _Books, zero: int) -> tuple[float, float | None]:
    """Energy of the site since a row against the mean power before it [J], and what it cost more [USD]."""
    story, taken = books.story, books.column("site", "supplied_energy")
    before = float(story.time[zero] - story.start)
    power = story.total("site", "power")
    if before > 0:
        usual = float(taken[zero] - taken[0]) / before
    else:
        usual = 0.0 if power is None else float(power[zero, books.member])
    length = float(story.end - story.time[zero])
    extra = float(taken[-1] - taken[zero]) - usual * length
    if not books.priced:
        return extra, None
    paid = books.gained("site", "energy_cost", since=zero)
    return extra, paid - usual * _price_time(books, float(story.time[zero]))


def _price_time(books: _Books, start: float) -> float:
    """The price of energy over the time from a moment to the end [USD s/J], as it was set."""
    story, name = books.story, "energy_price"
    turns = [
        (max(event.time, start), event.value)
        for event in story.events_of[books.member]
        if event.unit == "site" and event.flag == f"{INPUT}{name}" and event.time > start
    ]
    price = story.setting("site", "site", name, books.member, start) or 0.0
    whole, since = 0.0, start
    for moment, value in [*turns, (story.end, 0.0)]:
        whole += price * (moment - since)
        price, since = value, moment
    return whole
