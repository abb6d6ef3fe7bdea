"""How a kind of equipment declares itself: quantities said once, tables of them, and its ports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import is_
from typing import Any, ClassVar, TypeVar, dataclass_transform

from twin.arrays import nothing
from twin.physics.supply import shared
from twin.physics.thermal import Mixing, mixing

Real = Any  # a float (one machine) or an array (member, n) or (n,) (the table of all of them)

MODES = {"off": 0.0, "auto": 1.0, "hand": 2.0, "locked_out": 3.0, "bypass": 4.0}
"""What a unit's selector switch says; events set it by word: `set: ats-1.mode, to: hand`."""
UNKNOWN: tuple[tuple[Real, ...], Any] = ((object(),), None)  # what `Equipment.once` knows of a law at first


@dataclass(frozen=True)
class Flag:
    """What a 0/1 State quantity says in a timeline when it rises and when it falls."""

    rises: str
    falls: str
    because: str | tuple[str, ...]
    via: str


@dataclass(frozen=True)
class Quantity:
    """One declared quantity: the single source of keys, bounds, datasets, labels and docs."""

    name: str
    unit: str
    doc: str
    default: float | None = None
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    choices: dict[str, float] | None = None
    failure: bool = False
    flag: Flag | None = None
    each: str = ""
    writer: str = ""

    def fault(self, value: float) -> str | None:
        """What is wrong with a value, in words that follow "is wanted", or None when it is good."""
        if value != value:
            return "a number"
        if self.choices is not None and value not in self.choices.values():
            return "one of " + ", ".join(self.choices)
        if self.above is not None and not value > self.above:
            return f"more than {self.above:g} {self.unit}"
        if self.at_least is not None and not value >= self.at_least:
            return f"at least {self.at_least:g} {self.unit}"
        if self.below is not None and not value < self.below:
            return f"less than {self.below:g} {self.unit}"
        if self.at_most is not None and not value <= self.at_most:
            return f"at most {self.at_most:g} {self.unit}"
        return "a finite number" if value in (float("inf"), float("-inf")) else None


def quantity(
    unit: str,
    doc: str,
    *,
    default: float | None = None,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: dict[str, float] | None = None,
    failure: bool = False,
    each: str = "",
    writer: str = "",
) -> Any:
    """Declare one quantity of a table.

    Args:
        unit: SI unit as pint reads it, "1" for a pure number; doc: what it is, in the trade's words.
        default: value when a scenario is silent, without one the key is wanted; choices: word -> code, for people.
        above, at_least, below, at_most: bounds in SI; failure: an Input that `fail: unit.name` raises to 1.
        each: a part ("die") with its own value; writer: "scheduler" or "fabric" (for units in one) alone writes it.
    """
    rest = (choices, failure, None, each, writer)
    return _field(Quantity("", unit, doc, default, above, at_least, below, at_most, *rest))


def mode(doc: str = "position of the selector switch", *words: str, default: str = "auto") -> Any:
    """Declare the `mode` Input: off, auto, hand, locked_out, and bypass where there is one."""
    allowed = {word: MODES[word] for word in (words or ("off", "auto", "hand", "locked_out"))}
    return _field(Quantity("", "1", doc, default=MODES[default], choices=allowed))


def flag(rises: str, falls: str = "", *, because: str | tuple[str, ...] = "", via: str = "self", doc: str = "") -> Any:
    """Declare a 0/1 State quantity whose changes stand in the timeline.

    `table` adds a companion `<name>_at`: the moment [s] of its last change, interpolated within the tick.

    Args:
        rises, falls: what happened, as a verb phrase ("throttles").
        because: why it rises, with `{parameter}`s filled in; others begin with what they follow from: "mode: ...".
        via: by which medium the cause arrives: self, power, coolant, air, signal, work; or "load", from those it feeds.
    """
    return _field(Quantity("", "1", doc or f"1 when it {rises}", default=0.0, flag=Flag(rises, falls, because, via)))


def _field(said: Quantity) -> Any:
    default: Any = dataclasses.MISSING if said.default is None else said.default
    return dataclasses.field(default=default, metadata={"quantity": said})


