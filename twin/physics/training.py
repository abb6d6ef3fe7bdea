"""Training in lockstep: work between checkpoints, and how busy GPUs are through the steps of an iteration."""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.arrays import library_of

Real = Any


class Gang(NamedTuple):
    """What racks a job finds: how many it wants and can work; of these the slowest, and the least bandwidth [1].

    Where a job works out its communication, `bandwidth` is told apart into `ports` between racks and `nvlink` within
    them, and `links` says what both are with nothing lost.
    """

    wanted: Real
    able: Real
    speed: Real
    bandwidth: Real
    ports: Real = None
    nvlink: Real = None
    links: Any = None


def worked(elapsed: Real, interval: Real, pause: Real) -> Real:
    """Seconds of work in so many seconds from the end of a checkpoint [s].

        W(t) = floor(t/(I + C)) I + min(t mod (I + C), I)

    Args:
        elapsed: since a checkpoint ended [s].
        interval: work between checkpoints I [s].
        pause: length of a checkpoint C [s].
    """
    xp = library_of(elapsed)
    whole = xp.floor(elapsed / (interval + pause))
    return whole * interval + xp.minimum(elapsed - whole * (interval + pause), interval)


def communication(exposed: Real, bandwidth: Real) -> tuple[Real, Real]:
    """Length of a step over that at full bandwidth [1], and the share of it that waits for the network [1].

        t/t_0 = (1 - e) + e/b

    Args:
        exposed: share of a step that waits for the network at full bandwidth.
        bandwidth: share of it that is left, 0..1.
    """
    waits = exposed / library_of(bandwidth).maximum(bandwidth, 1e-6)
    longer = (1.0 - exposed) + waits
    return longer, waits / longer


def activity(steps: Real, more: Real, waits: Real, quiet: Real) -> Real:
    """Mean activity of GPUs over some steps [1]: 1 while they compute, `quiet` while they wait for the network.

    Args:
        steps: done before [1]; an iteration begins at each whole number, with its computation.
        more: done now [1].
        waits: share of a step that waits for the network.
        quiet: activity while they wait.
    """
    xp = library_of(steps)
    start = steps - xp.floor(steps)  # whole steps before change nothing, and cost digits

    def gained(s: Real) -> Real:
        whole = xp.floor(s)
        part = s - whole
        computes = xp.minimum(part, 1.0 - waits)
        return whole * (1.0 - waits + waits * quiet) + computes + quiet * (part - computes)

    some = xp.maximum(more, 1e-12)
    at_once = xp.where(start < 1.0 - waits, 1.0, quiet)
    return xp.where(more > 1e-9, (gained(start + more) - gained(start)) / some, at_once)
