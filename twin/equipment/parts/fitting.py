"""Fitting: what every kind that only resists the coolant has alike; it holds no heat, and passes on what enters."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.declare import Branch, Equipment, Ports, Real, Stream

DROP = 1e-6
"""Coolant that a fitting is reckoned to hold [m3]: none that counts."""


class Fitting(Equipment):
    """An element of a branch whose coolant leaves as it came."""

    streams: ClassVar[tuple[str, ...]] = ("coolant",)

    def holds(self, stream: str) -> Real:
        return DROP

    def stream(self, s: Any, u: Any, port: Ports, stream: str, dt: Real) -> Stream:
        return Stream(0.0, 1.0)


def lost(answer: Branch, flow: Real) -> Real:
    """Pressure lost in an element [Pa] at a flow of either sign, in its direction."""
    return (answer.laminar + answer.turbulent * abs(flow)) * flow
