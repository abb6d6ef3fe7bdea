"""What an audit finds, as plain dataclasses: single points, losses by contingency, loading, groups, upkeep."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

SHORT = "short_circuit"
"""The contingency in which a unit's terminals are shorted."""
OUT = "out"
"""The contingency in which a unit is out of service as a whole; other words name a failure of its kind."""


@dataclass(frozen=True)
class Conditions:
    """Under which an audit is held.

    dry_bulb, wet_bulb: outdoors [K]; utilisation: work asked of all racks [1]; window: seconds watched tick by
    tick after each failure [s]; hold: how long a unit stays out [s].
    """

    dry_bulb: float = 317.15
    wet_bulb: float = 295.15
    utilisation: float = 1.0
    window: float = 60.0
    hold: float = 900.0


@dataclass(frozen=True)
class Loss:
    """A unit without which others have no feed left, by the graph alone; no battery counts.

    work: racks (loads, where there are none) without a feed; others: other consumers; loops: coolant loops of which no
    branch can pump.
    """

    unit: str
    kind: str
    work: tuple[str, ...]
    others: tuple[str, ...]
    loops: tuple[str, ...]

    @property
    def single(self) -> bool:
        """Whether it is a single point of failure: work stops, or all that cools a loop."""
        return bool(self.work or self.loops)


@dataclass(frozen=True)
class Trip:
    """A flag that rose after a failure: which unit, when [s], and what that means in words."""

    unit: str
    flag: str
    time: float
    words: str


@dataclass(frozen=True)
class Contingency:
    """One failure simulated from the steady state.

    failure: "out", or the failure's name; away: whether the grid went at the same moment.
    dropped: racks that lost power or shut down within the window, of a plant without racks its loads that have no
    supply at the window's end; throttled: racks that ran slower; trips: what
    else latched or ran out; lowest_charge: of any battery [1], None without one; highest_load: load over rating of
    the worst unit and that unit.
    after_*: the same at the end of the hold: racks that do not work, units without supply, units above rating.
    """

    unit: str
    kind: str
    failure: str
    away: bool
    dropped: tuple[str, ...]
    throttled: tuple[str, ...]
    trips: tuple[Trip, ...]
    lowest_charge: float | None
    after_stopped: tuple[str, ...]
    after_unfed: tuple[str, ...]
    after_over: tuple[str, ...]

    @property
    def name(self) -> str:
        """The unit and what failed of it."""
        return self.unit if self.failure == OUT else f"{self.unit}.{self.failure}"

    @property
    def stops(self) -> tuple[str, ...]:
        """Racks that stood still within the window, or at the end of the hold."""
        return tuple(dict.fromkeys(self.dropped + self.after_stopped))


@dataclass(frozen=True)
class Loading:
    """Load over rating of one unit: normal, and at worst with one unit failed [1].

    worst_by: that contingency; worst_away: whether the grid was away too; worst_at: at which moment after it [s],
    0 where the load never rose above the normal one.
    """

    unit: str
    kind: str
    rating: float
    unit_of_rating: str
    normal: float
    worst: float
    worst_by: str
    worst_away: bool
    worst_at: float = 0.0


@dataclass(frozen=True)
class Upkeep:
    """What a unit taken out deliberately leaves after the hold: racks stopped, units unfed, units above rating."""

    unit: str
    kind: str
    stopped: tuple[str, ...]
    unfed: tuple[str, ...]
    over: tuple[str, ...]

    @property
    def maintainable(self) -> bool:
        """Whether all work goes on within ratings; other consumers may be without feed, each is named."""
        return not (self.stopped or self.over)


