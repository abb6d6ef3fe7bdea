"""PDU: the distribution unit that brings power from one or two boards to the racks."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, replace, table
from twin.physics.electric import Level, amperes, level, loss_by_load, overheated
from twin.physics.shedding import drops, shed_latch
from twin.physics.supply import (
    latched,
    moment_of_change,
    preferred,
    share_alive,
    shared,
    switched,
    while_alive,
)


@table
class PDU(Equipment):
    """Losses by load behind one or two feeds, shared or (with a static switch) the first while it lives.

    Losses are those at nominal voltage. The 4 ms of a static switch, shorter than any rack's hold-up, and
    breakers of its own are left out; currents are those of balanced phases. Told to shed (the delay of the
    signal's line is its priority) it opens, and stays open until `reset` is raised.
    """

    kind = "pdu"
    disturbs = ("power", "flow")
    feeds = (1, 2)
    serves = True
    signals = ("shed",)

    rated_power: Real = quantity("W", "power that it carries for ever", above=0, at_most=1e7)
    no_load_loss: Real = quantity("W", "loss when energised without load", default=0.0, at_least=0, at_most=1e5)
    load_loss: Real = quantity("W", "loss added at rated power", default=0.0, at_least=0, at_most=1e6)
    static_transfer: Real = quantity(
        "1",
        "1 takes from the first live feed, 0 shares between live feeds",
        default=0.0,
        at_least=0,
        at_most=1,
    )
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line; 0 takes that of its feed", default=0.0, at_least=0, at_most=1e6
    )
    direct_current: Real = quantity("1", "1 on direct current, 0 on three phases", default=0.0, at_least=0, at_most=1)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=3600.0, above=0, at_most=1e6)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is isolated", default=1.0, at_least=0, at_most=1)
        short_circuit: Real = quantity("1", "1: all phases are shorted at its terminals", default=0.0, failure=True)
        fault_power: Real = quantity(
            "VA", "power of that at nominal voltage; 0 is bolted", default=0.0, at_least=0, at_most=1e12
        )
        reset: Real = quantity("1", "raised to 1, clears a latched shedding", default=0.0, at_least=0, at_most=1)

    @table
    class State:
        reset_seen: Real = quantity("1", "the reset as it was", default=0.0)
        load_shed: Real = flag("is shed", "is restored", because="the generators asked for less load", via="signal")
        heating: Real = quantity("1", "heating, 1 at rated power for ever", default=0.0)
        overloaded: Real = flag(
            "is overheated by overload",
            "has cooled to its rating",
            because="it carried more than {rated_power} for too long",
            via="load",
        )
        dead: Real = flag("is dead", "is alive again", because="none of its feeds lives", via="power")

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feeds", default=0.0)
        loss: Real = quantity("W", "heat given to the room", default=0.0)
        current: Real = quantity("A", "line current, 0 where its voltage level is not known", default=0.0)
        load_fraction: Real = quantity("1", "apparent power over rating", default=0.0)

    def loss(self, load: Real) -> Real:
        """Heat [W] for an apparent load [VA]."""
        return loss_by_load(abs(load) / self.rated_power, self.no_load_loss, 0.0, self.load_loss)

    def efficiency(self, load: Real) -> Real:
        """Power out over power in [1], for a load [W]."""
        return load / (load + self.loss(load))

    @cached_property
    def _level(self) -> Level:
        return level(self.nominal_voltage, self.direct_current)

    @cached_property
    def _leveled(self) -> bool:
        return worth_doing(self.nominal_voltage)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        offer = shared(port.feed_voltage, port.feed_gap, dt)
        if len(offer[2]) > 1 and worth_doing(self.static_transfer):
            where = library_of(offer[1]).where
            first = preferred(port.feed_voltage, port.feed_gap, dt)
            prefers = self.static_transfer > 0
            shares = [where(prefers, one, other) for one, other in zip(first[2], offer[2])]
            offer = where(prefers, first[0], offer[0]), offer[1], shares
        dropped = self._drops(s, u, port)
        on = u.in_service if dropped is s.load_shed and not worth_doing(dropped) else u.in_service * (1.0 - dropped)
        return Supply(*switched(offer, on, dt))

    def _drops(self, s: Any, u: Any, port: Ports) -> Real:
        return self.once(drops, port.signal.get("shed", 0.0), s.load_shed, u.reset, s.reset_seen)

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        return load + self.loss(while_alive(load, alive)) * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power - port.load

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        alive = share_alive(port.gap, dt)
        apparent = library_of(port.load).hypot(port.load, port.load_reactive)
        carried = while_alive(apparent, alive)
        fraction = carried / self.rated_power
        if self._leveled:
            current = amperes(carried, abs(port.voltage), self._level)
        else:
            current = 0.0 * fraction
        heating, overloaded, overloaded_at = overheated(
            s.heating, fraction * fraction * alive, self.thermal_time_constant,
            s.overloaded, s.overloaded_at, port.now, dt,
        )  # fmt: skip
        is_dead = port.voltage == 0
        dead, dead_at = latched(is_dead, s.dead, s.dead_at, lambda: port.now + moment_of_change(is_dead, port.gap, dt))
        after = replace(
            s, heating=heating, overloaded=overloaded, overloaded_at=overloaded_at, dead=dead, dead_at=dead_at,
            reset_seen=u.reset, **shed_latch(self._drops(s, u, port), s.load_shed, s.load_shed_at, port.now),
        )  # fmt: skip
        return after, self.Outputs(
            power=port.power, loss=port.power - port.load, current=current, load_fraction=fraction
        )
