"""Switch: a leaf, spine or core of a fabric, which draws power, warms the room and forwards while it is up."""

from __future__ import annotations

from typing import Any

from twin.declare import Ports, Real, flag, quantity, replace, table
from twin.driven import STOPS
from twin.equipment.parts.appliance import Appliance, drawing, well
from twin.physics.supply import share_alive


@table
class Switch(Appliance):
    """A network switch cooled by the room's air, with its power supplies and the transceivers in its ports.

    Its power does not follow traffic: that of ports and chips hardly does, broken or not. Supplies ride through
    `undervoltage_delay`; after a longer gap it boots for `restart_delay` and forwards nothing meanwhile. Its chips
    follow the room by a first-order lag and cut it off at `shutdown_temperature`, until they have cooled by
    `restart_margin`; the heat that they hold is left out. Which routes are left is for the fabric that it stands in.
    """

    kind = "switch"
    feeds = (1, 2)

    rated_power: Real = quantity("W", "electric power with transceivers in its ports", above=0, at_most=1e5)
    ports: Real = quantity("1", "ports; 0 is not told", default=0.0, at_least=0, at_most=4096)
    restart_delay: Real = quantity(
        "s", "time from supply to forwarding: up to five minutes", default=300.0, at_least=0, at_most=3600
    )
    flapping_loss: Real = quantity(
        "1", "share of its bandwidth lost while links of it flap (retries, routes found anew)", default=0.1,
        at_least=0, at_most=1,
    )  # fmt: skip

    @table
    class Inputs(Appliance.Inputs):
        chips_failed: Real = quantity("1", "1: its chips are broken and forward nothing", default=0.0, failure=True)
        links_flapping: Real = quantity("1", "1: links of it come and go", default=0.0, failure=True)
        ports_lost: Real = quantity(
            "1", "share of its network ports without a link", default=0.0, at_least=0, at_most=1
        )
        links_alive: Real = quantity(
            "1",
            "share of its links that live at both ends; its fabric writes it",
            default=1.0,
            at_least=0,
            at_most=1,
            writer="fabric",
        )

    @table
    class State(Appliance.State):
        chip_temperature: Real = quantity("K", "switch chips", default=338.15)
        overheated: Real = flag(
            "cuts its power off", "has cooled and may start", because="its chips reached {shutdown_temperature}",
            via="air",
        )  # fmt: skip
        stopped: Real = flag(
            "stops forwarding", "forwards again",
            because=(*STOPS, "chips_failed: its chips failed", "overheated: it is too hot"), via="power",
        )  # fmt: skip

    @table
    class Outputs:
        power: Real = quantity("W", "electric power", default=0.0)
        port_share: Real = quantity("1", "share of its ports that forward", default=1.0)

    def actuate(self, s: Any, u: Any, port: Ports, dt: Real) -> Any:
        return self.drive(s, u, port, self.ramp_time, dt, self.once(well, u.chips_failed, s.overheated))

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        drawn = self.once(self._drawn, u.in_service, u.mode, s.overheated)
        alive = share_alive(port.gap, dt)
        return drawn if type(alive) is float else drawn * alive

    def _drawn(self, in_service: Real, mode: Real, overheated: Real) -> Real:
        return self.rated_power * drawing(in_service, mode, overheated) * (1.0 + 0.0j)

    def _forwards(self, stopped: Real, ports_lost: Real, links_flapping: Real) -> Real:
        return (1.0 - stopped) * (1.0 - ports_lost) * (1.0 - self.flapping_loss * links_flapping)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        after = self.remembered(s, u, port, self.restart_delay)
        stopped = after.get("stopped", s.stopped)
        share = self.once(self._forwards, stopped, u.ports_lost, u.links_flapping)
        return (
            replace(s, **after, **self.chips(s, port, dt)),
            self.Outputs(power=port.power, port_share=share),
        )
