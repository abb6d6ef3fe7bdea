"""What makes a cooling plant buildable, beside what `plant_checks` asks of its streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault

FREEZING = 273.15


def setpoints_in_reach(plant: Any) -> Iterator[Fault]:
    """No chiller is set to water warmer than its compressor can make."""
    for unit in plant.units.values():
        highest = unit.parameters.get("highest_leaving")
        if highest is None:
            continue
        asked = unit.settings.get("leaving_setpoint", quantities(KINDS[unit.kind].Inputs)["leaving_setpoint"].default)
        if asked > highest:
            yield Fault(
                unit.where,
                f"{unit.name}.leaving_setpoint is {asked - FREEZING:.4g} degC, but its water leaves at "
                f"{highest - FREEZING:.4g} degC at most; a lower setpoint, or another machine, is wanted",
            )
