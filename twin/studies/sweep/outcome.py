"""What came of one case: its first consequence, seconds to each loss, what was lost, and the criteria's margins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from twin.report.accounts import net_revenue
from twin.report.judging import judge
from twin.report.losses import lost
from twin.report.moments import EARLY, firsts, most_at_once, out_of_service, stretches
from twin.report.story import Fault, Story
from twin.report.verdict import Verdict
from twin.studies.sweep.base import Base
from twin.studies.sweep.cases import Case
from twin.studies.sweep.kept import Begun, Keeper, MemberStory, MemberTrace
from twin.studies.sweep.led import GONE, SLOW, Standing, led

NAN = math.nan
TRIPS = ("tripped", "overload_tripped", "stalled", "cut_out", "locked", "locked_out")
"""Flags of a machine that stopped by its own protection."""


@dataclass(frozen=True)
class Outcome:
    """One row of a sweep's table, in SI; a time is in seconds after the failure and nan where it never came.

    case: its name. units, kinds, modes: what failed, joined by " + ". at: when [s]. load [1], dry_bulb [K],
    maintenance, draw: what else sets it apart. first: what happened first because of it, first_unit where, first_after
    when [s], chain how it came to that. harm: what happened to the first rack that stood still, else to the first that
    went slower, harm_unit which rack, harm_after when [s], harm_chain the causes back to the failure. to_trip,
    to_throttle, to_shutdown, to_unpowered, to_dark: seconds to the first of each (to_dark: a board without voltage).
    racks_lost, racks_lost_end: units of work that stood still, most at one time and at the end; throttled,
    throttled_peak: those that went slower, in all and most at one time. power_before: IT power before the failure [W],
    power_lost, power_lost_end: what of it was missing.
    recovery: seconds until all work was back, inf where it never was, 0 where none was lost. work_energy: what the
    work took over the run [J]; tokens, revenue: of services. net_revenue: revenue less credits, energy at its price and
    what lost GPU time is worth [USD]. tokens_lost, revenue_lost, net_revenue_lost, energy_lost: against the same world
    in which nothing fails. failed: criteria that failed. worst_margin: of the criteria that are compared, as a
    share of the limit [1]. energy_residual: the worst of any tick and of the run. stands_for: cases alike, this one
    among them, and alike their names. fault: why it could not be run. fingerprint: SHA-256 of the last State.
    """

    case: str
    units: str
    kinds: str
    modes: str
    at: float
    load: float = NAN
    dry_bulb: float = NAN
    maintenance: str = ""
    draw: int = 0
    first: str = ""
    first_unit: str = ""
    first_after: float = NAN
    chain: str = ""
    harm: str = ""
    harm_unit: str = ""
    harm_after: float = NAN
    harm_chain: str = ""
    to_trip: float = NAN
    to_throttle: float = NAN
    to_shutdown: float = NAN
    to_unpowered: float = NAN
    to_dark: float = NAN
    racks_lost: int = 0
    racks_lost_end: int = 0
    throttled: int = 0
    throttled_peak: int = 0
    power_before: float = NAN
    power_lost: float = NAN
    power_lost_end: float = NAN
    recovery: float = NAN
    work_energy: float = NAN
    tokens: float = NAN
    revenue: float = NAN
    net_revenue: float = NAN
    energy_lost: float = NAN
    tokens_lost: float = NAN
    revenue_lost: float = NAN
    net_revenue_lost: float = NAN
    failed: int = 0
    worst_margin: float = NAN
    energy_residual: float = NAN
    stands_for: int = 1
    alike: str = ""
    fault: str = ""
    fingerprint: str = ""
    passed: tuple[int, ...] = ()
    """For each criterion 1 where it held, 0 where it failed, -1 where it could not be judged."""
    margins: tuple[float, ...] = ()
    """For each criterion its margin in SI, positive on the good side; nan where there is none."""
    values: tuple[float, ...] = ()
    """For each criterion the value that it compares, in SI; for "no" the units whose flag rose."""

    def to_json(self) -> dict[str, Any]:
        """The row in plain types."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @staticmethod
    def from_json(row: dict[str, Any]) -> Outcome:
        """The row that `to_json` gave."""
        lists = {"passed": tuple(row["passed"]), "margins": tuple(row["margins"]), "values": tuple(row["values"])}
        return Outcome(**row | lists)


TYPES = {name: kind for name, kind in get_type_hints(Outcome).items() if kind in (str, int, float)}
"""Columns of the table that hold one value each, and their type."""


