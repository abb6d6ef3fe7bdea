"""Control panel: what powers the controllers of valves and drives, and boots again when its supply comes back."""

from __future__ import annotations

from typing import Any

from twin.declare import Ports, Real, flag, quantity, replace, table
from twin.driven import STOPS, Driven
from twin.physics.supply import share_alive


@table
class ControlPanel(Driven):
    """A panel of controllers behind a power supply that bridges short gaps (`undervoltage_delay`).

    A longer gap, a failure or a stop loses the controllers; after supply is back they boot for `restart_delay`. Those
    that listen to its `down_time` (`uncontrolled`) do meanwhile what is declared of each of them. Networks between
    controllers and their single points of failure are left out.
    """

    kind = "control_panel"
    feeds = (1, 2)

    rated_power: Real = quantity("W", "electric power of its controllers", default=500.0, above=0, at_most=1e5)
    restart_delay: Real = quantity(
        "s", "time from supply to control: 30 to 120 s are common", default=60.0, at_least=0, at_most=3600
    )
    undervoltage_limit: Real = quantity(
        "1", "supply voltage below which it holds out no longer, of nominal", default=0.7, at_least=0, below=1
    )
    undervoltage_delay: Real = quantity(
        "s", "time of low or no supply that it rides through", default=0.02, at_least=0, at_most=60
    )

    @table
    class State(Driven.State):
        lost_for: Real = quantity("s", "time that it has been without control", default=0.0)
        stopped: Real = flag("stops controlling", "controls again", because=STOPS, via="power")

    @table
    class Outputs:
        power: Real = quantity("W", "electric power", default=0.0)
        down_time: Real = quantity("s", "time since control was lost; 0 while it controls", default=0.0)

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return self.rated_power * u.in_service * share_alive(port.gap, dt) * (1.0 + 0.0j)

    def warm(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        return port.power

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        after = self.remembered(s, u, port, self.restart_delay)
        stopped = after.get("stopped", s.stopped)
        lost_for = (s.lost_for + dt) * stopped
        return replace(s, **after, lost_for=lost_for), self.Outputs(power=port.power, down_time=lost_for)
