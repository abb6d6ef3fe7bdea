"""What the sections of a document may say: one pydantic model each, for reader and JSON Schema."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import Field

from twin.declare import Quantity
from twin.physics.fluids import HEAT_CAPACITY
from twin.scenario import values
from twin.scenario.belongs import cure
from twin.scenario.document import Broken, Map, Node, Seq, Text, describe
from twin.scenario.faults import Faults, advice
from twin.scenario.form import FAILED, Form, keys_of


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int


@dataclass(frozen=True)
class Words:
    """Words for people."""

    longest: int = 4000


@dataclass(frozen=True)
class Word:
    """One of some words; where `words` is empty, a name that somebody else checks."""

    words: tuple[str, ...] = ()


def said(unit: str, doc: str, **bounds: float) -> Any:
    """A value with a unit, as `declare.quantity` says it."""
    return Quantity("", unit, doc, **bounds)  # type: ignore[arg-type]


Raw = Annotated[Any, "read elsewhere"]
Time = Annotated[float, said("s", "a moment of the run", at_least=0, at_most=3.2e8)]
Length = Annotated[float, said("s", "a length of time", above=0, at_most=3.2e8)]
Tick = Annotated[float, said("s", "length of a tick, whole milliseconds", at_least=0.001, at_most=3600)]
Period = Annotated[float, said("s", "an interval between records", at_least=0.001, at_most=604_800)]
Residual = Annotated[float, said("1", "residual voltage, of nominal", at_least=0, at_most=1.5)]
Member = Annotated[int, Whole(0, 999_999)]
Why = Annotated[str, Words(400)]


class Zoom(Form):
    """A window in which the tick is shorter."""

    stands = "run.zoom[]"
    at: Time = Field(description="when the window opens")
    length: Length = Field(alias="for", description="how long it stays open")
    tick: Tick = Field(description="tick within the window")


class Run(Form):
    """How long, how finely, how often."""

    stands = "run"
    duration: Length = Field(description="how long the run lasts")
    tick: Tick = Field(default=1.0, description="length of a tick")
    zoom: list[Zoom] = Field(default=[], description="windows with a shorter tick")
    seed: Annotated[int, Whole(0, 2**53)] = Field(default=1, description="seed of all draws")
    members: Annotated[int, Whole(1, 1_000_000)] = Field(default=1, description="worlds run side by side")
    record: Period | None = Field(default=None, description="interval between records; each tick, if absent")


class Weather(Form):
    """The outdoors: constant, a shipped design day, or an EnergyPlus weather file."""

    stands = "weather"
    dry_bulb: Annotated[float, said("K", "air temperature", above=200, below=340)] | None = None
    relative_humidity: Annotated[float, said("1", "relative humidity", at_least=0, at_most=1)] | None = None
    wet_bulb: Annotated[float, said("K", "wet-bulb temperature", above=200, below=340)] | None = None
    dew_point: Annotated[float, said("K", "dew point", above=180, below=340)] | None = None
    pressure: Annotated[float, said("Pa", "air pressure", at_least=5e4, at_most=1.2e5)] | None = None
    design_day: Annotated[str, Words(80)] | None = Field(default=None, description="name of a shipped design day")
    epw: Annotated[str, Words(400)] | None = Field(default=None, description="EnergyPlus weather file in this folder")
    start: Annotated[str, Words(20)] | None = Field(
        default=None, description='clock at the start of the run: "14:00", with a file "07-15 14:00"'
    )


Rate = Annotated[float, said("request/s", "a rate of requests", at_least=0, at_most=1e9)]
Tokens = Annotated[float, said("token", "tokens of a request", at_least=0, at_most=1e8)]
Clock = Annotated[float, said("s", "a time of day", at_least=0, at_most=86400)]


class Diurnal(Form):
    """Requests that follow the day: mean (1 + swing cos(2 pi (clock - peak)/24 h))."""

    stands = "workload.demand.SERVICE.diurnal"
    mean: Rate = Field(description="mean rate of requests over a day")
    swing: Annotated[float, said("1", "how far it goes up and down", at_least=0, at_most=1)] = Field(
        description="how far the rate goes up and down, of the mean"
    )
    peak: Clock = Field(description='time of day of the highest rate: "15:00:00"')
    start: Clock = Field(default=0.0, description="time of day at the start of the run")


class Demand(Form):
    """What a service is asked for: steady requests or tokens, the course of a day, or a recorded trace."""

    stands = "workload.demand.SERVICE"
    requests: Rate | None = Field(default=None, description="steady rate of requests")
    tokens: Annotated[float, said("token/s", "a rate of tokens", at_least=0, at_most=1e15)] | None = Field(
        default=None, description="steady rate of tokens of answers; requests follow by the mean answer"
    )
    diurnal: Raw = Field(default=None, description="course of a day: mean, swing, peak, start")
    trace: Annotated[str, Words(400)] | None = Field(
        default=None, description="CSV file in this folder: TIMESTAMP,ContextTokens,GeneratedTokens"
    )
    every: Length | None = Field(
        default=None, description="interval over which a trace is averaged, whole ticks; 10 s or little more if absent"
    )
    at: Time = Field(default=0.0, description="moment of the run at which a trace begins")
    scale: Annotated[float, said("1", "how often each request comes", above=0, at_most=1e6)] = Field(
        default=1.0, description="how often each request of a trace comes"
    )
    prompt_length: Tokens | None = Field(default=None, description="mean length of a prompt")
    answer_length: Tokens | None = Field(default=None, description="mean length of an answer")


class Workload(Form):
    """What the racks are asked to do, and what the services are asked for."""

    stands = "workload"
    utilisation: Annotated[float, said("1", "share of full work", at_least=0, at_most=1)] | None = Field(
        default=None, description="utilisation of all racks at the start; racks in a pool follow their services"
    )
    demand: Raw = Field(default=None, description="service -> what it is asked for")
    jobs: Raw = Field(default=None, description="job -> racks, when it arrives, its work and its ratings")


class Request(Form):
    """The grid asks the site for less."""

    stands = "grid.requests[]"
    at: Time = Field(description="when the ramp down begins")
    reduce: Annotated[float, said("1", "share of normal power given up", above=0, at_most=1)]
    ramp: Length = Field(description="how long the ramp down takes, and the ramp up")
    length: Length = Field(alias="for", description="how long the lower power is held between the ramps")


class Grid(Form):
    """What the grid asks of the site, and what its voltage does."""

    stands = "grid"
    requests: list[Request] = Field(default=[], description="requests for less power")
    utility: Annotated[str, Words(600)] | None = Field(default=None, description="feeds that sags or file speak of")
    at: Time = Field(default=0.0, description="moment from which sags or file count their times")
    sags: Raw = Field(default=None, description="table of sags: [moment, residual voltage, length] each")
    file: Annotated[str, Words(400)] | None = Field(
        default=None,
        description="recorded RMS voltage: a CSV file in this folder, or a shipped one: time, voltage, frequency",
    )


class Controller(Form):
    """A controller that looks at the site now and then."""

    stands = "controllers[]"
    kind: Annotated[str, Word(("power_cap", "setpoint_reset"))] = Field(description="which controller")
    period: Tick = Field(description="time between two looks")
    gain: Annotated[float, said("1", "gain", above=0, at_most=100)] = Field(description="proportional gain")


class Event(Form):
    """Something happens: one of the verbs fail, restore, set, ramp, sag, fault."""

    VERBS: ClassVar[tuple[str, ...]] = ("fail", "restore", "set", "ramp", "sag", "fault")
    at: Time = Field(description="when")
    fail: Annotated[str, Words(600)] | None = Field(default=None, description="unit, or unit.flag, that fails")
    restore: Annotated[str, Words(600)] | None = Field(
        default=None, description="unit, or unit.flag, that is well again"
    )
    set: Annotated[str, Words(600)] | None = Field(default=None, description="unit.input that is set")
    ramp: Annotated[str, Words(600)] | None = Field(default=None, description="unit.input that moves steadily")
    sag: Annotated[str, Words(600)] | None = Field(default=None, description="utility whose voltage sags")
    residual: Residual | None = Field(default=None, description="voltage that is left in a sag, of nominal")
    fault: Annotated[str, Words(600)] | None = Field(default=None, description="unit whose terminals are shorted")
    to: Raw = Field(default=None, description="the new value, for set and ramp")
    over: Length | None = Field(default=None, description="how long the ramp takes")
    impedance: Annotated[float, said("ohm", "an impedance", at_least=0, at_most=1e6)] | None = Field(
        default=None, description="of a fault, per phase; bolted if absent"
    )
    length: Length | None = Field(
        default=None, alias="for", description="how long a sag or a fault lasts; a fault otherwise until restored"
    )
    member: Member | None = Field(default=None, description="only in this member")
    why: Why | None = Field(default=None, description="words for the timeline")


class Loop(Form):
    """A coolant loop between a supply and a return header."""

    stands = "plant.coolant.LOOP"
    fluid: Annotated[str, Word(tuple(HEAT_CAPACITY))] = Field(description="what flows")
    plant: Raw = Field(
        description="branches from return to supply; a list is a series, a range makes parallels; or stages by name"
    )
    loads: Raw = Field(description="branches from supply to return")
    storage: Annotated[str, Words(600)] | None = Field(default=None, description="a tank in the supply header")
    pressurisation: Annotated[str, Words(600)] | None = Field(
        default=None, description="an expansion vessel at the return header"
    )


class Signal(Form):
    """What one unit's output tells another's signal input."""

    source: Annotated[str, Words(600)] = Field(alias="from", description="unit.output")
    target: Annotated[str, Words(600)] = Field(alias="to", description="unit.signal, ranges too")
    delay: Annotated[float, said("s", "delay", at_least=0, at_most=86400)] = Field(default=0.0, description="delay")


class Place(Form):
    """A block stands here."""

    block: Annotated[str, Words(80)] = Field(description="name of the block")
    replace: Raw = Field(default=None, description="unit of the block -> unit outside that takes its place")
    at: Raw = Field(default=None, description="where it stands, like `at` of a unit")


class Layout(Form):
    """Where the units of a range stand: along a step, in rows."""

    start: Raw = Field(description="place of the first, three lengths")
    step: Raw = Field(description="from one to the next")
    row_of: Annotated[int, Whole(1, 100_000)] | None = Field(default=None, description="how many make a row")
    row_step: Raw = Field(default=None, description="from one row to the next")


F = typing.TypeVar("F", bound=Form)


@cache
def reading(form: type[Form]) -> dict[str, tuple[Any, bool, Any]]:
    """Key -> (how it is read, whether it must be there, value if absent)."""
    hints = typing.get_type_hints(form, include_extras=True)
    found = {}
    for key, name in keys_of(form).items():
        field = form.model_fields[name]
        absent = None if field.is_required() else field.default
        found[key] = (_mark(hints[name]), field.is_required(), absent)
    return found


def _mark(hint: Any) -> Any:
    """The Quantity, Whole, Words, Word, [Form] or None (read elsewhere) that a type hint carries."""
    if typing.get_origin(hint) is Annotated:
        mark = hint.__metadata__[0]
        return None if isinstance(mark, str) else mark
    if typing.get_origin(hint) is list:
        return [typing.get_args(hint)[0]]
    for part in typing.get_args(hint):
        if typing.get_origin(part) is Annotated:
            return _mark(part)
    return None


def fill(form: type[F], node: Node, faults: Faults) -> F | None:
    """Read a mapping as a form; fields with a fault become FAILED, so that the rest can still be checked."""
    if isinstance(node, Broken):
        return None
    keys = keys_of(form)
    if not isinstance(node, Map):
        faults.add(node.where, f"{describe(node)} was found; a mapping of {', '.join(keys)} is wanted")
        return None
    for key in node:
        if key not in keys:
            alone = form.stands and not form.stands.endswith("[]")
            near = cure(key, node[key], keys) if alone else advice(key, keys)
            faults.add(node.where_of(key), f"this key is not known here; {near}")
    content: dict[str, Any] = {}
    for key, (mark, required, absent) in reading(form).items():
        content[keys[key]] = absent
        if key in node:
            content[keys[key]] = _field(mark, node[key], faults, form.model_fields[keys[key]].description or "")
        elif required:
            content[keys[key]] = FAILED
            if not node.partial:
                ask = _ask(mark, form.model_fields[keys[key]].description)
                faults.add(node.where_of(key), f"the key is missing; {ask}")
    return form.model_construct(**content)


def _ask(mark: Any, doc: str | None) -> str:
    """What a missing key would say."""
    if isinstance(mark, Quantity):
        return values.wanted(mark)
    if isinstance(mark, Word) and len(mark.words) > 1:
        return f"one of {', '.join(mark.words)} is wanted"
    if isinstance(mark, Word) and mark.words:
        return f'"{mark.words[0]}" is wanted'
    return f"it says: {doc}" if doc else "it is wanted"


def _field(mark: Any, node: Node, faults: Faults, doc: str) -> Any:
    found: Any = None
    if mark is None:
        return node
    if isinstance(mark, Quantity):
        found = values.read(node, mark, faults)
    elif isinstance(mark, Whole):
        found = values.whole(node, faults, mark.least, mark.most)
    elif isinstance(mark, Words):
        found = values.words(node, faults, mark.longest, doc)
    elif isinstance(mark, Word):
        found = _word(mark, node, faults)
    elif isinstance(mark, list):
        return fill_all(mark[0], node, faults)
    return FAILED if found is None else found


def _word(mark: Word, node: Node, faults: Faults) -> str | None:
    text = values.words(node, faults, 80)
    if text is None or not mark.words or text in mark.words:
        return text
    faults.add(node.where, f'"{text}" is not a choice here; {advice(text, mark.words)}')
    return None


def fill_all(form: type[F], node: Node, faults: Faults) -> list[F]:
    """Read a list of mappings; those that are no mappings are left out."""
    return [made for made in (fill(form, item, faults) for item in items(node, faults)) if made is not None]


def items(node: Node, faults: Faults) -> list[Node]:
    """The nodes of a list; a fault where it is none."""
    if isinstance(node, Seq):
        return list(node)
    if not isinstance(node, Broken):
        faults.add(node.where, f"{describe(node)} was found; a list is wanted")
    return []


def entries(node: Node, faults: Faults) -> Map:
    """The mapping itself; a fault and an empty one where it is none."""
    if isinstance(node, Map):
        return node
    if not isinstance(node, Broken):
        faults.add(node.where, f"{describe(node)} was found; a mapping is wanted")
    empty = Map()
    empty.where, empty.keys_at = node.where, {}
    return empty


def text_of(node: Node) -> str:
    """The text of a scalar; "" for anything else."""
    return str(node) if isinstance(node, Text) else ""
