"""Operations as read: alarms, crews, procedures and repairs, and how the trace spells what they did."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field

from twin.scenario.conditions import Condition
from twin.scenario.durations import Duration
from twin.scenario.form import Form
from twin.scenario.forms import Length, Member, Raw, Time, Whole, Why, Word, Words, said

ALARM, CLEAR, DOES = "alarm:", "clear:", "does:"
"""How what operations did begins in the events of a trace: alarm:NAME, clear:NAME, does:NAME:WHAT."""
MISSED, FALSE = "missed:", "false:"
"""How it is told that an alarm does not stand though it would by a sound sensor (missed:NAME), or the contrary."""
CALLED, REACTS, ARRIVES, STOPS, ENDS = "called", "reacts", "arrives", "stops", "ends"
"""WHAT of a procedure or repair, beside the number of a step that is done ("3") or has failed ("3-")."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
"""Names of alarms, crews, procedures and repairs: an event's name holds them."""
PRIORITIES = ("critical", "high", "low")
"""In the order in which crews attend to them."""
STOP, GO_ON = "stop", "go on"
SILENT, RAISED = "silent", "raised"
"""What an alarm is whose sensor gives no signal."""
DAY = 86400.0


@dataclass(frozen=True)
class Alarm:
    """What a device raises when its condition has held for `delay` [s]; the monitoring sees it every `polling` [s].

    It clears when the reading has come back by `deadband` (in the quantity's unit) beyond its limit. Where its sensor
    gives no signal it is silent, or raised, by `without_signal`.
    """

    name: str
    watch: Condition
    delay: float
    deadband: float
    priority: str
    polling: float
    group: str
    without_signal: str = SILENT


@dataclass(frozen=True)
class Crew:
    """Some people: how many, how long until they react, how long on the way.

    `hours` is from when to when they are on duty each day, counted from the start of the run [s, of 86400].
    """

    name: str
    people: int
    reaction: Duration
    travel: Duration
    hours: tuple[float, float] | None = None

    def off_duty(self, now: float) -> float:
        """How long [s] until they are on duty, at a moment of the run [s]."""
        if self.hours is None:
            return 0.0
        begin, end = self.hours
        clock = now % DAY
        on = begin <= clock < end if begin < end else clock >= begin or clock < end
        return 0.0 if on else (begin - clock) % DAY


@dataclass(frozen=True)
class Step:
    """One step of a procedure. `rows` (unit, Input, value) is what it writes, `over` [s] for a ramp.

    `otherwise` is what follows where its condition does not hold: stop, go on, or the name of a procedure.
    """

    verb: str
    text: str
    takes: Duration = field(default_factory=Duration)
    condition: Condition | None = None
    most: float = 0.0
    otherwise: str = STOP
    rows: tuple[tuple[str, str, float], ...] = ()
    over: float | None = None


@dataclass(frozen=True)
class Procedure:
    """What a crew does, and what starts it: alarms, a moment [s], or another procedure."""

    name: str
    who: str
    on: tuple[str, ...]
    at: float | None
    member: int | None
    people: int
    priority: str
    steps: tuple[Step, ...]
    why: str = ""


@dataclass(frozen=True)
class Repair:
    """Who mends what, how long it takes to be told of it and to mend it; `of` are pairs of unit and Input."""

    name: str
    who: str
    of: frozenset[tuple[str, str]]
    notice: Duration
    time: Duration
    people: int
    priority: str


