"""Busway: bars along a row of racks with tap-off boxes, and the whips that hang from them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, replace, table
from twin.physics.electric import Level, amperes, level, loss_by_load, overheated
from twin.physics.supply import latched, moment_of_change, share_alive, through, while_alive


@table
class Busway(Equipment):
    """Bars with an ampacity: losses by the square of the current, warnings when it is passed, and dead when burnt open.

    Currents are those of balanced phases, or of two poles on direct current; unbalance between phases, the drop
    along the bars and breakers in its tap-offs are left out.
    """

    kind = "busway"
    disturbs = ("power", "flow")
    feeds = (1, 1)
    serves = True

    ampacity: Real = quantity("A", "current that it carries for ever", above=0, at_most=1e5)
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line; 0 takes that of its feed", default=0.0, at_least=0, at_most=1e6
    )
    direct_current: Real = quantity("1", "1 on direct current, 0 on three phases", default=0.0, at_least=0, at_most=1)
    tap_ampacity: Real = quantity("A", "rating of a tap-off and its whip, 0 where not said", default=0.0, at_least=0)
    feed_lost_share: Real = quantity(
        "1", "share of its ampacity that it may carry with another feed lost", default=0.9, above=0, at_most=1
    )
    load_loss: Real = quantity("W", "loss at its ampacity", default=0.0, at_least=0, at_most=1e6)
    thermal_time_constant: Real = quantity("s", "time constant of its heating", default=1800.0, above=0, at_most=1e6)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is isolated", default=1.0, at_least=0, at_most=1)
        joint_burnt: Real = quantity("1", "1: a joint has burnt open", default=0.0, failure=True)

    @table
    class State:
        heating: Real = quantity("1", "heating of the bars, 1 at rated current for ever", default=0.0)
        over_ampacity: Real = flag(
            "carries more than its ampacity",
            "is within its ampacity again",
            because="more than {ampacity} is asked of it",
            via="load",
        )
        overloaded: Real = flag(
            "is overheated by overload",
            "has cooled to its rating",
            because="it carried more than {ampacity} for too long",
            via="load",
        )
        dead: Real = flag(
            "is dead",
            "is alive again",
            because=("its feed is dead", "joint_burnt: a joint has burnt open"),
            via="power",
        )

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feed", default=0.0)
        loss: Real = quantity("W", "heat given to the room", default=0.0)
        current: Real = quantity("A", "line current", default=0.0)
        load_fraction: Real = quantity("1", "current over rated current", default=0.0)

    def current_of(self, apparent: Real, voltage: Real = 1.0) -> Real:
        """Line current [A] of an apparent power [VA] at a voltage [pu]."""
        return amperes(apparent, voltage, self._level)

    @cached_property
    def _level(self) -> Level:
        return level(self.nominal_voltage, self.direct_current)

    def _whole(self, in_service: Real, burnt: Real) -> Real:
        return in_service * (1.0 - burnt)

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        whole = self.once(self._whole, u.in_service, u.joint_burnt)
        return Supply(*through(port.feed_voltage[0], port.feed_gap[0], whole, dt))

    def draw(self, s: Any, u: Any, port: Ports, load: Real, dt: Real) -> Real:
        alive = share_alive(port.gap, dt)
        port.plan = self.current_of(abs(while_alive(load, alive)), abs(port.voltage))
        return load + loss_by_load(port.plan / self.ampacity, 0.0, 0.0, self.load_loss) * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power - port.load

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        alive, fraction = share_alive(port.gap, dt), port.plan / self.ampacity
        heating, overloaded, overloaded_at = overheated(
            s.heating, fraction * fraction * alive, self.thermal_time_constant,
            s.overloaded, s.overloaded_at, port.now, dt,
        )  # fmt: skip
        over, over_at = latched(fraction > 1.0, s.over_ampacity, s.over_ampacity_at, port.now)
        is_dead = port.voltage == 0
        dead, dead_at = latched(is_dead, s.dead, s.dead_at, lambda: port.now + moment_of_change(is_dead, port.gap, dt))
        after = replace(
            s, heating=heating, overloaded=overloaded, overloaded_at=overloaded_at, over_ampacity=over,
            over_ampacity_at=over_at, dead=dead, dead_at=dead_at,
        )  # fmt: skip
        return after, self.Outputs(
            power=port.power, loss=port.power - port.load, current=port.plan, load_fraction=fraction
        )