def outcome(
    base: Base, case: Case, keeper: Keeper, member: int, begun: Begun, residual: float, fingerprint: str
) -> Outcome:
    """Judge one member of a batch as if it had run alone."""
    fault = Fault(case.at, " + ".join(case.units), "", case.name, True)
    story = MemberStory(MemberTrace(keeper, member, base.plant), base.told, begun, fault)
    verdict, missing, when = judge(story), lost(story, 0), firsts(story, 0)
    spans = [(key, each) for key, rows in story.spans.items() for each in rows if each.start >= case.at - EARLY]
    worst = story.values("site", "energy_residual")
    slow = [each for (_, flag), each in spans if flag in SLOW]
    return Outcome(
        **_named(base, case),
        **led(story, case, spans),
        to_trip=_soonest(spans, TRIPS, case.at),
        to_throttle=_seconds(when["first_throttle"]),
        to_shutdown=_seconds(when["first_shutdown"]),
        to_unpowered=_seconds(when["first_unpowered"]),
        to_dark=_soonest(spans, ("dead",), case.at),
        racks_lost=missing["units_peak"],
        racks_lost_end=missing["units_end"],
        throttled=len({each.unit for each in slow}),
        throttled_peak=most_at_once(stretches(slow))[0],
        power_before=_number(missing["power_before"]),
        power_lost=_number(missing["power_lost_peak"]),
        power_lost_end=_number(missing["power_lost_end"]),
        recovery=_recovery(story, case),
        work_energy=_gained(story, "site", "work_energy"),
        tokens=_gained(story, "service", "served_answers"),
        revenue=_gained(story, "service", "revenue"),
        net_revenue=_number(net_revenue(story, 0)),
        **_judged(verdict),
        energy_residual=max(residual, float(worst.max()) if worst is not None else 0.0),
        fingerprint=fingerprint,
    )


def poisoned(base: Base, case: Case, fault: str) -> Outcome:
    """A case that could not be run."""
    count = len(base.scenario.criteria)
    none = (NAN,) * count
    return Outcome(**_named(base, case), fault=fault, passed=(-1,) * count, margins=none, values=none)


def _named(base: Base, case: Case) -> dict[str, Any]:
    start = case.start
    return {
        "case": case.name,
        "units": " + ".join(case.units),
        "kinds": " + ".join(base.plant.units[unit].kind for unit in case.units),
        "modes": " + ".join(each.input for each in case.failures),
        "at": case.at,
        "load": NAN if start.load is None else start.load,
        "dry_bulb": NAN if start.weather is None else start.weather[0],
        "maintenance": start.maintenance,
        "draw": case.draw,
    }


def _number(value: float | None) -> float:
    return NAN if value is None else float(value)


def _seconds(moment: dict[str, Any] | None) -> float:
    return NAN if moment is None else float(moment["seconds"])


def _gained(story: Story, kind: str, name: str) -> float:
    """What a counter of a kind gained over the run, of all its units."""
    counted = story.total(kind, name)
    return NAN if counted is None else float(counted[-1, 0] - counted[0, 0])


def _soonest(spans: Standing, names: tuple[str, ...], at: float) -> float:
    return min((max(each.start - at, 0.0) for (_, flag), each in spans if flag in names), default=NAN)


def _recovery(story: Story, case: Case) -> float:
    """Seconds until the last work that was lost or slow after the failure is back."""
    spans = [each for (_, flag), rows in story.spans.items() if flag in (*GONE, *SLOW) for each in rows]
    ends = [
        math.inf if each.end is None else each.end - case.at
        for each in (*spans, *out_of_service(story, 0))
        if each.start >= case.at - EARLY
    ]
    return max(ends, default=0.0)


def _judged(verdict: Verdict) -> dict[str, Any]:
    each = verdict.judgements
    shares = [
        one.margin / abs(one.limit)
        for one in each
        if one.margin is not None and one.limit is not None and one.limit != 0 and math.isfinite(one.margin)
    ]
    return {
        "failed": sum(not one.passed for one in each),
        "worst_margin": min(shares, default=NAN),
        "passed": tuple(-1 if one.note and one.value is None else int(one.passed) for one in each),
        "margins": tuple(_number(one.margin) for one in each),
        "values": tuple(_number(one.value) for one in each),
    }


def names_of(each: Outcome) -> Iterator[str]:
    """The name of a case and of those that it stands for."""
    yield each.case
    yield from filter(None, each.alike.split("; "))


def parted(name: str) -> tuple[tuple[str, ...], str]:
    """The failures of a case by its name, and what else sets it apart."""
    fails, _, rest = name.partition(", ")
    return tuple(fails.split(" + ")), rest


def world_of(each: Outcome) -> str:
    """What sets the world of a case apart, whatever fails in it: start, moment and draw, in words."""
    return parted(each.case)[1]