@dataclass(frozen=True)
class Operations:
    """All of a scenario's operations, by name."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    crews: dict[str, Crew] = field(default_factory=dict)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    repairs: dict[str, Repair] = field(default_factory=dict)

    def differs(self) -> bool:
        """Whether members can take different times, or do different things."""
        times = [time for crew in self.crews.values() for time in (crew.reaction, crew.travel)]
        times += [time for repair in self.repairs.values() for time in (repair.notice, repair.time)]
        times += [step.takes for procedure in self.procedures.values() for step in procedure.steps]
        alone = any(procedure.member is not None for procedure in self.procedures.values())
        return alone or any(time.shape for time in times)

    def __bool__(self) -> bool:
        return bool(self.alarms or self.procedures or self.repairs)


Priority = Annotated[str, Word(PRIORITIES)]
People = Annotated[int, Whole(1, 10_000)]
Name = Annotated[str, Words(80)]


class AlarmForm(Form):
    """An alarm: the device watches a reading, the monitoring system polls the device."""

    stands = "alarms.NAME"
    watch: Raw = Field(description="condition that raises it, e.g. cdu-3.supply_temperature > 42 degC")
    delay: Annotated[float, said("s", "a delay", at_least=0, at_most=86400)] = Field(
        default=0.0, description="how long the condition must hold"
    )
    deadband: Raw = Field(default=None, description="how far the reading must come back before it clears")
    priority: Priority = Field(default="high", description="critical, high or low")
    polling: Length = Field(default=5.0, description="time between two looks of the monitoring system at the device")
    group: Name = Field(default="site", description="alarms of which the first is flagged as first-out")
    without_signal: Annotated[str, Word((SILENT, RAISED))] = Field(
        default=SILENT, description="what it is while its sensor gives no signal: silent, or raised"
    )


class CrewForm(Form):
    """People who attend to alarms and repairs."""

    stands = "crews.NAME"
    people: People = Field(default=1, description="how many")
    reaction: Raw = Field(default=None, description="time until they have seen what they are called for; 0 s if absent")
    travel: Raw = Field(default=None, description="time on the way to the machines; 0 s if absent")
    hours: Raw = Field(default=None, description="when they are on duty each day; always, if absent")


Clock = Annotated[float, said("s", "a time of day", at_least=0, below=86400)]


class HoursForm(Form):
    """Hours on duty."""

    begin: Clock = Field(alias="from", description='time of day: "08:00:00"')
    end: Clock = Field(alias="to", description='time of day: "18:00:00"; before `from` it is of the next day')
    start: Clock | None = Field(
        default=None, description="time of day at the start of the run; that of the weather, or midnight, if absent"
    )


class ProcedureForm(Form):
    """What a crew does when an alarm is raised, at a moment, or when it is called."""

    stands = "procedures.NAME"
    on: Raw = Field(default=None, description="alarm, or list of alarms, that starts it")
    at: Time | None = Field(default=None, description="moment at which it starts")
    who: Name = Field(description="crew")
    people: People = Field(default=1, description="how many of the crew it takes")
    priority: Priority | None = Field(default=None, description="that of its alarm, if absent")
    member: Member | None = Field(default=None, description="only in this member")
    steps: Raw = Field(description="list of steps, one verb each")
    why: Why | None = Field(default=None, description="words for the timeline")


class StepForm(Form):
    """A step: one of the verbs walk, decide, work, check, wait for, set, ramp, fail, restore, call, say."""

    TAKES: ClassVar[tuple[str, ...]] = ("walk", "decide", "work")
    LOOKS: ClassVar[tuple[str, ...]] = ("check", "wait for")
    WRITES: ClassVar[tuple[str, ...]] = ("set", "ramp", "fail", "restore")
    VERBS: ClassVar[tuple[str, ...]] = (*TAKES, *LOOKS, *WRITES, "call", "say")
    walk: Raw = Field(default=None, description="how long they are on their way")
    decide: Raw = Field(default=None, description="how long they think it over")
    work: Raw = Field(default=None, description="how long they have their hands on it")
    check: Raw = Field(default=None, description="condition that they look at once")
    wait: Raw = Field(default=None, alias="wait for", description="condition that they wait for")
    most: Length | None = Field(default=None, alias="at most", description="how long they wait")
    otherwise: Name | None = Field(
        default=None, alias="else", description="what follows where it does not hold: stop, go on, or a procedure"
    )
    set: Annotated[str, Words(600)] | None = Field(default=None, description="unit.input that they set")
    ramp: Annotated[str, Words(600)] | None = Field(default=None, description="unit.input that they move steadily")
    fail: Annotated[str, Words(600)] | None = Field(default=None, description="unit that they take out of service")
    restore: Annotated[str, Words(600)] | None = Field(default=None, description="unit, or unit.flag, that they mend")
    to: Raw = Field(default=None, description="the new value, for set and ramp")
    over: Length | None = Field(default=None, description="how long the ramp takes")
    call: Name | None = Field(default=None, description="procedure that they start")
    say: Annotated[str, Words(400)] | None = Field(default=None, description="words for the timeline")


class RepairForm(Form):
    """A crew that mends what fails."""

    stands = "repairs.NAME"
    of: Raw = Field(description="unit or kind, with a fault of it or as a whole; or a list of them")
    who: Name = Field(alias="crew", description="crew")
    notice: Raw = Field(default=None, description="time until they are told; 0 s if absent")
    time: Raw = Field(description="how long mending takes, or a distribution")
    people: People = Field(default=1, description="how many of the crew it takes")
    priority: Priority = Field(default="low", description="critical, high or low")
