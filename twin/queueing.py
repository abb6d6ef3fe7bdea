"""Queueing: who of the jobs that wait gets racks, who gives them back and why; one queue for each member."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from twin.placement import Site, place
from twin.scenario.case import JobSpec, SchedulerSpec, Window

ACTIVE = ("running", "saving")
LOOKED = ("cooling", "power")
"""Ways of placement that ask what can still be carried."""
MOST_KEPT = 4096
"""Placements that are remembered."""


@dataclass(frozen=True)
class Seen:
    """What a scheduler sees of one member: racks that can work, units out of service, steps, steps not saved.

    gives: what coolers of air can take now [W].
    """

    able: frozenset[str]
    away: frozenset[str] = frozenset()
    steps: dict[str, float] = field(default_factory=dict)
    unsaved: dict[str, float] = field(default_factory=dict)
    gives: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """A job goes into a phase, or stays in it with other racks; `waited` is how long it had waited [s]."""

    job: str
    phase: str
    why: str
    waited: float = 0.0


@dataclass
class Task:
    """One job in one member: where it stands, on which racks, since when [s], and why it is asked to leave.

    left: when it last gave racks back; missed: since when racks of it are missing [s]; grows: whether it gives its
    racks back to get more; waits: what sort of reason it was last told to wait for.
    """

    spec: JobSpec
    phase: str = "absent"
    racks: list[str] = field(default_factory=list)
    since: float = 0.0
    reason: str = ""
    left: float = -math.inf
    missed: float | None = None
    grows: bool = False
    waits: str = ""


class Queue:
    """Jobs by priority, then by arrival; whoever comes back keeps its place.

    The first in the line that finds no racks holds up those behind it; with `backfill` they may go before it where
    they end before it could start, or leave it the racks it waits for (EASY). With `preempt` jobs of lower priority
    save a checkpoint and give their racks back, the latest started first. A job that shrank saves and begins again
    with all its racks, once they are free, nobody stands before it and it ends the sooner for it.
    """

    def __init__(self, spec: SchedulerSpec, site: Site) -> None:
        self.spec, self.site = spec, site
        self.tasks = {job.name: Task(job) for job in spec.jobs}
        self.drained: set[str] = set()
        self.reasons: dict[str, str] = {}

    def act(self, now: float, seen: Seen) -> list[Move]:
        """Everything that changes now [s].

        The racks of each job stand in `tasks`, racks to drain in `drained`, and in `reasons` why jobs have to wait of
        which that was not said before.
        """
        self.reasons = {}
        moves = self._arrive(now) + self._finish(seen) + self._give_back(now, seen)
        moves += self._replace(now, seen)
        moves += self._clear(now, seen)
        held = self._held(now)
        moves += self._grow(now, seen, held)
        moves += self._start(now, seen, held)
        self.drained = {rack for rack in held if rack not in self._taken()}
        return moves

    def next_moment(self, now: float) -> float:
        """When something is due by the clock, after a moment [s]."""
        due = [job.arrives for job in self.spec.jobs]
        due += [edge for window in self.spec.maintenance for edge in (window.at, window.at + window.length)]
        return min((moment for moment in due if moment > now + 1e-9), default=math.inf)

    def _taken(self) -> set[str]:
        return {rack for task in self.tasks.values() for rack in task.racks}

    def _held(self, now: float) -> set[str]:
        """Racks in maintenance."""
        return {rack for window in self.spec.maintenance if _open(window, now) for rack in window.racks}

    def _free(self, seen: Seen, held: set[str]) -> list[str]:
        taken = self._taken()
        return [rack for rack in self.spec.racks if rack in seen.able and rack not in taken and rack not in held]

    def _arrive(self, now: float) -> list[Move]:
        moves = []
        for task in self.tasks.values():
            if task.phase == "absent" and task.spec.arrives <= now + 1e-9:
                task.phase, task.since = "waiting", task.spec.arrives
                moves.append(Move(task.spec.name, "waiting", "it arrives"))
        return moves

    def _finish(self, seen: Seen) -> list[Move]:
        moves = []
        for task in self.tasks.values():
            if task.phase in ACTIVE and seen.steps.get(task.spec.name, 0.0) >= task.spec.work - 1e-6:
                task.phase, task.racks, task.grows = "finished", [], False
                moves.append(Move(task.spec.name, "finished", "its work is done"))
        return moves

    def _give_back(self, now: float, seen: Seen) -> list[Move]:
        """Those who were asked to save, and have."""
        saved = [t for t in self.tasks.values() if t.phase == "saving" and seen.unsaved.get(t.spec.name, 0.0) <= 0.0]
        return [self._requeue(task, now, task.reason) for task in saved]

    def _requeue(self, task: Task, now: float, why: str) -> Move:
        task.phase, task.racks, task.since, task.reason = "waiting", [], now, ""
        task.left, task.missed = now, None
        return Move(task.spec.name, "waiting", why)

    def _ask(self, task: Task, now: float, seen: Seen, why: str) -> Move:
        """Ask a job to save and give its racks back; at once where nothing is unsaved."""
        if seen.unsaved.get(task.spec.name, 0.0) <= 0.0:
            return self._requeue(task, now, why)
        task.phase, task.reason = "saving", why
        return Move(task.spec.name, "saving", why)

    def _replace(self, now: float, seen: Seen) -> list[Move]:
        """Racks that are lost: others in their place, or fewer of them, or back into the queue, a look later.

        A job finds out by itself that it has lost a rack, and falls back to its last checkpoint.
        """
        moves = []
        for task in self._in_line("running"):
            lost = [rack for rack in task.racks if rack not in seen.able]
            task.missed = None if not lost else now if task.missed is None else task.missed
            if task.missed is None or now < task.missed + self.spec.period - 1e-6:
                continue
            task.missed = None
            kept = [rack for rack in task.racks if rack in seen.able]
            words = f"{lost[0]}{f' and {len(lost) - 1} more' if len(lost) > 1 else ''} lost"
            task.racks = kept
            others = self._place(task.spec.racks - len(kept), seen, self._held(now))
            if len(others) == task.spec.racks - len(kept):
                task.racks = kept + others
                moves.append(Move(task.spec.name, "running", f"{words}, {others[0]} in its place"))
            elif task.spec.least and len(kept) >= task.spec.least:
                moves.append(Move(task.spec.name, "running", f"{words}, goes on with {racks_said(len(kept))}"))
            else:
                moves.append(self._requeue(task, now, words))
        return moves

    def _clear(self, now: float, seen: Seen) -> list[Move]:
        """Jobs on racks that are to be maintained save and go."""
        held = self._held(now)
        hit = [task for task in self._in_line("running") if held & set(task.racks)]
        return [self._ask(task, now, seen, "maintenance of its racks") for task in hit]

    def _grow(self, now: float, seen: Seen, held: set[str]) -> list[Move]:
        """The first of those who shrank, for whom there are racks again."""
        if any(task.grows for task in self.tasks.values()):
            return []
        waiting = [_place_in_line(task) for task in self._in_line("waiting")]
        for task in self._in_line("running"):
            missing = task.spec.racks - len(task.racks)
            if missing <= 0 or task.missed is not None or any(place < _place_in_line(task) for place in waiting):
                continue
            own, task.racks = task.racks, []
            whole = self._place(task.spec.racks, seen, held)
            anew = self._lasts(task, seen) + task.spec.save_seconds + 2 * self.spec.period
            task.racks = own
            if whole and anew < self._lasts(task, seen):
                task.grows = True
                return [self._ask(task, now, seen, f"grows to {task.spec.racks} racks, which are free again")]
        return []

    def _most(self, task: Task, seen: Seen, held: set[str]) -> list[str]:
        """As many racks as there are for a job that would grow, where they are no longer enough."""
        counts = range(task.spec.racks - 1, task.spec.least - 1, -1) if task.grows else ()
        return next((racks for count in counts if (racks := self._place(count, seen, held))), [])

    def _in_line(self, phase: str) -> list[Task]:
        """Jobs of a phase by priority, then by arrival, then as written."""
        listed = [task for task in self.tasks.values() if task.phase == phase]
        return sorted(listed, key=_place_in_line)

    def _place(self, count: int, seen: Seen, held: set[str]) -> list[str]:
        return self._chosen(count, self._free(seen, held), self._taken(), seen)

    def _chosen(self, count: int, free: list[str], busy: set[str], seen: Seen) -> list[str]:
        """Racks for a job beside others at work; worked out once for all members and looks that stand alike."""
        ways, known = self.spec.place, self.site.known
        key = count, tuple(free), tuple(sorted(busy)), seen.away, tuple(seen.gives.items())
        if key not in known:
            if len(known) >= MOST_KEPT:
                known.clear()
            alive = dict.fromkeys(seen.away, False)
            room = {way: self.site.room(way, list(key[2]), alive, seen.gives) for way in ways if way in LOOKED}
            known[key] = tuple(place(count, free, ways, self.site, room))
        return list(known[key])

    def _start(self, now: float, seen: Seen, held: set[str]) -> list[Move]:
        moves: list[Move] = []
        limit: tuple[float, int] | None = None
        line, head = self._in_line("waiting"), ""
        for task in line:
            if limit is not None and not self._fits_before(task, now, seen, limit):
                self._wait(task, head, f"{head} stands before it")
                continue
            anew = now < task.left + self.spec.period - 1e-6  # it begins anew, which takes a look at least
            racks = [] if anew else self._place(task.spec.racks, seen, held) or self._most(task, seen, held)
            if racks:
                if limit is not None and now + self._lasts(task, seen) > limit[0] + 1e-6:
                    limit = (limit[0], limit[1] - len(racks))
                moves.append(self._give(task, racks, now))
                continue
            if limit is None and self.spec.preempt and not anew:
                moves += self._preempt(task, now, seen, held)
                if racks := self._place(task.spec.racks, seen, held):
                    moves.append(self._give(task, racks, now))
                    continue
            if not anew:
                self._lacks(task, seen, held)
            if not self.spec.backfill:
                for other in line[line.index(task) + 1 :]:
                    self._wait(other, task.spec.name, f"{task.spec.name} stands before it")
                break
            limit, head = (limit, head) if limit else (self._shadow(task, now, seen, held), task.spec.name)
        return moves

    def _lacks(self, task: Task, seen: Seen, held: set[str]) -> None:
        """Say what a job lacks that could go now."""
        wanted, able = task.spec.racks, [r for r in self.spec.racks if r in seen.able and r not in held]
        free = len(self._free(seen, held))
        if len(able) < wanted:
            self._wait(task, "able", f"{racks_said(wanted)} wanted, {len(able)} of {len(self.spec.racks)} can work")
        elif free < wanted:
            self._wait(task, "free", f"{racks_said(wanted)} wanted, {free} free")
        else:
            self._wait(task, "carried", "what feeds or cools the free racks carries no more")

    def _wait(self, task: Task, sort: str, why: str) -> None:
        if task.waits != sort:
            task.waits = sort
            self.reasons[task.spec.name] = why

    def _give(self, task: Task, racks: list[str], now: float) -> Move:
        move = Move(task.spec.name, "running", "", now - task.since)
        task.phase, task.racks, task.since, task.grows, task.waits = "running", racks, now, False, ""
        return move

    def _preempt(self, task: Task, now: float, seen: Seen, held: set[str]) -> list[Move]:
        """Ask jobs of lower priority for the racks that a job wants; nobody, where that would not be enough."""
        coming = sum(len(other.racks) for other in self._in_line("saving"))
        wanted = task.spec.racks - len(self._free(seen, held)) - coming
        lower = [other for other in self._in_line("running") if other.spec.priority < task.spec.priority]
        lower.sort(key=lambda other: (other.spec.priority, -other.since))
        asked = []
        for other in lower:
            if wanted <= 0:
                break
            asked.append(other)
            wanted -= len(other.racks)
        if wanted > 0:
            return []
        return [self._ask(other, now, seen, f"{task.spec.name} goes before it") for other in asked]

    def _lasts(self, task: Task, seen: Seen) -> float:
        """How long a job will take that starts or goes on [s]: its steps left, with checkpoints, and its restart."""
        left = max(task.spec.work - seen.steps.get(task.spec.name, 0.0), 0.0) * task.spec.step_seconds
        share = len(task.racks) / task.spec.racks if task.racks else 1.0
        return left / share + (0.0 if task.racks else task.spec.resume_seconds)

    def _shadow(self, head: Task, now: float, seen: Seen, held: set[str]) -> tuple[float, int]:
        """When the first in the line can start, as jobs end, and how many racks are then left over.

        Where it has racks enough and what feeds or cools them lacks, nobody knows when: the rest may go.
        """
        free = self._free(seen, held)
        ends = [(now, task) for task in self._in_line("saving")]
        running = sorted(self._in_line("running"), key=lambda task: self._lasts(task, seen))
        ends += [(now + self._lasts(task, seen), task) for task in running]
        leaving: list[Task] = []
        for moment, task in [(now, None), *ends]:
            leaving += [task] if task is not None else []
            over = self._left_over(leaving, head, free, seen)
            if over is not None:
                return moment, over
        return math.inf, 0

    def _left_over(self, leaving: list[Task], head: Task, free: list[str], seen: Seen) -> int | None:
        """Racks that could be given beside those of a job once others have left theirs; None where it gets none."""
        given = {rack for task in leaving for rack in task.racks}
        busy = self._taken() - given
        inside = [rack for rack in self.spec.racks if rack in given or rack in free]
        least, most = head.spec.racks, len(inside) + 1
        if not set(LOOKED) & set(self.spec.place):
            return most - 1 - least if most > least else None
        if most <= least or not self._chosen(least, inside, busy, seen):
            return None
        while most - least > 1:
            middle = (least + most) // 2
            fits = self._chosen(middle, inside, busy, seen)
            least, most = (middle, most) if fits else (least, middle)
        return least - head.spec.racks

    def _fits_before(self, task: Task, now: float, seen: Seen, limit: tuple[float, int]) -> bool:
        """Whether a job may go before the first in the line without making it wait longer."""
        return now + self._lasts(task, seen) <= limit[0] + 1e-6 or task.spec.racks <= limit[1]


def _place_in_line(task: Task) -> tuple[float, float]:
    return -task.spec.priority, task.spec.arrives


def _open(window: Window, now: float) -> bool:
    return window.at - 1e-9 <= now < window.at + window.length - 1e-9


def racks_said(number: int) -> str:
    """Some racks in words: "1 rack", "4 racks"."""
    return f"{number} rack{'s' * (number != 1)}"
