"""Account: what a tier, a job or a pool is charged with - energy, money and GPU time, in counters since the start."""

from __future__ import annotations

from typing import Any

from twin.arrays import library_of
from twin.declare import Equipment, Real, quantity, table

LEAST = 1e-9
"""Steps that count as none, of one or of all that were made: round-off."""


@table
class Account(Equipment):
    """Counters of energy at three levels, of its cost and of GPU time; `networks/accounting` says what is whose."""

    @table
    class State:
        rack_energy: Real = quantity("J", "energy of racks charged to it since the start", default=0.0)
        it_energy: Real = quantity("J", "the same with its part of switches and storage", default=0.0)
        facility_energy: Real = quantity("J", "the same with its part of all that the site took", default=0.0)
        energy_cost: Real = quantity("USD", "cost of facility_energy at the price of each moment", default=0.0)
        gpu_time: Real = quantity("s", "time of single GPUs since the start", default=0.0)

    def booked(self, s: Any, power: Real, of_all: tuple[Real, Real, Real], gpus: Real, dt: Real) -> dict[str, Real]:
        """Its counters one tick on.

        Args:
            power: of its racks [W]; of_all: power of all IT and of the site, over that of all racks [1], and the price
                of energy [USD/J].
            gpus: how many it had or used, mean over the tick.
        """
        it, site, price = of_all
        facility = dt * (power * site)
        return {
            "rack_energy": s.rack_energy + dt * power,
            "it_energy": s.it_energy + dt * (power * it),
            "facility_energy": s.facility_energy + facility,
            "energy_cost": s.energy_cost + facility * price,
            "gpu_time": s.gpu_time + dt * gpus,
        }


@table
class JobAccount(Account):
    """The same for a job, and what it spent on steps: those that count, those not saved yet, those rolled back."""

    @table
    class State(Account.State):
        step_energy: Real = quantity("J", "energy of its racks spent on steps, also on those rolled back", default=0.0)
        unsaved_energy: Real = quantity("J", "of that, on steps since the last checkpoint", default=0.0)
        lost_energy: Real = quantity("J", "of that, on steps rolled back since the start", default=0.0)
        unsaved_gpu_time: Real = quantity("s", "time of single GPUs spent on steps since the last checkpoint",
                                          default=0.0)  # fmt: skip
        lost_gpu_time: Real = quantity("s", "time of single GPUs spent on steps rolled back", default=0.0)
        idle_gpu_time: Real = quantity("s", "time of single GPUs in restarts, without a whole gang, and in what a lost "
                                       "part of their storage cost them", default=0.0)  # fmt: skip

    def spent(self, s: Any, did: Any, power: tuple[Real, Real], gpus: Real, dt: Real) -> dict[str, Real]:
        """What its steps took, one tick on; s: as it was.

        Idle power goes by time, what is above it by activity: in checkpoints and restarts GPUs are as active as
        `overhead_activity` says. Of a tick in which a checkpoint ends, what is not saved is its share of the steps.

        Args:
            did: what it did in the tick; power: of its racks, and the part of it that idle racks take too [W].
        """
        xp, (whole, base) = library_of(did.rate), power
        pauses = did.restarting + did.saving
        works = xp.maximum(dt * did.runs - pauses, 0.0)
        busy = xp.maximum(did.activity * dt - self.overhead_activity * pauses, 0.0)  # type: ignore[attr-defined]
        share = xp.where(did.activity > 0, xp.minimum(busy / xp.maximum(did.activity * dt, LEAST), 1.0), works / dt)
        starved, delayed = (0.0, 0.0) if did.stored is None else did.stored[3:]
        energy, time = base * works + (whole - base) * share * dt, gpus * (works - starved)
        falls = (did.fell > 0) | (did.lost > 0)
        made = did.steps - (s.steps - did.lost)
        unsaved = s.unsaved - did.lost
        kept = did.unsaved >= unsaved + made - LEAST * xp.maximum(1.0, did.steps)
        part = xp.minimum(did.unsaved / xp.maximum(made, LEAST), 1.0)
        idle = gpus * (dt - dt * did.runs + did.restarting + starved + delayed)
        found = {"step_energy": s.step_energy + energy, "idle_gpu_time": s.idle_gpu_time + idle}
        for name, lost, now in (("energy", "lost_energy", energy), ("gpu_time", "lost_gpu_time", time)):
            was = getattr(s, f"unsaved_{name}")
            found[lost] = getattr(s, lost) + xp.where(falls, was, 0.0)
            found[f"unsaved_{name}"] = xp.where(kept, xp.where(falls, 0.0, was) + now, now * part)
        return found


@table
class PoolAccount(Equipment):
    """Counters of what a pool's GPUs could do and did, and of energy that served nobody."""

    @table
    class State:
        gpu_time: Real = quantity("s", "time of single GPUs that could serve since the start", default=0.0)
        busy_time: Real = quantity("s", "of that, time at work", default=0.0)
        idle_energy: Real = quantity("J", "energy of its racks charged to no service since the start", default=0.0)
        idle_it_energy: Real = quantity("J", "the same with its part of switches and storage", default=0.0)
        idle_facility_energy: Real = quantity("J", "the same with its part of all that the site took", default=0.0)

    def idled(self, s: Any, power: Real, of_all: tuple[Real, Real, Real], dt: Real) -> dict[str, Real]:
        """Energy that served nobody, one tick on; arguments as in `Account.booked`."""
        it, site, _ = of_all
        return {
            "idle_energy": s.idle_energy + dt * power,
            "idle_it_energy": s.idle_it_energy + dt * (power * it),
            "idle_facility_energy": s.idle_facility_energy + dt * (power * site),
        }
