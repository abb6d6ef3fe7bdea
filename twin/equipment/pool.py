"""Pool: racks that serve the same services, side by side; who takes how much of them, `networks/work` says."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of
from twin.declare import Equipment, Ports, Real, flag, quantity, replace, table
from twin.physics.supply import latched


@table
class Pool(Equipment):
    """The GPUs of some racks as one resource; a rack stands in one pool at most, all of a pool work alike.

    Placement of models on GPUs within the pool, and traffic between prefill and decode, are left out.
    """

    kind = "pool"
    counts = True

    @table
    class State:
        work_energy: Real = quantity("J", "energy of the racks since the start", default=0.0)
        full: Real = flag("is full", "has room again", because="its racks serve less than is asked of them", via="work")

    @table
    class Outputs:
        gpus: Real = quantity("1", "GPUs at work or ready for it", default=0.0)
        prefill_speed: Real = quantity("1", "prefill that it can do, of nominal", default=1.0)
        decode_speed: Real = quantity("1", "decode that it can do, of nominal", default=1.0)
        busy: Real = quantity("1", "share of its GPUs' time at work", default=0.0)
        busy_prefill: Real = quantity("1", "share of its GPUs' time spent on prompts", default=0.0)
        answer_rate: Real = quantity("token/s", "tokens of answers written", default=0.0)
        power: Real = quantity("W", "electric power of its racks, at their feeds", default=0.0)
        energy_per_token: Real = quantity(
            "J/token", "power of its racks over tokens of answers, 0 while none come", default=0.0
        )

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        done = port.work
        xp = library_of(done.gpus)
        full, full_at = latched((done.waits > 0) * 1.0, s.full, s.full_at, lambda: port.now + 0.0 * done.gpus)
        rate = done.answers / dt
        per_token = xp.where(rate > 0, done.power / xp.maximum(rate, 1e-300), 0.0)
        used = done.prefilling + done.decoding
        out = self.Outputs(
            gpus=done.gpus,
            prefill_speed=done.prefill_speed,
            decode_speed=done.decode_speed,
            busy=used,
            busy_prefill=done.prefilling,
            answer_rate=rate,
            power=done.power,
            energy_per_token=per_token,
        )
        return replace(s, work_energy=s.work_energy + done.power * dt, full=full, full_at=full_at), out