C = TypeVar("C", bound=type)


@dataclass_transform(kw_only_default=True, field_specifiers=(quantity, mode, flag))
def table(cls: C) -> C:
    """Make a class of quantities a table: keyword arguments in, one attribute each."""
    for name, field in list(vars(cls).items()):
        if isinstance(field, dataclasses.Field) and field.metadata["quantity"].flag is not None:
            doc = f"when {name} last changed, since the start of the run"
            setattr(cls, f"{name}_at", quantity("s", doc, default=0.0))
            cls.__annotations__[f"{name}_at"] = "Real"
    made: Any = dataclass(kw_only=True, eq=False)(cls)
    return made  # type: ignore[no-any-return]


def quantities(cls: type) -> dict[str, Quantity]:
    """Every declared quantity of a table by name, in order."""
    return dict(_declared(cls))


@cache
def _declared(cls: type) -> dict[str, Quantity]:
    said = {each.name: each.metadata["quantity"] for each in dataclasses.fields(cls) if "quantity" in each.metadata}
    return {name: dataclasses.replace(each, name=name) for name, each in said.items()}


@table
class Nothing:
    """The table of a kind that has no Inputs, State or Outputs."""


@dataclass(slots=True)
class Ports:
    """What the networks tell the units of one kind in a tick; arrays are (member, n), dictionaries go by stream.

    Powers are means over the tick. Frequencies are of nominal [1]. `fault_current` flows through a unit into short
    circuits [VA at nominal voltage], `fault_power` is what a source gives them beside `load` [W]. `served_voltage`
    and `served_frequency` are what a source finds on the board it serves, as it was (frequency from `actuate` on as
    it is), `served_otherwise` what that board's other feeds held [pu]. `gap` counts the seconds of the tick without
    supply; a voltage of zero means dead at its end, so gap == dt means dead throughout. By slot: `feed_frequency`
    (None while all is at nominal), `feed_weight` how much more one feed can bear (None: alike), `feed_injection`
    what each forces in, `feed_push` what each gives beyond its share. `held`: seconds of the tick that a rack waits.
    """

    now: Real = 0.0
    dry_bulb: Real = 298.15
    wet_bulb: Real = 291.15
    voltage: Real = 1.0
    gap: Real = 0.0
    feed_voltage: Real = None
    feed_gap: Real = None
    frequency: Real = 1.0
    feed_frequency: Real = None
    feed_weight: Real = None
    feed_injection: Real = None
    feed_push: Real = None
    served_voltage: Real = 0.0
    served_frequency: Real = 1.0
    served_otherwise: Real = 0.0
    fault_current: Real = 0.0
    fault_power: Real = 0.0
    power: Real = 0.0
    reactive: Real = 0.0
    split: Any = ()
    load: Real = 0.0
    load_reactive: Real = 0.0
    flow: dict[str, Real] = dataclasses.field(default_factory=dict)
    pressure: dict[str, Real] = dataclasses.field(default_factory=dict)
    inlet: dict[str, Real] = dataclasses.field(default_factory=dict)
    outlet: dict[str, Real] = dataclasses.field(default_factory=dict)
    capacity_rate: dict[str, Real] = dataclasses.field(default_factory=dict)
    heat_capacity: dict[str, Real] = dataclasses.field(default_factory=dict)
    mixings: dict[str, Mixing] = dataclasses.field(default_factory=dict)
    zone_temperature: Real = 298.15
    air_heat: Real = 0.0
    signal: dict[str, Real] = dataclasses.field(default_factory=dict)
    drive: Any = None
    plan: Any = None
    work: Any = None
    held: Real = 0.0

    def mixing(self, stream: str, volume: Real, dt: Real) -> Mixing:
        """How the coolant that a stream holds [m3] mixes in this tick; found for all streams at once in a plant."""
        found = self.mixings.get(stream)
        if found is None:
            found = self.mixings[stream] = mixing(self.capacity_rate[stream], volume * self.heat_capacity[stream], dt)
        return found


