"""Job: a training run on a gang of racks in lockstep, with checkpoints, rollback and restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, quantity, replace, table
from twin.equipment.parts.account import JobAccount
from twin.equipment.parts.communicating import Communicating
from twin.physics.storing import PLENTY, Standing, Wants, Went
from twin.physics.supply import latched
from twin.physics.training import Gang, activity, communication, worked

Storing = Callable[..., tuple[Standing, Went]]
STARVED = 1e-3
"""Share of a tick that a job may wait for its storage before the timeline says so."""
SLOW, BRISK = 0.95, 0.97
"""Share of its pace below which a job counts as slowed, and from which on it does no more."""
LEAST = 1e-6
"""Steps that count as some, and share of a tick that counts as work: less is round-off."""
PHASES = {"absent": 0.0, "waiting": 1.0, "running": 2.0, "saving": 3.0, "finished": 4.0}
"""Where a job of a scheduler stands; one that has its racks to itself always runs. In saving it saves and stands."""


class Ran(NamedTuple):
    """A tick of a job.

    activity: of its GPUs, mean [1]; runs: whether its gang is complete; restarting, saving: seconds spent on them;
    rate: steps a second while it works; steps, unsaved, position: at the end; lost: rolled back; fell: whether it did;
    waits: share of an iteration that waits for the network [1];
    stored: data left to read back and to save [bit], seconds that it waited for storage, and what whole storage would
    have spared it at work and saving; None where no job uses any.
    """

    activity: Real
    runs: Real
    restarting: Real
    saving: Real
    rate: Real
    steps: Real
    unsaved: Real
    position: Real
    lost: Real
    fell: Real
    restart: Real
    waits: Real
    stored: tuple[Real, ...] | None = None


@table
class Job(Communicating, JobAccount):
    """A gang of racks in lockstep: the slowest sets the pace, and without one of them all stand.

    It works, saves a checkpoint every `checkpoint_interval` of work, and goes on. When a rack is lost it falls back to
    its last checkpoint, and once its gang is complete, but for its spares, takes `resume_time` to go on. An
    iteration computes, then waits for the network for what communication does not hide behind computation: a share
    that it tells, or what its collectives take. Spares work along. With a storage system a checkpoint lasts as long as
    its data takes there, a restart reads it back, and steps wait for the data that they read; on fewer racks, as a
    scheduler may leave it, it writes more slowly too. Validation is left out.
    """

    kind = "job"
    counts = True

    step_time: Real = quantity("s", "an iteration at nominal clock and full bandwidth", above=0, at_most=1e5)
    exposed_communication: Real = quantity(
        "1", "share of an iteration that waits for the network, at full bandwidth; where neither gradient_size nor "
        "exchange_size is told", default=0.1, at_least=0, at_most=0.9,
    )  # fmt: skip
    waiting_activity: Real = quantity(
        "1", "activity of GPUs while they wait for the network", default=0.4, at_least=0, at_most=1
    )
    checkpoint_interval: Real = quantity("s", "work between checkpoints", default=1200.0, above=0, at_most=1e8)
    checkpoint_time: Real = quantity(
        "s", "work stands while a checkpoint is saved; with a storage system at least so long, by what its racks write",
        default=60.0, at_least=0, at_most=1e5,
    )  # fmt: skip
    checkpoint_size: Real = quantity("bit", "data of a checkpoint, on its storage system", default=0.0, at_least=0,
                                     at_most=1e18)  # fmt: skip
    from_checkpoint: Real = quantity(
        "1", "1: its first restart reads a checkpoint that was there before; 0: it begins anew", default=1.0,
        at_least=0, at_most=1,
    )  # fmt: skip
    step_data: Real = quantity("bit", "data that an iteration reads from its storage system", default=0.0, at_least=0,
                               at_most=1e18)  # fmt: skip
    resume_time: Real = quantity(
        "s", "from a complete gang to the first new step", default=300.0, at_least=0, at_most=1e6
    )
    overhead_activity: Real = quantity(
        "1", "activity of GPUs in checkpoints and restarts", default=0.1, at_least=0, at_most=1
    )
    spares: Real = quantity("1", "racks of its gang that it can do without", default=0.0, at_least=0, at_most=1e5)
    gpu_price: Real = quantity(
        "USD/s", "what an hour of one of its GPUs is worth, to price hours lost", default=0.0, at_least=0, at_most=1
    )

    @table
    class Inputs:
        phase: Real = quantity(
            "1", "where it stands; a scheduler writes it", default=PHASES["running"], choices=PHASES, writer="scheduler"
        )
        rack_share: Real = quantity(
            "1", "racks that it runs on, of those it asks for: with fewer its steps take longer", default=1.0, above=0,
            at_most=1, writer="scheduler",
        )  # fmt: skip
        hold: Real = quantity("1", "1 keeps it from running", default=0.0, at_least=0, at_most=1)
        crash: Real = quantity(
            "1", "1 when its software or one of its hosts fails", default=0.0, at_least=0, at_most=1, failure=True
        )

    @table
    class State(JobAccount.State):
        steps: Real = quantity("1", "useful steps since the start: those rolled back do not count", default=0.0)
        unsaved: Real = quantity("1", "steps since the last checkpoint", default=0.0)
        since_checkpoint: Real = quantity("s", "time since the last checkpoint ended, in which it ran", default=0.0)
        restart: Real = quantity("s", "what is left of a restart", default=0.0)
        lost_steps: Real = quantity("1", "steps rolled back since the start", default=0.0)
        interruptions: Real = quantity("1", "how often it stopped since the start", default=0.0)
        saving_time: Real = quantity("s", "time in checkpoints since the start", default=0.0)
        restarting_time: Real = quantity("s", "time in restarts since the start", default=0.0)
        stopped_time: Real = quantity("s", "time without a whole gang since the start", default=0.0)
        waiting_time: Real = quantity("s", "time that it waited for its storage since the start", default=0.0)
        loading: Real = quantity("bit", "data of its checkpoint left to read back", default=0.0)
        saving: Real = quantity("bit", "data of its checkpoint left to save", default=0.0)
        racks_had: Real = quantity("1", "racks of its gang that could work in the last tick", default=0.0)
        starved: Real = flag(
            "waits for its storage", "has what it needs of its storage again",
            because="its storage system gives less than it asks", via="work",
        )  # fmt: skip
        restarting: Real = flag(
            "reads its last checkpoint", "runs again", because="a restart takes {resume_time}", via="work"
        )
        beginning: Real = flag(
            "starts from nothing", "runs", because="a start takes {resume_time}, with no checkpoint yet", via="work"
        )
        slow: Real = flag(
            "goes slower", "goes at its pace again", because=(
                f"its steps go at less than {SLOW:.0%} of their pace", "throttled: its slowest rack throttles",
                "slowed: its slowest rack is slowed down", "braked: the power brake holds its slowest rack",
                "bandwidth_share: its racks have less bandwidth", "power_limit: its racks are capped",
                "clock_limit: the clocks of its racks are capped", "power_profile: its racks are capped",
                "power_request: its racks are capped", "starved: it waits for its storage",
                "phase: it has fewer racks than it asks for",
            ), via="work",
        )  # fmt: skip
        stopped: Real = flag(
            "stops, and loses what it has not saved", "may run again",
            because=("its gang is not whole", "crash: it crashed", "hold: it is held"), via="work",
        )  # fmt: skip

    @table
    class Outputs:
        step_rate: Real = quantity(
            "Hz", "useful steps, mean over the tick; below zero where more were rolled back", default=0.0
        )
        pace: Real = quantity("1", "pace of its steps while it works, of nominal", default=1.0)
        activity: Real = quantity("1", "activity of its GPUs", default=0.0)
        racks_able: Real = quantity("1", "racks of its gang that can work", default=0.0)
        network_share: Real = quantity("1", "share of an iteration that waits for the network", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        xp = library_of(u.phase)
        return {"restart": xp.where(u.phase == PHASES["absent"], self.resume_time, 0.0 * u.phase)}

    def ran(self, s: Any, u: Any, gang: Gang, dt: Real, storing: Storing | None = None) -> Ran:
        """What it does in a tick with the racks that it finds; `storing` takes jobs with storage through it."""
        xp = library_of(s.steps)
        active, saves = self.once(_phases, u.phase)
        whole = (gang.able >= gang.wanted - self.spares) & (gang.able > 0)
        runs = (whole & (u.hold <= 0) & (u.crash <= 0)) * active
        falls = (s.stopped <= 0) & ((runs <= 0) | (gang.able < s.racks_had)) & (u.phase != PHASES["finished"])
        lost = xp.where(falls, s.unsaved, 0.0)
        restart = xp.where((runs > 0) & ~falls, s.restart, self.resume_time)
        restarting = xp.minimum(restart, dt) * runs
        left = (dt - restarting) * runs
        longer, waits = communication(self.exposed_communication, gang.bandwidth)
        rate = gang.speed / (self.step_time * longer) * u.rack_share
        if gang.links is not None:
            rate, waits = self.paced(self.step_time, gang, u.rack_share, (rate, waits))
        position = xp.where((runs > 0) & ~falls, s.since_checkpoint, 0.0)
        until, cycle = position + left, self.checkpoint_interval + self.checkpoint_time
        if worth_doing(saves):
            position = xp.where(saves > 0, xp.maximum(position, self.checkpoint_interval), position)
            until = xp.where(saves > 0, xp.minimum(position + left, cycle), until)
        work = worked(until, self.checkpoint_interval, self.checkpoint_time) - worked(
            position, self.checkpoint_interval, self.checkpoint_time
        )
        saved = until >= cycle
        now_at = until - xp.floor(until / cycle) * cycle
        since = xp.minimum(now_at, self.checkpoint_interval) * rate
        unsaved = xp.where(saved, since, s.unsaved - lost + work * rate)
        busy = activity(s.steps - lost, work * rate, waits, self.waiting_activity)
        idle = self.overhead_activity * (restarting + left - work)
        mean = (busy * work + idle) / dt
        ran = Ran(
            mean, runs, restarting, left - work, rate, s.steps - lost + work * rate, unsaved, now_at,
            lost, falls * active, xp.where(runs > 0, restart - restarting, restart), waits,
        )  # fmt: skip
        if storing is None:
            return ran
        going = (runs > 0) & ~falls
        writes = xp.where(
            self.checkpoint_time > 0, self.checkpoint_size / xp.maximum(self.checkpoint_time, 1e-9), PLENTY
        )
        writes = writes * u.rack_share
        wants = Wants(runs, rate, self.step_data, self.checkpoint_size, writes, self.checkpoint_interval, saves)
        loading = xp.where(going, s.loading, self.checkpoint_size * self._kept(s))
        now = Standing(position, restart, loading, s.saving * going, s.unsaved - lost)
        return self._stored(s, ran, waits, *storing(now=now, wants=wants), dt)

    def _kept(self, s: Any) -> Real:
        """1 where it has a checkpoint to go back to [1]."""
        return ((self.from_checkpoint > 0) | (s.steps - s.unsaved > LEAST)) * 1.0

    def _stored(self, s: Any, ran: Ran, waits: Real, now: Standing, went: Went, dt: Real) -> Ran:
        """The same tick, for jobs with a storage system as it let them go."""
        xp, stored = library_of(ran.rate), self.checkpoint_size > 0
        busy = activity(s.steps - ran.lost, went.steps, waits, self.waiting_activity)
        mean = (busy * went.worked + self.overhead_activity * (dt * ran.runs - went.worked)) / dt
        at_work = dt * ran.runs - went.saved - went.restarted
        pace = xp.where(at_work > LEAST * dt, went.steps / xp.maximum(at_work, LEAST * dt), ran.rate)
        found = (
            mean, ran.runs, went.restarted, went.saved, pace, s.steps - ran.lost + went.steps, now.unsaved, now.since,
            ran.lost, ran.fell, now.restart, waits,
        )  # fmt: skip
        merged = Ran(*(xp.where(stored, own, plain) for own, plain in zip(found, ran[:-1], strict=True)))
        left = now.loading, now.saving, went.waited, went.starved, went.delayed
        return merged._replace(stored=tuple(each * stored for each in left))

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        gang, did = port.work
        xp = library_of(did.runs)
        active, _ = self.once(_phases, u.phase)
        stands = active * (1.0 - did.runs)
        stopped, stopped_at = latched(stands, s.stopped, s.stopped_at, lambda: port.now + 0.0 * did.runs)
        pace = did.rate * self.step_time
        reads = did.restart > 0 if did.stored is None else (did.restart > 0) | (did.stored[0] > 0)
        left, kept = reads * did.runs, self._kept(s)
        ended = port.now + did.restarting * did.runs
        start = xp.where(left > 0, port.now, ended)
        restarting, restarting_at = latched(left * kept, s.restarting, s.restarting_at, start)
        beginning, beginning_at = latched(left * (1.0 - kept), s.beginning, s.beginning_at, start)
        drags = (pace < xp.where(s.slow > 0, BRISK, SLOW)) & (did.runs > 0) & (left <= 0)
        slow, slow_at = latched(drags, s.slow, s.slow_at, ended)
        after = replace(
            s,
            slow=slow,
            slow_at=slow_at,
            restarting=restarting,
            restarting_at=restarting_at,
            beginning=beginning,
            beginning_at=beginning_at,
            steps=did.steps,
            unsaved=did.unsaved,
            since_checkpoint=did.position,
            restart=did.restart,
            lost_steps=s.lost_steps + did.lost,
            interruptions=s.interruptions + did.fell,
            racks_had=gang.able + 0.0 * did.runs,
            saving_time=s.saving_time + did.saving,
            restarting_time=s.restarting_time + did.restarting,
            stopped_time=s.stopped_time + dt * stands,
            stopped=stopped,
            stopped_at=stopped_at,
        )
        if did.stored is not None:
            after.loading, after.saving, waited, *_ = did.stored
            after.waiting_time = s.waiting_time + waited
            starved = (waited > STARVED * dt) * 1.0
            after.starved, after.starved_at = latched(starved, s.starved, s.starved_at, port.now)
        rate = (did.steps - s.steps) / dt
        return after, self.Outputs(
            step_rate=rate, pace=pace, activity=did.activity, racks_able=gang.able, network_share=did.waits * did.runs
        )


def _phases(phase: Real) -> tuple[Real, Real]:
    """Whether it has racks, and whether it is to save and stand [1]."""
    saves = (phase == PHASES["saving"]) * 1.0
    return (phase == PHASES["running"]) + saves, saves
