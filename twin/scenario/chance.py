"""Chance: the failures of a run as rows, one stream for each Input of each unit in each member, and one for a group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from twin.faults import Where
from twin.scenario import renewal
from twin.scenario.case import RunSettings
from twin.scenario.changes import Change
from twin.scenario.draws import MOST_ROWS, Draw, Group, Groups, generator
from twin.scenario.faults import Faults
from twin.scenario.operations import Operations

VERB, MENDED = "failure", "repair"
"""Verbs of the Changes that a failure makes, and its end."""
DRAWN = ("draw", VERB)
"""Verbs of what chance writes."""
MOST_TIMES = 200_000
"""Failures of one unit in one member; more are refused."""
TEXT_ROWS = 10_000
"""Rows that a provenance repeats as text; each stands among the events of the trace."""


@dataclass(frozen=True)
class Aim:
    """What one entry makes of an Input: the process of its failures, and the value while it is away."""

    process: renewal.Process
    value: float


Aims = dict[tuple[str, str], list[Aim]]
"""(unit, Input) -> what makes it fail."""


def check_groups(groups: Groups, aims: Aims, faults: Faults) -> None:
    """Every group has failures to share, and its units fail alike."""
    for (unit, name), listed in aims.items():
        group = groups.get((unit, name))
        if group is not None:
            group.used[unit] = [(_rates(aim.process), aim.value) for aim in listed]
    for group in {id(each): each for each in groups.values()}.values():
        told = list(group.used.values())
        if not told:
            text = f"nothing says how often {group.target} fails; a rate in failures, or a probability in draws"
            faults.add(group.where, f"{text}, is wanted")
        elif len(told) < len(group.units) or any(each != told[0] for each in told):
            text = "one rate, or one probability, for all is wanted"
            faults.add(group.where, f"the units of {group.target} do not fail alike; {text}")
        elif isinstance(told[0], list) and any(rates is None for rates, _ in told[0]):
            text = f'the times between failures of {group.target} are not exponential; "every: 2000 h" is wanted'
            faults.add(group.where, text)


def _rates(process: renewal.Process) -> tuple[tuple[str, ...], tuple[float, ...]] | None:
    """What units have in common that fail alike; None where it is not exponential."""
    return (process.names, process.means) if isinstance(process, renewal.Causes) else None


def rows(
    aims: Aims, groups: Groups, usual: dict[tuple[str, str], float], run: RunSettings, where: Where, faults: Faults
) -> list[Change]:
    """Changes of all failures and repairs.

    Args:
        aims: what makes each Input fail.
        groups: units that fail together; their share is taken from what each has alone.
        usual: what each Input goes back to.
        where: of the section, for a fault where there are too many.
    """
    found: list[Change] = []
    together: dict[tuple[int, int], dict[str, list[list[renewal.Outage]]]] = {}
    for (unit, name), listed in aims.items():
        group = groups.get((unit, name))
        for member in range(run.members):
            several = [_alone(aim, group, unit, name, place, member, run) for place, aim in enumerate(listed)]
            if group is not None:
                key = (id(group), member)
                if key not in together:
                    together[key] = _together(group, aims, member, run)
                several += together[key][unit]
            found += _changes(renewal.merged(several), (unit, name), usual[unit, name], member, run.duration)
            if any(len(each) > MOST_TIMES for each in several):
                text = f"{unit} fails more than {MOST_TIMES} times in member {member}"
                faults.add(where, f"{text}; a shorter run or rarer failures are wanted")
                return []
            if len(found) > MOST_ROWS:
                text = f"these failures pass {MOST_ROWS} rows in member {member} of {unit}"
                faults.add(where, f"{text}; fewer members, a shorter run or rarer failures are wanted")
                return []
    return found


def _alone(
    aim: Aim, group: Group | None, unit: str, name: str, place: int, member: int, run: RunSettings
) -> list[renewal.Outage]:
    """Outages of one unit by itself."""
    process = aim.process
    if group is not None and isinstance(process, renewal.Causes):
        if group.beta >= 1.0:
            return []
        process = process.share(1.0 - group.beta)
    random = generator(run.seed, member, unit, f"{name}/{place}")
    listed = renewal.outages(process, random, run.duration, run.tick, MOST_TIMES)
    return [each._replace(value=aim.value) for each in listed]


def _together(group: Group, aims: Aims, member: int, run: RunSettings) -> dict[str, list[list[renewal.Outage]]]:
    """Outages of a whole group, by unit and by each of its causes: it falls as one, each is mended by itself.

    The next one begins to threaten when the last unit is back.
    """
    found: dict[str, list[list[renewal.Outage]]] = {unit: [] for unit in group.units}
    for place, aim in enumerate(aims[group.units[0], group.input]):
        process = aim.process
        assert isinstance(process, renewal.Causes)
        own = {unit: aims[unit, group.input][place] for unit in group.units}
        mends = _Mends(own, {u: generator(run.seed, member, f"common:{u}", f"{group.input}/{place}") for u in own}, run)
        causes = range(len(process.names))
        process = replace(
            process.share(group.beta), names=(group.why,) * len(causes), repairs=tuple(map(mends.of, causes))
        )
        random = generator(run.seed, member, f"common:{group.target}", f"{group.input}/{place}")
        listed = renewal.outages(process, random, run.duration, run.tick, MOST_TIMES)
        for unit, each in own.items():
            lasts = zip(listed, mends.lasts[unit], strict=True)
            found[unit].append([one._replace(repair=repair, value=each.value) for one, repair in lasts])
    return found


class _Mends:
    """Repairs of the units of a group, each drawn from its own causes and its own stream; `lasts` has all [s]."""

    def __init__(self, aims: dict[str, Aim], streams: dict[str, np.random.Generator], run: RunSettings) -> None:
        self.aims, self.streams, self.shortest = aims, streams, run.tick
        self.lasts: dict[str, list[float]] = {unit: [] for unit in aims}

    def of(self, cause: int) -> Draw:
        """How long the group is not whole after a cause."""

        def longest(_: np.random.Generator) -> float:
            for unit, aim in self.aims.items():
                assert isinstance(aim.process, renewal.Causes)
                drawn = aim.process.repairs[cause](self.streams[unit]) or 0.0
                self.lasts[unit].append(max(drawn, self.shortest))
            return max(each[-1] for each in self.lasts.values())

        return longest


def _changes(
    listed: list[renewal.Outage], hit: tuple[str, str], back: float, member: int, duration: float
) -> Iterator[Change]:
    for start, repair, why, value in listed:
        yield Change(start, *hit, value, None, member, VERB, why, None, repair)
        if start + repair <= duration:
            yield Change(start + repair, *hit, back, None, member, MENDED)


def left_to_crews(operations: Operations | None, changes: list[Change]) -> list[Change]:
    """Changes without the ends of drawn failures that a crew mends: it takes as long as the crew does."""
    mends = {pair for repair in (operations.repairs.values() if operations else ()) for pair in repair.of}
    return [each for each in changes if each.verb != MENDED or (each.unit, each.input) not in mends]


def drawn_rows(changes: list[Change]) -> str:
    """What was drawn, a row for each, for people: moment, unit, Input, value, member, repair [s], cause."""
    drawn = [each for each in changes if each.verb in DRAWN]
    lines = [
        str((c.time, c.unit, c.input, c.value, c.until, c.member, c.verb, c.why))
        if c.verb == "draw"
        else str((c.time, c.unit, c.input, c.value, c.member, c.repair, c.why))
        for c in drawn[:TEXT_ROWS]
    ]
    more = len(drawn) - len(lines)
    return "\n".join(lines + ([f"and {more} more; the events of the trace have each"] if more else []))