@dataclass(frozen=True)
class Group:
    """Units alike in name and rating, that carry one load together.

    load: of all [W]; built, needed: units; carried: whether any one of them can be missing without a rack
    stopping or a unit above its rating; named: what the plant says, None where it is silent.
    """

    name: str
    kind: str
    units: tuple[str, ...]
    rating: float
    load: float
    needed: int
    carried: bool
    because: str
    named: str | None
    fulfils: bool | None
    away: bool

    @property
    def built(self) -> int:
        return len(self.units)

    @property
    def spare(self) -> int:
        """Units beyond those needed, as far as the wiring can use them."""
        by_rating = self.built - self.needed
        return by_rating if self.carried else min(by_rating, 0)

    @property
    def as_built(self) -> str:
        """N, N+1, 2N..., or how many are short."""
        if self.spare < 0:
            return f"{-self.spare} short of N"
        if self.spare == 0:
            return "N"
        return f"N+{self.spare}"

    def sentence(self) -> str:
        """The group in one sentence, with what is wrong where the plant calls it better than it is."""
        said = f"{self.name}: {self.built} built, {self.needed} needed: {self.as_built}"
        if not self.carried and self.built > self.needed:
            said += f" by wiring, for {self.because}"
        if self.fulfils is False:
            said += f"; the plant names it {self.named}, which it is not"
        elif self.fulfils:
            said += f", as named ({self.named})"
        return said


@dataclass(frozen=True)
class Audit:
    """All findings about the power side of one plant.

    held_at: weather and work, in words; losses: on the grid, and `losses_away` those that count only while the grid
    is away; scope: what was simulated, in words; selectivity: pairs of breakers in series that are not selective;
    swings: what a breathing job does to the generators; notes: what else was looked at, or left out; work: what counts
    as work, "rack" or "load", and `works` how many there are; unguarded: single points for want of a breaker.
    """

    title: str
    unit_count: int
    held_at: str
    conditions: Conditions
    losses: tuple[Loss, ...]
    losses_away: tuple[Loss, ...]
    contingencies: tuple[Contingency, ...]
    loading: tuple[Loading, ...]
    upkeep: tuple[Upkeep, ...]
    groups: tuple[Group, ...]
    scope: str
    selectivity: tuple[str, ...] = field(default=())
    swings: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())
    work: str = "rack"
    works: int = 1
    unguarded: tuple[str, ...] = field(default=())

    @property
    def single_points(self) -> tuple[str, ...]:
        """Units whose loss alone stops work: by the graph, or in the simulation; on the grid."""
        graph = [each.unit for each in self.losses if each.single]
        seen = [each.unit for each in self.contingencies if each.stops and not each.away]
        return tuple(dict.fromkeys(graph + seen))

    @property
    def single_points_away(self) -> tuple[str, ...]:
        """Units whose loss stops work while the grid is away, and not else."""
        graph = [each.unit for each in self.losses_away if each.single]
        seen = [each.unit for each in self.contingencies if each.stops and each.away]
        alone = set(self.single_points)
        return tuple(name for name in dict.fromkeys(graph + seen) if name not in alone)

    @property
    def not_maintainable(self) -> tuple[str, ...]:
        """Units that cannot be taken out without work stopping or ratings passed."""
        return tuple(each.unit for each in self.upkeep if not each.maintainable)

    def sentence(self) -> str:
        """The verdict in one sentence."""
        points, away = self.single_points, self.single_points_away
        if not self.works:
            return "there are neither racks nor loads, so that nothing can be said of what stops them"
        if away and not points:
            return f"no single point of failure on the grid, {len(away)} while it is away"
        if not points:
            return f"no single point of failure among {self.unit_count} units of the power side"
        more = f", {len(away)} more while the grid is away" if away else ""
        return f"{len(points)} single point{'s' if len(points) > 1 else ''} of failure{more}"

    def to_json(self) -> dict[str, Any]:
        """Everything in pure JSON types."""
        return dataclasses.asdict(self) | {
            "verdict": self.sentence(),
            "single_points": list(self.single_points),
            "single_points_away": list(self.single_points_away),
            "not_maintainable": list(self.not_maintainable),
            "groups": [
                dataclasses.asdict(each) | {"built": each.built, "as_built": each.as_built, "sentence": each.sentence()}
                for each in self.groups
            ],
        }
