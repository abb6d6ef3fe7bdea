"""Check valve: passes coolant one way."""

from __future__ import annotations

from typing import Any

from twin.declare import Branch, Ports, Real, quantity, table
from twin.equipment.parts.fitting import Fitting
from twin.physics import valve


@table
class CheckValve(Fitting):
    """A valve that lets coolant pass in its drawn direction and bars it the other way.

    Pumps and CDUs have one of their own. The pressure that opens its disc and the slam of its closing are left out.
    """

    kind = "check_valve"

    flow_coefficient: Real = quantity("m^3/s", "Kv: water that passes the open valve at 1 bar", above=0, at_most=10)
    relative_density: Real = quantity("1", "of the coolant, over 1000 kg/m3", default=1.0, above=0.5, below=2)

    @table
    class Inputs:
        check_valve_failed: Real = quantity("1", "1: its check valve stays open", default=0.0, failure=True)

    @table
    class Outputs:
        flow: Real = quantity("m^3/s", "flow in the drawn direction", default=0.0)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, u.check_valve_failed)
        return answer

    def _branch(self, failed: Real) -> Branch:
        a, b = valve.loss(self.flow_coefficient, 1.0, self.relative_density)
        return Branch(0.0, a, b, check=1.0 - failed)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        return s, self.Outputs(flow=port.flow["coolant"])
