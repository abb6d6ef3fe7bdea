"""Outdoor reset: what every machine with a setpoint declares of how that setpoint follows the weather."""

from __future__ import annotations

from functools import cached_property

from twin.arrays import library_of, worth_doing
from twin.declare import Equipment, Ports, Real, quantity, table

NONE, DRY, WET = 0.0, 1.0, 2.0
BULBS = {"none": NONE, "dry_bulb": DRY, "wet_bulb": WET}
"""What a setpoint follows, as it is declared by word."""


@table
class OutdoorReset(Equipment):
    """A setpoint that goes in a straight line from the one asked for to another, between two outdoor temperatures.

        T = T_asked + (T_reset - T_asked) clip((T_out - T_from)/(T_to - T_from), 0, 1)

    The two setpoints are its limits. What a run sets or moves is the one asked for. The sensor is true and at once.

    Source: the outdoor-air reset of ASHRAE 90.1 (6.5.4.4) and ASHRAE Guideline 36, as every plant controller has it.
    """

    outdoor_reset: Real = quantity(
        "1", "outdoor temperature that its setpoint follows; none: it stays as asked", default=NONE, choices=BULBS
    )
    outdoor_from: Real = quantity(
        "K", "outdoor temperature up to which the setpoint asked for holds; 0: not given", default=0.0, at_least=0,
        below=340,
    )  # fmt: skip
    outdoor_to: Real = quantity(
        "K", "outdoor temperature from which outdoor_setpoint holds; 0: not given", default=0.0, at_least=0, below=340
    )
    outdoor_setpoint: Real = quantity(
        "K", "temperature wanted at outdoor_to and beyond; 0: not given", default=0.0, at_least=0, below=350
    )

    def faults(self, feeds: int) -> list[str]:
        found = super().faults(feeds)
        told = {name: float(getattr(self, name)) for name in ("outdoor_from", "outdoor_to", "outdoor_setpoint")}
        missing = [name for name, value in told.items() if value == 0]
        if float(self.outdoor_reset) == NONE:
            given = [name for name in told if name not in missing]
            if given:
                found.append(f"its {given[0]} is given without outdoor_reset; dry_bulb or wet_bulb is wanted")
        elif missing:
            found.append(f"its setpoint follows the weather, but {', '.join(missing)} is not given; it is wanted")
        elif told["outdoor_to"] <= told["outdoor_from"]:
            found.append("its outdoor_to is not above its outdoor_from; a warmer one is wanted")
        return found

    @cached_property
    def follows_weather(self) -> bool:
        """Whether any of these units has its setpoint reset."""
        return worth_doing(self.outdoor_reset)

    def wanted(self, asked: Real, port: Ports) -> Real:
        """The setpoint in this weather [K]."""
        return self.once(self._reset, asked, port.dry_bulb, port.wet_bulb) if self.follows_weather else asked

    def _reset(self, asked: Real, dry_bulb: Real, wet_bulb: Real) -> Real:
        xp = library_of(asked + dry_bulb)
        outdoors = xp.where(self.outdoor_reset == WET, wet_bulb, dry_bulb)
        way = xp.where(self.outdoor_reset == NONE, 1.0, self.outdoor_to - self.outdoor_from)
        share = xp.minimum(xp.maximum((outdoors - self.outdoor_from) / way, 0.0), 1.0)
        return xp.where(self.outdoor_reset == NONE, asked, asked + (self.outdoor_setpoint - asked) * share)


def follows_wet_bulb(machine: Equipment) -> bool:
    """Whether any unit of a table has its setpoint reset by the wet bulb."""
    return isinstance(machine, OutdoorReset) and bool(worth_doing(machine.outdoor_reset == WET))
