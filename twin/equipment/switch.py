"""Switch: a leaf, spine or core of a fabric, which draws power, warms the room and forwards while it is up."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.arrays import library_of, worth_doing
from twin.declare import Ports, Real, flag, operable, quantity, replace, table
from twin.driven import Driven
from twin.physics.machine import moment_of_crossing
from twin.physics.supply import latched, share_alive


@table
class Switch(Driven):
    """A network switch cooled by the room's air, with its power supplies and the transceivers in its ports.

    Its power does not follow traffic: that of ports and chips hardly does, broken or not. Supplies ride through
    `undervoltage_delay`; after a longer gap it boots for `restart_delay` and forwards nothing meanwhile. Its chips
    follow the room by a first-order lag and cut it off at `shutdown_temperature`, until they have cooled by
    `restart_margin`; the heat that they hold is left out. Which routes are left is for the fabric that it stands in.
    """

    kind = "switch"
    feeds = (1, 2)
    is_it: ClassVar[bool] = True  # its power counts as IT, though it works no tokens

    rated_power: Real = quantity("W", "electric power with transceivers in its ports", above=0, at_most=1e5)
    ports: Real = quantity("1", "ports; 0 is not told", default=0.0, at_least=0, at_most=4096)
    restart_delay: Real = quantity(
        "s", "time from supply to forwarding: up to five minutes", default=300.0, at_least=0, at_most=3600
    )
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
    flapping_loss: Real = quantity(
        "1", "share of its bandwidth lost while links of it flap (retries, routes found anew)", default=0.1,
        at_least=0, at_most=1,
    )  # fmt: skip

    @table
    class Inputs(Driven.Inputs):
        chips_failed: Real = quantity("1", "1: its chips are broken and forward nothing", default=0.0, failure=True)
        links_flapping: Real = quantity("1", "1: links of it come and go", default=0.0, failure=True)
        ports_lost: Real = quantity(
            "1", "share of its network ports without a link", default=0.0, at_least=0, at_most=1
        )
        links_alive: Real = quantity(
            "1", "share of its links that live at both ends; its fabric writes it", default=1.0, at_least=0, at_most=1
        )

    @table
    class State(Driven.State):
        chip_temperature: Real = quantity("K", "switch chips", default=338.15)
        overheated: Real = flag(
            "cuts its power off", "has cooled and may start", because="its chips reached {shutdown_temperature}",
            via="air",
        )  # fmt: skip
        stopped: Real = flag(
            "stops forwarding", "forwards again", because="it had no supply, failed, overheated or was stopped",
            via="power",
        )  # fmt: skip

    @table
    class Outputs:
        power: Real = quantity("W", "electric power", default=0.0)
        port_share: Real = quantity("1", "share of its ports that forward", default=1.0)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        return self.drive(s, u, port, self.ramp_time, dt, self.once(_well, u.chips_failed, s.overheated))

    def _drawn(self, in_service: Real, mode: Real, overheated: Real) -> Real:
        on = operable(in_service, mode) * (1.0 - overheated)
        return self.rated_power * on * (1.0 + 0.0j)

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        drawn = self.once(self._drawn, u.in_service, u.mode, s.overheated)
        alive = share_alive(port.gap, dt)
        return drawn if type(alive) is float else drawn * alive

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power

    def _forwards(self, stopped: Real, ports_lost: Real, links_flapping: Real) -> Real:
        return (1.0 - stopped) * (1.0 - ports_lost) * (1.0 - self.flapping_loss * links_flapping)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        xp = library_of(s.chip_temperature)
        target = port.zone_temperature + self.temperature_rise * (port.power / self.rated_power)
        chips = target + (s.chip_temperature - target) * xp.exp(-dt / self.thermal_time_constant)
        limit = self.shutdown_temperature - self.restart_margin * s.overheated
        hot, at = latched(
            chips >= limit, s.overheated, s.overheated_at,
            lambda: moment_of_crossing(s.chip_temperature, chips, limit, port.now, dt),
        )  # fmt: skip
        after = self.remembered(s, u, port, self.restart_delay)
        stopped = after.get("stopped", s.stopped)
        share = self.once(self._forwards, stopped, u.ports_lost, u.links_flapping)
        return (
            replace(s, **after, chip_temperature=chips, overheated=hot, overheated_at=at),
            self.Outputs(power=port.power, port_share=share),
        )


def _well(chips_failed: Real, overheated: Real) -> Real | None:
    """1 where a switch is neither broken nor too hot; None where all are well."""
    return (1.0 - chips_failed) * (1.0 - overheated) if worth_doing(chips_failed + overheated) else None
