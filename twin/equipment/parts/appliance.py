"""Appliance: electronics in a rack that boot, are cooled by the room's air and cut themselves off when too hot."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, operable, quantity, table
from twin.driven import Driven
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched, share_alive


@table
class Appliance(Driven):
    """Its supplies ride through `undervoltage_delay`; after a longer gap it boots for `restart_delay`.

    Its chips follow the room by a first-order lag and cut it off at `shutdown_temperature`, until they have cooled by
    `restart_margin`; the heat that they hold is left out.
    """

    is_it: ClassVar[bool] = True  # its power counts as IT, though it works no tokens

    undervoltage_limit: Real = quantity(
        "1", "supply voltage below which its power supplies hold out no longer, of nominal", default=0.7, at_least=0,
        below=1,
    )  # fmt: skip
    undervoltage_delay: Real = quantity(
        "s", "time of low or no supply that it rides through", default=0.02, at_least=0, at_most=60
    )
    temperature_rise: Real = quantity(
        "K", "chips over the room's air at rated power", default=45.0, at_least=0, at_most=150
    )
    thermal_time_constant: Real = quantity(
        "s", "time constant of its chips, heat sinks and fans", default=60.0, above=0, at_most=3600
    )
    shutdown_temperature: Real = quantity("K", "chips: power is cut", default=378.15, above=300, below=450)
    restart_margin: Real = quantity(
        "K", "chips: how far below that they cool before it starts again", default=20.0, above=0, at_most=100
    )

    def live_share(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        """Share of the tick in which it draws power [1]."""
        on = self.once(drawing, u.in_service, u.mode, s.overheated)
        alive = share_alive(port.gap, dt)
        return on if type(alive) is float else on * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power

    def chips(self, s: Any, port: Ports, dt: Real) -> dict[str, Real]:
        """Chips and whether they cut it off, one tick on."""
        xp = library_of(s.chip_temperature)
        target = port.zone_temperature + self.temperature_rise * (port.power / self._full_power)
        chips = target + (s.chip_temperature - target) * xp.exp(-dt / self.thermal_time_constant)
        limit = self.shutdown_temperature - self.restart_margin * s.overheated
        hot, at = latched(
            chips >= limit, s.overheated, s.overheated_at,
            lambda: moment_of_crossing(s.chip_temperature, chips, limit, port.now, dt),
        )  # fmt: skip
        return {"chip_temperature": chips, "overheated": hot, "overheated_at": at}

    @property
    def _full_power(self) -> Real:
        """Power at which its chips are `temperature_rise` over the room [W]."""
        return self.rated_power  # type: ignore[attr-defined]


def drawing(in_service: Real, mode: Real, overheated: Real) -> Real:
    """1 where an appliance draws power while it has supply."""
    return operable(in_service, mode) * (1.0 - overheated)


def well(broken: Real, overheated: Real) -> Real | None:
    """1 where an appliance is neither broken nor too hot; None where all are well."""
    return (1.0 - broken) * (1.0 - overheated) if worth_doing(broken + overheated) else None
