"""Quick disconnect: the joint at which a rack, or any other part of a branch, leaks and is isolated."""

from __future__ import annotations

from typing import Any

from twin.declare import Branch, Ports, Real, replace, table
from twin.equipment.parts.fitting import KvFitting
from twin.equipment.parts.leaking import Leaking
from twin.physics import hydraulic


@table
class QuickDisconnect(KvFitting, Leaking):
    """A pair of couplings with valves of their own, before a rack in its branch; a leak of that rack stands here too.

    What leaks follows from the hole and the pressure there, where the loop has a vessel. A leak sensor shuts the
    couplings after `isolation_delay`, and `isolated` shuts them by hand. The time that the couplings take is left out.
    """

    kind = "quick_disconnect"

    Inputs = Leaking.Inputs
    State = Leaking.State

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, self.shut(s, u))
        return answer

    def _branch(self, shut: Real) -> Branch:
        a, b = self.loss(1.0)
        factor = hydraulic.valve_resistance(1.0 - shut)
        return Branch(0.0, a * factor, b * factor)

    def leak_density(self) -> Real:
        return 1000.0 * self.relative_density

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        out = self.passed(self.once(self._branch, self.shut(s, u)), port.flow["coolant"])
        after = self.leaked(s, u, port, dt)
        return (replace(s, **after) if after else s), out
