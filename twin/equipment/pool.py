"""Pool: racks that serve the same services, side by side; who takes how much of them, `networks/work` says."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, quantity, replace, table
from twin.equipment.parts.account import PoolAccount
from twin.physics.supply import latched

BATCHING = {"shared": 0.0, "by_tier": 1.0}
"""Who goes through a step together: answers of all services; or of each by itself, on GPUs dealt to it."""
EVERY = 1e9
"""More GPUs than there are."""


@table
class Pool(PoolAccount):
    """The GPUs of some racks as one resource; a rack stands in one pool at most, all of a pool work alike.

    With a storage system its GPUs read `weights` from there before they serve: those that come back, and after a
    `crash` all of them. They share what bandwidth the pool gets, and begin to serve as their weights arrive, one after
    the other. Who is lost is taken for one that had its weights. Its services share a batch, or have GPUs of their own
    (`batching`). Racks may hold the models together, so many at a time in the order in which the pool names them
    (`replica_racks`): these serve only while all of them can, at the pace of the slowest. Placement of models on GPUs
    within the pool is left out otherwise.
    """

    kind = "pool"
    counts = True

    weights: Real = quantity(
        "bit", "data that each of its GPUs reads from its storage system before it serves", default=0.0, at_least=0,
        at_most=1e15,
    )  # fmt: skip

    batching: Real = quantity(
        "1", "whose answers go through a step together: those of all services; or by tier, where each has GPUs of its "
        "own, by priority and need, and fills their batches as far as its token_limit allows", default=0.0,
        choices=BATCHING,
    )  # fmt: skip

    replica_racks: Real = quantity(
        "1", "racks that hold one replica of its models together, in the order named: none of them serves without the "
        "others", default=1.0, at_least=1, at_most=1e4,
    )  # fmt: skip

    @table
    class Inputs:
        crash: Real = quantity(
            "1", "1 when its software fails: its GPUs serve nothing, and lose their weights",
            default=0.0, at_least=0, at_most=1, failure=True,
        )  # fmt: skip

    @table
    class State(PoolAccount.State):
        work_energy: Real = quantity("J", "energy of the racks since the start", default=0.0)
        gpus_lacking: Real = quantity("1", "GPUs that could work and have no weights yet", default=0.0)
        gpus_had: Real = quantity(
            "1", "GPUs that could work in the last tick; before the first all that there are have weights",
            default=EVERY,
        )  # fmt: skip
        unloaded: Real = flag(
            "has GPUs that cannot serve yet", "serves with all its GPUs again", because=(
                "GPUs that came back read their weights", "crash: its services crashed",
            ), via="work",
        )  # fmt: skip
        broken: Real = flag(
            "has a replica that is not whole", "has whole replicas again", because=(
                "a rack that holds part of a model cannot work, and others stand with it",
                "bandwidth_share: racks that hold a model together are cut off",
            ), via="work",
        )  # fmt: skip
        without_racks: Real = flag(
            "has no racks ready", "has racks ready again", via="work",
            because="all of them are off, lost, drained or still starting",
        )  # fmt: skip
        full: Real = flag(
            "is full", "has room again", because=(
                "its racks serve less than is asked of them", "waiting: requests that have waited fill it",
            ), via="work",
        )  # fmt: skip

    @table
    class Outputs:
        gpus: Real = quantity("1", "GPUs at work or ready for it, with their weights", default=0.0)
        gpus_standing: Real = quantity(
            "1", "GPUs that could work, but stand with others that hold their model too", default=0.0
        )
        prefill_speed: Real = quantity("1", "prefill that it can do, of nominal", default=1.0)
        decode_speed: Real = quantity("1", "decode that it can do, of nominal", default=1.0)
        busy: Real = quantity("1", "share of its GPUs' time at work", default=0.0)
        busy_prefill: Real = quantity("1", "share of its GPUs' time spent on prompts", default=0.0)
        answer_rate: Real = quantity("token/s", "tokens of answers written", default=0.0)
        power: Real = quantity("W", "electric power of its racks, at their feeds", default=0.0)
        energy_per_token: Real = quantity(
            "J/token", "power of its racks over tokens of answers, 0 while none come", default=0.0
        )

    def lacking(self, s: Any, u: Any, able: Real) -> Real:
        """GPUs without weights at the start of a tick, of those that can work [1]; none where it is told of no weights.

        Args:
            able: GPUs that can work, also those that a network cuts off: they keep what they hold.
        """
        xp = library_of(able)
        came = xp.maximum(able - s.gpus_had, 0.0)
        lacks = xp.where(self.weights > 0, xp.minimum(s.gpus_lacking + came, able), 0.0)
        return xp.where(u.crash > 0, able, lacks)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        done = port.work
        xp = library_of(done.gpus)
        without_racks, without_racks_at = latched((done.able <= 0) * 1.0, s.without_racks, s.without_racks_at, port.now)
        full, full_at = latched((done.waits > 0) * 1.0, s.full, s.full_at, lambda: port.now + 0.0 * done.gpus)
        rate = done.answers / dt
        per_token = xp.where(rate > 0, done.power / xp.maximum(rate, 1e-300), 0.0)
        used = done.prefilling + done.decoding
        stands = self.once(_none, u.crash) if done.standing is None else done.standing[0]
        out = self.Outputs(
            gpus=done.gpus,
            gpus_standing=stands,
            prefill_speed=done.prefill_speed,
            decode_speed=done.decode_speed,
            busy=used,
            busy_prefill=done.prefilling,
            answer_rate=rate,
            power=done.power,
            energy_per_token=per_token,
        )
        after = replace(
            s, work_energy=s.work_energy + done.power * dt, gpus_had=done.able,
            without_racks=without_racks, without_racks_at=without_racks_at, full=full, full_at=full_at,
        )  # fmt: skip
        if done.standing is not None:
            after.broken, after.broken_at = latched(done.standing[1], s.broken, s.broken_at, port.now)
        if worth_doing((done.lacking > 0) | (s.gpus_lacking > 0) | (s.unloaded > 0)):
            lacks = (done.lacking > 0) * 1.0
            after.gpus_lacking = done.lacking
            after.unloaded, after.unloaded_at = latched(
                lacks, s.unloaded, s.unloaded_at, lambda: port.now + xp.where(lacks > 0, 0.0, done.loaded)
            )
        return after, out


def _none(of: Real) -> Real:
    """Nothing, for each pool."""
    return 0.0 * of
