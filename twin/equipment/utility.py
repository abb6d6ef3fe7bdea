"""Utility: the point where the grid feeds the site, and what the grid does there."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import complex_of, worth_doing
from twin.declare import Equipment, Ports, Real, Supply, flag, quantity, replace, table
from twin.physics.electric import series_current, series_drop, thevenin
from twin.physics.supply import latched, share_alive, while_alive


@table
class Utility(Equipment):
    """The voltage and frequency that its Inputs ask for, behind the impedance of the grid.

    That impedance follows from `short_circuit_power`, which makes it stiff where it is 0: then it holds its
    voltage whatever is drawn. The drop uses the current of the last tick and converges on the AC power
    flow. Sags are steps of `voltage`. What the grid itself loses, and faults shorter than a tick, are left out.
    """

    kind = "utility"
    disturbs = ("power", "flow")
    source = True
    serves = True

    rated_power: Real = quantity("W", "power agreed with the grid", above=0, at_most=2e10)
    nominal_voltage: Real = quantity(
        "V", "nominal voltage, line to line; 0 leaves it unsaid", default=0.0, at_least=0, at_most=1e6
    )
    nominal_frequency: Real = quantity("Hz", "nominal frequency", default=60.0, above=0, at_most=400)
    short_circuit_power: Real = quantity(
        "VA", "what a bolted short circuit would draw at its terminals, 0 for a stiff grid",
        default=0.0, at_least=0, at_most=1e12,
    )  # fmt: skip
    reactance_ratio: Real = quantity("1", "X/R of the grid's impedance", default=10.0, at_least=0, at_most=1000)

    @table
    class Inputs:
        in_service: Real = quantity("1", "1 feeds, 0 is out of service", default=1.0, at_least=0, at_most=1)
        voltage: Real = quantity("1", "voltage, of nominal", default=1.0, at_least=0, at_most=1.5)
        frequency: Real = quantity("Hz", "frequency of the grid", default=60.0, at_least=40, at_most=70)

    @table
    class State:
        imported_energy: Real = quantity("J", "energy taken from the grid since the start", default=0.0)
        drop_in_phase: Real = quantity("1", "voltage lost in the grid, in phase with its own", default=0.0)
        drop_in_quadrature: Real = quantity("1", "voltage lost in the grid, at right angles", default=0.0)
        lost: Real = flag("is lost", "is back")

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from the grid", default=0.0)
        reactive: Real = quantity("var", "reactive power taken from the grid", default=0.0)
        load_fraction: Real = quantity("1", "power over rating", default=0.0)
        terminal_voltage: Real = quantity("1", "voltage at its terminals, of nominal", default=1.0)

    @cached_property
    def _series(self) -> Real:
        return thevenin(self.short_circuit_power, self.reactance_ratio)

    @cached_property
    def _yields(self) -> bool:
        """Whether any grid gives way under load; said on the CPU alone."""
        return worth_doing(self.short_circuit_power > 0)

    def series(self, s: Any, u: Any) -> Real:
        return self._series

    def live(self, s: Any, u: Any, port: Ports, dt: Real) -> Supply:
        voltage, dead = self.once(_held, u.voltage, u.in_service)
        if self._yields:
            voltage = voltage * complex_of(1.0 - s.drop_in_phase, -s.drop_in_quadrature)
        return Supply(voltage, dead * dt, [], self.once(self._pace, u.frequency))

    def _pace(self, frequency: Real) -> Real:
        """Its frequency, of nominal; a plain number where all are at it."""
        pace = frequency / self.nominal_frequency
        return pace if worth_doing(pace != 1.0) else 1.0

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        power = port.load + port.fault_power
        lost, lost_at = latched(port.voltage == 0, s.lost, s.lost_at, port.now)
        after = replace(s, imported_energy=s.imported_energy + power * dt, lost=lost, lost_at=lost_at)
        if self._yields:
            load = while_alive(complex_of(port.load, port.load_reactive), share_alive(port.gap, dt))
            held, _ = self.once(_held, u.voltage, u.in_service)
            drop = series_drop(series_current(load, port.voltage), self._series, held)
            after = replace(after, drop_in_phase=drop.real.copy(), drop_in_quadrature=drop.imag.copy())
        return after, self.Outputs(
            power=power,
            reactive=port.load_reactive,
            load_fraction=power / self.rated_power,
            terminal_voltage=abs(port.voltage),
        )


def _held(voltage: Real, in_service: Real) -> tuple[Real, Real]:
    """The voltage it holds, complex [pu], and 1 where that is none."""
    held = voltage * in_service
    return held + 0j, (held == 0) * 1.0