@dataclass(slots=True)
class Supply:
    """What a unit offers those it feeds, and from which of its own feeds it takes.

    voltage: at the end of the tick [pu], complex, 0 when dead; gap: seconds of the tick without supply [s].
    split: share of its draw taken from each feed, an array or a number for all; they sum to 1 where fed.
    frequency: of nominal [1]; None: that of the feeds it takes from, weighted by `split`.
    injection: what a source forces into its board while another feed lives, negative where it takes [VA]; None (nan
        where only some do): its share, like any feed. With neither voltage nor gap it dies with the other feeds.
    push: what a source gives beyond its share, as its governor is set, for the other feeds to give less [W].
    """

    voltage: Real
    gap: Real
    split: list[Real]
    frequency: Real = None
    injection: Real = None
    push: Real = None


@dataclass(slots=True)
class Branch:
    """A hydraulic element: head added and resistance, dp = laminar q + turbulent q|q| - head.

    head [Pa], laminar [Pa s/m3], turbulent [Pa s2/m6]; `check` is 1 where a valve bars reverse flow, 0 elsewhere.
    """

    head: Real
    laminar: Real
    turbulent: Real
    check: Real = 0.0


@dataclass(slots=True)
class Stream:
    """T_out = alpha + beta T_in + gamma T_partner (inlet of the exchanger's other stream), means over the tick [K]."""

    alpha: Real
    beta: Real
    gamma: Real = 0.0


