"""Jobs that read from shared storage and save checkpoints to it: who gets what bandwidth, exact between events."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import Neighbours, gather_sum, library_of, stacked_with_spare, worth_doing

Real = Any

EVENTS = 64
"""Most changes of phase, of all jobs together, that a tick follows; in what is left of it all wait."""
Rooms = tuple[Real, Real]
PLENTY = 1e30
"""Rate [bit/s] and time [s] that stand for no limit."""


class Users(NamedTuple):
    """Who uses which storage: `of` its column (job,), one past the last where a job uses none; `inside` by storage.

    rounds: jobs at the storage that has most of them.
    """

    of: Real
    inside: Neighbours
    rounds: int


class Moved(NamedTuple):
    """What jobs moved in a tick, mean over it: read and written [bit/s]."""

    read: Real
    written: Real


class Wants(NamedTuple):
    """What jobs want in a tick, arrays (member, job).

    runs: 1 where their gang is whole; rate: steps a second while nothing is lacking; reads: data of a step, size: of a
    checkpoint [bit]; writes: what their racks can write [bit/s]; interval: work between checkpoints [s]; stands: 1
    where they work no more once all is saved.
    """

    runs: Real
    rate: Real
    reads: Real
    size: Real
    writes: Real
    interval: Real
    stands: Real


class Standing(NamedTuple):
    """Where jobs stand, arrays (member, job).

    since: work since the last checkpoint, restart: what is left of it [s]; loading, saving: data left to read back and
    to save [bit]; unsaved: steps since the last checkpoint [1].
    """

    since: Real
    restart: Real
    loading: Real
    saving: Real
    unsaved: Real


class Went(NamedTuple):
    """How a tick went, arrays (member, job).

    steps: done [1]; worked, saved, restarted, waited: seconds of it, the last for storage, also while it saves and
    restarts; starved, delayed: of those at work, of those saving, what whole storage would spare it; read, written:
    data [bit].
    """

    steps: Real
    worked: Real
    saved: Real
    restarted: Real
    waited: Real
    starved: Real
    delayed: Real
    read: Real
    written: Real


def fair(wanted: Real, room: Real, users: Users) -> Real:
    """What each job gets of a bandwidth [bit/s]: alike, nobody more than wanted, what one leaves goes to the others.

    Args:
        wanted: by jobs (member, job); room: of each storage (member, storage).

    Source: max-min fairness; Bertsekas and Gallager, Data Networks, 6.5.2.
    """
    xp = library_of(wanted)
    given, waits = wanted * 0.0, wanted > 0
    share = given
    for _ in range(users.rounds + 1):
        count = gather_sum(_spared(waits * 1.0), users.inside)
        share = _spared(room / xp.maximum(count, 1.0)).take(users.of, axis=1)
        little = waits & (wanted <= share)
        given = xp.where(little, wanted, given)
        room = xp.maximum(room - gather_sum(_spared(xp.where(little, wanted, 0.0)), users.inside), 0.0)
        waits = waits & ~little
    return xp.where(waits, share, given)


def _spared(x: Real) -> Real:
    """With a last column of zeros."""
    return stacked_with_spare(x)[0]


def course(
    now: Standing, wants: Wants, room: Rooms, whole: Rooms, users: Users, dt: Real, stored: Real
) -> tuple[Standing, Went]:
    """Run jobs through one tick, from one change of phase to the next.

    A job restarts, reads its checkpoint back, works until `interval`, and saves. A step that reads more than it is
    given goes as slowly as its data comes. Rates change only when a job changes its phase, so that all is exact
    between. The time in which a job stands, all saved, counts as saving. Who reads a checkpoint back or saves one waits
    by as much as whole storage would give more to the same jobs.

    Args:
        room: bandwidth of each storage to read and to write [bit/s], (member, storage); whole: while nothing fails.
        stored: True where a job uses a storage; others stand still here.
    """
    xp = library_of(wants.rate)
    since, restart, loading, saving, unsaved = now
    none = wants.rate * 0.0
    steps = worked = saved = restarted = waited = starved = delayed = read = written = none
    left = none[:, :1] + dt
    runs = (wants.runs > 0) & stored
    short = worth_doing((room[0] < whole[0]) | (room[1] < whole[1]))
    for _ in range(EVENTS):
        restarts, loads = runs & (restart > 0), runs & (restart <= 0) & (loading > 0)
        saves = runs & (restart <= 0) & (loading <= 0) & (saving > 0)
        idles = runs & ~(restarts | loads | saves) & (wants.stands > 0) & (unsaved <= 0)
        works = runs & ~(restarts | loads | saves | idles)
        asked = works * (wants.rate * wants.reads)
        asks = xp.where(loads, PLENTY, asked), saves * wants.writes
        given, wrote = (fair(each, left_of, users) for each, left_of in zip(asks, room, strict=True))
        due = [fair(each, all_of, users) for each, all_of in zip(asks, whole, strict=True)] if short else (given, wrote)
        fed, whole_fed = (_fed(asked, each) * works for each in (given, due[0]))
        until = xp.where(restarts, restart, PLENTY)
        until = xp.where(loads, _time(loading, given), until)
        until = xp.where(saves, _time(saving, wrote), until)
        until = xp.where(works, _time(wants.interval - since, fed), until)
        part = xp.minimum(until.min(axis=1, keepdims=True), left)
        ends = (until <= part) & (left > 0)
        more = wants.rate * fed * part
        steps, unsaved, worked = steps + more, unsaved + more, worked + fed * part
        saved, restarted = saved + (saves | idles) * part, restarted + (restarts | loads) * part
        late = saves * _late(wrote, due[1])
        starved, delayed = starved + (whole_fed - fed) * part, delayed + late * part
        waited = waited + ((1.0 - fed) * works + loads * _late(given, due[0]) + late) * part
        moved, put = given * part, wrote * part
        read = read + xp.where(loads & ends, loading, moved)
        written = written + xp.where(saves & ends, saving, put)
        restart = xp.where(restarts, xp.where(ends, 0.0, restart - part), restart)
        loading = xp.where(loads, xp.where(ends, 0.0, loading - moved), loading)
        since = xp.where(works, xp.where(ends, wants.interval, since + fed * part), since)
        after = xp.where(saves, xp.where(ends, 0.0, saving - put), saving)
        saving = xp.where(works & ends, wants.size, after)
        done = saves & ends
        since, unsaved = xp.where(done, 0.0, since), xp.where(done, 0.0, unsaved)
        left = left - part
        if not worth_doing(left > 0):
            break
    waited = waited + xp.maximum(left, 0.0) * runs
    return Standing(since, restart, loading, saving, unsaved), Went(
        steps, worked, saved, restarted, waited, starved, delayed, read, written
    )


def _fed(asked: Real, given: Real) -> Real:
    """Pace of steps that read so much and are given so much, of theirs [1]."""
    xp = library_of(given)
    return xp.where(asked > given, given / xp.where(asked > given, asked, 1.0), 1.0)


def _late(given: Real, due: Real) -> Real:
    """Share of the time that who is given less than is due to it waits [1]: all of it where nothing is due."""
    xp = library_of(due)
    return xp.where(due > 0, xp.maximum(1.0 - given / xp.where(due > 0, due, 1.0), 0.0), 1.0)


def _time(amount: Real, rate: Real) -> Real:
    """How long an amount lasts at a rate [s]; nothing is done at once."""
    xp = library_of(rate)
    some = rate > 0
    return xp.where(some | (amount <= 0), xp.maximum(amount, 0.0) / xp.where(some, rate, 1.0), PLENTY)
