"""A scenario as read: a plant, what is done to it and when, and what it must keep to; all in SI."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.faults import Fault
from twin.plant import Plant
from twin.scenario.changes import Change
from twin.scenario.criteria import Criterion
from twin.scenario.operations import Operations
from twin.scenario.sequence import Expected
from twin.scenario.sweeping import Sweeping


@dataclass(frozen=True)
class Zoom:
    """A window of the run with a shorter tick [s]."""

    at: float
    length: float
    tick: float


@dataclass(frozen=True)
class RunSettings:
    """How long, how finely and how often; times in s. `record` None leaves it to the recorder."""

    duration: float
    tick: float = 1.0
    zooms: list[Zoom] = field(default_factory=list)
    seed: int = 1
    members: int = 1
    record: float | None = None


@dataclass(frozen=True)
class ControllerSpec:
    """A controller that runs beside the plant."""

    kind: str
    period: float
    gain: float


@dataclass(frozen=True)
class JobSpec:
    """A job of a scheduler: how many racks, when it comes, how much it has to do.

    work: useful steps; least: racks that it may shrink to, 0 where it may not; step_seconds: of a step with its part
    of the checkpoints [s]; resume_seconds: from its racks to its first step, save_seconds: to save a checkpoint [s].
    """

    name: str
    racks: int
    arrives: float
    priority: float
    work: float
    least: int
    step_seconds: float
    resume_seconds: float
    save_seconds: float = 0.0


@dataclass(frozen=True)
class Window:
    """Maintenance of some racks, from a moment for a length [s]."""

    racks: tuple[str, ...]
    at: float
    length: float


@dataclass(frozen=True)
class SchedulerSpec:
    """Who gives racks to jobs: from which, by what, how often it looks [s], and what it may do."""

    racks: tuple[str, ...]
    jobs: tuple[JobSpec, ...]
    place: tuple[str, ...] = ("first",)
    preempt: bool = True
    backfill: bool = False
    period: float = 30.0
    maintenance: tuple[Window, ...] = ()


@dataclass
class Scenario:
    """What one run needs.

    `initial` holds before the plant is brought to its steady state; `start` are values of State that the run then
    begins in instead; `changes`, in order of time, come during the run: events, weather, grid and drawn rows. `text` is
    the resolved document, `inputs` the SHA-256 of every file it was read from. `worlds` says which member of the
    scenario as it was read each of its members is, where they are others: people take the times of that one.
    """

    title: str
    description: str
    plant: Plant
    run: RunSettings
    initial: list[Change] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    controllers: list[ControllerSpec] = field(default_factory=list)
    scheduler: SchedulerSpec | None = None
    criteria: list[Criterion] = field(default_factory=list)
    start: list[Change] = field(default_factory=list)
    operations: Operations = field(default_factory=Operations)
    worlds: tuple[int, ...] = ()
    expected: list[Expected] = field(default_factory=list)
    sweep: Sweeping | None = None
    text: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    path: str = ""
    warnings: list[Fault] = field(default_factory=list)

    def differs(self) -> bool:
        """Whether any two members can take different courses: something is drawn, or an event names a member."""
        changed = any(change.verb == "draw" or change.member is not None for change in self.initial + self.changes)
        return changed or self.operations.differs()
