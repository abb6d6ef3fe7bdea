"""Adiabatic cooler: a dry cooler whose wetted pads cool the air on hot days."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from twin.arrays import library_of
from twin.declare import Ports, Real, quantity, replace, table
from twin.equipment.dry_cooler import DryCooler
from twin.physics import tower


@table
class AdiabaticCooler(DryCooler):
    """A dry cooler behind pads that bring the air near its wet bulb while it is warmer than `wet_above`.

        T_air = T_db - w eps (T_db - T_wb),   w from 0 to 1 over `wet_band`

    Evaporated water and blow-down are made up for from the mains; with `water_lost` the pads are dry. Scaling of
    the pads, their wetting time and drops on the coil are left out.
    """

    kind = "adiabatic_cooler"

    pad_effectiveness: Real = quantity("1", "share of the wet-bulb depression that wet pads take", above=0, below=1)
    wet_band: Real = quantity("K", "dry bulb over which its pads are wetted one after the other", default=2.0, above=0)
    concentration: Real = quantity(
        "1", "cycles of concentration of the basin's water", default=4.0, above=1, at_most=20
    )

    @table
    class Inputs(DryCooler.Inputs):
        wet_above: Real = quantity("K", "dry bulb above which pads are wetted", default=295.15, above=250, below=350)
        water_lost: Real = quantity("1", "1: its pads get no water", default=0.0, at_most=1, failure=True)

    @table
    class State(DryCooler.State):
        water_used: Real = quantity("m^3", "make-up water since the start", default=0.0)

    @table
    class Outputs(DryCooler.Outputs):
        air_temperature: Real = quantity("K", "air entering the coil", default=298.15)
        evaporated: Real = quantity("m^3/s", "water evaporated", default=0.0)
        makeup: Real = quantity("m^3/s", "water taken from the mains", default=0.0)

    def air(self, u: Any, port: Ports) -> Real:
        return self.once(self._wetted, port.dry_bulb, port.wet_bulb, u.wet_above, u.water_lost)

    def _wetted(self, dry_bulb: Real, wet_bulb: Real, wet_above: Real, water_lost: Real) -> Real:
        xp = library_of(dry_bulb + wet_bulb)
        wet = xp.minimum(xp.maximum((dry_bulb - wet_above) / self.wet_band, 0.0), 1.0) * (1.0 - water_lost)
        return dry_bulb - wet * self.pad_effectiveness * xp.maximum(dry_bulb - wet_bulb, 0.0)

    @cached_property
    def _latent(self) -> float:
        """Heat that a cubic metre of water takes as it evaporates [J/m3]; textbook, near 20 degC."""
        return 2.454e6 * 998.0

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        after, out = super().advance(s, u, port, dt)
        air, speed = self.air(u, port), port.plan.speed
        cooled = tower.AIR_DENSITY * tower.DRY_AIR * self.air_flow * speed * (port.dry_bulb - air)
        evaporated = cooled / self._latent
        makeup = evaporated * self.concentration / (self.concentration - 1.0)
        more = {name: getattr(out, name) for name in DryCooler.Outputs.__dataclass_fields__}
        after = replace(after, water_used=s.water_used + dt * makeup)
        return after, self.Outputs(**more, air_temperature=air, evaporated=evaporated, makeup=makeup)
