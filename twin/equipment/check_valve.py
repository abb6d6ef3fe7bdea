"""Check valve: passes coolant one way."""

from __future__ import annotations

from typing import Any

from twin.declare import Branch, Ports, Real, quantity, table
from twin.equipment.parts.fitting import KvFitting


@table
class CheckValve(KvFitting):
    """A valve that lets coolant pass in its drawn direction and bars it the other way.

    Pumps and CDUs have one of their own. The pressure that opens its disc and the slam of its closing are left out.
    """

    kind = "check_valve"

    @table
    class Inputs:
        check_valve_failed: Real = quantity("1", "1: its check valve stays open", default=0.0, failure=True)

    def branch(self, s: Any, u: Any, port: Ports, stream: str) -> Branch:
        answer: Branch = self.once(self._branch, u.check_valve_failed)
        return answer

    def _branch(self, failed: Real) -> Branch:
        return Branch(0.0, *self.loss(1.0), check=1.0 - failed)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        return s, self.passed(self.once(self._branch, u.check_valve_failed), port.flow["coolant"])
