"""What makes a cooling plant buildable, beside what `plant_checks` asks of its streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from twin.declare import quantities
from twin.equipment import KINDS
from twin.faults import Fault
from twin.physics.fluids import properties
from twin.physics.static_pressure import held_at

FREEZING = 273.15
WARM_AT_RACKS, WARM = FREEZING + 50.0, FREEZING + 35.0
"""How warm coolant gets at work: the mean of a loop that serves racks, and of any other [K]. Estimates."""


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


def vessels_large_enough(plant: Any) -> Iterator[Fault]:
    """Warn where a vessel cannot take what its loop's coolant grows by as it warms."""
    for loop in [loop for loop in plant.loops.values() if loop.pressurisation in plant.units]:
        held = [(plant.units[e.unit], e.stream) for branch in loop.branches() for e in branch]
        held += [(plant.units[loop.storage], "coolant")] if loop.storage else []
        volume = sum(float(unit.machine().holds(stream)) for unit, stream in held)
        vessel = plant.units[loop.pressurisation].machine()
        warm = WARM_AT_RACKS if any(KINDS[unit.kind].is_work for unit, _ in held) else WARM
        cold, hot = (float(properties(loop.fluid, np.array(T)).density) for T in (vessel.fill_temperature, warm))
        grows, size = volume * (cold / hot - 1.0), (vessel.vessel_volume, vessel.precharge)
        takes = float(held_at(vessel.relief_pressure, *size) - held_at(vessel.fill_pressure, *size))
        if grows > takes:
            text = (
                f"{loop.pressurisation} takes {takes * 1e3:.3g} L between its fill and its relief pressure, but the "
                f"{volume:.3g} m^3 of loop {loop.name} grow by {grows * 1e3:.3g} L as they warm to "
                f"{warm - FREEZING:.3g} degC; its relief valve will lift, and a larger vessel is wanted"
            )
            yield Fault(plant.units[loop.pressurisation].where, text, warning=True)
