"""Fitting: what every kind that only resists the coolant has alike; it holds no heat, and passes on what enters."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.declare import Branch, Equipment, Ports, Real, Stream, quantity, table
from twin.physics import valve

DROP = 1e-6
"""Coolant that a fitting is reckoned to hold [m3]: none that counts."""


class Fitting(Equipment):
    """An element of a branch whose coolant leaves as it came."""

    streams: ClassVar[tuple[str, ...]] = ("coolant",)

    @table
    class Outputs:
        flow: Real = quantity("m^3/s", "flow in the drawn direction", default=0.0)
        pressure_lost: Real = quantity("Pa", "lost in it, in the drawn direction", default=0.0)

    def holds(self, stream: str) -> Real:
        return DROP

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        return Stream(0.0, 1.0)

    def passed(self, answer: Branch, flow: Real, **more: Real) -> Any:
        """Its Outputs at a flow of either sign [m3/s], by its branch law."""
        return self.Outputs(flow=flow, pressure_lost=lost(answer, flow), **more)


@table
class KvFitting(Fitting):
    """A fitting that is known by its flow coefficient."""

    flow_coefficient: Real = quantity("m^3/s", "Kv: water that passes the open valve at 1 bar", above=0, at_most=10)
    relative_density: Real = quantity("1", "of the coolant, over 1000 kg/m3", default=1.0, above=0.5, below=2)

    def loss(self, share: Real) -> tuple[Real, Real]:
        """(laminar, turbulent) where so much of its flow coefficient is open [1]."""
        return valve.loss(self.flow_coefficient, share, self.relative_density)


def lost(answer: Branch, flow: Real) -> Real:
    """Pressure lost in an element [Pa] at a flow of either sign, in its direction."""
    return (answer.laminar + answer.turbulent * abs(flow)) * flow
