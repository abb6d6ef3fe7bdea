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
        default = quantities(KINDS[unit.kind].Inputs)["leaving_setpoint"].default
        told = {
            "leaving_setpoint": unit.settings.get("leaving_setpoint", default),
            "outdoor_setpoint": unit.parameters.get("outdoor_setpoint", 0.0),
        }
        for name, asked in told.items():
            if asked <= highest:
                continue
            yield Fault(
                unit.where,
                f"{unit.name}.{name} is {asked - FREEZING:.4g} degC, but its water leaves at "
                f"{highest - FREEZING:.4g} degC at most; a lower setpoint, or another machine, is wanted",
            )
