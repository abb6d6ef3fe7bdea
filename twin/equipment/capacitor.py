"""Capacitor: a bank that gives reactive power to its board."""

from __future__ import annotations

from typing import Any

from twin.declare import MODES, Equipment, Ports, Real, mode, quantity, table
from twin.physics.supply import share_alive


@table
class Capacitor(Equipment):
    """A switched bank of constant admittance: Q = -Q_rated V^2 while it is fed and closed.

    Losses, inrush, the discharge time before it may close again and resonance are left out.
    """

    kind = "capacitor"
    feeds = (1, 1)

    rated_reactive_power: Real = quantity("var", "reactive power given at nominal voltage", above=0, at_most=1e9)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 is in service, 0 is isolated", default=1.0, at_least=0, at_most=1)
        mode: Real = mode()
        closed: Real = quantity("1", "1 asks it to close, 0 to open; between, some of its steps", default=1.0,
                                at_least=0, at_most=1)  # fmt: skip
        fuses_blown: Real = quantity("1", "1: its fuses are blown", default=0.0, failure=True)

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from its feed", default=0.0)
        reactive: Real = quantity("var", "reactive power taken from its feed, negative as it gives it", default=0.0)

    def _gives(self, in_service: Real, mode: Real, closed: Real, fuses_blown: Real) -> Real:
        on = in_service * ((mode == MODES["auto"]) | (mode == MODES["hand"]))
        return -1j * self.rated_reactive_power * (on * closed * (1.0 - fuses_blown))

    def demand(self, s: Any, u: Any, port: Ports, dt: Real) -> Real:
        gives = self.once(self._gives, u.in_service, u.mode, u.closed, u.fuses_blown)
        modulus = abs(port.voltage)
        return gives * (modulus * modulus) * share_alive(port.gap, dt)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        return s, self.Outputs(power=port.power, reactive=port.reactive)
