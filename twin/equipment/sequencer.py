"""Sequencer: the plant controller that calls and releases machines by load, and replaces one that is lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, ClassVar

from twin.arrays import library_of, worth_doing
from twin.declare import MODES, Ports, Real, flag, mode, quantity, replace, table
from twin.driven import STOPS, Driven
from twin.physics.staging import chosen, wants_fewer, wants_more
from twin.physics.supply import latched, share_alive

SLOTS = range(1, 9)
MEMORY = 12 * 3600.0
"""Time constant [s] in which it forgets that machines gave less than they are rated for; an estimate."""


@dataclass(slots=True)
class Clocks:
    """What a sequencer counts, in the units of its State."""

    wanted: Real
    call_clock: Real
    release_clock: Real
    settle_clock: Real
    rotate_clock: Real
    lead: Real
    overlapping: Real
    seen_capacity: Real


def _calls(number: int) -> Any:
    return flag(
        f"calls machine {number}", f"releases machine {number}",
        because=("the load asks for it", "loss: another machine was lost"), via="signal",
        doc=f"1 while it calls machine {number}",
    )  # fmt: skip


@table
class Sequencer(Driven):
    """Decides how many of up to eight machines (or whole trains) run, and tells the others to stand by.

    One more is called when the load has passed `call_at` of the running ones' capacity, or one of them has been at its
    limit, for `call_delay`; one is released when the load has stayed below `release_at` of what one fewer can take for
    `release_delay`. After each change it waits `settle_time`. One that is lost is replaced at once. Every
    `rotation_period` the next one takes the lead, with both running for a settling time. Without supply, while it
    boots (`restart_delay`) and out of service it commands nothing: machines run by their own controls, all of them.
    Prediction of the load and unequal machines are left out.
    """

    kind = "sequencer"
    feeds = (1, 2)
    signals = ("load", "short", *(f"lost_{k}" for k in SLOTS))
    adds: ClassVar[dict[str, str]] = {"load": "W"}
    """Signals whose lines add up, and the unit of what they carry."""

    machines: Real = quantity("1", "machines that it stages", at_least=1, at_most=8)
    machine_capacity: Real = quantity("W", "heat that one of them is rated for", above=0, at_most=1e9)
    fewest: Real = quantity("1", "machines that always run", default=1.0, at_least=0, at_most=8)
    call_at: Real = quantity("1", "load that calls one more, of the running capacity", default=0.9, above=0, at_most=1)
    release_at: Real = quantity(
        "1", "load that releases one, of the capacity of one fewer", default=0.75, above=0, at_most=1
    )
    call_delay: Real = quantity("s", "time that more must be wanted", default=120.0, at_least=0)
    release_delay: Real = quantity("s", "time that fewer must do", default=600.0, at_least=0)
    settle_time: Real = quantity("s", "time between two changes", default=300.0, at_least=0)
    rotation_period: Real = quantity("s", "time after which the next one leads; 0: never", default=0.0, at_least=0)
    rated_power: Real = quantity("W", "electric power of the controller", default=300.0, above=0, at_most=1e5)
    restart_delay: Real = quantity("s", "time from supply to its first command", default=60.0, at_least=0)

    @table
    class Inputs(Driven.Inputs):
        mode: Real = mode("auto stages by load, hand wants hand_count")
        hand_count: Real = quantity("1", "machines wanted in hand", default=1.0, at_least=0, at_most=8)

    @table
    class State(Driven.State):
        wanted: Real = quantity("1", "machines wanted")
        lead: Real = quantity("1", "place of the leading machine, from 0", default=0.0)
        call_clock: Real = quantity("s", "time that more are wanted", default=0.0)
        release_clock: Real = quantity("s", "time that fewer do", default=0.0)
        settle_clock: Real = quantity("s", "time since its last change", default=0.0)
        rotate_clock: Real = quantity("s", "time since the lead went on", default=0.0)
        overlapping: Real = quantity("1", "1 while old and new lead both run", default=0.0)
        seen_capacity: Real = quantity("W", "heat that one machine has shown to take at its limit")
        calls_1: Real = _calls(1)
        calls_2: Real = _calls(2)
        calls_3: Real = _calls(3)
        calls_4: Real = _calls(4)
        calls_5: Real = _calls(5)
        calls_6: Real = _calls(6)
        calls_7: Real = _calls(7)
        calls_8: Real = _calls(8)
        stopped: Real = flag("stops commanding", "commands again", because=STOPS, via="power")
        short_of_machines: Real = flag(
            "has too few machines", "has machines enough", because="those that could join are lost", via="signal"
        )

    @table
    class Outputs:
        power: Real = quantity("W", "electric power", default=0.0)
        machines_called: Real = quantity("1", "machines called", default=0.0)
        standby_1: Real = quantity("s", "time that machine 1 is told to stand by", default=0.0)
        standby_2: Real = quantity("s", "time that machine 2 is told to stand by", default=0.0)
        standby_3: Real = quantity("s", "time that machine 3 is told to stand by", default=0.0)
        standby_4: Real = quantity("s", "time that machine 4 is told to stand by", default=0.0)
        standby_5: Real = quantity("s", "time that machine 5 is told to stand by", default=0.0)
        standby_6: Real = quantity("s", "time that machine 6 is told to stand by", default=0.0)
        standby_7: Real = quantity("s", "time that machine 7 is told to stand by", default=0.0)
        standby_8: Real = quantity("s", "time that machine 8 is told to stand by", default=0.0)

    def rest(self, u: Any) -> dict[str, Real]:
        return {
            "wanted": self.machines + 0.0 * u.in_service,
            "seen_capacity": self.machine_capacity + 0.0 * u.in_service,
        }

    def faults(self, feeds: int) -> list[str]:
        found = []
        if self.machines != int(self.machines):
            found.append(f"its machines are {self.machines:g}; a whole number is wanted")
        if self.release_at >= self.call_at:
            found.append("its release_at is not below its call_at, so that it would call and release without end")
        if self.fewest > self.machines:
            found.append(f"its fewest are {self.fewest:g} of {self.machines:g} machines; at most as many are wanted")
        return found

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return self.rated_power * u.in_service * share_alive(port.gap, dt) * (1.0 + 0.0j)

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.wanted)
        commands = (port.drive.readiness >= 1.0) & (port.gap == 0)
        counted = self.count(s, u, port, commands, dt)
        able = [(port.signal[f"lost_{k}"] <= 0) * (k <= self.machines) * 1.0 for k in SLOTS]
        rank = [xp.where(k <= self.machines, (k - 1 - counted.lead) % self.machines, k * 1.0) for k in SLOTS]
        was = [getattr(s, f"calls_{k}") for k in SLOTS]
        calls = chosen(was, able, rank, counted.wanted + counted.overlapping)
        after: dict[str, Real] = {name: getattr(counted, name) for name in Clocks.__slots__}
        for k, now, before in zip(SLOTS, calls, was, strict=True):
            held = xp.where(commands, now, before)
            after[f"calls_{k}"], after[f"calls_{k}_at"] = latched(
                held > 0, before, getattr(s, f"calls_{k}_at"), port.now
            )
        few = commands & (reduce(add, able) < counted.wanted)
        after["short_of_machines"], after["short_of_machines_at"] = latched(
            few, s.short_of_machines, s.short_of_machines_at, port.now
        )
        made = replace(s, **after, **self.remembered(s, u, port, self.restart_delay))
        standby = {
            f"standby_{k}": (1.0 - after[f"calls_{k}"]) * commands * (port.now + dt - after[f"calls_{k}_at"])
            for k in SLOTS
        }
        running = reduce(add, [after[f"calls_{k}"] for k in SLOTS])
        return made, self.Outputs(power=port.power, machines_called=running, **standby)

    def count(self, s: Any, u: Any, port: Ports, commands: Real, dt: Real) -> Clocks:
        """How many are wanted at the end of the tick, with the clocks that decide it; all stand while it is down."""
        xp = library_of(s.wanted)
        load, at_limit_for = port.signal["load"], port.signal["short"]
        short = at_limit_for > 0
        each = load / xp.maximum(s.wanted, 1.0)
        fades = s.seen_capacity + (self.machine_capacity - s.seen_capacity) * -xp.expm1(-dt / MEMORY)
        shows = short & (at_limit_for >= self.call_delay) & (s.settle_clock >= self.settle_time)
        capacity = xp.where(shows, xp.minimum(each, self.machine_capacity), fades)
        more = wants_more(load, s.wanted, capacity, self.call_at) | short
        fewer = wants_fewer(load, s.wanted, capacity, self.release_at) & ~more
        call, release = (s.call_clock + dt) * more, (s.release_clock + dt) * fewer
        settled = s.settle_clock + dt
        free = settled >= self.settle_time
        calls = free & (call >= self.call_delay) & (s.wanted < self.machines)
        releases = free & (release >= self.release_delay) & (s.wanted > self.fewest)
        wanted = s.wanted + calls - releases
        in_hand = u.mode == MODES["hand"]
        if worth_doing(in_hand):
            wanted = xp.where(in_hand, xp.minimum(u.hand_count, self.machines), wanted)
        changes = wanted != s.wanted
        rotated = s.rotate_clock + dt
        turns = (self.rotation_period > 0) & (rotated >= self.rotation_period) & ~changes & (wanted < self.machines)
        overlapping = xp.where(turns, 1.0, s.overlapping * (rotated < self.settle_time))
        new = Clocks(
            wanted,
            xp.where(changes, 0.0, call),
            xp.where(changes, 0.0, release),
            xp.where(changes, 0.0, settled),
            xp.where(turns, 0.0, rotated),
            xp.where(turns, (s.lead + 1.0) % self.machines, s.lead),
            overlapping,
            capacity,
        )
        return Clocks(*[xp.where(commands, getattr(new, name), getattr(s, name)) for name in Clocks.__slots__])