class Equipment:
    """A kind of equipment. Laws are optional; those here suit a plain consumer of power.

    s: State and u: Inputs of the kind; port: its Ports; dt: the tick [s].
    """

    kind: ClassVar[str] = ""
    feeds: ClassVar[tuple[int, int]] = (0, 0)  # fewest and most feeds a unit may have; (0, 0) takes no electricity
    source: ClassVar[bool] = False  # true where electricity enters the site: it has no feeds and answers `live` alone
    stores_power: ClassVar[bool] = False  # true where a source gives only what it took before: stored, not supplied
    serves: ClassVar[bool] = False  # true where others may be fed from it
    streams: ClassVar[tuple[str, ...]] = ()  # names of its coolant streams; two of them exchange heat
    pumps: ClassVar[tuple[str, ...]] = ()  # streams that it drives itself
    weighs: ClassVar[bool] = False  # true where its live feeds share by what they can bear; else alike
    joins: ClassVar[int] = 0  # boards that it joins as a tie, which then says what its contacts do (`couple`)
    conducts: ClassVar[bool] = False  # true where what it serves is its only feed's own circuit (a switch, a cable)
    rectifies: ClassVar[bool] = False  # true where it delivers direct current
    prefers: ClassVar[bool] = False  # true where it takes from its first live feed; else live feeds share
    cools_air: ClassVar[bool] = False  # true where it takes heat out of its zone's air
    storage: ClassVar[bool] = False  # true where it stands in a loop's supply header (a buffer tank)
    signals: ClassVar[tuple[str, ...]] = ()  # names of those it listens to
    disturbs: ClassVar[tuple[str, ...]] = ()  # what its failure upsets: power, flow (coolant stands), heat (it warms)
    is_work: ClassVar[bool] = False  # true where its power is the factory's work (IT); all else is overhead
    counts: ClassVar[bool] = False  # true where it counts what is added up again from its trace
    names: tuple[str, ...] = ()  # of its units, where it is the table of all of them
    Inputs: ClassVar[type] = Nothing
    State: ClassVar[type] = Nothing
    Outputs: ClassVar[type] = Nothing

    def __post_init__(self) -> None:
        self._found: dict[str, tuple[tuple[Real, ...], Any]] = {}

    def once(self, law: Callable[..., Any], *given: Real) -> Any:
        """What a law of parameters and `given` says, worked out again only when one of `given` is another array.

        Most Inputs and flags stay the same arrays for thousands of ticks: they are replaced, never written into.
        """
        was, said = self._found.get(law.__name__, UNKNOWN)
        if was[0] is not given[0] or (len(given) > 1 and not all(map(is_, was, given))):
            said = law(*given)
            self._found[law.__name__] = given, said
        return said

    def asked(self, u: Any) -> Real:
        """1 where a unit is in service with its switch in auto or hand, else 0."""
        return self.once(operable, u.in_service, u.mode)

    def parts(self, of: str) -> Real:
        """How many parts of a name each unit has that are followed one by one [1]."""
        return 0.0

    def rest(self, u: Any) -> dict[str, Real]:
        """State at the start, where it differs from the declared defaults."""
        return {}

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        """Am I energised, for how long not, and from which feeds? Here: any live feed, shared alike."""
        return Supply(*shared(port.feed_voltage, port.feed_gap, dt))

    def series(self, s: Any, u: Any) -> Real | None:
        """Complex impedance between what I am fed from and what I serve [pu^2/VA], or None without one.

            z = Z/V_nominal^2 = z_pu/S_rated,   dV [pu] = z conj(S/V)

        A source's is that behind its terminals.
        """
        return None

    def passes(self, s: Any, u: Any) -> tuple[Real, Real | None]:
        """Share of a short circuit behind me that my feeds bear [1]; most that I give as a converter, or None [VA]."""
        return 1.0, None

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        """Where my drives stand in this tick, now that it is known who is energised; kept in `port.drive`."""
        return None

    def plan(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        """What I foresee for this tick, now that flows are known (power, moments); kept in `port.plan`."""
        return None

    def revise(self, s: Any, u: Any, port: Ports, dt: Real) -> Real | None:
        """Correct `port.plan` now that inlets are known; a mask of the units it changed, or None."""
        return None

    def regulate(self, s: Any, u: Any, port: Ports, dt: Real) -> Real | None:
        """In a long tick: correct `port.drive` to where I stand at its end; a mask of the units that moved, or None."""
        return None

    def coil(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Real, Real]:
        """Heat I take per kelvin of room air above my water [W/K], and that water's temperature [K]."""
        raise NotImplementedError(f"{self.kind} cools air but has no coil law")

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Complex power I use myself [VA], mean over the tick."""
        return 0.0

    def nominal_power(self) -> Real:
        """Power a consumer takes at its rating [W], for the plant's checks."""
        return getattr(self, "rated_power", 0.0)

    def faults(self, feeds: int) -> list[str]:
        """What is wrong among my ratings taken together, with so many feeds; each follows my name and a colon."""
        return []

    def pace(self) -> dict[str, tuple[float, str]]:
        """How fast I answer what upsets me: upset -> (time constant [s], what it is, in words)."""
        return {}

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        """Complex power I take from my feeds to deliver `load` [VA], mean over the tick."""
        demand = self.demand(s, u, port, dt)
        return demand if nothing(load) else load + demand

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Heat I give to the air of my zone [W], mean over the tick."""
        return 0.0

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        """My hydraulic answer for one stream."""
        raise NotImplementedError(f"{self.kind} has a stream but no branch law")

    def holds(self, stream: str) -> Real:
        """Coolant that one of my streams holds [m3]."""
        raise NotImplementedError(f"{self.kind} has a stream but does not say what it holds")

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        """My thermal answer for one stream."""
        raise NotImplementedError(f"{self.kind} has a stream but no stream law")

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        """State and Outputs one tick on."""
        return s, Nothing()

    def stored(self, s: Any, port: Ports) -> Real:
        """Energy I hold [J], from State alone."""
        return 0.0

    def rejected(self, s: Any, u: Any, port: Ports, out: Any, dt: Real) -> Real:
        """Heat I give to the outdoors [W], mean over the tick."""
        return 0.0


def operable(in_service: Real, mode: Real) -> Real:
    """1 where a unit is in service with its switch in auto or hand, else 0."""
    return in_service * ((mode == MODES["auto"]) | (mode == MODES["hand"]))


def replace(row: Any, **changes: Real) -> Any:
    """A copy of a table's row with some quantities changed (dataclasses.replace without its checks)."""
    new = object.__new__(type(row))
    new.__dict__ = row.__dict__ | changes
    return new
